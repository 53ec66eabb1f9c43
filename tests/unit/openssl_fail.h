/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* OpenSSL's allocations that fail: the one after so many that still succeed, alone or with all that follow.
 * Before OpenSSL is used: CRYPTO_set_mem_functions(openssl_give, openssl_give_more, openssl_take). */

#include <stdbool.h>
#include <stdlib.h>

static struct {
    bool armed, all, failed;
    unsigned left; /* allocations that still succeed */
} openssl;

static inline bool openssl_fails(void) {
    if (!openssl.armed || (openssl.failed && !openssl.all))
        return false;
    if (openssl.left > 0) {
        openssl.left--;
        return false;
    }
    openssl.failed = true;
    return true;
}

static inline void *openssl_give(size_t size, const char *file, int line) {
    (void)file;
    (void)line;
    return openssl_fails() ? NULL : malloc(size);
}

static inline void *openssl_give_more(void *block, size_t size, const char *file, int line) {
    (void)file;
    (void)line;
    return openssl_fails() ? NULL : realloc(block, size);
}

static inline void openssl_take(void *block, const char *file, int line) {
    (void)file;
    (void)line;
    free(block);
}
