/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A request of a command-line verb to the daemon: a small file in the state directory that only root and the
 * daemon's user may have written. */

#include <stddef.h>

#include "lib/util/json_text.h"

#define REQUEST_FILE_MAX 4096

/* Reads the whole text; the caller frees. 0; -ENOENT; -EINVAL with one line in reason if it is invalid;
 * -errno. */
int request_file_read(const char *dir, const char *name, char **ret, size_t *ret_len, char *reason,
                      size_t reason_size);
/* Makes it readable by its owner only. root NULL: there was no memory for it. 0 or -errno. */
int request_file_write(const char *dir, const char *name, const json_t *root);
