# SPDX-License-Identifier: Apache-2.0
"""Policies that are put into users and roles, or attached to them: operations of iam_api.py. What decides is iam.py."""

import dataclasses
import json
import zlib
from urllib.parse import quote

from . import iam
from .errors import AwsError

MANAGED_MAX, INLINE_MAX = 6144, {"user": 2048, "role": 10240}      # characters without white space


# The name under which the policy of the scenario shows among the inline ones.
GIVEN = "scenario"
CREATED = 1700000000        # of keys


def document(statements):
    """A policy as IAM answers with it."""
    return quote(json.dumps({"Version": "2012-10-17", "Statement": statements}), safe="")


def boundary(call, arn):
    """The member of a user or role that has one."""
    own = call.state.judge.boundaries.get(arn)
    return {"PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": own[0]}} if own else {}


def _subject(params):
    return ("user", params["UserName"]) if "UserName" in params else ("role", params.get("RoleName", ""))


def _owner(call, kind, name):
    """The user or role of that name in the caller's account; its path is no part of the name."""
    mine = (call.principal or call.key.principal).account
    owners = call.state.users.values() if kind == "user" else call.state.roles.values()
    for owner in owners:
        if owner.account == mine and owner.name.rpartition("/")[2] == name:
            return owner
    raise AwsError("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404, exact=True)


def resource(call, params):
    """(action, resource) that IAM decides on."""
    if call.operation in ("DeletePolicy", "GetPolicy"):
        return f"iam:{call.operation}", params["PolicyArn"]
    kind, name = _subject(params)
    try:
        return f"iam:{call.operation}", _owner(call, kind, name).arn
    except AwsError:
        return f"iam:{call.operation}", "*"


def _size(policy):
    return len(json.dumps(policy, separators=(",", ":")))


def _document(text, most):
    try:
        policy = json.loads(text)
        size = _size(policy)
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
    """The quota is for all inline policies together."""
    kind, name = _subject(params)
    policies, owner = _allowed(call, params), _owner(call, kind, name).arn
    statements = _document(params["PolicyDocument"], INLINE_MAX[kind])
    texts = {key[1]: text for key, text in call.state.documents.items() if key[0] == owner and key[1] in policies}
    texts[params["PolicyName"]] = params["PolicyDocument"]
    if sum(_size(json.loads(text)) for text in texts.values()) > INLINE_MAX[kind]:
        raise AwsError("LimitExceeded", f"Maximum policy size of {INLINE_MAX[kind]} bytes exceeded for {kind} {name}", 409, exact=True)
    policies[params["PolicyName"]] = statements
    call.state.documents[owner, params["PolicyName"]] = params["PolicyDocument"]
    return {}


def _attach(call, params):
    _allowed(call, params)[params["PolicyArn"]] = _managed(call, params["PolicyArn"])
    return {}


def _give(state, arn, policy):
    """To the user or role and to the sessions that it has."""
    owners = [*state.users.values(), *state.roles.values(), *(key.principal for key in state.keys.values())]
    for owner in owners:
        if arn in (owner.arn, getattr(owner, "issuer_arn", None)):
            owner.policy = policy


def _take(call, params):
    """Out of the user or role: the policy of that name or ARN."""
    if params.get("PolicyName") == GIVEN and "PolicyArn" not in params:
        _allowed(call, params)
        _give(call.state, _owner(call, *_subject(params)).arn, [])
        return {}
    if _allowed(call, params).pop(params.get("PolicyArn") or params["PolicyName"], None) is None:
        raise AwsError("NoSuchEntity", "The policy was not found.", 404, exact=True)
    return {}


def _inline(call, params):
    """{name: statements}"""
    owner = _owner(call, *_subject(params))
    own = {name: policy for name, policy in call.state.judge.attached.get(owner.arn, {}).items() if not name.startswith("arn:")}
    return {**({GIVEN: owner.policy} if owner.policy else {}), **own}


def _list_attached(call, params):
    call.authorize(*resource(call, params))
    attached = call.state.judge.attached.get(_owner(call, *_subject(params)).arn, {})
    return {"AttachedPolicies": [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in attached
                                 if arn.startswith("arn:")], "IsTruncated": False}


def _list_inline(call, params):
    call.authorize(*resource(call, params))
    return {"PolicyNames": sorted(_inline(call, params)), "IsTruncated": False}


def _get_inline(call, params):
    call.authorize(*resource(call, params))
    kind, name = _subject(params)
    inline = _inline(call, params)
    if params["PolicyName"] not in inline:
        raise AwsError("NoSuchEntity", f"The {kind} policy with name {params['PolicyName']} cannot be found.", 404, exact=True)
    text = call.state.documents.get((_owner(call, kind, name).arn, params["PolicyName"]))
    return {"UserName" if kind == "user" else "RoleName": name, "PolicyName": params["PolicyName"],
            "PolicyDocument": quote(text, safe="") if text else document(inline[params["PolicyName"]])}


def get_user(call, params):
    call.authorize(*resource(call, params))
    user = _owner(call, "user", params["UserName"])
    return {"User": {"Path": "/", "UserName": params["UserName"], "UserId": user.user_id, "Arn": user.arn,
                     "CreateDate": CREATED, **boundary(call, user.arn)}}


def get_policy(call, params):
    call.authorize(*resource(call, params))
    arn = params["PolicyArn"]
    statements = _managed(call, arn)
    version = call.state.policy_versions.get(arn, 1)
    return {"Policy": {"PolicyName": arn.rpartition("/")[2], "PolicyId": f"ANPA{zlib.crc32(arn.encode()):016}", "Arn": arn,
                       "Path": "/", "DefaultVersionId": f"v{version}", "AttachmentCount": len(statements)}}


def create_policy_version(call, params):
    """The new one is in force at once, for whoever has the policy."""
    arn = params["PolicyArn"]
    call.authorize("iam:CreatePolicyVersion", arn)
    _managed(call, arn)
    statements = call.state.policies[arn] = _document(params["PolicyDocument"], MANAGED_MAX)
    for policies in call.state.judge.attached.values():
        if arn in policies:
            policies[arn] = statements
    version = call.state.policy_versions[arn] = call.state.policy_versions.get(arn, 1) + 1
    return {"PolicyVersion": {"VersionId": f"v{version}", "IsDefaultVersion": True}}


def put_boundary(call, params):
    call.authorize(*resource(call, params))
    owner = _owner(call, *_subject(params))
    call.state.judge.boundaries[owner.arn] = (params["PermissionsBoundary"], _managed(call, params["PermissionsBoundary"]))
    return {}


def delete_boundary(call, params):
    call.authorize(*resource(call, params))
    call.state.judge.boundaries.pop(_owner(call, *_subject(params)).arn, None)
    return {}


def update_trust(call, params):
    call.authorize(*resource(call, params))
    _owner(call, "role", params["RoleName"]).trust = _document(params["PolicyDocument"], 2048)
    return {}


def delete_role(call, params):
    """Only without policies, as at AWS."""
    call.authorize(*resource(call, params))
    owner = _owner(call, "role", params["RoleName"])
    if _inline(call, params) or call.state.judge.attached.get(owner.arn):
        raise AwsError("DeleteConflict", "Cannot delete entity, must delete policies first.", 409, exact=True)
    del call.state.roles[owner.arn]
    call.state.gone.add(owner.arn)
    return {}


# -- keys ------------------------------------------------------------------------------------------------------------
def _keys(call, params):
    owner = _owner(call, "user", params["UserName"])
    return [key for key in call.state.keys.values() if key.principal.arn == owner.arn and not key.token]


def list_keys(call, params):
    call.authorize(*resource(call, params))
    return {"AccessKeyMetadata": [{"UserName": params["UserName"], "AccessKeyId": key.id, "CreateDate": CREATED,
                                   "Status": "Active" if key.active else "Inactive"} for key in _keys(call, params)],
            "IsTruncated": False}


def create_key(call, params):
    call.authorize(*resource(call, params))
    if len(_keys(call, params)) >= 2:
        raise AwsError("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", 409, exact=True)
    owner = _owner(call, "user", params["UserName"])
    key = call.state.add_key(dataclasses.replace(owner), f"AKIA{len(call.state.keys):016}")
    return {"AccessKey": {"UserName": params["UserName"], "AccessKeyId": key.id, "Status": "Active",
                          "SecretAccessKey": key.secret, "CreateDate": CREATED}}


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
              "AttachUserPolicy": _attach, "AttachRolePolicy": _attach,
              "DetachUserPolicy": _take, "DetachRolePolicy": _take,
              "ListAttachedUserPolicies": _list_attached, "ListAttachedRolePolicies": _list_attached,
              "ListUserPolicies": _list_inline, "ListRolePolicies": _list_inline,
              "GetUserPolicy": _get_inline, "GetRolePolicy": _get_inline, "GetUser": get_user, "GetPolicy": get_policy,
              "CreatePolicyVersion": create_policy_version,
              "PutUserPermissionsBoundary": put_boundary, "PutRolePermissionsBoundary": put_boundary,
              "DeleteUserPermissionsBoundary": delete_boundary, "DeleteRolePermissionsBoundary": delete_boundary,
              "UpdateAssumeRolePolicy": update_trust, "DeleteRole": delete_role, "ListAccessKeys": list_keys, "CreateAccessKey": create_key}
