/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/util/timetext.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/util/macros.h"

#define SEC_MAX  253402300799LL /* 9999-12-31T23:59:59Z */
#define USEC_MAX ((uint64_t)SEC_MAX * USEC_PER_SEC + USEC_PER_SEC - 1)

/* Years 1970..9999, and no 30th of February: timegm() would make a day of March of that. */
static bool read_tm(struct tm tm, int64_t *ret_sec) {
    struct tm same = tm;

    if (tm.tm_year < 70 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
        return false;
    *ret_sec = timegm(&same);
    return same.tm_mday == tm.tm_mday && same.tm_mon == tm.tm_mon;
}

static const char *format(char dst[static TIMETEXT_MAX], uint64_t usec, bool basic) {
    time_t sec = (time_t)(usec / USEC_PER_SEC);
    struct tm tm;

    if (usec == 0 || usec > USEC_MAX || !gmtime_r(&sec, &tm))
        (void)snprintf(dst, TIMETEXT_MAX, "-");
    else if (basic)
        (void)strftime(dst, TIMETEXT_MAX, "%Y%m%dT%H%M%SZ", &tm);
    else
        (void)strftime(dst, TIMETEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return dst;
}

const char *timetext_iso(char dst[static TIMETEXT_MAX], uint64_t usec) {
    return format(dst, usec, false);
}

const char *timetext_amz(char dst[static TIMETEXT_MAX], uint64_t usec) {
    return format(dst, usec, true);
}

const char *timetext_clock(char dst[static TIMETEXT_MAX], uint64_t usec, uint64_t now_usec) {
    uint64_t apart = usec > now_usec ? usec - now_usec : now_usec - usec;
    const char *time = format(dst, usec, false);

    if (apart <= 12 * 3600 * USEC_PER_SEC && strlen(time) > strlen("YYYY-MM-DDT"))
        memmove(dst, dst + strlen("YYYY-MM-DDT"), strlen("hh:mm:ssZ") + 1);
    return dst;
}

const char *timetext_span(char dst[static TIMETEXT_MAX], uint64_t span_usec) {
    static const struct {
        uint64_t sec;
        const char *name;
    } units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
    uint64_t sec = span_usec / USEC_PER_SEC, first, second;
    size_t u = 0;

    if (sec == 0) {
        unsigned tenths = (unsigned)(span_usec / (100 * USEC_PER_MSEC));

        if (span_usec == 0)
            (void)snprintf(dst, TIMETEXT_MAX, "0 s");
        else
            (void)snprintf(dst, TIMETEXT_MAX, "0.%u s", MAX(tenths, 1U));
        return dst;
    }

    while (sec < units[u].sec)
        u++;
    first = sec / units[u].sec;
    second = u + 1 < ARRAY_SIZE(units) ? sec % units[u].sec / units[u + 1].sec : 0;
    if (second > 0)
        (void)snprintf(dst, TIMETEXT_MAX, "%" PRIu64 " %s %" PRIu64 " %s", first, units[u].name, second,
                       units[u + 1].name);
    else
        (void)snprintf(dst, TIMETEXT_MAX, "%" PRIu64 " %s", first, units[u].name);
    return dst;
}

/* ---- parsing: small readers that move *s on, false when the text does not fit ---- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool take_number(const char **s, int digits, int *ret) {
    int n = 0;

    for (int i = 0; i < digits; i++, (*s)++) {
        if (!is_digit(**s))
            return false;
        n = n * 10 + (**s - '0');
    }
    *ret = n;
    return true;
}

static bool take_char(const char **s, char c) {
    if (**s != c)
        return false;
    (*s)++;
    return true;
}

/* One of n names of three letters; *ret counts from 1. */
static bool take_name(const char **s, const char *const *names, int n, int *ret) {
    for (int i = 0; i < n; i++)
        if (strncmp(*s, names[i], 3) == 0) {
            *s += 3;
            *ret = i + 1;
            return true;
        }
    return false;
}

static bool take_clock(const char **s, struct tm *tm) {
    return take_number(s, 2, &tm->tm_hour) && take_char(s, ':') && take_number(s, 2, &tm->tm_min) &&
           take_char(s, ':') && take_number(s, 2, &tm->tm_sec);
}

/* "2026-11-24" */
static bool take_date(const char **s, struct tm *tm) {
    if (!take_number(s, 4, &tm->tm_year) || !take_char(s, '-') || !take_number(s, 2, &tm->tm_mon) ||
        !take_char(s, '-') || !take_number(s, 2, &tm->tm_mday))
        return false;
    tm->tm_year -= 1900;
    tm->tm_mon--;
    return true;
}

static int timetext_finish(const struct tm *tm, int zone_sec, int fraction_usec, uint64_t *ret_usec) {
    int64_t sec;

    if (!read_tm(*tm, &sec))
        return -EINVAL;
    sec -= zone_sec;
    if (sec < 0 || sec > SEC_MAX)
        return -EINVAL;
    *ret_usec = (uint64_t)sec * USEC_PER_SEC + (uint64_t)fraction_usec;
    return 0;
}

/* ".25" as microseconds; nothing there is 0. */
static bool take_fraction(const char **s, int *ret_usec) {
    int usec = 0, unit = 100000;

    if (take_char(s, '.')) {
        if (!is_digit(**s))
            return false;
        for (; is_digit(**s); (*s)++, unit /= 10)
            usec += (**s - '0') * unit;
    }
    *ret_usec = usec;
    return true;
}

/* "Z", "+01:00": seconds east of UTC. */
static bool take_zone(const char **s, int *ret_sec) {
    int sign = **s == '-' ? -1 : 1, hour, minute;

    if (take_char(s, 'Z')) {
        *ret_sec = 0;
        return true;
    }
    if (!take_char(s, '+') && !take_char(s, '-'))
        return false;
    if (!take_number(s, 2, &hour) || !take_char(s, ':') || !take_number(s, 2, &minute))
        return false;
    if (hour > 23 || minute > 59)
        return false;
    *ret_sec = sign * (hour * 3600 + minute * 60);
    return true;
}

int timetext_parse_iso(const char *s, uint64_t *ret_usec) {
    int fraction_usec, zone_sec;
    struct tm tm = { 0 };

    if (!take_date(&s, &tm) || !take_char(&s, 'T') || !take_clock(&s, &tm) ||
        !take_fraction(&s, &fraction_usec) || !take_zone(&s, &zone_sec) || *s != '\0')
        return -EINVAL;
    return timetext_finish(&tm, zone_sec, fraction_usec, ret_usec);
}

/* "Z", "+01:00", "+0100", "+01". */
static bool take_lenient_zone(const char **s, int *ret_sec) {
    int sign = **s == '-' ? -1 : 1, hour, minute = 0;

    if (**s == 'Z' || **s == 'z') {
        (*s)++;
        *ret_sec = 0;
        return true;
    }
    if ((!take_char(s, '+') && !take_char(s, '-')) || !take_number(s, 2, &hour))
        return false;
    if (**s && ((void)take_char(s, ':'), !take_number(s, 2, &minute)))
        return false;
    *ret_sec = sign * (hour * 3600 + minute * 60);
    return hour <= 23 && minute <= 59;
}

int timetext_parse_lenient(const char *s, uint64_t *ret_usec) {
    int fraction_usec = 0, zone_sec;
    const char *start = s;
    struct tm tm = { 0 };

    s += strspn(s, " ");
    if (!take_date(&s, &tm))
        return timetext_parse_http(start, ret_usec);
    if ((!take_char(&s, 'T') && !take_char(&s, 't') && !take_char(&s, ' ')) ||
        !take_number(&s, 2, &tm.tm_hour) || !take_char(&s, ':') || !take_number(&s, 2, &tm.tm_min))
        return -EINVAL;
    if (take_char(&s, ':') && (!take_number(&s, 2, &tm.tm_sec) || !take_fraction(&s, &fraction_usec)))
        return -EINVAL;
    if (!take_lenient_zone(&s, &zone_sec) || s[strspn(s, " ")] != '\0')
        return -EINVAL;
    return timetext_finish(&tm, zone_sec, fraction_usec, ret_usec);
}

int timetext_parse_http(const char *s, uint64_t *ret_usec) {
    static const char *const weekdays[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct tm tm = { 0 };
    int weekday;

    if (!take_name(&s, weekdays, 7, &weekday) || !take_char(&s, ',') || !take_char(&s, ' ') ||
        !take_number(&s, 2, &tm.tm_mday) || !take_char(&s, ' ') || !take_name(&s, months, 12, &tm.tm_mon) ||
        !take_char(&s, ' ') || !take_number(&s, 4, &tm.tm_year) || !take_char(&s, ' ') ||
        !take_clock(&s, &tm) || strcmp(s, " GMT") != 0)
        return -EINVAL;
    tm.tm_mon--;
    tm.tm_year -= 1900;
    return timetext_finish(&tm, 0, 0, ret_usec);
}

uint64_t timetext_from_epoch(double seconds) {
    if (!(seconds > 0) || seconds >= (double)(SEC_MAX + 1))
        return 0;
    return (uint64_t)(seconds * (double)USEC_PER_SEC + 0.5);
}
