# SPDX-License-Identifier: Apache-2.0
"""A clock on which hours pass in seconds, for a daemon and a simulated AWS: tests/integration/preload/clock.c. It jumps
when the daemon waits for nothing but a timer, so that no deadline passes that would not pass in real time."""

import contextlib
import mmap
import os
import struct
import time
from unittest import mock

from faulted import PRELOAD
from simaws.client import SimAWS, poll

LIBRARY = PRELOAD.with_name("clock.so")
SECOND = 1_000_000


class VirtualClock:
    """`begins` is the time of day at the start, in seconds since 1970; it stands still for the daemon until pass_to()."""

    def __init__(self, path, begins):
        ahead = int((begins - time.time()) * SECOND)
        path.write_bytes(struct.pack("=2q", ahead, ahead))
        with open(path, "r+b") as file:
            self._page = mmap.mmap(file.fileno(), 16)
        self._env = {"LD_PRELOAD": str(LIBRARY), "CLOCK_PAGE": str(path)}
        self.env = {**self._env, "CLOCK_DRIVES": "1"}       # of the daemon

    def _ahead(self):
        return struct.unpack("=q", self._page[:8])[0] / SECOND

    def now(self):
        """The time of day."""
        return time.time() + self._ahead()

    def monotonic(self):
        """What a request's `time` counts."""
        return time.monotonic() + self._ahead()

    def allow(self, when):
        """It may jump up to that time of day; returns at once."""
        self._page[8:] = struct.pack("=q", int((when - time.time()) * SECOND))

    def pass_to(self, when, seconds=120):
        """Until that time of day; `seconds` of real time at most."""
        self.allow(when)
        poll(lambda: self.now() >= when, seconds, 0.005)

    @contextlib.contextmanager
    def simulator(self):
        """A simulated AWS with this clock."""
        sim = SimAWS()
        try:
            with mock.patch.dict(os.environ, self._env):
                sim.start()
            yield sim
        finally:
            sim.stop()
