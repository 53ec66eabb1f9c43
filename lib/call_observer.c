/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/call_observer.h"

#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

#define NAME "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* A form holds secrets behind its first member. */
#define ACTION "Action="

static const struct {
    const char *method, *query, *operation;
} buckets[] = {
    { "HEAD", "", "HeadBucket" },
    { "GET", "lifecycle", "GetBucketLifecycleConfiguration" },
    { "GET", "policy", "GetBucketPolicy" },
};

static const char *bucket_operation(const char *method, const char *query) {
    for (size_t i = 0; i < ARRAY_SIZE(buckets); i++)
        if (text_equal(buckets[i].method, method) && text_equal(buckets[i].query, query ? query : ""))
            return buckets[i].operation;
    return method;
}

/* The part behind the last separator, or all of it. */
static const char *last_part(const char *s, char separator) {
    const char *at = strrchr(s, separator);

    return at ? at + 1 : s;
}

const char *call_operation(const char *target, const char *method, const char *query, const char *body,
                           const char *path, char dst[static AWS_OPERATION_MAX]) {
    const char *name = "";
    size_t n;

    if (target)
        name = last_part(target, '.');
    else if (method)
        name = bucket_operation(method, query);
    else if (path)
        name = last_part(path, '/');
    else if (text_starts_with(body, ACTION))
        name = body + strlen(ACTION);
    n = MIN(strspn(name, NAME), (size_t)AWS_OPERATION_MAX - 1);
    memcpy(dst, name, n);
    dst[n] = '\0';
    return dst;
}
