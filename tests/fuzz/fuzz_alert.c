/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile text in each place where a message has text of others. The input is a few numbers that choose the
 * message, and then the texts, each ended by a NUL. However they are mixed: what is composed is printable,
 * and JSON where it should be. */
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/alert.h"
#include "daemon/core/alertmanager.h"
#include "daemon/core/channel_format.h"
#include "lib/sns.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define TIME (1795428131ULL * USEC_PER_SEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

/* ---- the input ---- */

typedef struct Input {
    const uint8_t *data;
    size_t size;
} Input;

/* 0 at the end. */
static unsigned take_number(Input *in, unsigned end) {
    if (in->size == 0)
        return 0;
    in->size--;
    return *in->data++ % end;
}

static void take_text(Input *in, char *dst, size_t size) {
    size_t n = strnlen((const char *)in->data, in->size), kept = MIN(n, size - 1);

    if (kept > 0)
        memcpy(dst, in->data, kept);
    dst[kept] = '\0';
    n += n < in->size;
    in->data += n;
    in->size -= n;
}

#define TEXT(in, field) take_text(in, field, sizeof(field))

static void take_event(Input *in, Event *event) {
    unsigned flags;

    *event = (Event){ .sequence = 1, .incident_dedup_usec = TIME, .dedup_usec = TIME, .opened_usec = TIME,
                      .time_usec = TIME + 7 * USEC_PER_SEC };
    event->kind = take_number(in, _EVENT_MAX);
    event->phase = take_number(in, _EVENT_PHASE_MAX);
    event->severity = take_number(in, _SEVERITY_MAX);
    event->mode = take_number(in, _MODE_MAX);
    event->action = (ActionReport){ .taken = take_number(in, _ACTION_MAX),
                                    .result = take_number(in, _RESULT_MAX),
                                    .attempts = take_number(in, 4) };
    event->restore = event->action;
    event->about = FINDING_BIT(take_number(in, _FINDING_MAX));
    event->findings = event->about;
    event->fields = FIELD_BIT(take_number(in, _FIELD_MAX));
    event->standing = take_number(in, _DESTINATION_MAX);
    flags = take_number(in, 256);
    event->resolves = flags & 1;
    event->may_act = flags & 2;
    event->first_sight = flags & 4;
    event->fields_left = flags & 8 ? event->fields : 0;
    event->maintenance = flags & 16;
    event->nobody = flags & 32;
    event->has_actor = flags & 64;
    event->provisional = flags & 128;
}

static void take_actor(Input *in, Actor *actor) {
    TEXT(in, actor->type);
    TEXT(in, actor->arn);
    TEXT(in, actor->name);
    TEXT(in, actor->invoked_by);
    TEXT(in, actor->source_ip);
    TEXT(in, actor->user_agent);
    TEXT(in, actor->access_key);
    TEXT(in, actor->event_id);
    TEXT(in, actor->event_name);
    TEXT(in, actor->error_code);
    TEXT(in, actor->departure);
}

/* ---- what holds for each message ---- */

static void check_printable(const char *text, bool lines, bool ascii) {
    json_t *utf8 = json_string(text); /* NULL when it is not */

    for (const unsigned char *s = (const unsigned char *)text; *s; s++)
        check((*s == '\n' && lines) || (*s >= 0x20 && *s != 0x7f && (!ascii || *s < 0x7f)));
    check(utf8 != NULL);
    json_decref(utf8);
}

static void check_json(const char *text) {
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

    check(root != NULL);
    json_decref(root);
}

static void check_alert(const Alert *alert) {
    char *body = NULL, *set = NULL;

    check(strlen(alert->subject) < ALERT_SUBJECT_MAX && alert->subject[0] > ' ');
    check_printable(alert->subject, false, true);
    check_printable(alert->sms, false, true);
    check_printable(alert->text, true, false);
    check_json(alert->document);

    for (AlertFormat format = 0; format < _ALERT_FORMAT_MAX; format++) {
        check(alert_format_body(format, alert, "key", &body) == 0);
        check_json(body);
        free(body);
    }
    check(alert_sns_message(alert, NULL, SNS_MESSAGE_MAX, &body) == 0 && strlen(body) <= SNS_MESSAGE_MAX);
    check_json(body);
    free(body);

    check(alertmanager_apply("", alert, TIME, &set) == 0);
    check(alertmanager_body(set, TIME, &body) == 0);
    if (body)
        check_json(body);
    free(body);
    free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const AlertGuard guard = { "guard1", "1.0" };
    static char name[512], arn[1024], expected[4096], actual[4096];
    Subject subject = { name, arn, "111122223333", "eu-central-1" };
    Input in = { data, size };
    Drift drift = { .n = 1 };
    Event event;
    Alert alert;
    int r;

    take_event(&in, &event);
    TEXT(&in, name);
    TEXT(&in, arn);
    TEXT(&in, event.detail);
    take_actor(&in, &event.actor);
    TEXT(&in, expected);
    TEXT(&in, actual);
    for (unsigned field = 0; field < _FIELD_MAX; field++)
        if (event.fields & FIELD_BIT(field))
            drift.changes[0].field = field;
    drift.changes[0].expected = expected;
    drift.changes[0].actual = actual;
    event.changes = event.fields ? &drift : NULL;

    r = alert_compose(&guard, &subject, &event, &alert);
    check(r == 0 || r == -EINVAL);
    if (r == 0) {
        check_alert(&alert);
        alert_done(&alert);
    }
    return 0;
}
