/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Our JSON documents on disk. Each ends with a checksum, the SHA-256 of all bytes before it. It detects
 * corruption and accidental edits; whoever may write the file can also write a matching checksum. A damaged
 * file is kept under another name: never overwritten, never deleted. */

#include <stddef.h>
#include <stdint.h>

#define SEAL_SIZE 92 /* the most bytes that the checksum adds */

/* Adds the checksum to a document that ends with its brace. Takes over *text (malloc(3)) and returns it
 * longer; unchanged after an error. 0, -ENOMEM, -EIO without SHA-256, -EINVAL if it is no object with
 * members. */
int seal_add(char **text, size_t *len);

/* 0 if the checksum matches or there is none, as in files of older versions; -EINVAL if it does not match,
 * with one line in reason; -EIO without SHA-256. text ends with a NUL, which is not part of it. */
int seal_check(const char *text, size_t len, char *reason, size_t reason_size);

/* Reads a document of at most max bytes and checks it. 0, or file_read_at's error with "" in reason, or
 * seal_check's with its line. The caller frees. */
int sealed_read(int dir_fd, const char *name, size_t max, char **ret, size_t *ret_len, char *reason,
                size_t reason_size);

#define DAMAGE_MAX 64

/* Why a file cannot be read: reason, or a text in words. NULL if the cause is the machine and not the file
 * (-EIO, -EACCES, -ENOMEM ...), which may be intact. Arguments as for damaged_file. */
const char *damage_of(int r, const char *reason, size_t max, char words[static DAMAGE_MAX]);

/* Handles a file that cannot be read. dir_fd: its directory; path: for messages; r: the error of file_read
 * (with max, its limit), or of a reader, which gave a reason. If the file is damaged it is renamed to
 * PATH.damaged-<UTC time>, and the reason is logged and returned in error as one line: 0. -errno with the
 * line if the rename fails, or if the file could not be read at all (-EIO, -EACCES, -ENOMEM ...): then it
 * stays, to be read again. */
int damaged_file(int dir_fd, const char *path, int r, const char *reason, size_t max, uint64_t now_real_usec,
                 char *error, size_t error_size);
