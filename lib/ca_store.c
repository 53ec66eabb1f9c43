/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/ca_store.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
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

/* ---- what OpenSSL makes once ---- */

#define SHAKE_TURNS_MAX 10

/* A server with a key of its own, and a certificate by itself. */
static bool certify(SSL_CTX *context, EVP_PKEY *key, X509 *x509) {
    return key && x509 && X509_set_version(x509, 2) == 1 && X509_gmtime_adj(X509_getm_notBefore(x509), 0) &&
           X509_gmtime_adj(X509_getm_notAfter(x509), 60) && X509_set_pubkey(x509, key) == 1 &&
           X509_sign(x509, key, EVP_sha256()) > 0 && read_all(x509) &&
           SSL_CTX_use_certificate(context, x509) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1;
}

static bool make_server(SSL_CTX *context) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    bool good = certify(context, key, x509);

    X509_free(x509);
    EVP_PKEY_free(key);
    return good;
}

static bool shake_hands(SSL *client, SSL *server) {
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (unsigned i = 0; i < SHAKE_TURNS_MAX; i++) {
        int by_client = SSL_do_handshake(client), by_server = SSL_do_handshake(server);

        if (by_client == 1 && by_server == 1)
            return true;
    }
    return false;
}

/* In memory, up to that version of TLS. */
static bool connects(SSL_CTX *ours, SSL_CTX *theirs, int version) {
    SSL *client = SSL_new(ours), *server = SSL_new(theirs);
    BIO *a = NULL, *b = NULL;
    bool good = client && server && SSL_set_max_proto_version(client, version) == 1 &&
                BIO_new_bio_pair(&a, 0, &b, 0) == 1;

    if (good) {
        SSL_set_bio(client, a, a);
        SSL_set_bio(server, b, b);
        good = shake_hands(client, server);
    }
    SSL_free(client);
    SSL_free(server);
    return good;
}

/* Of those of AWS's hosts that have RSA keys: the handshakes here are with another kind. */
static bool has_rsa(void) {
    EVP_KEYMGMT *keys = EVP_KEYMGMT_fetch(NULL, "RSA", NULL);
    EVP_SIGNATURE *signatures = EVP_SIGNATURE_fetch(NULL, "RSA", NULL);
    bool good = keys && signatures;

    EVP_KEYMGMT_free(keys);
    EVP_SIGNATURE_free(signatures);
    return good;
}

/* A context that knows none of what a strict configuration of OpenSSL sets for all, such as TLS 1.3 only or
 * RSA only: what it forbids is nothing that is missing. OpenSSL 3.5 and newer have a word for the groups of
 * their own, which polls use; in FIPS mode there is no X25519. */
static bool set_up(SSL_CTX *context) {
    SSL_CTX_set_security_level(context, 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM") == 1 &&
           SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256") == 1 &&
           SSL_CTX_set1_sigalgs_list(context, "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256") == 1 &&
           (SSL_CTX_set1_groups_list(context, "DEFAULT") == 1 ||
            SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1 ||
            SSL_CTX_set1_groups_list(context, "P-256") == 1);
}

/* OpenSSL makes the list of what it can do of each kind when one of the kind is first asked for. What it has
 * no memory for then is missing ever after, "unsupported" in each handshake: so all is asked for here. */
int ca_store_check_tls(void) {
    SSL_CTX *ours = SSL_CTX_new(TLS_client_method()), *theirs = SSL_CTX_new(TLS_server_method());
    bool good = ours && theirs && set_up(ours) && set_up(theirs) && RAND_status() == 1 && has_rsa() &&
                make_server(theirs) && connects(ours, theirs, TLS1_3_VERSION) &&
                connects(ours, theirs, TLS1_2_VERSION);

    SSL_CTX_free(ours);
    SSL_CTX_free(theirs);
    ERR_clear_error();
    return good ? 0 : -EIO;
}

void ca_store_free(CaStore *store) {
    X509_STORE_free(store);
}
