#!/bin/bash
# 30 February: one parser of systemd makes it 2 March, the other says it never comes, and neither fails.
#
# Guess: a date that does not exist is refused by systemd-analyze timestamp and systemd-analyze calendar
#   alike, and the ISO 8601 form that AWS uses is read by both.
# Seen: systemd 252 does neither. In a timer such a day, or a date with another weekday than it has, is
#   valid and never comes; a timestamp rolls over into the next month, and only the weekday is refused.
#   2026-11-29T10:00:00Z is refused by both.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed systemd 252.

row() {
    local timestamp calendar
    timestamp=$(bare systemd-analyze timestamp "$1" 2>"$tmp/log" | sed -n 's/ *Normalized form: //p')
    calendar=$(bare systemd-analyze calendar --base-time='2026-01-01 00:00:00 UTC' "$1" 2>"$tmp/log" | sed -n 's/ *Next elapse: //p')
    echo "$1: timestamp ${timestamp:-refused} | calendar ${calendar:-refused}"
}

same "$(cat <<'END'
2026-02-28: timestamp Sat 2026-02-28 00:00:00 UTC | calendar Sat 2026-02-28 00:00:00 UTC
2026-02-30: timestamp Mon 2026-03-02 00:00:00 UTC | calendar never
2026-11-31: timestamp Tue 2026-12-01 00:00:00 UTC | calendar never
Mon 2026-11-29: timestamp refused | calendar never
2026-11-29T10:00:00Z: timestamp refused | calendar refused
2026-11-29 10:00:00 UTC: timestamp Sun 2026-11-29 10:00:00 UTC | calendar Sun 2026-11-29 10:00:00 UTC
END
)" "$(
    row 2026-02-28
    row 2026-02-30
    row 2026-11-31
    row 'Mon 2026-11-29'
    row 2026-11-29T10:00:00Z
    row '2026-11-29 10:00:00 UTC'
)" || exit 1
