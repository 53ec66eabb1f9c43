# SPDX-License-Identifier: Apache-2.0
"""A small HTTP/1.1 server: one thread a connection, keep-alive, TLS, and every way to end a connection badly."""

import collections
import itertools
import select
import socket
import ssl
import struct
import threading
import time
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

MAX_HEADER = 64 * 1024
MAX_BODY = 16 * 1024 * 1024


class BadRequest(Exception):
    """The peer does not speak HTTP as we do; answered with a bare status."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Request:
    """One request as it came. Header names keep their order and repeats; `header()` looks one up without case."""

    def __init__(self, method, target, version, headers, body, connection):
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers
        self.body = body
        self.connection = connection
        parts = urlsplit(target) if not target.startswith("/") else None
        self.raw_path, _, self.query = ((parts.path + "?" + parts.query) if parts else target).partition("?")
        self.path = unquote(self.raw_path) or "/"

    def log_entry(self):
        """What the transport knows, for the request log."""
        connection = self.connection
        tls = connection.tls or {"version": None, "resumed": None, "alpn": None}
        return {"time": None, "listener": connection.listener.name, "connection": connection.number,
                "connection_request": connection.requests, "tls": tls["version"], "resumed": tls["resumed"],
                "alpn": tls["alpn"], "method": self.method, "path": self.path}

    def header(self, name, default=None):
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return default


class Response:
    """One answer. The last four fields are for faults: what to do with the connection instead of plain sending."""

    def __init__(self, status=200, headers=(), body=b""):
        self.status = status
        self.headers = list(headers)
        self.body = body
        self.close = False
        self.truncate = None    # send only so many bytes of the body, then close
        self.reset = False      # send nothing, RST
        self.hang = None        # callable: True while the answer is to be held back for ever
        self.repeat = 0         # send the body again so many times (large answers without large memory)
        self.pieces = None      # an iterable of bytes: sent as they are, instead of head and body. Then our direction is
                                # ended, and only ours, until the peer goes away
        self.date = None        # seconds since the epoch for the Date header, else the host clock

    def head(self):
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "Unknown"
        length = len(self.body) * (1 + self.repeat)
        names = {name.lower() for name, _ in self.headers}
        lines = [f"HTTP/1.1 {self.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if "date" not in names:
            lines.append("Date: " + formatdate(self.date if self.date is not None else time.time(), usegmt=True))
        if "content-length" not in names:
            lines.append(f"Content-Length: {length}")
        if self.close:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Connection:
    """One accepted socket, served until it closes. `number` and `tls` go into the request log."""

    counter = itertools.count(1)

    def __init__(self, sock, peer, listener):
        self.sock = sock
        self.peer = peer
        self.listener = listener
        self.number = next(Connection.counter)
        self.requests = 0
        self.tls = None
        self.buffer = b""

    def serve(self):
        try:
            self.sock.settimeout(20)
            if self.listener.mode == "silent":
                self.hold(lambda: self.listener.mode == "silent")
                return
            if self.listener.context:
                self.sock = self.listener.context.wrap_socket(self.sock, server_side=True)
                self.tls = {"version": self.sock.version(), "resumed": bool(self.sock.session_reused),
                            "alpn": self.sock.selected_alpn_protocol()}
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while self.one_request():
                pass
        except (OSError, ssl.SSLError) as error:
            if self.tls is None and self.listener.context:
                self.listener.note_handshake_failure(self, error)
        finally:
            self.listener.forget(self)
            self.close()

    def close(self):
        try:
            self.sock.close()
        except OSError:
            pass

    def reset(self):
        """Close so that the peer sees RST: linger on, zero seconds."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def one_request(self):
        try:
            request = self.read_request()
        except BadRequest as error:
            response = Response(error.status, [("Content-Type", "text/plain")], str(error).encode() + b"\n")
            response.close = True
            self.sock.sendall(response.head() + response.body)
            return False
        if request is None:
            return False
        self.requests += 1
        self.sock.settimeout(60)
        response = self.listener.handler(request)
        if request.method == "HEAD":
            response.headers.append(("Content-Length", str(len(response.body))))
            response.body = b""
        keep = self.send(response)
        wish = (request.header("connection") or "").lower()
        return keep and wish != "close" and (request.version == "HTTP/1.1" or wish == "keep-alive")

    def send(self, response):
        """True when the connection may be used again."""
        if response.pieces is not None:
            for piece in response.pieces:
                self.sock.sendall(piece)
            self.sock.shutdown(socket.SHUT_WR)
            self.hold(lambda: True)
            return False
        if response.hang:
            self.hold(response.hang)
            return False
        if response.reset:
            self.reset()
            return False
        if response.truncate is not None:
            self.sock.sendall(response.head() + response.body[:response.truncate])
            return False
        self.sock.sendall(response.head() + response.body)
        for _ in range(response.repeat):
            self.sock.sendall(response.body)
        return not response.close

    def hold(self, still_wanted):
        """Answer nothing until the peer goes away or the fault is taken back."""
        self.sock.settimeout(0.2)
        while still_wanted():
            readable, _, _ = select.select([self.sock], [], [], 0.1)
            if readable:
                try:
                    if self.sock.recv(4096) == b"":
                        return
                except (TimeoutError, ssl.SSLWantReadError):
                    pass

    def read_request(self):
        """None at the end of the connection (also when the peer was idle for too long)."""
        self.sock.settimeout(self.listener.idle_timeout())
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > MAX_HEADER:
                raise BadRequest(431, "the header is too large")
            if not self.fill():
                return None
            self.sock.settimeout(20)
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        try:
            lines = head.decode("utf-8").split("\r\n")
        except UnicodeDecodeError:
            lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise BadRequest(400, "the request line is not HTTP/1.1")
        headers = [self.split_header(line) for line in lines[1:]]
        body = self.read_body({name.lower(): value for name, value in headers})
        return Request(words[0], words[1], words[2], headers, body, self)

    @staticmethod
    def split_header(line):
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest(400, "a header line has no name")
        return name, value.strip(" \t")

    def read_body(self, headers):
        if "transfer-encoding" in headers:
            raise BadRequest(411, "send Content-Length")
        text = headers.get("content-length", "0")
        if not text.isdigit():
            raise BadRequest(400, "Content-Length is not a number")
        length = int(text)
        if length > MAX_BODY:
            raise BadRequest(413, "the body is too large")
        if length > len(self.buffer) and headers.get("expect", "").lower() == "100-continue":
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self.buffer) < length:
            if not self.fill():
                raise OSError("the peer closed in the middle of a body")
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return body

    def fill(self):
        try:
            piece = self.sock.recv(65536)
        except TimeoutError:
            return False
        self.buffer += piece
        return bool(piece)


class Listener:
    """A listening socket with its accept thread. `handler(request)` returns a Response."""

    def __init__(self, name, host, port, handler, context=None, idle_timeout=lambda: 60):
        self.name = name
        self.handler = handler
        self.context = context
        self.idle_timeout = idle_timeout
        self.handshake_failures = collections.deque(maxlen=1000)
        self.connections = set()
        self.lock = threading.Lock()
        self.accepted = 0
        self.mode = "normal"        # "refused": nobody listens; "silent": connections are taken and nothing is said
        self.host, self.port = host, port
        self.reserve()
        self.sock.listen(1024)

    def reserve(self):
        """Hold the port. Until somebody listens there connections are refused."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((self.host, self.port))
        self.host, self.port = self.sock.getsockname()[:2]

    def set_mode(self, mode):
        """Change how the network looks from outside; open connections are closed."""
        if mode not in ("normal", "refused", "silent"):
            raise ValueError("mode is normal, refused or silent")
        before, self.mode = self.mode, mode
        if mode == "refused" and before != "refused":
            self.stop_listening()
            self.reserve()      # another server that took the port would be talked to by our client
        elif mode != "refused" and before == "refused":
            self.sock.listen(1024)
            self.start()
        self.drop_connections()

    @property
    def url(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.context else 'http'}://{host}:{self.port}"

    def start(self):
        threading.Thread(target=self.accept_loop, name=f"accept-{self.name}", daemon=True).start()

    def accept_loop(self):
        listening = self.sock
        while True:
            try:
                sock, peer = listening.accept()
            except OSError:
                return
            connection = Connection(sock, peer, self)
            with self.lock:
                self.accepted += 1
                self.connections.add(connection)
            threading.Thread(target=connection.serve, name=f"connection-{connection.number}", daemon=True).start()

    def forget(self, connection):
        with self.lock:
            self.connections.discard(connection)

    def note_handshake_failure(self, connection, error):
        with self.lock:
            self.handshake_failures.append({"connection": connection.number, "error": str(error)})

    def drop_connections(self):
        """Close every open connection, as AWS does with idle ones; the listener stays."""
        with self.lock:
            connections = list(self.connections)
        for connection in connections:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        return len(connections)

    def stop_listening(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def stop(self):
        self.stop_listening()
        self.drop_connections()


def tls_context(certificate, key):
    """TLS 1.2 and later with session tickets, as AWS's end points. It prefers HTTP/2, as many of them do, and does not speak
    it: a client that takes it gets nowhere."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.load_cert_chain(certificate, key)
    return context
