#!/bin/bash
# A profile with credential_process and keys of its own: Python asks the process if the keys are in the
# config file, and only then.
#
# Guess: keys that stand in the profile win, wherever the profile is written.
# Seen: so it is in credential-provider-node 3.972.97, the Go SDK v1 in rclone 1.60.1 and the Common
#   Runtime 0.16.8. botocore 1.29.27 has the process between the two files: it beats keys in ~/.aws/config
#   and loses to keys in ~/.aws/credentials.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/credentials.bash
. "$(dirname "$0")/lib/credentials.bash"

get_clients
cat >"$home/process" <<'END'
#!/bin/sh
echo '{"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "example"}'
END
chmod +x "$home/process"
keys=$'aws_access_key_id = AKIAKEY\naws_secret_access_key = example'

# row NAME CONFIG CREDENTIALS
row() {
    echo "$2" >"$home/.aws/config"
    echo "$3" >"$home/.aws/credentials"
    echo "$1: $(ask_all AWS_PROFILE=guard AWS_SDK_LOAD_CONFIG=1)"
}

process="credential_process = $home/process"
same "$(cat <<'END'
keys and process in config: python AKIAPROCESS | javascript AKIAKEY | go AKIAKEY | c AKIAKEY
keys and process in credentials: python AKIAKEY | javascript AKIAKEY | go AKIAKEY | c AKIAKEY
keys in config, process in credentials: python AKIAPROCESS | javascript AKIAKEY | go AKIAKEY | c AKIAKEY
END
)" "$(
    row 'keys and process in config' "[profile guard]"$'\n'"$keys"$'\n'"$process" ''
    row 'keys and process in credentials' '' "[guard]"$'\n'"$keys"$'\n'"$process"
    row 'keys in config, process in credentials' "[profile guard]"$'\n'"$keys" "[guard]"$'\n'"$process"
)" || exit 1
