/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The rows of `accept`: trails with their recorded settings. */

#include "daemon/engine.h"
#include "daemon/tables.h"
#include "lib/arn.h"

/* {0} is empty; free with settings_rows_done. */
typedef struct SettingsRows {
    char **arns; /* of recorded trails */
    size_t n_arns;
    EngineSettings *rows; /* borrow from the tables, and from arns and parsed */
    size_t n;
    Arn *parsed;
} SettingsRows;

/* Call before polling: finds the trails that have a baseline. 0, or -errno with one line in error. */
int settings_rows_recorded(SettingsRows *rows, const char *state_dir, char error[static ENGINE_ERROR_MAX]);
/* Call after the pass: adds all guarded trails, and recorded ones that no list has. 0 or -ENOMEM. */
int settings_rows_fill(Engine *engine, SettingsRows *rows);
/* The error of the first list that could not be read, raw; "" if all were. */
void settings_rows_unlisted(const Engine *engine, char dst[static ERROR_TEXT_MAX]);
void settings_rows_done(SettingsRows *rows);
