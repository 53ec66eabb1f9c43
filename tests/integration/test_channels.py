# SPDX-License-Identifier: Apache-2.0
"""Alerts get through: later when SNS is down, by the other channel when one is gone, and once when two guards send."""

import pytest

from guard import within
from helpers import (FRA, IAD, MAIN, ORG_TRAIL, TOPIC, documents, events, mail_of, messages, sns, topic_arn, trail_arn,
                     wait_alert, wait_message, wait_polls)
from simaws.client import poll

FIFO = topic_arn("trailguard.fifo")
OTHER = topic_arn("other", IAD)


def published(sim, topic):
    return sim.call("published", topic=topic)


@pytest.mark.valgrind
def test_alerts_of_an_sns_outage_come_later_and_none_is_lost(sim, make_guard, mallory):
    audit = sim.add_trail("second", MAIN, FRA)
    guard = make_guard(sim, aws={"max_attempts": 1}).start().wait_guarding().wait_baselines(2, weak=1)
    with sim.fault("http503", service="sns"):
        for arn in (ORG_TRAIL, audit):
            mallory.stop(arn)
            sim.wait_for_trail(arn, within(10), logging=True)
        guard.wait_status(lambda status: status["outbox"]["depth"] == 2)
        assert len(guard.outbox_files()) == 2
        sim.wait_for_request(within(20), count=2, operation="Publish")
    guard.wait_delivered(30)
    assert [(entry["event"], entry["trail"]["name"]) for entry in documents(sim)] == [
        ("trail.stopped", "org-trail"), ("trail.stopped", "second")]
    assert guard.outbox_files() == []
    assert len(guard.found("alert was not taken")) == 1


def test_the_lost_answer_to_a_publish_gives_one_message_on_a_fifo_topic(sim, make_guard, mallory):
    sim.add_topic(FIFO)
    guard = make_guard(sim, alerts=sns(FIFO)).start().wait_guarding()
    sim.add_fault("reset", operation="Publish", executed=True, count=2)
    mallory.stop(ORG_TRAIL)
    poll(lambda: published(sim, FIFO)["accepted"] >= 2, within(15))
    guard.wait_delivered()
    assert published(sim, FIFO)["delivered"] == 1


@pytest.mark.valgrind
def test_a_deleted_topic_is_told_through_the_other_channel_and_caught_up_when_it_is_back(sim, make_guard, mallory):
    sim.add_topic(OTHER)
    guard = make_guard(sim, alerts=sns(TOPIC, OTHER)).start().wait_guarding()
    sim.call("topic", arn=TOPIC, delete=True)
    mallory.stop(ORG_TRAIL)
    wait_alert(sim, "trail.stopped", OTHER)
    failed = wait_alert(sim, "channel.failed", OTHER)
    assert failed["severity"] == "critical" and failed["trail"] is None
    message = next(message for message in messages(sim, OTHER) if "channel" in message["Subject"])
    assert TOPIC in mail_of(message) and "Topic does not exist" in mail_of(message)
    status = guard.wait_status(lambda status: any(channel["failed"] for channel in status["channels"]))
    assert [channel["failed"] for channel in status["channels"]] == [True, False]
    assert guard.verb("status").returncode == 2
    wait_polls(sim, 2, FRA)
    assert len(sim.requests(operation="Publish", topic=TOPIC)) == 1, "a channel that is gone is tried at leisure"
    sim.add_topic(TOPIC)
    guard.reload()          # also tries again at once
    wait_alert(sim, "trail.stopped")
    wait_alert(sim, "channel.recovered", OTHER)
    guard.wait_delivered()
    assert events(sim, OTHER) == ["trail.stopped", "channel.failed", "channel.recovered"]
    assert events(sim)[0] == "trail.stopped"
    told = [entry for entry in documents(sim, OTHER) if entry["event"].startswith("channel.")]
    assert [entry["sequence"] for entry in told] == [1, 2] and len({entry["incident"] for entry in told}) == 1


def test_a_failed_channel_is_known_after_a_restart_told_once_and_its_recovery_too(sim, make_guard, mallory):
    sim.add_topic(OTHER)
    guard = make_guard(sim, alerts=sns(TOPIC, OTHER)).start().wait_guarding()
    sim.call("topic", arn=TOPIC, delete=True)
    mallory.stop(ORG_TRAIL)
    failed = wait_alert(sim, "channel.failed", OTHER)
    for end in (guard.stop, guard.kill):
        end()
        count = len(sim.requests(operation="Publish", topic=TOPIC))
        guard.start().wait_guarding()
        sim.wait_for_request(within(10), count=count + 1, operation="Publish", topic=TOPIC)
        guard.wait_status(lambda status: [channel["failed"] for channel in status["channels"]] == [True, False])
    guard.stop()
    sim.add_topic(TOPIC)
    with sim.fault("hang", service="sts"):      # the account is not known yet
        guard.start()
        recovered = wait_alert(sim, "channel.recovered", OTHER)
    assert recovered["incident"] == failed["incident"] and recovered["account"] == MAIN
    assert events(sim, OTHER) == ["trail.stopped", "channel.failed", "channel.recovered"]


def test_a_failed_channel_that_is_taken_out_ends_its_incident(sim, make_guard, mallory):
    sim.add_topic(OTHER)
    guard = make_guard(sim, alerts=sns(TOPIC, OTHER)).start().wait_guarding()
    sim.call("topic", arn=TOPIC, delete=True)
    mallory.stop(ORG_TRAIL)
    failed = wait_alert(sim, "channel.failed", OTHER)
    guard.write_config(alerts=sns(OTHER))
    guard.reload()
    ended = wait_alert(sim, "channel.recovered", OTHER)
    assert ended["incident"] == failed["incident"] and ended["resolved"] and ended["detail"] == f"sns:{TOPIC}"
    assert "is no longer configured" in ended["summary"]
    guard.wait_delivered()
    guard.reload()
    wait_polls(sim, 2, FRA)
    assert events(sim, OTHER) == ["trail.stopped", "channel.failed", "channel.recovered"]


def test_a_topic_that_nobody_subscribed_to_is_an_incident_that_the_other_channel_reports(sim, make_guard):
    sim.add_topic(OTHER, subscriptions=[{"protocol": "email", "endpoint": "a@example.com", "pending": True}])
    guard = make_guard(sim, alerts=sns(TOPIC, OTHER)).start().wait_guarding()
    guard.reload()              # checks at once
    unheard = wait_alert(sim, "channel.unheard")
    assert unheard["severity"] == "critical" and unheard["trail"] is None
    assert unheard["detail"] == f"sns:{OTHER}: the topic has no confirmed subscription; 1 waits for confirmation"
    status = guard.wait_status(lambda status: [one["unheard"] for one in status["channels"]] == [False, True])
    assert "nobody receives alerts through 1 of 2 channels" in status["line"]
    guard.assert_status_documented()
    assert guard.verb("status").returncode == 2
    checked = guard.verb("check")
    assert checked.returncode == 2 and f"channel sns:{OTHER} reaches nobody: " in checked.stdout
    assert f"channel sns:{TOPIC}: 1 confirmed subscription" in checked.stdout
    guard.wait_delivered()
    guard.kill()                # reported once, whatever happens to the guard
    guard.start().wait_guarding()
    guard.wait_status(lambda status: status["channels"][1]["unheard"])
    guard.write_config(alerts=sns(TOPIC))
    guard.reload()
    left = wait_alert(sim, "channel.heard")
    assert left["incident"] == unheard["incident"] and "is no longer configured" in left["summary"]
    guard.write_config(alerts=sns(TOPIC, OTHER))
    guard.reload()
    unheard = wait_alert(sim, "channel.unheard", OTHER, count=2)
    sim.call("topic", arn=OTHER, subscriptions=[{"protocol": "email", "endpoint": "a@example.com"}])
    sim.call("topic", arn=TOPIC, policy=[{"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": TOPIC}])
    guard.reload()
    heard = wait_alert(sim, "channel.heard", OTHER)
    assert heard["incident"] == unheard["incident"] and heard["detail"] == f"sns:{OTHER}: 1 confirmed subscription"
    failed = wait_alert(sim, "channel.failed", OTHER)
    assert failed["detail"].startswith(f"sns:{TOPIC}: ") and "Publish" in failed["detail"]
    assert sorted(events(sim, OTHER)) == ["channel.failed", "channel.heard", "channel.unheard", "channel.unheard"]


def test_a_denied_channel_keeps_its_alerts(sim, make_guard, mallory):
    guard = make_guard(sim).start().wait_guarding()
    sim.add_fault("denied", operation="Publish", count=1)
    mallory.stop(ORG_TRAIL)
    guard.wait_status(lambda status: status["channels"][0]["failed"])
    guard.wait_line("SNS:Publish")
    assert len(guard.outbox_files()) >= 1
    guard.reload()
    wait_alert(sim, "trail.stopped")
    guard.wait_delivered()


def test_a_message_that_sns_refuses_for_good_is_set_aside_and_the_next_gets_through(sim, make_guard, mallory):
    guard = make_guard(sim).start().wait_guarding()
    sim.add_fault("error", operation="Publish", code="InvalidParameter", message="Invalid parameter: Message too long",
                  status=400, count=1)
    mallory.stop(ORG_TRAIL)
    guard.wait_line("Message too long")
    guard.wait_delivered()
    refused = list((guard.state / "outbox/refused").iterdir())
    assert len(refused) == 1 and "trail.stopped" in refused[0].read_text()
    mallory.stop(ORG_TRAIL)
    assert wait_alert(sim, "trail.stopped")["sequence"] == 2


def test_channels_do_not_wait_for_each_other(sim, make_guard, mallory):
    sim.add_topic(OTHER)
    make_guard(sim, alerts=sns(TOPIC, OTHER)).start().wait_guarding()
    with sim.fault("hang", service="sns", topic=TOPIC):
        for count in (1, 2):
            mallory.stop(ORG_TRAIL)
            sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
            wait_message(sim, OTHER, 5, count=count)
    wait_message(sim, TOPIC, 30, count=2)


def test_a_topic_is_published_to_in_its_own_region(sim, make_guard, mallory):
    sim.add_topic(OTHER)
    make_guard(sim, alerts=sns(OTHER)).start().wait_guarding()
    mallory.stop(ORG_TRAIL)
    wait_alert(sim, "trail.stopped", OTHER)
    assert {entry["region"] for entry in sim.requests(operation="Publish")} == {IAD}


# -- two guards --------------------------------------------------------------------------------------------------------
@pytest.fixture
def pair(sim, make_guard):
    """Two guards of one trail and one FIFO topic; the second looks so seldom that it sees what the first has done."""
    sim.add_topic(FIFO)

    def start(**second):
        guards = [make_guard(sim, alerts=sns(FIFO)), make_guard(sim, alerts=sns(FIFO), **second)]
        return [guard.start().wait_guarding() for guard in guards]
    return start


@pytest.mark.parametrize("second", [{}, {"poll_interval": 3, "settings_interval": 3}], ids=["alike", "slower"])
def test_two_guards_of_one_trail_deliver_one_message_through_a_fifo_topic(sim, pair, mallory, second):
    guards = pair(**second)
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    poll(lambda: published(sim, FIFO)["accepted"] >= 2, within(20))
    for guard in guards:
        guard.wait_delivered()
    assert published(sim, FIFO)["delivered"] == 1, [(entry["event"], entry["id"]) for entry in documents(sim, FIFO)]
    (message,) = messages(sim, FIFO)
    assert message["MessageGroupId"] == "org-trail" and len(message["MessageDeduplicationId"]) == 64
    (told,) = documents(sim, FIFO)
    assert told["id"] == message["MessageDeduplicationId"]


def test_two_guards_with_a_flap_between_their_looks_deliver_one_message(sim, pair, mallory):
    pair()
    mallory.flap(ORG_TRAIL)
    poll(lambda: published(sim, FIFO)["accepted"] >= 2, within(20))
    assert published(sim, FIFO)["delivered"] == 1


def test_a_second_stop_is_a_second_message_on_a_fifo_topic(sim, pair, mallory):
    pair()
    for count in (2, 4):
        mallory.stop(ORG_TRAIL)
        sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
        poll(lambda: published(sim, FIFO)["accepted"] >= count, within(20))
    assert published(sim, FIFO)["delivered"] == 2


# -- nobody to tell ----------------------------------------------------------------------------------------------------
def test_without_channels_nothing_waits_and_the_journal_has_it_all_the_same(sim, make_guard, mallory):
    guard = make_guard(sim, mode="observe", alerts=(), regions=[IAD, FRA], reminder_interval=1).start()
    guard.wait_guarding().wait_baselines(2, weak=0)
    mallory.stop(ORG_TRAIL)
    guard.wait_line(f"org-trail {FRA} {MAIN}: logging was stopped at")
    mallory.start(ORG_TRAIL)
    guard.wait_line(f"org-trail {FRA} {MAIN}: logging again")
    wait_polls(sim, 2, FRA)
    assert guard.outbox_files() == [] and guard.status()["outbox"]["depth"] == 0


def test_what_is_too_little_for_every_channel_does_not_wait_behind_an_outage(sim, make_guard, mallory):
    with sim.fault("http503", service="sns"):
        guard = make_guard(sim, alerts=sns(TOPIC, min_severity="critical"), regions=[IAD]).start().wait_guarding()
        guard.wait_baselines(2, weak=0)
        mallory.stop(trail_arn("audit"))
        poll(guard.outbox_files, within(10))
        guard.wait_line("an alert was not taken, trying again")
        sim.trail(trail_arn("audit"), errors={"LatestNotificationError": "NotFound"})
        guard.wait_line("audit .*NotFound")
        wait_polls(sim, 1, IAD)
        (waits,) = guard.outbox_files()
    guard.wait_delivered(30)
    assert events(sim, baselines=True) == ["trail.stopped"]
