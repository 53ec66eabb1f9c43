/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* SHA-256 and HMAC-SHA-256 by OpenSSL, and hex. */

#include <stddef.h>
#include <stdint.h>

#define HASH_SIZE 32
#define HASH_HEX_SIZE 65 /* including the NUL */

/* Returns 0, or -EIO if OpenSSL fails (no provider). `data` may be NULL if len is 0. */
int hash_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                     uint8_t ret[static HASH_SIZE]);

/* Writes lower-case hex with a NUL. */
void hash_hex(const uint8_t digest[static HASH_SIZE], char ret[static HASH_HEX_SIZE]);
int hash_sha256_hex(const void *data, size_t len, char ret[static HASH_HEX_SIZE]);

/* Checks that OpenSSL can hash. If its first initialization runs out of memory, it fails until the process
 * ends. Returns 0 or -EIO. */
int hash_check(void);

/* Overwrites a secret in a way the compiler cannot remove. data may be NULL. */
void hash_wipe(void *data, size_t len);
