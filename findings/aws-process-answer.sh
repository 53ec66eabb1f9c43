#!/bin/bash
# What a credential_process may answer: Python takes "Version": true, Go takes names in any case,
# JavaScript takes any Expiration.
#
# Guess: "Version": 1 must be the number 1, the names must be spelled as documented, and an Expiration that
#   is no RFC 3339 time is refused by all three.
# Seen: True equals 1 in Python, so botocore 1.29.27 takes true, which JavaScript and Go refuse; Python and
#   JavaScript take 1.0, which Go refuses. encoding/json of Go matches "accesskeyid".
#   credential-provider-node 3.972.97 makes an Invalid Date of 'tomorrow' and hands the keys out with it. A
#   time without a zone only JavaScript takes; botocore ends in a TypeError.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/credentials.bash
. "$(dirname "$0")/lib/credentials.bash"

get_clients
printf '[guard]\ncredential_process = /bin/cat %s/answer.json\n' "$home" >"$home/.aws/credentials"

row() {
    echo "$2" >"$home/answer.json"
    echo "$1: python $(ask python AWS_PROFILE=guard) | javascript $(ask javascript AWS_PROFILE=guard) | go $(ask go AWS_PROFILE=guard)"
}

keys='"AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "example", "SessionToken": "example"'
same "$(cat <<'END'
as documented: python AKIAPROCESS | javascript AKIAPROCESS | go AKIAPROCESS
Version true: python AKIAPROCESS | javascript - | go -
Version 1.0: python AKIAPROCESS | javascript AKIAPROCESS | go -
small letters: python - | javascript - | go akiaprocess
Expiration tomorrow: python - | javascript AKIAPROCESS until Invalid Date | go -
Expiration without zone: python - | javascript AKIAPROCESS | go -
Expiration null: python AKIAPROCESS | javascript AKIAPROCESS | go AKIAPROCESS
END
)" "$(
    row 'as documented' "{\"Version\": 1, $keys, \"Expiration\": \"2099-01-01T00:00:00Z\"}"
    row 'Version true' "{\"Version\": true, $keys}"
    row 'Version 1.0' "{\"Version\": 1.0, $keys}"
    row 'small letters' "{\"version\": 1, ${keys,,}}"
    row 'Expiration tomorrow' "{\"Version\": 1, $keys, \"Expiration\": \"tomorrow\"}"
    row 'Expiration without zone' "{\"Version\": 1, $keys, \"Expiration\": \"2099-01-01T00:00:00\"}"
    row 'Expiration null' "{\"Version\": 1, $keys, \"Expiration\": null}"
)" || exit 1
