/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* (service, region) -> URL, and the table of partitions and regions. Pure: overrides come in as values.
 * Source: the partition and endpoint tables that AWS ships with its SDKs (partitions.json, 2026). */

#include <stdbool.h>
#include <stddef.h>

#include "lib/util/strbuf.h"

typedef enum AwsService {
    AWS_CLOUDTRAIL,
    AWS_IAM,
    AWS_KMS,
    AWS_S3,
    AWS_SNS,
    AWS_STS,
    AWS_ORGANIZATIONS,
    AWS_ACCOUNT,
    _AWS_SERVICE_MAX,
} AwsService;

/* How hosts with validated cryptography are called in a partition. */
typedef enum PartitionFips {
    FIPS_BY_NAME,    /* "-fips" follows the service's name */
    FIPS_BY_SERVICE, /* the plain hosts of some services are the FIPS ones */
    FIPS_NONE,       /* there are none */
} PartitionFips;

typedef struct Partition {
    const char *id;          /* "aws", as in ARNs */
    const char *suffix;      /* "amazonaws.com" */
    const char *dual_suffix; /* of hosts that have IPv6 too: "api.aws" */
    PartitionFips fips;
    const char *default_region; /* where partition-wide calls go: "us-east-1" */
    const char *const *regions; /* NULL-terminated; known regions, for "all" */
} Partition;

/* Overrides in their order of strength; each may be NULL or "". With fips or dual_stack there may be none:
 * what kind of host an override names is known to whoever set it (and AWS's SDKs refuse the two together).
 */
typedef struct EndpointOverrides {
    const char *file_url;                      /* aws.endpoint_url of the configuration: wins */
    const char *service_url[_AWS_SERVICE_MAX]; /* AWS_ENDPOINT_URL_<SERVICE> */
    const char *url;                           /* AWS_ENDPOINT_URL */
    bool fips;                                 /* hosts with validated cryptography */
    bool dual_stack;                           /* hosts that have IPv6 too */
} EndpointOverrides;

/* "cloudtrail": host part, signing name, and what endpoint variables spell in upper case. */
const char *endpoint_service_name(AwsService service);

/* The region that calls of service made for region go to, and are signed for: region itself, or its
 * partition's own one when the service has one endpoint a partition (Organizations, IAM). NULL when region
 * is unknown. */
const char *endpoint_service_region(AwsService service, const char *region);

/* The region that calls to IAM are signed for, and recorded in, in the partition of region. NULL when region
 * is unknown. */
const char *endpoint_iam_region(const char *region);

/* The partition a region belongs to by its name, also for regions not in the table; NULL when no pattern
 * fits. */
const Partition *endpoint_partition_of(const char *region);
/* By ARN partition id; NULL when unknown. */
const Partition *endpoint_partition_by_id(const char *id);
/* True for any name that fits a partition's pattern. */
bool endpoint_region_is_valid(const char *region);
/* The known region that a mistyped one is nearest to, NULL when there is none; the name itself for a known
 * region. */
const char *endpoint_region_nearest(const char *text);
/* True when the region is opt-in (launched after 2019-03-20): off unless the account turned it on. A region
 * of the aws partition that is not in the table is younger than the table, so it is opt-in too. */
bool endpoint_region_is_opt_in(const char *region);

/* The URL (with a trailing slash) that calls of service made for region go to; appended to ret. overrides
 * may be NULL. 0, -EINVAL for an unknown region, an override that may not be used, and one beside fips or
 * dual_stack, or the buffer's error. Names are made by AWS's rules for all regions, also where AWS runs no
 * such host: most regions outside the USA and Canada have no FIPS endpoints. */
int endpoint_url(const EndpointOverrides *overrides, AwsService service, const char *region, StrBuf *ret);

/* An override that may be used: absolute http(s) URL with a host, no user info, no query, no fragment,
 * printable ASCII; http: only for loopback (127/8, [::1], localhost). */
bool endpoint_override_is_valid(const char *url);

/* A proxy for https: [http://][USER[:PASSWORD]@]HOST:PORT[/]; the port is never left out, for programs
 * differ in what they then take. */
#define ENDPOINT_PROXY_ALLOWED                                                                              \
    "http://[USER:PASSWORD@]HOST:PORT, with @ # / and the like in USER and PASSWORD percent-encoded (%40 "  \
    "%23 %2F)"
bool endpoint_proxy_is_valid(const char *proxy);
/* Does it hold a user or a password? */
bool endpoint_proxy_has_user(const char *proxy);

/* Where keys may be asked for in a container (AWS_CONTAINER_CREDENTIALS_FULL_URI): an https: URL, or http:
 * to loopback or one of the addresses that ECS (169.254.170.2) and EKS Pod Identity (169.254.170.23,
 * fd00:ec2::23) answer at. A query is allowed; no user info, no fragment, printable ASCII. */
bool endpoint_container_is_allowed(const char *url);

/* Where messages may be posted to: an https: URL, or http: to loopback. A query is allowed, as for
 * containers. */
#define ENDPOINT_HOOK_ALLOWED "https://HOST[:PORT][/PATH][?QUERY], or http:// for a loopback address only"
bool endpoint_hook_is_valid(const char *url);

/* The host[:port] as it must be signed: port only when it is not the scheme's default; appended to ret.
 * Takes what endpoint_override_is_valid takes, and http: to any host. 0, -EINVAL, or the buffer's error. */
int endpoint_host(const char *url, StrBuf *ret);

/* The path as it must be signed, inside url: what follows the host, "/" when nothing does. */
const char *endpoint_path(const char *url);

/* Where a bucket is reached. Pure. Source: Amazon S3 User Guide, "Virtual hosting of general purpose
 * buckets" and "Using Amazon S3 dual-stack endpoints"; the endpoint rules that AWS ships with its SDKs. */

/* A name that S3 may know: 3..255 of [A-Za-z0-9._-] (before 2018 us-east-1 allowed that much), first and
 * last a letter or digit, no two dots side by side. */
bool endpoint_bucket_is_valid(const char *bucket);

/* The URL of a bucket in region, appended to ret: the bucket as a host of its own,
 * "https://BUCKET.s3.REGION.../"; or, where its name cannot be part of a host name that a certificate
 * covers, or the endpoint is overridden, as a path, "https://s3.REGION.../BUCKET". 0, or as endpoint_url();
 * -EINVAL also for a bucket that is none. */
int endpoint_bucket_url(const EndpointOverrides *overrides, const char *bucket, const char *region,
                        StrBuf *ret);
