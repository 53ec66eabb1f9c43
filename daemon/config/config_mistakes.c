/* SPDX-License-Identifier: Apache-2.0 */
/* Collects all mistakes of a file and prints them in the order of the file. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config_private.h"
#include "lib/util/text.h"

static int _printf_(3, 0) add(Reading *r, Place at, const char *format, va_list ap) {
    Mistake *mistake = r->n_mistakes < CONFIG_MISTAKES_MAX ? &r->mistakes[r->n_mistakes] : NULL;

    r->n_mistakes++;
    if (mistake) {
        mistake->at = at;
        (void)text_copy(mistake->topic, sizeof(mistake->topic), r->topic);
        (void)vsnprintf(mistake->what, sizeof(mistake->what), format, ap);
    }
    return -EINVAL;
}

int config_mistake(Reading *r, Place at, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    (void)add(r, at, format, ap);
    va_end(ap);
    return -EINVAL;
}

/* Returns the position of a setting: the scanner's own if it has one, else libconfig's line. */
static Place place_of(const config_setting_t *setting, bool value) {
    const Position *position = setting ? config_setting_get_hook(setting) : NULL;

    if (position)
        return value ? position->value : position->at;
    return (Place){ setting ? config_setting_source_line(setting) : 0, 0 };
}

int config_refuse(Reading *r, const config_setting_t *setting, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    (void)add(r, place_of(setting, false), format, ap);
    va_end(ap);
    return -EINVAL;
}

int config_refuse_value(Reading *r, const config_setting_t *setting, const char *format, ...) {
    Position *position = config_setting_get_hook(setting);
    va_list ap;

    if (position && position->bad)
        return -EINVAL;
    va_start(ap, format);
    (void)add(r, place_of(setting, true), format, ap);
    va_end(ap);
    return -EINVAL;
}

/* the most bytes of a path that are shown, with the NUL */
#define PATH_SHOWN_MAX 201

static void put_mistake(StrBuf *b, const char *path, const Mistake *mistake) {
    char shown[PATH_SHOWN_MAX];

    (void)strbuf_addf(b, "%s:", text_escaped(shown, sizeof(shown), path));
    if (mistake->at.line > 0)
        (void)strbuf_addf(b, "%u:", mistake->at.line);
    if (mistake->at.line > 0 && mistake->at.column > 0)
        (void)strbuf_addf(b, "%u:", mistake->at.column);
    (void)strbuf_addf(b, " %s", mistake->what);
}

int config_note(Reading *r, const config_setting_t *setting, const char *format, ...) {
    const Place at = place_of(setting, true);
    Mistake note = { .at = at };
    StrBuf b = STRBUF_INIT(CONFIG_ERROR_MAX);
    char *notes;
    va_list ap;
    int e;

    va_start(ap, format);
    (void)vsnprintf(note.what, sizeof(note.what), format, ap);
    va_end(ap);
    (void)strbuf_add(&b, r->config->notes ? r->config->notes : "");
    put_mistake(&b, r->config->path, &note);
    (void)strbuf_add_char(&b, '\n');
    e = strbuf_take(&b, &notes);
    if (e < 0)
        return e == -ENOMEM ? e : 0; /* otherwise there are more than anyone reads */
    free(r->config->notes);
    r->config->notes = notes;
    return 0;
}

bool config_is_clean(const Reading *r, const char *topic) {
    for (size_t i = 0; i < MIN(r->n_mistakes, (size_t)CONFIG_MISTAKES_MAX); i++)
        if (text_equal(r->mistakes[i].topic, topic))
            return false;
    return true;
}

/* Mistakes about the whole file come last. */
static int in_order(const void *a, const void *b) {
    const Mistake *one = a, *other = b;
    unsigned line = one->at.line - 1, other_line = other->at.line - 1; /* 0 wraps */

    if (line != other_line)
        return line < other_line ? -1 : 1;
    return (one->at.column > other->at.column) - (one->at.column < other->at.column);
}

void config_show_mistakes(Reading *r, const char *path, char error[static CONFIG_ERROR_MAX]) {
    size_t n = r->n_mistakes, shown = 0;
    StrBuf b = STRBUF_INIT(CONFIG_ERROR_MAX - 1);
    char shown_path[PATH_SHOWN_MAX];

    if (n > CONFIG_MISTAKES_MAX)
        n = CONFIG_MISTAKES_MAX;
    qsort(r->mistakes, n, sizeof(*r->mistakes), in_order);
    for (; shown < n && b.len + sizeof(r->mistakes->what) + 2 * 256 < CONFIG_ERROR_MAX; shown++) {
        (void)strbuf_add(&b, shown > 0 ? "\n" : "");
        put_mistake(&b, path, &r->mistakes[shown]);
    }
    if (r->n_mistakes > shown)
        (void)strbuf_addf(&b, "\n%s: %zu more mistakes",
                          text_escaped(shown_path, sizeof(shown_path), path), r->n_mistakes - shown);
    (void)text_copy(error, CONFIG_ERROR_MAX, strbuf_str(&b));
    strbuf_done(&b);
}
