# SPDX-License-Identifier: Apache-2.0
"""Regions: what records their events, what one brings that the account enables later, and one that only a trail brought."""

import pytest

from guard import within
from helpers import APAC, FRA, MAIN, ORG_TRAIL, SYD, events, wait_alert
from test_trails import HKG, home_regions, wait_state


def test_a_trail_that_stops_does_not_cover_the_region_that_it_left(sim, make_guard, mallory):
    """Its trouble was taken for an explanation of the region's empty list, and ended what was reported of that."""
    sim.trail(APAC, delete=True)
    guard = make_guard(sim, mode="observe", regions=[FRA, SYD], settings_interval=1).start().wait_guarding()
    guard.wait_baselines(1, 0)
    mallory.client(ORG_TRAIL).update_trail(Name=ORG_TRAIL, IsMultiRegionTrail=False)
    wait_alert(sim, "trail.weakened")
    assert guard.verb("accept", "--yes").returncode == 0
    told = wait_alert(sim, "region.uncovered", seconds=30)
    assert told["region"] == SYD
    mallory.stop(ORG_TRAIL)
    wait_alert(sim, "trail.stopped")
    sim.wait_for_request(within(30), count=2, since=sim.mark(), operation="DescribeTrails", region=SYD)
    guard.wait_delivered()
    assert "region.covered" not in events(sim)


def test_a_trail_in_a_region_that_was_enabled_later_has_to_be_accepted(sim, make_guard):
    """What AWS had said of the region came after its refusal, and the region counted as never asked: the trail was taken for
    one that had always been there, and became a baseline to keep."""
    home_regions(sim)
    guard = make_guard(sim, regions="all", settings_interval=1).start()
    wait_state(guard, HKG, "not enabled")
    home_regions(sim, HKG)
    sim.add_trail("decoy", MAIN, HKG)
    guard.reload()      # asks again; in a day it would by itself
    told = wait_alert(sim, "trail.appeared", seconds=30)
    assert told["trail"]["name"] == "decoy" and told["region"] == HKG
    sim.clear_failures()


@pytest.mark.parametrize("how", ["restart", "reload"])
def test_the_trouble_of_a_region_that_only_a_trail_brought_ends_after_a_restart(sim, make_guard, how):
    """It is not configured; what the state file knew of it stayed there, and nothing ended its incident."""
    guard = make_guard(sim, regions=[SYD], settings_interval=1, unreachable_after=2, aws={"max_attempts": 1})
    guard.start().wait_guarding()
    fault = sim.add_fault("http503", service="cloudtrail", region=FRA)
    begun = wait_alert(sim, "target.unreachable", seconds=20)
    assert begun["region"] == FRA
    guard.wait_delivered()
    if how == "reload":
        guard.reload()
    else:
        assert guard.stop() == 0
        guard.start().wait_ready()
    sim.remove_fault(fault)
    ended = wait_alert(sim, "target.reachable", seconds=20)
    assert (ended["incident"], ended["region"]) == (begun["incident"], FRA)
    guard.wait_delivered()
    assert events(sim).count("target.unreachable") == 1
