/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A command line into words, as a shell would split it, without a shell: nothing is expanded and nothing is
 * run. The rules are those of Python's shlex.split(), by which AWS's own tools read credential_process.
 * Pure. */

#include <stddef.h>

#define SHELL_WORDS_MAX 64
#define SHELL_TEXT_MAX  16384 /* bytes of a command line */

/* Splits at white space (blank, tab, line feeds). 'x' takes all literally; "x" too, but for a backslash
 * before
 * '"' or '\'; elsewhere a backslash takes the next character literally. '' is an empty word. *ret is
 * NULL-terminated, one allocation that the caller frees. The number of words, 0 and more; -EINVAL for a
 * quote that is not closed or a backslash at the end; -E2BIG past a ceiling; -ENOMEM. */
int shell_split(const char *text, char ***ret);
