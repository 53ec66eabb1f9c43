# SPDX-License-Identifier: Apache-2.0
"""CloudTrail's operations. Each is a function of (call, params) that returns the answer or raises AwsError; IAM decides
before anything is looked up, as at AWS."""

import base64
import json

from . import history, s3, selectors, shapes, trails
from .errors import AwsError
from .trails import find_to_read, find_to_write

NAME = "cloudtrail"
NOT_RECORDED = ()
UNSCOPED = {"DescribeTrails", "ListTrails", "LookupEvents", "ListPublicKeys"}


def subject(params):
    """The trail that a request is about, as typed."""
    for name in ("Name", "TrailName", "ResourceId"):
        if isinstance(params.get(name), str):
            return {"trail": params[name]}
    for name in ("trailNameList", "ResourceIdList"):
        if isinstance(params.get(name), list) and params[name]:
            return {"trail": str(params[name][0])}
    return {}


def resource(call, params):
    """(action, resource) that IAM decides on."""
    action = f"cloudtrail:{call.operation}"
    trail = subject(params).get("trail")
    if call.operation in UNSCOPED or trail is None:
        return action, "*"
    return action, trail if trail.startswith("arn:") else trails.arn_of(call.account, call.region, trail)


def event_resources(params, result):
    """(type, name) pairs of a record, as typed by the caller and, for writes of settings, as AWS resolved it."""
    names = []
    trail = subject(params).get("trail")
    if trail:
        names.append(("AWS::CloudTrail::Trail", trail))
    arn = (result or {}).get("TrailARN")
    if arn and arn != trail:
        names.append(("AWS::CloudTrail::Trail", arn))
    if params.get("S3BucketName"):
        names.append(("AWS::S3::Bucket", params["S3BucketName"]))
    return names


def _authorize(call, params):
    action, arn = resource(call, params)
    if arn != "*":
        arn = trails.full_arn(call, subject(params)["trail"])
    call.authorize(action, arn)


def _pass_role(call, wanted):
    """Who hands a role to CloudTrail needs iam:PassRole on it."""
    if wanted.get("CloudWatchLogsRoleArn"):
        call.authorize("iam:PassRole", wanted["CloudWatchLogsRoleArn"],
                       context={"iam:passedtoservice": "cloudtrail.amazonaws.com"})


def _look_into_organization(call, wanted):
    """Who makes a trail the organization's needs rights there, which CloudTrail uses (CloudTrail user guide, "Prepare for
    creating a trail for your organization")."""
    if not wanted.get("IsOrganizationTrail"):
        return
    role = f"arn:aws:iam::{call.principal.account}:role/aws-service-role/cloudtrail.amazonaws.com/AWSServiceRoleForCloudTrail"
    try:
        for action in ("DescribeOrganization", "ListAWSServiceAccessForOrganization", "ListAccounts"):
            call.authorize(f"organizations:{action}", "*")
        for action in ("GetRole", "CreateServiceLinkedRole"):
            call.authorize(f"iam:{action}", role)
    except AwsError as error:
        raise AwsError("InsufficientDependencyServiceAccessPermissionException",
                       "AWS CloudTrail cannot create resources for your organization because access to one or more required "
                       "APIs has been denied.") from error


# -- reading ---------------------------------------------------------------------------------------------------------
def describe_trails(call, params):
    _authorize(call, params)
    state, account, region = call.state, call.principal.account, call.region
    wanted = params.get("trailNameList") or []
    shadows = params.get("includeShadowTrails", True)
    found = []
    if wanted:
        for name in wanted:
            trail = state.trails.get(trails.full_arn(call, name))
            if trail is not None and trails.visible(state, trail, account):
                found.append(trail)
    else:
        for trail in state.trails.values():
            own_here = trail.account == account and trail.region == region
            if own_here or (shadows and trails.present(state, trail, account, region)):
                found.append(trail)
    return {"trailList": [trails.description(state, trail) for trail in found]}


def get_trail(call, params):
    _authorize(call, params)
    return {"Trail": trails.description(call.state, find_to_read(call, params["Name"]))}


def get_trail_status(call, params):
    _authorize(call, params)
    return trails.status(call.state, find_to_read(call, params["Name"]))


def list_trails(call, params):
    """All trails that the account sees, whatever their region, in pages of `page_size` (default 100)."""
    _authorize(call, params)
    mine = [trail for trail in call.state.trails.values() if trails.visible(call.state, trail, call.principal.account)]
    page, token = _page(mine, params.get("NextToken"), call.state.settings.get("page_size", 100))
    entries = [{"TrailARN": trail.arn, "Name": trail.name, "HomeRegion": trail.region} for trail in page]
    return {"Trails": entries, **token}


def _page(items, token, size, scope="list"):
    """One page and {"NextToken": ...} when there is more. A token is only good for the request it came from."""
    start = 0
    if token is not None:
        try:
            start, of = json.loads(base64.b64decode(token, validate=True))
        except (ValueError, TypeError):
            raise AwsError("InvalidNextTokenException", "Invalid NextToken.") from None
        if of != scope:
            raise AwsError("InvalidNextTokenException", "Invalid NextToken.")
    rest = items[start + size:]
    following = {"NextToken": base64.b64encode(json.dumps([start + size, scope]).encode()).decode()} if rest else {}
    return items[start:start + size], following


# -- writing ---------------------------------------------------------------------------------------------------------
def start_logging(call, params):
    _authorize(call, params)
    trails.set_logging(call.state, find_to_write(call, params["Name"]), True)
    return {}


def stop_logging(call, params):
    _authorize(call, params)
    trails.set_logging(call.state, find_to_write(call, params["Name"]), False)
    return {}


def delete_trail(call, params):
    _authorize(call, params)
    trail = find_to_write(call, params["Name"])
    s3.keep(call.state, trail.settings.get("S3BucketName", ""))
    del call.state.trails[trail.arn]
    return {}


def update_trail(call, params):
    _authorize(call, params)
    trail = find_to_write(call, params["Name"])
    wanted = trails.changes(call, params)
    _pass_role(call, wanted)
    _look_into_organization(call, wanted)
    multi = wanted.get("IsMultiRegionTrail")
    if multi is not None and multi != trail.multi_region:
        wanted.setdefault("IncludeGlobalServiceEvents", multi)      # follows by itself (CloudTrail user guide)
    settings = {**trail.settings, **wanted}
    trails.check_settings(call, trail.arn, settings, wanted)
    s3.keep(call.state, trail.settings.get("S3BucketName", ""))
    trail.settings = settings
    return trails.answer(call.state, trail)


def create_trail(call, params):
    trails.check_name(params["Name"])
    _authorize(call, params)
    state, account, region, name = call.state, call.principal.account, call.region, params["Name"]
    wanted = trails.changes(call, params)
    if params.get("TagsList"):
        call.authorize("cloudtrail:AddTags", trails.arn_of(account, region, name))
    _pass_role(call, wanted)
    _look_into_organization(call, wanted)
    settings = {**trails.FLAGS, **wanted}
    owner = account
    if settings["IsOrganizationTrail"] and (org := state.organization_of(account)):
        owner = org.management
    trails.check_settings(call, trails.arn_of(owner, region, name), settings, wanted)
    if trails.arn_of(owner, region, name) in state.trails:
        raise AwsError("TrailAlreadyExistsException", f"Trail {name} already exists for customer: {owner}")
    if trails.count_in_region(state, owner, region) >= trails.LIMIT:
        raise AwsError("MaximumNumberOfTrailsExceededException",
                       f"User: {owner} already has {trails.LIMIT} trails in {region}.")
    tags = _tags(params.get("TagsList", []))
    trail = trails.create(state, owner, region, name, settings, tags=tags)
    return trails.answer(state, trail)


# -- selectors -------------------------------------------------------------------------------------------------------
def _with_tomorrow(call, place, items):
    return [{**call.state.settings["tomorrow"].get(place, {}), **item} for item in items]


def _selectors(call, trail):
    """The kind that is set, never both."""
    name, items = ("AdvancedEventSelectors", trail.advanced) if trail.advanced is not None else \
        ("EventSelectors", trail.selectors or trails.DEFAULT_SELECTORS)
    return {"TrailARN": trail.arn, name: _with_tomorrow(call, name, items)}


def get_event_selectors(call, params):
    _authorize(call, params)
    return _selectors(call, find_to_read(call, params["TrailName"]))


def put_event_selectors(call, params):
    _authorize(call, params)
    trail = find_to_write(call, params["TrailName"])
    if call.state.settings["refuse_tomorrow"] and shapes.without_tomorrow(params) != params:
        raise AwsError("InvalidEventSelectorsException", "The event selectors are not valid.")
    basic, advanced = selectors.check(params)
    trail.selectors, trail.advanced = basic, advanced
    return _selectors(call, trail)


def get_insight_selectors(call, params):
    _authorize(call, params)
    trail = find_to_read(call, params["TrailName"])
    if not trail.insights:
        raise AwsError("InsightNotEnabledException",
                       f"Trail {trail.arn} does not have Insights enabled. Edit the trail settings to enable "
                       "Insights, and then try the operation again.")
    return {"TrailARN": trail.arn, "InsightSelectors": _with_tomorrow(call, "InsightSelectors", trail.insights)}


def put_insight_selectors(call, params):
    _authorize(call, params)
    trail = find_to_write(call, params["TrailName"])
    for selector in params["InsightSelectors"]:
        if "InsightType" not in selector:
            raise AwsError("InvalidInsightSelectorsException", "An Insights selector needs an InsightType.")
    trail.insights = params["InsightSelectors"]
    return {"TrailARN": trail.arn, "InsightSelectors": trail.insights}


def _configuration(call, trail):
    return {"TrailARN": trail.arn, "MaxEventSize": "Standard", "ContextKeySelectors": [], "AggregationConfigurations": [],
            **call.state.settings["tomorrow"].get("EventConfiguration", {}), **trail.configuration}


def _configured_trail(call, params, find):
    """AWS documents that it may refuse, not to whom: members of an organization get the code of the reference."""
    trail = find(call, params["TrailName"])
    if trail.configuration is None:
        raise AwsError("UnsupportedOperationException", "This operation is not supported.")
    if trail.account != call.principal.account:
        raise AwsError("OperationNotPermittedException", "The requested operation is not permitted.")
    return trail


def get_event_configuration(call, params):
    _authorize(call, params)
    return _configuration(call, _configured_trail(call, params, find_to_read))


def put_event_configuration(call, params):
    """Members that are not sent stay."""
    _authorize(call, params)
    trail = _configured_trail(call, params, find_to_write)
    whole = {**_configuration(call, trail), **params}
    if whole["ContextKeySelectors"] and whole["MaxEventSize"] != "Large":
        raise AwsError("InvalidParameterCombinationException", "ContextKeySelectors need a MaxEventSize of Large.")
    trail.configuration = {name: whole[name] for name in ("MaxEventSize", "ContextKeySelectors", "AggregationConfigurations")
                           if whole[name] not in ("Standard", [])}
    trail.configuration.update({name: value for name, value in params.items() if shapes.is_of_tomorrow(name)})
    return _configuration(call, trail)


# -- tags ------------------------------------------------------------------------------------------------------------
def _tags(tags_list):
    if len(tags_list) > 50:
        raise AwsError("TagsLimitExceededException", "A trail can have at most 50 tags.")
    return {tag["Key"]: tag.get("Value", "") for tag in tags_list}


def _administers(call, account):
    """Is it the account that owns the trails of the organization whose delegated administrator calls?"""
    org = call.state.organization_of(call.principal.account)
    return org is not None and account == org.management and call.principal.account in org.delegated


def _tagged_trail(call, arn):
    """Tag operations take only the ARN, only in the home region and only in the owner's account."""
    region, account, _ = trails.parse_arn(arn)
    if account != call.principal.account and not _administers(call, account):
        raise AwsError("CloudTrailARNInvalidException", "AccountID in ARN is wrong, you can only access resources with "
                       f"AccountID {call.principal.account}.")
    if region != call.region:
        raise AwsError("CloudTrailARNInvalidException",
                       f"Region in ARN is wrong, you can only access resources in region {call.region}.")
    trail = call.state.trails.get(arn)
    if trail is None:
        raise AwsError("ResourceNotFoundException", f"Resource {arn} cannot be found.")
    return trail


def add_tags(call, params):
    _authorize(call, params)
    trail = _tagged_trail(call, params["ResourceId"])
    tags = {**trail.tags, **_tags(params["TagsList"])}
    if len(tags) > 50:
        raise AwsError("TagsLimitExceededException", "A trail can have at most 50 tags.")
    trail.tags = tags
    return {}


def remove_tags(call, params):
    _authorize(call, params)
    trail = _tagged_trail(call, params["ResourceId"])
    for name in _tags(params["TagsList"]):
        trail.tags.pop(name, None)
    return {}


def list_tags(call, params):
    if len(params["ResourceIdList"]) > 20:
        raise AwsError("InvalidParameterException", "At most 20 resources can be listed at once.")
    for arn in params["ResourceIdList"]:
        call.authorize("cloudtrail:ListTags", arn)
    found = [_tagged_trail(call, arn) for arn in params["ResourceIdList"]]
    return {"ResourceTagList": [{"ResourceId": trail.arn, "TagsList": [{"Key": key, **({"Value": value} if value else {})}
                                 for key, value in trail.tags.items()]} for trail in found]}


# -- delegated administrators ------------------------------------------------------------------------------------------
def deregister_delegated_admin(call, params):
    """The same as DeregisterDelegatedAdministrator of Organizations, by another door."""
    call.authorize("cloudtrail:DeregisterOrganizationDelegatedAdmin", "*")
    org = call.state.organization_of(call.principal.account)
    if org is None:
        raise AwsError("OrganizationsNotInUseException", "Your account is not a member of an organization.")
    if call.principal.account != org.management:
        raise AwsError("NotOrganizationManagementAccountException", "Only the management account may do this.")
    if params["DelegatedAdminAccountId"] not in org.delegated:
        raise AwsError("AccountNotRegisteredException", "The account is not registered as the CloudTrail delegated administrator.")
    org.delegated.remove(params["DelegatedAdminAccountId"])
    return {}


# -- event history ---------------------------------------------------------------------------------------------------
def lookup_events(call, params):
    _authorize(call, params)
    attributes = params.get("LookupAttributes", [])
    if len(attributes) > 1:
        raise AwsError("InvalidLookupAttributesException", "You can specify only one lookup attribute.")
    size = params.get("MaxResults", 50)
    if not 1 <= size <= 50:
        raise AwsError("InvalidMaxResultsException", "MaxResults must be between 1 and 50.")
    start, end = params.get("StartTime"), params.get("EndTime")
    if start is not None and end is not None and start > end:
        raise AwsError("InvalidTimeRangeException", "StartTime must not be after EndTime.")
    if params.get("EventCategory") == "insight":
        return {"Events": []}
    key = attributes[0]["AttributeKey"] if attributes else None
    value = attributes[0]["AttributeValue"] if attributes else None
    found = history.search(call.state, call.principal.account, call.region, key, value, start, end)
    same = json.dumps([key, value, start, end, size])       # a token is good only with the same other members
    page, token = _page(found, params.get("NextToken"), size, same)
    return {"Events": page, **token}


OPERATIONS = {
    "AddTags": add_tags, "CreateTrail": create_trail, "DeleteTrail": delete_trail,
    "DeregisterOrganizationDelegatedAdmin": deregister_delegated_admin, "DescribeTrails": describe_trails,
    "GetEventConfiguration": get_event_configuration, "GetEventSelectors": get_event_selectors, "GetInsightSelectors": get_insight_selectors, "GetTrail": get_trail,
    "GetTrailStatus": get_trail_status, "ListTags": list_tags, "ListTrails": list_trails,
    "LookupEvents": lookup_events, "PutEventConfiguration": put_event_configuration,
    "PutEventSelectors": put_event_selectors,
    "PutInsightSelectors": put_insight_selectors, "RemoveTags": remove_tags, "StartLogging": start_logging,
    "StopLogging": stop_logging, "UpdateTrail": update_trail,
}
