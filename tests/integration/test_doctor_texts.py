# SPDX-License-Identifier: Apache-2.0
"""The rows of check --doctor that need calls, files or another environment, as they are printed:
tests/golden/shown.doctor.calls.txt. Each case shows what no case before it has shown. test_doctor_rows.c has the rows of a pass.
TRAILGUARD_GOLDEN_UPDATE=1 writes the file again; then read its diff."""

import os
import re
from contextlib import contextmanager

import pytest

from conftest import TOP
from guard import PLAIN
from helpers import FRA, MAIN, TOPIC, sns
from simaws import certificates
from simaws.http import Listener, Response, tls_context
from test_doctor import GUARD, allow
from test_sources import document, program

GOLDEN = TOP / "tests/golden/shown.doctor.calls.txt"
ROOT = f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{MAIN}:root</Arn><UserId>{MAIN}</UserId><Account>{MAIN}</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>""".encode()
NO_KEYS = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
pytestmark = pytest.mark.skipif(not PLAIN, reason="the texts are the same in every build")


class Pages:
    def __init__(self, sim, guard):
        self.sim, self.guard, self.seen, self.text = sim, guard, set(), ""

    def plain(self, text):
        for words, word in ((str(self.guard.directory), "DIR"), (self.guard.env["AWS_ENDPOINT_URL"], "ENDPOINT")):
            text = text.replace(words, word)
        for pattern, word in ((r"request id [0-9a-f-]+", "request id ID"), (r"pid \d+", "pid PID"),
                              (r"(assumed-role/[\w-]+)/trailguard-[\w.-]+", r"\1/SESSION"),
                              (r"0000000000\d\d", "000000000NNN"), (r"key A...\.\.\.\w{4}", "key ID"),
                              (r"user id \d+", "user id UID"), (r"127\.0\.0\.1:\d+", "HOST:PORT"),
                              (r"HOST:PORT: .*", "HOST:PORT: CURL'S REASON"),
                              (r"(warning|problem)  .* (behind|ahead of) AWS's", r"\1  SPAN \2 AWS's"),
                              (r"\d{8}T\d{6}Z", "TIME"), (r"\d+ MB left", "N MB left")):
            text = re.sub(pattern, word, text)
        return text

    def show(self, why, done):
        assert done.stderr == "", done
        rows = []
        for line in self.plain(done.stdout).splitlines()[:-2]:
            if line.startswith("           -> "):
                rows[-1] += "\n" + line
            else:
                rows.append(line)
        lines, group = [], None
        for row in rows:
            if not row.startswith(" "):
                group = row
            elif row not in self.seen:
                self.seen.add(row)
                lines += [group] if group else []
                lines.append(row)
                group = None
        assert lines, f"{why}: no new row"
        self.text += f"{chr(10) if self.text else ''}== {why}\n" + "\n".join(lines) + "\n"

    def doctor(self, why, **options):
        self.show(why, self.guard.verb("check", "--doctor", **options))

    def check(self):
        if os.environ.get("TRAILGUARD_GOLDEN_UPDATE"):
            GOLDEN.write_text(self.text)
        assert self.text == GOLDEN.read_text()


def configuration_and_directories(pages, sim, guard):
    guard.config.write_text('mode = "restrat";\n')
    pages.doctor("a mistake in the file")
    guard.write_config(heartbeat={"url": "http://127.0.0.1:9/ping"})
    pages.doctor("a heartbeat")
    guard.write_config(heartbeat={"url_file": str(guard.directory / "ping")})
    pages.doctor("the heartbeat's file is not there")
    guard.write_config(heartbeat=None)
    for path in (guard.state, guard.runtime):
        path.chmod(0o500)
    pages.show("directories of another user", guard.powerless("check", "--doctor"))
    guard.state.rmdir()
    guard.runtime.rmdir()
    guard.state.write_text("")
    pages.doctor("a file in the place of a directory, and none")
    guard.state.unlink()
    guard.state.mkdir()
    guard.runtime.mkdir()
    if os.geteuid() == 0:
        for why, options in (("a small disk", "size=1M"), ("a full disk", "size=4k"), ("a disk that cannot be written", "ro")):
            fill = f"head -c 100000 /dev/zero >{guard.state}/x 2>/dev/null; rm -f {guard.state}/y; " if "4k" in options else ""
            pages.doctor(why, before=["unshare", "--mount", "sh", "-c",
                                      f'mount -t tmpfs -o {options} tmpfs {guard.state}; {fill}exec "$@"', "sh"])


@contextmanager
def sts(response, context=None):
    """A service that always answers this."""
    listener = Listener("sts", "127.0.0.1", 0, lambda request: response, context)
    listener.start()
    try:
        yield listener.url
    finally:
        listener.stop()


def ways_to_aws(pages, sim, guard):
    pages.doctor("a proxy", env={"HTTPS_PROXY": "http://ops:hunter2@127.0.0.1:1"})
    pages.doctor("a proxy that cannot be one", env={"HTTPS_PROXY": "socks5://127.0.0.1:1"})
    guard.write_config(aws={"endpoint_url": guard.env["AWS_ENDPOINT_URL"]})
    pages.doctor("an endpoint in the file")
    guard.write_config(aws={"use_fips": True, "use_dualstack": True})
    pages.doctor("FIPS and dual-stack")
    authority, chain, key = certificates.make(str(guard.directory))
    guard.write_config(aws={"ca_bundle": authority})
    pages.doctor("a CA bundle")
    guard.write_config(aws=None)
    for seconds in (30, 4000, -4000):
        sim.clock(seconds)
        pages.doctor(f"a clock that is {seconds} s off")
    sim.clock(0)
    sim.network("refused")
    pages.doctor("no way to AWS")
    sim.network("normal")
    with sts(Response(400, [("Date", "")], b"<x/>")) as url:
        pages.doctor("an answer without a date", env={"AWS_ENDPOINT_URL_STS": url})
    with sts(Response(), tls_context(chain, key)) as url:
        pages.doctor("a certificate of nobody known", env={"AWS_ENDPOINT_URL_STS": url})


def keys(pages, sim, guard):
    place, own = guard.directory, sim.keys_of("guard")
    role = sim.add_role("guard-role", MAIN, trust=[GUARD])
    off = {**NO_KEYS, "AWS_EC2_METADATA_DISABLED": "true"}
    pages.doctor("no keys", env=off)
    pages.doctor("a wrong secret", env={"AWS_SECRET_ACCESS_KEY": "x" * 40})
    path = place / "keys"
    path.write_text(f"[default]\naws_access_key_id = {own['access_key']}\naws_secret_access_key = {own['secret']}\n")
    path.chmod(0o644)
    config = {**off, "AWS_SHARED_CREDENTIALS_FILE": str(path), "AWS_CONFIG_FILE": str(place / "config")}
    pages.doctor("a file that others may read", env=config)
    path.unlink()
    (place / "config").write_text(f"[default]\ncredential_process = {program(place, f'print({document(own)!r})')}\n")
    pages.doctor("a program", env=config)
    (place / "config").write_text(f"[profile ops]\nrole_arn = {role}\ncredential_source = Environment\n")
    guard.write_config(aws={"profile": "ops", "config_file": str(place / "config")})
    pages.doctor("a role of a profile")
    guard.write_config(aws=None)
    (place / "config").unlink()
    sim.call("imds", account=MAIN, role="guard-role")
    pages.doctor("an instance", env={**NO_KEYS, "AWS_EC2_METADATA_DISABLED": None,
                                     "AWS_EC2_METADATA_SERVICE_ENDPOINT": sim.imds_url})
    sim.call("container", account=MAIN, role="guard-role", token="Bearer one", lifetime=3600)
    pages.doctor("a container", env={**off, "AWS_CONTAINER_CREDENTIALS_FULL_URI": sim.imds_url + "/container/credentials",
                                     "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer one"})
    sim.call("web_identity", token="eyJ.one", role=role)
    (place / "token").write_text("eyJ.one")
    pages.doctor("a web identity", env={**off, "AWS_WEB_IDENTITY_TOKEN_FILE": str(place / "token"), "AWS_ROLE_ARN": role})
    for code in ("ExpiredToken", "RequestExpired"):
        with sim.fault("error", service="sts", operation="GetCallerIdentity", code=code, status=403):
            pages.doctor(f"STS answers {code}")


def rights(pages, sim, guard):
    allow(sim)
    pages.doctor("IAM may not be asked")
    role = sim.add_role("paths", MAIN, path="/ops/", trust=[GUARD], policy=[
        {"Effect": "Allow", "Action": ["cloudtrail:Describe*", "cloudtrail:Get*"], "Resource": "*"}])
    (guard.directory / "config").write_text(f"[profile ops]\nrole_arn = {role}\ncredential_source = Environment\n")
    allow(sim, "sts:AssumeRole")
    guard.write_config(aws={"profile": "ops", "config_file": str(guard.directory / "config")}, mode="restore", contain={"mode": "enforce"})
    pages.doctor("a role that may not ask who it is")
    guard.write_config(aws=None, mode=None, contain=None)
    allow(sim, "iam:SimulatePrincipalPolicy", deny=["cloudtrail:StartLogging"])
    pages.doctor("a right that lacks")
    with sim.fault("error", service="iam", operation="SimulatePrincipalPolicy", code="InvalidInput", status=400):
        pages.doctor("IAM does not answer")
    sim.call("policy", principal=GUARD, policy={"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["iam:SimulatePrincipalPolicy"], "Resource": "*"}]})
    guard.write_config(mode="restore", restore=["settings", "selectors", "insights", "deleted"], bucket_checks=True, guard_checks=True,
                       attribution=True, contain={"mode": "enforce"})
    pages.doctor("nothing but the question is allowed")
    guard.write_config(mode=None, restore=None, bucket_checks=None, guard_checks=None, attribution=None, contain=None)
    with sts(Response(200, [("Content-Type", "text/xml")], ROOT)) as url:
        pages.doctor("the keys of the root user", env={"AWS_ENDPOINT_URL_STS": url})
    allow(sim, "sts:AssumeRole")
    mine = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    many = [sim.add_role("TrailGuard", f"{i:012}", trust=[GUARD], policy=mine) for i in range(1, 52)]
    guard.write_config(regions=[FRA], accounts=[{"role_arn": arn} for arn in many])
    pages.doctor("51 accounts")


def test_each_row(sim, make_guard):
    guard = make_guard(sim, regions=[FRA, "us-east-1"], alerts=sns(TOPIC), poll_interval=10, attribution=None, owner_check=None)
    guard.secrets.append("hunter2")
    pages = Pages(sim, guard)
    pages.doctor("all is well")
    configuration_and_directories(pages, sim, guard)
    ways_to_aws(pages, sim, guard)
    keys(pages, sim, guard)
    rights(pages, sim, guard)
    guard.write_config(accounts=None)
    guard.start().wait_ready()
    guard.wait_baselines(1, weak=0)
    pages.doctor("the daemon runs")
    sim.clear_failures()
    pages.check()
