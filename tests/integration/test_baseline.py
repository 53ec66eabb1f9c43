# SPDX-License-Identifier: Apache-2.0
"""Baselines: what is recorded, what differs from it, how it is accepted, and how often it is put back."""

import json
import os
import subprocess
import time
from datetime import datetime, timedelta, timezone

import pytest

from attacks import BUCKET, SELECTORS, VICTIM
from guard import BINARY, within
from helpers import (AUDIT, FRA, IAD, MAIN, MEMBER, TOPIC, add_fifteen_trails, baselines, document, documents, mail_of, mail_time,
                     matches, messages, operations, sns, start, wait_alert, wait_polls)
from simaws.client import poll

RESTORE = {"mode": "restore", "restore": ["settings", "selectors", "insights", "deleted"]}


def all_documents(sim):
    return [document(message) for message in sim.messages(TOPIC)]


def told(sim, event):
    return [entry for entry in all_documents(sim) if entry["event"] == event]


def update(mallory, **settings):
    mallory.client(VICTIM).update_trail(Name=VICTIM, **settings)


def test_the_first_look_records_everything_as_json(victim):
    start(victim)
    record = json.loads(baselines(victim)[0].read_text())
    assert (record["schema"], record["arn"], record["by"]) == ("trailguard.baseline/1", VICTIM, "guard")
    assert record["settings"]["S3BucketName"] == BUCKET
    assert record["settings"]["EventSelectors"] == SELECTORS
    assert record["settings"]["Tags"] == {"owner": "security", "tier": "1"}
    assert baselines(victim)[0].stat().st_mode & 0o777 == 0o600


def test_what_was_changed_while_nobody_looked_is_told_and_not_recorded(sim, victim, mallory):
    start(victim).stop()
    before = baselines(victim)[0].read_text()
    update(mallory, S3BucketName="mallorys-bucket")
    victim.start()
    entry = wait_alert(sim, "trail.weakened")
    assert entry["changes"] == [{"field": "S3BucketName", "expected": BUCKET, "actual": "mallorys-bucket"}]
    assert baselines(victim)[0].read_text() == before


def test_a_baseline_from_before_a_setting_gets_it_without_an_alarm(sim, victim, mallory):
    """RecursiveLogging came in 2026-09: older files lack it, and older partitions still do."""
    sim.trail(VICTIM, settings={"RecursiveLogging": None})
    start(victim)
    recorded = json.loads(baselines(victim)[0].read_text())
    assert "RecursiveLogging" not in recorded["settings"]
    sim.trail(VICTIM, settings={"RecursiveLogging": True})
    now = poll(lambda: (lambda r: "RecursiveLogging" in r["settings"] and r)(json.loads(baselines(victim)[0].read_text())),
               within(10))
    assert now.pop("checksum") != recorded.pop("checksum")
    assert now == {**recorded, "settings": {**recorded["settings"], "RecursiveLogging": True}}
    assert not told(sim, "trail.weakened") and not told(sim, "baseline.accepted")
    update(mallory, RecursiveLogging=False)
    entry = wait_alert(sim, "trail.weakened", seconds=20)
    assert entry["severity"] == "critical"
    assert [(change["field"], change["expected"], change["actual"]) for change in entry["changes"]] == [
        ("RecursiveLogging", "true", "false")]


def test_a_damaged_baseline_is_set_aside_and_told(sim, victim):
    start(victim).stop()
    path = baselines(victim)[0]
    path.write_text("{ not json")
    victim.start()
    entry = poll(lambda: told(sim, "baseline.damaged"), within(10))[0]
    assert entry["severity"] == "critical" and path.name in entry["detail"] and entry["resolved"] is True
    mail, = [message["received"]["email"]["Body"] for message in sim.messages(TOPIC)
             if document(message)["event"] == "baseline.damaged"]
    assert "trailguard accept" not in mail and "weak" not in mail, mail
    assert [kept.read_text() for kept in path.parent.glob("*.damaged-*")] == ["{ not json"]


def test_a_weak_baseline_is_said_once(sim, make_guard):
    guard = start(make_guard(sim, regions=["us-east-1"], trails=["audit"], settings_interval=1))
    poll(lambda: told(sim, "baseline.weak"), within(10))
    guard.stop()
    guard.start().wait_guarding()
    guard.wait_delivered()
    assert [entry["severity"] for entry in told(sim, "baseline.weak")] == ["warning"]


def test_an_accepted_baseline_that_is_weak_has_a_number_of_its_own(sim, make_guard, mallory):
    """Both messages are about one acceptance, and in one incident."""
    guard = start(make_guard(sim, regions=["us-east-1"], trails=["audit"], settings_interval=1, mode="observe"))
    mallory.client(AUDIT).update_trail(Name=AUDIT, S3KeyPrefix="planned")
    poll(lambda: told(sim, "trail.weakened"), within(10))
    assert guard.verb("accept", "--yes", "audit").returncode == 0
    weak = poll(lambda: (lambda all: len(all) > 1 and all)(told(sim, "baseline.weak")), within(10))[-1]
    accepted = told(sim, "baseline.accepted")[0]
    assert accepted["incident"] == weak["incident"] and (accepted["sequence"], weak["sequence"]) == (1, 2)


def test_accept_takes_a_planned_change_into_the_running_daemon(sim, victim, mallory):
    start(victim)
    time.sleep(1.1)     # a baseline's time has whole seconds
    update(mallory, S3BucketName="the-new-bucket")
    wait_alert(sim, "trail.weakened")
    shown = victim.verb("accept")
    assert shown.returncode == 1 and "recorded example-victim-logs" in shown.stdout and "--yes" in shown.stderr
    assert json.loads(baselines(victim)[0].read_text())["by"] == "guard"
    done = victim.verb("accept", "--yes", "victim")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "accepted: 1 trail\n" in done.stdout
    wait_alert(sim, "trail.resolved")
    entry = poll(lambda: told(sim, "baseline.accepted"), within(10))[0]
    assert entry["changes"] == [{"field": "S3BucketName", "expected": BUCKET, "actual": "the-new-bucket"}]
    assert "uid 0" in entry["detail"]
    assert victim.verdicts() == {"victim": "logging"}
    record = json.loads(baselines(victim)[0].read_text())
    assert record["settings"]["S3BucketName"] == "the-new-bucket"
    assert record["previous"]["settings"]["S3BucketName"] == BUCKET
    assert "nothing to accept" in victim.verb("accept", "--yes").stdout


def test_a_trail_that_is_gone_is_forgotten_only_by_name(sim, victim, mallory):
    start(victim)
    mallory.delete(VICTIM)
    wait_alert(sim, "trail.missing")
    done = victim.verb("accept", "--yes")
    assert done.returncode == 1 and "nothing to accept" not in done.stdout, done.stdout
    assert f"victim {FRA} {MAIN}\n  gone; to accept that: trailguard accept victim" in done.stdout
    assert victim.verb("accept", "--yes", "no-such-trail").returncode == 1
    assert victim.verb("accept", "--yes", VICTIM).returncode == 0
    accepted = wait_alert(sim, "baseline.accepted")
    assert accepted["trail"]["name"] == "victim" and accepted["detail"]
    wait_alert(sim, "trail.resolved")
    victim.wait_line("accepted as gone")
    subjects = [message["received"]["email"]["Subject"] for message in sim.messages(TOPIC)]
    assert any("victim accepted as gone" in subject for subject in subjects)
    assert any("RESOLVED victim no longer guarded" in subject for subject in subjects)
    # nor is it looked for by its name in the configuration, also after a restart
    victim.wait_status(lambda status: not status["trails"])
    assert victim.stop() == 0
    victim.start().wait_guarding()
    assert victim.status()["trails"] == []
    assert victim.stop() == 0
    assert len(told(sim, "trail.missing")) == 1
    # when it comes back it begins anew
    mallory.create(VICTIM)
    victim.start()
    victim.wait_verdict("victim", "logging")
    poll(lambda: json.loads(baselines(victim)[0].read_text())["settings"]["S3BucketName"] == "example-audit-logs", within(10))


@pytest.mark.parametrize("expect", [{"bucket": "the-right-bucket"}, [{"bucket": "a-wrong-bucket"}, {
    "trail": "victim", "bucket": "the-right-bucket"}, {"trail": "other", "bucket": "another-bucket"}]])
def test_a_pin_wins_over_the_recording(sim, victim, mallory, expect):
    victim.write_config(expect=expect, **RESTORE)
    start(victim)
    entry = wait_alert(sim, "expectation.unmet")
    assert entry["first_sight"] and "since the configuration changed" not in entry["summary"]
    assert entry["changes"] == [{"field": "S3BucketName", "expected": "the-right-bucket", "actual": BUCKET}]
    poll(lambda: sim.trail(VICTIM)["settings"]["S3BucketName"] == "the-right-bucket", within(10))


def test_a_new_pin_is_nobodys_deed(sim, victim, mallory):
    """Added by a reload and taken out again: its own event, no search for who did it, no line about another caller."""
    victim.write_config(mode="observe")
    start(victim)
    sim.wait_for_request(within(10), 2, sim.mark(), operation="ListTags")       # it has met the expectation so far
    victim.write_config(mode="observe", expect={"bucket": "the-right-bucket"})
    victim.reload()
    entry = wait_alert(sim, "expectation.unmet")
    assert entry["severity"] == "warning" and entry["attack"] == [] and entry["sequence"] == 1
    assert "does not meet the configured expectation since the configuration changed" in entry["summary"]
    victim.write_config(mode="observe", expect=None)
    victim.reload()
    entry = wait_alert(sim, "trail.resolved")
    assert entry["resolved"] and entry["summary"].endswith("meets the configuration: S3BucketName.")
    assert not told(sim, "trail.weakened") and not operations(sim, operation="LookupEvents")


def test_accepting_is_not_putting_back(sim, victim, mallory):
    victim.write_config(mode="observe")
    start(victim)
    mallory.client(VICTIM).update_trail(Name=VICTIM, S3KeyPrefix="elsewhere")
    wait_alert(sim, "trail.weakened")
    victim.verb("accept", "victim", "--yes")
    entry = wait_alert(sim, "trail.resolved")
    assert "were accepted as its baseline: S3KeyPrefix" in entry["summary"]
    assert not victim.found("no longer differs.*not written by TrailGuard")


def test_many_weak_baselines_are_told_together(sim, make_guard):
    """Five one by one; also when the daemon was stopped before the rest were told."""
    guard = make_guard(sim, regions=add_fifteen_trails(sim), alerts=sns(TOPIC))
    guard.start()
    guard.wait_line("was weak when its baseline was recorded", 20, count=15)
    assert guard.stop() == 0
    assert len(told(sim, "baseline.weak")) == 5
    guard.start()
    entries = poll(lambda: (lambda all: len(all) > 5 and all)(told(sim, "baseline.weak")), within(30))
    assert len(entries) == 6 and entries[5]["trail"] is None
    assert entries[5]["detail"].endswith(" and 2 more, see the journal") and entries[5]["detail"].count(MAIN) == 8
    matches(rf"^\[TrailGuard\] WARNING more trails were weak when recorded: trail\d \S+ {MAIN}",
            sim.messages(TOPIC)[-1]["received"]["email"]["Subject"])
    assert guard.stop() == 0
    guard.start().wait_guarding()
    assert len(told(sim, "baseline.weak")) == 6


def iso(delta):
    return (datetime.now(timezone.utc) + timedelta(seconds=delta)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_maintenance_leaves_settings_alone_but_starts_what_is_stopped(sim, victim, mallory):
    victim.write_config(maintenance=({"trail": "victim", "from": iso(-60), "until": iso(600), "reason": "move"},), **RESTORE)
    start(victim)
    mark = sim.mark()
    update(mallory, S3BucketName="the-new-bucket")
    entry = wait_alert(sim, "trail.weakened")
    assert (entry["severity"], entry["maintenance"], entry["action"]["taken"]) == ("info", True, "none")
    mallory.stop(VICTIM)
    sim.wait_for_trail(VICTIM, within(10), IsLogging=True)
    assert "UpdateTrail" not in operations(sim, since=mark)


def test_a_maintenance_window_may_allow_stopping_and_ends_by_itself(sim, victim, mallory):
    window = {"from": iso(-60), "until": iso(600), "stop_allowed": True}
    victim.write_config(maintenance=(window,), **RESTORE)
    start(victim)
    mark = sim.mark()
    mallory.stop(VICTIM)
    update(mallory, S3BucketName="the-new-bucket")
    wait_alert(sim, "trail.stopped", holds=lambda entry: entry["severity"] == "info")
    assert "StartLogging" not in operations(sim, since=mark)
    until = iso(4)
    victim.write_config(maintenance=({**window, "until": until},))
    victim.reload()
    sim.wait_for_request(within(20), since=mark, operation="StartLogging")
    assert iso(0) >= until
    poll(lambda: sim.trail(VICTIM)["settings"]["S3BucketName"] == BUCKET, within(10))


def test_a_war_over_settings_ends_at_the_ceiling_and_is_told(sim, victim, mallory):
    victim.write_config(max_restores_per_hour=3, **RESTORE)
    start(victim)
    for number in range(4):
        update(mallory, S3BucketName=f"mallorys-bucket-{number}")
        if number < 3:      # what nothing confirmed is an attempt and no restore
            victim.wait_line("restored, confirmed", count=number + 1)
    entry = wait_alert(sim, "trail.weakened", holds=lambda entry: entry["restores_paused"])
    assert entry["severity"] == "critical"
    assert {"field": "S3BucketName", "expected": BUCKET, "actual": "mallorys-bucket-3"} in entry["changes"]
    mallory.stop(VICTIM)        # recording is started again all the same
    sim.wait_for_trail(VICTIM, within(10), IsLogging=True)
    assert sim.trail(VICTIM)["settings"]["S3BucketName"] == "mallorys-bucket-3"
    assert len([1 for name in operations(sim) if name == "UpdateTrail"]) == 3


def test_what_was_found_is_kept_before_it_is_overwritten(sim, victim, mallory):
    victim.write_config(**RESTORE)
    start(victim)
    update(mallory, S3BucketName="mallorys-bucket")
    poll(lambda: sim.trail(VICTIM)["settings"]["S3BucketName"] == BUCKET, within(10))
    found = list((victim.state / "found").rglob("*.json"))
    assert [json.loads(path.read_text())["settings"]["S3BucketName"] for path in found] == ["mallorys-bucket"]


def test_a_thousand_flips_are_one_incident_and_few_messages(sim, victim, mallory):
    start(victim)
    for _ in range(1000):
        mallory.stop(VICTIM)
        mallory.start(VICTIM)
    mallory.stop(VICTIM)
    sim.wait_for_trail(VICTIM, within(10), IsLogging=True)
    victim.wait_verdict("victim", "logging")
    victim.wait_delivered()
    entries = [entry for entry in all_documents(sim) if entry["event"].startswith("trail.")]
    assert len({entry["incident"] for entry in entries}) == 1
    assert len(entries) <= 12, [entry["event"] for entry in entries]


def test_selectors_that_may_not_be_read_are_reported(sim, victim):
    start(victim)
    with sim.fault("denied", operation="GetEventSelectors"):
        entry = wait_alert(sim, "target.unreachable", seconds=20)
        assert entry["trail"]["name"] == "victim" and entry["findings"] == ["selectors_unreadable"]
        assert "GetEventSelectors" in entry["detail"]
    wait_alert(sim, "target.reachable", seconds=20)


def test_status_shows_what_was_changed_and_knows_it_after_a_restart(sim, victim, mallory):
    start(victim)
    update(mallory, S3BucketName="mallorys-bucket", EnableLogFileValidation=False)
    wait_alert(sim, "trail.weakened")
    changes = [{"field": "S3BucketName", "expected": BUCKET, "actual": "mallorys-bucket"},
               {"field": "LogFileValidationEnabled", "expected": "true", "actual": "false"}]

    def incident(status):
        return status["trails"][0]["incident"]
    status = victim.wait_status(lambda status: incident(status) and incident(status)["changes"] == changes)
    assert incident(status)["attack"] == ["T1562.008", "T1685.002"]
    assert "changed: S3BucketName, LogFileValidationEnabled" in victim.verb("status").stdout
    victim.stop()
    sim.add_fault("denied", operation="GetEventSelectors")      # nothing new can be learnt
    victim.start().wait_guarding()
    assert incident(victim.status())["changes"] == changes
    sim.remove_fault()


def test_an_incident_that_is_opened_again_has_the_times_and_changes_of_now(sim, victim, mallory):
    """Changed and put back by hand, then deleted: what is over is not shown as what is wrong now."""
    victim.write_config(mode="observe", attribution=False)
    start(victim)
    update(mallory, S3KeyPrefix="elsewhere")
    first = wait_alert(sim, "trail.weakened")
    update(mallory, S3KeyPrefix="audit")
    wait_alert(sim, "trail.resolved")
    time.sleep(1.1)     # AWS's and our times are whole seconds
    mallory.delete(VICTIM)
    again = wait_alert(sim, "trail.missing")
    assert again["incident"] == first["incident"] and again["opened"] == first["opened"] and first["reopened"] is None
    assert again["reopened"] > first["time"] and again["changes"] == []
    mail = next(message for message in sim.messages(TOPIC) if document(message)["id"] == again["id"])
    noticed = datetime.fromisoformat(again["reopened"].replace("Z", "+00:00")).timestamp()
    assert f"{mail_time(noticed)}  noticed" in mail["received"]["email"]["Body"], mail["received"]["email"]["Body"]

    def shown():
        incident = victim.wait_status(lambda status: status["trails"][0]["incident"])["trails"][0]["incident"]
        assert (incident["opened"], incident["reopened"], incident["changes"]) == (first["opened"], again["reopened"], [])
        text = victim.verb("status").stdout
        assert f"since {again['reopened']}" in text and "changed:" not in text, text
    shown()
    victim.stop()
    victim.start().wait_guarding()
    shown()


# -- the bucket's owner ------------------------------------------------------------------------------------------------
def test_a_bucket_in_a_log_archive_account_is_no_fault_and_blocks_nothing(sim, victim, mallory):
    sim.call("bucket", name=BUCKET, owner="444455556666")
    victim.write_config(**RESTORE, bucket_checks=True)
    start(victim)
    victim.wait_line("HeadBucket of .*: whose it is cannot be checked")
    mallory.client(VICTIM).delete_trail(Name=VICTIM)
    sim.wait_for_trail(VICTIM, within(10), IsLogging=True)
    victim.wait_line("created again, confirmed")
    assert "trail.failing" not in [entry["event"] for entry in all_documents(sim)]


def test_whose_the_bucket_is_belongs_to_the_baseline(sim, victim):
    victim.write_config(bucket_checks=True)
    start(victim)
    poll(lambda: json.loads(baselines(victim)[0].read_text())["settings"].get("BucketOwner") == MAIN, within(10))
    assert victim.stop() == 0
    sim.call("bucket", name=BUCKET, owner="999988887777")
    victim.start()
    entry = wait_alert(sim, "trail.failing")
    assert entry["findings"] == ["bucket"]
    assert f"it was {MAIN}'s; now S3 refuses to say whose it is" in entry["detail"]


def test_whose_the_bucket_is_is_asked_with_one_call_and_no_more(sim, victim):
    victim.write_config(owner_check=True)
    start(victim)
    poll(lambda: json.loads(baselines(victim)[0].read_text())["settings"].get("BucketOwner") == MAIN, within(10))
    sim.call("bucket", name=BUCKET, owner="999988887777")
    entry = wait_alert(sim, "trail.failing")
    assert (entry["findings"], entry["severity"]) == (["bucket"], "critical")
    assert f"it was {MAIN}'s; now S3 refuses to say whose it is" in entry["detail"]
    assert {call["operation"] for call in sim.requests(service="s3")} == {"HeadBucket"}
    sim.call("bucket", name=BUCKET, owner=MAIN)
    victim.wait_verdict("victim", "logging", 20)


def test_a_bucket_that_must_not_be_asked_about_is_named_once(sim, victim):
    sim.add_fault("denied", operation="HeadBucket")
    victim.write_config(owner_check=True)
    start(victim).wait_line("victim .*: whose its bucket is cannot be checked, and is not asked again before a reload: HeadBucket")
    asked = len(sim.requests(operation="HeadBucket"))
    wait_polls(sim, 3, FRA)
    assert len(sim.requests(operation="HeadBucket")) == asked
    status = victim.wait_status(lambda status: status["trails"][0]["bucket_owner_unchecked"])
    assert (status["trails"][0]["verdict"], documents(sim)) == ("logging", [])
    assert "owner of its bucket not checked" in victim.verb("status").stdout
    done = victim.verb("check")
    assert done.returncode == 0 and "owner of its bucket not checked" in done.stdout, done.stdout
    victim.assert_status_documented()


def test_a_pinned_owner_that_is_not_it_is_reported(sim, victim):
    victim.write_config(bucket_checks=True, expect={"bucket_owner": "444455556666"})
    start(victim)
    entry = wait_alert(sim, "trail.failing")
    assert f"it belongs to {MAIN}, not to 444455556666" in entry["detail"]


@pytest.mark.parametrize("name", ["victim", VICTIM])
@pytest.mark.parametrize("trails", [["victim"], [VICTIM], "all"])
def test_absence_is_believed_only_from_the_account_that_owns_the_trail(sim, victim, name, trails):
    """With another account's keys AWS's answer is the same for a trail that is there."""
    victim.write_config(trails=trails)
    start(victim).wait_line(f"victim {FRA} {MAIN}: baseline recorded")
    before = {path.name: path.read_text() for path in baselines(victim)}
    assert victim.stop() == 0
    sim.add_user("stranger", MEMBER)
    keys = sim.env_for("stranger")
    done = victim.verb("accept", "--yes", name, env=keys)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "gone, and not guarded" not in done.stdout and "no such trail" not in done.stderr
    assert "only the account that owns it can say whether it is gone" in done.stdout
    listed = victim.verb("accept", "--yes", env=keys)
    assert listed.returncode == 1 and f"victim {FRA} {MAIN}" in listed.stdout, listed.stdout + listed.stderr
    assert {path.name: path.read_text() for path in baselines(victim)} == before
    assert victim.verb("accept", "--yes", name).returncode == 0


def test_a_baseline_that_may_not_be_read_is_not_a_trail_that_is_not_there(sim, victim):
    start(victim).stop()
    for path in (victim.state, victim.runtime, victim.directory, victim.directory.parent):
        path.chmod(0o755)
    closed = victim.state / "baselines"
    closed.chmod(0o700 if os.geteuid() == 0 else 0)
    done = subprocess.run([BINARY, "accept", "-c", victim.config, "--yes", "victim"], env=victim.env, text=True, timeout=30,
                          capture_output=True, stdin=subprocess.DEVNULL, user=65534 if os.geteuid() == 0 else None)
    closed.chmod(0o700)
    assert done.returncode == 1 and "Permission denied" in done.stderr, done.stdout + done.stderr
    assert "no such trail" not in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def test_a_list_that_may_not_be_read_is_not_a_trail_that_is_not_there(sim, victim):
    with sim.fault("denied", operation="DescribeTrails"):
        done = victim.verb("accept", "--yes", "victim")
    assert done.returncode == 1 and "no such trail" not in done.stderr, done.stderr
    assert "victim: not found, and not all trails could be listed" in done.stderr and "AccessDenied" in done.stderr


def test_accepting_all_fails_where_not_all_could_be_listed(sim, make_guard):
    """Even where nothing differs: of what was not listed that is not known."""
    guard = make_guard(sim, regions=[FRA, IAD], alerts=())
    keyless = guard.verb("accept", "--yes", env={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None})
    assert keyless.returncode == 1 and "nothing to accept" not in keyless.stdout, keyless.stdout
    assert "trailguard accept: not all trails could be listed: no credentials" in keyless.stderr, keyless.stderr
    with sim.fault("denied", operation="DescribeTrails", region=IAD):
        done = guard.verb("accept", "--yes")
    assert done.returncode == 1 and "accepted: 1 trail\n" in done.stdout, done.stdout + done.stderr
    assert "not all trails could be listed: " in done.stderr and "AccessDenied" in done.stderr, done.stderr
    assert guard.verb("accept", "--yes").returncode == 0


def test_a_pinned_prefix_that_the_bucket_is_closed_to_is_named(victim, sim):
    """Log files go to the trail's own prefix, where CloudTrail may write; mode observe does not change that."""
    victim.write_config(mode="observe", bucket_checks=True, expect={"prefix": "pinned"})
    start(victim)
    entry = wait_alert(sim, "trail.failing", seconds=20)
    assert "bucket" in entry["findings"]
    assert entry["detail"] == "its policy does not let CloudTrail write to the pinned prefix"
    assert "the policy must let it write to both" in mail_of(next(
        message for message in messages(sim) if document(message)["event"] == "trail.failing"))


@pytest.fixture
def unrecorded(sim, victim):
    """The daemon guards the trail, and its settings could not be read so far: state.json alone knows it."""
    for operation in ("DescribeTrails", "GetEventSelectors", "GetInsightSelectors", "ListTags", "GetEventConfiguration"):
        sim.add_fault("denied", operation=operation, region=FRA)
    victim.write_config(trails=[VICTIM])
    victim.start().wait_guarding()
    victim.wait_verdict("victim", "logging")
    poll(lambda: victim.remembers(VICTIM), within(10))
    assert baselines(victim) == []
    return victim


def test_a_trail_that_state_json_alone_knows_is_accepted_as_gone(sim, unrecorded, mallory):
    victim = unrecorded
    victim.write_config(trails="all")
    mallory.delete(VICTIM)
    sim.remove_fault()
    told_missing = wait_alert(sim, "trail.missing", seconds=20)
    unnamed = victim.verb("accept")
    assert unnamed.returncode == 1 and "gone; to accept that: trailguard accept victim" in unnamed.stdout, unnamed.stdout
    done = victim.verb("accept", "--yes", "victim")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    wait_alert(sim, "baseline.accepted", seconds=20)
    assert wait_alert(sim, "trail.resolved")["incident"] == told_missing["incident"]
    victim.wait_status(lambda status: status["trails"] == [])


def test_a_trail_that_state_json_alone_knows_and_keys_of_another_account(sim, unrecorded):
    victim = unrecorded
    victim.write_config(trails="all")
    sim.add_user("stranger", MEMBER)
    keys = sim.env_for("stranger")
    done = victim.verb("accept", "--yes", VICTIM, env=keys)
    assert done.returncode == 1 and "recorded, and not polled" in done.stdout and "no such trail" not in done.stderr, done.stderr
    assert VICTIM.rpartition("/")[2] not in victim.verb("accept", "--yes", env=keys).stdout
