/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/canonical.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/core/json_text.h"
#include "lib/util/macros.h"

#define DUMP_FLAGS (JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY)

/* An item of an array and the text it is sorted by. */
typedef struct Item {
    char *text;
    json_t *value;
} Item;

static int by_text(const void *a, const void *b) {
    return strcmp(((const Item *)a)->text, ((const Item *)b)->text);
}

static int canonical(const json_t *value, unsigned depth, json_t **ret);

/* Fills the items, which the caller frees whatever comes back. */
static int fill_items(const json_t *array, unsigned depth, Item *items) {
    for (size_t i = 0; i < json_array_size(array); i++) {
        int r = canonical(json_array_get(array, i), depth, &items[i].value);

        if (r < 0)
            return r;
        items[i].text = json_dumps(items[i].value, DUMP_FLAGS);
        if (!items[i].text)
            return -ENOMEM;
    }
    return 0;
}

static int canonical_array(const json_t *array, unsigned depth, json_t **ret) {
    size_t n = json_array_size(array);
    Item *items = calloc(n + 1, sizeof(*items));
    json_t *set = json_array();
    int r = items && set ? fill_items(array, depth, items) : -ENOMEM;

    if (r >= 0)
        qsort(items, n, sizeof(*items), by_text);
    for (size_t i = 0; r >= 0 && i < n; i++)
        if (i == 0 || strcmp(items[i - 1].text, items[i].text) != 0)
            r = json_array_append(set, items[i].value) < 0 ? -ENOMEM : 0;
    for (size_t i = 0; items && i < n; i++) {
        free(items[i].text);
        json_decref(items[i].value);
    }
    free(items);
    if (r < 0) {
        json_decref(set);
        return r;
    }
    *ret = set;
    return 0;
}

static int canonical_object(const json_t *object, unsigned depth, json_t **ret) {
    json_t *members = json_object(), *value;
    const char *name;
    int r = members ? 0 : -ENOMEM;

    json_object_foreach((json_t *)object, name, value) {
        json_t *member = NULL;

        if (json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0))
            continue;
        r = r < 0 ? r : canonical(value, depth, &member);
        if (r < 0)
            break;
        if (json_object_set_new_nocheck(members, name, member) < 0)
            r = -ENOMEM;
    }
    if (r < 0) {
        json_decref(members);
        return r;
    }
    *ret = members;
    return 0;
}

static int canonical(const json_t *value, unsigned depth, json_t **ret) {
    if (depth == 0)
        return -EINVAL;
    if (json_is_array(value))
        return canonical_array(value, depth - 1, ret);
    if (json_is_object(value))
        return canonical_object(value, depth - 1, ret);
    *ret = json_incref((json_t *)value);
    return 0;
}

int canonical_json(const char *text, char **ret) {
    size_t len = strlen(text);
    json_auto_t *given = NULL, *value = NULL;
    json_error_t error;
    char *made;
    int r;

    if (len > CANONICAL_SIZE_MAX)
        return -EINVAL;
    r = json_text_parse(text, len, 0, &error, &given);
    if (r < 0)
        return r;
    r = canonical(given, CANONICAL_DEPTH, &value);
    if (r < 0)
        return r;
    made = json_dumps(value, DUMP_FLAGS);
    if (!made)
        return -ENOMEM;
    *ret = made;
    return 0;
}
