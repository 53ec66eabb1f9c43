# SPDX-License-Identifier: Apache-2.0
"""The parts of `make bench` do what they should: the stand-in and the floors are tried without a clock, the report is a function of
its input. Nothing here judges how fast anything is."""
import contextlib
import json
import os
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
import report

TOP = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("TRAILGUARD_BIN", TOP / "build/trailguard"))
TOOLS = BINARY.parent / "tests/bench"
REGIONS = ["eu-central-1", "us-east-1", "us-west-2"]
GOLDEN = Path(__file__).with_name("example.txt")
MAIN = "111122223333"


class Server:
    """The stand-in on a port of its own, for three regions and five accounts."""

    def __init__(self, directory):
        self.ca = directory / "ca.pem"
        self.process = subprocess.Popen([TOOLS / "server", "--ca", self.ca, "--port", "0", "--regions", ",".join(REGIONS),
                                         "--accounts", "5"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = self.read()["port"]
        self.context = ssl.create_default_context(cafile=self.ca)

    def read(self):
        return json.loads(self.process.stdout.readline())

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.read()

    def call(self, operation, body, key="AKIAEXAMPLE", region=REGIONS[0]):
        """One call by its name, signed with nothing."""
        request = urllib.request.Request(f"https://localhost:{self.port}/", json.dumps(body).encode(), {
            "X-Amz-Target": f"CloudTrail_20131101.{operation}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20261124/{region}/cloudtrail/aws4_request"})
        with urllib.request.urlopen(request, context=self.context, timeout=20) as reply:
            return json.load(reply)

    def form(self, text):
        with urllib.request.urlopen(f"https://localhost:{self.port}/", text.encode(), context=self.context, timeout=20) as reply:
            return reply.read().decode()


@pytest.fixture
def server(tmp_path):
    if not (TOOLS / "server").exists():
        pytest.skip("make test-tools builds them")
    one = Server(tmp_path)
    yield one
    one.process.stdin.close()
    assert one.process.wait(20) == 0, "it ends when its input does"


def arn(region, account=MAIN):
    return f"arn:aws:cloudtrail:{region}:{account}:trail/main"


def poll_by(server, kind, polls=60):
    """All 15 targets four times."""
    done = subprocess.run([TOOLS / f"floor_{kind}", "--ca", server.ca, "--regions", ",".join(REGIONS), "--accounts", "5",
                           "--interval", "0.3", "--polls", str(polls), "--connect", f"127.0.0.1:{server.port}"],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, json.loads(done.stdout), server.ask("stats")


# -- the stand-in and the floors -------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["curl", "raw"])
def test_a_floor_polls_every_target_equally_often(server, kind):
    status, said, stats = poll_by(server, kind)
    assert (status, said["polls"], said["failed"]) == (0, 60, 0)
    assert stats["GetTrailStatus"] == 60 and stats["bytes_in"] > 60 * 900, "a session's token is in each request"
    assert server.ask("gaps")["n"] == 60 - 15, "between the first poll of each of 15 targets and the other three"


@pytest.mark.parametrize("kind", ["curl", "raw"])
def test_a_floor_resumes_its_session_when_the_server_closes(server, kind):
    server.ask("mode close=1")
    status, said, stats = poll_by(server, kind)
    assert (status, said["polls"]) == (0, 60)
    assert stats["full"] + stats["resumed"] >= 60, "each poll on a connection of its own"
    assert stats["resumed"] > 0 and stats["full"] < 60


@pytest.mark.parametrize("kind", ["curl", "raw"])
def test_a_floor_counts_what_was_refused(server, kind):
    server.ask("mode throttle=1000")
    status, said, stats = poll_by(server, kind, 15)
    assert (status, said["polls"], said["failed"], stats["throttled"]) == (1, 0, 15, 15)


def test_the_stand_in_answers_late(server):
    server.ask("mode delay=200")
    before = time.monotonic()
    assert server.call("GetTrailStatus", {"Name": arn(REGIONS[0])})["IsLogging"]
    assert time.monotonic() - before >= 0.2


def test_the_stand_in_hangs_for_a_share_of_the_targets(server):
    server.ask("mode hang=1000")
    with pytest.raises(TimeoutError):
        request = urllib.request.Request(f"https://localhost:{server.port}/", json.dumps({"Name": arn(REGIONS[0])}).encode(),
                                         {"X-Amz-Target": "X.GetTrailStatus"})
        with urllib.request.urlopen(request, context=server.context, timeout=1):
            pass
    assert server.ask("stats")["hung"] == 1
    server.ask("mode")
    assert server.call("GetTrailStatus", {"Name": arn(REGIONS[0])})["IsLogging"]


def test_a_stop_is_found_put_right_and_published(server):
    server.ask("stops 1 4 4 0 7")
    trail = arn(REGIONS[2], "200000000002")
    assert server.ask("outcomes 1 4") == 4 * [[None, None, None]]
    assert server.call("GetTrailStatus", {"Name": arn(REGIONS[1], "200000000002")})["IsLogging"], "one in an account"
    assert server.call("GetTrailStatus", {"Name": trail})["IsLogging"] is False
    server.call("StartLogging", {"Name": trail})
    assert server.call("GetTrailStatus", {"Name": trail})["IsLogging"] is True
    assert "MessageId" in server.form(f"Action=Publish&Message=%22trail.stopped%22+{trail.replace(':', '%3A')}")
    outcomes = [row for row in server.ask("outcomes 1 4") if row != [None, None, None]]
    assert len(outcomes) == 1 and outcomes[0] == sorted(outcomes[0])
    assert server.call("GetTrailStatus", {"Name": arn(REGIONS[2])})["IsLogging"], "account 0 is not among them"


def test_the_guard_finds_all_that_it_asks_for(server, tmp_path):
    """It comes to nothing but polls, in each account and region, and every question had an answer."""
    groups = ", ".join(f'{{ role_arn = "arn:aws:iam::{200000000000 + i}:role/TrailGuard"; }}' for i in range(1, 5))
    (tmp_path / "trailguard.conf").write_text(
        f'regions = {json.dumps(REGIONS)}; poll_interval = 1; settings_interval = 86400; owner_check = false; alerts = ( ); accounts = ( {groups} ); '
        f'aws = {{ endpoint_url = "https://127.0.0.1:{server.port}"; ca_bundle = "{server.ca}"; }};')
    for name in ("state", "run"):
        (tmp_path / name).mkdir(mode=0o700)
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example",
           "STATE_DIRECTORY": str(tmp_path / "state"), "RUNTIME_DIRECTORY": str(tmp_path / "run")}
    process = subprocess.Popen([BINARY, "run", "-c", tmp_path / "trailguard.conf"], env=env, stderr=subprocess.DEVNULL)
    try:
        deadline, stats = time.monotonic() + 60, {}
        while time.monotonic() < deadline and stats.get("GetTrailStatus", 0) < 48:
            assert process.poll() is None
            stats = server.ask("stats")
            time.sleep(0.1)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
    assert stats["GetTrailStatus"] >= 48 and server.ask("gaps")["n"] >= 24
    assert (stats["AssumeRole"], stats["DescribeTrails"]) == (4, 12)
    assert (stats["other"], stats["unknown"]) == (0, "")


# -- the report ------------------------------------------------------------------------------------------------------
def example():
    """A run with a row of each kind."""
    rows = [
        {"what": "CPU a poll", "value": 140.2, "unit": "us", "beside": 110.9, "ratio": 1.264, "noise": 1.01, "most_ratio": 1.35},
        {"what": "RSS", "value": 18.84, "unit": "MB", "beside": 13.1, "most": 15},
        {"what": "polls/s", "value": 17.0, "unit": "", "beside": 17.0},
    ]
    closed = [
        {"what": "CPU a poll", "value": 700, "unit": "us", "beside": 650, "ratio": 1.08, "noise": 1.2, "most_ratio": 1.15},
        {"what": "wake-ups between polls, an interval", "skipped": "strace is not installed"},
    ]
    boto3 = [{"what": "CPU a poll, warm", "value": 100, "unit": "us", "beside": 1000, "ratio": 10.0, "noise": 0.99, "least_ratio": 10,
              "factor": "less CPU"}]
    outcomes = [[1000 * (i + 0.5) / 50, 1000 * (i + 0.5) / 50 + 20, 1000 * (i + 0.5) / 50 + 60] for i in range(50)]
    summary = report.latencies(1, 20, outcomes)
    titled = [("warm", "17 regions every 1 s", rows), ("closed", "the server closes", closed), ("boto3", "beside boto3", boto3),
              ("latency", "stop to running", report.latency_rows(summary)),
              ("broken", "a broken one", [{"what": "all", "failed": "OSError: no"}])]
    return {"conditions": {"date": "2026-11-29 23:00 UTC", "machine": "a CPU, 2 cores", "system": "an OS", "trailguard": "trailguard 1",
                           "commit": "0123abc", "libcurl": "7.88.1", "openssl": "3.0.17", "boto3": "1.26.27", "aws": "absent",
                           "pinned": True, "quick": False, "load": [0.1, 1.2], "cas": 141, "seconds": 600},
            "rows": report.judge([{"scenario": scenario, "title": title, **row} for scenario, title, rows in titled for row in rows]),
            "latency": [summary], "runs": {}}


TEMPLATE = """@conditions@

@tables@

@latency@

@misses@

@explanations@
= other | RSS
= warm | RSS
The libraries take most of it,
and nobody can help that.

= closed | CPU a poll
It is noisy, so this is not shown.
"""


def test_a_miss_without_a_reason_says_so():
    assert "Not explained yet." in report.document(example(), TEMPLATE.replace("= warm", "= cold"))
    assert "Not explained yet." not in report.document(example(), TEMPLATE)


def test_the_report_of_an_example_is_as_recorded():
    """BENCH_GOLDEN_UPDATE=1 writes it again."""
    result = example()
    text = report.table(result) + "\n\n" + report.document(result, TEMPLATE)
    if os.environ.get("BENCH_GOLDEN_UPDATE"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_what_never_came_survives_the_file(tmp_path):
    outcomes = [[10, None, None]]
    result = {"rows": report.judge(report.latency_rows(report.latencies(1, 20, outcomes)))}
    assert [row["verdict"] for row in result["rows"]] == ["missed", "met", "", "missed"]
    report.save(result, tmp_path / "bench.json")
    assert "Infinity" not in (tmp_path / "bench.json").read_text()
    assert report.load(tmp_path / "bench.json") == result


def test_the_template_takes_every_part_of_a_report():
    text = report.document(example(), report.TEMPLATE.read_text())
    assert "@" not in text.replace("trailguard@", "")
    assert not [line for line in text.splitlines() if len(line) > 120 and not line.startswith("|")]
    with pytest.raises(ValueError, match="@tables@"):
        report.document(example(), "@conditions@")


@pytest.mark.parametrize("row, expected", [
    ({"value": 1, "most": 1}, "met"), ({"value": 1.01, "most": 1}, "missed"),
    ({"value": 0.06, "least": 0.05}, "met"), ({"value": 0.04, "least": 0.05}, "missed"),
    ({"ratio": 1.3, "noise": 1.06, "most_ratio": 1.35}, "met"), ({"ratio": 1.4, "noise": 0.94, "most_ratio": 1.35}, "missed"),
    ({"ratio": 1.3, "noise": 1.08, "most_ratio": 1.35}, "noisy"), ({"ratio": 1.3, "noise": 0.92, "most_ratio": 1.35}, "noisy"),
    ({"ratio": 1.3, "noise": None, "most_ratio": 1.35}, "noisy"), ({"ratio": 12, "noise": 1, "least_ratio": 10}, "met"),
    ({"ratio": 9, "noise": 1, "least_ratio": 10}, "missed"), ({"value": 3}, ""), ({"skipped": "why"}, "skipped"),
    ({"failed": "why"}, "failed")])
def test_a_verdict(row, expected):
    assert report.verdict(row) == expected


def test_uniform_times_are_taken_for_uniform_and_bunched_ones_are_not():
    even = [(i + 0.5) / 500 for i in range(500)]
    assert report.kolmogorov_smirnov(even, 1) > 0.99
    assert report.kolmogorov_smirnov([value ** 1.3 for value in even], 1) < 0.01
    assert report.kolmogorov_smirnov([0.9 + value / 10 for value in even], 1) < 1e-6
    # of 100 values, a distance of 0.13403 is where printed tables have 0.05
    assert report.kolmogorov_smirnov([max(0, (i + 1) / 100 - 0.13403) for i in range(100)], 1) == pytest.approx(0.05, abs=0.003)


def test_a_wake_up_without_traffic_is_counted():
    trace = """7 epoll_wait(3<anon_inode:[eventpoll]>, [{events=EPOLLIN}], 126, -1) = 1
7 read(6<anon_inode:[timerfd]>, "\\1", 8) = 8
7 sendto(45<TCP:[127.0.0.1:53214->127.0.1.1:443]>, "x", 607, MSG_NOSIGNAL, NULL, 0) = 607
7 epoll_wait(3<anon_inode:[eventpoll]>, [], 126, 0) = 0
7 epoll_wait(3<anon_inode:[eventpoll]>,  <unfinished ...>
8 futex(0x1, FUTEX_WAIT_PRIVATE, 0, NULL) = 0
7 <... epoll_wait resumed>[{events=EPOLLIN}], 126, -1) = 1
7 read(6<anon_inode:[timerfd]>, "\\1", 8) = 8
7 epoll_wait(3<anon_inode:[eventpoll]>, [{events=EPOLLIN}], 126, 1000) = 1
7 recvfrom(45<TCP:[127.0.0.1:53214->127.0.1.1:443]>, "x", 5, 0, NULL, NULL) = 5
7 epoll_wait(3<anon_inode:[eventpoll]>,  <unfinished ...>
7 +++ exited with 0 +++""".splitlines()
    assert report.count_trace(trace) == {"calls": 9, "wakeups": 3, "idle": 1}
