/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A checksum as the last member of a JSON document that we keep on disk: the SHA-256 of all bytes before it.
 * It shows what a disk or a slip of the hand changed; whoever may write the file can also make a checksum
 * that fits. Pure. */

#include <stddef.h>

#define SEAL_SIZE 92 /* bytes that it adds at most */

/* Puts the checksum into a document that ends with its brace. Takes over *text (malloc(3)) and gives it back
 * longer; after an error it is as it was. 0, -ENOMEM, -EIO when there is no SHA-256, -EINVAL when it is no
 * object with members. */
int seal_add(char **text, size_t *len);

/* 0 when it fits, or when there is none, as in files of versions that had none; -EINVAL when it does not,
 * with one line in reason; -EIO when there is no SHA-256. text ends with a NUL that does not count. */
int seal_check(const char *text, size_t len, char *reason, size_t reason_size);
