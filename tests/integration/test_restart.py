# SPDX-License-Identifier: Apache-2.0
"""A stopped trail is logging again within seconds, is told once and completely, and never otherwise than promised."""

import re

import pytest

from guard import PLAIN, within
from helpers import (ALL_REGIONS, AUDIT, FRA, HOMES, IAD, MAIN, ORG_TRAIL, READS, TOPIC, clock_text, document, documents,
                     epoch, events, mail_of, mail_time, matches, messages, operations, trail_arn, wait_alert, wait_message,
                     wait_polls)

TEXT_OF_A_RESTART = r"running again after [0-9.]+ s"


def deny(sim, *actions):
    """Take rights from the guard as a policy would; no action gives them back."""
    denied = [{"Sid": "Taken", "Effect": "Deny", "Action": list(actions), "Resource": "*"}] if actions else []
    everything = {"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"}
    sim.call("policy", principal=f"arn:aws:iam::{MAIN}:user/guard", policy=[everything, *denied])


@pytest.fixture
def guard(sim, make_guard):
    return make_guard(sim).start().wait_guarding()


@pytest.mark.valgrind
def test_a_stopped_trail_is_logging_again_and_everybody_is_told(sim, make_guard):
    guard = make_guard(sim, regions=ALL_REGIONS).start().wait_guarding()
    assert guard.verdicts() == {name: "logging" for name in HOMES}
    guard.wait_told("^STATUS=guarding 3 trails, 3 regions, 1 account.*: 3 logging; pass [0-9.]+ s$")

    sim.aws("mallory", FRA, "cloudtrail", "stop-logging", "--name", "org-trail")
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    trail = sim.trail(ORG_TRAIL)
    if PLAIN:
        assert trail["started"] - trail["stopped"] <= 2.0
    message = wait_message(sim, TOPIC, 10)

    # the message, for people
    subject, mail = message["Subject"], message["received"]["email"]["Body"]
    matches(r"^\[TrailGuard\] CRITICAL org-trail stopped in eu-central-1 \(111122223333\), " + TEXT_OF_A_RESTART, subject)
    assert message["received"]["email"]["Subject"] == subject
    for part in ("org-trail", FRA, MAIN, ORG_TRAIL, mail_time(trail["stopped"]), mail_time(trail["started"])):
        assert part in mail
    assert "org-trail" in message["received"]["sms"] and len(message["received"]["sms"]) <= 160
    assert all(len(line) <= 120 for line in mail.splitlines() if not line.startswith("  aws ")), mail

    # ... for programs
    told = document(message)
    assert (told["event"], told["severity"], told["sequence"]) == ("trail.stopped", "critical", 1)
    assert (told["account"], told["region"]) == (MAIN, FRA)
    assert told["trail"] == {"name": "org-trail", "arn": ORG_TRAIL}
    assert told["action"] == {"taken": "restart", "result": "confirmed", "attempts": 1}
    assert abs(epoch(told["gap"]["from"]) - trail["stopped"]) < 1
    assert abs(epoch(told["gap"]["to"]) - trail["started"]) < 1
    assert {"T1562.008", "T1685.002"} <= set(told["attack"])
    for protocol in ("sqs", "lambda", "http", "https"):
        assert message["received"][protocol]["Message"] == message["received"]["sqs"]["Message"]
    assert message["MessageAttributes"] == {
        name: {"Type": "String", "Value": value} for name, value in {
            "severity": "critical", "event": "trail.stopped", "account": MAIN, "region": FRA, "trail": "org-trail"}.items()}

    # journal, systemd, status.json
    stopped, again = clock_text(trail["stopped"]), clock_text(trail["started"])
    guard.wait_line(f"org-trail {FRA} {MAIN}: logging was stopped at {stopped}; starting it again")
    guard.wait_line(f"org-trail {FRA} {MAIN}: logging again, confirmed; gap {stopped}-{again}")
    guard.wait_told(r"^STATUS=.*1 stopped \(org-trail eu-central-1\)")
    guard.wait_verdict("org-trail", "logging")
    guard.wait_told("^STATUS=.*3 logging; pass")
    guard.wait_delivered()
    assert guard.outbox_files() == []

    # once, and no more after a further look
    wait_polls(sim, 2, FRA)
    assert len(messages(sim)) == 1
    assert operations(sim).count("StartLogging") == 1
    assert guard.stop() == 0
    assert guard.told()[-1] == "STOPPING=1" or "STOPPING=1" in guard.told()


def test_all_trails_of_all_regions_are_restarted_at_once(sim, make_guard, mallory):
    make_guard(sim, regions=ALL_REGIONS).start().wait_guarding()
    arns = [trail_arn(name) for name in HOMES]
    for arn in arns:
        mallory.stop(arn)
    for arn in arns:
        trail = sim.wait_for_trail(arn, within(10), logging=True)
        assert not PLAIN or trail["started"] - trail["stopped"] <= 2.0
    wait_message(sim, TOPIC, 10, count=3)
    assert sorted(entry["trail"]["name"] for entry in documents(sim)) == sorted(HOMES)
    assert len({entry["incident"] for entry in documents(sim)}) == 3


def test_over_tls_a_stopped_trail_is_restarted_and_told(tls_sim, make_guard):
    make_guard(tls_sim, regions=ALL_REGIONS).start().wait_guarding()
    tls_sim.trail(ORG_TRAIL, logging=False)
    trail = tls_sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    assert not PLAIN or trail["started"] - trail["stopped"] <= 2.0
    told = wait_alert(tls_sim, "trail.stopped")
    assert told["action"] == {"taken": "restart", "result": "confirmed", "attempts": 1}
    assert {entry["status"] for entry in tls_sim.requests()} == {200}


def test_the_write_names_the_trail_by_its_arn_in_its_home_region(sim, guard, mallory):
    mallory.stop(ORG_TRAIL)
    request = sim.wait_for_request(within(10), operation="StartLogging")
    assert (request["region"], request["params"], request["status"]) == (FRA, {"Name": ORG_TRAIL}, 200)


@pytest.mark.valgrind
def test_mode_observe_tells_and_never_writes(sim, make_guard, mallory):
    guard = make_guard(sim, mode="observe").start().wait_guarding()
    mallory.stop(ORG_TRAIL)
    told = wait_alert(sim, "trail.stopped")
    assert told["action"]["taken"] == "none" and told["action"]["result"] == "none"
    guard.wait_line("org-trail eu-central-1 111122223333: logging was stopped at ")
    wait_polls(sim, 2, FRA)
    assert set(operations(sim)) <= READS | {"Publish"}
    assert sim.trail(ORG_TRAIL)["logging"] is False
    guard.wait_verdict("org-trail", "stopped")
    mallory.start(ORG_TRAIL)
    resolved = wait_alert(sim, "trail.resolved")
    assert resolved["incident"] == told["incident"] and resolved["sequence"] == 2
    assert events(sim) == ["trail.stopped", "trail.resolved"]


def test_a_stop_and_start_between_two_looks_is_told_with_the_exact_gap(sim, guard, mallory):
    mallory.flap(ORG_TRAIL)
    trail = sim.trail(ORG_TRAIL)
    told = wait_alert(sim, "trail.interrupted")
    assert told["severity"] == "critical" and told["trail"]["arn"] == ORG_TRAIL
    assert abs(epoch(told["gap"]["from"]) - trail["stopped"]) < 1
    assert abs(epoch(told["gap"]["to"]) - trail["started"]) < 1
    assert told["action"]["taken"] == "none"
    wait_polls(sim, 2, FRA)
    assert events(sim) == ["trail.interrupted"]
    assert "StartLogging" not in operations(sim)


def test_a_trail_found_stopped_at_the_first_look_is_restarted_and_told_as_that(sim, make_guard, mallory):
    mallory.stop(ORG_TRAIL)
    stopped = sim.trail(ORG_TRAIL)["stopped"]
    make_guard(sim).start()
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    told = wait_alert(sim, "trail.stopped")
    assert abs(epoch(told["gap"]["from"]) - stopped) < 1
    mail = mail_of(messages(sim)[0])
    matches("already stopped|first seen|first look", mail)


def test_a_trail_that_never_logged_is_started_too(sim, make_guard):
    never = sim.add_trail("never-started", MAIN, FRA, logging=False)
    make_guard(sim).start()
    sim.wait_for_trail(never, within(10), logging=True)
    told = wait_alert(sim, "trail.stopped")
    assert told["trail"]["name"] == "never-started"
    assert "1970" not in messages(sim)[0]["received"]["email"]["Body"]


@pytest.mark.valgrind
def test_a_denied_restart_is_told_retried_ever_slower_and_done_once_it_is_allowed(sim, guard, mallory):
    deny(sim, "cloudtrail:StartLogging")
    mallory.stop(ORG_TRAIL)
    told = wait_alert(sim, "trail.stopped")
    assert told["action"]["taken"] == "restart" and told["action"]["result"] == "failed"
    mail = mail_of(messages(sim)[0])
    assert "cloudtrail:StartLogging" in mail and ORG_TRAIL in mail
    guard.wait_line("org-trail .*(fail|denied|AccessDenied).*", count=1)
    sim.wait_for_request(within(20), count=3, operation="StartLogging")
    times = [entry["time"] for entry in sim.requests(operation="StartLogging")]
    assert times[1] - times[0] >= 0.95 and times[2] - times[1] >= 1.9, times
    deny(sim)
    sim.wait_for_trail(ORG_TRAIL, within(20), logging=True)
    resolved = wait_alert(sim, "trail.resolved")
    assert resolved["incident"] == told["incident"]
    assert events(sim) == ["trail.stopped", "trail.resolved"]


def test_a_restart_that_aws_accepts_but_that_does_not_hold_is_noticed(sim, guard, mallory):
    with sim.fault("json", operation="StartLogging", value={}):
        mallory.stop(ORG_TRAIL)
        told = wait_alert(sim, "trail.stopped", seconds=15)
        assert told["action"]["result"] in ("failed", "pending")
        assert not guard.found("logging again, confirmed")
        guard.wait_line("could not be started: StartLogging: accepted, but .* after 5 s; retrying")
        assert sim.trail(ORG_TRAIL)["logging"] is False
    sim.wait_for_trail(ORG_TRAIL, within(20), logging=True)
    assert wait_alert(sim, "trail.resolved")["incident"] == told["incident"]
    assert operations(sim).count("StartLogging") == 2


def test_the_lost_answer_to_a_restart_that_worked_does_no_harm(sim, guard, mallory):
    sim.add_fault("reset", operation="StartLogging", executed=True, count=1)
    mallory.stop(ORG_TRAIL)
    told = wait_alert(sim, "trail.stopped")
    assert told["gap"]["to"] is not None
    guard.wait_verdict("org-trail", "logging")
    wait_polls(sim, 2, FRA)
    assert "trail.interrupted" not in events(sim)


def test_a_throttled_restart_comes_through(sim, guard, mallory):
    sim.add_fault("throttle", operation="StartLogging", count=2)
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(20), logging=True)
    assert wait_alert(sim, "trail.stopped")["trail"]["name"] == "org-trail"


def test_stopped_again_at_once_it_is_started_again_at_once_without_backing_off(sim, guard, mallory):
    waits = []
    for round in range(4):
        sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
        mallory.stop(ORG_TRAIL)
        trail = sim.wait_for_trail(ORG_TRAIL, within(20), logging=True)
        waits.append(trail["started"] - trail["stopped"])
    assert not PLAIN or max(waits) <= 3.0, waits    # one interval, and AWS's one write a second
    told = documents(sim)
    assert len({entry["incident"] for entry in told}) <= 1


def test_stopped_again_before_the_restart_is_read_back_it_is_started_again_at_once(sim, guard, mallory):
    """Who stops the trail in that moment must not win the time of the read-back and of a back-off."""
    sim.add_fault("slow", operation="GetTrailStatus", seconds=0.3)
    mallory.stop(ORG_TRAIL)
    for count in (1, 2):
        sim.wait_for_request(within(10), count=count, operation="StartLogging", principal="*:user/guard")
        mallory.stop(ORG_TRAIL)
    trail = sim.wait_for_trail(ORG_TRAIL, within(20), logging=True)
    assert not PLAIN or trail["started"] - trail["stopped"] <= 3.0
    wait_message(sim, TOPIC, 10, count=3)
    told = documents(sim)
    assert [entry["action"]["result"] for entry in told] == ["confirmed"] * 3
    assert len({entry["incident"] for entry in told}) == 1 and len({entry["gap"]["from"] for entry in told}) >= 2
    guard.wait_verdict("org-trail", "logging")
    assert not guard.found("could not be started")


def test_two_hundred_flips_are_one_incident_and_few_messages(sim, guard, mallory):
    for _ in range(100):
        mallory.stop(ORG_TRAIL)
        mallory.start(ORG_TRAIL)
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(20), logging=True)
    guard.wait_verdict("org-trail", "logging")
    wait_polls(sim, 3, FRA)
    told = documents(sim)
    assert 1 <= len(told) <= 10, [entry["event"] for entry in told]
    assert len({entry["incident"] for entry in told}) == 1
    assert [entry["sequence"] for entry in told] == list(range(1, len(told) + 1))
    assert len({entry["id"] for entry in told}) == len(told)
    assert sim.trail(ORG_TRAIL)["logging"] is True


def test_many_stopped_trails_of_one_region_are_restarted_within_the_write_quota(sim, make_guard, mallory):
    sim.call("settings", quotas=True)
    names = [sim.add_trail(f"extra-{n}", MAIN, IAD) for n in range(3)] + [AUDIT]
    make_guard(sim, regions=[IAD]).start().wait_guarding()
    for arn in names:
        sim.trail(arn, logging=False)
    for arn in names:
        sim.wait_for_trail(arn, within(20), logging=True)
    wait_message(sim, TOPIC, 20, count=4)
    refused = [entry for entry in sim.requests(principal="*:user/guard", region=IAD) if entry["status"] != 200]
    assert not PLAIN or refused == []       # by the time of arrival
    assert {entry["action"]["result"] for entry in documents(sim)} <= {"confirmed", "pending"}


def test_hostile_text_from_aws_reaches_no_terminal(sim, guard, mallory):
    evil = "\x1b[2J\u202eboo\r\nfake line: all is well\x00"
    with sim.fault("error", operation="StartLogging", code="WeirdException", message=evil, status=400):
        mallory.stop(ORG_TRAIL)
        wait_alert(sim, "trail.stopped", seconds=15)
        guard.wait_line("WeirdException")
    mail = messages(sim)[0]["received"]["email"]["Body"]
    for text in (guard.stderr(), "\n".join(guard.told()), mail, messages(sim)[0]["Subject"]):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", text), ascii(text)
        assert not re.search("^fake line", text, re.M)


def test_what_is_started_without_a_poll_is_in_a_message(sim, make_guard):
    """Three polls of the trail fail, and between them the list is answered: its region does not count as unreachable."""
    make_guard(sim, regions=[FRA], settings_interval=2, unreachable_after=3, aws={"max_attempts": 1}).start().wait_guarding()
    listed = sim.wait_for_request(within(10), operation="DescribeTrails", region=FRA, since=sim.mark())
    wait_polls(sim, 1, FRA, listed["number"])
    sim.add_fault("throttle", operation="GetTrailStatus", user_agent="TrailGuard*", count=3)
    sim.wait_for_request(within(15), operation="StartLogging", status=200)
    entry = wait_alert(sim, "target.unreachable")
    assert entry["trail"] and entry["trail"]["arn"] == ORG_TRAIL
    assert "it sends StartLogging every 30 s" in mail_of(next(m for m in messages(sim) if document(m) == entry))
    wait_alert(sim, "target.reachable")
