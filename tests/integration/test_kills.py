# SPDX-License-Identifier: Apache-2.0
"""A daemon that is killed at any moment and at each call that writes state, or whose calls fail once; and whose clock jumps. Whatever happened to the trail is reported once under one id, and the trail is as it was.

Each trial is a daemon with a trail and a FIFO topic of its own; several run side by side on one simulated AWS. FAULTS=all
tries each call, and kills 500 times; otherwise some of them, which are the same in each run."""

import concurrent.futures
import itertools
import random
import re
import signal
import subprocess
import time

import pytest

from faulted import ALL, PRELOAD, Clock, Tally, gap_of, is_quiet, leftovers, preloaded, received, under_two_ids, wait_quiet
from guard import Guard, within
from helpers import FRA, MAIN, sns, topic_arn
from simaws.client import poll
from test_baseline import RESTORE

pytestmark = preloaded

SIDE_BY_SIDE = 5
KILLS = 500 if ALL else 15
# what a call does that does not succeed; "short" and "half" are of writes
KILLING = ("kill", "half")
FAILING = ("ENOSPC", "EIO", "EROFS", "short")
SEED = 20261130
UNDISTURBED = 10000     # the number of the life that shows what there is to disturb; trials have smaller ones


class Life:
    """One daemon and what is done to its trail: stopped, then changed; then it reloads. `fault` is the preloaded library's environment; it holds
    until the daemon ends for the first time."""

    def __init__(self, sim, place, number, fault):
        name = f"trail{number}"
        self.sim, self.number = sim, number
        self.arn = sim.add_trail(name, MAIN, FRA, S3BucketName=f"logs-{number}", S3KeyPrefix="audit", IsMultiRegionTrail=False)
        self.topic = sim.add_topic(topic_arn(f"topic{number}.fifo"))
        self.before = sim.trail(self.arn)
        preload = {"LD_PRELOAD": str(PRELOAD)} if fault is not None else {}
        self.guard = Guard(sim, place / name, env={**preload, **(fault or {})}, regions=[FRA], trails=[name],
                           settings_interval=1, alerts=self.channels(), **RESTORE)
        self.ends = []          # exit statuses before the last life

    def channels(self):
        return sns(self.topic)

    def disarm(self):
        """Whatever was to happen to it has happened."""
        self.guard.env = {name: value for name, value in self.guard.env.items() if not name.startswith("FAULTS_")}

    def revive(self):
        """Start it again, without the fault, when it has ended."""
        process = self.guard.process
        if process is not None and process.poll() is None:
            return False
        if process is not None:
            self.ends.append(self.guard.wait())
            self.disarm()
        self.guard.start()
        return True

    def until(self, holds, what, seconds=45):
        """Wait for it, however often the daemon has to be started again."""
        deadline = time.monotonic() + within(seconds)
        while not holds():
            self.revive()
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come: {self.guard.stderr()[-3000:]}")
            time.sleep(0.1)

    def as_before(self):
        now = self.sim.trail(self.arn)
        return now["logging"] and now["settings"] == self.before["settings"]

    def is_watched(self):
        baselines = self.guard.state / "baselines"
        return self.guard.remembers(self.arn) and baselines.is_dir() and any(baselines.glob("*.json"))

    def run(self):
        self.until(self.is_watched, "the baseline")
        self.stopped = self.sim.trail(self.arn, logging=False)["stopped"]
        self.until(lambda: gap_of(self.said(), self.stopped), "the report of the stop")
        self.until(self.as_before, "the restart")
        self.sim.trail(self.arn, settings={"S3KeyPrefix": "elsewhere"})
        self.until(lambda: [entry for entry in self.said() if entry["event"] == "trail.weakened"], "the report of the change")
        self.until(self.as_before, "the restore")
        self.revive()
        mark = self.guard.mark()
        self.guard.signal(signal.SIGHUP)
        self.until(lambda: "READY=1" in self.guard.told(mark), "the end of the reload")
        return self

    def said(self):
        return received(self.sim, self.topic)

    def judge(self):
        """What is wrong in the end, as sentences."""
        self.revive()
        self.guard.wait_guarding()
        self.until(lambda: self.guard.process.poll() is None and is_quiet(self.guard), "the end of the incidents")
        wrong = [f"{fact} under {len(ids)} ids" for fact, ids in under_two_ids(self.said()).items()]
        left = set(leftovers(self.guard)) if self.ends else set()
        try:        # what is just being written is gone in a moment
            poll(lambda: not left.intersection(leftovers(self.guard)), within(5))
        except AssertionError:
            wrong += [f"{name} was not swept" for name in left.intersection(leftovers(self.guard))]
        try:        # a file that could not be removed is tried again within seconds
            poll(lambda: not self.intents(), within(15))
        except AssertionError:
            wrong += [f"intent {name} is left" for name in self.intents()]
        return wrong

    def intents(self):
        return sorted(path.name for path in (self.guard.state / "intents").glob("*.json"))

    def close(self):
        if self.guard.process is not None and self.guard.process.poll() is None:
            try:
                self.guard.stop(15)
            except subprocess.TimeoutExpired:
                self.guard.kill()
        self.guard.notify.close()
        self.sim.trail(self.arn, delete=True)       # or all others would see it in their lists


def play(sim, place, number, fault, disturb=lambda life, done: None, kind=Life):
    """One life, in a thread of its own: (life, what was wrong)."""
    life = kind(sim, place, number, fault)
    wrong = []
    done = []
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        trouble = pool.submit(disturb, life, done)
        try:
            life.run()
        except Exception as error:
            wrong.append(repr(error))
        done.append(True)
        trouble.result()
    try:
        if not wrong:
            wrong += life.judge()
    except Exception as error:
        wrong.append(repr(error))
    finally:
        life.close()
    return life, wrong


def made_quiet(sim):
    """Nothing in it but an account and the guard's user."""
    sim.reset()
    sim.add_account(MAIN)
    sim.add_user("guard", MAIN)
    return sim


@pytest.fixture
def quiet(sim):
    return made_quiet(sim)


def play_all(sim, place, trials, first=0, side_by_side=SIDE_BY_SIDE, ended=lambda name, life, wrong: None, **options):
    """trials: (name, environment); the first has this number. What came of them: (name, life, what was wrong)."""
    def one(number, name, fault):
        life, wrong = play(sim, place, number, fault, **options)
        ended(name, life, wrong)
        return name, life, wrong

    with concurrent.futures.ThreadPoolExecutor(side_by_side) as pool:
        lives = [pool.submit(one, number, *trial) for number, trial in enumerate(trials, first)]
        return [life.result() for life in lives]


def judge(title, sim, played, record_property, **figures):
    published = [sim.call("published", topic=life.topic) for _, life, _ in played]
    wrong = {name: errors for name, _, errors in played if errors}
    Tally({"tried": len(played), "kills survived": sum(status == -9 for _, life, _ in played for status in life.ends), **figures,
           "alerts sent": sum(one["accepted"] for one in published),
           "duplicates": sum(one["accepted"] - one["delivered"] for one in published),
           "lost": sum("did not come" in text for errors in wrong.values() for text in errors),
           "under two ids": sum("ids" in text for errors in wrong.values() for text in errors)}).record(title, record_property)
    assert not wrong, "\n".join(f"{name}: {' '.join(errors)[:1500]}" for name, errors in wrong.items())


def some(things, count):
    """All of them, or so many evenly from the first to the last."""
    things = list(things)
    if ALL or len(things) <= count:
        return things
    return [things[index * (len(things) - 1) // (count - 1)] for index in range(count)]


@pytest.fixture
def calls(quiet, place):
    """What an undisturbed life calls that writes state: (number, call, its path)."""
    log = place / "calls"
    life, wrong = play(quiet, place, UNDISTURBED, {"FAULTS_LOG": str(log)})
    assert not wrong and not life.ends, wrong
    return [re.match(r"(\d+) (\w+) (.*)", line).groups() for line in log.read_text().splitlines()]


def test_killed_at_each_call_that_writes_state_nothing_is_lost(quiet, place, calls, record_property):
    trials = [(f"{what} at {number} {call} {path.rpartition('/')[2]}", {"FAULTS_CALL": str(number), "FAULTS_DO": what})
              for number, call, path in calls for what in (KILLING if call == "write" else KILLING[:1])]
    played = play_all(quiet, place, some(trials, 12))
    judge("kills at calls that write state", quiet, played, record_property, calls=len(calls))
    assert sum(bool(life.ends) for _, life, _ in played) >= len(played) * 0.8, "the calls were not reached"


def test_each_call_that_writes_state_fails_once_and_nothing_is_lost(quiet, place, calls, record_property):
    trials = [(f"{what} at {number} {call} {path.rpartition('/')[2]}", {"FAULTS_CALL": str(number), "FAULTS_DO": what})
              for number, call, path in calls for what in (FAILING if call == "write" else FAILING[:3])]
    played = play_all(quiet, place, some(trials, 16))
    judge("calls that fail", quiet, played, record_property, calls=len(calls))
    assert {status for _, life, _ in played for status in life.ends} <= {1}
    for name, life, _ in played:
        assert len(life.ends) <= 1, name


def test_killed_at_random_moments_nothing_is_lost(quiet, place, record_property):
    chance = random.Random(SEED)
    moments = [[chance.uniform(0.01, 2) for _ in range(4)] for _ in range(KILLS)]

    def kill(life, done):
        for moment in moments[life.number]:
            time.sleep(moment)          # the moment is the subject of this test
            process = life.guard.process
            if not done and process is not None:
                process.kill()

    played = []
    while sum(len(life.ends) for _, life, _ in played) < KILLS:
        some_more = [(f"killed after {moments[number]}", None) for number in range(len(played), len(played) + SIDE_BY_SIDE)]
        played += play_all(quiet, place, some_more, first=len(played), disturb=kill)
    judge("kills at random moments", quiet, played, record_property)


# -- clocks ------------------------------------------------------------------------------------------------------------
JUMPS = [sign * seconds for seconds in (2, 3 * 3600, 3 * 365 * 86400) for sign in (1, -1)]
WHEN = ["before the stop", "while it is stopped"]


@pytest.mark.parametrize("jump, when", itertools.product(JUMPS, WHEN) if ALL else zip(JUMPS, [*WHEN, *WHEN[::-1]] * 2))
def test_a_clock_that_jumps_loses_nothing(tls_sim, place, make_guard, record_property, jump, when):
    """Over TLS: an answer's Date corrects the clock that signs."""
    sim = tls_sim
    sim.reset()
    sim.add_account(MAIN)
    sim.add_user("guard", MAIN)
    topic = sim.add_topic(topic_arn("trailguard.fifo"))
    arn = sim.add_trail("jumps", MAIN, FRA, S3KeyPrefix="audit", IsMultiRegionTrail=False)
    clock = Clock(place / "clock")
    guard = make_guard(sim, trails=["jumps"], settings_interval=1, alerts=sns(topic), env=clock.env, **RESTORE)
    guard.start().wait_guarding().wait_baselines(1, weak=0)
    poll(lambda: guard.remembers(arn), within(10))
    stops = []
    for round_trip in (jump, 0):
        poll(lambda: not stops or time.time() > stops[-1] + 2, within(10))      # alerts name seconds
        if when == "before the stop":
            clock.shift(round_trip)
        stops.append(sim.trail(arn, logging=False)["stopped"])
        if when != "before the stop":
            clock.shift(round_trip)
        sim.wait_for_trail(arn, within(40), logging=True)
        poll(lambda: gap_of(received(sim, topic), stops[-1]), within(60))
    sim.trail(arn, settings={"S3KeyPrefix": "elsewhere"})
    poll(lambda: sim.trail(arn)["settings"]["S3KeyPrefix"] == "audit", within(40))
    poll(lambda: [entry for entry in received(sim, topic) if entry["event"] == "trail.weakened"], within(60))
    wait_quiet(guard, 60)
    said = received(sim, topic)
    published = sim.call("published", topic=topic)
    Tally({"tried": 1, "alerts sent": published["accepted"], "duplicates": published["accepted"] - published["delivered"],
           "lost": sum(not gap_of(said, stopped) for stopped in stops), "under two ids": len(under_two_ids(said))}).record(f"clock {jump:+d} s {when}", record_property)
    assert not under_two_ids(said)
    assert guard.process.poll() is None and sim.trail(arn)["logging"]
    sim.clear_failures()
