/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The tables that `status` and `check` show of a status document ("trailguard.status/1"). Documents are
 * borrowed. They may come from anyone, so everything is escaped for the terminal. */

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
    bool every_target; /* also those that are well, with the identity that polls */
    bool color, all, problems;
    unsigned columns;  /* of the terminal; 0: none */
    uint64_t now_usec; /* real */
} StatusView;

/* Prints everything below the first line of a status document. Members that are missing or have a wrong type
 * are left out. */
void status_print(FILE *out, const json_t *status, const StatusView *view);

/* The number of trails, regions and channels that are not well. */
size_t status_count_bad(const json_t *status);
/* A member that is a string; "" if it is missing or something else. */
const char *status_text(const json_t *object, const char *name);
void status_put(FILE *out, const char *text);
