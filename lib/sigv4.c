/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sigv4.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/shared_text.h"
#include "lib/util/timetext.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"
#define DATE_LEN 8 /* YYYYMMDD */
#define SECRET_MAX 1024
#define KEYS_STEP 4 /* the array grows by this many: most accounts have few regions */

static bool is_unreserved(unsigned char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int sigv4_encode(StrBuf *b, const char *s, size_t len) {
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0, plain; i < len; i += plain) {
        for (plain = 0; i + plain < len && is_unreserved((unsigned char)s[i + plain]);)
            plain++;
        (void) strbuf_add_mem(b, s + i, plain);
        if (i + plain < len) {
            unsigned char c = (unsigned char)s[i + plain++];

            (void) strbuf_add_mem(b, (const char[]){ '%', digits[c >> 4], digits[c & 15] }, 3);
        }
    }
    return strbuf_error(b);
}

/* ---- stage 1: canonical request ---- */

/* Appends path without empty, "." and ".." segments (RFC 3986 section 5.2.4, and doubled slashes too),
 * encoded. */
static int add_normal_path(StrBuf *b, const char *path) {
    size_t start = b->len;

    for (const char *s = path; *s;) {
        size_t n = strcspn(s, "/");

        if (n == 2 && strncmp(s, "..", 2) == 0) {
            while (b->len > start && b->data[b->len - 1] != '/')
                strbuf_truncate(b, b->len - 1);
            if (b->len > start)
                strbuf_truncate(b, b->len - 1);
        } else if (n > 0 && !(n == 1 && *s == '.')) {
            (void) strbuf_add_char(b, '/');
            (void) sigv4_encode(b, s, n);
        }
        s += n;
        s += *s == '/';
    }
    if (strbuf_error(b) < 0)
        return strbuf_error(b);
    if (b->len == start || path[strlen(path) - 1] == '/')
        return strbuf_add_char(b, '/');
    return 0;
}

static int add_path(StrBuf *b, const SigV4Input *in) {
    if (!in->s3)
        return add_normal_path(b, in->path);

    /* Signed unchanged, so it must not contain anything that could start another line. */
    for (const char *s = in->path; *s; s++)
        if ((unsigned char)*s <= ' ' || *s == 0x7f)
            return -EINVAL;
    return strbuf_add(b, *in->path ? in->path : "/");
}

typedef struct Pair {
    const char *name; /* as sent */
    size_t name_len;
    const char *value;
    size_t value_len;
    size_t name_at, value_at; /* in the scratch buffer, re-encoded */
} Pair;

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that two hex digits stand for, or -1. */
static int hex_byte(const char *s) {
    int high = hex_value(s[0]), low = hex_value(s[1]);

    return high >= 0 && low >= 0 ? high * 16 + low : -1;
}

/* Re-encodes text of a query: %7e and a bare byte are signed in the same canonical form. */
static int add_recoded(StrBuf *b, const char *s, size_t len) {
    for (size_t i = 0; i < len; i++) {
        int byte = s[i] == '%' && i + 2 < len ? hex_byte(s + i + 1) : -1;
        char c = byte >= 0 ? (char)byte : s[i];

        if (byte >= 0)
            i += 2;
        (void) sigv4_encode(b, &c, 1);
    }
    return strbuf_error(b);
}

/* Splits a query; returns the number of pairs, or -E2BIG. */
static int split_query(const char *query, Pair pairs[static SIGV4_QUERY_MAX]) {
    int n = 0;

    for (const char *s = query; *s;) {
        size_t len = strcspn(s, "&"), name_len = strcspn(s, "=&");

        if (len > 0) {
            if (n == SIGV4_QUERY_MAX)
                return -E2BIG;
            pairs[n++] = (Pair){
                .name = s,
                .name_len = name_len,
                .value = s + name_len + (name_len < len),
                .value_len = len - name_len - (name_len < len),
            };
        }
        s += len;
        s += *s == '&';
    }
    return n;
}

static int compare_pairs(const char *text, const Pair *a, const Pair *b) {
    int c = strcmp(text + a->name_at, text + b->name_at);

    return c != 0 ? c : strcmp(text + a->value_at, text + b->value_at);
}

/* By encoded name, then by encoded value. */
static void sort_pairs(Pair *pairs, int n, const char *text) {
    for (int i = 1; i < n; i++)
        for (int j = i; j > 0 && compare_pairs(text, &pairs[j - 1], &pairs[j]) > 0; j--) {
            Pair t = pairs[j];

            pairs[j] = pairs[j - 1];
            pairs[j - 1] = t;
        }
}

static int add_query(StrBuf *b, const char *query) {
    _cleanup_strbuf_ StrBuf scratch = STRBUF_INIT(SIGV4_CANONICAL_MAX);
    Pair pairs[SIGV4_QUERY_MAX];
    int n;

    if (!query || !*query)
        return strbuf_error(b);

    n = split_query(query, pairs);
    if (n < 0)
        return n;
    for (int i = 0; i < n; i++) {
        pairs[i].name_at = scratch.len;
        (void) add_recoded(&scratch, pairs[i].name, pairs[i].name_len);
        (void) strbuf_add_char(&scratch, '\0');
        pairs[i].value_at = scratch.len;
        (void) add_recoded(&scratch, pairs[i].value, pairs[i].value_len);
        (void) strbuf_add_char(&scratch, '\0');
    }
    if (strbuf_error(&scratch) < 0)
        return strbuf_error(&scratch);

    sort_pairs(pairs, n, strbuf_str(&scratch));
    for (int i = 0; i < n; i++)
        (void) strbuf_addf(b, "%s%s=%s", i > 0 ? "&" : "", scratch.data + pairs[i].name_at,
                           scratch.data + pairs[i].value_at);
    return strbuf_error(b);
}

static int sigv4_compare_names(const char *a, const char *b) {
    while (*a && lower(*a) == lower(*b))
        a++, b++;
    return (unsigned char)lower(*a) - (unsigned char)lower(*b);
}

/* Nothing that could end a name early (a token in RFC 9110 section 5.6.2). */
static bool header_is_valid(const HttpHeader *h) {
    if (!h->name || !*h->name || !h->value)
        return false;
    for (const char *s = h->name; *s; s++)
        if (*s <= ' ' || *s >= 0x7f || *s == ':' || *s == ';')
            return false;
    for (const char *s = h->value; *s; s++)
        if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
            return false;
    return true;
}

/* Sorts the headers by name; equal names keep their order. */
static int sort_headers(const SigV4Input *in, const HttpHeader *sorted[static SIGV4_HEADERS_MAX]) {
    if (in->n_headers > SIGV4_HEADERS_MAX)
        return -EINVAL;

    for (size_t i = 0; i < in->n_headers; i++) {
        size_t j = i;

        if (!header_is_valid(&in->headers[i]))
            return -EINVAL;
        for (; j > 0 && sigv4_compare_names(sorted[j - 1]->name, in->headers[i].name) > 0; j--)
            sorted[j] = sorted[j - 1];
        sorted[j] = &in->headers[i];
    }
    return 0;
}

static void add_lower(StrBuf *b, const char *s) {
    size_t at = b->len;

    if (strbuf_add(b, s) < 0)
        return;
    for (; at < b->len; at++)
        b->data[at] = lower(b->data[at]);
}

/* Trimmed, with inner white space collapsed to one space. */
static void add_header_value(StrBuf *b, const char *s) {
    size_t n;

    s += strspn(s, " \t");
    while ((n = strcspn(s, " \t")) > 0) {
        (void) strbuf_add_mem(b, s, n);
        s += n;
        s += strspn(s, " \t");
        if (*s)
            (void) strbuf_add_char(b, ' ');
    }
}

/* Appends "name:value\n" for each name, with values of the same name joined by commas; and the names to
 * names. */
static int add_headers(StrBuf *b, StrBuf *names, const SigV4Input *in) {
    const HttpHeader *sorted[SIGV4_HEADERS_MAX];
    int r;

    r = sort_headers(in, sorted);
    if (r < 0)
        return r;

    for (size_t i = 0; i < in->n_headers; i++) {
        if (i > 0 && sigv4_compare_names(sorted[i - 1]->name, sorted[i]->name) == 0)
            (void) strbuf_add_char(b, ',');
        else {
            if (i > 0) {
                (void) strbuf_add_char(b, '\n');
                (void) strbuf_add_char(names, ';');
            }
            add_lower(b, sorted[i]->name);
            add_lower(names, sorted[i]->name);
            (void) strbuf_add_char(b, ':');
        }
        add_header_value(b, sorted[i]->value);
    }
    if (in->n_headers > 0)
        (void) strbuf_add_char(b, '\n');
    return strbuf_error(names) < 0 ? strbuf_error(names) : strbuf_error(b);
}

int sigv4_canonical_request(const SigV4Input *in, StrBuf *ret, StrBuf *signed_headers) {
    _cleanup_strbuf_ StrBuf names = STRBUF_INIT(SIGV4_CANONICAL_MAX);
    char hash[HASH_HEX_SIZE];
    int r;

    if (!in->method || !in->path || (in->n_headers > 0 && !in->headers) || (in->body_len > 0 && !in->body))
        return -EINVAL;

    r = hash_sha256_hex(in->body, in->body_len, hash);
    if (r < 0)
        return r;

    (void) strbuf_addf(ret, "%s\n", in->method);
    r = add_path(ret, in);
    if (r < 0)
        return r;
    (void) strbuf_add_char(ret, '\n');
    r = add_query(ret, in->query);
    if (r < 0)
        return r;
    (void) strbuf_add_char(ret, '\n');
    r = add_headers(ret, &names, in);
    if (r < 0)
        return r;
    (void) strbuf_addf(ret, "\n%s\n%s", strbuf_str(&names), hash);

    if (signed_headers && strbuf_add(signed_headers, strbuf_str(&names)) < 0)
        return strbuf_error(signed_headers);
    return strbuf_error(ret);
}

/* ---- stage 2: string to sign ---- */

/* Parts of the credential scope must not contain its separators. */
static bool scope_part_is_valid(const char *s) {
    if (!s || !*s)
        return false;
    for (; *s; s++)
        if (*s <= ' ' || *s >= 0x7f || *s == '/' || *s == ',')
            return false;
    return true;
}

/* "20250102T030405Z", or -EINVAL. */
static int signing_time(const SigV4Input *in, char ret[static TIMETEXT_MAX]) {
    if (!scope_part_is_valid(in->region) || !scope_part_is_valid(in->service))
        return -EINVAL;
    timetext_amz(ret, in->time_usec);
    return strlen(ret) > DATE_LEN ? 0 : -EINVAL;
}

static int add_scope(StrBuf *b, const SigV4Input *in, const char *time) {
    return strbuf_addf(b, "%.*s/%s/%s/" TERMINATOR, DATE_LEN, time, in->region, in->service);
}

static int add_string_to_sign(const SigV4Input *in, const char *time, const char *canonical_request,
                              StrBuf *ret) {
    char hash[HASH_HEX_SIZE];
    int r;

    r = hash_sha256_hex(canonical_request, strlen(canonical_request), hash);
    if (r < 0)
        return r;

    (void) strbuf_addf(ret, ALGORITHM "\n%s\n", time);
    (void) add_scope(ret, in, time);
    return strbuf_addf(ret, "\n%s", hash);
}

int sigv4_string_to_sign(const SigV4Input *in, const char *canonical_request, StrBuf *ret) {
    char time[TIMETEXT_MAX];
    int r;

    r = signing_time(in, time);
    return r < 0 ? r : add_string_to_sign(in, time, canonical_request, ret);
}

/* ---- stage 3: key and signature ---- */

/* Replaces key by HMAC(key, text). */
static int derive(uint8_t key[static HASH_SIZE], const char *text, size_t len) {
    uint8_t next[HASH_SIZE];
    int r;

    r = hash_hmac_sha256(key, HASH_SIZE, text, len, next);
    if (r >= 0)
        memcpy(key, next, HASH_SIZE);
    hash_wipe(next, sizeof(next));
    return r;
}

static int first_key(const char *secret, const char *time, uint8_t ret[static HASH_SIZE]) {
    _cleanup_strbuf_ StrBuf prefixed = STRBUF_INIT(SECRET_MAX);
    int r;

    prefixed.wipe = true;
    r = strbuf_addf(&prefixed, "AWS4%s", secret);
    if (r < 0)
        return r;
    return hash_hmac_sha256(prefixed.data, prefixed.len, time, DATE_LEN, ret);
}

int sigv4_signing_key(const SigV4Input *in, uint8_t ret[static HASH_SIZE]) {
    char time[TIMETEXT_MAX];
    uint8_t key[HASH_SIZE];
    int r;

    if (!in->secret_access_key || !*in->secret_access_key)
        return -EINVAL;
    r = signing_time(in, time);
    if (r < 0)
        return r;

    r = first_key(in->secret_access_key, time, key);
    if (r >= 0)
        r = derive(key, in->region, strlen(in->region));
    if (r >= 0)
        r = derive(key, in->service, strlen(in->service));
    if (r >= 0)
        r = derive(key, TERMINATOR, strlen(TERMINATOR));
    if (r >= 0)
        memcpy(ret, key, HASH_SIZE);
    hash_wipe(key, sizeof(key));
    return r;
}

/* Deriving a key takes four HMACs, signing a fifth, so the key is kept while it is valid. */
struct SigV4Key {
    const char *region, *service; /* shared texts */
    char date[DATE_LEN];
    uint8_t key[HASH_SIZE];
};

static struct SigV4Key *key_find(const SigV4Keys *keys, const SigV4Input *in) {
    for (unsigned i = 0; i < keys->n; i++)
        if (strcmp(keys->keys[i].region, in->region) == 0 && strcmp(keys->keys[i].service, in->service) == 0)
            return &keys->keys[i];
    return NULL;
}

/* Not with realloc(), which could leave copies of keys behind. */
static bool keys_grow(SigV4Keys *keys) {
    struct SigV4Key *more = malloc((keys->room + KEYS_STEP) * sizeof(*more));

    if (!more)
        return false;
    if (keys->n > 0)
        memcpy(more, keys->keys, keys->n * sizeof(*more));
    hash_wipe(keys->keys, keys->n * sizeof(*more));
    free(keys->keys);
    keys->keys = more;
    keys->room += KEYS_STEP;
    return true;
}

static void key_done(struct SigV4Key *k) {
    shared_text_drop(k->region);
    shared_text_drop(k->service);
    hash_wipe(k, sizeof(*k));
}

/* A new entry, all zeros; NULL without memory. */
static struct SigV4Key *key_new(SigV4Keys *keys, const SigV4Input *in) {
    struct SigV4Key new = { .region = shared_text(in->region), .service = shared_text(in->service) }, *at;

    if (!new.region || !new.service ||
        (keys->n < SIGV4_KEYS_MAX && keys->n == keys->room && !keys_grow(keys))) {
        key_done(&new);
        return NULL;
    }
    if (keys->n < SIGV4_KEYS_MAX)
        at = &keys->keys[keys->n++];
    else {
        at = &keys->keys[keys->next++ % SIGV4_KEYS_MAX];
        key_done(at);
    }
    *at = new;
    return at;
}

void sigv4_keys_done(SigV4Keys *keys) {
    for (unsigned i = 0; i < keys->n; i++)
        key_done(&keys->keys[i]);
    free(keys->keys);
    *keys = (SigV4Keys){ 0 };
}

/* Without memory a key is not kept. */
static int signing_key(const SigV4Input *in, const char *time, uint8_t ret[static HASH_SIZE]) {
    struct SigV4Key *kept = in->keys ? key_find(in->keys, in) : NULL;
    int r;

    if (kept && memcmp(kept->date, time, DATE_LEN) == 0) {
        memcpy(ret, kept->key, HASH_SIZE);
        return 0;
    }
    r = sigv4_signing_key(in, ret);
    if (r < 0 || !in->keys)
        return r;
    if (!kept)
        kept = key_new(in->keys, in);
    if (kept) {
        memcpy(kept->date, time, DATE_LEN);
        memcpy(kept->key, ret, HASH_SIZE);
    }
    return 0;
}

static int sign(const SigV4Input *in, const char *time, const StrBuf *text, char ret[static HASH_HEX_SIZE]) {
    uint8_t key[HASH_SIZE];
    int r;

    r = signing_key(in, time, key);
    if (r >= 0)
        r = derive(key, text->data, text->len);
    if (r >= 0)
        hash_hex(key, ret);
    hash_wipe(key, sizeof(key));
    return r;
}

int sigv4_authorization(const SigV4Input *in, StrBuf *ret) {
    _cleanup_strbuf_ StrBuf canonical = STRBUF_INIT(SIGV4_CANONICAL_MAX);
    _cleanup_strbuf_ StrBuf names = STRBUF_INIT(SIGV4_CANONICAL_MAX);
    _cleanup_strbuf_ StrBuf text = STRBUF_INIT(SIGV4_CANONICAL_MAX);
    char time[TIMETEXT_MAX], signature[HASH_HEX_SIZE];
    int r;

    if (!scope_part_is_valid(in->access_key_id))
        return -EINVAL;
    r = signing_time(in, time);
    if (r < 0)
        return r;

    canonical.wipe = text.wipe = true;
    r = sigv4_canonical_request(in, &canonical, &names);
    if (r < 0)
        return r;
    r = add_string_to_sign(in, time, strbuf_str(&canonical), &text);
    if (r < 0)
        return r;
    r = sign(in, time, &text, signature);
    if (r < 0)
        return r;

    (void) strbuf_addf(ret, ALGORITHM " Credential=%s/", in->access_key_id);
    (void) add_scope(ret, in, time);
    (void) strbuf_addf(ret, ", SignedHeaders=%s, Signature=%s", strbuf_str(&names), signature);
    return strbuf_error(ret);
}
