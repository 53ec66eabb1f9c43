/* SPDX-License-Identifier: Apache-2.0 */
/* CA bundles of which OpenSSL has no memory for a part. */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/ca_store.h"
#include "tests/unit/local_server.h"
#include "tests/unit/openssl_fail.h"

#define RUNS_MAX 100000

static int read_bundle(const char *path, unsigned n, bool all, char error[static 256], CaStore **ret) {
    int r;

    memset(&openssl, 0, sizeof(openssl));
    openssl.armed = true;
    openssl.all = all;
    openssl.left = n;
    r = ca_store_read(path, error, 256, ret);
    openssl.armed = false;
    return r;
}

/* All of it was read, and nothing of it is left to be read later. */
static void assert_whole(X509_STORE *store, unsigned n) {
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);

    assert_int_equal(sk_X509_OBJECT_num(objects), 1);
    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *x509 = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

        if (!X509_get0_pubkey(x509))
            fail_msg("allocation %u: a certificate without a key", n);
        memset(&openssl, 0, sizeof(openssl));
        openssl.armed = openssl.all = true;
        if (X509_check_ca(x509) == 0 || X509_get_extension_flags(x509) & EXFLAG_INVALID)
            fail_msg("allocation %u: a certificate whose extensions were not read", n);
        if (X509_get_signature_info(x509, NULL, NULL, NULL, NULL) != 1)
            fail_msg("allocation %u: a certificate whose signature is of an unknown kind", n);
        if (EVP_PKEY_get_security_bits(X509_get0_pubkey(x509)) <= 0)
            fail_msg("allocation %u: a key of unknown strength", n);
        openssl.armed = false;
        if (openssl.failed)
            fail_msg("allocation %u: extensions that are left to be read by the first handshake", n);
    }
}

/* A key or an extension that there was no memory for would never be read: no connection that needs it would
 * be good. */
static void test_each_allocation_fails_once(void **state) {
    const char *path = *state;
    char error[256];

    for (unsigned n = 0;; n++) {
        CaStore *store = NULL;
        int r = read_bundle(path, n, false, error, &store);
        bool failed;

        assert_true(n < RUNS_MAX);
        if (r != 0)
            fail_msg("allocation %u: %d, %s", n, r, error);
        failed = openssl.failed;
        assert_whole(store, n);
        ca_store_free(store);
        if (!failed)
            break;
    }
}

/* It is not the bundle that is called bad. */
static void test_there_is_no_memory(void **state) {
    const char *path = *state;
    char error[256];
    CaStore *store = NULL;

    assert_int_equal(read_bundle(path, 0, true, error, &store), -ENOMEM);
    assert_non_null(strstr(error, strerror(ENOMEM)));
    assert_null(store);
}

static void test_openssl_has_what_tls_needs(void **state) {
    (void)state;
    assert_int_equal(ca_store_check_tls(), 0);
    memset(&openssl, 0, sizeof(openssl));
    openssl.armed = openssl.all = true;
    assert_int_equal(ca_store_check_tls(), -EIO);
    openssl.armed = false;
    assert_int_equal(ca_store_check_tls(), 0);
}

static int write_bundle(void **state) {
    static char path[] = "/tmp/test-ca-store-XXXXXX"; /* one run of the tests, one file */
    int fd = mkstemp(path);
    LocalCa *ca = local_ca_new();

    if (fd < 0)
        return -1;
    (void)close(fd);
    local_ca_write(ca, path);
    local_ca_free(ca);
    *state = path;
    return 0;
}

static int remove_bundle(void **state) {
    return unlink(*state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation_fails_once),
        cmocka_unit_test(test_there_is_no_memory),
        cmocka_unit_test(test_openssl_has_what_tls_needs),
    };

    if (CRYPTO_set_mem_functions(openssl_give, openssl_give_more, openssl_take) != 1)
        return EXIT_FAILURE;
    return cmocka_run_group_tests(tests, write_bundle, remove_bundle);
}
