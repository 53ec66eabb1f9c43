# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a simulated AWS that is fresh for each test, and daemons that guard it."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
for place in (TOP / "tests/aws", Path(__file__).resolve().parent):
    sys.path.insert(0, str(place))
pytest.register_assert_rewrite("helpers")

import iam_oracle  # noqa: E402
import world  # noqa: E402
from guard import BINARY, Guard  # noqa: E402
from attacks import SCENARIO  # noqa: E402
from faulted import total  # noqa: E402
from helpers import FRA, Mallory, TOPIC  # noqa: E402
from simaws.client import SimAWS  # noqa: E402

DEMO = json.loads((TOP / "tests/aws/scenarios/demo.json").read_text())


def pytest_sessionstart():
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there; run `make` first", 1)
    if trouble := world.leave_host():
        pytest.exit(trouble, 1)


def pytest_collection_modifyitems(items):
    # what takes minutes begins first, so that the end does not wait for it alone
    items.sort(key=lambda item: item.path.name != "test_scale.py")


def _servers(**options):
    @pytest.fixture(scope="session")
    def server():
        with SimAWS(**options) as running:
            yield running
    return server


plain_server = _servers()
tls_server = _servers(tls=True)


def _fresh(server):
    """Everything of the test before forgotten, the demonstration scenario loaded: three regions with a trail each."""
    server.reset()
    server.load(DEMO)
    return server


def _check(server):
    server.remove_fault()
    server.assert_clean()


@pytest.fixture
def judged_again(sim):
    """After the test, IAM's decisions in it are taken once more by what others wrote, where that is installed."""
    yield
    if iam_oracle.place():
        assert iam_oracle.disagreements(sim.call("decisions")["cases"]) == []


@pytest.fixture
def sim(plain_server):
    yield _fresh(plain_server)
    _check(plain_server)


@pytest.fixture
def tls_sim(tls_server):
    yield _fresh(tls_server)
    _check(tls_server)


@pytest.fixture(scope="session")
def _mallory(plain_server):
    return Mallory(plain_server)


@pytest.fixture
def mallory(sim, _mallory):
    """An administrator of the account with real AWS clients, which take long to make and are kept."""
    return _mallory


@pytest.fixture
def place():
    """A directory with a path short enough for sockets."""
    directory = tempfile.mkdtemp(prefix="tg-")
    yield Path(directory)
    shutil.rmtree(directory, ignore_errors=True)


class Guards:
    """Makes guards and sees to their end."""

    def __init__(self, place):
        self.place, self.all = place, []

    def __call__(self, sim, user="guard", env=None, **options):
        """A guard that is not started yet. Alerts go to the demonstration topic unless told otherwise."""
        options.setdefault("alerts", [{"type": "sns", "topic_arn": TOPIC}])
        guard = Guard(sim, self.place / f"guard{len(self.all)}", user, env, **options)
        self.all.append(guard)
        return guard

    def close(self):
        """End them all, then judge them, so that one that fails does not keep the others alive."""
        errors = []
        for guard in self.all:
            for step in (guard.close, guard.assert_no_secrets, guard.assert_status_documented):
                try:
                    step()
                except Exception as error:
                    errors.append(error)
        if errors:
            raise errors[0]


@pytest.fixture
def make_guard(place, request):
    guards = Guards(place)
    try:
        yield guards
        # a server that hangs must not keep a daemon from ending
        for name in ("plain_server", "tls_server"):
            if name in request.fixturenames:
                request.getfixturevalue(name).remove_fault()
    finally:
        guards.close()


@pytest.fixture
def victim(sim, make_guard):
    """A guard of the trail that has everything; not started."""
    sim.load(SCENARIO)
    return make_guard(sim, regions=[FRA], trails=["victim"], settings_interval=1)


def _asked(sim):
    """The newest of the requests that a simulated AWS got, one a line."""
    return "\n".join(
        f"{entry['time']:.3f} {entry['connection']:>4} {entry['region']} {entry['operation']} {entry['status']} "
        f"{(entry.get('principal') or '').rpartition(':')[2]} {entry.get('trail') or entry.get('topic') or ''}"
        for entry in sim.requests()[-80:])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What the daemons said and AWS was asked belongs to the report of a test that failed."""
    outcome = yield
    report = outcome.get_result()
    if not report.failed or not hasattr(item, "funcargs"):
        return
    if guards := item.funcargs.get("make_guard"):
        for guard in guards.all:
            report.sections.append((f"stderr of {guard.directory.name}", guard.stderr()[-20000:]))
    for name in ("sim", "tls_sim"):
        if name in item.funcargs and call.when != "teardown":       # after the last test it is gone
            report.sections.append((f"requests to {name}", _asked(item.funcargs[name])))


def pytest_terminal_summary(terminalreporter):
    """The figures of the fault suites, also of those that ran in another worker, and their sum."""
    lines = [text for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])
             for name, text in getattr(report, "user_properties", []) if name == "figures"]
    for line in lines + list(filter(None, [total(lines)])):
        terminalreporter.write_line(line)
