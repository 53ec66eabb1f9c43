/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/statement.h"

#include <ctype.h>
#include <string.h>

#include "lib/util/text.h"

bool statement_any_fits(const json_t *value, StatementFits fits, const void *with) {
    const char *text = json_string_value(value);

    for (size_t i = 0; i < json_array_size(value); i++)
        if (statement_any_fits(json_array_get(value, i), fits, with))
            return true;
    return text && fits(text, with);
}

static bool same(char a, char b, bool fold) {
    return a == b || (fold && tolower((unsigned char)a) == tolower((unsigned char)b));
}

/* Like fnmatch(3), but without brackets, which IAM does not have. */
static bool fits(const char *pattern, const char *text, bool fold) {
    const char *star = NULL, *resume = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '?' || (*pattern && same(*pattern, *text, fold))) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else
            return false;
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

bool statement_pattern_fits(const char *pattern, const char *text) {
    return fits(pattern, text, false);
}

bool statement_text_is(const char *text, const void *with) {
    return text_equal(text, with);
}

bool statement_is_about_service(const json_t *principal, const char *service) {
    const json_t *services = json_object_get(principal, "Service"),
                 *identities = json_object_get(principal, "AWS");

    return statement_any_fits(principal, statement_text_is, "*") ||
           statement_any_fits(identities, statement_text_is, "*") ||
           statement_any_fits(services, statement_text_is, "*") ||
           statement_any_fits(services, statement_text_is, service);
}

/* Actions are not case-sensitive (AWS IAM User Guide, "IAM JSON policy elements: Action"). */
static bool is_pattern_of(const char *text, const void *action) {
    return fits(text, action, true);
}

bool statement_names_action(const json_t *value, const char *action) {
    return statement_any_fits(value, is_pattern_of, action);
}
