/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/event_configuration.h"

#include <errno.h>
#include <string.h>

#include "daemon/core/unknown_members.h"
#include "lib/util/macros.h"

static const struct {
    const char *name;
    const char *size; /* NULL: the default is an empty array */
} members[] = {
    { "AggregationConfigurations", NULL },
    { "ContextKeySelectors", NULL },
    { "MaxEventSize", "Standard" },
};

static json_t *default_of(size_t i) {
    return members[i].size ? json_string(members[i].size) : json_array();
}

json_t *event_configuration_whole(const json_t *value) {
    json_t *whole = json_is_object(value) ? json_deep_copy(value) : NULL;

    for (size_t i = 0; whole && i < ARRAY_SIZE(members); i++) {
        const json_t *set = json_object_get(whole, members[i].name);

        if ((!set || json_is_null(set)) && json_object_set_new(whole, members[i].name, default_of(i)) < 0) {
            json_decref(whole);
            return NULL;
        }
    }
    return whole;
}

static int load_whole(const char *text, json_t **ret) {
    json_auto_t *value = text && text[0] ? json_loads(text, 0, NULL) : json_object();

    if (!json_is_object(value))
        return -EINVAL;
    *ret = event_configuration_whole(value);
    return *ret ? 0 : -ENOMEM;
}

/* Takes out of `desired` what is the default and needs no writing. */
static int drop_defaults(json_t *desired, const json_t *found) {
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const json_t *value = json_object_get(desired, members[i].name);
        json_auto_t *by_default = default_of(i);

        if (!by_default)
            return -ENOMEM;
        if (json_equal(value, by_default) && json_equal(value, json_object_get(found, members[i].name)))
            (void)json_object_del(desired, members[i].name);
    }
    return 0;
}

int event_configuration_to_write(const char *desired, const char *found, char **ret) {
    json_auto_t *whole = NULL, *was = NULL;
    int r;

    *ret = NULL;
    r = load_whole(desired, &whole);
    if (r >= 0)
        r = load_whole(found, &was);
    if (r >= 0)
        r = unknown_members_fill(FIELD_CONFIGURATION, whole, was);
    if (r < 0 || json_equal(whole, was))
        return r;
    r = drop_defaults(whole, was);
    if (r >= 0)
        *ret = json_dumps(whole, JSON_COMPACT | JSON_SORT_KEYS);
    return r >= 0 && !*ret ? -ENOMEM : r;
}
