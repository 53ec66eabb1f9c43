# SPDX-License-Identifier: Apache-2.0
"""Every line that a verb writes to stderr when it refuses or fails, beside those that the unit tests compare: in
tests/golden/errors.programs.txt. TRAILGUARD_GOLDEN_UPDATE=1 writes that file again; then read its diff."""

import json
import os
import re
import signal
import subprocess
from datetime import datetime, timezone

import pytest

from guard import BINARY, PLAIN, TOP
from helpers import FRA, MAIN, MEMBER, TOPIC, sns
from test_drill import operator

GOLDEN = TOP / "tests/golden/errors.programs.txt"
NOBODY = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
ALERTS = sns(TOPIC)
pytestmark = pytest.mark.skipif(not PLAIN, reason="the texts are the same in every build")


class Book:
    """What was run, and what it said."""

    def __init__(self, sim):
        self.sim, self.pages = sim, []

    def write(self, words, done, where=None):
        said = done.stderr or done.stdout
        for text, word in ((str(where.directory) if where else "", "DIR"), (self.sim.url, "ENDPOINT")):
            said = said.replace(text, word) if text else said
        said = re.sub(r"request id [0-9a-f-]+", "request id ID", said)
        said = re.sub(r"127\.0\.0\.1:9: .*? server", "CURL'S REASON", said)
        said = re.sub(r"pid \d+", "pid PID", said)
        said = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME", said)
        assert said.endswith("\n") and "\r" not in said, (words, said)
        self.pages.append(f"$ trailguard {words}\n{said}exit status {done.returncode}\n")

    def run(self, *arguments, stdout=subprocess.PIPE, shown=""):
        done = subprocess.run([BINARY, *arguments], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True,
                              timeout=30, env={"PATH": os.environ["PATH"]})
        self.write(" ".join(arguments) + shown, done)

    def verb(self, guard, *arguments, why="", **options):
        done = guard.verb(*arguments, **options)
        self.write(" ".join(arguments) + (f"     # {why}" if why else ""), done, guard)

    def check(self):
        text = "\n".join(self.pages)
        if os.environ.get("TRAILGUARD_GOLDEN_UPDATE"):
            GOLDEN.write_text(text)
        assert text == GOLDEN.read_text()


def command_line(book):
    for arguments in ([], ["--jsno"], ["--vesion"], ["-c"], ["--instance"], ["--instance", "a/b"], ["chek"], ["frobnicate"],
                      ["help", "chek"]):
        book.run(*arguments)
    with open("/dev/full", "w") as full:
        book.run("--version", stdout=full, shown=" >/dev/full")
        book.run("help", "status", stdout=full, shown=" >/dev/full")


def without_daemon(book, sim, make_guard):
    guard = make_guard(sim, alerts=ALERTS, regions=[FRA], aws={"max_attempts": 1})
    book.verb(guard, "status", config=False)
    book.verb(guard, "drill", "--yes", "org-trail", env=operator(sim))
    book.verb(guard, "release", "user/bob")
    book.verb(guard, "accept", "no-trail")
    book.verb(guard, "accept", why="it is new, and nobody can be asked")
    fault = sim.add_fault("denied", service="cloudtrail", operation="DescribeTrails")
    book.verb(guard, "accept", "no-trail", why="DescribeTrails is denied")
    sim.remove_fault(fault)
    (guard.state / "state.json").write_text("{")
    book.verb(guard, "release", "user/bob", why="state.json is damaged")
    (guard.state / "state.json").unlink()
    book.verb(guard, "policy", "deny", "--account", MEMBER)
    book.verb(guard, "policy", "guard", why="no AWS", env=NOBODY)
    book.verb(guard, "policy", "deny", why="no AWS", env=NOBODY)
    fault = sim.add_fault("denied", service="sns", operation="Publish")
    book.verb(guard, "test-alert", why="Publish is denied")
    sim.remove_fault(fault)
    keyless = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_EC2_METADATA_DISABLED": "true"}
    book.verb(guard, "test-alert", why="no keys", env=keyless)


def policies(book, sim, make_guard):
    long = [f"arn:aws:iam::{MAIN}:role/guards/a-guard-with-a-long-name-{number:03}" for number in range(100)]
    guard = make_guard(sim, mode="restore", guards=long)
    book.verb(guard, "policy", "deny", why="a hundred guards")
    book.verb(guard, "policy", "scp", why="a hundred guards")
    book.verb(make_guard(sim, guards=long[:1]), "policy", "scp", why="guards, in mode restart")
    roles = [{"role_arn": f"arn:aws:iam::9000000{number:05}:role/TrailGuard"} for number in range(400)]
    book.verb(make_guard(sim, accounts=roles), "policy", "guard", why="four hundred roles")
    book.verb(make_guard(sim, accounts=roles[:1]), "policy", "guard", why="a role, no AWS", env=NOBODY)


def with_daemon(book, sim, make_guard):
    guard = make_guard(sim, alerts=ALERTS, regions=[FRA]).start().wait_guarding()
    guard.wait_baselines(1, weak=0)
    book.verb(guard, "check", "--restore")
    for option, word in (("--account", "111122223334"), ("--region", "eu-central-2"), ("--trail", "org-trial"), ("--trail", "x")):
        book.verb(guard, "status", option, word, config=False)
    book.verb(guard, "release", "user/bob")
    book.verb(guard, "drill", "no-trail", env=operator(sim))
    book.verb(guard, "drill", "org-trail", why="nobody can be asked", env=operator(sim))
    book.verb(guard, "drill", "--yes", "org-trail", why="the guard's own keys")
    denied = sim.add_fault("denied", service="cloudtrail", operation="StopLogging")
    book.verb(guard, "drill", "--yes", "org-trail", why="StopLogging is denied", env=operator(sim))
    sim.remove_fault(denied)
    # what the daemon says is another thing now; it may not say it again
    guard.process.send_signal(signal.SIGSTOP)
    try:
        edited(book, sim, guard)
    finally:
        guard.process.send_signal(signal.SIGCONT)


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


EDITS = [
    ("an organization trail", (), {"organization": True}),
    ("stopped", (), {"verdict": "stopped"}),
    ("a finding", (), {"findings": ["stale"]}),
    ("provisional", (), {"provisional": True}),
    ("just ended", (), {"incident_ended": now()}),
    ("no baseline", ("--tag",), {"baseline": False}),
]


def edited(book, sim, guard):
    path = guard.runtime / "status.json"
    status = json.loads(path.read_text())
    (trail,) = status["trails"]
    for why, options, changes in EDITS:
        path.write_text(json.dumps({**status, "updated": now(), "trails": [{**trail, **changes}]}))
        book.verb(guard, "drill", "--yes", *options, "org-trail", why=why, env=operator(sim))
    path.write_text(json.dumps({**status, "updated": "2020-01-01T00:00:00Z"}))
    book.verb(guard, "drill", "--yes", "org-trail", why="of yesterday", env=operator(sim))
    book.verb(guard, "status", why="of yesterday", config=False)
    path.write_text("[]")
    book.verb(guard, "status", why="status.json is no object", config=False)
    path.unlink()
    book.verb(guard, "status", why="no status.json", config=False)


def test_every_line_about_what_went_wrong_is_golden(sim, make_guard):
    book = Book(sim)
    command_line(book)
    without_daemon(book, sim, make_guard)
    policies(book, sim, make_guard)
    with_daemon(book, sim, make_guard)
    book.check()
