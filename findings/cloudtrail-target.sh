#!/bin/bash
# Two AWS SDKs name the same CloudTrail operation differently on the wire.
#
# Guess: X-Amz-Target is the service and version of the model plus the operation, and so the same for
#   everybody.
# Seen: botocore 1.29.27 puts a Java package before it, client-cloudtrail 3.1137.0 does not. A stand-in for
#   AWS or a filter that compares the whole header knows one of them.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/cloudtrail.bash
. "$(dirname "$0")/lib/cloudtrail.bash"

get_cloudtrail_clients
answer_with 200 '{"IsLogging": true}'

target() {
    status "$1" >"$tmp/said"
    jq -r '.headers["x-amz-target"]' "$tmp/requests"
}

same "$(cat <<'END'
python com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrailStatus
javascript CloudTrail_20131101.GetTrailStatus
END
)" "python $(target python)"$'\n'"javascript $(target javascript)" || exit 1
