# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for AWS that others wrote answer in ways that AWS does not. A stopped trail is running again within one interval
and told of once, and nothing else is: no alarm about a call that they do not have, and none that comes of how they show a
trail."""

import pytest

from guard import PLAIN, within
from helpers import sns
from simaws.client import poll
from strangers import ACCOUNT, KEYS, NAME, REGION, TOPIC, Ministack, Moto, Naive, Names, Texts, answer_html, answer_json, dropped

KINDS = {
    "naive": Naive,
    "naive.html-404": lambda: Naive(lambda _: answer_html(404)),
    "naive.html-405": lambda: Naive(lambda _: answer_html(405)),
    "naive.not-implemented": lambda: Naive(lambda name: answer_json(
        {"__type": "InternalFailure", "message": f"The API action '{name}' is not yet implemented"}, 501)),
    "naive.ipv6": lambda: Naive(host="::1"),
    "names": Names,
    "texts": Texts,
    "moto": Moto,
    "ministack": Ministack,
}


@pytest.fixture
def make_stranger():
    made = []

    def make(kind):
        made.append(KINDS[kind]() if isinstance(kind, str) else kind())
        return made[-1]
    yield make
    for stranger in made:
        stranger.close()


def guarding(make_guard, stranger, **options):
    guard = make_guard(None, user=None, env={**KEYS, "AWS_ENDPOINT_URL": stranger.url}, regions=[REGION], alerts=sns(TOPIC),
                       **{"settings_interval": 1, "unreachable_after": 2, **options})
    guard.start().wait_guarding()
    poll(lambda: list((guard.state / "baselines").glob("*.json")), within(10))
    return guard


def wait_polls(stranger, n=4):
    """So many more of the list and of the status, each begun after this was called."""
    for name in ("DescribeTrails", "GetTrailStatus"):
        wanted = stranger.asked.count(name) + n
        poll(lambda name=name, wanted=wanted: stranger.asked.count(name) >= wanted, within(20))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["restart", "restore"])
def test_a_stopped_trail_runs_again_and_is_told_of_once(make_guard, make_stranger, kind, mode):
    stranger = make_stranger(kind)
    guard = guarding(make_guard, stranger, mode=mode, attribution=True)
    wait_polls(stranger)
    assert stranger.events() in ([], ["baseline.weak"]), guard.stderr()
    before = len(stranger.published)
    for count in (1, 2):
        stranger.stop()
        poll(lambda: stranger.logging, within(10))
        poll(lambda count=count: stranger.events()[before:].count("trail.stopped") >= count, within(15))
        wait_polls(stranger)
    assert set(stranger.events()[before:]) == {"trail.stopped"} and len(stranger.published) == before + 2, stranger.events()
    guard.wait_status(lambda status: [trail["verdict"] for trail in status["trails"]] == ["logging"])
    shown = guard.verb("status", config=False)
    assert shown.returncode == 0, shown.stdout
    shown = guard.verb("check")
    assert shown.returncode == 0 and NAME in shown.stdout, shown.stdout + shown.stderr
    if PLAIN:
        assert not guard.found("trail.*changed|replaced|cannot be read")


@pytest.mark.parametrize("kind", KINDS)
def test_a_deleted_trail_is_made_again_whether_or_not_sts_is_there(make_guard, make_stranger, kind):
    stranger = make_stranger(kind)
    guard = guarding(make_guard, stranger, mode="restore", restore=["deleted"])
    wait_polls(stranger)
    before = len(stranger.published)
    stranger.delete()
    poll(lambda: stranger.there and stranger.logging, within(20))
    poll(lambda: "trail.missing" in stranger.events()[before:], within(20))
    wait_polls(stranger)
    # what is not confirmed within five seconds has a message of its own
    assert stranger.events()[before:] in (["trail.missing"], ["trail.missing", "trail.resolved"]), stranger.events()
    guard.wait_status(lambda status: [trail["verdict"] for trail in status["trails"]] == ["logging"])


def test_who_did_it_is_found_where_sts_is_not_there(make_guard, make_stranger):
    stranger = make_stranger("naive")
    guarding(make_guard, stranger, attribution=True)
    stranger.LookupEvents = lambda _: answer_json({"Events": [{
        "EventId": "e-1", "EventName": "StopLogging", "EventTime": stranger.stopped, "Username": "mallory",
        "Resources": [{"ResourceType": "AWS::CloudTrail::Trail", "ResourceName": NAME}]}] if stranger.stopped else []})
    stranger.stop()
    poll(lambda: "trail.attributed" in stranger.events(), within(30))
    assert "mallory" in stranger.published[-1]["Message"]


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_else_starts_the_trail_has_not_replaced_it(make_guard, make_stranger, kind):
    stranger = make_stranger(kind)
    guarding(make_guard, stranger, mode="observe")
    wait_polls(stranger)
    before = len(stranger.published)
    stranger.stop()
    poll(lambda: stranger.events()[before:] == ["trail.stopped"], within(15))
    stranger.start()
    poll(lambda: len(stranger.published) > before + 1, within(15))
    wait_polls(stranger)
    assert stranger.events()[before:] == ["trail.stopped", "trail.resolved"]


def test_a_connection_that_is_dropped_for_every_other_call_holds_up_no_restart(make_guard, make_stranger):
    """That may be an outage: it is reported, call by call, and once."""
    stranger = make_stranger(lambda: Naive(dropped))
    guard = guarding(make_guard, stranger)
    stranger.stop()
    poll(lambda: stranger.logging, within(10))
    poll(lambda: "trail.stopped" in stranger.events(), within(15))
    poll(lambda: "target.unreachable" in stranger.events(), within(40))
    wait_polls(stranger)
    assert stranger.events().count("target.unreachable") <= 2, stranger.events()
    assert guard.verb("status", config=False).returncode == 2


def test_what_is_not_shown_is_said_once_and_shows_as_not_recorded(make_guard, make_stranger):
    stranger = make_stranger("naive")
    guard = guarding(make_guard, stranger)
    wait_polls(stranger)
    for what, call in (("event selectors", "GetEventSelectors"), ("Insights selectors", "GetInsightSelectors"),
                       ("tags", "ListTags"), ("the event configuration", "GetEventConfiguration")):
        assert len(guard.found(f"AWS does not show {what}: {call}: UnknownOperationException")) == 1, guard.stderr()
    assert len(guard.found("EventSelectors, .*Tags could not be read, and are not recorded yet")) == 1
    trail, = guard.status()["trails"]
    assert {"EventSelectors", "Tags"} <= set(trail["not_recorded"])
    assert "not recorded yet" in guard.verb("status", config=False).stdout


def test_moto_answers_who_is_asking(make_guard, make_stranger):
    guard = guarding(make_guard, make_stranger("moto"))
    assert [trail["account"] for trail in guard.status()["trails"]] == [ACCOUNT]
