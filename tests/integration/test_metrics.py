# SPDX-License-Identifier: Apache-2.0
"""Metrics, read by the real node_exporter and the real Prometheus; the alert rules and the dashboard for them."""

import json
import re
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from guard import within
from helpers import FRA, TOPIC, wait_outcome
from simaws.client import poll

DOCS = Path(__file__).parents[2] / "docs/prometheus"
PROMTOOL, PROMETHEUS, EXPORTER = (shutil.which(name) for name in ("promtool", "prometheus", "prometheus-node-exporter"))
needs_prometheus = pytest.mark.skipif(not (PROMTOOL and PROMETHEUS and EXPORTER),
                                      reason="needs prometheus and prometheus-node-exporter")

CONFIG = """
global: {{ scrape_interval: 500ms, evaluation_interval: 500ms }}
rule_files: [ "{rules}" ]
scrape_configs:
  - job_name: node
    static_configs: [ {{ targets: [ "127.0.0.1:{port}" ], labels: {{ instance: host }} }} ]
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def promtool(*arguments, text=None):
    done = subprocess.run([PROMTOOL, *map(str, arguments)], input=text, capture_output=True, text=True, timeout=within(60))
    assert done.returncode == 0 and not (text and done.stdout + done.stderr), done.stdout + done.stderr


def get(url):
    with urllib.request.urlopen(url, timeout=within(10)) as answer:
        return answer.read().decode()


class Monitoring:
    """node_exporter with a textfile directory, and a Prometheus that scrapes it."""

    def __init__(self, place):
        self.textfiles, self.ports, self.processes = place / "textfiles", (free_port(), free_port()), []
        self.textfiles.mkdir()
        (place / "prometheus.yml").write_text(CONFIG.format(rules=DOCS / "rules.yml", port=self.ports[0]))
        self._run(EXPORTER, "--collector.disable-defaults", "--collector.textfile",
                  f"--collector.textfile.directory={self.textfiles}", f"--web.listen-address=127.0.0.1:{self.ports[0]}")
        self._run(PROMETHEUS, f"--config.file={place}/prometheus.yml", f"--storage.tsdb.path={place}/tsdb",
                  f"--web.listen-address=127.0.0.1:{self.ports[1]}")

    def _run(self, *command):
        self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                               stderr=subprocess.DEVNULL, cwd=self.textfiles.parent))

    def ask(self, path, **parameters):
        return json.loads(get(f"http://127.0.0.1:{self.ports[1]}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"))["data"]

    def values(self, query):
        """The values of an instant query, by what is left of their labels."""
        try:
            found = self.ask("query", query=query)["result"]
        except OSError:
            return {}
        return {tuple(value for name, value in sorted(row["metric"].items())
                      if name not in ("__name__", "guard", "instance", "job")): float(row["value"][1]) for row in found}

    def wait(self, query, value, seconds=30):
        poll(lambda: self.values(query) == value, within(seconds), 0.1)

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def monitoring(place):
    running = Monitoring(place)
    yield running
    running.close()


def series(page):
    """{series: value} of the page; each line is of a known form."""
    lines = [line for line in page.splitlines() if not line.startswith("#")]
    assert page.endswith("\n") and all(re.fullmatch(r"trailguard_\w+\{.*\} [0-9.]+", line) for line in lines)
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


@needs_prometheus
def test_rules_and_example_are_what_promtool_accepts():
    promtool("test", "rules", DOCS / "rules.test.yml")
    promtool("check", "rules", DOCS / "rules.yml")
    promtool("check", "metrics", text=(DOCS / "example.prom").read_text())


@needs_prometheus
def test_a_rule_that_waits_for_less_fails_its_tests(place):
    """Each `for:` is held by a test: without it the rule fires earlier than one of them says."""
    rules = (DOCS / "rules.yml").read_text()
    (place / "rules.test.yml").write_text((DOCS / "rules.test.yml").read_text())
    waits = list(re.finditer(r"- alert: (\w+)\n(?:(?! *- alert:).*\n)*? +(for: \w+)\n", rules))
    assert len(waits) > 8
    for rule in waits:
        (place / "rules.yml").write_text(rules[:rule.start(2)] + "for: 0s" + rules[rule.end(2):])
        done = subprocess.run([PROMTOOL, "test", "rules", place / "rules.test.yml"], capture_output=True, text=True,
                              timeout=within(60))
        assert done.returncode == 1 and rule[1] in done.stdout + done.stderr, rule[1]


@needs_prometheus
def test_a_real_prometheus_scrapes_what_is_guarded_restarted_and_sent(sim, make_guard, mallory, monitoring):
    guard = make_guard(sim, trails=["org-trail"], metrics_file="metrics.prom")
    file, arn = guard.runtime / "metrics.prom", None
    (monitoring.textfiles / "trailguard.prom").symlink_to(file)
    guard.start().wait_guarding()
    (trail,) = guard.status()["trails"]
    arn, labels = trail["arn"], (trail["account"], trail["region"], trail["name"])
    monitoring.wait("trailguard_trail_logging", {labels: 1})
    mallory.stop(arn)
    wait_outcome(sim, "trail.stopped")
    # an increase, and not a series that was not there before
    monitoring.wait('increase(trailguard_actions_total{action="restart", result="confirmed"}[1m]) > bool 0',
                    {("restart", "confirmed"): 1})
    channel = f"sns:{TOPIC}"
    monitoring.wait('trailguard_alert_deliveries_total{outcome="delivered"} > bool 0', {(channel, "delivered"): 1})
    monitoring.wait("trailguard_trail_state", {(*labels[:2], "logging", labels[2]): 1})
    assert monitoring.values("node_textfile_scrape_error") == {(): 0}

    page = file.read_text()
    promtool("check", "metrics", text=page)
    before = series(page)
    assert before['trailguard_alerts_total{guard="trailguard",event="trail.stopped",severity="critical"}'] == 1
    assert before['trailguard_aws_requests_total{guard="trailguard",service="cloudtrail",operation="StartLogging"}'] == 1
    assert before['trailguard_aws_request_duration_seconds_count{guard="trailguard",service="cloudtrail"}'] > 3
    assert before['trailguard_poll_duration_seconds_count{guard="trailguard"}'] > 1
    assert before[f'trailguard_target_reachable{{guard="trailguard",account="{labels[0]}",region="{FRA}"}}'] == 1
    groups = monitoring.ask("rules")["groups"]
    assert {rule["health"] for rule in groups[0]["rules"]} == {"ok"}

    # the dashboard's queries are questions that a Prometheus understands
    variables = {"$guard": ".*", "$instance": ".*", "$__rate_interval": "1m"}
    for panel in json.loads((DOCS / "dashboard.json").read_text())["panels"]:
        for target in panel["targets"]:
            query = target["expr"]
            for name, value in variables.items():
                query = query.replace(name, value)
            assert monitoring.ask("query", query=query)["resultType"] == "vector", query

    # a reload that is refused shows, and no counter goes back over one that is not
    guard.write_config("regions = 1;\n")
    guard.reload()
    monitoring.wait("trailguard_config_reload_failed", {(): 1})
    guard.write_config()
    guard.reload()
    monitoring.wait("trailguard_config_reload_failed", {(): 0})
    after = series(file.read_text())
    assert [name for name, value in before.items() if re.search(r"_(total|count|sum|bucket)\{", name)
            and after.get(name, -1) < value] == []

    # nobody reads what a guard that has ended wrote
    guard.stop()
    assert not file.exists()
    monitoring.wait("node_textfile_scrape_error", {(): 1})
    monitoring.wait("trailguard_trail_logging", {})


def test_errors_are_counted_by_code_and_a_path_that_cannot_be_written_is_said_once(sim, make_guard, place):
    guard = make_guard(sim, metrics_file=str(place / "none/metrics.prom"))
    guard.start().wait_line("none/metrics.prom: cannot be written: No such file or directory")
    (place / "none").mkdir()
    poll((place / "none/metrics.prom").exists, within(10))
    denied = r'^trailguard_aws_request_errors_total\{.*operation="GetTrailStatus",code="AccessDenied.*"\} [1-9]'
    with sim.fault("denied", operation="GetTrailStatus"):
        poll(lambda: re.search(denied, (place / "none/metrics.prom").read_text(), re.M), within(20), 0.2)
    # switched off: the file goes
    guard.write_config(metrics_file=None)
    guard.reload()
    poll(lambda: not (place / "none/metrics.prom").exists(), within(10))
    assert len(guard.found("metrics.prom: cannot be written")) == 1
