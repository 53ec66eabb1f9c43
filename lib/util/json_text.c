/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/util/json_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"

/* While a text is read or written, jansson's allocations are watched. Its lexer goes on without the bytes
 * that it has no memory for, and can end in an assertion; so it gets what it asks for from a reserve, which
 * takes pages only then, and no more text. What was made of that is thrown away. */
static struct {
    json_malloc_t malloc;
    json_free_t free;
    bool failed;
    size_t n_reserved;
} watched;

static _Alignas(max_align_t) char reserve[1U << 20];

static void *watched_malloc(size_t size) {
    size_t whole = (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
    void *p = watched.malloc(size);

    if (p)
        return p;
    watched.failed = true;
    if (whole > sizeof(reserve) - watched.n_reserved)
        return NULL;
    p = reserve + watched.n_reserved;
    watched.n_reserved += whole;
    return p;
}

static void watched_free(void *p) {
    if ((uintptr_t)p - (uintptr_t)reserve >= sizeof(reserve))
        watched.free(p);
}

static void watch(void) {
    json_get_alloc_funcs(&watched.malloc, &watched.free);
    watched.failed = false;
    watched.n_reserved = 0;
    json_set_alloc_funcs(watched_malloc, watched_free);
}

static void unwatch(void) {
    json_set_alloc_funcs(watched.malloc, watched.free);
}

typedef struct Text {
    const char *next;
    size_t left;
} Text;

static size_t read_on(void *buffer, size_t size, void *userdata) {
    Text *text = userdata;
    size_t n = watched.failed ? 0 : MIN(size, text->left);

    memcpy(buffer, text->next, n);
    text->next += n;
    text->left -= n;
    return n;
}

int json_text_parse(const char *text, size_t len, size_t flags, json_error_t *error, json_t **ret) {
    json_t *value;

    watch();
    value = json_load_callback(read_on, &(Text){ text, len }, flags, error);
    if (watched.failed) {
        json_decref(value);
        value = NULL;
    }
    unwatch();
    if (!value)
        return watched.failed ? -ENOMEM : -EINVAL;
    *ret = value;
    return 0;
}

char *json_text_dump(const json_t *value, size_t flags) {
    char *text;

    watch();
    text = json_dumps(value, flags);
    if (watched.failed) {
        watched_free(text);
        text = NULL;
    }
    unwatch();
    return text;
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
