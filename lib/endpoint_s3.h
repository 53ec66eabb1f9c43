/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where a bucket is reached. Pure. Source: Amazon S3 User Guide, "Virtual hosting of general purpose buckets" and
 * "Using Amazon S3 dual-stack endpoints"; the endpoint rules that AWS ships with its SDKs. */

#include "lib/endpoint.h"

/* A name that S3 may know: 3..255 of [A-Za-z0-9._-] (before 2018 us-east-1 allowed that much), first and last a
 * letter or digit, no two dots side by side. */
bool endpoint_bucket_is_valid(const char *bucket);

/* The URL of a bucket in region, appended to ret: the bucket as a host of its own, "https://BUCKET.s3.REGION.../";
 * or, where its name cannot be part of a host name that a certificate covers, or the endpoint is overridden, as
 * a path, "https://s3.REGION.../BUCKET". 0, or as endpoint_url(); -EINVAL also for a bucket
 * that is none. */
int endpoint_bucket_url(const EndpointOverrides *overrides, const char *bucket, const char *region, StrBuf *ret);
