/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS Signature Version 4, staged so that each stage can be compared with a published vector. Pure: the time
 * is an argument. Source: "AWS Signature Version 4 for API requests", AWS IAM User Guide. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/http.h"
#include "lib/util/hash.h"
#include "lib/util/strbuf.h"

/* Signing keys that were derived before, all of one secret. All zeros: none. */
typedef struct SigV4Keys {
    struct SigV4Key *keys;
    unsigned n, room, next;
} SigV4Keys;

#define SIGV4_KEYS_MAX 64 /* the latest (region, service) are kept, each for its latest day */

typedef struct SigV4Input {
    const char *method;             /* upper case */
    const char *path;               /* as sent, percent-encoded, without the query; "" counts as "/" */
    const char *query;              /* as sent, without "?"; NULL or "" when none */
    const HttpHeader *headers;      /* all of them are signed: give exactly those to sign, host and
                                     * x-amz-date included */
    size_t n_headers;               /* <= SIGV4_HEADERS_MAX */
    const void *body;
    size_t body_len;
    const char *region;             /* scope */
    const char *service;            /* signing name: "cloudtrail", "sns", "sts", "s3" ... */
    const char *access_key_id;
    const char *secret_access_key;
    SigV4Keys *keys;                /* that secret's, from which a key is taken and where it is kept; NULL:
                                     * it is derived for this request alone */
    uint64_t time_usec;             /* must be what x-amz-date says */
    bool s3;                        /* no path normalisation, path encoded once */
} SigV4Input;

#define SIGV4_HEADERS_MAX 32
#define SIGV4_QUERY_MAX 128             /* name=value pairs */
#define SIGV4_CANONICAL_MAX (64 * 1024) /* a fitting ceiling for the buffers given in */

/* All that take a StrBuf append to it, and leave it in no particular state on an error. Session tokens and
 * scopes pass through the stages, so those buffers should have wipe set. */

/* Stage 1: the canonical request, and the list of signed header names ("host;x-amz-date") into
 * signed_headers (may be NULL). 0, -EINVAL (too many headers, a line break or another control byte in one
 * or in an S3 path, NULL fields), -E2BIG (too many query pairs, a buffer's ceiling), -ENOMEM, -EIO
 * (OpenSSL). */
int sigv4_canonical_request(const SigV4Input *in, StrBuf *ret, StrBuf *signed_headers);

/* Stage 2: the string to sign over a canonical request. Errors as above; -EINVAL also for a time out of
 * range. */
int sigv4_string_to_sign(const SigV4Input *in, const char *canonical_request, StrBuf *ret);

/* The signing key for one (secret, day, region, service), derived. Errors as above. The caller wipes it. */
int sigv4_signing_key(const SigV4Input *in, uint8_t ret[static HASH_SIZE]);

/* All stages: the value of the Authorization header. ret should have wipe set. Errors as above. */
int sigv4_authorization(const SigV4Input *in, StrBuf *ret);

/* Wipes and frees the keys: where their secret ends, at the latest. */
void sigv4_keys_done(SigV4Keys *keys);

/* Percent-encodes as SigV4 wants it (A-Z a-z 0-9 - . _ ~ stay; %XX upper case). Returns the buffer's
 * error. */
int sigv4_encode(StrBuf *b, const char *s, size_t len);
