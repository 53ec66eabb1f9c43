/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/outbox_record.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/codec.h"
#include "daemon/io/sealed.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"

#define SCHEMA "trailguard.outbox/1"

static int read_subject(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    const char *s = json_string_value(value);

    return s && s[0] && s[0] != ' ' ? codec_read_ascii(m, value, base, reader) : -EINVAL;
}

static int read_filled(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    return json_string_length(value) > 0 ? codec_read_string(m, value, base, reader) : -EINVAL;
}

static const CodecKind codec_subject = { "a line of ASCII that can be a subject", codec_write_text,
                                         read_subject, NULL, NULL };
static const CodecKind codec_filled = { "a text", codec_write_string, read_filled, NULL, codec_done_string };

#define MUST .required = true, .always = true

static const CodecMember record_members[] = {
    CODEC(OutboxRecord, alert.id, "id", hex, MUST),
    CODEC(OutboxRecord, alert.incident, "incident", hex, MUST),
    CODEC(OutboxRecord, alert.event, "event", word, MUST, .names = &codec_events),
    CODEC(OutboxRecord, alert.severity, "severity", word, MUST, .names = &codec_severities),
    CODEC(OutboxRecord, alert.ends, "ends_incident", bool),
    CODEC(OutboxRecord, alert.time_usec, "time_usec", usec, MUST),
    CODEC(OutboxRecord, alert.subject, "subject", subject, MUST),
    CODEC(OutboxRecord, alert.text, "text", filled, MUST),
    CODEC(OutboxRecord, alert.sms, "sms", filled, MUST),
    CODEC(OutboxRecord, alert.document, "document", filled, MUST),
    CODEC(OutboxRecord, alert.account, "account", ascii, MUST),
    CODEC(OutboxRecord, alert.region, "region", ascii, MUST),
    CODEC(OutboxRecord, alert.trail, "trail", ascii, MUST),
    CODEC(OutboxRecord, acknowledged, "acknowledged", strings, .required = true, .old_name = "settled",
          .count = offsetof(OutboxRecord, n_acknowledged), .max = OUTBOX_CHANNELS_MAX),
    CODEC_END,
};

/* Additional members in a copy that is set aside. */
static const CodecMember refusal_members[] = {
    CODEC(OutboxRecord, refused_by, "channel", string),
    CODEC(OutboxRecord, refusal, "reason", string),
    CODEC_END,
};

void outbox_record_done(OutboxRecord *record) {
    codec_done(record_members, record);
}

int outbox_record_read(const char *text, size_t len, OutboxRecord *ret, char *reason, size_t reason_size) {
    OutboxRecord record = { 0 };
    int r = codec_read_document(text, len, SCHEMA, record_members, &record, reason, reason_size);

    if (r >= 0)
        *ret = record;
    return r;
}

int outbox_record_write(const OutboxRecord *record, char **ret, size_t *ret_len) {
    json_auto_t *root = json_pack("{s:s}", "schema", SCHEMA), *refused = NULL;
    _cleanup_free_ char *text = NULL;

    if (!root || codec_write_members(record_members, record, root) < 0)
        return -ENOMEM;
    if (record->refused_by && (codec_write(refusal_members, record, &refused) < 0 ||
                               json_object_set(root, "refused", refused) < 0))
        return -ENOMEM;
    text = json_text_dump(root, JSON_COMPACT);
    if (!text)
        return -ENOMEM;
    *ret_len = strlen(text);
    if (*ret_len > OUTBOX_RECORD_MAX)
        return -E2BIG;
    *ret = TAKE_PTR(text);
    return seal_add(ret, ret_len);
}

bool outbox_record_is_acknowledged(const OutboxRecord *record, const char *channel) {
    for (size_t i = 0; i < record->n_acknowledged; i++)
        if (strcmp(record->acknowledged[i], channel) == 0)
            return true;
    return false;
}

int outbox_record_acknowledge(OutboxRecord *record, const char *channel) {
    char **bigger, *copy;

    if (outbox_record_is_acknowledged(record, channel))
        return 0;
    copy = strdup(channel);
    bigger = copy ? realloc(record->acknowledged, (record->n_acknowledged + 1) * sizeof(*bigger)) : NULL;
    if (!bigger) {
        free(copy);
        return -ENOMEM;
    }
    record->acknowledged = bigger;
    if (record->n_acknowledged == OUTBOX_CHANNELS_MAX) {
        free(bigger[0]);
        memmove(&bigger[0], &bigger[1], (size_t)(--record->n_acknowledged) * sizeof(*bigger));
    }
    record->acknowledged[record->n_acknowledged++] = copy;
    return 0;
}
