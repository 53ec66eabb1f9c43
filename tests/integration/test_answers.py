# SPDX-License-Identifier: Apache-2.0
"""Each answer counts by itself: a call that hangs, is throttled or is refused holds back nothing else, and is reported."""

import pytest

from guard import PLAIN, within
from helpers import FRA, ORG_TRAIL, TOPIC, intervals, sns, trail_arn, wait_polls

SETTINGS = {"settings_interval": 1, "blind_after": 2}


# -- answers that come while others do not ----------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["hang", "throttle", "slow"])
def test_a_list_that_does_not_come_holds_back_no_restart(sim, make_guard, mallory, kind):
    guard = make_guard(sim, regions=[FRA], settings_interval=1).start().wait_guarding()
    sim.add_fault(kind, service="cloudtrail", operation="DescribeTrails", **({"seconds": 9} if kind == "slow" else {}))
    sim.wait_for_request(within(10), 1, sim.mark(), operation="DescribeTrails")
    mark = sim.mark()
    for _ in range(3):
        mallory.stop(ORG_TRAIL)
        sim.wait_for_trail(ORG_TRAIL, within(4), logging=True)
        wait_polls(sim, 1, FRA)
    if PLAIN:
        assert max(intervals(sim, FRA, mark)) < 2.5
    assert guard.status()["pass"]["duration"] < within(2)


def test_a_status_that_hangs_holds_back_no_other_trail(sim, make_guard, mallory):
    other = sim.add_trail("other", "111122223333", FRA)
    make_guard(sim, regions=[FRA]).start().wait_guarding()
    sim.add_fault("hang", service="cloudtrail", operation="GetTrailStatus", trail=other)
    sim.wait_for_request(within(10), 1, sim.mark(), operation="GetTrailStatus", trail=other)
    for _ in range(3):
        mallory.stop(ORG_TRAIL)
        sim.wait_for_trail(ORG_TRAIL, within(4), logging=True)
