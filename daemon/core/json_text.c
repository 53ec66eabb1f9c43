/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/json_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"

/* While a text is read, jansson's allocations are watched. */
static struct {
    json_malloc_t real;
    bool failed;
} watched;

static void *watched_malloc(size_t size) {
    void *p = watched.real(size);

    watched.failed |= !p;
    return p;
}

int json_text_parse(const char *text, size_t len, size_t flags, json_error_t *error, json_t **ret) {
    json_free_t real_free;
    json_t *value;

    json_get_alloc_funcs(&watched.real, &real_free);
    watched.failed = false;
    json_set_alloc_funcs(watched_malloc, real_free);
    value = json_loadb(text, len, flags, error);
    json_set_alloc_funcs(watched.real, real_free);
    if (!value)
        return watched.failed ? -ENOMEM : -EINVAL;
    *ret = value;
    return 0;
}

const char *json_text_why(const json_error_t *error) {
    static const struct {
        enum json_error_code code;
        const char *why;
    } whys[] = {
        { json_error_stack_overflow, "nested too deep" },
        { json_error_invalid_utf8, "not UTF-8" },
        { json_error_premature_end_of_input, "it ends too early" },
        { json_error_end_of_input_expected, "something follows its end" },
        { json_error_null_character, "a NUL character" },
        { json_error_null_byte_in_key, "a NUL character" },
        { json_error_duplicate_key, "a member is there twice" },
        { json_error_numeric_overflow, "a number is too big" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(whys); i++)
        if (json_error_code(error) == whys[i].code)
            return whys[i].why;
    return "not JSON";
}

json_t *json_text_new(const char *s) {
    _cleanup_free_ char *ascii = NULL;
    json_t *value = json_string(s);

    if (value)
        return value;
    ascii = strdup(s);
    if (!ascii)
        return NULL;
    for (char *p = ascii; *p; p++)
        if (*p & 0x80)
            *p = '?';
    return json_string(ascii);
}
