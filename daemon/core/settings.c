/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/settings.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/core/enum_names.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

void settings_done(Settings *settings) {
    for (unsigned i = 0; i < ARRAY_SIZE(settings->values); i++)
        free(settings->values[i]);
    *settings = (Settings){ 0 };
}

int settings_set(Settings *settings, Field field, const char *value) {
    char *copy = NULL;

    if (value) {
        copy = strdup(value);
        if (!copy)
            return -ENOMEM;
    }
    free(settings->values[field]);
    settings->values[field] = copy;
    return 0;
}

int settings_copy(const Settings *settings, Settings *ret) {
    Settings copy = { 0 };
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < ARRAY_SIZE(copy.values); i++)
        r = settings_set(&copy, (Field)i, settings->values[i]);
    if (r < 0) {
        settings_done(&copy);
        return r;
    }
    *ret = copy;
    return 0;
}

int settings_fill(Settings *settings, const Settings *more) {
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < ARRAY_SIZE(settings->values); i++)
        if (!settings->values[i])
            r = settings_set(settings, (Field)i, more->values[i]);
    return r;
}

uint32_t settings_unknown(const Settings *settings) {
    uint32_t unknown = 0;

    for (unsigned i = 0; i < _FIELD_MAX; i++)
        unknown |= settings->values[i] ? 0 : FIELD_BIT(i);
    return unknown & ~FIELDS_OPTIONAL;
}

uint32_t settings_lacking(const Settings *settings, bool configuration_fails, bool foreign) {
    uint32_t fields = settings_unknown(settings);

    if (configuration_fails && !settings->values[FIELD_CONFIGURATION])
        fields |= FIELD_BIT(FIELD_CONFIGURATION);
    return foreign ? fields & ~FIELD_BIT(FIELD_TAGS) : fields;
}

bool settings_can_be_recorded(const Settings *settings) {
    return settings->values[FIELD_BUCKET] != NULL &&
           !text_equal(settings->values[FIELD_SELECTORS], SETTINGS_TOO_LONG);
}

static void change_done(Change *change) {
    free(change->expected);
    free(change->actual);
}

void drift_done(Drift *drift) {
    for (unsigned i = 0; i < drift->n; i++)
        change_done(&drift->changes[i]);
    *drift = (Drift){ 0 };
}

int drift_add(Drift *drift, Field field, bool loses_events, const char *expected, const char *actual) {
    Change change = { .field = field, .loses_events = loses_events };
    unsigned at = 0;

    while (at < drift->n && drift->changes[at].field < field)
        at++;
    if (at < drift->n && drift->changes[at].field == field)
        return -EEXIST;
    change.expected = strdup(expected ? expected : "");
    change.actual = strdup(actual ? actual : "");
    if (!change.expected || !change.actual) {
        change_done(&change);
        return -ENOMEM;
    }
    memmove(&drift->changes[at + 1], &drift->changes[at], (drift->n - at) * sizeof(change));
    drift->changes[at] = change;
    drift->n++;
    return 0;
}

int drift_copy(const Drift *drift, Drift *ret) {
    Drift copy = { 0 };
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < drift->n; i++) {
        const Change *change = &drift->changes[i];

        r = drift_add(&copy, change->field, change->loses_events, change->expected, change->actual);
    }
    if (r < 0) {
        drift_done(&copy);
        return r;
    }
    *ret = copy;
    return 0;
}

void drift_add_missing(Drift *drift, const Drift *more) {
    for (unsigned i = 0; i < more->n; i++) {
        const Change *change = &more->changes[i];

        (void)drift_add(drift, change->field, change->loses_events, change->expected, change->actual);
    }
}

const Drift *drift_kept(const Drift *kept) {
    static const Drift none;

    return kept ? kept : &none;
}

int drift_keep(Drift **kept, Drift *drift) {
    Drift *made = drift->n > 0 ? malloc(sizeof(*made)) : NULL;

    if (drift->n > 0 && !made)
        return -ENOMEM;
    if (*kept)
        drift_done(*kept);
    free(*kept);
    if (made)
        *made = *drift;
    *kept = made;
    *drift = (Drift){ 0 };
    return 0;
}

/* ---- a canonical text for equivalent JSON ---- */

#define DUMP_FLAGS (JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY)

/* An item of an array, with its sort key. */
typedef struct Item {
    char *text;
    json_t *value;
} Item;

static int by_text(const void *a, const void *b) {
    return strcmp(((const Item *)a)->text, ((const Item *)b)->text);
}

static int canonical(const json_t *value, unsigned depth, json_t **ret);

/* Fills in the items, which the caller frees, even after an error. */
static int fill_items(const json_t *array, unsigned depth, Item *items) {
    for (size_t i = 0; i < json_array_size(array); i++) {
        int r = canonical(json_array_get(array, i), depth, &items[i].value);

        if (r < 0)
            return r;
        items[i].text = json_text_dump(items[i].value, DUMP_FLAGS);
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
    json_t *kept = json_object(), *value;
    const char *name;
    int r = kept ? 0 : -ENOMEM;

    json_object_foreach((json_t *)object, name, value) {
        json_t *member = NULL;

        if (json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0))
            continue;
        r = r < 0 ? r : canonical(value, depth, &member);
        if (r < 0)
            break;
        if (json_object_set_new_nocheck(kept, name, member) < 0)
            r = -ENOMEM;
    }
    if (r < 0) {
        json_decref(kept);
        return r;
    }
    *ret = kept;
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
    made = json_text_dump(value, DUMP_FLAGS);
    if (!made)
        return -ENOMEM;
    *ret = made;
    return 0;
}

/* ---- members that this version does not know ---- */

/* Which values of an unknown member may be defaults. */
typedef enum Default {
    DEFAULT_EMPTY,  /* null, false or empty */
    DEFAULT_SCALAR, /* or a single value */
    DEFAULT_ANY,
} Default;

#define MEMBERS_MAX 8 /* including the terminating NULL */

/* Sources: AWS CloudTrail API Reference, the data types of these names. */
static const struct {
    const char *in;
    Default may_be;
    const char *known[MEMBERS_MAX];
} places[] = {
    { UNKNOWN_IN_BASIC,
      DEFAULT_SCALAR,
      { "ReadWriteType", "IncludeManagementEvents", "DataResources", "ExcludeManagementEventSources" } },
    { UNKNOWN_IN_RESOURCE, DEFAULT_EMPTY, { "Type", "Values" } },
    { UNKNOWN_IN_ADVANCED, DEFAULT_SCALAR, { "Name", "FieldSelectors" } },
    { UNKNOWN_IN_CONDITION,
      DEFAULT_EMPTY,
      { "Field", "Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith" } },
    { "InsightSelectors", DEFAULT_ANY, { "InsightType", "EventCategories" } },
    { "EventConfiguration",
      DEFAULT_ANY,
      { "AggregationConfigurations", "ContextKeySelectors", "MaxEventSize" } },
    { "AggregationConfigurations", DEFAULT_ANY, { "EventCategory", "Templates" } },
    { "ContextKeySelectors", DEFAULT_ANY, { "Equals", "Type" } },
    { "UnknownSettings", DEFAULT_ANY, { NULL } },
};

static size_t place_of(const char *in) {
    size_t i = 0;

    while (i < ARRAY_SIZE(places) && strcmp(places[i].in, in) != 0)
        i++;
    return i;
}

static bool is_known(size_t place, const char *name) {
    for (size_t i = 0; places[place].known[i]; i++)
        if (strcmp(places[place].known[i], name) == 0)
            return true;
    return false;
}

static bool is_empty(const json_t *value) {
    const char *text = json_string_value(value);

    return json_is_null(value) || json_is_false(value) || (text && !text[0]) ||
           ((json_is_array(value) || json_is_object(value)) &&
            json_array_size(value) + json_object_size(value) == 0);
}

static bool is_scalar(const json_t *value) {
    return is_empty(value) || (!json_is_array(value) && !json_is_object(value));
}

static bool may_be_default(size_t place, const json_t *value) {
    switch (places[place].may_be) {
    case DEFAULT_EMPTY: return is_empty(value);
    case DEFAULT_SCALAR: return is_scalar(value);
    default: return true;
    }
}

/* AWS always returns flags that it knows, so their absence means that it does not know them. A text or list
 * that is absent is not set. */
static bool is_flag(const json_t *value) {
    return is_empty(value) || json_is_boolean(value) || json_is_number(value);
}

bool unknown_members_pass(const char *in, const json_t *object) {
    size_t place = place_of(in);
    const char *name;
    json_t *value;

    assert(place < ARRAY_SIZE(places));
    if (!json_is_object(object))
        return false;
    json_object_foreach((json_t *)object, name,
                        value) if (!is_known(place, name) && !may_be_default(place, value)) return false;
    return true;
}

/* ---- visiting all objects of a value ---- */

/* Returns 0, or a negative error, which ends the visit. */
typedef int (*Visit)(size_t place, json_t *object, void *userdata);

/* Visits only known places, so the depth is limited. */
static int settings_visit(const char *in, json_t *value, Visit each, void *userdata) {
    size_t place = place_of(in), i;
    const char *name;
    json_t *item;
    int r;

    if (place == ARRAY_SIZE(places))
        return 0;
    if (json_is_array(value)) {
        json_array_foreach(value, i, item) {
            r = json_is_object(item) ? settings_visit(in, item, each, userdata) : 0;
            if (r < 0)
                return r;
        }
        return 0;
    }
    if (!json_is_object(value))
        return 0;
    r = each(place, value, userdata);
    json_object_foreach(value, name, item) {
        if (r < 0)
            break;
        if (is_known(place, name))
            r = settings_visit(name, item, each, userdata);
    }
    return r;
}

static int visit_field(Field field, const json_t *value, Visit each, void *userdata) {
    int r;

    if (field != FIELD_SELECTORS)
        return settings_visit(field_to_string(field), (json_t *)value, each, userdata);
    r = settings_visit(UNKNOWN_IN_BASIC, json_object_get(value, UNKNOWN_IN_BASIC), each, userdata);
    return r < 0 ? r
                 : settings_visit(UNKNOWN_IN_ADVANCED, json_object_get(value, UNKNOWN_IN_ADVANCED), each,
                                  userdata);
}

/* ---- collecting them by place and name ---- */

/* "Place.Name" -> array of the different values. */
static int collect_object(size_t place, json_t *object, void *userdata) {
    json_t *found = userdata, *value;
    const char *name;

    json_object_foreach(object, name, value) {
        _cleanup_strbuf_ StrBuf key = STRBUF_INIT(4096);
        json_t *values;
        bool there = false;

        if (is_known(place, name))
            continue;
        if (strbuf_addf(&key, "%s.%s", places[place].in, name) < 0)
            return strbuf_error(&key);
        values = json_object_get(found, strbuf_str(&key));
        if (!values && json_object_set_new(found, strbuf_str(&key), json_array()) < 0)
            return -ENOMEM;
        values = json_object_get(found, strbuf_str(&key));
        for (size_t i = 0; i < json_array_size(values); i++)
            there = there || json_equal(json_array_get(values, i), value);
        if (!there && json_array_append(values, value) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int collect(Field field, const json_t *value, json_t **ret) {
    json_t *found = json_object();
    int r = found ? visit_field(field, value, collect_object, found) : -ENOMEM;

    if (r < 0) {
        json_decref(found);
        return r;
    }
    *ret = found;
    return 0;
}

static int collect_both(Field field, const json_t *a, const json_t *b, json_t **ret_a, json_t **ret_b) {
    int r = collect(field, a, ret_a);

    return r < 0 ? r : collect(field, b, ret_b);
}

/* 1, 0, or -ENOMEM. */
static int has_values(const json_t *found, size_t place, const char *name) {
    _cleanup_strbuf_ StrBuf key = STRBUF_INIT(4096);
    int r = strbuf_addf(&key, "%s.%s", places[place].in, name);

    return r < 0 ? r : json_object_get(found, strbuf_str(&key)) != NULL;
}

/* ---- removing those that are ignored ---- */

typedef struct Removal {
    const json_t *other; /* the members of the other value; NULL: remove all */
    bool flags_only;
} Removal;

/* 1, 0, or -ENOMEM. */
static int goes(const Removal *removal, size_t place, const char *name, const json_t *value) {
    int r;

    if (is_known(place, name))
        return 0;
    if (!removal->other)
        return 1;
    r = has_values(removal->other, place, name);
    if (r != 0)
        return MIN(r, 0);
    return removal->flags_only ? is_flag(value) : may_be_default(place, value);
}

static int remove_from_object(size_t place, json_t *object, void *userdata) {
    const Removal *removal = userdata;
    const char *name;
    json_t *value;
    void *next;

    json_object_foreach_safe(object, next, name, value) {
        int r = goes(removal, place, name, value);

        if (r < 0)
            return r;
        if (r > 0)
            (void)json_object_del(object, name);
    }
    return 0;
}

int unknown_members_align(Field field, json_t *a, json_t *b) {
    json_auto_t *in_a = NULL, *in_b = NULL;
    int r;

    r = collect_both(field, a, b, &in_a, &in_b);
    if (r >= 0)
        r = visit_field(field, b, remove_from_object, &(Removal){ .other = in_a });
    if (r >= 0)
        r = visit_field(field, a, remove_from_object, &(Removal){ .other = in_b, .flags_only = true });
    return r;
}

void unknown_members_drop(Field field, json_t *value) {
    (void)visit_field(field, value, remove_from_object, &(Removal){ 0 });
}

/* ---- comparing ---- */

/* True if a name has several values. Then it matters which object has which. */
static bool is_mixed(const json_t *found) {
    const char *key;
    json_t *values;

    json_object_foreach((json_t *)found, key, values) if (json_array_size(values) > 1) return true;
    return false;
}

int unknown_members_differ(Field field, const json_t *a, const json_t *b, bool *ret) {
    json_auto_t *in_a = NULL, *in_b = NULL;
    int r;

    r = collect_both(field, a, b, &in_a, &in_b);
    if (r >= 0)
        *ret = is_mixed(in_a) || is_mixed(in_b) ? !json_equal(a, b) : !json_equal(in_a, in_b);
    return r;
}

int unknown_members_added(Field field, const json_t *a, const json_t *b, StrBuf *names) {
    /* where all members are unknown, the place adds no information */
    const size_t skipped = field == FIELD_UNKNOWN ? strlen(field_to_string(field)) + 1 : 0;
    json_auto_t *in_a = NULL, *in_b = NULL;
    const char *key, *separator = "";
    json_t *values;
    int r, n = 0;

    r = collect_both(field, a, b, &in_a, &in_b);
    if (r < 0)
        return r;
    json_object_foreach(in_b, key, values) {
        if (json_object_get(in_a, key))
            continue;
        (void)strbuf_addf(names, "%s%s", separator, key + skipped);
        separator = ", ";
        n++;
    }
    return n;
}

/* ---- writing ---- */

typedef struct Filling {
    const json_t *has, *from;
} Filling;

static int fill_object(size_t place, json_t *object, void *userdata) {
    const Filling *filling = userdata;
    const size_t len = strlen(places[place].in); /* no place has a name that begins with another's */
    const char *key;
    json_t *values;

    json_object_foreach((json_t *)filling->from, key, values) {
        if (!text_starts_with(key, places[place].in) || json_array_size(values) != 1 ||
            json_object_get(filling->has, key) || !may_be_default(place, json_array_get(values, 0)))
            continue;
        if (json_object_set_new(object, key + len + 1, json_deep_copy(json_array_get(values, 0))) < 0)
            return -ENOMEM;
    }
    return 0;
}

int unknown_members_fill(Field field, json_t *value, const json_t *from) {
    json_auto_t *has = NULL, *shown = NULL;
    int r;

    r = collect_both(field, value, from, &has, &shown);
    return r < 0 ? r : visit_field(field, value, fill_object, &(Filling){ has, shown });
}

/* ---- the event configuration ---- */

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
    json_t *whole = json_deep_copy(value);

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
    json_auto_t *value = NULL;
    int r;

    if (!text || !text[0])
        text = "{}";
    r = json_text_parse(text, strlen(text), 0, NULL, &value);
    if (r < 0)
        return r;
    if (!json_is_object(value))
        return -EINVAL;
    *ret = event_configuration_whole(value);
    return *ret ? 0 : -ENOMEM;
}

/* Removes from `desired` defaults that need not be written. */
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
        *ret = json_text_dump(whole, JSON_COMPACT | JSON_SORT_KEYS);
    return r >= 0 && !*ret ? -ENOMEM : r;
}
