/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/selectors_change.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/selectors.h"
#include "daemon/core/selectors_cover.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

#define MANAGEMENT   "Management"
#define DATA         "Data"
#define EXAMINED_MAX 10U /* values of one field: a set has up to 500 */
#define NAMED_MAX    3U

typedef struct Comparison {
    const SelectorSet *was, *now;
    StrBuf *out;
    bool lost; /* something that is not recorded any more is named */
} Comparison;

static void _printf_(3, 4) say(Comparison *c, bool lost, const char *format, ...) {
    char words[512];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(words, sizeof(words), format, ap);
    va_end(ap);
    (void)strbuf_addf(c->out, "%s%s", c->out->len > 0 ? "; " : "", words);
    c->lost |= lost;
}

/* Which events of that kind are recorded, of which nothing is known but what is given here. */
static unsigned recorded(const SelectorSet *set, const char *category, const char *field,
                         const char *value) {
    static const struct {
        const char *read_only;
        SelectorsManagement kind;
    } kinds[] = { { "true", SELECTORS_READ }, { "false", SELECTORS_WRITE } };
    unsigned bits = SELECTORS_NONE;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const SelectorKnown known[] = { { "eventCategory", category },
                                        { "readOnly", kinds[i].read_only },
                                        { field, value },
                                        { NULL, NULL } };

        if (selector_set_takes(set, known, SELECTOR_OTHER))
            bits |= kinds[i].kind;
    }
    return bits;
}

/* Is there a selector for events of that kind, whatever it takes of them? */
static bool has_any(const SelectorSet *set, const char *category, const char *type) {
    for (unsigned i = 0; i < set->n_selectors; i++)
        if (selector_takes(set, i, "eventCategory", category) &&
            (!type || selector_takes(set, i, "resources.type", type)))
            return true;
    return false;
}

/* What became of one kind of events. */
static void say_kind(Comparison *c, const char *category, const char *type, const char *what) {
    const char *field = type ? "resources.type" : NULL;
    unsigned was = recorded(c->was, category, field, type), now = recorded(c->now, category, field, type),
             lost = was & ~now;
    bool had = has_any(c->was, category, type), has = has_any(c->now, category, type);

    if (had && !has)
        say(c, true, "%s no longer recorded", what);
    else if (!had && has)
        say(c, false, "%s recorded", what);
    else if (lost && !now)
        say(c, true, "%s recorded only in part", what);
    else if (lost)
        say(c, true, "only %s %s recorded", now == SELECTORS_WRITE ? "write" : "read", what);
    else if (now & ~was)
        say(c, false, "all %s recorded", what);
}

/* Has this value stood in an earlier term of the field? */
static bool is_repeated(const SelectorSet *set, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (strcmp(set->terms[k].field, set->terms[i].field) == 0 &&
            strcmp(set->terms[k].value, set->terms[i].value) == 0)
            return true;
    return false;
}

/* Sources of management events that `of` leaves out and `than` does not, where both record such events. */
static void say_sources(Comparison *c, const SelectorSet *of, const SelectorSet *than, bool lost) {
    unsigned general = recorded(of, MANAGEMENT, NULL, NULL) & recorded(than, MANAGEMENT, NULL, NULL), n = 0,
             examined = 0;
    StrBuf names = STRBUF_INIT(4096);

    for (size_t i = 0; general && i < of->n_terms && examined < EXAMINED_MAX; i++) {
        const Term *term = &of->terms[i];

        if (strcmp(term->field, "eventSource") != 0 || term->op != OPERATOR_NOT_EQUALS || is_repeated(of, i))
            continue;
        examined++;
        if (!(general & recorded(than, MANAGEMENT, "eventSource", term->value) &
              ~recorded(of, MANAGEMENT, "eventSource", term->value)))
            continue;
        if (n++ < NAMED_MAX)
            (void)strbuf_addf(&names, "%s%s", n > 1 ? ", " : "", term->value);
    }
    if (n > NAMED_MAX)
        (void)strbuf_addf(&names, " and %u more", n - NAMED_MAX);
    if (n > 0)
        say(c, lost, "%s %s", strbuf_str(&names), lost ? "excluded" : "no longer excluded");
    strbuf_done(&names);
}

/* The types of resources whose data events one of the sets names. */
static void say_types(Comparison *c) {
    const SelectorSet *const sets[] = { c->was, c->now };
    unsigned examined = 0;

    for (size_t k = 0; k < ARRAY_SIZE(sets); k++)
        for (size_t i = 0; i < sets[k]->n_terms && examined < EXAMINED_MAX; i++) {
            const Term *term = &sets[k]->terms[i];
            char what[128];

            if (strcmp(term->field, "resources.type") != 0 || term->op != OPERATOR_EQUALS ||
                is_repeated(sets[k], i) || (k > 0 && has_any(c->was, DATA, term->value)))
                continue;
            examined++;
            (void)snprintf(what, sizeof(what), "%.100s data events", term->value);
            say_kind(c, DATA, term->value, what);
        }
}

static int compare(const char *expected, const char *actual, StrBuf *out) {
    _cleanup_(selector_set_done) SelectorSet was = { 0 }, now = { 0 };
    Comparison c = { .was = &was, .now = &now, .out = out };
    bool kept = false, within = false;
    int r;

    r = selector_set_read(expected, &was);
    if (r >= 0)
        r = selector_set_read(actual, &now);
    if (r >= 0)
        r = selector_set_covers(&was, &now, &kept);
    if (r >= 0)
        r = selector_set_covers(&now, &was, &within);
    if (r < 0)
        return r;
    say_kind(&c, MANAGEMENT, NULL, "management events");
    say_sources(&c, &now, &was, true);
    say_types(&c);
    say_kind(&c, "NetworkActivity", NULL, "network activity events");
    if (!kept && !c.lost)
        say(&c, true, "some events no longer recorded");
    say_sources(&c, &was, &now, false);
    if (!within && out->len == 0)
        say(&c, false, "more events recorded");
    return strbuf_error(out);
}

const char *change_meaning(const Change *change, char dst[static CHANGE_MEANING_MAX]) {
    StrBuf out = STRBUF_INIT(4096);

    if (change->field != FIELD_SELECTORS || compare(change->expected, change->actual, &out) < 0)
        dst[0] = '\0';
    else
        (void)text_copy(dst, CHANGE_MEANING_MAX, strbuf_str(&out));
    if (out.len >= CHANGE_MEANING_MAX)
        (void)text_copy(dst + strlen(dst) - strlen("..."), sizeof("..."), "...");
    strbuf_done(&out);
    return dst;
}
