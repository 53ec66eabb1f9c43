/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/endpoint.h"

static void test_names(void **state) {
    static const struct {
        const char *name;
        bool valid;
    } cases[] = {
        { "logs", true },         { "my.logs-2", true }, { "Old_Bucket", true }, { "abc", true },
        { "ab", false },          { "", false },         { "a..b", false },      { ".abc", false },
        { "abc-", false },        { "a/b", false },      { "a b", false },       { "a?b", false },
        { "a@b.example", false }, { "a%2fb", false },    { "logs\n", false },
    };
    char longest[257];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(endpoint_bucket_is_valid(cases[i].name), cases[i].valid);
    memset(longest, 'a', 256);
    longest[256] = '\0';
    assert_false(endpoint_bucket_is_valid(longest));
    longest[255] = '\0';
    assert_true(endpoint_bucket_is_valid(longest));
}

/* The endpoint rules of botocore say the same of all of these but the last three. */
static void test_urls(void **state) {
    const EndpointOverrides plain = { 0 }, fips = { .fips = true }, dual = { .dual_stack = true },
                            both = { .fips = true, .dual_stack = true },
                            mine = { .service_url[AWS_S3] = "http://127.0.0.1:4566" },
                            path = { .url = "https://proxy.example/aws/" },
                            other = { .service_url[AWS_SNS] = "http://127.0.0.1:4566" };
    const struct {
        const EndpointOverrides *overrides;
        const char *bucket, *region, *url;
    } cases[] = {
        { NULL, "logs", "eu-central-1", "https://logs.s3.eu-central-1.amazonaws.com/" },
        { &plain, "my.logs", "eu-central-1", "https://s3.eu-central-1.amazonaws.com/my.logs" },
        { &plain, "Logs", "us-east-1", "https://s3.us-east-1.amazonaws.com/Logs" },
        { &plain, "logs", "cn-north-1", "https://logs.s3.cn-north-1.amazonaws.com.cn/" },
        { &plain, "logs", "us-gov-west-1", "https://logs.s3.us-gov-west-1.amazonaws.com/" },
        { &dual, "logs", "eu-central-1", "https://logs.s3.dualstack.eu-central-1.amazonaws.com/" },
        { &dual, "my.logs", "cn-north-1", "https://s3.dualstack.cn-north-1.amazonaws.com.cn/my.logs" },
        { &fips, "logs", "us-gov-west-1", "https://logs.s3-fips.us-gov-west-1.amazonaws.com/" },
        { &both, "logs", "us-east-1", "https://logs.s3-fips.dualstack.us-east-1.amazonaws.com/" },
        { &fips, "my.logs", "us-east-1", "https://s3-fips.us-east-1.amazonaws.com/my.logs" },
        { &both, "my.logs", "us-gov-west-1",
          "https://s3-fips.dualstack.us-gov-west-1.amazonaws.com/my.logs" },
        { &fips, "logs", "cn-north-1", NULL },
        { &fips, "my.logs", "cn-north-1", NULL },
        { &plain, "logs", "mars", NULL },
        { &plain, "no", "us-east-1", NULL },
        { &other, "logs", "eu-central-1", "https://logs.s3.eu-central-1.amazonaws.com/" },
        { &mine, "logs", "eu-central-1", "http://127.0.0.1:4566/logs" },
        { &path, "logs", "eu-central-1", "https://proxy.example/aws/logs" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_strbuf_ StrBuf url = STRBUF_INIT(500);
        int r = endpoint_bucket_url(cases[i].overrides, cases[i].bucket, cases[i].region, &url);

        assert_int_equal(r, cases[i].url ? 0 : -EINVAL);
        if (cases[i].url)
            assert_string_equal(strbuf_str(&url), cases[i].url);
    }
}

static void test_paths(void **state) {
    (void)state;
    assert_string_equal(endpoint_path("https://host"), "/");
    assert_string_equal(endpoint_path("https://host/"), "/");
    assert_string_equal(endpoint_path("http://[::1]:4566/aws/x"), "/aws/x");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
