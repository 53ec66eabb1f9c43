/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The state table <-> JSON. Pure; private to state. */

#include <jansson.h>

#include "daemon/state.h"

/* A new reference, or NULL when out of memory. */
json_t *state_to_json(const StateTable *table);

/* 0; -EBADMSG with a reason in *ret_why (static text); -ENOMEM. */
int state_from_json(const json_t *root, StateTable *ret, const char **ret_why);
