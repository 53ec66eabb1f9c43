/* SPDX-License-Identifier: Apache-2.0 */
/* Signs what test_signer.py makes up. Each line of standard input is a JSON object: method, path, query,
 * headers (pairs), body (hex), region, service, key, secret, time (seconds), s3. Each line of standard
 * output is one with canonical, string_to_sign and authorization, or with error, a negative errno value. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sigv4.h"
#include "lib/util/macros.h"

#define LINE_MAX_BYTES (1024 * 1024)
#define BODY_MAX_BYTES (64 * 1024)

static const char *text(const json_t *object, const char *name) {
    const char *s = json_string_value(json_object_get(object, name));

    if (!s) {
        fprintf(stderr, "sign_helper: no %s\n", name);
        exit(EXIT_FAILURE);
    }
    return s;
}

static int hex_digit(char c) {
    return c >= 'a' ? c - 'a' + 10 : c - '0';
}

static size_t read_body(const char *hex, unsigned char *body) {
    size_t n = strlen(hex) / 2;

    for (size_t i = 0; i < n; i++)
        body[i] = (unsigned char)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    return n;
}

static size_t read_headers(const json_t *list, HttpHeader *headers) {
    size_t n = json_array_size(list);

    for (size_t i = 0; i < n && i < SIGV4_HEADERS_MAX + 1; i++) {
        const json_t *pair = json_array_get(list, i);

        headers[i].name = json_string_value(json_array_get(pair, 0));
        headers[i].value = json_string_value(json_array_get(pair, 1));
    }
    return n;
}

static json_t *sign(const SigV4Input *in) {
    _cleanup_strbuf_ StrBuf canonical = STRBUF_INIT(SIGV4_CANONICAL_MAX);
    _cleanup_strbuf_ StrBuf to_sign = STRBUF_INIT(SIGV4_CANONICAL_MAX);
    _cleanup_strbuf_ StrBuf authorization = STRBUF_INIT(SIGV4_CANONICAL_MAX);
    int r;

    r = sigv4_canonical_request(in, &canonical, NULL);
    if (r >= 0)
        r = sigv4_string_to_sign(in, strbuf_str(&canonical), &to_sign);
    if (r >= 0)
        r = sigv4_authorization(in, &authorization);
    if (r < 0)
        return json_pack("{s:i}", "error", r);
    return json_pack("{s:s, s:s, s:s}", "canonical", strbuf_str(&canonical), "string_to_sign",
                     strbuf_str(&to_sign), "authorization", strbuf_str(&authorization));
}

static json_t *sign_request(const json_t *request, unsigned char *body) {
    HttpHeader headers[SIGV4_HEADERS_MAX + 1];
    SigV4Input in = {
        .method = text(request, "method"),
        .path = text(request, "path"),
        .query = text(request, "query"),
        .headers = headers,
        .n_headers = read_headers(json_object_get(request, "headers"), headers),
        .body = body,
        .body_len = read_body(text(request, "body"), body),
        .region = text(request, "region"),
        .service = text(request, "service"),
        .access_key_id = text(request, "key"),
        .secret_access_key = text(request, "secret"),
        .time_usec = (uint64_t)json_integer_value(json_object_get(request, "time")) * USEC_PER_SEC,
        .s3 = json_is_true(json_object_get(request, "s3")),
    };

    return sign(&in);
}

int main(void) {
    char *line = malloc(LINE_MAX_BYTES);
    unsigned char *body = malloc(BODY_MAX_BYTES);

    while (line && body && fgets(line, LINE_MAX_BYTES, stdin)) {
        json_t *request = json_loads(line, 0, NULL), *answer;
        char *shown;

        if (!request)
            return EXIT_FAILURE;
        answer = sign_request(request, body);
        shown = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
        if (!shown)
            return EXIT_FAILURE;
        puts(shown);
        free(shown);
        json_decref(answer);
        json_decref(request);
    }
    free(line);
    free(body);
    return EXIT_SUCCESS;
}
