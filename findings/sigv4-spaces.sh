#!/bin/bash
# A signer from CPAN trims a header's ends only: with two spaces inside a value its signature is not AWS's.
#
# Guess: Net::Amazon::Signature::V4 and botocore sign the same request alike, as both follow AWS's description.
# Seen: version 0.21 does with single spaces. Of several spaces inside a value AWS wants one, and botocore 1.29.27
#   signs it so; the Perl module signs all of them. Two header lines of one name it sorts by value, while botocore
#   keeps their order.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed python3-botocore 1.29.27
deb_get libnet-amazon-signature-v4-perl=0.21-2 libhttp-message-perl=6.44-1 liburi-perl=5.17-1 \
    libhttp-date-perl=6.05-2 libencode-locale-perl=1.05-3 libio-html-perl=1.004-3 liblwp-mediatypes-perl=6.04-2 \
    libtimedate-perl=2.3300-2 libclone-perl=0.46-1

cat >"$tmp/sign.pl" <<'END'
use strict;
use warnings;
use HTTP::Request;
use Net::Amazon::Signature::V4;
my $request = HTTP::Request->new(POST => 'https://cloudtrail.eu-central-1.amazonaws.com/',
    ['Host' => 'cloudtrail.eu-central-1.amazonaws.com', 'X-Amz-Date' => '20261130T000000Z',
     map { ('X-Note' => $_) } @ARGV], '{"Name":"main"}');
Net::Amazon::Signature::V4->new('AKIAEXAMPLE', 'example', 'eu-central-1', 'cloudtrail')->sign($request);
print $request->header('Authorization') =~ s/.*Signature=//r, "\n";
END
cat >"$tmp/sign.py" <<'END'
import hashlib
import sys
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
body = b'{"Name":"main"}'
request = AWSRequest("POST", "https://cloudtrail.eu-central-1.amazonaws.com/", data=body, headers={
    "Host": "cloudtrail.eu-central-1.amazonaws.com", "X-Amz-Date": "20261130T000000Z",
    "X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest()})
for value in sys.argv[1:]:
    request.headers.add_header("X-Note", value)
request.context["timestamp"] = "20261130T000000Z"
auth = SigV4Auth(Credentials("AKIAEXAMPLE", "example"), "cloudtrail", "eu-central-1")
print(auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request))
END

row() {
    local perl python
    perl=$(bare perl -I"$tmp/root/usr/share/perl5" -I"$tmp/root/usr/lib/x86_64-linux-gnu/perl5/5.36" "$tmp/sign.pl" "$@")
    python=$(bare /usr/bin/python3 "$tmp/sign.py" "$@")
    if [[ $perl == "$python" ]]; then echo "${*@Q}: same signature"; else echo "${*@Q}: another signature"; fi
}

same "$(cat <<'END'
'audit on': same signature
' audit on ': same signature
'audit  on': another signature
'first' 'second': same signature
'second' 'first': another signature
END
)" "$(
    row 'audit on'
    row ' audit on '
    row 'audit  on'
    row first second
    row second first
)" || exit 1
