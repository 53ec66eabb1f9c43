/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Shared texts: equal texts are stored once per process and counted. */

/* Returns the shared copy of text, to be released with shared_text_drop. NULL means out of memory. */
const char *shared_text(const char *text);
/* Releases a result of shared_text. text may be NULL. */
void shared_text_drop(const char *text);
/* Replaces *held with the shared copy of `text`; NULL and "" become NULL. Returns 0, or -ENOMEM and leaves
 * *held unchanged. */
int shared_text_set(const char **held, const char *text);
/* Returns held, or "" for NULL. */
const char *shared_text_or_empty(const char *held);
