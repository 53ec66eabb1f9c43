/* SPDX-License-Identifier: Apache-2.0 */
/* Notes as journal lines, one fact a line. */
#include <stdio.h>
#include <string.h>

#include "daemon/core/enum_names.h"
#include "daemon/core/messages.h"
#include "daemon/io/report.h"
#include "daemon/log.h"
#include "lib/aws_error.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define WORD_MAX 128U /* the longest name that a trail can have */

typedef struct Writing {
    const JournalEntry *note;
    uint64_t now_usec;
    StrBuf *out;
} Writing;

static void add_gap(const Writing *w) {
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

static void add_detail(const Writing *w) {
    if (!w->note->detail[0])
        return;
    (void)strbuf_add(w->out, ": ");
    (void)text_escape(w->out, w->note->detail, ERROR_TEXT_MAX);
}

static void write_stopped(const Writing *w) {
    char at[TIMETEXT_MAX];
    bool first = w->note->first_sight;

    (void)strbuf_add(w->out,
                     first ? "logging was already stopped at the first poll" : "logging was stopped");
    if (w->note->gap.from_usec != 0)
        (void)strbuf_addf(w->out, "%s %s", first ? ", since" : " at",
                          timetext_clock(at, w->note->gap.from_usec, w->now_usec));
    (void)strbuf_add(w->out, w->note->line == LINE_STOPPED ? "; starting it again"
                             : w->note->maintenance        ? "; a maintenance window allows that"
                                                           : "; TrailGuard may not start it");
}

static void write_interrupted(const Writing *w) {
    (void)strbuf_add(w->out, "logging was stopped and started again between two polls");
    add_gap(w);
}

static void write_running(const Writing *w) {
    (void)strbuf_add(w->out, "logging again, confirmed");
    add_gap(w);
}

static void write_started(const Writing *w) {
    (void)strbuf_add(w->out, w->note->count > 0 ? "logging again, not by a confirmed restart"
                                                : "logging again, started by another caller");
    add_gap(w);
}

static void add_failure(const Writing *w, const char *what) {
    (void)strbuf_add(w->out, what);
    if (w->note->count > 1)
        (void)strbuf_addf(w->out, " (%u times)", w->note->count);
    add_detail(w);
    if (!w->note->refused)
        (void)strbuf_add(w->out, "; retrying");
}

static void write_restart_failed(const Writing *w) {
    add_failure(w, "could not be started");
}

static void write_missing(const Writing *w) {
    (void)strbuf_add(w->out,
                     w->note->first_sight ? "is missing; it was never found" : "is missing: it was deleted");
}

static void write_failing(const Writing *w) {
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
    add_detail(w);
}

static void write_poll_failed(const Writing *w) {
    (void)strbuf_add(w->out, "could not be polled");
    add_detail(w);
}

static void write_unreachable(const Writing *w) {
    (void)strbuf_addf(w->out, "unreachable after %u failed %s", w->note->count,
                      w->note->count == 1 ? "poll" : "polls");
    add_detail(w);
}

static void write_left(const Writing *w) {
    (void)strbuf_add(w->out, "no longer polled");
    add_detail(w);
}

static void write_reachable(const Writing *w) {
    (void)strbuf_addf(w->out, "reachable again after %u failed %s", w->note->count,
                      w->note->count == 1 ? "poll" : "polls");
}

static void write_list_failed(const Writing *w) {
    (void)strbuf_add(w->out, "the list of trails could not be read");
    add_detail(w);
}

static void write_list_unreadable(const Writing *w) {
    (void)strbuf_add(w->out, "the list of trails cannot be read: changed settings, new trails and deletions "
                             "are not detected");
    add_detail(w);
}

static void add_fields(const Writing *w, const char *what) {
    const char *between = ": ";

    (void)strbuf_add(w->out, what);
    for (Field f = 0; f < _FIELD_MAX; f++)
        if (w->note->fields & FIELD_BIT(f)) {
            (void)strbuf_addf(w->out, "%s%s", between, field_to_string(f));
            between = ", ";
        }
}

static void write_changed(const Writing *w) {
    add_fields(w, "differs from its baseline");
    if (w->note->maintenance)
        (void)strbuf_add(w->out, "; left as it is, a maintenance window is open");
}

static void write_unmet(const Writing *w) {
    add_fields(w, "does not meet the configured expectation since the configuration changed");
}

static void write_restored(const Writing *w) {
    add_fields(w, "restored, confirmed");
}

static void write_unchanged(const Writing *w) {
    add_fields(w, "no longer differs from its baseline");
    (void)strbuf_add(w->out, "; ");
    (void)text_escape(w->out, w->note->detail, ERROR_TEXT_MAX);
}

static void write_restore_failed(const Writing *w) {
    add_failure(w, "could not be restored");
}

static void write_restores_paused(const Writing *w) {
    (void)strbuf_addf(w->out, "restored %u %s within the hour; paused until it is over", w->note->count,
                      w->note->count == 1 ? "time" : "times");
    add_fields(w, "");
}

static void write_recreate_failed(const Writing *w) {
    add_failure(w, "could not be created again");
}

/* ---- people ---- */

static void add_foreign(const Writing *w, const char *before, const char *s, const char *after) {
    if (!s[0])
        return;
    (void)strbuf_add(w->out, before);
    (void)text_escape(w->out, s, ACTOR_TEXT_MAX);
    (void)strbuf_add(w->out, after);
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

static void write_attributed(const Writing *w) {
    static const struct {
        const char *call, *deed;
    } deeds[] = {
        { "StopLogging", "stopped" },     { "StartLogging", "started" },
        { "DeleteTrail", "deleted" },     { "CreateTrail", "created" },
        { "UpdateTrail", "changed" },     { "PutEventSelectors", "selectors changed" },
        { "AddTags", "tags changed" },    { "PutInsightSelectors", "insights changed" },
        { "RemoveTags", "tags changed" }, { "PutEventConfiguration", "event configuration changed" },
    };
    const char *call = w->note->actor.event_name, *deed = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(deeds); i++)
        if (strcmp(deeds[i].call, call) == 0)
            deed = deeds[i].deed;
    if (deed)
        (void)strbuf_add(w->out, deed);
    else
        add_foreign(w, "", call[0] ? call : "done", "");
    add_actor(w);
}

static void write_nobody(const Writing *w) {
    (void)strbuf_add(w->out, w->note->detail[0]
                                     ? "who did it is not known: the event history could not be searched"
                                     : "the event history does not show who did it");
    add_detail(w);
}

static void write_attempted(const Writing *w) {
    const char *call = w->note->actor.event_name;

    add_foreign(w, "", call[0] ? call : "a call", " tried");
    add_actor(w);
    add_foreign(w, ": ", w->note->actor.error_code, "");
}

/* ---- baselines ---- */

static void write_weak(const Writing *w) {
    (void)strbuf_add(w->out, "was weak when its baseline was recorded");
    add_detail(w);
}

static void write_damaged(const Writing *w) {
    (void)strbuf_add(w->out,
                     "the file with its baseline is damaged: a change made before now cannot be detected");
    add_detail(w);
}

static void write_accepted(const Writing *w) {
    add_fields(w, "new baseline accepted");
    add_foreign(w, "; ", w->note->detail, "");
}

static void write_gone_accepted(const Writing *w) {
    (void)strbuf_add(w->out, "accepted as gone; no longer guarded");
    add_foreign(w, "; ", w->note->detail, "");
}

/* What a note is: its words are a text, or a function where they depend on its values. */
static const struct {
    int level;
    const char *message_id;
    const char *event;
    const char *text;
    void (*write)(const Writing *w);
} entries[_LINE_MAX] = {
    [LINE_STOPPED] = { LOG_WARNING, MESSAGE_TRAIL_STOPPED, "trail.stopped", NULL, write_stopped },
    [LINE_STOPPED_LEFT] = { LOG_ERR, MESSAGE_TRAIL_STOPPED, "trail.stopped", NULL, write_stopped },
    [LINE_INTERRUPTED] = { LOG_WARNING, MESSAGE_TRAIL_INTERRUPTED, "trail.interrupted", NULL,
                           write_interrupted },
    [LINE_RUNNING_AGAIN] = { LOG_NOTICE, MESSAGE_TRAIL_RUNNING, "trail.resolved", NULL, write_running },
    [LINE_STARTED_BY_OTHERS] = { LOG_NOTICE, MESSAGE_TRAIL_RUNNING, "trail.resolved", NULL, write_started },
    [LINE_RESTART_FAILED] = { LOG_ERR, MESSAGE_RESTART_FAILED, "trail.stopped", NULL, write_restart_failed },
    [LINE_MISSING] = { LOG_ERR, MESSAGE_TRAIL_MISSING, "trail.missing", NULL, write_missing },
    [LINE_REAPPEARED] = { LOG_NOTICE, MESSAGE_TRAIL_REAPPEARED, "trail.resolved", "exists again", NULL },
    [LINE_FAILING] = { LOG_WARNING, MESSAGE_TRAIL_FAILING, "trail.failing", NULL, write_failing },
    [LINE_DELIVERING] = { LOG_NOTICE, MESSAGE_TRAIL_DELIVERING, "trail.resolved",
                          "deliveries, bucket and key are in order again", NULL },
    [LINE_POLL_FAILED] = { LOG_WARNING, NULL, "target.unreachable", NULL, write_poll_failed },
    [LINE_UNREACHABLE] = { LOG_ERR, MESSAGE_TARGET_UNREACHABLE, "target.unreachable", NULL,
                           write_unreachable },
    [LINE_ACCOUNT_LEFT] = { LOG_ERR, MESSAGE_ACCOUNT_LEFT, "account.left", NULL, write_left },
    [LINE_REACHABLE] = { LOG_NOTICE, MESSAGE_TARGET_REACHABLE, "target.reachable", NULL, write_reachable },
    [LINE_LIST_FAILED] = { LOG_WARNING, NULL, "target.unreachable", NULL, write_list_failed },
    [LINE_LIST_UNREADABLE] = { LOG_ERR, MESSAGE_TARGET_UNREACHABLE, "target.unreachable", NULL,
                               write_list_unreadable },
    [LINE_LIST_READABLE] = { LOG_NOTICE, MESSAGE_TARGET_REACHABLE, "target.reachable",
                             "the list of trails can be read again", NULL },
    [LINE_NOT_ENABLED] = { LOG_NOTICE, NULL, NULL, "not enabled in this account: skipped, asked again daily",
                           NULL },
    [LINE_UNCOVERED] = { LOG_WARNING, MESSAGE_REGION_UNCOVERED, "region.uncovered",
                         "no trail records this region", NULL },
    [LINE_COVERED] = { LOG_NOTICE, MESSAGE_REGION_COVERED, "region.covered",
                       "a trail records this region again", NULL },
    [LINE_FIRST_SEEN] = { LOG_INFO, NULL, NULL, "guarded from now on", NULL },
    [LINE_REPLACED] = { LOG_ERR, MESSAGE_TRAIL_REPLACED, "trail.replaced",
                        "was deleted and created again between two polls", NULL },
    [LINE_CHANGED] = { LOG_WARNING, MESSAGE_TRAIL_CHANGED, "trail.weakened", NULL, write_changed },
    [LINE_UNMET] = { LOG_WARNING, MESSAGE_EXPECTATION_UNMET, "expectation.unmet", NULL, write_unmet },
    [LINE_RESTORED] = { LOG_NOTICE, MESSAGE_TRAIL_RESTORED, "trail.resolved", NULL, write_restored },
    [LINE_UNCHANGED] = { LOG_NOTICE, MESSAGE_TRAIL_RESTORED, "trail.resolved", NULL, write_unchanged },
    [LINE_RESTORE_FAILED] = { LOG_ERR, MESSAGE_RESTORE_FAILED, "trail.weakened", NULL,
                              write_restore_failed },
    [LINE_RESTORES_PAUSED] = { LOG_ERR, MESSAGE_RESTORES_PAUSED, "trail.weakened", NULL,
                               write_restores_paused },
    [LINE_RECREATED] = { LOG_NOTICE, MESSAGE_TRAIL_CREATED_AGAIN, "trail.resolved",
                         "created again, confirmed", NULL },
    [LINE_RECREATE_FAILED] = { LOG_ERR, MESSAGE_RESTORE_FAILED, "trail.missing", NULL,
                               write_recreate_failed },
    [LINE_ATTRIBUTED] = { LOG_WARNING, MESSAGE_TRAIL_ATTRIBUTED, "trail.attributed", NULL,
                          write_attributed },
    [LINE_NOBODY_FOUND] = { LOG_WARNING, MESSAGE_NOBODY_FOUND, "trail.attributed", NULL, write_nobody },
    [LINE_ATTEMPTED] = { LOG_WARNING, MESSAGE_TRAIL_ATTEMPTED, "trail.attempted", NULL, write_attempted },
    [LINE_BASELINE_RECORDED] = { LOG_INFO, MESSAGE_BASELINE_RECORDED, NULL, "baseline recorded", NULL },
    [LINE_BASELINE_WEAK] = { LOG_WARNING, MESSAGE_BASELINE_WEAK, "baseline.weak", NULL, write_weak },
    [LINE_BASELINE_DAMAGED] = { LOG_ERR, MESSAGE_BASELINE_DAMAGED, "baseline.damaged", NULL, write_damaged },
    [LINE_GONE_ACCEPTED] = { LOG_NOTICE, MESSAGE_BASELINE_ACCEPTED, "baseline.accepted", NULL,
                             write_gone_accepted },
    [LINE_BASELINE_ACCEPTED] = { LOG_NOTICE, MESSAGE_BASELINE_ACCEPTED, "baseline.accepted", NULL,
                                 write_accepted },
};

void report_entry(const Subject *subject, const JournalEntry *note, const char *incident_id,
                  uint64_t now_real_usec) {
    _cleanup_strbuf_ StrBuf line = STRBUF_INIT(4096);
    char principal[ACTOR_TEXT_MAX], id[AWS_REQUEST_ID_MAX];
    Writing w = { .note = note, .now_usec = now_real_usec, .out = &line };
    const char *words[] = { subject->name, subject->region, subject->account };
    const LogField fields[] = {
        { "TRAILGUARD_EVENT", entries[note->line].event },
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
    if (entries[note->line].write)
        entries[note->line].write(&w);
    else
        (void)strbuf_add(&line, entries[note->line].text);
    log_event(entries[note->line].level, entries[note->line].message_id, fields, ARRAY_SIZE(fields), "%s",
              strbuf_str(&line));
}
