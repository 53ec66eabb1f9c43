/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/baseline.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/enum_names.h"
#include "daemon/core/guard.h"
#include "daemon/core/selectors.h"
#include "daemon/core/settings.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

typedef struct Comparison {
    bool differs, loses, strengthens;
} Comparison;

/* ---- names and ARNs ---- */

/* The text after the fifth colon of an ARN; anything else unchanged. */
static const char *resource_of(const char *name) {
    const char *s = name;

    if (!text_starts_with(name, "arn:"))
        return name;
    for (unsigned colons = 0; s && colons < 5; colons++) {
        s = strchr(s, ':');
        s = s ? s + 1 : NULL;
    }
    return s ? s : name;
}

static bool is_alias(const char *key) {
    return text_starts_with(resource_of(key), "alias/");
}

static const char *without_prefix(const char *s, const char *prefix) {
    return text_starts_with(s, prefix) ? s + strlen(prefix) : s;
}

/* Two ARNs must be equal; of an ARN and a name only the resource is compared. */
static bool same_resource(const char *a, const char *b, const char *prefix) {
    if (!a[0] || !b[0] || text_starts_with(a, "arn:") == text_starts_with(b, "arn:"))
        return strcmp(without_prefix(a, prefix), without_prefix(b, prefix)) == 0;
    return strcmp(without_prefix(resource_of(a), prefix), without_prefix(resource_of(b), prefix)) == 0;
}

static bool same_topic(const char *a, const char *b) {
    return same_resource(a, b, "");
}

/* Key id, key ARN, alias or alias ARN. Only KMS knows which key an alias stands for. */
static bool same_key(const char *a, const char *b) {
    if (a[0] && b[0] && is_alias(a) != is_alias(b))
        return true;
    return same_resource(a, b, "key/");
}

static bool same_text(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

/* CloudTrail requires and returns the ARN of a log group with ":*" at the end; people omit it. */
static bool same_log_group(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);

    n -= text_ends_with(a, ":*") ? 2 : 0;
    m -= text_ends_with(b, ":*") ? 2 : 0;
    return n == m && strncmp(a, b, n) == 0;
}

/* Whether a difference loses events. */
typedef enum Loss {
    LOSS_NEVER,
    LOSS_ALWAYS, /* the destination of log files: elsewhere the owner does not have them */
    LOSS_IF_OFF, /* a wider scope loses nothing */
} Loss;

/* Settings that record or prove more when on, without a disadvantage. A KMS key is not among them: whoever
 * can disable it can make the log files unreadable. Organization trails, more selectors and Insights cost
 * money. */
#define FIELDS_STRONGER_ON                                                                                  \
    (FIELD_BIT(FIELD_MULTI_REGION) | FIELD_BIT(FIELD_GLOBAL_EVENTS) | FIELD_BIT(FIELD_VALIDATION))

/* The fields that are not JSON. */
static const struct {
    bool (*same)(const char *a, const char *b);
    Loss loss;
} plain_fields[] = {
    [FIELD_BUCKET] = { same_text, LOSS_ALWAYS },       [FIELD_PREFIX] = { same_text, LOSS_ALWAYS },
    [FIELD_KMS_KEY] = { same_key, LOSS_NEVER },        [FIELD_LOG_GROUP] = { same_log_group, LOSS_NEVER },
    [FIELD_LOG_ROLE] = { same_text, LOSS_NEVER },      [FIELD_SNS_TOPIC] = { same_topic, LOSS_NEVER },
    [FIELD_MULTI_REGION] = { same_text, LOSS_IF_OFF }, [FIELD_GLOBAL_EVENTS] = { same_text, LOSS_IF_OFF },
    [FIELD_VALIDATION] = { same_text, LOSS_NEVER },    [FIELD_ORGANIZATION] = { same_text, LOSS_IF_OFF },
    [FIELD_RECURSIVE] = { same_text, LOSS_IF_OFF },
};
_Static_assert(ARRAY_SIZE(plain_fields) == FIELD_SELECTORS, "a row for each");

static Comparison compare_plain(Field field, const char *expected, const char *actual) {
    bool differs = !plain_fields[field].same(expected, actual);
    Loss loss = plain_fields[field].loss;

    return (Comparison){
        .differs = differs,
        .loses = differs && (loss == LOSS_ALWAYS || (loss == LOSS_IF_OFF && !same_text(actual, "true"))),
        .strengthens = differs && (FIELDS_STRONGER_ON & FIELD_BIT(field)) && same_text(expected, "false") &&
                       same_text(actual, "true"),
    };
}

/* ---- members that this version does not know ---- */

/* NULL if the text is not JSON or over the limit. */
static int baseline_parse(const char *text, json_t **ret) {
    json_error_t error;
    int r = -EINVAL;

    if (text[0] != '\0' && strlen(text) <= CANONICAL_SIZE_MAX)
        r = json_text_parse(text, strlen(text), JSON_REJECT_DUPLICATES, &error, ret);
    return r == -EINVAL ? 0 : r;
}

/* The two values as they are compared; unchanged if one is not JSON. */
typedef struct Aligned {
    char *baseline, *actual;
    bool differ; /* in members that this version does not know */
} Aligned;

static void aligned_done(Aligned *aligned) {
    free(aligned->baseline);
    free(aligned->actual);
}

static int align_json(Field field, json_t *a, json_t *b, Aligned *ret) {
    int r = unknown_members_align(field, a, b);

    if (r >= 0)
        r = unknown_members_differ(field, a, b, &ret->differ);
    if (r < 0)
        return r;
    ret->baseline = json_text_dump(a, JSON_COMPACT);
    ret->actual = json_text_dump(b, JSON_COMPACT);
    return ret->baseline && ret->actual ? 0 : -ENOMEM;
}

static int align(Field field, const char *baseline, const char *actual, Aligned *ret) {
    json_auto_t *a = NULL, *b = NULL;
    int r;

    r = baseline_parse(baseline, &a);
    if (r >= 0)
        r = baseline_parse(actual, &b);
    if (r < 0)
        return r;
    if (a && b)
        return align_json(field, a, b, ret);
    ret->baseline = strdup(baseline);
    ret->actual = strdup(actual);
    return ret->baseline && ret->actual ? 0 : -ENOMEM;
}

static int compare_selectors(const char *baseline, const char *actual, Comparison *ret) {
    _cleanup_(aligned_done) Aligned aligned = { 0 };
    SelectorsVerdict verdict = { 0 };
    int r;

    r = align(FIELD_SELECTORS, baseline, actual, &aligned);
    if (r >= 0)
        r = selectors_compare(aligned.baseline, aligned.actual, &verdict);
    if (r < 0)
        return r;
    *ret = (Comparison){ .differs = verdict.differs || aligned.differ,
                         .loses = verdict.loses || aligned.differ };
    return 0;
}

/* ---- JSON fields ---- */

/* An Insights selector without categories is about management events (AWS CloudTrail API Reference,
 * InsightSelector). */
static int write_out_categories(json_t *insights) {
    json_t *insight;
    size_t i;

    json_array_foreach(insights, i, insight) {
        const json_t *categories = json_object_get(insight, "EventCategories");

        if (json_is_object(insight) && (!categories || json_array_size(categories) == 0) &&
            json_object_set_new(insight, "EventCategories", json_pack("[s]", "Management")) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* Tags that start with "aws:" belong to AWS's services; others cannot set or remove them (AWS General
 * Reference, Tagging). */
static void drop_aws_tags(json_t *tags) {
    const char *name;
    json_t *value;
    void *next;

    json_object_foreach_safe(tags, next, name, value) if (text_starts_with(name, "aws:"))
            (void)json_object_del(tags, name);
}

static json_t *parse_tags(const char *text) {
    json_t *tags = NULL;

    if (!text[0])
        return json_object();
    if (strlen(text) > CANONICAL_SIZE_MAX || json_text_parse(text, strlen(text), 0, NULL, &tags) < 0 ||
        !json_is_object(tags)) {
        json_decref(tags);
        return NULL;
    }
    drop_aws_tags(tags);
    return tags;
}

static bool adds_tag(const Change *change, const char *key, const char *value) {
    json_auto_t *before = parse_tags(change->expected), *after = parse_tags(change->actual);
    const char *added = json_string_value(json_object_get(after, key));

    if (!before || !added || !text_equal(added, value))
        return false;
    (void)json_object_del(after, key);
    return json_equal(before, after);
}

bool baseline_adds_tag(const Drift *drift, const char *key, const char *value) {
    for (unsigned i = 0; i < drift->n; i++)
        if (drift->changes[i].field == FIELD_TAGS)
            return adds_tag(&drift->changes[i], key, value);
    return false;
}

/* Fills in the defaults of unset members. */
static int fill_in_configuration(json_t **json) {
    json_t *whole = json_is_object(*json) ? event_configuration_whole(*json) : json_incref(*json);

    if (*json && !whole)
        return -ENOMEM;
    json_decref(*json);
    *json = whole;
    return 0;
}

/* The value for comparison: canonical if it is JSON, otherwise unchanged. The caller frees. 0 or -ENOMEM. */
static int normal_form(Field field, const char *value, char **ret) {
    _cleanup_free_ char *text = NULL;
    json_auto_t *json = NULL;
    json_error_t error;
    int r = 0;

    if (value[0] != '\0' && strlen(value) <= CANONICAL_SIZE_MAX)
        r = json_text_parse(value, strlen(value), 0, &error, &json);
    if (r == -ENOMEM)
        return r;
    r = 0;
    if (field == FIELD_INSIGHTS)
        r = write_out_categories(json);
    else if (field == FIELD_TAGS)
        drop_aws_tags(json);
    else if (field == FIELD_CONFIGURATION)
        r = fill_in_configuration(&json);
    if (r < 0)
        return r;
    text = json ? json_text_dump(json, JSON_COMPACT) : strdup(value);
    if (!text)
        return -ENOMEM;
    r = json ? canonical_json(text, ret) : -EINVAL;
    if (r == -EINVAL) {
        *ret = TAKE_PTR(text);
        r = 0;
    }
    return r;
}

/* An empty text, array or object. */
static bool is_nothing(const char *normal) {
    return normal[0] == '\0' || strcmp(normal, "[]") == 0 || strcmp(normal, "{}") == 0;
}

static int compare_normal(Field field, const char *baseline, const char *actual, Comparison *ret) {
    const char *nothing = field == FIELD_CONFIGURATION ? "{}" : "";
    _cleanup_free_ char *a = NULL, *b = NULL;
    _cleanup_(aligned_done) Aligned aligned = { 0 };
    int r;

    r = align(field, baseline[0] ? baseline : nothing, actual[0] ? actual : nothing, &aligned);
    if (r >= 0)
        r = normal_form(field, aligned.baseline, &a);
    if (r >= 0)
        r = normal_form(field, aligned.actual, &b);
    if (r < 0)
        return r;
    *ret = (Comparison){ .differs = !same_text(a, b) && !(is_nothing(a) && is_nothing(b)) };
    return 0;
}

/* 0 or -ENOMEM. */
static int compare_field(Field field, const char *expected, const char *actual, Comparison *ret) {
    if (field == FIELD_SELECTORS)
        return compare_selectors(expected, actual, ret);
    if (field > FIELD_SELECTORS)
        return compare_normal(field, expected, actual, ret);
    *ret = compare_plain(field, expected, actual);
    return 0;
}

int baseline_new_members(Field field, const char *baseline, const char *actual, StrBuf *names) {
    json_auto_t *a = NULL, *b = NULL;
    int r;

    if (field < FIELD_SELECTORS || field == FIELD_TAGS)
        return 0;
    r = baseline ? baseline_parse(baseline, &a) : 0;
    if (r >= 0)
        r = baseline_parse(actual, &b);
    return r < 0 || !b ? r : unknown_members_added(field, a, b, names);
}

int baseline_takes_members(Field field, const char *baseline, const char *actual) {
    _cleanup_strbuf_ StrBuf names = STRBUF_INIT(CANONICAL_SIZE_MAX), lost = STRBUF_INIT(CANONICAL_SIZE_MAX);
    Comparison comparison = { 0 };
    int r, n;

    if (strcmp(baseline, actual) == 0)
        return 0;
    n = baseline_new_members(field, baseline, actual, &names);
    if (n <= 0)
        return n;
    r = baseline_new_members(field, actual, baseline, &lost);
    if (r != 0)
        return r < 0 ? r : 0;
    r = compare_field(field, baseline, actual, &comparison);
    return r < 0 ? r : !comparison.differs;
}

/* Only the members that differ. */
static int add_unknown(Drift *drift, const char *baseline, const char *actual) {
    _cleanup_(aligned_done) Aligned aligned = { 0 };
    _cleanup_free_ const char *expected = NULL, *found = NULL;
    json_auto_t *a = NULL, *b = NULL;
    const char *name;
    json_t *value;
    void *next;
    int r;

    r = align(FIELD_UNKNOWN, baseline, actual, &aligned);
    if (r >= 0)
        r = baseline_parse(aligned.baseline, &a);
    if (r >= 0)
        r = baseline_parse(aligned.actual, &b);
    if (r < 0 || !json_is_object(a) || !json_is_object(b))
        return r < 0 ? r : drift_add(drift, FIELD_UNKNOWN, false, baseline, actual);
    json_object_foreach_safe(a, next, name, value) if (json_equal(value, json_object_get(b, name))) {
        (void)json_object_del(b, name);
        (void)json_object_del(a, name);
    }
    expected = json_text_dump(a, JSON_COMPACT | JSON_SORT_KEYS);
    found = json_text_dump(b, JSON_COMPACT | JSON_SORT_KEYS);
    return expected && found ? drift_add(drift, FIELD_UNKNOWN, false, expected, found) : -ENOMEM;
}

static int add_change(Drift *drift, Field field, bool loses, const char *expected, const char *actual) {
    return field == FIELD_UNKNOWN ? add_unknown(drift, expected, actual)
                                  : drift_add(drift, field, loses, expected, actual);
}

int baseline_compare(const Settings *baseline, const Settings *actual, Drift *ret) {
    Drift drift = { 0 };
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < _FIELD_MAX; i++) {
        const char *expected = baseline->values[i], *found = actual->values[i];
        Comparison comparison = { 0 };

        /* the usual case, without parsing */
        if (!expected || !found || strcmp(expected, found) == 0)
            continue;
        r = compare_field((Field)i, expected, found, &comparison);
        if (r >= 0 && comparison.differs)
            r = add_change(&drift, (Field)i, comparison.loses, expected, found);
        if (r >= 0 && comparison.strengthens)
            drift.changes[drift.n - 1].strengthens = true;
    }
    if (r < 0) {
        drift_done(&drift);
        return r;
    }
    *ret = drift;
    return 0;
}

int baseline_judge(const Settings *recorded, const Settings *desired, uint32_t pinned,
                   const Settings *actual, Drift *ret) {
    Drift drift = { 0 }, from_record = { 0 };
    uint32_t changed = 0;
    int r = baseline_compare(desired, actual, &drift);

    if (r >= 0)
        r = baseline_compare(recorded, actual, &from_record);
    for (unsigned i = 0; i < from_record.n; i++)
        changed |= FIELD_BIT(from_record.changes[i].field);
    drift_done(&from_record);
    if (r < 0) {
        drift_done(&drift);
        return r;
    }
    for (unsigned i = 0; i < drift.n; i++) {
        Change *change = &drift.changes[i];

        change->as_recorded = !(changed & FIELD_BIT(change->field));
        change->strengthens = change->strengthens && !(pinned & FIELD_BIT(change->field));
    }
    *ret = drift;
    return 0;
}

/* ---- pins ---- */

/* True if the pin means the same as the recording. */
static bool pin_agrees(Field field, const char *pin, const char *recorded) {
    return plain_fields[field].same(pin, recorded);
}

static int pin_field(Settings *settings, Field field, const char *pin) {
    _cleanup_free_ char *whole = NULL;
    const char *recorded = settings->values[field];
    StrBuf b = STRBUF_INIT(CANONICAL_SIZE_MAX);
    int r;

    if (!pin || (recorded && pin_agrees(field, pin, recorded)))
        return 0;
    if (field != FIELD_LOG_GROUP || pin[0] == '\0' || text_ends_with(pin, ":*"))
        return settings_set(settings, field, pin);
    (void)strbuf_addf(&b, "%s:*", pin);
    r = strbuf_take(&b, &whole);
    strbuf_done(&b);
    return r < 0 ? r : settings_set(settings, field, whole);
}

static int pin_selectors(Settings *settings, ManagementEvents wanted) {
    _cleanup_free_ char *more = NULL;
    const char *recorded = settings->values[FIELD_SELECTORS];
    bool enough = false;
    int r;

    /* not recorded yet: the pin alone would replace everything that the trail may have */
    if (wanted == MANAGEMENT_NOT_PINNED || !recorded)
        return 0;
    r = selectors_cover_management(recorded, wanted, &enough);
    if (r >= 0 && !enough)
        r = selectors_add_management(recorded, &more);
    if (r == -EINVAL)
        return 0;
    return r < 0 || !more ? r : settings_set(settings, FIELD_SELECTORS, more);
}

int baseline_effective(const Settings *recorded, const Expect *expect, Settings *ret) {
    Settings settings = { 0 };
    int r;

    r = settings_copy(recorded, &settings);
    for (unsigned i = 0; r >= 0 && i < _FIELD_MAX; i++)
        r = pin_field(&settings, (Field)i, expect->pins.values[i]);
    if (r >= 0 && expect->pins.values[SETTING_BUCKET_OWNER])
        r = settings_set(&settings, SETTING_BUCKET_OWNER, expect->pins.values[SETTING_BUCKET_OWNER]);
    if (r >= 0 && text_equal(expect->pins.values[FIELD_MULTI_REGION], "true") &&
        !expect->pins.values[FIELD_GLOBAL_EVENTS])
        r = settings_set(&settings, FIELD_GLOBAL_EVENTS, "true");
    if (r >= 0)
        r = pin_selectors(&settings, expect->management_events);
    if (r < 0) {
        settings_done(&settings);
        return r;
    }
    *ret = settings;
    return 0;
}

uint32_t baseline_pinned(const Expect *expect) {
    uint32_t fields = 0;

    for (Field f = 0; f < _FIELD_MAX; f++)
        fields |= expect->pins.values[f] ? FIELD_BIT(f) : 0;
    return fields;
}

uint64_t baseline_pins_mark(const Expect *expect) {
    ManagementEvents events = expect->management_events;
    uint64_t hash = guard_hash(GUARD_HASH_BASIS, &events, sizeof(events));
    uint32_t pinned = baseline_pinned(expect);

    if (pinned == 0 && events == MANAGEMENT_NOT_PINNED)
        return 0;
    for (Field f = 0; f < _FIELD_MAX; f++)
        if (pinned & FIELD_BIT(f)) {
            hash = guard_hash(hash, &f, sizeof(f));
            hash = guard_hash(hash, expect->pins.values[f], strlen(expect->pins.values[f]) + 1);
        }
    return (hash & (uint64_t)INT64_MAX) | 1; /* the state file has signed numbers */
}

/* ---- foreign keys ---- */

bool baseline_key_moved(const Change *change, const char *owner, Arn *ret) {
    Arn expected, actual;

    if (change->field != FIELD_KMS_KEY || arn_parse(change->actual, &actual) < 0 || !actual.account[0] ||
        text_equal(actual.account, owner))
        return false;
    if (arn_parse(change->expected, &expected) >= 0 && text_equal(expected.account, actual.account))
        return false;
    *ret = actual;
    return true;
}

/* ---- weak baselines ---- */

static void add_reason(StrBuf *b, int *n, bool holds, const char *reason) {
    if (!holds)
        return;
    (void)strbuf_addf(b, "%s%s", *n > 0 ? "; " : "", reason);
    (*n)++;
}

int baseline_weaknesses(const Settings *settings, StrBuf *b) {
    const char *selectors = settings->values[FIELD_SELECTORS];
    SelectorsManagement management = SELECTORS_ALL;
    int r = 0, n = 0;

    if (selectors)
        r = selectors_management(selectors, &management);
    if (r == -ENOMEM)
        return r;
    add_reason(b, &n, r < 0, "has event selectors that this version does not understand");
    add_reason(b, &n, management == SELECTORS_NONE, "records no management events");
    add_reason(b, &n, management == SELECTORS_READ, "records only management events that read");
    add_reason(b, &n, management == SELECTORS_WRITE, "records only management events that write");
    add_reason(b, &n, text_equal(settings->values[FIELD_VALIDATION], "false"), "log file validation is off");
    add_reason(b, &n, text_equal(settings->values[FIELD_MULTI_REGION], "false"),
               "covers a single region only");
    return strbuf_error(b) < 0 ? strbuf_error(b) : n;
}

#define WEAK_NAMED 8U

int baseline_name_weak(const Subject *trails, size_t n, StrBuf *b) {
    int r = 0;

    for (size_t i = 0; r >= 0 && i < MIN(n, WEAK_NAMED); i++)
        r = strbuf_addf(b, "%s%s %s %s", i > 0 ? ", " : "", trails[i].name, trails[i].region,
                        trails[i].account);
    if (r >= 0 && n > WEAK_NAMED)
        r = strbuf_addf(b, " and %zu more, see the journal", n - WEAK_NAMED);
    return r;
}

/* ---- the life of a baseline ---- */

bool recording_is_current(const Recording *known, bool unchanged, bool is_there) {
    if (!known->loaded || !unchanged)
        return false;
    /* a file removed while it is being written leaves no other trace */
    return is_there || !known->recorded || known->unsaved || known->provisional;
}

bool recording_is_due(const Recording *known) {
    return !known->shows && known->loaded && !known->provisional && (!known->recorded || known->unsaved);
}

bool recording_watches(const Recording *known) {
    return !known->shows && known->provisional && known->loaded && !known->recorded;
}

bool recording_is_rewritten(const Recording *known) {
    return !known->shows && known->recorded && !known->provisional;
}

bool recording_grows(const Recording *known) {
    return recording_is_rewritten(known) && !known->gone;
}

bool recording_lets_go(const Recording *known, bool listed, uint32_t findings) {
    return known->gone && !listed && (findings & FINDING_BIT(FINDING_MISSING));
}

bool recording_makes_stale(Action action, bool checked, bool was_stale) {
    return checked && (was_stale || action == ACTION_RESTORE || action == ACTION_RECREATE);
}

bool recording_is_news(const Acceptance *read) {
    uint64_t since_usec = read->before_usec;

    if (since_usec == 0)
        since_usec = read->started_usec - read->started_usec % USEC_PER_SEC;
    return !read->by_guard && read->recorded_usec > since_usec;
}

bool recording_was_cut_short(const Acceptance *read) {
    return read->by_guard && read->recorded_usec > read->before_usec;
}

Addition recording_addition(Field field, const char *recorded, const char *seen) {
    if (!seen || (field == FIELD_UNKNOWN && text_equal(seen, "{}")))
        return ADDITION_NONE;
    if (!recorded)
        return ADDITION_FIELD;
    return baseline_takes_members(field, recorded, seen) > 0 ? ADDITION_MEMBERS : ADDITION_NONE;
}

bool recording_is_weaker(const char *before, const char *after, int n) {
    return n > 0 && !text_equal(before, after);
}
