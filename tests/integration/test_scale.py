# SPDX-License-Identifier: Apache-2.0
"""200 accounts with 5 regions and 5 trails each, one target in twenty of them dead, hanging or throttled: the healthy ones
keep their interval, memory stays flat, and each dead one is told once: alone, or as one of those that get no answer from
its region. `make soak` does it for 360 passes."""

import itertools
import os

import pytest

from guard import PLAIN, SCALE, within
from helpers import FRA, IAD, MAIN, TOPIC, document
from simaws.client import SimAWS

pytestmark = pytest.mark.timed

REGIONS = [FRA, IAD, "us-west-2", "eu-west-1", "ap-southeast-2"]
ACCOUNTS = [str(200000000000 + i) for i in range(200)]
PASSES = int(os.environ.get("TG_SOAK_PASSES", 60 if PLAIN else 8))
INTERVAL = max(2, round(2 * SCALE))
WARM_UP = min(20, PASSES // 3)      # passes until all is known and told
TROUBLES = [("hang", {}), ("throttle", {}), ("denied", {}), ("reset", {}), ("http503", {})]
GROWTH_KB = 256


@pytest.fixture(scope="module")
def big():
    """A server of its own: what others asked is not in its log."""
    with SimAWS() as sim:
        sim.add_account(MAIN, regions=REGIONS)
        sim.add_user("guard", MAIN)
        sim.add_topic(TOPIC)
        sim.load({
            "accounts": [{"id": account, "regions": REGIONS} for account in ACCOUNTS],
            "roles": [{"name": "TrailGuard", "account": account, "trust": [f"arn:aws:iam::{MAIN}:user/guard"]}
                      for account in ACCOUNTS],
            "trails": [{"name": "main", "account": account, "region": region} for account in ACCOUNTS for region in REGIONS]})
        sim.call("organization", management=MAIN, members=ACCOUNTS)
        yield sim
        sim.remove_fault()
        sim.clear_failures()


def resident_kb(pid):
    with open(f"/proc/{pid}/status") as lines:
        return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1])


def make_dead(sim):
    """One target in twenty, spread over accounts and regions, in every kind of trouble: the kind of each."""
    dead = {}
    for i, target in enumerate(list(itertools.product(ACCOUNTS, REGIONS))[7::21]):
        # each region has every kind
        dead[target], fields = TROUBLES[(i + i // len(REGIONS)) % len(TROUBLES)]
        sim.add_fault(dead[target], service="cloudtrail", account=target[0], region=target[1], **fields)
    return dead


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


def told_as_blind(sim, since):
    """The documents that say so for the first time. There are a thousand others, about baselines."""
    return [document(message) for message in sim.messages(TOPIC, since=since)
            if (message["MessageAttributes"]["event"]["Value"], message["MessageAttributes"]["severity"]["Value"]) ==
            ("target.unreachable", "warning")]


def test_many_targets_keep_their_interval_and_memory_stays_flat(big, make_guard, capsys):
    sim = big
    guard = make_guard(sim, regions=REGIONS, organization={"role_name": "TrailGuard", "exclude": [MAIN]},
                       poll_interval=INTERVAL, settings_interval=600, unreachable_after=2, reminder_interval=0,
                       aws={"request_timeout": 5, "max_attempts": 1})
    guard.start().wait_ready()
    guard.wait_status(lambda status: len(status["trails"]) == 1000 and
                      all(trail["verdict"] == "logging" for trail in status["trails"]), 120)
    # thousands of calls at once, roles and settings, are more than the simulated AWS can answer in time on a busy machine
    guard.wait_status(lambda status: all(row["state"] in ("well", "left") for row in status["accounts"] + status["targets"]), 120)
    guard.wait_delivered(120)
    told_before = len(sim.messages(TOPIC))
    dead = make_dead(sim)
    healthy = {f"arn:aws:cloudtrail:{region}:{account}:trail/main" for account, region in
               set(itertools.product(ACCOUNTS, REGIONS)) - set(dead)}
    begun, memory, durations, polls = guard.status()["pass"]["count"], [], [], {}
    since = sim.mark()
    while len(memory) < PASSES:
        count = begun + len(memory)
        guard.wait_status(lambda status: status["pass"]["count"] > count, 20 + 3 * INTERVAL)
        memory.append(resident_kb(guard.process.pid))
        durations.append(guard.status()["pass"]["duration"])
        # the log of the server holds the last 50,000 requests only
        if len(memory) % 10 == 0 or len(memory) == PASSES:
            mark = sim.mark()
            for entry in sim.requests(since=since, operation="GetTrailStatus"):
                if entry["trail"] in healthy:
                    polls.setdefault(entry["trail"], []).append(entry["time"])
            since = mark

    guard.wait_status(lambda status: {(row["account"], row["region"]) for row in status["targets"]
                                      if row["state"] == "unreachable"} == set(dead), 20)
    told = told_as_blind(sim, told_before)
    alone = [(entry["account"], entry["region"]) for entry in told if not entry["members"]]
    together = [entry for entry in told if entry["members"]]
    assert len(alone) == len(set(alone)) and set(alone) <= set(dead), "each dead target once, no other"
    assert {target for target, kind in dead.items() if kind in ("throttle", "denied")} <= set(alone)
    # those that get no answer are one incident a region, which grows by summary
    assert len({entry["incident"] for entry in together}) == len({entry["region"] for entry in together}) <= len(REGIONS)
    assert {(member["account"], member["region"]) for entry in together for member in entry["members"]} <= set(dead)
    unanswered = {region for (account, region), kind in dead.items() if (account, region) not in alone}
    assert unanswered <= {entry["region"] for entry in together}

    gaps = sorted(after - before for times in polls.values() for before, after in zip(times, times[1:]))
    steady = memory[WARM_UP:WARM_UP + 10]
    shares = {share: round(percentile(gaps, share), 3) for share in (0.01, 0.5, 0.9, 0.99, 0.999)}
    with capsys.disabled():
        print(f"\n{len(ACCOUNTS) * len(REGIONS)} targets, {len(dead)} of them dead, {PASSES} passes of {INTERVAL} s: "
              f"intervals of the {len(healthy)} healthy ones " +
              ", ".join(f"p{100 * share:g} {value} s" for share, value in shares.items()) +
              f", max {gaps[-1]:.3f} s ({len(gaps)} of them); pass {sorted(durations)[len(durations) // 2]:.2f} s; "
              f"memory {steady[0]} kB after {WARM_UP} passes, {memory[-1]} kB at the end")
    assert set(polls) == healthy
    if PLAIN:
        # AddressSanitizer keeps what was freed for a while: there, LeakSanitizer tells what was lost
        # what grows is in each of the last; one may meet the text of status.json, which is freed when it is written
        assert min(memory[-5:]) <= max(steady) + GROWTH_KB, memory
        # the simulated AWS is one process that shares the machine: the guard's own part is the median
        assert percentile(gaps, 0.5) <= INTERVAL * 1.02, shares
        assert percentile(gaps, 0.99) <= INTERVAL * 1.5, shares
    # what was dead is seen again, and a stop there is put right
    account, region = sorted(dead)[0]
    arn = f"arn:aws:cloudtrail:{region}:{account}:trail/main"
    sim.trail(arn, logging=False)
    sim.remove_fault()
    sim.wait_for_trail(arn, within(90), logging=True)
    assert (guard.runtime / "status.json").stat().st_size < 2 << 20
