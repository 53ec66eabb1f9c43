/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a call to a bucket has in place of target and body: method, URL and headers of its own. A part of call.c,
 * which alone includes it. Pure. Source: Amazon S3 API Reference, "Making requests" and "Common request
 * headers". */

#include "lib/call.h"

typedef struct BucketCall {
    const char *method;
    char *url;      /* with the query */
    char *host;     /* as it is signed */
    char *path;     /* likewise */
    char *query;    /* "" when none */
    char *owner;    /* NULL: not asked for */
} BucketCall;

#define BUCKET_CALL_HEADERS_MAX 2

/* 0, -EINVAL (no bucket's name, an unknown region, a URL that grows too long), -ENOMEM. */
int bucket_call_new(const EndpointOverrides *overrides, const AwsBucketRequest *request, const char *region,
                    BucketCall **ret);
/* NULL is fine. */
void bucket_call_free(BucketCall *call);

/* Writes the headers that go with host, date and token, all of which are signed; returns how many. They are
 * borrowed from call. */
size_t bucket_call_headers(const BucketCall *call, HttpHeader ret[static BUCKET_CALL_HEADERS_MAX]);
