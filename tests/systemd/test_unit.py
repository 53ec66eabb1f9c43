"""The shipped unit under a real systemd: readiness, watchdog, reload, sandbox, keys, journal, stop."""
import http.server
import json
import socket
import threading
import time

import pytest

from conftest import UNIT
from machine import wait_until


def wait_message(service, text):
    """Until a message with the text is at the topic; others may come before it, and after it."""
    wait_until(lambda: text in json.dumps(service.sim.messages(service.TOPIC)), 15, f"a message with {text!r}")


def test_start_returns_when_the_daemon_is_ready(service):
    service.machine.run(f"systemctl start {UNIT}")
    state = service.show("ActiveState", "SubState", "NotifyAccess", "ExecMainStatus")
    assert (state["ActiveState"], state["SubState"]) == ("active", "running")
    service.wait_for_status("guarding 1 trail, 1 region, 1 account: 1 logging")


def test_status_text_is_what_systemctl_status_shows(service):
    service.start()
    shown = service.machine.run(f"systemctl status {UNIT}").stdout
    assert 'Status: "guarding 1 trail' in shown, shown


def test_a_bad_file_keeps_it_from_starting_and_a_good_one_starts_it_by_itself(service):
    since = service.machine.now()
    service.configure(extra="poll_intervall = 3;")
    failed = service.machine.run(f"systemctl start {UNIT}", check=False)
    assert failed.returncode != 0
    service.wait_for_entry(since, MESSAGE="/etc/trailguard.conf:5:")
    service.configure()
    # no `systemctl start`: the unit never gives up
    wait_until(lambda: service.show("ActiveState") == "active", 20, "the unit to start by itself")


def test_a_wedged_daemon_is_killed_by_the_watchdog_and_comes_back(service):
    service.drop_in("watchdog", "WatchdogSec=3")
    service.start()
    since, wedged = service.machine.now(), service.main_pid()
    service.machine.run(f"kill -STOP {wedged}")
    service.wait_for_entry(since, deadline=20, MESSAGE="Watchdog timeout")
    wait_until(lambda: service.main_pid() not in (0, wedged), 20, "another daemon")
    service.wait_for_status("1 logging")
    assert service.show("NRestarts") == "1"
    assert service.machine.run("find / -xdev -name 'core*' -newer /etc/trailguard.conf -type f -size +64k "
                               "-not -path '/proc/*' -not -path '/sys/*'").stdout == ""


def test_the_watchdog_is_fed_while_aws_is_silent(service):
    service.drop_in("watchdog", "WatchdogSec=3")
    service.start()
    pid = service.main_pid()
    with service.sim.fault("hang"):
        fed = []

        def watch():
            fed.append(service.show("WatchdogTimestampMonotonic"))
            return len(set(fed)) >= 5
        wait_until(watch, 20, "five keep-alives while AWS does not answer")
    assert service.main_pid() == pid


def test_a_journal_that_is_stuck_holds_up_no_restart(service):
    """As when its disk does not write: nothing that is logged may wait for it."""
    service.start()
    since, run = service.machine.now(), service.machine.run
    run("systemctl kill --signal=STOP systemd-journald.service")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as others:
            try:
                while True:
                    others.sendto(b"MESSAGE=of another program\n",
                                  f"/proc/{service.machine.init}/root/run/systemd/journal/socket")
            except BlockingIOError:     # as much as it can hold
                pass
        service.sim.trail(service.trail, logging=False)
        service.sim.wait_for_trail(service.trail, timeout=15, IsLogging=True)
        wait_message(service, "stopped")
    finally:
        run("systemctl kill --signal=CONT systemd-journald.service")
    service.sim.trail(service.trail, logging=False)
    service.wait_for_entry(since, MESSAGE="lines lost, because the journal did not take them: ")


def test_killed_it_comes_back_also_after_a_clean_end(service):
    service.start()
    for signal in ("KILL", "TERM"):
        pid = service.main_pid()
        service.machine.run(f"kill -{signal} {pid}")
        wait_until(lambda: service.main_pid() not in (0, pid), 20, f"another daemon after SIG{signal}")
        service.wait_for_status("1 logging")


def test_reload_takes_a_good_file(service):
    service.start()
    pid = service.main_pid()
    service.configure(regions=("eu-central-1", "us-east-1"))
    service.machine.run(f"systemctl reload {UNIT}")
    service.wait_for_status("2 regions")
    assert service.main_pid() == pid
    assert service.show("ActiveState") == "active"


def test_reload_fails_on_a_bad_file_and_the_daemon_keeps_its_own(service):
    service.start()
    pid, since = service.main_pid(), service.machine.now()
    service.configure(regions=("eu-central-1", "us-east-1"), extra="mode = \"hope\";")
    failed = service.machine.run(f"systemctl reload {UNIT}", check=False)
    assert failed.returncode != 0
    service.wait_for_entry(since, MESSAGE="/etc/trailguard.conf:5:")
    # still guarding, with what it had
    service.stop_trail()
    service.sim.wait_for_trail(service.trail, IsLogging=True)
    assert "1 region," in service.show("StatusText")
    assert (service.main_pid(), service.show("ActiveState")) == (pid, "active")


def test_new_keys_are_read_on_reload_or_restart(service):
    """systemd refreshes LoadCredential= on reload in 252 and, with RefreshOnReload=credentials, from 260 on."""
    good = dict(service.key)
    service.write_keys("AKIAIOSFODNN7EXAMPLE", "not-a-key-that-anybody-has")
    service.machine.run(f"systemctl start {UNIT}")
    wait_until(lambda: "1 logging" not in service.show("StatusText") and service.sim.failures(), 15,
               "the wrong keys to be refused")
    service.write_keys(good["access_key"], good["secret"])
    since = service.machine.now()
    service.machine.run(f"systemctl reload {UNIT}")
    service.wait_for_entry(since, MESSAGE="reloaded")
    refreshed = service.machine.run("cat /run/credentials/trailguard.service/aws-credentials").stdout
    version = service.machine.systemd_version()
    if 253 <= version < 260:
        assert good["access_key"] not in refreshed, f"systemd {version} refreshes credentials: docs/operations.md says no"
        service.machine.run(f"systemctl restart {UNIT}")
    else:
        assert good["access_key"] in refreshed, f"systemd {version} does not refresh credentials"
    service.wait_for_status("1 logging", deadline=30)
    service.sim.clear_failures()


def test_a_stop_is_undone_told_and_in_the_journal(service):
    service.start()
    since = service.machine.now()
    service.sim.aws("mallory", service.REGION, "cloudtrail", "stop-logging", "--name", service.NAME)
    service.sim.wait_for_trail(service.trail, IsLogging=True)
    entry = service.wait_for_entry(since, MESSAGE="logging again, confirmed")
    assert entry["MESSAGE"].startswith(f"{service.NAME} {service.REGION} {service.ACCOUNT}: "), entry["MESSAGE"]
    assert entry["AWS_REQUEST_ID"] in {call["id"] for call in service.sim.requests(operation="StartLogging")}
    stopped = service.wait_for_entry(since, TRAILGUARD_EVENT="trail.stopped")
    expected = {"TRAIL_ARN": service.trail, "AWS_ACCOUNT": service.ACCOUNT, "AWS_REGION": service.REGION,
                "_SYSTEMD_UNIT": UNIT, "SYSLOG_IDENTIFIER": "trailguard"}
    assert {name: stopped.get(name) for name in expected} == expected
    assert len(stopped["MESSAGE_ID"]) == 32
    assert stopped["INCIDENT_ID"]
    wait_message(service, "[TrailGuard] CRITICAL org-trail stopped")

class Receiver:
    """A web service of the host, whose loopback interface the container shares."""

    def __init__(self):
        self.posts = posts = []     # (path, headers, body)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                posts.append((self.path, self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


def test_each_kind_of_channel_works_inside_the_sandbox(service, receiver):
    """The secret of a webhook is a credential; a command has a shell, a pipe, a temporary file and the system log."""
    machine = service.machine
    machine.write("/etc/trailguard/webhook-secret", "a secret of the test\n", mode=0o600)
    service.drop_in("webhook", "LoadCredential=webhook-secret:/etc/trailguard/webhook-secret")
    machine.write("/usr/local/bin/hear", """#!/bin/sh
set -e
copy=$(mktemp)
cat >"$copy"
grep -c '"event":"trail.stopped"' "$copy" >/dev/null || exit 0
printf '%s\\n' "$TRAILGUARD_SUBJECT" | logger --tag heard
""", mode=0o755)
    service.configure(alerts=[
        f'{{ type = "sns"; topic_arn = "{service.TOPIC}"; }}',
        f'{{ type = "webhook"; url = "{receiver.url}/hook"; secret_file = "webhook-secret"; }}',
        f'{{ type = "alertmanager"; urls = [ "{receiver.url}" ]; }}',
        '{ type = "command"; name = "hear"; command = [ "/usr/local/bin/hear" ]; }'])
    service.start()
    since = machine.now()
    service.stop_trail()
    # journald may not know the unit of a logger that has ended
    wait_until(lambda: "org-trail stopped" in machine.run(f"journalctl --no-pager -o cat -t heard --since='{since}'").stdout, 15,
               "the command's line in the system log")
    wait_message(service, "org-trail stopped")

    def posted(path, text):
        return [headers for at, headers, body in list(receiver.posts) if at == path and text in body]
    hook = wait_until(lambda: posted("/hook", b'"event":"trail.stopped"'), 15, "the webhook's post")[0]
    assert hook["X-TrailGuard-Signature"].startswith("sha256=")
    wait_until(lambda: posted("/api/v2/alerts", b'"alertname":"TrailGuardTrailStopped"'), 15, "Alertmanager's post")
    assert not [entry["MESSAGE"] for entry in machine.journal(UNIT, since) if "channel.failed" in str(entry)]


def test_journalctl_explains_the_message(service):
    service.start()
    since = service.machine.now()
    service.stop_trail()
    stopped = service.wait_for_entry(since, TRAILGUARD_EVENT="trail.stopped")
    explained = service.machine.run(f"journalctl --catalog --no-pager -u {UNIT} --since='{since}' "
                                    f"MESSAGE_ID={stopped['MESSAGE_ID']}").stdout
    assert "Subject:" in explained, explained


def test_keys_come_from_a_root_only_file_and_the_daemon_is_nobody(service):
    service.start()     # it guards, so it has the keys
    facts = service.machine.run(f"stat -c '%a %U' {service.KEYS}").stdout.split()
    assert facts == ["600", "root"]
    status = service.machine.run(f"cat /proc/{service.main_pid()}/status").stdout
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(fields["Uid"].split()) & {"0"} == set()
    assert int(fields["CapEff"], 16) == 0 and int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2"
    environment = service.machine.run(f"tr '\\0' '\\n' </proc/{service.main_pid()}/environ").stdout
    assert service.key["secret"] not in environment
    journal = json.dumps(service.machine.journal(UNIT))
    assert service.key["secret"] not in journal


def test_state_outlives_a_restart(service):
    service.start()
    service.machine.run(f"systemctl stop {UNIT}")
    # a stop and a start that nobody was there to see: only the state on disk can tell
    for logging in (False, True):
        service.sim.trail(service.trail, logging=logging)
        time.sleep(1.1)     # AWS's times are whole seconds
    since = service.machine.now()
    service.start()
    service.wait_for_entry(since, TRAILGUARD_EVENT="trail.interrupted")
    wait_message(service, "interrupted")


def test_who_may_read_what(service):
    service.start()
    run = service.machine.run
    assert run("stat -L -c %a /run/trailguard").stdout.strip() == "755"
    as_nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    assert json.loads(run(f"{as_nobody} cat /run/trailguard/status.json").stdout)
    assert run(f"{as_nobody} ls /var/lib/trailguard/", check=False).returncode != 0
    modes = run("find /var/lib/trailguard/ -type f -printf '%m %P\\n'").stdout.splitlines()
    assert modes and all(line.startswith("600 ") for line in modes), modes


def test_status_outside_the_sandbox(service):
    service.start()
    shown = service.machine.run("trailguard status")
    assert service.NAME in shown.stdout and service.REGION in shown.stdout
    document = json.loads(service.machine.run("trailguard status --json").stdout)
    assert service.trail in json.dumps(document)
    service.machine.run(f"systemctl stop {UNIT}")
    assert service.machine.run("trailguard status", check=False).returncode == 3


def test_check_by_root_uses_the_daemons_keys(service):
    service.start()
    checked = service.machine.run("trailguard check", check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert service.NAME in checked.stdout


def test_a_second_daemon_is_refused(service):
    service.start()
    second = service.machine.run("trailguard run", check=False)
    assert second.returncode == 1
    assert str(service.main_pid()) in second.stderr
    # and has not taken the files of the first from it
    since = service.machine.now()
    service.stop_trail()
    service.wait_for_entry(since, MESSAGE="logging again, confirmed")


def test_stop_takes_seconds_and_ends_well(service):
    service.start()
    with service.sim.fault("hang"):
        begun = time.monotonic()
        service.machine.run(f"systemctl stop {UNIT}")
        took = time.monotonic() - begun
    ended = service.show("Result", "ExecMainStatus", "ExecMainCode")
    assert (ended["Result"], ended["ExecMainStatus"]) == ("success", "0"), ended
    assert took < 8


def test_nothing_to_remark_about_the_units_and_the_examples(service):
    """Each version of systemd warns about what it does not know."""
    examples = "/usr/local/share/doc/trailguard/systemd/examples"
    hook = "/etc/systemd/system/trailguard-failure@.service"
    service.machine.run(f"cp {examples}/*.conf {service.DROP_INS}; cp {examples}/trailguard-failure@.service {hook}")
    verified = service.machine.run("systemd-analyze verify --man=no trailguard.service trailguard@a.service "
                                   "trailguard-failure@trailguard.service.service", check=False)
    service.machine.run(f"rm {hook}")
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_exposure(service):
    service.machine.run(f"systemd-analyze security --threshold=12 {UNIT}")


def test_it_starts_at_boot_once_enabled(service):
    service.machine.run(f"systemctl enable {UNIT}")
    wanted = service.machine.run("systemctl show --property=Wants multi-user.target").stdout
    service.machine.run(f"systemctl disable {UNIT}")
    assert UNIT in wanted


def test_instances_of_the_template_do_not_collide(service):
    """Beside the plain unit, too: each has a configuration, a state and a status of its own."""
    machine, units = service.machine, ["trailguard@a.service", "trailguard@b.service", UNIT]
    drop_ins = "/etc/systemd/system/trailguard@.service.d"
    machine.write(f"{drop_ins}/credentials.conf", f"[Service]\nLoadCredential=aws-credentials:{service.KEYS}\n")
    common = (machine.root / "etc/trailguard.conf").read_text()
    # 111122223333 is in the second of two parts
    for name, shard in (("a", "1/2"), ("b", "2/2")):
        machine.write(f"/etc/trailguard/{name}.conf", common + f'accounts = ( {{ }} );\nshard = "{shard}";\n')

    def shows(unit, text):
        wait_until(lambda: text in machine.show(unit, "StatusText"), 15, f"STATUS= of {unit} to hold {text!r}")
    try:
        machine.run(f"systemctl daemon-reload; systemctl start {' '.join(units)}")
        shows(units[0], "shard 1/2: guarding 0 trails")
        shows(units[1], "shard 2/2: guarding 1 trail, 1 region, 1 account: 1 logging")
        shows(UNIT, "guarding 1 trail, 1 region, 1 account: 1 logging")
        for unit in units:
            pid = machine.show(unit, "MainPID")
            place = unit.removesuffix(".service")
            assert machine.run(f"cat /var/lib/{place}/lock").stdout.strip() == pid
            assert json.loads(machine.run(f"cat /run/{place}/status.json").stdout)["pid"] == int(pid)
        # one that stops takes nothing from the others
        machine.run(f"systemctl stop {units[0]} {UNIT}")
        assert machine.run("trailguard --instance a status", check=False).returncode == 3
        assert service.NAME in machine.run("trailguard --instance b status").stdout
        assert machine.run("trailguard --instance b check", check=False).returncode == 0
        machine.run(f"systemctl reload {units[1]}")
        shows(units[1], "1 logging")
    finally:
        machine.run(f"systemctl stop {units[0]} {units[1]}; rm -r {drop_ins} /etc/trailguard/[ab].conf; systemctl daemon-reload; "
                    f"systemctl reset-failed {units[0]} {units[1]}; "
                    f"systemctl clean --what=state --what=runtime {units[0]} {units[1]}", check=False)
