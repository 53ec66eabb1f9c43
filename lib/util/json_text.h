/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* JSON text and values: additions to jansson. Pure except for allocation. */

#include <jansson.h>
#include <stddef.h>

/* Parses JSON with json_loadb's flags. If memory runs out, jansson reports a syntax error or drops bytes of
 * a string; this returns -ENOMEM. Returns 0, or -EINVAL and fills *error, which may be NULL. The caller owns
 * *ret. */
int json_text_parse(const char *text, size_t len, size_t flags, json_error_t *error, json_t **ret);
/* Like json_dumps, which may drop a member's name if memory runs out; this returns NULL. NULL also if there
 * is no value. The caller frees the text. */
char *json_text_dump(const json_t *value, size_t flags);
/* Describes the error without quoting the text: people who see it may have no access to the file. */
const char *json_text_why(const json_error_t *error);
/* Makes a string. If s is not UTF-8, which jansson refuses, '?' replaces each byte outside ASCII. NULL means
 * out of memory. */
json_t *json_text_new(const char *s);
