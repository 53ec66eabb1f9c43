# SPDX-License-Identifier: Apache-2.0
"""What a trail hangs on is taken away, piece by piece: what its status then shows, and which writes CloudTrail refuses."""

import json

import pytest

from test_simaws import HOME, KEY, LOGS, MAIN, MEMBER, ORG_TRAIL, begin, refused, s3_of
from test_simaws import server  # noqa: F401, the fixture

GROUP = f"arn:aws:logs:{HOME}:{MAIN}:log-group:CloudTrail:*"
ROLE = f"arn:aws:iam::{MAIN}:role/CloudTrail_CloudWatchLogs"
DELIVERIES = f"arn:aws:sns:{HOME}:{MAIN}:deliveries"
WRITER = {"Service": "cloudtrail.amazonaws.com"}
TRUST = [{"Effect": "Allow", "Principal": WRITER, "Action": "sts:AssumeRole"}]
MAY_WRITE = [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": f"{GROUP[:-1]}log-stream:*"}]


def policy_of(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Victim:
    """org-trail with all that a trail can hang on, and how to see what became of it."""

    def __init__(self, sim):
        self.sim, self.time = sim, 0
        sim.call("settings", signature_window=864000)
        sim.add_topic(DELIVERIES, policy=[{"Sid": "write", "Effect": "Allow", "Principal": WRITER, "Action": "SNS:Publish",
                                           "Resource": DELIVERIES}])
        sim.call("role", name="CloudTrail_CloudWatchLogs", account=MAIN, trust=TRUST, policy=MAY_WRITE)
        self.client("cloudtrail").update_trail(Name="org-trail", KmsKeyId=KEY, SnsTopicName=DELIVERIES,
                                               CloudWatchLogsLogGroupArn=GROUP, CloudWatchLogsRoleArn=ROLE)

    def client(self, service, region=HOME):
        return self.sim.boto3("mallory", service, region)

    def after_a_delivery(self):
        """The errors of its status."""
        self.time += 301
        self.sim.clock(self.time)
        status = self.sim.trail(ORG_TRAIL)["status_now"]
        return {name.removeprefix("Latest").removesuffix("Error"): code for name, code in status.items()
                if name.endswith("Error") and "Digest" not in name}

    def update(self, **changes):
        """The code with which CloudTrail refuses to write the same once more."""
        return refused(self.client("cloudtrail").update_trail, Name="org-trail", **changes)[0]


@pytest.fixture
def victim(server):     # noqa: F811
    begin(server)
    found = Victim(server)
    assert found.after_a_delivery() == {}
    yield found
    server.assert_clean()


def test_the_policy_of_the_key(victim):
    kms = victim.client("kms")
    before = json.loads(kms.get_key_policy(KeyId=KEY, PolicyName="default")["Policy"])
    owner, writer = before["Statement"]
    kms.put_key_policy(KeyId=KEY, PolicyName="default", Policy=policy_of(
        owner, writer, {"Effect": "Deny", "Principal": WRITER, "Action": "kms:GenerateDataKey*", "Resource": "*"}))
    assert victim.after_a_delivery() == {"Delivery": "AccessDenied"}
    assert victim.update(KmsKeyId=KEY) == "InsufficientEncryptionPolicyException"
    kms = victim.client("kms")
    kms.put_key_policy(KeyId=KEY, PolicyName="default", Policy=policy_of(owner))
    assert victim.after_a_delivery() == {"Delivery": "AccessDenied"}
    kms = victim.client("kms")
    other = {**writer, "Condition": {"StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": ORG_TRAIL + "2"}}}
    kms.put_key_policy(KeyId=KEY, PolicyName="default", Policy=policy_of(owner, other))
    assert victim.after_a_delivery() == {"Delivery": "AccessDenied"}
    kms = victim.client("kms")
    assert refused(kms.put_key_policy, KeyId=KEY, PolicyName="default", Policy=policy_of(writer))[0] == \
        "MalformedPolicyDocumentException"      # nobody could change it back
    kms.put_key_policy(KeyId=KEY, PolicyName="default", Policy=json.dumps(before))
    assert victim.after_a_delivery() == {}
    kms = victim.client("kms")
    kms.put_key_policy(KeyId=KEY, PolicyName="default", Policy=policy_of(writer), BypassPolicyLockoutSafetyCheck=True)
    assert victim.after_a_delivery() == {}


def test_what_a_trail_does_not_need_of_its_key(victim):
    kms = victim.client("kms")
    grant = kms.create_grant(KeyId=KEY, GranteePrincipal=f"arn:aws:iam::{MAIN}:user/mallory", Operations=["Decrypt"])["GrantId"]
    kms.revoke_grant(KeyId=KEY, GrantId=grant)
    assert refused(kms.revoke_grant, KeyId=KEY, GrantId=grant)[0] == "NotFoundException"
    kms.disable_key_rotation(KeyId=KEY)
    assert victim.after_a_delivery() == {}


def test_a_key_store_is_disconnected_in_one_account_alone(victim):
    store, other = "cks-1234567890abcdef0", KEY.replace(MAIN, MEMBER)
    victim.sim.call("kms_key", arn=KEY, store=store)
    victim.sim.call("kms_key", arn=other, store=store)
    victim.client("kms").disconnect_custom_key_store(CustomKeyStoreId=store)
    assert victim.after_a_delivery() == {"Delivery": "KMS.KMSInvalidStateException"}
    assert victim.update(KmsKeyId=KEY) == "KmsException"
    assert victim.sim.call("kms_key", arn=other)["state"] == "Enabled"
    victim.client("kms").connect_custom_key_store(CustomKeyStoreId=store)
    assert victim.after_a_delivery() == {}


@pytest.mark.parametrize("condition, admits", [
    ({"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}, True),
    ({"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}}, False),
    ({"Bool": {"aws:SecureTransport": "false"}}, True), ({"StringEquals": {"aws:SourceAccount": MAIN}}, False),
    ({"StringNotEqualsIfExists": {"s3:x-amz-acl": "bucket-owner-full-control"}}, True), (None, False)])
def test_a_denial_with_a_condition(victim, condition, admits):
    s3 = s3_of(victim.sim, "mallory")
    policy = json.loads(s3.get_bucket_policy(Bucket=LOGS)["Policy"])
    policy["Statement"].append({"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{LOGS}/*",
                                **({"Condition": condition} if condition else {})})
    s3.put_bucket_policy(Bucket=LOGS, Policy=json.dumps(policy))
    assert victim.after_a_delivery() == ({} if admits else {"Delivery": "AccessDenied"})


def test_everybody_but_the_administrator_is_denied(victim):
    s3 = s3_of(victim.sim, "mallory")
    policy = json.loads(s3.get_bucket_policy(Bucket=LOGS)["Policy"])
    policy["Statement"].append({"Effect": "Deny", "NotPrincipal": {"AWS": f"arn:aws:iam::{MAIN}:user/mallory"},
                                "NotAction": "s3:GetObject", "Resource": f"arn:aws:s3:::{LOGS}/*"})
    s3.put_bucket_policy(Bucket=LOGS, Policy=json.dumps(policy))
    assert victim.after_a_delivery() == {"Delivery": "AccessDenied"}


def test_requester_pays(victim):
    """CloudTrail user guide: it cannot be such a bucket."""
    pays = {"Bucket": LOGS, "RequestPaymentConfiguration": {"Payer": "Requester"}}
    s3_of(victim.sim, "mallory").put_bucket_request_payment(**pays)
    assert victim.after_a_delivery() == {"Delivery": "AccessDenied"}
    assert victim.update(S3BucketName=LOGS) == "InsufficientS3BucketPolicyException"
    pays["RequestPaymentConfiguration"]["Payer"] = "BucketOwner"
    s3_of(victim.sim, "mallory").put_bucket_request_payment(**pays)
    assert victim.after_a_delivery() == {}
    assert victim.sim.events(EventName="PutBucketRequestPayment")[0]["requestParameters"]["requestPayment"] == ""


def test_what_a_trail_does_not_notice_of_its_bucket(victim):
    s3 = s3_of(victim.sim, "mallory")
    s3.put_bucket_ownership_controls(Bucket=LOGS, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    s3.put_bucket_encryption(Bucket=LOGS, ServerSideEncryptionConfiguration={
        "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]})
    s3.put_bucket_logging(Bucket=LOGS, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "other", "TargetPrefix": ""}})
    s3.put_object_lock_configuration(Bucket=LOGS, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    s3.put_public_access_block(Bucket=LOGS, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    s3.put_bucket_replication(Bucket=LOGS, ReplicationConfiguration={"Role": ROLE, "Rules": [
        {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::other"}}]})
    s3.put_bucket_tagging(Bucket=LOGS, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.put_bucket_versioning(Bucket=LOGS, VersioningConfiguration={"Status": "Suspended"})
    assert s3.get_bucket_versioning(Bucket=LOGS)["Status"] == "Suspended"
    assert victim.after_a_delivery() == {}
    assert victim.sim.events(EventName="PutBucketObjectLockConfiguration")


@pytest.mark.parametrize("how, code", [("delete", "NotFound"), ("label", "AuthorizationError"), ("deny", "AuthorizationError")])
def test_the_topic_of_a_trail(victim, how, code):
    sns = victim.client("sns")
    if how == "delete":
        sns.delete_topic(TopicArn=DELIVERIES)
    elif how == "label":
        sns.remove_permission(TopicArn=DELIVERIES, Label="write")
    else:
        sns.set_topic_attributes(TopicArn=DELIVERIES, AttributeName="Policy", AttributeValue=policy_of(
            {"Effect": "Deny", "Principal": "*", "Action": "SNS:Publish", "Resource": DELIVERIES}))
    assert victim.after_a_delivery() == {"Notification": code}
    assert victim.update(SnsTopicName=DELIVERIES) == "InsufficientSnsTopicPolicyException"


def test_labels_of_a_topic(victim):
    sns = victim.client("sns")
    arguments = {"TopicArn": DELIVERIES, "Label": "more", "AWSAccountId": [MEMBER], "ActionName": ["Publish"]}
    sns.add_permission(**arguments)
    assert refused(sns.add_permission, **arguments)[0] == "InvalidParameter"
    sns.remove_permission(TopicArn=DELIVERIES, Label="more")
    sns.remove_permission(TopicArn=DELIVERIES, Label="more")
    assert victim.after_a_delivery() == {}


def test_the_log_group_of_a_trail(victim):
    logs = victim.client("logs")
    logs.delete_log_stream(logGroupName="CloudTrail", logStreamName="stream")
    logs.put_subscription_filter(logGroupName="CloudTrail", filterName="copy", filterPattern="",
                                 destinationArn=f"arn:aws:lambda:{HOME}:{MAIN}:function:copy")
    logs.put_retention_policy(logGroupName="CloudTrail", retentionInDays=1)
    assert victim.after_a_delivery() == {}
    logs = victim.client("logs")
    logs.delete_log_group(logGroupName="CloudTrail")
    assert refused(logs.delete_log_group, logGroupName="CloudTrail")[0] == "ResourceNotFoundException"
    assert victim.after_a_delivery() == {"CloudWatchLogsDelivery": "ResourceNotFoundException"}
    assert victim.update(CloudWatchLogsLogGroupArn=GROUP, CloudWatchLogsRoleArn=ROLE) == "InvalidCloudWatchLogsLogGroupArnException"
    logs = victim.client("logs")
    logs.create_log_group(logGroupName="CloudTrail")
    assert refused(logs.create_log_group, logGroupName="CloudTrail")[0] == "ResourceAlreadyExistsException"
    assert victim.after_a_delivery() == {}


@pytest.mark.parametrize("how, code", [
    ("policy", "InvalidCloudWatchLogsLogGroupArnException"), ("deny", "InvalidCloudWatchLogsLogGroupArnException"),
    ("boundary", "InvalidCloudWatchLogsLogGroupArnException"), ("trust", "InvalidCloudWatchLogsRoleArnException"),
    ("role", "InvalidCloudWatchLogsRoleArnException")])
def test_the_role_that_writes_to_the_log_group(victim, how, code):
    iam, name = victim.client("iam", "us-east-1"), "CloudTrail_CloudWatchLogs"
    if how == "role":
        assert refused(iam.delete_role, RoleName=name)[0] == "DeleteConflict"
    if how in ("policy", "role"):
        iam.delete_role_policy(RoleName=name, PolicyName="scenario")
    if how == "role":
        iam.delete_role(RoleName=name)
    elif how == "deny":
        iam.put_role_policy(RoleName=name, PolicyName="deny", PolicyDocument=policy_of(
            {"Effect": "Deny", "Action": "logs:*", "Resource": "*"}))
    elif how == "boundary":
        arn = iam.create_policy(PolicyName="narrow", PolicyDocument=policy_of(
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}))["Policy"]["Arn"]
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=arn)
    elif how == "trust":
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=policy_of({**TRUST[0], "Principal": {"AWS": MAIN}}))
    assert victim.after_a_delivery() == {"CloudWatchLogsDelivery": "AccessDenied"}
    assert victim.update(CloudWatchLogsLogGroupArn=GROUP, CloudWatchLogsRoleArn=ROLE) == code


def test_a_member_is_moved_to_another_unit(victim):
    """Other service control policies apply there."""
    sim = victim.sim
    sim.call("organization", management=MAIN, members=[MEMBER])
    sim.add_user("admin", MEMBER)
    sim.call("unit", id="ou-root-closed00", scp=[{"Effect": "Allow", "Action": "*", "Resource": "*"},
                                          {"Effect": "Deny", "Action": "cloudtrail:DescribeTrails", "Resource": "*"}])
    organizations = victim.client("organizations", "us-east-1")
    move = {"AccountId": MEMBER, "SourceParentId": "r-root", "DestinationParentId": "ou-root-closed00"}
    assert sim.boto3("admin", "cloudtrail").describe_trails()["trailList"] is not None
    assert refused(organizations.move_account, **{**move, "DestinationParentId": "ou-root-none0000"})[0] == "DestinationParentNotFoundException"
    organizations.move_account(**move)
    assert refused(organizations.move_account, **move)[0] == "SourceParentNotFoundException"
    text = refused(sim.boto3("admin", "cloudtrail").describe_trails)[2]
    assert "with an explicit deny in a service control policy" in text


def test_the_delegated_administrator_goes_by_either_door(victim):
    sim = victim.sim
    sim.call("organization", management=MAIN, members=[MEMBER], delegated=[MEMBER])
    sim.add_user("admin", MEMBER)
    trails = victim.client("cloudtrail")
    assert refused(sim.boto3("admin", "cloudtrail").deregister_organization_delegated_admin,
                   DelegatedAdminAccountId=MEMBER)[0] == "NotOrganizationManagementAccountException"
    trails.deregister_organization_delegated_admin(DelegatedAdminAccountId=MEMBER)
    assert refused(trails.deregister_organization_delegated_admin, DelegatedAdminAccountId=MEMBER)[0] == "AccountNotRegisteredException"
