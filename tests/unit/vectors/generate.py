#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes sigv4.h, the table of Signature Version 4 vectors that test_sigv4.c compares stage by stage.

    tests/unit/vectors/generate.py >tests/unit/vectors/sigv4.h

Run by hand, with botocore installed; what it prints is committed. Each canonical request, string to sign and
signature comes from botocore's signer. Cases named as in AWS's own signing test suite use that suite's
credentials, scope and time, and carry the signature that the suite publishes (`published`); this script
stops when the computed one is another. Where botocore deviates from the suite, because it takes queries and
paths as already encoded, the canonical request is spelt out here, and the published signature proves it.
"""

import datetime
import hashlib
import hmac
import sys

import botocore
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
EMPTY = hashlib.sha256(b'').hexdigest()
ALL = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
SUITE_TIME = datetime.datetime(2015, 8, 30, 12, 36)
OUR_TIME = datetime.datetime(2025, 1, 2, 3, 4, 5)
VANILLA = '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'


def suite(name, published, method='GET', path='/', query='', headers=(), body='', s3=False, canonical=None):
    """A case of AWS's suite; canonical = (path, query) where botocore deviates."""
    return dict(name=name, published=published, method=method, path=path, query=query, body=body, s3=s3,
                headers=[('Host', 'example.amazonaws.com'), *headers, ('X-Amz-Date', '20150830T123600Z')],
                region='us-east-1', service='service', time=SUITE_TIME, canonical=canonical)


def form(content_type):
    body = 'Param1=value1'
    return dict(method='POST', body=body, headers=[
        ('Content-Type', content_type), ('Content-Length', str(len(body))),
        ('x-amz-content-sha256', hashlib.sha256(body.encode()).hexdigest())])


def ours(name, service, region, host, headers=(), token=True, body='', **rest):
    """A call as TrailGuard makes it, or will."""
    headers = [('Host', host), *headers, ('X-Amz-Date', '20250102T030405Z')]
    if token:
        headers.append(('X-Amz-Security-Token', 'TOKEN/EXAMPLE+=='))
    if service == 's3':
        headers.append(('X-Amz-Content-SHA256', EMPTY))
    case = dict(name=name, published=None, method='POST', path='/', query='', s3=service == 's3', body=body,
                headers=headers, region=region, service=service, time=OUR_TIME, canonical=None)
    return dict(case, **rest)


FORM_TYPE = ('Content-Type', 'application/x-www-form-urlencoded; charset=utf-8')
CASES = [
    suite('get-vanilla', VANILLA),
    suite('get-vanilla-query', VANILLA),
    suite('get-vanilla-empty-query-key', 'a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb',
          query='Param1=value1'),
    suite('get-vanilla-query-order-encoded',
          '371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac',
          query='Param-3=Value3&Param=Value2&%E1%88%B4=Value1'),
    suite('get-vanilla-query-order-key-case',
          'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
          query='Param2=value2&Param1=value1'),
    suite('get-vanilla-query-unreserved', '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
          query=f'{ALL}={ALL}'),
    suite('get-vanilla-utf8-query', '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
          query='\u1234=bar', canonical=('/', '%E1%88%B4=bar')),
    suite('get-vanilla-with-session-token',
          '07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8',
          headers=[('X-Amz-Security-Token',
                    '6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267')]),
    suite('get-header-key-duplicate', 'c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea',
          headers=[('My-Header1', v) for v in ('value2', 'value2', 'value1')]),
    suite('get-header-value-order', '08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01',
          headers=[('My-Header1', v) for v in ('value4', 'value1', 'value3', 'value2')]),
    suite('get-header-value-trim', 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
          headers=[('My-Header1', ' value1'), ('My-Header2', ' "a   b   c"')]),
    suite('get-unreserved', '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
          path=f'/{ALL}'),
    suite('get-utf8', '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85', path='/\u1234',
          canonical=('/%E1%88%B4', '')),
    suite('get-space-normalized', '652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741',
          path='/example space/'),
    suite('get-relative-normalized', VANILLA, path='/example/..'),
    suite('get-relative-relative-normalized', VANILLA, path='/example1/example2/../..'),
    suite('get-slash-dot-slash-normalized', VANILLA, path='/./'),
    suite('get-slash-normalized', VANILLA, path='//'),
    suite('get-slash-pointless-dot-normalized',
          'ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5', path='/./example'),
    suite('get-slashes-normalized', '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84',
          path='//example//'),
    suite('get-relative-relative-unnormalized',
          'dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b',
          path='/example1/example2/../..', s3=True, canonical=('/example1/example2/../..', '')),
    suite('get-slash-pointless-dot-unnormalized',
          'beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff', path='/./example',
          s3=True, canonical=('/./example', '')),
    suite('get-slashes-unnormalized', '87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5',
          path='//example//', s3=True, canonical=('//example//', '')),
    suite('post-vanilla', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b', method='POST'),
    suite('post-vanilla-query', '28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11',
          method='POST', query='Param1=value1'),
    suite('post-header-key-sort', 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
          method='POST', headers=[('My-Header1', 'value1')]),
    suite('post-header-value-case', 'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
          method='POST', headers=[('My-Header1', 'VALUE1')]),
    suite('post-x-www-form-urlencoded', 'd3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b',
          **form('application/x-www-form-urlencoded')),
    suite('post-x-www-form-urlencoded-parameters',
          '328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422',
          **form('application/x-www-form-urlencoded; charset=utf-8')),

    ours('cloudtrail-get-trail-status', 'cloudtrail', 'eu-central-1',
         'cloudtrail.eu-central-1.amazonaws.com',
         headers=[('Content-Type', 'application/x-amz-json-1.1'),
                  ('X-Amz-Target',
                   'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrailStatus')],
         body='{"Name":"arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"}'),
    ours('sts-get-caller-identity', 'sts', 'us-east-1', 'sts.us-east-1.amazonaws.com', token=False,
         headers=[FORM_TYPE], body='Action=GetCallerIdentity&Version=2011-06-15'),
    ours('s3-lifecycle', 's3', 'eu-central-1', 'logs-bucket.s3.eu-central-1.amazonaws.com', method='GET',
         query='lifecycle', canonical=('/', 'lifecycle=')),
    ours('s3-object', 's3', 'eu-central-1', 'logs-bucket.s3.eu-central-1.amazonaws.com', method='GET',
         path='/AWSLogs/1/a%20b%2Bc~d%3D.json.gz', query='versionId=x%2Fy'),
    ours('sns-publish', 'sns', 'eu-central-1', 'sns.eu-central-1.amazonaws.com', headers=[FORM_TYPE],
         body='Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-central-1%3A111122223333'
              '%3Aalerts&Message=%C3%A9%20~%2A'),
    ours('port-in-host', 'sts', 'eu-west-1', '127.0.0.1:8443', headers=[FORM_TYPE], path='/base/path/',
         body='Action=GetCallerIdentity&Version=2011-06-15'),
]


def signing_key(case):
    key = b'AWS4' + SECRET.encode()
    for part in (case['time'].strftime('%Y%m%d'), case['region'], case['service'], 'aws4_request'):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def stages(case):
    """Canonical request, string to sign and signature of one case."""
    url = 'https://' + dict(case['headers'])['Host'] + case['path']
    request = AWSRequest(case['method'], url + ('?' + case['query'] if case['query'] else ''),
                         data=case['body'].encode())
    for name, value in case['headers']:
        request.headers.add_header(name, value)
    request.context['timestamp'] = case['time'].strftime('%Y%m%dT%H%M%SZ')

    signer = (S3SigV4Auth if case['service'] == 's3' else SigV4Auth)(
        Credentials('AKIDEXAMPLE', SECRET), case['service'], case['region'])
    canonical = signer.canonical_request(request)
    if case['canonical']:
        lines = canonical.split('\n')
        lines[1:3] = case['canonical']
        canonical = '\n'.join(lines)
    to_sign = '\n'.join(['AWS4-HMAC-SHA256', request.context['timestamp'], signer.credential_scope(request),
                         hashlib.sha256(canonical.encode()).hexdigest()])
    signature = hmac.new(signing_key(case), to_sign.encode(), hashlib.sha256).hexdigest()

    if not case['canonical']:
        assert to_sign == signer.string_to_sign(request, canonical), case['name']
        assert signature == signer.signature(to_sign, request), case['name']
    if case['published'] and signature != case['published']:
        sys.exit(f'{case["name"]}: {signature} is not the published signature\n{canonical}')
    return canonical, to_sign, signature


def c_string(s, indent):
    """A C literal, one line of text a line, long ones in pieces."""
    quoted = []
    for line in s.encode().splitlines(keepends=True) or [b'']:
        for i in range(0, len(line), 84) or [0]:
            text = ''.join('\\n' if c == 10 else '\\' + chr(c) if chr(c) in '"\\' else chr(c) if c < 0x7f
                           else f'\\{c:03o}' for c in line[i:i + 84])
            quoted.append(f'"{text}"')
    return ('\n' + ' ' * indent).join(quoted)


def main():
    print('/* SPDX-License-Identifier: Apache-2.0 */')
    print(f'/* Made by generate.py beside it, with botocore {botocore.__version__}; not edited by hand. */')
    print('static const SigV4Vector sigv4_vectors[] = {')
    for case in CASES:
        canonical, to_sign, signature = stages(case)
        epoch = int(case['time'].replace(tzinfo=datetime.timezone.utc).timestamp())
        print('    {')
        for key in ('name', 'method', 'path', 'query', 'body', 'region', 'service'):
            print(f'        .{key} = {c_string(case[key], 12)},')
        print('        .headers = {')
        for name, value in case['headers']:
            print(f'            {{ {c_string(name, 0)}, {c_string(value, 14)} }},')
        print('        },')
        print(f'        .time_usec = {epoch} * USEC_PER_SEC,')
        print(f'        .s3 = {"true" if case["s3"] else "false"},')
        print(f'        .canonical =\n            {c_string(canonical, 12)},')
        print(f'        .string_to_sign =\n            {c_string(to_sign, 12)},')
        print(f'        .signing_key = "{signing_key(case).hex()}",')
        print(f'        .signature = "{signature}",')
        print('    },')
    print('};')


if __name__ == '__main__':
    main()
