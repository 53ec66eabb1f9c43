#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What becomes of a run's figures: verdicts, the table that `make bench` prints, docs/performance.md. All of it is a function of
its input, so tests can hold it against a text.

usage: report.py RESULTS.json                            prints the table
       report.py RESULTS.json --document FILE            makes FILE from performance.md.in and the results"""
import argparse
import json
import math
import re
import textwrap
from pathlib import Path

TEMPLATE = Path(__file__).with_name("performance.md.in")
ALIKE = (0.93, 1.07)        # the floor against itself: outside of it the machine was too busy to judge by
KS_LEAST = 0.05
ROUND = 39 / 40             # of the interval: a round of polls begins that much earlier (schedule_round_usec)
OTHER_OPERATIONS = ["DescribeTrails", "ListTrails", "GetEventSelectors", "GetInsightSelectors", "GetEventConfiguration", "ListTags",
                    "LookupEvents", "StartLogging", "GetCallerIdentity", "AssumeRole", "Publish", "other"]
COLUMNS = ("", "TrailGuard", "beside it", "ratio", "A'/A", "target", "verdict")


# -- traces ----------------------------------------------------------------------------------------------------------
CALL = re.compile(r"^\d+\s+(?:<\.\.\. )?([a-z]\w*)[( ]")
WAITS = {"epoll_wait", "epoll_pwait", "epoll_pwait2"}
AT_ONCE = re.compile(r", 0(?:, NULL, \d+)?\)\s+=|\{tv_sec=0, tv_nsec=0\}")      # a wait that does not sleep
TRAFFIC = re.compile(r"<(?:TCP|TCPv6|UDP)[:\[]")


def count_trace(lines):
    """{calls, wakeups, idle} of `strace -f -yy`: a wake-up is a wait for events that could sleep and has returned. An idle one
    is followed by no call on a network socket before the next."""
    calls = wakeups = idle = 0
    awake = traffic = False
    for line in lines:
        call = CALL.match(line)
        if not call:
            continue
        ended = "<unfinished ...>" not in line
        calls += ended
        traffic = traffic or bool(TRAFFIC.search(line))
        if call[1] not in WAITS or not ended or AT_ONCE.search(line):
            continue
        idle += awake and not traffic
        wakeups += 1
        awake, traffic = True, False
    return {"calls": calls, "wakeups": wakeups, "idle": idle}


# -- latency ---------------------------------------------------------------------------------------------------------
def kolmogorov_smirnov(values, most):
    """The probability that values which are uniform in 0..most lie as far from it as these: the asymptotic distribution with
    Stephens' correction for small n."""
    n = len(values)
    if n == 0:
        return 0.0
    shares = [min(1.0, value / most) for value in sorted(values)]
    distance = max(max((i + 1) / n - share, share - i / n) for i, share in enumerate(shares))
    x = (math.sqrt(n) + 0.12 + 0.11 / math.sqrt(n)) * distance
    if x < 0.2:
        return 1.0
    return max(0.0, min(1.0, 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * x) ** 2) for k in range(1, 101))))


def quantiles(values):
    values = sorted(values)
    if not values:
        return {"n": 0}
    return {"n": len(values), **{name: round(values[min(len(values) - 1, int(len(values) * share))], 1)
                                 for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))}, "max": round(values[-1], 1)}


def latencies(interval, round_trip_ms, outcomes):
    """What came of stops: outcomes are [polled, started, published] in ms after the stop, None for what has not come. Without
    other delay the time to the poll is uniform in one round."""
    polled, started, published = ([row[i] for row in outcomes if row[i] is not None] for i in range(3))
    return {"interval": interval, "round_trip_ms": round_trip_ms, "stops": len(outcomes), "polled": quantiles(polled),
            "started": quantiles(started), "published": quantiles(published),
            "most_ms": 1000 * interval + 3 * round_trip_ms + 50, "ks": round(kolmogorov_smirnov(polled, 1000 * interval * ROUND), 4)}


def latency_rows(summary):
    unit, interval = "ms", f"interval {summary['interval']} s: "
    missing = summary["stops"] - summary["started"]["n"]
    return [{"what": interval + "stop to running, longest", "value": math.inf if missing else summary["started"]["max"],
             "unit": unit, "most": summary["most_ms"]},
            {"what": interval + "time to detection uniform, KS p", "value": summary["ks"],
             "unit": "", "least": KS_LEAST},
            {"what": interval + "stop to alert accepted by SNS, p99", "value": summary["published"].get("p99", math.inf),
             "unit": unit},
            {"what": interval + "stops whose alert did not come", "value": summary["stops"] - summary["published"]["n"],
             "unit": "", "most": 0}]


# -- verdicts --------------------------------------------------------------------------------------------------------
def verdict(row):
    if "skipped" in row:
        return "skipped"
    if "failed" in row:
        return "failed"
    for name, value, reached in (("most_ratio", "ratio", lambda a, b: a <= b), ("least_ratio", "ratio", lambda a, b: a >= b),
                                 ("most", "value", lambda a, b: a <= b), ("least", "value", lambda a, b: a >= b)):
        if row.get(name) is not None:
            if value == "ratio" and not (row.get("noise") and ALIKE[0] <= row["noise"] <= ALIKE[1]):
                return "noisy"
            return "met" if reached(row[value], row[name]) else "missed"
    return ""


def judge(rows):
    return [{**row, "verdict": verdict(row)} for row in rows]


def number(value, unit=""):
    if value is None:
        return ""
    if value == math.inf:
        return "never"
    text = f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{text} {unit}".rstrip()


def target(row):
    unit = row.get("unit", "")
    texts = [(row.get("most_ratio"), "<= {} x", ""), (row.get("least_ratio"), ">= {} x", ""), (row.get("most"), "<= {}", unit),
             (row.get("least"), ">= {}", unit)]
    return next((text.format(number(value, of)) for value, text, of in texts if value is not None), "")


def cells(row):
    if row["verdict"] in ("skipped", "failed"):
        return [row["what"], "", "", "", "", "", row["verdict"]]
    ratio = f"{row['ratio']:.2f} x" if row.get("ratio") and row["ratio"] < 100 else f"{row['ratio']:.0f} x" if row.get("ratio") else ""
    return [row["what"], number(row["value"], row["unit"]), number(row.get("beside"), row["unit"]),
            ratio + (f" {row['factor']}" if row.get("factor") else ""), f"{row['noise']:.2f}" if row.get("noise") else "",
            target(row), row["verdict"] + (", not judged" if row["verdict"] == "noisy" else "")]


def reasons(rows):
    return [f"{row['what']}: {row['verdict']}: {row.get('skipped') or row.get('failed')}" for row in rows
            if row["verdict"] in ("skipped", "failed")]


def scenarios(result):
    """[(title, rows)] in the order of the run."""
    grouped = {}
    for row in result["rows"]:
        grouped.setdefault(row["title"], []).append(row)
    return list(grouped.items())


def counts(result):
    verdicts = [row["verdict"] for row in result["rows"] if row["verdict"]]
    return ", ".join(f"{verdicts.count(name)} {name}" for name in ("met", "missed", "noisy", "skipped", "failed")
                     if name in verdicts) or "nothing was judged"


def table(result):
    """For a terminal."""
    blocks = [(title, [cells(row) for row in rows], reasons(rows)) for title, rows in scenarios(result)]
    everything = [COLUMNS] + [line for _, lines, _ in blocks for line in lines]
    widths = [max(len(line[i]) for line in everything) for i in range(len(COLUMNS))]

    def aligned(line):
        return "  ".join(f"{text:<{width}}" if i in (0, 6) else f"{text:>{width}}"
                         for i, (text, width) in enumerate(zip(line, widths))).rstrip()
    lines = [aligned(COLUMNS)]
    for title, rows, why in blocks:
        lines += ["", title] + [aligned(row) for row in rows] + why
    return "\n".join([*lines, "", counts(result)])


# -- files -----------------------------------------------------------------------------------------------------------
def changed(value, old, new):
    """A copy of what JSON can hold, with one value in place of another."""
    if isinstance(value, dict):
        return {name: changed(member, old, new) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [changed(member, old, new) for member in value]
    return new if value == old and isinstance(value, float) else value


def save(result, path):
    """JSON has no infinity: what never came is the text "never"."""
    path.write_text(json.dumps(changed(result, math.inf, "never"), indent=1, allow_nan=False) + "\n")


def load(path):
    return json.loads(path.read_text().replace('"never"', "Infinity"))


# -- the document ----------------------------------------------------------------------------------------------------
def markdown(header, rows):
    line = "| {} |".format
    return "\n".join([line(" | ".join(header)), "|" + "---|" * len(header), *(line(" | ".join(row)) for row in rows)])


def document_tables(result):
    parts = []
    for title, rows in scenarios(result):
        parts.append(f"### {title[0].upper() + title[1:]}\n")
        shown = [row for row in rows if row["verdict"] not in ("skipped", "failed")]
        if shown:
            parts.append(markdown(COLUMNS, [cells(row) for row in shown]) + "\n")
        parts += [textwrap.fill(f"{reason}.", 118, break_on_hyphens=False) + "\n" for reason in reasons(rows)]
    return "\n".join(parts).rstrip()


def document_latency(result):
    """Beside what theory says of a time that is uniform in 0..interval."""
    rows = []
    for one in result["latency"]:
        interval_ms = 1000 * one["interval"]
        rows.append([f"{one['interval']} s", "theory, to the poll", *(number(interval_ms * share) for share in (0.5, 0.9, 0.99, 1)), ""])
        for name, what in (("polled", "to the poll"), ("started", "to running"), ("published", "to SNS")):
            rows.append(["", what, *(number(one[name].get(q, math.inf)) for q in ("p50", "p90", "p99", "max")),
                         number(one["ks"]) if name == "polled" else ""])
    return markdown(("interval", "from the stop", "p50 ms", "p90 ms", "p99 ms", "longest ms", "KS p"), rows) if rows else \
        "This run did not measure it."


def explanations(text):
    """{"SCENARIO | WHAT": paragraph} of blocks that each begin with a line "= SCENARIO | WHAT"; several such lines share one."""
    found, names, lines = {}, [], []
    for line in [*text.splitlines(), "= "]:
        if not line.startswith("= "):
            lines.append(line)
        else:
            if any(lines):
                found.update(dict.fromkeys(names, "\n".join(lines).strip()))
                names, lines = [], []
            names.append(line[2:].strip())
    return found


def document_misses(result, why):
    """Each with its explanation. One that has none says so."""
    parts = []
    for row in result["rows"]:
        if row["verdict"] == "missed":
            reached = f"{row['ratio']:.2f} x" if "most_ratio" in row or "least_ratio" in row else number(row["value"], row["unit"])
            reason = why.get(f"{row['scenario']} | {row['what']}", "Not explained yet.")
            parts.append(f"**{row['title'][0].upper() + row['title'][1:]}: {row['what']}.**\n"
                         f"{reached}, target {target(row)}.\n{reason}")
    return "\n\n".join(parts) or "None."


def document_conditions(result):
    c = result["conditions"]
    load = c["load"]
    facts = [("Date", c["date"]), ("Machine", c["machine"]), ("System", c["system"]),
             ("Program", f"{c['trailguard']}, commit {c['commit']}"), ("Libraries", f"libcurl {c['libcurl']}, OpenSSL {c['openssl']}"),
             ("Beside it", f"boto3 {c['boto3']}, {c['aws']}" if c["aws"] != "absent" else f"boto3 {c['boto3']}, no aws CLI"),
             ("CAs in the bundle", str(c["cas"])), ("Cores", "server and programs on different ones" if c["pinned"] else "one for all"),
             ("Load average", f"{min(load)} to {max(load)}"), ("Run", f"{c['seconds']} s{', quick' if c['quick'] else ''}; {counts(result)}")]
    return markdown(("", ""), facts)


def document(result, template):
    template, _, why = template.partition("\n@explanations@\n")
    for name, text in (("conditions", document_conditions(result)), ("tables", document_tables(result)),
                       ("latency", document_latency(result)), ("misses", document_misses(result, explanations(why)))):
        if f"@{name}@" not in template:
            raise ValueError(f"the template has no @{name}@")
        template = template.replace(f"@{name}@", text)
    return template


def main():
    parser = argparse.ArgumentParser(description="the table and the document of a run of `make bench`")
    parser.add_argument("results", type=Path)
    parser.add_argument("--document", type=Path)
    options = parser.parse_args()
    result = load(options.results)
    if options.document:
        options.document.write_text(document(result, TEMPLATE.read_text()))
    else:
        print(table(result))


if __name__ == "__main__":
    main()
