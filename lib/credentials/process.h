/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* credential_process: keys from a program's standard output. */

#include "lib/credentials.h"

#define PROCESS_TIMEOUT_USEC (30ULL * 1000 * 1000)

/* command is split as by shell_split and run without a shell at each get, with environment ("NAME=value",
 * NULL-terminated) and nothing else; texts are copied. It has 30 s, then it and what it started is killed; a
 * status other than 0, more than 64 KiB of output or a document other than DOCUMENT_PROCESS is FAILED.
 * Messages name the program but not its arguments, and quote the beginning of its standard error, escaped,
 * never its standard output. Never NONE. 0 or -ENOMEM. */
int credentials_process_new(Loop *loop, const char *command, const char *const *environment,
                            CredentialsProvider **ret);
