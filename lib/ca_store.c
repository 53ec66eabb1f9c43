/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/ca_store.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "lib/util/macros.h"

#define BUNDLE_MAX (16 * 1024 * 1024)

static const char *const default_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* RHEL, Amazon Linux */
    "/etc/ssl/ca-bundle.pem",             /* SUSE */
};

static const char *find_default(void) {
    for (size_t i = 0; i < ARRAY_SIZE(default_bundles); i++)
        if (access(default_bundles[i], F_OK) == 0)
            return default_bundles[i];
    return NULL;
}

typedef struct Parsed {
    X509_STORE *store;
    int n;         /* certificates */
    int n_keyless; /* of which the key could not be read: of a kind that OpenSSL does not know, or for want
                    * of memory. It is not read later, and nothing that such a one has signed is good. */
    int n_partial; /* ... or anything else that OpenSSL keeps with a certificate the first time that it needs
                    * it. What it lacked the memory for then, it takes for absent ever after. */
} Parsed;

/* Has OpenSSL read all that a handshake asks of a certificate? */
static bool read_all(X509 *x509) {
    const EVP_PKEY *key = X509_get0_pubkey(x509);

    return key && EVP_PKEY_get_security_bits(key) > 0 && X509_check_purpose(x509, -1, 0) == 1 &&
           X509_get_signature_info(x509, NULL, NULL, NULL, NULL) == 1;
}

static bool add_one(const X509_INFO *info, Parsed *ret) {
    if (info->crl && X509_STORE_add_crl(ret->store, info->crl) != 1)
        return false;
    if (!info->x509)
        return true;
    ret->n++;
    ret->n_keyless += !X509_get0_pubkey(info->x509);
    ret->n_partial += !read_all(info->x509);
    return X509_STORE_add_cert(ret->store, info->x509) == 1;
}

/* OpenSSL says so in one of the errors that it leaves, if at all. */
static bool lacked_memory(void) {
    bool found = false;
    unsigned long error;

    while ((error = ERR_get_error()) != 0)
        found |= ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
    return found;
}

static int parse_once(const char *text, size_t len, Parsed *ret) {
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    STACK_OF(X509_INFO) *infos = bio ? PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL) : NULL;
    bool good = infos;

    *ret = (Parsed){ .store = X509_STORE_new() };
    good = good && ret->store;
    for (int i = 0; good && i < sk_X509_INFO_num(infos); i++)
        good = add_one(sk_X509_INFO_value(infos, i), ret);
    sk_X509_INFO_pop_free(infos, X509_INFO_free);
    BIO_free(bio);
    if (!ret->store)
        return -ENOMEM;
    if (good) {
        ERR_clear_error();
        return 0;
    }
    X509_STORE_free(TAKE_PTR(ret->store));
    return lacked_memory() ? -ENOMEM : -EINVAL;
}

/* What OpenSSL has no memory for it may take for a fault of the text, or of a certificate in it: what is
 * wrong with it has to be so twice. */
static int parse(const char *text, size_t len, Parsed *ret) {
    Parsed again;
    int r = parse_once(text, len, ret);

    if (r >= 0 && ret->n_partial == 0)
        return 0;
    if (r < 0)
        return parse_once(text, len, ret);
    if (parse_once(text, len, &again) >= 0 && again.n_partial < ret->n_partial) {
        X509_STORE *before = ret->store;

        *ret = again;
        again.store = before;
    }
    X509_STORE_free(again.store);
    return 0;
}

int ca_store_read(const char *path, char *error, size_t size, CaStore **ret) {
    _cleanup_free_ char *text = NULL;
    Parsed parsed;
    size_t len = 0;
    int r;

    if (!path)
        path = find_default();
    if (!path) {
        snprintf(error, size, "no CA bundle found (such as %s): name one with ca_bundle",
                 default_bundles[0]);
        return -ENOENT;
    }
    r = file_read(path, BUNDLE_MAX, &text, &len);
    if (r < 0) {
        snprintf(error, size, "CA bundle %s: %s", path, strerror(-r));
        return r;
    }
    r = parse(text, len, &parsed);
    if (r < 0) {
        snprintf(error, size, "CA bundle %s: %s", path,
                 r == -ENOMEM ? strerror(ENOMEM) : "holds a certificate that cannot be read");
        return r;
    }
    if (parsed.n_keyless == parsed.n) {
        X509_STORE_free(parsed.store);
        snprintf(error, size, "CA bundle %s: %s", path,
                 parsed.n == 0 ? "holds no certificate"
                               : "OpenSSL cannot use any of its keys: out of memory, or a broken "
                                 "configuration of OpenSSL");
        return parsed.n == 0 ? -EINVAL : -EIO;
    }
    /* As libcurl does: an intermediate certificate in the bundle is trusted by itself. */
    X509_STORE_set_flags(parsed.store, X509_V_FLAG_PARTIAL_CHAIN);
    *ret = parsed.store;
    return 0;
}

int ca_store_check_tls(void) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    bool good = context && RAND_status() == 1;

    SSL_CTX_free(context);
    ERR_clear_error();
    return good ? 0 : -EIO;
}

void ca_store_free(CaStore *store) {
    X509_STORE_free(store);
}
