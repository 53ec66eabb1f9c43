#!/bin/bash
# Events taken out of a CloudTrail log with |= empty: jq takes others than the chosen ones, among them some that stop a
# trail.
#
# Guess: (.Records[] | select(.readOnly)) |= empty takes every event away that select lets through and no other, as
#   del() does.
# Seen: jq 1.6 counts on in the list that has become shorter. Of five reads in a row the second and fourth stay; where
#   reads and writes alternate a write goes and two of three reads stay. There is no error. gojq 0.12.11 does as
#   guessed, and del() is right in both.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed jq 1.6-
deb_get gojq=0.12.11-1

# log KIND...: a record for each, r for one that only reads
log() {
    printf '%s\n' "$@" | jq -R -n -c '{Records: [inputs | {readOnly: (. == "r")}] | to_entries | map(.value + {eventID: .key})}'
}

# left LOG FILTER: which events stay
left() {
    local tool
    for tool in jq "$tmp/root/usr/bin/gojq"; do
        echo "  $2, ${tool##*/}: $(bare "$tool" -r "$2 | [.Records[].eventID | tostring] | join(\" \")" <<<"$1")"
    done
}

same "$(cat <<'END'
w r r r r r w
  (.Records[] | select(.readOnly)) |= empty, jq: 0 2 4 6
  (.Records[] | select(.readOnly)) |= empty, gojq: 0 6
  del(.Records[] | select(.readOnly)), jq: 0 6
  del(.Records[] | select(.readOnly)), gojq: 0 6
r w r w r
  (.Records[] | select(.readOnly)) |= empty, jq: 1 2 4
  (.Records[] | select(.readOnly)) |= empty, gojq: 1 3
  del(.Records[] | select(.readOnly)), jq: 1 3
  del(.Records[] | select(.readOnly)), gojq: 1 3
END
)" "$(
    for kinds in 'w r r r r r w' 'r w r w r'; do
        echo "$kinds"
        read -r -a list <<<"$kinds"
        records=$(log "${list[@]}")
        left "$records" '(.Records[] | select(.readOnly)) |= empty'
        left "$records" 'del(.Records[] | select(.readOnly))'
    done
)" || exit 1
