# SPDX-License-Identifier: Apache-2.0
"""A trail that logs and cannot deliver; reminders of what stays open."""

import pytest

from guard import within
from helpers import FRA, MAIN, ORG_TRAIL, TOPIC, documents, events, mail_of, messages, sns, topic_arn, wait_alert, wait_polls

ERRORS = {      # member of GetTrailStatus: (its error, severity while validation is on)
    "LatestDeliveryError": ("AccessDenied", "critical"),
    "LatestDigestDeliveryError": ("NoSuchBucket", "critical"),
    "LatestCloudWatchLogsDeliveryError": ("ResourceNotFoundException", "warning"),
    "LatestNotificationError": ("NotFound", "warning"),
}


@pytest.fixture
def guard(sim, make_guard):
    return make_guard(sim).start().wait_guarding()


@pytest.mark.parametrize("member", ERRORS)
def test_each_kind_of_delivery_error_is_told_with_its_severity_and_resolved(sim, guard, member):
    error, severity = ERRORS[member]
    sim.trail(ORG_TRAIL, errors={member: error})
    told = wait_alert(sim, "trail.failing")
    assert told["severity"] == severity and told["action"]["taken"] == "none"
    mail = mail_of(messages(sim)[0])
    assert error in mail
    if member == "LatestDeliveryError":
        assert "30 days" in mail
    guard.wait_verdict("org-trail", "failing")
    guard.wait_line(f"org-trail {FRA} {MAIN}: .*{error}")
    wait_polls(sim, 2, FRA)
    assert events(sim) == ["trail.failing"]
    sim.trail(ORG_TRAIL, errors={})
    assert wait_alert(sim, "trail.resolved")["incident"] == told["incident"]
    guard.wait_verdict("org-trail", "logging")


def test_an_error_beside_an_older_delivery_is_an_error(sim, guard):
    """As real answers have it: AccessDenied, the newest delivery that worked, and empty strings for the rest."""
    now = sim.trail(ORG_TRAIL)["status_now"]
    sim.trail(ORG_TRAIL, errors={"LatestDeliveryError": "AccessDenied"})
    shown = sim.trail(ORG_TRAIL)["status_now"]
    assert shown["LatestDeliveryTime"] == now["LatestDeliveryTime"] and shown["LatestDeliveryAttemptTime"] == ""
    assert "LatestDigestDeliveryError" not in shown
    entry = wait_alert(sim, "trail.failing")
    assert entry["findings"] == ["delivery"] and "AccessDenied" in entry["detail"]


def test_a_digest_error_is_a_warning_where_digests_are_not_expected(sim, make_guard):
    sim.trail(ORG_TRAIL, settings={"LogFileValidationEnabled": False})
    make_guard(sim).start().wait_guarding()
    sim.trail(ORG_TRAIL, errors={"LatestDigestDeliveryError": "AccessDenied"})
    assert wait_alert(sim, "trail.failing")["severity"] == "warning"


def test_a_stop_of_a_failing_trail_is_restarted_and_told_in_the_same_incident(sim, guard, mallory):
    sim.trail(ORG_TRAIL, errors={"LatestNotificationError": "NotFound"})
    failing = wait_alert(sim, "trail.failing")
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    stopped = wait_alert(sim, "trail.stopped")
    assert stopped["incident"] == failing["incident"] and stopped["severity"] == "critical"
    guard.wait_verdict("org-trail", "failing")
    wait_polls(sim, 1, FRA)
    assert "trail.resolved" not in events(sim)


def test_a_hostile_error_text_is_escaped_everywhere(sim, guard):
    sim.trail(ORG_TRAIL, errors={"LatestDeliveryError": "Bad\x1b[31m\nCRITICAL fake\u202e"})
    wait_alert(sim, "trail.failing")
    message = messages(sim)[0]
    for text in (guard.stderr(), guard.status_text(), message["Subject"], message["received"]["email"]["Body"],
                 message["received"]["sms"]):
        assert "\x1b" not in text and "\u202e" not in text
        assert not any(line.startswith("CRITICAL fake") for line in text.splitlines())


@pytest.mark.valgrind
def test_an_open_incident_is_reminded_of_until_it_is_resolved(sim, make_guard, mallory):
    make_guard(sim, mode="observe", reminder_interval=1).start().wait_guarding()
    mallory.stop(ORG_TRAIL)
    told = wait_alert(sim, "trail.stopped")
    reminder = wait_alert(sim, "incident.reminder", count=2, seconds=15)
    assert reminder["incident"] == told["incident"] and reminder["severity"] == "critical"
    mallory.start(ORG_TRAIL)
    wait_alert(sim, "trail.resolved")
    count = len(messages(sim))
    wait_polls(sim, 3, FRA)
    told = documents(sim)
    assert len(told) == count and told[-1]["event"] == "trail.resolved"
    assert [entry["sequence"] for entry in told] == list(range(1, len(told) + 1))
    assert len({entry["id"] for entry in told}) == len(told)


def test_reminder_interval_zero_reminds_of_nothing(sim, make_guard, mallory):
    make_guard(sim, mode="observe", reminder_interval=0).start().wait_guarding()
    mallory.stop(ORG_TRAIL)
    wait_alert(sim, "trail.stopped")
    wait_polls(sim, 3, FRA)
    assert events(sim) == ["trail.stopped"]


def test_min_severity_keeps_lesser_alerts_from_a_channel(sim, make_guard, mallory):
    pager = sim.add_topic(topic_arn("pager"))
    guard = make_guard(sim, alerts=sns(TOPIC) + sns(pager, min_severity="critical")).start().wait_guarding()
    sim.trail(ORG_TRAIL, errors={"LatestNotificationError": "NotFound"})
    assert wait_alert(sim, "trail.failing")["severity"] == "warning"
    mallory.stop(ORG_TRAIL)
    wait_alert(sim, "trail.stopped", pager)
    wait_alert(sim, "trail.stopped")
    guard.wait_delivered()
    assert events(sim, pager) == ["trail.stopped"]
    assert events(sim) == ["trail.failing", "trail.stopped"]
