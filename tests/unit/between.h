/* SPDX-License-Identifier: Apache-2.0 */
/* A range check that reads the same with every cmocka: 2.0 deprecates assert_in_range, 1.1 does not have its
 * heirs. */
#pragma once

#include <inttypes.h>

#define assert_between(value, low, high)                                                                    \
    do {                                                                                                    \
        intmax_t between_value = (intmax_t)(value);                                                         \
        intmax_t between_low = (intmax_t)(low), between_high = (intmax_t)(high);                            \
        if (between_value < between_low || between_value > between_high)                                    \
            fail_msg("%jd is not in %jd..%jd", between_value, between_low, between_high);                   \
    } while (0)
