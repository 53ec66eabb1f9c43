/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json.h"

#include <errno.h>

int json_read_object(const char *text, size_t len, json_t **ret) {
    json_error_t error;
    json_t *root;

    root = json_loadb(text, len, 0, &error);
    if (!root)
        return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
    if (!json_is_object(root)) {
        json_decref(root);
        return -EBADMSG;
    }
    *ret = root;
    return 0;
}

const json_t *json_member(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);

    return json_is_null(value) ? NULL : value;
}

/* jansson refuses NUL characters inside strings by itself. */
int json_read_text(const json_t *object, const char *name, const char **ret) {
    const json_t *value = json_member(object, name);

    if (value && !json_is_string(value))
        return -EBADMSG;
    *ret = value ? json_string_value(value) : "";
    return 0;
}
