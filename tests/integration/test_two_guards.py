# SPDX-License-Identifier: Apache-2.0
"""Two guards of one trail on two hosts, whose clocks are three seconds apart, one of which is killed and replaced."""

import shutil

import pytest

from attacks import SCENARIO, VICTIM
from faulted import Clock, Tally, gap_of, ids_of, leftovers, preloaded, received, under_two_ids, wait_quiet
from guard import within
from helpers import FRA, sns, topic_arn
from simaws.client import poll
from test_baseline import RESTORE
from test_receivers import ALERTMANAGER, AMTOOL, Alertmanager, Receiver, notified

FIFO, OWN = topic_arn("trailguard.fifo"), [topic_arn("first"), topic_arn("second")]
APART = 3       # seconds


@pytest.fixture
def alertmanager(place):
    receiver = Receiver()
    running = Alertmanager(place, receiver)
    running.receiver = receiver
    yield running.start()
    running.close()
    receiver.close()


@pytest.fixture
def pair(sim, make_guard, place, alertmanager):
    """Both send to the FIFO topic and to Alertmanager, and each to a topic of its own, which has all that it said."""
    sim.load(SCENARIO)
    for topic in (FIFO, *OWN):
        sim.add_topic(topic)
    guards = []
    for number, own in enumerate(OWN):
        clock = Clock(place / f"clock{number}", number * APART)
        alerts = [*sns(FIFO), *sns(own), {"type": "alertmanager", "urls": [alertmanager.url], "events": ["trail.*"]}]
        guards.append(make_guard(sim, regions=[FRA], trails=["victim"], settings_interval=1, alerts=alerts, env=clock.env,
                                 **RESTORE))
    for guard in guards:
        guard.start()
    for guard in guards:
        guard.wait_guarding().wait_baselines(1, weak=0)
        poll(lambda: guard.remembers(VICTIM), within(10))
    return guards


def stop(sim, mallory):
    """StopLogging, and when AWS says that it was; the trail logs again."""
    mallory.stop(VICTIM)
    stopped = sim.trail(VICTIM)["stopped"]
    sim.wait_for_trail(VICTIM, within(15), logging=True)
    return stopped


def wait_both(sim, holds, seconds=40):
    """Until what each guard said on its own topic is so."""
    poll(lambda: all(holds(received(sim, own)) for own in OWN), within(seconds), 0.1)


def change(client, prefix):
    client.update_trail(Name=VICTIM, S3KeyPrefix=prefix)


@preloaded
@pytest.mark.skipif(not (ALERTMANAGER and AMTOOL), reason="needs prometheus-alertmanager")
@pytest.mark.parametrize("keeps", [True, False], ids=["state kept", "state lost"])
def test_two_guards_say_everything_under_one_id_though_one_is_killed_and_replaced(
        sim, pair, mallory, alertmanager, record_property, keeps):
    before = sim.trail(VICTIM)
    first, second = pair
    stops = [stop(sim, mallory)]
    wait_both(sim, lambda said: gap_of(said, stops[0]))
    change(mallory.client(VICTIM), "elsewhere")
    wait_both(sim, lambda said: [entry for entry in said if entry["event"] == "trail.weakened"])
    poll(lambda: sim.trail(VICTIM)["settings"] == before["settings"], within(15))
    for guard in pair:
        wait_quiet(guard)

    hang = sim.add_fault("hang", service="sns", user_agent="TrailGuard*")
    stops.append(stop(sim, mallory))
    poll(lambda: all(guard.outbox_files() for guard in pair), within(20))
    first.kill()
    sim.remove_fault(hang)
    if not keeps:
        # the new host knows nothing; what the killed one had to say the other says
        shutil.rmtree(first.state)
        first.state.mkdir(mode=0o700)
    first.start().wait_guarding()
    poll(lambda: gap_of(received(sim, OWN[1]), stops[1]), within(40))
    if keeps:
        wait_both(sim, lambda said: gap_of(said, stops[1]))
    else:
        first.wait_baselines(1, weak=0)
    mallory.delete(VICTIM)
    # whoever polls after the other has created it again finds a trail that was replaced, and puts back what is not there yet
    wait_both(sim, lambda said: [entry for entry in said if entry["event"] in ("trail.missing", "trail.replaced")])
    poll(lambda: sim.trail(VICTIM)["settings"] == before["settings"], within(30))
    for guard in pair:
        wait_quiet(guard, 60)

    everything = [received(sim, topic) for topic in OWN]
    topic = received(sim, FIFO)
    published = sim.call("published", topic=FIFO)
    ids = [ids_of(said) for said in everything]
    apart = {fact: (ids[0][fact], ids[1][fact]) for fact in ids[0].keys() & ids[1].keys() if ids[0][fact] != ids[1][fact]}
    twice = len(topic) - len({entry["id"] for entry in topic})
    lost = [stopped for stopped in stops if not gap_of(topic, stopped)]
    Tally({"kills survived": 1, "sent": published["accepted"], "delivered": published["delivered"], "delivered twice": twice,
           "lost": len(lost), "under two ids": len(under_two_ids(topic)) + len(apart)}).record("two guards", record_property)
    assert not apart and not under_two_ids(topic) and twice == 0 and not lost
    assert published["accepted"] > published["delivered"], "both have sent"
    if keeps:
        assert len({entry["incident"] for said in everything for entry in said}) == 1
    assert not [name for guard in pair for name in leftovers(guard)]
    # one alert of each kind, whoever sent it
    firing = [tuple(sorted(labels.items())) for status, labels in notified(alertmanager.receiver) if status == "firing"]
    assert firing and {dict(labels)["trail"] for labels in firing} == {"victim"}
    assert all("guard" not in dict(labels) for labels in firing)


@preloaded
@pytest.mark.skipif(not (ALERTMANAGER and AMTOOL), reason="needs prometheus-alertmanager")
def test_alertmanager_takes_an_open_incident_of_two_guards_as_one(sim, pair, mallory, alertmanager):
    for guard in pair:
        guard.write_config(mode="observe")
        guard.reload()
    mallory.stop(VICTIM)
    wait_both(sim, lambda said: [entry for entry in said if entry["event"] == "trail.stopped"])
    for guard in pair:
        guard.wait_delivered(20)
    found = alertmanager.alerts("event=trail.stopped")
    assert len({alert["fingerprint"] for alert in found}) == len(found) == 1
    mallory.start(VICTIM)
    poll(lambda: not alertmanager.alerts("event=trail.stopped"), within(30), 0.2)
    assert len([labels for status, labels in notified(alertmanager.receiver) if status == "firing"]) == 1
