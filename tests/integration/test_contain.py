# SPDX-License-Identifier: Apache-2.0
"""Containment: the commands that an alert proposes are run as they are, and the attacker has no more power."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from guard import BINARY, within
from helpers import FRA, MAIN, documents, messages, refused, trail_arn, wait_alert
from simaws.client import poll

pytestmark = pytest.mark.usefixtures("judged_again")

AWS = "/usr/bin/aws" if os.path.exists("/usr/bin/aws") else shutil.which("aws")
VICTIM = trail_arn("victim", FRA)


def run(sim, guard, lines, directory):
    """As a person would: the guard's verb on its host, the others with an administrator's keys."""
    shim = Path(directory) / "bin"
    shim.mkdir(exist_ok=True)
    # Debian 12's aws does not know AWS_ENDPOINT_URL
    for name, command in (("trailguard", '"$TRAILGUARD" "$@" -c "$CONF"'), ("aws", f'{AWS} --endpoint-url "$SIM" "$@"')):
        (shim / name).write_text(f"#!/bin/sh\nexec {command}\n")
        (shim / name).chmod(0o755)
    for line in lines:
        env = sim.env_for("guard" if line.startswith("trailguard ") else "saviour")
        env.update({"PATH": f"{shim}:{os.environ['PATH']}", "TRAILGUARD": str(BINARY), "CONF": str(guard.config),
                    "SIM": sim.url, "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"})
        done = subprocess.run(["sh", "-c", line], cwd=directory, env=env, capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == 0, (line, done.stderr)


def fight(sim, cloudtrail, until):
    """Stops the trail again whenever it logs, until the alert is there."""
    def stopped_and_told():
        if sim.trail(VICTIM)["status_now"]["IsLogging"]:
            cloudtrail.stop_logging(Name=VICTIM)
        return until()
    return poll(stopped_and_told, within(40))


def proposals(sim):
    return [told["contain"] for told in documents(sim) if "contain" in told]


def mails(sim):
    return [message["received"]["email"]["Body"] for message in messages(sim)]


@pytest.fixture
def fought(sim, make_guard):
    """A guard that proposes, and who may undo what an attacker does."""
    sim.add_trail("victim", MAIN, FRA)
    sim.add_user("saviour", MAIN)
    return lambda **contain: make_guard(sim, regions=[FRA], trails=["victim"], poll_interval=1, attribution=True,
                                        contain={"mode": "propose", **contain}).start().wait_guarding()


@pytest.mark.parametrize("kind", ["user", "role"])
def test_the_proposed_commands_end_a_war_and_undo_themselves(sim, fought, place, kind):
    guard = fought()
    if kind == "user":
        sim.add_user("attacker", MAIN)
        arn = f"arn:aws:iam::{MAIN}:user/attacker"
    else:
        arn = sim.add_role("Attacker", MAIN, path="/a/path/")
        keys = sim.boto3("saviour", "sts", FRA).assume_role(RoleArn=arn, RoleSessionName="eve")["Credentials"]
        sim.add_keys("attacker", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    cloudtrail = sim.boto3("attacker", "cloudtrail", FRA)
    contain, = fight(sim, cloudtrail, lambda: proposals(sim))
    assert (contain["arn"], contain["kind"]) == (arn, kind)
    guard.wait_line(f"containment proposed: {re.escape(arn)}, because of (a war|[0-9]+ tamperings)")
    text, = (text for text in mails(sim) if "How to contain it" in text)
    assert all(f"\n  {line}\n" in text for line in contain["commands"] + contain["undo"])
    run(sim, guard, contain["commands"], place)
    assert refused(cloudtrail.stop_logging, Name=VICTIM) == "AccessDeniedException"
    iam = sim.boto3("attacker", "iam", "us-east-1")
    if kind == "user":
        code = refused(iam.detach_user_policy, UserName="attacker",
                       PolicyArn=f"arn:aws:iam::{MAIN}:policy/TrailGuardContain-user-attacker")
    else:
        code = refused(iam.delete_role_policy, RoleName="Attacker", PolicyName="TrailGuardContain")
    assert code == "AccessDenied", "or he would go on"
    assert (refused(cloudtrail.describe_trails) == "AccessDeniedException") == (kind == "role"), "its sessions are over"
    sim.wait_for_trail(VICTIM, within(10), logging=True)
    run(sim, guard, contain["undo"], place)
    assert refused(cloudtrail.stop_logging, Name=VICTIM) == ""
    assert sim.call("decisions")["denied"], "and nothing of the policies is left"


def test_one_proposal_for_an_identity_and_incident_survives_a_restart(sim, fought):
    guard = fought(after=1)
    sim.add_user("attacker", MAIN)
    cloudtrail = sim.boto3("attacker", "cloudtrail", FRA)
    cloudtrail.stop_logging(Name=VICTIM)
    told = wait_alert(sim, "trail.attributed", seconds=within(20))
    assert told["contain"]["reason"] == "1 tampering within an hour" and told["contain"]["tamperings"] == 1
    poll(lambda: "proposed_usec" in (guard.state / "state.json").read_text(), within(15))
    guard.kill()
    guard.start().wait_guarding()
    mark = len([told for told in documents(sim) if told["event"] == "trail.attributed"])
    cloudtrail.stop_logging(Name=VICTIM)
    wait_alert(sim, "trail.attributed", seconds=within(30), count=mark + 1)
    assert len(proposals(sim)) == 1


def test_who_is_not_to_be_hit_is_named_in_the_journal_only(sim, fought):
    guard = fought(after=1, never=["arn:aws:iam::*:user/attack*"])
    sim.add_user("attacker", MAIN)
    sim.boto3("attacker", "cloudtrail", FRA).stop_logging(Name=VICTIM)
    wait_alert(sim, "trail.attributed", seconds=within(20))
    guard.wait_line("containment not proposed: arn:aws:iam::[0-9]+:user/attacker, because of 1 tampering within an hour; "
                    "contain.never names it")
    assert proposals(sim) == [] and not any("contain" in text for text in mails(sim))


def test_off_is_the_default(sim, make_guard):
    sim.add_trail("victim", MAIN, FRA)
    guard = make_guard(sim, regions=[FRA], trails=["victim"], attribution=True).start().wait_guarding()
    sim.add_user("attacker", MAIN)
    sim.boto3("attacker", "cloudtrail", FRA).stop_logging(Name=VICTIM)
    assert "contain" not in wait_alert(sim, "trail.attributed", seconds=within(20))
    assert "contain" not in (guard.state / "state.json").read_text() and not guard.found("containment")
    assert "mode = \"off\"" in guard.verb("config", "--dump").stdout.partition("contain = {")[2].partition("}")[0]
