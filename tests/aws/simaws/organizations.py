# SPDX-License-Identifier: Apache-2.0
"""Organizations: who belongs to it. One end point a partition; only the management account and delegated administrators
may list."""

import base64
import uuid

from . import history
from .errors import AwsError

NAME = "organizations"
NOT_RECORDED = ()
HOME = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}
CREATED = 1577836800.0
STATUS = {"ACTIVE": "ACTIVE", "SUSPENDED": "SUSPENDED", "PENDING_CLOSURE": "PENDING_CLOSURE", "CLOSED": "SUSPENDED"}


def resource(call, _params):
    return f"organizations:{call.operation}", "*"


def _organization(call):
    org = call.state.organization_of(call.principal.account)
    if call.region != HOME[call.principal.partition]:
        raise AwsError("UnrecognizedClientException", "The security token included in the request is invalid.")
    call.authorize(f"organizations:{call.operation}", "*")
    if org is None:
        raise AwsError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    return org


def _arn(org, call, tail):
    return f"arn:{call.principal.partition}:organizations::{org.management}:{tail}"


def describe_organization(call, _params):
    """Open to every member."""
    org = _organization(call)
    return {"Organization": {
        "Id": org.id, "Arn": _arn(org, call, f"organization/{org.id}"), "FeatureSet": "ALL",
        "MasterAccountArn": _arn(org, call, f"account/{org.id}/{org.management}"), "MasterAccountId": org.management,
        "MasterAccountEmail": call.state.account(org.management).email or f"aws+{org.management}@example.org",
        "AvailablePolicyTypes": []}}


def list_accounts(call, params):
    """In pages of MaxResults (at most 20); with the setting `empty_page` the first page is empty but has a token, as it
    may be at AWS."""
    org = _organization(call)
    if not call.state.may_manage_org_trails(call.principal.account):
        raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")
    everyone = [org.management, *org.members]
    start = _position(params.get("NextToken"))
    if start is None:
        start = 0
        if call.state.settings.get("empty_page"):
            return {"Accounts": [], "NextToken": _token(0)}
    size = params.get("MaxResults", 20)
    page = [_entry(call, org, account) for account in everyone[start:start + size]]
    more = {"NextToken": _token(start + size)} if start + size < len(everyone) else {}
    return {"Accounts": page, **more}


def _token(position):
    return base64.b64encode(f"accounts:{position}".encode()).decode()


def _position(token):
    if token is None:
        return None
    try:
        name, position = base64.b64decode(token, validate=True).decode().split(":")
        if name == "accounts":
            return int(position)
    except ValueError:
        pass
    raise AwsError("InvalidInputException", "You provided an invalid token.")


def _entry(call, org, number):
    account = call.state.account(number)
    entry = {"Id": number, "Arn": _arn(org, call, f"account/{org.id}/{number}"), "Name": account.alias or f"account {number}",
             "Email": account.email or f"aws+{number}@example.org", "State": account.state,
             "JoinedMethod": "CREATED", "JoinedTimestamp": CREATED}
    if account.state in STATUS:
        entry["Status"] = STATUS[account.state]
    return entry


def _depart(call, org, number, method):
    """Takes a member out. AWS records that by itself, beside the call, in the history of the management account alone."""
    org.members.remove(number)
    org.delegated = [account for account in org.delegated if account != number]
    history.add(call.state, org.management, call.region, {
        "eventVersion": "1.11", "userIdentity": {"accountId": org.management, "invokedBy": f"{NAME}.amazonaws.com"},
        "eventTime": history.iso(call.state.now()), "eventSource": f"{NAME}.amazonaws.com",
        "eventName": "AccountDepartedOrganization", "awsRegion": call.region, "sourceIPAddress": f"{NAME}.amazonaws.com",
        "userAgent": f"{NAME}.amazonaws.com", "requestParameters": None, "responseElements": None,
        "eventID": str(uuid.uuid4()), "readOnly": False, "eventType": "AwsServiceEvent", "managementEvent": True,
        "recipientAccountId": org.management, "eventCategory": "Management",
        "serviceEventDetails": {"accountId": number, "managementAccountId": org.management, "departureMethod": method,
                                "departureTime": history.iso(call.state.now())}})


def _as_management(call):
    org = _organization(call)
    if call.principal.account != org.management:
        raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")
    return org


def _managed(call, number):
    """The organization, for a call of its management account about a member."""
    org = _as_management(call)
    if number not in org.members:
        raise AwsError("AccountNotFoundException", "You specified an account that doesn't exist.")
    return org


def remove_account(call, params):
    _depart(call, _managed(call, params["AccountId"]), params["AccountId"], "REMOVED")
    return {}


def close_account(call, params):
    """It stays a member, suspended, for 90 days."""
    _managed(call, params["AccountId"])
    call.state.account(params["AccountId"]).state = "PENDING_CLOSURE"
    return {}


def _leave(call):
    org = _organization(call)
    if call.principal.account == org.management:
        raise AwsError("MasterCannotLeaveOrganizationException", "The management account cannot leave the organization.")
    _depart(call, org, call.principal.account, "LEFT")


def leave_organization(call, _params):
    _leave(call)
    return {}


def accept_handshake(call, params):
    """An invitation by another organization, which a member may accept without leaving first."""
    _leave(call)
    return {"Handshake": {"Id": params["HandshakeId"], "State": "ACCEPTED", "Action": "INVITE"}}


def disable_service_access(call, params):
    """Without CloudTrail's trusted access organization trails become trails of the management account alone."""
    org = _as_management(call)
    if params["ServicePrincipal"] == "cloudtrail.amazonaws.com":
        org.trusted_access = False
        for trail in call.state.trails.values():
            trail.settings["IsOrganizationTrail"] = trail.settings["IsOrganizationTrail"] and trail.account != org.management
    return {}


def deregister_delegated_administrator(call, params):
    org = _as_management(call)
    if params["ServicePrincipal"] != "cloudtrail.amazonaws.com" or params["AccountId"] not in org.delegated:
        raise AwsError("AccountNotRegisteredException", "The specified account is not a delegated administrator for this AWS service.")
    org.delegated.remove(params["AccountId"])
    return {}


def move_account(call, params):
    """The service control policies of another place apply to it then."""
    _managed(call, params["AccountId"])
    account = call.state.account(params["AccountId"])
    if params["SourceParentId"] != account.parent:
        raise AwsError("SourceParentNotFoundException", "We can't find a source root or OU with the ParentId that you specified.")
    if params["DestinationParentId"] != "r-root" and params["DestinationParentId"] not in call.state.units:
        raise AwsError("DestinationParentNotFoundException", "We can't find the destination container (a root or OU) with the "
                       "ParentId that you specified.")
    account.parent = params["DestinationParentId"]
    return {}


OPERATIONS = {
    "AcceptHandshake": accept_handshake, "CloseAccount": close_account,
    "DeregisterDelegatedAdministrator": deregister_delegated_administrator, "DescribeOrganization": describe_organization,
    "DisableAWSServiceAccess": disable_service_access, "LeaveOrganization": leave_organization,
    "ListAccounts": list_accounts, "MoveAccount": move_account, "RemoveAccountFromOrganization": remove_account,
}
