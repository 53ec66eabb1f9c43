"""Fixtures for the tests under a real systemd; see machine.py for the container."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/aws"))

from machine import BASE, Machine, build_packages, packages_of, wait_until  # noqa: E402
from simaws.client import SimAWS  # noqa: E402

# the packages are built by tests/systemd/packages first
collect_ignore = [] if "TRAILGUARD_PACKAGES" in os.environ else ["test_package.py", "test_walk_through.py"]
BINARY = Path(os.environ.get("TRAILGUARD_BIN", TOP / "build/trailguard"))
UNIT = "trailguard.service"


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    """A booted container in which `make install` has put TrailGuard."""
    directory = tmp_path_factory.mktemp("machine")
    suite = os.environ.get("TRAILGUARD_SUITE")
    machine = Machine(directory, build_packages() if suite else BASE + packages_of(BINARY), suite)
    try:
        # the host's make would leave out what the host's systemd does not know
        newer = ["UNTIL_260="] if machine.systemd_version() >= 260 else []
        subprocess.run(["make", "-s", "-C", TOP, "install", f"DESTDIR={machine.root}", *newer], check=True)
        if suite:   # not the host's
            shutil.copy(BINARY, machine.root / "usr/local/sbin/trailguard")
        machine.boot()
        machine.run("journalctl --update-catalog")
        yield machine
    finally:
        machine.stop()
        shutil.rmtree(directory, ignore_errors=True)


class Service:
    """The unit, set up to guard one trail of a simulated AWS, from its installed configuration to its keys."""

    ACCOUNT, REGION, NAME = "111122223333", "eu-central-1", "org-trail"
    TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:trailguard"
    KEYS = "/etc/trailguard/aws-credentials"
    DROP_INS = "/etc/systemd/system/trailguard.service.d"

    def __init__(self, machine, sim):
        self.machine, self.sim = machine, sim
        sim.add_account(self.ACCOUNT)
        # what is shipped must be enough
        self.key = sim.add_user("trailguard", self.ACCOUNT, policy=json.loads((TOP / "conf/iam/guard.json").read_text()))
        sim.add_user("mallory", self.ACCOUNT)
        sim.add_topic(self.TOPIC)
        self.trail = sim.add_trail(self.NAME, self.ACCOUNT, self.REGION)
        machine.write("/etc/trailguard/ca.pem", Path(sim.ca_file).read_text())
        self.write_keys(self.key["access_key"], self.key["secret"])
        # as the README says
        self.drop_in("credentials", f"LoadCredential=aws-credentials:{self.KEYS}",
                     *(["RefreshOnReload=credentials"] if machine.systemd_version() >= 260 else []))
        self.configure()

    def write_keys(self, access_key, secret):
        self.machine.write(self.KEYS, f"[default]\naws_access_key_id = {access_key}\n"
                                      f"aws_secret_access_key = {secret}\n", mode=0o600)

    def configure(self, regions=(REGION,), extra="", alerts=(f'{{ type = "sns"; topic_arn = "{TOPIC}"; }}',)):
        names = ", ".join(f'"{region}"' for region in regions)
        self.machine.write("/etc/trailguard.conf", f"""regions = [ {names} ];
alerts = ( {", ".join(alerts)} );
poll_interval = 1;
aws = {{ endpoint_url = "{self.sim.url}"; ca_bundle = "/etc/trailguard/ca.pem"; }};
{extra}
""")

    def drop_in(self, name, *directives):
        self.machine.write(f"{self.DROP_INS}/{name}.conf", "\n".join(["[Service]", *directives, ""]))
        self.machine.run("systemctl daemon-reload")

    def start(self):
        """Starts the unit and waits until it has looked at the trail."""
        self.machine.run(f"systemctl start {UNIT}")
        self.wait_for_status("1 logging")

    def show(self, *properties):
        return self.machine.show(UNIT, *properties)

    def main_pid(self):
        return int(self.show("MainPID"))

    def wait_for_status(self, text, deadline=15):
        return wait_until(lambda: (lambda seen: seen if text in seen else "")(self.show("StatusText")), deadline,
                          f"STATUS= to hold {text!r}")

    def wait_for_entry(self, since, deadline=15, **fields):
        """The first entry of the unit's journal since a mark that has these fields; a value is a part of the field's."""
        def find():
            return [entry for entry in self.machine.journal(UNIT, since)
                    if all(value in str(entry.get(name, "")) for name, value in fields.items())]
        return wait_until(find, deadline, f"a journal entry with {fields}")[0]

    def stop_trail(self):
        self.sim.trail(self.trail, logging=False)


@pytest.fixture
def service(machine):
    """A fresh service that is not started yet; what it printed is shown when its test fails."""
    with SimAWS(tls=True) as sim:
        since = machine.now()
        service = Service(machine, sim)
        try:
            yield service
            sim.assert_clean()
        finally:
            machine.run(f"systemctl stop {UNIT}", check=False)
            print(machine.run(f"journalctl --no-pager -o short-precise -u {UNIT} --since='{since}'", check=False).stdout)
            shutil.rmtree(machine.root / service.DROP_INS.lstrip("/"), ignore_errors=True)
            machine.run(f"systemctl daemon-reload; systemctl reset-failed {UNIT}; "
                        f"systemctl clean --what=state --what=runtime {UNIT}", check=False)
