/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=free */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/sigv4.h"
#include "tests/unit/free_poll.h"

typedef struct SigV4Vector {
    const char *name, *method, *path, *query, *body, *region, *service;
    HttpHeader headers[8];
    uint64_t time_usec;
    bool s3;
    const char *canonical, *string_to_sign, *signing_key, *signature;
} SigV4Vector;

#include "tests/unit/vectors/sigv4.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

static SigV4Input input_of(const SigV4Vector *v) {
    SigV4Input in = {
        .method = v->method,
        .path = v->path,
        .query = v->query,
        .headers = v->headers,
        .body = v->body,
        .body_len = strlen(v->body),
        .region = v->region,
        .service = v->service,
        .access_key_id = "AKIDEXAMPLE",
        .secret_access_key = SECRET,
        .time_usec = v->time_usec,
        .s3 = v->s3,
    };

    while (v->headers[in.n_headers].name)
        in.n_headers++;
    return in;
}

/* Says which vector it was before it fails. */
static void assert_stage(const SigV4Vector *v, const StrBuf *got, const char *expected) {
    if (strcmp(strbuf_str(got), expected) != 0)
        print_error("vector %s:\n", v->name);
    assert_string_equal(strbuf_str(got), expected);
}

static void stage_canonical_request(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(sigv4_vectors); i++) {
        _cleanup_strbuf_ StrBuf canonical = STRBUF_INIT(SIGV4_CANONICAL_MAX), names = STRBUF_INIT(1024);
        SigV4Input in = input_of(&sigv4_vectors[i]);
        const char *hash, *line;

        assert_int_equal(sigv4_canonical_request(&in, &canonical, &names), 0);
        assert_stage(&sigv4_vectors[i], &canonical, sigv4_vectors[i].canonical);

        /* The names are the last line but one. */
        hash = strrchr(sigv4_vectors[i].canonical, '\n');
        for (line = hash; line[-1] != '\n'; line--)
            ;
        assert_int_equal(names.len, hash - line);
        assert_memory_equal(strbuf_str(&names), line, names.len);
    }
}

static void stage_string_to_sign(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(sigv4_vectors); i++) {
        _cleanup_strbuf_ StrBuf text = STRBUF_INIT(1024);
        SigV4Input in = input_of(&sigv4_vectors[i]);

        assert_int_equal(sigv4_string_to_sign(&in, sigv4_vectors[i].canonical, &text), 0);
        assert_stage(&sigv4_vectors[i], &text, sigv4_vectors[i].string_to_sign);
    }
}

static void stage_signing_key(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(sigv4_vectors); i++) {
        SigV4Input in = input_of(&sigv4_vectors[i]);
        uint8_t key[HASH_SIZE];
        char hex[HASH_HEX_SIZE];

        assert_int_equal(sigv4_signing_key(&in, key), 0);
        hash_hex(key, hex);
        assert_string_equal(hex, sigv4_vectors[i].signing_key);
    }
}

static void all_stages(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(sigv4_vectors); i++) {
        const SigV4Vector *v = &sigv4_vectors[i];
        _cleanup_strbuf_ StrBuf names = STRBUF_INIT(1024), canonical = STRBUF_INIT(SIGV4_CANONICAL_MAX);
        _cleanup_strbuf_ StrBuf authorization = STRBUF_INIT(4096), expected = STRBUF_INIT(4096);
        const char *date = strchr(v->string_to_sign, '\n') + 1;
        SigV4Input in = input_of(v);

        assert_int_equal(sigv4_canonical_request(&in, &canonical, &names), 0);
        assert_int_equal(strbuf_addf(&expected,
                                     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/%.8s/%s/%s/aws4_request, "
                                     "SignedHeaders=%s, Signature=%s",
                                     date, v->region, v->service, strbuf_str(&names), v->signature),
                         0);
        assert_int_equal(sigv4_authorization(&in, &authorization), 0);
        assert_stage(v, &authorization, strbuf_str(&expected));
    }
}

static const HttpHeader plain_headers[] = { { "host", "h" }, { "x-amz-date", "20250102T030405Z" } };

static SigV4Input plain_input(void) {
    return (SigV4Input){
        .method = "GET",
        .path = "/",
        .headers = plain_headers,
        .n_headers = ARRAY_SIZE(plain_headers),
        .region = "eu-central-1",
        .service = "sts",
        .access_key_id = "AKIDEXAMPLE",
        .secret_access_key = SECRET,
        .time_usec = 1735787045 * USEC_PER_SEC,
    };
}

/* Line 1 or 2 of the canonical request: path or query. */
static void assert_canonical_line(const SigV4Input *in, int line, const char *expected) {
    _cleanup_strbuf_ StrBuf canonical = STRBUF_INIT(SIGV4_CANONICAL_MAX);
    const char *s;

    assert_int_equal(sigv4_canonical_request(in, &canonical, NULL), 0);
    s = strbuf_str(&canonical);
    while (line-- > 0)
        s = strchr(s, '\n') + 1;
    canonical.data[s - canonical.data + strcspn(s, "\n")] = '\0';
    assert_string_equal(s, expected);
}

static void paths(void **state _unused_) {
    static const struct {
        const char *path, *canonical, *s3;
    } cases[] = {
        { "", "/", "/" },
        { "/", "/", "/" },
        { "/a/../../b/", "/b/", "/a/../../b/" },
        { "/a/b/..", "/a", "/a/b/.." },
        { "/a/.", "/a", "/a/." },
        { "/...", "/...", "/..." },
        { "/.a/..b", "/.a/..b", "/.a/..b" },
        { "/a%20b", "/a%2520b", "/a%20b" },
        { "/a=b:c", "/a%3Db%3Ac", "/a=b:c" },
        { "relative", "/relative", "relative" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SigV4Input in = plain_input();

        in.path = cases[i].path;
        assert_canonical_line(&in, 1, cases[i].canonical);
        in.s3 = true;
        assert_canonical_line(&in, 1, cases[i].s3);
    }
}

static void queries(void **state _unused_) {
    static const struct {
        const char *query, *canonical;
    } cases[] = {
        { NULL, "" },
        { "", "" },
        { "&", "" },
        { "lifecycle", "lifecycle=" },
        { "a=1&&b=2&", "a=1&b=2" },
        { "b=1&a=2&b=0", "a=2&b=0&b=1" },
        { "a=%7e&b=%2f%2F", "a=~&b=%2F%2F" },
        { "a=b=c", "a=b%3Dc" },
        { "a=%&b=%4&c=%zz", "a=%25&b=%254&c=%25zz" },
        { "=x", "=x" },
        { "a-b=1&a=1&aB=1", "a=1&a-b=1&aB=1" },
        { "x=a+b", "x=a%2Bb" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SigV4Input in = plain_input();

        in.query = cases[i].query;
        assert_canonical_line(&in, 2, cases[i].canonical);
    }
}

static void query_has_a_ceiling(void **state _unused_) {
    _cleanup_strbuf_ StrBuf query = STRBUF_INIT(4096);
    SigV4Input in = plain_input();

    for (int i = 0; i < SIGV4_QUERY_MAX; i++)
        strbuf_addf(&query, "%sp%d", i > 0 ? "&" : "", i);
    in.query = strbuf_str(&query);
    for (int over = 0; over < 2; over++) {
        _cleanup_strbuf_ StrBuf canonical = STRBUF_INIT(SIGV4_CANONICAL_MAX);

        assert_int_equal(sigv4_canonical_request(&in, &canonical, NULL), over ? -E2BIG : 0);
        strbuf_add(&query, "&one-more");
        in.query = strbuf_str(&query);
    }
}

static void bad_headers_are_refused(void **state _unused_) {
    static const HttpHeader bad[] = {
        { "x-amz-a", "a\r\nx-amz-b: c" },
        { "x-amz-a", "a\nb" },
        { "x-amz-a\n", "b" },
        { "x:y", "b" },
        { "", "b" },
        { NULL, "b" },
        { "x", NULL },
        { "x;y", "b" },
        { "x y", "b" },
        { "x", "\x7f" },
        { "x\xc3\xa9", "b" },
    };
    HttpHeader many[SIGV4_HEADERS_MAX + 1];

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        _cleanup_strbuf_ StrBuf authorization = STRBUF_INIT(4096);
        SigV4Input in = plain_input();

        in.headers = &bad[i];
        in.n_headers = 1;
        assert_int_equal(sigv4_authorization(&in, &authorization), -EINVAL);
        assert_string_equal(strbuf_str(&authorization), "");
    }

    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = (HttpHeader){ "x", "y" };
    for (size_t over = 0; over < 2; over++) {
        _cleanup_strbuf_ StrBuf authorization = STRBUF_INIT(4096);
        SigV4Input in = plain_input();

        in.headers = many;
        in.n_headers = SIGV4_HEADERS_MAX + over;
        assert_int_equal(sigv4_authorization(&in, &authorization), over ? -EINVAL : 0);
    }
}

static void bad_input_is_refused(void **state _unused_) {
    SigV4Input bad[16];

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        bad[i] = plain_input();
    bad[0].method = NULL;
    bad[1].path = NULL;
    bad[2].region = NULL;
    bad[3].region = "eu/central";
    bad[4].service = "";
    bad[5].access_key_id = NULL;
    bad[6].access_key_id = "AKID\r\nX: y";
    bad[7].access_key_id = "AKID, Signature=0";
    bad[8].secret_access_key = "";
    bad[9].time_usec = 0;
    bad[10].time_usec = UINT64_MAX;
    bad[11].body_len = 1; /* and no body */
    bad[12].headers = NULL;
    bad[13].region = "eu\x7f";
    bad[14].s3 = bad[15].s3 = true;
    bad[14].path = "/a\nb";
    bad[15].path = "/a b";

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        _cleanup_strbuf_ StrBuf authorization = STRBUF_INIT(4096);

        assert_int_equal(sigv4_authorization(&bad[i], &authorization), -EINVAL);
        assert_string_equal(strbuf_str(&authorization), "");
    }
}

static void ceilings_are_kept(void **state _unused_) {
    _cleanup_strbuf_ StrBuf small = STRBUF_INIT(40), token = STRBUF_INIT(SIGV4_CANONICAL_MAX + 1);
    HttpHeader headers[] = { { "x-amz-security-token", NULL } };
    SigV4Input in = plain_input();

    assert_int_equal(sigv4_authorization(&in, &small), -E2BIG);

    for (int i = 0; i < SIGV4_CANONICAL_MAX; i++)
        strbuf_add_char(&token, 't');
    headers[0].value = strbuf_str(&token);
    in.headers = headers;
    in.n_headers = 1;
    strbuf_done(&small);
    small.max = 4096;
    assert_int_equal(sigv4_authorization(&in, &small), -E2BIG);
}

static void secrets_are_wiped(void **state _unused_) {
    static const HttpHeader headers[] = { { "host", "h" }, { "x-amz-security-token", "hunter2" } };
    SigV4Input in = plain_input();
    StrBuf b = STRBUF_INIT(1000);

    in.headers = headers;
    in.secret_access_key = "hunter2";
    free_watch_start("hunter2");
    assert_int_equal(sigv4_authorization(&in, &b), 0);
    strbuf_done(&b);
    assert_true(free_watch_clean());
}

static void authorize(SigV4Input *in, SigV4Keys *keys, StrBuf *ret) {
    strbuf_truncate(ret, 0);
    in->keys = keys;
    assert_int_equal(sigv4_authorization(in, ret), 0);
}

/* In any order of days, regions and services, the signature is what it would be without. */
static void kept_keys_sign_the_same(void **state _unused_) {
    SigV4Keys keys = { 0 };

    for (size_t i = 0; i < 3 * ARRAY_SIZE(sigv4_vectors); i++) {
        _cleanup_strbuf_ StrBuf with = STRBUF_INIT(4096), without = STRBUF_INIT(4096);
        SigV4Input in = input_of(&sigv4_vectors[i % ARRAY_SIZE(sigv4_vectors)]);

        authorize(&in, NULL, &without);
        authorize(&in, &keys, &with);
        assert_string_equal(strbuf_str(&with), strbuf_str(&without));
    }
    assert_true(keys.n > 1);
    sigv4_keys_done(&keys);
    assert_int_equal(keys.n, 0);
}

/* Another secret with these keys, which nobody may do, shows whether it was asked for. */
static void keys_are_kept_for_a_day(void **state _unused_) {
    _cleanup_strbuf_ StrBuf first = STRBUF_INIT(4096), again = STRBUF_INIT(4096);
    SigV4Input in = plain_input();
    SigV4Keys keys = { 0 };

    authorize(&in, &keys, &first);
    in.secret_access_key = "other";
    authorize(&in, &keys, &again);
    assert_string_equal(strbuf_str(&first), strbuf_str(&again));
    in.time_usec += 86400 * USEC_PER_SEC;
    authorize(&in, &keys, &first);
    authorize(&in, NULL, &again);
    assert_string_equal(strbuf_str(&first), strbuf_str(&again));
    assert_int_equal(keys.n, 1);
    sigv4_keys_done(&keys);
}

static void kept_keys_have_a_ceiling(void **state _unused_) {
    _cleanup_strbuf_ StrBuf with = STRBUF_INIT(4096), without = STRBUF_INIT(4096);
    SigV4Keys keys = { 0 };

    for (unsigned i = 0; i < 3 * SIGV4_KEYS_MAX; i++) {
        SigV4Input in = plain_input();
        char region[16];

        (void)snprintf(region, sizeof(region), "xx-place-%u", i % (2 * SIGV4_KEYS_MAX));
        in.region = region;
        authorize(&in, NULL, &without);
        authorize(&in, &keys, &with);
        assert_string_equal(strbuf_str(&with), strbuf_str(&without));
        assert_true(keys.n <= SIGV4_KEYS_MAX);
    }
    assert_int_equal(keys.n, SIGV4_KEYS_MAX);
    sigv4_keys_done(&keys);
}

static void kept_keys_are_wiped(void **state _unused_) {
    static const char *const regions[] = { "eu-central-1", "b", "c", "d", "e", "f" };
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(4096);
    char begin[HASH_SIZE + 1] = "";
    SigV4Input in = plain_input();
    SigV4Keys keys = { 0 };

    assert_int_equal(sigv4_signing_key(&in, (uint8_t *)begin), 0);
    assert_true(strlen(begin) >= 5);
    free_watch_start(begin);
    for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
        in.region = regions[i];
        authorize(&in, &keys, &b);
    }
    sigv4_keys_done(&keys);
    assert_true(free_watch_clean());
}

static void encoding(void **state _unused_) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(1024);

    for (int c = 0; c < 256; c++) {
        char in = (char)c, expected[4];

        strbuf_truncate(&b, 0);
        assert_int_equal(sigv4_encode(&b, &in, 1), 0);
        if (c < 128 &&
            (strchr("-._~", c) || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
             (c >= 'a' && c <= 'z')) &&
            c != 0)
            (void)snprintf(expected, sizeof(expected), "%c", c);
        else
            (void)snprintf(expected, sizeof(expected), "%%%02X", c);
        assert_string_equal(strbuf_str(&b), expected);
    }

    strbuf_truncate(&b, 0);
    assert_int_equal(sigv4_encode(&b, "/a b/", 5), 0);
    assert_string_equal(strbuf_str(&b), "%2Fa%20b%2F");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stage_canonical_request),
        cmocka_unit_test(stage_string_to_sign),
        cmocka_unit_test(stage_signing_key),
        cmocka_unit_test(all_stages),
        cmocka_unit_test(paths),
        cmocka_unit_test(queries),
        cmocka_unit_test(query_has_a_ceiling),
        cmocka_unit_test(bad_headers_are_refused),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(ceilings_are_kept),
        cmocka_unit_test(secrets_are_wiped),
        cmocka_unit_test(kept_keys_sign_the_same),
        cmocka_unit_test(keys_are_kept_for_a_day),
        cmocka_unit_test(kept_keys_have_a_ceiling),
        cmocka_unit_test(kept_keys_are_wiped),
        cmocka_unit_test(encoding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
