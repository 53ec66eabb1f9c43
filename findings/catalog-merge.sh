#!/bin/bash
# Two catalog files with one MESSAGE_ID: journald keeps one file's text under the other file's headers as well.
#
# Guess: journalctl --update-catalog warns of the second entry, or one of the two replaces the other whole.
# Seen: systemd 252 says nothing. The entry is a mixture: the text of the file that comes later by name,
#   and the headers of both, so that --list-catalog gives the first file's Defined-By to the second's text.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed systemd 252.

# entry FILE SUBJECT HEADER TEXT
entry() {
    printf '%s\n' '-- 1a6d2c3e4f5061728394a5b6c7d8e9f0' "Subject: $2" "$3" '' "$4" >"$tmp/root/usr/lib/systemd/catalog/$1.catalog"
}

catalog() {
    bare journalctl --root="$tmp/root" "$1" 2>&1
}

mkdir -p "$tmp"/root/{usr/lib,var/lib}/systemd/catalog
entry 10-guard 'A trail was stopped' 'Defined-By: guard' 'Start it again.'
entry 20-other 'A queue is full' 'Support: https://example.com/' 'Empty it.'

same "$(cat <<'END'
--
-- 1a6d2c3e4f5061728394a5b6c7d8e9f0
Subject: A queue is full
Support: https://example.com/
Subject: A trail was stopped
Defined-By: guard

Empty it.

--
1a6d2c3e4f5061728394a5b6c7d8e9f0 guard: A queue is full
END
)" "$(
    catalog --update-catalog
    echo --
    catalog --dump-catalog
    echo --
    catalog --list-catalog
)" || exit 1
