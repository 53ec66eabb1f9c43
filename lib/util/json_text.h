/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* JSON text and values, beyond what jansson does. Pure but for allocation. */

#include <jansson.h>
#include <stddef.h>

/* Reads JSON by json_loadb's flags. Without memory jansson blames the text, or leaves out bytes of a string
 * and goes on; here that is -ENOMEM. 0, or -EINVAL with *error, which may be NULL. The caller owns *ret. */
int json_text_parse(const char *text, size_t len, size_t flags, json_error_t *error, json_t **ret);
/* json_dumps, which without memory may leave out the name of a member and go on. The caller frees. NULL: out
 * of memory, or no value. */
char *json_text_dump(const json_t *value, size_t flags);
/* What is wrong with a text, without a word of it: an error may be shown to those who may not read the file.
 */
const char *json_text_why(const json_error_t *error);
/* A string; bytes outside ASCII become '?' when they are not UTF-8, which jansson refuses. NULL: out of
 * memory. */
json_t *json_text_new(const char *s);
