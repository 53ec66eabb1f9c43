# SPDX-License-Identifier: Apache-2.0
"""A trail that is deleted and created again while the guard cannot read it: its times show nothing of that any more, but the
event history does."""

import pytest

from guard import within
from helpers import FRA, MAIN, trail_arn, wait_alert
from simaws.client import poll
from test_contain import mails

pytestmark = pytest.mark.usefixtures("judged_again")

VICTIM = trail_arn("victim", FRA)


def test_what_was_done_to_a_trail_that_could_not_be_read(sim, make_guard):
    sim.add_trail("victim", MAIN, FRA)
    guard = make_guard(sim, regions=[FRA], trails=["victim"], poll_interval=1, settings_interval=1, attribution=True,
                       unreachable_after=2).start().wait_guarding()
    poll(lambda: guard.remembers(VICTIM), within(20))
    fault = sim.add_fault("denied", service="cloudtrail", user_agent="TrailGuard*")
    wait_alert(sim, "target.unreachable", seconds=within(20))
    sim.add_user("eve", MAIN)
    cloudtrail = sim.boto3("eve", "cloudtrail", FRA)
    settings = cloudtrail.get_trail(Name=VICTIM)["Trail"]
    cloudtrail.delete_trail(Name=VICTIM)
    cloudtrail.create_trail(Name="victim", S3BucketName=settings["S3BucketName"], S3KeyPrefix="elsewhere")
    cloudtrail.start_logging(Name=VICTIM)
    sim.trail(VICTIM, delivered=int(sim.trail(VICTIM)["started"]) + 1)       # nothing of its times has gone back
    sim.remove_fault(fault)
    assert wait_alert(sim, "trail.weakened", seconds=within(30))
    found = poll(lambda: [entry for entry in [wait_alert(sim, "trail.attributed", seconds=within(40))]
                          if entry["actor"]["event_name"] == "CreateTrail"], within(40))
    assert found[0]["actor"]["arn"] == f"arn:aws:iam::{MAIN}:user/eve"
    assert any("was recreated by user eve" in " ".join(mail.split()) for mail in mails(sim))


def test_a_trail_that_is_deleted_while_its_settings_are_read_is_only_deleted(sim, make_guard):
    """The journal has one fact for one deletion, also where the calls for its settings are the first to find it gone."""
    sim.add_trail("victim", MAIN, FRA)
    guard = make_guard(sim, regions=[FRA], trails=["victim"], settings_interval=1, mode="restore",
                       restore=["deleted"]).start().wait_guarding().wait_baselines(1, weak=1)
    sim.add_user("eve", MAIN)
    cloudtrail = sim.boto3("eve", "cloudtrail", FRA)
    mark = sim.mark()
    sim.add_fault("error", code="TrailNotFoundException", count=1, operation="GetEventSelectors", user_agent="TrailGuard*")
    sim.wait_for_request(within(20), operation="GetEventSelectors", since=mark)
    cloudtrail.delete_trail(Name=VICTIM)
    guard.wait_line("victim .*: is missing: it was deleted", 20)
    guard.wait_line("victim .*: created again, confirmed", 20)
    mark = sim.mark()
    sim.wait_for_request(within(20), operation="GetEventSelectors", since=mark, count=2)
    assert guard.found("victim .* (could not|can) be read") == []
