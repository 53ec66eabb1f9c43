# SPDX-License-Identifier: Apache-2.0
"""`status` with one trail and with thousands, on a terminal: what is shown, what is left out, what --watch draws."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest

from guard import BINARY, within

FRAME = "\x1b[H\x1b[J"


def trail(number, verdict="logging"):
    name = f"trail-{number:05}"
    incident = {"id": f"{number:016x}", "event": "trail.stopped", "severity": "critical", "opened": "2026-11-30T10:00:00Z",
                "reopened": None, "messages": 1, "gap": {"from": "2026-11-30T10:00:00Z", "to": None}, "failure": None,
                "action": {"taken": "restart", "result": "pending", "attempts": 1}, "actor": None, "changes": [], "attack": [],
                "restore": {"taken": "none", "result": "none", "attempts": 0}}
    return {"name": name, "arn": f"arn:aws:cloudtrail:eu-central-1:111122223333:trail/{name}", "account": "111122223333",
            "region": "eu-central-1", "verdict": verdict, "findings": [] if verdict == "logging" else [verdict],
            "start_logging": "2026-11-29T10:00:00Z", "incident": None if verdict == "logging" else incident}


@pytest.fixture
def daemon(tmp_path):
    """What a daemon with so many trails leaves, the first ones stopped: its status.json and the lock that it holds."""
    with open(tmp_path / "lock", "w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)

        def publish(trails, stopped):
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            (tmp_path / "new").write_text(json.dumps({
                "schema": "trailguard.status/1", "pid": os.getpid(), "updated": now, "poll_interval": 10, "mode": "restart",
                "line": f"guarding {trails} trails", "problem": None, "state_directory": None, "accounts": [], "targets": [],
                "pass": {"ended": now}, "channels": [], "outbox": {"depth": 0},
                "trails": [trail(number, "stopped" if number < stopped else "logging") for number in range(trails)]}))
            (tmp_path / "new").rename(tmp_path / "status.json")
        publish.env = {"STATE_DIRECTORY": str(tmp_path), "RUNTIME_DIRECTORY": str(tmp_path), "NO_COLOR": "1", "TERM": "xterm"}
        yield publish


class Terminal:
    def __init__(self, leader):
        self.leader, self.drawn = leader, ""

    def resize(self, rows, columns):
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def frame(self, holds, seconds=10):
        """The lines of the first whole screen that holds a text, of those drawn from now on."""
        end = time.monotonic() + within(seconds)
        while True:
            # the last one may be half drawn
            for frame in self.drawn.split(FRAME)[1:-1]:
                if holds in frame:
                    self.drawn = ""
                    return frame.rstrip("\r\n").split("\r\n")
            assert select.select([self.leader], [], [], max(0, end - time.monotonic()))[0], self.drawn[-2000:]
            self.drawn += os.read(self.leader, 1 << 20).decode()

    def begins(self, seconds=10):
        """Another screen is drawn from now on."""
        self.drawn = ""
        while FRAME not in self.drawn:
            assert select.select([self.leader], [], [], within(seconds))[0], self.drawn[-2000:]
            self.drawn += os.read(self.leader, 1 << 20).decode()


@contextlib.contextmanager
def watching(env, rows, columns, *arguments):
    leader, follower = pty.openpty()
    terminal = Terminal(leader)
    terminal.resize(rows, columns)
    # a session of its own, whose terminal this is: a resize is a signal to it
    process = subprocess.Popen(["setsid", "--ctty", BINARY, "status", "--watch", *arguments], stdin=follower, stdout=follower,
                               stderr=follower, env={**env, "PATH": os.environ["PATH"]})
    os.close(follower)
    try:
        yield terminal
    finally:
        os.close(leader)        # it is hung up
        process.wait(within(10))


def status(daemon, *arguments):
    return subprocess.run([BINARY, "status", *arguments], env=daemon.env, capture_output=True, text=True, timeout=within(20))


@pytest.mark.parametrize("trails, stopped, lines", [(1, 0, 4), (1, 1, 6), (20, 1, 25), (50, 0, 53), (300, 0, 3), (300, 2, 11),
                                                     (10_000, 0, 3), (10_000, 3, 14), (10_000, 10_000, 605)])
def test_the_table_stays_readable(daemon, trails, stopped, lines):
    daemon(trails, stopped)
    done = status(daemon)
    assert done.returncode == (2 if stopped else 0) and done.stderr == ""
    shown = done.stdout.rstrip("\n").split("\n")
    assert len(shown) == lines, done.stdout[:3000]
    assert max(len(line) for line in shown if not line.startswith("    next: ")) <= 110
    if stopped:
        assert shown[2].startswith("TRAIL ") and shown[3].startswith("trail-00000 ")
    if trails > 50:
        hidden = trails - min(stopped, 200)
        assert shown[-1] == (f"{hidden} of {trails} trails are not shown, {max(0, stopped - 200)} of them not well; "
                             "--all shows them")


def test_watch_is_cut_to_the_screen_and_says_how_much_is_not_on_it(daemon):
    daemon(300, 40)
    with watching(daemon.env, 12, 80) as terminal:
        lines = terminal.frame("trail-00000")
        # the whole is what `status` prints at this width
        assert re.fullmatch(r"\.\.\. and [0-9]+ more lines", lines[-1]), lines
        assert sum(max(1, -(-len(line) // 80)) for line in lines) <= 12
        hidden = int(lines[-1].split()[2])
        # each of the 40 has its row, the incident's line, the gap and what to do
        assert hidden > 40 * 3 - 12, lines


def test_watch_draws_again_at_once_when_the_terminal_is_resized(daemon):
    daemon(30, 0)
    with watching(daemon.env, 10, 80) as terminal:
        assert len(terminal.frame("trail-00000")) == 10
        terminal.resize(20, 80)
        assert len(terminal.frame("trail-00010")) == 20
        terminal.resize(50, 80)
        lines = terminal.frame("trail-00029")
        assert lines[-1].startswith("trail-00029 ")
        # five sizes, with a second between them if nothing woke it
        begun = time.monotonic()
        for rows in (8, 12, 9, 14, 10):
            terminal.resize(rows, 80)
            terminal.begins()
        assert time.monotonic() - begun < 3, "it waits for the next second"


def test_watch_in_a_narrow_window_does_not_scroll(daemon):
    daemon(300, 40)
    with watching(daemon.env, 4, 16) as terminal:
        lines = terminal.frame("trouble")
        assert sum(max(1, -(-len(line) // 16)) for line in lines) <= 4, lines
