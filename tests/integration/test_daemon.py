# SPDX-License-Identifier: Apache-2.0
"""Reload, watchdog, notifications, and the number of calls that a calm day costs."""

import collections
import re
import signal
import time

import pytest

from guard import PLAIN, within
from helpers import (ALL_REGIONS, FRA, HOMES, IAD, MAIN, ORG_TRAIL, SYD, events, intervals, messages, sns, topic_arn, trail_arn,
                     wait_alert, wait_polls)
from simaws.client import poll

pytestmark = pytest.mark.timed

OTHER = topic_arn("other")


@pytest.fixture
def guard(sim, make_guard):
    return make_guard(sim).start().wait_guarding()


# -- reload ------------------------------------------------------------------------------------------------------------
@pytest.mark.valgrind
def test_reload_puts_new_regions_and_topics_in_force(sim, guard, mallory):
    sim.add_topic(OTHER)
    pid = guard.process.pid
    guard.write_config(regions=[FRA, IAD], alerts=sns(OTHER))
    guard.reload()
    guard.wait_verdict("audit", "logging")
    mallory.stop(ORG_TRAIL)
    wait_alert(sim, "trail.stopped", OTHER)
    assert messages(sim) == []
    assert guard.process.pid == pid and guard.process.poll() is None
    reload = [text for text in guard.told() if text.startswith(("RELOADING", "MONOTONIC_USEC", "READY"))]
    assert reload[0] == "READY=1" and reload[1] == "RELOADING=1" and reload[-1] == "READY=1"
    assert any(text.startswith("MONOTONIC_USEC=") and int(text.partition("=")[2]) > 0 for text in reload)


def test_reload_that_takes_a_region_out_ends_its_polls_but_not_those_of_guarded_trails(sim, make_guard):
    guard = make_guard(sim, regions=[*ALL_REGIONS, "eu-west-1"]).start().wait_guarding()
    guard.write_config(regions=[FRA])
    guard.reload()
    guard.wait_status(lambda status: {target["region"] for target in status["targets"]} == set(ALL_REGIONS))
    mark = sim.mark()
    wait_polls(sim, 3, FRA)
    assert {entry["region"] for entry in sim.requests(since=mark)} == set(ALL_REGIONS), "what was guarded stays guarded"
    guard.write_config(ignore=["audit", "apac"])
    guard.reload()
    guard.wait_status(lambda status: [trail["name"] for trail in status["trails"]] == ["org-trail"])
    mark = sim.mark()
    wait_polls(sim, 3, FRA)
    assert {entry["region"] for entry in sim.requests(since=mark)} == {FRA}


def test_reload_of_mode_and_interval(sim, make_guard, mallory):
    guard = make_guard(sim, mode="observe", poll_interval=3600, settings_interval=3600).start().wait_guarding()
    guard.write_config(mode="restart", poll_interval=1, settings_interval=60)
    mallory.stop(ORG_TRAIL)
    guard.reload()
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    wait_alert(sim, "trail.stopped")


def test_what_is_known_survives_a_reload_and_nothing_is_told_twice(sim, make_guard, mallory):
    guard = make_guard(sim, mode="observe", regions=ALL_REGIONS).start().wait_guarding()
    mallory.stop(ORG_TRAIL)
    told = wait_alert(sim, "trail.stopped")
    guard.wait_delivered()      # what is under way at a reload is sent again under its id
    for text in (None, "regions = ["):
        guard.write_config(text)
        guard.reload()
        wait_polls(sim, 1, FRA)
        guard.wait_verdict("org-trail", "stopped")
    mallory.start(ORG_TRAIL)
    assert wait_alert(sim, "trail.resolved")["incident"] == told["incident"]
    assert events(sim) == ["trail.stopped", "trail.resolved"]


@pytest.mark.valgrind
@pytest.mark.parametrize("text", ["regions = [", "nonsense = 1;\n", "regions = [ \"eu-central-1\" ];\n", None])
def test_reload_of_a_bad_file_keeps_the_old_one_and_says_so_in_one_line(sim, guard, mallory, text):
    if text is None:
        guard.config.unlink()
    else:
        guard.write_config(text)
    mark = guard.mark()
    guard.reload()
    guard.wait_line("trailguard.conf", since=mark)
    assert len(guard.found("trailguard.conf", mark)) == 1, guard.stderr()
    assert guard.found("keep|old|in force", mark)
    mallory.stop(ORG_TRAIL)
    wait_alert(sim, "trail.stopped")


def test_many_reloads_in_a_row_do_no_harm(sim, guard, mallory):
    mallory.stop(ORG_TRAIL)
    for _ in range(20):
        guard.signal(signal.SIGHUP)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    wait_alert(sim, "trail.stopped")
    poll(lambda: guard.told()[-1] != "RELOADING=1", within(5))
    guard.wait_verdict("org-trail", "logging")
    assert len(messages(sim)) == 1


@pytest.mark.parametrize("name", ["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGPIPE", "SIGRTMIN"])
def test_a_signal_that_means_nothing_does_not_end_the_guard(sim, guard, mallory, name):
    guard.signal(getattr(signal, name))
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    wait_alert(sim, "trail.stopped")
    assert guard.process.poll() is None


def test_a_reload_in_the_middle_of_a_restart_does_not_lose_it(sim, guard, mallory):
    sim.add_fault("slow", operation="StartLogging", seconds=1, count=1)
    mark = sim.mark()
    mallory.stop(ORG_TRAIL)
    sim.wait_for_request(within(10), since=mark, operation="GetTrailStatus")
    poll(lambda: sim.call("faults") == [], within(10))
    guard.reload()
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    wait_alert(sim, "trail.stopped")
    guard.wait_verdict("org-trail", "logging")


def test_a_reload_while_it_stops_does_not_keep_it_alive(sim, guard, mallory):
    """SendSIGHUP=yes of the unit sends both; whoever renews certificates sends one at any time."""
    sim.add_fault("slow", operation="Publish", seconds=30)
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    guard.wait_line("logging again, confirmed")
    poll(guard.outbox_files, within(10))
    mark = guard.mark()
    guard.signal(signal.SIGTERM)
    guard.wait_told("STOPPING=1", since=mark)
    guard.signal(signal.SIGHUP)
    assert guard.wait(10) == 0
    assert "RELOADING=1" not in guard.told(mark)
    sim.clear_failures()


# -- systemd -----------------------------------------------------------------------------------------------------------
def fed(guard, since):
    return [line.time for line in list(guard.notify.messages) if line.text == "WATCHDOG=1" and line.time >= since]


@pytest.mark.valgrind
def test_the_watchdog_is_fed_at_half_its_interval_also_while_aws_is_silent(sim, make_guard):
    guard = make_guard(sim, env={"WATCHDOG_USEC": "1000000"}).start().wait_guarding()
    for fault in (None, "hang"):
        if fault:
            sim.add_fault(fault)
        since = guard.mark()
        times = poll(lambda: (lambda seen: len(seen) >= 6 and seen)(fed(guard, since)), within(10))
        gaps = [after - before for before, after in zip(times, times[1:])]
        # systemd kills what is silent for the whole interval
        assert not PLAIN or (max(gaps) < 1 and sum(gaps) > 0.3 * len(gaps)), gaps


def test_without_a_watchdog_nothing_is_fed(guard, sim):
    wait_polls(sim, 2, FRA)
    assert fed(guard, 0) == []


def test_ready_comes_before_the_first_answer_and_stopping_at_the_end(sim, make_guard):
    with sim.fault("hang"):
        guard = make_guard(sim).start().wait_ready()
    guard.wait_guarding()
    assert guard.stop() == 0
    told = guard.told()
    assert told.count("READY=1") == 1 and told.count("STOPPING=1") == 1
    assert told.index("READY=1") < told.index("STOPPING=1")


def test_without_systemd_it_runs_all_the_same(sim, make_guard, mallory):
    guard = make_guard(sim, env={"NOTIFY_SOCKET": None}).start()
    guard.wait_status(lambda status: status["pass"]["count"] > 0)
    mallory.stop(ORG_TRAIL)
    wait_alert(sim, "trail.stopped")
    assert guard.stop() == 0 and guard.told() == []


def test_status_text_is_sent_only_when_it_changes(guard, sim):
    wait_polls(sim, 4, FRA)
    texts = [text for text in guard.told() if text.startswith("STATUS=")]
    assert all(before != after for before, after in zip(texts, texts[1:])), texts


def test_status_json_stays_fresh_while_nothing_happens(guard, sim):
    first = guard.status()
    guard.wait_status(lambda status: status["updated"] > first["updated"] and status["pass"]["count"] > first["pass"]["count"])


# -- cost --------------------------------------------------------------------------------------------------------------
def test_a_calm_pass_costs_one_call_a_trail_and_settings_one_a_region_and_two_or_three_a_trail(sim, make_guard):
    """Insights are asked for only where the list says that there are some."""
    sim.trail(ORG_TRAIL, insights=[{"InsightType": "ApiCallRateInsight"}])
    guard = make_guard(sim, regions=ALL_REGIONS, settings_interval=2).start().wait_guarding().wait_baselines(3, weak=2)
    settings = {("DescribeTrails", region, None) for region in ALL_REGIONS} | {("GetInsightSelectors", FRA, ORG_TRAIL)} | {
        (operation, region, trail_arn(name)) for operation in ("GetEventSelectors", "GetEventConfiguration", "ListTags")
        for name, region in HOMES.items()}
    polls = {("GetTrailStatus", region, trail_arn(name)) for name, region in HOMES.items()}
    mark, begun = sim.mark(), time.monotonic()

    def calls():
        counts = collections.Counter((entry["operation"], entry["region"], entry.get("trail"))
                                     for entry in sim.requests(since=mark, principal="*:user/guard"))
        return counts if all(counts[key] >= 2 for key in settings) and all(counts[key] >= 4 for key in polls) else None
    counts = poll(calls, within(20))
    took = time.monotonic() - begun
    assert set(counts) == settings | polls
    # a pass comes up to a twentieth early; settings are read in the pass that is nearest; and one may have been under way
    assert all(counts[key] <= took / 0.95 + 2 for key in polls), (took, counts)
    assert all(counts[key] <= took / 1.5 + 1 for key in settings), (took, counts)
    assert guard.verdicts() == {name: "logging" for name in HOMES}


def test_polls_keep_their_interval_and_are_never_late(sim, make_guard):
    make_guard(sim, poll_interval=1).start().wait_guarding()
    begun = sim.mark()
    wait_polls(sim, 5, FRA)
    gaps = intervals(sim, FRA, begun)
    if PLAIN:       # one that arrives late leaves the next one less
        assert 0.9 <= sum(gaps) / len(gaps) <= 1.1 and max(gaps) < 1.5, gaps


def test_a_slow_answer_does_not_make_a_target_asked_twice_at_once(sim, make_guard):
    make_guard(sim).start().wait_guarding()
    sim.add_fault("slow", operation="GetTrailStatus", seconds=1.5)
    sim.wait_for_request(within(20), since=sim.mark(), operation="GetTrailStatus")   # the first that is slow
    mark = sim.mark()
    sim.wait_for_request(within(20), count=3, since=mark, operation="GetTrailStatus")
    gaps = intervals(sim, FRA, mark)
    assert len(gaps) >= 2 and min(gaps) >= 1.5, gaps


def test_a_pass_ends_although_answers_take_longer_than_the_interval(sim, make_guard):
    """Of two trails one is always waited for: at no moment has everything been answered."""
    other = sim.add_trail("other", MAIN, FRA)
    guard = make_guard(sim, mode="observe").start().wait_guarding().wait_baselines(2, weak=1)
    sim.add_fault("slow", operation="GetTrailStatus", trail=ORG_TRAIL, seconds=1.6)
    late = sim.wait_for_request(within(10), operation="GetTrailStatus", trail=ORG_TRAIL, faults=[["slow"]])
    # it is asked in every second pass from now on, and the other one, once it has been asked together with it, between
    poll(lambda: any(entry["time"] > late["time"] + 1.65 for entry in sim.requests(operation="GetTrailStatus", trail=other)),
         within(10), 0.005)
    sim.add_fault("slow", operation="GetTrailStatus", trail=other, seconds=1.6)
    wait_polls(sim, 2, FRA, trail=other)
    count = guard.status()["pass"]["count"]
    guard.wait_status(lambda status: status["pass"]["count"] >= count + 3)


def test_connections_are_kept_and_used_again(sim, make_guard):
    """Never more than the requests that may be under way at once: in each of three regions a poll and three reads of settings,
    and an alert. How many of these overlap depends on how fast they are answered."""
    make_guard(sim, regions=ALL_REGIONS, settings_interval=1).start().wait_guarding().wait_baselines(3, weak=2)
    begun = sim.mark()
    wait_polls(sim, 4, FRA)
    assert len(sim.requests(since=begun, principal="*:user/guard")) >= 30
    assert len({entry["connection"] for entry in sim.requests(principal="*:user/guard")}) <= 13


def test_over_tls_reconnects_resume_their_session(tls_sim, make_guard):
    make_guard(tls_sim).start().wait_guarding()
    for _ in range(5):
        tls_sim.call("drop_connections")
        wait_polls(tls_sim, 1, FRA, status=200)
    firsts = [entry for entry in tls_sim.requests(operation="GetTrailStatus") if entry["connection_request"] == 1]
    assert len(firsts) >= 4
    assert sum(entry["resumed"] for entry in firsts) >= len(firsts) - 1, firsts


def test_a_region_without_trails_is_looked_at_seldom(sim, make_guard):
    sim.trail(ORG_TRAIL, settings={"IsMultiRegionTrail": False})
    sim.trail(trail_arn("apac"), delete=True)
    make_guard(sim, regions=[FRA, SYD], settings_interval=1).start().wait_guarding()
    mark = sim.mark()
    sim.wait_for_request(within(20), count=5, since=mark, region=FRA, operation="DescribeTrails")
    gaps = intervals(sim, SYD, mark, operation="DescribeTrails")
    assert all(gap > 9 for gap in gaps), "ten times less often"
    assert {entry["operation"] for entry in sim.requests(since=mark, region=SYD)} <= {"DescribeTrails"}


def call_line(entry, attempt, text, account=MAIN):
    """A call as the journal has it at log_level "debug"."""
    return (rf"^trailguard: call: {entry['service']} {entry['operation']} {entry['region']} {account}: "
            rf"HTTP {entry['status']} in \d+ ms, attempt {attempt}/3: {text}request id {entry['id']}\)$")


def test_log_level_debug_shows_every_call_and_no_secret(sim, make_guard, mallory):
    """Throttled, denied, failed and good ones; guard.assert_no_secrets looks at all of it at the end."""
    guard = make_guard(sim, log_level="debug", mode="restore").start().wait_guarding()
    mark = sim.mark()
    guard.wait_line(call_line(poll(lambda: sim.requests(since=mark, operation="GetTrailStatus"))[0], 1, r"ok \("))

    sim.add_fault("throttle", operation="GetTrailStatus", count=1)
    throttled = poll(lambda: [e for e in sim.requests(since=mark, operation="GetTrailStatus") if e["status"] == 429])[0]
    guard.wait_line(call_line(throttled, 1, r"ThrottlingException: Rate exceeded \("))
    guard.wait_line(rf"^trailguard: held back: cloudtrail GetTrailStatus {FRA} {MAIN}: \d+ ms by back-off before attempt 2/3$")
    guard.wait_line(rf"^trailguard: call: cloudtrail GetTrailStatus {FRA} {MAIN}: HTTP 200 in \d+ ms, attempt 2/3: ok ")

    sim.add_fault("error", operation="GetTrailStatus", code="InternalFailure", status=500, count=1)
    failed = poll(lambda: [e for e in sim.requests(since=mark, operation="GetTrailStatus") if e["status"] == 500])[0]
    guard.wait_line(call_line(failed, 1, r"InternalFailure.*\("))

    denied = sim.add_fault("denied", operation="StartLogging")
    mallory.stop(ORG_TRAIL)
    refused = poll(lambda: sim.requests(since=mark, operation="StartLogging"))[0]
    guard.wait_line(call_line(refused, 1, r"AccessDeniedException: .* is not authorized to perform: "
                                          r"cloudtrail:StartLogging on resource: .* \("))
    guard.wait_line(rf"could not be started: StartLogging: AccessDeniedException: .* \(request id {refused['id']}\)")
    guard.wait_line(r"^trailguard: verdict: org-trail eu-central-1 \d+: logging -> stopped, after a poll; "
                    r"findings none -> stopped$")
    guard.wait_line(r"^trailguard: held back: org-trail eu-central-1 \d+: \d+ ms by back-off after restarts that failed$")
    sim.remove_fault(denied)
    wait_alert(sim, "trail.stopped")
    guard.wait_line(r"^trailguard: wake-up: org-trail eu-central-1 \d+: a restart or restore is due again$")
    guard.wait_line(r"^trailguard: verdict: org-trail eu-central-1 \d+: stopped -> logging, after the end of an action; "
                    r"findings stopped -> none$")
    guard.wait_line(rf"^trailguard: wake-up: a round of polls begins; targets: 1; ")
    guard.wait_line(rf"^trailguard: call: sns Publish {FRA} {MAIN}: HTTP 200 in \d+ ms, attempt 1/3: ok \(request id ")
    assert "Authorization" not in guard.stderr() and "X-Amz-Security-Token" not in guard.stderr()


def test_log_level_info_shows_no_calls(sim, make_guard):
    guard = make_guard(sim).start().wait_guarding()
    wait_polls(sim, 2, FRA)
    assert not [line for line in guard.stderr().splitlines() if re.search("call:|held back:|wake-up:|verdict:", line)]
