# SPDX-License-Identifier: Apache-2.0
"""Who did it: whom the event history names, and in which region it is asked."""

import json
import re
import time
import uuid

import pytest

from attacks import BUCKET, GROUP, KEY, KEY_STORE, NOTIFIED, ROLE, SCENARIO, VICTIM, bogus_stops, selectors
from guard import within
from helpers import (FRA, IAD, MAIN, SYD, TOPIC, document, documents, events, mail_of, matches, messages, refused, sns, topic_arn,
                     wait_alert)
from simaws.client import poll


@pytest.fixture
def victim(sim, make_guard):
    """A guard of the trail that has everything; not started."""
    sim.load(SCENARIO)
    return make_guard(sim, regions=[FRA], trails=["victim"], settings_interval=1, attribution=True)


def start(guard):
    guard.start().wait_guarding()
    guard.wait_baselines(1, 0)
    return guard


def lookups(sim):
    return {(entry["params"]["LookupAttributes"][0]["AttributeValue"], entry["region"])
            for entry in sim.requests(operation="LookupEvents")}


def record(name, source, user="mallory", **parameters):
    """What CloudTrail would write of a call to a service that is not simulated."""
    return {"userIdentity": {"type": "IAMUser", "userName": user, "arn": f"arn:aws:iam::{MAIN}:user/{user}", "accountId": MAIN},
            "eventSource": f"{source}.amazonaws.com", "eventName": name, "eventID": str(uuid.uuid4()),
            "sourceIPAddress": "203.0.113.7", "userAgent": "aws-cli/2", "requestParameters": parameters}


def test_who_did_it_is_told_in_the_same_incident_and_refused_tries_as_attempts(sim, victim, mallory):
    sim.add_user("eve", MAIN, policy=[{"Effect": "Allow", "Action": "cloudtrail:Describe*", "Resource": "*"}])
    start(victim)
    eve = sim.boto3("eve", "cloudtrail", FRA)
    with pytest.raises(Exception, match="AccessDenied"):
        eve.stop_logging(Name=VICTIM)
    mallory.stop(VICTIM)
    stopped = wait_alert(sim, "trail.stopped")
    entry = wait_alert(sim, "trail.attributed", seconds=20)
    assert entry["incident"] == stopped["incident"]
    assert (entry["actor"]["name"], entry["actor"]["event_name"]) == ("mallory", "StopLogging")
    assert entry["actor"]["source_ip"] == "203.0.113.7"
    attempt = wait_alert(sim, "trail.attempted")
    assert (attempt["actor"]["name"], attempt["severity"]) == ("eve", "warning")
    assert attempt["actor"]["error_code"].startswith("AccessDenied")


def test_nobody_is_named_before_the_guard_knows_which_calls_are_its_own(sim, victim, mallory):
    """Its own restore is the newest of the calls that can have changed the selectors."""
    victim.write_config(mode="restore")
    number = sim.add_fault("http500", operation="GetCallerIdentity")
    start(victim)
    selectors(ReadWriteType="ReadOnly")(mallory, VICTIM)
    sim.wait_for_request(within(20), operation="PutEventSelectors", principal="*:user/guard", status=200)
    victim.wait_line("victim .*: who did it is searched for later", 20)
    sim.remove_fault(number)
    victim.reload()
    found = wait_alert(sim, "trail.attributed", seconds=40)
    assert (found["actor"]["name"], found["actor"]["event_name"]) == ("mallory", "PutEventSelectors")


def test_calls_on_trails_that_do_not_exist_hide_nobody(sim, victim, mallory):
    """As many as fill the pages that were searched once, all newer than the real one."""
    sim.call("settings", history_delay=8)       # the first search comes too early for all of them
    start(victim)
    mallory.stop(VICTIM)
    bogus_stops(mallory, VICTIM)
    entry = wait_alert(sim, "trail.attributed", seconds=45)
    assert (entry["actor"]["name"], entry["actor"]["event_name"]) == ("mallory", "StopLogging")
    asked = {call["params"]["LookupAttributes"][0]["AttributeKey"] for call in sim.requests(operation="LookupEvents")}
    assert asked == {"EventName", "ResourceName"}


def test_status_shows_what_was_refused_and_who_caused_it(sim, victim, mallory):
    """A trail whose StartLogging is refused; also after a restart, and no more once it logs."""
    start(victim)
    sim.add_fault("denied", operation="StartLogging")
    mallory.stop(VICTIM)
    wait_alert(sim, "trail.attributed", seconds=20)

    def incident(status):
        return status["trails"][0]["incident"]

    def shown():
        found = incident(victim.wait_status(lambda status: incident(status) and incident(status)["failure"] and
                                            incident(status)["failure"]["attempts"] > 1 and incident(status)["actor"], 20))
        assert (found["failure"]["action"], found["failure"]["code"]) == ("restart", "AccessDeniedException")
        assert found["actor"]["arn"].endswith(":user/mallory") and found["actor"]["event_name"] == "StopLogging"
        text = victim.verb("status").stdout
        assert re.search("\n    restart failed, attempt [0-9]+ at 20[^ ]*: StartLogging: AccessDeniedException", text), text
        assert re.search("\n    caused by arn:aws:iam::[0-9]{12}:user/mallory from [0-9.]+, StopLogging at 20", text), text
        victim.assert_status_documented()
    shown()
    assert victim.stop() == 0
    assert "episode" in (victim.state / "state.json").read_text()
    victim.start().wait_guarding()
    shown()
    sim.remove_fault()
    sim.wait_for_trail(VICTIM, within(40), logging=True)
    victim.wait_status(lambda status: incident(status) is None, 20)
    assert "failed" not in victim.verb("status").stdout


@pytest.mark.parametrize("checks", [True, False])
def test_what_was_done_to_the_bucket_is_found_in_its_own_region(sim, victim, mallory, checks):
    """Without `bucket_checks` nobody has told where that is, and a delivery fails first."""
    region = SYD if checks else IAD
    sim.call("bucket", name=BUCKET, region=region)
    victim.write_config(bucket_checks=checks)
    start(victim)
    sim.boto3(mallory.user, "s3", region, s3={"addressing_style": "path"}).delete_bucket_policy(Bucket=BUCKET)
    sim.trail(VICTIM, errors={"LatestDeliveryError": "AccessDenied"})
    failing = wait_alert(sim, "trail.failing", seconds=20)
    entry = wait_alert(sim, "trail.attributed", seconds=20)
    assert entry["incident"] == failing["incident"]
    assert (entry["actor"]["name"], entry["actor"]["event_name"]) == ("mallory", "DeleteBucketPolicy")
    assert {("DeleteBucketPolicy", SYD)} <= lookups(sim) if checks else {
        ("DeleteBucketPolicy", FRA), ("DeleteBucketPolicy", IAD)} <= lookups(sim)


@pytest.mark.parametrize("call, parameters", [
    ("schedule_key_deletion", {"KeyId": KEY, "PendingWindowInDays": 7}),
    ("delete_imported_key_material", {"KeyId": KEY}),
    ("disconnect_custom_key_store", {"CustomKeyStoreId": KEY_STORE}),
])
def test_what_was_done_to_the_key_is_found_where_the_key_is(sim, victim, mallory, call, parameters):
    """Which key store it is in, `bucket_checks` knows."""
    victim.write_config(bucket_checks="Store" in "".join(parameters))
    start(victim)
    getattr(sim.boto3(mallory.user, "kms", FRA), call)(**parameters)
    sim.trail(VICTIM, errors={"LatestDeliveryError": "KMS.KMSInvalidStateException"})
    wait_alert(sim, "trail.failing", seconds=20)
    entry = wait_alert(sim, "trail.attributed", seconds=20)
    assert (entry["actor"]["name"], entry["actor"]["event_name"].lower()) == ("mallory", call.replace("_", ""))


def test_who_took_cloudtrails_trusted_access_away_is_found_where_organizations_is_recorded(sim, make_guard, mallory):
    sim.load(SCENARIO)
    start(make_guard(sim, regions=[FRA], trails=["organization"], settings_interval=1, attribution=True))
    organizations = sim.boto3(mallory.user, "organizations", IAD)
    organizations.disable_aws_service_access(ServicePrincipal="config.amazonaws.com")
    organizations.disable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    wait_alert(sim, "trail.weakened")
    entry = wait_alert(sim, "trail.attributed", seconds=20)
    assert (entry["actor"]["name"], entry["actor"]["event_name"]) == ("mallory", "DisableAWSServiceAccess")


@pytest.mark.parametrize("member, name, region, source, parameters", [
    ("LatestCloudWatchLogsDeliveryError", "DeleteLogGroup", FRA, "logs", {"logGroupName": GROUP.split(":")[6]}),
    ("LatestCloudWatchLogsDeliveryError", "DeleteRolePolicy", IAD, "iam",
     {"roleName": ROLE.rpartition("/")[2], "policyName": "write"}),
    ("LatestNotificationError", "DeleteTopic", FRA, "sns", {"topicArn": NOTIFIED}),
])
def test_what_was_done_to_what_the_trail_tells_is_found_where_it_is_recorded(sim, victim, member, name, region, source,
                                                                             parameters):
    """Calls to IAM have no region of their own: they are recorded in one for all."""
    start(victim)
    sim.call("add_event", account=MAIN, region=region, record=record(name, source, **parameters))
    sim.call("add_event", account=MAIN, region=region, record=record(name, source, "somebody", **{
        key: value + "-2" for key, value in parameters.items()}))
    sim.trail(VICTIM, errors={member: "ResourceNotFoundException"})
    wait_alert(sim, "trail.failing", seconds=20)
    entry = wait_alert(sim, "trail.attributed", seconds=20)
    assert (entry["actor"]["name"], entry["actor"]["event_name"]) == ("mallory", name)


def test_a_region_that_refuses_keeps_nobody_from_being_found_in_another(sim, victim):
    start(victim)
    sim.add_fault("denied", operation="LookupEvents", region=FRA)
    sim.call("add_event", account=MAIN, region=IAD, record=record("DeleteRole", "iam", roleName=ROLE.rpartition("/")[2]))
    sim.trail(VICTIM, errors={"LatestCloudWatchLogsDeliveryError": "AccessDenied"})
    entry = wait_alert(sim, "trail.attributed", seconds=20)
    assert entry["actor"]["event_name"] == "DeleteRole"


# -- several guards ----------------------------------------------------------------------------------------------------
OTHER = topic_arn("second")
HINT = "may be another TrailGuard that trailguard.conf does not name: if it is yours, add it to guards"


@pytest.fixture
def two(sim, make_guard, mallory):
    """Two guards with keys of their own, each with a topic; the second is refused every restore, the first the first two.
    Somebody changes the trail, and both have written and searched."""
    sim.load(SCENARIO)
    sim.add_topic(OTHER)
    sim.add_user("guard2", MAIN, policy=[
        {"Effect": "Allow", "Action": ["cloudtrail:*", "sns:Publish"], "Resource": "*"},
        {"Effect": "Deny", "Action": "cloudtrail:UpdateTrail", "Resource": "*"}])
    keys = [sim.keys_of(user)["access_key"] for user in ("guard", "guard2")]

    def start(**options):
        guards = [make_guard(sim, user=user, regions=[FRA], trails=["victim"], settings_interval=1, attribution=True,
                             mode="restore", alerts=sns(topic), **options).start()
                  for user, topic in (("guard", TOPIC), ("guard2", OTHER))]
        for guard in guards:
            guard.wait_guarding()
            guard.wait_baselines(1, 0)
        sim.add_fault("denied", operation="UpdateTrail", access_key=keys[0], count=2)
        mallory.client(VICTIM).update_trail(Name=VICTIM, S3BucketName="example-attacker")
        for key, status in zip(keys, (200, 403)):
            poll(lambda key=key, status=status: sim.requests(operation="UpdateTrail", access_key=key, status=status), within(30))
        for topic in (TOPIC, OTHER):
            wait_alert(sim, "trail.attributed", topic, seconds=30)
        return guards
    return start


def test_guards_that_name_each_other_are_neither_the_actor_nor_refused_attempts(sim, two):
    guards = two(guards=[f"arn:aws:iam::{MAIN}:user/guard", f"arn:aws:iam::{MAIN}:user/guard2"])
    for topic in (TOPIC, OTHER):
        actors = {entry["actor"]["name"] for entry in documents(sim, topic) if entry["actor"]}
        assert actors == {"mallory"}, (topic, actors)
        assert "trail.attempted" not in events(sim, topic)
    assert not any(guard.found(HINT) for guard in guards)


def test_a_guard_that_nobody_names_is_refused_with_a_hint_once_and_no_cause_of_what_it_restored(sim, two):
    """The other guard's write is newer than mallory's, and came after the change had been seen."""
    guards = two()
    for topic in (TOPIC, OTHER):
        assert wait_alert(sim, "trail.attributed", topic)["actor"]["name"] == "mallory"
    assert wait_alert(sim, "trail.attempted", TOPIC)["actor"]["name"] == "guard2"
    for topic in (TOPIC, OTHER):
        for message in messages(sim, topic):
            actor = document(message)["actor"]
            assert (HINT in " ".join(mail_of(message).split())) == bool(actor and actor["name"].startswith("guard"))
    guards[0].wait_line(f"user/guard2 {HINT}")
    assert [len(guard.found(HINT)) for guard in guards] == [1, 0]


def test_who_writes_selectors_too_long_for_a_record_is_named(sim, victim, mallory):
    """AWS leaves out of a record what is longer than 100 KB, and with it the trail's name."""
    padding = [f"arn:aws:s3:::{i:03}{'x' * 500}/" for i in range(249)]
    start(victim)
    selectors(ReadWriteType="ReadOnly", DataResources=[{"Type": "AWS::S3::Object", "Values": padding}])(mallory, VICTIM)
    wait_alert(sim, "trail.weakened")
    entry = wait_alert(sim, "trail.attributed", seconds=20)
    assert (entry["actor"]["name"], entry["actor"]["event_name"]) == ("mallory", "PutEventSelectors")
    mail, = [mail_of(message) for message in messages(sim) if document(message)["event"] == "trail.attributed"]
    assert "AWS left out of the record which trail" in mail


def put_policy(sim, user, *statements, **more):
    sim.boto3(user, "s3", FRA, s3={"addressing_style": "path"}).put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(
        {"Version": "2012-10-17", **more, "Statement": list(statements)}))


def test_who_pads_his_policy_is_named_and_not_who_wrote_the_next(sim, victim, mallory):
    """S3 takes policies of 20 KB. Where nobody can read them, the newest call counts."""
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    hers = {"Effect": "Allow", "Principal": {"AWS": MAIN}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    start(victim)
    put_policy(sim, mallory.user, deny, Id="x" * 19000)
    later = record("PutBucketPolicy", "s3", "alice", bucketName=BUCKET, bucketPolicy={"Id": "x" * 19000, "Statement": [deny, hers]})
    sim.call("add_event", account=MAIN, region=FRA, record=later, time=time.time() + 1)
    failing = wait_alert(sim, "trail.failing", seconds=20)
    entry = wait_alert(sim, "trail.attributed", seconds=20)
    assert (entry["actor"]["name"], entry["incident"]) == ("mallory", failing["incident"]), entry


def test_one_of_several_calls_is_not_named_alone(sim, victim):
    """What their conditions leave CloudTrail nobody can say who does not know AWS's context."""
    admits = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject", "Resource": "*"}
    doubtful = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}}
    start(victim)
    for user, ago in (("mallory", 30), ("alice", 20)):
        sim.call("add_event", account=MAIN, region=FRA, time=time.time() - ago, record=record(
            "PutBucketPolicy", "s3", user, bucketName=BUCKET, bucketPolicy={"Statement": [admits, doubtful]}))
    sim.trail(VICTIM, errors={"LatestDeliveryError": "AccessDenied"})
    failing = wait_alert(sim, "trail.failing", seconds=20)
    entry = wait_alert(sim, "trail.attributed", seconds=20)
    assert (entry["actor"], entry["incident"]) == (None, failing["incident"])
    assert [caller["name"] for caller in entry["candidates"]] == ["mallory", "alice"]
    matches("by one of 2 calls", entry["summary"])
    mail, = [mail_of(message) for message in messages(sim) if document(message)["event"] == "trail.attributed"]
    assert "One of these calls did it" in mail and "user mallory" in mail and "user alice" in mail
    victim.wait_line("victim .*: one of 2 calls did it: PutBucketPolicy by .*:user/[a-z]*, PutBucketPolicy by .*:user/[a-z]*")
    assert not victim.wait_status(lambda status: status["trails"][0]["incident"])["trails"][0]["incident"]["actor"]


def test_a_record_that_comes_late_names_another_in_the_same_incident(sim, victim):
    """Alice's role change is in the history at once, the one that did it is not."""
    start(victim)
    role = ROLE.rpartition("/")[2]
    made = time.time()
    sim.call("add_event", account=MAIN, region=IAD, record=record("AttachRolePolicy", "iam", "alice", roleName=role), time=made - 60)
    sim.trail(VICTIM, errors={"LatestCloudWatchLogsDeliveryError": "AccessDenied"})
    failing = wait_alert(sim, "trail.failing", seconds=20)
    first = wait_alert(sim, "trail.attributed", seconds=20)
    assert first["actor"]["name"] == "alice"
    sim.call("add_event", account=MAIN, region=IAD, record=record("DetachRolePolicy", "iam", roleName=role), time=made - 90)
    entry = wait_alert(sim, "trail.attributed", seconds=45, count=2)
    assert (entry["actor"], entry["incident"]) == (None, failing["incident"])
    assert {caller["name"] for caller in entry["candidates"]} == {"mallory", "alice"}


@pytest.mark.parametrize("skew", [-45, 5, 25])
def test_a_record_whose_time_is_off_names_the_caller(sim, victim, skew):
    start(victim)
    sim.trail(VICTIM, logging=False)
    stopped = wait_alert(sim, "trail.stopped")
    stop = {**record("StopLogging", "cloudtrail"), "requestParameters": {"name": VICTIM}}
    sim.call("add_event", account=MAIN, region=FRA, record=stop,
             resources=[["AWS::CloudTrail::Trail", VICTIM]], time=sim.trail(VICTIM)["stopped"] + skew)
    entry = wait_alert(sim, "trail.attributed", seconds=45)
    assert (entry["actor"]["name"], entry["incident"]) == ("mallory", stopped["incident"])


def test_long_records_of_calls_that_were_refused_hide_nobody(sim, victim, mallory):
    """A record has up to 256 KB, whoever calls: a page of fifty is more than a guard reads at once."""
    sim.add_user("eve", MAIN, policy=[{"Effect": "Deny", "Action": "*", "Resource": "*"}])
    start(victim)
    eve = sim.boto3("eve", "cloudtrail", FRA)
    values = [f"arn:aws:s3:::{i:03}{'x' * 350}/" for i in range(249)]
    for _ in range(45):
        assert refused(eve.put_event_selectors, TrailName=VICTIM, EventSelectors=[
            {"DataResources": [{"Type": "AWS::S3::Object", "Values": values}]}]) == "AccessDeniedException"
    mallory.stop(VICTIM)
    entry = wait_alert(sim, "trail.attributed", seconds=20)
    assert entry["actor"] and (entry["actor"]["name"], entry["actor"]["event_name"]) == ("mallory", "StopLogging"), entry
