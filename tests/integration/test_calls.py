# SPDX-License-Identifier: Apache-2.0
"""The typed calls of lib/, one by one, against botocore's models and signer: what they send is what AWS takes, and what
they read is what AWS says. The fixture fails a test for every bad signature and shape."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from guard import BINARY

HELPER = Path(os.environ.get("TRAILGUARD_REAL_BIN", BINARY)).parent / "tests/integration/calls_helper"
HOME, MAIN, MEMBER = "eu-central-1", "111122223333", "444455556666"
TRAIL = f"arn:aws:cloudtrail:{HOME}:{MAIN}:trail/org-trail"
LOGS = "example-org-logs"
KEY = f"arn:aws:kms:{HOME}:{MAIN}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GROUP = f"arn:aws:logs:{HOME}:{MAIN}:log-group:trail:*"
ROLE = f"arn:aws:iam::{MAIN}:role/CloudTrailToLogs"


class Caller:
    """calls_helper with one user's keys: caller.update_trail(ARN, {...}) and so on; arguments that are no strings go as
    JSON."""

    def __init__(self, sim, user="mallory", region=HOME):
        self.env = {**os.environ, **sim.env_for(user)}
        self.region = region

    def __getattr__(self, operation):
        def call(*arguments):
            words = [word if isinstance(word, str) else json.dumps(word) for word in arguments]
            done = subprocess.run([HELPER, self.region, operation, *words], env=self.env, stdout=subprocess.PIPE,
                                  timeout=60, check=True)
            return json.loads(done.stdout)
        return call

    def ok(self, operation, *arguments):
        """The result of a call that must work."""
        answer = getattr(self, operation)(*arguments)
        assert answer["class"] == "ok", answer
        return answer.get("result")


@pytest.fixture
def caller(sim):
    return Caller(sim)


def only(trails):
    found = [trail for trail in trails if trail["TrailARN"] == TRAIL]
    assert len(found) == 1
    return found[0]


def boto_view(sim):
    """Everything that a trail is, as Amazon's own client sees it."""
    client = sim.boto3("mallory", "cloudtrail")
    view = {"trail": client.get_trail(Name=TRAIL)["Trail"],
            "selectors": client.get_event_selectors(TrailName=TRAIL),
            "tags": sorted(client.list_tags(ResourceIdList=[TRAIL])["ResourceTagList"][0]["TagsList"],
                           key=lambda tag: tag["Key"])}
    for part in view.values():
        if isinstance(part, dict):
            part.pop("ResponseMetadata", None)
    try:
        view["insights"] = client.get_insight_selectors(TrailName=TRAIL)["InsightSelectors"]
    except client.exceptions.InsightNotEnabledException:
        view["insights"] = []
    return view


def settle(sim):
    """A trail with something in every setting."""
    client = sim.boto3("mallory", "cloudtrail")
    client.update_trail(Name=TRAIL, S3KeyPrefix="prefix/ü", SnsTopicName=f"arn:aws:sns:{HOME}:{MAIN}:trailguard",
                        KmsKeyId=KEY, CloudWatchLogsLogGroupArn=GROUP, CloudWatchLogsRoleArn=ROLE,
                        EnableLogFileValidation=True)
    client.put_insight_selectors(TrailName=TRAIL, InsightSelectors=[{"InsightType": "ApiCallRateInsight"}])
    client.add_tags(ResourceId=TRAIL, TagsList=[{"Key": "team", "Value": "sec"}, {"Key": "empty"}])


def remember(caller):
    """What a guard keeps of a trail, by its own calls only."""
    return {"trail": only(caller.ok("describe_trails")), "selectors": caller.ok("get_event_selectors", TRAIL),
            "insights": caller.ok("get_insight_selectors", TRAIL), "tags": caller.ok("list_tags", TRAIL)}


SETTINGS = ("S3BucketName", "S3KeyPrefix", "SnsTopicARN", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn", "KmsKeyId",
            "IsMultiRegionTrail", "IncludeGlobalServiceEvents", "LogFileValidationEnabled", "IsOrganizationTrail")


def settings(memory):
    return {name: memory["trail"][name] for name in SETTINGS}


def test_every_setting_is_read_as_amazons_client_reads_it(sim, caller):
    settle(sim)
    seen, said = only(caller.ok("describe_trails")), boto_view(sim)["trail"]
    said.pop("SnsTopicName")
    for name, value in said.items():
        assert seen[name] == value, name
    assert seen["present"] == 127
    assert caller.ok("get_event_selectors", TRAIL) == [
        '[{"DataResources":[],"ExcludeManagementEventSources":[],"IncludeManagementEvents":true,"ReadWriteType":"All"}]', ""]
    assert caller.ok("list_tags", TRAIL) == {"team": "sec", "empty": ""}


def test_what_was_tampered_with_is_put_back(sim, caller):
    settle(sim)
    before, memory = boto_view(sim), remember(caller)
    client = sim.boto3("mallory", "cloudtrail")
    # what an attacker does in one call, and then the rest
    client.update_trail(Name=TRAIL, S3BucketName="other-logs", S3KeyPrefix="", SnsTopicName="", KmsKeyId="",
                        CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn="", IsMultiRegionTrail=False,
                        IncludeGlobalServiceEvents=False, EnableLogFileValidation=False)
    client.put_event_selectors(TrailName=TRAIL, AdvancedEventSelectors=[
        {"Name": "blind", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]},
                                             {"Field": "readOnly", "Equals": ["true"]}]}])
    client.put_insight_selectors(TrailName=TRAIL, InsightSelectors=[])
    client.remove_tags(ResourceId=TRAIL, TagsList=[{"Key": "team"}, {"Key": "empty"}])
    client.add_tags(ResourceId=TRAIL, TagsList=[{"Key": "evil", "Value": "1"}])
    assert boto_view(sim) != before
    changed = remember(caller)
    assert changed["selectors"][0] == "" and changed["insights"] == "" and changed["tags"] == {"evil": "1"}

    caller.ok("update_trail", TRAIL, settings(memory))
    caller.ok("put_event_selectors", TRAIL, *memory["selectors"])
    caller.ok("put_insight_selectors", TRAIL, memory["insights"])
    caller.ok("add_tags", TRAIL, memory["tags"])
    caller.ok("remove_tags", TRAIL, {"evil": ""})
    assert remember(caller) == memory
    assert boto_view(sim) == before


@pytest.mark.parametrize("fields", [
    [{"Field": "eventCategory", "Equals": ["Management"]}, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}],
    [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
     {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::ü\"\\/"]}]])
def test_advanced_selectors_go_round(sim, caller, fields):
    client = sim.boto3("mallory", "cloudtrail")
    wanted = [{"Name": "näme", "FieldSelectors": fields}]
    client.put_event_selectors(TrailName=TRAIL, AdvancedEventSelectors=wanted)
    kept = caller.ok("get_event_selectors", TRAIL)
    assert kept[0] == "" and json.loads(kept[1]) == wanted
    client.put_event_selectors(TrailName=TRAIL, EventSelectors=[{"ReadWriteType": "WriteOnly"}])
    caller.ok("put_event_selectors", TRAIL, *kept)
    assert client.get_event_selectors(TrailName=TRAIL)["AdvancedEventSelectors"] == wanted
    assert caller.ok("get_event_selectors", TRAIL) == kept


def test_only_what_is_set_is_sent(sim, caller):
    before = boto_view(sim)["trail"]
    caller.ok("update_trail", TRAIL, {"S3KeyPrefix": "p"})
    assert boto_view(sim)["trail"] == {**before, "S3KeyPrefix": "p"}
    request = sim.requests(operation="UpdateTrail")[-1]
    assert request["params"] == {"Name": TRAIL, "S3KeyPrefix": "p"}


def test_a_deleted_trail_is_made_again(sim, caller):
    settle(sim)
    sim.boto3("mallory", "cloudtrail").put_event_selectors(TrailName=TRAIL, EventSelectors=[
        {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [
            {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::secrets/"]}]}])
    before, memory = boto_view(sim), remember(caller)
    sim.boto3("mallory", "cloudtrail").delete_trail(Name=TRAIL)
    assert not [trail for trail in caller.ok("describe_trails") if trail["TrailARN"] == TRAIL]
    caller.ok("create_trail", "org-trail", settings(memory), memory["tags"])
    caller.ok("put_event_selectors", TRAIL, *memory["selectors"])
    caller.ok("put_insight_selectors", TRAIL, memory["insights"])
    assert not sim.trail(TRAIL)["logging"]
    caller.ok("start_logging", TRAIL)
    assert sim.trail(TRAIL)["logging"]
    assert boto_view(sim) == before
    assert caller.create_trail("org-trail", settings(memory), {})["code"] == "TrailAlreadyExistsException"


def test_a_refused_write_says_why(sim, caller):
    answer = Caller(sim, region="us-east-1").update_trail(TRAIL, {"S3KeyPrefix": "p"})
    assert (answer["class"], answer["code"]) == ("wrong region", "InvalidHomeRegionException")
    sim.call("bucket", name="gone-logs", missing=True)
    answer = caller.update_trail(TRAIL, {"S3BucketName": "gone-logs"})
    assert (answer["class"], answer["code"]) == ("refused", "S3BucketDoesNotExistException")
    sim.add_user("weak", MAIN, policy=[{"Effect": "Allow", "Action": "cloudtrail:Describe*", "Resource": "*"}])
    answer = Caller(sim, "weak").start_logging(TRAIL)
    assert answer["class"] == "denied"
    assert (answer["action"], answer["resource"]) == ("cloudtrail:StartLogging", TRAIL)


def test_who_did_it(sim, caller):
    client = sim.boto3("mallory", "cloudtrail")
    sim.add_user("weak", MAIN, policy=[])
    weak = sim.boto3("weak", "cloudtrail")
    with pytest.raises(weak.exceptions.ClientError):
        weak.stop_logging(Name=TRAIL)
    client.update_trail(Name=TRAIL, S3KeyPrefix="p")
    client.stop_logging(Name=TRAIL)
    sim.call("settings", history_delay=0)
    events = caller.ok("lookup_events", TRAIL)["events"]
    assert [event["event_name"] for event in events] == ["StopLogging", "UpdateTrail", "StopLogging"]
    stop, update, denied = events
    assert all(event["whole"] and not event["read_only"] and event["trail"] == TRAIL for event in events)
    assert stop["identity"]["arn"] == f"arn:aws:iam::{MAIN}:user/mallory" and stop["identity"]["type"] == "IAMUser"
    assert stop["username"] == stop["identity"]["user_name"] == "mallory" and stop["source_ip"] == "203.0.113.7"
    assert stop["error_code"] == "" and stop["resources"] == [TRAIL]
    assert json.loads(update["parameters"]) == {"name": TRAIL, "s3KeyPrefix": "p"}
    assert denied["error_code"] == "AccessDenied"
    assert abs(stop["event_time_usec"] / 1e6 - client.lookup_events()["Events"][0]["EventTime"].timestamp()) < 2


def test_a_role_session_in_the_history(sim, caller):
    sim.add_role("admin", MAIN)
    session = sim.boto3("mallory", "sts").assume_role(RoleArn=f"arn:aws:iam::{MAIN}:role/admin", RoleSessionName="bob")
    keys = session["Credentials"]
    sim.add_keys("bob", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    sim.boto3("bob", "cloudtrail").stop_logging(Name=TRAIL)
    event = caller.ok("lookup_events", TRAIL)["events"][0]
    assert event["identity"]["type"] == "AssumedRole" and event["identity"]["issuer_arn"].endswith(":role/admin")
    assert event["identity"]["arn"].endswith(":assumed-role/admin/bob") and event["username"] == "bob"
    assert event["access_key_id"] == keys["AccessKeyId"]


def test_the_history_page_by_page(sim, caller):
    client = sim.boto3("mallory", "cloudtrail")
    for _ in range(5):
        client.start_logging(Name=TRAIL)
    first = caller.ok("lookup_events", TRAIL, "3")
    second = caller.ok("lookup_events", TRAIL, "3", first["next"])
    assert [len(page["events"]) for page in (first, second)] == [3, 2] and second["next"] == ""
    assert len({event["event_id"] for page in (first, second) for event in page["events"]}) == 5
    assert caller.lookup_events(TRAIL, "3", "bm9uc2Vuc2U=")["code"] == "InvalidNextTokenException"


def test_events_are_late(sim, caller):
    sim.call("settings", history_delay=60, signature_window=3600)
    sim.boto3("mallory", "cloudtrail").stop_logging(Name=TRAIL)
    assert caller.ok("lookup_events", TRAIL) == {"events": [], "next": ""}
    sim.clock(61)
    assert len(caller.ok("lookup_events", TRAIL)["events"]) == 1


def test_the_bucket(sim, caller):
    s3 = sim.boto3("mallory", "s3", s3={"addressing_style": "path"})
    assert caller.ok("head_bucket", LOGS, MAIN) == HOME
    assert caller.ok("head_bucket", LOGS) == HOME
    assert caller.head_bucket(LOGS, MEMBER)["class"] == "denied"
    assert json.loads(caller.ok("get_policy", LOGS, MAIN)) == json.loads(s3.get_bucket_policy(Bucket=LOGS)["Policy"])
    assert caller.ok("get_lifecycle", LOGS, MAIN) == []
    s3.put_bucket_lifecycle_configuration(Bucket=LOGS, LifecycleConfiguration={"Rules": [
        {"ID": "nuke & run", "Status": "Enabled", "Filter": {"Prefix": "*"}, "Expiration": {"Days": 1}}]})
    assert caller.ok("get_lifecycle", LOGS, MAIN) == [{"id": "nuke & run", "prefix": "*", "enabled": True, "days": 1}]
    s3.delete_bucket_policy(Bucket=LOGS)
    assert caller.ok("get_policy", LOGS, MAIN) == ""
    s3.delete_bucket(Bucket=LOGS)
    for operation in ("head_bucket", "get_policy", "get_lifecycle"):
        answer = getattr(caller, operation)(LOGS, MAIN)
        assert (answer["class"], answer["code"]) == ("not found", "NoSuchBucket"), operation


def test_a_bucket_in_another_region(sim, caller):
    sim.call("bucket", name=LOGS, region="us-east-1")
    assert caller.ok("head_bucket", LOGS, MAIN) == "us-east-1"
    assert json.loads(caller.ok("get_policy", LOGS, MAIN))["Statement"]
    asked = [(request["operation"], request["region"], request["status"]) for request in sim.requests(service="s3")]
    assert asked == [("HeadBucket", HOME, 301), ("HeadBucket", "us-east-1", 200),
                     ("GetBucketPolicy", HOME, 301), ("GetBucketPolicy", "us-east-1", 200)]


def test_a_bucket_we_may_not_look_at(sim):
    sim.add_user("weak", MAIN, policy=[{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}])
    weak = Caller(sim, "weak")
    assert weak.ok("head_bucket", LOGS, MAIN) == HOME
    answer = weak.get_policy(LOGS, MAIN)
    assert (answer["class"], answer["action"], answer["resource"]) == ("denied", "s3:GetBucketPolicy", f"arn:aws:s3:::{LOGS}")


def test_the_key(sim, caller):
    sim.boto3("mallory", "cloudtrail").update_trail(Name=TRAIL, KmsKeyId=KEY)
    kms = sim.boto3("mallory", "kms")
    enabled = {"state": "Enabled", "enabled": True}
    assert caller.ok("describe_key", KEY) == enabled
    kms.disable_key(KeyId=KEY)
    assert caller.ok("describe_key", KEY) == {**enabled, "state": "Disabled", "enabled": False}
    kms.schedule_key_deletion(KeyId=KEY)
    assert caller.ok("describe_key", KEY) == {**enabled, "state": "PendingDeletion", "enabled": False}
    answer = caller.describe_key(KEY.replace("1234abcd", "00000000"))
    assert (answer["class"], answer["code"]) == ("not found", "NotFoundException")
