# SPDX-License-Identifier: Apache-2.0
"""What is known of a trail's settings when AWS, the disk or the daemon itself fails in between."""

import json

import pytest

from attacks import BUCKET, KEY, PACU_MINIMIZE, SCENARIO, SELECTORS, VICTIM
from guard import within
from helpers import FRA, IAD, MAIN, MEMBER, TOPIC, documents, matches, operations, refused, sns, wait_alert, wait_outcome
from simaws.client import poll
from test_baseline import RESTORE, baselines, start, told, update

MEMBER_TOPIC = f"arn:aws:sns:{FRA}:{MEMBER}:alerts"


@pytest.fixture
def victim(sim, make_guard):
    sim.load(SCENARIO)
    return make_guard(sim, regions=[FRA], trails=["victim"], settings_interval=1)


def message_about(sim, words):
    message, = [entry["received"]["email"] for entry in sim.messages(TOPIC) if words in entry["received"]["email"]["Subject"]]
    return message


def test_a_trail_that_cannot_be_looked_at_is_not_accepted_as_gone(sim, victim):
    start(victim).stop()
    before = baselines(victim)[0].read_text()
    for operation, status in (("DescribeTrails", 1), ("GetTrailStatus", 0)):
        with sim.fault("denied", operation=operation):
            done = victim.verb("accept", "--yes", "victim")
        assert done.returncode == status and "gone" not in done.stdout, done.stdout
        assert baselines(victim)[0].read_text() == before


def test_settings_that_are_seen_do_not_hide_that_the_status_is_not(sim, victim):
    start(victim)
    with sim.fault("denied", operation="GetTrailStatus"):
        wait_alert(sim, "target.unreachable", seconds=20)
        mark = sim.mark()
        sim.wait_for_request(within(20), since=mark, operation="GetEventSelectors", count=3)
        victim.wait_delivered()
        assert told(sim, "target.reachable") == []
    wait_alert(sim, "target.reachable", seconds=20)


def test_a_change_is_told_also_while_the_status_cannot_be_seen(sim, victim, mallory):
    start(victim)
    with sim.fault("denied", operation="GetTrailStatus", user_agent="TrailGuard*"):
        wait_alert(sim, "target.unreachable", seconds=20)
        update(mallory, S3BucketName="mallorys-bucket")
        entry = wait_alert(sim, "trail.weakened")
    assert entry["changes"] == [{"field": "S3BucketName", "expected": BUCKET, "actual": "mallorys-bucket"}]


def test_a_restart_in_the_midst_of_a_change_claims_no_restore_and_forgets_no_value(sim, victim, mallory):
    victim.write_config(max_restores_per_hour=1, **RESTORE)
    start(victim)
    with sim.fault("denied", operation="UpdateTrail", user_agent="TrailGuard*"):
        update(mallory, S3BucketName="mallorys-bucket")
        wait_alert(sim, "trail.weakened")
        victim.stop()
    victim.write_config(max_restores_per_hour=30, reminder_interval=0, **RESTORE)
    state = json.loads((victim.state / "state.json").read_text())
    assert [change["field"] for trail in state["trails"] for change in trail["changes"]] == ["S3BucketName"]
    victim.start().wait_guarding()
    entry = wait_alert(sim, "trail.resolved")
    assert entry["changes"] == [{"field": "S3BucketName", "expected": BUCKET, "actual": "mallorys-bucket"}]
    assert sim.trail(VICTIM)["settings"]["S3BucketName"] == BUCKET


def test_a_trail_deleted_while_nobody_looked_is_made_again_at_the_first_look(sim, victim, mallory):
    sim.trail(VICTIM, configuration={})     # with one it is a write more, a second of AWS's quota, and past the 5 s of the message
    victim.write_config(**RESTORE)
    start(victim).stop()
    mallory.delete(VICTIM)
    victim.start()
    entry = wait_outcome(sim, "trail.missing")
    assert entry["action"] == {"taken": "recreate", "result": "confirmed", "attempts": 1}
    assert sim.trail(VICTIM)["settings"]["S3BucketName"] == BUCKET


def test_what_a_restart_cannot_know_yet_is_not_told_as_over(sim, victim):
    start(victim)
    with sim.fault("denied", operation="GetEventSelectors"):
        wait_alert(sim, "target.unreachable", seconds=20)
        victim.reload()
        mark = sim.mark()
        sim.wait_for_request(within(20), since=mark, operation="GetEventSelectors", count=4)
        victim.wait_delivered()
        assert told(sim, "target.reachable") == [] and len(told(sim, "target.unreachable")) == 1
    wait_alert(sim, "target.reachable", seconds=20)


@pytest.mark.parametrize("verb", [("check",), ("accept",)])
def test_whoever_only_looks_leaves_a_damaged_baseline_where_it_is(victim, verb):
    start(victim).stop()
    path = baselines(victim)[0]
    path.write_text("{ not json")
    victim.verb(*verb)
    assert path.read_text() == "{ not json" and list(path.parent.iterdir()) == [path]


def test_a_baseline_that_cannot_be_written_is_written_later(victim):
    victim.state.mkdir(parents=True, exist_ok=True)
    (victim.state / "baselines").write_text("in the way")
    victim.start().wait_guarding()
    victim.wait_line("baseline cannot be (read|recorded)")
    (victim.state / "baselines").unlink()
    poll(lambda: baselines(victim), within(10))


def test_status_shows_what_was_changed_and_what_was_done_about_it(sim, victim, mallory):
    victim.write_config(**RESTORE)
    start(victim)
    with sim.fault("denied", operation="UpdateTrail", user_agent="TrailGuard*"):
        update(mallory, S3BucketName="mallorys-bucket", KmsKeyId="")
        wait_alert(sim, "trail.weakened")
        status = victim.wait_status(lambda status: status["trails"][0]["incident"]["restore"]["result"] == "failed")
        victim.assert_status_documented()
        incident = status["trails"][0]["incident"]
        changes = {change["field"]: change for change in incident["changes"]}
        assert changes["S3BucketName"] == {"field": "S3BucketName", "expected": BUCKET, "actual": "mallorys-bucket"}
        assert set(changes) == {"S3BucketName", "KmsKeyId"} and changes["KmsKeyId"]["actual"] is None
        assert incident["restore"]["taken"] == "restore" and incident["action"]["taken"] == "none"
        assert incident["attack"] == ["T1562.008", "T1685.002"]
        assert "changed: S3BucketName, KmsKeyId  incident" in victim.verb("status").stdout


def test_a_disabled_key_does_not_hold_up_what_else_was_changed(sim, victim, mallory):
    victim.write_config(**RESTORE)
    start(victim)
    before = sim.trail(VICTIM)
    sim.boto3(mallory.user, "kms", FRA).disable_key(KeyId=KEY)
    PACU_MINIMIZE(mallory, VICTIM)
    told = wait_alert(sim, "trail.weakened")
    assert told["action"]["result"] == "failed" and "Kms" in told["detail"], told["detail"]
    assert told["fields_left"] == ["KmsKeyId"]
    after = sim.trail(VICTIM)["settings"]
    assert after == {**before["settings"], "KmsKeyId": ""}
    assert "partly restored" in message_about(sim, "weakened")["Subject"]
    sim.boto3(mallory.user, "kms", FRA).enable_key(KeyId=KEY)
    wait_alert(sim, "trail.resolved", seconds=70)
    assert sim.trail(VICTIM)["settings"] == before["settings"]


def test_a_trail_is_made_again_without_a_key_that_is_disabled(sim, victim, mallory):
    """It gets the key back when that can be had."""
    victim.write_config(**RESTORE)
    start(victim)
    before = sim.trail(VICTIM)["settings"]
    sim.boto3(mallory.user, "kms", FRA).disable_key(KeyId=KEY)
    mallory.delete(VICTIM)
    sim.wait_for_trail(VICTIM, within(10), logging=True)
    assert "KmsKeyId" not in sim.trail(VICTIM)["settings"]
    wait_alert(sim, "trail.missing")
    sim.boto3(mallory.user, "kms", FRA).enable_key(KeyId=KEY)
    poll(lambda: sim.trail(VICTIM)["settings"] == before, within(70))


def test_trails_that_fill_the_quota_are_named(sim, victim, mallory):
    victim.write_config(**RESTORE)
    start(victim).stop()
    mallory.delete(VICTIM)
    for number in range(5):
        try:
            mallory.create(VICTIM.replace("victim", f"squatter-{number}"))
        except Exception as error:
            assert "MaximumNumberOfTrails" in str(error)
    victim.start()
    entry = wait_alert(sim, "trail.missing")
    assert entry["action"]["result"] == "failed"
    assert "MaximumNumberOfTrailsExceededException: its place is taken by " in entry["detail"]
    assert "squatter-0" in entry["detail"]


def test_shadows_fill_the_quota_too_and_are_named(sim, victim, mallory):
    """Five trails a region, irrespective of the region in which they were created."""
    victim.write_config(**RESTORE)
    start(victim).stop()
    for number in range(5):
        sim.add_trail(f"shadow-{number}", MAIN, IAD, IsMultiRegionTrail=True)
    mallory.delete(VICTIM)
    victim.start()
    entry = wait_alert(sim, "trail.missing")
    assert all(f"shadow-{number} (of {IAD})" in entry["detail"] for number in range(5)), entry["detail"]


def _deleted_while_nobody_polled(sim, victim, mallory, **bucket):
    """The alert of a daemon that finds the trail deleted and its bucket changed, and what it asked AWS."""
    sim.trail(VICTIM, configuration={})     # a write less, see above
    sim.call("bucket", name=BUCKET, owner=MAIN)
    victim.write_config(bucket_checks=True, **RESTORE)
    start(victim).stop()
    mallory.delete(VICTIM)
    sim.call("bucket", name=BUCKET, **bucket)
    mark = sim.mark()
    victim.start()
    return wait_outcome(sim, "trail.missing"), operations(sim, since=mark)


def test_no_trail_is_created_into_a_bucket_that_is_gone(sim, victim, mallory):
    entry, asked = _deleted_while_nobody_polled(sim, victim, mallory, missing=True)
    assert entry["action"]["result"] == "failed" and "is gone" in entry["detail"], entry["detail"]
    assert "CreateTrail" not in asked


def test_a_bucket_whose_owner_cannot_be_checked_holds_up_no_trail(sim, victim, mallory):
    # S3 answers 403 alike for another owner and for a guard that may not ask: recording comes first
    entry, asked = _deleted_while_nobody_polled(sim, victim, mallory, owner="999988887777")
    assert entry["action"]["result"] == "confirmed", entry["detail"]
    assert "CreateTrail" in asked


def test_an_organization_trail_of_others_has_a_baseline_without_its_tags(sim, make_guard, mallory):
    sim.load(SCENARIO)
    sim.call("organization", management=MAIN, members=[MEMBER])
    sim.trail(VICTIM, settings={"IsOrganizationTrail": True})
    sim.add_topic(MEMBER_TOPIC)
    sim.add_user("member-guard", MEMBER)
    guard = start(make_guard(sim, "member-guard", regions=[FRA], alerts=sns(MEMBER_TOPIC), settings_interval=1, **RESTORE))
    path, = poll(lambda: [path for path in baselines(guard) if "victim" in path.name], within(10))
    assert json.loads(path.read_text())["arn"] == VICTIM
    update(mallory, S3BucketName="mallorys-bucket")
    entry = wait_alert(sim, "trail.weakened", MEMBER_TOPIC)
    assert (entry["action"]["taken"], entry["action"]["result"]) == ("restore", "failed")
    assert [change["field"] for change in entry["changes"]] == ["S3BucketName"]
    matches(r"operate on this resource \(request id [0-9a-f-]{36}\)$", guard.wait_line("could not be restored"))
    asked = [entry["operation"] for entry in sim.requests(principal="*:user/member-guard")]
    assert asked.count("UpdateTrail") == 1 and "ListTags" not in asked, "AWS says who may, once"
    assert "Tags" not in json.loads(path.read_text())["settings"]
    # its owner is told them: they are recorded then, and no change
    assert guard.stop() == 0
    update(mallory, S3BucketName=BUCKET)
    keys = sim.keys_of("guard")
    guard.env.update(AWS_ACCESS_KEY_ID=keys["access_key"], AWS_SECRET_ACCESS_KEY=keys["secret"])
    guard.write_config(trails=["victim"], alerts=sns(TOPIC))
    mark = sim.mark()
    guard.start()
    poll(lambda: json.loads(path.read_text())["settings"].get("Tags") == {"owner": "security", "tier": "1"}, within(10))
    guard.wait_verdict("victim", "logging")
    assert not {"AddTags", "RemoveTags", "UpdateTrail"} & set(operations(sim, since=mark))
    assert told(sim, "trail.weakened") == []
    mallory.client(VICTIM).remove_tags(ResourceId=VICTIM, TagsList=[{"Key": "owner"}])
    assert wait_alert(sim, "trail.weakened")["fields"] == ["Tags"]


def long_selectors(padding):
    return [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]},
                                {"Field": "eventName", "Equals": [f"{i:03}{padding}" for i in range(490)]}]}]


TOO_LONG = long_selectors("x" * 700)


@pytest.mark.parametrize("padding", ["x" * 700, '"' * 2000], ids=["long", "longest"])
def test_selectors_too_long_to_be_read_are_a_change_and_are_put_back(sim, victim, mallory, padding):
    """AWS takes 500 values of 2048 characters; the rest of the settings is small."""
    victim.write_config(**RESTORE)
    start(victim)
    mallory.client(VICTIM).put_event_selectors(TrailName=VICTIM, AdvancedEventSelectors=long_selectors(padding))
    entry = wait_alert(sim, "trail.weakened", seconds=20)
    assert entry["severity"] == "critical" and entry["action"]["result"] == "confirmed", entry["action"]
    assert [change["field"] for change in entry["changes"]] == ["EventSelectors"]
    assert mallory.client(VICTIM).get_event_selectors(TrailName=VICTIM)["EventSelectors"] == SELECTORS
    assert "target.unreachable" not in [document["event"] for document in documents(sim)]


def test_selectors_too_long_to_be_read_are_not_recorded(sim, victim, mallory):
    mallory.client(VICTIM).put_event_selectors(TrailName=VICTIM, AdvancedEventSelectors=TOO_LONG)
    start(victim)
    assert "EventSelectors" not in json.loads(baselines(victim)[0].read_text())["settings"]
    assert told(sim, "trail.weakened") == []


def test_selectors_too_long_to_be_read_are_not_accepted(sim, victim, mallory):
    start(victim)
    before = baselines(victim)[0].read_text()
    mallory.client(VICTIM).put_event_selectors(TrailName=VICTIM, AdvancedEventSelectors=TOO_LONG)
    wait_alert(sim, "trail.weakened", seconds=20)
    done = victim.verb("accept", "--yes")
    assert done.returncode == 1 and "longer than" in done.stdout + done.stderr, done
    assert baselines(victim)[0].read_text() == before


WITHOUT_PASSROLE = [{"Effect": "Allow", "Action": "*", "Resource": "*"},
                    {"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"}]


def test_a_right_that_the_guard_lacks_for_one_setting_keeps_no_other_from_being_restored(sim, victim, mallory):
    victim.write_config(**RESTORE)
    start(victim)
    sim.call("policy", principal=f"arn:aws:iam::{MAIN}:user/guard", policy=WITHOUT_PASSROLE)
    update(mallory, S3BucketName="mallorys-bucket", CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn="")
    poll(lambda: mallory.client(VICTIM).get_trail(Name=VICTIM)["Trail"]["S3BucketName"] == BUCKET, within(20))
    entry = wait_alert(sim, "trail.weakened")
    assert entry["action"]["result"] == "failed" and "iam:PassRole" in entry["detail"], entry["detail"]
    assert entry["fields_left"] == ["CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"]


def test_a_right_that_the_guard_lacks_for_one_setting_keeps_no_trail_from_being_created_again(sim, victim, mallory):
    victim.write_config(**RESTORE)
    start(victim)
    sim.call("policy", principal=f"arn:aws:iam::{MAIN}:user/guard", policy=WITHOUT_PASSROLE)
    mallory.delete(VICTIM)
    poll(lambda: refused(mallory.client(VICTIM).get_trail, Name=VICTIM) == "", within(20))
    settings = mallory.client(VICTIM).get_trail(Name=VICTIM)["Trail"]
    assert settings["S3BucketName"] == BUCKET and "CloudWatchLogsRoleArn" not in settings
