/* SPDX-License-Identifier: Apache-2.0 */
/* Composes the finished message for a change of an incident: subject, mail, ids. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/alert.h"
#include "daemon/core/alert_private.h"
#include "daemon/core/contain.h"
#include "daemon/core/enum_names.h"
#include "lib/endpoint.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define COMMAND "  aws " /* to be copied into a shell: never wrapped */

/* The bytes in at most `width` columns, one per character. */
static size_t within_width(const char *s, size_t len, size_t width) {
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        if (((unsigned char)s[i] & 0xc0) != 0x80 && n++ == width)
            return i;
    return len;
}

/* How far a continued line is indented: always, so that outside text cannot begin a line that looks like
 * ours. */
static size_t hanging(const char *line) {
    size_t indent = strspn(line, " "), digits = strspn(line + indent, "0123456789");

    if (digits > 0 && line[indent + digits] == '.' && line[indent + digits + 1] == ' ')
        return indent + digits + 2;
    return indent > 0 ? indent : 2;
}

/* The length of the longest part of a text that ends before a space and fits, without that space; of the
 * first word if none fits. */
static size_t fitting(const char *s, size_t len, size_t width) {
    size_t room = within_width(s, len, width), best = 0, at = strspn(s, " ");

    while (at < len) {
        const char *space = memchr(s + at, ' ', len - at);
        size_t end = space ? (size_t)(space - s) : len;

        if (best > 0 && end > room)
            break;
        best = at = end;
        while (at < len && s[at] == ' ')
            at++;
    }
    return best > 0 ? best : len;
}

static bool stays_whole(const char *line, size_t len) {
    size_t indent = strspn(line, " ");

    return strncmp(line, COMMAND, strlen(COMMAND)) == 0 || memmem(line + indent, len - indent, "  ", 2);
}

static void wrap_line(const char *line, size_t len, StrBuf *ret) {
    size_t hang = hanging(line), width = stays_whole(line, len) ? SIZE_MAX : ALERT_WIDTH;

    while (within_width(line, len, width) < len) {
        size_t taken = fitting(line, len, width);

        (void)strbuf_add_mem(ret, line, taken);
        while (taken < len && line[taken] == ' ')
            taken++;
        line += taken;
        len -= taken;
        if (len == 0)
            return;
        (void)strbuf_addf(ret, "\n%*s", (int)hang, "");
        width = ALERT_WIDTH - hang;
    }
    (void)strbuf_add_mem(ret, line, len);
}

int alert_wrap(const char *text, StrBuf *ret) {
    while (*text) {
        size_t len = strcspn(text, "\n");

        wrap_line(text, len, ret);
        text += len;
        if (*text == '\n') {
            (void)strbuf_add_char(ret, '\n');
            text++;
        }
    }
    return strbuf_error(ret);
}

#define PREFIX   "[TrailGuard] "
#define NAME_MIN 6 /* a truncated name keeps this much, including the dots */

static uint64_t span(uint64_t from_usec, uint64_t to_usec) {
    return to_usec > from_usec ? to_usec - from_usec : 0;
}

/* ---- subject ---- */

/* Expands one form of the subject, with names and errors truncated to `cut` bytes. */
static size_t try_subject(const AlertSource *source, const char *words, size_t cut,
                          char ret[static ALERT_SUBJECT_MAX]) {
    _cleanup_strbuf_ StrBuf raw = STRBUF_INIT(ALERT_EXPANDED_MAX), ascii = STRBUF_INIT(ALERT_EXPANDED_MAX);
    AlertExpansion x = { .source = source, .out = &raw, .cut = cut };

    (void)strbuf_add(&raw, PREFIX);
    alert_expand(&x, words);
    if (strbuf_error(&raw) < 0)
        return 0;
    /* it is escaped, so only characters outside ASCII must be replaced */
    for (size_t i = 0; i < raw.len; i++)
        (void)strbuf_add_char(&ascii, raw.data[i] >= 0x20 && raw.data[i] < 0x7f ? raw.data[i] : '?');
    (void)text_copy(ret, ALERT_SUBJECT_MAX, strbuf_str(&ascii));
    return strbuf_error(&ascii) < 0 ? 0 : ascii.len;
}

static bool knows_gap(const AlertSource *source) {
    return source->event->gap.from_usec != 0 && source->event->gap.to_usec != 0;
}

/* The whole form, or with as much of its names and errors as fits: each round shortens at least the longest
 * of them. */
static size_t try_form(const AlertSource *source, const char *form, char ret[static ALERT_SUBJECT_MAX]) {
    size_t len = try_subject(source, form, ALERT_SHOWN_MAX, ret);

    for (size_t cut = ALERT_SUBJECT_MAX; len >= ALERT_SUBJECT_MAX && cut > NAME_MIN; cut--)
        len = try_subject(source, form, cut - 1, ret);
    return len;
}

static int alert_subject(const AlertSource *source, char ret[static ALERT_SUBJECT_MAX]) {
    const AlertTemplate *words = source->words;
    const char *shorter = words->subject_short ? words->subject_short : words->subject;
    bool has_gap = !words->subject_short || !strstr(words->subject, "{gap}") || knows_gap(source);
    size_t len = has_gap ? try_subject(source, words->subject, ALERT_SHOWN_MAX, ret) : ALERT_SUBJECT_MAX;

    if (len >= ALERT_SUBJECT_MAX)
        len = try_form(source, shorter, ret);
    if (len >= ALERT_SUBJECT_MAX && words->subject_shortest)
        len = try_form(source, words->subject_shortest, ret);
    if (len >= ALERT_SUBJECT_MAX)
        memcpy(ret + ALERT_SUBJECT_MAX - 4, "...", 4);
    return len > 0 ? 0 : -ENOMEM;
}

/* ---- mail ---- */

static void add_heading(const AlertExpansion *x, const char *heading) {
    (void)strbuf_addf(x->out, "\n%s\n", heading);
}

/* Each line of a text, indented. */
static void add_indented(const AlertExpansion *x, const StrBuf *text) {
    (void)strbuf_add_buf(x->out, &(StrBuf){ .error = strbuf_error(text) });
    for (const char *line = strbuf_str(text); *line;) {
        const char *end = strchrnul(line, '\n');

        (void)strbuf_add(x->out, "  ");
        (void)strbuf_add_mem(x->out, line, (size_t)(end - line));
        (void)strbuf_add(x->out, "\n");
        line = *end ? end + 1 : end;
    }
}

static void add_section(const AlertExpansion *x, const char *heading, const char *words) {
    _cleanup_strbuf_ StrBuf text = STRBUF_INIT(ALERT_EXPANDED_MAX);
    AlertExpansion inner = { .source = x->source, .out = &text, .cut = ALERT_SHOWN_MAX };

    if (!words)
        return;
    add_heading(x, heading);
    alert_expand(&inner, words);
    add_indented(x, &text);
}

static void add_moment(const AlertExpansion *x, uint64_t usec, const char *what) {
    char text[TIMETEXT_MAX];

    if (usec != 0)
        (void)strbuf_addf(x->out, "  %s  %s\n", alert_human_time(text, usec), what);
}

static void add_repeats(const AlertExpansion *x) {
    const Repeats *repeats = &x->source->event->repeats;
    char text[TIMETEXT_MAX];

    (void)strbuf_add(x->out, "  ");
    alert_add_number(x, repeats->count, "time");
    (void)strbuf_add(x->out, ", summed up here\n");
    add_moment(x, repeats->first_usec, "the first of them began");
    add_moment(x, repeats->last_usec, "the last of them, as far as known");
    if (repeats->total_usec != 0)
        (void)strbuf_addf(x->out, "  %s in all without recording\n",
                          timetext_span(text, repeats->total_usec));
}

static void add_contest(const AlertExpansion *x) {
    const Repeats *contest = &x->source->event->contest;
    char text[TIMETEXT_MAX];

    add_moment(x, contest->first_usec, "logging was stopped for the first time");
    add_moment(x, contest->last_usec, "logging again after the last of these stops");
    (void)strbuf_addf(x->out, "  %s without recording, in all: %u %% of the time\n",
                      timetext_span(text, contest->total_usec), alert_lost_percent(x->source->event));
}

static void add_happened(const AlertExpansion *x) {
    const Event *event = x->source->event;

    add_heading(x, "When");
    if (event->kind == EVENT_TRAIL_CONTESTED)
        add_contest(x);
    if (event->phase == PHASE_SUMMARY) {
        add_repeats(x);
        return;
    }
    if (alert_shows_gap(event)) {
        add_moment(x, event->gap.from_usec, "logging was stopped");
        add_moment(x, event->gap.to_usec, "logging again");
    } else if (event->kind == EVENT_TRAIL_WEAKENED)
        add_moment(x, event->changed_usec, "found to be changed");
    else if (event->kind != EVENT_GUARD_TEST)
        add_moment(x, event->reopened_usec ? event->reopened_usec : event->opened_usec, "noticed");
    add_moment(x, event->time_usec, "this message");
}

#define MEMBERS_MAX 100 /* in a mail; the journal has a line for each */

/* What all members have in common is not repeated. */
static void add_member(const AlertExpansion *x, const Subject *member) {
    CauseKind cause = x->source->event->cause;
    const char *account = member->account[0] ? member->account : "not known yet";

    if (cause == CAUSE_CLOSED || cause == CAUSE_UNCOVERED) {
        (void)text_escape(x->out, member->region, 31);
        return;
    }
    if (member->region[0] && cause != CAUSE_OUTAGE) {
        (void)text_escape(x->out, member->region, 31);
        (void)strbuf_add(x->out, " (");
        (void)text_escape(x->out, account, 16);
        (void)strbuf_add(x->out, ")");
        return;
    }
    (void)strbuf_add(x->out, cause == CAUSE_CREDENTIALS ? "account " : "");
    (void)text_escape(x->out, account, 16);
}

static void add_members(const AlertExpansion *x) {
    static const char *const headings[_CAUSE_MAX] = {
        [CAUSE_OWN] = "Which",           [CAUSE_CLOSED] = "Which regions",
        [CAUSE_CREDENTIALS] = "Which",   [CAUSE_UNCOVERED] = "Which regions",
        [CAUSE_ROLE] = "Which accounts", [CAUSE_OUTAGE] = "Which accounts",
    };
    const Event *event = x->source->event;

    if (event->n_members == 0)
        return;
    add_heading(x, headings[event->cause]);
    for (size_t i = 0; i < event->n_members && i < MEMBERS_MAX; i++) {
        (void)strbuf_add(x->out, i > 0 ? ", " : "  ");
        add_member(x, &event->members[i]);
    }
    if (event->n_members > MEMBERS_MAX)
        (void)strbuf_addf(x->out, " and %zu more", event->n_members - MEMBERS_MAX);
    (void)strbuf_add(x->out, "\n");
}

static void add_first_sight(const AlertExpansion *x) {
    const Event *event = x->source->event;
    char text[TIMETEXT_MAX];

    if (!event->first_sight)
        return;
    if (event->kind == EVENT_TRAIL_MISSING || event->kind == EVENT_EXPECTATION_UNMET)
        return; /* it is in the headline */
    if (event->gap.from_usec == 0)
        (void)strbuf_add(x->out, "It was already not logging at TrailGuard's first poll. AWS does not say "
                                 "since when.\n");
    else
        (void)strbuf_addf(x->out, "It was already stopped at TrailGuard's first poll. AWS says since %s.\n",
                          alert_human_time(text, event->gap.from_usec));
}

static void add_lost(const AlertExpansion *x) {
    const Event *event = x->source->event;
    char from[TIMETEXT_MAX], to[TIMETEXT_MAX], length[TIMETEXT_MAX];
    uint64_t end = event->gap.to_usec ? event->gap.to_usec : event->time_usec;

    if (!x->source->words->loss)
        return;
    add_section(x, "What was lost", x->source->words->loss);
    if (!alert_shows_gap(event))
        return;
    (void)timetext_span(length, span(event->gap.from_usec, end));
    if (event->gap.to_usec == 0)
        (void)strbuf_addf(x->out, "  The gap began at %s and is still open: %s so far.\n",
                          alert_human_time(from, event->gap.from_usec), length);
    else
        (void)strbuf_addf(x->out, "  The gap is from %s to %s: %s.\n",
                          alert_human_time(from, event->gap.from_usec),
                          alert_human_time(to, event->gap.to_usec), length);
}

/* True if it is safe in a command that people copy into a shell. */
static bool is_plain_word(const char *s) {
    return s[0] && s[0] != '-' &&
           s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:/")] == '\0';
}

#define ORGANIZATIONS "us-east-1" /* other partitions have their own */

/* Calls are looked up by name, because the event history has names even if a caller gave a trail's ARN, and
 * for resources that are no trails. */
static const struct {
    uint32_t findings;
    uint32_t fields; /* 0: any change */
    const char *call;
    const char *region; /* NULL: the trail's home region */
    enum {
        ALL,
        OWNER,
        MEMBER
    } whose; /* history has the call: the trail owner's, or a member's */
} calls[] = {
    { FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_INTERRUPTED), 0, "StopLogging", NULL, ALL },
    { FINDING_BIT(FINDING_MISSING) | FINDING_BIT(FINDING_REPLACED), 0, "DeleteTrail", NULL, ALL },
    { FINDING_BIT(FINDING_APPEARED), 0, "CreateTrail", NULL, ALL },
    { FINDINGS_CHANGED, FIELDS_TRAIL | FIELDS_UNWRITABLE, "UpdateTrail", NULL, ALL },
    { FINDINGS_CHANGED, FIELD_BIT(FIELD_SELECTORS), "PutEventSelectors", NULL, ALL },
    { FINDINGS_CHANGED, FIELD_BIT(FIELD_INSIGHTS), "PutInsightSelectors", NULL, ALL },
    { FINDINGS_CHANGED, FIELD_BIT(FIELD_CONFIGURATION), "PutEventConfiguration", NULL, ALL },
    { FINDINGS_CHANGED, FIELD_BIT(FIELD_TAGS), "RemoveTags", NULL, ALL },
    { FINDINGS_CHANGED, FIELD_BIT(FIELD_TAGS), "AddTags", NULL, ALL },
    { FINDING_BIT(FINDING_BUCKET), 0, "PutBucketPolicy", "REGION-OF-THE-BUCKET", ALL },
    { FINDING_BIT(FINDING_BUCKET), 0, "DeleteBucketPolicy", "REGION-OF-THE-BUCKET", ALL },
    { FINDING_BIT(FINDING_BUCKET), 0, "DeleteBucket", "REGION-OF-THE-BUCKET", ALL },
    { FINDING_BIT(FINDING_LIFECYCLE), 0, "PutBucketLifecycle", "REGION-OF-THE-BUCKET", ALL },
    { FINDING_BIT(FINDING_KEY), 0, "DisableKey", NULL, ALL },
    { FINDING_BIT(FINDING_KEY), 0, "ScheduleKeyDeletion", NULL, ALL },
    { FINDING_BIT(FINDING_KEY), 0, "DeleteImportedKeyMaterial", NULL, ALL },
    { FINDING_BIT(FINDING_KEY), 0, "DisconnectCustomKeyStore", NULL, ALL },
    { FINDINGS_CHANGED, FIELD_BIT(FIELD_ORGANIZATION), "DisableAWSServiceAccess", ORGANIZATIONS, OWNER },
    { FINDING_BIT(FINDING_MISSING), 0, "LeaveOrganization", ORGANIZATIONS, MEMBER },
    { FINDING_BIT(FINDING_MISSING), 0, "AcceptHandshake", ORGANIZATIONS, MEMBER },
};

static const char *region_of_call(const char *region, const char *home) {
    const char *organizations = endpoint_service_region(AWS_ORGANIZATIONS, home);

    if (!region)
        return home;
    return strcmp(region, ORGANIZATIONS) == 0 && organizations ? organizations : region;
}

/* The findings of a message, even if they have ended. */
static uint32_t sought(const Event *event) {
    uint32_t of_event = event_row(event->kind)->sought;

    if (of_event)
        return of_event;
    if (event->kind != EVENT_TRAIL_RESOLVED)
        return event->about ? event->about : event->findings;
    return (event->gap.from_usec ? FINDING_BIT(FINDING_STOPPED) : 0) |
           (event->fields ? FINDING_BIT(FINDING_CHANGED) : 0) |
           (event->restore.taken == ACTION_RECREATE ? FINDING_BIT(FINDING_MISSING) : 0) |
           (event->about & FINDING_BIT(FINDING_MISSING));
}

static void add_commands(const AlertExpansion *x) {
    const Event *event = x->source->event;
    uint32_t findings = sought(event);
    bool any = false;

    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        if (!(findings & calls[i].findings) || (calls[i].whose == OWNER && event->protected) ||
            (calls[i].whose == MEMBER && !event->protected) ||
            (calls[i].fields && event->fields && !(event->fields & calls[i].fields)))
            continue;
        if (!any)
            add_heading(x, "How to find out who did it");
        any = true;
        (void)strbuf_addf(x->out,
                          "  aws cloudtrail lookup-events --region %s --lookup-attributes "
                          "AttributeKey=EventName,AttributeValue=%s\n",
                          region_of_call(calls[i].region, x->source->subject->region), calls[i].call);
    }
}

static void add_who(const AlertExpansion *x) {
    const Subject *subject = x->source->subject;
    const Event *event = x->source->event;

    if (event->has_actor || event->doubt) {
        add_heading(x, event->doubt                           ? "One of these calls did it"
                       : event->kind == EVENT_TRAIL_ATTEMPTED ? "Who tried it"
                       : event->actor.departure[0]            ? "What AWS recorded"
                                                              : "Who did it");
        alert_add_callers(x);
        return;
    }
    if (!subject->name[0] || !is_plain_word(subject->region))
        return;
    if (event->unmet || event->accepted || event->reconfigured)
        return;
    if (!alert_may_be_attack(event) && event->kind != EVENT_TRAIL_RESOLVED &&
        event->kind != EVENT_TRAIL_APPEARED && event->kind != EVENT_INCIDENT_REMINDER)
        return;
    add_commands(x);
}

static void add_contain(const AlertExpansion *x) {
    const Containment *contain = x->source->event->contain;
    _cleanup_strbuf_ StrBuf commands = STRBUF_INIT(ALERT_EXPANDED_MAX);

    if (!contain)
        return;
    add_heading(x, "How to contain it");
    (void)strbuf_add(x->out, "  TrailGuard proposes to deny changes of trails and of IAM to ");
    alert_add_foreign(x, contain->arn);
    (void)strbuf_add(x->out, ". Reason: ");
    (void)contain_reason(contain, x->out);
    (void)strbuf_add(x->out, ". It changes nothing itself.\n");
    if (contain->why_not)
        (void)strbuf_addf(x->out, "  TrailGuard was to do this itself, and is not sure enough: %s.\n",
                          contain->why_not);
    (void)strbuf_addf(
            x->out,
            "  1. Run the first command on the guard's host. It writes a file.\n"
            "  2. Where that file is, run the others in this order, with the keys of another administrator "
            "of "
            "account %s.%s\n",
            contain->account,
            contain->is_role
                    ? " The first of them ends all sessions of the role, also those of other people "
                      "and programs."
                    : "");
    (void)contain_commands(contain, false, &commands);
    add_indented(x, &commands);
    (void)strbuf_add(x->out, "  To undo it:\n");
    strbuf_truncate(&commands, 0);
    (void)contain_commands(contain, true, &commands);
    add_indented(x, &commands);
}

static void add_footer(const AlertExpansion *x) {
    const AlertSource *source = x->source;

    (void)strbuf_addf(x->out, "\n--\nIncident %s, message %u. Sent by TrailGuard ", source->incident,
                      source->event->sequence);
    (void)text_escape(x->out, source->guard->version, 32);
    (void)strbuf_add(x->out, " on ");
    (void)text_escape(x->out, source->guard->host, 64);
    (void)strbuf_add(x->out, ".\n");
}

/* Then each member has its own history. */
static bool of_any_account(const Event *event) {
    return event->cause == CAUSE_CREDENTIALS || event->cause == CAUSE_ROLE || event->cause == CAUSE_OUTAGE;
}

#define DRILL_ADVICE                                                                                        \
    "1. Compare the times above with what `trailguard drill` printed.\n"                                    \
    "2. If nobody of yours ran it: someone has root on the guard's host. Treat the host as compromised."

static int alert_mail(const AlertSource *source, char **ret) {
    _cleanup_strbuf_ StrBuf mail = STRBUF_INIT(ALERT_TEXT_MAX), wrapped = STRBUF_INIT(ALERT_TEXT_MAX);
    AlertExpansion x = { .source = source, .out = &mail, .cut = ALERT_SHOWN_MAX };
    const Subject *subject = source->subject;

    (void)alert_headline(source, &mail);
    (void)strbuf_add(&mail, "\n");
    add_first_sight(&x);
    if (source->event->maintenance)
        (void)strbuf_addf(&mail,
                          "A maintenance window is open for this trail. Meanwhile TrailGuard starts "
                          "no restore%s.\n",
                          source->event->severity == SEVERITY_INFO ? ", and lowers the severity to info"
                                                                   : "");
    if (source->event->drill)
        (void)strbuf_addf(
                &mail,
                "This is a drill: `trailguard drill%s the trail, and announced that on the guard's "
                "host.\n",
                source->event->fields ? " --tag` added a tag to" : "` stopped");
    add_happened(&x);
    if (subject->region[0] || (subject->account[0] && !of_any_account(source->event))) {
        add_heading(&x, "Where");
        alert_add_fact(&x, "trail", subject->name);
        alert_add_fact(&x, "ARN", subject->arn);
        if (!of_any_account(source->event))
            alert_add_fact(&x, "account", subject->account);
        alert_add_fact(&x, subject->name[0] ? "home" : "region", subject->region);
    }
    add_members(&x);
    if (source->event->changes) {
        add_heading(&x, !source->event->unmet                    ? "What was changed"
                        : source->event->phase == PHASE_RESOLVED ? "What differed"
                                                                 : "What differs");
        alert_add_changes(&x);
    }
    add_lost(&x);
    add_section(&x, "What TrailGuard did", source->words->deed);
    add_who(&x);
    add_section(&x, "What to do now", source->event->drill ? DRILL_ADVICE : source->words->advice);
    add_contain(&x);
    add_footer(&x);
    if (strbuf_error(&mail) < 0)
        return strbuf_error(&mail);
    (void)alert_wrap(strbuf_str(&mail), &wrapped);
    return strbuf_take(&wrapped, ret);
}

/* ---- composing ---- */

static bool is_sane(const Event *event) {
    return (unsigned)event->kind < _EVENT_MAX && (unsigned)event->phase < _EVENT_PHASE_MAX &&
           (unsigned)event->severity < _SEVERITY_MAX;
}

/* Printable ASCII for filters and groups: truncated to fit, other characters replaced. */
static void copy_plain(char *dst, size_t size, const char *src) {
    (void)text_copy(dst, size, src);
    for (; *dst; dst++)
        if (*dst < 0x21 || *dst > 0x7e)
            *dst = '?';
}

int alert_compose(const AlertGuard *guard, const Subject *subject, const Event *event, Alert *ret) {
    Alert alert = { 0 };
    const Subject unnamed = alert_unnamed(subject);
    AlertSource source = { .guard = guard, .event = event, .incident = alert.incident };
    int r;

    if (!is_sane(event))
        return -EINVAL;
    if (event->unnamed)
        subject = &unnamed;
    source.subject = subject;
    source.words = alert_template(subject, event);
    alert.event = alert_event(event);
    alert.severity = event->severity;
    alert.ends = event->phase == PHASE_RESOLVED || (event->phase == PHASE_SUMMARY && event->resolves);
    alert.time_usec = event->time_usec;
    copy_plain(alert.account, sizeof(alert.account), subject->account);
    copy_plain(alert.region, sizeof(alert.region), subject->region);
    if (alert_is_about_trail(subject, event))
        copy_plain(alert.trail, sizeof(alert.trail), subject->name);

    r = alert_incident_id(event->incident_of ? event->incident_of : subject, event->incident_dedup_usec,
                          alert.incident);
    if (r >= 0)
        r = alert_make_id(subject, event, alert.id);
    if (r >= 0)
        r = alert_subject(&source, alert.subject);
    if (r >= 0)
        r = alert_mail(&source, &alert.text);
    if (r >= 0)
        r = alert_document(&source, alert.id, &alert.document);
    if (r >= 0 && !(alert.sms = strdup(alert.subject)))
        r = -ENOMEM;
    if (r < 0) {
        alert_done(&alert);
        return r;
    }
    *ret = alert;
    return 0;
}

void alert_done(Alert *alert) {
    free(alert->text);
    free(alert->sms);
    free(alert->document);
    *alert = (Alert){ 0 };
}
