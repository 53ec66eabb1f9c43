/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an ARN, a region and a URL: what is taken is what was given, and nothing else is taken. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arn.h"
#include "lib/endpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static void try_arn(const char *text) {
    char again[2 * ARN_MAX];
    Arn arn;
    int r;

    r = arn_parse(text, &arn);
    check(r == 0 || r == -EINVAL);
    (void)arn_trail_name_is_valid(text);
    if (r < 0)
        return;

    (void)snprintf(again, sizeof(again), "arn:%s:%s:%s:%s:%s", arn.partition, arn.service, arn.region,
                   arn.account, arn.resource);
    check(strcmp(again, text) == 0);
    check(!arn_is_trail(&arn) || arn_trail_name_is_valid(arn_name(&arn)));
    check(!arn_is_trail(&arn) || !arn_is_topic(&arn));
}

static void try_url(const char *text) {
    _cleanup_strbuf_ StrBuf host = STRBUF_INIT(1024), url = STRBUF_INIT(100000);
    const EndpointOverrides overrides = { .url = text };
    int r;

    r = endpoint_host(text, &host);
    check(r == 0 || r == -EINVAL);
    check(r < 0 || (host.len > 0 && !strpbrk(strbuf_str(&host), "@/?#\\ \r\n")));
    check(r == 0 || !endpoint_override_is_valid(text));
    r = endpoint_url(&overrides, AWS_STS, "eu-west-1", &url);
    check(*text == '\0' ? r == 0 : (r == 0) == endpoint_override_is_valid(text));
}

static void try_region(const char *text) {
    _cleanup_strbuf_ StrBuf url = STRBUF_INIT(1024);
    bool valid = endpoint_region_is_valid(text);

    check((endpoint_url(NULL, AWS_SNS, text, &url) == 0) == valid);
    check(!valid || endpoint_override_is_valid(strbuf_str(&url)));
    check(valid || !endpoint_region_is_opt_in(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);

    check(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    try_arn(text);
    try_url(text);
    try_region(text);
    free(text);
    return 0;
}
