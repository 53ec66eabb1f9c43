#!/bin/bash
# Asked for FIPS in China the SDK refuses for S3 and makes up a host for CloudTrail, from the same
# partition data.
#
# Guess: whether a partition has FIPS endpoints is a fact of the partition, so all clients refuse or none
#   does.
# Seen: the rules of client-s3 3.1137.0 refuse; those of client-cloudtrail and client-sns of the same
#   version build cloudtrail-fips.cn-north-1.amazonaws.com.cn, because the partition is marked as able.
#   Debian's botocore 1.29.27 builds such a host for all three.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed python3-botocore 1.29.27
npm_get @aws-sdk/client-cloudtrail@3.1137.0 @aws-sdk/client-s3@3.1137.0 @aws-sdk/client-sns@3.1137.0

cat >"$tmp/fips.js" <<'END'
for (const [service, name] of [['cloudtrail', 'CloudTrailClient'], ['sns', 'SNSClient'], ['s3', 'S3Client']]) {
    const client = new (require('@aws-sdk/client-' + service)[name])({ region: 'cn-north-1' });
    let host;
    try {
        host = client.config.endpointProvider({ Region: 'cn-north-1', UseFIPS: true, UseDualStack: false }).url.hostname;
    } catch (e) {
        host = e.message;
    }
    console.log('javascript', service, host);
}
END
cat >"$tmp/fips.py" <<'END'
import botocore.session
from botocore.config import Config
for service in "cloudtrail", "sns", "s3":
    client = botocore.session.Session().create_client(service, region_name="cn-north-1", config=Config(use_fips_endpoint=True),
                                                      aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="example")
    print("python", service, client.meta.endpoint_url.split("/")[2])
END

same "$(cat <<'END'
javascript cloudtrail cloudtrail-fips.cn-north-1.amazonaws.com.cn
javascript sns sns-fips.cn-north-1.amazonaws.com.cn
javascript s3 Partition does not support FIPS
python cloudtrail cloudtrail-fips.cn-north-1.amazonaws.com.cn
python sns sns-fips.cn-north-1.amazonaws.com.cn
python s3 s3-fips.cn-north-1.amazonaws.com.cn
END
)" "$(bare node "$tmp/fips.js" && bare /usr/bin/python3 "$tmp/fips.py")" || exit 1
