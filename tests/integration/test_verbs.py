# SPDX-License-Identifier: Apache-2.0
"""The command line: check, config, status, test-alert, and how each refuses what it cannot do."""

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

from conftest import TOP
from guard import BINARY, libconfig, within
from helpers import (ALL_REGIONS, FRA, HOMES, MAIN, ORG_TRAIL, READS, SYD, TOPIC, document, matches, messages, operations, sns,
                     topic_arn, trail_arn, wait_alert)
from schemas import validated
from simaws.client import poll
from simaws.regions import DEFAULT_REGIONS

OK, WARNING, CRITICAL, UNKNOWN = range(4)


@pytest.fixture
def idle(sim, make_guard):
    """An installation whose daemon does not run."""
    return make_guard(sim, regions=ALL_REGIONS)


def one_line(text, *parts):
    assert len(text.splitlines()) == 1, text
    for part in parts:
        assert part in text, text


# -- check -------------------------------------------------------------------------------------------------------------
@pytest.mark.valgrind
def test_check_is_ok_when_all_is_well_and_changes_nothing(sim, idle):
    done = idle.verb("check")
    assert (done.returncode, done.stderr) == (OK, "")
    for name, region in HOMES.items():
        assert re.search(f"{name}.*{region}.*logging|{region}.*{name}.*logging", done.stdout), done.stdout
    assert re.search(r"[0-9]{5,} calls", done.stdout), "the calls a month"
    assert set(operations(sim)) <= READS
    assert list(idle.state.iterdir()) == [] and list(idle.runtime.iterdir()) == []


@pytest.mark.valgrind
def test_check_is_critical_about_a_stopped_trail_and_leaves_it_stopped(sim, idle):
    sim.trail(ORG_TRAIL, logging=False)
    done = idle.verb("check")
    assert done.returncode == CRITICAL and "stopped" in done.stdout
    assert sim.trail(ORG_TRAIL)["logging"] is False and set(operations(sim)) <= READS
    assert "LogGroup" not in done.stdout and messages(sim) == []


@pytest.mark.parametrize("how", ["interrupted", "replaced"])
def test_check_shows_what_happened_while_the_daemon_was_stopped_until_it_has_reported_it(sim, make_guard, mallory, how):
    for logging in (False, True):   # the trail has a StopLoggingTime, which its successor lacks
        sim.trail(ORG_TRAIL, logging=logging)
    guard = make_guard(sim, regions=[FRA]).start().wait_guarding()
    poll(lambda: guard.remembers(ORG_TRAIL), within(10))
    assert guard.stop() == 0
    assert guard.verb("check").returncode == OK
    if how == "interrupted":
        sim.trail(ORG_TRAIL, logging=False)
    else:
        client, settings = mallory.client(ORG_TRAIL), sim.trail(ORG_TRAIL)["settings"]
        client.delete_trail(Name=ORG_TRAIL)
        client.create_trail(Name="org-trail", S3BucketName=settings["S3BucketName"], IsMultiRegionTrail=True,
                            EnableLogFileValidation=settings["LogFileValidationEnabled"])
    mallory.client(ORG_TRAIL).start_logging(Name=ORG_TRAIL)
    for _ in range(2):      # a check reports nothing itself
        done = guard.verb("check")
        line = {"interrupted": r"org-trail eu-central-1 111122223333: logging was interrupted from \S+Z to \S+Z \(",
                "replaced": "org-trail eu-central-1 111122223333: it was deleted and created again"}[how]
        assert done.returncode == CRITICAL and re.search(line, done.stdout), done.stdout
    view = json.loads(guard.verb("check", "--json").stdout)
    assert [(entry["arn"], entry["what"]) for entry in validated(view, "status")["missed"]] == [(ORG_TRAIL, how)]
    guard.start().wait_guarding()
    entry = wait_alert(sim, f"trail.{how}")
    if how == "interrupted":
        assert entry["gap"]["from"] == view["missed"][0]["from"]
    guard.wait_delivered()
    assert guard.stop() == 0
    done = guard.verb("check")
    assert done.returncode == OK and "since the daemon" not in done.stdout, done.stdout


def test_check_is_critical_about_a_named_trail_that_is_absent(sim, idle):
    idle.write_config(trails=["audit", "no-such-trail"])
    done = idle.verb("check")
    assert done.returncode == CRITICAL and "no-such-trail" in done.stdout


@pytest.mark.parametrize("errors, expected", [({"LatestDeliveryError": "AccessDenied"}, CRITICAL),
                                              ({"LatestNotificationError": "NotFound"}, WARNING),
                                              ({"LatestDigestDeliveryError": "AccessDenied"}, CRITICAL)])
def test_check_judges_delivery_errors(sim, idle, errors, expected):
    sim.trail(ORG_TRAIL, errors=errors)
    assert idle.verb("check").returncode == expected


def test_check_warns_about_a_region_without_a_trail(sim, idle):
    sim.trail(ORG_TRAIL, settings={"IsMultiRegionTrail": False})
    sim.trail(trail_arn("apac"), delete=True)
    done = idle.verb("check")
    assert done.returncode == WARNING and SYD in done.stdout


@pytest.mark.parametrize("trouble", ["refused", "denied", "keys"])
def test_check_is_unknown_when_it_cannot_see(sim, idle, trouble):
    env = {}
    if trouble == "refused":
        sim.network("refused")
    elif trouble == "denied":
        sim.add_fault("denied", service="cloudtrail")
    else:
        env = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    try:
        done = idle.verb("check", env=env)
    finally:
        sim.network("normal")
    assert done.returncode == UNKNOWN
    assert done.stdout + done.stderr


def test_check_puts_critical_above_unknown(sim, idle):
    sim.trail(ORG_TRAIL, logging=False)
    sim.add_fault("denied", service="cloudtrail", region=SYD)
    assert idle.verb("check").returncode == CRITICAL


def test_check_knows_regions_that_are_not_enabled_also_when_they_answer_first(sim, idle):
    """What their answer means is known only once the same keys are good elsewhere."""
    sim.call("account", id=MAIN, regions=list(DEFAULT_REGIONS))
    idle.write_config(regions="all")
    for region in ALL_REGIONS:
        sim.add_fault("slow", operation="DescribeTrails", region=region, seconds=0.5)
    done = idle.verb("check")
    assert done.returncode == OK, done.stdout + done.stderr
    assert "not enabled" in done.stdout and "unreachable=0;" in done.stdout
    assert "unreachable" not in done.stdout.split("\n", 1)[1]


def test_check_ends_also_when_a_role_turns_out_to_be_of_its_own_account(sim, make_guard):
    """What was under way by its own keys was cancelled then, and nothing ended the pass."""
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{MAIN}:user/guard"}, "Action": "sts:AssumeRole"}
    sim.add_role("TrailGuard", MAIN, trust=[trust])
    own = make_guard(sim, accounts=[{"name": "own"}, {"role_arn": f"arn:aws:iam::{MAIN}:role/TrailGuard"}])
    key = sim.keys_of("guard")["access_key"]
    sim.add_fault("slow", operation="GetCallerIdentity", access_key=key, seconds=5)
    sim.add_fault("hang", service="cloudtrail", access_key=key)
    done = own.verb("check")
    assert "org-trail" in done.stdout and "is guarded once, by that role" in done.stderr, done


@pytest.mark.parametrize("denied", [False, True])
def test_check_needs_no_right_to_ask_which_regions_are_enabled(sim, idle, denied):
    sim.call("account", id=MAIN, regions=list(DEFAULT_REGIONS))
    if denied:
        sim.add_fault("denied", operation="GetRegionOptStatus")
    idle.write_config(regions="all")
    done = idle.verb("check")
    assert done.returncode == OK, done.stdout + done.stderr
    assert "not enabled" in done.stdout and "MISSING" not in done.stdout and "GetRegionOptStatus" not in done.stdout
    assert sim.requests(operation="GetRegionOptStatus")


def test_check_says_of_a_named_region_that_it_is_disabled(sim, idle):
    sim.call("account", id=MAIN, regions=list(DEFAULT_REGIONS))
    idle.write_config(regions=[FRA, "ap-east-1"])
    done = idle.verb("check")
    assert done.returncode == UNKNOWN and "the account has not enabled the region" in done.stdout, done.stdout
    sim.clear_failures()


def test_check_takes_bad_keys_for_what_they_are_in_all_regions(sim, idle):
    idle.write_config(regions="all")
    done = idle.verb("check", env={"AWS_SECRET_ACCESS_KEY": "wrong/EXAMPLE/key"})
    assert done.returncode == UNKNOWN and "not enabled" not in done.stdout, done.stdout
    assert {failure["kind"] for failure in sim.clear_failures()} == {"signature"}


def test_check_counts_the_calls_that_the_daemon_makes(sim, idle):
    """Insights where there are some; no tags of a trail that is not ours; a region without trails every ten minutes."""
    sim.trail(ORG_TRAIL, insights=[{"InsightType": "ApiCallRateInsight"}], settings={"IsMultiRegionTrail": False})
    sim.trail(trail_arn("apac"), delete=True)
    idle.write_config(poll_interval=10, settings_interval=30)
    view = json.loads(idle.verb("check", "--json").stdout)
    month = 30 * 24 * 3600
    assert view["calls_per_month"] == 2 * month // 10 + (2 + 4 + 3) * month // 30 + month // 300


def test_check_counts_what_pacing_lets_through_and_says_that_polls_are_stretched(sim, idle):
    for number in range(11):
        sim.add_trail(f"trail{number}", MAIN, FRA)
    idle.write_config(regions=[FRA])
    shown = idle.verb("check").stdout
    assert f"\n{FRA} {MAIN}: polled every 3 s, not every 1 s: " in shown
    view = validated(json.loads(idle.verb("check", "--json").stdout), "status")
    month = 30 * 24 * 3600
    assert view["calls_per_month"] <= 5 * month + month // 60
    assert view["calls_per_month"] > 4 * month and f"about {view['calls_per_month']} calls to AWS a month" in shown
    assert [target["poll_interval"] for target in view["status"]["targets"]] == [3]


def test_check_makes_up_no_number_of_calls(sim, idle):
    env = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    view = validated(json.loads(idle.verb("check", "--json", env=env).stdout), "status")
    assert view["calls_per_month"] is None
    assert "calls to AWS this configuration makes is not known" in idle.verb("check", env=env).stdout
    sim.add_fault("denied", service="cloudtrail", region=SYD)
    shown = idle.verb("check").stdout
    assert re.search("about [0-9]{5,} calls to AWS a month, without those to 1 region or account that did not answer", shown), shown


def test_check_counts_the_calls_of_bucket_checks_as_they_are_made(sim, idle):
    idle.write_config(regions=[FRA], settings_interval=60)
    month = 30 * 24 * 3600
    without = json.loads(idle.verb("check", "--json").stdout)["calls_per_month"]
    idle.write_config(bucket_checks=True)
    mark = sim.mark()
    assert json.loads(idle.verb("check", "--json").stdout)["calls_per_month"] == without + 3 * month // 60
    assert len(sim.requests(since=mark, operation="HeadBucket")) == 1
    # whose the bucket is was never confirmed: each guarded account is asked, every time
    sim.add_fault("denied", operation="HeadBucket")
    mark = sim.mark()
    calls = json.loads(idle.verb("check", "--json").stdout)["calls_per_month"]
    assert calls == without + len(sim.requests(since=mark, operation="HeadBucket")) * month // 60


def test_check_as_json_is_one_document(sim, idle):
    sim.trail(ORG_TRAIL, logging=False)
    done = idle.verb("check", "--json")
    view = validated(json.loads(done.stdout), "status")
    assert done.returncode == CRITICAL and view["schema"] == "trailguard.check/1" and view["result"] == "critical"
    month = 30 * 24 * 3600
    assert view["calls_per_month"] == 3 * month + 3 * month // 60 + 3 * 3 * month // 60
    assert {trail["name"]: trail["verdict"] for trail in view["status"]["trails"]} == {
        "org-trail": "stopped", "audit": "logging", "apac": "logging"}


@pytest.mark.valgrind
def test_check_restore_starts_a_stopped_trail_and_judges_what_is_then(sim, idle):
    sim.trail(ORG_TRAIL, logging=False)
    done = idle.verb("check", "--restore")
    assert done.returncode == OK, done.stdout + done.stderr
    assert sim.trail(ORG_TRAIL)["logging"] is True
    assert messages(sim) == [] and list(idle.state.iterdir()) == []


def test_check_restore_acts_only_as_the_mode_allows(sim, idle):
    idle.write_config(mode="observe")
    sim.trail(ORG_TRAIL, logging=False)
    assert idle.verb("check", "--restore").returncode == CRITICAL
    assert sim.trail(ORG_TRAIL)["logging"] is False


def test_check_restore_leaves_it_to_a_running_daemon(sim, idle):
    idle.start().wait_guarding()
    done = idle.verb("check", "--restore")
    assert done.returncode == UNKNOWN
    one_line(done.stderr, str(idle.process.pid))
    assert idle.verb("check").returncode == OK, "only looking is fine beside the daemon"


# -- config ------------------------------------------------------------------------------------------------------------
def test_config_says_ok(idle):
    done = idle.verb("config")
    assert (done.returncode, done.stdout, done.stderr) == (0, "configuration OK\n", "")


def test_config_dump_reads_back_to_the_same(idle):
    idle.write_config(trails=["audit", ORG_TRAIL], ignore=["noise"], mode="observe", unreachable_after=7, reminder_interval=0,
                      aws={"max_attempts": 5, "request_timeout": 9}, log_level="debug",
                      alerts=sns(TOPIC) + sns(topic_arn("b.fifo"), min_severity="critical"))
    first = idle.verb("config", "--dump")
    assert first.returncode == 0
    for option in ("poll_interval", "settings_interval", "unreachable_after", "connect_timeout"):
        assert option in first.stdout
    idle.write_config(first.stdout)
    assert idle.verb("config", "--dump").stdout == first.stdout


def test_config_dump_of_channels_reads_back_and_shows_no_url_that_may_be_a_secret(idle):
    idle.write_config(alerts=[
        {"type": "webhook", "url": "https://hooks.example.org/services/T0PSECRET", "events": ["trail.*", "guard.test"]},
        {"type": "webhook", "name": "pd", "format": "pagerduty", "secret_file": "key", "resolved": False},
        {"type": "command", "command": ["/bin/echo", "a", "a"]}])
    idle.secrets.append("T0PSECRET")
    first = idle.verb("config", "--dump")
    assert first.returncode == 0, first.stderr
    assert 'url = "https://hooks.example.org/not-shown"; format = "json";' in first.stdout
    idle.write_config(first.stdout)
    assert idle.verb("config", "--dump").stdout == first.stdout


@pytest.mark.parametrize("line, parts", [
    ("poll_interval = 0;", ["poll_interval", "3600"]),
    ("poll_interval = 3601;", ["poll_interval", "3600"]),
    ("poll_interval = 4294967297;", ["poll_interval", "cannot be used; allowed: a whole number, 1.."]),
    ("poll_interval = 0x100000001L;", ["poll_interval", "cannot be used; allowed: a whole number, 1.."]),
    ("aws = { request_timeout = 99999999999999999999; };", ["request_timeout", "cannot be used; allowed: a whole number, 1.."]),
    ("poll_interval = \"1\";", ["poll_interval"]),
    ("poll_interval = 20; settings_interval = 10;", ["settings_interval"]),
    ("unreachable_after = 101;", ["unreachable_after", "100"]),
    ("mode = \"restrat\";", ["mode", "observe", "restart"]),
    ("poll_intervall = 5;", ["poll_intervall"]),
    ("aws = { endpoint_url = \"http://example.org\"; };", ["endpoint_url", "loopback"]),
    ("trails = [ \"audit\", \"audit\" ];", ["trails", "audit"]),
    ("trails = [ ];", ["trails"]),
    ("ignore = [ \"-bad-\" ];", ["ignore"]),
    ("log_level = \"loud\";", ["log_level"]),
    ("mode = ;", ["syntax error"]),
    ("mode = \"observe", []),
    ("poll_interval 5;", ["syntax error"]),
])
def test_config_names_file_line_and_what_is_allowed(idle, line, parts):
    idle.write_config(f"regions = [ \"{FRA}\" ];\nalerts = ();\n{line}\n")
    done = idle.verb("config")
    assert done.returncode == 1
    one_line(done.stderr, *parts)
    assert re.search(r"trailguard\.conf:[34]:\d+: ", done.stderr), done.stderr
    run = idle.start()
    assert run.wait() == 1
    assert len(run.lines) == 1 and all(part in run.lines[0].text for part in parts), run.stderr()


@pytest.mark.parametrize("alerts", ["arn:aws:sns:eu-central-1:111122223333", "trailguard", "arn:aws:sqs:eu-central-1:1:q"])
def test_config_refuses_a_topic_that_is_none(idle, alerts):
    idle.write_config(alerts=sns(alerts))
    done = idle.verb("config")
    assert done.returncode == 1
    one_line(done.stderr, "topic_arn", "trailguard.conf:2:")


@pytest.mark.parametrize("verb, status", [("config", 1), ("check", UNKNOWN), ("run", 1), ("test-alert", 1)])
def test_a_missing_file_is_named(idle, verb, status):
    idle.config.unlink()
    done = idle.verb(verb)
    assert done.returncode == status
    one_line(done.stderr, str(idle.config))


# -- status ------------------------------------------------------------------------------------------------------------
@pytest.mark.valgrind
def test_status_shows_the_daemons_view(sim, idle):
    assert idle.verb("status").returncode == 3
    idle.write_config(mode="observe")
    idle.start().wait_guarding()
    well = idle.verb("status")
    assert (well.returncode, well.stderr) == (0, "")
    for name in HOMES:
        assert name in well.stdout
    assert "\x1b" not in well.stdout
    sim.trail(ORG_TRAIL, logging=False)
    idle.wait_verdict("org-trail", "stopped")
    trouble = idle.verb("status")
    assert trouble.returncode == 2 and "stopped" in trouble.stdout
    view = validated(json.loads(idle.verb("status", "--json").stdout), "status")
    assert view["schema"] == "trailguard.status/1" and view["pid"] == idle.process.pid
    assert next(trail for trail in view["trails"] if trail["name"] == "org-trail")["incident"]["event"] == "trail.stopped"
    assert idle.stop() == 0
    gone = idle.verb("status")
    assert gone.returncode == 3
    one_line(gone.stderr)


def test_status_of_a_killed_daemon_is_not_running(idle):
    idle.start().wait_guarding()
    idle.kill()
    assert idle.verb("status").returncode == 3


def lock(guard):
    """As other users find them: they may not open the daemon's lock files."""
    for directory in (guard.state, guard.runtime):
        (directory / "lock").chmod(0)


def test_status_without_rights_goes_by_the_process_and_the_age(idle):
    idle.start().wait_guarding()
    lock(idle)
    pid = idle.process.pid
    well = idle.powerless("status", config=False)
    assert (well.returncode, well.stderr) == (0, "")
    assert re.search(rf"\n{re.escape(str(idle.state))}/lock: Permission denied; but process {pid} runs, and wrote this "
                     r"\d+(\.\d)? m?s ago\n$", well.stdout), well.stdout
    view = idle.powerless("status", "--json", config=False)
    assert view.returncode == 0 and validated(json.loads(view.stdout), "status")
    assert "Permission denied" not in idle.verb("status", config=False).stdout + view.stderr
    idle.kill()
    for arguments in ([], ["--json"]):
        gone = idle.powerless("status", *arguments, config=False)
        assert (gone.returncode, gone.stdout) == (3, "")
        one_line(gone.stderr)
        matches(rf"trailguard is not running: process {pid}, which wrote .*/status.json \d+(\.\d)? m?s ago, has ended",
                gone.stderr)


def elsewhere(guard, *arguments):
    """A verb of a user who may not read the locks, in a container whose processes have other numbers."""
    return guard.verb("status", *arguments, config=False, before=[
        "unshare", "--fork", "--pid", "--mount-proc", "setpriv", "--inh-caps=-all", "--bounding-set=-all"])


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: another PID namespace")
def test_status_in_another_pid_namespace_goes_by_the_age(idle):
    idle.start().wait_guarding()
    # with the lock nothing depends on numbers
    assert idle.verb("status", config=False, before=["unshare", "--fork", "--pid", "--mount-proc"]).returncode == 0
    lock(idle)
    pid, path = idle.process.pid, idle.runtime / "status.json"
    alive = elsewhere(idle)
    assert (alive.returncode, alive.stderr) == (0, ""), alive
    assert re.search(rf"\n{re.escape(str(idle.state))}/lock: Permission denied; process {pid} of another PID namespace "
                     r"wrote this \d+(\.\d)? m?s ago\n$", alive.stdout), alive.stdout
    assert elsewhere(idle, "--json").returncode == 0
    # its number is that of another process here
    idle.kill()
    status = json.loads(path.read_text())
    for number, age in ((1, 0), (1, 3600)):
        updated = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - age))
        path.write_text(json.dumps({**status, "pid": number, "updated": updated}))
        dead = elsewhere(idle)
        assert dead.returncode == (2 if age else 0), dead
        assert "runs" not in dead.stdout + dead.stderr
        assert ("the daemon has ended or makes no progress" in dead.stderr) == bool(age), dead.stderr


def test_who_stopped_a_trail_is_not_shown_as_who_changed_it_later(sim, make_guard):
    guard = make_guard(sim, attribution=True, settings_interval=1, poll_interval=1).start().wait_guarding()
    sim.aws("mallory", FRA, "cloudtrail", "stop-logging", "--name", "org-trail")
    guard.wait_line("org-trail .*: stopped by arn:aws:iam::")
    sim.trail(ORG_TRAIL, settings={"LogFileValidationEnabled": False})     # no call, so nobody will be found
    guard.wait_verdict("org-trail", "weakened")
    trail = next(trail for trail in json.loads(guard.verb("status", "--json").stdout)["trails"] if trail["name"] == "org-trail")
    assert trail["incident"]["reopened"] and trail["incident"]["actor"] is None, trail


def test_status_says_once_that_there_are_no_credentials(sim, make_guard):
    guard = make_guard(sim)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        guard.env.pop(name)
    guard.start().wait_status(lambda status: status["problem"])
    shown = guard.verb("status").stdout
    assert shown.startswith("trouble: unreachable: no credentials: environment: AWS_ACCESS_KEY_ID is not set; "), shown
    assert shown.split("\n")[0].count("no credentials") == 1, shown


def on_a_terminal(guard, *arguments, env):
    """Output of a verb whose stdout is a terminal."""
    leader, follower = pty.openpty()
    try:
        environment = {name: value for name, value in {**guard.env, "TERM": "xterm", **env}.items() if name != "NOTIFY_SOCKET"}
        process = subprocess.Popen([BINARY, *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=follower,
                                   stderr=subprocess.DEVNULL)
        os.close(follower)
        output = b""
        try:
            while chunk := os.read(leader, 65536):
                output += chunk
        except OSError:         # the terminal's other end is closed
            pass
        process.wait(within(10))
        return output.decode()
    finally:
        os.close(leader)


def errors_on_a_terminal(guard, *arguments, **env):
    """(exit status, stdout, stderr) of a verb whose stderr is a terminal."""
    leader, follower = pty.openpty()
    try:
        environment = {name: value for name, value in {**guard.env, **env}.items() if name != "NOTIFY_SOCKET"}
        process = subprocess.Popen([BINARY, arguments[0], "-c", guard.config, *arguments[1:]], env=environment, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=follower)
        os.close(follower)
        shown, ended = "", False
        while not ended:
            ended = process.poll() is not None
            while select.select([leader], [], [], 0 if ended else 0.1)[0]:
                try:
                    shown += os.read(leader, 65536).decode()
                except OSError:     # the terminal's other end is closed
                    break
                if not ended:
                    break
        return process.returncode, process.stdout.read(), shown
    finally:
        os.close(leader)


@pytest.mark.parametrize("arguments", [["check"], ["check", "--doctor"]])
def test_a_long_pass_shows_on_a_terminal_how_far_it_is(sim, idle, arguments):
    with sim.fault("slow", operation="GetTrailStatus", trail="*org-trail", seconds=2):
        status, out, shown = errors_on_a_terminal(idle, *arguments)
    first = r"\r\x1b\[Kpolling: 2 of 3 regions, 2 of 3 trails; 0 checks to come"
    assert re.match(first, shown) and shown.endswith("\r\x1b[K") and shown.count("polling") > 1, repr(shown)
    assert "polling" not in out
    with sim.fault("slow", operation="GetTrailStatus", trail="*org-trail", seconds=2):
        done = idle.verb(*arguments)
    assert (done.returncode, done.stderr) == (status, "")


def test_a_terminal_that_cannot_move_its_cursor_gets_no_escape_sequence(sim, idle):
    """Such as a shell in Emacs, or a serial console."""
    with sim.fault("slow", operation="GetTrailStatus", trail="*org-trail", seconds=2):
        _, _, shown = errors_on_a_terminal(idle, "check", TERM="dumb")
    assert shown == ""
    assert on_a_terminal(idle, "status", "--watch", env={"TERM": "dumb"}) == ""    # refused


def test_help_and_what_was_meant():
    def run(*arguments):
        done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=within(10))
        return done.returncode, done.stdout, done.stderr
    for verb in ("run", "check", "config", "status", "test-alert", "accept", "policy"):
        assert run("help", verb) == run(verb, "--help") and run("help", verb)[0] == 0
        assert "\nExamples:\n" in run("help", verb)[1]
        assert run(verb, "--hlep") == (UNKNOWN if verb == "check" else 1, "", (
            f"trailguard {verb}: unknown option \"--hlep\"; did you mean \"--help\"? see trailguard {verb} --help\n"))
    assert run("help") == run("--help") == run("help", "help") == run("help", "--help")
    for arguments, meant in ((("statsu",), " did you mean \"status\"?"), (("help", "chek"), " did you mean \"check\"?"),
                             (("frobnicate",), "")):
        assert run(*arguments) == (1, "", f"trailguard: unknown verb \"{arguments[-1]}\";{meant} see trailguard --help\n")
    assert run("--verison")[2] == "trailguard: unknown option \"--verison\"; did you mean \"--version\"? see trailguard --help\n"


def test_colour_only_on_a_terminal_and_never_with_no_color(sim, idle):
    idle.write_config(mode="observe")
    sim.trail(ORG_TRAIL, logging=False)
    idle.start().wait_guarding()
    assert "\x1b[" in on_a_terminal(idle, "status", env={})
    assert "\x1b" not in on_a_terminal(idle, "status", env={"NO_COLOR": "1"})
    assert "\x1b" not in on_a_terminal(idle, "status", env={"TERM": "dumb"})


def test_watch_draws_in_place_until_it_is_ended(tmp_path):
    leader, follower = pty.openpty()
    process = subprocess.Popen([BINARY, "status", "--watch"], stdin=subprocess.DEVNULL, stdout=follower, stderr=follower,
                               env={"STATE_DIRECTORY": str(tmp_path), "RUNTIME_DIRECTORY": str(tmp_path)})
    os.close(follower)
    try:
        drawn = ""
        while drawn.count("trailguard is not running") < 2:     # each is below a cleared screen
            assert select.select([leader], [], [], within(10))[0], drawn
            drawn += os.read(leader, 65536).decode()
        assert re.match(r"(\x1b\[H\x1b\[Jtrailguard is not running [^\x1b]*){2}", drawn), drawn
    finally:
        process.kill()
        process.wait(within(10))
        os.close(leader)


def test_watch_draws_no_more_than_the_screen_holds_and_clears_it_only_to_draw(sim, idle):
    idle.write_config(mode="observe")
    sim.trail(ORG_TRAIL, logging=False)
    idle.start().wait_guarding()
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 60, 0, 0))
    process = subprocess.Popen([BINARY, "status", "--watch"], stdin=subprocess.DEVNULL, stdout=follower, stderr=follower,
                               env={**idle.env, "NO_COLOR": "1"})
    os.close(follower)
    try:
        drawn = ""
        while drawn.count("\x1b[J") < 3:
            assert select.select([leader], [], [], within(10))[0], drawn
            chunk = os.read(leader, 65536).decode()
            assert not chunk.endswith("\x1b[J"), "cleared before there was anything to draw"
            drawn += chunk
    finally:
        process.kill()
        process.wait(within(10))
        os.close(leader)
    for frame in drawn.split("\x1b[H\x1b[J")[1:3]:
        lines = frame.split("\r\n")
        assert lines[0].startswith("trouble: ") and re.fullmatch("[.]{3} and [0-9]+ more lines?", lines[-1]), frame
        assert sum(max(1, -(-len(line) // 60)) for line in lines) <= 5, frame


# -- test-alert --------------------------------------------------------------------------------------------------------
@pytest.mark.valgrind
def test_test_alert_prints_each_channels_receipt(sim, idle):
    other = sim.add_topic(topic_arn("other.fifo"))
    idle.write_config(alerts=sns(TOPIC, other, min_severity="critical"))
    done = idle.verb("test-alert")
    assert (done.returncode, done.stderr) == (0, "")
    for topic in (TOPIC, other):
        (message,) = messages(sim, topic)
        assert re.search(f"{re.escape(topic)}.*{message['MessageId']}", done.stdout), done.stdout
        told = document(message)
        assert (told["event"], told["severity"], told["trail"]) == ("guard.test", "info", None)
        assert message["Subject"].startswith("[TrailGuard] TEST")
    assert list(idle.state.iterdir()) == []


def test_test_alert_prints_a_channels_error_and_tries_the_others(sim, idle):
    idle.write_config(alerts=sns(topic_arn("gone"), TOPIC))
    done = idle.verb("test-alert")
    assert done.returncode == 1
    assert re.search("gone.*Topic does not exist", done.stdout + done.stderr)
    assert messages(sim)[0]["MessageId"] in done.stdout


def test_test_alert_without_a_channel_says_so(idle):
    idle.write_config(alerts=())
    done = idle.verb("test-alert")
    assert done.returncode == 1
    one_line(done.stderr, "alerts")


# -- usage -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("arguments", [[], ["fly"], ["check", "--loud"], ["config", "-c"], ["run", "extra"], ["status", "--dump"],
                                       ["test-alert", "--json"], ["--loud"], ["accept"], ["policy", "guard"]])
def test_a_usage_error_is_one_line_and_not_zero(arguments):
    done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=within(10))
    assert done.returncode != 0 and done.stdout == ""
    one_line(done.stderr, "trailguard")


@pytest.mark.parametrize("verb", [[], ["run"], ["check"], ["config"], ["status"], ["test-alert"], ["accept"], ["drill"],
                                  ["release"], ["policy"]])
def test_help_is_on_stdout_and_zero(verb):
    done = subprocess.run([BINARY, *verb, "--help"], capture_output=True, text=True, timeout=within(10))
    assert done.returncode == 0 and done.stderr == "" and "usage: trailguard" in done.stdout
    assert all(len(line) <= 79 for line in done.stdout.splitlines())


def test_version_is_the_trees():
    version = (BINARY.parents[0] / "../VERSION").resolve()
    done = subprocess.run([BINARY, "--version"], capture_output=True, text=True, timeout=within(10))
    assert done.returncode == 0 and re.fullmatch(
        r"trailguard [0-9]+\.[0-9]+\.[0-9]+(\+git[0-9.]+[0-9a-f]*)?\n", done.stdout)
    assert not version.exists() or done.stdout.split()[1].split("+")[0] == version.read_text().strip().split("+")[0]


@pytest.mark.parametrize("verb, failed", [(["check"], UNKNOWN), (["check", "--json"], UNKNOWN), (["policy", "guard"], 1),
                                          (["policy", "scp"], 1), (["config", "--dump"], 1), (["config"], 1), (["accept"], 1)])
@pytest.mark.parametrize("reader", ["a full disk", "nobody"])
def test_output_that_could_not_be_written_is_no_success(sim, idle, verb, failed, reader):
    if verb == ["accept"]:
        idle.verb("accept", "--yes")
    if reader == "nobody":
        read_end, out = os.pipe()
        os.close(read_end)
    else:
        out = os.open("/dev/full", os.O_WRONLY)
    done = subprocess.run([BINARY, verb[0], "-c", idle.config, *verb[1:]], env=idle.env, stdin=subprocess.DEVNULL, stdout=out,
                          stderr=subprocess.PIPE, text=True, timeout=within(30))
    os.close(out)
    assert done.returncode == failed
    assert ("No space left on device" in done.stderr) == (reader != "nobody"), done.stderr


@pytest.mark.parametrize("name", [f"arn:aws:cloudtrail:{FRA}:999999999999:trail/org-trail",
                                  f"arn:aws-cn:cloudtrail:{FRA}:{MAIN}:trail/org-trail", "no-such-trail"])
def test_accept_says_of_a_stranger_only_what_it_knows(sim, idle, name):
    done = idle.verb("accept", "--yes", name)
    assert done.returncode == 1 and list(idle.state.iterdir()) == []
    one_line(done.stderr, name, "polls lists it", "not recorded")
