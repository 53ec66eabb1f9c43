# SPDX-License-Identifier: Apache-2.0
"""A bad region never disturbs the good ones, is told once, and is told again when it is back; and what the guard does
while it cannot see one trail, or anything at all."""

import json
import re

import pytest

from guard import PLAIN, within
from helpers import (ALL_REGIONS, FRA, IAD, MAIN, ORG_TRAIL, TOPIC, Mallory, documents, events, intervals, mail_of, messages,
                     trail_arn, wait_alert, wait_message, wait_outcome, wait_polls)
from simaws.client import SimAWS, poll

pytestmark = pytest.mark.timed

# Seconds for an answer: so many that only what is in trouble takes longer, however busy the machine.
TIMEOUT = 4
WRONG = {"trailList": 7, "IsLogging": "yes"}
# One region each: what happens to every CloudTrail call there.
TROUBLE = {
    "eu-west-1": ("hang", {}),
    "eu-west-2": ("throttle", {}),
    "eu-west-3": ("garbage", {}),
    "eu-north-1": ("http503", {}),
    "us-east-1": ("truncate", {}),
    "us-east-2": ("oversize", {"bytes": 8 << 20}),
    "us-west-1": ("reset", {}),
    "us-west-2": ("json", {"value": WRONG}),
    "ca-central-1": ("deep", {}),
    "sa-east-1": ("empty", {}),
    "ap-south-1": ("closed", {}),
    "ap-northeast-1": ("redirect", {"location": "http://127.0.0.1:9/"}),
    "ap-northeast-2": ("denied", {}),
    "ap-northeast-3": ("slow", {"seconds": 4 * TIMEOUT}),
}
HEALTHY = ("eu-central-1", "ap-southeast-2")


class Outage:
    """What one guard did while fourteen of its sixteen regions were in trouble, each in its own way."""

    def __init__(self, sim, guard):
        sim.add_account(MAIN)
        sim.add_user("guard", MAIN)
        sim.add_user("mallory", MAIN)
        sim.add_topic(TOPIC)
        regions = [*TROUBLE, *HEALTHY]
        self.trails = {region: sim.add_trail("guarded", MAIN, region) for region in regions}
        guard = guard(sim, regions=regions, unreachable_after=2, aws={"request_timeout": TIMEOUT, "max_attempts": 1})
        guard.start().wait_guarding()
        guard.wait_baselines(len(regions), weak=len(regions))
        begun, mark = sim.mark(), guard.mark()
        for region, (kind, fields) in TROUBLE.items():
            sim.add_fault(kind, service="cloudtrail", region=region, **fields)
        wait_message(sim, TOPIC, 40, count=len(TROUBLE))
        for region in HEALTHY:
            wait_polls(sim, 3, region)
        Mallory(sim).stop(self.trails[FRA])         # also in the middle of it all
        self.restarted = sim.wait_for_trail(self.trails[FRA], within(10), logging=True)
        self.intervals = {region: intervals(sim, region, begun) for region in HEALTHY}
        self.blind = documents(sim)
        self.lines = guard.found("", mark)
        sim.remove_fault()
        wait_alert(sim, "target.reachable", seconds=30, count=len(TROUBLE))
        self.documents = documents(sim)
        guard.wait_status(lambda status: all(trail["verdict"] == "logging" for trail in status["trails"]))
        assert guard.stop() == 0
        sim.assert_clean()


# All that look at the one outage run where it happened.
shared = pytest.mark.xdist_group("outage")


@pytest.fixture(scope="module")
def outage(tmp_path_factory):
    from conftest import Guards
    guards = Guards(tmp_path_factory.mktemp("outage"))
    with SimAWS() as sim:
        try:
            yield Outage(sim, guards)
        finally:
            sim.remove_fault()
            guards.close()


@shared
@pytest.mark.parametrize("region", HEALTHY)
def test_polls_of_healthy_regions_keep_their_pace_during_an_outage_of_others(outage, region):
    gaps = outage.intervals[region]
    assert len(gaps) >= 4
    if PLAIN:
        assert max(gaps) <= 1.35 and sum(gaps) / len(gaps) <= 1.1, gaps


@shared
def test_a_stop_in_a_healthy_region_is_put_right_during_an_outage_of_others(outage):
    assert not PLAIN or outage.restarted["started"] - outage.restarted["stopped"] <= 2.0
    assert [entry["region"] for entry in outage.documents if entry["event"] == "trail.stopped"] == [FRA]


@shared
@pytest.mark.parametrize("region", TROUBLE, ids=[f"{kind}" for kind, _ in TROUBLE.values()])
def test_a_region_in_trouble_is_told_as_blind_once_and_as_sighted_once(outage, region):
    told = [entry for entry in outage.documents if entry["region"] == region]
    assert [entry["event"] for entry in told] == ["target.unreachable", "target.reachable"]
    assert told[0]["severity"] == "warning" and told[0]["trail"] is None
    assert told[0]["incident"] == told[1]["incident"]
    assert [entry["sequence"] for entry in told] == [1, 2]


@shared
@pytest.mark.parametrize("region", TROUBLE, ids=[f"{kind}" for kind, _ in TROUBLE.values()])
def test_the_journal_names_a_region_in_trouble_without_flooding(outage, region):
    lines = [line for line in outage.lines if region in line]
    assert 1 <= len(lines) <= 4, lines


@shared
def test_nothing_else_is_told_during_an_outage(outage):
    assert {entry["event"] for entry in outage.documents} == {"target.unreachable", "target.reachable", "trail.stopped"}


# -- what a dead region costs --------------------------------------------------------------------------------------------
DEAD = {"eu-west-1": "hang", "eu-west-2": "reset", "eu-west-3": "http503", "eu-north-1": "throttle"}


def together(entries, seconds):
    """Requests in groups that come at once."""
    groups = []
    for entry in entries:
        if groups and entry["time"] - groups[-1][-1]["time"] < seconds:
            groups[-1].append(entry)
        else:
            groups.append([entry])
    return groups


def test_a_region_that_is_dead_costs_one_request_a_look(sim, make_guard):
    """Five trails each, three attempts a call: once a region counts as blind, none of that is spent on it any more."""
    sim.reset()
    sim.add_account(MAIN)
    sim.add_user("guard", MAIN)
    sim.add_topic(TOPIC)
    sim.add_trail("org-trail", MAIN, FRA)
    for region in DEAD:
        for number in range(5):
            sim.add_trail(f"trail{number}", MAIN, region)
    guard = make_guard(sim, regions=[FRA, *DEAD], unreachable_after=2, aws={"request_timeout": 1}).start().wait_guarding()
    # the first poll of all settings is paced, and is no part of what a dead region costs
    poll(lambda: len(list((guard.state / "baselines").glob("*.json"))) == 5 * len(DEAD) + 1, within(30))
    for region, kind in DEAD.items():
        sim.add_fault(kind, service="cloudtrail", region=region)
    wait_alert(sim, "target.unreachable", seconds=30, count=len(DEAD))
    begun = sim.mark()
    wait_polls(sim, 12, FRA)                    # twelve seconds: more than the longest pause by then
    until = sim.mark()
    sim.remove_fault()
    asked = {kind: [entry for entry in sim.requests(region=region, service="cloudtrail", since=begun)
                    if entry["number"] <= until] for region, kind in DEAD.items()}
    # Polls follow after 2, 4 and 8 seconds, less a quarter. A reset of a connection that was used before is tried again by
    # libcurl, at once, on another one, which may be as old: at most five times.
    if PLAIN:
        for kind, most in (("hang", 1), ("http503", 1), ("reset", 6)):
            looks = together(asked[kind], 0.5)
            assert 1 <= len(looks) <= 3 and max(map(len, looks)) <= most, (kind, asked[kind])
        # Polls every two seconds, each one call: its retries, and those at a quarter of the pace.
        assert 3 <= len(asked["throttle"]) <= 18, asked["throttle"]
    # On whatever build: not the fifteen requests a second that five trails and three attempts a call would be.
    elapsed = max(entry["time"] for entry in sim.requests(region=FRA, since=begun) if entry["number"] <= until) - min(
        entry["time"] for entry in sim.requests(region=FRA, since=begun))
    for kind, requests in asked.items():
        assert 1 <= len(requests) <= 6 * (elapsed / 1.5 + 1), (kind, elapsed, requests)
    wait_alert(sim, "target.reachable", seconds=30, count=len(DEAD))
    for region in DEAD:
        assert {entry["trail"] for entry in sim.requests(region=region, operation="GetTrailStatus", since=until)} == {
            trail_arn(f"trail{number}", region) for number in range(5)}


def test_a_region_that_hangs_for_every_account_leaves_the_others_their_connections(sim, make_guard):
    accounts = [str(200000000000 + number) for number in range(40)]
    sim.reset()
    sim.add_account(MAIN, regions=[FRA, IAD])
    sim.add_user("guard", MAIN)
    sim.add_topic(TOPIC)
    sim.load({
        "accounts": [{"id": account, "regions": [FRA, IAD]} for account in accounts],
        "roles": [{"name": "TrailGuard", "account": account, "trust": [f"arn:aws:iam::{MAIN}:user/guard"]} for account in accounts],
        "trails": [{"name": "main", "account": account, "region": region, "IsMultiRegionTrail": False}
                   for account in accounts for region in (FRA, IAD)]})
    guard = make_guard(sim, regions=[FRA, IAD], poll_interval=2, unreachable_after=3, settings_interval=600,
                       accounts=[{"role_arn": f"arn:aws:iam::{account}:role/TrailGuard"} for account in accounts],
                       aws={"request_timeout": 5, "max_attempts": 1, "max_connections": 16}).start()
    guard.wait_status(lambda status: len(status["trails"]) == 80 and
                      all(trail["verdict"] == "logging" for trail in status["trails"]), 60)
    guard.wait_delivered(30)
    sim.add_fault("hang", service="cloudtrail", region=IAD)
    begun = sim.mark()
    guard.wait_status(lambda status: sum(row["state"] == "unreachable" for row in status["targets"]) == 40, 90)
    blind = {row["region"] for row in guard.status()["targets"] if row["state"] == "unreachable"}
    assert blind == {IAD}, "what does not hang is not held up"
    # nor does a pass wait for what is blind, which would be for ever
    count = guard.status()["pass"]["count"]
    guard.wait_status(lambda status: status["pass"]["count"] >= count + 20, 2 * 20 + 5)
    gaps = intervals(sim, FRA, begun, principal="*")
    assert len(gaps) > 100 and (not PLAIN or sorted(gaps)[len(gaps) * 95 // 100] <= 2 * 2), sorted(gaps)[-20:]
    sim.remove_fault()
    guard.wait_status(lambda status: all(row["state"] == "well" for row in status["targets"]), 90)


# -- polls that are spread over the interval, on few connections -------------------------------------------------------------
def phase(account, region):
    """As schedule_phase in daemon/core/schedule.c has it."""
    mask, state = (1 << 64) - 1, 0xcbf29ce484222325
    for byte in b"".join(text.encode() + b"\xff" for text in (account, region)):
        state = (state ^ byte) * 0x100000001b3 & mask
    for factor in (0xff51afd7ed558ccd, 0xc4ceb9fe1a85ec53):
        state = (state ^ state >> 33) * factor & mask
    return (state ^ state >> 33) >> 32


def test_polls_of_many_targets_come_one_after_the_other_on_kept_connections(sim, make_guard):
    accounts, regions = [str(200000000000 + number) for number in range(40)], [FRA, IAD]
    sim.reset()
    sim.add_account(MAIN, regions=regions)
    sim.add_user("guard", MAIN)
    sim.add_topic(TOPIC)
    sim.load({
        "accounts": [{"id": account, "regions": regions} for account in accounts],
        "roles": [{"name": "TrailGuard", "account": account, "trust": [f"arn:aws:iam::{MAIN}:user/guard"]} for account in accounts],
        "trails": [{"name": "main", "account": account, "region": region, "IsMultiRegionTrail": False}
                   for account in accounts for region in regions]})
    guard = make_guard(sim, regions=regions, poll_interval=4, settings_interval=600,
                       accounts=[{"role_arn": f"arn:aws:iam::{account}:role/TrailGuard"} for account in accounts],
                       aws={"max_connections": 4}).start()
    guard.wait_status(lambda status: len(status["trails"]) == 80 and
                      all(trail["verdict"] == "logging" for trail in status["trails"]), 60)
    guard.wait_delivered(30)
    count, begun = guard.status()["pass"]["count"], sim.mark()
    guard.wait_status(lambda status: status["pass"]["count"] >= count + 5, 60)
    polls = sim.requests(since=begun, operation="GetTrailStatus")
    assert len(polls) >= 4 * 80
    # every connection that there may be was opened before: none was closed for another
    assert len({entry["connection"] for entry in polls}) <= 4
    assert not [entry for entry in polls if entry["connection_request"] == 1]
    # each target comes when its turn is, round after round; neighbours may change places on their way
    order = sorted(((account, region) for account in accounts for region in regions), key=lambda target: phase(*target))
    turns = [order.index((entry["trail"].split(":")[4], entry["trail"].split(":")[3])) for entry in polls]
    steps = [(after - before) % 80 for before, after in zip(turns, turns[1:])]
    assert sum(step == 1 for step in steps) >= len(steps) * 0.6 and sum(step <= 5 for step in steps) >= len(steps) * 0.8, turns


# -- more trails than AWS's quota lets us look at --------------------------------------------------------------------------
def test_many_trails_in_a_region_stretch_its_polls_and_stay_below_the_quota(sim, make_guard):
    sim.reset()
    sim.call("settings", quotas=True)
    sim.add_account(MAIN)
    sim.add_user("guard", MAIN)
    for number in range(12):
        sim.add_trail(f"trail{number}", MAIN, FRA)
    guard = make_guard(sim, alerts=()).start().wait_guarding()
    sim.wait_for_request(within(20), count=12 * 2, operation="GetTrailStatus")
    begun = sim.mark()
    sim.wait_for_request(within(20), count=12 * 4, since=begun, operation="GetTrailStatus")
    guard.wait_line(f"{FRA} {MAIN}: 12 trails cannot all be polled every 1 s within AWS's quota; polling every 3 s")
    assert len(guard.found("within AWS's quota")) == 1
    if PLAIN:       # the quota counts what arrives together, however it was sent
        asked = sim.requests(service="cloudtrail")
        assert {entry["status"] for entry in asked} == {200}
        times = sorted(entry["time"] for entry in asked)
        assert max(sum(start <= time < start + 1 for time in times) for start in times) <= 11
        # every third turn, once the first polls are over, which ask in another order; the reads of one trail's settings
        # may come first
        gaps = [gap for gap in intervals(sim, FRA, begun) if gap > 2]
        assert gaps and max(gaps) <= 4.1, gaps


def test_a_check_of_many_trails_waits_for_its_turns(sim, make_guard):
    """A call has 2 s here, in which ten others have their turns: the wait for those is no failure of AWS."""
    sim.reset()
    sim.add_account(MAIN)
    sim.add_user("guard", MAIN)
    for number in range(36):
        sim.add_trail(f"trail{number}", MAIN, FRA)
    guard = make_guard(sim, alerts=(), aws={"request_timeout": 2, "max_attempts": 1})
    done = guard.verb("check", "--json", seconds=90)
    checked = json.loads(done.stdout)["status"]
    assert (done.returncode, {trail["verdict"] for trail in checked["trails"]}) == (0, {"logging"}), done.stderr
    assert len(checked["trails"]) == 36
    assert re.fullmatch(r"polling: 0 of \d+ regions, \d+ of 36 trails; \d+ checks to come; "
                        r"about 3\d s at the pace that AWS's quota allows\n", done.stderr), done.stderr


def test_stretched_polls_are_said_again_when_that_changes_and_after_a_reload(sim, make_guard, mallory):
    sim.reset()
    sim.add_account(MAIN)
    sim.add_user("guard", MAIN)
    for number in range(8):
        sim.add_trail(f"trail{number}", MAIN, FRA)
    guard = make_guard(sim, alerts=(), settings_interval=1, trust_new="keep").start().wait_guarding()
    said = "cannot all be polled every 1 s within AWS's quota"
    guard.wait_line(f"{FRA} {MAIN}: 8 trails {said}; polling every 2 s", 20)
    guard.wait_status(lambda status: [target["poll_interval"] for target in status["targets"]] == [2])
    assert re.search(f"\n[0-9]+ +{FRA} +well, polled every 2 s\n", guard.verb("status").stdout)
    mark = guard.mark()
    guard.reload()
    guard.wait_line(f"8 trails {said}; polling every 2 s", 20, mark)
    for number in range(8, 20):
        sim.add_trail(f"trail{number}", MAIN, FRA)
    guard.wait_line(f"20 trails {said}; polling every 4 s", 30)
    mark = guard.mark()
    guard.write_config(poll_interval=4, settings_interval=4, trails=None)
    guard.reload()
    guard.wait_status(lambda status: [target["poll_interval"] for target in status["targets"]] == [4])
    assert "polled every" not in guard.verb("status").stdout and not guard.found("within AWS's quota", mark)


def test_the_end_of_stretched_polls_is_said(sim, make_guard, mallory):
    sim.reset()
    sim.add_account(MAIN)
    sim.add_user("guard", MAIN)
    for number in range(6):
        sim.add_trail(f"trail{number}", MAIN, FRA)
    guard = make_guard(sim, alerts=(), settings_interval=1).start().wait_guarding()
    poll(lambda: list((guard.state / "baselines").glob("*_trail0.json")), within(40))
    guard.wait_line("6 trails cannot all be polled every 1 s", 20)
    sim.trail(trail_arn("trail0", FRA), delete=True)
    guard.wait_verdict("trail0", "missing", 20)
    assert guard.verb("accept", "--yes", "trail0").returncode == 0
    guard.wait_line(f"{FRA} {MAIN}: polling every 1 s again, within AWS's quota: 5 trails", 20)


# -- one trail, everything ---------------------------------------------------------------------------------------------
@pytest.mark.valgrind
def test_denied_on_one_trail_only_that_trail_is_out_of_sight_and_the_others_are_guarded(sim, make_guard, mallory):
    local = sim.add_trail("local", MAIN, FRA)
    guard = make_guard(sim, unreachable_after=2).start().wait_guarding().wait_baselines(2, weak=1)
    begun = sim.mark()
    with sim.fault("denied", operation="GetTrailStatus", trail=local):
        told = wait_alert(sim, "target.unreachable")
        assert told["trail"] == {"name": "local", "arn": local} and told["severity"] == "warning"
        assert "cloudtrail:GetTrailStatus" in mail_of(messages(sim)[0])
        assert sim.requests(since=begun, operation="DescribeTrails"), "the list tells the trail's trouble from the region's"
        assert not sim.requests(since=begun, operation="GetEventSelectors"), "settings are looked at when they are due"
        guard.wait_verdict("local", "unknown")
        mallory.stop(ORG_TRAIL)
        sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
        wait_alert(sim, "trail.stopped")
    sighted = wait_alert(sim, "target.reachable", seconds=20)
    assert sighted["incident"] == told["incident"] and sighted["trail"]["name"] == "local"
    guard.wait_verdict("local", "logging")


@pytest.mark.parametrize("operation", ["GetEventSelectors", "ListTags"])
def test_settings_that_cannot_be_seen_are_told_once_and_logging_is_guarded_all_the_same(sim, make_guard, mallory, operation):
    guard = make_guard(sim, unreachable_after=2, settings_interval=1).start().wait_guarding().wait_baselines(1, weak=0)
    with sim.fault("denied", operation=operation):
        told = wait_alert(sim, "target.unreachable")
        assert told["trail"] == {"name": "org-trail", "arn": ORG_TRAIL} and told["severity"] == "warning"
        assert told["findings"] == [{"GetEventSelectors": "selectors_unreadable", "ListTags": "tags_unreadable"}[operation]]
        assert f"cloudtrail:{operation}" in mail_of(messages(sim)[0])
        sim.wait_for_request(within(10), count=2, since=sim.mark(), operation=operation)
        mallory.stop(ORG_TRAIL)
        sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
        wait_alert(sim, "trail.stopped")
    guard.wait_line(f"org-trail {FRA} {MAIN}: .* can be read again")
    assert wait_alert(sim, "trail.resolved")["incident"] == told["incident"]
    assert events(sim) == ["target.unreachable", "trail.stopped", "trail.resolved"]
    guard.wait_verdict("org-trail", "logging")


def test_until_it_counts_as_blind_a_trail_keeps_its_verdict(sim, make_guard):
    guard = make_guard(sim, unreachable_after=100).start().wait_guarding()
    with sim.fault("reset", operation="GetTrailStatus"):
        sim.wait_for_request(within(15), count=4, since=sim.mark(), operation="GetTrailStatus")
        assert guard.verdicts() == {"org-trail": "logging"}
    assert documents(sim) == []


def test_a_stop_during_blindness_is_put_right_when_sight_is_back_and_keeps_its_time(sim, make_guard, mallory):
    guard = make_guard(sim, unreachable_after=2).start().wait_guarding()
    with sim.fault("http503", service="cloudtrail", user_agent="TrailGuard*"):
        wait_alert(sim, "target.unreachable", seconds=15)
        mallory.stop(ORG_TRAIL)
        guard.wait_verdict("org-trail", "unknown")
    sim.wait_for_trail(ORG_TRAIL, within(20), logging=True)
    told = wait_outcome(sim, "trail.stopped")
    assert told["action"]["result"] == "confirmed"
    wait_alert(sim, "target.reachable")


@pytest.mark.parametrize("mode", ["refused", "silent"])
def test_when_all_of_aws_is_gone_the_daemon_stays_and_alerts_come_later(sim, make_guard, mode):
    guard = make_guard(sim, regions=ALL_REGIONS, unreachable_after=2,
                       aws={"request_timeout": TIMEOUT, "connect_timeout": TIMEOUT, "max_attempts": 1}).start().wait_guarding()
    guard.wait_baselines(3, weak=2)
    sim.network(mode)
    try:
        guard.wait_status(lambda status: status["outbox"]["depth"] >= 3, 40)
        assert set(guard.verdicts().values()) == {"unknown"}
        assert guard.process.poll() is None
    finally:
        sim.network("normal")
    wait_alert(sim, "target.reachable", count=3, seconds=70)
    # at least once: an answer of SNS may be lost in the turmoil, and then the message comes again under its id
    assert len({entry["id"] for entry in documents(sim) if entry["event"] == "target.unreachable"}) == 3
    guard.wait_status(lambda status: {trail["verdict"] for trail in status["trails"]} == {"logging"})


def test_without_aws_at_the_start_it_is_ready_and_guards_as_soon_as_it_can(sim, make_guard):
    sim.network("refused")
    try:
        guard = make_guard(sim, aws={"max_attempts": 1}).start().wait_ready()
        guard.wait_line(FRA)
    finally:
        sim.network("normal")
    guard.wait_verdict("org-trail", "logging", 30)


def test_idle_connections_that_aws_closed_are_no_trouble(sim, make_guard):
    guard = make_guard(sim, unreachable_after=1).start().wait_guarding()
    guard.wait_line("org-trail eu-central-1.*baseline recorded")
    mark = guard.mark()
    for _ in range(3):
        sim.call("drop_connections")
        wait_polls(sim, 1, FRA, status=200)
    assert documents(sim) == [] and not guard.found("org-trail|eu-central-1", mark)


@pytest.mark.parametrize("fault", [("exponent", {}), ("type_form", {"form": "namespace"}), ("message_key", {"key": "Message"}),
                                   ("members", {"members": {"Surprise": {"deep": [1, None]}}}),
                                   ("headers", {"headers": {"X-Surprise": "x" * 8000}}), ("close", {})],
                         ids=lambda fault: fault[0])
def test_what_aws_may_do_is_no_trouble(sim, make_guard, mallory, fault):
    kind, fields = fault
    sim.add_fault(kind, **fields)
    make_guard(sim, unreachable_after=1).start().wait_guarding()
    mallory.flap(ORG_TRAIL)
    told = wait_alert(sim, "trail.interrupted")
    assert told["gap"]["to"] >= told["gap"]["from"]
    assert events(sim) == ["trail.interrupted"]
