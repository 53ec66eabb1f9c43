/* SPDX-License-Identifier: Apache-2.0 */
/* What of a trail's event configuration is written to make it what it was. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/core/settings.h"
#include "lib/util/macros.h"

#define LARGE    "\"MaxEventSize\":\"Large\""
#define KEYS     "\"ContextKeySelectors\":[{\"Equals\":[\"team\"],\"Type\":\"TagContext\"}]"
#define SUMS                                                                                                \
    "\"AggregationConfigurations\":[{\"EventCategory\":\"Data\",\"Templates\":[\"API_ACTIVITY\"]}]"
#define STANDARD "\"MaxEventSize\":\"Standard\""
#define NO_KEYS  "\"ContextKeySelectors\":[]"
#define NO_SUMS  "\"AggregationConfigurations\":[]"

static void what_is_written(void **state) {
    static const struct {
        const char *desired, *found, *written; /* written NULL: nothing */
        int r;
    } cases[] = {
        { "{}", "{}", NULL, 0 },
        { NULL, NULL, NULL, 0 },
        { "", "{" STANDARD "," NO_KEYS "}", NULL, 0 },
        { "{" LARGE "," KEYS "}", "{" KEYS "," LARGE ",\"Tomorrow\":1}", NULL, 0 },
        /* what this version does not know goes back as it was recorded, or stays as AWS shows it */
        { "{\"Tomorrow\":1}", "{}", "{\"Tomorrow\":1}", 0 },
        { "{" LARGE "}", "{\"Tomorrow\":1}", "{" LARGE ",\"Tomorrow\":1}", 0 },
        { "{" LARGE ",\"Tomorrow\":1}", "{" LARGE ",\"Tomorrow\":2}", "{" LARGE ",\"Tomorrow\":1}", 0 },
        /* a new trail gets what it had */
        { "{" LARGE "," KEYS "}", NULL, "{" KEYS "," LARGE "}", 0 },
        /* what was taken away; what stays is sent along, since a member that is not sent may not stay */
        { "{" LARGE "," KEYS "}", "{" LARGE "}", "{" KEYS "," LARGE "}", 0 },
        /* what was added is taken away, by its default */
        { "{}", "{" SUMS "}", "{" NO_SUMS "}", 0 },
        { "{}", "{" LARGE "," KEYS "}", "{" NO_KEYS "," STANDARD "}", 0 },
        { "{" LARGE "," KEYS "}", "{" SUMS "}", "{" NO_SUMS "," KEYS "," LARGE "}", 0 },
        { "[]", "{}", NULL, -EINVAL },
        { "{}", "not JSON", NULL, -EINVAL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *written = NULL;

        assert_int_equal(event_configuration_to_write(cases[i].desired, cases[i].found, &written),
                         cases[i].r);
        if (cases[i].written)
            assert_string_equal(written, cases[i].written);
        else
            assert_null(written);
        free(written);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
