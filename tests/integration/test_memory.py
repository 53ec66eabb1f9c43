# SPDX-License-Identifier: Apache-2.0
"""A daemon that runs out of memory once, wherever that can be: of the 170,000 allocations of a life some 4,400 are reached by
different calls, and of each such way the first fails. It goes on, or ends with a line that says why; whatever happened to
the trail is reported once under one id through each channel, and the trail is as it was.

FAULTS=all tries all ways: first one of each place in our code, then the others. Otherwise some places, chosen so that each room
of the code and each function of libsystemd, libcurl and jansson that it calls is met; they are the same in each run. Each life
that has ended is a line of memory-lives beside the binary, and each way one of memory-stacks. MEMORY_WAYS=NAME,NAME plays one
life with these failures, MEMORY_JOBS says how many lives go on side by side."""

import collections
import concurrent.futures
import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import time

import pytest

from faulted import ALL, PRELOAD, preloaded
from guard import BINARY, Guard, within
from helpers import FRA, MAIN, documents, events, sns, topic_arn
from simaws.client import poll
from test_kills import SIDE_BY_SIDE, UNDISTURBED, Life, judge, made_quiet, play, play_all, some

pytestmark = preloaded

MEMORY = PRELOAD.with_name("memory.so")
LIVES = BINARY.with_name("memory-lives")
REPLAYED = list(filter(None, os.environ.get("MEMORY_WAYS", "").split(",")))
JOBS = int(os.environ.get("MEMORY_JOBS", SIDE_BY_SIDE))
# failures in one life, far apart; what was not met because another failure led elsewhere is tried again with fewer
SIZES = (8, 3, 1) if ALL else (4,)
PLACES = 64                 # that are tried without FAULTS=all
ASKED = ("sd_", "curl_", "json_")       # what the functions begin with that are all met

Way = collections.namedtuple("Way", "name number called own calls")


class Forgetful(Life):
    """Allocations of this daemon fail; a program, too, gets what the topic gets."""

    def __init__(self, sim, place, number, fault):
        self.received = place / f"received{number}"
        self.log = place / f"failed{number}"
        self.began = time.monotonic()
        super().__init__(sim, place, number, {**fault, "MEMORY_LOG": str(self.log)})

    def channels(self):
        return sns(self.topic) + [{"type": "command",
                                   "command": ["/bin/sh", "-c", 'cat >>"$0"; echo >>"$0"', str(self.received)]}]

    def failed(self):
        return self.log.read_text().split() if self.log.exists() else []

    def disarm(self):
        """What has not failed yet is still to fail: a start without memory is followed by another."""
        names = self.guard.env.get("MEMORY_FAIL", "").split(",")
        left = [name for name in names if name not in self.failed()]
        # who ends for another reason shall not do so for ever
        self.guard.env["MEMORY_FAIL"] = ",".join(left) if len(left) < len(names) else ""

    def by_program(self):
        """Ids of the alerts that the program got."""
        text, ids = self.received.read_text() if self.received.exists() else "", set()
        while text := text.strip():
            entry, end = json.JSONDecoder().raw_decode(text)
            ids.add(entry["id"])
            text = text[end:]
        return ids

    def judge(self):
        wrong = super().judge()
        by_program = self.by_program()
        return wrong + [f"{entry['event']} {entry['id']} did not come to the program"
                        for entry in documents(self.sim, self.topic, True) if entry["id"] not in by_program]

    def close(self):
        super().close()
        self.seconds = time.monotonic() - self.began


@pytest.fixture
def quiet(tls_sim):
    """Over TLS, as AWS is: handshakes take memory, too."""
    return made_quiet(tls_sim)


@pytest.fixture
def ways(quiet, place):
    """How an undisturbed life gets to its allocations, in the order of their first times."""
    stacks = BINARY.with_name("memory-stacks")
    for file in (stacks, LIVES):
        file.unlink(missing_ok=True)
    life, wrong = play(quiet, place, UNDISTURBED, {"LD_PRELOAD": str(MEMORY), "MEMORY_STACKS": str(stacks)}, kind=Forgetful)
    assert not wrong and not life.ends, wrong
    return read(stacks)


def of_libconfig(calls):
    """Libconfig does not look at what malloc() gave it, and crashes."""
    inside = itertools.takewhile(lambda call: not call.startswith("trailguard+"), calls)
    return any(call.startswith("libconfig") for call in inside)


def read(stacks):
    lines = [line.split() for line in stacks.read_text().splitlines()]
    return [Way(name, int(number), called, () if own == "-" else tuple(own.split(",")), calls)
            for name, number, called, own, *calls in lines if not of_libconfig(calls)]


def library(way):
    """Whose memory it is: ours, or a library's."""
    return way.calls[0].partition("+")[0].partition(".")[0]


def places(ways):
    """One way to each place: the calls in our code, and the library that it called."""
    found = {}
    for way in ways:
        found.setdefault((way.own or tuple(way.calls), library(way)), way)
    return list(found.values())


def sources(offsets):
    """offset of a call in our code -> (its function, its file)."""
    offsets = sorted(set(offsets))
    # the line of the call, not that where it returns to
    lines = subprocess.run(["addr2line", "-f", "-e", BINARY, *(f"{int(offset, 16) - 1:#x}" for offset in offsets)],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    names = [match[1] if (match := re.search(r"\b((?:lib|daemon)/[\w/]+\.c):", line)) else "?" for line in lines[1::2]]
    return dict(zip(offsets, zip(lines[::2], names, strict=True), strict=True))


def files(ways):
    """name of a way -> the file of our code that allocates or calls the library that does."""
    found = sources(way.own[0] for way in ways if way.own)
    return {way.name: found[way.own[0]][1] if way.own else "?" for way in ways}


def chosen(ways, count):
    """So many places, most of them in the middle of what the daemon does. What they are to meet is met in this order."""
    sites, where = places(ways), files(ways)
    picked = []
    for kind in (lambda way: where[way.name].rpartition("/")[0],
                 lambda way: way.called if way.called.startswith(ASKED) else None,
                 lambda way: (where[way.name].rpartition("/")[0], library(way)),
                 lambda way: where[way.name]):
        groups = collections.defaultdict(list)
        for way in sites:
            groups[kind(way)].append(way)
        met = {kind(way) for way in picked} | {None}
        picked += [group[len(group) // 2] for name, group in groups.items() if name not in met]
    picked = picked[:count]
    rest = [way for way in sites if way not in picked]
    return picked + (some(rest, count - len(picked)) if count > len(picked) else [])


def note(name, life, wrong):
    """A line for who reads along, and for who looks for the cause."""
    line = {"ways": name.split(), "failed": life.failed(), "ends": life.ends, "seconds": round(life.seconds, 1), "wrong": wrong}
    if wrong:
        line["stderr"] = life.guard.stderr()[-20000:]
    with LIVES.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def try_all(sim, place, names, size, first):
    """Lives with so many failures each. (played, the names that failed)"""
    lives = -(-len(names) // size)
    groups = [names[number::lives] for number in range(lives)]
    trials = [(" ".join(group), {"LD_PRELOAD": str(MEMORY), "MEMORY_FAIL": ",".join(group)}) for group in groups]
    played = play_all(sim, place, trials, first, side_by_side=JOBS, ended=note, kind=Forgetful)
    return played, {name for _, life, _ in played for name in life.failed()}


def try_until_met(sim, place, batches):
    """One batch of names after the other. (played, the names that failed)"""
    played, failed = [], set()
    for names, size in itertools.product(batches, SIZES):
        left = [name for name in names if name not in failed]
        if left:
            more, met = try_all(sim, place, left, size, len(played))
            played, failed = played + more, failed | met
    return played, failed


def test_without_memory_once_it_goes_on_or_ends_with_a_line_and_loses_nothing(quiet, place, ways, record_property):
    sites = places(ways)
    if REPLAYED:
        batches = [REPLAYED]
    elif ALL:
        first = {way.name for way in sites}
        batches = [[way.name for way in sites], [way.name for way in ways if way.name not in first]]
    else:
        batches = [[way.name for way in chosen(ways, PLACES)]]
    played, failed = try_until_met(quiet, place, batches)
    judge("allocations that fail", quiet, played, record_property, allocations=ways[-1].number, ways=len(ways),
          places=len(sites), failed=len(failed), **{"failed places": sum(way.name in failed for way in sites)},
          ended=sum(bool(life.ends) for _, life, _ in played))
    assert {status for _, life, _ in played for status in life.ends} <= {1}
    silent = [name for name, life, _ in played if len(life.guard.found("memory")) < len(life.ends)]
    assert not silent
    # it is recorded once, so this is said then or never
    assert not [name for name, life, _ in played if not life.ends and "baseline.weak" not in events(quiet, life.topic, True)]
    assert len(failed) >= sum(map(len, batches)) * (0.9 if ALL else 0.7)


@contextlib.contextmanager
def guarding(sim, place, name, **env):
    """A guard of one trail, with this environment, that has seen the trail; ended whatever becomes of it."""
    guard = Guard(sim, place / name, env={"LD_PRELOAD": str(MEMORY), **env}, regions=[FRA], trails=["known"],
                  alerts=sns(sim.add_topic(topic_arn(name))))
    try:
        guard.start().wait_guarding()
        poll(lambda: guard.remembers("trail/known"), within(10))
        yield guard
    finally:
        guard.process.kill()
        guard.wait()
        guard.notify.close()


def test_a_turn_of_the_loop_without_memory_ends_nothing(quiet, place):
    quiet.add_trail("known", MAIN, FRA, IsMultiRegionTrail=False)
    stacks = place / "stacks"
    with guarding(quiet, place, "records", MEMORY_STACKS=str(stacks)):
        turns = [way.name for way in read(stacks) if way.called == "sd_event_loop"]
    assert turns
    with guarding(quiet, place, "poor", MEMORY_FAIL=",".join(turns), MEMORY_LOG=str(place / "failed")) as guard:
        guard.wait_line("out of memory for a turn of the event loop; going on")
        assert guard.process.poll() is None
    assert (place / "failed").read_text().split()


def test_a_reload_without_memory_leaves_the_state_as_it_is(quiet, place):
    """What was taken down is not saved, nor shown."""
    quiet.add_trail("known", MAIN, FRA, IsMultiRegionTrail=False)
    stacks = place / "stacks"

    def reload(guard):
        """Its exit status, None while it goes on."""
        mark = guard.mark()
        guard.signal(signal.SIGHUP)
        poll(lambda: guard.process.poll() is not None or "READY=1" in guard.told(mark), within(20))
        return guard.process.poll()

    def without(name):
        with guarding(quiet, place, name, MEMORY_FAIL=name) as guard:
            return reload(guard), guard.remembers("trail/known"), guard

    with guarding(quiet, place, "records", MEMORY_STACKS=str(stacks)) as guard:
        before = len(read(stacks))
        assert reload(guard) is None
    ways = read(stacks)[before:]
    functions = sources(offset for way in ways for offset in way.own)
    loading = [way for way in ways if "state_load" in {functions[offset][0] for offset in way.own}]
    assert loading
    tried = {way.name: way for way in [*some(loading, 4), *some(places(ways), 12)]}
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        ends = list(pool.map(without, tried))
    assert {ended for ended, _, _ in ends} == {None, 1}
    assert not [guard.stderr()[-2000:] for ended, kept, guard in ends if not kept or (ended and not guard.found("memory"))]
