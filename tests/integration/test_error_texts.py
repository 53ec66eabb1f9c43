# SPDX-License-Identifier: Apache-2.0
"""Every line that a verb writes to stderr when it refuses or fails, beside those that the unit tests compare: in
tests/golden/errors.*.txt. TRAILGUARD_GOLDEN_UPDATE=1 writes these files again; then read their diff. tests/lint/error_texts.py
says which texts are in none of them."""

import json
import os
import re
import signal
import subprocess
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import pytest

from guard import BINARY, PLAIN, TOP, within
from helpers import APAC, FRA, MAIN, MEMBER, ORG_TRAIL, SYD, TOPIC, sns
from test_verbs import lock
from test_drill import KEY, announce, begin, operator, stop, tag

NOBODY = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
ALERTS = sns(TOPIC)
pytestmark = pytest.mark.skipif(not PLAIN, reason="the texts are the same in every build")


class Book:
    """What was run, and what it said."""

    def __init__(self, sim, name):
        self.sim, self.pages, self.golden = sim, [], TOP / f"tests/golden/errors.{name}.txt"

    def write(self, words, done, where=None):
        said = done.stderr or done.stdout
        for text, word in ((str(where.directory) if where else "", "DIR"), (self.sim.url, "ENDPOINT")):
            said = said.replace(text, word) if text else said
        said = re.sub(r"request id [0-9a-f-]+", "request id ID", said)
        said = re.sub(r"127\.0\.0\.1:9: .*? server", "CURL'S REASON", said)
        said = re.sub(r"pid \d+", "pid PID", said)
        said = re.sub(r"user id \d+", "user id UID", said)
        said = re.sub(r"process \d+", "process PID", said)
        said = re.sub(r"\d+(\.\d)? m?s ago", "SPAN ago", said)
        said = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME", said)
        assert said.endswith("\n") and "\r" not in said, (words, said)
        lines = said.splitlines(keepends=True)
        said = said if len(lines) < 10 else "".join(lines[:2] + ["...\n"] + lines[-2:])
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
            self.golden.write_text(text)
        assert text == self.golden.read_text()


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
    book.verb(guard, "accept", "no-trail")
    book.verb(guard, "accept", why="it is new, and nobody can be asked")
    fault = sim.add_fault("denied", service="cloudtrail", operation="DescribeTrails")
    book.verb(guard, "accept", "no-trail", why="DescribeTrails is denied")
    book.verb(guard, "accept", why="DescribeTrails is denied")
    sim.remove_fault(fault)
    book.verb(guard, "policy", "guard", "--account", MAIN)
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
    book.verb(guard, "run", why="a second daemon")
    book.verb(guard, "check", "--restore")
    for option, word in (("--account", "111122223334"), ("--region", "eu-central-2"), ("--trail", "org-trial"), ("--trail", "x")):
        book.verb(guard, "status", option, word, config=False)
    with held(guard):
        path = guard.runtime / "status.json"
        status = json.loads(path.read_text())
        path.write_text(json.dumps({**status, "updated": "2020-01-01T00:00:00Z"}))
        book.verb(guard, "status", why="of yesterday", config=False)
        path.write_text(json.dumps({**status, "updated": None}))
        book.verb(guard, "status", why="of nobody knows when", config=False)
        path.write_text("[]")
        book.verb(guard, "status", why="status.json is no object", config=False)
        path.unlink()
        book.verb(guard, "status", why="no status.json", config=False)
    guard.wait_status(lambda status: status["pass"]["count"] > 0)
    guard.kill()
    lock(guard)
    book.write("status     # killed; the locks may not be read", guard.powerless("status", config=False), guard)
    path.write_text(json.dumps({**status, "pid_namespace": "pid:[1]", "updated": "2020-01-01T00:00:00Z"}))
    book.write("status     # the same, in another PID namespace", guard.powerless("status", config=False), guard)


@contextmanager
def held(guard):
    """Meanwhile the daemon writes nothing."""
    guard.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        guard.process.send_signal(signal.SIGCONT)


def directories(book, sim, make_guard):
    for name, what in (("run", "the runtime directory"), ("state", "the state directory")):
        guard = make_guard(sim, alerts=(), regions=[FRA])
        (guard.directory / name).rmdir()
        (guard.directory / name).write_text("")
        book.verb(guard, "run", why=f"{what} is a file")
        (guard.directory / name).unlink()
    for name in ("run", "state"):
        guard = make_guard(sim, alerts=(), regions=[FRA])
        (guard.directory / name / "lock").mkdir()
        book.verb(guard, "run", why="a lock is a directory")
    guard = make_guard(sim, alerts=(), regions=[FRA])
    (guard.state / "baselines").write_text("")
    book.verb(guard, "accept", "--yes", why="baselines is a file")
    (guard.state / "baselines").unlink()
    (guard.state / "baselines").mkdir(mode=0o500)
    book.write("accept --yes     # baselines has mode 500", guard.powerless("accept", "--yes"), guard)


CONFIGURATIONS = [
    ("a region that nobody knows", 'regions = [ "eu-centrall-1" ];\nalerts = ();\n'),
    ("a trail of the name all", 'trails = [ "all" ];\nalerts = ();\n'),
    ("a NUL byte", "alerts = ();\0\n"),
    ("more mistakes than are shown", "}\n" * 200 + "alerts = ();\n"),
    ("a mebibyte", "#" * (1 << 20) + "\nalerts = ();\n"),
    ("an endpoint, and a kind of endpoint", 'alerts = ();\naws = { endpoint_url = "https://proxy.example"; use_fips = true; };\n'),
    ("an argument that is too long", 'alerts = ( { type = "command"; command = [ "/bin/true", "' + "x" * 5000 + '" ]; } );\n'),
    ("empty arrays and lists", "alerts = ();\nmode = [];\nregions = [];\nlog_level = ();\npoll_interval = [];\n"),
]


def configurations(book, make_guard):
    guard = make_guard(book.sim)
    for why, text in CONFIGURATIONS:
        guard.write_config(text)
        book.verb(guard, "config", why=why)
    book.run("config", "-c", "/dev/null")
    guard.config.chmod(0)
    book.write("config     # mode 000", guard.powerless("config"), guard)


ENVIRONMENTS = [
    ({"AWS_USE_FIPS_ENDPOINT": "yes"}, {}),
    ({"AWS_USE_FIPS_ENDPOINT": "true"}, {"regions": ["cn-north-1"], "aws": {}}),
    ({"AWS_USE_FIPS_ENDPOINT": "true", "AWS_ENDPOINT_URL_SNS": "https://proxy.example"}, {"aws": {}}),
    ({"AWS_USE_DUALSTACK_ENDPOINT": "true", "AWS_ENDPOINT_URL_SNS": "https://proxy.example"}, {"aws": {}}),
    ({"AWS_ENDPOINT_URL_SNS": "http://proxy.example"}, {"aws": {}}),
    ({"HTTPS_PROXY": "socks5://proxy.example"}, {}),
]


def environments(book, sim, make_guard):
    for env, options in ENVIRONMENTS:
        guard = make_guard(sim, **{"alerts": ALERTS, "regions": [FRA], **options})
        words = " ".join(f"{name}={value}" for name, value in env.items())
        without = {"AWS_ENDPOINT_URL": None} if "aws" in options else {}
        book.verb(guard, "check", why=words, env={**without, **env})


def now(seconds=0):
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


# What the daemon may show of a trail, and of itself, for which a drill is refused; NOW is the time of the test.
NOW = object()
TRAILS = [
    ("an organization trail", (), {"organization": True}),
    ("stopped", (), {"verdict": "stopped"}),
    ("a finding", (), {"findings": ["stale"]}),
    ("provisional", (), {"provisional": True}),
    ("drilled a moment ago", (), {"drill": {"noticed": NOW}}),
    ("just ended", (), {"incident_ended": NOW}),
    ("no baseline", ("--tag",), {"baseline": False}),
    ("no tags in the baseline", ("--tag",), {"not_recorded": ["Tags"]}),
]
DAEMONS = [
    ("of yesterday", {"updated": "2020-01-01T00:00:00Z"}),
    ("mode observe", {"mode": "observe"}),
    ("slow", {"poll_interval": 301}),
]
MONTH = {"from": now(-3600), "until": now(86400)}
FILES = [
    ("a maintenance window", (), {"maintenance": [MONTH]}),
    ("settings are polled rarely", ("--tag",), {"settings_interval": 301}),
    ("no channel", (), {"alerts": ()}),
]


def drills(book, sim, make_guard):
    guard = make_guard(sim, alerts=ALERTS, regions=[FRA], aws={"max_attempts": 1})
    book.verb(guard, "drill", "--yes", "org-trail", env=operator(sim), why="no daemon")
    guard.start().wait_guarding().wait_baselines(1, weak=0)
    book.verb(guard, "drill", "no-trail", env=operator(sim))
    book.verb(guard, "drill", "org-trail", why="nobody can be asked", env=operator(sim))
    with held(guard):
        path = guard.runtime / "status.json"
        shown_otherwise(book, sim, guard, path, json.loads(path.read_text()))
        with_keys(book, sim, guard)
        denied(book, sim, guard)
        path.unlink()
        book.verb(guard, "drill", "--yes", "org-trail", env=operator(sim), why="no status.json")


def dated(changes):
    return {name: dated(value) if isinstance(value, dict) else now() if value is NOW else value
            for name, value in changes.items()}


def shown_otherwise(book, sim, guard, path, status):
    (trail,) = status["trails"]

    def drilled(why, *options, **changes):
        path.write_text(json.dumps({**status, "updated": now(), **changes}))
        book.verb(guard, "drill", "--yes", *options, "org-trail", why=why, env=operator(sim))
    for why, options, changes in TRAILS:
        drilled(why, *options, trails=[{**trail, **dated(changes)}])
    drilled("two of that name", trails=[trail, {**trail, "arn": APAC}])
    for why, changes in DAEMONS:
        drilled(why, **changes)
    for why, options, changes in FILES:
        before = {name: guard.options.get(name) for name in changes}
        guard.write_config(**changes)
        drilled(why, *options)
        guard.write_config(**before)
    announced = announce(guard)
    drilled("another drill")
    announced.unlink()
    path.write_text(json.dumps({**status, "updated": now(60)}))


def with_keys(book, sim, guard):
    book.verb(guard, "drill", "--yes", "org-trail", why="the guard's own keys")
    sim.add_user("stranger", MEMBER)
    stranger = {name: value for name, value in sim.env_for("stranger").items() if name.startswith("AWS_")}
    book.verb(guard, "drill", "--yes", "org-trail", why="another account's keys", env=stranger)
    book.verb(guard, "drill", "--yes", "org-trail", why="AWS_USE_FIPS_ENDPOINT=yes",
              env={**operator(sim), "AWS_USE_FIPS_ENDPOINT": "yes"})
    (guard.state / "drill.json").mkdir()
    book.verb(guard, "drill", "--yes", "org-trail", why="drill.json is a directory", env=operator(sim))
    (guard.state / "drill.json").rmdir()
    stop(sim)
    book.verb(guard, "drill", "--yes", "org-trail", why="stopped a moment ago", env=operator(sim))
    sim.aws("mallory", FRA, "cloudtrail", "start-logging", "--name", "org-trail")
    tag(sim, **{KEY: "of the last drill"})
    book.verb(guard, "drill", "--yes", "--tag", "org-trail", why="it has the tag", env=operator(sim))
    sim.aws("mallory", FRA, "cloudtrail", "remove-tags", "--resource-id", ORG_TRAIL, "--tags-list", f"Key={KEY}")


def denied(book, sim, guard):
    def drilled(why, *options, faults):
        ids = [sim.add_fault(kind, operation=operation) for operation, kind in faults.items()]
        book.verb(guard, "drill", "--yes", *options, "org-trail", why=why, env=operator(sim))
        for fault in ids:
            sim.remove_fault(fault)
    drilled("GetCallerIdentity is denied", faults={"GetCallerIdentity": "denied"})
    drilled("GetTrailStatus is denied", faults={"GetTrailStatus": "denied"})
    drilled("StopLogging is denied", faults={"StopLogging": "denied"})
    drilled("ListTags is denied", "--tag", faults={"ListTags": "denied"})
    drilled("AddTags is denied", "--tag", faults={"AddTags": "denied"})
    drilled("StopLogging has a bad answer", faults={"StopLogging": "empty500"})
    drilled("AddTags has a bad answer", "--tag", faults={"AddTags": "empty500"})
    (guard.state / "drill.json").unlink(missing_ok=True)
    stop_fault = sim.add_fault("empty500", operation="StopLogging", executed=True)
    drilled("stopped for all that, and StartLogging is denied", faults={"StartLogging": "denied"})
    sim.remove_fault(stop_fault)
    sim.aws("mallory", FRA, "cloudtrail", "start-logging", "--name", "org-trail")


def hold(account, name, **changes):
    return {"arn": f"arn:aws:iam::{account}:user/{name}", "account": account, "reason": "a war about a trail", "since_usec": 1,
            "announced": True, "held": True, "policy": "TrailGuardContain", **changes}


def contain(guard, *holds):
    (guard.state / "state.json").write_text(json.dumps({"schema": "trailguard.state/1", "contained": list(holds)}))


def releases(book, sim, make_guard):
    guard = make_guard(sim, alerts=ALERTS, regions=[FRA])
    contain(guard, hold(MAIN, "bob"), hold(MEMBER, "bob"))
    book.verb(guard, "release", "user/eve")
    book.verb(guard, "release", "user/bob", why="two accounts")
    book.verb(guard, "release", "--account", MAIN, "user/bob", why="no daemon")
    (guard.state / "state.json").write_text("{")
    book.verb(guard, "release", "user/bob", why="state.json is damaged")
    (guard.state / "state.json").unlink()
    guard.start().wait_guarding()
    with held(guard):
        contain(guard, hold(MAIN, "bob", released_by="root", error="DeleteUserPolicy: AccessDenied"))
        book.verb(guard, "release", "user/bob", why="the daemon may not")
        (guard.state / "release.json").unlink()
        (guard.state / "release.json").mkdir()
        book.verb(guard, "release", "user/bob", why="release.json is a directory")
        (guard.state / "release.json").rmdir()
        (guard.state / "state.json").unlink()


def test_every_line_about_what_went_wrong_is_golden(sim, make_guard):
    book = Book(sim, "programs")
    command_line(book)
    without_daemon(book, sim, make_guard)
    policies(book, sim, make_guard)
    with_daemon(book, sim, make_guard)
    directories(book, sim, make_guard)
    configurations(book, make_guard)
    environments(book, sim, make_guard)
    book.check()


def test_every_line_about_a_drill_is_golden(sim, make_guard):
    book = Book(sim, "drill")
    drills(book, sim, make_guard)
    book.check()


def test_every_line_about_a_release_is_golden(sim, make_guard):
    book = Book(sim, "release")
    releases(book, sim, make_guard)
    book.check()


def test_what_a_verb_tries_for_a_minute_is_golden(sim, make_guard):
    """All at once, each beside a daemon of its own that is held."""
    book = Book(sim, "minute")
    stopped, tagged, contained = (make_guard(sim, alerts=ALERTS, regions=[region]).start().wait_guarding().wait_baselines(1, weak=0)
                                  for region in (FRA, SYD, FRA))
    nothing = {"status": 200, "body": "{}"}
    with held(stopped), held(tagged), held(contained):
        for operation in ("StartLogging", "RemoveTags"):
            sim.add_fault("answer", operation=operation, **nothing)
        for operation in ("StopLogging", "AddTags"):
            sim.add_fault("empty500", operation=operation, executed=True)
        contain(contained, hold(MAIN, "bob"))
        begun = [(stopped, "drill --yes org-trail", begin(sim, stopped)),
                 (tagged, "drill --yes --tag apac", begin(sim, tagged, ("--yes", "--tag"), name="apac")),
                 (contained, "release user/bob", subprocess.Popen(
                     [BINARY, "release", "-c", contained.config, "user/bob"], env=contained.env, cwd=contained.directory,
                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))]
        for guard, words, process in begun:
            out, err = process.communicate(timeout=within(90))
            book.write(words, subprocess.CompletedProcess((), process.returncode, out, err), guard)
        (contained.state / "state.json").unlink()
        sim.remove_fault()
    book.check()
