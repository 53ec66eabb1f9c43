#!/bin/bash
# @uri of jq and of gojq differ from each other, and neither writes a parameter as AWS signs it.
#
# Guess: @uri leaves A-Z, a-z, 0-9 and -._~ alone and writes everything else as %XX, which is AWS's UriEncode of
#   signature version 4, so that a canonical query can be built with it.
# Seen: jq 1.6 leaves ! ' ( ) * as well, gojq 0.12.11 writes a space as +. A filter with one of these in it is signed
#   as another text than AWS has. botocore 1.29.27 is the measure here. All three agree on ARNs and on times.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed jq 1.6-
installed python3-botocore 1.29.27
deb_get gojq=0.12.11-1

same "$(cat <<'END'
arn:aws:sns:eu-central-1:111122223333:alerts: all as arn%3Aaws%3Asns%3Aeu-central-1%3A111122223333%3Aalerts
2026-11-29T10:00:00.5+01:00: all as 2026-11-29T10%3A00%3A00.5%2B01%3A00
Stop Logging: botocore Stop%20Logging, jq Stop%20Logging, gojq Stop+Logging
audit (old): botocore audit%20%28old%29, jq audit%20(old), gojq audit+%28old%29
it's: botocore it%27s, jq it's, gojq it%27s
Stop*: botocore Stop%2A, jq Stop*, gojq Stop%2A
now!: botocore now%21, jq now!, gojq now%21
END
)" "$(
    for text in arn:aws:sns:eu-central-1:111122223333:alerts 2026-11-29T10:00:00.5+01:00 'Stop Logging' 'audit (old)' "it's" \
        'Stop*' 'now!'; do
        measure=$(bare /usr/bin/python3 -c 'import sys, botocore.utils
print(botocore.utils.percent_encode(sys.argv[1], safe="-_.~"))' "$text")
        # shellcheck disable=SC2016  # $text is jq's
        one=$(bare jq -n -r --arg text "$text" '$text | @uri')
        # shellcheck disable=SC2016  # and gojq's
        other=$(bare "$tmp/root/usr/bin/gojq" -n -r --arg text "$text" '$text | @uri')
        if [[ $one == "$measure" && $other == "$measure" ]]; then
            echo "$text: all as $measure"
        else
            echo "$text: botocore $measure, jq $one, gojq $other"
        fi
    done
)" || exit 1
