/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* SHA-256 and HMAC-SHA-256 by OpenSSL, and hex. */

#include <stddef.h>
#include <stdint.h>

#define HASH_SIZE 32
#define HASH_HEX_SIZE 65 /* with the NUL */

/* 0 or -EIO when OpenSSL refuses (no provider). `data` may be NULL when len is 0. */
int hash_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                     uint8_t ret[static HASH_SIZE]);

/* Lower-case hex with NUL. */
void hash_hex(const uint8_t digest[static HASH_SIZE], char ret[static HASH_HEX_SIZE]);
int hash_sha256_hex(const void *data, size_t len, char ret[static HASH_HEX_SIZE]);

/* Does OpenSSL hash? What it initialises itself with at its first use can fail once, for want of memory, and
 * then nothing works until the process ends. 0 or -EIO. */
int hash_check(void);

/* Overwrites a secret so that the compiler cannot leave it out. NULL is fine. */
void hash_wipe(void *data, size_t len);
