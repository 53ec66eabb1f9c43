/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/outbox_file.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/enum_names.h"
#include "daemon/core/codec.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define SCHEMA        "trailguard.outbox/1"
#define ID_LEN        64
#define NUMBER_DIGITS 20 /* of UINT64_MAX */
#define HEX           "0123456789abcdef"

/* ---- records ---- */

void outbox_record_done(OutboxRecord *record) {
    free(record->alert.text);
    free(record->alert.sms);
    free(record->alert.document);
    for (size_t i = 0; i < record->n_settled; i++)
        free(record->settled[i]);
    free(record->settled);
    *record = (OutboxRecord){ 0 };
}

bool outbox_record_is_settled(const OutboxRecord *record, const char *channel) {
    for (size_t i = 0; i < record->n_settled; i++)
        if (strcmp(record->settled[i], channel) == 0)
            return true;
    return false;
}

int outbox_record_settle(OutboxRecord *record, const char *channel) {
    char **bigger, *copy;

    if (outbox_record_is_settled(record, channel))
        return 0;
    copy = strdup(channel);
    bigger = copy ? realloc(record->settled, (record->n_settled + 1) * sizeof(*bigger)) : NULL;
    if (!bigger) {
        free(copy);
        return -ENOMEM;
    }
    record->settled = bigger;
    /* channels of configurations long gone make room */
    if (record->n_settled == OUTBOX_CHANNELS_MAX) {
        free(bigger[0]);
        memmove(&bigger[0], &bigger[1], (size_t)(--record->n_settled) * sizeof(*bigger));
    }
    record->settled[record->n_settled++] = copy;
    return 0;
}

/* ---- names ---- */

void outbox_file_name(char dst[static OUTBOX_NAME_MAX], uint64_t number, const char *id) {
    (void)snprintf(dst, OUTBOX_NAME_MAX, "%0*" PRIu64 "-%.64s.json", NUMBER_DIGITS, number, id);
}

static bool is_hex(const char *s, size_t len) {
    return strspn(s, HEX) == len && s[len] == '\0';
}

bool outbox_file_number(const char *name, uint64_t *ret_number) {
    char id[ID_LEN + 1];

    if (strspn(name, "0123456789") != NUMBER_DIGITS || name[NUMBER_DIGITS] != '-' ||
        strlen(name) != NUMBER_DIGITS + 1 + ID_LEN + strlen(".json") || !text_ends_with(name, ".json"))
        return false;
    memcpy(id, name + NUMBER_DIGITS + 1, ID_LEN);
    id[ID_LEN] = '\0';
    if (!is_hex(id, ID_LEN))
        return false;
    errno = 0;
    *ret_number = strtoull(name, NULL, 10);
    /* the last number is left out, so that there is always one after it */
    return errno == 0 && *ret_number < UINT64_MAX;
}

/* ---- writing ---- */

static json_t *settled_array(const OutboxRecord *record) {
    json_t *array = json_array();

    for (size_t i = 0; array && i < record->n_settled; i++)
        if (json_array_append_new(array, json_string(record->settled[i])) < 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

int outbox_file_format(const OutboxRecord *record, const char *channel, const char *reason, char **ret,
                       size_t *ret_len) {
    const Alert *a = &record->alert;
    json_auto_t *root = NULL;
    char *text;

    root = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "schema",
                     SCHEMA, "id", a->id, "incident", a->incident, "event", event_to_string(a->event),
                     "severity", severity_to_string(a->severity), "time_usec", (json_int_t)a->time_usec,
                     "subject", a->subject, "text", a->text, "sms", a->sms, "document", a->document,
                     "account", a->account, "region", a->region, "trail", a->trail, "settled",
                     settled_array(record));
    if (!root)
        return -EINVAL;
    if (channel && json_object_set_new(root, "refused",
                                       json_pack("{s:s, s:s}", "channel", channel, "reason", reason)) < 0)
        return -EINVAL;
    text = json_dumps(root, JSON_COMPACT);
    if (!text)
        return -ENOMEM;
    *ret_len = strlen(text);
    if (*ret_len > OUTBOX_FILE_MAX) {
        free(text);
        return -E2BIG;
    }
    *ret = text;
    return 0;
}

/* ---- reading ---- */

typedef struct Reading {
    const json_t *root;
    const char *why; /* NULL while all is well */
    bool no_memory;
} Reading;

static const char *string_of(Reading *r, const char *key) {
    const char *s = json_string_value(json_object_get(r->root, key));

    if (!s && !r->why)
        r->why = key;
    return s ? s : "";
}

/* A text that fits and is printable ASCII. */
static void read_plain(Reading *r, const char *key, char *dst, size_t size) {
    const char *s = string_of(r, key);
    bool good = text_copy(dst, size, s);

    for (; *s && good; s++)
        good = *s >= 0x20 && *s <= 0x7e;
    if (!good && !r->why)
        r->why = key;
}

static void read_hex(Reading *r, const char *key, char *dst, size_t size) {
    read_plain(r, key, dst, size);
    if (!r->why && !is_hex(dst, size - 1))
        r->why = key;
}

static char *read_long(Reading *r, const char *key) {
    const char *s = string_of(r, key);
    char *copy;

    if (!*s && !r->why)
        r->why = key;
    if (r->why)
        return NULL;
    copy = strdup(s);
    r->no_memory |= !copy;
    return copy;
}

static void read_alert(Reading *r, Alert *a) {
    const json_t *time = json_object_get(r->root, "time_usec");

    read_hex(r, "id", a->id, sizeof(a->id));
    read_hex(r, "incident", a->incident, sizeof(a->incident));
    read_plain(r, "subject", a->subject, sizeof(a->subject));
    if (!r->why && (!a->subject[0] || a->subject[0] == ' '))
        r->why = "subject";
    read_plain(r, "account", a->account, sizeof(a->account));
    read_plain(r, "region", a->region, sizeof(a->region));
    read_plain(r, "trail", a->trail, sizeof(a->trail));
    a->event = event_from_string(string_of(r, "event"));
    if (!r->why && a->event == _EVENT_MAX)
        r->why = "event";
    a->severity = severity_from_string(string_of(r, "severity"));
    if (!r->why && a->severity == _SEVERITY_MAX)
        r->why = "severity";
    if (!r->why && (!json_is_integer(time) || json_integer_value(time) < 0))
        r->why = "time_usec";
    a->time_usec = (uint64_t)json_integer_value(time);
    a->text = read_long(r, "text");
    a->sms = read_long(r, "sms");
    a->document = read_long(r, "document");
}

static void read_settled(Reading *r, OutboxRecord *record) {
    const json_t *array = json_object_get(r->root, "settled");

    if (!json_is_array(array) || json_array_size(array) > OUTBOX_CHANNELS_MAX)
        r->why = "settled";
    for (size_t i = 0; !r->why && i < json_array_size(array); i++) {
        const char *key = json_string_value(json_array_get(array, i));

        if (!key)
            r->why = "settled";
        else if (outbox_record_settle(record, key) < 0)
            r->no_memory = true;
    }
}

int outbox_file_parse(const char *data, size_t len, OutboxRecord *ret, const char **ret_why) {
    json_auto_t *root = NULL;
    OutboxRecord record = { 0 };
    Reading reading = { 0 };
    json_error_t error;

    if (json_text_parse(data, len, JSON_REJECT_DUPLICATES, &error, &root) == -ENOMEM)
        return -ENOMEM;
    if (!json_is_object(root)) {
        *ret_why = "not a JSON object";
        return -EBADMSG;
    }
    reading.root = root;
    if (strcmp(string_of(&reading, "schema"), SCHEMA) != 0)
        reading.why = "schema";
    read_alert(&reading, &record.alert);
    if (!reading.why)
        read_settled(&reading, &record);
    if (reading.why || reading.no_memory) {
        outbox_record_done(&record);
        *ret_why = reading.why;
        return reading.why ? -EBADMSG : -ENOMEM;
    }
    *ret = record;
    return 0;
}
