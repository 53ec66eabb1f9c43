#!/bin/bash
# An alert that says when it ends and not when it starts begins at its end for Alertmanager, and people hear
# of it an hour before that.
#
# Guess: startsAt is the time of the post where it is left out, as the documentation says; an alert whose
#   end has passed shows up as resolved.
# Seen: Alertmanager 0.25.0 does so only without an endsAt. With one, startsAt is that: firing, notified
#   and listed at once, with a start in the future. amtool alert add --end leaves startsAt out and gets the
#   same. An end that has passed is answered with 200, counted as received, not listed and not notified. A
#   start in the future alone is refused for an end that nobody gave.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/alertmanager.bash
. "$(dirname "$0")/lib/alertmanager.bash"

get_alertmanager
start_server
cat >"$tmp/config.yml" <<END
route: {receiver: hook, group_by: [alertname], group_wait: 0s}
receivers:
- name: hook
  webhook_configs:
  - url: http://127.0.0.1:$port
END
start_alertmanager

later=$(date -u -d '+1 hour' +%FT%TZ)
earlier=$(date -u -d '-1 hour' +%FT%TZ)
half=$(date -u -d '+30 minutes' +%FT%TZ)

# post NAME [FIELD=TIME]: Alertmanager's answer
post() {
    jq -n '[{labels: {alertname: $ARGS.positional[0]}} + ([$ARGS.positional[1:][] | split("=") | {(.[0]): .[1]}] | add)]' --args "$@" |
        curl -s -w ' %{http_code}' -H 'Content-Type: application/json' --data @- "http://$address/api/v2/alerts" | tr -d '\n' | sed 's/^ //'
}

# when: the times on the input, in words
when() {
    jq -r --arg half "$half" 'if . > $half then "starts in an hour" else "starts now" end'
}

# row NAME SAID: what became of it
row() {
    local notified listed
    notified=$(jq --arg name "$1" '.body | fromjson.alerts[] | select(.labels.alertname == $name).startsAt' "$tmp/requests" | when)
    listed=$(curl -s "http://$address/api/v2/alerts" | jq --arg name "$1" '.[] | select(.labels.alertname == $name).startsAt' | when)
    echo "$1: $2 | notified: ${notified:-no} | listed: ${listed:-no}"
}

plain=$(post plain)
end=$(post end "endsAt=$later")
amtool=$("$tmp/root/usr/bin/amtool" --alertmanager.url="http://$address" alert add amtool --end="$later" && echo 200) || different 'amtool fails'
past=$(post past "endsAt=$earlier")
start=$(post start "startsAt=$later")
post last >"$tmp/posted"
for name in plain end amtool last; do
    wait_for grep -q -F "{\\\"alertname\\\":\\\"$name\\\"}" "$tmp/requests"
done
# for those that are not expected
sleep 1

same "$(cat <<'END'
plain: 200 | notified: starts now | listed: starts now
end: 200 | notified: starts in an hour | listed: starts in an hour
amtool: 200 | notified: starts in an hour | listed: starts in an hour
past: 200 | notified: no | listed: no
start: "start time must be before end time" 400 | notified: no | listed: no
received: 5 firing, 1 resolved
END
)" "$(
    row plain "$plain"
    row end "$end"
    row amtool "$amtool"
    row past "$past"
    row start "$start"
    curl -s "http://$address/metrics" | sed -n 's/^alertmanager_alerts_received_total{status="\([a-z]*\)",version="v2"} /\1 /p' |
        awk '{n[$1] = $2} END {print "received: " n["firing"] " firing, " n["resolved"] " resolved"}'
)" || exit 1
