#!/bin/bash
# openssl base64 -d makes nothing of an SNS signature without a line break after it, says nothing, and exits with 0.
#
# Guess: -d takes the one long line as base64 of coreutils does, or fails because its own lines have 64 characters.
# Seen: OpenSSL 3.0 wants a line break at the end: with one, the 344 characters of a signature become 256 bytes, without
#   it none (so `printf %s` and `jq -j` lose what `echo` and `jq -r` keep). A line of 1024 characters becomes nothing
#   with the line break too, and of 2000 characters the second half alone comes out. With -A it is the other way about:
#   a long line is whole with and without the line break, lines of 64 become nothing. Each time the status is 0.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed openssl 3.0.

# row NAME COMMAND...: how much of the text that it is given comes back
row() {
    local name=$1 status=0
    shift
    "$@" <"$tmp/text" >"$tmp/bytes" 2>"$tmp/log" || status=$?
    if cmp -s "$tmp/bytes" "$tmp/plain"; then
        echo "$name: all, status $status"
    else
        echo "$name: $(stat -c %s "$tmp/bytes") bytes, status $status, $(wc -l <"$tmp/log") lines of errors"
    fi
}

# texts BYTES: that many, in one line with and without a line break, and in lines of 64
texts() {
    openssl rand "$1" >"$tmp/plain"
    base64 -w 0 "$tmp/plain" >"$tmp/line"
    echo "$1 bytes, $(stat -c %s "$tmp/line") characters"
    cp "$tmp/line" "$tmp/text"
    row 'one line, no line break' openssl base64 -d
    row 'one line, no line break, -A' openssl base64 -d -A
    row 'one line, no line break, coreutils' base64 -d
    echo >>"$tmp/text"
    row 'one line' openssl base64 -d
    row 'one line, -A' openssl base64 -d -A
    base64 -w 64 "$tmp/plain" >"$tmp/text"
    row 'lines of 64' openssl base64 -d
    row 'lines of 64, -A' openssl base64 -d -A
}

same "$(cat <<'END'
256 bytes, 344 characters
one line, no line break: 0 bytes, status 0, 0 lines of errors
one line, no line break, -A: all, status 0
one line, no line break, coreutils: all, status 0
one line: all, status 0
one line, -A: all, status 0
lines of 64: all, status 0
lines of 64, -A: 0 bytes, status 0, 0 lines of errors
768 bytes, 1024 characters
one line, no line break: 0 bytes, status 0, 0 lines of errors
one line, no line break, -A: all, status 0
one line, no line break, coreutils: all, status 0
one line: 0 bytes, status 0, 0 lines of errors
one line, -A: all, status 0
lines of 64: all, status 0
lines of 64, -A: 0 bytes, status 0, 0 lines of errors
1500 bytes, 2000 characters
one line, no line break: 0 bytes, status 0, 0 lines of errors
one line, no line break, -A: all, status 0
one line, no line break, coreutils: all, status 0
one line: 732 bytes, status 0, 0 lines of errors
one line, -A: all, status 0
lines of 64: all, status 0
lines of 64, -A: 0 bytes, status 0, 0 lines of errors
END
)" "$(
    texts 256
    texts 768
    texts 1500
)" || exit 1
