/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's view as one line and as status.json. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/enum_names.h"
#include "daemon/io/report.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define NAMED_MAX        3U
#define CHANGE_SHOWN_MAX 256U /* bytes of one setting */
#define REGIONS_MAX      128U /* different ones, that are counted */
#define NAME_MAX_BYTES   128U
#define TEXT_MAX_BYTES   (4 * ERROR_TEXT_MAX + 8) /* every byte escaped as \xNN, and the mark of a cut */

/* ---- the line ---- */

static bool is_bad(Verdict verdict) {
    return verdict != VERDICT_LOGGING && verdict != VERDICT_PROTECTED;
}

/* Escaped: a newline in STATUS= would be another message to the service manager. */
static void add_trail(StrBuf *b, const StatusTrail *trail, bool further) {
    (void)strbuf_add(b, further ? ", " : "");
    (void)text_escape(b, trail->subject.name, NAME_MAX_BYTES);
    (void)strbuf_add(b, trail->subject.region[0] ? " " : "");
    (void)text_escape(b, trail->subject.region, NAME_MAX_BYTES);
}

/* "11 logging, 1 stopped (org-trail eu-central-1)", best first. */
static void add_verdicts(StrBuf *b, const Status *status) {
    bool first = true;

    for (int v = _VERDICT_MAX - 1; v >= 0; v--) {
        unsigned n = 0;

        for (size_t i = 0; i < status->n_trails; i++)
            n += status->trails[i].state->verdict == (Verdict)v;
        if (n == 0)
            continue;
        (void)strbuf_addf(b, "%s%u %s", first ? ": " : ", ", n, verdict_to_string((Verdict)v));
        first = false;
        if (!is_bad((Verdict)v))
            continue;
        (void)strbuf_add(b, " (");
        for (size_t i = 0, named = 0; i < status->n_trails && named <= NAMED_MAX; i++) {
            const StatusTrail *trail = &status->trails[i];

            if (trail->state->verdict != (Verdict)v)
                continue;
            if (named == NAMED_MAX)
                (void)strbuf_addf(b, " and %u more", n - NAMED_MAX);
            else
                add_trail(b, trail, named > 0);
            named++;
        }
        (void)strbuf_add_char(b, ')');
    }
}

static void add_unreachable(StrBuf *b, const Status *status) {
    unsigned n = 0;

    for (size_t i = 0; i < status->n_targets; i++) {
        const Subject *subject = &status->targets[i].subject;

        if (!status->targets[i].state->unreachable)
            continue;
        if (n < NAMED_MAX) {
            (void)strbuf_add(b, n == 0 ? "; unreachable: " : ", ");
            (void)text_escape(b, subject->region, NAME_MAX_BYTES);
            if (!subject->region[0] || status->n_accounts > 1) {
                (void)strbuf_add(b, subject->region[0] ? " of " : "account ");
                (void)text_escape(b, subject->account, NAME_MAX_BYTES);
            }
        }
        n++;
    }
    if (n > NAMED_MAX)
        (void)strbuf_addf(b, " and %u more", n - NAMED_MAX);
}

static void add_unlisted(StrBuf *b, const Status *status) {
    unsigned n = 0;

    for (size_t i = 0; i < status->n_targets; i++) {
        if (!status->targets[i].state->list_unreadable)
            continue;
        if (n < NAMED_MAX) {
            (void)strbuf_add(b, n == 0 ? "; trails cannot be listed in " : ", ");
            (void)text_escape(b, status->targets[i].subject.region, NAME_MAX_BYTES);
        }
        n++;
    }
    if (n > NAMED_MAX)
        (void)strbuf_addf(b, " and %u more", n - NAMED_MAX);
}

static void add_channels(StrBuf *b, const Status *status) {
    size_t n = 0;

    for (size_t i = 0; i < status->n_channels; i++)
        n += status->channels[i].failed;
    if (n > 0)
        (void)strbuf_addf(b, "; %zu of %zu channels failed", n, status->n_channels);
    if (status->outbox_depth > 0)
        (void)strbuf_addf(b, "; %u alert%s waiting", status->outbox_depth,
                          status->outbox_depth == 1 ? "" : "s");
}

static void add_count(StrBuf *b, const char *before, size_t n, const char *what) {
    (void)strbuf_addf(b, "%s%zu %s%s", before, n, what, n == 1 ? "" : "s");
}

static unsigned count_regions(const Status *status) {
    const char *seen[REGIONS_MAX];
    unsigned n = 0;

    for (size_t i = 0; i < status->n_targets; i++) {
        const char *region = status->targets[i].subject.region;
        unsigned k = 0;

        if (status->targets[i].state->not_enabled || !region[0])
            continue;
        while (k < n && !text_equal(seen[k], region))
            k++;
        if (k == n && n < REGIONS_MAX)
            seen[n++] = region;
    }
    return n;
}

static unsigned count_accounts(const Status *status) {
    unsigned n = 0;

    for (size_t i = 0; i < status->n_accounts; i++)
        n += !status->accounts[i].left;
    return n;
}

const char *report_status_line(const Status *status, char dst[static STATUS_LINE_MAX]) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(64 * 1024);

    if (status->problem) {
        (void)strbuf_add(&b, "unreachable: ");
        (void)text_escape(&b, status->problem, STATUS_LINE_MAX);
    } else if (status->n_passes == 0)
        (void)strbuf_add(&b, "starting: waiting for the first pass");
    else {
        add_count(&b, "guarding ", status->n_trails, "trail");
        add_count(&b, ", ", count_regions(status), "region");
        add_count(&b, ", ", count_accounts(status), "account");
        add_verdicts(&b, status);
        add_unreachable(&b, status);
        add_unlisted(&b, status);
        (void)strbuf_addf(&b, "; pass %.2f s", (double)status->pass_duration_usec / (double)USEC_PER_SEC);
    }
    if (status->directory_problem && status->directory_problem[0]) {
        (void)strbuf_add(&b, "; ");
        (void)text_escape(&b, status->directory_problem, STATUS_LINE_MAX);
    }
    add_channels(&b, status);
    (void)text_copy(dst, STATUS_LINE_MAX, strbuf_str(&b));
    return dst;
}

/* ---- status.json ---- */

static json_t *time_json(uint64_t usec) {
    char text[TIMETEXT_MAX];

    return usec != 0 ? json_string(timetext_iso(text, usec)) : json_null();
}

static json_t *text_json(const char *text) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(TEXT_MAX_BYTES);

    (void)text_escape(&b, text, ERROR_TEXT_MAX);
    return json_string(strbuf_str(&b));
}

/* MITRE ATT&CK: Disable or Modify Cloud Logs, by its old and its new number; of what may be a deed. */
static json_t *attack_json(EventKind kind) {
    bool may_be = kind == EVENT_TRAIL_MISSING || kind == EVENT_TRAIL_REPLACED ||
                  kind == EVENT_TRAIL_STOPPED || kind == EVENT_TRAIL_INTERRUPTED ||
                  kind == EVENT_TRAIL_WEAKENED;

    return may_be ? json_pack("[s, s]", "T1562.008", "T1685.002") : json_array();
}

static json_t *action_json(const ActionReport *action) {
    return json_pack("{s:s, s:s, s:i}", "taken", action_to_string(action->taken), "result",
                     action_result_to_string(action->result), "attempts", (int)action->attempts);
}

/* What is long is cut, and "..." says so; not set is null. */
static json_t *value_json(const char *value) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(4 * CHANGE_SHOWN_MAX + 8);

    if (!value || !value[0])
        return json_null();
    return text_escape(&b, value, CHANGE_SHOWN_MAX) < 0 ? NULL : json_string(strbuf_str(&b));
}

/* What differs now: the last difference that was found may be over, as a whole or in part. */
static json_t *changes_json(const Drift *changes, uint32_t fields) {
    json_t *list = json_array();

    for (unsigned i = 0; list && changes && i < changes->n; i++)
        if (fields & FIELD_BIT(changes->changes[i].field))
            (void)json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "field",
                                                        field_to_string(changes->changes[i].field),
                                                        "expected", value_json(changes->changes[i].was),
                                                        "actual", value_json(changes->changes[i].now)));
    return list;
}

/* The last attempt to act that failed, and was not confirmed since. */
static json_t *failure_json(const Episode *episode) {
    if (!episode || episode->failed == ACTION_NONE)
        return json_null();
    return json_pack("{s:s, s:o, s:o, s:o, s:i}", "action", action_to_string(episode->failed), "code",
                     text_json(episode->failed_code), "text", text_json(episode->failed_text), "time",
                     time_json(episode->failed_usec), "attempts", (int)episode->n_attempts);
}

static json_t *actor_json(const Episode *episode) {
    const Actor *a = episode ? &episode->actor : NULL;

    if (!episode || !episode->has_actor)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "arn", text_json(a->arn), "type",
                     text_json(a->type), "name", text_json(a->name), "account", text_json(a->account),
                     "source_ip", text_json(a->source_ip), "user_agent", text_json(a->user_agent),
                     "event_id", text_json(a->event_id), "event_name", text_json(a->event_name),
                     "event_time", time_json(a->event_usec));
}

static json_t *incident_json(const StatusTrail *trail) {
    const Incident *incident = &trail->state->incident;
    EventKind event = incident->event < _EVENT_MAX ? incident->event : EVENT_TRAIL_STOPPED;

    if (!incident->open)
        return json_null();
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:i, s:{s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
                     trail->incident_id, "event", event_to_string(event), "severity",
                     severity_to_string(incident->severity), "opened", time_json(incident->opened_usec),
                     "reopened", time_json(incident->reopened_usec), "messages", (int)incident->sequence,
                     "gap", "from", time_json(incident->gap.from_usec), "to",
                     time_json(incident->gap.to_usec), "action", action_json(&incident->action), "restore",
                     action_json(&incident->restore), "failure", failure_json(trail->episode), "actor",
                     actor_json(trail->episode), "changes",
                     changes_json(trail->changes, trail->state->fields), "attack", attack_json(event));
}

static json_t *findings_json(uint32_t findings) {
    json_t *list = json_array();

    for (unsigned f = 0; f < _FINDING_MAX; f++)
        if (findings & FINDING_BIT(f))
            (void)json_array_append_new(list, json_string(finding_to_string((Finding)f)));
    return list;
}

static json_t *fields_json(uint32_t fields) {
    json_t *list = json_array();

    for (Field f = 0; f < _FIELD_MAX; f++)
        if (fields & FIELD_BIT(f))
            (void)json_array_append_new(list, json_string(field_to_string(f)));
    return list;
}

static json_t *trail_json(const StatusTrail *trail) {
    const TrailState *state = trail->state;

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o}", "name",
                     trail->subject.name, "arn", trail->subject.arn, "account", trail->subject.account,
                     "region", trail->subject.region, "verdict", verdict_to_string(state->verdict),
                     "findings", findings_json(state->findings), "organization", trail->organization,
                     "baseline", trail->has_baseline, "not_recorded", fields_json(trail->not_recorded),
                     "start_logging", time_json(state->start_usec), "stop_logging",
                     time_json(state->stop_usec), "latest_delivery", time_json(state->delivery_usec),
                     "incident", incident_json(trail));
}

static const char *target_word(const TargetState *state) {
    if (state->not_enabled)
        return "not enabled";
    if (state->unreachable)
        return "unreachable";
    if (state->n_failed > 0)
        return "failing";
    if (state->list_unreadable)
        return "list unreadable";
    return state->ever_reachable ? "well" : "unseen";
}

static json_t *target_json(const StatusTarget *target) {
    const TargetState *state = target->state;

    return json_pack(
            "{s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:b, s:o, s:b}", "account", target->subject.account,
            "region", target->subject.region, "identity", target->identity, "state", target_word(state),
            "error", text_json(state->error_text[0] ? state->error_text : state->list_error_text), "looked",
            time_json(target->polled_usec), "because_of_trail", target->by_shadow, "idle", target->idle,
            "poll_interval",
            target->interval_usec > 0 ? json_integer((json_int_t)(target->interval_usec / USEC_PER_SEC))
                                      : json_null(),
            "uncovered", state->cover.open);
}

static json_t *account_json(const StatusAccount *account) {
    const char *word = account->left          ? "left"
                       : account->blocked     ? "unreachable"
                       : account->identity[0] ? "well"
                                              : "unseen";

    return json_pack("{s:s, s:o, s:s, s:s, s:s, s:o}", "id", account->id, "name", text_json(account->name),
                     "role", account->role_arn, "identity", account->identity, "state", word, "error",
                     text_json(account->state->error_text));
}

/* NULL without memory, JSON's null without an organization. */
static json_t *organization_json(const Status *status) {
    if (!status->has_organization)
        return json_null();
    return json_pack("{s:o}", "error", text_json(status->organization_error));
}

static json_t *channel_json(const StatusChannel *channel) {
    return json_pack("{s:s, s:b, s:i, s:o}", "channel", channel->channel, "failed", channel->failed,
                     "waiting", (int)channel->waiting, "text", text_json(channel->text));
}

int report_status_json(const Status *status, char **ret) {
    json_t *trails = json_array(), *ignored = json_array(), *targets = json_array(),
           *channels = json_array(), *accounts = json_array(), *root;
    char line[STATUS_LINE_MAX];
    int bad = 0;

    for (size_t i = 0; i < status->n_trails; i++)
        bad |= json_array_append_new(trails, trail_json(&status->trails[i]));
    for (size_t i = 0; i < status->n_ignored; i++)
        bad |= json_array_append_new(ignored, json_string(status->ignored[i]));
    for (size_t i = 0; i < status->n_targets; i++)
        bad |= json_array_append_new(targets, target_json(&status->targets[i]));
    for (size_t i = 0; i < status->n_accounts; i++)
        bad |= json_array_append_new(accounts, account_json(&status->accounts[i]));
    for (size_t i = 0; i < status->n_channels; i++)
        bad |= json_array_append_new(channels, channel_json(&status->channels[i]));
    root = json_pack("{s:s, s:s, s:i, s:s, s:o, s:o, s:i, s:s, s:o, s:{s:o, s:f, s:I}, s:o, s:o, s:o, s:o, "
                     "s:o, s:o, s:{s:i}, s:o}",
                     "schema", "trailguard.status/1", "version", status->version, "pid", status->pid, "mode",
                     mode_to_string(status->mode), "started", time_json(status->started_usec), "updated",
                     time_json(status->now_usec), "poll_interval", (int)status->poll_interval_sec, "line",
                     report_status_line(status, line), "problem",
                     status->problem ? text_json(status->problem) : json_null(), "pass", "ended",
                     time_json(status->pass_ended_usec), "duration",
                     (double)status->pass_duration_usec / (double)USEC_PER_SEC, "count",
                     (json_int_t)status->n_passes, "accounts", accounts, "organization",
                     organization_json(status), "trails", trails, "ignored", ignored, "targets", targets,
                     "channels", channels, "outbox", "depth", (int)status->outbox_depth, "state_directory",
                     status->directory_problem && status->directory_problem[0]
                             ? text_json(status->directory_problem)
                             : json_null());
    *ret = root && bad == 0 ? json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6))
                            : NULL;
    json_decref(root);
    return *ret ? 0 : -ENOMEM;
}

int report_status_write(const Status *status, const char *dir) {
    _cleanup_free_ const char *path = file_join(dir, "status.json");
    _cleanup_free_ char *text = NULL;
    int r;

    if (!path)
        return -ENOMEM;
    r = report_status_json(status, &text);
    return r < 0 ? r : file_write(path, text, strlen(text), 0644, false);
}
