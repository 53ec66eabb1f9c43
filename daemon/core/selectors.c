/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/selectors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/canonical.h"
#include "daemon/core/selectors_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define BASIC_MAX                                                                                           \
    5 /* selectors of the basic form in a set (AWS CloudTrail API Reference, PutEventSelectors) */

/* Two sets of which one is not understood. */
static int compare_texts(const char *baseline, const char *seen, SelectorsVerdict *ret) {
    _cleanup_free_ char *a = NULL, *b = NULL;
    int r, q;
    bool same;

    r = canonical_json(baseline, &a);
    q = canonical_json(seen, &b);
    if (r == -ENOMEM || q == -ENOMEM)
        return -ENOMEM;
    same = r < 0 || q < 0 ? strcmp(baseline, seen) == 0 : strcmp(a, b) == 0;
    *ret = (SelectorsVerdict){ .differs = !same, .loses = !same };
    return 0;
}

int selectors_compare(const char *baseline, const char *seen, SelectorsVerdict *ret) {
    _cleanup_(selector_set_done) SelectorSet a = { 0 }, b = { 0 };
    bool kept = false, within = false;
    int r;

    r = selector_set_read(baseline, &a);
    if (r >= 0)
        r = selector_set_read(seen, &b);
    if (r >= 0)
        r = selector_set_covers(&a, &b, &kept);
    if (r >= 0)
        r = selector_set_covers(&b, &a, &within);
    if (r == -EINVAL)
        return compare_texts(baseline, seen, ret);
    if (r < 0)
        return r;
    *ret = (SelectorsVerdict){ .differs = !kept || !within, .loses = !kept };
    return 0;
}

/* ---- questions about one set ---- */

/* What is known of an event; every other field has the value `others`, or, when that is NULL, may not be
 * asked for. */
typedef struct Known {
    const char *field, *value;
} Known;

static const char *value_of(const Known *known, const char *field, const char *others) {
    for (; known->field; known++)
        if (strcmp(known->field, field) == 0)
            return known->value;
    return others;
}

static bool takes_event(const SelectorSet *set, unsigned selector, const Known *known, const char *others) {
    for (size_t i = 0; i < set->n_terms; i++) {
        const Term *term = &set->terms[i];
        const char *value;

        if (term->selector != selector)
            continue;
        value = value_of(known, term->field, others);
        if (!value || !selector_takes(set, selector, term->field, value))
            return false;
    }
    return true;
}

static bool set_takes_event(const SelectorSet *set, const Known *known, const char *others) {
    for (unsigned i = 0; i < set->n_selectors; i++)
        if (takes_event(set, i, known, others))
            return true;
    return false;
}

int selectors_management(const char *selectors, SelectorsManagement *ret) {
    static const Known read[] = { { "eventCategory", "Management" },
                                  { "readOnly", "true" },
                                  { NULL, NULL } },
                       write[] = { { "eventCategory", "Management" },
                                   { "readOnly", "false" },
                                   { NULL, NULL } };
    _cleanup_(selector_set_done) SelectorSet set = { 0 };
    int r;

    r = selector_set_read(selectors, &set);
    if (r < 0)
        return r;
    *ret = (set_takes_event(&set, read, SELECTOR_OTHER) ? SELECTORS_READ : SELECTORS_NONE) |
           (set_takes_event(&set, write, SELECTOR_OTHER) ? SELECTORS_WRITE : SELECTORS_NONE);
    return 0;
}

bool selectors_record_reads(const char *selectors) {
    static const Known poll[] = {
        { "eventCategory", "Management" },
        { "readOnly", "true" },
        { "eventSource", "cloudtrail.amazonaws.com" },
        { "eventName", "GetTrailStatus" },
        { "eventType", "AwsApiCall" },
        { NULL, NULL },
    };
    _cleanup_(selector_set_done) SelectorSet set = { 0 };

    return selector_set_read(selectors, &set) >= 0 && set_takes_event(&set, poll, NULL);
}

/* The set that takes just the management events of that kind. */
static int set_of_management(ManagementEvents kind, SelectorSet *set) {
    int r;

    set->n_selectors = 1;
    r = selector_set_add(set, 0, "eventCategory", OPERATOR_EQUALS, "Management");
    if (r >= 0 && kind != MANAGEMENT_ALL)
        r = selector_set_add(set, 0, "readOnly", OPERATOR_EQUALS,
                             kind == MANAGEMENT_READ ? "true" : "false");
    return r;
}

int selectors_cover_management(const char *selectors, ManagementEvents wanted, bool *ret) {
    _cleanup_(selector_set_done) SelectorSet set = { 0 }, least = { 0 };
    int r;

    if (wanted == MANAGEMENT_NOT_PINNED) {
        *ret = true;
        return 0;
    }
    r = selector_set_read(selectors, &set);
    if (r >= 0)
        r = set_of_management(wanted, &least);
    return r < 0 ? r : selector_set_covers(&least, &set, ret);
}

/* ---- a set with management events added ---- */

static json_t *all_management_advanced(void) {
    return json_pack("{s:s, s:[{s:s, s:[s]}]}", "Name", "Management events", "FieldSelectors", "Field",
                     "eventCategory", "Equals", "Management");
}

static json_t *all_management_basic(void) {
    return json_pack("{s:s, s:b, s:[], s:[]}", "ReadWriteType", "All", "IncludeManagementEvents", 1,
                     "DataResources", "ExcludeManagementEventSources");
}

/* What a basic set records besides stays; one more selector takes the management events. In a full set the
 * first has to widen instead. */
static int add_to_basic(json_t *selectors) {
    json_t *all = all_management_basic(), *first;
    int r = all ? 0 : -ENOMEM;

    for (size_t i = json_array_size(selectors); r >= 0 && i-- > 0;) {
        const json_t *resources = json_object_get(json_array_get(selectors, i), "DataResources");

        if (json_array_size(resources) == 0 && json_array_remove(selectors, i) < 0)
            r = -ENOMEM;
    }
    if (r >= 0 && json_array_size(selectors) < BASIC_MAX)
        r = json_array_insert(selectors, 0, all) < 0 ? -ENOMEM : 0;
    else if (r >= 0) {
        first = json_array_get(selectors, 0);
        (void)json_object_del(all, "DataResources");
        r = json_object_update(first, all) < 0 ? -ENOMEM : 0;
    }
    json_decref(all);
    return r;
}

int selectors_add_management(const char *selectors, char **ret) {
    _cleanup_(selector_set_done) SelectorSet set = { 0 };
    json_t *basic, *advanced;
    bool besides = false;
    char *text;
    int r;

    r = selector_set_read(selectors, &set);
    if (r < 0)
        return r;
    for (size_t i = 0; i < set.n_terms; i++)
        if (strcmp(set.terms[i].field, "eventCategory") == 0 &&
            strcmp(set.terms[i].value, "Management") != 0)
            besides = true;
    basic = json_object_get(set.document, "EventSelectors");
    advanced = json_object_get(set.document, "AdvancedEventSelectors");
    if (besides && json_array_size(basic) > 0)
        r = add_to_basic(basic);
    else if (besides)
        r = json_array_append_new(advanced, all_management_advanced()) < 0 ? -ENOMEM : 0;
    if (r < 0)
        return r;
    text = besides ? json_dumps(set.document, JSON_COMPACT) : strdup(SELECTORS_DEFAULT);
    if (!text)
        return -ENOMEM;
    *ret = text;
    return 0;
}
