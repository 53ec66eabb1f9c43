/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Maps (service, region) to a URL; holds the table of partitions and regions. Pure: overrides are passed in.
 * Source: the partition and endpoint tables of AWS's SDKs (partitions.json, 2026). */

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

/* How FIPS endpoints are named in a partition. */
typedef enum PartitionFips {
    FIPS_BY_NAME,    /* "-fips" is appended to the service's name */
    FIPS_BY_SERVICE, /* some services' ordinary hosts are FIPS endpoints */
    FIPS_NONE,       /* no FIPS endpoints */
} PartitionFips;

typedef struct Partition {
    const char *id;          /* "aws", as in ARNs */
    const char *suffix;      /* "amazonaws.com" */
    const char *dual_suffix; /* of dual-stack hosts: "api.aws" */
    PartitionFips fips;
    const char *default_region; /* for partition-wide calls: "us-east-1" */
    const char *const *regions; /* NULL-terminated; the known regions, used for "all" */
} Partition;

/* Overrides, strongest first; each may be NULL or "". None may be combined with fips or dual_stack: only
 * whoever set an override knows the kind of its host, and AWS's SDKs refuse the combination too. */
typedef struct EndpointOverrides {
    const char *file_url;                      /* aws.endpoint_url of the configuration */
    const char *service_url[_AWS_SERVICE_MAX]; /* AWS_ENDPOINT_URL_<SERVICE> */
    const char *url;                           /* AWS_ENDPOINT_URL */
    bool fips;                                 /* use FIPS endpoints */
    bool dual_stack;                           /* use dual-stack endpoints */
} EndpointOverrides;

/* Returns "cloudtrail" and the like: host part, signing name, and, in upper case, the suffix of endpoint
 * variables. */
const char *endpoint_service_name(AwsService service);

/* Returns the region where calls of the service for `region` are sent and signed: region itself, or the
 * partition's own one for partition-wide services (Organizations, IAM). NULL for an unknown region. */
const char *endpoint_service_region(AwsService service, const char *region);

/* Returns the region where IAM calls are signed and recorded in the partition of region. NULL for an unknown
 * region. */
const char *endpoint_iam_region(const char *region);

/* Returns the partition whose name pattern matches the region, even if the region is not in the table, or
 * NULL. */
const Partition *endpoint_partition_of(const char *region);
/* Looks up a partition by its ARN id; NULL when unknown. */
const Partition *endpoint_partition_by_id(const char *id);
/* True for any name that matches a partition's pattern. */
bool endpoint_region_is_valid(const char *region);
/* Returns the known region closest to a mistyped one, or NULL. Returns a known region itself. */
const char *endpoint_region_nearest(const char *text);
/* True for an opt-in region (launched after 2019-03-20), which is off unless the account enabled it. An
 * unknown region of the aws partition is newer than the table, so it counts as opt-in. */
bool endpoint_region_is_opt_in(const char *region);

/* Appends the URL (with a trailing slash) for calls of service in region. overrides may be NULL. Returns 0,
 * the buffer's error, or -EINVAL for an unknown region, an invalid override, or one combined with fips or
 * dual_stack. URLs follow AWS's rules even where no such host exists: most regions outside the USA and
 * Canada have no FIPS endpoints. */
int endpoint_url(const EndpointOverrides *overrides, AwsService service, const char *region, StrBuf *ret);

/* Validates an override: an absolute http(s) URL in printable ASCII with a host, without user info, query or
 * fragment. http: is allowed for loopback only (127/8, [::1], localhost). */
bool endpoint_override_is_valid(const char *url);

/* Validates a proxy for https: [http://][USER[:PASSWORD]@]HOST:PORT[/]. The port is required because
 * programs differ in their default. */
#define ENDPOINT_PROXY_ALLOWED                                                                              \
    "http://[USER:PASSWORD@]HOST:PORT, with @ # / and the like in USER and PASSWORD percent-encoded (%40 "  \
    "%23 %2F)"
bool endpoint_proxy_is_valid(const char *proxy);
/* Returns whether the proxy contains a user or a password. */
bool endpoint_proxy_has_user(const char *proxy);

/* Validates a container's credentials URL (AWS_CONTAINER_CREDENTIALS_FULL_URI): https:, or http: to loopback
 * or to the addresses of ECS (169.254.170.2) and EKS Pod Identity (169.254.170.23, fd00:ec2::23). Printable
 * ASCII; a query is allowed, user info and fragment are not. */
bool endpoint_container_is_allowed(const char *url);

/* Validates a URL to post messages to: https:, or http: to loopback. A query is allowed, as for
 * containers. */
#define ENDPOINT_HOOK_ALLOWED "https://HOST[:PORT][/PATH][?QUERY], or http:// for a loopback address only"
bool endpoint_hook_is_valid(const char *url);

/* Appends the host[:port] to sign, without the scheme's default port. Accepts what
 * endpoint_override_is_valid accepts, and http: to any host. Returns 0, -EINVAL, or the buffer's error. */
int endpoint_host(const char *url, StrBuf *ret);

/* Returns the path to sign, a pointer into url: everything after the host, or "/". */
const char *endpoint_path(const char *url);

/* Bucket endpoints. Pure. Sources: Amazon S3 User Guide, "Virtual hosting of general purpose buckets" and
 * "Using Amazon S3 dual-stack endpoints"; the endpoint rules of AWS's SDKs. */

/* Accepts 3..255 of [A-Za-z0-9._-] (allowed in us-east-1 before 2018), first and last a letter or digit, no
 * two adjacent dots. */
bool endpoint_bucket_is_valid(const char *bucket);

/* Appends the URL of a bucket in region. The bucket is part of the host, "https://BUCKET.s3.REGION.../", or
 * of the path, "https://s3.REGION.../BUCKET", if a certificate would not cover the host name or the endpoint
 * is overridden. Returns as endpoint_url() does; -EINVAL also for an invalid bucket name. */
int endpoint_bucket_url(const EndpointOverrides *overrides, const char *bucket, const char *region,
                        StrBuf *ret);
