/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Files of ours that turn out damaged: kept under another name for whoever wants to know, never overwritten,
 * never deleted. */

#include <stddef.h>
#include <stdint.h>

/* What to do about a file that cannot be read: dir_fd is its directory, path its path in messages; r is
 * file_read's error (with max, its ceiling), or that of a reader, which gave a reason. Where the file is at
 * fault it is renamed to PATH.damaged-<UTC time>, the reason is logged and stands in error, too, as one
 * line: 0. -errno with the line when the rename fails, or when the file could not be read at all (-EIO,
 * -EACCES, -ENOMEM ...): then it stays where it is, to be read again. */
int damaged_file(int dir_fd, const char *path, int r, const char *reason, size_t max, uint64_t now_real_usec,
                 char *error, size_t error_size);
