/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/baseline_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/core/codec.h"
#include "daemon/core/enum_names.h"
#include "lib/util/json_text.h"
#include "daemon/core/settings.h"
#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define SCHEMA       "trailguard.baseline/1"
#define FOUND_SCHEMA "trailguard.found/1"
#define ADVANCED     "AdvancedEventSelectors"
/* Earlier versions recorded this for baselines read through a member account. AWS does not show tags to
 * members, so such a baseline has none, whatever the trail has. */
#define BY_MEMBER "guard, in a member's account"

/* How a setting is written in the file. Text and bool are not JSON in Settings. */
typedef enum Shape {
    SHAPE_TEXT,
    SHAPE_BOOL,
    SHAPE_OWNER,
    SHAPE_SELECTORS, /* one of two possible members */
    SHAPE_ARRAY,
    SHAPE_OBJECT,
} Shape;

static const Shape shapes[_FIELD_MAX + 1] = {
    [FIELD_MULTI_REGION] = SHAPE_BOOL,    [FIELD_GLOBAL_EVENTS] = SHAPE_BOOL,
    [FIELD_VALIDATION] = SHAPE_BOOL,      [FIELD_ORGANIZATION] = SHAPE_BOOL,
    [FIELD_RECURSIVE] = SHAPE_BOOL,       [FIELD_SELECTORS] = SHAPE_SELECTORS,
    [FIELD_INSIGHTS] = SHAPE_ARRAY,       [FIELD_CONFIGURATION] = SHAPE_OBJECT,
    [FIELD_TAGS] = SHAPE_OBJECT,          [FIELD_UNKNOWN] = SHAPE_OBJECT,
    [SETTING_BUCKET_OWNER] = SHAPE_OWNER,
};

static const char *name_of(unsigned i) {
    return i == SETTING_BUCKET_OWNER ? "BucketOwner" : field_to_string((Field)i);
}

/* ---- settings, by shape ---- */

/* Takes ownership of the value, which is NULL after an allocation failure. */
static int put(json_t *object, const char *name, json_t *value) {
    return value && json_object_set_new(object, name, value) >= 0 ? 0 : -ENOMEM;
}

/* Writes the one member of {"EventSelectors":[...]} or of its advanced form. */
static int put_selectors(json_t *object, json_t *selectors) {
    const char *name = json_object_get(selectors, ADVANCED) ? ADVANCED : field_to_string(FIELD_SELECTORS);
    json_t *list = json_object_get(selectors, name);

    if (json_object_size(selectors) != 1 || !json_is_array(list))
        return -EINVAL;
    return put(object, name, json_incref(list));
}

static int put_json(json_t *object, unsigned i, const char *value) {
    json_auto_t *json = NULL;
    json_error_t error;
    int r;

    if (value[0] == '\0')
        return put(object, name_of(i), json_null());
    r = json_text_parse(value, strlen(value), JSON_REJECT_DUPLICATES, &error, &json);
    if (r < 0)
        return r;
    if (shapes[i] == SHAPE_SELECTORS)
        return put_selectors(object, json);
    if (shapes[i] == SHAPE_ARRAY ? !json_is_array(json) : !json_is_object(json))
        return -EINVAL;
    return put(object, name_of(i), json_incref(json));
}

static int put_setting(json_t *object, unsigned i, const char *value) {
    if (shapes[i] >= SHAPE_SELECTORS)
        return put_json(object, i, value);
    if (shapes[i] != SHAPE_BOOL)
        return put(object, name_of(i), json_text_new(value));
    if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return -EINVAL;
    return put(object, name_of(i), json_boolean(value[0] == 't'));
}

static int write_settings(const CodecMember *m, const void *base, json_t **ret) {
    const Settings *settings = (const void *)((const char *)base + m->offset);
    json_auto_t *object = json_object();
    int r = object ? 0 : -ENOMEM;

    for (unsigned i = 0; r >= 0 && i < ARRAY_SIZE(settings->values); i++)
        if (settings->values[i] && !(i == FIELD_UNKNOWN && strcmp(settings->values[i], "{}") == 0))
            r = put_setting(object, i, settings->values[i]);
    if (r >= 0)
        *ret = TAKE_PTR(object);
    return r;
}

/* Returns whether the value has the shape. */
static bool fits(Shape shape, const json_t *value) {
    const char *s = json_string_value(value);

    switch (shape) {
    case SHAPE_TEXT: return s != NULL;
    case SHAPE_BOOL: return json_is_boolean(value);
    case SHAPE_OWNER: return s && strlen(s) == 12 && strspn(s, "0123456789") == 12;
    case SHAPE_OBJECT: return json_is_object(value);
    default: return json_is_array(value);
    }
}

/* Returns a value of the right shape as text in the form of CloudTrail's answer, NULL when out of memory. */
static char *to_text(unsigned i, const char *name, json_t *value) {
    json_auto_t *whole = NULL;

    if (json_is_string(value))
        return strdup(json_string_value(value));
    if (shapes[i] != SHAPE_SELECTORS)
        return json_text_dump(value, JSON_COMPACT | JSON_ENCODE_ANY);
    whole = json_pack("{s:O}", name, value);
    return whole ? json_text_dump(whole, JSON_COMPACT) : NULL;
}

static int read_setting(const json_t *object, unsigned i, Settings *settings, CodecReader *reader) {
    static const char *const wanted[] = {
        [SHAPE_TEXT] = "a string",    [SHAPE_BOOL] = "true or false", [SHAPE_OWNER] = "12 digits",
        [SHAPE_SELECTORS] = "a list", [SHAPE_ARRAY] = "a list",       [SHAPE_OBJECT] = "an object",
    };
    const char *name = i == FIELD_SELECTORS && json_object_get(object, ADVANCED) ? ADVANCED : name_of(i);
    json_t *value = json_object_get(object, name);
    _cleanup_free_ char *text = NULL;
    size_t len = strlen(reader->path);

    if (!value)
        return 0;
    if (json_is_null(value) && shapes[i] >= SHAPE_SELECTORS)
        return settings_set(settings, (Field)i, "");
    (void)snprintf(reader->path + len, sizeof(reader->path) - len, ".%s", name);
    if (name != name_of(i) && json_object_get(object, name_of(i)))
        return codec_refuse(reader, value, "alone: EventSelectors is there too");
    if (!fits(shapes[i], value))
        return codec_refuse(reader, value, wanted[shapes[i]]);
    reader->path[len] = '\0';
    text = to_text(i, name, value);
    return text ? settings_set(settings, (Field)i, text) : -ENOMEM;
}

static int read_settings(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    int r = json_is_object(value) ? 0 : -EINVAL;

    for (unsigned i = 0; r >= 0 && i <= SETTING_BUCKET_OWNER; i++)
        r = read_setting(value, i, (void *)((char *)base + m->offset), reader);
    return r;
}

static void done_settings(const CodecMember *m, void *base) {
    settings_done((void *)((char *)base + m->offset));
}

static const CodecKind codec_settings = { "an object", write_settings, read_settings, NULL, done_settings };

/* ---- records ---- */

/* Long text is cut. */
static int write_by(const CodecMember *m, const void *base, json_t **ret) {
    char by[BASELINE_BY_MAX];

    (void)text_copy(by, sizeof(by), *(char *const *)((const char *)base + m->offset));
    *ret = json_text_new(by);
    return *ret ? 0 : -ENOMEM;
}

static int read_arn(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    Arn parsed;

    if (!json_is_string(value) || arn_parse(json_string_value(value), &parsed) < 0 || !arn_is_trail(&parsed))
        return -EINVAL;
    return codec_read_string(m, value, base, reader);
}

static const CodecKind codec_by = { "a text of less than 256 bytes", write_by, codec_read_string, NULL,
                                    codec_done_string };
static const CodecKind codec_arn = { "the ARN of a trail", codec_write_string, read_arn, NULL,
                                     codec_done_string };

static bool is_recorded(const void *field) {
    return ((const BaselineVersion *)field)->by != NULL;
}

static const CodecMember version_members[] = {
    CODEC(BaselineVersion, recorded_usec, "recorded_at", time, .required = true),
    CODEC(BaselineVersion, by, "by", by, .required = true, .max = BASELINE_BY_MAX - 1),
    CODEC(BaselineVersion, settings, "settings", settings, .required = true),
    CODEC_END,
};

static const CodecMember record_members[] = {
    CODEC(BaselineRecord, arn, "arn", arn, .required = true),
    CODEC(BaselineRecord, gone, "gone", bool),
    CODEC(BaselineRecord, latest, NULL, object, .members = version_members),
    CODEC(BaselineRecord, previous, "previous", object, .members = version_members, .is_set = is_recorded),
    CODEC_END,
};

/* The settings that were found before a restore. */
typedef struct Found {
    char *arn;
    uint64_t found_usec;
    Settings settings; /* borrowed */
} Found;

static const CodecMember found_members[] = {
    CODEC(Found, arn, "arn", arn),
    CODEC(Found, found_usec, "found_at", time),
    CODEC(Found, settings, "settings", settings),
    CODEC_END,
};

void baseline_record_done(BaselineRecord *record) {
    codec_done(record_members, record);
    *record = (BaselineRecord){ 0 };
}

static int dump(const char *schema, const CodecMember *members, const void *base, char **ret,
                size_t *ret_len) {
    json_auto_t *root = json_pack("{s:s}", "schema", schema);
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(BASELINE_SIZE_MAX);
    _cleanup_free_ const char *text = NULL;
    size_t len;
    int r = root ? codec_write_members(members, base, root) : -ENOMEM;

    if (r < 0)
        return r;
    text = json_text_dump(root, JSON_INDENT(2));
    if (!text)
        return -ENOMEM;
    (void)strbuf_addf(&b, "%s\n", text);
    len = b.len;
    r = strbuf_take(&b, ret);
    if (r >= 0)
        *ret_len = len;
    return r;
}

int baseline_json_write(const BaselineRecord *record, char **ret, size_t *ret_len) {
    return dump(SCHEMA, record_members, record, ret, ret_len);
}

int baseline_json_write_found(const char *arn, uint64_t now_real_usec, const Settings *found, char **ret,
                              size_t *ret_len) {
    const Found what = { .arn = (char *)arn, .found_usec = now_real_usec, .settings = *found };

    return dump(FOUND_SCHEMA, found_members, &what, ret, ret_len);
}

static void forget_tags_of_member(BaselineVersion *version) {
    if (!text_equal(version->by, BY_MEMBER))
        return;
    memcpy(version->by, "guard", sizeof("guard")); /* shorter, so it fits */
    (void)settings_set(&version->settings, FIELD_TAGS, NULL); /* allocates nothing */
}

int baseline_json_read(const char *text, size_t len, BaselineRecord *ret, char *reason, size_t reason_size) {
    BaselineRecord record = { 0 };
    int r = codec_read_document(text, len, SCHEMA, record_members, &record, reason, reason_size);

    if (r < 0) {
        baseline_record_done(&record);
        return r;
    }
    forget_tags_of_member(&record.latest);
    forget_tags_of_member(&record.previous);
    record.has_previous = is_recorded(&record.previous);
    *ret = record;
    return 0;
}
