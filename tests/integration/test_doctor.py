# SPDX-License-Identifier: Apache-2.0
"""check --doctor: what a first run prints when all is well, and for each thing that may be wrong."""

import json
import re
import subprocess

import pytest

from conftest import TOP
from guard import BINARY
from helpers import FRA, MAIN, ORG_TRAIL, READS, TOPIC, messages, operations, sns, topic_arn, trail_arn
from schemas import validated
from simaws.regions import DEFAULT_REGIONS

pytestmark = pytest.mark.usefixtures("judged_again")

OK, WARNING, CRITICAL, UNKNOWN = range(4)
GUARD = f"arn:aws:iam::{MAIN}:user/guard"
MEMBER = "444455556666"

HEALTHY = f"""\
configuration
  ok       DIR/trailguard.conf: mode restart, every 10 s
directories
  ok       DIR/state can be written
  ok       DIR/run can be written
network
  ok       no proxy
  note     AWS_ENDPOINT_URL is set in this environment to ENDPOINT; the unit's environment may differ
  ok       STS in eu-central-1 answers
clock
  ok       the same as AWS's, within 3 s
credentials
  ok       key AKIA...0001, from environment variable AWS_ACCESS_KEY_ID; the unit's may differ
identity
  ok       {GUARD}, account {MAIN}
regions
  ok       2 regions are polled
permissions
  ok       {MAIN}: 17 allowed, as IAM simulates them
protection
  note     {GUARD} is in {MAIN}, which it guards: administrators of that account can change its policies, its trust policy and its keys
           -> give it an account that these administrators do not have, and a role in this one
  note     {TOPIC} is in an account that is guarded: its administrators can delete it, its policy and its subscriptions
           -> use a topic of an account that is not guarded
  note     the permissions boundary has not been read
           -> set guard_checks = true
  note     AWS does not show service control policies to the guard
           -> trailguard policy scp prints one that forbids others to touch trails and guard
  note     guard_checks is off: nobody is warned when the guard's own access is changed
           -> set guard_checks = true; trailguard policy guard prints the rights that it needs
  note     alerts go through SNS alone: whoever takes the guard's rights silences it
           -> add a channel of type webhook, command or alertmanager
trails
  ok       2 trails log
baselines
  note     2 trails have no baseline yet: the daemon records it at its first complete poll
channels
  ok       sns:{TOPIC}: 1 confirmed subscription
heartbeat
  note     not configured: nobody notices when this host is down
           -> set heartbeat to an outside dead-man switch

9 notes, 12 ok
"""


@pytest.fixture
def idle(sim, make_guard):
    """What a new user has written, and a daemon that does not run."""
    return make_guard(sim, regions=[FRA, "us-east-1"], alerts=sns(TOPIC), poll_interval=10, attribution=None, owner_check=None)


def plain(guard, text):
    """Without what differs from run to run."""
    text = text.replace(str(guard.directory), "DIR").replace(guard.env.get("AWS_ENDPOINT_URL", "ENDPOINT"), "ENDPOINT")
    return re.sub(r"request id [0-9a-f-]{36}", "request id ID", text)


def doctor(guard, *arguments, **options):
    """(exit status, what was printed)."""
    done = guard.verb("check", "--doctor", *arguments, **options)
    assert done.stderr == ""
    return done.returncode, plain(guard, done.stdout)


def lines_of(text, group):
    """The rows of a group, each with what to do about it."""
    rows, inside = [], False
    for line in text.splitlines():
        if line and not line.startswith(" "):
            inside = line == group
        elif inside and line.startswith("           -> "):
            rows[-1] += " " + line.strip()
        elif inside and line:
            rows.append(" ".join(line.split()))
    return rows


def allow(sim, *actions, deny=()):
    """The guard's policy: what a default configuration needs, with more, or without some."""
    policy = json.loads((TOP / "conf/iam/guard.json").read_text())
    for statement in policy["Statement"]:
        statement["Action"] = [action for action in ([statement["Action"]] if isinstance(statement["Action"], str)
                                                     else statement["Action"]) if action not in deny]
    policy["Statement"] = [statement for statement in policy["Statement"] if statement["Action"]]
    if actions:
        policy["Statement"].append({"Sid": "More", "Effect": "Allow", "Action": list(actions), "Resource": "*"})
    sim.call("policy", principal=GUARD, policy=policy)


@pytest.mark.valgrind
def test_a_healthy_installation(sim, idle):
    assert doctor(idle) == (OK, HEALTHY)
    assert set(operations(sim)) <= READS | {"HeadBucket", "SimulatePrincipalPolicy"}
    assert messages(sim) == [] and list(idle.state.iterdir()) == [] and list(idle.runtime.iterdir()) == []


def test_the_same_as_a_document(sim, idle):
    done = idle.verb("check", "--doctor", "--json")
    view = validated(json.loads(done.stdout), "doctor")
    assert done.returncode == OK and view["result"] == "ok" and view["complete"]
    shown = [(row["group"], row["state"], plain(idle, row["text"])) for row in view["checks"]]
    assert ("identity", "ok", f"{GUARD}, account {MAIN}") in shown and len(shown) == 21
    assert [row["advice"] for row in view["checks"] if row["advice"]][-1] == "set heartbeat to an outside dead-man switch"


def test_rights_that_iam_may_not_be_asked_about_are_noted(sim, idle):
    """A call would change something. Nothing is wrong with a guard that has what `policy guard` prints."""
    allow(sim)
    status, text = doctor(idle)
    assert (status, lines_of(text, "permissions")) == (OK, [
        f"ok {MAIN}: 9 proven by calls that change nothing",
        f"note {MAIN}: cloudtrail:StartLogging, sns:Publish: not proven: no call of this check uses them, and IAM may not be asked -> "
        "trailguard test-alert proves sns:Publish; trailguard drill proves cloudtrail:StartLogging; for all, allow "
        f"iam:SimulatePrincipalPolicy on {GUARD} and run this again"])
    assert set(operations(sim)) <= READS | {"HeadBucket", "SimulatePrincipalPolicy", "GetRegionOptStatus"}


EVERYTHING = {"mode": "restore", "restore": ["settings", "selectors", "insights", "deleted"], "bucket_checks": True,
              "contain": {"mode": "enforce"}}


@pytest.mark.parametrize("options", [{}, {"mode": "observe"}, EVERYTHING, {**EVERYTHING, "guard_checks": True}],
                         ids=["default", "observe", "everything", "simulated"])
def test_the_rights_that_policy_guard_prints_are_enough(sim, make_guard, options):
    """Whoever follows the documentation gets 0."""
    guard = make_guard(sim, regions=[FRA, "us-east-1"], alerts=sns(TOPIC), poll_interval=10, attribution=True, owner_check=True,
                       **options)
    printed = guard.verb("policy", "guard")
    sim.call("policy", principal=GUARD, policy=json.loads(printed.stdout))
    status, text = doctor(guard)
    rows = [row.split()[0] for row in lines_of(text, "permissions")]
    assert rows == (["ok"] if "guard_checks" in options else ["ok", "note"]), text
    # the key of this scenario is old, and only guard_checks may read that
    assert status == (WARNING if "guard_checks" in options else OK), text
    assert text.count(" warning ") == text.count("days old") and " unknown " not in text


def test_without_an_answer_of_iam_rights_are_unknown(sim, idle):
    """Denied is how it is meant; anything else is not."""
    allow(sim, "iam:SimulatePrincipalPolicy")
    sim.add_fault("error", service="iam", operation="SimulatePrincipalPolicy", code="InvalidInput", status=400)
    status, text = doctor(idle)
    assert status == UNKNOWN and any(row.startswith(f"unknown {MAIN}: cloudtrail:StartLogging, sns:Publish: not proven: ")
                                     for row in lines_of(text, "permissions")), text


def test_a_right_that_was_tried_without_an_answer_is_unknown(sim, idle):
    allow(sim)
    sim.add_fault("error", service="cloudtrail", operation="LookupEvents", code="InvalidMaxResultsException", status=400)
    status, text = doctor(idle)
    assert status == UNKNOWN and any(row.startswith(f"unknown {MAIN}: cloudtrail:LookupEvents: not proven: cloudtrail:LookupEvents: "
                                                    "InvalidMaxResultsException") for row in lines_of(text, "permissions")), text


@pytest.mark.parametrize("simulated", [True, False])
def test_each_missing_right_is_named(sim, idle, simulated):
    """A read is missed by the calls, too; a write only where IAM says so."""
    allow(sim, *(["iam:SimulatePrincipalPolicy"] if simulated else []),
          deny=["cloudtrail:StartLogging", "cloudtrail:GetEventSelectors", "cloudtrail:LookupEvents"])
    status, text = doctor(idle)
    rows = [row for row in lines_of(text, "permissions") if row.startswith("problem")]
    missing = {re.match(rf"problem {MAIN}: (\S+) on", row)[1] for row in rows}
    reads = {"cloudtrail:GetEventSelectors", "cloudtrail:LookupEvents"}
    assert (status, missing) == (CRITICAL, reads | {"cloudtrail:StartLogging"} if simulated else reads), text
    assert all(row.endswith("-> trailguard policy guard prints the policy that is needed") for row in rows)
    if simulated:
        assert (f"problem {MAIN}: cloudtrail:StartLogging on {ORG_TRAIL}: not allowed by any policy -> trailguard policy "
                "guard prints the policy that is needed") in rows


def test_a_service_control_policy_is_named(sim, idle):
    sim.load({"accounts": [{"id": MAIN, "regions": [FRA, "us-east-1"], "scp": [
        {"Effect": "Deny", "Action": "cloudtrail:StartLogging", "Resource": "*"},
        {"Effect": "Deny", "Action": "cloudtrail:*", "Resource": "*",
         "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}},
        {"Effect": "Allow", "Action": "*", "Resource": "*"}]}], "organization": {"management": MEMBER, "members": [MAIN]}})
    status, text = doctor(idle)
    assert status == CRITICAL
    assert any(row.startswith(f"problem {MAIN}: cloudtrail:StartLogging on {ORG_TRAIL}: denied by a service control policy")
               for row in lines_of(text, "permissions")), text
    assert any(re.match(rf"problem us-east-1 {MAIN}: denied by a service control policy: .* -> exempt the guard", row)
               for row in lines_of(text, "regions")), text


def test_a_role_with_a_path_is_found(sim, make_guard):
    """Its session's ARN lacks the path, which IAM gives."""
    role = sim.add_role("guard-role", MAIN, path="/ops/")
    guard = make_guard(sim, regions=[FRA, "us-east-1"], alerts=sns(TOPIC), accounts=({"role_arn": role},))
    path = guard.directory / "config"
    path.write_text(f"[profile ops]\nrole_arn = {role}\ncredential_source = Environment\nregion = {FRA}\n")
    guard.write_config(aws={"profile": "ops", "config_file": str(path)}, accounts=None)
    status, text = doctor(guard)
    assert status == OK, text
    assert re.fullmatch(r"ok key ASIA\.\.\.\w{4}, a session's, from the role that profile ops assumes",
                        lines_of(text, "credentials")[0]), text
    assert "as IAM simulates them" in lines_of(text, "permissions")[0]
    asked = [entry["params"]["PolicySourceArn"] for entry in sim.requests(operation="SimulatePrincipalPolicy")]
    assert asked[:2] == [role.replace("/ops/", "/"), role] and set(asked[1:]) == {role}


def test_each_account_has_its_lines(sim, make_guard):
    role = sim.add_role("TrailGuard", MEMBER, trust=[GUARD],
                        policy=[{"Effect": "Allow", "Action": "*", "Resource": "*"},
                                {"Effect": "Deny", "Action": "cloudtrail:StartLogging", "Resource": "*"}])
    lost = "arn:aws:iam::777788889999:role/Lost"
    sim.add_trail("theirs", MEMBER, FRA)
    guard = make_guard(sim, regions=[FRA], alerts=sns(TOPIC),
                       accounts=({"name": "base"}, {"name": "member", "role_arn": role}, {"name": "lost", "role_arn": lost}))
    status, text = doctor(guard)
    identity, rights = lines_of(text, "identity"), lines_of(text, "permissions")
    assert status == CRITICAL
    assert f"ok {GUARD}, account {MAIN}" in identity
    assert any(row.startswith(f"ok arn:aws:sts::{MEMBER}:assumed-role/TrailGuard/") for row in identity), text
    assert any(row.startswith("problem") and lost in row and "trailguard policy guard prints" in row for row in identity), text
    theirs = trail_arn("theirs", FRA, MEMBER)
    assert any(row.startswith(f"problem {MEMBER}: cloudtrail:StartLogging on {theirs}: denied by a statement")
               for row in rights), text


def test_no_credentials(sim, idle):
    status, text = doctor(idle, env={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None,
                                     "AWS_EC2_METADATA_DISABLED": "true"})
    assert status == CRITICAL
    row, = lines_of(text, "credentials")
    assert row.startswith("problem ") and "-> write the key into /etc/trailguard/aws-credentials" in row
    assert lines_of(text, "identity") == ["unknown not known: regions, permissions and trails could not be checked"]
    assert lines_of(text, "clock") == ["ok the same as AWS's, within 3 s"]
    assert "ok STS in eu-central-1 answers" in lines_of(text, "network")
    assert lines_of(text, "channels")[0].startswith(f"unknown sns:{TOPIC}: not checked")
    sim.clear_failures()        # the clock was read from an answer to an unsigned question


def test_keys_that_aws_does_not_know(sim, idle):
    status, text = doctor(idle, env={"AWS_SECRET_ACCESS_KEY": "x" * 40})
    first, second = lines_of(text, "identity")
    assert status == CRITICAL
    assert first.startswith("problem GetCallerIdentity: SignatureDoesNotMatch") and first.endswith("its secret is wrong")
    assert second.startswith("unknown not known") and lines_of(text, "clock") == ["ok the same as AWS's, within 3 s"]
    sim.clear_failures()


def test_a_key_file_that_others_may_read(sim, idle):
    keys = sim.keys_of("guard")
    path = idle.directory / "keys"
    path.write_text(f"[default]\naws_access_key_id = {keys['access_key']}\naws_secret_access_key = {keys['secret']}\n")
    path.chmod(0o644)
    idle.write_config(aws={"credentials_file": str(path)})
    status, text = doctor(idle)
    assert (status, lines_of(text, "credentials")) == (WARNING, [
        "ok key AKIA...0001, from profile default in DIR/keys",
        "warning others may read DIR/keys (mode 0644) -> chmod 600 DIR/keys"])
    path.chmod(0o600)
    assert doctor(idle)[0] == OK


def test_the_clock(sim, idle):
    for seconds, word in ((30, "warning"), (-4000, "problem")):
        sim.clock(seconds)
        row, = lines_of(doctor(idle)[1], "clock")
        assert re.fullmatch(rf"{word} .* {'behind' if seconds > 0 else 'ahead of'} AWS's -> timedatectl set-ntp true, or start "
                            "chronyd", row), row
    sim.clock(0)
    sim.clear_failures()


def test_no_way_to_aws(sim, idle):
    sim.network("refused")
    try:
        status, text = doctor(idle)
    finally:
        sim.network("normal")
    assert status == CRITICAL and lines_of(text, "clock") == []
    assert any(row.startswith("problem GetCallerIdentity: ") and row.endswith(
        "-> allow https from this host to AWS, or name the proxy by aws.proxy") for row in lines_of(text, "network")), text
    assert "unknown not known: regions, permissions and trails could not be checked" in lines_of(text, "identity")


def test_a_proxy_is_shown_without_its_password(sim, idle):
    idle.secrets.append("hunter2")
    text = doctor(idle, env={"HTTPS_PROXY": "http://ops:hunter2@127.0.0.1:1"})[1]
    assert "ok proxy 127.0.0.1:1, by HTTPS_PROXY" in lines_of(text, "network")
    text = doctor(idle, env={"HTTPS_PROXY": "socks5://ops:hunter2@127.0.0.1:1"})[1]
    assert lines_of(text, "network")[0].startswith("problem environment variable HTTPS_PROXY: not a proxy")


def test_an_endpoint_that_is_not_in_force_is_not_shown(sim, idle):
    """It was not checked, and may hold a password."""
    idle.secrets.append("hunter2")
    idle.write_config(aws={"endpoint_url": idle.env["AWS_ENDPOINT_URL"]})
    text = doctor(idle, env={"AWS_ENDPOINT_URL_KMS": "https://ops:hunter2@kms.example",
                             "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"})[1]
    assert lines_of(text, "network") == ["ok no proxy", "note all services are reached at ENDPOINT, by aws.endpoint_url",
                                         f"ok STS in {FRA} answers"]
    text = doctor(idle, env={"AWS_ENDPOINT_URL": "https://ops:hunter2@kms.example"})[1]
    assert lines_of(text, "network")[0].startswith("problem environment variable AWS_ENDPOINT_URL: not a URL that may be used")


def test_a_configuration_that_does_not_parse(sim, idle):
    """What can be checked is checked, and each mistake has a line."""
    idle.config.write_text('mode = "restrat";\npoll_interval = 0;\n')
    status, text = doctor(idle)
    rows = lines_of(text, "configuration")
    assert status == CRITICAL and len([row for row in rows if row.startswith("problem DIR/trailguard.conf:")]) >= 2, text
    assert rows[-1] == "note what is below was found with the defaults instead -> trailguard config checks the file alone"
    assert lines_of(text, "identity") == [f"ok {GUARD}, account {MAIN}"] and lines_of(text, "trails") == []
    idle.config.unlink()
    status, text = doctor(idle)
    assert status == CRITICAL and lines_of(text, "configuration")[0].startswith("problem DIR/trailguard.conf: ")


def test_directories(sim, idle):
    idle.state.rmdir()
    idle.state.write_text("")
    idle.runtime.rmdir()
    rows = lines_of(doctor(idle)[1], "directories")
    assert rows == ["problem DIR/state is not a directory -> remove it",
                    "note DIR/run is not there yet; systemd makes it when trailguard.service starts"]


def test_regions_and_trails(sim, idle):
    sim.trail(ORG_TRAIL, logging=False)
    idle.write_config(regions=[FRA, "us-east-1", "af-south-1"])
    status, text = doctor(idle)
    assert status == CRITICAL
    bad, good = lines_of(text, "regions")
    assert bad.startswith(f"problem af-south-1 {MAIN}: ") and good == "ok 2 regions are polled"
    assert bad.endswith("-> enable the region in the account, or remove it from regions")
    assert lines_of(text, "trails") == [
        f"problem org-trail {FRA} {MAIN}: stopped -> trailguard check shows all that was found", "ok 1 trail logs"]
    for arn in [trail["arn"] for trail in sim.call("trails")]:
        sim.trail(arn, delete=True)
    idle.write_config(regions=[FRA])
    assert lines_of(doctor(idle)[1], "trails") == [
        "problem no trail was found -> create a trail, or correct regions and trails in the configuration"]
    with sim.fault("denied", operation="DescribeTrails", region=FRA):
        text = doctor(idle)[1]
    assert lines_of(text, "trails") == ["unknown no trail was found where AWS answered"]
    assert any(row.startswith(f"problem eu-central-1 {MAIN}: DescribeTrails: AccessDenied") for row in lines_of(text, "regions"))


def test_regions_that_are_not_enabled(sim, idle):
    sim.load({"accounts": [{"id": MAIN}]})
    idle.write_config(regions="all")
    status, text = doctor(idle)
    polled, off = lines_of(text, "regions")
    assert status == OK and polled == f"ok {len(DEFAULT_REGIONS)} regions are polled"
    assert off.startswith("note not enabled in the account, and not polled: ") and "af-south-1" in off


def test_channels(sim, idle):
    silent, gone = topic_arn("silent"), topic_arn("gone")
    sim.add_topic(silent, subscriptions=[])
    idle.write_config(alerts=(*sns(silent, gone), {"type": "webhook", "url": "http://127.0.0.1:9/"}))
    status, text = doctor(idle)
    rows = lines_of(text, "channels")
    assert status == CRITICAL and len(rows) == 3 and all(row.startswith("problem ") for row in rows), text
    assert all(row.endswith("-> when it is corrected: trailguard test-alert") for row in rows)
    sim.add_topic(silent, subscriptions=[{"protocol": "email", "endpoint": "a@example.com", "pending": True}])
    idle.write_config(alerts=sns(silent))
    row, = lines_of(doctor(idle)[1], "channels")
    assert row.endswith("; 1 waits for confirmation -> open the link in the mail that AWS sent, then: trailguard test-alert")
    idle.write_config(alerts=())
    status, text = doctor(idle)
    assert (status, lines_of(text, "channels")) == (WARNING, [
        "warning no channel is configured: alerts reach the journal only -> name a channel in alerts"])


def test_baselines_and_a_running_daemon(sim, idle):
    idle.start().wait_guarding()
    idle.wait_baselines(2, 0)
    text = doctor(idle)[1]
    assert any(re.fullmatch(r"note the daemon runs, pid \d+", row) for row in lines_of(text, "directories")), text
    assert lines_of(text, "baselines") == ["ok 2 trails have a baseline"]


def test_heartbeat_is_not_sent(sim, idle):
    idle.write_config(heartbeat={"url": "http://127.0.0.1:9/ping"})
    assert lines_of(doctor(idle)[1], "heartbeat") == ["ok configured; not sent now: it would signal that all is well"]
    idle.write_config(heartbeat={"url_file": str(idle.directory / "ping")})
    status, text = doctor(idle)
    assert (status, lines_of(text, "heartbeat")) == (CRITICAL, [
        "problem DIR/ping: No such file or directory -> write the URL into it, or correct heartbeat.url_file"])


def test_colour_only_on_a_terminal_and_options_that_do_not_fit(sim, idle):
    assert "\033" not in doctor(idle)[1]
    done = idle.verb("check", "--doctor", "--restore")
    assert done.returncode == UNKNOWN and "--doctor changes nothing" in done.stderr and done.stdout == ""
    shown = subprocess.run([BINARY, "help", "check"], capture_output=True, text=True, check=True).stdout
    assert "--doctor" in shown


def test_what_protects_the_guard_and_what_does_not(sim, make_guard):
    """With guard_checks: a wide trust policy, a second key and an old one, and what cannot be known."""
    role = f"arn:aws:iam::{MAIN}:role/hub"
    sim.call("role", name="hub", account=MAIN, trust=[{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}])
    guard = make_guard(sim, regions=[FRA], alerts=sns(TOPIC), guard_checks=True, accounts=[{"role_arn": role}])
    sim.boto3("mallory", "iam", "us-east-1").create_access_key(UserName="guard")
    status, text = doctor(guard)
    rows = lines_of(text, "protection")
    assert status == WARNING, text
    assert any(row.startswith(f"warning {role}: its trust policy is wide: anyone may assume it") for row in rows), rows
    assert f"warning {GUARD}: it has 2 active access keys -> deactivate the key that TrailGuard does not use" in rows
    assert any(row.startswith(f"warning {GUARD}: its access key AKIA...0001 is ") for row in rows), rows
    assert sum("AWS does not show who else may change it" in row for row in rows) == 2
