/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/http_curl_url.h"
#include "lib/util/macros.h"

#define AWS "cloudtrail.eu-central-1.amazonaws.com"

/* Rows marked P are what Python's urllib, and so botocore, says as well. */
static void test_no_proxy(void **state) {
    static const struct {
        const char *list, *host;
        unsigned port;
        bool matches;
    } cases[] = {
        { NULL, AWS, 443, false },
        { "", AWS, 443, false }, /* P */
        { "*", AWS, 443, true }, /* P */
        { "localhost, *", AWS, 443, true },
        { AWS, AWS, 443, true },                                     /* P */
        { "CloudTrail.EU-central-1.amazonaws.COM", AWS, 443, true }, /* P */
        { "amazonaws.com", AWS, 443, true },                         /* P */
        { ".amazonaws.com", AWS, 443, true },                        /* P */
        { "..amazonaws.com", AWS, 443, true },                       /* P */
        { ".amazonaws.com", "amazonaws.com", 443, true },            /* P */
        { "*.amazonaws.com", AWS, 443, true },
        { "*.amazonaws.com", "amazonaws.com", 443, true },
        { "amazonaws.com.", AWS, 443, true },
        { "amazonaws.com", AWS ".", 443, true },
        { "aws.com", AWS, 443, false },                          /* P */
        { "amazonaws", AWS, 443, false },                        /* P */
        { "trail.*", AWS, 443, false },                          /* P */
        { "*amazonaws.com", AWS, 443, false },                   /* P */
        { "a.example,amazonaws.com,b.example", AWS, 443, true }, /* P */
        { " a.example ,\tamazonaws.com ", AWS, 443, true },      /* P */
        { "a.example amazonaws.com", AWS, 443, true },
        { "a.example\tamazonaws.com\n", AWS, 443, true },
        { ",, ,amazonaws.com,,", AWS, 443, true }, /* P */
        { "amazonaws.com:443", AWS, 443, true },
        { "amazonaws.com:443", AWS, 8443, false },
        { "amazonaws.com:8443", AWS, 443, false }, /* P */
        { ".amazonaws.com:443", AWS, 443, true },
        { "*.amazonaws.com:443", AWS, 443, true },
        { "*:443", AWS, 443, true },
        { "*:80", AWS, 443, false },
        { "amazonaws.com:", AWS, 443, false },
        { "amazonaws.com:0443x", AWS, 443, false },
        { "127.0.0.1", "127.0.0.1", 443, true }, /* P */
        { "127.0.0.1:443", "127.0.0.1", 443, true },
        { "127.0.0.1:80", "127.0.0.1", 443, false }, /* P */
        { "127.0.0.10", "127.0.0.1", 443, false },   /* P */
        { "0.0.1", "127.0.0.1", 443, false },
        { "10.0.0.0/8", "10.1.2.3", 443, true },
        { "10.0.0.0/8", "11.1.2.3", 443, false }, /* P */
        { "10.1.2.0/23", "10.1.3.255", 443, true },
        { "10.1.2.0/23", "10.1.4.0", 443, false }, /* P */
        { "0.0.0.0/0", "10.1.4.0", 443, true },
        { "10.0.0.0/33", "10.0.0.0", 443, false },
        { "10.0.0.0/", "10.0.0.0", 443, false },
        { "10.0.0.0/8", "10.example", 443, false }, /* P */
        { "::1", "::1", 443, true },
        { "[::1]", "::1", 443, true },
        { "[::1]:443", "::1", 443, true },
        { "[::1]:80", "::1", 443, false },
        { "0:0::0001", "::1", 443, true },
        { "fd00::/8", "fd12::1", 443, true },
        { "[fd00::]/8", "fd12::1", 443, true },
        { "fd00::/8", "fe80::1", 443, false },
        { "::ffff:10.0.0.1", "10.0.0.1", 443, true },
        { "[::1", "::1", 443, false },
        { "[::1]x", "::1", 443, false },
        { "[", AWS, 443, false },
        { ":", AWS, 443, false },
        { ".", AWS, 443, false },
        { "*.", AWS, 443, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (curl_no_proxy_matches(cases[i].list, cases[i].host, cases[i].port) != cases[i].matches)
            fail_msg("\"%s\" with %s:%u: expected %s", cases[i].list, cases[i].host, cases[i].port,
                     cases[i].matches ? "a match" : "none");
}

static void test_an_entry_that_is_too_long_is_passed_over(void **state) {
    char list[600];

    (void)state;
    memset(list, 'x', sizeof(list));
    memcpy(list + sizeof(list) - sizeof(",example.com"), ",example.com", sizeof(",example.com"));
    assert_true(curl_no_proxy_matches(list, "example.com", 443));
    assert_false(curl_no_proxy_matches(list, "x.example", 443));
}

static void test_authority(void **state) {
    static const struct {
        const char *url, *host; /* NULL: refused */
        unsigned port;
    } cases[] = {
        { "https://Example.COM:443", "example.com", 443 },
        { "http://[FD00::1]:8080/path", "fd00::1", 8080 },
        { "[::1]", "::1", 0 },
        { "proxy.example:3128", "proxy.example", 3128 },
        { "http://user:p%40ss@proxy.example:3128/", "proxy.example", 3128 },
        { "http://user@10.0.0.1:1", "10.0.0.1", 1 },
        { "http://", NULL, 0 },
        { "http://:80", NULL, 0 },
        { "http://a-host-that-is-longer-than-thirty-two.example:1", NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char host[32];
        unsigned port;

        assert_int_equal(curl_split_authority(cases[i].url, host, sizeof(host), &port),
                         cases[i].host != NULL);
        if (!cases[i].host)
            continue;
        assert_string_equal(host, cases[i].host);
        assert_int_equal(port, cases[i].port);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_proxy),
        cmocka_unit_test(test_an_entry_that_is_too_long_is_passed_over),
        cmocka_unit_test(test_authority),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
