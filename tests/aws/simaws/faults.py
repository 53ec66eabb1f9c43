# SPDX-License-Identifier: Apache-2.0
"""Trouble on demand. A fault says which requests it hits and what happens to them; see the table in ../README.md."""

import fnmatch
import functools
import gzip
import itertools
import json
import time

from .errors import AwsError
from .http import Response

HTML = (b"<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body bgcolor=\"white\">\r\n"
        b"<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n")
SELECTORS = ("account", "region", "service", "operation", "trail", "topic", "bucket", "access_key", "user_agent", "path")

# What an HTTP/2 server says first: an empty frame of settings.
H2_SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
_PROMISE = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 100\r\n\r\n"
_JSON = [("Content-Type", "application/x-amz-json-1.1")]
_PAGE = [("Content-Type", "text/html")]


def _page(status, body=HTML, headers=_PAGE):
    return lambda fault: Response(fault.get("status", status), headers, body)


def _given(fault):
    """Any answer: status, headers, body."""
    headers = [(name, value) for name, value in fault.get("headers", {}).items()]
    return Response(fault.get("status", 200), headers, fault.get("body", "").encode())


def _redirect(fault):
    return Response(fault.get("status", 301), [("Location", fault["location"])], b"")


def _deep(fault):
    depth = fault.get("depth", 100000)
    return Response(200, _JSON, b'{"a":' * depth + b"1" + b"}" * depth)


def _oversize(fault):
    """A JSON string that grows to about `bytes` (default 64 MiB); only one mebibyte of it is kept in memory."""
    response = Response(200, _JSON, b" " * (1 << 20))
    response.repeat = max(0, fault.get("bytes", 64 << 20) // (1 << 20) - 1)
    return response


def _reset(_fault):
    response = Response()
    response.reset = True
    return response


def _closed(_fault):
    response = Response()
    response.truncate = 0
    response.close = True
    response.head = lambda: b""
    return response


def _half_closed(fault):
    """The server ends its direction and goes on listening: before anything (`after` "nothing"), after the headers, or in the
    middle of the body."""
    sent = {"nothing": b"", "headers": _PROMISE, "body": _PROMISE + b'{"IsLogging": '}[fault.get("after", "headers")]
    response = Response()
    response.pieces = [sent]
    return response


def _trickle(fault):
    """A body without end, a byte at a time."""
    def pieces():
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        while True:
            yield b"1\r\n \r\n"
            time.sleep(fault.get("seconds", 0.1))
    response = Response()
    response.pieces = pieces()
    return response


def _flood(line, begin=b"HTTP/1.1 200 OK\r\n"):
    """The same bytes over and over, as fast as the peer takes them."""
    def make(_fault):
        response = Response()
        response.pieces = itertools.chain([begin], itertools.repeat(line * 100))
        return response
    return make


def _upgrade(_fault):
    """HTTP/2 that nobody asked for: the switch, and the preface of a server."""
    response = Response()
    response.pieces = [b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + H2_SETTINGS]
    return response


@functools.lru_cache
def _bomb():
    """A thousandth of what it becomes."""
    return gzip.compress(b'{"a":"' + b" " * (32 << 20) + b'"}')


def _compressed(_fault):
    return Response(200, [*_JSON, ("Content-Encoding", "gzip")], _bomb())


def _json(fault):
    return Response(200, _JSON, json.dumps(fault["value"]).encode())


# Instead of an answer: kind -> maker of the Response.
REPLACING = {
    "http500": _page(500), "http503": _page(503), "http502": _page(502), "http429": _page(429),
    "empty500": _page(500, b"", ()), "answer": _given, "redirect": _redirect, "deep": _deep, "oversize": _oversize,
    "garbage": _page(200, b"\x00\xff\x16\x03 this is not JSON {", _JSON), "json": _json, "reset": _reset, "closed": _closed,
    "half_closed": _half_closed, "trickle": _trickle, "header_flood": _flood(b"X-Filler: 0123456789\r\n"),
    "line_flood": _flood(b"no header at all\r\n"), "interim_flood": _flood(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n", b""),
    "upgrade": _upgrade, "compressed": _compressed,
}
REPLACING["empty"] = _page(200, b"", _JSON)

# An AWS error after the signature was found good: kind -> (code, message).
REFUSING = {
    "throttle": ("ThrottlingException", "Rate exceeded"),
    "expired": ("ExpiredTokenException", "The security token included in the request is expired"),
    "unrecognized": ("UnrecognizedClientException", "The security token included in the request is invalid."),
    "denied": ("AccessDeniedException", None),
    "error": (None, None),
}
# Applied before the signature check, to timing, or to the finished answer.
OTHERS = {"clock", "slow", "hang", "hold", "truncate", "close", "exponent", "type_form", "message_key", "members", "headers",
          "remove_members"}
KINDS = set(REPLACING) | set(REFUSING) | OTHERS


def replaces(fault):
    return fault["kind"] in REPLACING or fault["kind"] == "hang"


class Faults:
    """The active faults, in the order they were set. Matching consumes a fault's count."""

    def __init__(self, lock):
        self.lock = lock
        self.numbers = itertools.count(1)
        self.active = {}

    def add(self, fault):
        if fault.get("kind") not in KINDS:
            raise ValueError(f"unknown fault kind {fault.get('kind')!r}; there are: {', '.join(sorted(KINDS))}")
        if fault["kind"] == "redirect" and "location" not in fault:
            raise ValueError("a redirect needs a location")
        if fault["kind"] == "error" and "code" not in fault:
            raise ValueError("an error needs a code")
        number = next(self.numbers)
        with self.lock:
            self.active[number] = {**fault, "id": number, "hits": 0}
        return number

    def remove(self, number=None):
        with self.lock:
            if number is None:
                self.active.clear()
            else:
                self.active.pop(int(number), None)

    def alive(self, number):
        with self.lock:
            return number in self.active

    def list(self):
        with self.lock:
            return [dict(fault) for fault in self.active.values()]

    def hitting(self, call):
        """The faults that this call meets, each counted as a hit. Of the replacing and refusing kinds only the
        first counts, for there is only one answer."""
        with self.lock:
            result, answered = [], False
            for fault in list(self.active.values()):
                answers = replaces(fault) or fault["kind"] in REFUSING
                if (answers and answered) or not self._matches(fault, call):
                    continue
                if fault.get("skip", 0) > 0:
                    fault["skip"] -= 1
                    continue
                answered = answered or answers
                fault["hits"] += 1
                result.append(fault)
                if "count" in fault and fault["hits"] >= fault["count"] and fault["kind"] != "hang":
                    del self.active[fault["id"]]
            return result

    def holds(self, call):
        """Is there a fault that keeps this call waiting? Asked with the state locked."""
        return any(fault["kind"] == "hold" and self._matches(fault, call) for fault in self.active.values())

    @staticmethod
    def _matches(fault, call):
        if fault.get("count") == 0 or ("count" in fault and fault["hits"] >= fault["count"]):
            return False
        for name in SELECTORS:
            if name not in fault:
                continue
            wanted = fault[name] if isinstance(fault[name], list) else [fault[name]]
            values = call.fault_values(name)
            if not any(fnmatch.fnmatchcase(value, str(pattern)) for pattern in wanted for value in values):
                return False
        return True


def refusal(fault, call):
    """The AwsError of a refusing fault."""
    code, message = REFUSING[fault["kind"]]
    if fault["kind"] == "denied":
        message = call.denied_text(fault.get("why", "because no identity-based policy allows the {action} action"))
    return AwsError(fault.get("code", code), fault.get("message", message or ""), fault.get("status"),
                    exact="code" in fault)
