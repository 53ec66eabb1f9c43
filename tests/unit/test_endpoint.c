/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/endpoint.h"

static void partitions(void **state _unused_) {
    static const struct {
        const char *region, *partition;
    } cases[] = {
        { "us-east-1", "aws" },
        { "mx-central-1", "aws" },
        { "eu-central-12", "aws" },
        { "il-newword-3", "aws" }, /* not in the table */
        { "us-gov-west-1", "aws-us-gov" },
        { "us-gov-north-9", "aws-us-gov" },
        { "cn-northwest-1", "aws-cn" },
        { "us-iso-east-1", "aws-iso" },
        { "us-isob-west-1", "aws-iso-b" },
        { "eu-isoe-west-1", "aws-iso-e" },
        { "us-isof-south-1", "aws-iso-f" },
        { "eusc-de-east-1", "aws-eusc" },
        { NULL, NULL },
        { "", NULL },
        { "us-east", NULL },
        { "us-east-", NULL },
        { "us--1", NULL },
        { "us-east-1a", NULL },
        { "us-east-1-2", NULL },
        { "us-east-1.evil.example", NULL },
        { "us-east-1/", NULL },
        { "us-ea st-1", NULL },
        { "xx-east-1", NULL },
        { "US-EAST-1", NULL },
        { "useast-1", NULL },
        { "us-gov-1", "aws" }, /* "gov" is the word here */
        { "eusc-fr-east-1", NULL },
        { "us-iso-east-x", NULL },
        { "us-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-1", NULL },
        { "aws-global", NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const Partition *partition = endpoint_partition_of(cases[i].region);

        assert_int_equal(endpoint_region_is_valid(cases[i].region), cases[i].partition != NULL);
        if (!cases[i].partition)
            assert_null(partition);
        else
            assert_string_equal(partition->id, cases[i].partition);
    }
}

/* Every region of the table belongs to the partition that lists it, once. */
static void table_is_consistent(void **state _unused_) {
    static const struct {
        const char *id;
        unsigned n;
    } expected[] = { { "aws", 36 },      { "aws-cn", 2 },    { "aws-us-gov", 2 }, { "aws-iso", 2 },
                     { "aws-iso-b", 2 }, { "aws-iso-e", 1 }, { "aws-iso-f", 2 },  { "aws-eusc", 1 } };

    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        const Partition *partition = endpoint_partition_by_id(expected[i].id);
        bool has_default = false;
        unsigned n = 0;

        assert_non_null(partition);
        for (; partition->regions[n]; n++) {
            assert_ptr_equal(endpoint_partition_of(partition->regions[n]), partition);
            has_default = has_default || strcmp(partition->regions[n], partition->default_region) == 0;
            for (unsigned j = 0; j < n; j++)
                assert_string_not_equal(partition->regions[j], partition->regions[n]);
        }
        assert_int_equal(n, expected[i].n);
        assert_true(has_default);
    }
    assert_null(endpoint_partition_by_id("aws-mars"));
    assert_null(endpoint_partition_by_id(NULL));
}

static void opt_in_regions(void **state _unused_) {
    const Partition *aws = endpoint_partition_by_id("aws");
    unsigned opt_in = 0;

    for (size_t i = 0; aws->regions[i]; i++)
        opt_in += endpoint_region_is_opt_in(aws->regions[i]);
    assert_int_equal(opt_in, 19);

    assert_false(endpoint_region_is_opt_in("us-east-1"));
    assert_false(endpoint_region_is_opt_in("ap-southeast-2"));
    assert_true(endpoint_region_is_opt_in("af-south-1"));
    assert_true(endpoint_region_is_opt_in("mx-central-1"));
    assert_true(endpoint_region_is_opt_in("eu-newword-1"));
    assert_false(endpoint_region_is_opt_in("us-gov-east-1"));
    assert_false(endpoint_region_is_opt_in("cn-north-1"));
    assert_false(endpoint_region_is_opt_in("nonsense"));
}

static void assert_url(const EndpointOverrides *overrides, AwsService service, const char *region,
                       const char *expected) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(300);

    assert_int_equal(endpoint_url(overrides, service, region, &b), expected ? 0 : -EINVAL);
    assert_string_equal(strbuf_str(&b), expected ? expected : "");
}

static void urls(void **state _unused_) {
    const EndpointOverrides none = { 0 };

    assert_url(NULL, AWS_CLOUDTRAIL, "eu-central-1", "https://cloudtrail.eu-central-1.amazonaws.com/");
    assert_url(&none, AWS_SNS, "cn-north-1", "https://sns.cn-north-1.amazonaws.com.cn/");
    assert_url(&none, AWS_STS, "us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com/");
    assert_url(&none, AWS_STS, "us-iso-east-1", "https://sts.us-iso-east-1.c2s.ic.gov/");
    assert_url(&none, AWS_STS, "us-isob-east-1", "https://sts.us-isob-east-1.sc2s.sgov.gov/");
    assert_url(&none, AWS_STS, "eu-isoe-west-1", "https://sts.eu-isoe-west-1.cloud.adc-e.uk/");
    assert_url(&none, AWS_STS, "us-isof-south-1", "https://sts.us-isof-south-1.csp.hci.ic.gov/");
    assert_url(&none, AWS_STS, "eusc-de-east-1", "https://sts.eusc-de-east-1.amazonaws.eu/");
    assert_url(&none, AWS_STS, "nowhere", NULL);
    assert_url(&none, AWS_ORGANIZATIONS, "nowhere", NULL);
    assert_url(&none, AWS_STS, "x.evil.example/eu-west-1", NULL);
}

static void kinds_of_hosts(void **state _unused_) {
    static const struct {
        const char *region;
        const char *fips, *dual_stack, *both;
    } cases[] = {
        { "us-east-1", "sns-fips.us-east-1.amazonaws.com", "sns.us-east-1.api.aws",
          "sns-fips.us-east-1.api.aws" },
        { "us-gov-west-1", "sns.us-gov-west-1.amazonaws.com", "sns.us-gov-west-1.api.aws",
          "sns-fips.us-gov-west-1.api.aws" },
        { "cn-north-1", NULL, "sns.cn-north-1.api.amazonwebservices.com.cn", NULL }, /* China has none */
        { "us-iso-west-1", "sns-fips.us-iso-west-1.c2s.ic.gov", "sns.us-iso-west-1.api.aws.ic.gov",
          "sns-fips.us-iso-west-1.api.aws.ic.gov" },
        { "us-isob-east-1", "sns-fips.us-isob-east-1.sc2s.sgov.gov", "sns.us-isob-east-1.api.aws.scloud",
          "sns-fips.us-isob-east-1.api.aws.scloud" },
        { "eu-isoe-west-1", "sns-fips.eu-isoe-west-1.cloud.adc-e.uk",
          "sns.eu-isoe-west-1.api.cloud-aws.adc-e.uk", "sns-fips.eu-isoe-west-1.api.cloud-aws.adc-e.uk" },
        { "us-isof-east-1", "sns-fips.us-isof-east-1.csp.hci.ic.gov",
          "sns.us-isof-east-1.api.aws.hci.ic.gov", "sns-fips.us-isof-east-1.api.aws.hci.ic.gov" },
        { "eusc-de-east-1", "sns-fips.eusc-de-east-1.amazonaws.eu",
          "sns.eusc-de-east-1.api.amazonwebservices.eu",
          "sns-fips.eusc-de-east-1.api.amazonwebservices.eu" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *const hosts[] = { cases[i].fips, cases[i].dual_stack, cases[i].both };

        for (unsigned k = 0; k < ARRAY_SIZE(hosts); k++) {
            EndpointOverrides o = { .fips = k != 1, .dual_stack = k != 0 };
            char url[200];

            snprintf(url, sizeof(url), "https://%s/", hosts[k] ? hosts[k] : "");
            assert_url(&o, AWS_SNS, cases[i].region, hosts[k] ? url : NULL);
            /* No kind can be asked of somebody else's host. */
            o.service_url[AWS_SNS] = "https://sns.example";
            assert_url(&o, AWS_SNS, cases[i].region, NULL);
        }
    }
}

static void proxies(void **state _unused_) {
    static const struct {
        const char *proxy;
        bool valid;
        bool has_user;
    } cases[] = {
        { "http://proxy.example:3128", true, false },
        { "http://proxy.example:3128/", true, false },
        { "proxy.example:3128", true, false },
        { "10.0.0.1:8080", true, false },
        { "http://[2001:db8::1]:3128", true, false },
        { "http://user:pass%40word@proxy.example:3128", true, true },
        { "user@proxy.example:3128", true, true },
        { NULL, false, false },
        { "", false, false },
        { "http://", false, false },
        { "proxy.example", false, false },
        { "http://proxy.example", false, false },
        { "http://proxy.example:0", false, false },
        { "https://proxy.example:3128", false, false },
        { "socks5://proxy.example:1080", false, false },
        { "http://proxy.example:3128/path", false, false },
        { "http://proxy.example:3128?", false, false },
        { "http://proxy.example:3128 ", false, false },
        { "http://proxy.example:3128\r\nX: y", false, false },
        { "http://user:p@ss@proxy.example:3128", false, true },
        { "http://user:p/ss@proxy.example:3128", false, true },
        { "http://us er@proxy.example:3128", false, true },
        { "http://@:3128", false, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(endpoint_proxy_is_valid(cases[i].proxy), cases[i].valid);
        assert_int_equal(endpoint_proxy_has_user(cases[i].proxy), cases[i].has_user);
    }
}

/* Organizations and Account Management have one endpoint a partition, and sign for its region. */
static void organizations(void **state _unused_) {
    static const struct {
        const char *region, *url;
    } cases[] = {
        { "eu-central-1", "https://organizations.us-east-1.amazonaws.com/" },
        { "us-east-1", "https://organizations.us-east-1.amazonaws.com/" },
        { "cn-north-1", "https://organizations.cn-northwest-1.amazonaws.com.cn/" },
        { "us-gov-east-1", "https://organizations.us-gov-west-1.amazonaws.com/" },
        { "us-iso-west-1", "https://organizations.us-iso-east-1.c2s.ic.gov/" },
        { "us-isob-west-1", "https://organizations.us-isob-east-1.sc2s.sgov.gov/" },
        { "us-isof-east-1", "https://organizations.us-isof-south-1.csp.hci.ic.gov/" },
        { "eu-isoe-west-1", "https://organizations.eu-isoe-west-1.cloud.adc-e.uk/" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *region = endpoint_service_region(AWS_ORGANIZATIONS, cases[i].region);

        assert_url(NULL, AWS_ORGANIZATIONS, cases[i].region, cases[i].url);
        assert_url(NULL, AWS_ORGANIZATIONS, region, cases[i].url);
        assert_string_equal(endpoint_service_region(AWS_STS, cases[i].region), cases[i].region);
    }
    assert_null(endpoint_service_region(AWS_ORGANIZATIONS, "nowhere"));
    assert_url(NULL, AWS_ACCOUNT, "ap-east-1", "https://account.us-east-1.amazonaws.com/");
    assert_url(NULL, AWS_ACCOUNT, "cn-north-1", "https://account.cn-northwest-1.amazonaws.com.cn/");
    assert_url(&(EndpointOverrides){ .fips = true }, AWS_ACCOUNT, "us-gov-east-1",
               "https://account-fips.us-gov-west-1.amazonaws.com/");
    assert_string_equal(endpoint_iam_region("eu-central-1"), "us-east-1");
    assert_string_equal(endpoint_iam_region("us-gov-east-1"), "us-gov-west-1");
    assert_string_equal(endpoint_iam_region("cn-northwest-1"), "cn-north-1");
    assert_null(endpoint_iam_region("nowhere"));
}

/* IAM has one endpoint a partition, whose host has a region in some of them only. */
static void iam(void **state _unused_) {
    static const struct {
        const char *region, *signed_for, *url, *fips, *dual_stack;
    } cases[] = {
        { "eu-central-1", "us-east-1", "https://iam.amazonaws.com/", "https://iam-fips.amazonaws.com/",
          "https://iam.global.api.aws/" },
        { "us-gov-east-1", "us-gov-west-1", "https://iam.us-gov.amazonaws.com/",
          "https://iam.us-gov.amazonaws.com/", "https://iam.us-gov.api.aws/" },
        { "cn-northwest-1", "cn-north-1", "https://iam.cn-north-1.amazonaws.com.cn/", NULL,
          "https://iam.global.api.amazonwebservices.com.cn/" },
        { "us-iso-west-1", "us-iso-east-1", "https://iam.us-iso-east-1.c2s.ic.gov/",
          "https://iam-fips.us-iso-east-1.c2s.ic.gov/", "https://iam.us-iso-east-1.api.aws.ic.gov/" },
        { "eusc-de-east-1", "eusc-de-east-1", "https://iam.eusc-de-east-1.amazonaws.eu/",
          "https://iam-fips.eusc-de-east-1.amazonaws.eu/",
          "https://iam.eusc-de-east-1.api.amazonwebservices.eu/" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_url(NULL, AWS_IAM, cases[i].region, cases[i].url);
        assert_url(&(EndpointOverrides){ .fips = true }, AWS_IAM, cases[i].region, cases[i].fips);
        assert_url(&(EndpointOverrides){ .dual_stack = true }, AWS_IAM, cases[i].region,
                   cases[i].dual_stack);
        assert_string_equal(endpoint_service_region(AWS_IAM, cases[i].region), cases[i].signed_for);
    }
    assert_null(endpoint_service_region(AWS_IAM, "nowhere"));
}

static void overrides_have_an_order(void **state _unused_) {
    EndpointOverrides o = { 0 };

    o.url = "http://127.0.0.1:1";
    assert_url(&o, AWS_SNS, "eu-west-1", "http://127.0.0.1:1/");
    o.service_url[AWS_SNS] = "https://sns.example/base";
    assert_url(&o, AWS_SNS, "eu-west-1", "https://sns.example/base/");
    assert_url(&o, AWS_STS, "eu-west-1", "http://127.0.0.1:1/");
    o.file_url = "https://file.example:8443/";
    assert_url(&o, AWS_SNS, "eu-west-1", "https://file.example:8443/");

    o.file_url = o.service_url[AWS_SNS] = "";
    assert_url(&o, AWS_SNS, "eu-west-1", "http://127.0.0.1:1/");
    o.url = "http://not-loopback.example/";
    assert_url(&o, AWS_SNS, "eu-west-1", NULL);
}

static const struct {
    const char *url;
    bool valid;
    const char *host; /* NULL: not even a URL */
} url_cases[] = {
    { "https://example.com", true, "example.com" },
    { "https://example.com/", true, "example.com" },
    { "https://example.com:443/", true, "example.com" },
    { "https://example.com:80/", true, "example.com:80" },
    { "https://example.com:8443/a/b", true, "example.com:8443" },
    { "https://[2001:db8::1]:8443", true, "[2001:db8::1]:8443" },
    { "https://vpce-1_a.example", true, "vpce-1_a.example" },
    { "http://127.0.0.1:4566", true, "127.0.0.1:4566" },
    { "http://127.255.255.254", true, "127.255.255.254" },
    { "http://localhost:80/x", true, "localhost" },
    { "http://[::1]:8080/", true, "[::1]:8080" },
    { "http://example.com/", false, "example.com" },
    { "http://128.0.0.1/", false, "128.0.0.1" },
    { "http://127.0.0.1.example.com/", false, "127.0.0.1.example.com" },
    { "http://127.evil.example/", false, "127.evil.example" },
    { "http://localhost.example/", false, "localhost.example" },
    { "http://[::2]/", false, "[::2]" },
    { "http://[::ffff:127.0.0.1]/", false, "[::ffff:127.0.0.1]" },
    { "http://169.254.169.254/latest", false, "169.254.169.254" },
    { "", false, NULL },
    { NULL, false, NULL },
    { "example.com", false, NULL },
    { "//example.com", false, NULL },
    { "ftp://example.com", false, NULL },
    { "https://", false, NULL },
    { "https:///path", false, NULL },
    { "https://:8443/", false, NULL },
    { "https://example.com:", false, NULL },
    { "https://example.com:0", false, NULL },
    { "https://example.com:65535", true, "example.com:65535" },
    { "https://example.com:65536", false, NULL },
    { "https://example.com:000443", false, NULL },
    { "https://example.com:4294967739", false, NULL }, /* 443 in 32 bits */
    { "https://example.com:99999999999", false, NULL },
    { "https://example.com:8x", false, NULL },
    { "https://user@example.com/", false, NULL },
    { "https://user:password@example.com/", false, NULL },
    { "http://127.0.0.1@evil.example/", false, NULL },
    { "http://127.0.0.1\\@evil.example/", false, NULL },
    { "https://example.com?x", false, NULL },
    { "https://example.com/?x", false, NULL },
    { "https://example.com/#x", false, NULL },
    { "https://example.com/a b", false, NULL },
    { "https://example.com/\r\nHost: x", false, NULL },
    { "https://ex\xc3\xa4mple.com/", false, NULL },
    { "https://example.com/\xc3\xa4", false, NULL },
    { "https://[::1/", false, NULL },
    { "https://[]/", false, NULL },
    { "https://[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]/", false, NULL },
    { "http://a-name-of-more-than-sixty-four-bytes-that-is-not-loopback-at-all.example.com/", false,
      "a-name-of-more-than-sixty-four-bytes-that-is-not-loopback-at-all.example.com" },
    { "https://[::1%25eth0]/", false, NULL },
    { "https://[::1]x/", false, NULL },
    { " https://example.com/", false, NULL },
};

static void overrides_and_hosts(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(url_cases); i++) {
        _cleanup_strbuf_ StrBuf b = STRBUF_INIT(300);

        if (endpoint_override_is_valid(url_cases[i].url) != url_cases[i].valid)
            fail_msg("%s should be %s", url_cases[i].url, url_cases[i].valid ? "valid" : "invalid");
        assert_int_equal(endpoint_host(url_cases[i].url, &b), url_cases[i].host ? 0 : -EINVAL);
        assert_string_equal(strbuf_str(&b), url_cases[i].host ? url_cases[i].host : "");
    }
}

static void services(void **state _unused_) {
    assert_string_equal(endpoint_service_name(AWS_CLOUDTRAIL), "cloudtrail");
    assert_string_equal(endpoint_service_name(AWS_SNS), "sns");
    assert_string_equal(endpoint_service_name(AWS_STS), "sts");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions),          cmocka_unit_test(table_is_consistent),
        cmocka_unit_test(opt_in_regions),      cmocka_unit_test(urls),
        cmocka_unit_test(kinds_of_hosts),      cmocka_unit_test(proxies),
        cmocka_unit_test(organizations),
        cmocka_unit_test(iam),       cmocka_unit_test(overrides_have_an_order),
        cmocka_unit_test(overrides_and_hosts), cmocka_unit_test(services),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
