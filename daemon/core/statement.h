/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Matching of the elements of an IAM policy statement. Pure. */

#include <jansson.h>
#include <stdbool.h>

typedef bool (*StatementFits)(const char *text, const void *with);

/* True if the text, or one of an array of texts, matches. */
bool statement_any_fits(const json_t *value, StatementFits fits, const void *with);

/* Compares with the text *with, not as a pattern. */
bool statement_text_is(const char *text, const void *with);

/* IAM's only wildcards are * and ? (AWS IAM User Guide, "IAM JSON policy elements: Resource"). */
bool statement_pattern_fits(const char *pattern, const char *text);

/* True if the principal is everyone, or that service. */
bool statement_is_about_service(const json_t *principal, const char *service);

/* True if a pattern of Action covers the action: "*", "sns:Pub*", ignoring case. */
bool statement_names_action(const json_t *value, const char *action);
