/* SPDX-License-Identifier: Apache-2.0 */
/* Decides exactly whether one set of selectors matches every event that another matches.
 *
 * For each field that a selector names, a few witnesses represent all values of the field: values that
 * satisfy the same conditions need only one. A string that occurs in no value is the witness for "something
 * else"; PREFIX + that + SUFFIX is one for every pair of a prefix and a suffix; and each value that is
 * compared as a whole is its own. A selector is then a box: for each field the subset of witnesses that it
 * matches. The boxes of one set are subtracted from each box of the other; what remains is not covered. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/selectors_cover.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define FIELDS_MAX    16    /* AWS knows a dozen */
#define WITNESSES_MAX 8192U /* of one field */
#define STEPS_MAX     20000 /* subtractions; above it the sets are too complex */
#define WORD_BITS     64U

typedef struct Axis {
    const char *field;
    char **witnesses;
    size_t n, allocated;
    size_t at, n_words; /* its part of a box */
} Axis;

typedef struct Space {
    Axis axes[FIELDS_MAX];
    size_t n;
    size_t n_words; /* of a box */
} Space;

/* ---- conditions ---- */

static bool holds(const Term *term, const char *value) {
    switch (term->op) {
    case OPERATOR_EQUALS:
    case OPERATOR_NOT_EQUALS: return strcmp(value, term->value) == 0;
    case OPERATOR_STARTS_WITH:
    case OPERATOR_NOT_STARTS_WITH: return text_starts_with(value, term->value);
    case OPERATOR_ENDS_WITH:
    case OPERATOR_NOT_ENDS_WITH: return text_ends_with(value, term->value);
    case _OPERATOR_MAX: break;
    }
    return false;
}

bool selector_takes(const SelectorSet *set, unsigned selector, const char *field, const char *value) {
    bool asks = false, any = false;

    for (size_t i = 0; i < set->n_terms; i++) {
        const Term *term = &set->terms[i];

        if (term->selector != selector || strcmp(term->field, field) != 0)
            continue;
        if (term->op >= OPERATOR_NOT_EQUALS) {
            if (holds(term, value))
                return false;
        } else {
            asks = true;
            any = any || holds(term, value);
        }
    }
    return any || !asks;
}

/* ---- the space of events ---- */

static void space_done(Space *space) {
    for (size_t i = 0; i < space->n; i++) {
        for (size_t k = 0; k < space->axes[i].n; k++)
            free(space->axes[i].witnesses[k]);
        free(space->axes[i].witnesses);
    }
}

/* Takes the text over, even on failure. */
static int add_witness(Axis *axis, char *text) {
    int r = !text ? -ENOMEM : axis->n == WITNESSES_MAX ? -EINVAL : 0;

    if (r >= 0 && axis->n == axis->allocated) {
        size_t n = MAX(axis->allocated * 2, (size_t)16);
        char **witnesses = realloc(axis->witnesses, n * sizeof(*witnesses));

        if (witnesses) {
            axis->witnesses = witnesses;
            axis->allocated = n;
        } else
            r = -ENOMEM;
    }
    if (r < 0) {
        free(text);
        return r;
    }
    axis->witnesses[axis->n++] = text;
    return 0;
}

static char *join3(const char *a, const char *b, const char *c) {
    size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
    char *s = malloc(size);

    if (s)
        (void)snprintf(s, size, "%s%s%s", a, b, c);
    return s;
}

static bool is_about(const Term *term, const Axis *axis, Operator positive, Operator negative) {
    return (term->op == positive || term->op == negative) && strcmp(term->field, axis->field) == 0;
}

/* PREFIX + something else + each suffix of the sets, and none. */
static int add_suffixes(Axis *axis, const SelectorSet *const sets[2], const char *prefix) {
    int r = add_witness(axis, join3(prefix, SELECTOR_OTHER, ""));

    for (unsigned k = 0; k < 2; k++)
        for (size_t i = 0; r >= 0 && i < sets[k]->n_terms; i++)
            if (is_about(&sets[k]->terms[i], axis, OPERATOR_ENDS_WITH, OPERATOR_NOT_ENDS_WITH))
                r = add_witness(axis, join3(prefix, SELECTOR_OTHER, sets[k]->terms[i].value));
    return r;
}

static int fill_axis(Axis *axis, const SelectorSet *const sets[2]) {
    int r;

    if (strcmp(axis->field, "readOnly") == 0) {
        /* it has two values */
        r = add_witness(axis, strdup("true"));
        return r < 0 ? r : add_witness(axis, strdup("false"));
    }
    r = add_suffixes(axis, sets, "");
    for (unsigned k = 0; k < 2; k++)
        for (size_t i = 0; r >= 0 && i < sets[k]->n_terms; i++) {
            const Term *term = &sets[k]->terms[i];

            if (is_about(term, axis, OPERATOR_STARTS_WITH, OPERATOR_NOT_STARTS_WITH))
                r = add_suffixes(axis, sets, term->value);
            else if (is_about(term, axis, OPERATOR_EQUALS, OPERATOR_NOT_EQUALS))
                r = add_witness(axis, strdup(term->value));
        }
    return r;
}

static int add_axis(Space *space, const char *field, const SelectorSet *const sets[2]) {
    Axis *axis = &space->axes[space->n];
    int r;

    for (size_t i = 0; i < space->n; i++)
        if (strcmp(space->axes[i].field, field) == 0)
            return 0;
    if (space->n == FIELDS_MAX)
        return -EINVAL;
    *axis = (Axis){ .field = field, .at = space->n_words };
    space->n++;
    r = fill_axis(axis, sets);
    axis->n_words = (axis->n + WORD_BITS - 1) / WORD_BITS;
    space->n_words += axis->n_words;
    return r;
}

static int space_init(Space *space, const SelectorSet *a, const SelectorSet *b) {
    const SelectorSet *const sets[2] = { a, b };
    int r = 0;

    for (unsigned k = 0; k < 2; k++)
        for (size_t i = 0; r >= 0 && i < sets[k]->n_terms; i++)
            r = add_axis(space, sets[k]->terms[i].field, sets);
    return r;
}

/* ---- boxes ---- */

static void fill_box(const Space *space, const SelectorSet *set, unsigned selector, uint64_t *box) {
    for (size_t a = 0; a < space->n; a++) {
        const Axis *axis = &space->axes[a];

        for (size_t i = 0; i < axis->n; i++)
            if (selector_takes(set, selector, axis->field, axis->witnesses[i]))
                box[axis->at + i / WORD_BITS] |= 1ULL << i % WORD_BITS;
    }
}

/* All boxes of a set, one after another; the caller frees. NULL when out of memory. */
static uint64_t *make_boxes(const Space *space, const SelectorSet *set) {
    uint64_t *boxes = calloc((size_t)set->n_selectors * space->n_words + 1, sizeof(*boxes));

    for (unsigned i = 0; boxes && i < set->n_selectors; i++)
        fill_box(space, set, i, boxes + i * space->n_words);
    return boxes;
}

/* True if the boxes have an event in common; a box with itself: if it is not empty. */
static bool meet(const Space *space, const uint64_t *a, const uint64_t *b) {
    for (size_t i = 0; i < space->n; i++) {
        const Axis *axis = &space->axes[i];
        bool some = false;

        for (size_t k = axis->at; k < axis->at + axis->n_words; k++)
            some = some || (a[k] & b[k]) != 0;
        if (!some)
            return false;
    }
    return true;
}

typedef struct Cover {
    const Space *space;
    const uint64_t *boxes;
    unsigned n;
    uint64_t *scratch; /* two boxes for each level */
    unsigned steps;
} Cover;

/* Whether a part of this box, which is not empty, is in none of the boxes from `first` on: 1, 0, or -EINVAL
 * if that would take too long. */
static int leaves_over(Cover *c, const uint64_t *box, unsigned first, unsigned level) {
    const Space *space = c->space;
    uint64_t *rest = c->scratch + (size_t)level * 2 * space->n_words, *piece = rest + space->n_words;
    const uint64_t *taken;

    while (first < c->n && !meet(space, box, c->boxes + first * space->n_words))
        first++;
    if (first == c->n)
        return 1;
    if (++c->steps > STEPS_MAX)
        return -EINVAL;

    /* the part outside of `taken` splits into one piece per field: outside of it in that field, inside in
     * the earlier ones */
    taken = c->boxes + first * space->n_words;
    memcpy(rest, box, space->n_words * sizeof(*rest));
    for (size_t i = 0; i < space->n; i++) {
        const Axis *axis = &space->axes[i];
        bool outside = false;
        int r;

        memcpy(piece, rest, space->n_words * sizeof(*piece));
        for (size_t k = axis->at; k < axis->at + axis->n_words; k++) {
            piece[k] &= ~taken[k];
            rest[k] &= taken[k];
            outside = outside || piece[k] != 0;
        }
        r = outside ? leaves_over(c, piece, first + 1, level + 1) : 0;
        if (r != 0)
            return r;
    }
    return 0;
}

static int cover_boxes(const Space *space, const uint64_t *boxes, unsigned n, Cover *cover, bool *ret) {
    int r = 0;

    cover->scratch = calloc(((size_t)cover->n + 1) * 2 * space->n_words + 1, sizeof(*cover->scratch));
    if (!cover->scratch)
        return -ENOMEM;
    for (unsigned i = 0; r == 0 && i < n; i++) {
        const uint64_t *box = boxes + i * space->n_words;

        if (meet(space, box, box))
            r = leaves_over(cover, box, 0, 0);
    }
    free(cover->scratch);
    if (r < 0)
        return r;
    *ret = r == 0;
    return 0;
}

int selector_set_covers(const SelectorSet *a, const SelectorSet *b, bool *ret) {
    _cleanup_(space_done) Space space = { 0 };
    _cleanup_free_ const uint64_t *wanted = NULL, *taken = NULL;
    int r;

    r = space_init(&space, a, b);
    if (r < 0)
        return r;
    wanted = make_boxes(&space, a);
    taken = make_boxes(&space, b);
    if (!wanted || !taken)
        return -ENOMEM;
    return cover_boxes(&space, wanted, a->n_selectors,
                       &(Cover){ .space = &space, .boxes = taken, .n = b->n_selectors }, ret);
}
