# SPDX-License-Identifier: Apache-2.0
"""A start with many accounts: what waits for an answer is in memory, so the polls of all are not begun at once."""

import pytest

from guard import within
from helpers import FRA, MAIN
from simaws.client import poll

MEMBERS = [str(300000000000 + i) for i in range(40)]
CONNECTIONS = 2
AT_ONCE = 2 * CONNECTIONS


@pytest.fixture
def many(sim):
    guard = f"arn:aws:iam::{MAIN}:user/guard"
    for account in MEMBERS:
        sim.add_account(account, regions=[FRA])
        sim.add_role("TrailGuard", account,
                     trust=[{"Effect": "Allow", "Principal": {"AWS": guard}, "Action": "sts:AssumeRole"}])
        sim.add_trail("main", account, FRA)
    return sim


def start(make_guard, sim, **aws):
    groups = [{"role_arn": f"arn:aws:iam::{account}:role/TrailGuard"} for account in MEMBERS]
    return make_guard(sim, regions=[FRA], accounts=groups, alerts=(), poll_interval=60, settings_interval=600,
                      aws={"max_connections": CONNECTIONS, **aws}).start()


def test_a_start_begins_as_many_polls_as_it_has_connections_for(many, make_guard):
    """A trail is polled soon after it was listed, not after all were."""
    start(make_guard, many)
    poll(lambda: len(many.requests(operation="GetTrailStatus")) >= len(MEMBERS), within(40), 0.2)
    asked = [entry["operation"] for entry in many.requests(service="cloudtrail")
             if entry["operation"] in ("DescribeTrails", "GetTrailStatus")]
    under_way = [asked[:i].count("DescribeTrails") - asked[:i].count("GetTrailStatus") for i in range(len(asked))]
    # a machine that is busy may take the others up meanwhile, for being slow: some, not all
    assert max(under_way) < len(MEMBERS) / 2, under_way


def test_polls_that_do_not_end_soon_hold_up_no_others_at_a_start(many, make_guard):
    """AWS throttles more accounts than have their polls begun at once: these are tried again for long."""
    throttled = MEMBERS[:2 * AT_ONCE]
    for account in throttled:
        many.add_fault("throttle", service="cloudtrail", account=account)
    start(make_guard, many, request_timeout=20, max_attempts=10)
    healthy = {f"*:{account}:*" for account in MEMBERS} - {f"*:{account}:*" for account in throttled}
    poll(lambda: all(many.requests(operation="GetTrailStatus", principal=principal) for principal in healthy), within(15), 0.2)
    many.clear_failures()


def test_a_reload_while_polls_wait_loses_none(many, make_guard):
    fault = many.add_fault("hang", service="cloudtrail", operation="DescribeTrails")
    guard = start(make_guard, many).wait_ready()
    poll(lambda: many.requests(operation="AssumeRole"), within(20), 0.2)
    guard.reload()
    many.remove_fault(fault)
    poll(lambda: all(many.requests(operation="GetTrailStatus", principal=f"*:{account}:*") for account in MEMBERS),
         within(40), 0.2)
    assert guard.stop() == 0
