# SPDX-License-Identifier: Apache-2.0
"""A day of small troubles in fast motion: trails come and go, one that is guarded is stopped, changed or deleted each time,
sessions of a role end early, AWS throttles, connections end. Each is undone and reported once, and neither memory nor
descriptors grow. A round stands for ten minutes; `make soak` plays the 144 of a day."""

import os
from pathlib import Path
from statistics import median

import pytest

from faulted import Tally, gap_of, received, under_two_ids, wait_quiet
from guard import PLAIN, within
from helpers import FRA, IAD, MAIN, sns, topic_arn
from simaws.client import poll
from test_baseline import RESTORE

ROUNDS = int(os.environ.get("TG_CHURN_ROUNDS", 18))
WARM_UP = 8
STAYS = 3           # rounds that a passing trail is there
GROWTH_KB = 512     # of some 15,000
GROWTH_FDS = 4      # connections that are idle, and are closed when they are old
TOPIC = topic_arn("trailguard.fifo")
# each is attacked twice, in two ways: more is a war, which is summed up; and each has an account, and so a quota, of its own
MEMBERS = [str(222200000000 + number) for number in range(ROUNDS // 2)]
KEPT = [f"kept-{account}" for account in MEMBERS]


def resident_kb(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])


def descriptors(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.fixture
def world(sim):
    trust = [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{MAIN}:user/guard"}, "Action": "sts:AssumeRole"}]
    sim.reset()
    sim.add_account(MAIN)
    sim.add_user("guard", MAIN)
    sim.load({"accounts": [{"id": account, "regions": [FRA, IAD]} for account in MEMBERS],
              "roles": [{"name": "TrailGuard", "account": account, "trust": trust} for account in MEMBERS]})
    sim.call("settings", session_seconds=60)
    sim.add_topic(TOPIC)
    sim.kept = [sim.add_trail(name, account, FRA, S3BucketName="logs", S3KeyPrefix="audit", IsMultiRegionTrail=False)
                for name, account in zip(KEPT, MEMBERS)]
    return sim


def trouble(sim, number):
    """What AWS and the network do in this round, to the first calls of it."""
    if number % 2 == 0:
        sim.add_fault("throttle", count=3, service="cloudtrail")
    if number % 3 == 0:
        sim.add_fault("expired", count=1, service="cloudtrail", account=MEMBERS[0])
    if number % 4 == 0:
        sim.add_fault("close", count=4)
    if number % 5 == 0:
        sim.add_fault("reset", count=2, service="sns")


def attack(sim, number):
    """What is done to a guarded trail: its ARN, and what shows that it was reported."""
    arn = sim.kept[number % len(sim.kept)]
    if (number + number // len(sim.kept)) % 2 == 1:
        sim.trail(arn, settings={"S3KeyPrefix": f"elsewhere-{number}"})
        return arn, lambda said: [entry for entry in said if f"elsewhere-{number}" in str(entry["changes"])]
    stopped = sim.trail(arn, logging=False)["stopped"]
    return arn, lambda said: gap_of(said, stopped)


def test_through_a_day_of_churn_memory_and_descriptors_are_flat(world, make_guard, record_property, capsys):
    sim, passing, memory, fds = world, [], [], []
    guard = make_guard(sim, regions=[FRA, IAD], trails=sim.kept, settings_interval=1,
                       accounts=[{"role_arn": f"arn:aws:iam::{account}:role/TrailGuard"} for account in MEMBERS],
                       reminder_interval=0, alerts=sns(TOPIC), aws={"request_timeout": 2, "max_attempts": 2}, **RESTORE)
    guard.start().wait_guarding(60).wait_baselines(len(KEPT), weak=0, seconds=30)
    poll(lambda: all(guard.remembers(arn) for arn in sim.kept), within(10))
    before = [sim.trail(arn)["settings"] for arn in sim.kept]
    for number in range(ROUNDS):
        trouble(sim, number)
        passing.append(sim.add_trail(f"passing-{number}", MEMBERS[0], (FRA, IAD)[number % 2], IsMultiRegionTrail=False))
        if number >= STAYS:
            sim.trail(passing[number - STAYS], delete=True)
        arn, reported = attack(sim, number)
        poll(lambda: reported(received(sim, TOPIC)), within(40), 0.1)
        poll(lambda: sim.trail(arn)["logging"] and sim.trail(arn)["settings"] == before[sim.kept.index(arn)], within(40))
        sim.remove_fault()
        memory.append(resident_kb(guard.process.pid))
        fds.append(descriptors(guard.process.pid))
    wait_quiet(guard, 60)
    said = received(sim, TOPIC)
    published = sim.call("published", topic=TOPIC)
    half = (WARM_UP + ROUNDS) // 2
    grown = [median(values[half:]) - median(values[WARM_UP:half]) for values in (memory, fds)]
    with capsys.disabled():
        print(f"\n{ROUNDS} rounds: resident {memory[WARM_UP]} kB after {WARM_UP}, {memory[-1]} kB at the end; "
              f"descriptors {min(fds[WARM_UP:])} to {max(fds[WARM_UP:])}")
    Tally({"tried": ROUNDS, "alerts sent": published["accepted"], "duplicates": published["accepted"] - published["delivered"],
           "lost": 0, "under two ids": len(under_two_ids(said))}).record("churn", record_property)
    assert not under_two_ids(said) and guard.process.poll() is None
    assert {trail["name"] for trail in guard.status()["trails"]} == set(KEPT)
    assert not PLAIN or grown[0] < GROWTH_KB, memory
    assert grown[1] <= GROWTH_FDS, fds
    sim.clear_failures()
