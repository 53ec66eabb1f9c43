/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/ca_store.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
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

/* The number of certificates added, or -EINVAL. */
static int add_all(X509_STORE *store, STACK_OF(X509_INFO) * infos) {
    int n = 0;

    for (int i = 0; i < sk_X509_INFO_num(infos); i++) {
        const X509_INFO *info = sk_X509_INFO_value(infos, i);

        if (info->x509) {
            if (X509_STORE_add_cert(store, info->x509) != 1)
                return -EINVAL;
            n++;
        }
        if (info->crl && X509_STORE_add_crl(store, info->crl) != 1)
            return -EINVAL;
    }
    return n;
}

static int parse(X509_STORE *store, const char *text, size_t len) {
    STACK_OF(X509_INFO) *infos = NULL;
    BIO *bio;
    int n = -EINVAL;

    bio = BIO_new_mem_buf(text, (int)len);
    if (bio)
        infos = PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL);
    if (infos)
        n = add_all(store, infos);
    sk_X509_INFO_pop_free(infos, X509_INFO_free);
    BIO_free(bio);
    ERR_clear_error();
    return n;
}

int ca_store_read(const char *path, char *error, size_t size, CaStore **ret) {
    _cleanup_free_ char *text = NULL;
    X509_STORE *store;
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
    store = X509_STORE_new();
    if (!store) {
        snprintf(error, size, "CA bundle %s: %s", path, strerror(ENOMEM));
        return -ENOMEM;
    }
    r = parse(store, text, len);
    if (r <= 0) {
        X509_STORE_free(store);
        snprintf(error, size, "CA bundle %s: %s", path,
                 r < 0 ? "holds a certificate that cannot be read" : "holds no certificate");
        return -EINVAL;
    }
    /* As libcurl does: an intermediate certificate in the bundle is trusted by itself. */
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    *ret = store;
    return 0;
}

void ca_store_free(CaStore *store) {
    X509_STORE_free(store);
}
