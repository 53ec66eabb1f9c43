/* SPDX-License-Identifier: Apache-2.0 */
/* When a process that can make no TLS connection any more ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/core/tls_health.h"
#include "lib/util/macros.h"

#define STEPS_MAX 6

typedef struct Case {
    const char *name;
    struct {
        unsigned second;
        TlsSign sign;
        TlsStep step; /* that it has to be */
    } steps[STEPS_MAX]; /* second 0: no more */
} Case;

static const Case cases[] = {
    { "it answers", { { 1, TLS_ANSWERED, TLS_GO_ON }, { 3601, TLS_ANSWERED, TLS_GO_ON } } },
    { "it never worked: no new process helps",
      { { 1, TLS_SILENT, TLS_GO_ON }, { 601, TLS_SILENT, TLS_GO_ON }, { 86400, TLS_SILENT, TLS_GO_ON } } },
    { "not yet ten minutes", { { 1, TLS_ANSWERED, TLS_GO_ON }, { 600, TLS_SILENT, TLS_GO_ON } } },
    { "ten minutes", { { 1, TLS_ANSWERED, TLS_GO_ON }, { 601, TLS_SILENT, TLS_TRY_OURSELVES } } },
    { "the peers, or the network: asked again in ten minutes",
      { { 1, TLS_ANSWERED, TLS_GO_ON },
        { 601, TLS_SILENT, TLS_TRY_OURSELVES },
        { 601, TLS_OURSELVES_GOOD, TLS_GO_ON },
        { 1200, TLS_SILENT, TLS_GO_ON },
        { 1201, TLS_SILENT, TLS_TRY_OURSELVES } } },
    { "it is lost: it fails with ourselves twice",
      { { 1, TLS_ANSWERED, TLS_GO_ON },
        { 601, TLS_SILENT, TLS_TRY_OURSELVES },
        { 601, TLS_OURSELVES_FAILED, TLS_GO_ON },
        { 661, TLS_SILENT, TLS_TRY_OURSELVES },
        { 661, TLS_OURSELVES_FAILED, TLS_END } } },
    { "there was no memory only for a moment: it goes well with ourselves",
      { { 1, TLS_ANSWERED, TLS_GO_ON },
        { 601, TLS_SILENT, TLS_TRY_OURSELVES },
        { 601, TLS_OURSELVES_FAILED, TLS_GO_ON },
        { 661, TLS_SILENT, TLS_TRY_OURSELVES },
        { 661, TLS_OURSELVES_GOOD, TLS_GO_ON },
        { 721, TLS_SILENT, TLS_GO_ON } } },
    { "... or a host answers again",
      { { 1, TLS_ANSWERED, TLS_GO_ON },
        { 601, TLS_SILENT, TLS_TRY_OURSELVES },
        { 601, TLS_OURSELVES_FAILED, TLS_GO_ON },
        { 661, TLS_ANSWERED, TLS_GO_ON },
        { 1261, TLS_SILENT, TLS_TRY_OURSELVES },
        { 1261, TLS_OURSELVES_FAILED, TLS_GO_ON } } },
};

static void test_each_case(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        TlsHealth health = { 0 };

        for (unsigned k = 0; k < STEPS_MAX && cases[i].steps[k].second != 0; k++) {
            TlsStep step = tls_health_step(&health, cases[i].steps[k].sign,
                                           cases[i].steps[k].second * USEC_PER_SEC);

            if (step != cases[i].steps[k].step)
                fail_msg("%s: step %u is %d", cases[i].name, k, (int)step);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
