# SPDX-License-Identifier: Apache-2.0
"""What the fault suites share: a daemon with tests/integration/preload/faults.c in it, and the judgement of what people
received: nothing lost, nothing under two ids, every incident closed."""

import collections
import json
import os
import re
import struct
from pathlib import Path

import pytest

from guard import SCALE, BINARY, within
from helpers import document, epoch
from simaws.client import poll

PRELOAD = Path(os.environ.get("TRAILGUARD_FAULTS", BINARY.parent / "tests/integration/preload/faults.so"))
ALL = os.environ.get("FAULTS") == "all"
# sanitizers and valgrind want to be the first library, and have a malloc of their own
preloaded = pytest.mark.skipif(SCALE != 1, reason="sanitizers and valgrind want to be the first library")


class Clock:
    """The time of day of a daemon, which a test shifts while it runs."""

    def __init__(self, path, seconds=0):
        self.path = path
        self.shift(seconds)
        self.env = {"LD_PRELOAD": str(PRELOAD), "FAULTS_CLOCK": str(path)}

    def shift(self, seconds):
        with open(self.path, "r+b" if self.path.exists() else "wb") as file:
            file.write(struct.pack("=q", int(seconds * 1_000_000)))


# -- what was received -------------------------------------------------------------------------------------------------
GAPS = ("trail.stopped", "trail.interrupted")
DELETIONS = ("trail.missing", "trail.replaced")


def fact_of(entry):
    """What a message says has happened, without who says it and when; two messages with one such fact are one."""
    kind = "gap" if entry["event"] in GAPS and entry["gap"] else entry["event"]
    if kind == "gap":
        return kind, entry["trail"]["arn"], round(epoch(entry["gap"]["from"]))
    about = entry["trail"]["arn"] if entry["trail"] else f"{entry['account']} {entry['region']}"
    if kind in DELETIONS:
        return "deletion", about
    if kind == "trail.weakened":
        return kind, about, json.dumps(entry["changes"], sort_keys=True)
    return None         # ends, summaries, attributions: each is of an incident, which is judged as a whole


def ids_of(entries):
    """fact -> the ids under which it was reported."""
    found = collections.defaultdict(set)
    for entry in entries:
        if fact_of(entry):
            found[fact_of(entry)].add(entry["id"])
    return found


def under_two_ids(entries, times=1):
    """Facts that more ids name than the times that it happened."""
    return {fact: ids for fact, ids in ids_of(entries).items() if len(ids) > times}


def received(sim, topic):
    """All documents that a topic delivered, in order, without those about baselines."""
    return [document(message) for message in sim.messages(topic)
            if not message["MessageAttributes"]["event"]["Value"].startswith("baseline.")]


def gap_of(entries, stopped):
    """The messages about the gap that began at this time."""
    return [entry for entry in entries if entry["gap"] and abs(epoch(entry["gap"]["from"]) - stopped) < 1]


def leftovers(guard):
    """What a crash or a failed write may leave in the state directory, and a start has to sweep."""
    return sorted(str(path.relative_to(guard.state)) for path in guard.state.rglob(".*")
                  if ".tmp-" in path.name or path.name.startswith(".probe-"))


def is_well(status):
    """Is no incident open?"""
    return status.get("trails") and all(
        trail["verdict"] == "logging" and trail["incident"] is None for trail in status["trails"])


def is_quiet(guard):
    """Is no incident open, and does nothing wait to be sent?"""
    return is_well(guard.status()) and not guard.outbox_files()


def wait_quiet(guard, seconds=30):
    guard.wait_status(is_well, seconds)
    poll(lambda: not guard.outbox_files(), within(seconds))


class Tally(collections.Counter):
    """The figures of a suite, which conftest.py prints at the end."""

    def record(self, title, record_property):
        record_property("figures", f"{title}: " + ", ".join(f"{name} = {number}" for name, number in self.items()))


TOTALS = {"faults tried": ("faults tried", "tried"), "kills survived": ("kills survived",), "alerts sent": ("alerts sent", "sent"),
          "lost": ("lost",), "duplicates": ("duplicates", "delivered twice"), "under two ids": ("under two ids",)}


def total(lines):
    """One line of the figures of all suites, as Tally.record() writes them; None without any."""
    figures = collections.Counter()
    for line in lines:
        for name, number in re.findall(r"([\w ]+) = (\d+)", line.partition(": ")[2]):
            figures[name.strip()] += int(number)
    sums = {title: sum(figures[name] for name in names) for title, names in TOTALS.items()}
    return "all fault suites: " + ", ".join(f"{name} = {number}" for name, number in sums.items()) if figures else None
