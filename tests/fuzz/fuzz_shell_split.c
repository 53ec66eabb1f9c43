/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a command line: its words, quoted again, split into the same words. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/profile.h"
#include "lib/util/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

/* As Python's shlex.quote() does it. */
static void add_quoted(StrBuf *b, const char *word) {
    strbuf_add(b, b->len ? " '" : "'");
    for (; *word; word++)
        if (*word == '\'')
            strbuf_add(b, "'\"'\"'");
        else
            strbuf_add_char(b, *word);
    strbuf_add(b, "'");
}

static void check_again(char **words, int n) {
    StrBuf b = STRBUF_INIT(SHELL_TEXT_MAX);
    char **again = NULL;

    for (int i = 0; i < n; i++)
        add_quoted(&b, words[i]);
    if (strbuf_error(&b) == 0) {
        check(shell_split(strbuf_str(&b), &again) == n);
        for (int i = 0; i < n; i++)
            check(strcmp(words[i], again[i]) == 0);
        free(again);
    }
    strbuf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1), **words = NULL;
    int n, counted = 0;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    n = shell_split(text, &words);
    check(n >= 0 || n == -EINVAL || n == -E2BIG);
    check((n >= 0) == (words != NULL));
    while (words && words[counted])
        counted++;
    check(n < 0 || (n == counted && n <= SHELL_WORDS_MAX));
    if (n > 0)
        check_again(words, n);
    free(words);
    free(text);
    return 0;
}
