# SPDX-License-Identifier: Apache-2.0
"""Several guards with the same configuration, each with its part of the accounts: every account has exactly one guard, and
what happens is reported once."""

import json
import subprocess

import pytest

from guard import BINARY, within
from helpers import (FRA, MAIN, MEMBER, ORG_TRAIL, documents, events, matches, trail_arn, wait_alert, wait_polls)
from simaws.client import poll
from test_accounts import FOURTH, OTHER, THIRD, add_member, groups, guard_arn

FIFTH = "123456789012"
MEMBERS = [MEMBER, OTHER, THIRD, FOURTH, FIFTH]
# tests/unit/test_scope.c pins these
PARTS = {2: [{MEMBER, FIFTH}, {MAIN, OTHER, THIRD, FOURTH}],
         3: [{MEMBER, FIFTH}, {MAIN, THIRD, FOURTH}, {OTHER}]}


def local(account):
    return trail_arn("local", FRA, account)


@pytest.fixture
def organization(sim):
    """The guard's own account manages it and owns org-trail, which is the only trail in FIFTH; each other member has its own,
    too."""
    for account in MEMBERS:
        add_member(sim, account)
    sim.call("organization", management=MAIN, members=MEMBERS)
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    sim.trail(local(FIFTH), delete=True)
    return sim


def shards(make_guard, sim, total, **options):
    return [make_guard(sim, organization={"role_name": "TrailGuard", "refresh": 60}, shard=f"{number}/{total}",
                       settings_interval=1, unreachable_after=2, **options) for number in range(1, total + 1)]


def accounts_of(guard):
    return {entry["id"] for entry in guard.status().get("accounts", [])}


def wait_parts(guards):
    """Each account has the guard that it should have, and each of these its trails."""
    for guard in guards:
        guard.wait_guarding()
    for guard, part in zip(guards, PARTS[len(guards)]):
        guard.wait_status(lambda status: {entry["id"] for entry in status["accounts"] if entry["state"] == "well"} == part, 20)
        wanted = {local(account) for account in part if account not in (MAIN, FIFTH)} | ({ORG_TRAIL} if MAIN in part else set())
        guard.wait_status(lambda status: {trail["arn"] for trail in status["trails"]} == wanted, 20)


def stopped(sim):
    return sorted(entry["trail"]["arn"] for entry in documents(sim) if entry["event"] == "trail.stopped")


def stop_each(sim, arns):
    for arn in arns:
        sim.trail(arn, logging=False)
    for arn in arns:
        sim.wait_for_trail(arn, within(15), logging=True)


@pytest.mark.valgrind
def test_each_account_has_one_guard_and_each_stop_one_report(organization, make_guard):
    sim = organization
    guards = shards(make_guard, sim, 2)
    for guard in guards:
        guard.start()
    wait_parts(guards)
    arns = sorted([ORG_TRAIL, *(local(account) for account in (MEMBER, OTHER, THIRD, FOURTH))])
    mark = sim.mark()
    stop_each(sim, arns)
    poll(lambda: stopped(sim) == arns, within(15))
    assert sorted(entry["trail"] for entry in sim.requests(since=mark, operation="StartLogging")) == arns
    # the organization's trail is polled by the guard of the account that owns it, and there alone
    pollers = {entry["principal"] for entry in sim.requests(operation="GetTrailStatus", trail="*org-trail")}
    assert pollers == {guard_arn(sim)}
    # one part more: what has to move moves, and nothing else
    for guard in guards:
        guard.wait_delivered()
        assert guard.stop() == 0
    guards.append(shards(make_guard, sim, 3)[2])
    for number, guard in enumerate(guards, 1):
        guard.write_config(shard=f"{number}/3")
        guard.start()
    wait_parts(guards)
    stop_each(sim, arns)
    poll(lambda: stopped(sim) == sorted(2 * arns), within(15))
    assert set(events(sim)) == {"trail.stopped"}
    assert guards[2].status()["shard"] == "3/3"


def test_what_becomes_of_the_organizations_trail_is_reported_by_one_shard(organization, make_guard):
    sim = organization
    guards = shards(make_guard, sim, 2, mode="observe")
    for guard in guards:
        guard.start()
    wait_parts(guards)
    sim.trail(ORG_TRAIL, delete=True)
    wait_alert(sim, "trail.missing")
    # FIFTH has no other trail: the first shard polls it on, every ten intervals, and leaves the report to the second
    mark = sim.mark()
    sim.wait_for_request(within(30), 2, mark, operation="DescribeTrails", region=FRA, principal=f"*:{FIFTH}:*")
    assert not [target for target in guards[0].status()["targets"] if target["uncovered"]]
    assert events(sim) == ["trail.missing"]


def test_who_joins_and_who_leaves_is_reported_by_one_shard(organization, make_guard):
    sim = organization
    sim.call("organization", management=MAIN, members=[MEMBER, OTHER, THIRD, FIFTH])
    guards = shards(make_guard, sim, 2)
    for guard in guards:
        guard.start().wait_guarding()
    guards[0].wait_line("the organization has 5 accounts, 5 of them active, 2 of these in shard 1/2")
    guards[1].wait_line("the organization has 5 accounts, 5 of them active, 3 of these in shard 2/2")
    sim.call("organization", management=MAIN, members=[OTHER, THIRD, FOURTH, FIFTH])
    told = wait_alert(sim, "account.left", seconds=75)
    assert told["account"] == MEMBER
    guards[1].wait_line(f"account {FOURTH} .*is new in the organization", 75)
    assert not guards[0].found(FOURTH) and not guards[1].found(MEMBER)
    wait_polls(sim, 3, FRA)
    assert events(sim) == ["account.left"]


def test_an_open_incident_moves_with_its_account(organization, make_guard):
    sim = organization
    guards = shards(make_guard, sim, 3, mode="observe")
    guards[1].write_config(shard="2/2")
    guards[1].start().wait_guarding()
    guards[1].wait_status(lambda status: local(OTHER) in {trail["arn"] for trail in status["trails"]}, 20)
    sim.trail(local(OTHER), logging=False)
    first = wait_alert(sim, "trail.stopped")
    guards[1].write_config(shard="2/3")
    guards[1].reload()
    closed = wait_alert(sim, "trail.resolved", seconds=20)
    assert closed["incident"] == first["incident"]
    guards[1].wait_line("local .*: no longer guarded: another shard guards its account")
    assert OTHER not in accounts_of(guards[1])
    guards[2].start().wait_guarding()
    second = wait_alert(sim, "trail.stopped", count=2)
    assert (second["account"], second["incident"]) == (OTHER, first["incident"]), "it is the same stop"
    assert guards[1].stop() == 0
    rows = json.loads((guards[1].state / "state.json").read_text())["trails"]
    assert OTHER not in {row["account"] for row in rows}, "its state is the other shard's"
    sim.trail(local(OTHER), logging=True)


def test_accounts_are_split_too_and_the_base_credentials_account_with_them(sim, make_guard):
    for account in (MEMBER, OTHER, THIRD):
        add_member(sim, account)
    parts = {1: {MEMBER}, 2: {MAIN, OTHER, THIRD}}
    for number, part in parts.items():
        guard = make_guard(sim, shard=f"{number}/2", accounts=[{"name": "own"}, *groups(MEMBER, OTHER, THIRD, external_id=None)])
        guard.start().wait_guarding()
        guard.wait_status(lambda status: {entry["id"] for entry in status["accounts"]} == part)
        guard.wait_status(lambda status: {trail["account"] for trail in status["trails"]} == part)
        assumed = {entry["principal"] for entry in sim.requests(operation="AssumeRole")}
        assert assumed == {guard_arn(sim)}
        assert guard.stop() == 0
        assert (MAIN in part) == any(entry["principal"] == guard_arn(sim) for entry in sim.requests(service="cloudtrail"))


def test_each_verb_says_which_part_it_is_about(organization, make_guard):
    sim = organization
    guard = shards(make_guard, sim, 2)[0].start().wait_guarding()
    guard.wait_line("TrailGuard .* guarding shard 1/2, mode restart, every 1 s")
    guard.wait_status(lambda status: {entry["id"] for entry in status["accounts"]} == PARTS[2][0])
    guard.wait_told("^STATUS=shard 1/2: guarding 1 trail, 1 region, 2 accounts: 1 logging")
    assert guard.status()["shard"] == "1/2"
    matches("^well: shard 1/2: guarding 1 trail", guard.verb("status").stdout)
    checked = guard.verb("check")
    matches("^TRAILGUARD [A-Z]+ - shard 1/2: guarding 1 trail", checked.stdout)
    assert json.loads(guard.verb("check", "--json").stdout)["status"]["shard"] == "1/2"
    matches('\nshard = "1/2";\n', guard.verb("config", "--dump").stdout)
    guard.write_config(shard=None)
    matches("\n# shard is not set\n", guard.verb("config", "--dump").stdout)


def test_the_policy_has_the_rights_of_the_part(sim, make_guard):
    for account in (MEMBER, OTHER):
        add_member(sim, account)
    for number, account in ((1, MEMBER), (2, OTHER)):
        guard = make_guard(sim, shard=f"{number}/2", accounts=[{}, *groups(MEMBER, OTHER, external_id=None)])
        document = json.loads(guard.verb("policy", "guard").stdout)
        assert [member["role_arn"].split(":")[4] for member in document["members"]] == [account]
        statements = {statement["Sid"]: statement for statement in document["hub"]["Statement"]}
        assert account in json.dumps(statements["AssumeAccountRoles"]["Resource"])
        # 111122223333 is in the second part
        assert ("RestartTrails" in statements) == (number == 2)
        denied = json.loads(guard.verb("policy", "deny").stdout)
        assert [member["role_arn"].split(":")[4] for member in denied["members"]] == [MEMBER, OTHER]


def test_a_wrong_shard_is_one_clear_line(sim, make_guard):
    guard = make_guard(sim, shard="3/2", accounts=[{}])
    done = guard.verb("config")
    assert done.returncode == 1
    matches(r'trailguard.conf:\d+:\d+: shard: "3/2" cannot be used; allowed: "NUMBER/TOTAL", such as "2/5": '
            r"TOTAL 1..1000, NUMBER 1..TOTAL\n$", done.stderr)
    guard.write_config(shard="1/2", accounts=None)
    matches("shard: there are no accounts to split; allowed: with organization or accounts", guard.verb("config").stderr)


def test_an_instance_has_a_configuration_and_directories_of_its_own():
    def run(*arguments):
        return subprocess.run([BINARY, *arguments], capture_output=True, text=True, env={"LANG": "C.UTF-8"})
    done = run("--instance", "a", "config")
    assert (done.returncode, done.stderr) == (1, "/etc/trailguard/a.conf: No such file or directory\n")
    done = run("--instance", "a", "status")
    assert (done.returncode, done.stderr) == (
        3, "trailguard is not running (no process holds /var/lib/trailguard@a/lock)\n")
    for name in ("", "../a", "a/b", ".", "a b", "a\n", "x" * 65):
        done = run("--instance", name, "config")
        assert done.returncode == 1
        matches(r'^trailguard: --instance: ".*" cannot be used; allowed: the NAME of trailguard@NAME.service, '
                r"at most 64 of [^\n]*\n$", done.stderr)
    matches("--instance needs a name", run("--instance").stderr)
