#!/bin/bash
# AWS_DEFAULT_PROFILE beats AWS_PROFILE in Python, is second to it in Go, and means nothing to JavaScript
# and C.
#
# Guess: AWS_PROFILE wins everywhere; AWS_DEFAULT_PROFILE is an older name that all of them still read when
#   it is alone.
# Seen: four SDKs, three rules. With both set to different profiles botocore 1.29.27 signs as one
#   principal, the others as another; with AWS_DEFAULT_PROFILE alone the JavaScript SDK
#   (credential-provider-node 3.972.97) and the Common Runtime 0.16.8 take [default].
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/credentials.bash
. "$(dirname "$0")/lib/credentials.bash"

get_clients
for name in default guard other; do
    printf '[%s]\naws_access_key_id = AKIA%s\naws_secret_access_key = example\n' $name ${name^^}
done >"$home/.aws/credentials"

same "$(cat <<'END'
both: python AKIAOTHER | javascript AKIAGUARD | go AKIAGUARD | c AKIAGUARD
AWS_DEFAULT_PROFILE alone: python AKIAOTHER | javascript AKIADEFAULT | go AKIAOTHER | c AKIADEFAULT
END
)" "$(
    echo "both: $(ask_all AWS_PROFILE=guard AWS_DEFAULT_PROFILE=other)"
    echo "AWS_DEFAULT_PROFILE alone: $(ask_all AWS_DEFAULT_PROFILE=other)"
)" || exit 1
