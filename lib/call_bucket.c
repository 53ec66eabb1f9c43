/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/call_bucket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/endpoint.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"

#define URL_MAX 2048
/* SHA-256 of no bytes: these requests have no body. */
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

void bucket_call_free(BucketCall *call) {
    if (!call)
        return;
    free(call->url);
    free(call->host);
    free(call->path);
    free(call->query);
    free(call->owner);
    free(call);
}

static int fill_url(BucketCall *call, StrBuf *url, const char *query) {
    _cleanup_strbuf_ StrBuf host = STRBUF_INIT(URL_MAX);
    int r;

    r = endpoint_host(strbuf_str(url), &host);
    if (r < 0)
        return r;
    call->path = strdup(endpoint_path(strbuf_str(url)));
    call->query = strdup(query);
    if (!call->path || !call->query)
        return -ENOMEM;
    if (*query)
        (void)strbuf_addf(url, "?%s", query);
    r = strbuf_take(url, &call->url);
    return r < 0 ? r : strbuf_take(&host, &call->host);
}

int bucket_call_new(const EndpointOverrides *overrides, const AwsBucketRequest *request, const char *region,
                    BucketCall **ret) {
    _cleanup_strbuf_ StrBuf url = STRBUF_INIT(URL_MAX);
    BucketCall *call;
    int r;

    r = endpoint_bucket_url(overrides, request->bucket, region, &url);
    if (r < 0)
        return r == -E2BIG ? -EINVAL : r;
    call = calloc(1, sizeof(*call));
    if (!call)
        return -ENOMEM;
    call->method = request->method;
    r = fill_url(call, &url, request->query ? request->query : "");
    if (r >= 0 && request->owner) {
        call->owner = strdup(request->owner);
        r = call->owner ? 0 : -ENOMEM;
    }
    if (r < 0) {
        bucket_call_free(call);
        return r == -E2BIG ? -EINVAL : r;
    }
    *ret = call;
    return 0;
}

size_t bucket_call_headers(const BucketCall *call, HttpHeader ret[static BUCKET_CALL_HEADERS_MAX]) {
    ret[0] = (HttpHeader){ "x-amz-content-sha256", EMPTY_HASH };
    if (!call->owner)
        return 1;
    ret[1] = (HttpHeader){ "x-amz-expected-bucket-owner", call->owner };
    return 2;
}
