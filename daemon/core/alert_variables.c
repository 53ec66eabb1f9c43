/* SPDX-License-Identifier: Apache-2.0 */
/* The variables of templates, in braces in the texts of alerts: what happened, and what was done about it.
 * alert_variables_who.c has the others. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/alert_private.h"
#include "daemon/core/enum_names.h"
#include "lib/endpoint.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

static uint64_t span(uint64_t from_usec, uint64_t to_usec) {
    return to_usec > from_usec ? to_usec - from_usec : 0;
}

static void add_span(const AlertExpansion *x, uint64_t usec) {
    char text[TIMETEXT_MAX];

    (void)strbuf_add(x->out, timetext_span(text, usec));
}

/* ---- the variables ---- */

static void variable_add_label(const AlertExpansion *x) {
    static const char *const labels[_SEVERITY_MAX] = { "INFO", "WARNING", "CRITICAL" };

    const Event *event = x->source->event;

    /* the label explains a low severity */
    (void)strbuf_add(x->out, event->drill ? "DRILL"
                             : event->maintenance && event->severity == SEVERITY_INFO
                                     ? "MAINTENANCE"
                                     : labels[event->severity]);
}

static void add_name(const AlertExpansion *x) {
    const Subject *subject = x->source->subject;

    alert_add_foreign(x, subject->name[0] ? subject->name : subject->arn[0] ? subject->arn : "the trail");
}

static void add_arn(const AlertExpansion *x) {
    const Subject *subject = x->source->subject;

    (void)text_escape(x->out, subject->arn[0] ? subject->arn : subject->name, ALERT_SHOWN_MAX);
}

static void add_region(const AlertExpansion *x) {
    (void)text_escape(x->out, x->source->subject->region, 31);
}

static void add_where(const AlertExpansion *x) {
    const Subject *subject = x->source->subject;

    if (!subject->name[0] && !subject->region[0] && subject->account[0]) {
        (void)strbuf_add(x->out, "account ");
        (void)text_escape(x->out, subject->account, 12);
        return;
    }
    (void)text_escape(x->out, subject->region[0] ? subject->region : "an unknown region", 31);
    if (!subject->account[0])
        return;
    (void)strbuf_add(x->out, " (");
    (void)text_escape(x->out, subject->account, 12);
    (void)strbuf_add(x->out, ")");
}

/* The region where the partition records global services. */
static void add_global_region(const AlertExpansion *x) {
    const char *region = endpoint_iam_region(x->source->subject->region);

    (void)strbuf_add(x->out, region ? region : "us-east-1");
}

static void add_again(const AlertExpansion *x) {
    if (x->source->event->phase == PHASE_REOPENED)
        (void)strbuf_add(x->out, " again");
}

/* Only used in subjects, and not if the gap is unknown: see alert_subject. */
static void variable_add_gap(const AlertExpansion *x) {
    const Gap *gap = &x->source->event->gap;

    if (span(gap->from_usec, gap->to_usec) == 0) /* AWS's times are whole seconds */
        (void)strbuf_add(x->out, "less than 1 s");
    else
        add_span(x, span(gap->from_usec, gap->to_usec));
}

static void add_since(const AlertExpansion *x) {
    const Event *event = x->source->event;

    add_span(x, span(event->since_usec      ? event->since_usec
                     : event->reopened_usec ? event->reopened_usec
                                            : event->opened_usec,
                     event->time_usec));
}

/* " after 5 min" if the duration is known, which may be less than the whole episode. */
static void add_after(const AlertExpansion *x) {
    const Event *event = x->source->event;

    if (event->since_usec == 0)
        return;
    (void)strbuf_add(x->out, " after ");
    add_span(x, span(event->since_usec, event->time_usec));
}

static void add_attempts(const AlertExpansion *x) {
    alert_add_number(x, x->source->event->action.attempts, "attempt");
}

/* In a maintenance window no restore starts; a restart does, unless the window allows the stop. */
static void add_retries(const AlertExpansion *x) {
    (void)strbuf_add(x->out, x->source->event->maintenance ? "when the maintenance window is over"
                                                           : "at least once a minute");
}

static void variable_add_count(const AlertExpansion *x) {
    alert_add_number(x, x->source->event->repeats.count, "time");
}

static void add_stops(const AlertExpansion *x) {
    alert_add_number(x, x->source->event->contest.count, "time");
}

static void add_lost_share(const AlertExpansion *x) {
    (void)strbuf_addf(x->out, "%u %%", alert_lost_percent(x->source->event));
}

/* What is done about trails that may be stopped unnoticed. */
static void add_starts(const AlertExpansion *x) {
    const Event *event = x->source->event;
    bool trail = x->source->subject->name[0] != '\0';

    if ((event->error != POLL_DENIED && event->error != POLL_THROTTLED) || event->mode == MODE_OBSERVE ||
        (!trail && !x->source->subject->region[0]) || /* an account without keys cannot be written to */
        (trail && (event->protected || (!event->may_act && event->n_unpolled_restarts == 0))))
        return;
    if (event->n_unpolled_restarts == 0) {
        (void)strbuf_addf(x->out,
                          " In case %s, it sends StartLogging every 30 s: writes have rights and a "
                          "quota of their own.",
                          trail ? "the trail is stopped" : "trails are stopped");
        return;
    }
    (void)strbuf_add(x->out, " In case the trail is stopped, it has sent StartLogging ");
    alert_add_number(x, event->n_unpolled_restarts, "time");
    (void)strbuf_addf(x->out, ", every 30 s. AWS %s the last one.",
                      event->unpolled_accepted ? "accepted" : "did not accept");
}

static void variable_add_polls(const AlertExpansion *x) {
    alert_add_number(x, x->source->event->n_failed, "poll");
}

#define ONLY_THE_OWNER                                                                                      \
    "Only the account that owns the organization trail, or CloudTrail's delegated administrator, can "

/* What was done about a stop. */
static void add_tried(const AlertExpansion *x) {
    const Event *event = x->source->event;
    bool tried = event->action.attempts > 0;
    bool over = !(event->findings & FINDING_BIT(FINDING_STOPPED)) && event->gap.to_usec != 0;
    const char *words;

    if (event->action.result == RESULT_CONFIRMED)
        words = "Started logging again ({attempts}) and read the status back: the trail logs.";
    else if (over)
        words = tried ? "Tried to start logging ({attempts}); none was confirmed. One of them or another "
                        "caller "
                        "started the trail."
                      : "Nothing: another caller started the trail.";
    else if (tried && event->protected)
        words = "Tried to start logging ({attempts}); AWS refused. " ONLY_THE_OWNER "start it.";
    else if (tried)
        words = event->action.result == RESULT_PENDING
                        ? "Began to start the trail ({attempts}). AWS has not confirmed that yet."
                : event->detail[0] ? "Tried to start logging ({attempts}). That failed{because}"
                                   : "Tried to start logging ({attempts}), without success so far.";
    else if (event->protected)
        words = "Nothing. " ONLY_THE_OWNER "start it.";
    else if (!event->may_act && event->maintenance && event->mode != MODE_OBSERVE)
        words = "Nothing: a maintenance window allows that the trail is stopped.";
    else
        words = event->may_act ? "Nothing yet: another action on this trail comes first."
                               : "Nothing: it runs in mode \"{mode}\".";
    alert_expand(x, words);
}

static void add_kinds(const AlertExpansion *x) {
    static const char *const kinds[_FINDING_MAX] = {
        [FINDING_DELIVERY] = "log files",
        [FINDING_DIGEST] = "digests",
        [FINDING_LOG_GROUP] = "to CloudWatch Logs",
        [FINDING_NOTIFICATION] = "SNS notifications",
    };
    const Event *event = x->source->event;
    uint32_t findings = (event->about ? event->about : event->findings) & FINDINGS_DELIVERY_ERRORS;
    const char *between = "";

    for (Finding f = 0; f < _FINDING_MAX; f++)
        if (findings & FINDING_BIT(f)) {
            (void)strbuf_addf(x->out, "%s%s", between, kinds[f]);
            between = ", ";
        }
    if (!*between)
        (void)strbuf_add(x->out, "something");
}

static void add_unreadable(const AlertExpansion *x) {
    const Event *event = x->source->event;
    uint32_t findings = event->about ? event->about : event->findings;
    const char *between = "";

    for (Unreadable u = 0; u < _UNREADABLE_MAX; u++)
        if (findings & FINDING_BIT(FINDING_UNREADABLE(u))) {
            (void)strbuf_addf(x->out, "%s%s", between, unreadable_to_string(u));
            between = ", ";
        }
}

static void add_unreadable_short(const AlertExpansion *x) {
    static const char *const words[_UNREADABLE_MAX] = {
        [UNREADABLE_SELECTORS] = "event selectors",
        [UNREADABLE_INSIGHTS] = "Insights selectors",
        [UNREADABLE_TAGS] = "tags",
        [UNREADABLE_CONFIGURATION] = "configuration",
        [UNREADABLE_BUCKET] = "bucket",
        [UNREADABLE_LIFECYCLE] = "lifecycle rules",
        [UNREADABLE_POLICY] = "bucket policy",
        [UNREADABLE_KEY] = "KMS key",
    };
    const Event *event = x->source->event;
    uint32_t findings = (event->about ? event->about : event->findings) & FINDINGS_UNREADABLE;

    if (findings & (findings - 1)) {
        (void)strbuf_add(x->out, "settings");
        return;
    }
    for (Unreadable u = 0; u < _UNREADABLE_MAX; u++)
        if (findings & FINDING_BIT(FINDING_UNREADABLE(u)))
            (void)strbuf_add(x->out, words[u]);
}

/* What a failing delivery loses, one sentence per line. */
static void add_unsent(const AlertExpansion *x) {
    static const char *const unsent[_FINDING_MAX] = {
        [FINDING_DELIVERY] = "Log files: nothing yet. AWS retries the delivery for 30 days.",
        [FINDING_DIGEST] = ("Digests: AWS retries the delivery for 30 days. While one is missing, nobody "
                            "can prove that the log "
                            "files are unchanged; a broken chain of digests stays broken."),
        [FINDING_LOG_GROUP] =
                "CloudWatch Logs does not get the events of this time. The log files have them.",
        [FINDING_NOTIFICATION] =
                "Subscribers are not notified of new log files. The log files are delivered.",
    };
    const Event *event = x->source->event;
    uint32_t findings = event->about ? event->about : event->findings;
    const char *between = "";

    for (Finding f = 0; f < _FINDING_MAX; f++)
        if ((findings & FINDING_BIT(f)) && unsent[f]) {
            (void)strbuf_addf(x->out, "%s%s", between, unsent[f]);
            between = "\n";
        }
    if (!*between)
        (void)strbuf_add(x->out, "Nothing yet. AWS retries the delivery for 30 days.");
}

static void add_detail(const AlertExpansion *x) {
    const Event *event = x->source->event;
    bool stale = event->about & FINDING_BIT(FINDING_STALE);

    alert_add_foreign(x, event->detail[0] ? event->detail
                         : stale          ? "it delivers nothing"
                                          : "no reason is known");
}

/* The same, with a topic by its name, because its ARN would leave no room for the reason. */
static void add_channel(const AlertExpansion *x) {
    const char *name = x->source->event->detail, *colon;

    if (!text_starts_with(name, "sns:arn:")) {
        add_detail(x);
        return;
    }
    /* sns:arn:aws:sns:REGION:ACCOUNT:NAME */
    for (unsigned i = 0; i < 6 && (colon = strchr(name, ':')); i++)
        name = colon + 1;
    (void)strbuf_add(x->out, "topic ");
    alert_add_foreign(x, name);
}

/* The reason, if the message has one; repeated messages have none. */
static void add_why(const AlertExpansion *x) {
    if (!x->source->event->detail[0])
        return;
    (void)strbuf_add(x->out, ": ");
    alert_add_foreign(x, x->source->event->detail);
}

/* The same at the end of a sentence. */
static void add_because(const AlertExpansion *x) {
    if (x->source->event->detail[0])
        add_why(x);
    else
        (void)strbuf_add(x->out, ".");
}

static void variable_add_error(const AlertExpansion *x) {
    static const char *const words[_POLL_ERROR_MAX] = {
        [POLL_OK] = "no answer",
        [POLL_DENIED] = "access denied",
        [POLL_THROTTLED] = "throttled",
        [POLL_UNREACHABLE] = "no connection",
        [POLL_CREDENTIALS] = "bad credentials",
        [POLL_BAD_ANSWER] = "invalid answer",
        [POLL_SERVICE] = "AWS error",
        [POLL_GONE] = "no active member of the organization",
    };

    (void)strbuf_add(x->out, words[x->source->event->error]);
}

static void add_now(const AlertExpansion *x) {
    (void)strbuf_add(x->out, x->source->event->resolves ? "well now" : "not well yet");
}

/* What has recovered, for a trail without a gap or changed settings. */
static void add_recovered(const AlertExpansion *x) {
    static const struct {
        uint32_t findings;
        const char *words;
    } rows[] = {
        { FINDINGS_DELIVERY_ERRORS | FINDING_BIT(FINDING_STALE), "delivers again" },
        { FINDING_BIT(FINDING_BUCKET), "has a good bucket again" },
        { FINDING_BIT(FINDING_LIFECYCLE), "keeps its log files again" },
        { FINDING_BIT(FINDING_KEY), "has a working KMS key again" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (x->source->event->about & rows[i].findings) {
            (void)strbuf_add(x->out, rows[i].words);
            return;
        }
    (void)strbuf_add(x->out, "is well again");
}

static void add_host(const AlertExpansion *x) {
    (void)text_escape(x->out, x->source->guard->host, 64);
}

/* ---- changes, and their results ---- */

static void add_weakened(const AlertExpansion *x) {
    const Event *event = x->source->event;
    uint32_t findings = event->about ? event->about : event->findings;

    (void)strbuf_add(x->out,
                     (findings & FINDINGS_CHANGED) == FINDING_BIT(FINDING_CHANGED) ? "changed" : "weakened");
}

static void add_field_names(const AlertExpansion *x) {
    alert_add_field_names(x, x->source->event->fields);
}

static void add_took(const AlertExpansion *x) {
    add_span(x, span(x->source->event->changed_usec, x->source->event->time_usec));
}

/* Not for a new trail, which has never met it. */
static void variable_add_since_changed(const AlertExpansion *x) {
    if (!x->source->event->first_sight)
        (void)strbuf_add(x->out, " since the configuration changed");
}

/* The result of a pin that the trail did not meet. */
static void add_met(const AlertExpansion *x) {
    const Event *event = x->source->event;
    const char *words;

    if (!event->fields_left && event->reconfigured)
        words = "Nothing: the configuration changed, and the trail meets it.";
    else if (!event->fields_left && event->accepted)
        words = "Nothing: the trail's settings were accepted as its baseline.";
    else if (event->restore.result == RESULT_CONFIRMED && !event->fields_left)
        words = "Set it as configured ({attempts}) and read it back: confirmed.";
    else if (!event->fields_left)
        words = "Nothing: another caller set it as configured.";
    else if (event->restores_paused)
        words = "Set it {restores} within the hour. It writes this setting again when the hour is over.";
    else if (event->restore.result == RESULT_CONFIRMED)
        words = "Set what it may ({attempts}) and read it back. Still not as configured: {left}.";
    else if (event->restore.result == RESULT_FAILED && event->protected)
        words = "Tried to set it as configured ({attempts}); AWS refused. " ONLY_THE_OWNER "change it.";
    else if (event->restore.result == RESULT_FAILED)
        words = "Tried to set it as configured ({attempts}). That failed{because}\n"
                "It retries {retries}.";
    else if (event->restore.result == RESULT_PENDING)
        words = "Began to set it as configured. AWS has not confirmed that yet. The next message reports "
                "the "
                "result.";
    else if (event->maintenance)
        words = "Nothing: a maintenance window is open.";
    else if (event->provisional)
        words = "Nothing: nobody has accepted this trail, and TrailGuard keeps none of its settings.";
    else if (event->protected)
        words = "Nothing. " ONLY_THE_OWNER "change it.";
    else
        words = event->mode != MODE_RESTORE ? "Nothing: it runs in mode \"{mode}\"."
                : event->may_act            ? "Nothing yet: another action on this trail comes first."
                                 : "Nothing: restore in trailguard.conf does not name this kind of setting.";
    alert_expand(x, words);
}

/* ---- a new trail ---- */

static const char *delivers_to(const AlertExpansion *x, Field field) {
    const Settings *delivers = x->source->event->delivers;

    return delivers && delivers->values[field] ? delivers->values[field] : "";
}

static void add_bucket(const AlertExpansion *x) {
    const char *bucket = delivers_to(x, FIELD_BUCKET);

    alert_add_foreign(x, bucket[0] ? bucket : "a bucket that is not known yet");
}

static void add_destination(const AlertExpansion *x) {
    const char *prefix = delivers_to(x, FIELD_PREFIX), *group = delivers_to(x, FIELD_LOG_GROUP);

    (void)strbuf_add(x->out, delivers_to(x, FIELD_BUCKET)[0] ? "bucket " : "");
    add_bucket(x);
    if (prefix[0]) {
        (void)strbuf_add(x->out, ", prefix ");
        alert_add_foreign(x, prefix);
    }
    if (group[0]) {
        (void)strbuf_add(x->out, ", and to log group ");
        alert_add_foreign(x, group);
    }
}

/* The owner of the bucket; detail has the account or trail. */
static const struct {
    const char *in_subject, *in_text;
} standings[_DESTINATION_MAX] = {
    [DESTINATION_UNKNOWN] = { ", bucket owner unknown",
                              "S3 did not confirm that the bucket belongs to a guarded account, and no "
                              "accepted trail delivers there." },
    [DESTINATION_FOREIGN] = { ", bucket of {detail}",
                              "The bucket belongs to account {detail}, which is not guarded." },
    [DESTINATION_GUARDED] = { "", "The bucket belongs to account {detail}, which is guarded." },
    [DESTINATION_USED] = { "", "The accepted trail {detail} delivers there, too." },
};

static void add_standing(const AlertExpansion *x) {
    alert_expand(x, standings[x->source->event->standing].in_text);
}

static void add_standing_short(const AlertExpansion *x) {
    alert_expand(x, standings[x->source->event->standing].in_subject);
}

static void add_watched(const AlertExpansion *x) {
    const Event *event = x->source->event;

    (void)strbuf_add(x->out, event->mode == MODE_OBSERVE || event->protected
                                     ? "Polls it, and reports when it is stopped, changed or deleted."
                                     : "Polls it, starts it when it is stopped, and reports when it is "
                                       "changed or deleted.");
    (void)strbuf_add(x->out, " Until it is accepted, TrailGuard records no baseline of it, restores none "
                             "of its settings, and does not create it again.");
}

static void add_outcome_part(const AlertExpansion *x, OutcomePart which) {
    alert_expand(x, alert_outcome(x->source->event, which));
}

static void add_change(const AlertExpansion *x) {
    add_outcome_part(x, PART_CHANGE);
}

static void add_change_short(const AlertExpansion *x) {
    add_outcome_part(x, PART_CHANGE_SHORT);
}

/* The result of a change; or what changed, if nothing was done about it. */
static void add_change_shortest(const AlertExpansion *x) {
    const char *outcome = alert_outcome(x->source->event, PART_CHANGE_SHORT);

    if (outcome != alert_outcome(x->source->event, PART_CHANGE)) {
        alert_expand(x, outcome);
        return;
    }
    (void)strbuf_add(x->out, " ");
    alert_add_fields(x);
}

static void add_deletion(const AlertExpansion *x) {
    add_outcome_part(x, PART_DELETION);
}

static void add_outcome(const AlertExpansion *x) {
    add_outcome_part(x, PART_SENTENCE);
}

static void add_put_back(const AlertExpansion *x) {
    add_outcome_part(x, PART_RESTORE);
}

static void add_created(const AlertExpansion *x) {
    add_outcome_part(x, PART_CREATION);
}

static void add_left(const AlertExpansion *x) {
    const Event *event = x->source->event;

    if (event->fields_left)
        alert_add_field_names(x, event->fields_left);
    if (event->fields_left & FIELDS_UNWRITABLE)
        (void)strbuf_add(x->out, " (this version does not know the setting, and cannot restore it)");
    if (!event->fields_left)
        (void)strbuf_add(x->out, "some settings, see the next message");
}

static void add_mode(const AlertExpansion *x) {
    (void)strbuf_add(x->out, mode_to_string(x->source->event->mode));
}

static void add_restores(const AlertExpansion *x) {
    alert_add_number(x, x->source->event->n_restores, "time");
}

static void add_known_accounts(const AlertExpansion *x) {
    alert_add_number(x, x->source->event->n_accounts, "known account");
}

/* ---- texts ---- */

static const AlertVariable variables[] = {
    { "LABEL", variable_add_label },
    { "name", add_name },
    { "arn", add_arn },
    { "region", add_region },
    { "where", add_where },
    { "global region", add_global_region },
    { "again", add_again },
    { "gap", variable_add_gap },
    { "since", add_since },
    { "after", add_after },
    { "count", variable_add_count },
    { "stops", add_stops },
    { "lost share", add_lost_share },
    { "starts", add_starts },
    { "polls", variable_add_polls },
    { "attempts", add_attempts },
    { "retries", add_retries },
    { "tried", add_tried },
    { "kinds", add_kinds },
    { "unreadable", add_unreadable },
    { "unreadable short", add_unreadable_short },
    { "unsent", add_unsent },
    { "detail", add_detail },
    { "channel", add_channel },
    { "why", add_why },
    { "because", add_because },
    { "recovered", add_recovered },
    { "error", variable_add_error },
    { "now", add_now },
    { "host", add_host },
    { "weakened", add_weakened },
    { "fields", alert_add_fields },
    { "field names", add_field_names },
    { "met", add_met },
    { "since changed", variable_add_since_changed },
    { "took", add_took },
    { "change", add_change },
    { "change short", add_change_short },
    { "change shortest", add_change_shortest },
    { "deletion", add_deletion },
    { "outcome", add_outcome },
    { "put back", add_put_back },
    { "created", add_created },
    { "left", add_left },
    { "bucket", add_bucket },
    { "destination", add_destination },
    { "standing", add_standing },
    { "standing short", add_standing_short },
    { "watched", add_watched },
    { "mode", add_mode },
    { "restores", add_restores },
    { "known accounts", add_known_accounts },
    { "losses", alert_add_losses },
    { .name = NULL },
};

static void add_variable(const AlertExpansion *x, const char *name, size_t len) {
    const AlertVariable *const tables[] = { variables, alert_variables_who, alert_variables_contain };

    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        for (const AlertVariable *v = tables[i]; v->name; v++)
            if (strlen(v->name) == len && memcmp(v->name, name, len) == 0)
                v->add(x);
}

void alert_expand(const AlertExpansion *x, const char *words) {
    const char *open, *close;

    while ((open = strchr(words, '{'))) {
        close = strchr(open, '}');
        assert(close); /* the texts are our own */
        (void)strbuf_add_mem(x->out, words, (size_t)(open - words));
        add_variable(x, open + 1, (size_t)(close - open - 1));
        words = close + 1;
    }
    (void)strbuf_add(x->out, words);
}

int alert_headline(const AlertSource *source, StrBuf *ret) {
    AlertExpansion x = { .source = source, .out = ret, .cut = ALERT_SHOWN_MAX };
    size_t begin = ret->len;
    bool ours = text_starts_with(source->words->headline, "{who}") ||
                (text_starts_with(source->words->headline, "{where}") && !source->subject->region[0]);

    alert_expand(&x, source->words->headline);
    /* a name keeps its case; "user", "role" and "account" can begin a sentence */
    if (ours && ret->data && ret->data[begin] >= 'a')
        ret->data[begin] = (char)(ret->data[begin] - 'a' + 'A');
    return strbuf_error(ret);
}
