# SPDX-License-Identifier: Apache-2.0
"""The tests' side: start the simulator, set it up, look at it, and run real AWS clients against it.

    with SimAWS("demo.json") as sim:
        sim.aws("mallory", "us-east-1", "cloudtrail", "stop-logging", "--name", "audit")
        sim.wait_for_request(operation="StartLogging", trail="*audit")
        sim.assert_clean()
"""

import http.client
import json
import os
import select
import shutil
import subprocess
import tempfile
import threading
import time

from . import certificates, shapes

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SERVER = os.path.join(HERE, "server")
PYTHON = "/usr/bin/python3"
# What must never happen unnoticed. "credentials", "skew", "region" and "imdsv1" are for tests that look for them.
SERIOUS = ("signature", "shape", "self")


# Ends what hangs, and no more: on a busy machine Python alone may take half a minute to begin, and a request some seconds.
PATIENCE = 120


class SimError(Exception):
    """The simulator did not start, or refused a control call."""


class AwsCliError(Exception):
    """The aws command failed; `code` is AWS's error code when it printed one."""

    def __init__(self, stderr, status):
        super().__init__(stderr.strip())
        self.status = status
        self.code = stderr.partition("error occurred (")[2].partition(")")[0]


class SimAWS:
    """A running simulator. `scenario` is a path, a name in scenarios/, or a dictionary; `tls` serves https with a CA
    made for it (`sim.ca_file`); `certificate` may name another (certificate, key) pair to test refusals."""

    def __init__(self, scenario=None, tls=False, certificate=None, arguments=(), start_timeout=PATIENCE):
        self._scenario = scenario
        self._tls = tls or certificate is not None
        self._certificate = certificate
        self._arguments = list(arguments)
        self._start_timeout = start_timeout
        self._local = threading.local()
        self._users = {}
        self.process = None
        self.directory = None
        self.ca_file = None

    # -- life --------------------------------------------------------------------------------------------------------
    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.directory = tempfile.mkdtemp(prefix="simaws-")
        command = [PYTHON, "-B", SERVER, "--json", "--exit-on-eof", "--exit-with-parent", *self._arguments]
        if self._tls:
            self.ca_file, chain, key = certificates.make(self.directory)
            chain, key = self._certificate or (chain, key)
            command += ["--tls-cert", chain, "--tls-key", key]
        if isinstance(self._scenario, str):
            path = self._scenario if os.path.exists(self._scenario) else os.path.join(HERE, "scenarios", self._scenario)
            with open(path, encoding="utf-8") as file:
                self._scenario = json.load(file)
        self.log_file = os.path.join(self.directory, "stderr")
        with open(self.log_file, "wb") as stderr:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr)
        addresses = self._read_addresses()
        self.url, self.imds_url, self.control_url = addresses["aws"], addresses["imds"], addresses["control"]
        if self._scenario:
            self.load(self._scenario)
        return self

    def _read_addresses(self):
        ready, _, _ = select.select([self.process.stdout], [], [], self._start_timeout)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            raise SimError(f"the simulator did not start: {self.stderr()}")
        return json.loads(line)

    def stop(self):
        """End the server and remove its files. Safe to call twice."""
        process, self.process = self.process, None
        if process is not None:
            process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory = None

    def stderr(self):
        with open(self.log_file, encoding="utf-8", errors="replace") as file:
            return file.read()

    # -- control -----------------------------------------------------------------------------------------------------
    def call(self, verb, _timeout=PATIENCE, **arguments):
        """One control call on a kept connection of this thread. Raises SimError with the server's words."""
        body = json.dumps(arguments)
        for attempt in (1, 2):
            connection = getattr(self._local, "connection", None)
            if connection is None:
                address = self.control_url.removeprefix("http://")
                connection = self._local.connection = http.client.HTTPConnection(address, timeout=_timeout)
            connection.timeout = _timeout
            if connection.sock:
                connection.sock.settimeout(_timeout)
            try:
                connection.request("POST", f"/_sim/{verb}", body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                answer = json.loads(response.read())
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self._drop_connection()
                if attempt == 2:
                    raise
            except BaseException:
                self._drop_connection()     # half way through an answer it is of no use to the next call
                raise
        if response.status != 200:
            raise SimError(answer["error"])
        return answer

    def _drop_connection(self):
        self._local.connection.close()
        self._local.connection = None

    def load(self, scenario):
        self.call("load", **scenario)
        for user in scenario.get("users", []):
            self._users[user["name"]] = {"access_key": user.get("access_key"), "secret": user.get("secret"),
                                         "token": user.get("token")}

    def reset(self):
        self._users.clear()
        return self.call("reset")

    def add_account(self, id, **fields):
        return self.call("account", id=id, **fields)

    def add_user(self, name, account, **fields):
        """Add a user; its key is kept under the name for env_for(), aws() and boto3()."""
        self._users[name] = self.call("user", name=name, account=account, **fields)
        return self._users[name]

    def add_keys(self, name, access_key, secret, token=None):
        """Remember keys made elsewhere (a role's session, say) under a name for env_for(), aws() and boto3()."""
        self._users[name] = {"access_key": access_key, "secret": secret, "token": token}

    def keys_of(self, name):
        """{"access_key", "secret", "token"}"""
        return self._users[name]

    def add_role(self, name, account, **fields):
        return self.call("role", name=name, account=account, **fields)["arn"]

    def add_trail(self, name, account, region, **fields):
        """Answers the ARN."""
        return self.call("add_trail", name=name, account=account, region=region, **fields)["arn"]

    def add_topic(self, arn, **fields):
        self.call("topic", arn=arn, **fields)
        return arn

    def trail(self, arn, **changes):
        """Read a trail or change it behind CloudTrail's back."""
        return self.call("trail", arn=arn, **changes)

    def clock(self, offset):
        return self.call("clock", offset=offset)

    # -- trouble -----------------------------------------------------------------------------------------------------
    def add_fault(self, kind, **fields):
        """Answers the fault's id."""
        return self.call("add_fault", kind=kind, **fields)["id"]

    def remove_fault(self, id=None):
        return self.call("remove_fault", **({} if id is None else {"id": id}))

    def fault(self, kind, **fields):
        """A fault for the length of a with block."""
        return _Fault(self, kind, fields)

    def network(self, mode, listener="aws"):
        """normal, refused or silent."""
        return self.call("network", mode=mode, listener=listener)

    # -- looking -----------------------------------------------------------------------------------------------------
    def requests(self, **match):
        return self.call("requests", **match)

    def mark(self):
        """The number of the newest request, to pass as `since`."""
        return self.call("last_request")["number"]

    def messages(self, topic, since=0):
        return self.call("messages", topic=topic, since=since)

    def failures(self, **match):
        return self.call("failures", **match)

    def clear_failures(self):
        """Take note of the failures that a test made on purpose; answers them."""
        return self.call("failures", clear=True)

    def events(self, **match):
        return self.call("events", **match)

    def unused_statements(self, policy, principal):
        """Sids of a policy's statements that decided no call of a user or role (by ARN): rights it does not need."""
        used = {entry["statement"] for entry in self.call("decisions")["used"] if entry["principal"] == principal}
        return [statement["Sid"] for statement in policy["Statement"] if statement["Sid"] not in used]

    def assert_clean(self):
        """Fail when any request had a bad signature or a bad shape, or the simulator made a mistake."""
        bad = [failure for failure in self.failures() if failure["kind"] in SERIOUS]
        assert not bad, "the simulated AWS met what real AWS would refuse:\n" + json.dumps(bad, indent=2)

    # -- waiting -----------------------------------------------------------------------------------------------------
    def wait(self, what, timeout=10, **match):
        """What was found; AssertionError when the deadline passes first."""
        answer = self.call("wait", _timeout=timeout + PATIENCE, what=what, timeout=timeout, **match)
        assert answer["ok"], f"no {what} that match {match} within {timeout} s; found {json.dumps(answer['found'])}"
        return answer["found"]

    def wait_for_request(self, timeout=10, count=1, since=0, **match):
        return self.wait("requests", timeout, count=count, since=since, **match)[-1]

    def wait_for_message(self, topic, timeout=10, count=1, since=0):
        """The newest of `count` messages delivered after the first `since`."""
        return self.wait("messages", timeout, topic=topic, count=count, since=since)[-1]

    def wait_for_trail(self, arn, timeout=10, **match):
        """E.g. wait_for_trail(arn, IsLogging=True)."""
        return self.wait("trail", timeout, arn=arn, **match)[0]

    # -- real clients ------------------------------------------------------------------------------------------------
    def env_for(self, user, region="eu-central-1", imds=False):
        """An environment with nothing of the caller's AWS set-up in it."""
        key = self._users[user]
        env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8", "HOME": self.directory,
               "AWS_ACCESS_KEY_ID": key["access_key"], "AWS_SECRET_ACCESS_KEY": key["secret"], "AWS_REGION": region,
               "AWS_DEFAULT_REGION": region, "AWS_ENDPOINT_URL": self.url,
               "AWS_CONFIG_FILE": os.path.join(self.directory, "no-config"),
               "AWS_SHARED_CREDENTIALS_FILE": os.path.join(self.directory, "no-credentials")}
        if key.get("token"):
            env["AWS_SESSION_TOKEN"] = key["token"]
        if self.ca_file:
            env["AWS_CA_BUNDLE"] = self.ca_file
        if imds:
            env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = self.imds_url
        else:
            env["AWS_EC2_METADATA_DISABLED"] = "true"
        return env

    def aws(self, user, region, *arguments, timeout=PATIENCE):
        """Run the real aws command; answers its parsed JSON, {} when it prints nothing."""
        program = "/usr/bin/aws" if os.path.exists("/usr/bin/aws") else "aws"
        env = {**self.env_for(user, region), "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"}
        done = subprocess.run([program, "--endpoint-url", self.url, "--region", region, "--output", "json", *arguments],
                              env=env, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise AwsCliError(done.stderr, done.returncode)
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def boto3(self, user, service, region="eu-central-1", attempts=1, **config):
        """A boto3 client that does not retry unless told."""
        import boto3
        from botocore.config import Config
        key = self._users[user]
        session = boto3.session.Session(key["access_key"], key["secret"], key.get("token"), region)
        session._session.register_component("data_loader", shapes.loader())     # members newer than botocore's own
        return session.client(
            service, endpoint_url=self.url, verify=self.ca_file or None,
            config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}, **{"read_timeout": PATIENCE, **config}))


class _Fault:
    def __init__(self, sim, kind, fields):
        self.sim, self.kind, self.fields = sim, kind, fields

    def __enter__(self):
        self.id = self.sim.add_fault(self.kind, **self.fields)
        return self.id

    def __exit__(self, *_):
        self.sim.remove_fault(self.id)


def poll(condition, timeout=10, interval=0.02):
    """Wait for a condition on the tests' own side; answers its first true value."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout} s"
        time.sleep(interval)
