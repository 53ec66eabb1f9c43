/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/alertmanager.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/channel_format.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/events.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define NAME_MAX_       64
#define DESCRIPTION_MAX 4096 /* enough for a mail; SNS and other channels get the full text */

/* True for messages that do not change what the incident is. */
static bool only_adds(EventKind event) {
    return event == EVENT_INCIDENT_REMINDER || event == EVENT_TRAIL_ATTRIBUTED ||
           event == EVENT_TRAIL_ATTEMPTED;
}

/* "TrailGuardTrailStopped" */
static const char *alert_name(EventKind event, char ret[static NAME_MAX_]) {
    const char *s = event_to_string(event);
    bool upper = true;
    size_t n;

    (void)text_copy(ret, NAME_MAX_, "TrailGuard");
    for (n = strlen(ret); *s && n < NAME_MAX_ - 1; s++) {
        if (*s == '.' || *s == '_') {
            upper = true;
            continue;
        }
        ret[n++] = (char)(upper ? toupper((unsigned char)*s) : *s);
        upper = false;
    }
    ret[n] = '\0';
    return ret;
}

/* An empty label counts as absent (Prometheus data model). */
static int add_label(json_t *labels, const char *name, const char *value) {
    return value[0] ? json_object_set_new(labels, name, json_string(value)) : 0;
}

/* Makes the labels. Each has few values: one per trail, or one of a fixed list. Whatever differs between
 * incidents is an annotation. */
static json_t *labels_of(const Alert *alert, const json_t *document) {
    const char *detail = json_string_value(json_object_get(document, "detail"));
    json_t *labels = json_object();
    char name[NAME_MAX_], channel[256] = "";
    bool about_channel = event_row(alert->event)->about_channel;
    int r = 0;

    if (about_channel && detail) { /* "CHANNEL: error" */
        const char *end = strstr(detail, ": ");

        (void)text_copy(channel, MIN(sizeof(channel), (end ? (size_t)(end - detail) : strlen(detail)) + 1),
                        detail);
    }
    r |= add_label(labels, "alertname", alert_name(alert->event, name));
    r |= add_label(labels, "service", "trailguard");
    r |= add_label(labels, "event", event_to_string(alert->event));
    r |= add_label(labels, "severity", severity_to_string(alert->severity));
    r |= add_label(labels, "account", alert->account);
    r |= add_label(labels, "region", alert->region);
    r |= add_label(labels, "trail", alert->trail);
    r |= add_label(labels, "channel", channel);
    if (r == 0)
        return labels;
    json_decref(labels);
    return NULL;
}

static json_t *annotations_of(const Alert *alert, const json_t *document) {
    const char *arn = json_string_value(json_object_get(json_object_get(document, "trail"), "arn"));
    char text[DESCRIPTION_MAX];

    (void)text_copy(text, sizeof(text), alert->text);
    return json_pack("{s:s, s:s, s:s, s:s}", "summary", alert->subject, "description", text, "incident",
                     alert->incident, "trail_arn", arn ? arn : "");
}

static uint64_t ends_of(const json_t *entry) {
    json_int_t ends = json_integer_value(json_object_get(entry, "ends"));

    return ends > 0 ? (uint64_t)ends : 0;
}

static int set_end(json_t *entry, uint64_t usec) {
    return json_object_set_new(entry, "ends", json_integer((json_int_t)usec));
}

/* Returns the open alert of an incident, or NULL. */
static json_t *find_open(const json_t *set, const char *incident) {
    json_t *entry;
    size_t i;

    json_array_foreach(set, i, entry) if (ends_of(entry) == 0 &&
                                          text_equal(json_string_value(json_object_get(entry, "incident")),
                                                     incident)) return entry;
    return NULL;
}

/* Removes alerts with these labels: one that ended is about to start again. */
static void remove_labels(json_t *set, const json_t *labels) {
    for (size_t i = json_array_size(set); i > 0; i--)
        if (json_equal(json_object_get(json_array_get(set, i - 1), "labels"), labels))
            (void)json_array_remove(set, i - 1);
}

/* ends is 0 for an open alert. */
static int add_entry(json_t *set, const Alert *alert, const json_t *document, uint64_t ends) {
    const char *opened = json_string_value(json_object_get(document, "opened"));
    char time[TIMETEXT_MAX];
    json_auto_t *labels = labels_of(alert, document);

    if (!labels)
        return -ENOMEM;
    remove_labels(set, labels);
    while (json_array_size(set) >= ALERTMANAGER_ALERTS_MAX)
        (void)json_array_remove(set, 0);
    if (json_array_append_new(set, json_pack("{s:s, s:I, s:O, s:o, s:s}", "incident", alert->incident,
                                             "ends", (json_int_t)ends, "labels", labels, "annotations",
                                             annotations_of(alert, document), "startsAt",
                                             opened ? opened : timetext_iso(time, alert->time_usec))) < 0)
        return -ENOMEM;
    return 0;
}

static int renew(json_t *entry, const Alert *alert, const json_t *document) {
    return json_object_set_new(entry, "annotations", annotations_of(alert, document)) < 0 ? -ENOMEM : 0;
}

static int apply(json_t *set, const Alert *alert, const json_t *document, uint64_t now_usec) {
    bool over = json_is_true(json_object_get(document, "resolved"));
    json_t *open = find_open(set, alert->incident);
    json_auto_t *labels = NULL;

    if (open && only_adds(alert->event) && !over)
        return renew(open, alert, document);
    if (open && alert_ends_incident(alert))
        return renew(open, alert, document) < 0 || set_end(open, now_usec) < 0 ? -ENOMEM : 0;
    if (alert_only_ends(alert->event))
        return 0;
    labels = labels_of(alert, document);
    if (!labels)
        return -ENOMEM;
    if (open && !over && json_equal(json_object_get(open, "labels"), labels))
        return renew(open, alert, document);
    if (open && set_end(open, now_usec) < 0)
        return -ENOMEM;
    return add_entry(set, alert, document, over ? now_usec + ALERTMANAGER_HOLD_USEC : 0);
}

/* Returns NULL only when out of memory, which must not look like damage. */
static json_t *read_set(const char *text) {
    json_t *set = NULL;

    if (text[0] && json_text_parse(text, strlen(text), 0, NULL, &set) == -ENOMEM)
        return NULL;
    if (json_is_array(set))
        return set;
    json_decref(set);
    return json_array();
}

/* Entries without labels are rejected, because Alertmanager would refuse the whole body. */
int alertmanager_check(const char *set) {
    json_auto_t *list = NULL;
    json_t *entry;
    size_t i;
    int r = json_text_parse(set, strlen(set), 0, NULL, &list);

    if (r == -ENOMEM)
        return r;
    if (r < 0 || !json_is_array(list))
        return -EINVAL;
    json_array_foreach(list, i, entry) if (!json_is_object(json_object_get(entry, "labels"))) return -EINVAL;
    return 0;
}

int alertmanager_apply(const char *set, const Alert *alert, uint64_t now_usec, char **ret) {
    json_auto_t *list = read_set(set), *document = NULL;
    int r = list ? 0 : -ENOMEM;

    if (r >= 0 && alert) {
        r = json_text_parse(alert->document, strlen(alert->document), 0, NULL, &document);
        if (r >= 0)
            r = apply(list, alert, document, now_usec);
    }
    if (r < 0)
        return r;
    for (size_t i = json_array_size(list); i > 0; i--) {
        uint64_t ends = ends_of(json_array_get(list, i - 1));

        if (ends != 0 && ends + ALERTMANAGER_HOLD_USEC < now_usec)
            (void)json_array_remove(list, i - 1);
    }
    *ret = json_text_dump(list, JSON_COMPACT);
    return *ret ? 0 : -ENOMEM;
}

int alertmanager_body(const char *set, uint64_t now_usec, char **ret) {
    json_auto_t *list = read_set(set), *body = json_array();
    json_t *entry;
    size_t i;

    *ret = NULL;
    if (!list || !body)
        return -ENOMEM;
    if (json_array_size(list) == 0)
        return 0;
    json_array_foreach(list, i, entry) {
        uint64_t ends = ends_of(entry);
        char time[TIMETEXT_MAX];

        if (json_array_append_new(
                    body, json_pack("{s:O?, s:O?, s:O?, s:s}", "labels", json_object_get(entry, "labels"),
                                    "annotations", json_object_get(entry, "annotations"), "startsAt",
                                    json_object_get(entry, "startsAt"), "endsAt",
                                    timetext_iso(time, ends ? ends : now_usec + ALERTMANAGER_HOLD_USEC))) <
            0)
            return -ENOMEM;
    }
    *ret = json_text_dump(body, JSON_COMPACT);
    return *ret ? 0 : -ENOMEM;
}
