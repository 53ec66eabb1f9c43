/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The text of state.json ("trailguard.state/1"): a table in, text out, and back. Pure but for allocation;
 * for state.c, its tests and the fuzzer. */

#include <stddef.h>

#include "daemon/io/state.h"

#define STATE_ENTRIES_MAX 100000U /* trails, and as many targets and channels */

/* The text, one trail, target or failed channel a line; the caller frees. 0, -ENOMEM, or -E2BIG over
 * STATE_SIZE_MAX or STATE_ENTRIES_MAX, which state_json_read would refuse. Members that have their default
 * are left out. Bytes that are not UTF-8 become '?', numbers past INT64_MAX become that. */
int state_json_write(const StateTable *table, char **ret, size_t *ret_len);

/* Reads it; free *ret with state_table_done. Unknown members are passed over, missing ones have their
 * default. A member of the wrong type or out of range, a word that is not known, another schema, or more
 * than STATE_ENTRIES_MAX entries: -EINVAL with one line that says so, escaped, in reason. -ENOMEM. */
int state_json_read(const char *text, size_t len, StateTable *ret, char *reason, size_t reason_size);
