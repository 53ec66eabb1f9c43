# SPDX-License-Identifier: Apache-2.0
"""Every fault of the simulated AWS at every stage of an incident, from two tables. After it the trail logs with the settings
that it had, people have received what happened, once under one id, and nothing is open.

Each trial has an account of its own below one guard, or a region, or a topic. FAULTS=all runs every pair; otherwise each
fault meets one stage, and each stage some faults."""

import itertools
import time

import pytest

from faulted import ALL, Tally, gap_of, ids_of, leftovers, received, total, under_two_ids, wait_quiet
from guard import within
from helpers import FRA, MAIN, Mallory, sns, topic_arn
from simaws import faults
from simaws.client import poll
from simaws.regions import all_regions

TOPIC = topic_arn("trailguard.fifo")
HITS = 2        # of each fault: fewer than unreachable_after would not reach people, more take longer
WRONG = {"trailList": 7, "IsLogging": "yes", "EventSelectors": {}}

# What a fault needs besides its kind. A kind without a row is a failure of this file.
FIELDS = {
    "throttle": {}, "denied": {}, "expired": {}, "unrecognized": {}, "error": {"code": "InternalErrorException", "status": 500},
    "http500": {}, "http502": {}, "http503": {}, "http429": {}, "empty500": {}, "empty": {}, "garbage": {},
    "answer": {"status": 418, "body": "no"}, "redirect": {"location": "http://127.0.0.1:9/"}, "json": {"value": WRONG},
    "deep": {}, "oversize": {"bytes": 4 << 20}, "hang": {}, "hold": {}, "slow": {"seconds": 4}, "reset": {}, "closed": {},
    "half_closed": {"after": "body"}, "trickle": {}, "header_flood": {}, "line_flood": {}, "interim_flood": {},
    "compressed": {}, "upgrade": {}, "truncate": {"bytes": 40}, "close": {}, "clock": {"seconds": 1000}, "exponent": {}, "type_form": {"form": "both"},
    "message_key": {"key": "Message"}, "members": {"members": {"Surprise": {"deep": [1, None]}}},
    "headers": {"headers": {"X-Surprise": "x" * 8000}}, "remove_members": {"members": ["TrailARN"]},
}
# (kind, fields): with the answer lost after AWS has acted, too
VARIANTS = [(kind, fields) for kind, fields in FIELDS.items()] + [
    (kind, {**FIELDS[kind], "executed": True}) for kind in sorted(faults.REPLACING.keys() | {"hang"})]

SELECTORS = [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "ExcludeManagementEventSources": [],
              "DataResources": []}]
# What the guarded trail has that can be put back.
GUARDED = {
    "IsMultiRegionTrail": False, "LogFileValidationEnabled": True, "S3KeyPrefix": "audit",
    "event_selectors": [{**SELECTORS[0], "ReadWriteType": "All", "ExcludeManagementEventSources": ["kms.amazonaws.com"]}],
    "insight_selectors": [{"InsightType": "ApiCallRateInsight"}], "tags": {"owner": "security"},
    "event_configuration": {"MaxEventSize": "Large", "ContextKeySelectors": [{"Type": "TagContext", "Equals": ["team"]}]},
}
STOP, CHANGE = {"logging": False}, {"settings": {"S3KeyPrefix": "elsewhere"}}
# stage: what is done to the trail, the call that the fault meets, how many of these pass before
STAGES = {
    "list": (CHANGE, "DescribeTrails", 0),
    "detect": (STOP, "GetTrailStatus", 0),
    "detect selectors": ({"selectors": SELECTORS}, "GetEventSelectors", 0),
    "detect insights": ({"insights": []}, "GetInsightSelectors", 0),
    "detect tags": ({"tags": {}}, "ListTags", 0),
    "detect configuration": ({"configuration": {}}, "GetEventConfiguration", 0),
    "restart": (STOP, "StartLogging", 0),
    "confirm": (STOP, "GetTrailStatus", 1),
    "restore settings": (CHANGE, "UpdateTrail", 0),
    "restore selectors": ({"selectors": SELECTORS}, "PutEventSelectors", 0),
    "restore insights": ({"insights": []}, "PutInsightSelectors", 0),
    "restore configuration": ({"configuration": {}}, "PutEventConfiguration", 0),
    "restore tags": ({"tags": {}}, "AddTags", 0),
    "confirm settings": (CHANGE, "DescribeTrails", 1),
    "create again": ({"delete": True}, "CreateTrail", 0),
    "start again": ({"delete": True}, "StartLogging", 0),
}
EVENT = {"logging": "gap", "delete": "trail.missing"}       # of what is done; all else weakens


def selection(stages, variants):
    """All pairs, or as many as there are variants, in which each stage comes as often as any other."""
    if ALL:
        return list(itertools.product(stages, variants))
    names = list(stages)
    return [(names[number % len(names)], variant) for number, variant in enumerate(variants)]


def batches(pairs, size):
    return [pairs[start:start + size] for start in range(0, len(pairs), size)]


def add_fault(sim, variant, skip=0, hits=HITS, **selectors):
    """The fault's number. What holds calls ends when it is removed."""
    kind, fields = variant
    limits = {} if kind == "hold" else {"skip": skip, "count": hits}
    return sim.add_fault(kind, **limits, **fields, **selectors)


def wait_hit(sim, numbers, seconds):
    """Until each of these faults was met; those that were not. Then they are over."""
    deadline = time.monotonic() + within(seconds)
    unmet = set(numbers)
    while unmet and time.monotonic() < deadline:
        active = {fault["id"]: fault["hits"] for fault in sim.call("faults")}
        unmet = {number for number in unmet if active.get(number) == 0}
        time.sleep(0.1)
    sim.remove_fault()
    return unmet


def test_the_figures_of_all_suites_are_added_up():
    assert total([]) is None
    assert total(["kills: tried = 3, kills survived = 2, calls = 9, alerts sent = 4, duplicates = 1, lost = 0, under two ids = 0",
                  "two guards: sent = 6, delivered = 3, delivered twice = 0, lost = 1, under two ids = 0",
                  "clock +3 s before: alerts sent = 5, duplicates = 0, lost = 0, under two ids = 0"]) == (
        "all fault suites: faults tried = 3, kills survived = 2, alerts sent = 15, lost = 1, duplicates = 1, under two ids = 0")


def test_every_kind_of_fault_is_in_the_table():
    assert FIELDS.keys() == faults.KINDS


@pytest.mark.parametrize("batch", batches(selection(STAGES, VARIANTS), 64), ids=lambda batch: f"{len(batch)} trials")
def test_after_any_fault_at_any_stage_nothing_is_lost_or_said_under_two_ids(sim, make_guard, record_property, batch):
    sim.reset()
    sim.add_account(MAIN)
    sim.add_user("guard", MAIN)
    sim.add_topic(TOPIC)
    accounts = [str(200000000000 + number) for number in range(len(batch))]
    trust = [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{MAIN}:user/guard"}, "Action": "sts:AssumeRole"}]
    sim.load({"accounts": [{"id": account, "regions": [FRA]} for account in accounts],
              "roles": [{"name": "TrailGuard", "account": account, "trust": trust} for account in accounts],
              "trails": [{"name": "victim", "account": account, "region": FRA, "S3BucketName": f"logs-{account}", **GUARDED}
                         for account in accounts]})
    arns = [f"arn:aws:cloudtrail:{FRA}:{account}:trail/victim" for account in accounts]
    guard = make_guard(sim, regions=[FRA], mode="restore", restore=["settings", "selectors", "insights", "deleted"],
                       poll_interval=2, settings_interval=2, unreachable_after=5, alerts=sns(TOPIC),
                       accounts=[{"role_arn": f"arn:aws:iam::{account}:role/TrailGuard"} for account in accounts],
                       aws={"request_timeout": 2, "max_attempts": 2})
    guard.start().wait_guarding(60)
    guard.wait_baselines(len(arns), weak=0, seconds=60)
    before = [sim.trail(arn) for arn in arns]
    kept = ("settings", "selectors", "insights", "tags", "configuration")
    begun, numbers, stops = time.monotonic(), {}, {}
    for account, arn, (stage, variant) in zip(accounts, arns, batch):
        does, operation, skip = STAGES[stage]
        numbers[add_fault(sim, variant, skip, account=account, operation=operation)] = (stage, variant)
        changed = sim.trail(arn, **does)
        if does is STOP:
            stops[arn] = changed["stopped"]
    unmet = wait_hit(sim, numbers, 30)

    def wrong():
        now = {trail["arn"]: trail for trail in sim.call("trails")}
        return [(stage, variant, now.get(arn)) for arn, was, (stage, variant) in zip(arns, before, batch)
                if arn not in now or not now[arn]["logging"] or any(now[arn][name] != was[name] for name in kept)]
    try:
        poll(lambda: not wrong(), within(60), 0.2)
    except AssertionError:
        raise AssertionError(f"not as before: {wrong()}") from None
    took = time.monotonic() - begun
    wait_quiet(guard, 60)
    said = received(sim, TOPIC)
    lost = []
    for arn, (stage, variant) in zip(arns, batch):
        about = [entry for entry in said if entry["trail"] and entry["trail"]["arn"] == arn]
        wanted = EVENT.get(next(iter(STAGES[stage][0])), "trail.weakened")
        heard = gap_of(about, stops[arn]) if wanted == "gap" else [entry for entry in about if entry["event"] == wanted]
        if not heard:
            lost.append((stage, variant, [entry["event"] for entry in about]))
    published = sim.call("published", topic=TOPIC)
    tally = Tally({"faults tried": len(batch), "not met": len(unmet), "alerts sent": published["accepted"], "lost": len(lost),
                   "duplicates": published["accepted"] - published["delivered"], "under two ids": len(under_two_ids(said)),
                   "seconds to recover": round(took)})
    tally.record("faults at stages", record_property)
    assert not lost
    assert not under_two_ids(said)
    assert not [numbers[number] for number in unmet]
    assert len(ids_of(said)) >= len(batch) and not leftovers(guard)
    sim.clear_failures()        # of clocks that differ: those are faults of this test's own


# A trial is a region; a search that failed comes again after half a minute
SEARCHES = batches(selection(["attribute"], VARIANTS if ALL else VARIANTS[::4]), 14)


@pytest.mark.parametrize("batch", SEARCHES, ids=lambda batch: f"{len(batch)} trials")
def test_after_any_fault_of_the_event_history_who_did_it_is_found(sim, make_guard, record_property, batch):
    sim.reset()
    regions = [region for region in all_regions() if region not in ("us-east-1",)][:len(batch)]
    sim.add_account(MAIN, regions=list({*regions, FRA, "us-east-1"}))
    for user in ("guard", "mallory"):
        sim.add_user(user, MAIN)
    sim.add_topic(TOPIC)
    arns = [sim.add_trail("victim", MAIN, region, IsMultiRegionTrail=False) for region in regions]
    guard = make_guard(sim, regions=regions, attribution=True, alerts=sns(TOPIC),
                       aws={"request_timeout": 2, "max_attempts": 1})
    guard.start().wait_guarding(60)
    mallory = Mallory(sim)
    numbers = {add_fault(sim, variant, hits=1, region=region, operation="LookupEvents"): variant
               for region, (_, variant) in zip(regions, batch)}
    for arn in arns:
        mallory.stop(arn)
    unmet = wait_hit(sim, numbers, 60)

    def found():
        return {entry["trail"]["arn"] for entry in received(sim, TOPIC)
                if entry["actor"] and entry["actor"]["name"] == "mallory"}
    poll(lambda: found() >= set(arns), within(150), 0.5)
    wait_quiet(guard, 60)
    said = received(sim, TOPIC)
    Tally({"faults tried": len(batch), "not met": len(unmet), "lost": len(set(arns) - found()),
           "under two ids": len(under_two_ids(said))}).record("faults of attribution", record_property)
    assert not under_two_ids(said) and not [numbers[number] for number in unmet]
    sim.clear_failures()


@pytest.mark.parametrize("killed", [False, True], ids=["goes on", "killed"])
@pytest.mark.parametrize("batch", batches(selection(["publish"], VARIANTS), 16), ids=lambda batch: f"{len(batch)} trials")
def test_after_any_fault_of_a_topic_it_has_every_alert(sim, make_guard, mallory, record_property, batch, killed):
    """Killed while all of them last: what was on the disk comes afterwards."""
    topics = [sim.add_topic(topic_arn(f"topic{number}.fifo")) for number in range(len(batch))]
    guard = make_guard(sim, alerts=sns(*topics), aws={"request_timeout": 2, "max_attempts": 1}).start().wait_guarding()
    guard.wait_baselines(1, weak=0)
    poll(lambda: guard.remembers("org-trail"), within(10))
    arn = f"arn:aws:cloudtrail:{FRA}:{MAIN}:trail/org-trail"
    numbers = {add_fault(sim, variant, topic=topic): variant for topic, (_, variant) in zip(topics, batch)}
    mallory.stop(arn)
    stopped = sim.trail(arn)["stopped"]
    unmet = None
    if killed:
        poll(lambda: any(fault["hits"] for fault in sim.call("faults")) or len(sim.call("faults")) < len(numbers), within(30))
        guard.kill()
        sim.remove_fault()
        guard.start()
    else:
        unmet = wait_hit(sim, numbers, 30)
        guard.reload()      # who mended a topic that refused does not wait five minutes
    poll(lambda: all(gap_of(received(sim, topic), stopped) for topic in topics), within(60), 0.2)
    wait_quiet(guard, 60)
    everything = [received(sim, topic) for topic in topics]
    published = [sim.call("published", topic=topic) for topic in topics]
    Tally({"faults tried": len(batch), "kills survived": int(killed), "alerts sent": sum(one["accepted"] for one in published),
           "lost": sum(not gap_of(said, stopped) for said in everything),
           "duplicates": sum(one["accepted"] - one["delivered"] for one in published),
           "under two ids": sum(len(under_two_ids(said)) for said in everything)}).record("faults of topics", record_property)
    assert not any(under_two_ids(said) for said in everything) and not leftovers(guard)
    assert not [numbers[number] for number in unmet or ()]
    sim.clear_failures()
