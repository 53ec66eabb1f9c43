/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/selectors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/json_text.h"
#include "daemon/core/selectors_cover.h"
#include "daemon/core/settings.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* ---- parsing into flat conditions: anything unknown that is no default is rejected, because it could
 * narrow what is recorded ---- */

#define FIELD_ARN  "resources.ARN"
#define FIELD_TYPE "resources.type"

/* The types of basic selectors, and how they compare ARNs (AWS CloudTrail API Reference, DataResource: S3 by
 * prefix, the others exactly). */
static const struct {
    const char *type, *service;
    Operator op;
} resource_types[] = {
    { "AWS::S3::Object", "s3", OPERATOR_STARTS_WITH },
    { "AWS::Lambda::Function", "lambda", OPERATOR_EQUALS },
    { "AWS::DynamoDB::Table", "dynamodb", OPERATOR_EQUALS },
};

void selector_set_done(SelectorSet *set) {
    free(set->terms);
    json_decref(set->document);
    *set = (SelectorSet){ 0 };
}

static int selector_set_add(SelectorSet *set, unsigned selector, const char *field, Operator op,
                            const char *value) {
    if (set->n_terms == SELECTOR_TERMS_MAX)
        return -EINVAL;
    if (set->n_terms == set->n_allocated) {
        size_t n = MAX(set->n_allocated * 2, (size_t)32);
        Term *terms = realloc(set->terms, n * sizeof(*terms));

        if (!terms)
            return -ENOMEM;
        set->terms = terms;
        set->n_allocated = n;
    }
    set->terms[set->n_terms++] = (Term){ selector, field, op, value };
    return 0;
}

static bool is_absent(const json_t *value) {
    return !value || json_is_null(value);
}

/* An array, or absent, which means empty. */
static bool is_list(const json_t *value) {
    return is_absent(value) || json_is_array(value);
}

/* Text that the algorithm can handle; else NULL. */
static const char *usable_text(const json_t *value) {
    const char *text = json_string_value(value);

    return text && !strstr(text, SELECTOR_OTHER) ? text : NULL;
}

/* True if the object has only members of this NULL-terminated list. */
static bool has_only(const json_t *object, const char *const *names) {
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return false;
    json_object_foreach((json_t *)object, name, value) {
        size_t i = 0;

        while (names[i] && strcmp(names[i], name) != 0)
            i++;
        if (!names[i])
            return false;
    }
    return true;
}

static int add_values(SelectorSet *set, unsigned selector, const char *field, Operator op,
                      const json_t *list) {
    int r = is_list(list) ? 0 : -EINVAL;

    for (size_t i = 0; r >= 0 && i < json_array_size(list); i++) {
        const char *value = usable_text(json_array_get(list, i));

        r = value ? selector_set_add(set, selector, field, op, value) : -EINVAL;
    }
    return r;
}

/* "arn:aws:s3" and "arn:aws:s3:::" mean all objects, "arn:aws:lambda" all functions. */
static bool is_every_resource(const char *arn, const char *service) {
    const char *rest = text_starts_with(arn, "arn:") ? strchr(arn + strlen("arn:"), ':') : NULL;

    if (!rest || !text_starts_with(rest + 1, service))
        return false;
    rest += 1 + strlen(service);
    return *rest == '\0' || (strcmp(service, "s3") == 0 && strcmp(rest, ":::") == 0);
}

/* ---- the advanced form ---- */

static const char *const operator_names[_OPERATOR_MAX] = {
    [OPERATOR_EQUALS] = "Equals",
    [OPERATOR_STARTS_WITH] = "StartsWith",
    [OPERATOR_ENDS_WITH] = "EndsWith",
    [OPERATOR_NOT_EQUALS] = "NotEquals",
    [OPERATOR_NOT_STARTS_WITH] = "NotStartsWith",
    [OPERATOR_NOT_ENDS_WITH] = "NotEndsWith",
};

static int read_condition(SelectorSet *set, const json_t *condition) {
    const char *field = usable_text(json_object_get(condition, "Field"));
    size_t before = set->n_terms;
    int r = 0;

    if (!unknown_members_pass(UNKNOWN_IN_CONDITION, condition) || !field)
        return -EINVAL;
    /* AWS requires each field once per selector; the meaning of two is not documented */
    for (size_t i = 0; i < before; i++)
        if (set->terms[i].selector == set->n_selectors && strcmp(set->terms[i].field, field) == 0)
            return -EINVAL;
    for (unsigned i = 0; r >= 0 && i < _OPERATOR_MAX; i++)
        r = add_values(set, set->n_selectors, field, (Operator)i,
                       json_object_get(condition, operator_names[i]));
    return r >= 0 && set->n_terms == before ? -EINVAL : r;
}

/* The service of the selector's resources, if it matches exactly one known type; else NULL. */
static const char *only_service(const SelectorSet *set, size_t from) {
    const Term *only = NULL;

    for (size_t i = from; i < set->n_terms; i++)
        if (strcmp(set->terms[i].field, FIELD_TYPE) == 0) {
            if (only || set->terms[i].op != OPERATOR_EQUALS)
                return NULL;
            only = &set->terms[i];
        }
    for (size_t k = 0; only && k < ARRAY_SIZE(resource_types); k++)
        if (strcmp(only->value, resource_types[k].type) == 0)
            return resource_types[k].service;
    return NULL;
}

/* Every S3 object's ARN starts with "arn:aws:s3", so such a condition has no effect. Only for that type: for
 * others it would match nothing. */
static void widen_every_resource(SelectorSet *set, size_t from) {
    const char *service = only_service(set, from);

    for (size_t i = from; service && i < set->n_terms; i++) {
        Term *term = &set->terms[i];

        if (strcmp(term->field, FIELD_ARN) == 0 && term->op == OPERATOR_STARTS_WITH &&
            is_every_resource(term->value, service))
            term->value = "";
    }
}

static bool has_category(const SelectorSet *set, size_t from) {
    for (size_t i = from; i < set->n_terms; i++)
        if (strcmp(set->terms[i].field, "eventCategory") == 0 && set->terms[i].op == OPERATOR_EQUALS)
            return true;
    return false;
}

static int read_advanced(SelectorSet *set, const json_t *selector) {
    const json_t *name = json_object_get(selector, "Name"),
                 *conditions = json_object_get(selector, "FieldSelectors");
    size_t before = set->n_terms;
    int r = 0;

    if (!unknown_members_pass(UNKNOWN_IN_ADVANCED, selector) ||
        (!is_absent(name) && !json_is_string(name)) || !json_is_array(conditions))
        return -EINVAL;
    for (size_t i = 0; r >= 0 && i < json_array_size(conditions); i++)
        r = read_condition(set, json_array_get(conditions, i));
    if (r < 0)
        return r;
    if (!has_category(set, before))
        return -EINVAL;
    widen_every_resource(set, before);
    set->n_selectors++;
    return 0;
}

/* ---- the basic form ---- */

/* "true" or "false" for the matching events, NULL for both. */
static int read_read_write_type(const json_t *value, const char **ret) {
    static const struct {
        const char *word, *read_only;
    } words[] = { { "All", NULL }, { "ReadOnly", "true" }, { "WriteOnly", "false" } };
    const char *text = is_absent(value) ? "All" : json_string_value(value);

    for (size_t i = 0; text && i < ARRAY_SIZE(words); i++)
        if (strcmp(words[i].word, text) == 0) {
            *ret = words[i].read_only;
            return 0;
        }
    return -EINVAL;
}

static int begin_basic(SelectorSet *set, const char *category, const char *read_only) {
    int r;

    r = selector_set_add(set, set->n_selectors, "eventCategory", OPERATOR_EQUALS, category);
    if (r >= 0 && read_only)
        r = selector_set_add(set, set->n_selectors, "readOnly", OPERATOR_EQUALS, read_only);
    return r;
}

static int read_management(SelectorSet *set, const json_t *excluded, const char *read_only) {
    int r;

    r = begin_basic(set, "Management", read_only);
    if (r >= 0)
        r = add_values(set, set->n_selectors, "eventSource", OPERATOR_NOT_EQUALS, excluded);
    set->n_selectors++;
    return r;
}

static int read_resources(SelectorSet *set, const json_t *resource, const char *read_only) {
    const char *type = usable_text(json_object_get(resource, "Type"));
    const json_t *values = json_object_get(resource, "Values");
    bool every = false;
    size_t kind = 0;
    int r;

    while (type && kind < ARRAY_SIZE(resource_types) && strcmp(resource_types[kind].type, type) != 0)
        kind++;
    if (!type || kind == ARRAY_SIZE(resource_types) ||
        !unknown_members_pass(UNKNOWN_IN_RESOURCE, resource) || !is_list(values))
        return -EINVAL;
    if (json_array_size(values) == 0)
        return 0;
    for (size_t i = 0; i < json_array_size(values); i++) {
        const char *value = usable_text(json_array_get(values, i));

        if (!value)
            return -EINVAL;
        every = every || is_every_resource(value, resource_types[kind].service);
    }

    r = begin_basic(set, "Data", read_only);
    if (r >= 0)
        r = selector_set_add(set, set->n_selectors, FIELD_TYPE, OPERATOR_EQUALS, type);
    if (r >= 0 && !every)
        r = add_values(set, set->n_selectors, FIELD_ARN, resource_types[kind].op, values);
    set->n_selectors++;
    return r;
}

static int read_basic(SelectorSet *set, const json_t *selector) {
    const json_t *include = json_object_get(selector, "IncludeManagementEvents"),
                 *resources = json_object_get(selector, "DataResources"),
                 *excluded = json_object_get(selector, "ExcludeManagementEventSources");
    const char *read_only;
    int r;

    if (!unknown_members_pass(UNKNOWN_IN_BASIC, selector) ||
        (!is_absent(include) && !json_is_boolean(include)) || !is_list(resources) || !is_list(excluded))
        return -EINVAL;
    r = read_read_write_type(json_object_get(selector, "ReadWriteType"), &read_only);
    if (r >= 0 && !json_is_false(include))
        r = read_management(set, excluded, read_only);
    for (size_t i = 0; r >= 0 && i < json_array_size(resources); i++)
        r = read_resources(set, json_array_get(resources, i), read_only);
    return r;
}

/* ---- the whole set ---- */

static int read_document(SelectorSet *set) {
    static const char *const members[] = { "EventSelectors", "AdvancedEventSelectors", NULL };
    const json_t *basic = json_object_get(set->document, "EventSelectors"),
                 *advanced = json_object_get(set->document, "AdvancedEventSelectors");
    int r = 0;

    if (!has_only(set->document, members) || !is_list(basic) || !is_list(advanced))
        return -EINVAL;
    /* AWS keeps one of the two; the meaning of both is not documented */
    if (json_array_size(basic) > 0 && json_array_size(advanced) > 0)
        return -EINVAL;
    for (size_t i = 0; r >= 0 && i < json_array_size(basic); i++)
        r = read_basic(set, json_array_get(basic, i));
    for (size_t i = 0; r >= 0 && i < json_array_size(advanced); i++)
        r = read_advanced(set, json_array_get(advanced, i));
    return r;
}

int selector_set_read(const char *text, SelectorSet *ret) {
    SelectorSet set = { 0 };
    json_error_t error;
    int r;

    if (text[0] == '\0') {
        *ret = set;
        return 0;
    }
    if (strlen(text) > CANONICAL_SIZE_MAX)
        return -EINVAL;
    r = json_text_parse(text, strlen(text), JSON_REJECT_DUPLICATES, &error, &set.document);
    if (r >= 0)
        r = read_document(&set);
    if (r < 0) {
        selector_set_done(&set);
        return r;
    }
    *ret = set;
    return 0;
}

/* ---- comparing two sets ---- */

#define BASIC_MAX                                                                                           \
    5 /* selectors of the basic form in a set (AWS CloudTrail API Reference, PutEventSelectors) */

/* Compares two sets if one is not understood. */
static int compare_texts(const char *baseline, const char *actual, SelectorsVerdict *ret) {
    _cleanup_free_ char *a = NULL, *b = NULL;
    int r, q;
    bool same;

    r = canonical_json(baseline, &a);
    q = canonical_json(actual, &b);
    if (r == -ENOMEM || q == -ENOMEM)
        return -ENOMEM;
    same = r < 0 || q < 0 ? strcmp(baseline, actual) == 0 : strcmp(a, b) == 0;
    *ret = (SelectorsVerdict){ .differs = !same, .loses = !same };
    return 0;
}

int selectors_compare(const char *baseline, const char *actual, SelectorsVerdict *ret) {
    _cleanup_(selector_set_done) SelectorSet a = { 0 }, b = { 0 };
    bool kept = false, within = false;
    int r;

    r = selector_set_read(baseline, &a);
    if (r >= 0)
        r = selector_set_read(actual, &b);
    if (r >= 0)
        r = selector_set_covers(&a, &b, &kept);
    if (r >= 0)
        r = selector_set_covers(&b, &a, &within);
    if (r == -EINVAL)
        return compare_texts(baseline, actual, ret);
    if (r < 0)
        return r;
    *ret = (SelectorsVerdict){ .differs = !kept || !within, .loses = !kept };
    return 0;
}

/* ---- properties of one set ---- */

static const char *value_of(const SelectorKnown *known, const char *field, const char *others) {
    for (; known->field; known++)
        if (strcmp(known->field, field) == 0)
            return known->value;
    return others;
}

static bool takes_event(const SelectorSet *set, unsigned selector, const SelectorKnown *known,
                        const char *others) {
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

bool selector_set_takes(const SelectorSet *set, const SelectorKnown *known, const char *others) {
    for (unsigned i = 0; i < set->n_selectors; i++)
        if (takes_event(set, i, known, others))
            return true;
    return false;
}

int selectors_management(const char *selectors, SelectorsManagement *ret) {
    static const SelectorKnown read[] = { { "eventCategory", "Management" },
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
    *ret = (selector_set_takes(&set, read, SELECTOR_OTHER) ? SELECTORS_READ : SELECTORS_NONE) |
           (selector_set_takes(&set, write, SELECTOR_OTHER) ? SELECTORS_WRITE : SELECTORS_NONE);
    return 0;
}

bool selectors_record_reads(const char *selectors) {
    static const SelectorKnown poll[] = {
        { "eventCategory", "Management" },
        { "readOnly", "true" },
        { "eventSource", "cloudtrail.amazonaws.com" },
        { "eventName", "GetTrailStatus" },
        { "eventType", "AwsApiCall" },
        { NULL, NULL },
    };
    _cleanup_(selector_set_done) SelectorSet set = { 0 };

    return selector_set_read(selectors, &set) >= 0 && selector_set_takes(&set, poll, NULL);
}

/* The set that matches exactly the management events of that kind. */
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

/* ---- adding management events ---- */

static json_t *all_management_advanced(void) {
    return json_pack("{s:s, s:[{s:s, s:[s]}]}", "Name", "Management events", "FieldSelectors", "Field",
                     "eventCategory", "Equals", "Management");
}

static json_t *all_management_basic(void) {
    return json_pack("{s:s, s:b, s:[], s:[]}", "ReadWriteType", "All", "IncludeManagementEvents", 1,
                     "DataResources", "ExcludeManagementEventSources");
}

/* A basic set keeps what it records; an additional selector matches the management events. In a full set the
 * first one is widened instead. */
static int add_to_basic(json_t *selectors) {
    json_auto_t *all = all_management_basic();

    if (!all)
        return -ENOMEM;
    for (size_t i = json_array_size(selectors); i-- > 0;)
        if (json_array_size(json_object_get(json_array_get(selectors, i), "DataResources")) == 0)
            (void)json_array_remove(selectors, i);
    if (json_array_size(selectors) < BASIC_MAX)
        return json_array_insert(selectors, 0, all) < 0 ? -ENOMEM : 0;
    (void)json_object_del(all, "DataResources");
    return json_object_update(json_array_get(selectors, 0), all) < 0 ? -ENOMEM : 0;
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
    text = besides ? json_text_dump(set.document, JSON_COMPACT) : strdup(SELECTORS_DEFAULT);
    if (!text)
        return -ENOMEM;
    *ret = text;
    return 0;
}
