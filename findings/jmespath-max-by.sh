#!/bin/bash
# The newest of some events, max_by(Events, &EventTime): the event in Python, null in JavaScript.
#
# Guess: the filter EventTime >= '2026-11-29' is what differs, since JMESPath defines order for numbers
#   alone; max_by takes strings.
# Seen: wrong about the filter: both jmespath.py 1.0.1 (Debian's) and jmespath.js 0.16.0 compare strings,
#   and sort_by and max agree as well. But max_by of the latter returns null for strings, without an error,
#   and min_by too.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed python3-jmespath 1.0.1
npm_get jmespath@0.16.0
events='{"Events": [{"Id": 1, "EventTime": "2026-11-28T10:00:00Z"}, {"Id": 2, "EventTime": "2026-11-29T10:00:00Z"}]}'

row() {
    local python javascript
    python=$(bare /usr/bin/python3 -c 'import jmespath, json, sys; print(json.dumps(jmespath.search(sys.argv[1], json.loads(sys.argv[2]))))' \
        "$1" "$events")
    javascript=$(bare node -p 'JSON.stringify(require("jmespath").search(JSON.parse(process.argv[2]), process.argv[1]))' "$1" "$events")
    echo "$1: python $python | javascript $javascript"
}

same "$(cat <<'END'
Events[?EventTime >= '2026-11-29'] | [0].Id: python 2 | javascript 2
sort_by(Events, &EventTime)[-1].Id: python 2 | javascript 2
max(Events[].EventTime): python "2026-11-29T10:00:00Z" | javascript "2026-11-29T10:00:00Z"
max_by(Events, &EventTime).Id: python 2 | javascript null
min_by(Events, &EventTime).Id: python 1 | javascript null
END
)" "$(
    row "Events[?EventTime >= '2026-11-29'] | [0].Id"
    row 'sort_by(Events, &EventTime)[-1].Id'
    row 'max(Events[].EventTime)'
    row 'max_by(Events, &EventTime).Id'
    row 'min_by(Events, &EventTime).Id'
)" || exit 1
