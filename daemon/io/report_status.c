/* SPDX-License-Identifier: Apache-2.0 */
/* Formats the daemon's view as one line, as status.json, and for systemd. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "daemon/core/codec.h"
#include "daemon/core/enum_names.h"
#include "daemon/io/report.h"
#include "daemon/io/report_private.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define NAMED_MAX        3U
#define CHANGE_SHOWN_MAX 256U /* bytes of one setting */
#define REGIONS_MAX      128U /* distinct regions that are counted */
#define NAME_MAX_BYTES   128U
#define PASS_IN_LINE     "; pass "

/* ---- rows ---- */

const StatusTrail *report_trail(const Status *status, size_t i) {
    return status->rows ? status->rows->trail(status->rows->userdata, i) : &status->trails[i];
}

const StatusTarget *report_target(const Status *status, size_t i) {
    return status->rows ? status->rows->target(status->rows->userdata, i) : &status->targets[i];
}

const StatusAccount *report_account(const Status *status, size_t i) {
    return status->rows ? status->rows->account(status->rows->userdata, i) : &status->accounts[i];
}

/* ---- the line ---- */

static bool is_bad(Verdict verdict) {
    return verdict != VERDICT_LOGGING && verdict != VERDICT_PROTECTED;
}

/* Escaped: a newline in STATUS= would start another message to the service manager. */
static void add_trail(StrBuf *b, const StatusTrail *trail, bool further) {
    (void)strbuf_add(b, further ? ", " : "");
    (void)text_escape(b, trail->subject.name, NAME_MAX_BYTES);
    (void)strbuf_add(b, trail->subject.region[0] ? " " : "");
    (void)text_escape(b, trail->subject.region, NAME_MAX_BYTES);
}

/* Adds " (org-trail eu-central-1)": the first few of the n trails with this verdict. */
static void add_names(StrBuf *b, const Status *status, Verdict verdict, unsigned n) {
    (void)strbuf_add(b, " (");
    for (size_t i = 0, named = 0; i < status->n_trails && named < MIN(n, NAMED_MAX); i++) {
        const StatusTrail *trail = report_trail(status, i);

        if (trail->state->verdict == verdict)
            add_trail(b, trail, named++ > 0);
    }
    if (n > NAMED_MAX)
        (void)strbuf_addf(b, " and %u more", n - NAMED_MAX);
    (void)strbuf_add_char(b, ')');
}

/* Adds "11 logging, 1 stopped (org-trail eu-central-1)", best first. */
static void add_verdicts(StrBuf *b, const Status *status) {
    unsigned n[_VERDICT_MAX] = { 0 };
    bool first = true;

    for (size_t i = 0; i < status->n_trails; i++)
        n[report_trail(status, i)->state->verdict]++;
    for (int v = _VERDICT_MAX - 1; v >= 0; v--) {
        if (n[v] == 0)
            continue;
        (void)strbuf_addf(b, "%s%u %s", first ? ": " : ", ", n[v], verdict_to_string((Verdict)v));
        first = false;
        if (is_bad((Verdict)v))
            add_names(b, status, (Verdict)v, n[v]);
    }
}

static void add_channels(StrBuf *b, const Status *status) {
    size_t n_failed = 0, n_unheard = 0;

    for (size_t i = 0; i < status->n_channels; i++) {
        n_failed += status->channels[i].failed;
        n_unheard += status->channels[i].unheard;
    }
    if (n_failed > 0)
        (void)strbuf_addf(b, "; %zu of %zu channels failed", n_failed, status->n_channels);
    if (n_unheard > 0)
        (void)strbuf_addf(b, "; nobody receives alerts through %zu of %zu channels", n_unheard,
                          status->n_channels);
    if (status->outbox_depth > 0)
        (void)strbuf_addf(b, "; %u alert%s waiting", status->outbox_depth,
                          status->outbox_depth == 1 ? "" : "s");
}

static void add_count(StrBuf *b, const char *before, size_t n, const char *what) {
    (void)strbuf_addf(b, "%s%zu %s%s", before, n, what, n == 1 ? "" : "s");
}

static void add_guard(StrBuf *b, const Status *status) {
    if (status->n_rights_lost > 0)
        add_count(b, "; the guard lacks ", status->n_rights_lost, "right");
    if (status->n_contained > 0)
        (void)strbuf_addf(b, "; %u %s contained", status->n_contained,
                          status->n_contained == 1 ? "identity is" : "identities are");
}

static unsigned count_accounts(const Status *status) {
    unsigned n = 0;

    for (size_t i = 0; i < status->n_accounts; i++)
        n += !report_account(status, i)->left;
    return n;
}

/* What the line says about targets. Collected in one pass, because there are many and each must be
 * unpacked. */
typedef struct LineTargets {
    const char *regions[REGIONS_MAX]; /* enabled ones */
    unsigned n_regions, n_unreachable, n_unlisted;
    StrBuf unreachable, unlisted; /* names of the first NAMED_MAX */
} LineTargets;

static void note_region(LineTargets *line, const StatusTarget *target) {
    const char *region = target->subject.region;
    unsigned k = 0;

    if (target->state->not_enabled || !region[0])
        return;
    while (k < line->n_regions && !text_equal(line->regions[k], region))
        k++;
    if (k == line->n_regions && k < REGIONS_MAX)
        line->regions[line->n_regions++] = region;
}

static void note_unreachable(LineTargets *line, const Subject *subject, bool several) {
    StrBuf *b = &line->unreachable;

    if (line->n_unreachable++ >= NAMED_MAX)
        return;
    (void)strbuf_add(b, b->len == 0 ? "; unreachable: " : ", ");
    (void)text_escape(b, subject->region, NAME_MAX_BYTES);
    if (!subject->region[0] || several) {
        (void)strbuf_add(b, subject->region[0] ? " of " : "account ");
        (void)text_escape(b, subject->account, NAME_MAX_BYTES);
    }
}

static void note_unlisted(LineTargets *line, const Subject *subject) {
    StrBuf *b = &line->unlisted;

    if (line->n_unlisted++ >= NAMED_MAX)
        return;
    (void)strbuf_add(b, b->len == 0 ? "; trails cannot be listed in " : ", ");
    (void)text_escape(b, subject->region, NAME_MAX_BYTES);
}

static void read_targets(LineTargets *line, const Status *status) {
    for (size_t i = 0; i < status->n_targets; i++) {
        const StatusTarget *target = report_target(status, i);

        note_region(line, target);
        if (target->state->unreachable)
            note_unreachable(line, &target->subject, status->n_accounts > 1);
        if (target->state->list_unreadable)
            note_unlisted(line, &target->subject);
    }
}

static void add_named(StrBuf *b, const StrBuf *named, unsigned n) {
    if (n > 0)
        (void)strbuf_add(b, strbuf_str(named));
    if (n > NAMED_MAX)
        (void)strbuf_addf(b, " and %u more", n - NAMED_MAX);
}

/* Adds the counts of trails, regions and accounts, and which of them are in trouble. */
static void add_guarded(StrBuf *b, const Status *status) {
    LineTargets line = { .unreachable = STRBUF_INIT(STATUS_LINE_MAX),
                         .unlisted = STRBUF_INIT(STATUS_LINE_MAX) };

    read_targets(&line, status);
    add_count(b, "guarding ", status->n_trails, "trail");
    add_count(b, ", ", line.n_regions, "region");
    add_count(b, ", ", count_accounts(status), "account");
    add_verdicts(b, status);
    add_named(b, &line.unreachable, line.n_unreachable);
    add_named(b, &line.unlisted, line.n_unlisted);
    strbuf_done(&line.unreachable);
    strbuf_done(&line.unlisted);
}

const char *report_status_line(const Status *status, char dst[static STATUS_LINE_MAX]) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(64 * 1024);

    if (status->shard)
        (void)strbuf_addf(&b, "shard %s: ", status->shard);
    if (status->problem) {
        (void)strbuf_add(&b, "unreachable: ");
        (void)text_escape(&b, status->problem, STATUS_LINE_MAX);
    } else if (status->n_passes == 0)
        (void)strbuf_add(&b, "starting: waiting for the first pass");
    else {
        add_guarded(&b, status);
        (void)strbuf_addf(&b, PASS_IN_LINE "%.2f s",
                          (double)status->pass_duration_usec / (double)USEC_PER_SEC);
    }
    if (status->directory_problem && status->directory_problem[0]) {
        (void)strbuf_add(&b, "; ");
        (void)text_escape(&b, status->directory_problem, STATUS_LINE_MAX);
    }
    add_guard(&b, status);
    add_channels(&b, status);
    (void)text_copy(dst, STATUS_LINE_MAX, strbuf_str(&b));
    return dst;
}

/* ---- status.json: defined by tables; derived values have their own kind ---- */

static const CodecMember report_members[] = {
    SHOW(ActionReport, taken, "taken", word, .names = &codec_actions),
    SHOW(ActionReport, result, "result", word, .names = &codec_action_results),
    SHOW(ActionReport, attempts, "attempts", uint),
    CODEC_END,
};

static const CodecMember gap_members[] = {
    SHOW(Gap, from_usec, "from", time),
    SHOW(Gap, to_usec, "to", time),
    CODEC_END,
};

static const CodecMember incident_members[] = {
    SHOW(Incident, event, "event", word, .names = &codec_events),
    SHOW(Incident, severity, "severity", word, .names = &codec_severities),
    SHOW(Incident, opened_usec, "opened", time),
    SHOW(Incident, reopened_usec, "reopened", time),
    SHOW(Incident, sequence, "messages", uint),
    SHOW(Incident, gap, "gap", object, .members = gap_members),
    SHOW(Incident, action, "action", object, .members = report_members),
    SHOW(Incident, restore, "restore", object, .members = report_members),
    CODEC_END,
};

/* The last failed action that has not been confirmed since. */
static const CodecMember failure_members[] = {
    SHOW(Episode, failed, "action", word, .names = &codec_actions),
    SHOW(Episode, failed_code, "code", shown_text),
    SHOW(Episode, failed_text, "text", shown_text),
    SHOW(Episode, failed_usec, "time", time),
    SHOW(Episode, n_attempts, "attempts", uint),
    CODEC_END,
};

static const CodecMember actor_members[] = {
    SHOW(Episode, actor.arn, "arn", shown_text),
    SHOW(Episode, actor.type, "type", shown_text),
    SHOW(Episode, actor.name, "name", shown_text),
    SHOW(Episode, actor.account, "account", shown_text),
    SHOW(Episode, actor.source_ip, "source_ip", shown_text),
    SHOW(Episode, actor.user_agent, "user_agent", shown_text),
    SHOW(Episode, actor.event_id, "event_id", shown_text),
    SHOW(Episode, actor.event_name, "event_name", shown_text),
    SHOW(Episode, actor.event_usec, "event_time", time),
    CODEC_END,
};

static bool has_failure(const void *field) {
    const Episode *episode = *(Episode *const *)field;

    return episode && episode->failed != ACTION_NONE;
}

/* During repeated stops, the caller of the last one is kept. A later change that reopened the incident was
 * not made by that call, so it shows no caller. */
static bool has_actor(const void *field) {
    const StatusTrail *trail = CONTAINER_OF((Episode *const *)field, const StatusTrail, episode);
    const Episode *episode = trail->episode;
    bool gap = trail->state->findings & (FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_INTERRUPTED));

    return episode && episode->has_actor &&
           (gap || trail->state->incident.reopened_usec == 0 ||
            !text_equal(episode->actor.event_name, "StopLogging"));
}

/* Cuts a long value and marks it with "...". An unset value is null. */
static json_t *value_json(const char *value) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(4 * CHANGE_SHOWN_MAX + 8);

    if (!value || !value[0])
        return json_null();
    return text_escape(&b, value, CHANGE_SHOWN_MAX) < 0 ? NULL : json_string(strbuf_str(&b));
}

/* Lists the current differences. The last recorded ones may be over, wholly or in part. */
static int status_write_changes(const CodecMember *m _unused_, const void *base, json_t **ret) {
    const StatusTrail *trail = base;
    const Drift *changes = trail->changes;
    json_auto_t *list = json_array();

    for (unsigned i = 0; list && changes && i < changes->n; i++)
        if ((trail->state->fields & FIELD_BIT(changes->changes[i].field)) &&
            json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "field",
                                                  field_to_string(changes->changes[i].field), "expected",
                                                  value_json(changes->changes[i].expected), "actual",
                                                  value_json(changes->changes[i].actual))) < 0)
            return -ENOMEM;
    *ret = TAKE_PTR(list);
    return *ret ? 0 : -ENOMEM;
}

/* Adds MITRE ATT&CK "Disable or Modify Cloud Logs", by its old and its new number, to events that may be
 * deliberate. */
static int write_attack(const CodecMember *m _unused_, const void *base, json_t **ret) {
    EventKind kind = ((const StatusTrail *)base)->state->incident.event;
    bool may_be = kind == EVENT_TRAIL_MISSING || kind == EVENT_TRAIL_REPLACED ||
                  kind == EVENT_TRAIL_CONTESTED || kind == EVENT_TRAIL_STOPPED ||
                  kind == EVENT_TRAIL_INTERRUPTED || kind == EVENT_TRAIL_WEAKENED;

    *ret = may_be ? json_pack("[s, s]", "T1562.008", "T1685.002") : json_array();
    return *ret ? 0 : -ENOMEM;
}

static const CodecKind kind_changes = { .write = status_write_changes },
                       kind_attack = { .write = write_attack };

static const CodecMember state_incident_members[] = {
    CODEC(TrailState, incident, NULL, object, .members = incident_members),
    CODEC_END,
};

static const CodecMember trail_incident_members[] = {
    SHOW(StatusTrail, incident_id, "id", string),
    CODEC_REF(StatusTrail, state, NULL, .members = state_incident_members),
    CODEC_REF(StatusTrail, episode, "failure", .members = failure_members, .always = true,
              .is_set = has_failure),
    CODEC_REF(StatusTrail, episode, "actor", .members = actor_members, .always = true, .is_set = has_actor),
    DERIVED("changes", kind_changes),
    DERIVED("attack", kind_attack),
    CODEC_END,
};

static int write_incident(const CodecMember *m _unused_, const void *base, json_t **ret) {
    return ((const StatusTrail *)base)->state->incident.open ? codec_write(trail_incident_members, base, ret)
                                                             : 0;
}

static const CodecKind kind_incident = { .write = write_incident };

static const CodecMember drilled_members[] = {
    SHOW(Drilled, stop_usec, "stopped", time),       SHOW(Drilled, noticed_usec, "noticed", time),
    SHOW(Drilled, restarted_usec, "restarted", time), SHOW(Drilled, reported_usec, "reported", time),
    SHOW(Drilled, attributed_usec, "attributed", time),
    SHOW(Drilled, actor, "actor", word, .names = &codec_drill_actors),
    CODEC_END,
};

static bool status_was_drilled(const void *field) {
    return ((const Drilled *)field)->noticed_usec != 0;
}

static const CodecMember trail_state_members[] = {
    SHOW(TrailState, verdict, "verdict", word, .names = &codec_verdicts),
    SHOW(TrailState, findings, "findings", bits, .names = &codec_findings),
    SHOW(TrailState, start_usec, "start_logging", time),
    SHOW(TrailState, stop_usec, "stop_logging", time),
    SHOW(TrailState, delivery_usec, "latest_delivery", time),
    SHOW(TrailState, incident.resolved_usec, "incident_ended", time),
    CODEC(TrailState, drilled, "drill", object, .members = drilled_members, .is_set = status_was_drilled),
    CODEC_END,
};

static const CodecMember trail_members[] = {
    SHOW(StatusTrail, subject.name, "name", string),
    SHOW(StatusTrail, subject.arn, "arn", string),
    SHOW(StatusTrail, subject.account, "account", string),
    SHOW(StatusTrail, subject.region, "region", string),
    CODEC_REF(StatusTrail, state, NULL, .members = trail_state_members),
    SHOW(StatusTrail, organization, "organization", bool),
    SHOW(StatusTrail, has_baseline, "baseline", bool),
    SHOW(StatusTrail, not_recorded, "not_recorded", bits, .names = &codec_fields),
    SHOW(StatusTrail, owner_unchecked, "bucket_owner_unchecked", bool),
    SHOW(StatusTrail, provisional, "provisional", bool),
    DERIVED("incident", kind_incident),
    CODEC_END,
};

const char *const report_target_words[_REPORT_TARGET_MAX] = {
    [REPORT_TARGET_WELL] = "well",
    [REPORT_TARGET_FAILING] = "failing",
    [REPORT_TARGET_LIST_UNREADABLE] = "list unreadable",
    [REPORT_TARGET_UNREACHABLE] = "unreachable",
    [REPORT_TARGET_NOT_ENABLED] = "not enabled",
    [REPORT_TARGET_UNKNOWN] = "unknown",
};

ReportTarget report_target_state(const StatusTarget *target) {
    const TargetState *state = target->state;

    return state->not_enabled       ? REPORT_TARGET_NOT_ENABLED
           : state->unreachable     ? REPORT_TARGET_UNREACHABLE
           : state->n_failed > 0    ? REPORT_TARGET_FAILING
           : state->list_unreadable ? REPORT_TARGET_LIST_UNREADABLE
           : state->ever_reachable  ? REPORT_TARGET_WELL
                                    : REPORT_TARGET_UNKNOWN;
}

static int write_target_state(const CodecMember *m _unused_, const void *base, json_t **ret) {
    return report_word(report_target_words[report_target_state(base)], ret);
}

static const CodecMember error_members[] = { SHOW(TargetState, error_text, "error", shown_text), CODEC_END };
static const CodecMember list_error_members[] = { SHOW(TargetState, list_error_text, "error", shown_text),
                                                  CODEC_END };

static int write_target_error(const CodecMember *m _unused_, const void *base, json_t **ret) {
    const TargetState *state = ((const StatusTarget *)base)->state;
    const CodecMember *error = state->error_text[0] ? error_members : list_error_members;

    return error->kind->write(error, state, ret);
}

static const CodecMember cause_members[] = { SHOW(TargetState, error, "cause", word,
                                                  .names = &codec_poll_errors),
                                             CODEC_END };
static const CodecMember list_cause_members[] = { SHOW(TargetState, list_error, "cause", word,
                                                       .names = &codec_poll_errors),
                                                  CODEC_END };

/* Of the same call as the error. */
static int write_target_cause(const CodecMember *m _unused_, const void *base, json_t **ret) {
    const TargetState *state = ((const StatusTarget *)base)->state;
    const CodecMember *cause = state->error_text[0] ? cause_members : list_cause_members;

    return cause->kind->write(cause, state, ret);
}

static int write_interval(const CodecMember *m _unused_, const void *base, json_t **ret) {
    uint64_t usec = ((const StatusTarget *)base)->interval_usec;

    *ret = usec > 0 ? json_integer((json_int_t)(usec / USEC_PER_SEC)) : json_null();
    return *ret ? 0 : -ENOMEM;
}

static const CodecKind kind_target_state = { .write = write_target_state },
                       kind_target_error = { .write = write_target_error },
                       kind_target_cause = { .write = write_target_cause },
                       kind_interval = { .write = write_interval };

static const CodecMember target_cover_members[] = { SHOW(TargetState, cover.open, "uncovered", bool),
                                                    CODEC_END };

static const CodecMember target_members[] = {
    SHOW(StatusTarget, subject.account, "account", string),
    SHOW(StatusTarget, subject.region, "region", string),
    SHOW(StatusTarget, identity, "identity", string),
    DERIVED("state", kind_target_state),
    DERIVED("error", kind_target_error),
    DERIVED("cause", kind_target_cause),
    SHOW(StatusTarget, polled_usec, "polled", time),
    SHOW(StatusTarget, by_shadow, "because_of_trail", bool),
    SHOW(StatusTarget, idle, "idle", bool),
    DERIVED("poll_interval", kind_interval),
    CODEC_REF(StatusTarget, state, NULL, .members = target_cover_members),
    CODEC_END,
};

const char *const report_account_words[_REPORT_ACCOUNT_MAX] = {
    [REPORT_ACCOUNT_WELL] = "well",
    [REPORT_ACCOUNT_UNREACHABLE] = "unreachable",
    [REPORT_ACCOUNT_UNKNOWN] = "unknown",
    [REPORT_ACCOUNT_LEFT] = "left",
};

ReportAccount report_account_state(const StatusAccount *account) {
    return account->left          ? REPORT_ACCOUNT_LEFT
           : account->blocked     ? REPORT_ACCOUNT_UNREACHABLE
           : account->identity[0] ? REPORT_ACCOUNT_WELL
                                  : REPORT_ACCOUNT_UNKNOWN;
}

static int write_account_state(const CodecMember *m _unused_, const void *base, json_t **ret) {
    return report_word(report_account_words[report_account_state(base)], ret);
}

static const CodecKind kind_account_state = { .write = write_account_state };

static const CodecMember account_members[] = {
    SHOW(StatusAccount, id, "id", string),
    SHOWN(StatusAccount, name, "name"),
    SHOW(StatusAccount, role_arn, "role", string),
    SHOW(StatusAccount, identity, "identity", string),
    DERIVED("state", kind_account_state),
    CODEC_REF(StatusAccount, state, NULL, .members = error_members),
    CODEC_END,
};

static const CodecMember channel_members[] = {
    SHOW(StatusChannel, channel, "channel", string),
    SHOW(StatusChannel, failed, "failed", bool),
    SHOW(StatusChannel, waiting, "waiting", uint),
    SHOWN(StatusChannel, text, "text"),
    SHOW(StatusChannel, unheard, "unheard", bool),
    SHOWN(StatusChannel, check, "check"),
    CODEC_END,
};

static int write_line(const CodecMember *m _unused_, const void *base, json_t **ret) {
    char line[STATUS_LINE_MAX];

    return report_word(report_status_line(base, line), ret);
}

static int write_duration(const CodecMember *m _unused_, const void *base, json_t **ret) {
    *ret = json_real((double)((const Status *)base)->pass_duration_usec / (double)USEC_PER_SEC);
    return *ret ? 0 : -ENOMEM;
}

static const CodecMember organization_members[] = { SHOWN(Status, organization_error, "error"), CODEC_END };

static int write_organization(const CodecMember *m _unused_, const void *base, json_t **ret) {
    return ((const Status *)base)->has_organization ? codec_write(organization_members, base, ret) : 0;
}

static const CodecKind kind_line = { .write = write_line }, kind_duration = { .write = write_duration },
                       kind_organization = { .write = write_organization };

static const CodecMember pass_members[] = {
    SHOW(Status, pass_ended_usec, "ended", time),
    DERIVED("duration", kind_duration),
    SHOW(Status, n_passes, "count", usec),
    CODEC_END,
};

static const CodecMember file_members[] = {
    SHOW(StatusFile, path, "path", string),
    SHOW(StatusFile, modified_usec, "modified", time),
    CODEC_END,
};

static const CodecMember outbox_members[] = { SHOW(Status, outbox_depth, "depth", uint), CODEC_END };

static bool is_filled(const void *field) {
    const char *text = *(const char *const *)field;

    return text && text[0];
}

static const void *status_trail_at(const void *base, size_t i) {
    return report_trail(base, i);
}

static const void *status_target_at(const void *base, size_t i) {
    return report_target(base, i);
}

static const void *status_account_at(const void *base, size_t i) {
    return report_account(base, i);
}

#define LIST(path, n, name_, members_, ...)                                                                 \
    CODEC_LIST(Status, path, n, name_, .members = members_, .always = true, __VA_ARGS__)

static const CodecMember status_members[] = {
    SHOW(Status, version, "version", string),
    SHOW(Status, binary, "binary", object, .members = file_members),
    SHOW(Status, configuration, "configuration", object, .members = file_members),
    SHOW(Status, pid, "pid", uint),
    SHOWN(Status, pid_namespace, "pid_namespace"),
    SHOWN(Status, shard, "shard"),
    SHOW(Status, mode, "mode", word, .names = &codec_modes),
    SHOW(Status, started_usec, "started", time),
    SHOW(Status, now_usec, "updated", time),
    SHOW(Status, poll_interval_sec, "poll_interval", uint),
    DERIVED("line", kind_line),
    SHOWN(Status, problem, "problem"),
    { .name = "pass", .kind = &codec_object, .members = pass_members },
    LIST(accounts, n_accounts, "accounts", account_members, .entry = status_account_at),
    DERIVED("organization", kind_organization),
    LIST(trails, n_trails, "trails", trail_members, .entry = status_trail_at),
    SHOW(Status, ignored, "ignored", strings, .count = offsetof(Status, n_ignored)),
    LIST(targets, n_targets, "targets", target_members, .entry = status_target_at),
    LIST(channels, n_channels, "channels", channel_members, .entry = NULL),
    LIST(holds, n_holds, "contained", report_hold_members, .entry = NULL),
    LIST(guard, n_guard, "rights_lost", report_loss_members, .entry = report_loss_at),
    { .name = "outbox", .kind = &codec_object, .members = outbox_members },
    SHOW(Status, directory_problem, "state_directory", shown_string, .max = ERROR_TEXT_MAX,
         .is_set = is_filled),
    CODEC_END,
};

int report_status_json(const Status *status, char **ret) {
    size_t len;

    return codec_write_document("trailguard.status/1", status_members, status, STATUS_SIZE_MAX, ret, &len);
}

int report_status_write(const Status *status, const char *dir) {
    _cleanup_free_ const char *path = file_join(dir, STATUS_FILE);
    _cleanup_free_ char *text = NULL;
    int r;

    if (!path)
        return -ENOMEM;
    r = report_status_json(status, &text);
    return r < 0 ? r : file_write(path, text, strlen(text), 0644, false);
}

/* ---- systemd ---- */

void report_systemd_ready(void) {
    (void)sd_notify(0, "READY=1");
}

void report_systemd_reloading(uint64_t mono_usec) {
    struct timespec ts;

    /* systemd compares it with its CLOCK_MONOTONIC (sd_notify(3)) */
    if (mono_usec == 0 && clock_gettime(CLOCK_MONOTONIC, &ts) == 0)
        mono_usec = (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)mono_usec);
}

void report_systemd_stopping(void) {
    (void)sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

/* Each STATUS= wakes the service manager, which notifies every watcher of the unit. Lines that differ only
 * in the duration of the pass are not sent. */
static bool differs_in_pass_only(const char *a, const char *b) {
    const char *pass_of_a = strstr(a, PASS_IN_LINE), *pass_of_b = strstr(b, PASS_IN_LINE);
    double a_sec, b_sec;
    char *a_end, *b_end;

    if (!pass_of_a || !pass_of_b || pass_of_a - a != pass_of_b - b ||
        memcmp(a, b, (size_t)(pass_of_a - a)) != 0)
        return false;
    a_sec = strtod(pass_of_a + strlen(PASS_IN_LINE), &a_end);
    b_sec = strtod(pass_of_b + strlen(PASS_IN_LINE), &b_end);
    return a_sec - b_sec < 1 && b_sec - a_sec < 1 && strcmp(a_end, b_end) == 0;
}

void report_systemd_status(const char *line) {
    static char last[STATUS_LINE_MAX]; /* a process has one service manager */

    if (strcmp(last, line) == 0 || differs_in_pass_only(last, line))
        return;
    (void)text_copy(last, sizeof(last), line);
    (void)sd_notifyf(0, "STATUS=%s", line);
}

void report_systemd_watchdog(void) {
    (void)sd_notify(0, "WATCHDOG=1");
}

uint64_t report_systemd_watchdog_interval_usec(void) {
    uint64_t usec = 0;

    return sd_watchdog_enabled(0, &usec) > 0 ? usec / 2 : 0;
}
