# SPDX-License-Identifier: Apache-2.0
"""STS: who am I, and sessions of roles."""

import json

from . import iam
from .errors import AwsError

NAME = "sts"
NOT_RECORDED = ("AssumeRoleWithWebIdentity",)
UNSIGNED = ("AssumeRoleWithWebIdentity",)
CHAIN_LIMIT = 3600


def resource(call, params):
    return f"sts:{call.operation}", params.get("RoleArn", "*")


def loggable(params):
    """Parameters for the request log: without the bearer token."""
    return {name: "(token)" if name == "WebIdentityToken" else value for name, value in params.items()}


def get_caller_identity(call, _params):
    """Needs no permission, and cannot be denied."""
    return {"Arn": call.principal.arn, "UserId": call.principal.user_id, "Account": call.principal.account}


def assume_role(call, params):
    """A missing role, an unfitting trust policy and a wrong external id all look alike, as at AWS. Only an explicit deny is
    named."""
    state, caller, arn = call.state, call.principal, params["RoleArn"]
    role = state.roles.get(arn)
    context = {"sts:rolesessionname": params["RoleSessionName"]}
    if "ExternalId" in params:
        context["sts:externalid"] = params["ExternalId"]
    decision = state.judge.evaluate(
        caller, "sts:AssumeRole", arn, scp=state.scp_of(caller.account), context=context,
        resource_policy=[{"Resource": "*", **statement} for statement in role.trust] if role else None,
        owner=role.account if role else "nobody", resource_must_allow=True)
    if role is None or not decision.allowed:
        why = f" {decision.why}" if decision.why.startswith("with an explicit deny") else ""
        raise AwsError("AccessDenied", f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: "
                       f"{arn}{why}", 403)
    seconds = params.get("DurationSeconds", 3600)
    if caller.kind == "role" and seconds > CHAIN_LIMIT:
        raise AwsError("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles "
                       "assumed by role chaining")
    key = _open(call, role, params, seconds)
    answer = _session(key)
    if "Policy" in params:
        answer["PackedPolicySize"] = min(100, 1 + len(params["Policy"]) * 100 // 2048)
    return answer


def _open(call, role, params, seconds):
    if seconds > role.max_session:
        raise AwsError("ValidationError",
                       "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    return call.state.open_session(role, params["RoleSessionName"],
                                   call.state.settings.get("session_seconds", seconds), _session_policy(params))


def _session(key):
    return {"Credentials": {"AccessKeyId": key.id, "SecretAccessKey": key.secret, "SessionToken": key.token,
                            "Expiration": key.expires},
            "AssumedRoleUser": {"AssumedRoleId": key.principal.user_id, "Arn": key.principal.arn}}


def assume_role_with_web_identity(call, params):
    """Not signed: the token is the proof, compared byte by byte. Tokens are made known by the control interface."""
    token = call.state.web_tokens.get(params["WebIdentityToken"])
    if token is None:
        raise AwsError("InvalidIdentityToken", "The provided token is not valid.")
    if token["expired"]:
        raise AwsError("ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time",
                       exact=True)
    role = call.state.roles.get(params["RoleArn"])
    if role is None or token["role"] != role.arn:
        raise AwsError("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403)
    key = _open(call, role, params, params.get("DurationSeconds", 3600))
    return {**_session(key), "SubjectFromWebIdentityToken": token["subject"], "Provider": token["provider"],
            "Audience": "sts.amazonaws.com"}


def _session_policy(params):
    if "Policy" not in params:
        return None
    try:
        return iam.statements(json.loads(params["Policy"]))
    except (ValueError, AttributeError, TypeError):
        raise AwsError("MalformedPolicyDocument", "Syntax errors in policy.") from None


OPERATIONS = {"AssumeRole": assume_role, "AssumeRoleWithWebIdentity": assume_role_with_web_identity,
              "GetCallerIdentity": get_caller_identity}
