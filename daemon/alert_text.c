/* SPDX-License-Identifier: Apache-2.0 */
/* Templates -> subject and mail. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/alert_parts.h"
#include "daemon/words.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define PREFIX       "[TrailGuard] "
#define EXPANDED_MAX 4096
#define NAME_MIN     6 /* of a name that is cut, so much stays, dots included */

/* Where a template is expanded to, and how much of a name or an error fits there. */
typedef struct Expansion {
    const AlertSource *source;
    StrBuf *out;
    size_t cut;
} Expansion;

static uint64_t span(uint64_t from_usec, uint64_t to_usec) {
    return to_usec > from_usec ? to_usec - from_usec : 0;
}

/* "2026-11-23 10:02:14 UTC": for people. */
static const char *human_time(char dst[static TIMETEXT_MAX], uint64_t usec) {
    char iso[TIMETEXT_MAX];

    (void)timetext_iso(iso, usec);
    if (strlen(iso) == strlen("YYYY-MM-DDThh:mm:ssZ"))
        (void)snprintf(dst, TIMETEXT_MAX, "%.10s %.8s UTC", iso, iso + 11);
    else
        (void)text_copy(dst, TIMETEXT_MAX, "an unknown time");
    return dst;
}

/* Foreign text, cut to what fits. */
static void add_foreign(const Expansion *x, const char *s) {
    _cleanup_strbuf_ StrBuf whole = STRBUF_INIT(EXPANDED_MAX);
    char shown[ALERT_SHOWN_MAX + 1];

    (void)text_escape(&whole, s, ALERT_SHOWN_MAX);
    (void)text_escape(x->out, "", 0);
    if (x->cut >= sizeof(shown) || whole.len <= x->cut) {
        (void)strbuf_add(x->out, strbuf_str(&whole));
        return;
    }
    /* room for the dots; what text_copy leaves is whole characters */
    (void)text_copy(shown, x->cut - 2, strbuf_str(&whole));
    (void)strbuf_addf(x->out, "%s...", shown);
}

static void add_span(const Expansion *x, uint64_t usec) {
    char text[TIMETEXT_MAX];

    (void)strbuf_add(x->out, timetext_span(text, usec));
}

/* ---- the variables ---- */

static void add_label(const Expansion *x) {
    static const char *const labels[_SEVERITY_MAX] = { "INFO", "WARNING", "CRITICAL" };

    (void)strbuf_add(x->out, labels[x->source->tell->severity]);
}

static void add_name(const Expansion *x) {
    const Subject *subject = x->source->subject;

    add_foreign(x, subject->name[0] ? subject->name : subject->arn[0] ? subject->arn : "the trail");
}

static void add_arn(const Expansion *x) {
    const Subject *subject = x->source->subject;

    (void)text_escape(x->out, subject->arn[0] ? subject->arn : subject->name, ALERT_SHOWN_MAX);
}

static void add_region(const Expansion *x) {
    (void)text_escape(x->out, x->source->subject->region, 31);
}

static void add_where(const Expansion *x) {
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

static void add_again(const Expansion *x) {
    if (x->source->tell->kind == TELL_REOPENED)
        (void)strbuf_add(x->out, " again");
}

static void add_gap(const Expansion *x) {
    const Gap *gap = &x->source->tell->gap;

    if (gap->from_usec == 0 || gap->to_usec == 0)
        (void)strbuf_add(x->out, "an unknown time");
    else
        add_span(x, span(gap->from_usec, gap->to_usec));
}

static void add_since(const Expansion *x) {
    add_span(x, span(x->source->tell->opened_usec, x->source->tell->time_usec));
}

static void add_number(const Expansion *x, unsigned n, const char *what) {
    (void)strbuf_addf(x->out, "%u %s%s", n, what, n == 1 ? "" : "s");
}

static void add_attempts(const Expansion *x) {
    add_number(x, x->source->tell->action.attempts, "attempt");
}

static void add_count(const Expansion *x) {
    add_number(x, x->source->tell->repeats.count, "time");
}

static void add_looks(const Expansion *x) {
    add_number(x, x->source->tell->n_failed, "time");
}

/* What was done about a stop. */
static void add_tried(const Expansion *x) {
    const Tell *tell = x->source->tell;
    bool held = tell->action.result == RESULT_HELD;

    if (held || tell->action.attempts > 0) {
        (void)strbuf_add(x->out, held ? "Started logging again ("
                                      : "Tried to start logging, without success so far (");
        add_attempts(x);
        (void)strbuf_add(x->out, held ? ") and read the status back: it logs." : ").");
    } else if (tell->protected)
        (void)strbuf_add(x->out, "Nothing: only the account that owns an organization trail can start it.");
    else if (!tell->may_act)
        (void)strbuf_addf(x->out, "Nothing: it runs in mode \"%s\".", mode_to_string(tell->mode));
    else
        (void)strbuf_add(x->out, "Nothing: it had not come to that yet.");
}

static void add_kinds(const Expansion *x) {
    static const struct {
        uint32_t finding;
        const char *name;
    } kinds[] = {
        { FINDING_BIT(FINDING_DELIVERY), "log files" },
        { FINDING_BIT(FINDING_DIGEST), "digests" },
        { FINDING_BIT(FINDING_LOG_GROUP), "to CloudWatch Logs" },
        { FINDING_BIT(FINDING_NOTIFICATION), "SNS notices" },
    };
    const char *between = "";

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (x->source->tell->findings & kinds[i].finding) {
            (void)strbuf_addf(x->out, "%s%s", between, kinds[i].name);
            between = ", ";
        }
    if (!*between)
        (void)strbuf_add(x->out, "something");
}

static void add_detail(const Expansion *x) {
    const char *detail = x->source->tell->detail;

    add_foreign(x, detail[0] ? detail : "AWS gave no reason");
}

static void add_error(const Expansion *x) {
    LookError error = x->source->tell->error;

    (void)strbuf_add(x->out, error == LOOK_OK ? "no answer" : look_error_to_string(error));
}

static void add_now(const Expansion *x) {
    (void)strbuf_add(x->out, x->source->tell->resolves ? "now well" : "not well yet");
}

static void add_host(const Expansion *x) {
    (void)text_escape(x->out, x->source->guard->host, 64);
}

static const struct {
    const char *name;
    void (*add)(const Expansion *x);
} variables[] = {
    { "LABEL", add_label }, { "name", add_name },     { "arn", add_arn },           { "region", add_region },
    { "where", add_where }, { "again", add_again },   { "gap", add_gap },           { "since", add_since },
    { "count", add_count }, { "looks", add_looks },   { "attempts", add_attempts }, { "tried", add_tried },
    { "kinds", add_kinds }, { "detail", add_detail }, { "error", add_error },       { "now", add_now },
    { "host", add_host },
};

static void add_variable(const Expansion *x, const char *name, size_t len) {
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
        if (strlen(variables[i].name) == len && memcmp(variables[i].name, name, len) == 0)
            variables[i].add(x);
}

static void expand(const Expansion *x, const char *words) {
    const char *open, *close;

    while ((open = strchr(words, '{')) && (close = strchr(open, '}'))) {
        (void)strbuf_add_mem(x->out, words, (size_t)(open - words));
        add_variable(x, open + 1, (size_t)(close - open - 1));
        words = close + 1;
    }
    (void)strbuf_add(x->out, words);
}

/* ---- subject ---- */

/* Expands one form of the subject; the name or error in it is cut to `cut` bytes. */
static size_t try_subject(const AlertSource *source, const char *words, size_t cut,
                          char ret[static ALERT_SUBJECT_MAX]) {
    _cleanup_strbuf_ StrBuf raw = STRBUF_INIT(EXPANDED_MAX), ascii = STRBUF_INIT(EXPANDED_MAX);
    Expansion x = { .source = source, .out = &raw, .cut = cut };

    (void)strbuf_add(&raw, PREFIX);
    expand(&x, words);
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
    const char *form = words->subject;
    size_t len, cut = ALERT_SHOWN_MAX;

    if (words->subject_short && strstr(form, "{gap}") && !knows_gap(source))
        form = words->subject_short;
    len = try_subject(source, form, cut, ret);
    if (len >= ALERT_SUBJECT_MAX && words->subject_short) {
        form = words->subject_short;
        len = try_subject(source, form, cut, ret);
    }
    /* a name and an error may be in it both, so that each round takes from the longer of them at least */
    for (cut = ALERT_SUBJECT_MAX; len >= ALERT_SUBJECT_MAX && cut > NAME_MIN; cut--)
        len = try_subject(source, form, cut - 1, ret);
    if (len >= ALERT_SUBJECT_MAX)
        memcpy(ret + ALERT_SUBJECT_MAX - 4, "...", 4);
    return len > 0 ? 0 : -ENOMEM;
}

/* ---- mail ---- */

static void add_heading(const Expansion *x, const char *heading) {
    (void)strbuf_addf(x->out, "\n%s\n", heading);
}

/* Every line of a text, indented. */
static void add_indented(const Expansion *x, const char *words) {
    for (const char *line = words; *line;) {
        const char *end = strchrnul(line, '\n');

        (void)strbuf_add(x->out, "  ");
        (void)strbuf_add_mem(x->out, line, (size_t)(end - line));
        (void)strbuf_add(x->out, "\n");
        line = *end ? end + 1 : end;
    }
}

static void add_section(const Expansion *x, const char *heading, const char *words) {
    _cleanup_strbuf_ StrBuf text = STRBUF_INIT(EXPANDED_MAX);
    Expansion inner = { .source = x->source, .out = &text, .cut = ALERT_SHOWN_MAX };

    if (!words)
        return;
    add_heading(x, heading);
    expand(&inner, words);
    add_indented(x, strbuf_str(&text));
}

static void add_fact(const Expansion *x, const char *name, const char *value) {
    if (!value[0])
        return;
    (void)strbuf_addf(x->out, "  %-8s ", name);
    (void)text_escape(x->out, value, ALERT_SHOWN_MAX);
    (void)strbuf_add(x->out, "\n");
}

static void add_moment(const Expansion *x, uint64_t usec, const char *what) {
    char text[TIMETEXT_MAX];

    if (usec != 0)
        (void)strbuf_addf(x->out, "  %s  %s\n", human_time(text, usec), what);
}

static void add_repeats(const Expansion *x) {
    const Repeats *repeats = &x->source->tell->repeats;
    char text[TIMETEXT_MAX];

    (void)strbuf_add(x->out, "  ");
    add_number(x, repeats->count, "time");
    (void)strbuf_add(x->out, ", not told one by one\n");
    add_moment(x, repeats->first_usec, "the first of them began");
    add_moment(x, repeats->last_usec, "the last of them, as far as known");
    if (repeats->total_usec != 0)
        (void)strbuf_addf(x->out, "  %s in all without recording\n",
                          timetext_span(text, repeats->total_usec));
}

static void add_happened(const Expansion *x) {
    const Tell *tell = x->source->tell;

    add_heading(x, "When");
    if (tell->kind == TELL_SUMMARY) {
        add_repeats(x);
        return;
    }
    if (alert_shows_gap(tell)) {
        add_moment(x, tell->gap.from_usec, "logging was stopped");
        add_moment(x, tell->gap.to_usec, "logging again");
    } else if (tell->event != EVENT_GUARD_TEST)
        add_moment(x, tell->opened_usec, "noticed");
    add_moment(x, tell->time_usec, "this message");
}

static void add_first_sight(const Expansion *x) {
    const Tell *tell = x->source->tell;
    char text[TIMETEXT_MAX];

    if (!tell->first_sight)
        return;
    if (tell->event == EVENT_TRAIL_MISSING)
        (void)strbuf_add(
                x->out, "It is named in the configuration, and was not there when TrailGuard looked for the "
                        "first time.\n");
    else if (tell->gap.from_usec == 0)
        (void)strbuf_add(x->out,
                         "It was not logging already when TrailGuard first saw it; AWS does not say since "
                         "when.\n");
    else
        (void)strbuf_addf(x->out,
                          "It was already stopped when TrailGuard first saw it; AWS says since %s.\n",
                          human_time(text, tell->gap.from_usec));
}

static void add_lost(const Expansion *x) {
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
                          human_time(from, tell->gap.from_usec), length);
    else
        (void)strbuf_addf(x->out, "  The gap is from %s to %s: %s.\n", human_time(from, tell->gap.from_usec),
                          human_time(to, tell->gap.to_usec), length);
}

/* May it stand in a command that a tired person copies into a shell? */
static bool is_plain_word(const char *s) {
    return s[0] && s[0] != '-' &&
           s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:/")] == '\0';
}

static void add_who(const Expansion *x) {
    const Subject *subject = x->source->subject;
    const Tell *tell = x->source->tell;

    if (!subject->name[0] || !is_plain_word(subject->name) || !is_plain_word(subject->region))
        return;
    if (!alert_may_be_attack(tell) && tell->event != EVENT_TRAIL_RESOLVED &&
        tell->event != EVENT_TRAIL_REMINDER)
        return;
    add_heading(x, "How to find out who did it");
    (void)strbuf_addf(x->out,
                      "  aws cloudtrail lookup-events --region %s --lookup-attributes "
                      "AttributeKey=ResourceName,AttributeValue=%s\n",
                      subject->region, subject->name);
}

static void add_footer(const Expansion *x) {
    const AlertSource *source = x->source;

    (void)strbuf_addf(x->out, "\n--\nIncident %s, message %u. Sent by TrailGuard ", source->incident,
                      source->tell->sequence);
    (void)text_escape(x->out, source->guard->version, 32);
    (void)strbuf_add(x->out, " on ");
    add_host(x);
    (void)strbuf_add(x->out, ".\n");
}

int alert_headline(const AlertSource *source, StrBuf *ret) {
    Expansion x = { .source = source, .out = ret, .cut = ALERT_SHOWN_MAX };

    expand(&x, source->words->headline);
    return strbuf_error(ret);
}

int alert_mail(const AlertSource *source, char **ret) {
    _cleanup_strbuf_ StrBuf mail = STRBUF_INIT(ALERT_TEXT_MAX), wrapped = STRBUF_INIT(ALERT_TEXT_MAX);
    Expansion x = { .source = source, .out = &mail, .cut = ALERT_SHOWN_MAX };
    const Subject *subject = source->subject;

    (void)alert_headline(source, &mail);
    (void)strbuf_add(&mail, "\n");
    add_first_sight(&x);
    add_happened(&x);
    if (subject->region[0] || subject->account[0]) {
        add_heading(&x, "Where");
        add_fact(&x, "trail", subject->name);
        add_fact(&x, "ARN", subject->arn);
        add_fact(&x, "account", subject->account);
        add_fact(&x, subject->name[0] ? "home" : "region", subject->region);
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
