/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/util/shared_text.h"

#include <errno.h>
#include <search.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"

typedef struct SharedText {
    unsigned n_held;
    char text[];
} SharedText;

/* tsearch(3): a balanced tree. Texts come from AWS, and nobody can make it slow by choosing them, as a hash
 * table could be. Static, for it is of the process: no text is of one owner. */
static void *shared_texts;

static int compare_texts(const void *a, const void *b) {
    return strcmp(((const SharedText *)a)->text, ((const SharedText *)b)->text);
}

static SharedText *shared_text_new(const char *text) {
    size_t size = strlen(text) + 1;
    SharedText *made = malloc(sizeof(*made) + size);

    if (!made)
        return NULL;
    made->n_held = 0;
    memcpy(made->text, text, size);
    return made;
}

const char *shared_text(const char *text) {
    SharedText *made = shared_text_new(text), *kept;
    SharedText **place;

    if (!made)
        return NULL;
    place = tsearch(made, &shared_texts, compare_texts);
    kept = place ? *place : NULL;
    if (kept != made)
        free(made);
    if (!kept)
        return NULL;
    kept->n_held++;
    return kept->text;
}

void shared_text_drop(const char *text) {
    SharedText *kept;

    if (!text)
        return;
    kept = CONTAINER_OF(text, SharedText, text);
    if (--kept->n_held > 0)
        return;
    (void)tdelete(kept, &shared_texts, compare_texts);
    free(kept);
}

int shared_text_set(const char **held, const char *text) {
    const char *next = NULL;

    if (text && text[0]) {
        next = shared_text(text);
        if (!next)
            return -ENOMEM;
    }
    shared_text_drop(*held);
    *held = next;
    return 0;
}

const char *shared_text_or_empty(const char *held) {
    return held ? held : "";
}
