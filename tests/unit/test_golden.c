/* SPDX-License-Identifier: Apache-2.0 */
/* The golden texts: tests/golden/ holds subject, SMS, journal lines and mail of every message that can be
 * sent, so that a changed sentence is a reviewed diff. Stories make them (golden_cases.h), and the real
 * guard and alert decide and write. `make golden` writes the files anew. Random stories show that no way of
 * telling lacks a golden text; TEST_SEED and TEST_STORIES tell others, and more of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#include "daemon/core/alert.h"
#include "daemon/core/alert_private.h"
#include "daemon/log.h"
#include "lib/util/strbuf.h"
#include "tests/unit/golden_cases.h"
#include "tests/unit/golden_file.h"
#include "tests/unit/golden_stage.h"

#define TABLE        "events.table"
#define KEY_LEN      1200
#define KEYS_MAX     4096
#define MESSAGES_MAX 160
#define TEXT_LEN     (64U * 1024)

#define RANDOM_STORIES 10000
#define RANDOM_WORDS   14
#define SHOWN_MAX      10

/* ---- what the code under test calls ---- */

static StrBuf *journal;
static const char *const levels[] = {
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"
};

void log_event(int level, const char *message_id, const LogField *fields, size_t n_fields,
               const char *format, ...) {
    char line[4096];
    va_list ap;

    (void)message_id;
    (void)fields;
    (void)n_fields;
    if (!journal)
        return;
    va_start(ap, format);
    (void)vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    (void)strbuf_addf(journal, "%s: %s\n", levels[level], line);
}

/* ---- which messages are alike ---- */

typedef struct Keys {
    char *keys[KEYS_MAX];
    size_t n;
} Keys;

static bool keys_add(Keys *keys, const char *key) {
    for (size_t i = 0; i < keys->n; i++)
        if (strcmp(keys->keys[i], key) == 0)
            return false;
    assert_true(keys->n < KEYS_MAX);
    keys->keys[keys->n++] = strdup(key);
    return true;
}

static void keys_done(Keys *keys) {
    for (size_t i = 0; i < keys->n; i++)
        free(keys->keys[i]);
    keys->n = 0;
}

static const char *worst_of(uint32_t findings) {
    for (Finding f = 0; f < _FINDING_MAX; f++)
        if (findings & FINDING_BIT(f))
            return finding_to_string(f);
    return "none";
}

static bool uses(const AlertTemplate *template, const char *variable) {
    const char *texts[] = { template->subject, template->headline, template->loss, template->deed };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (texts[i] && strstr(texts[i], variable))
            return true;
    return false;
}

/* The first words of a sentence; without what stands in parentheses, numbers above all. */
static void add_begin(StrBuf *b, const char *sentence) {
    size_t end = b->len + 36;
    bool inside = false;

    for (size_t i = 0; sentence[i] && b->len < end; i++) {
        inside = inside || sentence[i] == '(';
        if (!inside)
            (void)strbuf_add_char(b, sentence[i]);
        inside = inside && sentence[i] != ')';
    }
}

/* What became of it, as far as the words of this message depend on it. */
static void add_outcome(StrBuf *b, const AlertSource *source) {
    const AlertTemplate *template = source->words;
    const Event *event = source->event;

    if (uses(template, "{put back}") || uses(template, "{change}"))
        (void)strbuf_addf(b, ": %s %s", alert_outcome(event, PART_SENTENCE),
                          alert_outcome(event, PART_RESTORE));
    if (uses(template, "{created}") || uses(template, "{deletion}"))
        (void)strbuf_addf(b, ": %s", alert_outcome(event, PART_CREATION));
    for (size_t i = 0; i < 2; i++) {
        const char *variable = i == 0 ? "{tried}" : "{met}";
        _cleanup_strbuf_ StrBuf sentence = STRBUF_INIT(KEY_LEN);

        if (!uses(template, variable))
            continue;
        alert_expand(&(AlertExpansion){ .source = source, .out = &sentence, .cut = KEY_LEN }, variable);
        (void)strbuf_add(b, ": ");
        add_begin(b, strbuf_str(&sentence));
    }
}

/* What {still} and {deed} make of findings. */
static const char *lasting(uint32_t findings) {
    uint32_t named =
            findings & (FINDING_BIT(FINDING_MISSING) | FINDING_BIT(FINDING_STOPPED) | FINDINGS_CHANGED);

    return named ? worst_of(named) : findings & FINDINGS_FAILING ? "failing" : "something else";
}

static const char *done(uint32_t findings) {
    uint32_t events = findings & (FINDING_BIT(FINDING_INTERRUPTED) | FINDING_BIT(FINDING_REPLACED) |
                                  FINDING_BIT(FINDING_APPEARED));

    return events ? worst_of(events) : lasting(findings);
}

/* What makes the words of a message: two messages with the same keys say the same about other times, names
 * and settings. Adds the keys that `keys` does not have, and returns the last of them; NULL: none is new. */
static const char *add_keys(Keys *keys, const Subject *subject, const Event *event) {
    static const AlertGuard guard = { "guard1", "1.0.0" };
    const AlertTemplate *template = alert_template(subject, event);
    AlertSource source = { .guard = &guard, .subject = subject, .event = event, .words = template };
    bool by_mode = (event->kind <= EVENT_TRAIL_WEAKENED || event->kind == EVENT_EXPECTATION_UNMET) &&
                   event->phase != PHASE_SUMMARY && !event->protected && !event->maintenance &&
                   !(event->kind == EVENT_TRAIL_MISSING && event->first_sight);
    const char *name = event_to_string(event->kind), *added = NULL;
    StrBuf b[6];

    for (size_t i = 0; i < ARRAY_SIZE(b); i++)
        b[i] = STRBUF_INIT(KEY_LEN);
    (void)strbuf_addf(&b[0], "%s, %s%s%s", name, template->headline, by_mode ? ", mode " : "",
                      by_mode ? mode_to_string(event->mode) : "");
    add_outcome(&b[0], &source);
    if (uses(template, "{unreadable}"))
        (void)strbuf_addf(&b[1], "%s, %s, %s", name, template->headline,
                          worst_of((event->about ? event->about : event->findings) & FINDINGS_UNREADABLE));
    if (uses(template, "{kinds}"))
        (void)strbuf_addf(&b[1], "%s, %s, %s", name, template->headline,
                          worst_of(event->about ? event->about : event->findings));
    if (uses(template, "{deed}"))
        (void)strbuf_addf(&b[2], "%s, done: %s", name, done(event->about));
    if (uses(template, "{still now}"))
        (void)strbuf_addf(&b[3], "%s, still: %s", name, event->resolves ? "over" : lasting(event->findings));
    if (uses(template, "{member now}"))
        (void)strbuf_addf(&b[3], "%s, account: %s", name,
                          event->resolves             ? "over"
                          : event->error == POLL_GONE ? "gone"
                                                      : "not reached");
    if (event->first_sight && event->kind != EVENT_EXPECTATION_UNMET) /* that has no time of AWS */
        (void)strbuf_addf(&b[4], "%s at first sight, %s", name,
                          event->gap.from_usec ? "with a time" : "no time");
    if (event->maintenance || event->drill)
        (void)strbuf_addf(&b[5], "%s in %s", name, event->drill ? "a drill" : "maintenance");
    for (size_t i = 0; i < ARRAY_SIZE(b); i++) {
        assert_int_equal(strbuf_error(&b[i]), 0);
        if (b[i].len > 0 && keys_add(keys, strbuf_str(&b[i])))
            added = keys->keys[keys->n - 1];
        strbuf_done(&b[i]);
    }
    return added;
}

/* ---- golden texts ---- */

typedef struct Golden {
    const GoldenCase *row;
    bool last_word, found;
    unsigned n_wrong; /* cases that are not what they are called */
    char name[GOLDEN_NAME_LEN];
    Alert alert; /* the last that the last word gave of this event */
    Keys *keys;
    const AlertTemplate *sent[MESSAGES_MAX]; /* the messages that have a text, each once */
    size_t n_sent;
} Golden;

static bool was_sent(const Golden *g, const AlertTemplate *message) {
    for (size_t i = 0; i < g->n_sent; i++)
        if (g->sent[i] == message)
            return true;
    return false;
}

static void note_sent(Golden *g, const AlertTemplate *message) {
    if (was_sent(g, message))
        return;
    assert_true(g->n_sent < MESSAGES_MAX);
    g->sent[g->n_sent++] = message;
}

static void replace_spaces(char *s) {
    for (; *s; s++)
        if (*s == ' ')
            *s = '_';
}

/* The name of a case says what the guard thinks that it is about. */
static void check_finding(Golden *g, const Event *event) {
    const GoldenCase *row = g->row;
    char finding[64];

    if (!event->about)
        return;
    (void)text_copy(finding, sizeof(finding), worst_of(event->about));
    replace_spaces(finding);
    if (text_starts_with(row->finding, finding))
        return;
    print_error("\"%s\" is about %s, not about %s\n", row->story, finding, row->finding);
    g->n_wrong++;
}

/* An event has a severity of its row; in a maintenance window or a drill it may be info. */
static void check_severity(const Event *event) {
    bool allowed = event->severity == SEVERITY_INFO && (event->maintenance || event->drill);

    for (const EventCase *c = event_row(event->kind)->cases; c->when; c++)
        allowed = allowed || c->severity == event->severity || c->severity == SEVERITY_OF_INCIDENT;
    if (!allowed)
        fail_msg("%s has severity %s, which its row does not have", event_to_string(event->kind),
                 severity_to_string(event->severity));
}

/* A subject with the longest name and region still says what became of it: the name is cut, not the outcome.
 */
static void check_subject(const Event *event, const Subject *subject) {
    static const AlertGuard guard = { "guard1", "1.0.0" };
    static char name[129];
    Subject longest = *subject;
    AlertSource source = { .guard = &guard, .subject = &longest, .event = event };
    _cleanup_strbuf_ StrBuf still = STRBUF_INIT(KEY_LEN);
    const char *outcome = NULL, *shorter = NULL;
    Alert alert;

    if (!subject->name[0])
        return;
    memset(name, 'n', sizeof(name) - 1);
    longest.name = name;
    longest.region = "ap-southeast-1";
    source.words = alert_template(&longest, event);
    if (strstr(source.words->subject, "{change}")) {
        outcome = alert_outcome(event, PART_CHANGE);
        shorter = alert_outcome(event, PART_CHANGE_SHORT);
        if (shorter == outcome) /* nothing was done */
            return;
    } else if (strstr(source.words->subject, "{deletion}"))
        outcome = alert_outcome(event, PART_DELETION);
    else if (strstr(source.words->subject, "{still}")) {
        alert_expand(&(AlertExpansion){ .source = &source, .out = &still, .cut = KEY_LEN }, "{still}");
        outcome = strbuf_str(&still);
    } else if (strstr(source.words->subject, "{now}"))
        outcome = event->resolves ? "well now" : "not well yet";
    if (!outcome || strchr(outcome, '{') || event->phase == PHASE_RESOLVED)
        return;
    assert_int_equal(alert_compose(&guard, &longest, event, &alert), 0);
    if (!strstr(alert.subject, outcome) && !(shorter && strstr(alert.subject, shorter)))
        fail_msg("\"%s\" lacks the outcome \"%s\"", alert.subject, outcome);
    alert_done(&alert);
}

static void took_golden(Stage *s, const Subject *subject, const Event *event) {
    static const AlertGuard guard = { "guard1", "1.0.0" };
    Golden *g = s->userdata;

    check_severity(event);
    check_subject(event, subject);
    if (!g->last_word || event->kind != g->row->event)
        return;
    check_finding(g, event);
    alert_done(&g->alert);
    assert_int_equal(alert_compose(&guard, subject, event, &g->alert), 0);
    (void)snprintf(g->name, sizeof(g->name), "%s-%s-%s-%s.txt", event_to_string(event->kind),
                   g->row->finding, mode_to_string(s->policy.mode), g->row->outcome);
    g->found = true;
    (void)add_keys(g->keys, subject, event);
    note_sent(g, alert_template(subject, event));
}

/* Plays a case, and gives what its file has to hold; false when the story ends otherwise. */
static bool play_case(Golden *g, const GoldenCase *row, StrBuf *text) {
    _cleanup_strbuf_ StrBuf lines = STRBUF_INIT(TEXT_LEN);
    char story[512], *rest = story;
    Stage s;

    g->row = row;
    g->found = g->last_word = false;
    journal = &lines;
    stage_init(&s, row->mode, took_golden, g);
    (void)text_copy(story, sizeof(story), row->story);
    for (char *word; (word = strsep(&rest, " "));) {
        g->last_word = rest == NULL;
        stage_play(&s, word);
    }
    if (s.n_unlogged > 0)
        print_error("... in \"%s\"\n", row->story);
    g->n_wrong += s.n_unlogged;
    stage_done(&s);
    journal = NULL;
    if (!g->found) {
        print_error("\"%s\" in mode %s does not end with %s\n", row->story, mode_to_string(row->mode),
                    event_to_string(row->event));
        g->n_wrong++;
        return false;
    }
    (void)strbuf_addf(text, "== story\n%s\n\n== subject\n%s\n\n== sms\n%s\n\n== journal\n%s\n== mail\n%s",
                      row->story, g->alert.subject, g->alert.sms, strbuf_str(&lines), g->alert.text);
    alert_done(&g->alert);
    assert_int_equal(strbuf_error(text), 0);
    return true;
}

/* ---- files ---- */

/* Files that no case has; returns how many. */
static unsigned find_strays(const Keys *names, bool update) {
    DIR *dir = opendir(GOLDEN_FOLDER);
    struct dirent *entry;
    unsigned n = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        char path[GOLDEN_NAME_LEN + sizeof(GOLDEN_FOLDER)];
        bool known = entry->d_name[0] == '.' || strncmp(entry->d_name, "errors.", 7) == 0 ||
                     strncmp(entry->d_name, "shown.", 6) == 0;

        for (size_t i = 0; i < names->n && !known; i++)
            known = strcmp(names->keys[i], entry->d_name) == 0;
        if (known)
            continue;
        golden_path(entry->d_name, path);
        if (update)
            assert_int_equal(unlink(path), 0);
        else
            print_error("%s belongs to no case; `make golden` removes it\n", path);
        n++;
    }
    (void)closedir(dir);
    return n;
}

/* ---- tests ---- */

static Keys golden_keys;

/* Each row of an array has a golden text. */
static void check_all_sent(const Golden *g, const AlertTemplate *messages) {
    for (; messages && messages->headline; messages++) {
        if (!was_sent(g, messages))
            fail_msg("no golden text has this row of the tables of messages: %s", messages->headline);
        if (!messages->when)
            return;
    }
}

/* events.table: a line an event and severity, and a line a line of the journal, for tests/lint/promises.py.
 */
static void add_line(StrBuf *b, const char *event, const EventLine *line) {
    (void)strbuf_addf(b, "line\t%s\t%s\t%s\t%s\n", event, levels[line->level], line->id ? line->id : "-",
                      line->text ? line->text : "-");
}

static void write_table(StrBuf *b) {
    for (EventKind kind = 0; kind < _EVENT_MAX; kind++) {
        const EventRow *row = event_row(kind);

        for (const EventCase *c = row->cases; c->when; c++)
            (void)strbuf_addf(b, "event\t%s\t%s\t%s\n", row->name,
                              c->severity == SEVERITY_OF_INCIDENT ? "as the incident"
                                                                  : severity_to_string(c->severity),
                              c->when);
        for (const EventLine *line = row->lines; line && line->level; line++)
            add_line(b, row->name, line);
    }
    for (JournalLine line = 0; line < _LINE_MAX; line++) {
        EventKind kind;
        const EventLine *row = event_line(line, &kind);

        if (kind == _EVENT_MAX)
            add_line(b, "-", row);
    }
}

static void every_text_is_golden(void **unused) {
    bool update = golden_updates();
    Golden g = { .keys = &golden_keys };
    Keys names = { .n = 0 };
    _cleanup_strbuf_ StrBuf table = STRBUF_INIT(TEXT_LEN);
    unsigned n_wrong = 0;

    (void)unused;
    if (access(GOLDEN_FOLDER, R_OK) < 0)
        fail_msg("%s: %s: run this test from the top of the repository", GOLDEN_FOLDER, strerror(errno));
    for (size_t i = 0; i < ARRAY_SIZE(golden_cases); i++) {
        _cleanup_strbuf_ StrBuf text = STRBUF_INIT(TEXT_LEN);

        if (!play_case(&g, &golden_cases[i], &text))
            continue;
        if (!keys_add(&names, g.name))
            fail_msg("two cases are called %s", g.name);
        n_wrong += golden_check(g.name, &text);
    }
    write_table(&table);
    (void)keys_add(&names, TABLE);
    n_wrong += golden_check(TABLE, &table);
    n_wrong += find_strays(&names, update);
    if (update)
        print_message("%s: %zu texts, %u files changed\n", GOLDEN_FOLDER, names.n, n_wrong);
    else
        assert_int_equal(n_wrong, 0);
    keys_done(&names);
    assert_int_equal(g.n_wrong, 0);
    check_all_sent(&g, messages_any);
    for (EventKind kind = 0; kind < _EVENT_MAX; kind++) {
        check_all_sent(&g, event_row(kind)->messages);
        check_all_sent(&g, event_row(kind)->reminders);
    }
}

/* ---- no way of telling lacks a golden text ---- */

typedef struct Random {
    uint64_t seed;
    char story[1024];
    unsigned n_missing;
    unsigned n_unlogged;
} Random;

static unsigned pick(Random *r, size_t n) {
    r->seed = r->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return n > 0 ? (unsigned)((r->seed >> 33) % n) : 0;
}

static void took_random(Stage *s, const Subject *subject, const Event *event) {
    Random *r = s->userdata;
    const char *missing = add_keys(&golden_keys, subject, event);

    check_severity(event);
    check_subject(event, subject);
    if (!missing)
        return;
    if (r->n_missing++ >= SHOWN_MAX)
        return;
    print_error("no golden text for %s: %s\n  { ..., %s, ..., \"%s\" }\n", event_to_string(event->kind),
                missing, mode_to_string(s->policy.mode), r->story + 1);
}

static void play_random(Random *r) {
    Stage s;
    unsigned n = 1 + pick(r, RANDOM_WORDS);

    r->story[0] = '\0';
    stage_init(&s, pick(r, _MODE_MAX), took_random, r);
    for (unsigned i = 0; i < n; i++) {
        const struct Word *word = &words[pick(r, ARRAY_SIZE(words))];
        size_t n_often = 0, len = strlen(r->story);
        const char *step = r->story + len + 1;
        const char *arg;

        while (n_often < ARRAY_SIZE(word->often) && word->often[n_often])
            n_often++;
        arg = word->often[pick(r, n_often)];
        (void)snprintf(r->story + len, sizeof(r->story) - len, " %s%s%s", word->name, arg[0] ? ":" : "",
                       arg);
        stage_play(&s, step);
    }
    if (s.n_unlogged > 0)
        print_error("... in \"%s\"\n", r->story + 1);
    r->n_unlogged += s.n_unlogged;
    stage_done(&s);
}

static void every_way_of_telling_has_one(void **unused) {
    const char *seed = getenv("TEST_SEED"), *stories = getenv("TEST_STORIES");
    unsigned long n = stories ? strtoul(stories, NULL, 10) : RANDOM_STORIES;
    Random r = { .seed = seed ? strtoull(seed, NULL, 10) : 1 };

    (void)unused;
    if (golden_keys.n == 0)
        skip(); /* the other test says why */
    for (unsigned long i = 0; i < n; i++)
        play_random(&r);
    if (r.n_unlogged > 0)
        fail_msg("%u alerts have no line of the journal with their event", r.n_unlogged);
    if (r.n_missing > 0)
        fail_msg("%u ways of telling have no golden text: add cases to tests/unit/golden_cases.h",
                 r.n_missing);
}

static int free_keys(void **unused) {
    (void)unused;
    keys_done(&golden_keys);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_is_golden),
        cmocka_unit_test(every_way_of_telling_has_one),
    };

    return cmocka_run_group_tests(tests, NULL, free_keys);
}
