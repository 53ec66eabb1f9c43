/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/endpoint_s3.h"

#include <errno.h>
#include <string.h>

#define LOWER         "abcdefghijklmnopqrstuvwxyz"
#define UPPER         "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS        "0123456789"
#define NAME_MAX_LEN  255
#define LABEL_MAX_LEN 63

bool endpoint_bucket_is_valid(const char *bucket) {
    static const char ends[] = LOWER UPPER DIGITS;
    size_t n = strlen(bucket);

    if (n < 3 || n > NAME_MAX_LEN || strspn(bucket, LOWER UPPER DIGITS "._-") != n || strstr(bucket, ".."))
        return false;
    return strchr(ends, bucket[0]) && strchr(ends, bucket[n - 1]);
}

/* One label: a certificate for *.s3.REGION covers no dots. */
static bool fits_host(const char *bucket) {
    size_t n = strlen(bucket);

    return n <= LABEL_MAX_LEN && strspn(bucket, LOWER DIGITS "-") == n;
}

int endpoint_bucket_url(const EndpointOverrides *overrides, const char *bucket, const char *region,
                        StrBuf *ret) {
    bool as_path = endpoint_is_overridden(overrides, AWS_S3) || !fits_host(bucket);
    int r;

    if (!endpoint_partition_of(region) || !endpoint_bucket_is_valid(bucket))
        return -EINVAL;
    if (as_path) {
        r = endpoint_url(overrides, AWS_S3, region, ret);
        return r < 0 ? r : strbuf_add(ret, bucket);
    }
    (void)strbuf_addf(ret, "https://%s.", bucket);
    r = endpoint_add_aws_host(overrides, AWS_S3, region, ret);
    return r < 0 ? r : strbuf_add_char(ret, '/');
}
