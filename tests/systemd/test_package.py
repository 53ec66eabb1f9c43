"""The Debian package under a real systemd, as an administrator meets it: `make check-packages`.

One story in order; each step prints what was typed and what came back. tests/systemd/packages has built two versions, and
names their directory in TRAILGUARD_PACKAGES.
"""
import json
import re
import shutil
import subprocess

import pytest
from conftest import UNIT
from console import SUITE, Console, deb, dependencies
from machine import BASE, Machine, wait_until

HOOK = "/etc/systemd/system/trailguard-failure@.service"
EXAMPLES = "/usr/share/doc/trailguard/systemd/examples"
STATE = "/var/lib/private/trailguard"


def with_another_conffile(source, target):
    """The same package, one version later, whose configuration file has a new line."""
    tree = target.parent / "repacked"
    subprocess.run(["dpkg-deb", "-R", source, tree], check=True)
    with open(tree / "etc/trailguard.conf", "a") as f:
        f.write("# A line that the next version has.\n")
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1.conf", control.read_text()))
    (tree / "DEBIAN/md5sums").unlink()
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, target], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A booted container that has what the package depends on, and the packages in /root."""
    directory = tmp_path_factory.mktemp("packages")
    machine = Machine(directory, BASE + dependencies(deb("0.1.0+test1")), SUITE)
    try:
        shutil.copy(deb("0.1.0+test1"), machine.root / "root/old.deb")
        shutil.copy(deb("0.1.0+test2"), machine.root / "root/new.deb")
        with_another_conffile(deb("0.1.0+test2"), machine.root / "root/conf.deb")
        machine.boot()
        yield machine
    finally:
        machine.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def at(machine):
    return Console(machine)


def test_install(at):
    at.step("Install: nothing starts that is not configured")
    at.type("dpkg -i /root/old.deb")
    assert "disabled" in at.type(f"systemctl is-enabled {UNIT}", status=1)
    assert "inactive" in at.type(f"systemctl is-active {UNIT}", status=3)
    assert at.type("trailguard --version") == "trailguard 0.1.0+test1\n"
    at.type("dpkg -L trailguard | grep -v /usr/share/doc/ | xargs ls -ld")
    at.type("ls -R /usr/share/doc/trailguard | head -n 60")
    at.type("systemd-analyze verify --man=no trailguard.service trailguard@a.service")
    assert "Defined-By: TrailGuard" in at.type("journalctl --dump-catalog | grep -B 1 -A 4 -m 1 'Defined-By: TrailGuard'")


def test_guard_upgrade_remove_purge(at, service):
    machine = at.machine
    at.step("Configure and guard")
    at.type("cat /etc/trailguard.conf")
    at.type("trailguard config")
    at.type(f"systemctl enable --now {UNIT}")
    service.wait_for_status("1 logging")
    machine.write("/etc/trailguard/second.conf", (machine.root / "etc/trailguard.conf").read_text())
    instance = "trailguard@second.service"
    machine.run("mkdir -p /etc/systemd/system/trailguard@.service.d && "
                f"cp {service.DROP_INS}/credentials.conf /etc/systemd/system/trailguard@.service.d/ && systemctl daemon-reload")
    machine.run(f"systemctl start {instance}")
    assert "TrailGuard 0.1.0+test1, started " in at.type("trailguard status")
    assert "TrailGuard 0.1.0+test1 guarding" in at.type(f"journalctl --no-pager -o cat -u {UNIT} | grep guarding,")

    at.step("Upgrade while an incident is open: it stays open, and nothing is reported twice")
    with service.sim.fault("denied", operation="StartLogging"):
        service.stop_trail()
        wait_until(lambda: "stopped" in service.show("StatusText"), 15, "the stop to be noticed")
        opened = incident(machine)
        # both guards report it
        alerts = wait_until(lambda: (lambda sent: sent if sent.count("trail.stopped") == 2 else None)(alerts_of(service)), 15,
                            "both alerts")
        before = {unit: machine.show(unit, "MainPID") for unit in (UNIT, instance)}
        at.type("dpkg --force-confold -i /root/new.deb")
        for unit, pid in before.items():
            wait_until(lambda: machine.show(unit, "MainPID") not in ("0", pid), 15, f"{unit} to run the new version")
        wait_until(lambda: "stopped" in service.show("StatusText"), 15, "the new version to know the stop")
        shown = at.type("trailguard status", status=2)
        assert "TrailGuard 0.1.0+test2, started " in shown and " is of " not in shown
        assert incident(machine) == opened
        assert "trail.stopped" not in alerts_of(service)[len(alerts):]
    # refused calls are tried again with growing waits, at most a minute
    service.sim.wait_for_trail(service.trail, timeout=90, IsLogging=True)
    service.sim.clear_failures()
    service.wait_for_status("1 logging", deadline=90)
    at.type("trailguard status")

    at.step("What is installed, and not in force yet")
    machine.run("touch -d '1 hour ago' /etc/trailguard.conf")
    assert "/etc/trailguard.conf is of " in at.type("trailguard status")
    at.type(f"systemctl reload {UNIT}")
    wait_until(lambda: " is of " not in machine.run("trailguard status").stdout, 15, "the file to be in force")
    machine.run("cp -p /usr/sbin/trailguard /root/trailguard && cp /root/trailguard /usr/sbin/trailguard.new && "
                "mv /usr/sbin/trailguard.new /usr/sbin/trailguard")
    assert "/usr/sbin/trailguard is of " in at.type("trailguard status")
    machine.run("cp -p /root/trailguard /usr/sbin/trailguard.new && mv /usr/sbin/trailguard.new /usr/sbin/trailguard")

    at.step("A configuration file that changed here and in the package: dpkg asks")
    assert "What would you like to do about it" in at.type("dpkg -i /root/conf.deb", stdin="N\n")
    assert "poll_interval = 1;" in machine.run("cat /etc/trailguard.conf").stdout
    assert "A line that the next version has." in machine.run("cat /etc/trailguard.conf.dpkg-dist").stdout
    service.wait_for_status("1 logging")

    at.step("A failure is reported on the host")
    machine.run(f"mkdir -p {service.DROP_INS}; cp {EXAMPLES}/failure.conf {service.DROP_INS}/; cp {EXAMPLES}/trailguard-failure@.service "
                f"{HOOK}; sed -i 's,| mail .*,>>/root/report'\"'\"',' {HOOK}; systemctl daemon-reload")
    at.type(f"systemd-analyze verify --man=no {UNIT} trailguard-failure@x.service")
    pid = service.show("MainPID")
    machine.run(f"kill -KILL {pid}")
    wait_until(lambda: (machine.root / "root/report").exists() and (machine.root / "root/report").stat().st_size, 15, "the report")
    at.type("head -n 12 /root/report")
    wait_until(lambda: service.show("MainPID") not in ("0", pid), 15, "the guard to come back")
    machine.run(f"rm {service.DROP_INS}/failure.conf {HOOK}; systemctl daemon-reload")

    at.step("Remove: it stops, and the state stays")
    at.type("dpkg -r trailguard")
    # newer versions of systemd say of a unit without a file that there is none: 4, not 3
    assert at.type(f"systemctl is-active {UNIT} {instance}", status=3 if machine.systemd_version() < 254 else 4) == "inactive\n" * 2
    assert "state.json" in at.type(f"ls {STATE}")
    at.type("ls -d /etc/trailguard.conf /etc/trailguard/*")

    at.step("Installed again: it goes on where it was")
    at.type("dpkg -i /root/conf.deb")
    at.type(f"systemctl start {UNIT}")
    service.wait_for_status("1 logging")
    assert "already" not in machine.run(f"journalctl -o cat -u {UNIT} -n 20").stdout

    at.step("Purge: the state goes, keys stay")
    at.type("dpkg -P trailguard")
    left = at.type("ls -d /etc/trailguard* /var/lib/trailguard* /var/lib/private/trailguard* /run/trailguard* 2>/dev/null", status=2)
    assert left.split() == ["/etc/trailguard"]
    assert "aws-credentials" in at.type("ls /etc/trailguard")
    assert "No files" in machine.run("journalctl --list-catalog | grep -ci trailguard | sed 's/^0$/No files/'").stdout


def incident(machine):
    trails = json.loads(machine.run("trailguard status --json", check=False).stdout)["trails"]
    return trails[0]["incident"]["id"]


def alerts_of(service):
    return [json.loads(message["received"]["sqs"]["Message"])["event"] for message in service.sim.messages(service.TOPIC)]

