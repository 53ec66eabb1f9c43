#!/bin/bash
# The JavaScript SDK dates its next request by the Date of the last answer, also where nothing was wrong.
#
# Guess: a client signs by the clock of its host; it may correct itself after an error that says the time
#   is off.
# Seen: client-cloudtrail 3.1137.0 does so after a plain 200 too: with a server (or proxy) whose Date lies
#   years back, the second request is dated then. botocore 1.29.27 dates both by its host. Neither says
#   anything.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/cloudtrail.bash
. "$(dirname "$0")/lib/cloudtrail.bash"

get_cloudtrail_clients
answer_with 200 '{"IsLogging": true}' 'Date=Fri, 01 Jan 2021 00:00:00 GMT'

years() {
    status "$1" -- 2 >"$tmp/said"
    jq -r '.headers["x-amz-date"][:4]' "$tmp/requests" | sed "s/$(date -u +%Y)/this year/" | paste -sd,
}

same $'python this year,this year\njavascript this year,2021' "python $(years python)"$'\n'"javascript $(years javascript)" || exit 1
