/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/state_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/core/enum_names.h"
#include "daemon/core/json_text.h"
#include "daemon/core/settings.h"
#include "daemon/io/state_kinds.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

#define SCHEMA "trailguard.state/1"

static int write_members(const Member *members, const void *base, json_t **ret);
static int read_members(const Member *members, const json_t *object, void *base, const Member **ret_bad);

static int read_object(const Member *member, const json_t *value, void *field) {
    const Member *bad;

    return json_is_object(value) ? read_members(member->kind->members, value, field, &bad) : -EINVAL;
}

/* ---- incidents ---- */

#define MEMBER(Type, kind_, path, name_)                                                                    \
    {                                                                                                       \
        .name = name_, .kind = &state_kind_##kind_, .offset = offsetof(Type, path),                         \
        .size = sizeof(((Type *)0)->path)                                                                   \
    }

static const Member report_members[] = {
    MEMBER(ActionReport, action, taken, "action"),
    MEMBER(ActionReport, action_result, result, "result"),
    MEMBER(ActionReport, uint, attempts, "attempts"),
    { .name = NULL },
};

static int write_report(const Member *member _unused_, const void *field, json_t **ret) {
    const ActionReport *report = field;

    return report->taken == ACTION_NONE ? 0 : write_members(report_members, report, ret);
}

static const Kind state_kind_report = { "an action", write_report, read_object, report_members };

static const Member incident_members[] = {
    MEMBER(Incident, bool, open, "open"),
    MEMBER(Incident, usec, dedup_usec, "mark_usec"),
    MEMBER(Incident, usec, last_dedup_usec, "last_mark_usec"),
    MEMBER(Incident, usec, opened_usec, "opened_usec"),
    MEMBER(Incident, usec, reopened_usec, "reopened_usec"),
    MEMBER(Incident, usec, resolved_usec, "resolved_usec"),
    MEMBER(Incident, uint, sequence, "messages"),
    MEMBER(Incident, event, event, "event"),
    MEMBER(Incident, severity, severity, "severity"),
    MEMBER(Incident, findings, told, "told"),
    MEMBER(Incident, usec, told_usec, "told_usec"),
    MEMBER(Incident, uint, n_reopened, "reopened"),
    MEMBER(Incident, bool, quiet, "quiet"),
    MEMBER(Incident, uint, n_reminders, "reminders"),
    MEMBER(Incident, uint, untold.count, "untold"),
    MEMBER(Incident, usec, untold.first_usec, "untold_first_usec"),
    MEMBER(Incident, usec, untold.last_usec, "untold_last_usec"),
    MEMBER(Incident, usec, untold.total_usec, "untold_total_usec"),
    MEMBER(Incident, usec, gap.from_usec, "gap_from_usec"),
    MEMBER(Incident, usec, gap.to_usec, "gap_to_usec"),
    MEMBER(Incident, action, action.taken, "action"),
    MEMBER(Incident, action_result, action.result, "action_result"),
    MEMBER(Incident, uint, action.attempts, "action_attempts"),
    MEMBER(Incident, report, restore, "restore"),
    MEMBER(Incident, fields, fields, "fields"),
    MEMBER(Incident, fields, unmet_fields, "unmet_fields"),
    MEMBER(Incident, fields, told_fields, "told_fields"),
    MEMBER(Incident, bool, accepted, "accepted"),
    MEMBER(Incident, bool, reconfigured, "reconfigured"),
    MEMBER(Incident, usec, changed_usec, "changed_usec"),
    { .name = NULL },
};

/* An incident that never was is left out: its words alone would make it look like one. */
static int write_incident(const Member *member _unused_, const void *field, json_t **ret) {
    const Incident *incident = field;

    if (!incident->open && incident->opened_usec == 0)
        return 0;
    return write_members(incident_members, incident, ret);
}

static const Kind state_kind_incident = { "an incident", write_incident, read_object, incident_members };

/* ---- the search for who did it; one that is under way ends with the process ---- */

static const Member attributing_members[] = {
    MEMBER(Attributing, bool, wanted, "wanted"),
    MEMBER(Attributing, findings, findings, "findings"),
    MEMBER(Attributing, usec, from_usec, "from_usec"),
    MEMBER(Attributing, usec, seen_usec, "seen_usec"),
    MEMBER(Attributing, usec, dedup_usec, "mark_usec"),
    MEMBER(Attributing, uint, n_polls, "looks"),
    MEMBER(Attributing, usec, attempts_usec, "attempts_told_usec"),
    MEMBER(Attributing, findings, again_findings, "again_findings"),
    MEMBER(Attributing, usec, again_from_usec, "again_from_usec"),
    MEMBER(Attributing, usec, again_dedup_usec, "again_mark_usec"),
    MEMBER(Attributing, bool, again_is_older, "again_is_older"),
    MEMBER(Attributing, uint, n_searches, "searches"),
    MEMBER(Attributing, uint, n_attempts, "attempts_told"),
    { .name = NULL },
};

static int write_attributing(const Member *member _unused_, const void *field, json_t **ret) {
    const Attributing *at = field;

    if (!at->wanted && at->seen_usec == 0 && at->attempts_usec == 0)
        return 0;
    return write_members(attributing_members, at, ret);
}

static const Kind state_kind_attributing = { "a search", write_attributing, read_object,
                                             attributing_members };

/* ---- restores: a list of an object for each field that has any, and for the trail itself ---- */

static const Member restore_members[] = {
    MEMBER(RestoreCount, uint, n_confirmed, "confirmed"),
    MEMBER(RestoreCount, usec, since_usec, "since_usec"),
    MEMBER(RestoreCount, bool, paused, "paused"),
    MEMBER(RestoreCount, uint, n_failures, "failed"),
    { .name = NULL },
};

static const char *restored_name(unsigned i) {
    return i == RECREATION ? "trail" : field_to_string((Field)i);
}

static int write_restores(const Member *member _unused_, const void *field, json_t **ret) {
    const RestoreCount *restores = field;
    json_auto_t *array = json_array();

    for (unsigned i = 0; array && i <= RECREATION; i++) {
        json_auto_t *object = NULL;
        int r = write_members(restore_members, &restores[i], &object);

        if (r < 0)
            return r;
        if (json_object_size(object) > 0 &&
            (json_object_set_new(object, "of", json_string(restored_name(i))) < 0 ||
             json_array_append(array, object) < 0))
            return -ENOMEM;
    }
    if (!array)
        return -ENOMEM;
    if (json_array_size(array) > 0)
        *ret = TAKE_PTR(array);
    return 0;
}

static int read_restores(const Member *member _unused_, const json_t *value, void *field) {
    RestoreCount *restores = field;

    if (!json_is_array(value))
        return -EINVAL;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *object = json_array_get(value, i);
        const char *name = json_string_value(json_object_get(object, "of"));
        const Member *bad = NULL;
        unsigned of = 0;
        int r;

        while (of <= RECREATION && !text_equal(restored_name(of), name))
            of++;
        if (of > RECREATION)
            return -EINVAL;
        r = read_members(restore_members, object, &restores[of], &bad);
        if (r < 0)
            return r;
    }
    return 0;
}

static const Kind state_kind_restores = { "a list of counted restores", write_restores, read_restores,
                                          restore_members };

/* ---- since when findings hold: an object of times by finding ---- */

static int write_since(const Member *member _unused_, const void *field, json_t **ret) {
    const uint64_t *since = field;
    json_auto_t *object = json_object();

    for (unsigned f = 0; object && f < _FINDING_MAX; f++)
        if (since[f] != 0 &&
            json_object_set_new(object, finding_to_string(f),
                                json_integer((json_int_t)MIN(since[f], (uint64_t)INT64_MAX))) < 0)
            return -ENOMEM;
    if (!object)
        return -ENOMEM;
    if (json_object_size(object) > 0)
        *ret = TAKE_PTR(object);
    return 0;
}

static int read_since(const Member *member _unused_, const json_t *value, void *field) {
    uint64_t *since = field;

    if (!json_is_object(value))
        return -EINVAL;
    for (unsigned f = 0; f < _FINDING_MAX; f++) {
        const json_t *time = json_object_get(value, finding_to_string(f));

        if (time && (!json_is_integer(time) || json_integer_value(time) < 0))
            return -EINVAL;
        since[f] = time ? (uint64_t)json_integer_value(time) : 0;
    }
    return 0;
}

static const Kind state_kind_since = { "an object of times", write_since, read_since, NULL };

/* ---- a message that waits for the outcome of an action; only intents have one ---- */

static const Member pending_members[] = {
    MEMBER(PendingTell, bool, set, "set"),
    MEMBER(PendingTell, bool, first_sight, "first_sight"),
    MEMBER(PendingTell, uint, kind, "kind"),
    MEMBER(PendingTell, findings, findings, "findings"),
    MEMBER(PendingTell, usec, dedup_usec, "mark_usec"),
    { .name = NULL },
};

static int write_pending(const Member *member _unused_, const void *field, json_t **ret) {
    const PendingTell *pending = field;

    return pending->set ? write_members(pending_members, pending, ret) : 0;
}

static int read_pending(const Member *member, const json_t *value, void *field) {
    const PendingTell *pending = field;
    int r = read_object(member, value, field);

    return r >= 0 && (unsigned)pending->kind > TELL_REOPENED ? -EINVAL : r;
}

static const Kind state_kind_pending = { "a message that waits", write_pending, read_pending,
                                         pending_members };

/* ---- what is only shown of an episode ---- */

static const Member episode_members[] = {
    MEMBER(Episode, action, failed, "failed"),
    MEMBER(Episode, uint, n_attempts, "attempts"),
    MEMBER(Episode, usec, failed_usec, "failed_usec"),
    MEMBER(Episode, text, failed_code, "failed_code"),
    MEMBER(Episode, text, failed_text, "failed_text"),
    MEMBER(Episode, bool, has_actor, "actor"),
    MEMBER(Episode, text, actor.type, "actor_type"),
    MEMBER(Episode, text, actor.arn, "actor_arn"),
    MEMBER(Episode, text, actor.name, "actor_name"),
    MEMBER(Episode, text, actor.account, "actor_account"),
    MEMBER(Episode, text, actor.invoked_by, "actor_invoked_by"),
    MEMBER(Episode, text, actor.source_ip, "actor_source_ip"),
    MEMBER(Episode, text, actor.user_agent, "actor_user_agent"),
    MEMBER(Episode, text, actor.access_key, "actor_access_key"),
    MEMBER(Episode, text, actor.event_id, "actor_event_id"),
    MEMBER(Episode, text, actor.event_name, "actor_event_name"),
    MEMBER(Episode, text, actor.error_code, "actor_error_code"),
    MEMBER(Episode, usec, actor.event_usec, "actor_event_usec"),
    { .name = NULL },
};

static int write_episode(const Member *member _unused_, const void *field, json_t **ret) {
    const Episode *episode = *(Episode *const *)field;

    return episode && (episode->has_actor || episode->failed != ACTION_NONE)
                   ? write_members(episode_members, episode, ret)
                   : 0;
}

static int read_episode(const Member *member, const json_t *value, void *field) {
    Episode **episode = field;

    if (!*episode)
        *episode = calloc(1, sizeof(**episode));
    return *episode ? read_object(member, value, *episode) : -ENOMEM;
}

static const Kind state_kind_episode = { "an episode", write_episode, read_episode, episode_members };

/* ---- trails and targets; what is not here (actions under way, monotonic times) ends
 * with the process ---- */

static const Member trail_members[] = {
    MEMBER(StateTrail, string, name, "name"),
    MEMBER(StateTrail, string, arn, "arn"),
    MEMBER(StateTrail, string, account, "account"),
    MEMBER(StateTrail, string, region, "region"),
    MEMBER(StateTrail, string, via, "via"),
    MEMBER(StateTrail, bool, organization, "organization"),
    MEMBER(StateTrail, bool, validation, "validation"),
    MEMBER(StateTrail, bool, state.known, "known"),
    MEMBER(StateTrail, usec, state.accepted_usec, "baseline_usec"),
    MEMBER(StateTrail, bool, state.weakness_untold, "weakness_untold"),
    MEMBER(StateTrail, verdict, state.verdict, "verdict"),
    MEMBER(StateTrail, findings, state.findings, "findings"),
    MEMBER(StateTrail, since, state.since_usec, "findings_since"),
    MEMBER(StateTrail, usec, state.start_usec, "start_usec"),
    MEMBER(StateTrail, usec, state.stop_usec, "stop_usec"),
    MEMBER(StateTrail, usec, state.delivery_usec, "delivery_usec"),
    MEMBER(StateTrail, usec, state.digest_usec, "digest_usec"),
    MEMBER(StateTrail, usec, state.polled_usec, "looked_usec"),
    MEMBER(StateTrail, usec, state.settings_usec, "settings_usec"),
    MEMBER(StateTrail, fields, state.fields, "fields"),
    MEMBER(StateTrail, fields, state.losing_fields, "losing_fields"),
    MEMBER(StateTrail, fields, state.unmet_fields, "unmet_fields"),
    MEMBER(StateTrail, usec, state.drift_mark, "drift_mark"),
    MEMBER(StateTrail, usec, state.compared_usec, "compared_with_usec"),
    MEMBER(StateTrail, usec, state.pins_mark, "pins_mark"),
    MEMBER(StateTrail, changes, changes, "changes"),
    MEMBER(StateTrail, episode, episode, "episode"),
    MEMBER(StateTrail, restores, state.restores, "restore_counts"),
    MEMBER(StateTrail, marks, state.marks, "marks"),
    MEMBER(StateTrail, uint, state.n_failed, "failed_looks"),
    MEMBER(StateTrail, usec, state.failed_since_usec, "failed_since_usec"),
    MEMBER(StateTrail, poll_error, state.error, "error"),
    MEMBER(StateTrail, uint, state.n_action_failures, "failed_actions"),
    MEMBER(StateTrail, attributing, state.attributing, "attributing"),
    MEMBER(StateTrail, usec, state.intent_usec, "intent_usec"),
    MEMBER(StateTrail, pending, state.pending, "pending"),
    MEMBER(StateTrail, pending, state.pending_restore, "pending_restore"),
    MEMBER(StateTrail, incident, state.incident, "incident"),
    { .name = NULL },
};

static const Member target_members[] = {
    MEMBER(StateTarget, string, account, "account"),
    MEMBER(StateTarget, string, region, "region"),
    MEMBER(StateTarget, uint, state.n_failed, "failed_looks"),
    MEMBER(StateTarget, usec, state.failed_since_usec, "failed_since_usec"),
    MEMBER(StateTarget, poll_error, state.error, "error"),
    MEMBER(StateTarget, bool, state.ever_reachable, "ever_sighted"),
    MEMBER(StateTarget, bool, state.unreachable, "blind"),
    MEMBER(StateTarget, bool, state.not_enabled, "not_enabled"),
    MEMBER(StateTarget, bool, state.covered, "covered"),
    MEMBER(StateTarget, bool, state.listed, "listed"),
    MEMBER(StateTarget, text, state.error_text, "error_text"),
    MEMBER(StateTarget, incident, state.sight, "sight"),
    MEMBER(StateTarget, incident, state.cover, "cover"),
    MEMBER(StateTarget, uint, state.n_list_failed, "failed_lists"),
    MEMBER(StateTarget, usec, state.list_since_usec, "list_failed_since_usec"),
    MEMBER(StateTarget, poll_error, state.list_error, "list_error"),
    MEMBER(StateTarget, bool, state.list_unreadable, "list_unreadable"),
    MEMBER(StateTarget, text, state.list_error_text, "list_error_text"),
    MEMBER(StateTarget, incident, state.list, "list"),
    { .name = NULL },
};

static const Member channel_members[] = {
    MEMBER(ChannelTrouble, string, channel, "channel"),
    MEMBER(ChannelTrouble, usec, since_usec, "failed_since_usec"),
    MEMBER(ChannelTrouble, text, text, "error_text"),
    { .name = NULL },
};

static const Member account_members[] = {
    MEMBER(StateAccount, string, account, "account"),
    MEMBER(StateAccount, string, name, "name"),
    MEMBER(StateAccount, bool, base, "base"),
    MEMBER(StateAccount, bool, member, "member"),
    MEMBER(StateAccount, bool, left, "left"),
    MEMBER(StateAccount, uint, state.n_failed, "failed_looks"),
    MEMBER(StateAccount, usec, state.failed_since_usec, "failed_since_usec"),
    MEMBER(StateAccount, poll_error, state.error, "error"),
    MEMBER(StateAccount, bool, state.ever_reachable, "ever_sighted"),
    MEMBER(StateAccount, bool, state.unreachable, "blind"),
    MEMBER(StateAccount, usec, state.left_usec, "left_usec"),
    MEMBER(StateAccount, text, state.error_text, "error_text"),
    MEMBER(StateAccount, incident, state.sight, "sight"),
    MEMBER(StateAccount, attributing, state.attributing, "attributing"),
    { .name = NULL },
};

void state_table_done(StateTable *table) {
    for (size_t i = 0; i < table->n_trails; i++) {
        drift_done(&table->trails[i].changes);
        free(table->trails[i].episode);
        free(table->trails[i].name);
        free(table->trails[i].arn);
        free(table->trails[i].account);
        free(table->trails[i].region);
        free(table->trails[i].via);
    }
    for (size_t i = 0; i < table->n_targets; i++) {
        free(table->targets[i].account);
        free(table->targets[i].region);
    }
    for (size_t i = 0; i < table->n_channels; i++)
        free(table->channels[i].channel);
    for (size_t i = 0; i < table->n_accounts; i++) {
        free(table->accounts[i].account);
        free(table->accounts[i].name);
    }
    free(table->trails);
    free(table->targets);
    free(table->channels);
    free(table->accounts);
    *table = (StateTable){ 0 };
}

/* Strings first, so that an error later leaves an entry that state_table_done can free. */
static int init_trail(void *entry) {
    StateTrail *trail = entry;

    trail->state = (TrailState){ .verdict = VERDICT_UNKNOWN, .incident.event = _EVENT_MAX };
    trail->name = strdup("");
    trail->arn = strdup("");
    trail->account = strdup("");
    trail->region = strdup("");
    trail->via = strdup("");
    return trail->name && trail->arn && trail->account && trail->region && trail->via ? 0 : -ENOMEM;
}

static int init_target(void *entry) {
    StateTarget *target = entry;

    target->state =
            (TargetState){ .sight.event = _EVENT_MAX, .cover.event = _EVENT_MAX, .list.event = _EVENT_MAX };
    target->account = strdup("");
    target->region = strdup("");
    return target->account && target->region ? 0 : -ENOMEM;
}

static int init_channel(void *entry) {
    ChannelTrouble *trouble = entry;

    trouble->channel = strdup("");
    return trouble->channel ? 0 : -ENOMEM;
}

static int init_account(void *entry) {
    StateAccount *account = entry;

    account->state =
            (TargetState){ .sight.event = _EVENT_MAX, .cover.event = _EVENT_MAX, .list.event = _EVENT_MAX };
    account->account = strdup("");
    account->name = strdup("");
    return account->account && account->name ? 0 : -ENOMEM;
}

/* One of the lists of the file. */
typedef struct List {
    const char *name;
    const Member *members;
    size_t entry_size;
    int (*init)(void *entry);
} List;

static const List trail_list = { "trails", trail_members, sizeof(StateTrail), init_trail };
static const List target_list = { "targets", target_members, sizeof(StateTarget), init_target };
static const List channel_list = { "channels", channel_members, sizeof(ChannelTrouble), init_channel };
static const List account_list = { "accounts", account_members, sizeof(StateAccount), init_account };

/* ---- writing ---- */

static int write_members(const Member *members, const void *base, json_t **ret) {
    json_auto_t *object = json_object();

    if (!object)
        return -ENOMEM;
    for (const Member *m = members; m->name; m++) {
        json_t *value = NULL;
        int r;

        r = m->kind->write(m, (const char *)base + m->offset, &value);
        if (r < 0)
            return r;
        if (value && json_object_set_new_nocheck(object, m->name, value) < 0)
            return -ENOMEM;
    }
    *ret = TAKE_PTR(object);
    return 0;
}

static int write_entry(StrBuf *b, const List *list, const void *entry) {
    json_auto_t *object = NULL;
    _cleanup_free_ const char *text = NULL;
    int r;

    r = write_members(list->members, entry, &object);
    if (r < 0)
        return r;
    text = json_dumps(object, JSON_PRESERVE_ORDER);
    return text ? strbuf_add(b, text) : -ENOMEM;
}

/* Line by line, so that a document of many trails is not in memory a second time. */
static int write_list(StrBuf *b, const List *list, const void *entries, size_t n) {
    if (n > STATE_ENTRIES_MAX)
        return -E2BIG;

    (void)strbuf_addf(b, ",\n  \"%s\": [", list->name);
    for (size_t i = 0; i < n; i++) {
        int r;

        (void)strbuf_add(b, i > 0 ? ",\n    " : "\n    ");
        r = write_entry(b, list, (const char *)entries + i * list->entry_size);
        if (r < 0)
            return r;
    }
    return strbuf_add(b, n > 0 ? "\n  ]" : "]");
}

int state_json_write(const StateTable *table, char **ret, size_t *ret_len) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(STATE_SIZE_MAX);
    size_t len;
    int r;

    (void)strbuf_add(&b, "{\n  \"schema\": \"" SCHEMA "\"");
    r = write_list(&b, &trail_list, table->trails, table->n_trails);
    if (r >= 0)
        r = write_list(&b, &target_list, table->targets, table->n_targets);
    if (r >= 0 && table->n_channels > 0)
        r = write_list(&b, &channel_list, table->channels, table->n_channels);
    if (r >= 0 && table->n_accounts > 0)
        r = write_list(&b, &account_list, table->accounts, table->n_accounts);
    if (r >= 0)
        r = strbuf_add(&b, "\n}\n");
    if (r < 0)
        return r;

    len = b.len;
    r = strbuf_take(&b, ret);
    if (r < 0)
        return r;
    *ret_len = len;
    return 0;
}

/* ---- reading ---- */

static int read_members(const Member *members, const json_t *object, void *base, const Member **ret_bad) {
    for (const Member *m = members; m->name; m++) {
        const json_t *value = json_object_get(object, m->name);
        int r;

        if (!value)
            continue;
        r = m->kind->read(m, value, (char *)base + m->offset);
        if (r < 0) {
            *ret_bad = m;
            return r;
        }
    }
    return 0;
}

static int read_entry(const List *list, const json_t *object, size_t i, void *entry, char *reason,
                      size_t reason_size) {
    const Member *bad = NULL;
    int r;

    if (!json_is_object(object)) {
        (void)snprintf(reason, reason_size, "%s[%zu] is not an object", list->name, i);
        return -EINVAL;
    }
    r = list->init(entry);
    if (r >= 0)
        r = read_members(list->members, object, entry, &bad);
    if (r == -EINVAL && bad)
        (void)snprintf(reason, reason_size, "%s[%zu].%s is not %s", list->name, i, bad->name,
                       bad->kind->wanted);
    return r;
}

/* Entries that were begun count in *ret_n also after an error. */
static int read_list(const List *list, const json_t *root, void **ret, size_t *ret_n, char *reason,
                     size_t reason_size) {
    const json_t *array = json_object_get(root, list->name);
    size_t n = json_array_size(array);

    if ((array && !json_is_array(array)) || n > STATE_ENTRIES_MAX) {
        (void)snprintf(reason, reason_size, "%s is not a list of at most %u", list->name, STATE_ENTRIES_MAX);
        return -EINVAL;
    }
    if (n == 0)
        return 0;
    *ret = calloc(n, list->entry_size);
    if (!*ret)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        int r;

        *ret_n = i + 1;
        r = read_entry(list, json_array_get(array, i), i, (char *)*ret + i * list->entry_size, reason,
                       reason_size);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_lists(const json_t *root, StateTable *table, char *reason, size_t reason_size) {
    void *trails = NULL, *targets = NULL, *channels = NULL, *accounts = NULL;
    int r;

    r = read_list(&trail_list, root, &trails, &table->n_trails, reason, reason_size);
    if (r >= 0)
        r = read_list(&target_list, root, &targets, &table->n_targets, reason, reason_size);
    if (r >= 0)
        r = read_list(&channel_list, root, &channels, &table->n_channels, reason, reason_size);
    if (r >= 0)
        r = read_list(&account_list, root, &accounts, &table->n_accounts, reason, reason_size);
    table->trails = trails;
    table->targets = targets;
    table->channels = channels;
    table->accounts = accounts;
    return r;
}

int state_json_read(const char *text, size_t len, StateTable *ret, char *reason, size_t reason_size) {
    StateTable table = { 0 };
    json_auto_t *root = NULL;
    json_error_t error;
    int r;

    r = json_text_parse(text, len, JSON_REJECT_DUPLICATES, &error, &root);
    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        (void)snprintf(reason, reason_size, "line %d: %s", error.line, json_text_why(&error));
        return -EINVAL;
    }
    if (!text_equal(json_string_value(json_object_get(root, "schema")), SCHEMA)) {
        (void)snprintf(reason, reason_size, "its schema is not " SCHEMA);
        return -EINVAL;
    }

    r = read_lists(root, &table, reason, reason_size);
    if (r < 0) {
        state_table_done(&table);
        return r;
    }
    *ret = table;
    return 0;
}
