# SPDX-License-Identifier: Apache-2.0
"""What the guard costs, where that can be counted: no test here judges a time. A bound is what was measured, with some
slack; whoever makes the guard dearer meets it here."""

import collections
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import guard as guards
from guard import BINARY, PLAIN, within
from helpers import ALL_REGIONS, FRA, IAD, MAIN
from simaws.client import SimAWS, poll

pytestmark = pytest.mark.skipif(not PLAIN, reason="sanitizers and valgrind make calls, and take memory, of their own")

TOP = Path(__file__).resolve().parents[2]
POLLS = 24                      # of those that are counted
NEW_CONNECTIONS_MAX = 0.05      # of polls, while nobody closes
RESUMED_MIN = 0.95              # of handshakes, once there is a session
CALLS_MAX = 32                  # system calls a poll, timers and the writing of status.json among them
WAKE_UPS_MAX = 7                # of the loop, a poll
SENT_MAX, RECEIVED_MAX = 750, 700   # bytes a poll, TLS among them
TARGET_KB_MAX = 10.5            # resident, for an account, a target and a trail


@pytest.fixture
def traced(monkeypatch, place):
    """Guards run under strace. Gives a function: the lines of the log since a number of them, and how many there are."""
    assert shutil.which("strace"), "install strace (make check-deps)"
    log, wrapper = place / "strace.log", place / "traced"
    wrapper.write_text(f'#!/bin/sh\nexec strace -D -f -qq -y -s 0 -o {log} {BINARY} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setattr(guards, "BINARY", wrapper)
    return lambda since=0: log.read_text(errors="replace").splitlines()[since:]


def count_polls(sim, count, **fields):
    """So many polls from now on: what the server has of them."""
    mark = sim.mark()
    sim.wait_for_request(timeout=within(20 + 2 * count), count=count, since=mark, operation="GetTrailStatus")
    return sim.requests(operation="GetTrailStatus", since=mark, **fields)


def is_new(entry):
    return entry["connection_request"] == 1


# -- connections -------------------------------------------------------------------------------------------------------
def test_the_ca_bundle_is_opened_once_however_often_it_connects(tls_sim, make_guard, traced):
    guard = make_guard(tls_sim, alerts=()).start().wait_guarding()
    tls_sim.add_fault("close", service="cloudtrail")
    entries = count_polls(tls_sim, 12)      # those that there are end first
    assert sum(map(is_new, entries)) >= 6, "it did not connect again"
    guard.stop()
    opened = [line for line in traced() if re.search(r"\bopen(at)?\(", line) and str(tls_sim.ca_file) in line]
    assert len(opened) == 1, opened


def test_handshakes_are_resumed_where_the_server_closes(tls_sim, make_guard):
    make_guard(tls_sim, alerts=()).start().wait_guarding()
    tls_sim.add_fault("close", service="cloudtrail")
    count_polls(tls_sim, 4)
    new = [entry for entry in count_polls(tls_sim, 20) if is_new(entry)]
    assert len(new) >= 18, "it did not connect again"
    assert sum(entry["resumed"] for entry in new) >= RESUMED_MIN * len(new), new


def test_polls_stay_on_the_connections_that_there_are(tls_sim, make_guard):
    make_guard(tls_sim, alerts=(), regions=ALL_REGIONS).start().wait_guarding()
    count_polls(tls_sim, 2 * len(ALL_REGIONS))
    entries = count_polls(tls_sim, POLLS)
    assert sum(map(is_new, entries)) <= NEW_CONNECTIONS_MAX * len(entries), entries


# -- system calls, wake-ups, bytes --------------------------------------------------------------------------------------
def transferred(lines, names):
    """Bytes that these calls moved through sockets."""
    pattern = re.compile(rf"\b(?:{names})\(\d+<(?:socket|TCP)\S*.* = (\d+)$")
    return sum(int(match[1]) for match in map(pattern.search, lines) if match)


def test_system_calls_wake_ups_and_bytes_of_a_poll(tls_sim, make_guard, traced):
    guard = make_guard(tls_sim, alerts=(), regions=ALL_REGIONS).start().wait_guarding()
    # the first files are written, and what the start needs is over
    count_polls(tls_sim, 4 * len(ALL_REGIONS))
    before, told = len(traced()), len(guard.told())
    polls = len(count_polls(tls_sim, POLLS))
    lines = traced(before)
    calls = collections.Counter(match[1] for match in (re.match(r"\d+ +(\w+)\(", line) for line in lines) if match)
    counted = {"calls": sum(calls.values()), "wake-ups": calls["epoll_wait"] + calls["epoll_pwait"] + calls["epoll_pwait2"],
               "sent": transferred(lines, "write|sendto|writev|sendmsg"), "received": transferred(lines, "read|recvfrom|recvmsg")}
    each = {name: round(number / polls, 1) for name, number in counted.items()}
    print(each, calls.most_common(20))
    assert each["sent"] > 400 and each["received"] > 200, "these are no polls"
    assert each["calls"] <= CALLS_MAX, (each, calls)
    assert each["wake-ups"] <= WAKE_UPS_MAX, (each, calls)
    assert each["sent"] <= SENT_MAX and each["received"] <= RECEIVED_MAX, each
    assert [line for line in guard.told()[told:] if line.startswith("STATUS=")] == [], "nothing has changed"


@pytest.mark.parametrize("regions", [[FRA], ALL_REGIONS], ids=["one", "three"])
def test_nothing_wakes_it_between_polls(tls_sim, make_guard, traced, regions):
    """What moves on with each poll is written along with one: the metrics have a time of their own, 1 s here. There is one
    timer for all polls, also after a reload."""
    guard = make_guard(tls_sim, alerts=(), regions=regions, poll_interval=1, metrics_file="metrics.prom").start().wait_guarding()
    metrics = guard.runtime / "metrics.prom"
    count_polls(tls_sim, 4)
    guard.reload()
    count_polls(tls_sim, 4)
    before, written = len(traced()), metrics.stat().st_mtime_ns
    count_polls(tls_sim, POLLS)
    lines = traced(before)
    # each wait that could sleep, and what follows it up to the next
    turns, idle = [], []
    for line in lines:
        if re.search(r"\bepoll_p?wait2?\(.*(?:, 0(?:, NULL, \d+)?\)|tv_sec=0, tv_nsec=0\}.*) +=", line):
            continue
        if re.search(r"epoll_p?wait", line):
            turns.append([])
        elif turns:
            turns[-1].append(line)
    idle = [turn for turn in turns[1:-1] if not any(re.search(r"<(?:socket|TCP)", line) for line in turn)]
    assert len(turns) >= POLLS, "these are no polls"
    assert metrics.stat().st_mtime_ns > written, "the metrics are not written any more"
    assert idle == []


# -- memory ------------------------------------------------------------------------------------------------------------
def resident_kb(guard):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{guard.process.pid}/status").read_text())[1])


def memory_of(make_guard, n_accounts):
    """Of a guard that has polled a trail in each of these accounts, and its settings."""
    accounts = [str(300000000000 + i) for i in range(n_accounts)]
    with SimAWS() as sim:
        sim.add_account(MAIN, regions=[FRA, IAD])
        sim.add_user("guard", MAIN)
        sim.load({"accounts": [{"id": account, "regions": [FRA]} for account in accounts],
                  "roles": [{"name": "TrailGuard", "account": account, "trust": [f"arn:aws:iam::{MAIN}:user/guard"]}
                            for account in accounts],
                  "trails": [{"name": "main", "account": account, "region": FRA} for account in accounts]})
        sim.call("organization", management=MAIN, members=accounts)
        guard = make_guard(sim, alerts=(), poll_interval=2, settings_interval=600, reminder_interval=0,
                           organization={"role_name": "TrailGuard", "exclude": [MAIN]}).start().wait_ready()
        guard.wait_baselines(n_accounts, weak=0, seconds=120)
        begun = guard.wait_status(lambda status: len(status["trails"]) == n_accounts and all(
            trail["verdict"] == "logging" for trail in status["trails"]), 120)["pass"]["count"]
        guard.wait_status(lambda status: status["pass"]["count"] >= begun + 2, 60)
        kb = resident_kb(guard)
        assert guard.stop() == 0
    return kb


def test_memory_of_a_target(make_guard):
    few, many = 20, 220
    base, more = memory_of(make_guard, few), memory_of(make_guard, many)
    each = (more - base) / (many - few)
    print(f"{base} kB with {few} targets, {more} kB with {many}: {each:.1f} kB each")
    assert each <= TARGET_KB_MAX


# -- instructions ------------------------------------------------------------------------------------------------------
def test_instructions_of_a_poll_are_within_the_recorded_budget():
    done = subprocess.run([TOP / "tests/bench/instructions", "--budget", BINARY], capture_output=True, text=True, timeout=within(400))
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
