#!/bin/bash
# StartLoggingTime in another form than seconds: JavaScript fails the whole call, or moves the trail to the
# year 58876.
#
# Guess: what is no number of seconds is refused by both, or read by both.
# Seen: botocore 1.29.27 reads ISO 8601 and HTTP dates where the protocol has epoch seconds, and fails on
#   milliseconds; client-cloudtrail 3.1137.0 is the other way about: it fails on the dates (so a stand-in
#   for AWS that was written against botocore may not do for it) and takes milliseconds for seconds. An ISO
#   time without a zone gets none from botocore: comparing it with the others of the same answer is a
#   TypeError.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/cloudtrail.bash
. "$(dirname "$0")/lib/cloudtrail.bash"

get_cloudtrail_clients

row() {
    answer_with 200 "{\"IsLogging\": true, \"StartLoggingTime\": $1}"
    echo "$1: python $(status python) | javascript $(status javascript)"
}

same "$(cat <<'END'
1.7958E9: python 2026-11-27T17:20:00Z | javascript 2026-11-27T17:20:00Z
"1.7958E9": python 2026-11-27T17:20:00Z | javascript 2026-11-27T17:20:00Z
1795800000.123: python 2026-11-27T17:20:00.123000Z | javascript 2026-11-27T17:20:00.123Z
"2026-11-27T17:20:00Z": python 2026-11-27T17:20:00Z | javascript TypeError
"2026-11-27T17:20:00": python 2026-11-27T17:20:00 | javascript TypeError
"Fri, 27 Nov 2026 17:20:00 GMT": python 2026-11-27T17:20:00Z | javascript TypeError
1795800000000: python ValueError | javascript +058876-08-20T05:20:00Z
END
)" "$(
    row 1.7958E9
    row '"1.7958E9"'
    row 1795800000.123
    row '"2026-11-27T17:20:00Z"'
    row '"2026-11-27T17:20:00"'
    row '"Fri, 27 Nov 2026 17:20:00 GMT"'
    row 1795800000000
)" || exit 1
