/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Times as text and back, UTC only. Pure: no clock, no time zone, no locale. Times are microseconds since
 * the epoch; 0 means "no time". Years 1970..9999. */

#include <stdint.h>

#define TIMETEXT_MAX 32 /* bytes that hold any text made here */

/* "2026-11-23T10:02:14Z" (fractions are cut). Returns dst. "-" for 0 or out of range. */
const char *timetext_iso(char dst[static TIMETEXT_MAX], uint64_t usec);

/* "20261123T100214Z", the form SigV4 signs; the first 8 characters are the scope date. Returns dst. "-" as
 * above. */
const char *timetext_amz(char dst[static TIMETEXT_MAX], uint64_t usec);

/* "10:02:14Z" when usec is within 12 hours of now_usec, else the full ISO form. Returns dst. */
const char *timetext_clock(char dst[static TIMETEXT_MAX], uint64_t usec, uint64_t now_usec);

/* "3 s", "12 min 5 s", "4 h 10 min", "3 d 4 h": for people; the rest is cut, and a second part of 0 is left
 * out ("1 h"). Below one second tenths: "0.4 s", at least "0.1 s" unless it is "0 s". Returns dst. */
const char *timetext_span(char dst[static TIMETEXT_MAX], uint64_t span_usec);

/* Parses ISO 8601 in the forms AWS uses: date "T" time, optional fraction (cut to microseconds), "Z" or
 * +hh:mm / -hh:mm. 0 or -EINVAL, also for times before 1970 or after 9999. */
int timetext_parse_iso(const char *s, uint64_t *ret_usec);
/* What programs write who mean the same, and AWS's tools take: a blank or 't' for the T, 'z', no seconds,
 * +0100 or +01 for a zone, and the form of HTTP. A time without a zone is -EINVAL: the tools do not agree on
 * what it means. */
int timetext_parse_lenient(const char *s, uint64_t *ret_usec);

/* Parses an IMF-fixdate ("Tue, 24 Nov 2026 03:10:00 GMT", RFC 9110 section 5.6.7), the only form AWS sends.
 * The weekday must be a name, right or wrong. 0 or -EINVAL. */
int timetext_parse_http(const char *s, uint64_t *ret_usec);

/* Seconds since the epoch as AWS's JSON numbers give them, possibly fractional. 0 for negative, NaN, or past
 * year 9999. */
uint64_t timetext_from_epoch(double seconds);
