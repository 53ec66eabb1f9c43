# SPDX-License-Identifier: Apache-2.0
"""The ways to AWS that a host may prescribe: endpoints of its own, kinds of hosts, a proxy, a bundle of certificates."""

import base64
import select
import shutil
import socket
import socketserver
import threading

import pytest

from guard import within
from helpers import FRA, MAIN, ORG_TRAIL, Mallory, wait_polls
from simaws.client import poll

NOWHERE = "https://127.0.0.1:1"
PASSWORD = "hunter2-of-the-proxy"


# -- endpoints ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("env, aws", [
    ({"AWS_ENDPOINT_URL": "{sim}"}, {}),
    ({"AWS_ENDPOINT_URL": NOWHERE, "AWS_ENDPOINT_URL_CLOUDTRAIL": "{sim}", "AWS_ENDPOINT_URL_STS": "{sim}"}, {}),
    ({"AWS_ENDPOINT_URL": NOWHERE, "AWS_ENDPOINT_URL_CLOUDTRAIL": NOWHERE, "AWS_ENDPOINT_URL_STS": NOWHERE},
     {"endpoint_url": "{sim}"}),
    ({"AWS_ENDPOINT_URL": NOWHERE, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, {"endpoint_url": "{sim}/"}),
], ids=["general", "of the service", "of the file", "environment ignored"])
def test_overrides_have_an_order_and_keep_the_region_of_the_call(sim, make_guard, env, aws):
    env = {name: value.format(sim=sim.url) for name, value in env.items()}
    aws = {name: value.format(sim=sim.url) for name, value in aws.items()}
    make_guard(sim, env=env, aws={"max_attempts": 1, **aws}, alerts=()).start().wait_guarding()
    asked = sim.wait_for_request(within(10), operation="GetTrailStatus", region=FRA, status=200)
    assert asked["account"] == MAIN


@pytest.mark.parametrize("aws, env, parts", [
    ({"use_fips": True, "endpoint_url": "https://vpce.example"}, {}, ["trailguard.conf:", "use_fips", "endpoint_url"]),
    ({"use_dualstack": True, "endpoint_url": "https://vpce.example"}, {}, ["trailguard.conf:", "use_dualstack", "endpoint_url"]),
    ({"use_fips": True}, {}, ["FIPS", "AWS_ENDPOINT_URL"]),
    ({"endpoint_url": "https://vpce.example"}, {"AWS_USE_FIPS_ENDPOINT": "true"}, ["FIPS", "aws.endpoint_url"]),
    ({}, {"AWS_USE_DUALSTACK_ENDPOINT": "TRUE", "AWS_ENDPOINT_URL": None, "AWS_ENDPOINT_URL_SNS": "https://sns.example"},
     ["dual-stack", "AWS_ENDPOINT_URL_SNS"]),
    ({}, {"AWS_USE_FIPS_ENDPOINT": "yes"}, ["AWS_USE_FIPS_ENDPOINT", "true, false"]),
])
def test_what_cannot_go_together_is_refused_with_both_names(sim, make_guard, aws, env, parts):
    guard = make_guard(sim, env=env, aws=aws, alerts=()).start()
    assert guard.wait() == 1
    assert all(part in guard.stderr() for part in parts), guard.stderr()
    assert sim.requests() == []


@pytest.mark.parametrize("where", [{"regions": ["cn-north-1"]},
                                   {"accounts": [{"name": "beijing", "regions": ["cn-northwest-1"]}]}],
                         ids=["regions", "accounts"])
def test_fips_endpoints_are_not_made_up_for_china(sim, make_guard, where):
    guard = make_guard(sim, env={"AWS_ENDPOINT_URL": None}, aws={"use_fips": True}, alerts=(), **where).start()
    assert guard.wait() == 1
    assert "FIPS endpoints are requested, but cn-north" in guard.stderr(), guard.stderr()


def test_the_file_wins_over_the_environment_about_kinds_of_hosts(sim, make_guard):
    env = {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"}
    make_guard(sim, env=env, aws={"use_fips": False, "use_dualstack": False}, alerts=()).start().wait_guarding()


def test_hosts_of_a_kind_are_asked_for_by_name(sim, make_guard, proxy):
    """Nothing answers to these names here; a proxy hears them all the same."""
    guard = make_guard(sim, env={"AWS_ENDPOINT_URL": None, "AWS_USE_DUALSTACK_ENDPOINT": "true"}, alerts=(),
                       aws={"use_fips": True, "proxy": proxy.url, "max_attempts": 1}).start().wait_ready()
    poll(lambda: len(proxy.asked) >= 2, within(10))
    assert proxy.asked <= {f"cloudtrail-fips.{FRA}.api.aws:443", f"sts-fips.{FRA}.api.aws:443"}
    guard.wait_line(f"the proxy {proxy.name} refused to connect: HTTP 502")


# -- proxies -----------------------------------------------------------------------------------------------------------
class Proxy(socketserver.ThreadingTCPServer):
    """Takes CONNECT, to loopback only. `asked`: who was asked for; `refuse`: a status to say instead."""
    allow_reuse_address, daemon_threads = True, True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Connection)
        self.asked, self.lines, self.user, self.refuse = set(), [], None, None
        self.name = "127.0.0.1:%d" % self.server_address[1]
        self.url = f"http://{self.name}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline().decode()
        headers = {}
        while (header := self.rfile.readline().strip()):
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        method, target, _ = line.split()
        self.server.lines.append(line.strip())
        self.server.asked.add(target)
        if self.server.user and headers.get("proxy-authorization") != "Basic " + base64.b64encode(
                self.server.user.encode()).decode():
            self.say("407 Who are you", 'Proxy-Authenticate: Basic realm="test"\r\n')
        elif self.server.refuse:
            self.say(self.server.refuse)
        elif method == "CONNECT" and target.startswith("127.0.0.1:"):
            with socket.create_connection(target.split(":")) as server:
                self.say("200 Connected")
                self.pump(server)
        else:
            self.say("502 Not from here")

    def say(self, status, headers=""):
        length = "" if status.startswith("200") else "Content-Length: 0\r\n"
        self.wfile.write(f"HTTP/1.1 {status}\r\n{headers}{length}\r\n".encode())

    def pump(self, server):
        ends = {self.connection: server, server: self.connection}
        try:
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    ends[end].sendall(data)
        except OSError:
            return


@pytest.fixture
def proxy():
    server = Proxy()
    yield server
    server.close()


def sim_host(sim):
    return sim.url.removeprefix("https://")


@pytest.mark.parametrize("way", ["option", "HTTPS_PROXY", "https_proxy"])
def test_everything_goes_through_the_proxy_by_connect(tls_sim, make_guard, proxy, way):
    proxy.user = f"guard:{PASSWORD}"
    url = f"http://guard:{PASSWORD}@{proxy.name}"
    aws, env = ({"proxy": url}, {"HTTPS_PROXY": "http://127.0.0.1:1"}) if way == "option" else ({}, {way: url})
    guard = make_guard(tls_sim, env=env, aws=aws)
    guard.secrets.append(PASSWORD)
    guard.start().wait_guarding()
    Mallory(tls_sim).stop(ORG_TRAIL)
    tls_sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    assert proxy.asked == {sim_host(tls_sim)}
    assert all(line.startswith("CONNECT ") for line in proxy.lines)
    # connections are kept, also through a proxy
    assert len(proxy.lines) < len(tls_sim.requests(principal="*:user/guard"))


@pytest.mark.parametrize("status, text", [("403 Forbidden", "HTTP 403"), ("407 Login", "HTTP 407 (it does not accept")])
def test_a_proxy_that_refuses_is_named_and_its_password_is_not(tls_sim, make_guard, proxy, status, text):
    proxy.refuse = status
    guard = make_guard(tls_sim, unreachable_after=1, aws={"max_attempts": 1, "proxy": f"http://guard:{PASSWORD}@{proxy.name}/"})
    guard.secrets.append(PASSWORD)
    guard.start().wait_ready()
    guard.wait_line(f"the proxy {proxy.name} refused to connect: {text}".replace("(", r"\("))
    guard.wait_status(lambda state: state["targets"][0]["state"] == "unreachable")
    assert tls_sim.requests() == []
    proxy.refuse = None
    guard.wait_verdict("org-trail", "logging", 20)


def test_a_dead_proxy_is_said_so(tls_sim, make_guard):
    guard = make_guard(tls_sim, alerts=(), aws={"max_attempts": 1}, env={"HTTPS_PROXY": f"http://guard:{PASSWORD}@127.0.0.1:1"})
    guard.secrets.append(PASSWORD)
    guard.start().wait_ready()
    guard.wait_line("127.0.0.1 port 1")


@pytest.mark.parametrize("value", ["example.com,127.0.0.1", "example.com 127.0.0.1", "127.0.0.1:{port}", "127.0.0.0/8", "*"])
def test_hosts_in_no_proxy_go_without(tls_sim, make_guard, proxy, value):
    value = value.format(port=sim_host(tls_sim).split(":")[1])
    make_guard(tls_sim, aws={"proxy": proxy.url}, env={"NO_PROXY": value}).start().wait_guarding()
    assert proxy.lines == []


@pytest.mark.parametrize("env", [{"NO_PROXY": "127.0.0.1", "no_proxy": ""}, {"NO_PROXY": "127.0.0.1:1"}, {"NO_PROXY": "127.0.0.10"}])
def test_hosts_that_no_proxy_does_not_name_go_through_it(tls_sim, make_guard, proxy, env):
    make_guard(tls_sim, aws={"proxy": proxy.url}, env=env).start().wait_guarding()
    assert proxy.asked == {sim_host(tls_sim)}


def test_a_lower_case_variable_that_is_empty_turns_the_proxy_off(tls_sim, make_guard, proxy):
    make_guard(tls_sim, env={"HTTPS_PROXY": proxy.url, "https_proxy": ""}).start().wait_guarding()
    assert proxy.lines == []


def test_metadata_never_goes_through_a_proxy(tls_sim, make_guard, proxy):
    tls_sim.add_role("node", MAIN)
    tls_sim.call("imds", account=MAIN, role="node")
    names = ("HTTPS_PROXY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
    guard = make_guard(tls_sim, user=None, alerts=(), aws={"proxy": proxy.url},
                       env={**tls_sim.env_for("guard", imds=True), "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None,
                            **{name: proxy.url for name in names}}).start().wait_guarding()
    guard.wait_verdict("org-trail", "logging")
    assert proxy.asked == {sim_host(tls_sim)}


def test_plain_http_to_loopback_never_goes_through_a_proxy(sim, make_guard, proxy):
    make_guard(sim, aws={"proxy": proxy.url}, env={"HTTP_PROXY": proxy.url, "http_proxy": proxy.url}).start().wait_guarding()
    assert proxy.lines == []


@pytest.mark.parametrize("url", [f"socks5://guard:{PASSWORD}@proxy.example:1080", f"http://guard:{PASSWORD}@proxy.example",
                                 f"http://guard:{PASSWORD}@@proxy.example:3128", f"http://guard:{PASSWORD}#1@proxy.example:3128",
                                 f"http://guard:{PASSWORD}/1@proxy.example:3128"])
def test_what_is_no_proxy_is_refused_without_its_password(sim, make_guard, url):
    for aws, env, name in (({"proxy": url}, {}, "aws.proxy"), ({}, {"HTTPS_PROXY": url}, "HTTPS_PROXY")):
        guard = make_guard(sim, alerts=(), aws=aws, env=env)
        guard.secrets.append(PASSWORD)
        assert guard.start().wait() == 1
        assert name in guard.stderr() and "http://[USER:PASSWORD@]HOST:PORT" in guard.stderr()
        assert "percent-encoded (%40 %23 %2F)" in guard.stderr()


def test_the_configuration_is_shown_without_the_password_of_the_proxy(sim, make_guard):
    guard = make_guard(sim, aws={"proxy": "http://proxy.example:3128", "use_fips": True, "use_dualstack": False})
    guard.secrets.append(PASSWORD)
    first = guard.verb("config", "--dump").stdout
    for line in ('proxy = "http://proxy.example:3128";', "use_fips = true;", "use_dualstack = false;"):
        assert line in first
    guard.write_config(first)
    assert guard.verb("config", "--dump").stdout == first
    guard.write_config(aws={"proxy": f"http://guard:{PASSWORD}@proxy.example:3128"})
    hidden = guard.verb("config", "--dump").stdout
    assert 'proxy = "http://not-shown:not-shown@proxy.example:3128"; # user and password are not shown' in hidden
    guard.write_config(hidden)
    assert guard.verb("config", "--dump").stdout == hidden


# -- certificates ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("way", ["option", "environment"])
@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n"],
                         ids=["missing", "empty", "rubbish"])
def test_a_bundle_that_cannot_be_used_is_named(tls_sim, make_guard, place, way, content):
    bundle = place / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    option = way == "option"
    guard = make_guard(tls_sim, alerts=(), env={} if option else {"AWS_CA_BUNDLE": str(bundle)},
                       **({"aws": {"ca_bundle": str(bundle)}} if option else {})).start()
    assert guard.wait() == 1
    assert str(bundle) in guard.stderr()


def test_the_bundle_is_read_again_at_a_reload(tls_sim, make_guard, place):
    bundle = place / "bundle.pem"
    shutil.copyfile("/etc/ssl/certs/ca-certificates.crt", bundle)
    guard = make_guard(tls_sim, alerts=(), aws={"ca_bundle": str(bundle), "max_attempts": 1}).start().wait_ready()
    guard.wait_line("[Cc]ertificate")
    shutil.copyfile(tls_sim.ca_file, bundle)
    guard.reload()
    guard.wait_verdict("org-trail", "logging")

    bundle.unlink()
    mark = guard.mark()
    guard.reload()
    guard.wait_line(f"{bundle}.*keeping the old configuration", since=mark)
    wait_polls(tls_sim, 2, FRA, status=200)
