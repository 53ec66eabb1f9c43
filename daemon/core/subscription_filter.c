/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/subscription_filter.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

/* The attributes of an alert. NULL: it depends on the trail. */
static const struct {
    const char *name, *value;
} attributes[] = {
    { "severity", "critical" }, { "event", "trail.stopped" }, { "account", NULL },
    { "region", NULL },         { "trail", NULL },
};

static bool is_in(const json_t *value, const char *text) {
    const char *one = json_string_value(value),
               *prefix = json_string_value(json_object_get(value, "prefix"));

    if (one)
        return text_equal(one, text);
    for (size_t i = 0; i < json_array_size(value); i++)
        if (text_equal(json_string_value(json_array_get(value, i)), text))
            return true;
    return prefix && text_starts_with(text, prefix);
}

/* May {"prefix": ...} and the like take the text? What is not known may. */
static bool matcher_may_take(const json_t *matcher, const char *text) {
    void *first = json_object_iter((json_t *)matcher);
    const char *name = json_object_iter_key(first);
    const json_t *value = json_object_iter_value(first);
    const char *word = json_string_value(value);

    if (text_equal(name, "prefix"))
        return !word || text_starts_with(text, word);
    if (text_equal(name, "suffix"))
        return !word || text_ends_with(text, word);
    if (text_equal(name, "equals-ignore-case"))
        return !word || strcasecmp(word, text) == 0;
    if (text_equal(name, "anything-but"))
        return !is_in(value, text);
    if (text_equal(name, "exists"))
        return json_is_true(value);
    return !text_equal(name, "numeric");
}

static bool list_may_take(const json_t *list, const char *text) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);

        if (json_is_object(one) ? matcher_may_take(one, text) : text_equal(json_string_value(one), text))
            return true;
    }
    return false;
}

/* Of an attribute that no alert has. */
static bool list_takes_absence(const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_is_false(json_object_get(json_array_get(list, i), "exists")))
            return true;
    return false;
}

static bool key_may_take(const char *key, const json_t *list) {
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
        if (text_equal(key, attributes[i].name))
            return !attributes[i].value || list_may_take(list, attributes[i].value);
    return list_takes_absence(list);
}

static bool policy_may_take(const json_t *policy, unsigned depth);

static bool any_may_take(const json_t *list, unsigned depth) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (policy_may_take(json_array_get(list, i), depth + 1))
            return true;
    return false;
}

#define DEPTH_MAX 5

static bool policy_may_take(const json_t *policy, unsigned depth) {
    const char *key;
    json_t *list;

    if (depth > DEPTH_MAX)
        return true;
    json_object_foreach((json_t *)policy, key, list) {
        if (text_equal(key, "$or") ? !any_may_take(list, depth) : !key_may_take(key, list))
            return false;
    }
    return true;
}

bool subscription_filter_drops(const char *policy, const char *scope) {
    json_t *root = text_equal(scope, "MessageBody") ? NULL : json_loads(policy, 0, NULL);
    bool drops = json_is_object(root) && !policy_may_take(root, 0);

    json_decref(root);
    return drops;
}
