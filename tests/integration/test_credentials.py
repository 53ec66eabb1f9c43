# SPDX-License-Identifier: Apache-2.0
"""Where keys come from, how changed ones are picked up, and what happens without any; and a wrong clock."""

import json
import time
import urllib.request

import pytest

from guard import SCALE, within
from helpers import FRA, IAD, MAIN, ORG_TRAIL, documents, events, matches, wait_alert, wait_polls
from simaws.client import poll


def write_keys(path, keys, profile="default"):
    """A shared credentials file, as `aws configure` writes it."""
    token = f"aws_session_token = {keys['token']}\n" if keys.get("token") else ""
    path.write_text(f"[{profile}]\naws_access_key_id = {keys['access_key']}\n"
                    f"aws_secret_access_key = {keys['secret']}\n{token}")
    path.chmod(0o600)


@pytest.fixture
def keys_file(place):
    return place / "credentials"


@pytest.fixture
def guard_with_file(sim, make_guard, keys_file):
    """A guard with no keys in its environment, that looks for them in a file (not written yet)."""
    def make(sim=sim, **options):
        aws = {"credentials_file": str(keys_file), "max_attempts": 1, **options.pop("aws", {})}
        none = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
        return make_guard(sim, env={**none, **options.pop("env", {})}, aws=aws, **options)
    return make


def only_credentials_failed(sim):
    """The refusals that a test caused on purpose are of this kind alone."""
    kinds = {failure["kind"] for failure in sim.clear_failures()}
    assert kinds <= {"credentials"}, kinds
    return kinds


@pytest.mark.valgrind
def test_keys_in_a_file_work_and_a_rotated_file_is_picked_up_by_itself(sim, guard_with_file, keys_file):
    old = sim.keys_of("guard")
    write_keys(keys_file, old)
    guard = guard_with_file(unreachable_after=5).start().wait_guarding()
    new = sim.add_user("guard2", MAIN)
    guard.secrets.append(new["secret"])
    write_keys(keys_file, new)
    sim.call("key", access_key=old["access_key"], active=False)
    wait_polls(sim, 2, FRA, access_key=new["access_key"], status=200, seconds=20)
    assert documents(sim) == [] and not guard.found("could not be polled")
    assert guard.verdicts() == {"org-trail": "logging"}
    only_credentials_failed(sim)


def test_an_expired_session_is_told_and_a_new_one_in_the_file_is_picked_up(sim, guard_with_file, keys_file):
    session = sim.add_user("session", MAIN, token="SESSION" + "t" * 600, expires=time.time() + 3600)
    write_keys(keys_file, session)
    guard = guard_with_file(unreachable_after=2, log_level="debug").start().wait_guarding()
    guard.secrets += [session["secret"], session["token"]]
    sim.call("key", access_key=session["access_key"], expires=time.time() - 1)
    guard.wait_verdict("org-trail", "unknown", 20)
    matches("expired", guard.stderr())
    fresh = sim.add_user("fresh", MAIN, token="FRESH" + "t" * 600, expires=time.time() + 3600)
    guard.secrets += [fresh["secret"], fresh["token"]]
    write_keys(keys_file, fresh)
    guard.wait_verdict("org-trail", "logging", 30)
    wait_alert(sim, "target.reachable", seconds=20)
    assert events(sim) == ["target.unreachable", "target.reachable"]
    only_credentials_failed(sim)


@pytest.mark.valgrind
def test_without_keys_it_is_ready_says_so_and_takes_them_on_reload(sim, guard_with_file, keys_file, mallory):
    guard = guard_with_file(poll_interval=60, settings_interval=60).start().wait_ready()
    guard.wait_told("^STATUS=.*(credential|key)")
    guard.wait_line("credential|key")
    mark = guard.mark()
    write_keys(keys_file, sim.keys_of("guard"))
    guard.reload()
    guard.wait_verdict("org-trail", "logging")      # by itself it would look in a minute
    guard.wait_told("^STATUS=guarding 1 trail", since=mark)
    guard.write_config(poll_interval=1)
    guard.reload()
    mallory.stop(ORG_TRAIL)
    wait_alert(sim, "trail.stopped")


def test_without_keys_it_takes_a_file_that_appears_without_being_told(sim, guard_with_file, keys_file):
    guard = guard_with_file().start().wait_ready()
    guard.wait_told("^STATUS=.*(credential|key)")
    write_keys(keys_file, sim.keys_of("guard"))
    guard.wait_verdict("org-trail", "logging", 70)


@pytest.mark.parametrize("content", ["", "[default]\n", "[default]\naws_access_key_id = AKIAEXAMPLE\n", "\x00\xff garbage",
                                     "[other]\naws_access_key_id=a\naws_secret_access_key=b\n"])
def test_a_bad_key_file_is_named_and_shows_no_contents(sim, guard_with_file, keys_file, content):
    keys_file.write_bytes(content.encode("latin-1"))
    guard = guard_with_file().start().wait_ready()
    guard.wait_line(str(keys_file))
    assert "AKIAEXAMPLE" not in guard.stderr()


def test_a_profile_is_honoured_and_the_file_wins_over_the_environment(sim, make_guard, keys_file):
    other = sim.add_user("other", MAIN)
    write_keys(keys_file, other, "guarding")
    guard = make_guard(sim, aws={"profile": "guarding"}, env={"AWS_SHARED_CREDENTIALS_FILE": str(keys_file)})
    guard.secrets.append(other["secret"])
    guard.start().wait_guarding()
    assert {entry["access_key"] for entry in sim.requests()} == {other["access_key"]}


def test_keys_from_systemd_are_found_by_name(sim, guard_with_file, place):
    directory = place / "credentials.d"
    directory.mkdir()
    write_keys(directory / "aws-credentials", sim.keys_of("guard"))
    guard = guard_with_file(env={"CREDENTIALS_DIRECTORY": str(directory)}, aws={"credentials_file": "aws-credentials"})
    guard.start().wait_guarding()
    assert guard.verdicts() == {"org-trail": "logging"}


def test_a_key_file_that_others_may_read_is_warned_about(sim, guard_with_file, keys_file):
    write_keys(keys_file, sim.keys_of("guard"))
    keys_file.chmod(0o644)
    guard_with_file().start().wait_guarding().wait_line(str(keys_file))


# -- instance metadata -------------------------------------------------------------------------------------------------
def metadata_keys(sim):
    """What the metadata service hands out at this moment."""
    base = sim.imds_url + "/latest/"
    token = urllib.request.Request(base + "api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    header = {"X-aws-ec2-metadata-token": urllib.request.urlopen(token).read().decode()}
    path = base + "meta-data/iam/security-credentials/guard-role"
    return json.load(urllib.request.urlopen(urllib.request.Request(path, headers=header)))


@pytest.mark.valgrind
def test_instance_credentials_are_used_and_refreshed_before_they_end(sim, make_guard, mallory):
    sim.add_role("guard-role", MAIN)
    seconds = 4 * min(int(SCALE), 2)        # a refresh must fit between two looks
    sim.call("imds", account=MAIN, role="guard-role", lifetime=seconds, renew_before=seconds * 5 // 8)
    guard = make_guard(sim, user=None, env={**sim.env_for("guard", imds=True), "AWS_ACCESS_KEY_ID": None,
                                            "AWS_SECRET_ACCESS_KEY": None})
    guard.start().wait_guarding()
    keys = metadata_keys(sim)
    guard.secrets += [keys["SecretAccessKey"], keys["Token"]]
    poll(lambda: sim.call("imds")["issued"] >= 4, within(30), 0.1)
    assert sim.call("imds")["unauthenticated"] == 0
    assert [failure for failure in sim.failures() if failure["kind"] != "skew"] == []
    assert {entry["status"] for entry in sim.requests(service="cloudtrail")} == {200}
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)


def test_an_instance_without_a_role_is_no_source_of_keys(sim, make_guard):
    sim.call("imds", account=MAIN, role=None)
    guard = make_guard(sim, user=None, env={**sim.env_for("guard", imds=True), "AWS_ACCESS_KEY_ID": None,
                                            "AWS_SECRET_ACCESS_KEY": None}).start().wait_ready()
    guard.wait_told("^STATUS=.*(credential|key)")
    assert sim.call("imds")["unauthenticated"] == 0


# -- the clock ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("offset", [600, -600])
def test_a_wrong_clock_is_corrected_from_answers_over_tls(tls_sim, make_guard, offset):
    tls_sim.clock(offset)
    guard = make_guard(tls_sim, regions=[FRA, IAD], unreachable_after=2).start().wait_guarding(20)
    guard.wait_line("clock")
    guard.wait_verdict("org-trail", "logging")
    guard.wait_verdict("audit", "logging")
    wait_polls(tls_sim, 3, FRA, status=200)
    mark = tls_sim.mark()
    wait_polls(tls_sim, 2, FRA)
    assert {entry["status"] for entry in tls_sim.requests(since=mark)} == {200}, "corrected once, not for each call"
    assert len(guard.found("clock")) <= 2
    assert {failure["kind"] for failure in tls_sim.clear_failures()} <= {"skew"}


def test_a_wrong_clock_is_not_corrected_from_answers_without_tls(sim, make_guard):
    sim.clock(600)
    guard = make_guard(sim, unreachable_after=2, aws={"max_attempts": 2}).start().wait_ready()
    sim.wait_for_request(within(20), count=4, operation="DescribeTrails")
    assert all(entry["status"] != 200 for entry in sim.requests(service="cloudtrail"))
    guard.wait_line("clock|[Ss]kew|[Ss]ignature expired|not yet current|RequestExpired|InvalidSignature")
    assert {failure["kind"] for failure in sim.clear_failures()} == {"skew"}


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_sim, make_guard):
    guard = make_guard(tls_sim, unreachable_after=2, env={"AWS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt"},
                       aws={"max_attempts": 1}).start().wait_ready()
    guard.wait_line("[Cc]ertificate")
    guard.wait_status(lambda status: status["targets"][0]["state"] == "unreachable", 20)
    assert tls_sim.requests() == []
