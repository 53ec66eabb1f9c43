# SPDX-License-Identifier: Apache-2.0
"""The catalogue of ways to blind a trail, as attackers carry them out with the real SDK. test_attacks.py runs each in
each mode; docs/attacks.md is generated from what then happened.

An attack that differs from the field's tools says so: stratus-red-team's cloudtrail-stop, -delete, -event-selectors and
-lifecycle-rule are A1, A3, B1 and C4; Pacu's detection disruption is A1, A3 and, as "minimize", a single UpdateTrail."""

import collections
import json

from helpers import FRA, IAD, MAIN, MEMBER, SYD, topic_arn, trail_arn

# The trail that is attacked: it has everything that can be taken away.
VICTIM = trail_arn("victim", FRA)
SINGLE = trail_arn("single", IAD)
ORGANIZATION = trail_arn("organization", FRA)
KEY_STORE = "cks-1234567890abcdef0"
TOMORROW = trail_arn("tomorrow", SYD)
ADVANCED = trail_arn("advanced", SYD)
BUCKET, KEY = "example-victim-logs", f"arn:aws:kms:{FRA}:{MAIN}:key/1111aaaa-22bb-33cc-44dd-5555eeee6666"
FOREIGN_KEY = f"arn:aws:kms:{FRA}:999988887777:key/9999aaaa-22bb-33cc-44dd-5555eeee6666"
GROUP = f"arn:aws:logs:{FRA}:{MAIN}:log-group:CloudTrail:*"
ROLE = f"arn:aws:iam::{MAIN}:role/CloudTrail_CloudWatchLogs"
NOTIFIED = topic_arn("deliveries")
CLOUDTRAIL, NOTIFY = {"Service": "cloudtrail.amazonaws.com"}, "AWSCloudTrailSNSPolicy"
SELECTORS = [{"ReadWriteType": "All", "IncludeManagementEvents": True, "ExcludeManagementEventSources": [],
              "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::example-secrets/"]}]}]
SCENARIO = {
    "trails": [
        {"name": "victim", "account": MAIN, "region": FRA, "S3BucketName": BUCKET, "S3KeyPrefix": "audit",
         "IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True, "LogFileValidationEnabled": True,
         "KmsKeyId": KEY, "CloudWatchLogsLogGroupArn": GROUP, "CloudWatchLogsRoleArn": ROLE, "SnsTopicARN": NOTIFIED,
         "event_selectors": SELECTORS, "insight_selectors": [{"InsightType": "ApiCallRateInsight"}],
         "event_configuration": {"MaxEventSize": "Large", "ContextKeySelectors": [{"Type": "TagContext", "Equals": ["team"]}]},
         "tags": {"owner": "security", "tier": "1"}},
        {"name": "single", "account": MAIN, "region": IAD, "S3BucketName": "example-single-logs",
         "IncludeGlobalServiceEvents": True},
        {"name": "organization", "account": MAIN, "region": FRA, "S3BucketName": "example-organization-logs",
         "IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True, "LogFileValidationEnabled": True,
         "IsOrganizationTrail": True},
        # with members that no version knows
        {"name": "tomorrow", "account": MAIN, "region": SYD, "S3BucketName": "example-tomorrow-logs",
         "settings": {"TomorrowShield": True},
         "event_selectors": [{**SELECTORS[0], "TomorrowSampling": 100}]},
    ],
    "organization": {"management": MAIN, "members": [MAIN]},
    "topics": [{"arn": NOTIFIED, "policy": [{"Sid": NOTIFY, "Effect": "Allow", "Principal": CLOUDTRAIL, "Action": "SNS:Publish",
                                             "Resource": NOTIFIED}]}],
    "roles": [{"name": ROLE.rpartition("/")[2], "account": MAIN,
               "trust": [{"Effect": "Allow", "Principal": CLOUDTRAIL, "Action": "sts:AssumeRole"}],
               "policy": [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": f"{GROUP[:-1]}log-stream:*"}]}],
    "kms_keys": {KEY: {"store": KEY_STORE}},
    # deliveries show within a second what has become of the bucket
    "settings": {"delivery_interval": 1, "digest_interval": 1},
}

RECORDED = [{"Name": "management", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
            {"Name": "functions", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]},
                                                     {"Field": "resources.type", "Equals": ["AWS::Lambda::Function"]}]}]
WITH_ADVANCED = {**SCENARIO, "trails": SCENARIO["trails"] + [
    {"name": "advanced", "account": MAIN, "region": SYD, "S3BucketName": "example-advanced-logs",
     "advanced_event_selectors": RECORDED}]}

# number: a name of our own. does: for people. event: of the alert that tells. fields: what its `changes` name. put_back:
# can be undone by writing to CloudTrail. finding: what the alert names where there are no changes. options: that the guard
# needs to see it.
Attack = collections.namedtuple("Attack", "number does perform event fields put_back finding trail options",
                                defaults=((), True, None, VICTIM, {}))
CHECKS = {"bucket_checks": True}


def update(**settings):
    return lambda m, trail: m.client(trail).update_trail(Name=trail, **settings)


def selectors(**entry):
    basic = {"ReadWriteType": "All", "IncludeManagementEvents": True,
             "DataResources": SELECTORS[0]["DataResources"], **entry}
    return lambda m, trail: m.client(trail).put_event_selectors(TrailName=trail, EventSelectors=[basic])


def basic(**entry):
    chosen = {"ReadWriteType": "All", "IncludeManagementEvents": True, **entry}
    return lambda m, trail: m.client(trail).put_event_selectors(TrailName=trail, EventSelectors=[chosen])


def advanced(*fields):
    data = {"Name": "data", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]},
                                               {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]}
    chosen = [data] + ([{"Name": "management", "FieldSelectors": list(fields)}] if fields else [])
    return lambda m, trail: m.client(trail).put_event_selectors(TrailName=trail, AdvancedEventSelectors=chosen)


MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}


def stop(m, trail):
    m.client(trail).stop_logging(Name=trail)


def bogus_stops(m, trail):
    """Of trails that do not exist, all later than the one of this trail."""
    client = m.client(trail)
    for number in range(170):
        try:
            client.stop_logging(Name=f"no-such-trail-{number}")
        except client.exceptions.TrailNotFoundException:
            pass


def stop_and_hide(m, trail):
    stop(m, trail)
    bogus_stops(m, trail)


def flap(m, trail):
    m.flap(trail)


def delete(m, trail):
    m.client(trail).delete_trail(Name=trail)


def recreate_elsewhere(m, trail):
    """The attacker's own bucket, and nothing of what the trail had."""
    # a poll that is late must not find that the new trail has delivered, as the old one had: that may be one and the same
    m.sim.call("settings", delivery_interval=300)
    m.client(trail).delete_trail(Name=trail)
    m.client(trail).create_trail(Name=trail.rpartition("/")[2], S3BucketName="mallorys-bucket")
    m.client(trail).start_logging(Name=trail)


def recreate_for_one_region(m, trail):
    """With every other setting that it had."""
    m.sim.call("settings", delivery_interval=300)
    m.client(trail).delete_trail(Name=trail)
    m.client(trail).create_trail(
        Name=trail.rpartition("/")[2], S3BucketName=BUCKET, S3KeyPrefix="audit", KmsKeyId=KEY, CloudWatchLogsLogGroupArn=GROUP,
        CloudWatchLogsRoleArn=ROLE, SnsTopicName=NOTIFIED, EnableLogFileValidation=True, IncludeGlobalServiceEvents=True,
        IsMultiRegionTrail=False)
    m.client(trail).put_event_selectors(TrailName=trail, EventSelectors=SELECTORS)
    m.client(trail).start_logging(Name=trail)


def fill_quota_and_delete(m, trail):
    m.client(trail).delete_trail(Name=trail)
    try:
        for number in range(5):
            m.client(trail).create_trail(Name=f"squatter-{number}", S3BucketName=BUCKET)
    except m.client(trail).exceptions.MaximumNumberOfTrailsExceededException:
        pass        # the quota is full, or the guard was quicker


def aggregate(m, trail):
    """No context keys, shorter events, and in their place sums."""
    m.client(trail).put_event_configuration(
        TrailName=trail, MaxEventSize="Standard", ContextKeySelectors=[],
        AggregationConfigurations=[{"Templates": ["API_ACTIVITY"], "EventCategory": "Data"}])


def insights_off(m, trail):
    m.client(trail).put_insight_selectors(TrailName=trail, InsightSelectors=[])


def insights_of_data(m, trail):
    m.client(trail).put_insight_selectors(TrailName=trail, InsightSelectors=[
        {"InsightType": "ApiCallRateInsight", "EventCategories": ["Data"]}])


def retag(m, trail):
    m.client(trail).remove_tags(ResourceId=trail, TagsList=[{"Key": "owner"}])
    m.client(trail).add_tags(ResourceId=trail, TagsList=[{"Key": "tier", "Value": "9"}])


def s3(m):
    return m.sim.boto3(m.user, "s3", FRA, s3={"addressing_style": "path"})


def kms(m):
    return m.sim.boto3(m.user, "kms", FRA)


def delete_bucket_policy(m, _):
    s3(m).delete_bucket_policy(Bucket=BUCKET)


def delete_bucket(m, _):
    s3(m).delete_bucket(Bucket=BUCKET)


def squat_bucket(m, _):
    """Deleted, and created again in an account of the attacker's that lets CloudTrail in: deliveries go on."""
    m.sim.call("bucket", name=BUCKET, owner="999988887777")


def expire_logs(m, _):
    rule = {"ID": "nuke-cloudtrail-logs-after-1-day", "Status": "Enabled", "Filter": {"Prefix": "*"}, "Expiration": {"Days": 1}}
    s3(m).put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})


def disable_key(m, _):
    kms(m).disable_key(KeyId=KEY)


def schedule_key_deletion(m, _):
    kms(m).schedule_key_deletion(KeyId=KEY, PendingWindowInDays=7)


def delete_key_material(m, _):
    kms(m).delete_imported_key_material(KeyId=KEY)


def disconnect_key_store(m, _):
    kms(m).disconnect_custom_key_store(CustomKeyStoreId=KEY_STORE)


def disable_trusted_access(m, _):
    m.sim.boto3(m.user, "organizations", IAD).disable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")


def lower_tomorrows_shield(m, trail):
    """No SDK has it yet."""
    m.sim.trail(trail, settings={"TomorrowShield": False})


def sample_less(m, trail):
    m.sim.trail(trail, selectors=[{**SELECTORS[0], "TomorrowSampling": 1}])


def close_key(m, _):
    """Its owners keep all that they may; CloudTrail may encrypt with it no longer."""
    client = kms(m)
    owner = json.loads(client.get_key_policy(KeyId=KEY, PolicyName="default")["Policy"])["Statement"][0]
    client.put_key_policy(KeyId=KEY, PolicyName="default", Policy=policy_of(owner))


def charge_requesters(m, _):
    s3(m).put_bucket_request_payment(Bucket=BUCKET, RequestPaymentConfiguration={"Payer": "Requester"})


def delete_log_group(m, _):
    m.sim.boto3(m.user, "logs", FRA).delete_log_group(logGroupName="CloudTrail")


def take_log_roles_policy(m, _):
    m.sim.boto3(m.user, "iam", IAD).delete_role_policy(RoleName=ROLE.rpartition("/")[2], PolicyName="scenario")


def delete_trails_topic(m, _):
    m.sim.boto3(m.user, "sns", FRA).delete_topic(TopicArn=NOTIFIED)


def close_trails_topic(m, _):
    m.sim.boto3(m.user, "sns", FRA).remove_permission(TopicArn=NOTIFIED, Label=NOTIFY)


def stop_deliveries(m, trail):
    m.sim.trail(trail, delivery_stopped=m.sim.trail(trail)["started"])


def take_rights_away(m, _):
    m.sim.call("policy", principal=f"arn:aws:iam::{MAIN}:user/guard",
               policy=[{"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}])


def throttle(m, _):
    m.sim.add_fault("throttle", service="cloudtrail")


PACU_MINIMIZE = update(SnsTopicName="", IncludeGlobalServiceEvents=False, IsMultiRegionTrail=False,
                       EnableLogFileValidation=False, CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn="", KmsKeyId="")

ATTACKS = [
    Attack("A1", "StopLogging", stop, "trail.stopped"),
    Attack("A2", "StopLogging and StartLogging between two polls", flap, "trail.interrupted", put_back=False),
    Attack("A1b", "StopLogging, then 170 times StopLogging of trails that do not exist", stop_and_hide, "trail.attributed",
           options={"attribution": True}),
    Attack("A3", "DeleteTrail", delete, "trail.missing"),
    Attack("A4", "DeleteTrail, and CreateTrail under the same name with another bucket", recreate_elsewhere,
           "trail.replaced", ("S3BucketName",)),
    Attack("A4s", "DeleteTrail, and CreateTrail under the same name with the same settings, but for one region",
           recreate_for_one_region, "trail.replaced", ("IsMultiRegionTrail",)),
    Attack("A5", "UpdateTrail to another bucket", update(S3BucketName="mallorys-bucket"), "trail.weakened",
           ("S3BucketName",)),
    Attack("A5p", "UpdateTrail to another prefix", update(S3KeyPrefix="elsewhere"), "trail.weakened", ("S3KeyPrefix",)),
    Attack("A6", "UpdateTrail: multi-region off", update(IsMultiRegionTrail=False), "trail.weakened",
           ("IsMultiRegionTrail",)),
    Attack("A7", "UpdateTrail: global service events off", update(IncludeGlobalServiceEvents=False), "trail.weakened",
           ("IncludeGlobalServiceEvents",), trail=SINGLE),
    Attack("A8", "UpdateTrail: log file validation off", update(EnableLogFileValidation=False), "trail.weakened",
           ("LogFileValidationEnabled",)),
    Attack("A9", "UpdateTrail: KMS key taken away", update(KmsKeyId=""), "trail.weakened", ("KmsKeyId",)),
    Attack("A9f", "UpdateTrail: a KMS key of another account", update(KmsKeyId=FOREIGN_KEY), "trail.weakened",
           ("KmsKeyId",)),
    Attack("A10", "UpdateTrail: SNS topic taken away", update(SnsTopicName=""), "trail.weakened", ("SnsTopicARN",)),
    Attack("A11", "UpdateTrail: log group taken away",
           update(CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn=""), "trail.weakened",
           ("CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn")),
    Attack("A12", "UpdateTrail: no organization trail any more", update(IsOrganizationTrail=False), "trail.weakened",
           ("IsOrganizationTrail",), trail=ORGANIZATION),
    Attack("A13", "UpdateTrail: recursive logging off", update(RecursiveLogging=False), "trail.weakened",
           ("RecursiveLogging",)),
    Attack("A14", "UpdateTrail of a setting that AWS has added since: reported, and not restored", lower_tomorrows_shield,
           "trail.weakened", ("UnknownSettings",), put_back=False, trail=TOMORROW),
    Attack("A6-A11", "Pacu's \"minimize\": all of these in one UpdateTrail", PACU_MINIMIZE, "trail.weakened",
           ("KmsKeyId", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn", "SnsTopicARN", "IsMultiRegionTrail",
            "IncludeGlobalServiceEvents", "LogFileValidationEnabled")),
    Attack("B1", "PutEventSelectors without management events", selectors(IncludeManagementEvents=False),
           "trail.weakened", ("EventSelectors",)),
    Attack("B2r", "PutEventSelectors: reads only", selectors(ReadWriteType="ReadOnly"), "trail.weakened",
           ("EventSelectors",)),
    Attack("B2w", "PutEventSelectors: writes only", selectors(ReadWriteType="WriteOnly"), "trail.weakened",
           ("EventSelectors",)),
    Attack("B3", "PutEventSelectors: KMS left out", selectors(ExcludeManagementEventSources=["kms.amazonaws.com"]),
           "trail.weakened", ("EventSelectors",)),
    Attack("B3d", "PutEventSelectors: the RDS Data API left out",
           selectors(ExcludeManagementEventSources=["rdsdata.amazonaws.com"]), "trail.weakened", ("EventSelectors",)),
    Attack("B4a", "advanced selectors without management events", advanced(), "trail.weakened", ("EventSelectors",)),
    Attack("B4b", "advanced selectors with readOnly", advanced(MANAGEMENT, {"Field": "readOnly", "Equals": ["true"]}),
           "trail.weakened", ("EventSelectors",)),
    Attack("B4c", "advanced selectors that leave a source out",
           advanced(MANAGEMENT, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}), "trail.weakened",
           ("EventSelectors",)),
    Attack("B4d", "basic selectors in place of advanced ones", basic(), "trail.weakened", ("EventSelectors",), trail=ADVANCED),
    Attack("B4e", "basic selectors in place of advanced ones: reads only, KMS and the RDS Data API left out",
           basic(ReadWriteType="ReadOnly", ExcludeManagementEventSources=["kms.amazonaws.com", "rdsdata.amazonaws.com"]),
           "trail.weakened", ("EventSelectors",), trail=ADVANCED),
    Attack("B5", "PutEventSelectors: data events dropped", selectors(DataResources=[]), "trail.weakened",
           ("EventSelectors",)),
    Attack("B5n", "PutEventSelectors: data events of one folder only",
           selectors(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::example-secrets/public/"]}]),
           "trail.weakened", ("EventSelectors",)),
    Attack("B5t", "PutEventSelectors: data events of another kind of resource",
           selectors(DataResources=[{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}]), "trail.weakened",
           ("EventSelectors",)),
    Attack("B6", "PutInsightSelectors with none", insights_off, "trail.weakened", ("InsightSelectors",)),
    Attack("B7", "PutEventConfiguration: context keys dropped, events cut and aggregated", aggregate, "trail.weakened",
           ("EventConfiguration",)),
    Attack("B8", "PutInsightSelectors: data events in place of management events", insights_of_data, "trail.weakened",
           ("InsightSelectors",)),
    Attack("B9", "PutEventSelectors with another value of a member that AWS has added since", sample_less, "trail.weakened",
           ("EventSelectors",), trail=TOMORROW),
    Attack("T1", "tags taken away and changed", retag, "trail.weakened", ("Tags",)),
    Attack("C1", "DeleteBucketPolicy on the trail's bucket", delete_bucket_policy, "trail.failing", put_back=False,
           finding="delivery"),
    Attack("C1b", "the same, with `bucket_checks`", delete_bucket_policy, "trail.failing", put_back=False,
           finding="bucket", options=CHECKS),
    Attack("C2", "DeleteBucket", delete_bucket, "trail.failing", put_back=False, finding="delivery"),
    Attack("C3", "the bucket created again in another account, with `bucket_checks`", squat_bucket, "trail.failing",
           put_back=False, finding="bucket", options=CHECKS),
    Attack("C3b", "the same, without `bucket_checks`", squat_bucket, "trail.failing", put_back=False, finding="bucket",
           options={"owner_check": True}),
    Attack("C4", "a lifecycle rule that deletes after a day, with `bucket_checks`", expire_logs, "trail.failing",
           put_back=False, finding="lifecycle", options=CHECKS),
    Attack("C6", "PutBucketRequestPayment: CloudTrail cannot deliver to a Requester Pays bucket", charge_requesters, "trail.failing",
           put_back=False, finding="delivery"),
    Attack("D1", "DisableKey on the trail's KMS key", disable_key, "trail.failing", put_back=False, finding="delivery"),
    Attack("D1b", "ScheduleKeyDeletion, with `bucket_checks`", schedule_key_deletion, "trail.failing", put_back=False,
           finding="key", options=CHECKS),
    Attack("D2", "DeleteImportedKeyMaterial of the trail's KMS key", delete_key_material, "trail.failing", put_back=False,
           finding="delivery"),
    Attack("D3", "DisconnectCustomKeyStore: the key store of the trail's KMS key, with `bucket_checks`", disconnect_key_store,
           "trail.failing", put_back=False, finding="key", options=CHECKS),
    Attack("D4", "PutKeyPolicy: the key no longer admits CloudTrail", close_key, "trail.failing", put_back=False,
           finding="delivery"),
    Attack("E1", "DeleteLogGroup: the trail's log group", delete_log_group, "trail.failing", put_back=False, finding="log group"),
    Attack("E1r", "DeleteRolePolicy: the role that writes to the trail's log group", take_log_roles_policy, "trail.failing",
           put_back=False, finding="log group"),
    Attack("E3", "DeleteTopic: the trail's SNS topic", delete_trails_topic, "trail.failing", put_back=False, finding="notification"),
    Attack("E4", "RemovePermission: CloudTrail may no longer publish to the trail's SNS topic", close_trails_topic, "trail.failing",
           put_back=False, finding="notification"),
    Attack("S1", "nothing is delivered any more, and no error says so", stop_deliveries, "trail.failing", put_back=False,
           finding="stale"),
    Attack("F2", "DisableAWSServiceAccess: the organization trusts CloudTrail no longer", disable_trusted_access,
           "trail.weakened", ("IsOrganizationTrail",), put_back=False, trail=ORGANIZATION),
    Attack("G2", "the guard's rights taken away", take_rights_away, "target.unreachable", put_back=False),
    Attack("G3", "the API's quota used up", throttle, "target.unreachable", put_back=False),
    Attack("G4", "DeleteTrail, and the quota of trails filled", fill_quota_and_delete, "trail.missing", put_back=False),
]

# Not against one trail: test_attacks.py has a test of its own for it.
LEAVES = Attack("F1", "an account leaves the organization, or is removed from it", None, "account.left", put_back=False)
BLIND = Attack("G3r", "StopLogging while GetTrailStatus is throttled: the quota for reads is burnt", stop, "target.unreachable")
DENIED = Attack("G3d", "StopLogging after the guard's right to GetTrailStatus was taken", stop, "target.unreachable")
WAR = Attack("A1w", "StopLogging again after each restart, within a second", stop, "trail.contested")
CHURN = Attack("A3n", "trails created and deleted under new names, then StopLogging of the real one", None, "trails.unaccepted")
MOVES = Attack("F3", "AcceptHandshake: a member moves to another organization; polled with its own keys", None, "trail.missing",
               put_back=False)
MOVED = Attack("A4r", "DeleteTrail, and CreateTrail under the same name in another region; that trail is never recorded", None,
               "trail.missing")
OWN = Attack("A15", "CreateTrail: a trail of his own, to a bucket of his own; never recorded, never created again", None, "trail.appeared",
             put_back=False)
PROPOSED = Attack("H1", "StopLogging, with `contain` that proposes: the alert has the commands that end it", stop, "trail.attributed")
ENFORCED = Attack("H2", "the same with `contain` that enforces: his next StopLogging is denied; observe proposes", stop, "identity.contained")
FREED = Attack("H3", "the same, and a second identity deletes the policy: put back", stop, "identity.contained")
DECOYS = Attack("H4", "identities made to use up `max_per_day`, then a war: the last of the day is kept for that", stop, "identity.contained")
NAMESAKE = Attack("H5", "StopLogging by a role that has the name of the guard's user: contained like any other", stop, "identity.contained")
CONTAINED = [PROPOSED, ENFORCED, FREED, DECOYS, NAMESAKE]


# -- the guard itself, with guard_checks: `m` is an administrator of the guard's account ------------------------------------
GUARD_ROLE = f"arn:aws:iam::{MEMBER}:role/TrailGuard"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def policy_of(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def take_guards_policy(m, _topic):
    m.sim.boto3("mallory", "iam", IAD).delete_user_policy(UserName="guard", PolicyName="scenario")


def open_guards_role(m, _topic):
    """Anybody may assume it now."""
    m.sim.add_user("eve", MEMBER)
    m.sim.boto3("eve", "iam", IAD).update_assume_role_policy(RoleName="TrailGuard", PolicyDocument=policy_of(
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}))


def bound_guard(m, _topic):
    """A boundary that allows everything: what is in it can be changed at any time."""
    iam = m.sim.boto3("mallory", "iam", IAD)
    boundary = iam.create_policy(PolicyName="Boundary", PolicyDocument=policy_of(EVERYTHING))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName="guard", PermissionsBoundary=boundary)


def close_member(m, _topic):
    deny = {"Effect": "Deny", "Action": ["cloudtrail:StartLogging", "cloudtrail:GetTrailStatus"], "Resource": "*"}
    m.sim.call("account", id=MEMBER, regions=[FRA, IAD], scp=[EVERYTHING, deny])


def unsubscribe(m, topic):
    sns = m.sim.boto3("mallory", "sns", FRA)
    for entry in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=entry["SubscriptionArn"])


def filter_alerts(m, topic):
    sns = m.sim.boto3("mallory", "sns", FRA)
    for entry in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        sns.set_subscription_attributes(SubscriptionArn=entry["SubscriptionArn"], AttributeName="FilterPolicy",
                                        AttributeValue=json.dumps({"severity": ["info"]}))


def close_topic(m, topic):
    m.sim.boto3("mallory", "sns", FRA).set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy_of(
        {"Effect": "Deny", "Principal": "*", "Action": "SNS:Publish", "Resource": topic}))


ON_GUARD = [
    Attack("G5", "DeleteUserPolicy: the guard's policy is gone; reported by webhook", take_guards_policy, "guard.rights_lost"),
    Attack("G6", "UpdateAssumeRolePolicy: anyone may assume the guard's role", open_guards_role, "guard.changed"),
    Attack("G7", "PutUserPermissionsBoundary on the guard's user", bound_guard, "guard.changed"),
    Attack("G8", "a service control policy that denies the guard's calls in a member account", close_member, "guard.rights_lost"),
    Attack("G9", "Unsubscribe: nobody is left whom an alert reaches", unsubscribe, "channel.unheard"),
    Attack("G10", "SetSubscriptionAttributes: a filter policy that drops all critical alerts", filter_alerts, "channel.unheard"),
    Attack("G11", "SetTopicAttributes: a topic policy that denies Publish", close_topic, "channel.failed"),
]
