# SPDX-License-Identifier: Apache-2.0
"""A process that can make no TLS connection any more, whoever the peer is: it ends after ten minutes, and the next one
guards. One whose peers are at fault goes on."""

import json
import time

import pytest

from faulted import PRELOAD, preloaded
from guard import within
from helpers import FRA, ORG_TRAIL, sns, topic_arn
from simaws.client import poll
from virtual import LIBRARY, VirtualClock

pytestmark = preloaded

LINE = "TLS no longer works in this process"
LOST = PRELOAD.with_name("tls.so")


@pytest.fixture
def clock(place):
    return VirtualClock(place / "clock", time.time())


@pytest.fixture
def lost(place):
    """While there is such a file, TLS fails in the daemon."""
    return place / "lost"


@pytest.fixture
def guard(tls_sim, make_guard, clock, lost):
    env = {**clock.env, "LD_PRELOAD": f"{LIBRARY}:{LOST}", "TLS_LOST": str(lost)}
    return make_guard(tls_sim, env=env, regions=[FRA], alerts=sns(tls_sim.add_topic(topic_arn("lost")))).start().wait_guarding()


def test_a_process_that_has_lost_tls_ends_and_the_next_one_guards(tls_sim, guard, clock, lost):
    poll(lambda: guard.remembers(ORG_TRAIL), within(10))
    tls_sim.call("drop_connections")
    lost.touch()
    begin = clock.now()
    clock.allow(begin + 3600)
    assert guard.wait(60) == 1
    assert 600 <= clock.now() - begin < 1000
    assert len(guard.found(LINE)) == 1
    state = json.loads((guard.state / "state.json").read_text())
    assert any(row["arn"] == ORG_TRAIL for row in state["trails"])
    lost.unlink()
    guard.start().wait_verdict("org-trail", "logging", 30)


def test_a_process_whose_peers_are_silent_goes_on(tls_sim, guard, clock):
    tls_sim.network("refused")
    tls_sim.call("drop_connections")
    clock.pass_to(clock.now() + 1300)
    assert guard.process.poll() is None and not guard.found(LINE)
    tls_sim.network("normal")
    clock.allow(clock.now() + 120)      # the back-off of what was unreachable
    guard.wait_status(lambda status: all(trail["verdict"] == "logging" for trail in status["trails"]), 30)
