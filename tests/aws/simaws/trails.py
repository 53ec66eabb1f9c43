# SPDX-License-Identifier: Apache-2.0
"""Trails: their names and ARNs, who sees which where, how their settings are checked, and what their status says.
Error texts that were seen in real answers are given as such; where none was found the text is our own."""

import re

from . import destinations, kms
from .errors import AwsError
from .history import iso
from .regions import partition_of
from .shapes import is_of_tomorrow
from .state import Trail

FLAGS = {"IncludeGlobalServiceEvents": True, "IsMultiRegionTrail": False, "LogFileValidationEnabled": False,
         "IsOrganizationTrail": False, "RecursiveLogging": True}
TEXTS = ("S3BucketName", "S3KeyPrefix", "SnsTopicARN", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn", "KmsKeyId")
LIMIT = 5       # trails a region, shadows included
DEFAULT_SELECTORS = [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [],
                      "ExcludeManagementEventSources": []}]


# -- names and ARNs --------------------------------------------------------------------------------------------------
def arn_of(account, region, name):
    return f"arn:{partition_of(region)}:cloudtrail:{region}:{account}:trail/{name}"


def check_name(name):
    def refuse(text):
        raise AwsError("InvalidTrailNameException", text)
    if not name:
        refuse("Trail name or ARN can not be blank.")
    if len(name) < 3:
        refuse(f"Trail name too short. Minimum allowed length: 3 characters. Specified name length: {len(name)} characters.")
    if len(name) > 128:
        refuse(f"Trail name too long. Maximum allowed length: 128 characters. Specified name length: {len(name)} characters.")
    if not name[0].isalnum():
        refuse("Trail name must starts with a letter or number.")
    if not name[-1].isalnum():
        refuse("Trail name must ends with a letter or number.")
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        refuse("Trail name or ARN can contain only uppercase letters, lowercase letters, numbers, periods (.), "
               "hyphens (-), and underscores (_).")
    if re.search(r"[._-]{2}", name) or re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name):
        refuse(f"Trail name {name} is not valid.")


def parse_arn(arn):
    """(region, account, name) of a trail ARN."""
    match = re.fullmatch(r"arn:(aws[a-z-]*):cloudtrail:([a-z0-9-]+):(\d{12}):trail/(.+)", arn)
    if not match or match[1] != partition_of(match[2]):
        raise AwsError("CloudTrailARNInvalidException", f"{arn} is not a valid ARN.")
    return match[2], match[3], match[4]


def full_arn(call, name_or_arn):
    """The ARN that a caller means: what IAM decides on, before anything is looked up."""
    if name_or_arn.startswith("arn:"):
        parse_arn(name_or_arn)
        return name_or_arn
    check_name(name_or_arn)
    return arn_of(call.principal.account, call.region, name_or_arn)


# -- who sees what ---------------------------------------------------------------------------------------------------
def visible(state, trail, account):
    """Own trails, and the organization's trails in every member account."""
    if trail.account == account:
        return True
    return trail.organization and state.is_member(account) and trail.account == state.organization_of(account).management


def present(state, trail, account, region):
    """In the home region, and for a multi-region trail (its shadows) in every other enabled one."""
    return visible(state, trail, account) and (trail.region == region or trail.multi_region) \
        and region in state.account(account).regions


def unknown(call, arn):
    return AwsError("TrailNotFoundException", f"Unknown trail: {arn} for the user: {call.principal.account}")


def find_to_read(call, name_or_arn):
    """By name only a trail of this account homed here; by ARN also a shadow or an organization trail."""
    arn = full_arn(call, name_or_arn)
    trail = call.state.trails.get(arn)
    if trail is None or not present(call.state, trail, call.principal.account, call.region):
        raise unknown(call, arn)
    return trail


def find_to_write(call, name_or_arn):
    """Only the owner (or a delegated administrator of the organization), and only in the home region."""
    arn = full_arn(call, name_or_arn)
    trail, account = call.state.trails.get(arn), call.principal.account
    if trail is None or not visible(call.state, trail, account):
        raise unknown(call, arn)
    if trail.account != account and not call.state.may_manage_org_trails(account):
        raise foreign_write(call, trail)
    if trail.region != call.region:
        raise AwsError("InvalidHomeRegionException",
                       f"The trail {trail.name} was created in {trail.region}; call this operation from there.")
    return trail


def foreign_write(call, trail):
    """A member account that writes to its organization's trail. AWS documents only that it may not; which error
    comes is not documented, so an account can be told to give the other one."""
    if call.state.account(call.principal.account).org_write_error == "NotOrganizationMasterAccountException":
        return AwsError("NotOrganizationMasterAccountException",
                        "You cannot configure or manage trails for an organization because this action requires being "
                        "signed in with the management account.")
    return AwsError("AccessDeniedException", "Access Denied: You do not have permission to operate on this resource")


# -- settings --------------------------------------------------------------------------------------------------------
def description(state, trail):
    """The Trail shape. Strings appear only when configured."""
    result = {"Name": trail.name, "TrailARN": trail.arn, "HomeRegion": trail.region,
              "HasCustomEventSelectors": has_custom_selectors(trail), "HasInsightSelectors": bool(trail.insights)}
    result.update({name: trail.settings[name] for name in FLAGS if trail.settings[name] is not None})
    result.update({name: trail.settings[name] for name in TEXTS if trail.settings.get(name)})
    result.update(state.settings["tomorrow"].get("Trail", {}))
    result.update({name: value for name, value in trail.settings.items() if is_of_tomorrow(name)})
    if "SnsTopicARN" in result:
        result["SnsTopicName"] = result["SnsTopicARN"]      # retired, but AWS still sends it
    return result


def answer(state, trail):
    """What CreateTrail and UpdateTrail return: the settings without the three members about the trail as a whole."""
    result = description(state, trail)
    for name in ("HomeRegion", "HasCustomEventSelectors", "HasInsightSelectors"):
        del result[name]
    return result


def has_custom_selectors(trail):
    if trail.advanced is not None:
        return True
    return trail.selectors is not None and trail.selectors != DEFAULT_SELECTORS


def changes(call, params):
    """The settings that a CreateTrail or UpdateTrail asks for, in the names of the Trail shape."""
    wanted = {}
    for name, value in params.items():
        if name == "EnableLogFileValidation":
            wanted["LogFileValidationEnabled"] = value
        elif name == "SnsTopicName":
            wanted["SnsTopicARN"] = _topic_arn(call, value)
        elif name == "KmsKeyId":
            wanted["KmsKeyId"] = _kms_arn(call, value)
        elif name in FLAGS or name in TEXTS:
            wanted[name] = value
    return wanted


def _topic_arn(call, topic):
    if not topic or topic.startswith("arn:"):
        return topic
    return f"arn:{partition_of(call.region)}:sns:{call.region}:{call.principal.account}:{topic}"


def _kms_arn(call, key):
    if not key or key.startswith("arn:"):
        return key
    kind = key if key.startswith("alias/") else f"key/{key}"
    return f"arn:{partition_of(call.region)}:kms:{call.region}:{call.principal.account}:{kind}"


def check_settings(call, arn, settings, wanted):
    """`settings` as they would be; only what was asked for (`wanted`) is looked up elsewhere."""
    state = call.state
    if settings["IsMultiRegionTrail"] and not settings["IncludeGlobalServiceEvents"]:
        raise AwsError("InvalidParameterCombinationException", "Multi-Region trail must include global service events.")
    if wanted.get("IsOrganizationTrail"):
        _check_organization(call)
    if "S3BucketName" in wanted or "S3KeyPrefix" in wanted:
        _check_bucket(state, arn, settings)
    planned = Trail(*_parts(arn), arn, settings)
    if wanted.get("SnsTopicARN"):
        topic = state.topics.get(wanted["SnsTopicARN"])
        if (state.topics and topic is None) or destinations.topic_trouble(state, planned):
            raise AwsError("InsufficientSnsTopicPolicyException",
                           "SNS Topic does not exist or the topic policy is incorrect!")
    for table, name in ((state.kms_keys, "KmsKeyId"), (state.log_groups, "CloudWatchLogsLogGroupArn")):
        code = table.get(wanted.get(name))
        if code:
            raise AwsError(code, f"{wanted[name]} cannot be used.")
    if wanted.get("KmsKeyId"):
        _check_key(state, wanted["KmsKeyId"], planned)
    if wanted.get("CloudWatchLogsLogGroupArn"):
        _check_log_group(state, settings)
    if bool(settings.get("CloudWatchLogsLogGroupArn")) != bool(settings.get("CloudWatchLogsRoleArn")):
        raise AwsError("InvalidParameterCombinationException",
                       "You must specify both CloudWatchLogsLogGroupArn and CloudWatchLogsRoleArn.")


def _check_organization(call):
    org, account = call.state.organization_of(call.principal.account), call.principal.account
    if org is None:
        raise AwsError("OrganizationsNotInUseException", "Your account is not a member of an organization.")
    if not call.state.may_manage_org_trails(account):
        raise AwsError("NotOrganizationMasterAccountException",
                       "You cannot configure or manage trails for an organization because this action requires being "
                       "signed in with the management account.")
    if not org.trusted_access:
        raise AwsError("CloudTrailAccessNotEnabledException",
                       "Trusted access between AWS CloudTrail and AWS Organizations is not enabled.")


def _parts(arn):
    region, account, name = parse_arn(arn)
    return account, region, name


def _check_log_group(state, settings):
    """The texts are what AWS's console and tools show."""
    group, role = settings["CloudWatchLogsLogGroupArn"], settings.get("CloudWatchLogsRoleArn", "")
    if group.removesuffix(":*") in state.gone:
        raise AwsError("InvalidCloudWatchLogsLogGroupArnException", "CloudTrail cannot validate the specified log group ARN.")
    found = destinations.role_trouble(state, role, group)
    if found == "trust":
        raise AwsError("InvalidCloudWatchLogsRoleArnException", "Access denied. Check the trust relationships for your role.")
    if found:
        raise AwsError("InvalidCloudWatchLogsLogGroupArnException", "Access denied. Check the permissions for your role.")


def _check_key(state, arn, planned):
    """The codes of the API reference; texts are our own."""
    found = kms.condition(state, arn)
    if found is None:
        raise AwsError("KmsKeyNotFoundException", f"The KMS key {arn} does not exist.")
    if found != "Enabled":
        raise AwsError("KmsException", f"The KMS key {arn} cannot be used: its state is {found}.")
    if not destinations.key_admits(state, arn, planned):
        raise AwsError("InsufficientEncryptionPolicyException", "Insufficient permissions to access S3 bucket "
                       f"{planned.settings.get('S3BucketName')} or KMS key {arn}.")


def _check_bucket(state, arn, settings):
    name = settings.get("S3BucketName", "")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
        raise AwsError("InvalidS3BucketNameException", f"Bucket name {name} is invalid!")
    if len(settings.get("S3KeyPrefix") or "") > 200:
        raise AwsError("InvalidS3PrefixException", "S3 key prefix must not be longer than 200 characters.")
    bucket = state.buckets.get(name, {})
    if bucket.get("missing"):
        raise AwsError("S3BucketDoesNotExistException", f"S3 bucket {name} does not exist!")
    wanted = Trail(*_parts(arn), arn, settings)
    if destinations.is_closed(bucket, name, wanted):
        raise AwsError("InsufficientS3BucketPolicyException", f"Incorrect S3 bucket policy is detected for bucket: {name}")


def create(state, account, region, name, settings, **fields):
    """A new trail object in the state; settings in the names of the Trail shape."""
    unknown_names = {name for name in set(settings) - set(FLAGS) - set(TEXTS) if not is_of_tomorrow(name)}
    if unknown_names:
        raise ValueError(f"not a setting of a trail: {', '.join(sorted(unknown_names))}")
    trail = Trail(account, region, name, arn_of(account, region, name), {**FLAGS, **settings}, **fields)
    state.trails[trail.arn] = trail
    return trail


def count_in_region(state, account, region):
    return sum(present(state, trail, account, region) for trail in state.trails.values())


# -- logging and deliveries ------------------------------------------------------------------------------------------
def set_logging(state, trail, on):
    """StartLogging on a trail that logs, and StopLogging on one that does not, change nothing."""
    if trail.logging == on:
        return
    now = state.now()
    trail.delivered, trail.digested = deliveries(state, trail, now)
    trail.logging = on
    if on:
        trail.started = now
    else:
        trail.stopped = now


def deliveries(state, trail, now):
    """(newest log delivery, newest digest delivery) as of now; None when there was none. While a trail logs, one
    comes every interval counted from the start, unless the deliveries were stopped."""
    if not trail.logging or trail.started is None:
        return trail.delivered, trail.digested
    until = min(now, trail.delivery_stopped) if trail.delivery_stopped is not None else now

    def newest(interval, before):
        worked, _ = destinations.attempts(trail, interval, until)
        return before if worked is None else max(worked, before or 0)

    digest = trail.digested
    if trail.settings["LogFileValidationEnabled"]:
        digest = newest(state.settings["digest_interval"], trail.digested)
    return newest(state.settings["delivery_interval"], trail.delivered), digest


def _delivery_errors(state, trail):
    """What the newest attempts met."""
    if not trail.logging or trail.started is None:
        return {}
    kinds = [(name, name, "delivery_interval") for name in (destinations.BUCKET, destinations.TOPIC, destinations.GROUP)]
    if trail.settings["LogFileValidationEnabled"]:
        kinds.append((destinations.DIGEST, destinations.BUCKET, "digest_interval"))
    found = {name: destinations.attempts(trail, state.settings[interval], state.now(), member)[1] for name, member, interval in kinds}
    return {name: code for name, code in found.items() if code}


def status(state, trail):
    """GetTrailStatus, with the retired strings that AWS still sends: empty while deliveries fail, and then the error stands
    beside the time of the newest one that worked (seen in public)."""
    delivered, digested = deliveries(state, trail, state.now())
    failing = {**_delivery_errors(state, trail), **trail.errors}.get("LatestDeliveryError")
    shown = iso(delivered) if delivered and not failing else ""
    result = {
        "IsLogging": trail.logging, "StartLoggingTime": trail.started, "StopLoggingTime": trail.stopped,
        "LatestDeliveryTime": delivered, "LatestDigestDeliveryTime": digested,
        "LatestDeliveryAttemptTime": shown, "LatestNotificationAttemptTime": "",
        "LatestNotificationAttemptSucceeded": "", "LatestDeliveryAttemptSucceeded": shown,
        "TimeLoggingStarted": iso(trail.started) if trail.started else "",
        "TimeLoggingStopped": iso(trail.stopped) if trail.stopped else "",
    }
    if trail.settings.get("SnsTopicARN"):
        result["LatestNotificationTime"] = delivered
    if trail.settings.get("CloudWatchLogsLogGroupArn"):
        result["LatestCloudWatchLogsDeliveryTime"] = delivered
    result.update(_delivery_errors(state, trail))
    result.update(trail.errors)
    result.update(trail.status)
    return {name: value for name, value in result.items() if value is not None}
