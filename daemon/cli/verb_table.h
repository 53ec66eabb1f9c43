/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The table that `status` and `check` print. */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Prints a status document ("trailguard.status/1") for people. Members that are missing or of a wrong type
 * are left out. */
void verb_print_status(FILE *out, const json_t *status, bool color);
/* The same, with a line for every target, and whose credentials asked. */
void verb_print_check(FILE *out, const json_t *status, bool color);
