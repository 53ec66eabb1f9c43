# SPDX-License-Identifier: Apache-2.0
"""Channels other than SNS, with receivers as people have them: a web service that checks signatures, a mail server, and
Alertmanager."""

import collections
import email
import hashlib
import hmac
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import time

import pytest

from guard import within
from helpers import FRA, MAIN, ORG_TRAIL, TOPIC, events, topic_arn, wait_alert
from schemas import validated
from simaws.client import poll

EXIM = shutil.which("exim4") or shutil.which("exim", path="/usr/sbin:/usr/bin")

Post = collections.namedtuple("Post", "path headers body status")


class Receiver:
    """A web service on a loopback port. `answers` are statuses for the next requests; 200 when there are none."""

    def __init__(self):
        self.posts, self.answers, self.retry_after = [], collections.deque(), None
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1       # an answer in one piece

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status = receiver.answers.popleft() if receiver.answers else 200
                receiver.posts.append(Post(self.path, self.headers, body, status))
                self.send_response(status)
                if receiver.retry_after is not None and status != 200:
                    self.send_header("Retry-After", str(receiver.retry_after))
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            do_GET = do_POST

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def taken(self):
        """What it took, as JSON."""
        return [json.loads(post.body) for post in self.posts if post.status == 200]

    def wait(self, holds, seconds=15):
        return poll(lambda: holds(self.taken()) and self.taken(), within(seconds), 0.05)


@pytest.fixture
def receiver():
    running = Receiver()
    yield running
    running.close()


@pytest.fixture
def other_receiver():
    running = Receiver()
    yield running
    running.close()


def secret_file(place, name, text):
    path = place / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    return str(path)


def assert_signed(post, secret):
    """As docs/channels.md says that a receiver should check."""
    signed = post.headers["X-TrailGuard-Timestamp"].encode() + b"." + post.body
    expected = "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(post.headers["X-TrailGuard-Signature"], expected)
    assert abs(time.time() - int(post.headers["X-TrailGuard-Timestamp"])) < within(300)


def event_names(documents):
    return [document["event"] for document in documents if not document["event"].startswith("baseline.")]


def observing(sim, make_guard, alerts):
    """A guard that leaves a stopped trail to others, so that an incident is opened and later ends."""
    return make_guard(sim, mode="observe", trails=[ORG_TRAIL], alerts=alerts).start().wait_guarding()


@pytest.mark.valgrind
def test_a_webhook_gets_a_signed_document_through_an_outage_once_and_in_order(sim, make_guard, mallory, receiver, place):
    secret = "T0P-s3cret-of-the-webhook"
    guard = observing(sim, make_guard, [{"type": "webhook", "name": "soc", "url": receiver.url + "/trailguard?a=b",
                                         "secret_file": secret_file(place, "soc-secret", secret)}])
    guard.secrets.append(secret)
    receiver.answers.extend([503, 503])
    mallory.stop(ORG_TRAIL)
    receiver.wait(lambda taken: "trail.stopped" in event_names(taken))
    mallory.start(ORG_TRAIL)
    taken = receiver.wait(lambda taken: "trail.resolved" in event_names(taken))
    guard.wait_delivered()
    assert event_names(taken) == ["trail.stopped", "trail.resolved"]
    assert len({document["incident"] for document in taken if document["event"].startswith("trail.")}) == 1
    for post in receiver.posts:
        assert post.path == "/trailguard?a=b" and post.headers["X-TrailGuard-Id"] == json.loads(post.body)["id"]
        assert_signed(post, secret)
        validated(json.loads(post.body), "alert")
    assert len(guard.found("webhook:soc: an alert was not taken, trying again: HTTP 503: ok")) == 1


def test_retry_after_is_kept(sim, make_guard, mallory, receiver):
    guard = observing(sim, make_guard, [{"type": "webhook", "url": receiver.url, "events": ["trail.*"]}])
    guard.write_config(log_level="debug")
    guard.reload()
    receiver.answers.append(429)
    receiver.retry_after = 4
    mallory.stop(ORG_TRAIL)
    receiver.wait(lambda taken: taken)
    assert [post.status for post in receiver.posts] == [429, 200]
    guard.wait_line("next attempt in 4000 ms by the receiver's Retry-After")


def test_each_channel_has_its_filter_and_a_failed_one_is_reported_by_the_others_and_by_itself(
        sim, make_guard, mallory, receiver, other_receiver):
    channels = [{"type": "webhook", "name": "gone", "url": receiver.url},
                {"type": "webhook", "name": "ends", "url": other_receiver.url,
                 "events": ["trail.stopped", "trail.resolved", "channel.*"], "resolved": False},
                {"type": "sns", "topic_arn": TOPIC}]
    guard = observing(sim, make_guard, channels)
    receiver.answers.append(404)
    mallory.stop(ORG_TRAIL)
    failed = wait_alert(sim, "channel.failed")
    assert failed["detail"] == "webhook:gone: HTTP 404: ok"
    mallory.start(ORG_TRAIL)
    wait_alert(sim, "trail.resolved")
    guard.reload()              # tries again at once
    receiver.wait(lambda taken: "channel.recovered" in event_names(taken))
    guard.wait_delivered()
    assert event_names(receiver.taken()) == ["trail.stopped", "channel.failed", "trail.resolved", "channel.recovered"]
    assert event_names(other_receiver.taken()) == ["trail.stopped", "channel.failed"]


def test_pagerduty_triggers_and_resolves_one_incident(sim, make_guard, mallory, receiver, place):
    guard = observing(sim, make_guard, [{"type": "webhook", "format": "pagerduty", "url": receiver.url + "/v2/enqueue",
                                         "secret_file": secret_file(place, "key", "R0UT1NGKEY-of-pagerduty"),
                                         "events": ["trail.stopped"], "min_severity": "critical"}])
    mallory.stop(ORG_TRAIL)
    receiver.wait(lambda taken: taken)
    mallory.start(ORG_TRAIL)
    trigger, resolve = receiver.wait(lambda taken: len(taken) == 2)
    guard.wait_delivered()
    assert (trigger["event_action"], resolve["event_action"]) == ("trigger", "resolve")
    assert trigger["routing_key"] == resolve["routing_key"] == "R0UT1NGKEY-of-pagerduty"
    assert trigger["dedup_key"] == resolve["dedup_key"] == trigger["payload"]["custom_details"]["incident"]
    assert trigger["payload"]["source"] == ORG_TRAIL and trigger["payload"]["severity"] == "critical"


def test_amazon_q_gets_its_schema_and_the_mail_stays(sim, make_guard, mallory):
    observing(sim, make_guard, [{"type": "sns", "topic_arn": TOPIC, "chat": True}])
    mallory.stop(ORG_TRAIL)
    wait_alert(sim, "trail.stopped")
    message = next(message for message in sim.messages(TOPIC)
                   if message["MessageAttributes"]["event"]["Value"] == "trail.stopped")
    parts = json.loads(message["Message"]) if "default" in str(message.get("Message")) else message["received"]
    chat = json.loads(json.dumps(parts))["https"]
    chat = json.loads(chat if isinstance(chat, str) else chat.get("Message") or chat["Body"])
    assert (chat["version"], chat["source"], chat["content"]["textType"]) == ("1.0", "custom", "client-markdown")
    assert chat["content"]["title"].startswith("(TrailGuard) CRITICAL org-trail stopped")
    assert "Message" in message["received"]["sqs"] and json.loads(message["received"]["sqs"]["Message"])["schema"]


# -- test-alert --------------------------------------------------------------------------------------------------------
@pytest.mark.valgrind
def test_test_alert_shows_each_receipt_and_one_alone_by_name(sim, make_guard, receiver, place):
    url = secret_file(place, "slack-url", receiver.url + "/services/T0PSECRET")
    guard = make_guard(sim, alerts=[
        {"type": "sns", "topic_arn": TOPIC},
        {"type": "webhook", "name": "slack", "format": "slack", "url_file": url},
        {"type": "command", "command": ["/bin/sh", "-c", "cat >/dev/null; echo got $TRAILGUARD_EVENT >&2; exit 3"]}])
    guard.secrets.append("T0PSECRET")
    done = guard.verb("test-alert")
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and len(lines) == 3
    assert lines[0].startswith(f"sns:{TOPIC}: sent, receipt ")
    assert lines[1:] == ["webhook:slack: sent, receipt HTTP 200", "command:sh: FAILED: exit status 3: got guard.test"]
    (post,) = receiver.posts
    assert post.path == "/services/T0PSECRET" and json.loads(post.body)["blocks"][0]["type"] == "header"
    for name in ("slack", "webhook:slack", "webhook"):
        done = guard.verb("test-alert", "--channel", name)
        assert (done.returncode, done.stdout) == (0, "webhook:slack: sent, receipt HTTP 200\n")
    done = guard.verb("test-alert", "--channel", "mail")
    assert (done.returncode, done.stdout) == (1, "") and "unknown channel \"mail\"" in done.stderr
    assert guard.verb("test-alert", "--channel").returncode == 1


# -- commands ----------------------------------------------------------------------------------------------------------
MAIL = """{ printf 'From: TrailGuard <root>\\nTo: %s\\nSubject: %s\\nMIME-Version: 1.0\\n' "$1" "$TRAILGUARD_SUBJECT"
printf 'Content-Type: text/plain; charset=utf-8\\nX-TrailGuard-Incident: %s\\n\\n%s\\n' "$TRAILGUARD_INCIDENT" \\
"$TRAILGUARD_TEXT"; } | "$2" """

EXIM_CONFIG = """
primary_hostname = guard.example
domainlist local_domains = guard.example
qualify_domain = guard.example
spool_directory = {place}/spool
log_file_path = {place}/log-%s
exim_user = root
exim_group = root
tls_advertise_hosts =
keep_environment =
message_logs = false
begin routers
local:
  driver = accept
  domains = +local_domains
  transport = mailbox
begin transports
mailbox:
  driver = appendfile
  file = {place}/mail/box
  user = mail
  group = mail
  mode = 0600
  no_check_owner
begin retry
* * F,1m,5s
"""


def mails(path):
    """The mails of a mailbox file (mbox)."""
    if not path.exists():
        return []
    texts = ("\n" + path.read_text()).split("\nFrom ")[1:]
    return [email.message_from_string(text.partition("\n")[2]) for text in texts]


@pytest.mark.skipif(not EXIM or os.getuid() != 0, reason="needs exim, and root to choose its configuration")
def test_a_command_sends_mail_through_a_real_mail_server_into_a_mailbox(sim, make_guard, mallory, place):
    (place / "spool").mkdir()
    (place / "mail").mkdir()
    shutil.chown(place / "mail", "mail", "mail")    # Debian's exim delivers nothing as root
    place.chmod(0o711)
    mailbox = place / "mail/box"
    (place / "exim.conf").write_text(EXIM_CONFIG.format(place=place))
    sendmail = place / "sendmail"           # what /usr/sbin/sendmail is on a host where exim has this configuration
    sendmail.write_text(f'#!/bin/sh\n[ ! -e {place}/down ] || {{ echo "mail is down" >&2; exit 75; }}\n'
                        f'exec {EXIM} -C {place}/exim.conf -odf -i -t "$@"\n')
    sendmail.chmod(0o755)
    guard = observing(sim, make_guard, [{"type": "command", "name": "mail", "events": ["trail.*"],
                                         "command": ["/bin/sh", "-c", MAIL, "mail", "soc@guard.example", str(sendmail)]}])
    (place / "down").touch()
    mallory.stop(ORG_TRAIL)
    guard.wait_line("command:mail: an alert was not taken, trying again: exit status 75: mail is down")
    (place / "down").unlink()
    poll(lambda: len(mails(mailbox)) == 1, within(20))
    mallory.start(ORG_TRAIL)
    poll(lambda: len(mails(mailbox)) == 2, within(20))
    guard.wait_delivered()
    opened, ended = mails(mailbox)
    assert opened["To"] == "soc@guard.example"
    assert opened["Subject"].startswith("[TrailGuard] CRITICAL org-trail stopped in eu-central-1")
    assert "RESOLVED" in ended["Subject"] and opened["X-TrailGuard-Incident"] == ended["X-TrailGuard-Incident"]
    assert "org-trail" in opened.get_payload() and "aws cloudtrail" in opened.get_payload()
    assert guard.found("sent by command:mail: .*exit status 0")


def test_a_command_has_a_clean_environment_and_its_process_group_ends_with_the_daemon(sim, make_guard, mallory, place):
    script = 'env >"$0.env"; cat >"$0.json"; sleep 600 & echo $! >"$0.pid"; wait'
    guard = make_guard(sim, trails=[ORG_TRAIL], env={"T0P_SECRET": "of the daemon"}, alerts=[
        {"type": "command", "command": ["/bin/sh", "-c", script, str(place / "out")], "events": ["trail.*"]}])
    guard.start().wait_guarding()
    mallory.stop(ORG_TRAIL)
    pid = int(poll(lambda: (place / "out.pid").exists() and (place / "out.pid").read_text(), within(20)))
    names = {line.partition("=")[0] for line in (place / "out.env").read_text().splitlines()}
    assert {"PATH", "LANG", "TRAILGUARD_EVENT", "TRAILGUARD_SUBJECT", "TRAILGUARD_TEXT"} <= names
    assert not [name for name in names if name.startswith(("AWS_", "T0P", "STATE_", "NOTIFY"))]
    assert validated(json.loads((place / "out.json").read_text()), "alert")["event"] == "trail.stopped"
    guard.stop()

    def gone():
        try:
            with open(f"/proc/{pid}/stat") as stat:
                return stat.read().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True
    poll(gone, within(10))
    assert len(guard.outbox_files()) == 1       # its end was not waited for: the alert is sent again


# -- Alertmanager ------------------------------------------------------------------------------------------------------
ALERTMANAGER, AMTOOL = (shutil.which(name) for name in ("prometheus-alertmanager", "amtool"))

ALERTMANAGER_CONFIG = """
route:
  receiver: people
  group_by: [ alertname, trail ]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: people
    webhook_configs:
      - url: {url}
        send_resolved: true
"""


class Alertmanager:
    """The real one, that notifies a receiver."""

    def __init__(self, place, receiver):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.place, self.url, self.process, self.runs = place, f"http://127.0.0.1:{self.port}", None, 0
        (place / "alertmanager.yml").write_text(ALERTMANAGER_CONFIG.format(url=receiver.url))

    def start(self):
        """Without anything that it knew before."""
        self.runs += 1
        self.process = subprocess.Popen(
            [ALERTMANAGER, f"--config.file={self.place}/alertmanager.yml", "--cluster.listen-address=",
             f"--storage.path={self.place}/alertmanager{self.runs}", f"--web.listen-address=127.0.0.1:{self.port}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.place)
        poll(lambda: self.tool("alert", "query").returncode == 0, within(30), 0.1)
        return self

    def tool(self, *arguments):
        return subprocess.run([AMTOOL, f"--alertmanager.url={self.url}", *arguments], capture_output=True, text=True,
                              timeout=within(30))

    def alerts(self, *filters):
        """What is active there, as amtool has it."""
        return json.loads(self.tool("-o", "json", "alert", "query", *filters).stdout or "[]")

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def alertmanager(place, receiver):
    running = Alertmanager(place, receiver)
    yield running
    running.close()


def notified(receiver):
    """What Alertmanager notified people of: status and labels."""
    return [(entry["status"], entry["labels"]) for taken in receiver.taken() for entry in taken["alerts"]]


@pytest.mark.skipif(not (ALERTMANAGER and AMTOOL), reason="needs prometheus-alertmanager")
def test_a_real_alertmanager_gets_an_incident_through_its_outage_keeps_it_and_hears_of_its_end(
        sim, make_guard, mallory, receiver, alertmanager):
    guard = observing(sim, make_guard, [{"type": "alertmanager", "urls": [alertmanager.url], "events": ["trail.*"]}])
    mallory.stop(ORG_TRAIL)
    guard.wait_line("an alert was not taken, trying again")
    alertmanager.start()
    (alert,) = poll(lambda: alertmanager.alerts("event=trail.stopped"), within(90), 0.2)
    labels = {"alertname": "TrailGuardTrailStopped", "service": "trailguard", "event": "trail.stopped",
              "severity": "critical", "account": MAIN, "region": FRA, "trail": "org-trail"}
    assert alert["labels"] == labels
    assert alert["annotations"]["trail_arn"] == ORG_TRAIL and "aws cloudtrail" in alert["annotations"]["description"]
    poll(lambda: notified(receiver) == [("firing", labels)], within(20))
    guard.wait_delivered()

    alertmanager.close()                # one that forgets all gets it again from a guard that was restarted
    guard.stop()
    alertmanager.start()
    assert alertmanager.alerts() == []
    guard.start().wait_guarding()
    poll(lambda: [entry["labels"] for entry in alertmanager.alerts()] == [labels], within(20), 0.2)

    mallory.start(ORG_TRAIL)
    poll(lambda: ("resolved", labels) in notified(receiver), within(30))
    assert alertmanager.alerts() == []
    guard.wait_delivered()


@pytest.mark.skipif(not (ALERTMANAGER and AMTOOL), reason="needs prometheus-alertmanager")
def test_test_alert_fires_in_alertmanager(sim, make_guard, alertmanager):
    guard = make_guard(sim, alerts=[{"type": "alertmanager", "name": "am", "urls": [alertmanager.start().url]}])
    done = guard.verb("test-alert", "--channel", "am")
    assert (done.returncode, done.stdout) == (0, "alertmanager:am: sent, receipt taken by 1 of 1\n")
    (alert,) = alertmanager.alerts()
    assert alert["labels"] == {"alertname": "TrailGuardGuardTest", "service": "trailguard", "event": "guard.test",
                               "severity": "info"}


# -- the heartbeat -----------------------------------------------------------------------------------------------------
@pytest.mark.valgrind
def test_the_heartbeat_signals_start_success_and_failure_and_never_success_while_nothing_answers(
        sim, make_guard, receiver, place):
    url = secret_file(place, "heartbeat-url", receiver.url + "/T0PSECRET-uuid?create=1")
    guard = make_guard(sim, unreachable_after=1, heartbeat={"url_file": url, "interval": 1}, log_level="debug")
    guard.secrets.append("T0PSECRET")

    def signals():
        return [post.path.replace("/T0PSECRET-uuid", "").replace("?create=1", "") or "ok" for post in receiver.posts]

    guard.start().wait_guarding()
    poll(lambda: signals().count("ok") >= 2, within(20))
    assert signals()[0] == "/start" and set(signals()) == {"/start", "ok"}
    assert all("?create=1" in post.path for post in receiver.posts)
    assert receiver.posts[-1].body.decode().startswith("guarding 1 trail")
    with sim.fault("http503", service="cloudtrail"):
        poll(lambda: "/fail" in signals(), within(40))
        failed = signals().index("/fail")
        poll(lambda: signals().count("/fail") >= 3, within(40))
        assert set(signals()[failed:]) == {"/fail"}
    poll(lambda: signals()[-1] == "ok", within(90))


def test_a_heartbeat_that_is_refused_is_reported_and_its_recovery_too(sim, make_guard, receiver):
    receiver.answers.extend([404] * 2)
    guard = make_guard(sim, alerts=[{"type": "sns", "topic_arn": TOPIC}],
                       heartbeat={"url": receiver.url + "/x", "interval": 1, "style": "plain"}).start().wait_guarding()
    failed = wait_alert(sim, "channel.failed")
    assert failed["detail"] == "heartbeat: HTTP 404: ok"
    guard.wait_delivered()
    guard.stop()
    guard.start()                               # it is known, and fails once more
    recovered = wait_alert(sim, "channel.recovered", seconds=60)
    assert recovered["detail"] == "heartbeat" and recovered["incident"] == failed["incident"]
    assert events(sim) == ["channel.failed", "channel.recovered"]
    assert {post.path for post in receiver.posts} == {"/x"} and {post.body for post in receiver.posts} == {b""}
    log = guard.stderr()
    assert "the heartbeat fails: HTTP 404: ok; it goes on at its interval" in log and "alerts by heartbeat" not in log
    assert "the heartbeat reaches its switch again" in log
