/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a request to sign: lines of the input are the path, the query, header names and values in
 * turn, and the body. Where a canonical request comes out, it has the form that the signature relies on, and
 * nothing of a header reaches a line of its own. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

/* Cuts the next line off *s; "" when there is none left. */
static char *next_line(char **s) {
    char *line = *s, *end = strchr(line, '\n');

    if (end) {
        *end = '\0';
        *s = end + 1;
    } else
        *s = line + strlen(line);
    return line;
}

static void check_canonical(const SigV4Input *in, const StrBuf *canonical, const StrBuf *names) {
    size_t lines = 0, distinct = names->len > 0;
    const char *s = strbuf_str(canonical);

    check(strlen(s) == canonical->len);
    for (const char *p = strbuf_str(names); *p; p++)
        distinct += *p == ';';
    for (const char *p = s; *p; p++)
        lines += *p == '\n';
    check(distinct <= in->n_headers);
    check(lines == 5 + distinct);

    s = strchr(s, '\n') + 1;
    check(*s == '/' || in->s3);
    if (!in->s3) {
        size_t n = strcspn(s, "\n");

        check(!memmem(s, n, "//", 2) && !memmem(s, n, "/./", 3) && !memmem(s, n, "/../", 4));
    }
    s += strcspn(s, "\n") + 1;
    check(strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%=&") ==
          strcspn(s, "\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_strbuf_ StrBuf canonical = STRBUF_INIT(SIGV4_CANONICAL_MAX);
    _cleanup_strbuf_ StrBuf names = STRBUF_INIT(SIGV4_CANONICAL_MAX);
    _cleanup_strbuf_ StrBuf authorization = STRBUF_INIT(SIGV4_CANONICAL_MAX);
    HttpHeader headers[SIGV4_HEADERS_MAX + 2];
    char *text = malloc(size + 1), *s = text;
    SigV4Input in = {
        .method = "POST",
        .headers = headers,
        .region = "eu-central-1",
        .service = "sts",
        .access_key_id = "AKIDEXAMPLE",
        .secret_access_key = "secret",
        .time_usec = 1735787045 * USEC_PER_SEC,
    };
    int r;

    check(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';

    in.s3 = size & 1;
    in.path = next_line(&s);
    in.query = next_line(&s);
    while (*s && in.n_headers < sizeof(headers) / sizeof(headers[0])) {
        headers[in.n_headers].name = next_line(&s);
        headers[in.n_headers++].value = next_line(&s);
    }
    in.body = s;
    in.body_len = strlen(s);

    r = sigv4_canonical_request(&in, &canonical, &names);
    check(r == 0 || r == -EINVAL || r == -E2BIG);
    if (r == 0)
        check_canonical(&in, &canonical, &names);

    r = sigv4_authorization(&in, &authorization);
    check(r == 0 || r == -EINVAL || r == -E2BIG);
    check(!strpbrk(strbuf_str(&authorization), "\r\n"));
    free(text);
    return 0;
}
