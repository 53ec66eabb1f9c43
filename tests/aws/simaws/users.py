# SPDX-License-Identifier: Apache-2.0
"""Policies that are put into users and roles, or attached to them: operations of iam_api.py. What decides is iam.py."""

import json
import urllib.parse

from . import iam
from .errors import AwsError

MANAGED_MAX, INLINE_MAX = 6144, {"user": 2048, "role": 10240}      # characters without white space


def _subject(params):
    return ("user", params["UserName"]) if "UserName" in params else ("role", params.get("RoleName", ""))


def _owner(call, kind, name):
    """The user or role of that name in the caller's account; its path is no part of the name."""
    mine = call.principal.account
    owners = call.state.users.values() if kind == "user" else call.state.roles.values()
    for owner in owners:
        if owner.account == mine and owner.name.rpartition("/")[2] == name:
            return owner
    raise AwsError("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404, exact=True)


def resource(call, params):
    """(action, resource) that IAM decides on."""
    if "PolicyArn" in params and call.operation == "DeletePolicy":
        return f"iam:{call.operation}", params["PolicyArn"]
    kind, name = _subject(params)
    try:
        return f"iam:{call.operation}", _owner(call, kind, name).arn
    except AwsError:
        return f"iam:{call.operation}", "*"


def _document(text, most):
    try:
        policy = json.loads(text)
        size = len(json.dumps(policy, separators=(",", ":")))
        statements = iam.statements(policy)
    except (ValueError, AttributeError, TypeError):
        raise AwsError("MalformedPolicyDocument", "Syntax errors in policy.") from None
    if size > most:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for PolicySize: {most}", 409, exact=True)
    return statements


def _allowed(call, params):
    """The policies of the user or role, after IAM had its say."""
    call.authorize(*resource(call, params))
    return call.state.judge.attached.setdefault(_owner(call, *_subject(params)).arn, {})


def _managed(call, arn):
    if arn not in call.state.policies:
        raise AwsError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404, exact=True)
    return call.state.policies[arn]


def _put(call, params):
    kind, _ = _subject(params)
    policies = _allowed(call, params)
    policies[params["PolicyName"]] = _document(params["PolicyDocument"], INLINE_MAX[kind])
    call.state.documents[_owner(call, *_subject(params)).arn, params["PolicyName"]] = params["PolicyDocument"]
    return {}


def _get(call, params):
    kind, name = _subject(params)
    if params["PolicyName"] not in _allowed(call, params):
        raise AwsError("NoSuchEntity", f"The {kind} policy with name {params['PolicyName']} cannot be found.", 404, exact=True)
    document = call.state.documents[_owner(call, kind, name).arn, params["PolicyName"]]
    return {"UserName" if kind == "user" else "RoleName": name, "PolicyName": params["PolicyName"],
            "PolicyDocument": urllib.parse.quote(document)}


def _attach(call, params):
    _allowed(call, params)[params["PolicyArn"]] = _managed(call, params["PolicyArn"])
    return {}


def _take(call, params):
    """Out of the user or role: the policy of that name or ARN."""
    if _allowed(call, params).pop(params.get("PolicyArn") or params["PolicyName"], None) is None:
        raise AwsError("NoSuchEntity", "The policy was not found.", 404, exact=True)
    return {}


def create_policy(call, params):
    arn = f"arn:{call.principal.partition}:iam::{call.principal.account}:policy{params.get('Path', '/')}{params['PolicyName']}"
    call.authorize("iam:CreatePolicy", arn)
    if arn in call.state.policies:
        raise AwsError("EntityAlreadyExists", f"A policy called {params['PolicyName']} already exists.", 409, exact=True)
    call.state.policies[arn] = _document(params["PolicyDocument"], MANAGED_MAX)
    return {"Policy": {"Arn": arn, "PolicyName": params["PolicyName"]}}


def delete_policy(call, params):
    call.authorize("iam:DeletePolicy", params["PolicyArn"])
    _managed(call, params["PolicyArn"])
    if any(params["PolicyArn"] in policies for policies in call.state.judge.attached.values()):
        raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.", 409, exact=True)
    del call.state.policies[params["PolicyArn"]]
    return {}


OPERATIONS = {"CreatePolicy": create_policy, "DeletePolicy": delete_policy,
              "PutUserPolicy": _put, "PutRolePolicy": _put, "DeleteUserPolicy": _take, "DeleteRolePolicy": _take,
              "GetUserPolicy": _get, "GetRolePolicy": _get,
              "AttachUserPolicy": _attach, "AttachRolePolicy": _attach,
              "DetachUserPolicy": _take, "DetachRolePolicy": _take}
