/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a statement of an IAM policy names. Pure. */

#include <jansson.h>
#include <stdbool.h>

typedef bool (*StatementFits)(const char *text, const void *with);

/* A text, or one of an array of them, fits. */
bool statement_any_fits(const json_t *value, StatementFits fits, const void *with);

/* It is the text *with, and no pattern. */
bool statement_text_is(const char *text, const void *with);

/* IAM's wildcards are * and ?, and nothing else is special (AWS IAM User Guide, "IAM JSON policy elements:
 * Resource"). */
bool statement_pattern_fits(const char *pattern, const char *text);

/* It is for everybody, or for that service. */
bool statement_is_about_service(const json_t *principal, const char *service);

/* One of the patterns of Action covers that action: "*", "sns:Pub*", in any case. */
bool statement_names_action(const json_t *value, const char *action);
