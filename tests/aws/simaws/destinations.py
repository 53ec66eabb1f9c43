# SPDX-License-Identifier: Apache-2.0
"""Whether what a trail writes can reach its bucket, its topic and its log group: the codes that the Latest...Error members
show, and since when.

CloudTrail finds out at its next delivery, not at once, and says what the service behind answered it. For the bucket:
NoSuchBucket when it is gone, AccessDenied when its policy lets CloudTrail no longer in, when it is a Requester Pays bucket
(CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail": it cannot be) or when the policy of the key keeps CloudTrail
from kms:GenerateDataKey; for a key that cannot be used the codes that S3's PutObject gives for SSE-KMS
(KMS.DisabledException and the like). For the topic NotFound and AuthorizationError, for the log group
ResourceNotFoundException and, when the trail's role may no longer be assumed or write, AccessDenied."""

from . import iam, kms, s3
from .iam import as_list

WRITER = "cloudtrail.amazonaws.com"
BUCKET, TOPIC, GROUP = "LatestDeliveryError", "LatestNotificationError", "LatestCloudWatchLogsDeliveryError"
DIGEST = "LatestDigestDeliveryError"
KMS_CODES = {"Disabled": "KMS.DisabledException", "PendingDeletion": "KMS.KMSInvalidStateException",
             "PendingImport": "KMS.KMSInvalidStateException", "Unavailable": "KMS.KMSInvalidStateException",
             None: "KMS.NotFoundException"}


# -- the bucket and its key --------------------------------------------------------------------------------------------
def trouble(state, trail, name, found):
    """What S3 would answer CloudTrail now about the bucket of that name; None when all is well."""
    if found is None:
        return "NoSuchBucket"
    if is_closed(state.buckets.get(name, {}), name, trail):
        return "AccessDenied"
    key = trail.settings.get("KmsKeyId")
    if key:
        condition = kms.condition(state, key)
        if condition != "Enabled":
            return KMS_CODES[condition]
        return None if key_admits(state, key, trail) else "AccessDenied"
    return None


def is_closed(described, name, trail):
    """Of what was described of a bucket: the policy that it has by itself is made for its trails."""
    return described.get("denied") or described.get("payer") == "Requester" or \
        ("policy" in described and not policy_admits(described["policy"], name, trail))


def policy_admits(policy, name, trail):
    """Does a bucket policy let CloudTrail write for this trail?"""
    prefix = trail.settings.get("S3KeyPrefix")
    place = f"arn:aws:s3:::{name}/{prefix + '/' if prefix else ''}AWSLogs/{trail.account}/file"
    key = trail.settings.get("KmsKeyId")
    return admits(policy, "s3:PutObject", place, trail, {
        "s3:x-amz-acl": "bucket-owner-full-control", "s3:x-amz-server-side-encryption": "aws:kms" if key else "AES256",
        **({"s3:x-amz-server-side-encryption-aws-kms-key-id": key} if key else {})})


def key_admits(state, arn, trail):
    """Does the key's policy let CloudTrail encrypt with it? One that nobody described does."""
    policy = state.kms.get(arn, {}).get("policy")
    return policy is None or admits(policy, "kms:GenerateDataKey", arn, trail,
                                    {"kms:encryptioncontext:aws:cloudtrail:arn": trail.arn})


def admits(policy, action, place, trail, more=None):
    """Does a resource's policy let CloudTrail do that for this trail? An Allow for the service, and no Deny alike."""
    context = {"aws:sourcearn": trail.arn, "aws:sourceaccount": trail.account, "aws:securetransport": "true",
               "aws:principalisawsservice": "true", **(more or {})}
    effects = {statement["Effect"] for statement in as_list((policy or {}).get("Statement", []))
               if _speaks_of(statement, action, place, context)}
    return effects == {"Allow"}


def _services(principal):
    return ["*"] if principal == "*" else as_list(principal.get("Service", principal.get("AWS", [])))


def _speaks_of(statement, action, place, context):
    """A condition that is not simulated counts as met."""
    if "NotPrincipal" in statement:
        if {"*", WRITER} & set(_services(statement["NotPrincipal"])):
            return False
    elif not {"*", WRITER} & set(_services(statement.get("Principal", {}))):
        return False
    judged = {operator: tests for operator, tests in statement.get("Condition", {}).items()
              if operator.removesuffix("IfExists") in iam.OPERATORS}
    resources = {name: [pattern.replace(":aws-cn:", ":aws:") for pattern in as_list(statement[name])]
                 for name in ("Resource", "NotResource") if name in statement} or {"Resource": []}
    what = {name: statement[name] for name in ("Action", "NotAction") if name in statement} or {"Action": []}
    return iam.matches({**what, **resources, "Condition": judged}, None, action, place, context)


# -- the topic -----------------------------------------------------------------------------------------------------------
def topic_trouble(state, trail):
    """A policy that a topic has by itself is made for its trails."""
    arn = trail.settings.get("SnsTopicARN")
    if not arn:
        return None
    if arn in state.gone:
        return "NotFound"
    topic = state.topics.get(arn)
    if topic is None or not topic.own_policy or admits({"Statement": topic.policy}, "SNS:Publish", arn, trail):
        return None
    return "AuthorizationError"


# -- the log group and the role that writes to it --------------------------------------------------------------------------
def group_trouble(state, trail):
    group = trail.settings.get("CloudWatchLogsLogGroupArn")
    if not group:
        return None
    if group.removesuffix(":*") in state.gone:
        return "ResourceNotFoundException"
    found = role_trouble(state, trail.settings.get("CloudWatchLogsRoleArn", ""), group)
    return "AccessDenied" if found else None


def role_trouble(state, arn, group):
    """"trust" or "permissions": what keeps CloudTrail from writing with this role. One that nobody described may."""
    role = state.roles.get(arn)
    if arn in state.gone:
        return "trust"
    if role is None:
        return ""
    if not any(statement["Effect"] == "Allow" and WRITER in _services(statement.get("Principal", {})) for statement in role.trust):
        return "trust"
    stream = f"{group.removesuffix('*').removesuffix(':')}:log-stream:stream"
    policies = [role.policy, *state.judge.attached.get(arn, {}).values()]
    boundary = state.judge.boundaries.get(arn)
    if boundary and _effects([boundary[1]], stream) != {"Allow"}:
        return "permissions"
    return "" if _effects(policies, stream) == {"Allow"} else "permissions"


def _effects(policies, stream):
    return {statement["Effect"] for policy in policies for statement in policy
            if iam.matches(statement, None, "logs:PutLogEvents", stream, {})}


# -- what that does to deliveries --------------------------------------------------------------------------------------------
def note(state):
    """Write down for each trail when its destinations went bad or good; called with the state locked after anything that may
    have changed one."""
    now, users = state.now(), {}
    for trail in state.trails.values():
        users.setdefault(trail.settings.get("S3BucketName", ""), []).append(trail)
    for name, trails in users.items():
        found = s3.bucket(state, name, trails)
        for trail in trails:
            for member, code in ((BUCKET, trouble(state, trail, name, found)), (TOPIC, topic_trouble(state, trail)),
                                 (GROUP, group_trouble(state, trail))):
                health = trail.health.setdefault(member, [])
                if code != (health[-1][1] if health else None):
                    health.append((now, code))


def attempts(trail, interval, until, member=BUCKET):
    """(newest delivery that worked, code of the newest attempt) for attempts at every interval from the start; the first
    is None when none worked yet, the second when the newest worked or there was none."""
    health = trail.health.get(member, [])
    ends = [time for time, _ in health] + [None]
    periods = [(start, end, code) for (start, code), end in zip([(trail.started, None), *health], ends)]
    newest_code = worked = None
    found = False
    for start, end, code in reversed(periods):
        limit = until if end is None or end > until else end
        rounds = int((limit - trail.started) // interval)
        if rounds < 1 or (newest := trail.started + rounds * interval) < max(start, trail.started):
            continue
        if not found:
            newest_code, found = code, True
        if code is None:
            worked = newest
            break
    return worked, newest_code
