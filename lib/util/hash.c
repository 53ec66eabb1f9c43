/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/util/hash.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

static int hash_sha256(const void *data, size_t len, uint8_t ret[static HASH_SIZE]) {
    return SHA256(data ? data : "", len, ret) ? 0 : -EIO;
}

int hash_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                     uint8_t ret[static HASH_SIZE]) {
    unsigned n = 0;

    if (key_len > INT_MAX)
        return -EIO;
    if (!HMAC(EVP_sha256(), key ? key : "", (int)key_len, data ? data : (const void *)"", len, ret, &n))
        return -EIO;
    return n == HASH_SIZE ? 0 : -EIO;
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
