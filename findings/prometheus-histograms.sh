#!/bin/bash
# A histogram with a label comes out of an npm parser of Prometheus' text format as its last series, without the label.
#
# Guess: a histogram that has a series per region becomes one entry per region, with its labels, sum and count.
# Seen: parse-prometheus-text-format 1.1.1 has one entry for all of them. Its buckets are those of the region that
#   comes last; the label, the sums and the counts are gone. A histogram without labels is whole, and so is a gauge
#   with labels. promtool 2.42.0 takes the text without a remark. Each value is a string.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

deb_get prometheus=2.42.0+ds-5+deb12u1
npm_get parse-prometheus-text-format@1.1.1

# series LABEL COUNT SUM
series() {
    local comma=${1:+$1,} braces=${1:+"{$1}"}
    printf 'call_seconds_bucket{%sle="0.5"} %d\ncall_seconds_bucket{%sle="+Inf"} %d\n' "$comma" "$2" "$comma" "$2"
    printf 'call_seconds_sum%s %s\ncall_seconds_count%s %d\n' "$braces" "$3" "$braces" "$2"
}

parsed() {
    { printf '# HELP call_seconds Duration of calls.\n# TYPE call_seconds histogram\n' && cat; } >"$tmp/text"
    "$tmp/root/usr/bin/promtool" check metrics <"$tmp/text" >"$tmp/log" 2>&1 || different 'promtool has a remark'
    bare node -e 'const parse = require("parse-prometheus-text-format");
                  for (const entry of parse(require("fs").readFileSync(process.argv[1], "utf8"))[0].metrics)
                      console.log(JSON.stringify(entry));' "$tmp/text"
}

same 'no label:
{"buckets":{"0.5":"7","+Inf":"7"},"count":"7","sum":"1.5"}
two regions:
{"buckets":{"0.5":"2","+Inf":"2"}}' "$(
    echo 'no label:' && series '' 7 1.5 | parsed
    echo 'two regions:' && { series 'region="eu-central-1"' 7 1.5 && series 'region="us-east-1"' 2 0.25; } | parsed)" || exit 1
