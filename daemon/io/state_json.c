/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of state.json, also used for intents. What they leave out (running actions, monotonic times)
 * does not survive the process. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/core/codec.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/settings.h"
#include "daemon/io/state.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

#define SCHEMA    "trailguard.state/1"
#define VALUE_MAX (1024U * 1024)

/* ---- changes: one entry per field ---- */

/* jansson rejects text that is not UTF-8, so such text is stored escaped, as it is shown to people. */
static int write_value(const CodecMember *m, const void *base, json_t **ret) {
    const char *s = *(char *const *)((const char *)base + m->offset);
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(VALUE_MAX);

    *ret = s ? json_string(s) : json_null();
    if (!*ret && text_escape(&b, s, VALUE_MAX / 4) >= 0)
        *ret = json_stringn(b.data, b.len);
    return *ret ? 0 : -ENOMEM;
}

static int read_value(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    return json_is_null(value) ? 0 : codec_read_string(m, value, base, reader);
}

static const CodecKind codec_value = { "a string", write_value, read_value, NULL, codec_done_string };

static const CodecMember change_members[] = {
    CODEC(Change, field, "field", word, .names = &codec_fields, .preset = _FIELD_MAX, .required = true),
    CODEC(Change, loses_events, "loses_events", bool, .always = true),
    CODEC(Change, expected, "expected", value, .old_name = "was"),
    CODEC(Change, actual, "actual", value, .old_name = "now"),
    CODEC_END,
};

static int state_write_changes(const CodecMember *m, const void *base, json_t **ret) {
    const Drift *drift = (const void *)((const char *)base + m->offset);
    json_auto_t *array = NULL;

    if (drift->n == 0)
        return 0;
    array = json_array();
    for (unsigned i = 0; array && i < drift->n; i++) {
        json_t *change = NULL;

        if (codec_write(change_members, &drift->changes[i], &change) < 0 ||
            json_array_append_new(array, change) < 0)
            return -ENOMEM;
    }
    *ret = TAKE_PTR(array);
    return *ret ? 0 : -ENOMEM;
}

static int read_changes(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    Drift *drift = (void *)((char *)base + m->offset);
    uint32_t seen = 0;

    if (!json_is_array(value) || json_array_size(value) > _FIELD_MAX)
        return -EINVAL;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *row = json_array_get(value, i);
        Change *change = &drift->changes[drift->n++];
        int r;

        *change = (Change){ .expected = NULL };
        r = codec_read_members(change_members, row, change, reader);
        if (r >= 0 && (seen & FIELD_BIT(change->field)))
            r = codec_refuse_entry(reader, value, i, "a field that is there once");
        if (r < 0)
            return r;
        seen |= FIELD_BIT(change->field);
    }
    return 0;
}

static void done_changes(const CodecMember *m, void *base) {
    drift_done((void *)((char *)base + m->offset));
}

static const CodecKind codec_changes = { "a list of changes", state_write_changes, read_changes, NULL,
                                         done_changes };

/* ---- restores: a list of objects, one for each field that has any, and one for the trail itself ---- */

static const CodecMember restore_members[] = {
    CODEC(RestoreCount, n_confirmed, "confirmed", uint),
    CODEC(RestoreCount, since_usec, "since_usec", usec),
    CODEC(RestoreCount, paused, "paused", bool),
    CODEC(RestoreCount, n_failures, "failed", uint),
    CODEC_END,
};

static const char *restored_name(unsigned i) {
    return i == RECREATION ? "trail" : field_to_string((Field)i);
}

static int write_restores(const CodecMember *m, const void *base, json_t **ret) {
    const RestoreCount *restores = (const void *)((const char *)base + m->offset);
    json_auto_t *array = json_array();

    for (unsigned i = 0; array && i <= RECREATION; i++) {
        json_auto_t *object = NULL;
        int r = codec_write(restore_members, &restores[i], &object);

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

static int read_restores(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    RestoreCount *restores = (void *)((char *)base + m->offset);

    if (!json_is_array(value))
        return -EINVAL;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *object = json_array_get(value, i), *name = json_object_get(object, "of");
        unsigned of = 0;
        int r;

        while (of <= RECREATION && !text_equal(restored_name(of), json_string_value(name)))
            of++;
        if (of > RECREATION)
            return codec_refuse_entry(reader, value, i, "about a known setting");
        r = codec_read_members(restore_members, object, &restores[of], reader);
        if (r < 0)
            return r;
    }
    return 0;
}

static const CodecKind codec_restores = { "a list of counted restores", write_restores, read_restores, NULL,
                                          NULL };

/* ---- incidents, and the search for the caller ---- */

#define FINDINGS .names = &codec_findings
#define FIELDS   .names = &codec_fields

static const CodecMember report_members[] = {
    CODEC(ActionReport, taken, "action", word, .names = &codec_actions),
    CODEC(ActionReport, result, "result", word, .names = &codec_action_results),
    CODEC(ActionReport, attempts, "attempts", uint),
    CODEC_END,
};

static const CodecMember incident_members[] = {
    CODEC(Incident, open, "open", bool),
    CODEC(Incident, unnamed, "unnamed", bool),
    CODEC(Incident, dedup_usec, "dedup_usec", usec, .old_name = "mark_usec"),
    CODEC(Incident, last_dedup_usec, "last_dedup_usec", usec, .old_name = "last_mark_usec"),
    CODEC(Incident, opened_usec, "opened_usec", usec),
    CODEC(Incident, reopened_usec, "reopened_usec", usec),
    CODEC(Incident, resolved_usec, "resolved_usec", usec),
    CODEC(Incident, sequence, "messages", uint),
    CODEC(Incident, event, "event", word, .names = &codec_events, .preset = _EVENT_MAX),
    CODEC(Incident, severity, "severity", word, .names = &codec_severities),
    CODEC(Incident, before, "severity_before", word, .names = &codec_severities),
    CODEC(Incident, reported, "reported", bits, FINDINGS, .old_name = "told"),
    CODEC(Incident, reported_usec, "reported_usec", usec, .old_name = "told_usec"),
    CODEC(Incident, n_reopened, "reopened", uint),
    CODEC(Incident, suppressed, "suppressed", bool, .old_name = "quiet"),
    CODEC(Incident, n_reminders, "reminders", uint),
    CODEC(Incident, pending_gaps.count, "pending", uint, .old_name = "untold"),
    CODEC(Incident, pending_gaps.first_usec, "pending_first_usec", usec, .old_name = "untold_first_usec"),
    CODEC(Incident, pending_gaps.last_usec, "pending_last_usec", usec, .old_name = "untold_last_usec"),
    CODEC(Incident, pending_gaps.total_usec, "pending_total_usec", usec, .old_name = "untold_total_usec"),
    CODEC(Incident, gap.from_usec, "gap_from_usec", usec),
    CODEC(Incident, gap.to_usec, "gap_to_usec", usec),
    CODEC(Incident, action.taken, "action", word, .names = &codec_actions),
    CODEC(Incident, action.result, "action_result", word, .names = &codec_action_results),
    CODEC(Incident, action.attempts, "action_attempts", uint),
    CODEC(Incident, restore, "restore", object, .members = report_members),
    CODEC(Incident, fields, "fields", bits, FIELDS),
    CODEC(Incident, unmet_fields, "unmet_fields", bits, FIELDS),
    CODEC(Incident, reported_fields, "reported_fields", bits, FIELDS, .old_name = "told_fields"),
    CODEC(Incident, accepted, "accepted", bool),
    CODEC(Incident, reconfigured, "reconfigured", bool),
    CODEC(Incident, changed_usec, "changed_usec", usec),
    CODEC(Incident, failed, "failed", word, .names = &codec_actions),
    CODEC(Incident, failed_text, "failed_text", text),
    CODEC_END,
};

/* An incident that never opened is left out: its texts alone would make it look like one. */
static bool was_opened(const void *field) {
    const Incident *incident = field;

    return incident->open || incident->opened_usec != 0;
}

#define INCIDENT .members = incident_members, .is_set = was_opened

/* A running search does not survive the process. */
static const CodecMember attributing_members[] = {
    CODEC(Attributing, wanted, "wanted", bool),
    CODEC(Attributing, findings, "findings", bits, FINDINGS),
    CODEC(Attributing, fields, "fields", bits, FIELDS),
    CODEC(Attributing, from_usec, "from_usec", usec),
    CODEC(Attributing, until_usec, "until_usec", usec),
    CODEC(Attributing, reached_usec, "reached_usec", usec),
    CODEC(Attributing, n_records, "records", uint),
    CODEC(Attributing, seen_usec, "seen_usec", usec),
    CODEC(Attributing, noticed_usec, "noticed_usec", usec),
    CODEC(Attributing, dedup_usec, "dedup_usec", usec, .old_name = "mark_usec"),
    CODEC(Attributing, n_tries, "polls", uint, .old_name = "looks"),
    CODEC(Attributing, n_throttled, "throttled", uint),
    CODEC(Attributing, retry_usec, "retry_usec", usec),
    CODEC(Attributing, attempts_usec, "attempts_reported_usec", usec, .old_name = "attempts_told_usec"),
    CODEC(Attributing, reported_usec, "reported_usec", usec),
    CODEC(Attributing, n_reported, "candidates_reported", uint),
    CODEC(Attributing, again_findings, "again_findings", bits, FINDINGS),
    CODEC(Attributing, again_fields, "again_fields", bits, FIELDS),
    CODEC(Attributing, again_from_usec, "again_from_usec", usec),
    CODEC(Attributing, again_dedup_usec, "again_dedup_usec", usec, .old_name = "again_mark_usec"),
    CODEC(Attributing, again_noticed_usec, "again_noticed_usec", usec),
    CODEC(Attributing, again_is_older, "again_is_older", bool),
    CODEC(Attributing, n_searches, "searches", uint),
    CODEC(Attributing, n_attempts, "attempts_reported", uint, .old_name = "attempts_told"),
    CODEC_END,
};

/* A message that waits for the outcome of an action. Only intents have one. */
static const CodecMember pending_members[] = {
    CODEC(PendingEvent, set, "set", bool),
    CODEC(PendingEvent, first_sight, "first_sight", bool),
    CODEC(PendingEvent, phase, "kind", uint, .max = PHASE_REOPENED),
    CODEC(PendingEvent, findings, "findings", bits, FINDINGS),
    CODEC(PendingEvent, dedup_usec, "dedup_usec", usec, .old_name = "mark_usec"),
    CODEC_END,
};

static bool is_pending(const void *field) {
    return ((const PendingEvent *)field)->set;
}

#define PENDING .members = pending_members, .is_set = is_pending

/* Fields of an episode that are only displayed. */
static const CodecMember episode_members[] = {
    CODEC(Episode, failed, "failed", word, .names = &codec_actions),
    CODEC(Episode, n_attempts, "attempts", uint),
    CODEC(Episode, failed_usec, "failed_usec", usec),
    CODEC(Episode, failed_code, "failed_code", text),
    CODEC(Episode, failed_text, "failed_text", text),
    CODEC(Episode, has_actor, "actor", bool),
    CODEC(Episode, actor.type, "actor_type", text),
    CODEC(Episode, actor.arn, "actor_arn", text),
    CODEC(Episode, actor.name, "actor_name", text),
    CODEC(Episode, actor.account, "actor_account", text),
    CODEC(Episode, actor.issuer, "actor_issuer", text),
    CODEC(Episode, actor.invoked_by, "actor_invoked_by", text),
    CODEC(Episode, actor.source_identity, "actor_source_identity", text),
    CODEC(Episode, actor.on_behalf_of, "actor_on_behalf_of", text),
    CODEC(Episode, actor.identity_store, "actor_identity_store", text),
    CODEC(Episode, actor.delegate, "actor_delegate", text),
    CODEC(Episode, actor.assumed_root, "actor_assumed_root", bool),
    CODEC(Episode, actor.source_ip, "actor_source_ip", text),
    CODEC(Episode, actor.user_agent, "actor_user_agent", text),
    CODEC(Episode, actor.access_key, "actor_access_key", text),
    CODEC(Episode, actor.event_id, "actor_event_id", text),
    CODEC(Episode, actor.event_name, "actor_event_name", text),
    CODEC(Episode, actor.error_code, "actor_error_code", text),
    CODEC(Episode, actor.event_usec, "actor_event_usec", usec),
    CODEC(Episode, actor.departure, "actor_departure", text),
    CODEC(Episode, actor.unnamed_guard, "actor_unnamed_guard", bool),
    CODEC(Episode, actor.omitted, "actor_omitted", bool),
    CODEC_END,
};

/* Fast polling continues for a while after a restart. */
static const CodecMember contest_members[] = {
    CODEC(Contest, n, "stops", uint),
    CODEC(Contest, since_usec, "since_usec", usec),
    CODEC(Contest, last_usec, "last_usec", usec),
    CODEC(Contest, lost_usec, "lost_usec", usec),
    CODEC(Contest, reported, "reported", bool),
    CODEC_END,
};

static const CodecMember drilled_members[] = {
    CODEC(Drilled, stop_usec, "stop_usec", usec),
    CODEC(Drilled, tag_usec, "tag_usec", usec),
    CODEC(Drilled, tag_mark, "tag_mark", usec),
    CODEC(Drilled, noticed_usec, "noticed_usec", usec),
    CODEC(Drilled, restarted_usec, "restarted_usec", usec),
    CODEC(Drilled, reported_usec, "reported_usec", usec),
    CODEC(Drilled, attributed_usec, "attributed_usec", usec),
    CODEC(Drilled, actor, "actor", word, .names = &codec_drill_actors),
    CODEC_END,
};

static bool state_was_drilled(const void *field) {
    return ((const Drilled *)field)->noticed_usec != 0;
}

static bool is_contest(const void *field) {
    return ((const Contest *)field)->n > 0;
}

/* ---- trails, targets, channels, accounts ---- */

static const CodecMember trail_members[] = {
    CODEC(StateTrail, name, "name", string),
    CODEC(StateTrail, arn, "arn", string),
    CODEC(StateTrail, account, "account", string),
    CODEC(StateTrail, region, "region", string),
    CODEC(StateTrail, via, "via", string),
    CODEC(StateTrail, organization, "organization", bool),
    CODEC(StateTrail, validation, "validation", bool),
    CODEC(StateTrail, state.known, "known", bool),
    CODEC(StateTrail, state.provisional, "provisional", bool),
    CODEC(StateTrail, state.first_seen_usec, "first_seen_usec", usec),
    CODEC(StateTrail, state.accepted_usec, "baseline_usec", usec),
    CODEC(StateTrail, state.weakness_pending, "weakness_pending", bool, .old_name = "weakness_untold"),
    CODEC(StateTrail, state.appearance_pending, "appearance_pending", bool),
    CODEC(StateTrail, state.verdict, "verdict", word, .names = &codec_verdicts, .preset = VERDICT_UNKNOWN),
    CODEC(StateTrail, state.findings, "findings", bits, FINDINGS),
    CODEC(StateTrail, state.since_usec, "findings_since", times, FINDINGS),
    CODEC(StateTrail, state.start_usec, "start_usec", usec),
    CODEC(StateTrail, state.stop_usec, "stop_usec", usec),
    CODEC(StateTrail, state.delivery_usec, "delivery_usec", usec),
    CODEC(StateTrail, state.digest_usec, "digest_usec", usec),
    CODEC(StateTrail, state.polled_usec, "polled_usec", usec, .old_name = "looked_usec"),
    CODEC(StateTrail, state.settings_usec, "settings_usec", usec),
    CODEC(StateTrail, state.fields, "fields", bits, FIELDS),
    CODEC(StateTrail, state.losing_fields, "losing_fields", bits, FIELDS),
    CODEC(StateTrail, state.unmet_fields, "unmet_fields", bits, FIELDS),
    CODEC(StateTrail, state.stronger_fields, "stronger_fields", bits, FIELDS),
    CODEC(StateTrail, state.strengthened_fields, "strengthened_fields", bits, FIELDS),
    CODEC(StateTrail, state.strengthened_usec, "strengthened_usec", usec),
    CODEC(StateTrail, state.drift_mark, "drift_mark", usec),
    CODEC(StateTrail, state.drift_marks, "drift_marks", times, FIELDS),
    CODEC(StateTrail, state.compared_usec, "compared_with_usec", usec),
    CODEC(StateTrail, state.pins_mark, "pins_mark", usec),
    CODEC(StateTrail, changes, "changes", changes),
    CODEC_REF(StateTrail, episode, "episode", .members = episode_members),
    CODEC(StateTrail, state.restores, "restore_counts", restores),
    CODEC(StateTrail, state.marks, "marks", numbers),
    CODEC(StateTrail, state.marked_usec, "marked_usec", usec),
    CODEC(StateTrail, state.marking_usec, "marking_usec", usec),
    CODEC(StateTrail, state.n_failed, "failed_polls", uint, .old_name = "failed_looks"),
    CODEC(StateTrail, state.failed_since_usec, "failed_since_usec", usec),
    CODEC(StateTrail, state.error, "error", word, .names = &codec_poll_errors),
    CODEC(StateTrail, state.n_action_failures, "failed_actions", uint),
    CODEC(StateTrail, state.attributing, "attributing", object, .members = attributing_members),
    CODEC(StateTrail, state.intent_usec, "intent_usec", usec),
    CODEC(StateTrail, state.pending, "pending", object, PENDING),
    CODEC(StateTrail, state.pending_restore, "pending_restore", object, PENDING),
    CODEC(StateTrail, state.incident, "incident", object, INCIDENT),
    CODEC(StateTrail, state.contest, "contest", object, .members = contest_members, .is_set = is_contest),
    CODEC(StateTrail, state.drilled, "drill", object, .members = drilled_members,
          .is_set = state_was_drilled),
    CODEC_END,
};

static const CodecMember target_state_members[] = {
    CODEC(TargetState, n_failed, "failed_polls", uint, .old_name = "failed_looks"),
    CODEC(TargetState, failed_since_usec, "failed_since_usec", usec),
    CODEC(TargetState, error, "error", word, .names = &codec_poll_errors),
    CODEC(TargetState, ever_reachable, "ever_reachable", bool, .old_name = "ever_sighted"),
    CODEC(TargetState, unreachable, "unreachable", bool, .old_name = "blind"),
    CODEC(TargetState, not_enabled, "not_enabled", bool),
    CODEC(TargetState, covered, "covered", bool),
    CODEC(TargetState, listed, "listed", bool),
    CODEC(TargetState, settled, "settled", bool),
    CODEC(TargetState, listed_names, "listed_names", usec),
    CODEC(TargetState, left_usec, "left_usec", usec),
    CODEC(TargetState, error_text, "error_text", text),
    CODEC(TargetState, cause, "cause", word, .names = &codec_causes),
    CODEC(TargetState, cover_is_shared, "cover_shared", bool),
    CODEC(TargetState, reach, "reach", object, INCIDENT, .old_name = "sight"),
    CODEC(TargetState, cover, "cover", object, INCIDENT),
    CODEC(TargetState, uncovered_usec, "uncovered_usec", usec),
    CODEC(TargetState, n_list_failed, "failed_lists", uint),
    CODEC(TargetState, list_since_usec, "list_failed_since_usec", usec),
    CODEC(TargetState, list_error, "list_error", word, .names = &codec_poll_errors),
    CODEC(TargetState, list_unreadable, "list_unreadable", bool),
    CODEC(TargetState, list_error_text, "list_error_text", text),
    CODEC(TargetState, list, "list", object, INCIDENT),
    CODEC(TargetState, attributing, "attributing", object, .members = attributing_members),
    CODEC_END,
};

static const CodecMember target_members[] = {
    CODEC(StateTarget, account, "account", string),
    CODEC(StateTarget, region, "region", string),
    CODEC(StateTarget, state, NULL, object, .members = target_state_members),
    CODEC_END,
};

static const CodecMember channel_members[] = {
    CODEC(ChannelTrouble, channel, "channel", string),
    CODEC(ChannelTrouble, since_usec, "failed_since_usec", usec),
    CODEC(ChannelTrouble, account, "account", text),
    CODEC(ChannelTrouble, by_check, "by_check", bool),
    CODEC(ChannelTrouble, pending, "pending", bool),
    CODEC(ChannelTrouble, text, "error_text", text),
    CODEC_END,
};

static const CodecMember cause_members[] = {
    CODEC(Cause, kind, "kind", word, .names = &codec_causes),
    CODEC(Cause, account, "account", text),
    CODEC(Cause, region, "region", text),
    CODEC(Cause, home, "home", text),
    CODEC(Cause, members_mark, "members_mark", usec),
    CODEC(Cause, n_reported, "members", uint),
    CODEC(Cause, incident, "incident", object, INCIDENT),
    CODEC_END,
};

static const CodecMember unheard_members[] = {
    CODEC(ChannelTrouble, channel, "channel", string),
    CODEC(ChannelTrouble, since_usec, "unheard_since_usec", usec),
    CODEC(ChannelTrouble, account, "account", text),
    CODEC(ChannelTrouble, pending, "pending", bool),
    CODEC(ChannelTrouble, text, "text", text),
    CODEC_END,
};

static const CodecMember account_members[] = {
    CODEC(StateAccount, account, "account", string),
    CODEC(StateAccount, name, "name", string),
    CODEC(StateAccount, base, "base", bool),
    CODEC(StateAccount, member, "member", bool),
    CODEC(StateAccount, left, "left", bool),
    CODEC(StateAccount, n_appeared, "unaccepted_appeared", uint),
    CODEC(StateAccount, n_gone, "unaccepted_gone", uint),
    CODEC(StateAccount, unaccepted_usec, "unaccepted_since_usec", usec),
    CODEC(StateAccount, unaccepted_names, "unaccepted_names", text),
    CODEC(StateAccount, state, NULL, object, .members = target_state_members),
    CODEC_END,
};

static const CodecMember contain_members[] = {
    CODEC(ContainIdentity, arn, "arn", text),
    CODEC(ContainIdentity, account, "account", text),
    CODEC(ContainIdentity, tampered_usec, "tampered_usec", numbers),
    CODEC(ContainIdentity, events, "events", numbers),
    CODEC(ContainIdentity, marks, "marks", numbers),
    CODEC(ContainIdentity, proposed_usec, "proposed_usec", usec),
    CODEC(ContainIdentity, enforced_usec, "enforced_usec", usec),
    CODEC(ContainIdentity, released_usec, "released_usec", usec),
    CODEC_END,
};

static const CodecMember hold_members[] = {
    CODEC(ContainHold, arn, "arn", text),
    CODEC(ContainHold, account, "account", text),
    CODEC(ContainHold, reason, "reason", text),
    CODEC(ContainHold, since_usec, "since_usec", usec),
    CODEC(ContainHold, announced, "announced", bool),
    CODEC(ContainHold, held, "held", bool),
    CODEC(ContainHold, given_up, "given_up", bool),
    CODEC(ContainHold, policy, "policy", text),
    CODEC(ContainHold, document, "document", text),
    CODEC(ContainHold, n_policies, "policies", uint),
    CODEC(ContainHold, n_puts, "puts", uint),
    CODEC(ContainHold, puts_since_usec, "puts_since_usec", usec),
    CODEC(ContainHold, n_failed, "failed", uint),
    CODEC(ContainHold, error, "error", text),
    CODEC(ContainHold, released_by, "released_by", text),
    CODEC(ContainHold, owed, "owed", uint, .max = _CONTAIN_STEP_MAX),
    CODEC_END,
};

static const CodecNames guard_part_kinds = { guard_part_to_string, guard_part_from_string, _GUARD_PART_MAX };

static const CodecMember guard_part_members[] = {
    CODEC(GuardPart, kind, "kind", word, .names = &guard_part_kinds, .required = true, .always = true),
    CODEC(GuardPart, name, "name", text),
    CODEC(GuardPart, digest, "digest", text),
    CODEC_END,
};

static const CodecMember guard_members[] = {
    CODEC(GuardRecord, arn, "arn", text),
    CODEC(GuardRecord, parts.kinds, "read", bits, .names = &guard_part_kinds),
    CODEC(GuardRecord, read_usec, "read_usec", usec),
    CODEC_LIST(GuardRecord, parts.items, parts.n, "parts", .members = guard_part_members,
               .max = 2 * GUARD_PARTS_MAX),
    CODEC(GuardRecord, simulated, "simulated", bool),
    CODEC(GuardRecord, found_usec, "loss_found_usec", usec),
    CODEC(GuardRecord, lost_usec, "lost_since_usec", usec),
    CODEC(GuardRecord, sequence, "sequence", uint),
    CODEC(GuardRecord, lost_mark, "lost_mark", usec),
    CODEC(GuardRecord, n_lost, "lost", uint),
    CODEC(GuardRecord, severity, "severity", word, .names = &codec_severities),
    CODEC(GuardRecord, reported_usec, "reported_usec", usec),
    CODEC(GuardRecord, n_reminders, "reminders", uint),
    CODEC(GuardRecord, n_lost_now, "lost_now", uint),
    CODEC(GuardRecord, lost, "lost_text", text),
    CODEC_END,
};

static const CodecMember account_list_members[] = {
    CODEC(AccountListTrouble, n_failed, "failed", uint),
    CODEC(AccountListTrouble, since_usec, "since_usec", usec),
    CODEC(AccountListTrouble, account, "account", text),
    CODEC(AccountListTrouble, sequence, "sequence", uint),
    CODEC(AccountListTrouble, reported_usec, "reported_usec", usec),
    CODEC(AccountListTrouble, n_reminders, "reminders", uint),
    CODEC(AccountListTrouble, error, "error", text),
    CODEC_END,
};

static const CodecMember identities_members[] = {
    CODEC(Identities, latest, "latest", text),
    CODEC(Identities, former, "former", text),
    CODEC(Identities, former_until_usec, "former_until_usec", usec),
    CODEC_END,
};

static const void *state_trail_at(const void *base, size_t i) {
    const StateTable *table = base;

    return table->rows ? table->rows->trail(table->rows->userdata, i) : &table->trails[i];
}

static const void *state_target_at(const void *base, size_t i) {
    const StateTable *table = base;

    return table->rows ? table->rows->target(table->rows->userdata, i) : &table->targets[i];
}

static const void *state_account_at(const void *base, size_t i) {
    const StateTable *table = base;

    return table->rows ? table->rows->account(table->rows->userdata, i) : &table->accounts[i];
}

static const CodecMember table_members[] = {
    CODEC_LIST(StateTable, trails, n_trails, "trails", .members = trail_members, .max = STATE_ENTRIES_MAX,
               .always = true, .entry = state_trail_at),
    CODEC_LIST(StateTable, targets, n_targets, "targets", .members = target_members,
               .max = STATE_ENTRIES_MAX, .always = true, .entry = state_target_at),
    CODEC_LIST(StateTable, channels, n_channels, "channels", .members = channel_members,
               .max = STATE_ENTRIES_MAX),
    CODEC_LIST(StateTable, causes, n_causes, "causes", .members = cause_members, .max = STATE_ENTRIES_MAX),
    CODEC_LIST(StateTable, unheard, n_unheard, "unheard", .members = unheard_members,
               .max = STATE_ENTRIES_MAX),
    CODEC_LIST(StateTable, accounts, n_accounts, "accounts", .members = account_members,
               .max = STATE_ENTRIES_MAX, .entry = state_account_at),
    CODEC_LIST(StateTable, guards, n_guards, "guards", .members = guard_members, .max = STATE_ENTRIES_MAX),
    CODEC_LIST(StateTable, contain.items, contain.n, "contain", .members = contain_members,
               .max = STATE_ENTRIES_MAX),
    CODEC_LIST(StateTable, contain.holds, contain.n_holds, "contained", .members = hold_members,
               .max = CONTAIN_HOLDS_MAX),
    CODEC(StateTable, organization, "organization", object, .members = account_list_members),
    CODEC(StateTable, identities, "identities", object, .members = identities_members),
    CODEC(StateTable, weak_since_usec, "weak_baselines_since_usec", usec),
    CODEC(StateTable, weak_account, "weak_baselines_account", text),
    CODEC_END,
};

void state_trail_done(StateTrail *trail) {
    codec_done(trail_members, trail);
}

void state_table_done(StateTable *table) {
    codec_done(table_members, table);
}

int state_json_write(const StateTable *table, char **ret, size_t *ret_len) {
    return codec_write_document(SCHEMA, table_members, table, STATE_SIZE_MAX, ret, ret_len);
}

int state_json_read(const char *text, size_t len, StateTable *ret, char *reason, size_t reason_size) {
    StateTable table = { 0 };
    int r = codec_read_document(text, len, SCHEMA, table_members, &table, reason, reason_size);

    if (r >= 0)
        *ret = table;
    return r;
}
