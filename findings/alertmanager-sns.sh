#!/bin/bash
# Alertmanager's SNS receiver: a subject that SNS refuses is sent as it is, and a template that cannot be
# parsed passes amtool.
#
# Guess: the subject is cut at SNS's limit of 100 characters, as other receivers cut theirs, and amtool
#   check-config parses templates.
# Seen: Alertmanager 0.25.0 publishes a subject of 130 characters and one with a line break in it. amtool
#   says SUCCESS to '{{ .Nope'.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/alertmanager.bash
. "$(dirname "$0")/lib/alertmanager.bash"

get_alertmanager
start_server
answer_with 200 '<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>'

# configure SUBJECT
configure() {
    cat >"$tmp/config.yml" <<END
route: {receiver: sns, group_by: [alertname], group_wait: 0s}
receivers:
- name: sns
  sns_configs:
  - api_url: http://127.0.0.1:$port
    topic_arn: arn:aws:sns:eu-central-1:111122223333:trails
    sigv4: {region: eu-central-1, access_key: AKIAEXAMPLE, secret_key: example}
    subject: '$1'
END
}

configure '{{ .Nope'
"$tmp/root/usr/bin/amtool" check-config "$tmp/config.yml" >"$tmp/checked" || different 'amtool refuses the template'
grep -q SUCCESS "$tmp/checked" || different 'amtool does not say SUCCESS'
configure '{{ .CommonAnnotations.subject }}'
start_alertmanager

# row ALERT SUBJECT: the length of the subject that is published
row() {
    : >"$tmp/requests"
    jq -n '[{labels: {alertname: $ARGS.positional[0]}, annotations: {subject: $ARGS.positional[1]}}]' --args "$1" "$2" |
        curl -s -o "$tmp/posted" -H 'Content-Type: application/json' --data @- "http://$address/api/v2/alerts"
    wait_for test -s "$tmp/requests"
    echo "$1: $(jq -r .body "$tmp/requests" | /usr/bin/python3 -c '
import sys, urllib.parse
subject = urllib.parse.parse_qs(sys.stdin.read().strip())["Subject"][0]
print(len(subject), "characters,", subject.count("\n"), "line breaks")')"
}

same "$(cat <<'END'
long: 130 characters, 0 line breaks
lines: 15 characters, 1 line breaks
END
)" "$(
    row long "$(printf '%0130d' 0)"
    row lines $'stopped\nstarted'
)" || exit 1
