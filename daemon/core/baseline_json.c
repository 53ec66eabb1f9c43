/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/baseline_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/core/enum_names.h"
#include "daemon/core/codec.h"
#include "daemon/core/settings.h"
#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define SCHEMA       "trailguard.baseline/1"
#define FOUND_SCHEMA "trailguard.found/1"
#define ADVANCED     "AdvancedEventSelectors"
#define BUCKET_OWNER "BucketOwner"
/* Earlier versions wrote so what was recorded through a member's account, to which AWS does not show tags:
 * with none, whatever the trail has. */
#define BY_MEMBER "guard, in a member's account"

typedef enum Shape {
    SHAPE_TEXT,
    SHAPE_BOOL,
    SHAPE_SELECTORS, /* one of two members */
    SHAPE_ARRAY,
    SHAPE_OBJECT,
} Shape;

static Shape shape_of(Field field) {
    switch (field) {
    case FIELD_MULTI_REGION:
    case FIELD_GLOBAL_EVENTS:
    case FIELD_VALIDATION:
    case FIELD_ORGANIZATION:
    case FIELD_RECURSIVE: return SHAPE_BOOL;
    case FIELD_SELECTORS: return SHAPE_SELECTORS;
    case FIELD_INSIGHTS: return SHAPE_ARRAY;
    case FIELD_CONFIGURATION:
    case FIELD_UNKNOWN:
    case FIELD_TAGS: return SHAPE_OBJECT;
    default: return SHAPE_TEXT;
    }
}

void baseline_version_done(BaselineVersion *version) {
    settings_done(&version->settings);
    free(version->by);
    *version = (BaselineVersion){ 0 };
}

void baseline_record_done(BaselineRecord *record) {
    baseline_version_done(&record->now);
    baseline_version_done(&record->previous);
    free(record->arn);
    *record = (BaselineRecord){ 0 };
}

/* ---- writing ---- */

/* Takes over the value, NULL when there was no memory for it. */
static int put(json_t *object, const char *name, json_t *value) {
    return value && json_object_set_new(object, name, value) >= 0 ? 0 : -ENOMEM;
}

/* {"EventSelectors":[...]} and its advanced sister give their one member. */
static int put_selectors(json_t *object, json_t *selectors) {
    const char *name = json_object_get(selectors, ADVANCED) ? ADVANCED : field_to_string(FIELD_SELECTORS);
    json_t *list = json_object_get(selectors, name);

    if (json_object_size(selectors) != 1 || !json_is_array(list))
        return -EINVAL;
    return put(object, name, json_incref(list));
}

static int put_json(json_t *object, Field field, const char *value) {
    json_auto_t *json = NULL;
    json_error_t error;
    int r;

    if (value[0] == '\0')
        return put(object, field_to_string(field), json_null());
    r = json_text_parse(value, strlen(value), JSON_REJECT_DUPLICATES, &error, &json);
    if (r < 0)
        return r;
    if (shape_of(field) == SHAPE_SELECTORS)
        return put_selectors(object, json);
    if (shape_of(field) == SHAPE_ARRAY ? !json_is_array(json) : !json_is_object(json))
        return -EINVAL;
    return put(object, field_to_string(field), json_incref(json));
}

static int put_setting(json_t *object, Field field, const char *value) {
    switch (shape_of(field)) {
    case SHAPE_TEXT: return put(object, field_to_string(field), json_text_new(value));
    case SHAPE_BOOL:
        if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
            return -EINVAL;
        return put(object, field_to_string(field), json_boolean(value[0] == 't'));
    default: return put_json(object, field, value);
    }
}

static int put_settings(json_t *object, const Settings *settings) {
    json_t *members = json_object();
    int r = put(object, "settings", members);

    for (unsigned i = 0; r >= 0 && i < _FIELD_MAX; i++)
        if (settings->values[i] && !(i == FIELD_UNKNOWN && strcmp(settings->values[i], "{}") == 0))
            r = put_setting(members, (Field)i, settings->values[i]);
    if (r >= 0 && settings->values[SETTING_BUCKET_OWNER])
        r = put(members, BUCKET_OWNER, json_text_new(settings->values[SETTING_BUCKET_OWNER]));
    return r;
}

static int put_time(json_t *object, const char *name, uint64_t usec) {
    char text[TIMETEXT_MAX];

    return put(object, name, json_string(timetext_iso(text, usec)));
}

static int put_version(json_t *object, const BaselineVersion *version) {
    char by[BASELINE_BY_MAX];
    int r;

    (void)text_copy(by, sizeof(by), version->by);
    r = put_time(object, "recorded_at", version->recorded_usec);
    if (r >= 0)
        r = put(object, "by", json_text_new(by));
    return r < 0 ? r : put_settings(object, &version->settings);
}

static int dump(const json_t *root, char **ret, size_t *ret_len) {
    _cleanup_free_ const char *text = json_dumps(root, JSON_INDENT(2));
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(BASELINE_SIZE_MAX);
    size_t len;
    int r;

    if (!text)
        return -ENOMEM;
    (void)strbuf_add(&b, text);
    (void)strbuf_add_char(&b, '\n');
    len = b.len;
    r = strbuf_take(&b, ret);
    if (r >= 0)
        *ret_len = len;
    return r;
}

int baseline_json_write(const BaselineRecord *record, char **ret, size_t *ret_len) {
    json_auto_t *root = json_pack("{s:s, s:s}", "schema", SCHEMA, "arn", record->arn);
    int r;

    if (!root)
        return -ENOMEM;
    r = record->gone ? put(root, "gone", json_true()) : 0;
    if (r >= 0)
        r = put_version(root, &record->now);
    if (r >= 0 && record->has_previous) {
        json_t *previous = json_object();

        r = put(root, "previous", previous);
        if (r >= 0)
            r = put_version(previous, &record->previous);
    }
    return r < 0 ? r : dump(root, ret, ret_len);
}

int baseline_json_write_found(const char *arn, uint64_t now_real_usec, const Settings *found, char **ret,
                              size_t *ret_len) {
    json_auto_t *root = json_pack("{s:s, s:s}", "schema", FOUND_SCHEMA, "arn", arn);
    int r;

    if (!root)
        return -ENOMEM;
    r = put_time(root, "found_at", now_real_usec);
    if (r >= 0)
        r = put_settings(root, found);
    return r < 0 ? r : dump(root, ret, ret_len);
}

/* ---- reading ---- */

/* Where the reason goes. */
typedef struct Reader {
    char *reason;
    size_t reason_size;
} Reader;

static int _printf_(2, 3) refuse(const Reader *r, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(r->reason, r->reason_size, format, ap);
    va_end(ap);
    return -EINVAL;
}

/* A JSON value as the text of a setting. 0, -EINVAL or -ENOMEM. */
static int value_to_text(Shape shape, const json_t *value, char **ret) {
    char *text;

    switch (shape) {
    case SHAPE_TEXT: text = json_is_string(value) ? strdup(json_string_value(value)) : NULL; break;
    case SHAPE_BOOL:
        text = json_is_boolean(value) ? strdup(json_is_true(value) ? "true" : "false") : NULL;
        break;
    case SHAPE_OBJECT: text = json_is_object(value) ? json_dumps(value, JSON_COMPACT) : NULL; break;
    default: text = json_is_array(value) ? json_dumps(value, JSON_COMPACT) : NULL; break;
    }
    if (!text) {
        bool fits = shape == SHAPE_TEXT     ? json_is_string(value)
                    : shape == SHAPE_BOOL   ? json_is_boolean(value)
                    : shape == SHAPE_OBJECT ? json_is_object(value)
                                            : json_is_array(value);
        return fits ? -ENOMEM : -EINVAL;
    }
    *ret = text;
    return 0;
}

static int read_setting(const Reader *r, const json_t *object, Field field, Settings *settings) {
    const char *name = field_to_string(field);
    const json_t *value = json_object_get(object, name);
    _cleanup_free_ char *text = NULL;
    int e;

    if (!value)
        return 0;
    if (json_is_null(value) && shape_of(field) >= SHAPE_SELECTORS)
        return settings_set(settings, field, "");
    e = value_to_text(shape_of(field), value, &text);
    if (e == -EINVAL)
        return refuse(r, "settings: %s is of the wrong type", name);
    return e < 0 ? e : settings_set(settings, field, text);
}

/* The text that CloudTrail's answer would have. */
static int read_selectors(const Reader *r, const json_t *object, Settings *settings) {
    const char *names[] = { field_to_string(FIELD_SELECTORS), ADVANCED };
    const char *name = json_object_get(object, ADVANCED) ? names[1] : names[0];
    json_t *list = json_object_get(object, name);
    json_auto_t *whole = NULL;
    _cleanup_free_ const char *text = NULL;

    if (json_object_get(object, names[0]) && json_object_get(object, names[1]))
        return refuse(r, "settings: %s and %s, of which there can be one", names[0], names[1]);
    if (!list || json_is_null(list))
        return list ? settings_set(settings, FIELD_SELECTORS, "") : 0;
    if (!json_is_array(list))
        return refuse(r, "settings: %s is of the wrong type", name);
    whole = json_pack("{s:O}", name, list);
    text = whole ? json_dumps(whole, JSON_COMPACT) : NULL;
    return text ? settings_set(settings, FIELD_SELECTORS, text) : -ENOMEM;
}

static int read_owner(const Reader *r, const json_t *object, Settings *settings) {
    const json_t *value = json_object_get(object, BUCKET_OWNER);
    const char *text = json_string_value(value);

    if (!value)
        return 0;
    if (!text || strlen(text) != 12 || strspn(text, "0123456789") != 12)
        return refuse(r, "settings: " BUCKET_OWNER " is not 12 digits");
    return settings_set(settings, SETTING_BUCKET_OWNER, text);
}

static int read_settings(const Reader *r, const json_t *object, Settings *settings) {
    int e = json_is_object(object) ? 0 : refuse(r, "settings: missing, or not an object");

    for (unsigned i = 0; e >= 0 && i < _FIELD_MAX; i++)
        e = shape_of((Field)i) == SHAPE_SELECTORS ? read_selectors(r, object, settings)
                                                  : read_setting(r, object, (Field)i, settings);
    return e < 0 ? e : read_owner(r, object, settings);
}

static int read_version(const Reader *r, const json_t *object, BaselineVersion *version) {
    const char *at = json_string_value(json_object_get(object, "recorded_at")),
               *by = json_string_value(json_object_get(object, "by"));
    int e;

    if (!at || timetext_parse_iso(at, &version->recorded_usec) < 0)
        return refuse(r, "recorded_at: missing, or not a time");
    if (!by || strlen(by) >= BASELINE_BY_MAX)
        return refuse(r, "by: missing, or not a text of less than %d bytes", BASELINE_BY_MAX);
    e = read_settings(r, json_object_get(object, "settings"), &version->settings);
    if (e >= 0 && text_equal(by, BY_MEMBER)) {
        by = "guard";
        e = settings_set(&version->settings, FIELD_TAGS, NULL);
    }
    if (e < 0)
        return e;
    version->by = strdup(by);
    return version->by ? 0 : -ENOMEM;
}

static int read_record(const Reader *r, const json_t *root, BaselineRecord *record) {
    const char *schema = json_string_value(json_object_get(root, "schema")),
               *arn = json_string_value(json_object_get(root, "arn"));
    const json_t *gone = json_object_get(root, "gone"), *previous = json_object_get(root, "previous");
    Arn parsed;
    int e;

    if (!schema || strcmp(schema, SCHEMA) != 0)
        return refuse(r, "its schema is not " SCHEMA);
    if (!arn || arn_parse(arn, &parsed) < 0 || !arn_is_trail(&parsed))
        return refuse(r, "arn: missing, or not the ARN of a trail");
    if (gone && !json_is_boolean(gone))
        return refuse(r, "gone: not true or false");
    record->gone = json_is_true(gone);
    record->arn = strdup(arn);
    e = record->arn ? read_version(r, root, &record->now) : -ENOMEM;
    if (e < 0 || !previous)
        return e;
    record->has_previous = true;
    return read_version(r, previous, &record->previous);
}

int baseline_json_read(const char *text, size_t len, BaselineRecord *ret, char *reason, size_t reason_size) {
    const Reader reader = { reason, reason_size };
    BaselineRecord record = { 0 };
    json_auto_t *root = NULL;
    json_error_t error;
    int r;

    r = json_text_parse(text, len, JSON_REJECT_DUPLICATES, &error, &root);
    if (r == -EINVAL)
        return refuse(&reader, "line %d: %s", error.line, json_text_why(&error));
    if (r >= 0)
        r = read_record(&reader, root, &record);
    if (r < 0) {
        baseline_record_done(&record);
        return r;
    }
    *ret = record;
    return 0;
}
