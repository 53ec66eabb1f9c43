#!/bin/bash
# A month lasts 216 seconds longer for an npm package that reads systemd's time spans, and a capital M is
# no month to it.
#
# Guess: timespan-parser follows systemd.time(7) in the units that it lists.
# Seen: timespan-parser 1.2.0 takes the 30.44 days of the manual page; systemd 252 itself has a twelfth of
#   its year, 30.4375 days. The package lists M among its units but refuses 1M, as it refuses 1.5h. Small m
#   is a minute for both.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed systemd 252.
npm_get timespan-parser@1.2.0

row() {
    local npm systemd
    npm=$(bare node -e 'try { console.log(require("timespan-parser").parse(process.argv[1], "s")) } catch { console.log("refused") }' "$1")
    systemd=$(systemd-analyze timespan "$1" | sed -n 's/.*μs: \(.*\)000000$/\1/p')
    echo "$1: npm $npm | systemd $systemd"
}

same "$(cat <<'END'
1month: npm 2630016 | systemd 2629800
1M: npm refused | systemd 2629800
1m: npm 60 | systemd 60
1.5h: npm refused | systemd 5400
1y: npm 31557600 | systemd 31557600
END
)" "$(
    row 1month
    row 1M
    row 1m
    row 1.5h
    row 1y
)" || exit 1
