# SPDX-License-Identifier: Apache-2.0
"""What the machine around the daemon does: it is suspended, its resolver fails and changes its mind, descriptors run out.
The daemon goes on, says what was wrong, and loses nothing."""

import resource
import struct

import pytest

from faulted import PRELOAD, gap_of, preloaded, received, under_two_ids, wait_quiet
from guard import within
from helpers import FRA, MAIN, epoch, sns, topic_arn, wait_polls
from simaws.client import poll
from simaws.regions import all_regions
from test_churn import descriptors

pytestmark = preloaded

WORLD = PRELOAD.with_name("world.so")
TOPIC = topic_arn("trailguard.fifo")
NAME = "aws.simaws.test"
NOBODY = "127.0.0.77"       # this host, where nothing listens on the port


@pytest.fixture
def quiet(tls_sim):
    """One trail, one topic. Over TLS, so that names are looked up and an answer's Date corrects the clock."""
    tls_sim.reset()
    tls_sim.add_account(MAIN)
    tls_sim.add_user("guard", MAIN)
    tls_sim.add_topic(TOPIC)
    tls_sim.arn = tls_sim.add_trail("watched", MAIN, FRA, IsMultiRegionTrail=False)
    yield tls_sim
    tls_sim.clock(0)
    tls_sim.clear_failures()


def begin(sim, make_guard, env, **options):
    guard = make_guard(sim, trails=["watched"], alerts=sns(TOPIC), regions=[FRA],
                       env={"LD_PRELOAD": str(WORLD), **env}, **options)
    guard.start().wait_guarding().wait_baselines(1, weak=0)
    poll(lambda: guard.remembers(sim.arn), within(10))
    return guard


def stop_and_see(sim, guard, seconds=60):
    """A stop from now on is undone and reported once."""
    before = [entry["gap"] for entry in received(sim, TOPIC) if entry["gap"]]
    # alerts name seconds: a stop within two seconds of another could not be told from it
    poll(lambda: all(epoch(gap["from"]) + 2 < sim.call("clock")["now"] for gap in before), within(10))
    stopped = sim.trail(sim.arn, logging=False)["stopped"]
    sim.wait_for_trail(sim.arn, within(seconds), logging=True)
    poll(lambda: gap_of(received(sim, TOPIC), stopped), within(seconds))
    wait_quiet(guard, seconds)
    assert not under_two_ids(received(sim, TOPIC)) and guard.process.poll() is None


# -- suspend -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("hours", [1 / 3600, 1 / 6, 72], ids=["1 s", "10 min", "3 days"])
def test_after_a_suspend_a_poll_follows_at_once_and_nothing_else_is_said(quiet, place, make_guard, hours):
    seconds, interval = round(hours * 3600), 20
    slept = place / "slept"
    slept.write_bytes(struct.pack("=q", 0))
    guard = begin(quiet, make_guard, {"WORLD_SLEPT": str(slept)}, poll_interval=interval, settings_interval=30)
    guard.wait_delivered()
    before, begun = len(received(quiet, TOPIC)), quiet.mark()
    # while it sleeps someone stops the trail; AWS's time goes on, too
    quiet.clock(seconds)
    stopped = quiet.trail(quiet.arn, logging=False)["stopped"]
    woke = guard.mark()
    slept.write_bytes(struct.pack("=q", seconds * 1_000_000))
    wait_polls(quiet, 1, FRA, begun, seconds=5 if seconds > interval else interval + 5)
    quiet.wait_for_trail(quiet.arn, within(10), logging=True)
    poll(lambda: gap_of(received(quiet, TOPIC), stopped), within(30))
    wait_quiet(guard)
    said = received(quiet, TOPIC)[before:]
    assert {entry["event"] for entry in said} <= {"trail.stopped", "trail.interrupted", "trail.resolved"}, said
    assert not under_two_ids(said) and not guard.found("unreachable|late", woke)
    # a round at most that was missed, not one for each interval
    assert len(quiet.requests(since=begun)) < 40
    stop_and_see(quiet, guard)


# -- names -------------------------------------------------------------------------------------------------------------
class Names:
    def __init__(self, place):
        self.path = place / "names"
        self.env = {"WORLD_NAMES": str(self.path)}

    def be(self, text):
        new = self.path.with_suffix(".new")
        new.write_text(text)
        new.rename(self.path)


@pytest.mark.parametrize("trouble", ["again", "none", "hang", NOBODY, f"{NOBODY} 127.0.0.78 127.0.0.1"],
                         ids=["fails", "no such name", "hangs", "a dead address", "dead addresses before a good one"])
def test_whatever_the_resolver_does_a_stop_is_reported_and_undone_after_it(quiet, place, make_guard, trouble):
    names = Names(place)
    names.be("127.0.0.1")
    url = quiet.url.replace("127.0.0.1", NAME)
    guard = begin(quiet, make_guard, names.env, aws={"endpoint_url": url, "request_timeout": 2, "max_attempts": 1})
    before = len(received(quiet, TOPIC))
    names.be(trouble)
    # kept connections end, so that the name is asked for
    quiet.add_fault("close", count=20)
    if "127.0.0.1" in trouble.split():
        stop_and_see(quiet, guard)
        return
    mark = guard.mark()
    guard.reload()          # forgets the addresses that worked, as a restart of the daemon would
    guard.wait_line(NAME, 30, mark)
    stopped = quiet.trail(quiet.arn, logging=False)["stopped"]
    names.be("127.0.0.1")
    quiet.wait_for_trail(quiet.arn, within(90), logging=True)
    poll(lambda: gap_of(received(quiet, TOPIC), stopped), within(60))
    wait_quiet(guard, 60)
    assert not under_two_ids(received(quiet, TOPIC)[before:]) and guard.process.poll() is None
    stop_and_see(quiet, guard)


def test_a_name_that_moves_to_another_address_is_followed(quiet, place, make_guard):
    """As with each rotation of AWS's addresses: where it was nobody answers any more."""
    names = Names(place)
    names.be(f"127.0.0.1 {NOBODY}")
    url = quiet.url.replace("127.0.0.1", NAME)
    guard = begin(quiet, make_guard, names.env, aws={"endpoint_url": url, "request_timeout": 2})
    for addresses in (f"{NOBODY} 127.0.0.1", "127.0.0.1", f"127.0.0.78 {NOBODY} 127.0.0.1"):
        names.be(addresses)
        quiet.add_fault("close", count=5)
        stop_and_see(quiet, guard)
    assert not guard.found("unreachable")


# -- descriptors -------------------------------------------------------------------------------------------------------
def test_without_descriptors_it_says_so_and_goes_on_when_there_are_some(quiet, place, make_guard):
    guard = begin(quiet, make_guard, {}, aws={"request_timeout": 2, "max_attempts": 1})
    pid = guard.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    mark = guard.mark()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
    quiet.add_fault("close", count=20)      # kept connections end, and no other can be opened
    guard.wait_line("[Tt]oo many open files|No file descriptors", 30, mark)
    stopped = quiet.trail(quiet.arn, logging=False)["stopped"]
    guard.wait_line("[Tt]oo many open files|No file descriptors", 30, mark, count=3)
    assert guard.process.poll() is None
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    quiet.wait_for_trail(quiet.arn, within(90), logging=True)
    poll(lambda: gap_of(received(quiet, TOPIC), stopped), within(60))
    wait_quiet(guard, 60)
    assert not under_two_ids(received(quiet, TOPIC))
    stop_and_see(quiet, guard)


def test_with_64_descriptors_it_guards_every_region(quiet, place, make_guard):
    """It wants a connection for each region at once, and more than there can be."""
    regions = all_regions()
    quiet.add_account(MAIN, regions=regions)
    arns = [quiet.add_trail(f"many-{number}", MAIN, region, IsMultiRegionTrail=False)
            for number, region in enumerate(regions) if region != FRA]
    guard = make_guard(quiet, regions=regions, alerts=sns(TOPIC), aws={"request_timeout": 5, "max_attempts": 2})
    guard.start(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))).wait_guarding(60)
    stops = {arn: quiet.trail(arn, logging=False)["stopped"] for arn in [quiet.arn, *arns]}
    for arn in stops:
        quiet.wait_for_trail(arn, within(60), logging=True)
    poll(lambda: all(gap_of([entry for entry in received(quiet, TOPIC) if entry["trail"] and entry["trail"]["arn"] == arn], stopped)
                     for arn, stopped in stops.items()), within(60))
    wait_quiet(guard, 60)
    assert not under_two_ids(received(quiet, TOPIC)) and descriptors(guard.process.pid) < 64
    assert not guard.found("[Tt]oo many open files")


def test_with_too_few_descriptors_to_begin_it_ends_with_the_reason(quiet, make_guard):
    guard = make_guard(quiet, trails=["watched"], alerts=sns(TOPIC))
    for limit in (4, 6, 8, 10):
        guard.start(lambda limit=limit: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
        try:
            status = guard.wait(5)
        except Exception:
            break       # enough to run with; what it cannot do it says, as above
        assert status == 1, guard.stderr()
        assert guard.found("[Tt]oo many open files"), guard.stderr()
    guard.process is None or guard.stop()
