#!/bin/bash
# ~/.aws/credentials has no spelling rules that its readers share: of seven ways to write one profile only
# the plain one is read by all.
#
# Guess: '[profile guard]' is for the config file only, '[ guard ]' and 'key: value' are refused by all,
#   keys may be written in capitals.
# Seen: wrong in each case, and each of the four reads another set (+ found, - not found): botocore
#   1.29.27, credential-provider-node 3.972.97, the Go SDK v1 in rclone 1.60.1, the Common Runtime 0.16.8.
#   Keys that are all indented, as many people lay out such a file, are not read by the last; a profile
#   whose second key alone is indented is lost to botocore as well.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/credentials.bash
. "$(dirname "$0")/lib/credentials.bash"

get_clients

row() {
    printf '%b\n' "$2" >"$home/.aws/credentials"
    echo "$1: $(ask_all AWS_PROFILE=guard)" | sed 's/AKIAEXAMPLE/+/g'
}

same "$(cat <<'END'
plain: python + | javascript + | go + | c +
key: value: python + | javascript - | go + | c -
capitals: python + | javascript - | go - | c -
[ guard ]: python - | javascript - | go + | c +
[profile guard]: python - | javascript - | go + | c -
indented keys: python + | javascript + | go + | c -
second key indented: python - | javascript + | go + | c -
END
)" "$(
    row 'plain' '[guard]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example'
    row 'key: value' '[guard]\naws_access_key_id: AKIAEXAMPLE\naws_secret_access_key: example'
    row 'capitals' '[guard]\nAWS_ACCESS_KEY_ID = AKIAEXAMPLE\nAWS_SECRET_ACCESS_KEY = example'
    row '[ guard ]' '[ guard ]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example'
    row '[profile guard]' '[profile guard]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example'
    row 'indented keys' '[guard]\n  aws_access_key_id = AKIAEXAMPLE\n  aws_secret_access_key = example'
    row 'second key indented' '[guard]\naws_access_key_id = AKIAEXAMPLE\n  aws_secret_access_key = example'
)" || exit 1
