# SPDX-License-Identifier: Apache-2.0
"""Receivers that answer as no receiver should: slow, without end, compressed, elsewhere, with HTTP/2, half closed. Each try ends
by its deadline with a line that says why; memory stays small, nothing else waits, and when they are well again they have
every alert."""

import pytest

from guard import PLAIN, within
from helpers import FRA, ORG_TRAIL, TOPIC, events, intervals, sns, wait_alert
from simaws import certificates, faults
from simaws.client import poll
from simaws.http import Listener, Response, tls_context

# kind and fields of a fault of the simulated AWS, and what the daemon says about it
ODD = {
    "hang": ({}, "timed out"),
    "trickle": ({}, "timed out"),
    "half_closed.at-once": ({"after": "nothing"}, "Empty reply from server"),
    "half_closed.after-the-headers": ({"after": "headers"}, "with 100 bytes remaining"),
    "half_closed.in-the-body": ({"after": "body"}, "with 86 bytes remaining"),
    "reset": ({}, "Connection reset by peer"),
    "oversize": ({"bytes": 8 << 20}, "larger than this program accepts"),
    "header_flood": ({}, "larger than this program accepts"),
    "line_flood": ({}, "Header without colon|larger than"),
    "interim_flood": ({}, "larger than this program accepts"),
    "upgrade": ({}, "101"),
    "redirect": ({"location": "http://127.0.0.1:9/"}, "HTTP 301"),
    "garbage": ({}, None),          # 200 is 200, whatever follows
    "compressed": ({}, None),
}


def answer_of(name):
    fields, _ = ODD.get(name, ({}, None))
    kind = name.partition(".")[0]
    response = Response()
    if kind == "hang":
        response.hang = lambda: True
    elif kind == "http_2":
        response.pieces = [faults.H2_SETTINGS]
    else:
        return faults.REPLACING[kind](fields)
    return response


class Odd:
    """A web service that answers in this way until it is well."""

    def __init__(self, name, context=None):
        self.name, self.well, self.posts = name, False, []
        self.listener = Listener(name, "127.0.0.1", 0, self.answer, context)
        self.listener.start()
        self.url = self.listener.url

    def answer(self, request):
        self.posts.append((self.well, request.path, request.body))
        return Response(200, [("Content-Type", "text/plain")], b"ok") if self.well else answer_of(self.name)

    def taken(self):
        """The bodies that it took; "" of a look whether it is there."""
        return [body.decode() for well, _, body in self.posts if well]


@pytest.fixture
def odd_ones():
    running = [Odd(name) for name in ODD]
    yield running
    for one in running:
        one.listener.stop()


def peak_kib(guard):
    with open(f"/proc/{guard.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


@pytest.mark.parametrize("kind", ["webhook", "alertmanager"])
def test_no_receiver_disturbs_another_and_all_have_the_alert_when_they_are_well(sim, make_guard, mallory, odd_ones, kind):
    channels = [{"type": kind, "name": one.name, "events": ["trail.*"],
                 **({"url": one.url} if kind == "webhook" else {"urls": [one.url]})} for one in odd_ones]
    guard = make_guard(sim, mode="observe", trails=[ORG_TRAIL], alerts=[*channels, *sns(TOPIC)]).start().wait_guarding()
    guard.wait_baselines(1, weak=0)
    before, begun = peak_kib(guard), sim.mark()
    mallory.stop(ORG_TRAIL)
    incident = wait_alert(sim, "trail.stopped")["incident"]
    for one in odd_ones:
        if said := ODD[one.name][1]:
            guard.wait_line(f"{kind}:{one.name}: an alert was not taken, trying again: .*{said}", 40)
        else:
            guard.wait_line(f"sent by {kind}:{one.name}: ")
    if PLAIN:
        assert peak_kib(guard) - before < 4096, "memory follows what a receiver sends"
        assert max(intervals(sim, FRA, begun)) < 5, "polls waited for a receiver"
    for one in odd_ones:
        one.well = True
    guard.reload()              # who mended a receiver does not wait for the next try
    for one in odd_ones:
        if ODD[one.name][1]:
            poll(lambda one=one: any(incident in text for text in one.taken()), within(30))
    guard.wait_delivered(30)
    poll(lambda: events(sim).count("channel.recovered") == events(sim).count("channel.failed"), within(30))
    assert "trail.stopped" in events(sim) and guard.process.poll() is None


def test_a_heartbeat_that_meets_odd_servers_ends_by_its_deadline_and_goes_on(sim, make_guard, odd_ones):
    """A new server each time; a signal that hangs delays only signals."""
    guards = [make_guard(sim, alerts=(), heartbeat={"url": one.url, "interval": 1}, unreachable_after=3).start()
              for one in odd_ones]
    for one, guard in zip(odd_ones, guards):
        if said := ODD[one.name][1]:
            guard.wait_line(f"heartbeat.*{said}", 60)
        guard.wait_guarding()
    for one in odd_ones:
        one.well = True
    for one, guard in zip(odd_ones, guards):
        poll(lambda one=one: sum(well for well, _, _ in one.posts) >= 2, within(60))
        guard.wait_status(lambda status: all(trail["verdict"] == "logging" for trail in status["trails"]))


# -- HTTP/2 ------------------------------------------------------------------------------------------------------------
def test_a_server_that_prefers_http_2_is_spoken_to_in_http_1_1(tls_sim, make_guard):
    """The simulated AWS would take HTTP/2 before anything else, and then not understand a word of it."""
    guard = make_guard(tls_sim, log_level="debug").start().wait_guarding()
    tls_sim.trail(ORG_TRAIL, logging=False)
    wait_alert(tls_sim, "trail.stopped")
    asked = tls_sim.requests(principal="*:user/guard")
    assert len(asked) > 5 and {(entry["status"], entry["alpn"]) for entry in asked} == {(200, "http/1.1")}
    assert not guard.found("trying again|failed")


def test_a_receiver_that_speaks_http_2_only_is_reported_and_has_the_alert_once_it_speaks_http_1_1(sim, make_guard, mallory, place):
    authority, chain, key = certificates.make(str(place))
    context = tls_context(chain, key)
    context.set_alpn_protocols(["h2"])
    one = Odd("http_2", context)
    try:
        guard = make_guard(sim, mode="observe", trails=[ORG_TRAIL], aws={"ca_bundle": authority},
                           alerts=[{"type": "webhook", "name": "h2", "url": one.url, "events": ["trail.*"]}])
        guard.start().wait_guarding()
        mallory.stop(ORG_TRAIL)
        guard.wait_line("webhook:h2: an alert was not taken, trying again: .*HTTP/0.9", 15)
        context.set_alpn_protocols(["http/1.1"])
        one.well = True
        guard.reload()
        poll(lambda: any("trail.stopped" in text for text in one.taken()), within(20))
        guard.wait_delivered()
    finally:
        one.listener.stop()
