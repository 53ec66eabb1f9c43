# SPDX-License-Identifier: Apache-2.0
"""`make demo` as a visitor meets it: what it shows, when it fails, and that nothing is left of it."""

import os
import pty
import re
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from guard import BINARY, PLAIN, within
from simaws.client import poll

DEMO = Path(__file__).resolve().parents[1] / "demo/run"
PICTURE = Path(__file__).resolve().parents[2] / "docs/pictures/picture"


@pytest.fixture
def start(place):
    """Starts the demo somewhere else than at the top, in a session of its own; sees to it that nothing of it is left."""
    started = []

    def start(binary=BINARY, stdout=subprocess.PIPE, **variables):
        # newer pytests import readline, which gives every child the size of a terminal that is not there
        env = {**os.environ, "COLUMNS": None, "LINES": None, "TRAILGUARD_BIN": str(binary), "TMPDIR": str(place),
               "TERM": "xterm", **variables}
        env = {name: value for name, value in env.items() if value is not None}
        started.append(subprocess.Popen([DEMO], env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=stdout,
                                        stderr=subprocess.STDOUT, text=True, start_new_session=True))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        poll(lambda: processes_of(process.pid) == [], within(10))


def processes_of(session):
    """Command lines of what still runs in a session."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getsid(int(entry.name)) == session:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                found += [(entry / "cmdline").read_text()] if stat[0] not in "ZX" else []
        except OSError:
            continue    # it has ended meanwhile
    return found


def assert_nothing_left(place, process):
    poll(lambda: processes_of(process.pid) == [], within(10))
    assert list(place.iterdir()) == [] or [path.name for path in place.iterdir()] == ["trailguard"]


def wrapped(place, line):
    """The binary with a line added to its configuration before it runs."""
    program = place / "trailguard"
    program.write_text(f"#!/bin/sh\n[ \"$1\" != run ] || echo '{line}' >>\"$3\"\nexec {BINARY} \"$@\"\n")
    program.chmod(0o755)
    return program


def test_each_request_has_the_meaning_of_its_turn():
    meanings = runpy.run_path(str(DEMO))["meanings"]
    assert list(meanings(["GetTrailStatus", "ListTags", "StopLogging", "GetTrailStatus", "StartLogging", "GetTrailStatus",
                          "Publish"])) == [
        "a poll before: it is on", "a poll of its settings", "off", "the next poll: it is off", "on again",
        "reading back: it is on", "the alert is out"]


def test_it_shows_the_stop_the_restart_the_mail_and_who_it_was(start, place):
    process = start(NO_COLOR=None)
    shown, _ = process.communicate(timeout=within(120))
    assert process.returncode == 0, shown
    for pattern in ("audit us-east-1 111122223333: logging was stopped at", "logging again, confirmed; gap",
                    r"Subject: \[TrailGuard\] CRITICAL audit stopped", "guard +StartLogging",
                    r"Subject: \[TrailGuard\] .*audit.* by .*mallory", "203.0.113.7",
                    r"guarding 3 trails, 3 regions, 1 account: 3 logging", "The demo passed"):
        assert re.search(pattern, shown), f"{pattern!r} is not in:\n{shown}"
    assert "weak" not in shown, "messages about baselines are another story"
    assert "\033" not in shown, "coloured although nobody sees it"
    assert max(map(len, shown.splitlines())) <= 104
    assert_nothing_left(place, process)


@pytest.mark.parametrize("no_color", [None, "1"])
def test_a_terminal_gets_colours_unless_it_does_not_want_them(start, no_color):
    ours, theirs = pty.openpty()
    process = start(stdout=theirs, NO_COLOR=no_color)
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(ours, 65536):
            shown += data
    except OSError:
        pass    # a terminal that nobody holds any more
    os.close(ours)
    assert process.wait(within(120)) == 0, shown
    assert (b"\033[" in shown) == (no_color is None)


@pytest.mark.skipif(not PLAIN, reason="its deadlines are shortened")
@pytest.mark.parametrize("line, why", [
    ('mode = "observe";', "the trail is not running again"),
    ('ignore = [ "audit" ];', "the daemon does not guard the trails"),
    ("nonsense = 1;", "the daemon has ended"),
])
def test_it_fails_when_the_trail_is_not_guarded(start, place, line, why):
    process = start(wrapped(place, line), TG_TIME_SCALE="0.3")
    shown, _ = process.communicate(timeout=90)
    assert process.returncode == 1 and f"demo: FAILED: {why}" in shown and "passed" not in shown, shown
    assert_nothing_left(place, process)


@pytest.mark.skipif(not PLAIN, reason="its deadlines are shortened")
def test_it_fails_when_the_alert_does_not_arrive(start, place):
    program = wrapped(place, "")
    program.write_text(program.read_text().replace("exec", "[ \"$1\" != run ] || sed -i s/trailguard\\\"/other\\\"/ \"$3\"\nexec"))
    process = start(program, TG_TIME_SCALE="0.3")
    shown, _ = process.communicate(timeout=90)
    assert process.returncode == 1 and "demo: FAILED: no alert has arrived" in shown, shown
    assert_nothing_left(place, process)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("until", ["1. TrailGuard guards", "2. mallory", "4. The mail"])
def test_an_interrupted_demo_leaves_nothing(start, place, number, until):
    process = start()
    for line in process.stdout:
        if until in line:
            break
    os.killpg(process.pid, number)      # as the terminal does it on ^C
    rest, _ = process.communicate(timeout=within(30))
    assert process.returncode == 128 + number and "interrupted" in rest and "Traceback" not in rest, rest
    assert_nothing_left(place, process)


def test_an_interruption_that_a_finalizer_swallows_comes_again():
    """Python only prints what is raised in one."""
    script = f"""
import runpy, signal, time
demo = runpy.run_path({str(DEMO)!r})
signal.signal(signal.SIGTERM, demo["interrupted"])
__import__("sys").unraisablehook = demo["unraisable"]
class Finalized:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)
        time.sleep(0)
try:
    Finalized()
    time.sleep(10)
except demo["Interrupted"] as error:
    raise SystemExit(error.args[0])
"""
    result = subprocess.run([sys.executable, "-B", "-c", script], capture_output=True, text=True, timeout=within(20))
    assert (result.returncode, result.stderr) == (signal.SIGTERM, "")


def test_the_daemon_does_not_outlive_a_killed_demo(start):
    process = start()
    for line in process.stdout:
        if "2. mallory" in line:
            break
    process.kill()
    process.wait()
    poll(lambda: processes_of(process.pid) == [], within(10))


def test_it_says_what_to_do_when_nothing_is_built(start, place):
    process = start(place / "nothing")
    shown, _ = process.communicate(timeout=within(30))
    assert process.returncode == 1 and "run `make` first" in shown and len(shown.splitlines()) == 1


def test_the_readmes_picture_shows_what_the_demo_shows():
    """terminal.svg is drawn from terminal.txt, and that is what the demo shows today, but for numbers and ids. If this
    fails: docs/pictures/picture --capture."""
    picture = runpy.run_path(str(PICTURE))
    capture = (PICTURE.parent / "terminal.txt").read_text()
    assert "\n".join(picture["drawing"](capture)) + "\n" == (PICTURE.parent / "terminal.svg").read_text()
    os.environ["TRAILGUARD_BIN"] = str(BINARY)
    assert picture["masked"](picture["chosen"](picture["demo"]())) == picture["masked"](capture)
