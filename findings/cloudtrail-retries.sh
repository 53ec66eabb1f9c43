#!/bin/bash
# Python's default retry mode gives up at once on RequestLimitExceeded and SlowDown, but tries
# ThrottlingException five times.
#
# Guess: all codes by which AWS says "too fast" are retried, five attempts in the legacy mode and three in
#   the standard one.
# Seen: the default (legacy) mode of botocore 1.29.27 knows ThrottlingException and Throttling for every
#   service, the other codes only for some services and not for CloudTrail: one attempt. In the standard
#   mode it is status 429 without a known code that is not retried, which legacy tries five times and
#   client-cloudtrail 3.1137.0 three times. Status 509 is for legacy alone.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/cloudtrail.bash
. "$(dirname "$0")/lib/cloudtrail.bash"

get_cloudtrail_clients

row() {
    answer_with "$1" "{\"__type\": \"$2\", \"message\": \"example\"}"
    echo "$1 $2: legacy $(attempts python AWS_RETRY_MODE=legacy) standard $(attempts python AWS_RETRY_MODE=standard)" \
        "javascript $(attempts javascript)"
}

same "$(cat <<'END'
400 ThrottlingException: legacy 5 standard 3 javascript 3
400 Throttling: legacy 5 standard 3 javascript 3
400 TooManyRequestsException: legacy 1 standard 3 javascript 3
400 RequestLimitExceeded: legacy 1 standard 3 javascript 3
400 SlowDown: legacy 1 standard 3 javascript 3
400 PriorRequestNotComplete: legacy 1 standard 3 javascript 3
429 Unheard: legacy 5 standard 1 javascript 3
509 Unheard: legacy 5 standard 1 javascript 1
503 ServiceUnavailable: legacy 5 standard 3 javascript 3
END
)" "$(
    row 400 ThrottlingException
    row 400 Throttling
    row 400 TooManyRequestsException
    row 400 RequestLimitExceeded
    row 400 SlowDown
    row 400 PriorRequestNotComplete
    row 429 Unheard
    row 509 Unheard
    row 503 ServiceUnavailable
)" || exit 1
