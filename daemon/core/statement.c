/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/statement.h"

#include <fnmatch.h>

bool statement_any_fits(const json_t *value, StatementFits fits, const void *with) {
    const char *text = json_string_value(value);

    for (size_t i = 0; i < json_array_size(value); i++)
        if (statement_any_fits(json_array_get(value, i), fits, with))
            return true;
    return text && fits(text, with);
}

/* A pattern with "*" and "?", whose case does not matter (AWS IAM User Guide, "IAM JSON policy elements:
 * Action"). */
static bool is_pattern_of(const char *text, const void *action) {
    return fnmatch(text, action, FNM_NOESCAPE | FNM_CASEFOLD) == 0;
}

bool statement_names_action(const json_t *value, const char *action) {
    return statement_any_fits(value, is_pattern_of, action);
}
