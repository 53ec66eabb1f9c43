/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/core/channel_health.h"
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
        { "{\"severity\":[{\"anything-but\":{\"prefix\":\"warn\"}}]}", "", false },
        { "{\"severity\":[{\"anything-but\":{\"suffix\":\"al\"}}]}", "", false }, /* not known here */
        { "{\"severity\":[{\"anything-but\":\"critical\"}]}", "", true },
        { "{\"severity\":[{\"anything-but\":1}]}", "", false },
        { "{\"severity\":[{\"equals-ignore-case\":\"CRITICAL\"}]}", "", false },
        { "{\"severity\":[{\"equals-ignore-case\":\"Warning\"}]}", "", true },
        /* no text where one belongs: AWS takes no such policy, and what it would mean is not known */
        { "{\"severity\":[{\"equals-ignore-case\":1}]}", "", false },
        { "{\"severity\":[{\"prefix\":1}]}", "", false },
        { "{\"severity\":[{\"suffix\":1}]}", "", false },
        { "{\"severity\":[{\"anything-but\":{\"prefix\":1}}]}", "", false },
        { "{\"severity\":[{}]}", "", false },
        { "{\"severity\":[1]}", "", true },
        { "{\"severity\":[{\"exists\":true}]}", "", false },
        { "{\"severity\":[{\"exists\":false}]}", "", true },
        { "{\"severity\":[{\"numeric\":[\"=\",1]}]}", "", true },
        { "{\"severity\":[{\"tomorrow\":1}]}", "", false },
        { "{\"event\":[{\"prefix\":\"trail.\"}]}", "", false },
        { "{\"event\":[{\"suffix\":\".stopped\"}]}", "", false },
        { "{\"event\":[{\"suffix\":\".resolved\"}]}", "", true },
        { "{\"event\":[{\"prefix\":\"guard.\"}]}", "", true },
        { "{\"account\":[\"999900001111\"]}", "", false },
        { "{\"team\":[\"blue\"]}", "", true },
        { "{\"team\":[{\"exists\":false}]}", "", false },
        { "{\"team\":[\"blue\",{\"exists\":false}]}", "", false },
        { "{\"team\":[{\"exists\":true}]}", "", true },
        { "{\"$or\":[{\"severity\":[\"info\"]},{\"event\":[\"trail.stopped\"]}]}", "", false },
        { "{\"$or\":[{\"severity\":[\"info\"]},{\"event\":[\"x\"]}]}", "", true },
        { "{\"$or\":[{\"$or\":[{\"$or\":[{\"$or\":[{\"$or\":[{\"team\":[\"blue\"]}]}]}]}]}]}", "", true },
        /* deeper than AWS takes */
        { "{\"$or\":[{\"$or\":[{\"$or\":[{\"$or\":[{\"$or\":[{\"$or\":[{\"team\":[\"blue\"]}]}]}]}]}]}]}",
          "", false },
        { "[]", "", false },
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
