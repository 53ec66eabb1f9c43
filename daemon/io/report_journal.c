/* SPDX-License-Identifier: Apache-2.0 */
/* Writes notes as journal lines, one fact per line. */
#include <stdio.h>
#include <string.h>

#include "daemon/core/enum_names.h"
#include "daemon/core/events.h"
#include "daemon/core/selectors_change.h"
#include "daemon/io/report.h"
#include "daemon/log.h"
#include "lib/aws_error.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

_Static_assert((int)LEVEL_ERR == LOG_ERR && (int)LEVEL_WARNING == LOG_WARNING &&
                       (int)LEVEL_NOTICE == LOG_NOTICE && (int)LEVEL_INFO == LOG_INFO,
               "the levels of the table are syslog's");

#define WORD_MAX 128U /* the longest allowed trail name */

typedef struct Writing {
    const JournalEntry *note;
    uint64_t now_usec;
    StrBuf *out;
} Writing;

static void journal_add_gap(const Writing *w) {
    char from[TIMETEXT_MAX], to[TIMETEXT_MAX], span[TIMETEXT_MAX];
    const Gap *gap = &w->note->gap;

    if (gap->from_usec == 0 || gap->to_usec < gap->from_usec) {
        (void)strbuf_add(w->out, "; AWS gives no times for the gap");
        return;
    }
    (void)strbuf_addf(w->out, "; gap %s-%s (%s)", timetext_clock(from, gap->from_usec, w->now_usec),
                      timetext_clock(to, gap->to_usec, w->now_usec),
                      timetext_span(span, gap->to_usec - gap->from_usec));
}

static void journal_add_error(const Writing *w) {
    if (!w->note->detail[0])
        return;
    (void)strbuf_add(w->out, ": ");
    (void)text_escape(w->out, w->note->detail, ERROR_TEXT_MAX);
}

static void add_stopped(const Writing *w) {
    char at[TIMETEXT_MAX];
    bool first = w->note->first_sight;

    (void)strbuf_add(w->out,
                     first ? "logging was already stopped at the first poll" : "logging was stopped");
    if (w->note->gap.from_usec != 0)
        (void)strbuf_addf(w->out, "%s %s", first ? ", since" : " at",
                          timetext_clock(at, w->note->gap.from_usec, w->now_usec));
}

static void add_why_left(const Writing *w) {
    (void)strbuf_add(w->out, w->note->maintenance ? "a maintenance window allows that"
                                                  : "TrailGuard may not start it");
}

static void add_by_others(const Writing *w) {
    (void)strbuf_add(w->out,
                     w->note->count > 0 ? "not by a confirmed restart" : "started by another caller");
}

static void add_times(const Writing *w) {
    if (w->note->count > 1)
        (void)strbuf_addf(w->out, " (%u times)", w->note->count);
}

static void add_retrying(const Writing *w) {
    (void)strbuf_add(w->out, w->note->refused ? "" : "; retrying");
}

static void journal_add_missing(const Writing *w) {
    (void)strbuf_add(w->out,
                     w->note->first_sight ? "is missing; it was never found" : "is missing: it was deleted");
    if (w->note->foreign && !w->note->first_sight)
        (void)strbuf_add(w->out, ", or is no organization trail of this account any more");
}

static void add_failing(const Writing *w) {
    static const char *const what[_FINDING_MAX] = {
        [FINDING_DELIVERY] = "log files cannot be delivered to the bucket",
        [FINDING_DIGEST] = "digest files cannot be delivered to the bucket",
        [FINDING_LOG_GROUP] = "events cannot be delivered to the CloudWatch log group",
        [FINDING_NOTIFICATION] = "notifications cannot be delivered to the trail's topic",
        [FINDING_STALE] = "it delivers nothing",
        [FINDING_BUCKET] = "its bucket fails its check",
        [FINDING_LIFECYCLE] = "a rule of its bucket deletes log files early",
        [FINDING_KEY] = "its KMS key cannot be used",
        [FINDING_SELECTORS_UNREADABLE] = "its event selectors cannot be read",
        [FINDING_INSIGHTS_UNREADABLE] = "its Insights selectors cannot be read",
        [FINDING_TAGS_UNREADABLE] = "its tags cannot be read",
        [FINDING_CONFIGURATION_UNREADABLE] = "its event configuration cannot be read",
        [FINDING_BUCKET_UNREADABLE] = "its bucket cannot be read",
        [FINDING_LIFECYCLE_UNREADABLE] = "the lifecycle rules of its bucket cannot be read",
        [FINDING_POLICY_UNREADABLE] = "the policy of its bucket cannot be read",
        [FINDING_KEY_UNREADABLE] = "its KMS key cannot be read",
    };
    const char *text = w->note->count < _FINDING_MAX ? what[w->note->count] : NULL;

    (void)strbuf_add(w->out, text ? text : "deliveries fail");
}

static void add_number(const Writing *w, const char *before, const char *what) {
    (void)strbuf_addf(w->out, "%u %s%s%s", w->note->count, before, what, w->note->count == 1 ? "" : "s");
}

static void journal_add_polls(const Writing *w) {
    add_number(w, "failed ", "poll");
}

static void add_calls(const Writing *w) {
    add_number(w, "", "call");
}

static void journal_add_count(const Writing *w) {
    add_number(w, "", "time");
}

static void add_span(const Writing *w) {
    const Gap *gap = &w->note->gap;
    char span[TIMETEXT_MAX];

    (void)strbuf_add(w->out,
                     timetext_span(span, gap->to_usec > gap->from_usec ? gap->to_usec - gap->from_usec : 0));
}

/* What the change of a field means, where more is known than its name. */
static void add_meaning(const Writing *w, Field field) {
    const Drift *drift = w->note->changes;
    char meaning[CHANGE_MEANING_MAX];

    for (unsigned i = 0; drift && i < drift->n; i++)
        if (drift->changes[i].field == field && change_meaning(&drift->changes[i], meaning)[0]) {
            (void)strbuf_add(w->out, " (");
            (void)text_escape(w->out, meaning, CHANGE_MEANING_MAX);
            (void)strbuf_add(w->out, ")");
        }
}

static void add_fields(const Writing *w) {
    const char *between = ": ";

    for (Field f = 0; f < _FIELD_MAX; f++)
        if (w->note->fields & FIELD_BIT(f)) {
            (void)strbuf_addf(w->out, "%s%s", between, field_to_string(f));
            add_meaning(w, f);
            between = ", ";
        }
}

static void add_window(const Writing *w) {
    (void)strbuf_add(w->out, w->note->maintenance ? "; left as it is, a maintenance window is open" : "");
}

/* ---- people ---- */

static void add_foreign(const Writing *w, const char *before, const char *s, const char *after) {
    if (!s[0])
        return;
    (void)strbuf_add(w->out, before);
    (void)text_escape(w->out, s, ACTOR_ARN_MAX);
    (void)strbuf_add(w->out, after);
}

static void add_announced(const Writing *w) {
    add_foreign(w, "", w->note->detail, "");
}

static void add_actor(const Writing *w) {
    const Actor *a = &w->note->actor;
    const char *who = a->arn[0]          ? a->arn
                      : a->name[0]       ? a->name
                      : a->invoked_by[0] ? a->invoked_by
                                         : a->account;

    add_foreign(w,
                strcmp(a->type, "IdentityCenterUser") == 0 && who[0] ? " by Identity Center user " : " by ",
                who[0] ? who : "an unknown caller", "");
    if (who != a->invoked_by)
        add_foreign(w, " through ", a->invoked_by, "");
    if (a->assumed_root)
        (void)strbuf_add(w->out, " through AssumeRoot");
    if (who != a->name || strcmp(a->name, a->on_behalf_of) != 0)
        add_foreign(w, " on behalf of Identity Center user ", a->on_behalf_of, "");
    add_foreign(w, " by delegated access of account ", a->delegate, "");
    add_foreign(w, " from ", a->source_ip, "");
    add_foreign(w, " (", a->user_agent, ")");
}

static void journal_add_deed(const Writing *w) {
    static const struct {
        const char *call, *deed;
    } deeds[] = {
        { "StopLogging", "stopped" },
        { "StartLogging", "started" },
        { "DeleteTrail", "deleted" },
        { "UpdateTrail", "changed" },
        { "PutEventSelectors", "selectors changed" },
        { "AddTags", "tags changed" },
        { "PutInsightSelectors", "insights changed" },
        { "RemoveTags", "tags changed" },
        { "PutEventConfiguration", "event configuration changed" },
    };
    const char *call = w->note->actor.event_name, *deed = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(deeds); i++)
        if (strcmp(deeds[i].call, call) == 0)
            deed = deeds[i].deed;
    if (strcmp(call, "CreateTrail") == 0)
        deed = creation_to_string(w->note->about);
    if (deed)
        (void)strbuf_add(w->out, deed);
    else
        add_foreign(w, "", call[0] ? call : "done", "");
}

static void add_not_found(const Writing *w) {
    if (w->note->detail[0])
        (void)strbuf_add(w->out, "who did it is not known: the event history could not be searched");
    else
        (void)strbuf_addf(w->out, "the event history does not show who did it; %u record%s read",
                          w->note->count, w->note->count == 1 ? "" : "s");
}

static void journal_add_call(const Writing *w) {
    add_foreign(w, "", w->note->actor.event_name[0] ? w->note->actor.event_name : "a call", "");
}

static void journal_add_refusal(const Writing *w) {
    add_foreign(w, ": ", w->note->actor.error_code, "");
}

/* Adds how a difference ended, or who accepted it. */
static void add_reason(const Writing *w) {
    add_foreign(w, "; ", w->note->detail, "");
}

/* Skipped for a new trail, which has never met the expectation. */
static void journal_add_since_changed(const Writing *w) {
    if (!w->note->first_sight)
        (void)strbuf_add(w->out, " since the configuration changed");
}

/* Adds what the settings differ from. */
static void add_standard(const Writing *w) {
    add_foreign(w, "", w->note->detail[0] ? w->note->detail : "its baseline", "");
}

/* ---- lines ---- */

static const struct {
    const char *name;
    void (*add)(const Writing *w);
} variables[] = {
    { "gap", journal_add_gap },
    { "error", journal_add_error },
    { "stopped", add_stopped },
    { "why left", add_why_left },
    { "by others", add_by_others },
    { "times", add_times },
    { "retrying", add_retrying },
    { "missing", journal_add_missing },
    { "failing", add_failing },
    { "polls", journal_add_polls },
    { "count", journal_add_count },
    { "span", add_span },
    { "fields", add_fields },
    { "window", add_window },
    { "deed", journal_add_deed },
    { "actor", add_actor },
    { "not found", add_not_found },
    { "call", journal_add_call },
    { "calls", add_calls },
    { "refusal", journal_add_refusal },
    { "reason", add_reason },
    { "announced", add_announced },
    { "standard", add_standard },
    { "since changed", journal_add_since_changed },
};

static void add_variable(const Writing *w, const char *name, size_t len) {
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
        if (strlen(variables[i].name) == len && memcmp(variables[i].name, name, len) == 0)
            variables[i].add(w);
}

static void add_text(const Writing *w, const char *text) {
    const char *open, *close;

    while ((open = strchr(text, '{')) && (close = strchr(open, '}'))) {
        (void)strbuf_add_mem(w->out, text, (size_t)(open - text));
        add_variable(w, open + 1, (size_t)(close - open - 1));
        text = close + 1;
    }
    (void)strbuf_add(w->out, text);
}

void report_entry(const Subject *subject, const JournalEntry *note, const char *incident_id,
                  uint64_t now_real_usec) {
    _cleanup_strbuf_ StrBuf line = STRBUF_INIT(4096);
    char principal[ACTOR_ARN_MAX], id[AWS_REQUEST_ID_MAX];
    Writing w = { .note = note, .now_usec = now_real_usec, .out = &line };
    const char *words[] = { subject->name, subject->region, subject->account };
    EventKind kind;
    const EventLine *row = event_line(note->line, &kind);
    const LogField fields[] = {
        { "TRAILGUARD_EVENT", kind < _EVENT_MAX ? event_to_string(kind) : "" },
        { "TRAIL_NAME", subject->name },
        { "TRAIL_ARN", subject->arn },
        { "AWS_ACCOUNT", subject->account },
        { "AWS_REGION", subject->region },
        { "INCIDENT_ID", incident_id },
        { "PRINCIPAL_ARN", text_escaped(principal, sizeof(principal), note->actor.arn) },
        { "AWS_REQUEST_ID", aws_error_text_id(note->detail, id)[0] ? id : note->request_id },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!words[i][0])
            continue;
        (void)strbuf_add(&line, line.len > 0 ? " " : "");
        (void)text_escape(&line, words[i], WORD_MAX);
    }
    if (line.len > 0)
        (void)strbuf_add(&line, ": ");
    add_text(&w, row->text);
    log_event((int)row->level, row->id, fields, ARRAY_SIZE(fields), "%s", strbuf_str(&line));
}

void report_line(JournalLine line, const char *account, const char *error, const char *text) {
    _cleanup_strbuf_ StrBuf shown = STRBUF_INIT(4096);
    char id[AWS_REQUEST_ID_MAX];
    EventKind kind;
    const EventLine *row = event_line(line, &kind);
    const LogField fields[] = {
        { "TRAILGUARD_EVENT", event_to_string(kind) },
        { "AWS_ACCOUNT", account },
        { "AWS_REQUEST_ID", aws_error_text_id(error, id) },
    };

    (void)text_escape(&shown, text, 4096);
    log_event((int)row->level, row->id, fields, ARRAY_SIZE(fields), "%s", strbuf_str(&shown));
}
