/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a verb of the command line asks of the daemon: a small file in the state directory, which only root
 * and the daemon's user may have written. */

#include <stddef.h>

#include "lib/util/json_text.h"

#define REQUEST_FILE_MAX 4096

/* The whole text, for the caller to free. 0; -ENOENT; -EINVAL with one line in reason, when it counts for
 * nothing; -errno. */
int request_file_read(const char *dir, const char *name, char **ret, size_t *ret_len, char *reason,
                      size_t reason_size);
/* Readable by its owner alone. root NULL: there was no memory for it. 0 or -errno. */
int request_file_write(const char *dir, const char *name, const json_t *root);
