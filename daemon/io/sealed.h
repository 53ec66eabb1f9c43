/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The JSON documents that we keep on disk. Each ends with a checksum, the SHA-256 of all bytes before it. It
 * shows what a disk or a slip of the hand changed; whoever may write the file can also make a checksum that
 * fits. One that turns out damaged is kept under another name: never overwritten, never deleted. */

#include <stddef.h>
#include <stdint.h>

#define SEAL_SIZE 92 /* bytes that the checksum adds at most */

/* Puts the checksum into a document that ends with its brace. Takes over *text (malloc(3)) and gives it back
 * longer; after an error it is as it was. 0, -ENOMEM, -EIO when there is no SHA-256, -EINVAL when it is no
 * object with members. */
int seal_add(char **text, size_t *len);

/* 0 when it fits, or when there is none, as in files of versions that had none; -EINVAL when it does not,
 * with one line in reason; -EIO when there is no SHA-256. text ends with a NUL that does not count. */
int seal_check(const char *text, size_t len, char *reason, size_t reason_size);

/* Reads a document of at most max bytes and checks it. 0, file_read_at's error, or seal_check's with one
 * line in reason, which else is "". The caller frees. */
int sealed_read(int dir_fd, const char *name, size_t max, char **ret, size_t *ret_len, char *reason,
                size_t reason_size);

#define DAMAGE_MAX 64

/* Of a file that cannot be read: what is wrong with it, which is reason or in words. NULL where not the file
 * is at fault but the machine (-EIO, -EACCES, -ENOMEM ...), and it may be a good one. Arguments as for
 * damaged_file. */
const char *damage_of(int r, const char *reason, size_t max, char words[static DAMAGE_MAX]);

/* What to do about a file that cannot be read: dir_fd is its directory, path its path in messages; r is
 * file_read's error (with max, its ceiling), or that of a reader, which gave a reason. Where the file is at
 * fault it is renamed to PATH.damaged-<UTC time>, the reason is logged and stands in error, too, as one
 * line: 0. -errno with the line when the rename fails, or when the file could not be read at all (-EIO,
 * -EACCES, -ENOMEM ...): then it stays where it is, to be read again. */
int damaged_file(int dir_fd, const char *path, int r, const char *reason, size_t max, uint64_t now_real_usec,
                 char *error, size_t error_size);
