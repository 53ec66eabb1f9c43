/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenSSL makes once in a process and has no memory for: either it is noticed at the start, or a
 * handshake works. Each try has a process of its own; TEST_STEP makes it fewer or more of them. Versions of
 * OpenSSL wait for ever for a lock that they could not make: a start that hangs is ended by its deadline. */
#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/ca_store.h"
#include "lib/util/macros.h"
#include "tests/unit/local_server.h"
#include "tests/unit/openssl_fail.h"

#define STEP      "61" /* not each of many thousand; no divisor of what they repeat in */
#define TRIES_MAX 2000
#define HUNG_MAX  8U /* tries; the others are elsewhere then */
#define HANGS_SEC 10U

enum { ENDED_GOOD, ENDED_NOTICED, ENDED_BROKEN, ENDED_UNTOUCHED, ENDED_HUNG };

/* With a server of which the key and the certificate are made now, and judged as that of any host is. */
static bool connects(int version) {
    char path[] = "/tmp/test-tls-needs-XXXXXX";
    int bundle = mkstemp(path);
    LocalCa *ca = local_ca_new();
    LocalServer *server = local_server_new(ca);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)local_server_port(server)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = NULL;
    bool good;

    local_ca_write(ca, path);
    if (context && SSL_CTX_load_verify_locations(context, path, NULL) == 1)
        ssl = SSL_new(context);
    if (ssl)
        SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    good = ssl && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
           SSL_set_max_proto_version(ssl, version) == 1 && SSL_set_fd(ssl, fd) == 1 &&
           SSL_connect(ssl) == 1;

    SSL_free(ssl);
    SSL_CTX_free(context);
    (void)close(fd);
    (void)close(bundle);
    (void)unlink(path);
    local_server_free(server);
    local_ca_free(ca);
    return good;
}

static int end_of_try(unsigned n) {
    int r;

    openssl.armed = true;
    openssl.left = n;
    r = ca_store_check_tls();
    openssl.armed = false;
    if (r != 0)
        return openssl.failed ? ENDED_NOTICED : ENDED_BROKEN;
    if (!connects(TLS1_3_VERSION) || !connects(TLS1_2_VERSION))
        return ENDED_BROKEN;
    return openssl.failed ? ENDED_GOOD : ENDED_UNTOUCHED;
}

static int try_alone(unsigned n) {
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)alarm(HANGS_SEC);
        _exit(end_of_try(n));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        return ENDED_HUNG;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_it_is_noticed_or_a_handshake_works(void **state) {
    const char *given = getenv("TEST_STEP");
    unsigned step = (unsigned)strtoul(given ? given : STEP, NULL, 10), n_noticed = 0, n_hung = 0, i;

    (void)state;
    assert_true(step > 0);
    for (i = 0; i < TRIES_MAX && n_hung < HUNG_MAX; i++) {
        int ended = try_alone(i * step);

        if (ended == ENDED_BROKEN)
            fail_msg("allocation %u: no handshake works, and the check says that all is there", i * step);
        if (ended == ENDED_UNTOUCHED)
            break;
        assert_true(ended == ENDED_GOOD || ended == ENDED_NOTICED || ended == ENDED_HUNG);
        n_noticed += ended == ENDED_NOTICED;
        n_hung += ended == ENDED_HUNG;
    }
    assert_true(i < TRIES_MAX);
    assert_true(n_noticed + n_hung > 0);
    print_message("%u tries, %u noticed, %u hung\n", i, n_noticed, n_hung);
}

/* What a configuration of OpenSSL forbids is nothing that is missing. */
static bool passes_with(const char *line) {
    char path[] = "/tmp/test-tls-needs-XXXXXX";
    int fd = mkstemp(path), status;
    pid_t pid;

    assert_true(fd >= 0);
    assert_true(dprintf(fd,
                        "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n"
                        "[tls]\n%s\n",
                        line) > 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)setenv("OPENSSL_CONF", path, 1);
        _exit(ca_store_check_tls() == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    (void)close(fd);
    (void)unlink(path);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) == EXIT_SUCCESS;
}

static void test_a_strict_configuration_is_good(void **state) {
    static const char *const lines[] = {
        "",
        "MinProtocol = TLSv1.3",
        "MaxProtocol = TLSv1.2",
        "CipherString = ECDHE-RSA-AES256-GCM-SHA384",
        "CipherString = DEFAULT:@SECLEVEL=4",
        "Ciphersuites = TLS_CHACHA20_POLY1305_SHA256",
        "SignatureAlgorithms = RSA-PSS+SHA256:RSA+SHA256",
        "Groups = X448",
        "VerifyMode = Require",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        if (!passes_with(lines[i]))
            fail_msg("the check fails with \"%s\"", lines[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_strict_configuration_is_good),
                                        cmocka_unit_test(test_it_is_noticed_or_a_handshake_works) };

    if (CRYPTO_set_mem_functions(openssl_give, openssl_give_more, openssl_take) != 1)
        return EXIT_FAILURE;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
