# SPDX-License-Identifier: Apache-2.0
"""A daemon that runs out of memory once, wherever that can be: of the 170,000 allocations of a life some 4,400 are reached by
different calls, and of each such way the first fails. It goes on, or ends with a line that says why; whatever happened to
the trail is reported once under one id, and the trail is as it was.

FAULTS=all tries all ways; otherwise some of them, which are the same in each run."""

import collections

import pytest

from faulted import ALL, PRELOAD, preloaded
from helpers import events
from test_kills import UNDISTURBED, judge, play, play_all, quiet, some  # noqa: F401

pytestmark = preloaded

MEMORY = PRELOAD.with_name("memory.so")
A_LIFE = 8 if ALL else 4    # failures in one life, far apart
WAYS = 64                   # that are tried without FAULTS=all

Way = collections.namedtuple("Way", "name number calls")


@pytest.fixture
def ways(quiet, place):
    """How an undisturbed life gets to its allocations, in the order of their first times."""
    stacks = place / "stacks"
    life, wrong = play(quiet, place, UNDISTURBED, {"LD_PRELOAD": str(MEMORY), "MEMORY_STACKS": str(stacks)})
    assert not wrong and not life.ends, wrong
    lines = [line.split() for line in stacks.read_text().splitlines()]
    # libconfig does not look at what malloc() gave it, and crashes: a daemon that reads its file at the start
    return [Way(name, int(number), calls) for name, number, *calls in lines if not calls[0].startswith("libconfig")]


def try_all(sim, place, names, size, first):
    """Lives with so many failures each. (played, the names that failed)"""
    lives = -(-len(names) // size)
    log = place / "failed"
    groups = [names[number::lives] for number in range(lives)]
    trials = [(" ".join(group), {"LD_PRELOAD": str(MEMORY), "MEMORY_FAIL": ",".join(group), "MEMORY_LOG": str(log)})
              for group in groups]
    played = play_all(sim, place, trials, first)
    return played, set(log.read_text().split()) if log.exists() else set()


def test_without_memory_once_it_goes_on_or_ends_with_a_line_and_loses_nothing(quiet, place, ways, record_property):
    names = [way.name for way in some(ways, WAYS)]
    played, failed = try_all(quiet, place, names, A_LIFE, 0)
    if ALL:         # where the first failure ended the daemon the others were not met, and where it took another way
        more, alone = try_all(quiet, place, [name for name in names if name not in failed], 1, len(played))
        played, failed = played + more, failed | alone
    judge("allocations that fail", quiet, played, record_property, allocations=ways[-1].number, ways=len(ways),
          failed=len(failed), ended=sum(bool(life.ends) for _, life, _ in played))
    assert {status for _, life, _ in played for status in life.ends} <= {1}
    silent = [name for name, life, _ in played if life.ends and not life.guard.found("memory")]
    assert not silent
    # it is recorded once, so this is said then or never
    assert not [name for name, life, _ in played if not life.ends and "baseline.weak" not in events(quiet, life.topic, True)]
    assert len(failed) >= len(names) * (0.9 if ALL else 0.5)
