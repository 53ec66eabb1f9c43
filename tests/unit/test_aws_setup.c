/* SPDX-License-Identifier: Apache-2.0 */
/* What a credential_process finds in its environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/aws_credentials.h"
#include "lib/credentials/request.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"

typedef struct Case {
    const char *own[12], *home, *wanted[4];
    const char *proxy, *ca_bundle;
    const char *expected; /* one a line */
    const char *missing;  /* separated by blanks */
} Case;

static AwsConfig config_of(const Case *c) {
    AwsConfig config = { .proxy = (char *)(uintptr_t)c->proxy,
                         .ca_bundle = (char *)(uintptr_t)c->ca_bundle };

    config.process_environment.items = (char **)(uintptr_t)c->wanted;
    while (c->wanted[config.process_environment.n])
        config.process_environment.n++;
    return config;
}

static const Case cases[] = {
    { .own = { NULL }, .expected = "", .missing = "" },
    { .own = { "PATH=/bin", "LANG=C", "PATHS=x", "SHELL=/bin/sh", "LANGUAGE=de", "EDITOR=vi" },
      .expected = "PATH=/bin\nLANG=C\n",
      .missing = "" },
    { .own = { "http_proxy=a", "HTTP_PROXY=b", "https_proxy=c", "HTTPS_PROXY=d", "all_proxy=e",
               "ALL_PROXY=f", "no_proxy=g", "NO_PROXY=h", "ftp_proxy=i" },
      .expected = "http_proxy=a\nHTTP_PROXY=b\nhttps_proxy=c\nHTTPS_PROXY=d\nall_proxy=e\nALL_PROXY=f\nno_"
                  "proxy=g\n"
                  "NO_PROXY=h\n",
      .missing = "" },
    { .own = { "SSL_CERT_FILE=a", "SSL_CERT_DIR=b", "REQUESTS_CA_BUNDLE=c", "CURL_CA_BUNDLE=d",
               "CREDENTIALS_DIRECTORY=/run/credentials/x", "RUNTIME_DIRECTORY=/run/trailguard" },
      .expected = "SSL_CERT_FILE=a\nSSL_CERT_DIR=b\nREQUESTS_CA_BUNDLE=c\nCURL_CA_BUNDLE=d\n"
                  "CREDENTIALS_DIRECTORY=/run/credentials/x\n",
      .missing = "" },
    { .own = { "AWS_REGION=eu-west-1", "AWS_CONFIG_FILE=/c", "AWS_ACCESS_KEY_ID=AKIA",
               "AWS_SECRET_ACCESS_KEY=s", "AWS_SESSION_TOKEN=t", "AWS_SECURITY_TOKEN=u", "AWS_EMPTY=" },
      .expected = "AWS_REGION=eu-west-1\nAWS_CONFIG_FILE=/c\nAWS_EMPTY=\n",
      .missing = "" },
    { .own = { "HOME=/root" }, .home = "/root", .expected = "HOME=/root\n", .missing = "" },
    { .own = { "HOME=" }, .home = "/var/lib/guard", .expected = "HOME=/var/lib/guard\n", .missing = "" },
    { .own = { "VAULT_ADDR=https://v", "VAULT_TOKEN=t", "AWS_SESSION_TOKEN=mine" },
      .wanted = { "VAULT_ADDR", "AWS_SESSION_TOKEN", "NOT_THERE" },
      .expected = "VAULT_ADDR=https://v\nAWS_SESSION_TOKEN=mine\n",
      .missing = "NOT_THERE " },
    { .own = { "HTTPS_PROXY=http://old", "https_proxy=http://old", "AWS_CA_BUNDLE=/old", "NO_PROXY=x" },
      .proxy = "http://u:p@new:1",
      .ca_bundle = "/new",
      .wanted = { "HTTPS_PROXY" },
      .expected =
              "NO_PROXY=x\nHTTPS_PROXY=http://u:p@new:1\nhttps_proxy=http://u:p@new:1\nAWS_CA_BUNDLE=/new\n",
      .missing = "" },
};

static void test_environments(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_strbuf_ StrBuf b = STRBUF_INIT(4096), missing = STRBUF_INIT(4096);
        AwsConfig config = config_of(&cases[i]);
        char *const *own = (char *const *)(uintptr_t)cases[i].own;
        const char *name;
        char **list = NULL;
        size_t at = 0;

        assert_int_equal(aws_process_environment_new(&config, own, cases[i].home, &list), 0);
        for (char **p = list; *p; p++)
            assert_int_equal(strbuf_addf(&b, "%s\n", *p), 0);
        assert_string_equal(strbuf_str(&b), cases[i].expected);
        credentials_free_list(list);

        while ((name = aws_process_environment_missing(&config, own, &at)))
            assert_int_equal(strbuf_addf(&missing, "%s ", name), 0);
        assert_string_equal(strbuf_str(&missing), cases[i].missing);
    }
    credentials_free_list(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_environments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
