/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a status document ("trailguard.status/1") shows people: the tables of `status` and `check`. Documents
 * are borrowed. Anybody may have written them: everything is escaped before a terminal gets it. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define STATUS_RED    "\033[31m"
#define STATUS_YELLOW "\033[33m"
#define STATUS_GREEN  "\033[32m"
#define STATUS_PLAIN  "\033[0m"

#define STATUS_SHOWN_MAX 1024 /* bytes of one text */

typedef struct StatusView {
    bool every_target; /* also those that are well, and whose credentials asked */
    bool color, all, problems;
    unsigned columns;  /* of the terminal; 0: none */
    uint64_t now_usec; /* real */
} StatusView;

/* Prints what is below the first line of a status document for people. Members that are missing
 * or of a wrong type are left out. */
void status_print(FILE *out, const json_t *status, const StatusView *view);

/* How many trails, regions and channels are not well. */
size_t status_count_bad(const json_t *status);
/* A member that is a string; "" when it is missing or something else. */
const char *status_text(const json_t *object, const char *name);
void status_put(FILE *out, const char *text);
