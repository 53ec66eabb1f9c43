# SPDX-License-Identifier: Apache-2.0
"""An attacker who has read the source: he makes the guard look at another trail, blame another caller, restore until it may no
more, or create nothing because of what the trail hangs on."""

import json
import time
import uuid

import pytest

from attacks import BUCKET, KEY, NOTIFIED, SCENARIO, VICTIM, close_key
from guard import within
from helpers import FRA, IAD, MAIN, MEMBER, ORG_TRAIL, Mallory, documents, sns, trail_arn, wait_alert
from simaws.client import SimError, poll

ALL_KINDS = ["settings", "selectors", "insights", "deleted"]


@pytest.fixture
def victim(sim, make_guard):
    """A guard of the trail that has everything; not started."""
    sim.load(SCENARIO)
    return make_guard(sim, regions=[FRA], trails=["victim"], settings_interval=1, attribution=True)


def start(guard, baselines=1):
    guard.start().wait_guarding()
    guard.wait_baselines(baselines, 0)
    return guard


def attributed(sim, topic=None, **wanted):
    """The actor of the newest trail.attributed."""
    return wait_alert(sim, "trail.attributed", *([topic] if topic else []), seconds=30,
                      holds=lambda entry: all(entry["trail"][name] == value for name, value in wanted.items()))["actor"]


# -- whom it blames ----------------------------------------------------------------------------------------------------
def test_a_deployment_a_moment_later_is_not_to_blame(sim, victim, mallory):
    """It writes the topic that was there before; the newest UpdateTrail was taken for the cause."""
    sim.add_user("deployment", MAIN)
    deployment = Mallory(sim, "deployment").client(VICTIM)
    start(victim)
    with sim.fault("hold", operation="DescribeTrails", user_agent="TrailGuard*"):
        mallory.client(VICTIM).update_trail(Name=VICTIM, S3KeyPrefix="elsewhere")
        deployment.update_trail(Name=VICTIM, SnsTopicName=NOTIFIED)
    found = attributed(sim)
    assert (found["name"], found["event_name"]) == ("mallory", "UpdateTrail"), found


OPEN = {"Sid": "Deployment", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{MAIN}:root"}, "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*"}


def write_policies(sim, *writers):
    """Each (user, policy) in its order; a policy None is deleted. The history has whole seconds."""
    for user, policy in writers:
        s3 = sim.boto3(user, "s3", FRA, s3={"addressing_style": "path"})
        if policy is None:
            s3.delete_bucket_policy(Bucket=BUCKET)
        else:
            s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
        time.sleep(1.1)


@pytest.mark.parametrize("case", ["another closed one", "no policy at all", "mended and closed again", "the key closed, the bucket open"])
def test_whoever_closed_the_bucket_is_to_blame_and_not_who_wrote_its_policy_later(sim, victim, mallory, case):
    """All of it before the guard asks. The newest PutBucketPolicy was taken for the cause."""
    sim.add_user("deployment", MAIN)
    good = json.loads(sim.boto3("deployment", "s3", FRA, s3={"addressing_style": "path"}).get_bucket_policy(Bucket=BUCKET)["Policy"])
    closed = {**good, "Statement": [OPEN]}
    writers = {
        "another closed one": [("mallory", closed), ("deployment", {**closed, "Id": "tagged"})],
        "no policy at all": [("mallory", None), ("deployment", closed)],
        "mended and closed again": [("deployment", closed), ("deployment", good), ("mallory", closed)],
        "the key closed, the bucket open": [("deployment", {**good, "Statement": [*good["Statement"], OPEN]})],
    }[case]
    start(victim)
    with sim.fault("hold", operation="GetTrailStatus", user_agent="TrailGuard*"):
        if case == "the key closed, the bucket open":
            close_key(mallory, VICTIM)
        write_policies(sim, *writers)
    wait_alert(sim, "trail.failing", seconds=20)
    found = attributed(sim)
    assert found["name"] == "mallory", found


@pytest.mark.parametrize("breaks, blamed", [("delete_bucket", "DeleteBucket"), ("disable_key", "DisableKey")])
def test_who_writes_the_buckets_policy_is_not_to_blame_for_what_s3_calls_otherwise(sim, victim, mallory, breaks, blamed):
    """NoSuchBucket, or KMS.DisabledException: both come from no policy."""
    sim.add_user("deployment", MAIN)
    s3 = sim.boto3("deployment", "s3", FRA, s3={"addressing_style": "path"})
    policy = s3.get_bucket_policy(Bucket=BUCKET)["Policy"]
    start(victim)
    if breaks == "disable_key":
        sim.boto3("mallory", "kms", FRA).disable_key(KeyId=KEY)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    if breaks == "delete_bucket":
        sim.boto3("mallory", "s3", FRA, s3={"addressing_style": "path"}).delete_bucket(Bucket=BUCKET)
    wait_alert(sim, "trail.failing", seconds=20)
    found = attributed(sim)
    assert (found["name"], found["event_name"]) == ("mallory", blamed), found


def test_a_namesake_of_the_delegated_administrator_is_another_trail(sim, make_guard, mallory):
    """Its owner deletes it by name, in the only history that the guard can search."""
    sim.call("organization", management=MAIN, members=[MEMBER], delegated=[MEMBER])
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    sim.add_topic(topic := f"arn:aws:sns:{FRA}:{MEMBER}:alerts")
    for user in ("hub", "owner"):
        sim.add_user(user, MEMBER)
    guard = make_guard(sim, "hub", mode="observe", regions=[FRA], trails=[ORG_TRAIL], attribution=True, alerts=sns(topic))
    start(guard)
    guard.wait_verdict("org-trail", "protected", 20)
    own = sim.boto3("owner", "cloudtrail", FRA)
    own.create_trail(Name="org-trail", S3BucketName="own-logs")
    own.start_logging(Name="org-trail")
    with sim.fault("hold", operation="GetTrailStatus", user_agent="TrailGuard*"):
        mallory.stop(ORG_TRAIL)
        own.stop_logging(Name="org-trail")
    wait_alert(sim, "trail.stopped", topic, seconds=20)
    sim.wait_for_request(within(60), count=4, operation="LookupEvents")      # two searches
    assert not [entry for entry in documents(sim, topic) if entry["actor"]], documents(sim, topic)
    sim.boto3("hub", "cloudtrail", FRA).start_logging(Name=ORG_TRAIL)


def test_who_starts_the_trail_again_is_not_to_blame(sim, victim, mallory):
    sim.add_user("innocent", MAIN)
    start(victim)
    with sim.fault("hold", operation="GetTrailStatus", user_agent="TrailGuard*"):
        mallory.stop(VICTIM)
        Mallory(sim, "innocent").start(VICTIM)
    wait_alert(sim, "trail.interrupted", seconds=20)
    assert attributed(sim)["name"] == "mallory"


CALLERS = [
    ({"type": "AWSService", "invokedBy": "config.amazonaws.com"}, "config.amazonaws.com"),
    ({"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": "777788889999"}, "account 777788889999"),
    ({"type": "WebIdentityUser", "principalId": "accounts.example.org:app:user-1", "userName": "user-1",
      "identityProvider": "accounts.example.org"}, "user-1"),
    ({"type": "IdentityCenterUser", "accountId": MAIN, "onBehalfOf": {
        "userId": "94482488-3041-7001-5040-example", "identityStoreArn": "arn:aws:identitystore::111122223333:identitystore/d-1"}},
     "94482488-3041-7001-5040-example"),
    ({"type": "Root", "principalId": MAIN, "accountId": MAIN, "arn": f"arn:aws:iam::{MAIN}:root"}, "root"),
    ({"type": "FederatedUser", "principalId": f"{MAIN}:fred", "accountId": MAIN,
      "arn": f"arn:aws:sts::{MAIN}:federated-user/fred"}, "fred"),
    ({"type": "SAMLUser", "principalId": "SAMPLE:saml@example.org", "userName": "saml@example.org"}, "saml@example.org"),
    ({"type": "Unknown"}, None), ({}, None),
]


@pytest.mark.parametrize("identity, name", CALLERS, ids=[identity.get("type", "none") for identity, _ in CALLERS])
def test_a_caller_without_an_arn_is_named_as_far_as_the_record_goes(sim, victim, identity, name):
    """And the guard goes on, whatever a record leaves out."""
    start(victim)
    sim.trail(VICTIM, logging=False)
    sim.call("add_event", account=MAIN, region=FRA, resources=[["AWS::CloudTrail::Trail", VICTIM]], record={
        "userIdentity": identity, "eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging", "eventID": str(uuid.uuid4()),
        "requestParameters": {"name": VICTIM}})
    found = attributed(sim)
    assert found["name"] == name and found["event_name"] == "StopLogging", found
    sim.wait_for_trail(VICTIM, within(20), logging=True)
    victim.wait_verdict("victim", "logging", 20)


# -- which trail it looks at ---------------------------------------------------------------------------------------------
NAMESAKES = [trail_arn("audits", FRA), trail_arn("audits2", FRA), trail_arn("Audits", FRA), trail_arn("audits", IAD)]


@pytest.mark.parametrize("stopped", NAMESAKES, ids=["plain", "prefix", "case", "region"])
def test_trails_that_are_called_alike(sim, make_guard, mallory, stopped):
    """One name is the beginning of another, another differs in case, one is there in two regions."""
    for arn in (trail["arn"] for trail in sim.call("trails")):
        sim.trail(arn, delete=True)
    for arn in NAMESAKES:
        sim.add_trail(arn.rpartition("/")[2], MAIN, arn.split(":")[3])
    sim.add_user("other", MAIN)
    other = Mallory(sim, "other")
    guard = make_guard(sim, regions=[FRA, IAD], settings_interval=1, attribution=True, mode="restore", restore=ALL_KINDS)
    start(guard, len(NAMESAKES))
    mark = sim.mark()
    with sim.fault("hold", operation="GetTrailStatus", user_agent="TrailGuard*"):
        mallory.client(stopped).stop_logging(Name=stopped.rpartition("/")[2])
        for arn in NAMESAKES:       # each newer than the real one, and stops nothing that matters
            if arn != stopped:
                other.client(arn).update_trail(Name=arn, S3KeyPrefix="")
    wait_alert(sim, "trail.stopped", seconds=20, holds=lambda entry: entry["trail"]["arn"] == stopped)
    assert attributed(sim, arn=stopped)["name"] == "mallory"
    sim.wait_for_trail(stopped, within(20), logging=True)
    mallory.client(stopped).delete_trail(Name=stopped.rpartition("/")[2])
    wait_alert(sim, "trail.missing", seconds=20, holds=lambda entry: entry["trail"]["arn"] == stopped)
    poll(lambda: is_logging(sim, stopped), within(30))
    assert {entry["trail"]["arn"] for entry in documents(sim) if entry["trail"] and entry["event"] != "baseline.weak"} == {stopped}
    assert {call["trail"] for call in sim.requests(since=mark, operation="StartLogging")} <= {stopped}


def is_logging(sim, arn):
    try:
        return sim.trail(arn)["logging"]
    except SimError:
        return False


def test_a_trail_that_moves_to_another_home(sim, make_guard, mallory):
    """Deleted, and created under its name in another region, where it covers all of them and shows in the old one as well."""
    for arn in (trail["arn"] for trail in sim.call("trails")):
        sim.trail(arn, delete=True)
    home, other = trail_arn("audits", FRA), trail_arn("audits", IAD)
    sim.add_trail("audits", MAIN, FRA, IsMultiRegionTrail=True)
    guard = make_guard(sim, regions=[FRA, IAD], settings_interval=1, mode="restore", restore=ALL_KINDS, attribution=True)
    start(guard)
    mallory.delete(home)
    mallory.client(other).create_trail(Name="audits", S3BucketName="mallorys-bucket", IsMultiRegionTrail=True)
    mallory.start(other)
    wait_alert(sim, "trail.missing", seconds=20, holds=lambda entry: entry["trail"]["arn"] == home)
    told = wait_alert(sim, "trail.appeared", seconds=20)
    assert told["trail"]["arn"] == other and told["destination"]["bucket"] == "mallorys-bucket"
    poll(lambda: is_logging(sim, home), within(30))
    assert sim.trail(home)["settings"]["S3BucketName"] == "audits-logs"
    assert attributed(sim, arn=home)["event_name"] == "DeleteTrail"


# -- how often it restores -------------------------------------------------------------------------------------------------
def alike(number):
    """The same selection of events in other words each time."""
    data = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::example-secrets/"]}
    forms = [
        {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [data] * (number % 3 + 1)}]},
        {"EventSelectors": [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True, "DataResources": [data]},
                            {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": [data]}]},
        {"AdvancedEventSelectors": [
            {"Name": f"m{number}", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
            {"Name": f"d{number}", "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
                {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::example-secrets/"]}]}]}]
    return forms[number % len(forms)]


def test_the_same_in_other_words_uses_up_no_restore(sim, victim, mallory):
    """Twelve times, with two restores an hour: the thirteenth change is a real one."""
    victim.write_config(mode="restore", restore=ALL_KINDS, max_restores_per_hour=2)
    start(victim)
    client = mallory.client(VICTIM)
    for number in range(12):
        mark = sim.mark()
        client.put_event_selectors(TrailName=VICTIM, **alike(number))
        sim.wait_for_request(within(20), operation="GetEventSelectors", status=200, principal="*:user/guard", since=mark)
    client.put_event_selectors(TrailName=VICTIM, EventSelectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}])
    told = wait_alert(sim, "trail.weakened", seconds=20)
    assert told["fields"] == ["EventSelectors"] and not told["restores_paused"]
    poll(lambda: sim.trail(VICTIM)["selectors"] and sim.trail(VICTIM)["selectors"][0]["DataResources"], within(20))
    assert sim.trail(VICTIM)["selectors"][0]["ReadWriteType"] == "All"


def test_as_many_tags_as_fit_keep_none_from_being_restored(sim, victim, mallory):
    """His fill the trail's fifty, so that the recorded ones have no room before his are gone."""
    victim.write_config(mode="restore", restore=ALL_KINDS)
    start(victim)
    before, client = sim.trail(VICTIM)["tags"], mallory.client(VICTIM)
    client.remove_tags(ResourceId=VICTIM, TagsList=[{"Key": key} for key in before])
    client.add_tags(ResourceId=VICTIM, TagsList=[{"Key": f"mine-{number}", "Value": "x" * 256} for number in range(50)])
    poll(lambda: sim.trail(VICTIM)["tags"] == before, within(30))
    told = wait_alert(sim, "trail.weakened", seconds=20)
    assert told["fields"] == ["Tags"]


# -- what a trail hangs on -------------------------------------------------------------------------------------------------
def test_what_a_trail_hangs_on_is_gone_before_the_trail(sim, victim, mallory):
    """Each of them alone makes AWS refuse CreateTrail: key, topic, log group. It is created again without them, and logs."""
    victim.write_config(mode="restore", restore=ALL_KINDS)
    start(victim)
    kms = sim.boto3("mallory", "kms", FRA)
    owner = json.loads(kms.get_key_policy(KeyId=KEY, PolicyName="default")["Policy"])["Statement"][0]
    kms.put_key_policy(KeyId=KEY, PolicyName="default", Policy=json.dumps({"Version": "2012-10-17", "Statement": [owner]}))
    sim.boto3("mallory", "sns", FRA).delete_topic(TopicArn=NOTIFIED)
    sim.boto3("mallory", "logs", FRA).delete_log_group(logGroupName="CloudTrail")
    mallory.delete(VICTIM)
    poll(lambda: is_logging(sim, VICTIM), within(30))
    settings = sim.trail(VICTIM)["settings"]
    assert (settings["S3BucketName"], settings["IsMultiRegionTrail"]) == (BUCKET, True)
    wait_alert(sim, "trail.missing", seconds=20)
    lost = {"KmsKeyId", "SnsTopicARN", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"}

    def named():
        return {field for entry in documents(sim) for field in entry["fields"]}
    try:
        poll(lambda: lost <= named(), within(30))
    except AssertionError:
        raise AssertionError([(e["event"], e["fields"], e["fields_left"], e["action"], e["detail"]) for e in documents(sim)]) from None
    assert named() == lost


def test_requester_pays(sim, victim):
    """CloudTrail delivers to no such bucket; neither its policy nor anything else that is polled shows it."""
    victim.write_config(bucket_checks=True)
    start(victim)
    sim.boto3("mallory", "s3", FRA, s3={"addressing_style": "path"}).put_bucket_request_payment(
        Bucket=BUCKET, RequestPaymentConfiguration={"Payer": "Requester"})
    failing = wait_alert(sim, "trail.failing", seconds=20)
    assert failing["findings"][0] == "delivery" and failing["severity"] == "critical"
    found = attributed(sim)
    assert (found["name"], found["event_name"]) == ("mallory", "PutBucketRequestPayment")
