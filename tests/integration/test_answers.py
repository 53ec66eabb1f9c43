# SPDX-License-Identifier: Apache-2.0
"""Each answer counts by itself: a call that hangs, is throttled or is refused holds back nothing else, and is reported."""

import json
import os
import shutil
import subprocess

import pytest

from attacks import BUCKET, SCENARIO, SELECTORS, VICTIM, aggregate, delete_bucket_policy, insights_off, retag
from attacks import selectors as basic_selectors
from guard import BINARY, PLAIN, within
from helpers import FRA, MAIN, ORG_TRAIL, documents, intervals, operations, wait_alert, wait_polls
from schemas import validated
from simaws.client import poll
from test_baseline import RESTORE

pytestmark = pytest.mark.timed

# root may read what it likes, unless it gives that up
ORDINARY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"] if os.geteuid() == 0 else []
SETTINGS = {"settings_interval": 1, "unreachable_after": 2}


def hits(sim, fault):
    """How many calls a fault has met."""
    return next(entry["hits"] for entry in sim.call("faults") if entry["id"] == fault)


# -- answers that come while others do not ----------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["hang", "throttle", "slow"])
def test_a_list_that_does_not_come_holds_back_no_restart(sim, make_guard, mallory, kind):
    guard = make_guard(sim, regions=[FRA], settings_interval=1).start().wait_guarding()
    fault = sim.add_fault(kind, service="cloudtrail", operation="DescribeTrails",
                          **({"seconds": 9} if kind == "slow" else {}))
    poll(lambda: hits(sim, fault) >= 1, within(10))
    mark, count = sim.mark(), guard.status()["pass"]["count"]
    for _ in range(3):
        mallory.stop(ORG_TRAIL)
        sim.wait_for_trail(ORG_TRAIL, within(8), logging=True)
        wait_polls(sim, 1, FRA)
    if PLAIN:
        assert max(intervals(sim, FRA, mark)) < 2.5
    # nor does a pass wait for it
    guard.wait_status(lambda status: status["pass"]["count"] >= count + 3)


def test_a_status_that_hangs_holds_back_no_other_trail(sim, make_guard, mallory):
    other = sim.add_trail("other", "111122223333", FRA)
    make_guard(sim, regions=[FRA]).start().wait_guarding()
    sim.add_fault("hang", service="cloudtrail", operation="GetTrailStatus", trail=other)
    sim.wait_for_request(within(10), 1, sim.mark(), operation="GetTrailStatus", trail=other)
    for _ in range(3):
        mallory.stop(ORG_TRAIL)
        sim.wait_for_trail(ORG_TRAIL, within(4), logging=True)


# -- calls that are refused --------------------------------------------------------------------------------------------
REFUSALS = [("denied", {}), ("throttle", {}), ("http500", {}), ("garbage", {}), ("json", {"value": {"trailList": 7}})]


@pytest.mark.parametrize("kind, fields", REFUSALS, ids=[kind for kind, _ in REFUSALS])
def test_a_list_that_cannot_be_read_is_reported_and_closed(sim, make_guard, mallory, kind, fields):
    guard = make_guard(sim, regions=[FRA], aws={"max_attempts": 1}, **SETTINGS).start().wait_guarding()
    guard.wait_baselines(1, weak=0)
    fault = sim.add_fault(kind, service="cloudtrail", operation="DescribeTrails", **fields)
    entry = wait_alert(sim, "target.unreachable", seconds=20)
    assert entry["findings"] == ["list_unreadable"] and entry["region"] == FRA and entry["severity"] == "warning"
    assert "DescribeTrails" in entry["detail"]
    guard.wait_line(f"{FRA} {MAIN}: the list of trails cannot be read")
    guard.wait_status(lambda status: status["targets"][0]["state"] == "list unreadable")
    shown = guard.verb("status", config=False)
    assert shown.returncode == 2 and "list unreadable: DescribeTrails" in shown.stdout
    assert guard.verdicts() == {"org-trail": "logging"}
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    # it is the same after a restart, and reported once
    guard.stop()
    guard.start().wait_guarding()
    sim.wait_for_request(within(20), 3, sim.mark(), operation="DescribeTrails")
    assert len([e for e in documents(sim) if e["event"] == "target.unreachable"]) == 1
    sim.remove_fault(fault)
    assert wait_alert(sim, "target.reachable", seconds=20)["incident"] == entry["incident"]
    guard.wait_line(f"{FRA} {MAIN}: the list of trails can be read again")
    guard.wait_delivered()
    assert guard.verb("status", config=False).returncode == 0


def test_a_list_is_read_again_also_where_settings_are_read_less_often_than_statuses(sim, make_guard):
    """Each poll without the list used to put the next one off by another settings_interval, for ever."""
    guard = make_guard(sim, regions=[FRA], aws={"max_attempts": 1}, **{**SETTINGS, "settings_interval": 3}).start().wait_guarding()
    fault = sim.add_fault("denied", service="cloudtrail", operation="DescribeTrails")
    entry = wait_alert(sim, "target.unreachable", seconds=30)
    assert entry["findings"] == ["list_unreadable"]
    wait_polls(sim, 5, FRA)
    sim.remove_fault(fault)
    assert wait_alert(sim, "target.reachable", seconds=20)["incident"] == entry["incident"]
    guard.wait_line(f"{FRA} {MAIN}: the list of trails can be read again")


CALLS = [("GetEventSelectors", "selectors_unreadable"), ("GetInsightSelectors", "insights_unreadable"),
         ("ListTags", "tags_unreadable"), ("GetEventConfiguration", "configuration_unreadable"), ("HeadBucket", "bucket_unreadable"),
         ("GetBucketLifecycleConfiguration", "lifecycle_unreadable"), ("GetBucketPolicy", "policy_unreadable"),
         ("DescribeKey", "key_unreadable")]


def checking(sim, make_guard):
    """A guard of the trail that has everything, with `bucket_checks`."""
    sim.load(SCENARIO)
    guard = make_guard(sim, trails=[VICTIM], regions=[FRA], bucket_checks=True, aws={"max_attempts": 1}, **SETTINGS)
    return guard.start().wait_guarding().wait_baselines(1, weak=0)


@pytest.mark.parametrize("operation, finding", CALLS, ids=[operation for operation, _ in CALLS])
def test_each_call_that_cannot_be_read_has_a_finding_of_its_own(sim, make_guard, operation, finding):
    guard = checking(sim, make_guard)
    fault = sim.add_fault("http500", operation=operation)
    entry = wait_alert(sim, "target.unreachable", seconds=20)
    assert entry["findings"] == [finding] and entry["trail"]["arn"] == VICTIM and operation in entry["detail"]
    assert guard.verb("status", config=False).returncode == 2
    # another one beside it is news; the same one again is not
    other = next(pair for pair in CALLS[:3] if pair[1] != finding)
    sim.add_fault("http500", operation=other[0])
    wait_alert(sim, "target.unreachable", seconds=20, count=2)
    sim.wait_for_request(within(20), 3, sim.mark(), operation=operation)
    assert [set(e["findings"]) for e in documents(sim)] == [{finding}, {finding, other[1]}]
    sim.remove_fault(fault)
    guard.wait_line("can be read again", 20)
    sim.remove_fault()
    wait_alert(sim, "target.reachable", seconds=20)


def test_an_event_configuration_that_aws_never_showed_is_said_once(sim, make_guard, mallory):
    """Older partitions have no GetEventConfiguration: that is no trouble, and keeps no baseline from being recorded."""
    sim.load(SCENARIO)
    sim.trail(VICTIM, configuration=None)
    guard = make_guard(sim, trails=[VICTIM], regions=[FRA], **SETTINGS)
    guard.start().wait_guarding().wait_baselines(1, weak=0)
    sim.wait_for_request(within(20), 4, sim.mark(), operation="GetEventConfiguration")
    said = guard.found("AWS does not show the event configuration: GetEventConfiguration: UnsupportedOperationException")
    assert len(said) == 1 and not documents(sim)
    assert guard.verb("status", config=False).returncode == 0
    # it comes, is recorded without a word, and counts from then on
    sim.trail(VICTIM, configuration={"MaxEventSize": "Large"})
    guard.wait_line("EventConfiguration added to its baseline")
    assert not documents(sim)
    mallory.client(VICTIM).put_event_configuration(TrailName=VICTIM, MaxEventSize="Standard")
    assert wait_alert(sim, "trail.weakened", seconds=20)["changes"][0]["field"] == "EventConfiguration"
    # what was shown before and is not any more is trouble
    sim.add_fault("error", operation="GetEventConfiguration", code="UnsupportedOperationException")
    wait_alert(sim, "target.unreachable", seconds=20, holds=lambda entry: "configuration_unreadable" in entry["findings"])


def test_what_a_refused_call_hides_stays_reported(sim, make_guard, mallory):
    """A refusal ends no trouble: a bucket that was closed is not well because its policy cannot be read any more."""
    guard = checking(sim, make_guard)
    delete_bucket_policy(mallory, VICTIM)
    # the failed delivery may be reported first
    guard.wait_status(lambda status: "bucket" in status["trails"][0]["findings"], 20)
    sim.add_fault("http500", operation="GetBucketPolicy")
    wait_alert(sim, "target.unreachable", seconds=20)
    guard.wait_status(lambda status: {"bucket", "policy_unreadable"} <= set(status["trails"][0]["findings"]))


# -- calls that are refused at the first look ---------------------------------------------------------------------------
FIRST = {"GetEventSelectors": ("EventSelectors", lambda m: basic_selectors(ReadWriteType="ReadOnly")(m, VICTIM)),
         "GetInsightSelectors": ("InsightSelectors", lambda m: insights_off(m, VICTIM)),
         "ListTags": ("Tags", lambda m: retag(m, VICTIM)),
         "GetEventConfiguration": ("EventConfiguration", lambda m: aggregate(m, VICTIM))}


def recorded_settings(guard):
    path, = (guard.state / "baselines").glob("*.json")
    return json.loads(path.read_text())["settings"]


@pytest.mark.parametrize("operation", FIRST)
def test_what_the_first_look_cannot_read_hides_nothing_else(sim, make_guard, mallory, operation):
    """What is known is recorded, field by field; the rest when it first can be read, and counts from then on."""
    field, tamper = FIRST[operation]
    sim.load(SCENARIO)
    guard = make_guard(sim, trails=[VICTIM], regions=[FRA], **SETTINGS, **RESTORE)
    fault = sim.add_fault("denied", operation=operation, user_agent="TrailGuard*")
    guard.start().wait_guarding().wait_baselines(1, weak=0)
    guard.wait_line(f"{field} could not be read, and is not recorded yet")
    wait_alert(sim, "target.unreachable", seconds=20)
    settings = recorded_settings(guard)
    assert field not in settings and settings["S3BucketName"] == BUCKET
    mallory.client(VICTIM).update_trail(Name=VICTIM, S3BucketName="mallorys-bucket")
    entry = wait_alert(sim, "trail.weakened", seconds=20)
    assert entry["changes"] == [{"field": "S3BucketName", "expected": BUCKET, "actual": "mallorys-bucket"}]
    poll(lambda: sim.trail(VICTIM)["settings"]["S3BucketName"] == BUCKET, within(20))
    # status, check and accept know of it
    guard.wait_status(lambda status: status["trails"][0]["not_recorded"] == [field])
    assert f"not recorded yet: {field}" in guard.verb("status", config=False).stdout
    assert f"not recorded yet: {field}" in guard.verb("check").stdout
    with sim.fault("denied", operation="UpdateTrail", user_agent="TrailGuard*"):
        mallory.client(VICTIM).update_trail(Name=VICTIM, S3KeyPrefix="planned")
        shown = guard.verb("accept", "--yes")
    assert shown.returncode == 0 and f"{field} could not be read, and is recorded when it first can be" in shown.stdout, shown
    settings = recorded_settings(guard)
    assert field not in settings and settings["S3KeyPrefix"] == "planned"
    # it can be read: it is recorded in place, without an alarm, and counts from then on
    sim.remove_fault(fault)
    guard.wait_line(f"{field} added to its baseline")
    guard.wait_status(lambda status: status["trails"][0]["not_recorded"] == [])
    assert recorded_settings(guard) == {**settings, field: recorded_settings(guard)[field]}
    assert not [e for e in documents(sim) if field in e["fields"]]
    tamper(mallory)
    wait_alert(sim, "trail.weakened", seconds=20, holds=lambda entry: field in entry["fields"])


def test_what_makes_a_baseline_weak_is_told_when_it_comes(sim, make_guard):
    sim.load(SCENARIO)
    sim.trail(VICTIM, selectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": []}])
    guard = make_guard(sim, trails=[VICTIM], regions=[FRA], **SETTINGS)
    fault = sim.add_fault("denied", operation="GetEventSelectors", user_agent="TrailGuard*")
    guard.start().wait_guarding().wait_baselines(1, weak=0)
    wait_alert(sim, "target.unreachable", seconds=20)
    assert not [entry for entry in documents(sim) if entry["event"] == "baseline.weak"]
    sim.remove_fault(fault)
    assert "records only management events that write" in wait_alert(sim, "baseline.weak", seconds=20)["detail"]


def test_a_pin_leaves_selectors_alone_that_were_never_read(sim, make_guard):
    """What is pinned would take the place of data events that nobody has seen yet."""
    sim.load(SCENARIO)
    guard = make_guard(sim, trails=[VICTIM], regions=[FRA], expect={"management_events": "all"}, **SETTINGS, **RESTORE)
    fault = sim.add_fault("denied", operation="GetEventSelectors", user_agent="TrailGuard*")
    guard.start().wait_guarding().wait_baselines(1, weak=0)
    sim.remove_fault(fault)
    guard.wait_line("EventSelectors added to its baseline")
    assert recorded_settings(guard)["EventSelectors"] == SELECTORS
    sim.wait_for_request(within(20), 2, sim.mark(), operation="GetEventSelectors")
    assert "PutEventSelectors" not in operations(sim)


# -- check -------------------------------------------------------------------------------------------------------------
def test_check_compares_with_what_is_recorded_and_writes_nothing(sim, make_guard, mallory):
    guard = checking(sim, make_guard)
    assert guard.stop() == 0
    before = {path: path.read_bytes() for path in guard.state.rglob("*") if path.is_file()}
    assert guard.verb("check").returncode == 0
    mallory.client(VICTIM).update_trail(Name=VICTIM, S3KeyPrefix="elsewhere")
    shown = guard.verb("check")
    assert shown.returncode == 2 and "weakened" in shown.stdout and "S3KeyPrefix" in shown.stdout, shown.stdout
    mallory.delete(VICTIM)
    shown = guard.verb("check")
    assert shown.returncode == 2 and "missing" in shown.stdout, shown.stdout
    assert before == {path: path.read_bytes() for path in guard.state.rglob("*") if path.is_file()}


def test_check_misses_a_guarded_trail_that_the_configuration_does_not_name(sim, make_guard, mallory):
    guard = make_guard(sim, regions=[FRA]).start().wait_guarding().wait_baselines(1, weak=0)
    assert guard.stop() == 0
    mallory.delete(ORG_TRAIL)
    shown = guard.verb("check")
    assert shown.returncode == 2 and "org-trail" in shown.stdout and "missing" in shown.stdout, shown.stdout


def test_check_misses_a_guarded_trail_that_only_the_state_file_knows(sim, make_guard, mallory):
    """Baselines come later, or could not be written; the trail was polled."""
    guard = make_guard(sim, regions=[FRA])
    assert "no state to compare with" in guard.verb("check").stdout
    guard.start().wait_guarding()
    assert guard.stop() == 0
    shutil.rmtree(guard.state / "baselines", ignore_errors=True)
    before = {path: path.read_bytes() for path in guard.state.rglob("*") if path.is_file()}
    shown = guard.verb("check")
    assert shown.returncode == 0 and "no state to compare with" not in shown.stdout, shown.stdout
    mallory.delete(ORG_TRAIL)
    shown = guard.verb("check")
    assert shown.returncode == 2 and "org-trail" in shown.stdout and "missing" in shown.stdout, shown.stdout
    document = validated(json.loads(guard.verb("check", "--json").stdout), "status")
    assert document["state_file"] == {"read": True, "error": None} and document["result"] == "critical"
    assert before == {path: path.read_bytes() for path in guard.state.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["state.json", "baselines", "baseline"])
def test_check_is_not_ok_where_what_is_recorded_cannot_be_read(sim, make_guard, name):
    guard = make_guard(sim, regions=[FRA]).start().wait_guarding().wait_baselines(1, weak=0)
    assert guard.stop() == 0
    path = next((guard.state / "baselines").iterdir()) if name == "baseline" else guard.state / name
    if path.is_file():
        path.write_text("{ not json")
    else:
        shutil.rmtree(path)
        path.write_text("in the way")
    shown = guard.verb("check")
    assert shown.returncode == 3 and str(path) in shown.stdout + shown.stderr, shown.stdout
    assert not list(guard.state.rglob("*damaged*"))


def test_check_of_an_ordinary_user_says_what_it_could_not_compare(sim, make_guard):
    guard = make_guard(sim, regions=[FRA]).start().wait_guarding().wait_baselines(1, weak=0)
    assert guard.stop() == 0
    guard.state.chmod(0o000)
    try:
        shown = subprocess.run([*ORDINARY, BINARY, "check", "-c", guard.config], env=guard.env, capture_output=True, text=True,
                               timeout=within(30))
    finally:
        guard.state.chmod(0o700)
    assert shown.returncode == 3 and "state.json: Permission denied" in shown.stdout, shown.stdout + shown.stderr


def test_check_says_when_there_is_no_baseline(sim, make_guard):
    guard = make_guard(sim, regions=[FRA])
    shown = guard.verb("check")
    assert shown.returncode == 0 and "no baseline to compare with: org-trail" in shown.stdout, shown.stdout
    assert not json.loads(guard.verb("check", "--json").stdout)["status"]["trails"][0]["baseline"]
    guard.start().wait_guarding().wait_baselines(1, weak=0)
    assert "no baseline" not in guard.verb("check").stdout


RIGHTS = [("DescribeTrails", "cloudtrail:DescribeTrails"), ("GetTrailStatus", "cloudtrail:GetTrailStatus"),
          ("GetEventSelectors", "cloudtrail:GetEventSelectors"), ("GetInsightSelectors", "cloudtrail:GetInsightSelectors"),
          ("ListTags", "cloudtrail:ListTags"), ("GetEventConfiguration", "cloudtrail:GetEventConfiguration"),
          ("HeadBucket", "s3:ListBucket"),
          ("GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"), ("GetBucketPolicy", "s3:GetBucketPolicy"),
          ("DescribeKey", "kms:DescribeKey")]


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "fresh"])
def test_check_names_every_permission_that_is_missing(sim, make_guard, recorded):
    if recorded:
        guard = checking(sim, make_guard)
        assert guard.stop() == 0
    else:
        sim.load(SCENARIO)
        guard = make_guard(sim, trails=[VICTIM], regions=[FRA], bucket_checks=True)
    for operation, action in RIGHTS:
        with sim.fault("denied", operation=operation):
            shown = guard.verb("check")
        missing = shown.stdout.partition("MISSING PERMISSIONS")[2]
        assert f"\n{action} on " in missing and shown.returncode != 0, (operation, shown.stdout)
