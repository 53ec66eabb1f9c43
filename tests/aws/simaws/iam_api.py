# SPDX-License-Identifier: Apache-2.0
"""IAM as far as the question goes what a user or role may do. One end point a partition, and one region."""

import dataclasses

from . import iam, users
from .errors import AwsError
from .state import Principal

NAME = "iam"
NOT_RECORDED = ()
HOME = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


def resource(call, params):
    """(action, resource) that IAM decides on: the user or role that is asked about."""
    if call.operation in users.OPERATIONS:
        return users.resource(call, params)
    arn = params.get("PolicySourceArn", "*")
    if call.operation == "GetRole":
        principal = call.principal or call.key.principal
        role = _role_by_name(call.state, principal.account, params.get("RoleName"))
        arn = role.arn if role else f"arn:{principal.partition}:iam::{principal.account}:role/{params.get('RoleName')}"
    return f"iam:{call.operation}", arn


def _role_by_name(state, account, name):
    return next((role for role in state.roles.values() if role.account == account and role.name == name), None)


def _begin(call, params):
    if call.region != HOME[call.principal.partition]:
        raise AwsError("InvalidSignatureException",
                       f"Credential should be scoped to a valid region, not '{call.region}'.", 403)
    call.authorize(*resource(call, params))


def get_role(call, params):
    _begin(call, params)
    role = _role_by_name(call.state, call.principal.account, params["RoleName"])
    if role is None:
        raise AwsError("NoSuchEntity", f"The role with name {params['RoleName']} cannot be found.", 404, exact=True)
    path = role.arn.partition(":role")[2].removesuffix(role.name)
    return {"Role": {"Path": path, "RoleName": role.name, "RoleId": role.id, "Arn": role.arn,
                     "CreateDate": int(call.state.now()), "AssumeRolePolicyDocument": users.document(role.trust),
                     **users.boundary(call, role.arn)}}


def _principal(call, arn):
    role = call.state.roles.get(arn)
    if role is not None:
        return Principal(account=role.account, kind="role", name=role.name, arn=role.arn, issuer_arn=role.arn,
                         user_id=role.id, policy=role.policy, partition=call.principal.partition)
    for user in call.state.users.values():
        if user.arn == arn and user.kind == "user":
            return dataclasses.replace(user)
    raise AwsError("NoSuchEntity", f"The principal {arn} cannot be found.", 404, exact=True)


def _evaluate(call, principal, action, arn, context):
    """A judge of its own: what is only asked about decides nothing."""
    judge = iam.Judge()
    judge.attached, judge.boundaries = call.state.judge.attached, call.state.judge.boundaries
    by_policies = judge.evaluate(principal, action, arn, context=context)
    denied = "explicitDeny" if "explicit deny" in by_policies.why else "implicitDeny"
    scp = call.state.scp_of(principal.account)
    member = call.state.is_member(principal.account)
    by_scp = not member or scp is None or judge.evaluate(principal, action, arn, scp=scp, context=context).allowed \
        or not judge.evaluate(principal, action, arn, context=context).allowed
    decision = "allowed" if by_policies.allowed and by_scp else denied
    result = {"EvalActionName": action, "EvalResourceName": arn, "EvalDecision": decision, "MatchedStatements": [],
              "MissingContextValues": []}
    if principal.issuer_arn in judge.boundaries:
        within = judge.within_boundary(principal, action, arn, {"aws:principalarn": principal.issuer_arn, **context})
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": within}
    if member:
        result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": by_scp}
    return result


def simulate_principal_policy(call, params):
    """Like AWS, it looks at the principal's policies and at service control policies, and at no session."""
    _begin(call, params)
    principal = _principal(call, params["PolicySourceArn"])
    context = {entry["ContextKeyName"].lower(): entry["ContextKeyValues"][0] for entry in params.get("ContextEntries", [])}
    results = [_evaluate(call, principal, action, arn, context)
               for action in params["ActionNames"] for arn in params.get("ResourceArns", ["*"])]
    size, start = params.get("MaxItems", 100), int(params.get("Marker", 0))
    end = start + size
    more = {"Marker": str(end)} if end < len(results) else {}
    return {"EvaluationResults": results[start:end], "IsTruncated": bool(more), **more}


def event_resources(params, _result):
    kinds = (("AWS::IAM::Role", "RoleName"), ("AWS::IAM::User", "UserName"), ("AWS::IAM::Policy", "PolicyArn"))
    return [(kind, params[name]) for kind, name in kinds if params.get(name)]


OPERATIONS = {"GetRole": get_role, "SimulatePrincipalPolicy": simulate_principal_policy, **users.OPERATIONS}
