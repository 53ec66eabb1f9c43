"""A new user's first hour with the Debian package, from an empty host to the purge: `make check-packages`.

One story in order, with what was typed and what came back; tests/systemd/packages keeps it as a log, for people to read.
Where a step has a wrong text, mend the program's text.
"""
import json
import shlex
import shutil
import time
from pathlib import Path

import pytest
from conftest import UNIT
from console import SUITE, Console, deb, dependencies
from machine import BASE, Machine, wait_until
from simaws.client import SimAWS

ACCOUNT, REGION, NAME = "111122223333", "eu-central-1", "audit"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:trailguard"
MAILBOX = {"protocol": "email", "endpoint": "ops@example.com"}
CONFIGURATION = f'''regions = [ "{REGION}" ];
alerts = ( {{ type = "sns"; topic_arn = "{TOPIC}"; }} );
'''


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A booted container with the two versions of the package in /root."""
    directory = tmp_path_factory.mktemp("walk")
    machine = Machine(directory, BASE + dependencies(deb("0.1.0+test1")), SUITE)
    try:
        for version in ("0.1.0+test1", "0.1.0+test2"):
            shutil.copy(deb(version), machine.root / f"var/tmp/trailguard_{version}.deb")
        machine.boot()
        yield machine
    finally:
        machine.stop()
        shutil.rmtree(directory, ignore_errors=True)


class Walk(Console):
    """The host, and around it an account of the simulated AWS: its users, and the mailbox of those on call."""

    def __init__(self, machine, sim):
        environment = {"AWS_ENDPOINT_URL": sim.url, "AWS_CA_BUNDLE": "/etc/ssl/simulated-aws.pem", "AWS_EC2_METADATA_DISABLED": "true"}
        super().__init__(machine, environment)
        self.sim, self.read = sim, 0
        machine.write("/etc/ssl/simulated-aws.pem", Path(sim.ca_file).read_text())
        machine.write("/etc/systemd/system/service.d/simulated-aws.conf",
                      "[Service]\n" + "".join(f"Environment={name}={value}\n" for name, value in environment.items()))
        machine.run("systemctl daemon-reload")
        sim.add_account(ACCOUNT)
        strong = {"IsMultiRegionTrail": True, "LogFileValidationEnabled": True}
        self.trail = sim.add_trail(NAME, ACCOUNT, REGION, **strong)
        sim.add_trail("main", ACCOUNT, REGION, **strong)
        sim.add_topic(TOPIC, subscriptions=[{**MAILBOX, "pending": True}])

    def write(self, path, text, mode=0o644):
        """A file that the user writes with an editor."""
        self.machine.write(path, text, mode)
        self.show("#", f"editor {path}", text)

    def aws(self, user, *arguments):
        """A call from elsewhere, with the real aws command."""
        answer = self.sim.aws(user, REGION, *arguments)
        self.show(f"{user}@elsewhere$", shlex.join(["aws", *arguments]), json.dumps(answer, indent=4) if answer else "")

    def mail(self, event, deadline=30):
        """Waits for the mail about an event, and prints it and those before it; its document."""
        def arrived():
            mails = self.sim.messages(TOPIC)[self.read:]
            events = [json.loads(mail["received"]["sqs"]["Message"])["event"] for mail in mails]
            return mails[:events.index(event) + 1] if event in events else None
        mails = wait_until(arrived, deadline, f"a mail about {event}")
        self.read += len(mails)
        for mail in mails:
            self.show("ops@example.com reads", "a mail", f"Subject: {mail['received']['email']['Subject']}\n\n"
                      f"{mail['received']['email']['Body']}")
        return json.loads(mails[-1]["received"]["sqs"]["Message"])

    def wait_for_status(self, text, deadline=30):
        wait_until(lambda: text in self.machine.run("trailguard status", check=False).stdout, deadline, f"status to say {text!r}")


@pytest.fixture
def walk(machine):
    with SimAWS(tls=True) as sim:
        walk = Walk(machine, sim)
        try:
            yield walk
        finally:
            walk.type(f"journalctl --no-pager -q -o short-precise -u {UNIT} | tail -n 40")


def install(walk):
    walk.step("Install", "The package starts nothing: it has nothing to guard yet.")
    walk.type("apt-get install -qq -y /var/tmp/trailguard_0.1.0+test1.deb")
    assert "disabled" in walk.type(f"systemctl is-enabled {UNIT}", status=1)


def configure(walk):
    walk.step("Two lines of configuration")
    walk.write("/etc/trailguard.conf", CONFIGURATION)
    assert walk.type("trailguard config") == "configuration OK\n"

    walk.step("What is missing?")
    assert "  problem  " in walk.type("trailguard check --doctor", status=2)

    walk.step("The rights, for an administrator to create the guard's user with")
    policy = json.loads(walk.type("trailguard policy guard").partition("\ntrailguard policy: ")[0])
    key = walk.sim.add_user("trailguard", ACCOUNT, policy=policy)
    for user in ("admin", "mallory", "operator"):
        walk.sim.add_user(user, ACCOUNT)

    walk.step("The user's key, in a file that only root can read; systemd passes it to the service")
    text = f"[default]\naws_access_key_id = {key['access_key']}\naws_secret_access_key = {key['secret']}\n"
    walk.machine.write("/etc/trailguard/aws-credentials", text, 0o600)
    walk.show("#", "(umask 077; editor /etc/trailguard/aws-credentials)", text.replace(key["secret"], "..."))
    walk.type(f"install -D -m 0644 /usr/share/doc/trailguard/systemd/examples/credentials.conf "
              f"/etc/systemd/system/{UNIT}.d/credentials.conf && systemctl daemon-reload")

    walk.step("What is still missing?")
    assert "no confirmed subscription" in walk.type("trailguard check --doctor", status=2)
    walk.step("Open the link in AWS's mail, and ask again")
    walk.sim.add_topic(TOPIC, subscriptions=[MAILBOX])
    # IAM may not be asked with the least rights, so two rights are left to the test alert and the drill to prove
    doctor = walk.type("trailguard check --doctor")
    assert "  problem  " not in doctor and "  note  " in doctor
    walk.step("Does a mail arrive?")
    walk.type("trailguard test-alert")
    walk.mail("guard.test")


def start(walk):
    walk.step("Start")
    walk.type(f"systemctl enable --now {UNIT}")
    walk.wait_for_status("2 logging")
    walk.type(f"systemctl status --no-pager {UNIT}")
    walk.type("trailguard status")


def stop_a_trail(walk):
    walk.step("Somebody stops the trail")
    walk.aws("mallory", "cloudtrail", "stop-logging", "--name", NAME)
    walk.sim.wait_for_trail(walk.trail, timeout=20, IsLogging=True)
    assert walk.mail("trail.stopped")["action"]["result"] == "confirmed"
    assert walk.mail("trail.attributed")["actor"]["arn"].endswith(":user/mallory")
    walk.type("trailguard status")
    walk.step("What the journal says, with explanations")
    assert "Subject: " in walk.type(f"journalctl --no-pager -q -x -u {UNIT} -n 5")


def change_the_configuration(walk):
    walk.step("An option is added, with a mistake; a reload refuses it")
    walk.write("/etc/trailguard.conf", CONFIGURATION + "setings_interval = 10s;\n")
    assert "did you mean" in walk.type("trailguard config", status=1)
    walk.type(f"systemctl reload {UNIT}", status=1)
    walk.write("/etc/trailguard.conf", CONFIGURATION + "settings_interval = 10;\n")
    walk.type(f"trailguard config && systemctl reload {UNIT}")
    walk.wait_for_status("2 logging")


def change_a_setting(walk):
    walk.step("A setting of the trail is changed")
    walk.aws("admin", "cloudtrail", "update-trail", "--name", NAME, "--no-enable-log-file-validation")
    walk.mail("trail.weakened")
    walk.type("trailguard status", status=2)
    walk.step("It was planned: it becomes the baseline")
    walk.type(f"trailguard accept {NAME}", status=1)
    walk.type(f"trailguard accept --yes {NAME}")
    walk.mail("baseline.accepted")
    walk.wait_for_status("2 logging")
    walk.type("trailguard status")


def break_the_topic(walk):
    walk.step("Somebody deletes the topic, then stops the trail")
    walk.aws("mallory", "sns", "delete-topic", "--topic-arn", TOPIC)
    walk.aws("mallory", "cloudtrail", "stop-logging", "--name", NAME)
    walk.sim.wait_for_trail(walk.trail, timeout=20, IsLogging=True)
    walk.wait_for_status("\nchannel sns:")
    assert f"channel sns:{TOPIC} fails: " in walk.type("trailguard status", status=2)
    walk.type("trailguard check --doctor", status=2)
    walk.step("The topic is created again: what waited is sent")
    walk.sim.add_topic(TOPIC, subscriptions=[MAILBOX])
    walk.read = 0
    walk.type(f"systemctl reload {UNIT}")
    walk.mail("trail.attributed", deadline=60)
    walk.wait_for_status("well: ")
    walk.type("trailguard status")


def drill(walk):
    walk.step("A drill: does the whole chain work?")
    keys = walk.sim.keys_of("operator")
    walk.machine.write("/root/.aws/credentials", f"[operator]\naws_access_key_id = {keys['access_key']}\n"
                       f"aws_secret_access_key = {keys['secret']}\nregion = {REGION}\n", 0o600)
    walk.type(f"trailguard drill --profile operator --yes {NAME}", status=1)
    assert "\nproved\n" in walk.type("trailguard drill --profile operator --yes main")
    walk.mail("guard.drill")


def upgrade(walk):
    walk.step("Upgrade: the guard is restarted, and knows what it knew")
    pid = walk.machine.show(UNIT, "MainPID")
    walk.type("apt-get install -qq -y /var/tmp/trailguard_0.1.0+test2.deb")
    wait_until(lambda: walk.machine.show(UNIT, "MainPID") not in ("0", pid), 15, "the new version to run")
    walk.wait_for_status("TrailGuard 0.1.0+test2")
    walk.wait_for_status("2 logging")
    walk.type("trailguard status")


def purge(walk):
    walk.step("Remove it, and its state", "The key that the administrator put into /etc/trailguard is not the package's: it stays.")
    walk.type("apt-get purge -qq -y trailguard")
    walk.type("ls /etc/trailguard")
    walk.type("ls -d /var/lib/trailguard /run/trailguard /etc/trailguard.conf", status=2)


def test_walk_through(walk):
    begun = time.monotonic()
    release = walk.machine.run(". /etc/os-release; echo \"$PRETTY_NAME\"; systemctl --version | head -n 1").stdout
    walk.step(f"{', '.join(release.splitlines())}",
              "AWS is simulated. The environment variables AWS_ENDPOINT_URL and AWS_CA_BUNDLE lead there: a drop-in sets them "
              "for the service, and the shell has them too. On a real account nobody sets them; all else is as shown.")
    for chapter in (install, configure, start, stop_a_trail, change_the_configuration, change_a_setting, break_the_topic,
                    drill, upgrade, purge):
        chapter(walk)
    print(f"\n==== The end, after {time.monotonic() - begun:.0f} s")
