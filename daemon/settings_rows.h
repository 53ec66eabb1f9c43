/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What accept shows: trails beside what is recorded of them. */

#include "daemon/engine.h"
#include "daemon/tables.h"
#include "lib/arn.h"

/* {0} is empty; free with settings_rows_done. */
typedef struct SettingsRows {
    char **arns; /* of what is recorded */
    size_t n_arns;
    EngineSettings *rows; /* borrow from the tables, and from arns and parsed */
    size_t n;
    Arn *parsed;
} SettingsRows;

/* Before anything is polled: which trails have a baseline. 0, or -errno with one line in error. */
int settings_rows_recorded(SettingsRows *rows, const char *state_dir, char error[static ENGINE_ERROR_MAX]);
/* After the pass: all trails that are guarded, and those that are recorded and in no list. 0 or -ENOMEM. */
int settings_rows_fill(Engine *engine, SettingsRows *rows);
/* The first list that could not be read, raw; "" when all could. */
void settings_rows_unlisted(const Engine *engine, char dst[static ERROR_TEXT_MAX]);
void settings_rows_done(SettingsRows *rows);
