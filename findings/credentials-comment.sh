#!/bin/bash
# A comment after a value in ~/.aws/credentials becomes part of the access key in Python, and quotes stay
# unless it is Go.
#
# Guess: ' # old' and ' ; old' after a value are dropped by all four, or kept by all four; quotes around a
#   value are kept.
# Seen: botocore 1.29.27 signs with the comment as part of the key, which no error says before AWS refuses
#   the signature; the others drop it. Quotes are kept by three of the four (so AWS does not know the key),
#   while the Go SDK v1 in rclone 1.60.1 takes them off. All four agree that '#old' without a space before
#   it belongs to the value.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/credentials.bash
. "$(dirname "$0")/lib/credentials.bash"

get_clients

row() {
    printf '[guard]\naws_access_key_id = %s\naws_secret_access_key = example\n' "$1" >"$home/.aws/credentials"
    ask_all AWS_PROFILE=guard
}

same "$(cat <<'END'
python AKIAEXAMPLE # old | javascript AKIAEXAMPLE | go AKIAEXAMPLE | c AKIAEXAMPLE
python AKIAEXAMPLE ; old | javascript AKIAEXAMPLE | go AKIAEXAMPLE | c AKIAEXAMPLE
python AKIAEXAMPLE#old | javascript AKIAEXAMPLE#old | go AKIAEXAMPLE#old | c AKIAEXAMPLE#old
python "AKIAEXAMPLE" | javascript "AKIAEXAMPLE" | go AKIAEXAMPLE | c "AKIAEXAMPLE"
END
)" "$(
    row 'AKIAEXAMPLE # old'
    row 'AKIAEXAMPLE ; old'
    row 'AKIAEXAMPLE#old'
    row '"AKIAEXAMPLE"'
)" || exit 1
