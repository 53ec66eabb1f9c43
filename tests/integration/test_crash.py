# SPDX-License-Identifier: Apache-2.0
"""What survives a crash, a reboot, a full disk and a second daemon."""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from attacks import SCENARIO, VICTIM
from guard import BINARY, within
from helpers import (FRA, MAIN, ORG_TRAIL, TOPIC, documents, epoch, events, messages, operations, topic_arn,
                     wait_alert, wait_message, wait_outcome, wait_polls)
from simaws.client import poll
from simaws.regions import DEFAULT_REGIONS
from test_baseline import RESTORE, start
from test_enforce import steps, wage, wait_step

FIFO = topic_arn("trailguard.fifo")


def fifo(sim):
    sim.add_topic(FIFO)
    return [{"type": "sns", "topic_arn": FIFO}]


@pytest.fixture
def guard(sim, make_guard):
    return make_guard(sim).start().wait_guarding()


@pytest.mark.valgrind
def test_killed_while_sns_hangs_the_alert_is_on_disk_and_comes_after_the_restart(sim, guard, mallory):
    hang = sim.add_fault("hang", service="sns")
    mallory.stop(ORG_TRAIL)
    sim.wait_for_request(within(10), operation="Publish")
    assert len(guard.outbox_files()) == 1
    guard.kill()
    sim.remove_fault(hang)
    guard.start().wait_guarding()
    told = wait_alert(sim, "trail.stopped")
    assert told["action"]["result"] == "confirmed"
    guard.wait_delivered()
    assert events(sim) == ["trail.stopped"]
    assert guard.outbox_files() == []


def test_killed_after_sns_took_the_alert_it_comes_again_under_the_same_id(sim, make_guard, mallory):
    guard = make_guard(sim, alerts=fifo(sim)).start().wait_guarding()
    hang = sim.add_fault("hang", service="sns", executed=True)
    mallory.stop(ORG_TRAIL)
    wait_message(sim, FIFO, 10)
    guard.kill()
    sim.remove_fault(hang)
    guard.start().wait_guarding()
    poll(lambda: sim.call("published", topic=FIFO)["accepted"] >= 2, within(10))
    guard.wait_delivered()
    assert sim.call("published", topic=FIFO)["delivered"] == 1


def test_killed_before_it_could_tell_of_a_restart_that_worked_the_next_one_tells(sim, guard, mallory):
    """AWS did it, its answer never came: between the restart and the alert."""
    poll(lambda: guard.remembers(ORG_TRAIL), within(5))
    hang = sim.add_fault("hang", operation="StartLogging", executed=True)
    mallory.stop(ORG_TRAIL)
    trail = sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    guard.kill()
    assert messages(sim) == []
    sim.remove_fault(hang)
    guard.start()
    told = wait_alert(sim, "trail.stopped")
    assert (told["action"]["taken"], told["action"]["result"]) == ("restart", "confirmed")
    assert abs(epoch(told["gap"]["from"]) - trail["stopped"]) < 1
    assert abs(epoch(told["gap"]["to"]) - trail["started"]) < 1
    wait_polls(sim, 1, FRA)
    assert events(sim) == ["trail.stopped"] and sim.trail(ORG_TRAIL)["logging"] is True


def test_killed_while_the_restart_hangs_the_next_one_restarts_and_tells(sim, guard, mallory):
    hang = sim.add_fault("hang", operation="StartLogging")
    mallory.stop(ORG_TRAIL)
    sim.wait_for_request(within(10), operation="StartLogging")
    guard.kill()
    assert messages(sim) == []
    sim.remove_fault(hang)
    guard.start()
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    told = wait_alert(sim, "trail.stopped")
    assert told["action"]["result"] == "confirmed"
    wait_polls(sim, 2, FRA)
    assert len({(entry["id"], entry["incident"]) for entry in documents(sim)}) == 1


def change_selectors(client):
    client.put_event_selectors(TrailName=VICTIM, EventSelectors=[
        {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": []}])


# What is done to the trail, the call by which the guard undoes it, how many of these calls are not the guard's, the event
# that reports it, and the action that it names.
UNDONE = {
    "stop": (lambda client: client.stop_logging(Name=VICTIM), "StartLogging", 0, "trail.stopped", "restart"),
    "settings": (lambda client: client.update_trail(Name=VICTIM, S3KeyPrefix="elsewhere"), "UpdateTrail", 1,
                 "trail.weakened", "restore"),
    "selectors": (change_selectors, "PutEventSelectors", 1, "trail.weakened", "restore"),
    "insights": (lambda client: client.put_insight_selectors(TrailName=VICTIM, InsightSelectors=[]),
                 "PutInsightSelectors", 1, "trail.weakened", "restore"),
    "configuration": (lambda client: client.put_event_configuration(TrailName=VICTIM, ContextKeySelectors=[]),
                      "PutEventConfiguration", 1, "trail.weakened", "restore"),
    "tags": (lambda client: client.remove_tags(ResourceId=VICTIM, TagsList=[{"Key": "owner"}]), "AddTags", 0,
             "trail.weakened", "restore"),
    "deletion": (lambda client: client.delete_trail(Name=VICTIM), "CreateTrail", 0, "trail.missing", "recreate"),
    "deletion, then selectors": (lambda client: client.delete_trail(Name=VICTIM), "PutEventSelectors", 0,
                                 "trail.missing", "recreate"),
}


@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("what", UNDONE)
def test_killed_while_aws_is_asked_the_change_is_reported_with_what_became_of_it(sim, make_guard, mallory, what, executed):
    """Before AWS did it, and after it did it and before its answer came."""
    does, operation, others, event, action = UNDONE[what]
    sim.load(SCENARIO)
    if what.startswith("deletion"):     # the opening message waits 5 s, and a write takes a second of AWS's quota
        sim.trail(VICTIM, configuration={})
    guard = make_guard(sim, regions=[FRA], trails=["victim"], settings_interval=1, alerts=fifo(sim), **RESTORE)
    start(guard)
    poll(lambda: guard.remembers(VICTIM), within(5))
    before = sim.trail(VICTIM)
    hang = sim.add_fault("hang", operation=operation, executed=executed, skip=others)
    does(mallory.client(VICTIM))
    sim.wait_for_request(within(10), operation=operation, count=others + 1)
    guard.kill()
    assert events(sim, FIFO) == []
    assert len(list((guard.state / "intents").iterdir())) == 1
    sim.remove_fault(hang)
    guard.start()
    entry = wait_outcome(sim, event, FIFO, seconds=20)
    assert (entry["action"]["taken"], entry["action"]["result"]) == (action, "confirmed"), entry
    guard.wait_delivered()
    poll(lambda: not list((guard.state / "intents").iterdir()), within(5))
    poll(lambda: sim.trail(VICTIM)["settings"] == before["settings"] and sim.trail(VICTIM)["logging"], within(10))
    assert events(sim, FIFO).count(event) == 1


def test_an_intent_of_a_trail_that_cannot_be_polled_after_the_crash_is_reported_in_time(sim, make_guard, mallory):
    sim.load(SCENARIO)
    guard = make_guard(sim, regions=[FRA], trails=["victim"], settings_interval=1, **RESTORE)
    start(guard)
    sim.add_fault("hang", operation="UpdateTrail", executed=True, skip=1)
    mallory.client(VICTIM).update_trail(Name=VICTIM, S3KeyPrefix="elsewhere")
    sim.wait_for_request(within(10), operation="UpdateTrail", count=2)
    guard.kill()
    with sim.fault("denied", service="cloudtrail"):
        guard.start()
        entry = wait_alert(sim, "trail.weakened", seconds=20)
    assert entry["changes"] == [{"field": "S3KeyPrefix", "expected": "audit", "actual": "elsewhere"}]
    assert entry["action"]["taken"] == "restore" and entry["action"]["result"] != "confirmed"


def test_killed_at_any_moment_no_stop_goes_unreported_and_no_trail_stays_stopped(sim, make_guard, mallory):
    """The third stop makes it a war, which is reported once; from then on the stops are counted."""
    guard = make_guard(sim, alerts=fifo(sim)).start().wait_guarding()

    def is_counted(number):
        state = json.loads((guard.state / "state.json").read_text())
        return state["trails"][0].get("contest", {}).get("stops") == number

    delays = (0.0, 0.3, 0.6, 0.9, 1.2)
    for number, delay in enumerate(delays, start=1):
        mallory.stop(ORG_TRAIL)
        stopped = sim.trail(ORG_TRAIL)["stopped"]
        time.sleep(delay)           # the moment is the subject of this test
        guard.kill()
        guard.start().wait_guarding()
        sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
        if number < 3:
            poll(lambda: any(entry["gap"] and abs(epoch(entry["gap"]["from"]) - stopped) < 1 for entry in documents(sim, FIFO)),
                 within(10))
        if number >= 3:
            poll(lambda: is_counted(number), within(10))
    told = documents(sim, FIFO)
    assert len({entry["id"] for entry in told}) == len(told), "two messages under one id got through a FIFO topic"
    assert [entry["event"] for entry in told].count("trail.contested") == 1
    assert {entry["event"] for entry in told} <= {"trail.stopped", "trail.interrupted", "trail.resolved", "trail.contested"}


@pytest.mark.valgrind
def test_a_stop_while_the_daemon_is_down_is_noticed_at_its_start(sim, guard, mallory):
    assert guard.stop() == 0
    mallory.stop(ORG_TRAIL)
    stopped = sim.trail(ORG_TRAIL)["stopped"]
    guard.start()
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    told = wait_alert(sim, "trail.stopped")
    assert abs(epoch(told["gap"]["from"]) - stopped) < 1


def test_a_stop_and_start_while_the_daemon_is_down_is_told_with_its_gap(sim, guard, mallory):
    assert guard.stop() == 0
    mallory.flap(ORG_TRAIL)
    trail = sim.trail(ORG_TRAIL)
    guard.start()
    told = wait_alert(sim, "trail.interrupted")
    assert abs(epoch(told["gap"]["from"]) - trail["stopped"]) < 1
    assert abs(epoch(told["gap"]["to"]) - trail["started"]) < 1
    assert "StartLogging" not in operations(sim)


def test_a_quiet_restart_of_the_daemon_tells_nothing(sim, guard, mallory):
    mallory.stop(ORG_TRAIL)
    wait_alert(sim, "trail.stopped")
    guard.wait_delivered()
    for end in (guard.stop, guard.kill):
        end()
        guard.start().wait_guarding()
        wait_polls(sim, 2, FRA)
    assert events(sim) == ["trail.stopped"]


def test_an_open_incident_is_still_open_after_a_restart_of_the_daemon(sim, make_guard, mallory):
    guard = make_guard(sim, mode="observe").start().wait_guarding()
    mallory.stop(ORG_TRAIL)
    told = wait_alert(sim, "trail.stopped")
    guard.wait_delivered()
    poll(lambda: json.loads((guard.state / "state.json").read_text())["trails"][0]["incident"]["open"], within(5))
    guard.kill()
    guard.start().wait_guarding()
    mallory.start(ORG_TRAIL)
    resolved = wait_alert(sim, "trail.resolved")
    assert resolved["incident"] == told["incident"]
    assert events(sim) == ["trail.stopped", "trail.resolved"]


def test_a_second_daemon_on_the_same_state_names_the_first_and_leaves(sim, guard):
    second = subprocess.run([BINARY, "run", "-c", guard.config], env={**guard.env, "NOTIFY_SOCKET": ""},
                            capture_output=True, text=True, timeout=within(10))
    assert second.returncode == 1
    assert str(guard.process.pid) in second.stderr and len(second.stderr.splitlines()) == 1, second.stderr
    wait_polls(sim, 1, FRA)


def test_the_lock_of_a_killed_daemon_does_not_stop_the_next(sim, guard):
    guard.kill()
    guard.start().wait_guarding()


@pytest.mark.parametrize("variable", ["STATE_DIRECTORY", "RUNTIME_DIRECTORY"])
def test_a_directory_that_cannot_be_written_is_an_error_at_the_start_that_names_it(sim, make_guard, variable):
    guard = make_guard(sim, env={variable: "/proc/trailguard"}).start()
    assert guard.wait() == 1
    assert guard.found("/proc/trailguard") and len(guard.lines) == 1, guard.stderr()
    assert guard.told() == []


@pytest.mark.valgrind
@pytest.mark.parametrize("damage", [b"", b"{", b"\x00" * 4096, b'{"schema":"trailguard.state/99"}', b"[" * 100000],
                         ids=["empty", "cut", "zeroes", "newer", "deep"])
def test_a_damaged_state_file_is_set_aside_and_guarding_goes_on(sim, make_guard, mallory, damage):
    guard = make_guard(sim)
    (guard.state / "state.json").write_bytes(damage)
    guard.start().wait_guarding()
    guard.wait_line(r"state\.json")
    aside = list(guard.state.glob("state.json.damaged-*"))
    assert len(aside) == 1 and aside[0].read_bytes() == damage
    mallory.stop(ORG_TRAIL)
    wait_alert(sim, "trail.stopped")


def test_a_state_file_that_cannot_be_read_stays_and_is_taken_up_later(sim, make_guard, mallory):
    """ELOOP stands for EIO and EACCES, which root cannot have on demand."""
    guard = make_guard(sim).start().wait_guarding()
    poll(lambda: guard.remembers(ORG_TRAIL), within(5))
    guard.stop()
    path = guard.state / "state.json"
    good = path.read_bytes()
    path.unlink()
    path.symlink_to(path)
    guard.start().wait_guarding()
    guard.wait_line(r"state\.json: .*guarding without it")
    mallory.stop(ORG_TRAIL)
    wait_alert(sim, "trail.stopped")
    assert path.is_symlink() and not list(guard.state.glob("state.json.damaged-*"))
    path.unlink()
    path.write_bytes(good)
    mallory.stop(ORG_TRAIL)
    guard.wait_line(r"state\.json: can be read again")
    guard.wait_line("reloaded")
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)


def test_a_damaged_alert_file_is_set_aside_and_the_others_are_delivered(sim, guard, mallory):
    hang = sim.add_fault("hang", service="sns")
    mallory.stop(ORG_TRAIL)
    sim.wait_for_request(within(10), operation="Publish")
    guard.kill()
    (good,) = guard.outbox_files()
    number, dash, rest = good.partition("-")
    first, second = (f"{int(number) + step:020d}{dash}{rest}" for step in (0, 1))
    (guard.state / "outbox" / good).rename(guard.state / "outbox" / second)
    (guard.state / "outbox" / first).write_bytes(b"{ not an alert")
    sim.remove_fault(hang)
    guard.start().wait_guarding()
    wait_alert(sim, "trail.stopped")
    guard.wait_line(f"outbox/{first}: not an alert")
    damaged = guard.state / "outbox/damaged"
    assert [path.read_bytes() for path in damaged.iterdir()] == [b"{ not an alert"]
    guard.wait_delivered()
    assert guard.outbox_files() == [] and events(sim) == ["trail.stopped"]


def test_state_and_outbox_are_for_the_daemon_only(sim, make_guard, mallory):
    guard = make_guard(sim).start(preexec=lambda: os.umask(0)).wait_guarding()
    with sim.fault("hang", service="sns"):
        mallory.stop(ORG_TRAIL)
        sim.wait_for_request(within(10), operation="Publish")
        modes = {path.relative_to(guard.state).as_posix(): path.stat().st_mode & 0o777 for path in guard.state.rglob("*")}
    assert any(name.startswith("outbox/") for name in modes) and "state.json" in modes, modes
    assert all(mode & 0o077 == 0 for mode in modes.values()), modes
    assert (guard.runtime / "status.json").stat().st_mode & 0o777 == 0o644


@pytest.fixture
def small_disk(place):
    """A file system of 256 KiB."""
    mountpoint = place / "disk"
    mountpoint.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "trailguard-test", mountpoint], capture_output=True)
    if done.returncode:
        pytest.skip("mounting a small file system needs root and the right to mount")
    yield mountpoint
    subprocess.run(["umount", "--lazy", mountpoint], check=True)


def fill(disk):
    """The file that takes what is left."""
    ballast = disk / "ballast"
    with open(ballast, "wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(b"x" * 1024)
    return ballast


def test_on_a_full_disk_the_trail_is_restarted_and_the_alert_sent_all_the_same(sim, small_disk, make_guard, mallory):
    guard = make_guard(sim, env={"STATE_DIRECTORY": str(small_disk)}).start().wait_guarding()
    guard.wait_line("org-trail eu-central-1 111122223333: baseline recorded")
    ballast = fill(small_disk)
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    wait_alert(sim, "trail.stopped")
    guard.wait_line("No space left on device")
    wait_polls(sim, 2, FRA)
    assert len(guard.found("No space left on device")) <= 3, guard.stderr()
    ballast.unlink()
    mallory.stop(ORG_TRAIL)
    wait_message(sim, TOPIC, 10, count=2)
    assert guard.stop() == 0


def test_on_a_full_disk_closed_regions_are_reported_once(sim, small_disk, make_guard):
    closed = ["eu-west-1"]
    sim.add_account(MAIN, regions=DEFAULT_REGIONS)
    guard = make_guard(sim, regions=[FRA, *closed], unreachable_after=2, settings_interval=1,
                       env={"STATE_DIRECTORY": str(small_disk)}).start().wait_guarding()
    fill(small_disk)
    sim.add_account(MAIN, regions=DEFAULT_REGIONS, scp=[
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "cloudtrail:*", "Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": closed}}}])
    wait_alert(sim, "target.unreachable", seconds=30)
    guard.wait_line("sent by .*an SCP denies 1 region")
    wait_polls(sim, 8, FRA, since=sim.mark())
    assert events(sim) == ["target.unreachable"]
    assert guard.stop() == 0
    sim.clear_failures()


def test_on_a_full_disk_it_is_said_once_that_somebody_is_about_to_be_contained(sim, small_disk, make_guard):
    sim.add_trail("victim", MAIN, FRA)
    sim.add_user("attacker", MAIN)
    guard = make_guard(sim, trails=["victim"], attribution=True, contain={"mode": "enforce"},
                       env={"STATE_DIRECTORY": str(small_disk)}).start().wait_guarding()
    guard.wait_line("victim eu-central-1 111122223333: baseline recorded")
    ballast = fill(small_disk)
    wage(sim, "attacker", lambda: "about_to" in steps(sim))
    mark = sim.mark()
    wait_polls(sim, 8, FRA, since=mark)
    assert steps(sim) == ["about_to"] and sim.requests(operation="PutUserPolicy") == []
    ballast.unlink()
    wait_step(sim, "done")
    assert steps(sim) == ["about_to", "done"]


def test_a_reload_that_would_forget_what_the_disk_does_not_take_is_refused(sim, small_disk, make_guard, mallory):
    guard = make_guard(sim, mode="observe", env={"STATE_DIRECTORY": str(small_disk)}).start().wait_guarding()
    guard.wait_line("org-trail eu-central-1 111122223333: baseline recorded")
    poll((small_disk / "state.json").exists, within(10))
    ballast = fill(small_disk)
    mallory.stop(ORG_TRAIL)
    wait_alert(sim, "trail.stopped")
    guard.wait_line("state.json: cannot be written")
    mark = guard.mark()
    guard.reload()
    guard.wait_line("state.json cannot be written.*keeping the old configuration", since=mark)
    mallory.start(ORG_TRAIL)
    wait_alert(sim, "trail.resolved")
    assert events(sim) == ["trail.stopped", "trail.resolved"]
    ballast.unlink()
    guard.reload()
    guard.wait_line("trailguard.conf: reloaded", since=mark)


def test_a_reload_makes_a_directory_that_was_removed_again_first(sim, make_guard, mallory):
    guard = make_guard(sim, mode="observe", poll_interval=2).start().wait_guarding()
    mallory.stop(ORG_TRAIL)
    told = wait_alert(sim, "trail.stopped")
    guard.wait_delivered()
    shutil.rmtree(guard.state)
    guard.reload()
    mallory.start(ORG_TRAIL)
    assert wait_alert(sim, "trail.resolved")["incident"] == told["incident"]
    assert events(sim) == ["trail.stopped", "trail.resolved"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_seconds_also_when_everything_hangs(sim, guard, number):
    with sim.fault("hang"):
        sim.trail(ORG_TRAIL, logging=False)
        sim.wait_for_request(within(10), since=sim.mark(), operation="GetTrailStatus")
        guard.signal(number)
        assert guard.wait(5) == 0, "a call that hangs lasts 10 s"
    assert "STOPPING=1" in guard.told()
