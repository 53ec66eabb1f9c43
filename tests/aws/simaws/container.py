# SPDX-License-Identifier: Apache-2.0
"""The credentials endpoint of ECS tasks and EKS Pod Identity: one GET, guarded by an Authorization header."""

import json

from . import history, imds
from .http import Response

PREFIX = "/container/"
PATH = "/container/credentials"


class Task:
    """What the endpoint gives out; `token` is the Authorization header that it wants, None wants none."""

    def __init__(self, state, account, role, token=None, lifetime=21600, renew_before=300):
        self.state = state
        self.account = account
        self.role = role
        self.token = token
        self.lifetime = lifetime
        self.renew_before = renew_before
        self.key = None
        self.issued = 0

    def credentials(self):
        if self.key is None or self.key.expires - self.state.now() <= self.renew_before:
            role = next(role for role in self.state.roles.values()
                        if role.account == self.account and role.name == self.role)
            self.key = self.state.open_session(role, "task", self.lifetime)
            self.issued += 1
        return self.key


class Call(imds.Call):
    service = "container"

    def identify(self):
        task = self.state.container
        return task.account if task else "", "", "GetCredentials" if self.request.path == PATH else "Get"

    def serve(self):
        task = self.state.container
        if task is None or self.operation != "GetCredentials":
            return self.error(404)
        if self.request.method != "GET":
            return self.error(405)
        if task.token is not None and self.request.header("authorization") != task.token:
            return self.error(401)
        key = task.credentials()
        body = {"RoleArn": key.principal.issuer_arn, "AccessKeyId": key.id, "SecretAccessKey": key.secret,
                "Token": key.token, "Expiration": history.iso(key.expires)}
        return Response(200, [("Content-Type", "application/json")], json.dumps(body).encode())

    @staticmethod
    def error(status):
        body = json.dumps({"code": str(status), "message": "Request denied", "HttpErrorCode": status})
        return Response(status, [("Content-Type", "application/json")], body.encode())
