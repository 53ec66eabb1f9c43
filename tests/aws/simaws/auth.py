# SPDX-License-Identifier: Apache-2.0
"""Signature Version 4, checked as AWS checks it: by recomputing the signature with botocore's signer from the headers
that the request names as signed."""

import hashlib
import re
from datetime import datetime, timezone

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from .errors import AwsError

MISMATCH = ("The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details.")
BAD_TOKEN = "The security token included in the request is invalid."
EXPIRED = "The security token included in the request is expired"


class Refused(AwsError):
    """A refusal with the kind of finding it is for the tests: signature, skew, credentials or missing."""

    def __init__(self, kind, code, message, detail=None):
        super().__init__(code, message)
        self.kind = kind
        self.detail = detail or message


class Scope:
    """The parts of an Authorization header."""

    def __init__(self, key, date, region, service, signed, signature):
        self.key = key
        self.date = date
        self.region = region
        self.service = service
        self.signed = signed
        self.signature = signature


class AsSent:
    """For botocore's signers: which headers to sign is not chosen, the list came with the request."""

    def headers_to_sign(self, request):
        return request.headers


class Signer(AsSent, SigV4Auth):
    """All services but S3."""


class S3Signer(AsSent, S3SigV4Auth):
    """S3 takes the path as it is."""


def parse(request):
    """The Scope of a request; Refused when there is none or it cannot be read."""
    text = request.header("authorization")
    if text is None:
        raise Refused("missing", "MissingAuthenticationTokenException", "Missing Authentication Token")
    algorithm, _, rest = text.partition(" ")
    if algorithm != "AWS4-HMAC-SHA256":
        raise Refused("signature", "IncompleteSignatureException", "Unsupported AWS 'algorithm'")
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    for name in ("Credential", "Signature", "SignedHeaders"):
        if not fields.get(name):
            raise Refused("signature", "IncompleteSignatureException",
                          f"Authorization header requires '{name}' parameter.")
    words = fields["Credential"].split("/")
    if len(words) != 5 or words[4] != "aws4_request":
        raise Refused("signature", "IncompleteSignatureException",
                      "Credential must have exactly 5 slash-delimited elements, e.g. "
                      f"keyid/date/region/service/term, got '{fields['Credential']}'")
    return Scope(words[0], words[1], words[2], words[3], fields["SignedHeaders"].split(";"), fields["Signature"])


def check(request, scope, key, now, window, json_protocol):
    """Raise Refused unless AWS would take the signature. `key` is the Key of the request or None."""
    if key is None or not key.active:
        raise Refused("credentials", "UnrecognizedClientException", BAD_TOKEN, f"unknown access key {scope.key}")
    _check_token(request, key)
    stamp = _check_time(request, scope, now, window)
    _check_signed_headers(request, scope, json_protocol)
    _check_payload(request, scope)
    _check_signature(request, scope, key, stamp)
    if key.expires is not None and now >= key.expires:
        raise Refused("credentials", "ExpiredTokenException", EXPIRED)


def _check_token(request, key):
    token = request.header("x-amz-security-token")
    if token != key.token:
        what = "sent without" if token is None else "sent with an unknown"
        if key.token is None:
            what = "of a user sent with a"
        raise Refused("credentials", "UnrecognizedClientException", BAD_TOKEN, f"access key {key.id} {what} token")


def _check_time(request, scope, now, window):
    stamp = request.header("x-amz-date")
    if stamp is None or not re.fullmatch(r"\d{8}T\d{6}Z", stamp):
        raise Refused("signature", "IncompleteSignatureException",
                      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if scope.date != stamp[:8]:
        raise Refused("signature", "InvalidSignatureException",
                      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                      f"'{scope.date}' != '{stamp[:8]}', from '{stamp}'.")
    when = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
    minutes = f"{window / 60:g} min."
    if when < now - window:
        raise Refused("skew", "InvalidSignatureException",
                      f"Signature expired: {stamp} is now earlier than {_stamp(now - window)} "
                      f"({_stamp(now)} - {minutes})")
    if when > now + window:
        raise Refused("skew", "InvalidSignatureException",
                      f"Signature not yet current: {stamp} is still later than {_stamp(now + window)} "
                      f"({_stamp(now)} + {minutes})")
    return stamp


def _stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y%m%dT%H%M%SZ")


def _check_signed_headers(request, scope, json_protocol):
    """host, content-type when sent, and every x-amz-* header must be signed; the list is lower case and sorted."""
    present = {name.lower() for name, _ in request.headers}
    if scope.signed != sorted(set(scope.signed)) or any(name != name.lower() for name in scope.signed):
        raise Refused("signature", "InvalidSignatureException", MISMATCH, "SignedHeaders is not sorted lower case")
    absent = [name for name in scope.signed if name not in present]
    if absent:
        raise Refused("signature", "InvalidSignatureException", MISMATCH, f"signed but not sent: {', '.join(absent)}")
    if "host" not in scope.signed:
        raise Refused("signature", "InvalidSignatureException",
                      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    needed = {name for name in present if name.startswith("x-amz-") or name == "content-type"}
    if scope.service == "s3":
        needed |= {"x-amz-content-sha256"}
    if json_protocol:
        needed |= {"x-amz-target", "content-type"}
    unsigned = sorted(needed - set(scope.signed))
    if unsigned:
        raise Refused("signature", "InvalidSignatureException", MISMATCH, f"not signed: {', '.join(unsigned)}")


def _check_payload(request, scope):
    stated = request.header("x-amz-content-sha256")
    if stated is None or (stated == "UNSIGNED-PAYLOAD" and scope.service == "s3"):
        return
    if stated != hashlib.sha256(request.body).hexdigest():
        raise Refused("signature", "InvalidSignatureException", MISMATCH,
                      "x-amz-content-sha256 is not the hash of the body")


def _check_signature(request, scope, key, stamp):
    headers = HTTPHeaders()
    for name, value in request.headers:
        if name.lower() in scope.signed:
            headers[name.lower()] = value       # a repeated name is added, not replaced
    url = f"http://{request.header('host')}{request.raw_path}" + (f"?{request.query}" if request.query else "")
    copy = AWSRequest(method=request.method, url=url, headers=headers, data=request.body)
    copy.context["timestamp"] = stamp
    kind = S3Signer if scope.service == "s3" else Signer
    signer = kind(Credentials(key.id, key.secret, key.token), scope.service, scope.region)
    canonical = signer.canonical_request(copy)
    to_sign = signer.string_to_sign(copy, canonical)
    if signer.signature(to_sign, copy) != scope.signature:
        shown = canonical.replace(key.token, "(token)") if key.token else canonical
        raise Refused("signature", "InvalidSignatureException",
                      f"{MISMATCH}\n\nThe Canonical String for this request should have been\n'{canonical}'\n\n"
                      f"The String-to-Sign should have been\n'{to_sign}'\n",
                      f"expected canonical request:\n{shown}")
