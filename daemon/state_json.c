/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/state_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/words.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define SCHEMA   "trailguard.state/1"
#define ROWS_MAX 100000

/* One member of a struct: the same row writes and reads it. */
typedef enum FieldKind {
    FIELD_TIME,  /* uint64_t, microseconds */
    FIELD_COUNT, /* unsigned */
    FIELD_BOOL,
    FIELD_EVENT, /* enums, by their words */
    FIELD_SEVERITY,
    FIELD_VERDICT,
    FIELD_LOOK_ERROR,
    FIELD_ACTION,
    FIELD_RESULT,
    FIELD_ERROR_TEXT, /* char[ERROR_TEXT_MAX] */
} FieldKind;

typedef struct Field {
    const char *name;
    FieldKind kind;
    size_t offset;
} Field;

#define F(struct_, name_, kind_, member_)                                                                   \
    { name_, kind_, offsetof(struct_, member_) }

static const Field incident_fields[] = {
    F(Incident, "open", FIELD_BOOL, open),
    F(Incident, "mark_usec", FIELD_TIME, mark_usec),
    F(Incident, "last_mark_usec", FIELD_TIME, last_mark_usec),
    F(Incident, "opened_usec", FIELD_TIME, opened_usec),
    F(Incident, "resolved_usec", FIELD_TIME, resolved_usec),
    F(Incident, "sequence", FIELD_COUNT, sequence),
    F(Incident, "event", FIELD_EVENT, event),
    F(Incident, "severity", FIELD_SEVERITY, severity),
    F(Incident, "told", FIELD_COUNT, told),
    F(Incident, "reopened", FIELD_COUNT, n_reopened),
    F(Incident, "quiet", FIELD_BOOL, quiet),
    F(Incident, "told_usec", FIELD_TIME, told_usec),
    F(Incident, "reminders", FIELD_COUNT, n_reminders),
    F(Incident, "untold_count", FIELD_COUNT, untold.count),
    F(Incident, "untold_first_usec", FIELD_TIME, untold.first_usec),
    F(Incident, "untold_last_usec", FIELD_TIME, untold.last_usec),
    F(Incident, "untold_total_usec", FIELD_TIME, untold.total_usec),
    F(Incident, "gap_from_usec", FIELD_TIME, gap.from_usec),
    F(Incident, "gap_to_usec", FIELD_TIME, gap.to_usec),
    F(Incident, "action", FIELD_ACTION, action.taken),
    F(Incident, "action_result", FIELD_RESULT, action.result),
    F(Incident, "action_attempts", FIELD_COUNT, action.attempts),
};

static const Field trail_fields[] = {
    F(TrailState, "known", FIELD_BOOL, known),
    F(TrailState, "verdict", FIELD_VERDICT, verdict),
    F(TrailState, "findings", FIELD_COUNT, findings),
    F(TrailState, "start_usec", FIELD_TIME, start_usec),
    F(TrailState, "stop_usec", FIELD_TIME, stop_usec),
    F(TrailState, "delivery_usec", FIELD_TIME, delivery_usec),
    F(TrailState, "failed_looks", FIELD_COUNT, n_failed),
    F(TrailState, "failed_since_usec", FIELD_TIME, failed_since_usec),
    F(TrailState, "error", FIELD_LOOK_ERROR, error),
    F(TrailState, "action_failures", FIELD_COUNT, n_action_failures),
};

static const Field target_fields[] = {
    F(TargetState, "failed_looks", FIELD_COUNT, n_failed),
    F(TargetState, "failed_since_usec", FIELD_TIME, failed_since_usec),
    F(TargetState, "error", FIELD_LOOK_ERROR, error),
    F(TargetState, "ever_sighted", FIELD_BOOL, ever_sighted),
    F(TargetState, "blind", FIELD_BOOL, blind),
    F(TargetState, "not_enabled", FIELD_BOOL, not_enabled),
    F(TargetState, "covered", FIELD_BOOL, covered),
    F(TargetState, "listed", FIELD_BOOL, listed),
    F(TargetState, "error_text", FIELD_ERROR_TEXT, error_text),
};

/* Enums are words in the file, so that their numbers may change. NULL: leave the member out. */
static const char *word_of(FieldKind kind, const void *value) {
    switch (kind) {
    case FIELD_EVENT:
        return *(const Event *)value < _EVENT_MAX ? event_to_string(*(const Event *)value) : NULL;
    case FIELD_SEVERITY: return severity_to_string(*(const Severity *)value);
    case FIELD_VERDICT: return verdict_to_string(*(const Verdict *)value);
    case FIELD_LOOK_ERROR: return look_error_to_string(*(const LookError *)value);
    case FIELD_ACTION: return action_to_string(*(const Action *)value);
    default: return action_result_to_string(*(const ActionResult *)value);
    }
}

static int set_word(FieldKind kind, void *slot, const char *word) {
    int value, max;

    switch (kind) {
    case FIELD_EVENT:
        *(Event *)slot = event_from_string(word);
        value = (int)*(Event *)slot, max = _EVENT_MAX;
        break;
    case FIELD_SEVERITY:
        *(Severity *)slot = severity_from_string(word);
        value = (int)*(Severity *)slot, max = _SEVERITY_MAX;
        break;
    case FIELD_VERDICT:
        *(Verdict *)slot = verdict_from_string(word);
        value = (int)*(Verdict *)slot, max = _VERDICT_MAX;
        break;
    case FIELD_LOOK_ERROR:
        *(LookError *)slot = look_error_from_string(word);
        value = (int)*(LookError *)slot, max = _LOOK_ERROR_MAX;
        break;
    case FIELD_ACTION:
        *(Action *)slot = action_from_string(word);
        value = (int)*(Action *)slot, max = _ACTION_MAX;
        break;
    default:
        *(ActionResult *)slot = action_result_from_string(word);
        value = (int)*(ActionResult *)slot, max = _RESULT_MAX;
    }
    return value < max ? 0 : -EBADMSG;
}

/* ---- writing ---- */

static json_t *field_to_json(const Field *field, const void *value) {
    const char *word;

    switch (field->kind) {
    case FIELD_TIME: return json_integer((json_int_t) * (const uint64_t *)value);
    case FIELD_COUNT: return json_integer(*(const unsigned *)value);
    case FIELD_BOOL: return json_boolean(*(const bool *)value);
    case FIELD_ERROR_TEXT: return json_string_nocheck((const char *)value);
    default: word = word_of(field->kind, value); return word ? json_string(word) : json_null();
    }
}

static int put_fields(json_t *object, const Field *fields, size_t n, const void *base) {
    for (size_t i = 0; i < n; i++)
        if (json_object_set_new(object, fields[i].name,
                                field_to_json(&fields[i], (const char *)base + fields[i].offset)) < 0)
            return -ENOMEM;
    return 0;
}

static int put_incident(json_t *object, const char *name, const Incident *incident) {
    json_t *json = json_object();

    if (incident->opened_usec == 0) {
        json_decref(json);
        return 0;
    }
    if (!json || put_fields(json, incident_fields, ARRAY_SIZE(incident_fields), incident) < 0) {
        json_decref(json);
        return -ENOMEM;
    }
    return json_object_set_new(object, name, json) < 0 ? -ENOMEM : 0;
}

static int put_text(json_t *object, const char *name, const char *text) {
    return json_object_set_new(object, name, json_string(text)) < 0 ? -ENOMEM : 0;
}

static int put_trail(json_t *rows, const StateTrail *trail) {
    json_t *row = json_object();
    int r = json_array_append_new(rows, row) < 0 ? -ENOMEM : 0;

    if (r >= 0)
        r = put_text(row, "name", trail->name);
    if (r >= 0)
        r = put_text(row, "arn", trail->arn);
    if (r >= 0)
        r = put_text(row, "account", trail->account);
    if (r >= 0)
        r = put_text(row, "region", trail->region);
    if (r >= 0 && (json_object_set_new(row, "organization", json_boolean(trail->organization)) < 0 ||
                   json_object_set_new(row, "validation", json_boolean(trail->validation)) < 0))
        r = -ENOMEM;
    if (r >= 0)
        r = put_fields(row, trail_fields, ARRAY_SIZE(trail_fields), &trail->state);
    return r < 0 ? r : put_incident(row, "incident", &trail->state.incident);
}

static int put_target(json_t *rows, const StateTarget *target) {
    json_t *row = json_object();
    int r = json_array_append_new(rows, row) < 0 ? -ENOMEM : 0;

    if (r >= 0)
        r = put_text(row, "account", target->account);
    if (r >= 0)
        r = put_text(row, "region", target->region);
    if (r >= 0)
        r = put_fields(row, target_fields, ARRAY_SIZE(target_fields), &target->state);
    if (r >= 0)
        r = put_incident(row, "sight", &target->state.sight);
    return r < 0 ? r : put_incident(row, "cover", &target->state.cover);
}

json_t *state_to_json(const StateTable *table) {
    json_t *trails = json_array(), *targets = json_array(), *root;
    int r = trails && targets ? 0 : -ENOMEM;

    for (size_t i = 0; r >= 0 && i < table->n_trails; i++)
        r = put_trail(trails, &table->trails[i]);
    for (size_t i = 0; r >= 0 && i < table->n_targets; i++)
        r = put_target(targets, &table->targets[i]);
    root = json_pack("{s:s, s:o, s:o}", "schema", SCHEMA, "trails", trails, "targets", targets);
    if (root && r >= 0)
        return root;
    json_decref(root);
    return NULL;
}

/* ---- reading: a member that is missing keeps its default, one of a wrong type makes the file bad ---- */

static int field_from_json(const Field *field, const json_t *json, void *slot) {
    json_int_t number;

    switch (field->kind) {
    case FIELD_TIME:
    case FIELD_COUNT:
        if (!json_is_integer(json) || (number = json_integer_value(json)) < 0 ||
            (field->kind == FIELD_COUNT && number > (json_int_t)UINT32_MAX))
            return -EBADMSG;
        if (field->kind == FIELD_TIME)
            *(uint64_t *)slot = (uint64_t)number;
        else
            *(unsigned *)slot = (unsigned)number;
        return 0;
    case FIELD_BOOL:
        if (!json_is_boolean(json))
            return -EBADMSG;
        *(bool *)slot = json_is_true(json);
        return 0;
    case FIELD_ERROR_TEXT:
        if (!json_is_string(json))
            return -EBADMSG;
        (void)text_copy(slot, ERROR_TEXT_MAX, json_string_value(json));
        return 0;
    default:
        return json_is_null(json)     ? 0
               : json_is_string(json) ? set_word(field->kind, slot, json_string_value(json))
                                      : -EBADMSG;
    }
}

static int get_fields(const json_t *object, const Field *fields, size_t n, void *base) {
    for (size_t i = 0; i < n; i++) {
        const json_t *json = json_object_get(object, fields[i].name);

        if (json && field_from_json(&fields[i], json, (char *)base + fields[i].offset) < 0)
            return -EBADMSG;
    }
    return 0;
}

static int get_incident(const json_t *object, const char *name, Incident *incident) {
    const json_t *json = json_object_get(object, name);

    *incident = (Incident){ .event = _EVENT_MAX };
    if (!json)
        return 0;
    return json_is_object(json) ? get_fields(json, incident_fields, ARRAY_SIZE(incident_fields), incident)
                                : -EBADMSG;
}

static int get_text(const json_t *object, const char *name, char **ret) {
    const json_t *json = json_object_get(object, name);

    if (!json_is_string(json) || json_string_length(json) > 1024)
        return -EBADMSG;
    *ret = strdup(json_string_value(json));
    return *ret ? 0 : -ENOMEM;
}

static int get_trail(const json_t *row, StateTrail *trail) {
    int r = get_text(row, "name", &trail->name);

    if (r >= 0)
        r = get_text(row, "arn", &trail->arn);
    if (r >= 0)
        r = get_text(row, "account", &trail->account);
    if (r >= 0)
        r = get_text(row, "region", &trail->region);
    if (r < 0)
        return r;
    trail->organization = json_is_true(json_object_get(row, "organization"));
    trail->validation = json_is_true(json_object_get(row, "validation"));
    trail->state.verdict = VERDICT_UNKNOWN;
    r = get_fields(row, trail_fields, ARRAY_SIZE(trail_fields), &trail->state);
    if (r >= 0)
        r = get_incident(row, "incident", &trail->state.incident);
    if (r >= 0 && (trail->state.findings >> _FINDING_MAX) != 0)
        r = -EBADMSG;
    return r;
}

static int get_target(const json_t *row, StateTarget *target) {
    int r = get_text(row, "account", &target->account);

    if (r >= 0)
        r = get_text(row, "region", &target->region);
    if (r >= 0)
        r = get_fields(row, target_fields, ARRAY_SIZE(target_fields), &target->state);
    if (r >= 0)
        r = get_incident(row, "sight", &target->state.sight);
    return r < 0 ? r : get_incident(row, "cover", &target->state.cover);
}

int state_from_json(const json_t *root, StateTable *ret, const char **ret_why) {
    const json_t *trails = json_object_get(root, "trails"), *targets = json_object_get(root, "targets");
    const char *schema = json_string_value(json_object_get(root, "schema"));
    StateTable table = { 0 };
    int r = 0;

    if (!text_equal(schema, SCHEMA)) {
        *ret_why = "not of schema " SCHEMA;
        return -EBADMSG;
    }
    *ret_why = "a member is missing or of a wrong type";
    if (!json_is_array(trails) || !json_is_array(targets) || json_array_size(trails) > ROWS_MAX ||
        json_array_size(targets) > ROWS_MAX)
        return -EBADMSG;
    table.trails = calloc(json_array_size(trails) + 1, sizeof(*table.trails));
    table.targets = calloc(json_array_size(targets) + 1, sizeof(*table.targets));
    if (!table.trails || !table.targets)
        r = -ENOMEM;
    for (size_t i = 0; r >= 0 && i < json_array_size(trails); i++)
        r = get_trail(json_array_get(trails, i), &table.trails[table.n_trails++]);
    for (size_t i = 0; r >= 0 && i < json_array_size(targets); i++)
        r = get_target(json_array_get(targets, i), &table.targets[table.n_targets++]);
    if (r < 0) {
        state_table_done(&table);
        return r;
    }
    *ret = table;
    return 0;
}
