#!/bin/bash
# The AWS CDK's Trail records more management events than it was asked for, once data events are added.
#
# Guess: managementEvents: WRITE_ONLY alone says which management events are recorded; a later call of
#   logAllS3DataEvents() adds a selector that records data events and no management events.
# Seen: aws-cdk-lib 2.276.0 adds a selector that leaves IncludeManagementEvents away, which is true by
#   default in CloudTrail (botocore's model says so). A trail "of writes" records management reads too.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed python3-botocore 1.29.27
npm_get aws-cdk-lib@2.276.0 constructs@10.8.1

cat >"$tmp/trail.js" <<'END'
const { App, Stack } = require('aws-cdk-lib');
const { Trail, ReadWriteType } = require('aws-cdk-lib/aws-cloudtrail');
const { WRITE_ONLY, READ_ONLY } = ReadWriteType;
const rows = {
    'no data events': () => {},
    'data events': trail => trail.logAllS3DataEvents(),
    'read data events': trail => trail.logAllS3DataEvents({ readWriteType: READ_ONLY }),
    'data events, no management': trail => trail.logAllS3DataEvents({ includeManagementEvents: false }),
};
for (const [name, add] of Object.entries(rows)) {
    const app = new App();
    const trail = new Trail(new Stack(app, 'stack'), 'trail', { managementEvents: WRITE_ONLY });
    add(trail);
    const { Resources } = app.synth().getStackArtifact('stack').template;
    const { Properties } = Object.values(Resources).find(r => r.Type === 'AWS::CloudTrail::Trail');
    console.log(`${name}: ${Properties.EventSelectors.map(s =>
        `${s.DataResources ? 'data' : 'management'} (management ${s.IncludeManagementEvents ?? 'unset'}, ${s.ReadWriteType ?? 'unset'})`).join(' + ')}`);
}
END

same "$(cat <<'END'
no data events: management (management true, WriteOnly)
data events: management (management true, WriteOnly) + data (management unset, unset)
read data events: management (management true, WriteOnly) + data (management unset, ReadOnly)
data events, no management: management (management true, WriteOnly) + data (management false, unset)
CloudTrail's defaults: IncludeManagementEvents true, ReadWriteType All
END
)" "$(
    cd "$tmp"
    bare node "$tmp/trail.js"
    /usr/bin/python3 - <<'END'
import re
import botocore.session
shape = botocore.session.Session().get_service_model("cloudtrail").shape_for("EventSelector")
defaults = []
for name in ("IncludeManagementEvents", "ReadWriteType"):
    text = re.sub("<[^>]*>", "", shape.members[name].documentation)
    found = re.search(r"(?:default,? the value is|default is) (\w+)", text)
    defaults.append(f"{name} {found[1] if found else text}")
print("CloudTrail's defaults:", ", ".join(defaults))
END
)" || exit 1
