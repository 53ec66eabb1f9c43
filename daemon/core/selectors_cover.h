/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Private to selectors*.c: a set of selectors as flat conditions, and operations on them. */

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

typedef enum Operator {
    OPERATOR_EQUALS,
    OPERATOR_STARTS_WITH,
    OPERATOR_ENDS_WITH,
    OPERATOR_NOT_EQUALS, /* the negative operators follow in the same order */
    OPERATOR_NOT_STARTS_WITH,
    OPERATOR_NOT_ENDS_WITH,
    _OPERATOR_MAX,
} Operator;

/* One value of one condition. The strings are static or belong to the set's document. */
typedef struct Term {
    unsigned selector;
    const char *field;
    Operator op;
    const char *value;
} Term;

/* A basic selector becomes several: one for management events, one for each resource type. */
typedef struct SelectorSet {
    json_t *document;
    Term *terms; /* in the order of their selectors */
    size_t n_terms, n_allocated;
    unsigned n_selectors;
} SelectorSet;

#define SELECTOR_TERMS_MAX 4096U /* AWS's limits: 500 values, 250 resources */

/* Occurs in no valid set. Stands for all values that no selector names. */
#define SELECTOR_OTHER "\x01"

/* Returns whether the selector includes events whose field has this value. True when it has no condition on
 * the field. */
bool selector_takes(const SelectorSet *set, unsigned selector, const char *field, const char *value);

/* *ret: every event included by a is included by b. Returns 0, -ENOMEM, or -EINVAL when the sets are too
 * complex. */
int selector_set_covers(const SelectorSet *a, const SelectorSet *b, bool *ret);

/* What is known of an event; a list of them ends with a field NULL. */
typedef struct SelectorKnown {
    const char *field, *value;
} SelectorKnown;

/* Does the set take such an event? Every other field has the value `others`; if that is NULL, no condition
 * may use it. */
bool selector_set_takes(const SelectorSet *set, const SelectorKnown *known, const char *others);

/* 0, -ENOMEM, or -EINVAL when the set is not understood. */
int selector_set_read(const char *text, SelectorSet *ret);
void selector_set_done(SelectorSet *set);
