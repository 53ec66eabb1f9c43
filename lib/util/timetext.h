/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Converts times to text and back, in UTC only. Pure: no clock, time zone or locale. Times are microseconds
 * since the epoch; 0 means "no time". Years 1970..9999. */

#include <stdint.h>

#define TIMETEXT_MAX 32 /* bytes, enough for every text made here */

/* "2026-11-23T10:02:14Z", fractions cut; "-" for 0 or out of range. Returns dst. */
const char *timetext_iso(char dst[static TIMETEXT_MAX], uint64_t usec);

/* "20261123T100214Z", the form that SigV4 signs; the first 8 characters are the scope date. "-" as above.
 * Returns dst. */
const char *timetext_amz(char dst[static TIMETEXT_MAX], uint64_t usec);

/* "10:02:14Z" if usec is within 12 hours of now_usec, else the full ISO form. Returns dst. */
const char *timetext_clock(char dst[static TIMETEXT_MAX], uint64_t usec, uint64_t now_usec);

/* For people: "3 s", "12 min 5 s", "4 h 10 min", "3 d 4 h". Smaller units are cut, and a zero second part is
 * omitted ("1 h"). Below one second in tenths: "0.4 s", at least "0.1 s" unless it is "0 s". Returns dst. */
const char *timetext_span(char dst[static TIMETEXT_MAX], uint64_t span_usec);

/* Parses the ISO 8601 forms that AWS uses: date "T" time, optional fraction (cut to microseconds), "Z" or
 * +hh:mm / -hh:mm. Returns 0, or -EINVAL, also for times before 1970 or after 9999. */
int timetext_parse_iso(const char *s, uint64_t *ret_usec);
/* Also accepts variants that AWS's tools accept: a blank or 't' for the T, 'z', no seconds, +0100 or +01 as
 * a zone, and the HTTP form. A time without a zone is -EINVAL: the tools disagree on its meaning. */
int timetext_parse_lenient(const char *s, uint64_t *ret_usec);

/* Parses an IMF-fixdate ("Tue, 24 Nov 2026 03:10:00 GMT", RFC 9110 section 5.6.7), the only form AWS sends.
 * The weekday must be a valid name but need not match the date. Returns 0 or -EINVAL. */
int timetext_parse_http(const char *s, uint64_t *ret_usec);

/* Converts seconds since the epoch, possibly fractional, from AWS's JSON. 0 for negative numbers, NaN, or
 * times past year 9999. */
uint64_t timetext_from_epoch(double seconds);
