# SPDX-License-Identifier: Apache-2.0
"""AWS errors as values, and the way each protocol writes them on the wire."""

import json
from xml.sax.saxutils import escape

# Where the Query protocol calls a common error by another name than the JSON protocol: JSON -> (Query, status).
QUERY_NAMES = {
    "UnrecognizedClientException": ("InvalidClientTokenId", 403),
    "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
    "IncompleteSignatureException": ("IncompleteSignature", 400),
    "ExpiredTokenException": ("ExpiredToken", 403),
    "AccessDeniedException": ("AccessDenied", 403),
    "ThrottlingException": ("Throttling", 400),
    "UnknownOperationException": ("InvalidAction", 400),
    "SerializationException": ("MalformedInput", 400),
    "ValidationException": ("ValidationError", 400),
    "InternalFailure": ("InternalFailure", 500),
}
# The same for one service only.
SERVICE_NAMES = {("sns", "AccessDenied"): "AuthorizationError"}
# CloudTrail's statuses that are not 400, as its model has them since 2026 (@aws-sdk/client-cloudtrail 3.1137.0); before that
# they were 400 all. Nothing may depend on them.
CLOUDTRAIL_STATUSES = {
    "AccessDeniedException": 403, "ConflictException": 409, "InsufficientS3BucketPolicyException": 403,
    "InsufficientSnsTopicPolicyException": 403, "MaximumNumberOfTrailsExceededException": 403,
    "NoManagementAccountSLRExistsException": 403, "NotOrganizationManagementAccountException": 403,
    "OrganizationsNotInUseException": 404, "S3BucketDoesNotExistException": 404, "ThrottlingException": 429,
    "TrailNotFoundException": 404,
}
# Those of Account Management, and its own word for throttling (@aws-sdk/client-account 3.1169.0).
ACCOUNT_STATUSES = {"AccessDeniedException": 403, "TooManyRequestsException": 429}
# In the JSON protocol CloudTrail writes its own exceptions with "Message"; the front end that checks keys and
# rates, shared by all services, writes "message" (both seen in captured answers).
FRONT_END = {
    "UnrecognizedClientException", "InvalidSignatureException", "MissingAuthenticationTokenException",
    "IncompleteSignatureException", "ExpiredTokenException", "ThrottlingException", "ValidationException",
}


class AwsError(Exception):
    """An error that AWS would answer with. `code` is the JSON protocol's name where the two differ, unless it is given as
    `exact`."""

    def __init__(self, code, message, status=None, exact=False):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.exact = exact


def wire_code(error, protocol, service):
    """(code, HTTP status) of an error in the protocol of the service that answers."""
    code, status = error.code, 500 if error.code == "InternalFailure" else 400
    if service == "cloudtrail":
        status = CLOUDTRAIL_STATUSES.get(code, status)
    if service == "account":
        code = "TooManyRequestsException" if code == "ThrottlingException" else code
        status = ACCOUNT_STATUSES.get(code, status)
    if protocol == "query" and not error.exact:
        code, status = QUERY_NAMES.get(code, (code, 400))
        code = SERVICE_NAMES.get((service, code), code)
    return code, error.status or status


TYPE_FORMS = {
    "plain": "{code}",
    "namespace": "com.amazonaws.{service}.v20131101#{code}",
    "suffix": "{code}:http://internal.amazon.com/coral/com.amazon.coral.availability/",
    "both": "com.amazonaws.{service}.v20131101#{code}:http://internal.amazon.com/coral/com.amazon.coral/",
}


def json_body(code, message, service, type_form="plain", message_key=None):
    """The body of a JSON error; `type_form` "header" leaves __type out (it then travels in a header)."""
    key = message_key or ("message" if code in FRONT_END or service in ("account", "kms") else "Message")
    body = {}
    if type_form != "header":
        body["__type"] = TYPE_FORMS[type_form].format(code=code, service=service)
    body[key] = message
    return json.dumps(body).encode()


def query_body(code, message, status, namespace, request_id):
    kind = "Receiver" if status >= 500 else "Sender"
    return (f'<ErrorResponse xmlns="{namespace}">\n  <Error>\n    <Type>{kind}</Type>\n    <Code>{escape(code)}</Code>\n'
            f"    <Message>{escape(message)}</Message>\n  </Error>\n  <RequestId>{request_id}</RequestId>\n"
            "</ErrorResponse>\n").encode()
