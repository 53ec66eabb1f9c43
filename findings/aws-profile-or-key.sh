#!/bin/bash
# With AWS_PROFILE and AWS_ACCESS_KEY_ID both set the JavaScript SDK signs with the profile, every other
# SDK with the key.
#
# Guess: keys in the environment are the first link of everybody's chain.
# Seen: true for botocore 1.29.27, the Go SDK v1 in rclone 1.60.1 and the Common Runtime 0.16.8.
#   credential-provider-node 3.972.97 leaves its environment provider out as soon as AWS_PROFILE is set; it
#   says so on stderr, where it also says that this may change.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/credentials.bash
. "$(dirname "$0")/lib/credentials.bash"

get_clients
printf '[guard]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = example\n' >"$home/.aws/credentials"
same 'python AKIAENVIRONMENT | javascript AKIAPROFILE | go AKIAENVIRONMENT | c AKIAENVIRONMENT' \
    "$(ask_all AWS_PROFILE=guard AWS_ACCESS_KEY_ID=AKIAENVIRONMENT AWS_SECRET_ACCESS_KEY=example)" || exit 1
