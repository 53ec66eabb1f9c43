#!/bin/bash
# A comment without a space after '#' is a metric to an npm parser of Prometheus' text format, and takes
# away the type of the next one.
#
# Guess: what begins with '#' and is not HELP or TYPE is skipped, as the format says and promtool does.
# Seen: parse-prometheus-text-format 1.1.1 skips '# note' but makes a metric named '#note' of '#note', and
#   ends the family before it: the gauge up_ comes out twice, once as a gauge without values and once as
#   untyped. promtool 2.42.0 takes both without a remark.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

deb_get prometheus=2.42.0+ds-5+deb12u1
npm_get parse-prometheus-text-format@1.1.1

row() {
    local text=$'# HELP up_ Well.\n# TYPE up_ gauge\n'$1$'\nup_ 1\n'
    "$tmp/root/usr/bin/promtool" check metrics <<<"$text" || different 'promtool has a remark'
    bare node -e 'const parse = require("parse-prometheus-text-format");
        console.log(process.argv[1] + ":", parse(process.argv[2]).map(m => [m.name, m.type, m.metrics.length].join(" ")).join(", "));' "$1" "$text"
}

same "$(cat <<'END'
# note: up_ GAUGE 1
#note: up_ GAUGE 0, #note UNTYPED 1, up_ UNTYPED 1
END
)" "$(
    row '# note'
    row '#note'
)" || exit 1
