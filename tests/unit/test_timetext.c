/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/util/macros.h"
#include "lib/util/timetext.h"

#define SEC  USEC_PER_SEC
#define LAST 253402300799ULL /* 9999-12-31T23:59:59Z */

static void writes_times(void **state _unused_) {
    static const struct {
        uint64_t usec;
        const char *iso, *amz;
    } cases[] = {
        { 0, "-", "-" },
        { 1, "1970-01-01T00:00:00Z", "19700101T000000Z" },
        { 951782400 * SEC, "2000-02-29T00:00:00Z", "20000229T000000Z" },
        { 951868799 * SEC, "2000-02-29T23:59:59Z", "20000229T235959Z" },
        { 951868800 * SEC, "2000-03-01T00:00:00Z", "20000301T000000Z" },
        { 1735689599 * SEC + 999999, "2024-12-31T23:59:59Z", "20241231T235959Z" },
        { 1735787045 * SEC, "2025-01-02T03:04:05Z", "20250102T030405Z" },
        { 4107542400 * SEC, "2100-03-01T00:00:00Z", "21000301T000000Z" }, /* 2100 is no leap year */
        { LAST * SEC + 999999, "9999-12-31T23:59:59Z", "99991231T235959Z" },
        { (LAST + 1) * SEC, "-", "-" },
        { UINT64_MAX, "-", "-" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char dst[TIMETEXT_MAX];

        assert_ptr_equal(timetext_iso(dst, cases[i].usec), dst);
        assert_string_equal(dst, cases[i].iso);
        assert_ptr_equal(timetext_amz(dst, cases[i].usec), dst);
        assert_string_equal(dst, cases[i].amz);
    }
}

static void clock_is_short_only_nearby(void **state _unused_) {
    const uint64_t t = 1735787045 * SEC, half_day = 12 * 3600 * SEC;
    char dst[TIMETEXT_MAX];

    assert_string_equal(timetext_clock(dst, t, t), "03:04:05Z");
    assert_string_equal(timetext_clock(dst, t, t + half_day), "03:04:05Z");
    assert_string_equal(timetext_clock(dst, t, t + half_day + 1), "2025-01-02T03:04:05Z");
    assert_string_equal(timetext_clock(dst, t, t - half_day), "03:04:05Z");
    assert_string_equal(timetext_clock(dst, t, t - half_day - 1), "2025-01-02T03:04:05Z");
    assert_string_equal(timetext_clock(dst, 0, 0), "-");
    assert_string_equal(timetext_clock(dst, UINT64_MAX, UINT64_MAX), "-");
}

static void writes_spans(void **state _unused_) {
    static const struct {
        uint64_t usec;
        const char *expected;
    } cases[] = {
        { 0, "0 s" },
        { 1, "0.1 s" },
        { 99999, "0.1 s" },
        { 400000, "0.4 s" },
        { 999999, "0.9 s" },
        { 3 * SEC + 999999, "3 s" },
        { 59 * SEC, "59 s" },
        { 60 * SEC, "1 min" },
        { 725 * SEC, "12 min 5 s" },
        { 3600 * SEC, "1 h" },
        { 3605 * SEC, "1 h" },
        { 15000 * SEC, "4 h 10 min" },
        { 86399 * SEC, "23 h 59 min" },
        { 273600 * SEC, "3 d 4 h" },
        { UINT64_MAX, "213503982 d 8 h" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char dst[TIMETEXT_MAX];

        assert_ptr_equal(timetext_span(dst, cases[i].usec), dst);
        assert_string_equal(dst, cases[i].expected);
    }
}

static void reads_iso(void **state _unused_) {
    static const struct {
        const char *text;
        uint64_t usec;
    } cases[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "2025-01-02T03:04:05Z", 1735787045 * SEC },
        { "2025-01-02T03:04:05.5Z", 1735787045 * SEC + 500000 },
        { "2025-01-02T03:04:05.000001Z", 1735787045 * SEC + 1 },
        { "2025-01-02T03:04:05.1234567891234Z", 1735787045 * SEC + 123456 },
        { "2025-01-02T04:04:05+01:00", 1735787045 * SEC },
        { "2025-01-01T21:34:05-05:30", 1735787045 * SEC },
        { "2025-01-02T03:04:05+00:00", 1735787045 * SEC },
        { "2025-01-03T03:03:05+23:59", 1735787045 * SEC },
        { "2000-02-29T12:00:00Z", 951825600 * SEC },
        { "9999-12-31T23:59:59.999999Z", LAST * SEC + 999999 },
        { "1969-12-31T23:59:59-00:01", UINT64_MAX }, /* UINT64_MAX: -EINVAL is expected */
        { "1970-01-01T00:00:00+00:01", UINT64_MAX },
        { "9999-12-31T23:59:59-00:01", UINT64_MAX },
        { "2025-02-29T00:00:00Z", UINT64_MAX },
        { "2100-02-29T00:00:00Z", UINT64_MAX },
        { "2025-00-01T00:00:00Z", UINT64_MAX },
        { "2025-13-01T00:00:00Z", UINT64_MAX },
        { "2025-04-31T00:00:00Z", UINT64_MAX },
        { "2025-01-00T00:00:00Z", UINT64_MAX },
        { "2025-01-02T24:00:00Z", UINT64_MAX },
        { "2025-01-02T03:60:00Z", UINT64_MAX },
        { "2025-01-02T03:04:60Z", UINT64_MAX },
        { "2025-01-02T03:04:05", UINT64_MAX },
        { "2025-01-02T03:04:05.Z", UINT64_MAX },
        { "2025-01-02T03:04:05z", UINT64_MAX },
        { "2025-01-02 03:04:05Z", UINT64_MAX },
        { "2025-01-02T03:04:05Z ", UINT64_MAX },
        { " 2025-01-02T03:04:05Z", UINT64_MAX },
        { "2025-01-02T03:04:05+0100", UINT64_MAX },
        { "2025-01-02T03:04:05+24:00", UINT64_MAX },
        { "2025-01-02T03:04:05+01:60", UINT64_MAX },
        { "2025-1-2T03:04:05Z", UINT64_MAX },
        { "+025-01-02T03:04:05Z", UINT64_MAX },
        { "20250102T030405Z", UINT64_MAX },
        { "2025-01-02", UINT64_MAX },
        { "", UINT64_MAX },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t usec = 42;

        if (cases[i].usec != UINT64_MAX) {
            assert_int_equal(timetext_parse_lenient(cases[i].text, &usec), 0);
            assert_int_equal(usec, cases[i].usec);
            usec = 42;
        }
        if (cases[i].usec == UINT64_MAX) {
            if (timetext_parse_iso(cases[i].text, &usec) != -EINVAL)
                fail_msg("%s was read", cases[i].text);
            assert_int_equal(usec, 42);
        } else {
            assert_int_equal(timetext_parse_iso(cases[i].text, &usec), 0);
            assert_int_equal(usec, cases[i].usec);
        }
    }
}

static void reads_http_dates(void **state _unused_) {
    static const char *const bad[] = {
        "",
        "Tue, 24 Nov 2026 03:10:00 UTC",
        "Tue, 24 Nov 2026 03:10:00 GMT ",
        "Tue, 24 Nov 2026 03:10:00",
        "Tuesday, 24-Nov-26 03:10:00 GMT",
        "Tue Nov 24 03:10:00 2026",
        "Xyz, 24 Nov 2026 03:10:00 GMT",
        "Tue, 24 nov 2026 03:10:00 GMT",
        "Tue, 31 Nov 2026 03:10:00 GMT",
        "Tue, 24 Nov 2026 24:10:00 GMT",
        "Tue, 24 Nov 1969 03:10:00 GMT",
        "Tue, 4 Nov 2026 03:10:00 GMT",
    };
    uint64_t usec = 42;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        if (timetext_parse_http(bad[i], &usec) != -EINVAL)
            fail_msg("%s was read", bad[i]);
        assert_int_equal(usec, 42);
    }

    assert_int_equal(timetext_parse_http("Tue, 24 Nov 2026 03:10:00 GMT", &usec), 0);
    assert_int_equal(usec, 1795489800 * SEC);
    assert_int_equal(timetext_parse_http("Thu, 29 Feb 2024 23:59:59 GMT", &usec), 0);
    assert_int_equal(usec, 1709251199 * SEC);
}

static void reads_epochs(void **state _unused_) {
    assert_int_equal(timetext_from_epoch(1.7356896E9), 1735689600 * SEC);
    assert_int_equal(timetext_from_epoch(1735689600.25), 1735689600 * SEC + 250000);
    assert_int_equal(timetext_from_epoch(0), 0);
    assert_int_equal(timetext_from_epoch(-1), 0);
    assert_int_equal(timetext_from_epoch((double)NAN), 0);
    assert_int_equal(timetext_from_epoch((double)INFINITY), 0);
    assert_int_equal(timetext_from_epoch(-(double)INFINITY), 0);
    assert_int_equal(timetext_from_epoch(253402300799.0), LAST * SEC);
    assert_int_equal(timetext_from_epoch(253402300800.0), 0);
    assert_int_equal(timetext_from_epoch(1e300), 0);
}

static uint64_t random_sec(void) {
    return (((uint64_t)random() << 31) ^ (uint64_t)random()) % (LAST + 1);
}

/* Every time that is written reads back as itself, and agrees with the C library. */
static void round_trip(void **state _unused_) {
    srandom(20250102);
    for (int i = 0; i < 50000; i++) {
        uint64_t sec = random_sec(), usec = 42;
        time_t t = (time_t)sec;
        char dst[TIMETEXT_MAX], expected[64];
        struct tm tm;

        if (sec == 0)
            continue;
        assert_non_null(gmtime_r(&t, &tm));
        timetext_iso(dst, sec * SEC);
        assert_true(strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
        assert_string_equal(dst, expected);
        assert_int_equal(timetext_parse_iso(dst, &usec), 0);
        assert_int_equal(usec, sec * SEC);

        timetext_amz(dst, sec * SEC);
        assert_true(strftime(expected, sizeof(expected), "%Y%m%dT%H%M%SZ", &tm) > 0);
        assert_string_equal(dst, expected);

        assert_true(strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0);
        usec = 42;
        assert_int_equal(timetext_parse_http(expected, &usec), 0);
        assert_int_equal(usec, sec * SEC);
    }
}

/* Each day of four centuries follows the one before it. */
static void every_day(void **state _unused_) {
    for (uint64_t day = 1; day < 146097 + 366; day++) {
        time_t t = (time_t)(day * 86400);
        char dst[TIMETEXT_MAX], expected[64];
        struct tm tm;

        assert_non_null(gmtime_r(&t, &tm));
        assert_true(strftime(expected, sizeof(expected), "%Y-%m-%dT00:00:00Z", &tm) > 0);
        assert_string_equal(timetext_iso(dst, day * 86400 * SEC), expected);
    }
}

static void lenient_takes_what_programs_write(void **state _unused_) {
    static const uint64_t at = 1735787045 * USEC_PER_SEC;
    static const struct {
        const char *text;
        uint64_t usec;
    } cases[] = {
        { "2025-01-02T03:04:05+0000", at },
        { "2025-01-02 03:04:05Z", at },
        { " 2025-01-02t03:04:05z ", at },
        { "2025-01-02T03:04:05-0730", at + 27000 * USEC_PER_SEC },
        { "2025-01-02T03:04:05.5+02", at - 7200 * USEC_PER_SEC + USEC_PER_SEC / 2 },
        { "2025-01-02T03:04Z", at - 5 * USEC_PER_SEC },
        { "Thu, 02 Jan 2025 03:04:05 GMT", at },
        { "2025-01-02T03:04:05", 0 },
        { "2025-01-02", 0 },
        { "20250102T030405Z", 0 },
        { "2025-01-02T03:04:05 UTC", 0 },
        { "2025-01-02T03:04:05,5Z", 0 },
        { "2025-01-02T03:04:05+0000x", 0 },
        { "2025-01-02T03:04:05+00:", 0 },
        { "2025-01-02T03:04:05+2400", 0 },
        { "2025-01-02T03:04:", 0 },
        { "1735787045", 0 },
        { "", 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t usec = 0;
        int r = timetext_parse_lenient(cases[i].text, &usec);

        if (r != (cases[i].usec ? 0 : -EINVAL) || usec != cases[i].usec)
            fail_msg("%s: %d", cases[i].text, r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lenient_takes_what_programs_write),
        cmocka_unit_test(writes_times),
        cmocka_unit_test(clock_is_short_only_nearby),
        cmocka_unit_test(writes_spans),
        cmocka_unit_test(reads_iso),
        cmocka_unit_test(reads_http_dates),
        cmocka_unit_test(reads_epochs),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(every_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
