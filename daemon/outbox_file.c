/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/outbox_file.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/words.h"
#include "lib/util/text.h"

#define SCHEMA "trailguard.outbox/1"

/* The texts of an alert that are arrays in it. */
static const struct {
    const char *name;
    size_t offset, size;
} arrays[] = {
#define ROW(member_)                                                                                        \
    { #member_, offsetof(Alert, member_), sizeof(((Alert *)NULL)->member_) }
    ROW(id), ROW(incident), ROW(subject), ROW(account), ROW(region), ROW(trail),
};

/* And those that it owns. */
static const struct {
    const char *name;
    size_t offset;
} strings[] = {
    { "text", offsetof(Alert, text) },
    { "sms", offsetof(Alert, sms) },
    { "document", offsetof(Alert, document) },
};

void outbox_receipts_done(OutboxReceipts *receipts) {
    for (size_t i = 0; i < receipts->n; i++)
        free(receipts->channels[i]);
    *receipts = (OutboxReceipts){ 0 };
}

void outbox_alert_done(Alert *alert) {
    free(alert->text);
    free(alert->sms);
    free(alert->document);
    *alert = (Alert){ 0 };
}

char *outbox_file_compose(const Alert *alert, const OutboxReceipts *receipts, const char *reason) {
    json_t *root, *settled = json_array();
    char *text = NULL;
    int bad = settled ? 0 : -1;

    for (size_t i = 0; i < receipts->n; i++)
        bad |= json_array_append_new(settled, json_string(receipts->channels[i]));
    root = json_pack("{s:s, s:s, s:s, s:I, s:o}", "schema", SCHEMA, "event", event_to_string(alert->event),
                     "severity", severity_to_string(alert->severity), "time_usec",
                     (json_int_t)alert->time_usec, "settled", settled);
    for (size_t i = 0; root && i < sizeof(arrays) / sizeof(arrays[0]); i++)
        bad |= json_object_set_new(root, arrays[i].name,
                                   json_string((const char *)alert + arrays[i].offset));
    for (size_t i = 0; root && i < sizeof(strings) / sizeof(strings[0]); i++)
        bad |= json_object_set_new(
                root, strings[i].name,
                json_string(*(char *const *)(const void *)((const char *)alert + strings[i].offset)));
    if (root && reason)
        bad |= json_object_set_new(root, "refused", json_string(reason));
    if (root && bad == 0)
        text = json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(root);
    return text;
}

static const char *get(const json_t *root, const char *name) {
    return json_string_value(json_object_get(root, name));
}

static int read_alert(const json_t *root, Alert *alert) {
    const json_t *time = json_object_get(root, "time_usec");

    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        const char *text = get(root, arrays[i].name);

        if (!text || !text_copy((char *)alert + arrays[i].offset, arrays[i].size, text))
            return -EBADMSG;
    }
    alert->event = event_from_string(get(root, "event"));
    alert->severity = severity_from_string(get(root, "severity"));
    if (alert->event == _EVENT_MAX || alert->severity == _SEVERITY_MAX || !alert->id[0] ||
        !alert->subject[0] || !json_is_integer(time) || json_integer_value(time) < 0)
        return -EBADMSG;
    alert->time_usec = (uint64_t)json_integer_value(time);
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        const char *text = get(root, strings[i].name);
        char **slot = (char **)(void *)((char *)alert + strings[i].offset);

        if (!text)
            return -EBADMSG;
        *slot = strdup(text);
        if (!*slot)
            return -ENOMEM;
    }
    return 0;
}

static int read_receipts(const json_t *root, OutboxReceipts *receipts) {
    const json_t *settled = json_object_get(root, "settled");

    if (!json_is_array(settled) || json_array_size(settled) > OUTBOX_RECEIPTS_MAX)
        return -EBADMSG;
    for (size_t i = 0; i < json_array_size(settled); i++) {
        const char *key = json_string_value(json_array_get(settled, i));

        if (!key)
            return -EBADMSG;
        receipts->channels[receipts->n] = strdup(key);
        if (!receipts->channels[receipts->n])
            return -ENOMEM;
        receipts->n++;
    }
    return 0;
}

int outbox_file_parse(const char *text, size_t len, Alert *ret_alert, OutboxReceipts *ret_receipts) {
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    OutboxReceipts receipts = { 0 };
    Alert alert = { 0 };
    int r = text_equal(get(root, "schema"), SCHEMA) ? read_alert(root, &alert) : -EBADMSG;

    if (r >= 0)
        r = read_receipts(root, &receipts);
    json_decref(root);
    if (r < 0) {
        outbox_alert_done(&alert);
        outbox_receipts_done(&receipts);
        return r;
    }
    *ret_alert = alert;
    *ret_receipts = receipts;
    return 0;
}
