/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc,--wrap=strdup */
/* One table with a row of each kind, as no file of ours has it: what is written with its default and what is
 * not, what is refused, and that nothing is half written without memory or room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/core/codec.h"
#include "daemon/core/model.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/alloc_fail.h"

#define SCHEMA   "trailguard.thing/1"
#define LIST_MAX 2
#define ROOM     4096

typedef struct Part {
    unsigned n;
    unsigned m;
    char *s;
} Part;

typedef struct Thing {
    bool flag;
    uint64_t time;
    char ascii[8];
    char hex[5];
    char *string;
    const char *shown;
    uint32_t bits;
    uint64_t numbers[3];
    uint64_t times[_FINDING_MAX];
    Part part;
    Part *ref;
    Part *list;
    size_t n_list;
    char **strings;
    size_t n_strings;
} Thing;

static const CodecMember part_members[] = {
    CODEC(Part, n, "n", uint),
    CODEC(Part, s, "s", string),
    CODEC_END,
};
static const CodecMember further_members[] = {
    CODEC(Part, m, "m", uint),
    CODEC_END,
};

#define ROWS(always_)                                                                                       \
    CODEC(Thing, flag, "flag", bool, .always = always_), CODEC(Thing, time, "time", time),                  \
            CODEC(Thing, ascii, "ascii", ascii), CODEC(Thing, hex, "hex", hex),                             \
            CODEC(Thing, string, "string", string, .max = 32),                                              \
            CODEC(Thing, shown, "shown", shown_string, .max = 16),                                          \
            CODEC(Thing, bits, "bits", bits, .names = &codec_findings, .always = always_),                  \
            CODEC(Thing, numbers, "numbers", numbers, .always = always_),                                   \
            CODEC(Thing, times, "times", times, .names = &codec_findings, .always = always_),               \
            CODEC(Thing, part, "part", object, .members = part_members, .always = always_),                 \
            CODEC_REF(Thing, ref, "ref", .members = part_members, .always = always_),                       \
            CODEC_REF(Thing, ref, "more", .members = further_members),                                      \
            CODEC_LIST(Thing, list, n_list, "list", .members = part_members, .max = LIST_MAX),              \
            CODEC(Thing, strings, "strings", strings, .count = offsetof(Thing, n_strings), .max = LIST_MAX)
static const CodecMember members[] = { ROWS(false), CODEC_END };
static const CodecMember always_members[] = { ROWS(true), CODEC_END };
/* A member that holds all of it, for the tree of values. */
static const CodecMember whole_members[] = {
    { .name = "whole", .kind = &codec_object, .members = members, .size = sizeof(Thing) },
    CODEC_END,
};

static char full_s[] = "a\x7f\"\n", plain[] = "plain", first[] = "x", second[] = "y";
static Part full_ref = { .n = 2, .m = 3, .s = plain },
            full_list[] = { { .n = 4, .s = plain }, { .s = plain } };
static char *full_strings[] = { first, second };

static Thing full(void) {
    Thing thing = { .flag = true,
                    .time = 1795428131ULL * USEC_PER_SEC,
                    .ascii = "a b",
                    .hex = "00ff",
                    .string = full_s,
                    .shown = "\x1b",
                    .bits = FINDING_BIT(FINDING_STOPPED),
                    .numbers = { 0, UINT64_MAX },
                    .part = { .n = 1, .s = plain },
                    .ref = &full_ref,
                    .list = full_list,
                    .n_list = 2,
                    .strings = full_strings,
                    .n_strings = 2 };

    thing.times[FINDING_STOPPED] = 7;
    return thing;
}

#define FULL                                                                                                \
    "{\"flag\":true,\"time\":\"2026-11-23T10:02:11Z\",\"ascii\":\"a b\",\"hex\":\"00ff\",\"string\":"       \
    "\"a\x7f\\\"\\n\",\"shown\":\"\\\\x1b\",\"bits\":[\"stopped\"],\"numbers\":[0,9223372036854775807],"    \
    "\"times\":{\"stopped\":7},\"part\":{\"n\":1,\"s\":\"plain\"},\"ref\":{\"n\":2,\"s\":\"plain\"},"       \
    "\"more\":{\"m\":3},\"list\":[{\"n\":4,\"s\":\"plain\"},{\"s\":\"plain\"}],\"strings\":[\"x\",\"y\"]}"
#define DEFAULTS                                                                                            \
    "{\"flag\":false,\"bits\":[],\"numbers\":[],\"times\":{},\"part\":{},\"ref\":null,\"strings\":[]}"

/* The document without its schema, in the form of the tree. */
static void assert_document(const CodecMember *table, const Thing *thing, const char *expected) {
    json_t *root, *wanted = json_loads(expected, 0, NULL);
    char *text = NULL;
    size_t len = 0;

    assert_non_null(wanted);
    assert_int_equal(codec_write_document(SCHEMA, table, thing, ROOM, &text, &len), 0);
    assert_int_equal(strlen(text), len);
    root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "schema")), SCHEMA);
    (void)json_object_del(root, "schema");
    if (!json_equal(root, wanted))
        fail_msg("%s\ninstead of\n%s", text, expected);
    json_decref(root);
    json_decref(wanted);
    free(text);
}

static void assert_tree(const CodecMember *table, const Thing *thing, const char *expected) {
    json_t *root = NULL, *wanted = json_loads(expected, 0, NULL);

    assert_non_null(wanted);
    assert_int_equal(codec_write(table, thing, &root), 0);
    assert_true(json_equal(root, wanted));
    json_decref(root);
    json_decref(wanted);
}

static void defaults_are_written_where_they_are_wanted(void **state _unused_) {
    const Thing none = { 0 }, all = full();

    assert_document(members, &all, FULL);
    assert_document(members, &none, "{\"strings\":[]}");
    assert_document(always_members, &none, DEFAULTS);
    assert_tree(members, &all, FULL);
    assert_tree(whole_members, &all, "{\"whole\":" FULL "}");
    assert_tree(members, &none, "{\"strings\":[]}");
    assert_tree(always_members, &none, DEFAULTS);
}

static void what_is_written_is_read(void **state _unused_) {
    const Thing all = full();
    Thing thing = { 0 };
    char *text = NULL, reason[160];
    size_t len;

    assert_int_equal(codec_write_document(SCHEMA, members, &all, ROOM, &text, &len), 0);
    assert_int_equal(codec_read_document(text, len, SCHEMA, members, &thing, reason, sizeof(reason)), 0);
    free(text);
    assert_true(thing.flag && thing.time == all.time && thing.bits == all.bits);
    assert_string_equal(thing.ascii, "a b");
    assert_string_equal(thing.hex, "00ff");
    assert_string_equal(thing.string, full_s);
    assert_null(thing.shown); /* it is written only */
    assert_true(thing.numbers[1] == INT64_MAX && thing.times[FINDING_STOPPED] == 7);
    assert_true(thing.ref->n == 2 && thing.ref->m == 3); /* two members, one struct */
    assert_true(thing.n_list == 2 && thing.list[0].n == 4 && thing.n_strings == 2);
    assert_string_equal(thing.strings[1], "y");
    codec_done(members, &thing);
    assert_null(thing.ref);
}

static void what_is_not_wanted_is_named(void **state _unused_) {
    static const struct {
        const char *member, *reason; /* NULL: it is read */
    } rows[] = {
        { "\"flag\":1", "flag is 1, not true or false" },
        { "\"time\":7", "time is 7, not a time" },
        { "\"time\":\"now\"", "time is a text of 3 bytes, not a time" },
        { "\"ascii\":7", "ascii is 7, not a short line of printable ASCII" },
        { "\"ascii\":\"12345678\"", "ascii is a text of 8 bytes, not a short line of printable ASCII" },
        { "\"ascii\":\"\\u007f\"", "ascii is a text of 1 bytes, not a short line of printable ASCII" },
        { "\"hex\":7", "hex is 7, not an id of hex digits" },
        { "\"hex\":\"00f\"", "hex is a text of 3 bytes, not an id of hex digits" },
        { "\"hex\":\"00fx\"", "hex is a text of 4 bytes, not an id of hex digits" },
        { "\"string\":7", "string is 7, not a string" },
        { "\"string\":\"123456789012345678901234567890123\"", "string is a text of 33 bytes, not a string" },
        { "\"times\":7", "times is 7, not an object of times" },
        { "\"times\":{\"stopped\":-1}", "times is -1, not an object of times" },
        { "\"times\":{\"of a later version\":-1}", NULL },
        { "\"part\":7", "part is 7, not an object" },
        { "\"ref\":7", "ref is 7, not an object" },
        { "\"list\":{}", "list is an object, not a list" },
        { "\"list\":[7]", "list[0] is 7, not an object" },
        { "\"list\":[{},{},{}]", "list is a list of 3, not" },
        { "\"list\":[]", NULL },
        { "\"strings\":7", "strings is 7, not a list" },
        { "\"strings\":[7]", "strings[0] is 7, not a string" },
        { "\"strings\":[\"a\",\"b\",\"c\"]", "strings is a list of 3, not" },
        { "\"shown\":7", NULL },
        { "\"other\":7", NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Thing thing = { 0 };
        char text[256], reason[160];
        int r;

        (void)snprintf(text, sizeof(text), "{\"schema\":\"" SCHEMA "\",%s}", rows[i].member);
        r = codec_read_document(text, strlen(text), SCHEMA, members, &thing, reason, sizeof(reason));
        if (r != (rows[i].reason ? -EINVAL : 0) ||
            (rows[i].reason && !text_starts_with(reason, rows[i].reason)))
            fail_msg("%s: %d, %s", rows[i].member, r, reason);
        codec_done(members, &thing);
    }
}

static void over_its_ceiling_nothing_is_written(void **state _unused_) {
    const Thing all = full();
    char *text = NULL;
    size_t len, whole;

    assert_int_equal(codec_write_document(SCHEMA, members, &all, ROOM, &text, &whole), 0);
    free(text);
    text = NULL;
    for (size_t max = 1; max < whole; max++) {
        assert_int_equal(codec_write_document(SCHEMA, members, &all, max, &text, &len), -E2BIG);
        assert_null(text);
    }
}

/* Fails each allocation in turn; run gives 0 or an error. */
static void fail_each(int (*run)(void), int other) {
    bool failed = true;

    for (unsigned once = 0; once < 2; once++, failed = true)
        for (unsigned n = 0; failed; n++) {
            int r;

            assert_true(n < 2000);
            (once ? alloc_fail_once : alloc_fail_after)(n);
            r = run();
            failed = alloc_fail_end();
            assert_true(failed ? r == -ENOMEM || r == other : r == other);
        }
}

static int run_document(void) {
    const Thing all = full();
    char *text = NULL;
    size_t len;
    int r = codec_write_document(SCHEMA, members, &all, ROOM, &text, &len);

    assert_true((r == 0) == (text != NULL));
    free(text);
    return r;
}

static int run_tree(void) {
    static Part many[9]; /* more than an array of jansson's has room for at first */
    Thing all = full();
    json_t *root = NULL;
    int r;

    all.list = many;
    all.n_list = ARRAY_SIZE(many);
    r = codec_write(whole_members, &all, &root);
    assert_true((r == 0) == (root != NULL));
    json_decref(root);
    return r;
}

static int run_read_of(const char *text) {
    Thing thing = { 0 };
    char reason[160];
    int r = codec_read_document(text, strlen(text), SCHEMA, members, &thing, reason, sizeof(reason));

    if (r == 0)
        codec_done(members, &thing);
    assert_null(thing.ref); /* after an error there is nothing to free */
    return r;
}

static int run_read(void) {
    static const char text[] =
            "{\"schema\":\"" SCHEMA "\",\"string\":\"a\",\"part\":{\"s\":\"b\"},\"ref\":{\"s\":"
            "\"c\"},\"list\":[{\"n\":1},{\"s\":\"d\"}],\"strings\":[\"e\",\"f\"]}";

    return run_read_of(text);
}

static int run_refuse(void) {
    return run_read_of("{\"schema\":\"" SCHEMA "\",\"bits\":[\"Colour\"]}");
}

static void without_memory_it_says_so(void **state _unused_) {
    fail_each(run_document, 0);
    fail_each(run_tree, 0);
    fail_each(run_read, 0);
    fail_each(run_refuse, -EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_written_where_they_are_wanted),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_not_wanted_is_named),
        cmocka_unit_test(over_its_ceiling_nothing_is_written),
        cmocka_unit_test(without_memory_it_says_so),
    };

    return cmocka_run_group_tests_name("codec_table", tests, NULL, NULL);
}
