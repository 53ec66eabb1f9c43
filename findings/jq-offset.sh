#!/bin/bash
# jq ignores the time zone of a time that the AWS CLI printed, gojq applies it.
#
# Guess: strptime with %z and mktime give the moment, for both; fromdate takes a zone, as its opposite number in the
#   AWS CLI (version 2) prints one.
# Seen: jq 1.6 reads +01:00 and drops it, so that a delivery of an hour ago is of now, or of the future, and says
#   nothing. gojq 0.12.11 is right. fromdate of jq takes Z alone and fails on +01:00, that of gojq takes both; fractions
#   of a second are an error to both.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed jq 1.6-
deb_get gojq=0.12.11-1

# row FILTER: what both make of four spellings of one moment
row() {
    local time
    for time in 2026-11-29T10:00:00Z 2026-11-29T11:00:00+01:00 2026-11-29T02:00:00-08:00 2026-11-29T10:00:00.000Z; do
        printf '%s of %s: jq %s, gojq %s\n' "${1%%(*}" "$time" "$(read_by jq "$1" "$time")" \
            "$(read_by "$tmp/root/usr/bin/gojq" "$1" "$time")"
    done
}

read_by() {
    bare "$1" -r -n --arg time "$3" "\$time | $2 | todate" 2>"$tmp/log" || echo fails
}

same "$(cat <<'END'
strptime of 2026-11-29T10:00:00Z: jq 2026-11-29T10:00:00Z, gojq 2026-11-29T10:00:00Z
strptime of 2026-11-29T11:00:00+01:00: jq 2026-11-29T11:00:00Z, gojq 2026-11-29T10:00:00Z
strptime of 2026-11-29T02:00:00-08:00: jq 2026-11-29T02:00:00Z, gojq 2026-11-29T10:00:00Z
strptime of 2026-11-29T10:00:00.000Z: jq fails, gojq fails
fromdate of 2026-11-29T10:00:00Z: jq 2026-11-29T10:00:00Z, gojq 2026-11-29T10:00:00Z
fromdate of 2026-11-29T11:00:00+01:00: jq fails, gojq 2026-11-29T10:00:00Z
fromdate of 2026-11-29T02:00:00-08:00: jq fails, gojq 2026-11-29T10:00:00Z
fromdate of 2026-11-29T10:00:00.000Z: jq fails, gojq fails
END
)" "$(
    row 'strptime("%Y-%m-%dT%H:%M:%S%z") | mktime'
    row fromdate
)" || exit 1
