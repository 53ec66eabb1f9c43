/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a time, in text and as a number: what is read is in range and, written again, reads the
 * same. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/timetext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define USEC_END (253402300800ULL * USEC_PER_SEC)

static void check(int holds) {
    if (!holds)
        abort();
}

static void check_round_trip(uint64_t usec) {
    char dst[TIMETEXT_MAX];
    uint64_t again = 0;

    check(usec < USEC_END);
    timetext_iso(dst, usec);
    if (usec == 0)
        check(strcmp(dst, "-") == 0);
    else {
        check(timetext_parse_iso(dst, &again) == 0);
        check(again == usec - usec % USEC_PER_SEC);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char dst[TIMETEXT_MAX], *text = malloc(size + 1);
    uint64_t usec = 0, number = 0;
    double seconds = 0;
    int r;

    check(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';

    r = timetext_parse_iso(text, &usec);
    check(r == 0 || r == -EINVAL);
    if (r == 0)
        check_round_trip(usec);
    r = timetext_parse_http(text, &usec);
    check(r == 0 || r == -EINVAL);
    if (r == 0)
        check_round_trip(usec);

    if (size >= sizeof(seconds)) {
        memcpy(&seconds, data, sizeof(seconds));
        memcpy(&number, data, sizeof(number));
        check_round_trip(timetext_from_epoch(seconds));
    }
    check(strlen(timetext_span(dst, number)) < TIMETEXT_MAX);
    check(strlen(timetext_clock(dst, number, usec)) < TIMETEXT_MAX);
    check(strlen(timetext_amz(dst, number)) == (number == 0 || number >= USEC_END ? 1 : 16));
    free(text);
    return 0;
}
