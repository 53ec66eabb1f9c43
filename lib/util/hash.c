/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/util/hash.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdbool.h>

/* OpenSSL 3 looks an algorithm up by its name whenever one is used that was not fetched, and that costs more
 * than to hash a request. These are fetched once and are of the process: hence static. They have no key of
 * ours; NULL where OpenSSL refuses, and then the next caller tries again. */
static const EVP_MD *fetched_sha256(void) {
    static EVP_MD *fetched;

    if (!fetched)
        fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
    return fetched;
}

static EVP_MAC_CTX *hmac_without_key(void) {
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", (char[]){ "SHA256" }, 0),
                            OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *made = mac ? EVP_MAC_CTX_new(mac) : NULL;

    EVP_MAC_free(mac); /* the context holds it */
    /* one that was never given any key cannot be copied */
    if (made && EVP_MAC_init(made, (const unsigned char *)"", 1, params))
        return made;
    EVP_MAC_CTX_free(made);
    return NULL;
}

static EVP_MAC_CTX *hmac_new(void) {
    static EVP_MAC_CTX *fetched;

    if (!fetched)
        fetched = hmac_without_key();
    return fetched ? EVP_MAC_CTX_dup(fetched) : NULL;
}

static int hash_sha256(const void *data, size_t len, uint8_t ret[static HASH_SIZE]) {
    const EVP_MD *sha256 = fetched_sha256();

    return sha256 && EVP_Digest(data ? data : "", len, ret, NULL, sha256, NULL) ? 0 : -EIO;
}

int hash_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                     uint8_t ret[static HASH_SIZE]) {
    EVP_MAC_CTX *hmac = key_len <= INT_MAX ? hmac_new() : NULL;
    size_t n = 0;
    bool done = hmac && EVP_MAC_init(hmac, key ? key : (const unsigned char *)"", key_len, NULL) &&
                EVP_MAC_update(hmac, data ? data : (const void *)"", len) &&
                EVP_MAC_final(hmac, ret, &n, HASH_SIZE);

    EVP_MAC_CTX_free(hmac); /* wipes the key */
    return done && n == HASH_SIZE ? 0 : -EIO;
}

void hash_hex(const uint8_t digest[static HASH_SIZE], char ret[static HASH_HEX_SIZE]) {
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < HASH_SIZE; i++) {
        ret[2 * i] = digits[digest[i] >> 4];
        ret[2 * i + 1] = digits[digest[i] & 15];
    }
    ret[2 * HASH_SIZE] = '\0';
}

int hash_sha256_hex(const void *data, size_t len, char ret[static HASH_HEX_SIZE]) {
    uint8_t digest[HASH_SIZE];
    int r;

    r = hash_sha256(data, len, digest);
    if (r < 0)
        return r;
    hash_hex(digest, ret);
    return 0;
}

int hash_check(void) {
    uint8_t digest[HASH_SIZE];
    int r = hash_sha256("", 0, digest);

    return r < 0 ? r : hash_hmac_sha256("", 0, "", 0, digest);
}

void hash_wipe(void *data, size_t len) {
    if (data)
        OPENSSL_cleanse(data, len);
}
