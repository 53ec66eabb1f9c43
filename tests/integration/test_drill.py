# SPDX-License-Identifier: Apache-2.0
"""`trailguard drill` proves the whole chain, never leaves a trail stopped or tagged, and never hides what somebody else does."""

import json
import os
import pty
import re
import signal
import subprocess
import time

import pytest

from guard import BINARY, within
from helpers import FRA, MAIN, MEMBER, ORG_TRAIL, TOPIC, document, events, messages, wait_alert, wait_message
from simaws.client import poll

ALERTS = ({"type": "sns", "topic_arn": TOPIC},)
MALLORY = f"arn:aws:iam::{MAIN}:user/mallory"
KEY = "TrailGuardDrill"
BLIND = ("put-event-selectors", "--trail-name", "org-trail", "--event-selectors",
         json.dumps([{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]))


@pytest.fixture
def guard(sim, make_guard):
    return make_guard(sim, alerts=ALERTS, attribution=True).start().wait_guarding()


def operator(sim):
    """The keys of somebody who may stop trails."""
    return {name: value for name, value in sim.env_for("mallory").items() if name.startswith("AWS_")}


def drill(sim, guard, *arguments, seconds=60, env=None):
    return guard.verb("drill", *(arguments or ("--yes", "org-trail")), env=env or operator(sim), seconds=seconds)


def begin(sim, guard, options=("--yes",), stdin=subprocess.DEVNULL, name="org-trail"):
    """A drill under way, its trail about to be stopped."""
    env = {**guard.env, **operator(sim)}
    env.pop("NOTIFY_SOCKET")
    return subprocess.Popen([BINARY, "drill", "-c", guard.config, *options, name], env=env, cwd=guard.directory,
                            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def announce(guard, **changes):
    """What `drill` writes before it stops the trail."""
    now = int(time.time() * 1e6)
    file = {"schema": "trailguard.drill/1", "trail": ORG_TRAIL, "identity": MALLORY, "nonce": "0" * 32,
            "from_usec": now, "until_usec": now + 60_000_000, **changes}
    path = guard.state / "drill.json"
    path.write_text(json.dumps(file))
    path.chmod(0o600)
    return path


def tags(sim):
    return sim.trail(ORG_TRAIL)["tags"]


def tag(sim, **pairs):
    sim.aws("mallory", FRA, "cloudtrail", "add-tags", "--resource-id", ORG_TRAIL, "--tags-list",
            *(f"Key={key},Value={value}" for key, value in pairs.items()))


def stop(sim, user="mallory"):
    sim.aws(user, FRA, "cloudtrail", "stop-logging", "--name", "org-trail")


def test_a_drill_proves_the_whole_chain(sim, guard):
    done = drill(sim, guard)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [step for step in ("noticed", "restarted", "reported", "delivered", "attributed")
            if f"\n{step:10} after " not in done.stdout] == [], done.stdout
    assert done.stdout.endswith("\nproved\n") and "LATE" not in done.stdout
    assert f"sns:{TOPIC}: receipt" in done.stdout
    sim.wait_for_trail(ORG_TRAIL, within(5), logging=True)

    alerts = [document(message) for message in messages(sim)]
    assert [alert["event"] for alert in alerts] == ["guard.drill"] * 2
    assert all(alert["severity"] == "info" and alert["drill"] for alert in alerts)
    assert alerts[1]["actor"]["arn"] == MALLORY
    subjects = [message["Subject"] for message in messages(sim)]
    assert all(subject.startswith("[TrailGuard] DRILL org-trail stopped in ") for subject in subjects), subjects
    guard.wait_line(f"org-trail {FRA} {MAIN}: a drill, announced by {MALLORY}: alerts about it are info")
    guard.assert_status_documented()
    again = drill(sim, guard)
    assert again.returncode == 1 and "its last drill was less than 6 minutes ago" in again.stderr


@pytest.mark.parametrize("options, name, why", [
    ({"mode": "observe"}, "org-trail", 'mode is "observe"'),
    ({"alerts": ()}, "org-trail", "no channel is configured"),
    ({"poll_interval": 301, "settings_interval": 301}, "org-trail", "poll_interval is longer than 300 s"),
    ({"maintenance": ({"from": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"},)}, "no-trail", "guards no such trail"),
])
def test_what_must_not_be_drilled_is_refused(sim, make_guard, options, name, why):
    guard = make_guard(sim, **{"alerts": ALERTS, **options}).start().wait_guarding()
    done = drill(sim, guard, "--yes", name)
    assert done.returncode == 1 and why in done.stderr and done.stdout == "", done
    assert not sim.requests(operation="StopLogging")


def test_the_mode_of_the_trails_own_account_counts(sim, make_guard):
    """The group without a role is the guard's own account, whatever stands before it."""
    role = {"role_arn": f"arn:aws:iam::{MEMBER}:role/TrailGuard", "mode": "observe"}
    guard = make_guard(sim, alerts=ALERTS, accounts=[role, {"mode": "restart"}]).start().wait_guarding()
    assert "no terminal to confirm on" in drill(sim, guard, "org-trail").stderr


def test_a_maintenance_window_is_refused(sim, make_guard):
    day = 86400
    window = {"from": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - day)),
              "until": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + day))}
    guard = make_guard(sim, alerts=ALERTS, maintenance=[window]).start().wait_guarding()
    done = drill(sim, guard)
    assert done.returncode == 1 and "a maintenance window is open" in done.stderr
    assert not sim.requests(operation="StopLogging")


def test_without_a_daemon_a_terminal_or_the_right_keys_nothing_is_stopped(sim, make_guard):
    guard = make_guard(sim, alerts=ALERTS).start().wait_guarding()
    assert "no terminal to confirm on" in drill(sim, guard, "org-trail").stderr
    guards = drill(sim, guard, env=guard.env)
    assert "these are the guard's own keys; use an operator's" in guards.stderr
    assert guard.stop() == 0
    none = drill(sim, guard)
    assert none.returncode == 1 and "no daemon runs" in none.stderr
    assert not sim.requests(operation="StopLogging")
    assert not (guard.state / "drill.json").exists()


def test_a_status_of_many_trails_is_read(sim, make_guard):
    """The daemon writes up to 256 MiB; a stopped one keeps its lock, and does not replace what stands there."""
    guard = make_guard(sim, alerts=ALERTS).start().wait_guarding()
    guard.signal(signal.SIGSTOP)
    with open(guard.runtime / "status.json", "a", encoding="utf-8") as status:
        status.write(" " * (80 << 20))
    done = drill(sim, guard, "--yes", "no-trail")
    guard.signal(signal.SIGCONT)
    assert done.returncode == 1 and "the daemon guards no such trail" in done.stderr, done


def test_an_organization_trail_is_refused(sim, make_guard):
    sim.call("organization", management=MAIN, members=[MEMBER])
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    guard = make_guard(sim, alerts=ALERTS).start().wait_guarding()
    done = drill(sim, guard)
    assert done.returncode == 1 and "an organization trail is not drilled" in done.stderr, done
    assert not sim.requests(operation="StopLogging")


def test_a_trail_with_an_open_incident_is_refused(sim, make_guard):
    guard = make_guard(sim, alerts=ALERTS, settings_interval=1).start().wait_guarding()
    sim.aws("mallory", FRA, "cloudtrail", *BLIND)
    wait_message(sim, TOPIC, 10)
    done = drill(sim, guard)
    assert done.returncode == 1 and "it is not well now; trailguard status shows why: weakened" in done.stderr, done
    assert not sim.requests(operation="StopLogging") and not (guard.state / "drill.json").exists()


def test_a_trail_whose_last_incident_has_just_ended_is_refused(sim, guard):
    """A stop now would reopen that incident, and wake people in earnest."""
    stop(sim)
    wait_alert(sim, "trail.stopped")
    sim.wait_for_trail(ORG_TRAIL, within(10), IsLogging=True)
    guard.wait_status(lambda status: all(trail["incident"] is None for trail in status["trails"]))
    stops = len(sim.requests(operation="StopLogging"))
    done = drill(sim, guard)
    assert done.returncode == 1 and "its last incident ended less than 5 minutes ago" in done.stderr, done
    assert len(sim.requests(operation="StopLogging")) == stops and not (guard.state / "drill.json").exists()


def test_keys_of_another_account_are_refused(sim, guard):
    sim.add_user("stranger", MEMBER)
    keys = {name: value for name, value in sim.env_for("stranger").items() if name.startswith("AWS_")}
    done = drill(sim, guard, env=keys)
    assert done.returncode == 1
    assert "these keys are of another account" in done.stderr and f"with --profile: arn:aws:iam::{MEMBER}:user/stranger" in done.stderr, done
    assert not sim.requests(operation="StopLogging") and not (guard.state / "drill.json").exists()


@pytest.mark.parametrize("answer, stops", [("n\n", False), ("\n", False), ("\x04", False), ("y\n", True)],
                         ids=["no", "empty", "end", "yes"])
def test_the_answer_at_the_terminal_decides(sim, make_guard, answer, stops):
    guard = make_guard(sim, alerts=ALERTS, attribution=False).start().wait_guarding()
    terminal, stdin = pty.openpty()
    process = begin(sim, guard, options=(), stdin=stdin)
    os.write(terminal, answer.encode())
    out, error = process.communicate(timeout=within(120))
    os.close(terminal)
    os.close(stdin)
    assert "\nStop org-trail now? [y/N] " in out, out + error
    assert len(sim.requests(operation="StopLogging")) == stops, out + error
    assert process.returncode == (0 if stops else 1), out + error
    assert out.endswith("\nproved\n") == stops
    sim.wait_for_trail(ORG_TRAIL, within(5), logging=True)


def deny(sim, *calls):
    """The operator may do everything but these."""
    everything = {"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"}
    denied = {"Sid": "No", "Effect": "Deny", "Action": [f"cloudtrail:{call}" for call in calls], "Resource": "*"}
    sim.call("policy", principal=MALLORY, policy=[everything, denied])


def test_keys_that_may_not_start_the_trail_give_up_at_once(sim, make_guard):
    guard = make_guard(sim, alerts=ALERTS, poll_interval=60, settings_interval=60).start().wait_guarding()
    deny(sim, "StartLogging")
    process = begin(sim, guard)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=False)
    guard.kill()
    out, error = process.communicate(timeout=45)  # it would try again for 60 s
    assert process.returncode == 1 and out.endswith("\nNOT proved\n"), out + error
    assert "NOT LOGGING, as far as is known: StartLogging: " in error and "AccessDenied" in error, error
    assert f"run:\n  aws cloudtrail start-logging --name {ORG_TRAIL} --region {FRA}\n" in error


def test_denied_keys_leave_no_announcement(sim, guard):
    deny(sim, "StopLogging")
    done = drill(sim, guard)
    assert done.returncode == 1
    assert "these keys may not stop it, as is right for the guard's; use an operator's, with --profile" in done.stderr
    assert not (guard.state / "drill.json").exists()
    assert messages(sim) == []


def test_a_daemon_that_ends_during_the_drill_leaves_no_stopped_trail(sim, make_guard):
    guard = make_guard(sim, alerts=ALERTS, poll_interval=60, settings_interval=60).start().wait_guarding()
    process = begin(sim, guard)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=False)
    guard.kill()
    out, error = process.communicate(timeout=within(60))
    assert process.returncode == 1 and "NOT: the daemon has ended" in out and out.endswith("\nNOT proved\n"), out + error
    assert "logging again, confirmed" in error
    sim.wait_for_trail(ORG_TRAIL, within(5), logging=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT])
def test_a_drill_that_is_interrupted_starts_the_trail(sim, make_guard, number):
    guard = make_guard(sim, alerts=ALERTS, poll_interval=60, settings_interval=60).start().wait_guarding()
    process = begin(sim, guard)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=False)
    process.send_signal(number)
    out, error = process.communicate(timeout=within(60))
    assert process.returncode == 1 and "logging again, confirmed" in error, out + error
    sim.wait_for_trail(ORG_TRAIL, within(5), logging=True)


def test_a_restart_that_aws_refuses_is_said_with_the_reason(sim, guard):
    sim.call("policy", principal=f"arn:aws:iam::{MAIN}:user/guard", policy={"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "cloudtrail:StartLogging", "Resource": "*"}]})
    done = drill(sim, guard)
    assert done.returncode == 1 and re.search(r"\nrestarted  NOT: not in the promised time: StartLogging: AccessDenied\w*: .*\n"
                                              r"\nNOT proved\n$", done.stdout), done.stdout
    assert done.stderr.endswith("logging again, confirmed\n"), done.stderr
    assert sim.trail(ORG_TRAIL)["logging"]


def test_an_alert_that_nobody_takes_is_said_with_the_reason(sim, guard):
    with sim.fault("denied", service="sns", operation="Publish"):
        done = drill(sim, guard, seconds=150)
    assert done.returncode == 1 and re.search(
        rf"\ndelivered  NOT: not in the promised time\n  sns:{TOPIC}: NO RECEIPT: AuthorizationError: .*\n\nNOT proved\n$",
        done.stdout), done.stdout
    assert sim.trail(ORG_TRAIL)["logging"]


def test_another_actor_is_reported_in_earnest(sim, guard):
    announce(guard, identity=f"arn:aws:iam::{MAIN}:user/alice")
    stop(sim)
    first, second = (document(message) for message in poll(lambda: len(messages(sim)) == 2 and messages(sim), within(30)))
    assert (first["event"], first["severity"]) == ("guard.drill", "info")
    assert (second["event"], second["severity"], second["drill"]) == ("trail.attributed", "critical", False)
    assert second["actor"]["arn"] == MALLORY


def test_a_second_stop_is_reported_in_earnest(sim, guard):
    announce(guard)
    stop(sim)
    poll(lambda: len(messages(sim)) >= 1, within(10))
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    time_of_stop = sim.trail(ORG_TRAIL)["stopped"]
    poll(lambda: time.time() > time_of_stop + 1.1, within(5))  # AWS's times are whole seconds
    stop(sim)
    poll(lambda: any(document(message)["event"] == "trail.stopped" for message in messages(sim)), within(10))
    told = next(document(message) for message in messages(sim) if document(message)["event"] == "trail.stopped")
    assert told["severity"] == "critical" and not told["drill"]


@pytest.mark.parametrize("command, event", [
    (("delete-trail", "--name", "org-trail"), "trail.missing"),
    (BLIND, "trail.weakened"),
], ids=["delete", "blind"])
def test_what_else_the_same_identity_does_during_a_drill_is_in_earnest(sim, make_guard, command, event):
    guard = make_guard(sim, alerts=ALERTS, settings_interval=1, attribution=True).start().wait_guarding()
    announce(guard)
    stop(sim)
    poll(lambda: len(messages(sim)) >= 1, within(10))
    sim.aws("mallory", FRA, "cloudtrail", *command)
    poll(lambda: any(not document(message)["drill"] for message in messages(sim)), within(20))
    worst = next(document(message) for message in messages(sim) if not document(message)["drill"])
    assert worst["event"] == event and worst["severity"] in ("warning", "critical"), worst


@pytest.mark.parametrize("case", ["fifo", "huge", "far", "garbage", "too long", "world", "link", "expired", "other trail"])
def test_an_announcement_that_does_not_count_is_ignored(sim, guard, case):
    now = int(time.time() * 1e6)
    why = {"garbage": "no announcement of a drill", "too long": "a drill lasts at most 15 min",
           "world": "others may write to it", "link": "no regular file",
           "fifo": "no regular file", "huge": "larger than 4096 bytes"}.get(case)
    path = guard.state / "drill.json"
    if case == "garbage":
        path.write_text("{" * 1000)
        path.chmod(0o600)
    elif case == "too long":
        announce(guard, until_usec=now + 3_600_000_000)
    elif case == "world":
        announce(guard).chmod(0o666)
    elif case == "link":
        os.rename(announce(guard), guard.directory / "elsewhere")
        path.symlink_to(guard.directory / "elsewhere")
    elif case == "fifo":
        os.mkfifo(path, 0o600)
    elif case == "huge":
        announce(guard, nonce="0" * 5000)
    elif case == "far":
        announce(guard, from_usec=now + 300_000_000, until_usec=now + 900_000_000)
    elif case == "expired":
        announce(guard, from_usec=now - 300_000_000, until_usec=now - 1_000_000)
    else:
        announce(guard, trail=ORG_TRAIL + "-x")
    stop(sim)
    told = document(wait_message(sim, TOPIC, 10))
    assert (told["event"], told["severity"], told["drill"]) == ("trail.stopped", "critical", False)
    if why:
        guard.wait_line(f"drill.json: ignored: .*{why}")
        guard.wait_verdict("org-trail", "logging")
        assert len(guard.found("drill.json: ignored")) == 1


@pytest.mark.parametrize("options, step", [
    ({}, "resolved"), ({"mode": "observe"}, "resolved"), ({"mode": "restore"}, "resolved"),
    ({"mode": "restore", "restore": ("settings", "deleted")}, "restored"),
    ({"mode": "restore", "restore": ("deleted",), "accounts": [{"restore": ["settings"]}]}, "resolved"),
    ({"mode": "observe", "accounts": [{"mode": "restore", "restore": ["deleted"]}]}, "restored"),
], ids=["restart", "observe", "restore", "restore tags", "account without tags", "account with tags"])
def test_a_drill_with_a_tag_proves_the_chain_and_stops_nothing(sim, make_guard, options, step):
    guard = make_guard(sim, alerts=ALERTS, attribution=True, settings_interval=1, **options).start().wait_guarding()
    before = tags(sim)
    done = drill(sim, guard, "--tag", "--yes", "org-trail", seconds=90)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [name for name in ("noticed", step, "reported", "delivered", "attributed")
            if f"\n{name:10} after " not in done.stdout] == [], done.stdout
    assert done.stdout.endswith("\nproved\n") and "LATE" not in done.stdout
    assert tags(sim) == before and not sim.requests(operation="StopLogging")
    assert ("removing the tag" in done.stderr) == (step == "resolved"), done.stderr

    alerts = [document(message) for message in messages(sim)]
    assert {(alert["event"], alert["severity"], alert["drill"]) for alert in alerts} == {("guard.drill", "info", True)}
    assert len(alerts) == (3 if step == "resolved" else 2), alerts
    assert alerts[-1]["actor"]["arn"] == MALLORY
    assert all(message["Subject"].startswith("[TrailGuard] ") and "DRILL" in message["Subject"] or "RESOLVED" in message["Subject"]
               for message in messages(sim))
    guard.wait_line(f"org-trail {FRA} {MAIN}: a drill, announced by {MALLORY}: alerts about it are info")
    guard.assert_status_documented()
    again = drill(sim, guard, "--tag", "--yes", "org-trail")
    assert again.returncode == 1 and "its last drill was less than 6 minutes ago" in again.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT])
def test_a_drill_that_is_interrupted_leaves_no_tag(sim, make_guard, number):
    guard = make_guard(sim, alerts=ALERTS, settings_interval=60).start().wait_guarding()
    before = tags(sim)
    process = begin(sim, guard, ("--yes", "--tag"))
    poll(lambda: KEY in tags(sim), within(10))
    process.send_signal(number)
    out, error = process.communicate(timeout=within(60))
    assert process.returncode == 1 and out.endswith("\nNOT proved\n") and "the tag is gone, confirmed" in error, out + error
    assert tags(sim) == before


def test_keys_that_may_not_remove_the_tag_print_the_command(sim, make_guard):
    guard = make_guard(sim, alerts=ALERTS, settings_interval=60).start().wait_guarding()
    deny(sim, "RemoveTags")
    process = begin(sim, guard, ("--yes", "--tag"))
    poll(lambda: KEY in tags(sim), within(10))
    guard.kill()
    out, error = process.communicate(timeout=45)
    assert process.returncode == 1 and "NOT: the daemon has ended" in out, out + error
    assert f"STILL HAS THE TAG {KEY}, as far as is known: RemoveTags: " in error and "AccessDenied" in error, error
    assert f"run:\n  aws cloudtrail remove-tags --resource-id {ORG_TRAIL} --tags-list Key={KEY} --region {FRA}\n" in error


@pytest.mark.parametrize("denied, why", [("AddTags", "these keys may not add tags to it; use an operator's, with --profile: "),
                                         ("ListTags", "its tags cannot be read with these keys: ")])
def test_keys_that_may_not_tag_leave_no_announcement(sim, make_guard, denied, why):
    guard = make_guard(sim, alerts=ALERTS, settings_interval=60).start().wait_guarding()
    deny(sim, denied)
    done = drill(sim, guard, "--tag", "--yes", "org-trail")
    assert done.returncode == 1 and why in done.stderr, done
    assert not (guard.state / "drill.json").exists() and KEY not in tags(sim)


def test_a_tag_that_was_there_before_is_kept(sim, make_guard):
    tag(sim, **{KEY: "mine"})
    guard = make_guard(sim, alerts=ALERTS, settings_interval=60).start().wait_guarding()
    done = drill(sim, guard, "--tag", "--yes", "org-trail")
    assert done.returncode == 1 and f"it has the tag {KEY} already: remove it" in done.stderr, done
    assert tags(sim)[KEY] == "mine" and not (guard.state / "drill.json").exists()


def test_tags_that_are_not_watched_are_refused(sim, make_guard):
    guard = make_guard(sim, alerts=ALERTS, settings_interval=60).start().wait_guarding()
    path = guard.runtime / "status.json"
    guard.process.send_signal(signal.SIGSTOP)  # what is written below stays
    for change, why in (({"not_recorded": ["Tags"]}, "its tags are not watched: the baseline does not have them"),
                        ({"baseline": False}, "it has no baseline, so no tag is a change; run trailguard accept")):
        status = json.loads(path.read_text())
        for trail in status["trails"]:
            trail.update(change)
        path.write_text(json.dumps(status))
        done = drill(sim, guard, "--tag", "--yes", "org-trail")
        assert done.returncode == 1 and why in done.stderr, done
    guard.process.send_signal(signal.SIGCONT)
    assert KEY not in tags(sim)


@pytest.mark.parametrize("change", [
    lambda sim: tag(sim, **{KEY: "0" * 32, "owner": "mallory"}),
    lambda sim: tag(sim, **{KEY: "1" * 32}),
    lambda sim: (sim.aws("mallory", FRA, "cloudtrail", *BLIND), tag(sim, **{KEY: "0" * 32})),
], ids=["two tags", "another value", "blind"])
def test_what_is_changed_beside_the_tag_is_in_earnest(sim, make_guard, change):
    guard = make_guard(sim, alerts=ALERTS, settings_interval=1).start().wait_guarding()
    announce(guard, tag=KEY)
    change(sim)
    first = document(wait_message(sim, TOPIC, 10))
    assert first["event"] == "trail.weakened" and first["severity"] in ("warning", "critical") and not first["drill"]


def test_a_change_after_the_tag_is_in_earnest(sim, make_guard):
    guard = make_guard(sim, alerts=ALERTS, settings_interval=1).start().wait_guarding()
    announce(guard, tag=KEY)
    tag(sim, **{KEY: "0" * 32})
    assert document(wait_message(sim, TOPIC, 10))["event"] == "guard.drill"
    tag(sim, owner="mallory")
    poll(lambda: len(messages(sim)) >= 2, within(10))
    worst = document(messages(sim)[1])
    assert (worst["event"], worst["severity"], worst["drill"]) == ("trail.weakened", "warning", False)
