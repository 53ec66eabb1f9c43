#!/bin/bash
# An account id that PyYAML wrote without quotes is a number to readers of YAML 1.2, one digit short.
#
# Guess: what PyYAML writes for a text other readers read as a text, account ids included.
# Seen: PyYAML 6.0 keeps the quotes of 111122223333 and of 012345670123, and drops those of 089012345678: by YAML 1.1
#   that is no number, because 8 and 9 are not octal. yaml 2.8.1 and js-yaml 4.1.0 (YAML 1.2) read the number
#   89012345678, eleven digits, and for the external id 12e345678901 Infinity.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed python3-yaml 6.0-
npm_get yaml@2.8.1 js-yaml@4.1.0

cat >"$tmp/read.js" <<'END'
const text = require('fs').readFileSync('accounts.yaml', 'utf8');
const one = require('yaml').parse(text);
const other = require('js-yaml').load(text);
const show = value => `${typeof value} ${value}`;
for (const name of Object.keys(one))
    console.log(`${name}: yaml ${show(one[name])}, js-yaml ${show(other[name])}`);
END

same "$(cat <<'END'
guard: '111122223333'
archive: '012345670123'
audit: 089012345678
external_id: 12e345678901
guard: yaml string 111122223333, js-yaml string 111122223333
archive: yaml string 012345670123, js-yaml string 012345670123
audit: yaml number 89012345678, js-yaml number 89012345678
external_id: yaml number Infinity, js-yaml number Infinity
END
)" "$(
    cd "$tmp"
    bare /usr/bin/python3 - >accounts.yaml <<'END'
import sys
import yaml

accounts = {"guard": "111122223333", "archive": "012345670123", "audit": "089012345678", "external_id": "12e345678901"}
yaml.safe_dump(accounts, sys.stdout, sort_keys=False)
END
    cat accounts.yaml
    bare node read.js
)" || exit 1
