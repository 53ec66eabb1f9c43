#!/bin/bash
# A query that the AWS CLI takes is a syntax error in AWS's own library of the same language, or finds nothing there.
#
# Guess: JMESPath is one language: what `aws --query` takes, @aws-lambda-powertools/jmespath takes too, with the same
#   answer.
# Seen: the CLI's library (jmespath.py 1.0.1) and jmespath.js 0.16.0 read `eu-central-1` between backticks as a text, as
#   in many examples of the CLI, and compare texts with >=. Powertools 2.36.0 refuses the former, and gives an empty
#   list for the latter without an error, so that a search by time finds no event. Both JavaScript libraries
#   make 0 of to_number('') and 16 of to_number('0x10'), Python's null.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed python3-jmespath 1.0.1
npm_get @aws-lambda-powertools/jmespath@2.36.0 jmespath@0.16.0

cat >"$tmp/answer.json" <<'END'
{"trailList": [{"Name": "audit", "HomeRegion": "eu-central-1"}, {"Name": "old", "HomeRegion": "us-east-1"}],
 "Events": [{"EventId": "1", "EventTime": "2026-11-28T10:00:00Z"}, {"EventId": "2", "EventTime": "2026-11-29T10:00:00Z"}]}
END
cat >"$tmp/search.py" <<'END'
import json
import sys

import jmespath

print(json.dumps(jmespath.search(sys.argv[1], json.load(open("answer.json"))), separators=(",", ":")))
END
cat >"$tmp/search.js" <<'END'
const answer = require('./answer.json');
const query = process.argv[2];
const show = search => {
    try {
        return JSON.stringify(search());
    } catch (error) {
        return 'refused';
    }
};
console.log(`jmespath.js ${show(() => require('jmespath').search(answer, query))} | ` +
    `powertools ${show(() => require('@aws-lambda-powertools/jmespath').search(query, answer))}`);
END

same "$(cat <<'END'
trailList[?HomeRegion=='eu-central-1'].Name: cli ["audit"] | jmespath.js ["audit"] | powertools ["audit"]
trailList[?HomeRegion==`"eu-central-1"`].Name: cli ["audit"] | jmespath.js ["audit"] | powertools ["audit"]
trailList[?HomeRegion==`eu-central-1`].Name: cli ["audit"] | jmespath.js ["audit"] | powertools refused
Events[?EventTime>='2026-11-29'].EventId: cli ["2"] | jmespath.js ["2"] | powertools []
sort_by(Events,&EventTime)[-1].EventId: cli "2" | jmespath.js "2" | powertools "2"
to_number(''): cli null | jmespath.js 0 | powertools 0
to_number('0x10'): cli null | jmespath.js 16 | powertools 16
END
)" "$(
    cd "$tmp"
    while read -r query; do
        echo "$query: cli $(bare /usr/bin/python3 search.py "$query") | $(bare node search.js "$query")"
    done <<'END'
trailList[?HomeRegion=='eu-central-1'].Name
trailList[?HomeRegion==`"eu-central-1"`].Name
trailList[?HomeRegion==`eu-central-1`].Name
Events[?EventTime>='2026-11-29'].EventId
sort_by(Events,&EventTime)[-1].EventId
to_number('')
to_number('0x10')
END
)" || exit 1
