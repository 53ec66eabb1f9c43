#!/bin/bash
# One odd line in ~/.aws/credentials takes away every profile in the file, or none: it depends on the SDK.
#
# Guess: a line that means nothing is skipped, of a key that is given twice the last counts, and two
#   sections of one name are merged; at worst the profile that holds the fault is lost.
# Seen: botocore 1.29.27 (python) refuses the whole file in every case, so a stray word in another profile
#   also takes away [guard]. credential-provider-node 3.972.97 (javascript) does as guessed. The Common
#   Runtime 0.16.8 (c) skips a stray line of several words but loses the whole file to a line of one word.
#   The Go SDK v1 in rclone 1.60.1 skips both, but of two sections of one name it keeps the last alone: the
#   secret in the first is gone, and the profile with it.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/credentials.bash
. "$(dirname "$0")/lib/credentials.bash"

get_clients
guard=$'[guard]\naws_access_key_id = AKIAEXAMPLEGUARD0001\naws_secret_access_key = example\n'

row() {
    echo "$2" >"$home/.aws/credentials"
    echo "$1: $(ask_all AWS_PROFILE=guard)"
}

same "$(cat <<'END'
well formed: python AKIAEXAMPLEGUARD0001 | javascript AKIAEXAMPLEGUARD0001 | go AKIAEXAMPLEGUARD0001 | c AKIAEXAMPLEGUARD0001
stray words elsewhere: python - | javascript AKIAEXAMPLEGUARD0001 | go AKIAEXAMPLEGUARD0001 | c AKIAEXAMPLEGUARD0001
stray word elsewhere: python - | javascript AKIAEXAMPLEGUARD0001 | go AKIAEXAMPLEGUARD0001 | c -
key twice: python - | javascript AKIAEXAMPLEGUARD0002 | go AKIAEXAMPLEGUARD0002 | c AKIAEXAMPLEGUARD0002
section twice: python - | javascript AKIAEXAMPLEGUARD0002 | go - | c AKIAEXAMPLEGUARD0002
END
)" "$(
    row 'well formed' "$guard"
    row 'stray words elsewhere' "$guard"$'[other]\nregion = eu-central-1\nask the owner\n'
    row 'stray word elsewhere' "$guard"$'[other]\nregion = eu-central-1\ntodo\n'
    row 'key twice' "$guard"'aws_access_key_id = AKIAEXAMPLEGUARD0002'
    row 'section twice' "$guard"$'[other]\nregion = eu-central-1\n[guard]\naws_access_key_id = AKIAEXAMPLEGUARD0002\n'
)" || exit 1
