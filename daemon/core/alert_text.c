/* SPDX-License-Identifier: Apache-2.0 */
/* Templates -> subject and mail. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/alert_parts.h"
#include "daemon/core/enum_names.h"
#include "lib/endpoint.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define PREFIX   "[TrailGuard] "
#define NAME_MIN 6 /* of a name that is cut, so much stays, dots included */

static uint64_t span(uint64_t from_usec, uint64_t to_usec) {
    return to_usec > from_usec ? to_usec - from_usec : 0;
}

/* ---- subject ---- */

/* Expands one form of the subject; the name or error in it is cut to `cut` bytes. */
static size_t try_subject(const AlertSource *source, const char *words, size_t cut,
                          char ret[static ALERT_SUBJECT_MAX]) {
    _cleanup_strbuf_ StrBuf raw = STRBUF_INIT(ALERT_EXPANDED_MAX), ascii = STRBUF_INIT(ALERT_EXPANDED_MAX);
    AlertExpansion x = { .source = source, .out = &raw, .cut = cut };

    (void)strbuf_add(&raw, PREFIX);
    alert_expand(&x, words);
    /* escaped already, so that only what is not ASCII is left to replace */
    for (size_t i = 0; i < raw.len; i++)
        (void)strbuf_add_char(&ascii, raw.data[i] >= 0x20 && raw.data[i] < 0x7f ? raw.data[i] : '?');
    (void)text_copy(ret, ALERT_SUBJECT_MAX, strbuf_str(&ascii));
    return strbuf_error(&ascii) < 0 ? 0 : ascii.len;
}

static bool knows_gap(const AlertSource *source) {
    return source->tell->gap.from_usec != 0 && source->tell->gap.to_usec != 0;
}

int alert_subject(const AlertSource *source, char ret[static ALERT_SUBJECT_MAX]) {
    const AlertTemplate *words = source->words;
    const char *forms[] = { words->subject, words->subject_short, words->subject_shortest };
    const char *form = words->subject;
    size_t len = ALERT_SUBJECT_MAX, cut;

    for (size_t i = 0; len >= ALERT_SUBJECT_MAX && i < ARRAY_SIZE(forms) && forms[i]; i++) {
        if (i == 0 && forms[1] && strstr(forms[0], "{gap}") && !knows_gap(source))
            continue;
        form = forms[i];
        len = try_subject(source, form, ALERT_SHOWN_MAX, ret);
    }
    /* a name and an error may be in it both, so that each round takes from the longer of them at least */
    for (cut = ALERT_SUBJECT_MAX; len >= ALERT_SUBJECT_MAX && cut > NAME_MIN; cut--)
        len = try_subject(source, form, cut - 1, ret);
    if (len >= ALERT_SUBJECT_MAX)
        memcpy(ret + ALERT_SUBJECT_MAX - 4, "...", 4);
    return len > 0 ? 0 : -ENOMEM;
}

/* ---- mail ---- */

static void add_heading(const AlertExpansion *x, const char *heading) {
    (void)strbuf_addf(x->out, "\n%s\n", heading);
}

/* Every line of a text, indented. */
static void add_indented(const AlertExpansion *x, const char *words) {
    for (const char *line = words; *line;) {
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
    add_indented(x, strbuf_str(&text));
}

static void add_moment(const AlertExpansion *x, uint64_t usec, const char *what) {
    char text[TIMETEXT_MAX];

    if (usec != 0)
        (void)strbuf_addf(x->out, "  %s  %s\n", alert_human_time(text, usec), what);
}

static void add_repeats(const AlertExpansion *x) {
    const Repeats *repeats = &x->source->tell->repeats;
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

static void add_happened(const AlertExpansion *x) {
    const Tell *tell = x->source->tell;

    add_heading(x, "When");
    if (tell->kind == TELL_SUMMARY) {
        add_repeats(x);
        return;
    }
    if (alert_shows_gap(tell)) {
        add_moment(x, tell->gap.from_usec, "logging was stopped");
        add_moment(x, tell->gap.to_usec, "logging again");
    } else if (tell->event == EVENT_TRAIL_WEAKENED)
        add_moment(x, tell->changed_usec, "found to be changed");
    else if (tell->event != EVENT_GUARD_TEST)
        add_moment(x, tell->reopened_usec ? tell->reopened_usec : tell->opened_usec, "noticed");
    add_moment(x, tell->time_usec, "this message");
}

static void add_first_sight(const AlertExpansion *x) {
    const Tell *tell = x->source->tell;
    char text[TIMETEXT_MAX];

    if (!tell->first_sight)
        return;
    if (tell->event == EVENT_TRAIL_MISSING)
        return; /* the headline says so */
    if (tell->gap.from_usec == 0)
        (void)strbuf_add(x->out, "It was already not logging at TrailGuard's first poll. AWS does not say "
                                 "since when.\n");
    else
        (void)strbuf_addf(x->out, "It was already stopped at TrailGuard's first poll. AWS says since %s.\n",
                          alert_human_time(text, tell->gap.from_usec));
}

static void add_lost(const AlertExpansion *x) {
    const Tell *tell = x->source->tell;
    char from[TIMETEXT_MAX], to[TIMETEXT_MAX], length[TIMETEXT_MAX];
    uint64_t end = tell->gap.to_usec ? tell->gap.to_usec : tell->time_usec;

    if (!x->source->words->loss)
        return;
    add_section(x, "What was lost", x->source->words->loss);
    if (!alert_shows_gap(tell))
        return;
    (void)timetext_span(length, span(tell->gap.from_usec, end));
    if (tell->gap.to_usec == 0)
        (void)strbuf_addf(x->out, "  The gap began at %s and is still open: %s so far.\n",
                          alert_human_time(from, tell->gap.from_usec), length);
    else
        (void)strbuf_addf(x->out, "  The gap is from %s to %s: %s.\n",
                          alert_human_time(from, tell->gap.from_usec),
                          alert_human_time(to, tell->gap.to_usec), length);
}

/* May it stand in a command that a tired person copies into a shell? */
static bool is_plain_word(const char *s) {
    return s[0] && s[0] != '-' &&
           s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:/")] == '\0';
}

#define ORGANIZATIONS "us-east-1" /* in other partitions their own */

/* Calls are found by their names, which the event history has also where a trail was given by its ARN, and
 * for what is no trail. */
static const struct {
    uint32_t findings;
    uint32_t fields; /* 0: whatever was changed */
    const char *call;
    const char *region; /* NULL: the trail's home */
    enum {
        ALL,
        OWNER,
        MEMBER
    } whose; /* history has it: of the account that owns the trail, or of a member */
} calls[] = {
    { FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_INTERRUPTED), 0, "StopLogging", NULL, ALL },
    { FINDING_BIT(FINDING_MISSING) | FINDING_BIT(FINDING_RECREATED), 0, "DeleteTrail", NULL, ALL },
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

/* What a message is about, also when it is over. */
static uint32_t sought(const Tell *tell) {
    static const uint32_t of_events[_EVENT_MAX] = {
        [EVENT_TRAIL_STOPPED] = FINDING_BIT(FINDING_STOPPED),
        [EVENT_TRAIL_INTERRUPTED] = FINDING_BIT(FINDING_INTERRUPTED),
        [EVENT_TRAIL_MISSING] = FINDING_BIT(FINDING_MISSING),
        [EVENT_TRAIL_WEAKENED] = FINDING_BIT(FINDING_CHANGED),
    };

    if (of_events[tell->event])
        return of_events[tell->event];
    if (tell->event != EVENT_TRAIL_RESOLVED)
        return tell->about ? tell->about : tell->findings;
    return (tell->gap.from_usec ? FINDING_BIT(FINDING_STOPPED) : 0) |
           (tell->fields ? FINDING_BIT(FINDING_CHANGED) : 0) |
           (tell->restore.taken == ACTION_RECREATE ? FINDING_BIT(FINDING_MISSING) : 0) |
           (tell->about & FINDING_BIT(FINDING_MISSING));
}

static void add_commands(const AlertExpansion *x) {
    const Tell *tell = x->source->tell;
    uint32_t findings = sought(tell);
    bool any = false;

    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        if (!(findings & calls[i].findings) || (calls[i].whose == OWNER && tell->protected) ||
            (calls[i].whose == MEMBER && !tell->protected) ||
            (calls[i].fields && tell->fields && !(tell->fields & calls[i].fields)))
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
    const Tell *tell = x->source->tell;

    if (tell->has_actor) {
        add_heading(x, tell->event == EVENT_TRAIL_ATTEMPTED ? "Who tried it"
                       : tell->actor.departure[0]           ? "What AWS recorded"
                                                            : "Who did it");
        alert_add_actor_facts(x);
        return;
    }
    if (!subject->name[0] || !is_plain_word(subject->region))
        return;
    if (tell->unmet || tell->accepted || tell->reconfigured)
        return;
    if (!alert_may_be_attack(tell) && tell->event != EVENT_TRAIL_RESOLVED &&
        tell->event != EVENT_INCIDENT_REMINDER)
        return;
    add_commands(x);
}

static void add_footer(const AlertExpansion *x) {
    const AlertSource *source = x->source;

    (void)strbuf_addf(x->out, "\n--\nIncident %s, message %u. Sent by TrailGuard ", source->incident,
                      source->tell->sequence);
    (void)text_escape(x->out, source->guard->version, 32);
    (void)strbuf_add(x->out, " on ");
    (void)text_escape(x->out, source->guard->host, 64);
    (void)strbuf_add(x->out, ".\n");
}

int alert_headline(const AlertSource *source, StrBuf *ret) {
    AlertExpansion x = { .source = source, .out = ret, .cut = ALERT_SHOWN_MAX };

    alert_expand(&x, source->words->headline);
    return strbuf_error(ret);
}

int alert_mail(const AlertSource *source, char **ret) {
    _cleanup_strbuf_ StrBuf mail = STRBUF_INIT(ALERT_TEXT_MAX), wrapped = STRBUF_INIT(ALERT_TEXT_MAX);
    AlertExpansion x = { .source = source, .out = &mail, .cut = ALERT_SHOWN_MAX };
    const Subject *subject = source->subject;

    (void)alert_headline(source, &mail);
    (void)strbuf_add(&mail, "\n");
    add_first_sight(&x);
    if (source->tell->maintenance)
        (void)strbuf_addf(&mail,
                          "A maintenance window is open for this trail. Meanwhile TrailGuard starts "
                          "no restore%s.\n",
                          source->tell->severity == SEVERITY_INFO ? ", and lowers the severity to info"
                                                                  : "");
    add_happened(&x);
    if (subject->region[0] || subject->account[0]) {
        add_heading(&x, "Where");
        alert_add_fact(&x, "trail", subject->name);
        alert_add_fact(&x, "ARN", subject->arn);
        alert_add_fact(&x, "account", subject->account);
        alert_add_fact(&x, subject->name[0] ? "home" : "region", subject->region);
    }
    if (source->tell->changes) {
        add_heading(&x, !source->tell->unmet                  ? "What was changed"
                        : source->tell->kind == TELL_RESOLVED ? "What differed"
                                                              : "What differs");
        alert_add_changes(&x);
    }
    add_lost(&x);
    add_section(&x, "What TrailGuard did", source->words->deed);
    add_who(&x);
    add_section(&x, "What to do now", source->words->advice);
    add_footer(&x);
    if (strbuf_error(&mail) < 0)
        return strbuf_error(&mail);
    (void)alert_wrap(strbuf_str(&mail), &wrapped);
    return strbuf_take(&wrapped, ret);
}
