/* SPDX-License-Identifier: Apache-2.0 */
/* The document trailguard.alert/1 (docs/alert.schema.json), and the envelope for SNS. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/alert_private.h"
#include "daemon/core/contain.h"
#include "daemon/core/hold.h"
#include "daemon/core/enum_names.h"
#include "lib/util/json_text.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define SCHEMA   "trailguard.alert/1"
#define TEXT_MIN 256 /* the minimum of a truncated mail */

/* Outside text in displayable form; "" becomes null. NULL when out of memory. */
static json_t *foreign(const char *s) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(4096);

    if (!s[0])
        return json_null();
    return text_escape(&b, s, ALERT_FOREIGN_MAX) < 0 ? NULL : json_stringn(b.data, b.len);
}

static json_t *time_or_null(uint64_t usec) {
    char text[TIMETEXT_MAX];

    (void)timetext_iso(text, usec);
    return text[0] == '-' ? json_null() : json_string(text);
}

static json_t *trail_of(const Subject *subject, const Event *event) {
    if (!alert_is_about_trail(subject, event))
        return json_null();
    return json_pack("{s:o, s:o}", "name", foreign(subject->name), "arn", foreign(subject->arn));
}

static json_t *gap_of(const Event *event) {
    if (!alert_shows_gap(event))
        return json_null();
    return json_pack("{s:o, s:o}", "from", time_or_null(event->gap.from_usec), "to",
                     time_or_null(event->gap.to_usec));
}

static json_t *action_of(const Event *event) {
    return json_pack("{s:s, s:s, s:I}", "taken", action_to_string(event->action.taken), "result",
                     action_result_to_string(event->action.result), "attempts",
                     (json_int_t)event->action.attempts);
}

static json_t *repeats_of(const Event *event) {
    if (event->phase != PHASE_SUMMARY)
        return json_null();
    return json_pack("{s:I, s:o, s:o, s:f}", "count", (json_int_t)event->repeats.count, "first",
                     time_or_null(event->repeats.first_usec), "last", time_or_null(event->repeats.last_usec),
                     "total_seconds", (double)event->repeats.total_usec / 1e6);
}

static json_t *contest_of(const Event *event) {
    const Repeats *contest = &event->contest;

    if (contest->count == 0)
        return json_null();
    return json_pack("{s:I, s:o, s:o, s:f, s:I}", "stops", (json_int_t)contest->count, "since",
                     time_or_null(contest->first_usec), "last", time_or_null(contest->last_usec),
                     "lost_seconds", (double)contest->total_usec / 1e6, "lost_percent",
                     (json_int_t)alert_lost_percent(event));
}

/* Appends to a list, which is NULL from then on when out of memory. Takes value over. */
static void extend(json_t **list, json_t *value) {
    if (json_array_append_new(*list, value) < 0) {
        json_decref(*list);
        *list = NULL;
    }
}

static json_t *findings_of(const Event *event) {
    json_t *list = json_array();

    for (unsigned f = 0; f < _FINDING_MAX; f++)
        if (event->findings & FINDING_BIT(f))
            extend(&list, json_string(finding_to_string(f)));
    return list;
}

static json_t *fields_of(uint32_t fields) {
    json_t *list = json_array();

    for (Field f = 0; f < _FIELD_MAX; f++)
        if (fields & FIELD_BIT(f))
            extend(&list, json_string(field_to_string(f)));
    return list;
}

/* A setting; null if not set. */
static json_t *alert_json_value_of(const Event *event, const char *value) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(2 * ALERT_VALUE_MAX);

    if (!value[0])
        return json_null();
    return alert_add_value(event, &b, value) < 0 ? NULL : json_stringn(b.data, b.len);
}

static json_t *changes_of(const Event *event) {
    json_t *list = json_array();

    for (unsigned i = 0; event->changes && i < event->changes->n; i++) {
        const Change *change = &event->changes->changes[i];

        if (alert_shows_change(event, change))
            extend(&list, json_pack("{s:s, s:o, s:o}", "field", field_to_string(change->field), "expected",
                                    alert_json_value_of(event, change->expected), "actual",
                                    alert_json_value_of(event, change->actual)));
    }
    return list;
}

static json_t *caller_of(const Actor *a) {
    return json_pack("{s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
                     "s:o, s:o}",
                     "source_identity", foreign(a->source_identity), "on_behalf_of",
                     foreign(a->on_behalf_of), "identity_store", foreign(a->identity_store), "delegate",
                     foreign(a->delegate), "assumed_root", a->assumed_root, "unnamed_guard",
                     a->unnamed_guard, "parameters_omitted", a->omitted, "arn", foreign(a->arn), "type",
                     foreign(a->type), "name", foreign(a->name), "account", foreign(a->account),
                     "invoked_by", foreign(a->invoked_by), "source_ip", foreign(a->source_ip), "user_agent",
                     foreign(a->user_agent), "access_key", foreign(a->access_key), "event_id",
                     foreign(a->event_id), "event_name", foreign(a->event_name), "event_time",
                     time_or_null(a->event_usec), "error_code", foreign(a->error_code));
}

static json_t *actor_of(const Event *event) {
    return event->has_actor ? caller_of(&event->actor) : json_null();
}

static json_t *candidates_of(const Event *event) {
    json_t *list = json_array();

    for (unsigned i = 0; list && i < event->doubt->n_candidates; i++)
        if (json_array_append_new(list, caller_of(&event->doubt->candidates[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

#define MEMBERS_MAX 200

static json_t *members_of(const Event *event) {
    json_t *list = event->cause == CAUSE_OWN ? json_null() : json_array();
    size_t n = event->cause == CAUSE_OWN ? 0 : MIN(event->n_members, (size_t)MEMBERS_MAX);

    for (size_t i = 0; i < n; i++)
        extend(&list, json_pack("{s:o, s:o}", "account", foreign(event->members[i].account), "region",
                                foreign(event->members[i].region)));
    return list;
}

/* MITRE ATT&CK: Disable or Modify Cloud Logs, under its old and new number. */
static json_t *attack_of(const Event *event) {
    return alert_may_be_attack(event) ? json_pack("[s, s]", "T1562.008", "T1685.002") : json_array();
}

/* Where a new trail delivers, and who owns the bucket. */
static json_t *destination_of(const Event *event) {
    static const struct {
        const char *name;
        Field field;
    } rows[] = {
        { "bucket", FIELD_BUCKET },
        { "prefix", FIELD_PREFIX },
        { "log_group", FIELD_LOG_GROUP },
        { "kms_key", FIELD_KMS_KEY },
    };
    json_t *object = json_pack("{s:s, s:o}", "standing", destination_to_string(event->standing), "whose",
                               foreign(event->detail));

    for (size_t i = 0; object && i < ARRAY_SIZE(rows); i++) {
        const char *value = event->delivers->values[rows[i].field];

        if (json_object_set_new(object, rows[i].name, foreign(value ? value : "")) < 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *lines_of(const char *text) {
    json_t *list = json_array();

    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");

        extend(&list, json_stringn(line, len));
        line += len + (line[len] == '\n');
    }
    return list;
}

/* The proposed containment. */
static json_t *contain_of(const Containment *contain) {
    _cleanup_strbuf_ StrBuf commands = STRBUF_INIT(4096), undo = STRBUF_INIT(4096),
                            reason = STRBUF_INIT(256);

    if (contain_commands(contain, false, &commands) < 0 || contain_commands(contain, true, &undo) < 0 ||
        contain_reason(contain, &reason) < 0)
        return NULL;
    return json_pack("{s:o, s:s, s:I, s:s, s:o, s:o}", "arn", foreign(contain->arn), "kind",
                     contain->is_role ? "role" : "user", "tamperings", (json_int_t)contain->n_tamperings,
                     "reason", strbuf_str(&reason), "commands", lines_of(strbuf_str(&commands)), "undo",
                     lines_of(strbuf_str(&undo)));
}

/* The containment of an identity, and its result. */
static json_t *contained_of(const Event *event) {
    static const char *const steps[_CONTAIN_STEP_MAX] = {
        [CONTAIN_STEP_ABOUT] = "about_to",  [CONTAIN_STEP_HELD] = "done",
        [CONTAIN_STEP_FAILED] = "failed",   [CONTAIN_STEP_REMOVED] = "removed_by_others",
        [CONTAIN_STEP_GIVEN_UP] = "given_up", [CONTAIN_STEP_GONE] = "gone",
        [CONTAIN_STEP_RELEASED] = "released", [CONTAIN_STEP_STUCK] = "not_released",
    };
    const ContainHold *hold = event->hold;

    return json_pack("{s:o, s:s, s:s, s:s, s:s, s:o}", "arn", foreign(hold->arn), "kind",
                     hold_is_role(hold) ? "role" : "user", "step", steps[event->step], "policy",
                     hold->policy, "reason", hold->reason, "since", time_or_null(hold->since_usec));
}

static json_t *headline_of(const AlertSource *source) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(4096);

    return alert_headline(source, &b) < 0 ? NULL : json_stringn(b.data, b.len);
}

/* Adds one member; false if it or its value could not be created. Takes value over. */
static bool add(json_t *object, const char *key, json_t *value) {
    return json_object_set_new(object, key, value) >= 0;
}

/* True if the incident is over. Events that do not last never open one. */
static bool is_over(const Event *event) {
    return event->resolves || event->phase == PHASE_RESOLVED || event_row(event->kind)->opens_nothing;
}

static bool fill(json_t *o, const AlertSource *s, const char *id) {
    const Subject *subject = s->subject;
    const Event *event = s->event;

    return add(o, "schema", json_string(SCHEMA)) && add(o, "id", json_string(id)) &&
           add(o, "incident", json_string(s->incident)) &&
           add(o, "sequence", json_integer(event->sequence)) &&
           add(o, "event", json_string(event_to_string(alert_event(event)))) &&
           add(o, "severity", json_string(severity_to_string(event->severity))) &&
           add(o, "time", time_or_null(event->time_usec)) && add(o, "summary", headline_of(s)) &&
           add(o, "resolved", json_boolean(is_over(event))) &&
           add(o, "opened", time_or_null(event->opened_usec)) &&
           add(o, "reopened", time_or_null(event->reopened_usec)) &&
           add(o, "account", foreign(subject->account)) && add(o, "region", foreign(subject->region)) &&
           add(o, "trail", trail_of(subject, event)) && add(o, "findings", findings_of(event)) &&
           add(o, "detail", foreign(event->detail)) &&
           add(o, "first_sight", json_boolean(event->first_sight)) && add(o, "gap", gap_of(event)) &&
           add(o, "repeats", repeats_of(event)) && add(o, "contest", contest_of(event)) &&
           add(o, "action", action_of(event)) && add(o, "actor", actor_of(event)) &&
           add(o, "fields", fields_of(event->fields)) &&
           add(o, "fields_left", fields_of(event->fields_left)) && add(o, "changes", changes_of(event)) &&
           add(o, "maintenance", json_boolean(event->maintenance)) &&
           add(o, "drill", json_boolean(event->drill)) &&
           add(o, "restores_paused", json_boolean(event->restores_paused)) &&
           add(o, "members", members_of(event)) &&
           add(o, "members_total", json_integer((json_int_t)event->n_members)) &&
           add(o, "attack", attack_of(event)) &&
           (!event->doubt || add(o, "candidates", candidates_of(event))) &&
           (!event->delivers || add(o, "destination", destination_of(event))) &&
           (!event->contain || add(o, "contain", contain_of(event->contain))) &&
           (!event->hold || add(o, "contained", contained_of(event))) &&
           add(o, "guard",
               json_pack("{s:o, s:o}", "host", foreign(s->guard->host), "version",
                         foreign(s->guard->version)));
}

int alert_document(const AlertSource *source, const char *id, char **ret) {
    json_auto_t *object = json_object();

    if (!object || !fill(object, source, id))
        return -ENOMEM;
    *ret = json_text_dump(object, JSON_COMPACT);
    return *ret ? 0 : -ENOMEM;
}

/* ---- SNS ---- */

bool alert_is_utf8(const Alert *alert) {
    return text_is_utf8(alert->subject) && text_is_utf8(alert->text) && text_is_utf8(alert->sms) &&
           text_is_utf8(alert->document);
}

/* The envelope with at most `keep` bytes of the mail. */
static int envelope(const Alert *alert, const char *https, size_t keep, char **ret) {
    _cleanup_free_ char *text = malloc(keep + 1);
    json_auto_t *object = NULL;

    if (!text)
        return -ENOMEM;
    (void)text_copy(text, keep + 1, alert->text);
    object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "default", text, "email", text, "sms",
                       alert->sms, "sqs", alert->document, "lambda", alert->document, "http",
                       alert->document, "https", https ? https : alert->document);
    if (!object)
        return alert_is_utf8(alert) ? -ENOMEM : -EINVAL;
    *ret = json_text_dump(object, JSON_COMPACT);
    return *ret ? 0 : -ENOMEM;
}

int alert_sns_message(const Alert *alert, const char *https, size_t max, char **ret) {
    size_t keep = strlen(alert->text);

    for (;;) {
        _cleanup_free_ char *message = NULL;
        int r = envelope(alert, https, keep, &message);

        if (r < 0)
            return r;
        if (strlen(message) <= max) {
            *ret = TAKE_PTR(message);
            return 0;
        }
        if (keep <= TEXT_MIN)
            return -E2BIG;
        keep = MAX(keep / 2, (size_t)TEXT_MIN);
    }
}
