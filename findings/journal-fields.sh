#!/bin/bash
# The journal drops a field for its name without a word, and an entry without a time gets the time of the
# entry before it.
#
# Guess: a field in small letters, or with a '-', is refused with the entry or kept; an entry without
#   __REALTIME_TIMESTAMP is of now.
# Seen: systemd-journal-remote 252.39 keeps the entry and leaves out trail, TRAIL-NAME, 1TRAIL and a name
#   of 65 letters, one of 64 stays; it prints nothing about them. The entry without a time gets the one
#   before. Two fields of one name make a list in journalctl's JSON, where there was a string, and a value
#   over 4096 bytes is null there.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed systemd 252.
deb_get systemd-journal-remote=252.39-1~deb12u2 libmicrohttpd12=0.9.75-6
a64=$(printf 'A%.0s' {1..64})
printf '%s\n' __REALTIME_TIMESTAMP=1795948800123456 MESSAGE=first trail=1 TRAIL-NAME=1 1TRAIL=1 "$a64=1" "${a64}A=1" TRAIL=1 TRAIL=2 \
    "LONG=$(printf '%05000d' 0)" '' MESSAGE=second '' >"$tmp/in.export"
bare LD_LIBRARY_PATH="$tmp/root/usr/lib/x86_64-linux-gnu" "$tmp/root/lib/systemd/systemd-journal-remote" -o "$tmp/out.journal" "$tmp/in.export" \
    >"$tmp/log" 2>&1 || different 'systemd-journal-remote fails'

same "$(cat <<'END'
{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA":"1","LONG":null,"MESSAGE":"first","TRAIL":["1","2"],"__REALTIME_TIMESTAMP":"1795948800123456"}
{"MESSAGE":"second","__REALTIME_TIMESTAMP":"1795948800123456"}
said of the names: 0
END
)" "$(
    journalctl --file "$tmp/out.journal" -o json --no-pager |
        jq -c 'with_entries(select(.key | test("^_(BOOT_ID|_CURSOR|_MONOTONIC_TIMESTAMP|_SEQNUM.*)$") | not)) | to_entries | sort_by(.key) | from_entries'
    echo "said of the names: $(grep -c -i 'trail=' "$tmp/log")"
)" || exit 1
