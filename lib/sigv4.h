/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS Signature Version 4 in stages, so that tests can compare each stage with a published vector. Pure: the
 * time is an argument. Source: "AWS Signature Version 4 for API requests", AWS IAM User Guide. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/http.h"
#include "lib/util/hash.h"
#include "lib/util/strbuf.h"

/* A cache of signing keys derived from one secret. All zeros means empty. */
typedef struct SigV4Keys {
    struct SigV4Key *keys;
    unsigned n, room, next;
} SigV4Keys;

#define SIGV4_KEYS_MAX 64 /* the latest (region, service) pairs, each with the key of its latest day */

typedef struct SigV4Input {
    const char *method;             /* upper case */
    const char *path;               /* as sent, percent-encoded, without the query; "" counts as "/" */
    const char *query;              /* as sent, without "?"; NULL or "" means no query */
    const HttpHeader *headers;      /* all of them are signed; pass exactly the headers to sign, including
                                     * host and x-amz-date */
    size_t n_headers;               /* <= SIGV4_HEADERS_MAX */
    const void *body;
    size_t body_len;
    const char *region;             /* of the credential scope */
    const char *service;            /* signing name: "cloudtrail", "sns", "sts", "s3" ... */
    const char *access_key_id;
    const char *secret_access_key;
    SigV4Keys *keys;    /* cache for this secret; NULL means that the key is derived for this request only */
    uint64_t time_usec;             /* must equal the time in x-amz-date */
    bool s3;                        /* encode the path once and do not normalize it */
} SigV4Input;

#define SIGV4_HEADERS_MAX 32
#define SIGV4_QUERY_MAX 128             /* name=value pairs */
#define SIGV4_CANONICAL_MAX (64 * 1024) /* a suitable ceiling for the caller's buffers */

/* Functions that take a StrBuf append to it; after an error its content is undefined. Session tokens and
 * scopes pass through the stages, so these buffers should have wipe set. */

/* Stage 1: builds the canonical request, and the list of signed header names ("host;x-amz-date") in
 * signed_headers, which may be NULL. Returns 0; -EINVAL for too many headers, a control byte in a header or
 * in an S3 path, or NULL fields; -E2BIG for too many query pairs or a full buffer; -ENOMEM; -EIO for
 * OpenSSL. */
int sigv4_canonical_request(const SigV4Input *in, StrBuf *ret, StrBuf *signed_headers);

/* Stage 2: builds the string to sign for a canonical request. Errors as above; also -EINVAL for a time out
 * of range. */
int sigv4_string_to_sign(const SigV4Input *in, const char *canonical_request, StrBuf *ret);

/* Derives the signing key for one (secret, day, region, service). Errors as above. The caller wipes it. */
int sigv4_signing_key(const SigV4Input *in, uint8_t ret[static HASH_SIZE]);

/* All stages: builds the value of the Authorization header. ret should have wipe set. Errors as above. */
int sigv4_authorization(const SigV4Input *in, StrBuf *ret);

/* Wipes and frees the keys. Call it at the latest when their secret is freed. */
void sigv4_keys_done(SigV4Keys *keys);

/* Percent-encodes by the rules of SigV4: A-Z a-z 0-9 - . _ ~ stay, other bytes become %XX in upper case.
 * Returns the buffer's error. */
int sigv4_encode(StrBuf *b, const char *s, size_t len);
