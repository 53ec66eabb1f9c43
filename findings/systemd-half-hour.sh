#!/bin/bash
# An hourly timer of systemd rests for two hours in the night in which the clocks go back.
#
# Guess: the hour that comes twice is counted twice, or the timer fires in one of the two; "every half hour" (*:0/30)
#   never means a longer wait than half an hour, as cron promises for such jobs.
# Seen: systemd 252 leaves the second 02:00 to 03:00 out of every schedule in local time: hourly waits for 120 minutes,
#   *:0/30 for 90, minutely for 61. A watchdog that is fed by such a timer and allows for two runs bites once a year.
#   A schedule with UTC at its end has no gap, one with the zone's name has it. In spring nothing is left out but the
#   hour that does not exist.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed systemd 252.

# wait_of SCHEDULE NIGHT: the longest wait in minutes, and the local times around it
wait_of() {
    bare TZ=Europe/Berlin systemd-analyze calendar --base-time="$2 20:00:00 UTC" --iterations=600 "$1" |
        sed -n 's/^ *(in UTC): [A-Z][a-z]* \(.*\)$/\1/p' >"$tmp/times"
    # two a line: the time of day in Berlin, the seconds since 1970
    TZ=Europe/Berlin date -f "$tmp/times" '+%H:%M %s' |
        awk '{ if (NR > 1 && $2 - last > most) { most = $2 - last; from = at; to = $1 } last = $2; at = $1 }
             END { print most / 60 " minutes, " from " to " to }'
}

same "$(cat <<'END'
back, hourly: 120 minutes, 02:00 to 03:00
back, *:0/30: 90 minutes, 02:30 to 03:00
back, minutely: 61 minutes, 02:59 to 03:00
back, *:0/30 Europe/Berlin: 90 minutes, 02:30 to 03:00
back, *:0/30 UTC: 30 minutes, 22:30 to 23:00
forward, *:0/30: 30 minutes, 21:30 to 22:00
END
)" "$(
    for schedule in hourly '*:0/30' minutely '*:0/30 Europe/Berlin' '*:0/30 UTC'; do
        echo "back, $schedule: $(wait_of "$schedule" 2026-10-24)"
    done
    echo "forward, *:0/30: $(wait_of '*:0/30' 2026-03-28)"
)" || exit 1
