# SPDX-License-Identifier: Apache-2.0
"""Every source of credentials by itself, roles upon roles, the order of sources, and what is refused, with the real
binary. The simulated AWS checks each signature, session tokens included, and refuses keys that it did not hand out."""

import json
import re
import shlex
import sys

import pytest

from guard import within
from helpers import MAIN, MEMBER, wait_polls
from simaws.client import poll

NO_KEYS = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
GOOD = "aws_access_key_id = {access_key}\naws_secret_access_key = {secret}\n"


@pytest.fixture
def files(place):
    """Writes the two shared files, mode 0600."""
    def write(credentials=None, config=None):
        for name, text in (("credentials", credentials), ("config", config)):
            if text is not None:
                (place / name).write_text(text)
                (place / name).chmod(0o600)
    return write


@pytest.fixture
def start(sim, make_guard, place):
    """A guard without keys in its environment that looks into the two files; `env` and options as for make_guard."""
    def make(env=None, aws=None, **options):
        files = {"AWS_SHARED_CREDENTIALS_FILE": str(place / "credentials"), "AWS_CONFIG_FILE": str(place / "config")}
        return make_guard(sim, env={**NO_KEYS, **files, **(env or {})}, aws={"max_attempts": 1, **(aws or {})},
                          **options).start()
    return make


def good(sim, user="guard"):
    return GOOD.format(**sim.keys_of(user))


def principals(sim, **match):
    """Who called, by the request log."""
    return {entry["principal"] for entry in sim.requests(status=200, **match)}


def role_in(sim, account=MAIN, name="guard-role", **fields):
    return sim.add_role(name, account, **fields)


def assert_guards_as(sim, guard, principal):
    """It polls, and CloudTrail saw no one but this principal."""
    guard.wait_verdict("org-trail", "logging")
    assert principals(sim, service="cloudtrail") == {principal}


def session_of(account, role, name):
    return f"arn:aws:sts::{account}:assumed-role/{role}/{name}"


# -- profiles ----------------------------------------------------------------------------------------------------------
def test_a_profile_of_the_configuration_file(sim, start, files):
    files(config=f"[profile ops]\n{good(sim)}[default]\naws_access_key_id = AKIAWRONG\naws_secret_access_key = no\n")
    start(env={"AWS_PROFILE": "ops"}).wait_guarding()
    assert principals(sim, service="cloudtrail") == {f"arn:aws:iam::{MAIN}:user/guard"}


def test_the_credentials_file_wins_over_the_configuration_file(sim, start, files):
    files(f"[default]\n{good(sim)}", "[default]\naws_access_key_id = AKIAWRONG\naws_secret_access_key = no\n"
          "aws_session_token = wrong\n")
    start().wait_guarding()


def test_files_of_the_configuration_itself(sim, start, place):
    (place / "own-keys").write_text(f"[base]\n{good(sim)}")
    (place / "own-keys").chmod(0o600)
    role = role_in(sim, trust=[f"arn:aws:iam::{MAIN}:user/guard"])
    (place / "own-config").write_text(f"[profile ops]\nrole_arn = {role}\nsource_profile = base\nrole_session_name = me\n")
    guard = start(aws={"profile": "ops", "credentials_file": str(place / "own-keys"), "config_file": str(place / "own-config")})
    assert_guards_as(sim, guard, session_of(MAIN, "guard-role", "me"))


def test_bare_names_are_systemds_and_named_files_must_be_there(sim, start, place):
    directory = place / "systemd"
    directory.mkdir()
    (directory / "aws-config").write_text(f"[profile ops]\n{good(sim)}")
    (directory / "aws-config").chmod(0o440)
    guard = start(env={"CREDENTIALS_DIRECTORY": str(directory)}, aws={"config_file": "aws-config", "profile": "ops"})
    guard.wait_guarding()
    assert guard.found("others may read") == []
    guard.stop()
    (directory / "aws-config").unlink()
    guard.start().wait_ready().wait_line(f"{directory}/aws-config: No such file or directory")


def test_keys_in_systemds_directory_come_before_the_environments_file(sim, start, files, place):
    sim.add_user("filed", MAIN)
    files(f"[default]\n{good(sim, 'filed')}")
    directory = place / "systemd"
    directory.mkdir()
    (directory / "aws-credentials").write_text(f"[default]\n{good(sim)}")
    start(env={"CREDENTIALS_DIRECTORY": str(directory)}).wait_guarding()
    assert principals(sim, service="cloudtrail") == {f"arn:aws:iam::{MAIN}:user/guard"}


def test_keys_that_others_may_read_are_warned_about_once(sim, start, files, place):
    files(config=f"[default]\n{good(sim)}")
    (place / "config").chmod(0o644)
    guard = start().wait_guarding()
    guard.reload()
    guard.wait_verdict("org-trail", "logging")
    assert len(guard.found("config: others may read")) == 1
    files(f"[default]\n{good(sim)}", "[default]\nregion = eu-central-1\n")
    (place / "config").chmod(0o644)
    guard.reload()
    assert len(guard.found("others may read")) == 1, "a file without keys may be read by all"
    files(f"[default]\n{good(sim)}", f"[profile other]\n{good(sim)}[default]\n{good(sim)}")
    for name in ("config", "credentials"):
        (place / name).chmod(0o644)
    for _ in range(3):
        guard.reload()
    assert len(guard.found("credentials: others may read")) == 1 and len(guard.found("config: others may read")) == 1


@pytest.mark.valgrind
def test_a_role_upon_a_role(sim, start, files):
    """Across accounts, with an external id that the trust policy wants; STS is regional, and asked once a session."""
    sim.add_account(MEMBER)
    inner = role_in(sim, MEMBER, "middle", trust=[f"arn:aws:iam::{MAIN}:user/guard"])
    outer = role_in(sim, name="outer", trust=[{
        "Effect": "Allow", "Principal": {"AWS": inner}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "ext/1"}}}])
    files(f"[base]\n{good(sim)}",
          f"[default]\nrole_arn = {outer}\nsource_profile = mid\nexternal_id = ext/1\nduration_seconds = 43200\n"
          f"role_session_name = outer-session\n[profile mid]\nrole_arn = {inner}\nsource_profile = base\n")
    guard = start(poll_interval=1)
    assert_guards_as(sim, guard, session_of(MAIN, "outer", "outer-session"))
    wait_polls(sim, 3, "eu-central-1")
    calls = sim.requests(operation="AssumeRole")
    assert [entry["status"] for entry in calls] == [200, 200], "one session each, however many calls"
    assert {entry["region"] for entry in calls} == {"eu-central-1"}


def test_sessions_are_renewed_before_they_end(sim, start, files):
    role = role_in(sim, trust=[f"arn:aws:iam::{MAIN}:user/guard"])
    sim.call("settings", session_seconds=within(4))
    files(f"[base]\n{good(sim)}", f"[default]\nrole_arn = {role}\nsource_profile = base\n")
    guard = start().wait_guarding()
    poll(lambda: len(sim.requests(operation="AssumeRole", status=200)) >= 4, within(30), 0.2)
    assert {entry["status"] for entry in sim.requests(service="cloudtrail")} == {200}
    assert guard.verdicts() == {"org-trail": "logging"}


def test_a_session_is_used_on_while_sts_is_down(sim, start, files):
    role = role_in(sim, trust=[f"arn:aws:iam::{MAIN}:user/guard"])
    sim.call("settings", session_seconds=within(8))
    files(f"[base]\n{good(sim)}", f"[default]\nrole_arn = {role}\nsource_profile = base\n")
    start().wait_guarding()
    with sim.fault("http503", service="sts"):
        sim.wait_for_request(within(20), since=sim.mark(), operation="AssumeRole")
        wait_polls(sim, 1, "eu-central-1", status=200)
    sim.wait_for_request(within(20), since=sim.mark(), operation="AssumeRole", status=200)
    assert {entry["status"] for entry in sim.requests(service="cloudtrail")} == {200}


def test_a_denied_role_is_told_with_its_arn_and_aws_words(sim, start, files):
    role = role_in(sim, trust=[f"arn:aws:iam::{MAIN}:user/somebody-else"])
    files(f"[base]\n{good(sim)}", f"[default]\nrole_arn = {role}\nsource_profile = base\n")
    guard = start().wait_ready()
    guard.wait_line(f"{role}: AccessDenied: User: .* is not authorized to perform: sts:AssumeRole on resource: .* [(]request id ")
    assert sim.requests(service="cloudtrail") == []


REFUSED = {
    "half a key": ("[default]\naws_access_key_id = AKIAEXAMPLE\n", "has no aws_secret_access_key"),
    "a device": ("[default]\nrole_arn = {role}\nsource_profile = base\nmfa_serial = x\n", "has mfa_serial"),
    "a circle": ("[default]\nrole_arn = {role}\nsource_profile = b\n[profile b]\nrole_arn = {role}\nsource_profile = default\n",
                 "is, in the end, its own source_profile"),
    "two sources": ("[default]\nrole_arn = {role}\nsource_profile = base\ncredential_source = Environment\n", "has both"),
    "no source": ("[default]\nrole_arn = {role}\nsource_profile = gone\n", 'has no profile "gone"'),
    "a person": ("[default]\nsso_session = x\n", "single sign-on"),
    "no environment": ("[default]\nrole_arn = {role}\ncredential_source = Environment\n", "AWS_ACCESS_KEY_ID is not set"),
    "no role": ("[default]\nrole_arn = Guard\nsource_profile = base\n", "the role must be an ARN"),
    "a bad line": ("[default]\nnonsense\n", "config:2: "),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_wrong_with_a_profile_is_told_and_no_other_source_steps_in(sim, start, files, what):
    """Instance metadata would have keys, and is not asked."""
    text, told = REFUSED[what]
    role = role_in(sim)
    sim.call("imds", account=MAIN, role="guard-role")
    files(f"[base]\n{good(sim)}", text.format(role=role))
    guard = start(env={"AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": sim.imds_url}).wait_ready()
    guard.wait_line(told)
    guard.wait_told("^STATUS=.*credentials")
    assert sim.requests() == []


def test_a_named_profile_that_is_not_there_is_an_error(sim, start, files):
    files("[base]\n" + good(sim))
    guard = start(env={"AWS_PROFILE": "ops"}).wait_ready()
    guard.wait_line('has no profile "ops"')
    assert sim.requests() == []


def test_a_configuration_file_without_keys_leaves_the_way_to_the_instance(sim, start, files):
    role_in(sim)
    sim.call("imds", account=MAIN, role="guard-role")
    files(config="[default]\nregion = eu-central-1\n")
    guard = start(env={"AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": sim.imds_url})
    assert_guards_as(sim, guard, session_of(MAIN, "guard-role", "i-0123456789abcdef0"))


# -- what else a profile holds -----------------------------------------------------------------------------------------
def test_end_points_of_a_profile(sim, start, files):
    nowhere = "http://127.0.0.1:9/"
    files(f"[default]\n{good(sim)}",
          f"[default]\nservices = dev\nendpoint_url = {nowhere}\n"
          f"[services dev]\ncloudtrail =\n  endpoint_url = {sim.url}\nsts =\n  endpoint_url = {sim.url}\n")
    start(env={"AWS_ENDPOINT_URL": None}).wait_guarding()


def test_the_environment_wins_over_the_end_points_of_a_profile(sim, start, files):
    files(f"[default]\n{good(sim)}", "[default]\nservices = dev\n[services dev]\ncloudtrail =\n"
          "  endpoint_url = http://127.0.0.1:9/\n")
    start().wait_guarding()


def test_configured_end_points_can_be_ignored(sim, start, files):
    files(f"[default]\n{good(sim)}", f"[default]\nendpoint_url = {sim.url}\n")
    start(env={"AWS_ENDPOINT_URL": "http://127.0.0.1:9/", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
          aws={"endpoint_url": sim.url}).wait_guarding()


def test_an_end_point_of_a_profile_that_may_not_be_used_is_refused(sim, start, files, make_guard, place):
    files(f"[default]\n{good(sim)}", "[default]\nendpoint_url = http://example.com/\n")
    guard = make_guard(sim, env={"AWS_ENDPOINT_URL": None, "AWS_CONFIG_FILE": str(place / "config")})
    done = guard.verb("run", seconds=10)
    assert done.returncode != 0 and "the profile's endpoint_url: not a URL that may be used" in done.stderr


def test_the_region_of_a_profile_is_where_roles_are_assumed(sim, start, files):
    role = role_in(sim, trust=[f"arn:aws:iam::{MAIN}:user/guard"])
    files(f"[base]\n{good(sim)}",
          f"[default]\nrole_arn = {role}\nsource_profile = base\nregion = ap-southeast-2\n")
    start(env={"AWS_REGION": None, "AWS_DEFAULT_REGION": None}).wait_guarding()
    assert {entry["region"] for entry in sim.requests(service="sts")} == {"ap-southeast-2"}


# -- programs ----------------------------------------------------------------------------------------------------------
def program(place, text):
    """A script that credential_process can run; its name holds a blank."""
    path = place / "get keys.py"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o700)
    return shlex.quote(str(path))


def document(keys, **members):
    return json.dumps({"Version": 1, "AccessKeyId": keys["access_key"], "SecretAccessKey": keys["secret"], **members})


@pytest.mark.valgrind
def test_a_program_gives_keys(sim, start, files, place):
    """Without a shell, in a clean environment; what it says on standard error is nobody's business while all is well."""
    command = program(place, f"""
import os, sys
open({str(place / 'seen')!r}, "w").write(repr((sys.argv[1:], sorted(os.environ))))
print({document(sim.keys_of("guard"))!r})
print("a warning", file=sys.stderr)
""")
    files(config=f"[default]\ncredential_process = {command} --role 'a b' $HOME\n")
    guard = start(env={"OTHER_SECRET": "x"}).wait_guarding()
    arguments, names = eval((place / "seen").read_text())
    assert arguments == ["--role", "a b", "$HOME"]
    assert {"PATH", "LANG", "HOME", "AWS_CONFIG_FILE"} <= set(names)
    assert not {"OTHER_SECRET", "RUNTIME_DIRECTORY", "STATE_DIRECTORY"} & set(names), names
    assert "a warning" not in guard.stderr()


def test_a_program_gets_the_way_out_and_what_is_named_but_no_keys(sim, start, files, place):
    """Behind a proxy it needs the proxy, its CA and its home; our own keys are ours."""
    command = program(place, f"""
import os
open({str(place / 'seen')!r}, "w").write(repr(dict(os.environ)))
print({document(sim.keys_of("guard"))!r})
""")
    files(config=f"[profile program]\ncredential_process = {command}\n")
    way_out = {"https_proxy": "http://one:1", "HTTP_PROXY": "http://two:2", "NO_PROXY": "localhost,127.0.0.1",
               "SSL_CERT_FILE": "/ca.pem", "CREDENTIALS_DIRECTORY": str(place), "HOME": str(place), "VAULT_ADDR": "https://vault"}
    secret = {"AWS_ACCESS_KEY_ID": "AKIAOURS", "AWS_SECRET_ACCESS_KEY": "oursecret", "AWS_SESSION_TOKEN": "ourtoken"}
    aws = {"profile": "program", "process_environment": ["VAULT_ADDR", "NOT_THERE"], "proxy": "http://u:p@127.0.0.1:9"}
    guard = start(env={**way_out, **secret, "OTHER": "x"}, aws=aws)
    guard.wait_line("aws.process_environment: NOT_THERE is not set in TrailGuard's own environment")
    guard.wait_guarding()
    seen = eval((place / "seen").read_text())
    assert {name: seen.get(name) for name in way_out} == {**way_out, "https_proxy": aws["proxy"]}
    assert seen["HTTPS_PROXY"] == aws["proxy"] and seen["AWS_CONFIG_FILE"] == str(place / "config")
    assert not set(secret) & set(seen) and "OTHER" not in seen and "NOT_THERE" not in seen


def test_keys_of_a_program_are_asked_for_again_before_they_end(sim, start, files, place):
    command = program(place, f"""
import datetime
end = datetime.datetime.utcnow() + datetime.timedelta(seconds={within(4)})
print({document(sim.keys_of("guard"))!r}[:-1] + ', "Expiration": "' + end.strftime("%Y-%m-%dT%H:%M:%SZ") + '"}}')
open({str(place / 'count')!r}, "a").write("x")
""")
    files(config=f"[default]\ncredential_process = {command}\n")
    start().wait_guarding()
    poll(lambda: len((place / "count").read_text()) >= 3, within(30), 0.2)


PROGRAMS = {
    "a status": ("import sys; print('SECRETOUT'); print('not \\x1b[31mtoday', file=sys.stderr); sys.exit(3)",
                 r"it ended with status 3: not \\x1b\[31mtoday"),
    "no document": ("print('SECRETOUT')", "the answer is not a JSON object"),
    "another version": ("print('{\"Version\": 2, \"AccessKeyId\": \"SECRETOUT\"}')", "the answer's Version is not the number 1"),
    "too much": ("print('SECRETOUT' * 100000)", "it wrote more than 65536 bytes and was killed"),
    "a signal": ("import os; print('SECRETOUT'); os.kill(os.getpid(), 9)", "it was ended by signal 9"),
}


@pytest.mark.parametrize("what", PROGRAMS)
def test_a_program_that_fails_is_told_without_its_output(sim, start, files, place, what):
    text, told = PROGRAMS[what]
    files(config=f"[default]\ncredential_process = {program(place, text)} --password SECRETARGUMENT\n")
    guard = start().wait_ready()
    guard.secrets += ["SECRETOUT", "SECRETARGUMENT"]
    guard.wait_line("credential_process .*get keys.py: " + told)
    assert sim.requests() == []


def test_a_program_that_goes_on_failing_is_reported_once_and_escaped_once(sim, start, files, place):
    """However often it is asked and whatever it writes each time; and in the same form in the journal and in the status."""
    count = place / "count"
    files(config="[default]\ncredential_process = " + program(place, f"""
import sys
with open({str(count)!r}, "a+") as count:
    count.write("x")
    sys.exit(f"\\n Traceback {{count.tell()}}:\\n  \\x1b[31mproxy refused C:\\\\x\\n")
""") + "\n")
    guard = start().wait_ready()
    shown = r": \x1b[31mproxy refused C:\\x"
    guard.wait_line("unreachable after 3 failed polls.*Traceback [0-9]+" + re.escape(shown))
    guard.wait_line("an alert was not taken")
    before, asked = guard.stderr(), len(count.read_text())
    poll(lambda: len(count.read_text()) >= asked + 2, within(30), 0.2)
    assert guard.stderr() == before
    assert len(before.splitlines()) == len({line.partition("profile")[0] for line in before.splitlines()}), before
    assert shown in guard.status()["accounts"][0]["error"]


def test_a_program_that_is_not_there(sim, start, files, place):
    files(config=f"[default]\ncredential_process = {place}/nothing\n")
    start().wait_ready().wait_line("credential_process .*/nothing: (it cannot be started: No such file|it ended with status 127)")


def test_a_daemon_that_ends_takes_its_program_along(sim, start, files, place):
    command = program(place, f"""
import os, time
open({str(place / 'pid')!r}, "w").write(str(os.getpid()))
time.sleep(600)
""")
    files(config=f"[default]\ncredential_process = {command}\n")
    guard = start().wait_ready()
    pid = int(poll(lambda: (place / "pid").exists() and (place / "pid").read_text(), within(10)))
    assert guard.stop() == 0

    def gone():
        try:
            with open(f"/proc/{pid}/stat") as stat:
                return stat.read().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True
    poll(gone, within(5))


# -- web identity ------------------------------------------------------------------------------------------------------
@pytest.fixture
def web_token(place):
    def write(text):
        (place / "token").write_text(text)
        return str(place / "token")
    return write


@pytest.mark.valgrind
def test_web_identity_from_the_environment(sim, start, web_token):
    """The file is read again for each session, and what is around the token does not matter."""
    role = role_in(sim)
    sim.call("web_identity", token="eyJ.one", role=role)
    sim.call("settings", session_seconds=within(4))
    guard = start(env={"AWS_WEB_IDENTITY_TOKEN_FILE": web_token("eyJ.one\n"), "AWS_ROLE_ARN": role,
                       "AWS_ROLE_SESSION_NAME": "pod"})
    guard.secrets += ["eyJ.one", "eyJ.two"]
    assert_guards_as(sim, guard, session_of(MAIN, "guard-role", "pod"))
    sim.call("web_identity", token="eyJ.one", role=role, expired=True)
    sim.call("web_identity", token="eyJ.two", role=role)
    web_token("eyJ.two")
    mark = sim.mark()
    sim.wait_for_request(within(20), count=2, since=mark, operation="AssumeRoleWithWebIdentity", status=200)
    assert {entry["status"] for entry in sim.requests(service="cloudtrail")} == {200}


def test_web_identity_of_a_profile_as_the_source_of_another(sim, start, files, web_token):
    inner = role_in(sim, name="inner")
    outer = role_in(sim, name="outer", trust=[inner])
    sim.call("web_identity", token="eyJ.one", role=inner)
    files(config=f"[default]\nrole_arn = {outer}\nsource_profile = web\nrole_session_name = me\n"
          f"[profile web]\nrole_arn = {inner}\nweb_identity_token_file = {web_token('eyJ.one')}\n")
    guard = start()
    assert_guards_as(sim, guard, session_of(MAIN, "outer", "me"))


def test_web_identity_that_fails_is_told_and_no_other_source_steps_in(sim, start, web_token):
    role = role_in(sim)
    sim.call("imds", account=MAIN, role="guard-role")
    guard = start(env={"AWS_WEB_IDENTITY_TOKEN_FILE": web_token("eyJ.unknown"), "AWS_ROLE_ARN": role,
                       "AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": sim.imds_url}).wait_ready()
    guard.secrets.append("eyJ.unknown")
    guard.wait_line(f"{role}: .*InvalidIdentityToken")
    assert sim.requests(service="imds") == []
    sim.clear_failures()


def test_web_identity_without_a_role_is_told(sim, start, web_token):
    start(env={"AWS_WEB_IDENTITY_TOKEN_FILE": web_token("eyJ.one")}).wait_ready().wait_line(
        "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN")
    assert sim.requests() == []


# -- containers --------------------------------------------------------------------------------------------------------
@pytest.mark.valgrind
def test_container_credentials(sim, start, web_token):
    """The token is read again for each question."""
    role_in(sim)
    sim.call("container", account=MAIN, role="guard-role", token="Bearer one", lifetime=int(within(4)), renew_before=int(within(2)))
    guard = start(env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": sim.imds_url + "/container/credentials",
                       "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": web_token("Bearer one")})
    guard.secrets += ["Bearer one", "Bearer two"]
    assert_guards_as(sim, guard, session_of(MAIN, "guard-role", "task"))
    sim.call("container", account=MAIN, role="guard-role", token="Bearer two", lifetime=3600)
    web_token("Bearer two")
    poll(lambda: sim.call("container")["issued"] >= 1, within(30), 0.2)
    guard.wait_verdict("org-trail", "logging")


CONTAINERS = {
    "another host": ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/keys"}, "may not be asked for keys"),
    "a wrong token": ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{imds}/container/credentials",
                       "AWS_CONTAINER_AUTHORIZATION_TOKEN": "wrong"}, "HTTP 401: 401: Request denied"),
    "a line break": ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{imds}/container/credentials",
                      "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a\r\nX-Evil: 1"}, "line break"),
    "no token": ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{imds}/container/credentials",
                  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nonexistent"}, "/nonexistent: No such file"),
}


@pytest.mark.parametrize("what", CONTAINERS)
def test_what_is_wrong_with_a_container_is_told_and_no_other_source_steps_in(sim, start, what):
    env, told = CONTAINERS[what]
    role_in(sim)
    sim.call("container", account=MAIN, role="guard-role", token="right")
    sim.call("imds", account=MAIN, role="guard-role")
    guard = start(env={**{name: value.format(imds=sim.imds_url) for name, value in env.items()},
                       "AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": sim.imds_url}).wait_ready()
    guard.wait_line("container.*" + told, 15)
    assert sim.requests(service="imds") == [] and sim.requests(service="cloudtrail") == []


def test_a_role_upon_a_container(sim, start, files):
    role = role_in(sim, name="task-role")
    outer = role_in(sim, name="outer", trust=[role])
    sim.call("container", account=MAIN, role="task-role")
    files(config=f"[default]\nrole_arn = {outer}\ncredential_source = EcsContainer\nrole_session_name = me\n")
    guard = start(env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": sim.imds_url + "/container/credentials"})
    assert_guards_as(sim, guard, session_of(MAIN, "outer", "me"))


# -- instances ---------------------------------------------------------------------------------------------------------
IMDS = {"AWS_EC2_METADATA_DISABLED": None}


def test_a_role_upon_an_instance(sim, start, files):
    role = role_in(sim, name="instance-role")
    outer = role_in(sim, name="outer", trust=[role])
    sim.call("imds", account=MAIN, role="instance-role")
    files(config=f"[default]\nrole_arn = {outer}\ncredential_source = Ec2InstanceMetadata\nrole_session_name = me\n"
          "duration_seconds = 43200\n")
    guard = start(env={**IMDS, "AWS_EC2_METADATA_SERVICE_ENDPOINT": sim.imds_url})
    assert_guards_as(sim, guard, session_of(MAIN, "outer", "me"))
    assert sim.call("imds")["unauthenticated"] == 0


def test_a_mode_that_is_none_is_told(sim, start):
    start(env={**IMDS, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv7"}).wait_ready().wait_line(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is neither IPv4 nor IPv6")


def test_instance_credentials_that_have_ended_are_used_on(sim, start):
    """AWS honours them while it cannot renew them; the simulated one is told to."""
    role_in(sim)
    sim.call("imds", account=MAIN, role="guard-role")
    sim.call("imds", lifetime=-60)
    guard = start(env={**IMDS, "AWS_EC2_METADATA_SERVICE_ENDPOINT": sim.imds_url}).wait_ready()
    sim.wait_for_request(within(10), service="cloudtrail")
    guard.wait_line("[Ee]xpired")
    assert {failure["kind"] for failure in sim.clear_failures()} <= {"credentials"}


# -- the order ---------------------------------------------------------------------------------------------------------
def test_sources_are_asked_in_order(sim, start, files, web_token, place):
    """Each is taken away in turn, and a reload finds the next."""
    everything = role_in(sim, name="guard-role")
    sim.call("imds", account=MAIN, role="guard-role")
    sim.call("container", account=MAIN, role="guard-role")
    sim.call("web_identity", token="eyJ.one", role=everything)
    sim.add_user("filed", MAIN)
    files(f"[default]\n{good(sim, 'filed')}")
    keys = sim.keys_of("guard")
    env = {"AWS_ACCESS_KEY_ID": keys["access_key"], "AWS_SECRET_ACCESS_KEY": keys["secret"],
           "AWS_WEB_IDENTITY_TOKEN_FILE": web_token("eyJ.one"), "AWS_ROLE_ARN": everything, "AWS_ROLE_SESSION_NAME": "pod",
           "AWS_CONTAINER_CREDENTIALS_FULL_URI": sim.imds_url + "/container/credentials",
           **IMDS, "AWS_EC2_METADATA_SERVICE_ENDPOINT": sim.imds_url}
    steps = ((("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), f"arn:aws:iam::{MAIN}:user/guard"),
             ((), f"arn:aws:iam::{MAIN}:user/filed"),
             (("AWS_WEB_IDENTITY_TOKEN_FILE",), session_of(MAIN, "guard-role", "pod")),
             (("AWS_CONTAINER_CREDENTIALS_FULL_URI",), session_of(MAIN, "guard-role", "task")),
             ((), session_of(MAIN, "guard-role", "i-0123456789abcdef0")))
    for number, (taken, principal) in enumerate(steps):
        mark = sim.mark()
        guard = start(env=env)
        sim.wait_for_request(within(10), since=mark, operation="GetTrailStatus", status=200)
        assert principals(sim, since=mark, service="cloudtrail") == {principal}
        guard.stop()
        for name in taken:
            env[name] = None
        if number == 1:
            (place / "credentials").unlink()
