# SPDX-License-Identifier: Apache-2.0
"""One call to a simulated service: who asks, for what, where, and what the service may ask about it."""

import uuid

from . import auth, errors, iam, shapes
from .errors import AwsError

API_SERVICES = {}       # signing name -> service module; filled by app
REST_JSON = ("account",)        # the operation is in the path


class Call:
    """Built before anything is checked, so that faults and the log see also what will be refused."""

    def __init__(self, state, request):
        self.state = state
        self.request = request
        self.id = str(uuid.uuid4())
        self.principal = None
        self.key = None
        self.scope = None
        self.refused = None         # auth.Refused of the Authorization header itself
        self.service = ""
        self.operation = ""
        self.region = ""
        self.raw = {}               # parameters as far as they could be read
        self.unreadable = None      # text of why the parameters could not be read
        self.now = state.now()
        try:
            self.scope = auth.parse(request)
            self.region, self.service = self.scope.region, self.scope.service
            self.key = state.keys.get(self.scope.key)
        except auth.Refused as refused:
            self.refused = refused
        self.target = request.header("x-amz-target")
        self.protocol = "json" if self.target is not None else "rest-json" if self.service in REST_JSON else "query"
        if not self.service:
            self._guess_service()
        self._read()
        self.module = API_SERVICES.get(self.service)

    def _guess_service(self):
        """Who would have answered a request without a signature."""
        if self.target is None:
            self.service, self.region = "sts" if b"Version=2011-06-15" in self.request.body else "sns", "us-east-1"
            return
        for name in API_SERVICES:
            if shapes.protocol(name) == "json" and self.target.rpartition(".")[0] in shapes.target_prefixes(name):
                self.service = name

    def _read(self):
        try:
            if self.protocol == "json":
                self.operation = self.target.rpartition(".")[2]
                self.raw = shapes.parse_json(self.request.body)
            elif self.protocol == "rest-json":
                self.operation = shapes.operation_of_path(self.service, self.request.path)
                self.raw = shapes.parse_json(self.request.body)
            else:
                self.raw = shapes.parse_form(self.request.body)
                self.operation = self.raw.get("Action", "")
        except shapes.ShapeError as error:
            self.unreadable = str(error)

    # -- what faults and the log look at -------------------------------------------------------------------------
    @property
    def account(self):
        return self.key.principal.account if self.key else ""

    @property
    def access_key(self):
        return self.scope.key if self.scope else ""

    @property
    def user_agent(self):
        return self.request.header("user-agent", "")

    def subject(self):
        """{"trail": ..., "topic": ...} as the caller typed it."""
        return self.module.subject(self.raw) if self.module and hasattr(self.module, "subject") else {}

    def fault_values(self, name):
        """What a fault's selector is compared with; a trail goes by ARN or by name."""
        if name in ("trail", "topic"):
            value = self.subject().get(name, "")
            return [value, value.rpartition("/" if name == "trail" else ":")[2]]
        return [self.request.path if name == "path" else str(getattr(self, name, ""))]

    # -- what services use ---------------------------------------------------------------------------------------
    def authorize(self, action, resource, **extra):
        """Raise AccessDeniedException unless IAM allows it."""
        context = {"aws:requestedregion": self.region, **extra.pop("context", {})}
        decision = self.state.judge.evaluate(self.principal, action, resource, scp=self.state.scp_of(self.principal.account),
                                             context=context, **extra)
        if not decision.allowed:
            raise AwsError("AccessDeniedException", iam.denied_text(self.principal, action, resource, decision.why))

    def denied_text(self, why):
        """AWS's AccessDenied text for this call, for a fault of kind denied."""
        action, resource = self.module.resource(self, self.raw)
        return iam.denied_text(self.key.principal, action, resource, why.format(action=action, resource=resource))

    def loggable(self):
        """The parameters, without what a service calls a secret."""
        if self.unreadable:
            return {}
        return self.module.loggable(self.raw) if hasattr(self.module, "loggable") else self.raw

    def log_entry(self):
        return {
            **self.request.log_entry(), "id": self.id, "service": self.service, "operation": self.operation,
            "region": self.region, "account": self.account,
            "principal": self.key.principal.arn if self.key else "", "access_key": self.access_key,
            "user_agent": self.user_agent, "sdk_request": self.request.header("amz-sdk-request"),
            "params": self.loggable(),
            **{name: value for name, value in self.subject().items() if value},
        }

    def error_code(self, error):
        return errors.wire_code(error, self.protocol, self.service)
