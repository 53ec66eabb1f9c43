# SPDX-License-Identifier: Apache-2.0
"""Trouble that begins before AWS has said which account the keys belong to, and ends when that is known: it is one incident,
whatever the daemon learns meanwhile, also over a reload and a restart."""

import pytest

from guard import within
from helpers import FRA, IAD, MAIN, TOPIC, documents, sns, wait_alert
from simaws.client import poll
from test_credentials import guard_with_file, keys_file, write_keys  # noqa: F401

MEMBER = "444455556661"
ROLE = f"arn:aws:iam::{MEMBER}:role/TrailGuard"


@pytest.fixture
def organization(sim):
    sim.add_account(MEMBER, regions=[FRA, IAD])
    sim.add_role("TrailGuard", MEMBER, trust=[{"Effect": "Allow", "Principal": {"AWS": MAIN}, "Action": "sts:AssumeRole"}])
    sim.call("organization", management=MAIN, members=[MEMBER])
    return sim


def bring_keys(sim, guard, keys_file, how):
    """They are found by the next try, or because the daemon begins again."""
    write_keys(keys_file, sim.keys_of("guard"))
    if how == "restart":
        assert guard.stop() == 0
        guard.start()
    elif how == "reload":
        guard.reload()


def assert_each_ends(sim, opens, ends):
    """What ends is what was opened; two accounts may have one each."""
    def incidents(event):
        return {entry["incident"] for entry in documents(sim) if entry["event"] == event}
    wait_alert(sim, ends, seconds=80)
    poll(lambda: incidents(opens) <= incidents(ends), within(20))
    assert incidents(opens) == incidents(ends)
    assert all(entry["resolved"] for entry in documents(sim) if entry["event"] == ends)


HOW = pytest.mark.parametrize("how", ["file", "reload", "restart"])


@HOW
def test_an_organization_that_could_not_be_listed_without_keys(organization, guard_with_file, keys_file, how):
    guard = guard_with_file(regions=[FRA], unreachable_after=1, organization={"role_name": "TrailGuard", "refresh": 60})
    guard.start().wait_line("the organization's accounts cannot be listed", 30)
    bring_keys(organization, guard, keys_file, how)
    assert_each_ends(organization, "organization.unreadable", "organization.readable")


@HOW
@pytest.mark.parametrize("accounts", [[{}], [{}, {"role_arn": ROLE}]], ids=["one", "several"])
def test_accounts_that_could_not_be_polled_without_keys(organization, guard_with_file, keys_file, accounts, how):
    guard = guard_with_file(regions=[FRA], unreachable_after=1, accounts=accounts).start().wait_ready()
    guard.wait_status(lambda status: all(entry["state"] == "unreachable" for entry in status["accounts"])
                      if len(accounts) > 1 else status["targets"][0]["state"] == "unreachable", 30)
    poll(guard.outbox_files, within(20))
    bring_keys(organization, guard, keys_file, how)
    assert_each_ends(organization, "target.unreachable", "target.reachable")


def test_keys_that_are_gone_at_a_restart(sim, guard_with_file, keys_file):
    """The account is known from before; its incident goes on."""
    write_keys(keys_file, sim.keys_of("guard"))
    guard = guard_with_file(regions=[FRA], unreachable_after=1).start().wait_guarding()
    keys_file.unlink()
    guard.reload()
    poll(guard.outbox_files, within(30))
    assert guard.stop() == 0
    guard.start().wait_ready()
    guard.wait_line("unreachable", 30)
    bring_keys(sim, guard, keys_file, "reload")
    assert_each_ends(sim, "target.unreachable", "target.reachable")


def test_a_channel_that_failed_without_keys(sim, guard_with_file, keys_file, place):
    program = place / "program"
    program.write_text("#!/bin/sh\ncat >/dev/null\n")
    alerts = [*sns(TOPIC), {"type": "command", "command": [str(program)]}]
    guard = guard_with_file(regions=[FRA], alerts=alerts).start().wait_ready()
    guard.reload()                      # the channels are checked at once
    guard.wait_line("alerts by .*program fail", 30)
    bring_keys(sim, guard, keys_file, "reload")
    guard.wait_guarding()
    program.chmod(0o755)
    guard.reload()
    assert_each_ends(sim, "channel.failed", "channel.recovered")
