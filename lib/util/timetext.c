/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/util/timetext.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/macros.h"

#define SEC_PER_DAY 86400
#define SEC_MAX 253402300799LL /* 9999-12-31T23:59:59Z */
#define USEC_MAX ((uint64_t)SEC_MAX * USEC_PER_SEC + USEC_PER_SEC - 1)

typedef struct Civil {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
} Civil;

static bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month) {
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days before January 1st of a year >= 1970, from the epoch. */
static int64_t days_before_year(int year) {
    int64_t y = year - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static bool civil_is_valid(const Civil *c) {
    return c->year >= 1970 && c->year <= 9999 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
           c->day <= days_in_month(c->year, c->month) && c->hour >= 0 && c->hour <= 23 && c->minute >= 0 &&
           c->minute <= 59 && c->second >= 0 && c->second <= 59;
}

static int64_t civil_to_sec(const Civil *c) {
    int64_t days = days_before_year(c->year) + c->day - 1;

    for (int m = 1; m < c->month; m++)
        days += days_in_month(c->year, m);
    return days * SEC_PER_DAY + c->hour * 3600 + c->minute * 60 + c->second;
}

static Civil civil_from_usec(uint64_t usec) {
    int64_t sec = (int64_t)(usec / USEC_PER_SEC), days = sec / SEC_PER_DAY;
    int rest = (int)(sec % SEC_PER_DAY);
    Civil c = { .hour = rest / 3600, .minute = rest / 60 % 60, .second = rest % 60, .month = 1 };

    c.year = 1970 + (int)(days / 366); /* never too late, a few years early at most */
    while (days_before_year(c.year + 1) <= days)
        c.year++;
    days -= days_before_year(c.year);
    while (days >= days_in_month(c.year, c.month))
        days -= days_in_month(c.year, c.month++);
    c.day = (int)days + 1;
    return c;
}

/* Writes usec by a format of the six fields in order, or "-". */
static const char *format(char dst[static TIMETEXT_MAX], uint64_t usec, bool basic) {
    Civil c;

    if (usec == 0 || usec > USEC_MAX) {
        (void) snprintf(dst, TIMETEXT_MAX, "-");
        return dst;
    }

    c = civil_from_usec(usec);
    if (basic)
        (void) snprintf(dst, TIMETEXT_MAX, "%04u%02u%02uT%02u%02u%02uZ", c.year % 10000U, c.month % 100U,
                        c.day % 100U, c.hour % 100U, c.minute % 100U, c.second % 100U);
    else
        (void) snprintf(dst, TIMETEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02uZ", c.year % 10000U, c.month % 100U,
                        c.day % 100U, c.hour % 100U, c.minute % 100U, c.second % 100U);
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
            (void) snprintf(dst, TIMETEXT_MAX, "0 s");
        else
            (void) snprintf(dst, TIMETEXT_MAX, "0.%u s", MAX(tenths, 1U));
        return dst;
    }

    while (sec < units[u].sec)
        u++;
    first = sec / units[u].sec;
    second = u + 1 < ARRAY_SIZE(units) ? sec % units[u].sec / units[u + 1].sec : 0;
    if (second > 0)
        (void) snprintf(dst, TIMETEXT_MAX, "%" PRIu64 " %s %" PRIu64 " %s", first, units[u].name, second,
                        units[u + 1].name);
    else
        (void) snprintf(dst, TIMETEXT_MAX, "%" PRIu64 " %s", first, units[u].name);
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

static bool take_clock(const char **s, Civil *c) {
    return take_number(s, 2, &c->hour) && take_char(s, ':') && take_number(s, 2, &c->minute) &&
           take_char(s, ':') && take_number(s, 2, &c->second);
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
    int64_t sec;
    Civil c;

    if (!take_number(&s, 4, &c.year) || !take_char(&s, '-') || !take_number(&s, 2, &c.month) ||
        !take_char(&s, '-') || !take_number(&s, 2, &c.day) || !take_char(&s, 'T') || !take_clock(&s, &c) ||
        !take_fraction(&s, &fraction_usec) || !take_zone(&s, &zone_sec) || *s != '\0')
        return -EINVAL;
    if (!civil_is_valid(&c))
        return -EINVAL;

    sec = civil_to_sec(&c) - zone_sec;
    if (sec < 0 || sec > SEC_MAX)
        return -EINVAL;
    *ret_usec = (uint64_t)sec * USEC_PER_SEC + (uint64_t)fraction_usec;
    return 0;
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
    int64_t sec;
    Civil c = { 0 };

    while (*s == ' ')
        s++;
    if (!take_number(&s, 4, &c.year) || !take_char(&s, '-') || !take_number(&s, 2, &c.month) ||
        !take_char(&s, '-') || !take_number(&s, 2, &c.day))
        return timetext_parse_http(start, ret_usec);
    if ((!take_char(&s, 'T') && !take_char(&s, 't') && !take_char(&s, ' ')) || !take_number(&s, 2, &c.hour) ||
        !take_char(&s, ':') || !take_number(&s, 2, &c.minute))
        return -EINVAL;
    if (take_char(&s, ':') && (!take_number(&s, 2, &c.second) || !take_fraction(&s, &fraction_usec)))
        return -EINVAL;
    if (!take_lenient_zone(&s, &zone_sec) || s[strspn(s, " ")] != '\0' || !civil_is_valid(&c))
        return -EINVAL;
    sec = civil_to_sec(&c) - zone_sec;
    if (sec < 0 || sec > SEC_MAX)
        return -EINVAL;
    *ret_usec = (uint64_t)sec * USEC_PER_SEC + (uint64_t)fraction_usec;
    return 0;
}

int timetext_parse_http(const char *s, uint64_t *ret_usec) {
    static const char *const weekdays[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    int weekday;
    Civil c;

    if (!take_name(&s, weekdays, 7, &weekday) || !take_char(&s, ',') || !take_char(&s, ' ') ||
        !take_number(&s, 2, &c.day) || !take_char(&s, ' ') || !take_name(&s, months, 12, &c.month) ||
        !take_char(&s, ' ') || !take_number(&s, 4, &c.year) || !take_char(&s, ' ') || !take_clock(&s, &c) ||
        strcmp(s, " GMT") != 0)
        return -EINVAL;
    if (!civil_is_valid(&c))
        return -EINVAL;

    *ret_usec = (uint64_t)civil_to_sec(&c) * USEC_PER_SEC;
    return 0;
}

uint64_t timetext_from_epoch(double seconds) {
    if (!(seconds > 0) || seconds >= (double)(SEC_MAX + 1))
        return 0;
    return (uint64_t)(seconds * (double)USEC_PER_SEC + 0.5);
}
