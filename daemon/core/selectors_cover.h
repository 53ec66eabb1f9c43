/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Private to selectors.c: a set of selectors as flat conditions, and the algebra over them. */

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

typedef enum Operator {
    OPERATOR_EQUALS,
    OPERATOR_STARTS_WITH,
    OPERATOR_ENDS_WITH,
    OPERATOR_NOT_EQUALS, /* from here on the negative ones, in the same order */
    OPERATOR_NOT_STARTS_WITH,
    OPERATOR_NOT_ENDS_WITH,
    _OPERATOR_MAX,
} Operator;

/* One value of one condition. The texts belong to the set's document or are static. */
typedef struct Term {
    unsigned selector;
    const char *field;
    Operator op;
    const char *value;
} Term;

/* A selector of the basic form becomes several: one for management events, one for each type of resource. */
typedef struct SelectorSet {
    json_t *document;
    Term *terms; /* in the order of the selectors */
    size_t n_terms, n_allocated;
    unsigned n_selectors;
} SelectorSet;

#define SELECTOR_TERMS_MAX 4096U /* AWS: 500 values, 250 resources */

/* Occurs in no value of a set that is understood: it stands for whatever no selector names. */
#define SELECTOR_OTHER "\x01"

/* Does this selector take events whose field has this value? True when it says nothing of the field. */
bool selector_takes(const SelectorSet *set, unsigned selector, const char *field, const char *value);

/* Is every event that a takes taken by b? 0 or -ENOMEM; -EINVAL when the sets are too intricate to tell. */
int selector_set_covers(const SelectorSet *a, const SelectorSet *b, bool *ret);
