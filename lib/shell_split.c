/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/shell_split.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WHITE " \t\r\n"

typedef struct Splitter {
    const char *at;
    char *to;
    char *words[SHELL_WORDS_MAX + 1];
    int n;
} Splitter;

/* What is between quotes, up to the closing one. */
static int take_quoted(Splitter *s, char quote) {
    for (s->at++; *s->at != quote; s->at++) {
        if (quote == '"' && s->at[0] == '\\' && (s->at[1] == '"' || s->at[1] == '\\'))
            s->at++;
        if (*s->at == '\0')
            return -EINVAL;
        *s->to++ = *s->at;
    }
    s->at++;
    return 0;
}

static int take_word(Splitter *s) {
    int r = 0;

    if (s->n == SHELL_WORDS_MAX)
        return -E2BIG;
    s->words[s->n++] = s->to;
    while (r == 0 && *s->at && !strchr(WHITE, *s->at)) {
        if (*s->at == '\'' || *s->at == '"') {
            r = take_quoted(s, *s->at);
            continue;
        }
        if (*s->at == '\\')
            s->at++;
        if (*s->at == '\0')
            return -EINVAL;
        *s->to++ = *s->at++;
    }
    *s->to++ = '\0';
    return r;
}

/* The pointers first, then what they point to. */
static int pack(const Splitter *s, const char *text, size_t len, char ***ret) {
    size_t n_pointers = (size_t)s->n + 1;
    char **all = calloc(n_pointers + len / sizeof(*all) + 1, sizeof(*all));
    char *copy;

    if (!all)
        return -ENOMEM;
    copy = (char *)(all + n_pointers);
    memcpy(copy, text, len);
    for (int i = 0; i < s->n; i++)
        all[i] = copy + (s->words[i] - text);
    all[s->n] = NULL;
    *ret = all;
    return s->n;
}

int shell_split(const char *text, char ***ret) {
    size_t len = strlen(text);
    Splitter s = { .at = text };
    char *scratch;
    int r = 0;

    if (len > SHELL_TEXT_MAX)
        return -E2BIG;
    /* No word is longer than what it came from, but for its end. */
    scratch = malloc(2 * len + 1);
    if (!scratch)
        return -ENOMEM;
    s.to = scratch;
    for (s.at += strspn(s.at, WHITE); *s.at && r == 0; s.at += strspn(s.at, WHITE))
        r = take_word(&s);
    if (r == 0)
        r = pack(&s, scratch, (size_t)(s.to - scratch), ret);
    free(scratch);
    return r;
}
