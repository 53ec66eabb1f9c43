/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/core/subscription_filter.h"
#include "lib/util/macros.h"

static void policies(void **state _unused_) {
    static const struct {
        const char *policy, *scope;
        bool drops;
    } cases[] = {
        { "", "", false },
        { "{}", "", false },
        { "not json", "", false },
        { "{\"severity\":[\"critical\"]}", "MessageAttributes", false },
        { "{\"severity\":[\"info\",\"warning\"]}", "", true },
        { "{\"severity\":[]}", "", true },
        { "{\"severity\":[{\"anything-but\":\"info\"}]}", "", false },
        { "{\"severity\":[{\"anything-but\":[\"info\",\"critical\"]}]}", "", true },
        { "{\"severity\":[{\"anything-but\":{\"prefix\":\"crit\"}}]}", "", true },
        { "{\"severity\":[{\"equals-ignore-case\":\"CRITICAL\"}]}", "", false },
        { "{\"severity\":[{\"exists\":true}]}", "", false },
        { "{\"severity\":[{\"exists\":false}]}", "", true },
        { "{\"severity\":[{\"numeric\":[\"=\",1]}]}", "", true },
        { "{\"severity\":[{\"tomorrow\":1}]}", "", false },
        { "{\"event\":[{\"prefix\":\"trail.\"}]}", "", false },
        { "{\"event\":[{\"suffix\":\".stopped\"}]}", "", false },
        { "{\"event\":[{\"prefix\":\"guard.\"}]}", "", true },
        { "{\"account\":[\"999900001111\"]}", "", false },
        { "{\"team\":[\"blue\"]}", "", true },
        { "{\"team\":[{\"exists\":false}]}", "", false },
        { "{\"$or\":[{\"severity\":[\"info\"]},{\"event\":[\"trail.stopped\"]}]}", "", false },
        { "{\"$or\":[{\"severity\":[\"info\"]},{\"event\":[\"x\"]}]}", "", true },
        { "{\"team\":[\"blue\"]}", "MessageBody", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (subscription_filter_drops(cases[i].policy, cases[i].scope) != cases[i].drops)
            fail_msg("%s", cases[i].policy);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(policies) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
