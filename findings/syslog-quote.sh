#!/bin/bash
# A quotation mark in a value of RFC 5424's structured data costs the whole element, and without another one it ends
# up in the message.
#
# Guess: \" in a value is read as the RFC has it (6.3.3), as are \] and \\, and the value comes out without the
#   backslash.
# Seen: nsyslog-parser 0.10.1 takes the escaped bracket and backslash, and leaves the backslashes in. With an escaped
#   quotation mark the element is missing; if it was the only one, its text is the beginning of the message. An
#   element with no values at all goes the same way.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

npm_get nsyslog-parser@0.10.1

cat >"$tmp/parse.js" <<'JS'
const parse = require('nsyslog-parser');
const elements = [String.raw`[trail@32473 name="a"][gap@32473 s="3"]`, String.raw`[trail@32473 name="a\]b"]`,
                  String.raw`[trail@32473 name="a\\b"]`, String.raw`[trail@32473 name="a\"b"][gap@32473 s="3"]`,
                  String.raw`[trail@32473 name="a\"b"]`, '[trail@32473]'];
for (const text of elements) {
    const { structuredData, message } = parse(`<134>1 2026-11-30T01:02:03.004Z host app 4711 ID ${text} stopped`);
    console.log(`${text} -> ${structuredData.map(e => `${e.$id} ${e.name ?? e.s}`).join(', ') || 'nothing'} | ${message}`);
}
JS

same "$(cat <<'END_'
[trail@32473 name="a"][gap@32473 s="3"] -> trail@32473 a, gap@32473 3 | stopped
[trail@32473 name="a\]b"] -> trail@32473 a\]b | stopped
[trail@32473 name="a\\b"] -> trail@32473 a\\b | stopped
[trail@32473 name="a\"b"][gap@32473 s="3"] -> gap@32473 3 | stopped
[trail@32473 name="a\"b"] -> nothing | [trail@32473 name="a\"b"] stopped
[trail@32473] -> nothing | [trail@32473] stopped
END_
)" "$(cd "$tmp" && bare node parse.js)" || exit 1
