#!/bin/bash
# Four implementations of AWS's credential chain, each asked which access key it would sign with.
# shellcheck source=findings/lib/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

home=$tmp/aws-home
mkdir -p "$home/.aws"

# Python: Debian's botocore. JavaScript: the AWS SDK v3. Go: the AWS SDK v1 inside rclone. C: the Common Runtime.
get_clients() {
    installed python3-botocore 1.29.27
    npm_get @aws-sdk/credential-provider-node@3.972.97
    deb_get rclone=1.60.1+dfsg-2+b5 python3-awscrt=0.16.8+dfsg-1
    start_server
    answer_with 200 '<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>' Content-Type=application/xml
    cat >"$tmp/ask.js" <<'END'
const { defaultProvider } = require('@aws-sdk/credential-provider-node');
defaultProvider()().then(c => console.log(c.accessKeyId + (isNaN(c.expiration ?? 0) ? ' until ' + c.expiration : '')),
    () => console.log('-'));
END
    cat >"$tmp/ask.py" <<'END'
import botocore.session
try:
    found = botocore.session.Session().get_credentials()
    print(found.get_frozen_credentials().access_key if found else "-")
except Exception:
    print("-")
END
    cat >"$tmp/crt.py" <<'END'
from awscrt import auth, io
group = io.EventLoopGroup(1)
bootstrap = io.ClientBootstrap(group, io.DefaultHostResolver(group))
try:
    print(auth.AwsCredentialsProvider.new_default_chain(bootstrap).get_credentials().result(20).access_key_id)
except Exception:
    print("-")
END
}

# ask CLIENT VAR=VALUE...: the access key, or - where it finds none
ask() {
    local client=$1
    shift
    case $client in
        python) bare "$@" /usr/bin/python3 "$tmp/ask.py" ;;
        javascript) bare "$@" node "$tmp/ask.js" 2>"$tmp/warnings" ;;
        c) bare PYTHONPATH="$tmp/root/usr/lib/python3/dist-packages" "$@" /usr/bin/python3 "$tmp/crt.py" ;;
        go)
            : >"$tmp/requests"
            bare RCLONE_S3_ENV_AUTH=true RCLONE_S3_PROVIDER=AWS RCLONE_S3_REGION=eu-central-1 \
                RCLONE_S3_ENDPOINT="http://127.0.0.1:$port" "$@" "$tmp/root/usr/bin/rclone" --config /dev/null --retries 1 \
                --low-level-retries 1 lsd :s3: >"$tmp/rclone.log" 2>&1 || echo -
            jq -r '.headers.authorization | capture("Credential=(?<key>[^/]*)/").key' "$tmp/requests"
            ;;
    esac
}

# ask_all VAR=VALUE...: all four in a line
ask_all() {
    echo "python $(ask python "$@") | javascript $(ask javascript "$@") | go $(ask go "$@") | c $(ask c "$@")"
}
