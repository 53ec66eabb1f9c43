# SPDX-License-Identifier: Apache-2.0
"""Whether what a trail writes can reach its bucket: the codes that LatestDeliveryError shows, and since when.

CloudTrail finds out at its next delivery, not at once, and says what S3 answered it: NoSuchBucket when the bucket is gone,
AccessDenied when its policy lets CloudTrail no longer in, and for a key that cannot be used the codes that S3's PutObject
gives for SSE-KMS (KMS.DisabledException and the like)."""

from . import kms, s3
from .iam import as_list, glob

WRITER = "cloudtrail.amazonaws.com"
KMS_CODES = {"Disabled": "KMS.DisabledException", "PendingDeletion": "KMS.KMSInvalidStateException",
             "PendingImport": "KMS.KMSInvalidStateException", "Unavailable": "KMS.KMSInvalidStateException",
             None: "KMS.NotFoundException"}


def trouble(state, trail, name, found):
    """What S3 would answer CloudTrail now about the bucket of that name; None when all is well."""
    if found is None:
        return "NoSuchBucket"
    # the policy that a bucket has by itself is made for its trails
    own = "policy" in state.buckets.get(name, {})
    if found.get("denied") or (own and not policy_admits(found["policy"], name, trail)):
        return "AccessDenied"
    key = trail.settings.get("KmsKeyId")
    if key:
        condition = kms.condition(state, key)
        return None if condition == "Enabled" else KMS_CODES[condition]
    return None


def policy_admits(policy, name, trail):
    """Does a bucket policy let CloudTrail write for this trail? An Allow for the service on the trail's place, whose
    aws:SourceArn (if it has one) names the trail, and no Deny alike."""
    prefix = trail.settings.get("S3KeyPrefix")
    place = f"arn:aws:s3:::{name}/{prefix + '/' if prefix else ''}AWSLogs/{trail.account}/file"
    effects = {statement["Effect"] for statement in as_list((policy or {}).get("Statement", []))
               if _speaks_of(statement, place, trail)}
    return effects == {"Allow"}


def _speaks_of(statement, place, trail):
    principal = statement.get("Principal", {})
    services = ["*"] if principal == "*" else as_list(principal.get("Service", principal.get("AWS", [])))
    if not {"*", WRITER} & set(services):
        return False
    if not any(glob(pattern, "s3:PutObject", fold=True) for pattern in as_list(statement.get("Action", []))):
        return False
    if not any(glob(pattern.replace(":aws-cn:", ":aws:"), place) for pattern in as_list(statement.get("Resource", []))):
        return False
    for tests in statement.get("Condition", {}).values():
        wanted = {key.lower(): patterns for key, patterns in tests.items()}.get("aws:sourcearn")
        if wanted is not None and not any(glob(pattern, trail.arn) for pattern in as_list(wanted)):
            return False
    return True


def note(state):
    """Write down for each trail when its destination went bad or good; called with the state locked after anything that may
    have changed one."""
    now, users = state.now(), {}
    for trail in state.trails.values():
        users.setdefault(trail.settings.get("S3BucketName", ""), []).append(trail)
    for name, trails in users.items():
        found = s3.bucket(state, name, trails)
        for trail in trails:
            code = trouble(state, trail, name, found)
            if code != (trail.health[-1][1] if trail.health else None):
                trail.health.append((now, code))


def attempts(trail, interval, until):
    """(newest delivery that worked, code of the newest attempt) for attempts at every interval from the start; the first
    is None when none worked yet, the second when the newest worked or there was none."""
    ends = [time for time, _ in trail.health] + [None]
    periods = [(start, end, code) for (start, code), end in zip([(trail.started, None), *trail.health], ends)]
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
