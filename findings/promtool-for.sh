#!/bin/bash
# A unit test of an alert rule whose samples are seven minutes apart never fires, whatever its `for` says.
#
# Guess: promtool's rule tests evaluate a rule at the samples of the series: one every 10 minutes with
#   `for: 20m` makes the alert fire after 20 minutes, as one every 5 does.
# Seen: promtool 2.42.0 evaluates every minute between the samples too, and a sample counts for 5 minutes
#   (the lookback of queries), both ends included: every 6 minutes is still without a gap, every 7 is not.
#   The alert is pending, gone and pending again; without `for` it fires at the samples and not between
#   them. An evaluation_interval as long as the samples' makes it fire.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

deb_get prometheus=2.42.0+ds-5+deb12u1

# row INTERVAL FOR AT [EVALUATION]: does it fire then?
row() {
    cat >"$tmp/rules.yml" <<END
groups:
- name: example
  rules:
  - alert: Down
    expr: up == 0
    for: $2
END
    cat >"$tmp/test.yml" <<END
rule_files: [rules.yml]
evaluation_interval: ${4:-1m}
tests:
- interval: $1
  input_series:
  - series: up
    values: '0x30'
  alert_rule_test:
  - eval_time: $3
    alertname: Down
    exp_alerts: [{}]
END
    printf 'samples every %s, for %s, at %s, evaluated every %s: ' "$1" "$2" "$3" "${4:-1m}"
    (cd "$tmp" && root/usr/bin/promtool test rules test.yml >/dev/null 2>&1) && echo fires || echo 'does not fire'
}

same "$(cat <<'END'
samples every 5m, for 20m, at 60m, evaluated every 1m: fires
samples every 6m, for 20m, at 60m, evaluated every 1m: fires
samples every 7m, for 20m, at 63m, evaluated every 1m: does not fire
samples every 10m, for 20m, at 60m, evaluated every 1m: does not fire
samples every 10m, for 0s, at 60m, evaluated every 1m: fires
samples every 10m, for 0s, at 66m, evaluated every 1m: does not fire
samples every 10m, for 20m, at 60m, evaluated every 10m: fires
END
)" "$(
    row 5m 20m 60m
    row 6m 20m 60m
    row 7m 20m 63m
    row 10m 20m 60m
    row 10m 0s 60m
    row 10m 0s 66m
    row 10m 20m 60m 10m
)" || exit 1
