# SPDX-License-Identifier: Apache-2.0
"""The documents in every kind of trouble, as docs/*.schema.json describes them."""

import json
import os
import subprocess

import pytest

from guard import BINARY, PLAIN, within
from helpers import ALL_REGIONS, APAC, IAD, ORG_TRAIL, SYD, TOPIC, sns, topic_arn
from schemas import validated

OTHER = topic_arn("other")


def test_the_status_in_all_kinds_of_trouble(sim, make_guard, mallory):
    sim.add_topic(OTHER)
    sim.trail(ORG_TRAIL, settings={"IsMultiRegionTrail": False})
    sim.trail(APAC, delete=True)
    guard = make_guard(sim, regions=ALL_REGIONS, mode="observe", alerts=sns(TOPIC) + sns(OTHER),
                       trails=["org-trail", "audit", "no-such-trail"]).start().wait_guarding()
    sim.add_fault("denied", region=IAD, service="cloudtrail")
    sim.call("topic", arn=TOPIC, delete=True)
    mallory.stop(ORG_TRAIL)
    status = guard.wait_status(lambda status: {target["state"] for target in status["targets"]} == {"well", "unreachable"}
                               and any(channel["failed"] for channel in status["channels"]))
    validated(status, "status")
    trails = {trail["name"]: trail for trail in status["trails"]}
    assert (trails["org-trail"]["verdict"], trails["no-such-trail"]["verdict"]) == ("stopped", "missing")
    assert trails["org-trail"]["incident"]["gap"]["to"] is None and trails["no-such-trail"]["arn"] == ""
    targets = {target["region"]: target for target in status["targets"]}
    assert targets[SYD]["uncovered"] and targets[SYD]["idle"] and "denied" in targets[IAD]["error"].lower()


def test_the_status_before_anything_is_known(sim, make_guard):
    with sim.fault("hang"):
        guard = make_guard(sim).start().wait_ready()
        status = validated(guard.wait_status(lambda status: True), "status")
        assert status["pass"]["ended"] is None and [target["state"] for target in status["targets"]] == ["unknown"]


@pytest.mark.skipif(not PLAIN, reason="the documents are the same in every build")
@pytest.mark.parametrize("writer", ["test_alert", "test_alert_tamper"])
def test_the_alerts_that_the_unit_tests_compose(tmp_path, writer):
    """Those of events that no integration test brings about, too."""
    subprocess.run([BINARY.parent / "tests/unit" / writer], env={**os.environ, "ALERT_DOCUMENTS": str(tmp_path)}, check=True,
                   capture_output=True, timeout=within(60))
    documents = list(tmp_path.glob("*.json"))
    assert len(documents) > 20
    for path in documents:
        validated(json.loads(path.read_text()), "alert")
