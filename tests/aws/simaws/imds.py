# SPDX-License-Identifier: Apache-2.0
"""EC2 instance metadata, version 2 only: a token first, then everything else with it."""

import json
import random
import time

from . import history
from .http import Response

PREFIX = "/latest/"
MAX_TTL = 21600
_TEXT = [("Content-Type", "text/plain"), ("Server", "EC2ws")]
PLACES = {      # path -> operation name for faults and the log
    "/latest/api/token": "GetToken",
    "/latest/meta-data/iam/security-credentials/": "ListRoles",
    "/latest/meta-data/iam/security-credentials": "ListRoles",
    "/latest/meta-data/placement/region": "GetRegion",
    "/latest/meta-data/instance-id": "GetInstanceId",
    "/latest/dynamic/instance-identity/document": "GetDocument",
}


class Instance:
    """What the instance is: set by the control interface or a scenario."""

    def __init__(self, state, account, role=None, region="eu-central-1", instance_id="i-0123456789abcdef0",
                 lifetime=21600, renew_before=300, enabled=True, code="Success"):
        self.state = state
        self.account = account
        self.role = role                    # name of a role of the account; None: no instance profile
        self.region = region
        self.instance_id = instance_id
        self.lifetime = lifetime            # seconds that issued credentials are good for
        self.renew_before = renew_before    # new ones are given out so many seconds before the old ones end
        self.enabled = enabled
        self.code = code                    # other than Success: the answer has no keys
        self.tokens = {}                    # token -> monotonic end
        self.key = None
        self.issued = 0
        self.unauthenticated = 0            # GETs without a token

    def credentials(self):
        now = self.state.now()
        if self.key is None or self.key.expires - now <= self.renew_before:
            role = next(role for role in self.state.roles.values()
                        if role.account == self.account and role.name == self.role)
            self.key = self.state.open_session(role, self.instance_id, self.lifetime, delivery="2.0")
            self.issued += 1
        return self.key


class Call:
    """The same face to faults and log as call.Call, for requests that are not signed."""

    service = "imds"

    def __init__(self, state, request):
        self.state = state
        self.request = request
        self.now = state.now()
        self.id = ""
        self.account, self.region, self.operation = self.identify()
        self.access_key = ""
        self.user_agent = request.header("user-agent", "")

    def identify(self):
        """(account, region, operation)"""
        path, instance = self.request.path, self.state.imds
        operation = PLACES.get(path, "GetCredentials" if "/security-credentials/" in path else "Get")
        return (instance.account, instance.region, operation) if instance else ("", "", operation)

    def denied_text(self, _why):
        return ""

    def serve(self):
        """The answer; called with the state locked."""
        return serve(self)

    @staticmethod
    def error(status):
        return error(status)

    def fault_values(self, name):
        return [self.request.path if name == "path" else str(getattr(self, name, ""))]

    def error_code(self, error):
        return error.code, error.status or 500

    def log_entry(self):
        return {
            **self.request.log_entry(), "id": "", "service": self.service, "operation": self.operation,
            "region": self.region, "account": self.account,
            "principal": "", "access_key": "", "user_agent": self.user_agent, "sdk_request": None, "params": {},
        }


def error(status):
    return Response(status, [("Content-Type", "text/html"), ("Server", "EC2ws")],
                    f"<?xml version=\"1.0\"?><html><head><title>{status}</title></head></html>\n".encode())


def text(body):
    return Response(200, _TEXT, body.encode())


def serve(call):
    """Called with the state locked."""
    instance, request = call.state.imds, call.request
    if instance is None:
        return error(404)
    if not instance.enabled:
        return error(403)
    if request.path == "/latest/api/token":
        return _token(instance, request)
    if request.method != "GET":
        return error(405)
    token = request.header("x-aws-ec2-metadata-token")
    if token is None:
        instance.unauthenticated += 1
        call.state.fail("imdsv1", f"GET {request.path} without a token", user_agent=call.user_agent)
        return error(401)
    if instance.tokens.get(token, 0) <= time.monotonic():
        return error(401)
    return _get(call, instance, request.path)


def _token(instance, request):
    if request.method != "PUT":
        return error(405)
    if request.header("x-forwarded-for") is not None:
        return error(403)
    ttl = request.header("x-aws-ec2-metadata-token-ttl-seconds", "")
    if not ttl.isdigit() or not 1 <= int(ttl) <= MAX_TTL:
        return error(400)
    token = "AQAEA" + "".join(random.choices("abcdefghijkmnopqrstuvwxyzABCDEFGH0123456789_-", k=47)) + "=="
    instance.tokens[token] = time.monotonic() + int(ttl)
    response = text(token)
    response.headers.append(("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", ttl))
    return response


def _get(call, instance, path):
    operation = call.operation
    if operation == "GetRegion":
        return text(instance.region)
    if operation == "GetInstanceId":
        return text(instance.instance_id)
    if operation == "GetDocument":
        return text(json.dumps({"accountId": instance.account, "architecture": "x86_64", "region": instance.region,
                                "instanceId": instance.instance_id, "availabilityZone": f"{instance.region}a",
                                "version": "2017-09-30"}, indent=2))
    if instance.role is None or operation == "Get":
        return error(404)
    if operation == "ListRoles":
        return text(instance.role)
    if path.rpartition("/")[2] != instance.role:
        return error(404)
    if instance.code != "Success":
        return text(json.dumps({"Code": instance.code, "Message": "The role cannot be assumed by EC2.",
                                "LastUpdated": history.iso(call.now)}))
    key = instance.credentials()
    return text(json.dumps({"Code": "Success", "LastUpdated": history.iso(key.principal.issued), "Type": "AWS-HMAC",
                            "AccessKeyId": key.id, "SecretAccessKey": key.secret, "Token": key.token,
                            "Expiration": history.iso(key.expires)}, indent=2))
