/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc */
/* Sets of selectors that are large, intricate, of a form that is not understood, or read without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/core/settings.h"
#include "daemon/core/selectors.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/selector_texts.h"

/* n selectors, each of one table, or one selector of all. */
static char *tables_text(unsigned n, bool split) {
    StrBuf b = STRBUF_INIT(4 << 20);
    char *text;

    (void)strbuf_add(&b, "{\"AdvancedEventSelectors\":[");
    for (unsigned i = 0; i < n; i++) {
        if (i == 0 || split)
            (void)strbuf_addf(&b,
                              "%s{\"FieldSelectors\":[{\"Field\":\"eventCategory\",\"Equals\":[\"Data\"]},"
                              "{\"Field\":\"resources.ARN\",\"Equals\":[",
                              i == 0 ? "" : "]}]},");
        (void)strbuf_addf(&b, "%s\"arn:aws:dynamodb:eu-west-1:111122223333:table/%u\"",
                          i > 0 && !split ? "," : "", i);
    }
    (void)strbuf_add(&b, "]}]}]}");
    assert_int_equal(strbuf_take(&b, &text), 0);
    return text;
}

static void as_many_as_aws_allows_are_judged(void **state _unused_) {
    _cleanup_free_ char *one = tables_text(250, false), *many = tables_text(250, true),
                        *less = tables_text(249, true);
    SelectorsVerdict verdict;

    assert_int_equal(selectors_compare(one, many, &verdict), 0);
    assert_false(verdict.differs);
    assert_int_equal(selectors_compare(many, one, &verdict), 0);
    assert_false(verdict.differs);
    assert_int_equal(selectors_compare(one, less, &verdict), 0);
    assert_true(verdict.loses);
    assert_int_equal(selectors_compare(less, one, &verdict), 0);
    assert_true(verdict.differs && !verdict.loses);
}

static void what_has_another_form_is_not_understood(void **state _unused_) {
    static const char *const sets[] = {
        "[]",
        "{'EventSelectors':1}",
        "{'AdvancedEventSelectors':{}}",
        "{'EventSelectors':[],'Surprise':[]}",
        BASIC("1"),
        BASIC("{'ReadWriteType':1}"),
        BASIC("{'ReadWriteType':'Other'}"),
        BASIC("{'IncludeManagementEvents':1}"),
        BASIC("{'ExcludeManagementEventSources':1}"),
        BASIC("{'ExcludeManagementEventSources':[1]}"),
        BASIC("{'DataResources':1}"),
        BASIC("{'DataResources':[1]}"),
        BASIC("{'DataResources':[{}]}"),
        BASIC("{'DataResources':[{'Type':1,'Values':[]}]}"),
        BASIC("{'DataResources':[{'Type':'AWS::New::Kind','Values':[]}]}"),
        BASIC("{'DataResources':[{'Type':'AWS::S3::Object','Values':1}]}"),
        BASIC("{'DataResources':[{'Type':'AWS::S3::Object','Values':[1]}]}"),
        BASIC("{'DataResources':[{'Type':'AWS::S3::Object','Values':['arn:aws:s3',1]}]}"),
        BASIC("{'DataResources':[{'Type':'AWS::S3::Object','Values':['arn:aws:s3:::x/'],'New':['x']}]}"),
        ADVANCED("1"),
        ADVANCED("{}"),
        ADVANCED("{'FieldSelectors':1}"),
        ADVANCED("{'Name':1,'FieldSelectors':[]}"),
        ADVANCED("{'New':['x'],'FieldSelectors':[{" MANAGEMENT "}]}"),
        FIELDS_OF("1"),
        FIELDS_OF("{}"),
        FIELDS_OF("{'Field':1,'Equals':['x']}"),
        FIELDS_OF("{'Field':'eventCategory','Equals':'Management'}"),
        FIELDS_OF("{'Field':'eventCategory','Equals':[1]}"),
        FIELDS_OF("{'Field':'eventCategory','Resembles':['Management']}"),
        FIELDS_OF("{'Field':'eventCategory','Equals':['\\u0000']}"),
    };

    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        _cleanup_free_ char *text = json_of(sets[i]), *everything = json_of(EVERYTHING);
        SelectorsManagement management;
        SelectorsVerdict verdict;

        if (selectors_management(text, &management) != -EINVAL)
            fail_msg("understood: %s", sets[i]);
        assert_int_equal(selectors_compare(everything, text, &verdict), 0);
        assert_true(verdict.differs && verdict.loses);
    }
}

#define FIELDS_BEGIN                                                                                        \
    "{\"AdvancedEventSelectors\":[{\"FieldSelectors\":["                                                    \
    "{\"Field\":\"eventCategory\",\"Equals\":[\"Management\"]}"

static void too_much_is_not_understood(void **state _unused_) {
    _cleanup_free_ char *many = tables_text(5000, false), *other = tables_text(5000 - 1, false);
    SelectorsVerdict verdict;
    SelectorsManagement management;

    assert_int_equal(selectors_management(many, &management), -EINVAL);
    assert_int_equal(selectors_compare(many, many, &verdict), 0);
    assert_false(verdict.differs);
    assert_int_equal(selectors_compare(many, other, &verdict), 0);
    assert_true(verdict.loses);
}

/* Of the same set, with spaces behind it. */
static void what_is_too_long_is_not_understood(void **state _unused_) {
    _cleanup_free_ char *everything = json_of(EVERYTHING), *longer = malloc(CANONICAL_SIZE_MAX + 2);
    SelectorsVerdict verdict;

    assert_non_null(longer);
    for (unsigned over = 0; over < 2; over++) {
        memset(longer, ' ', CANONICAL_SIZE_MAX + 1);
        memcpy(longer, everything, strlen(everything));
        longer[CANONICAL_SIZE_MAX + over] = '\0';
        assert_int_equal(selectors_compare(everything, longer, &verdict), 0);
        assert_int_equal(verdict.loses, over);
        assert_int_equal(verdict.differs, over);
    }
}

/* Each of n fields with the one value that it must have; AWS knows a dozen fields. */
static void too_many_fields_are_not_understood(void **state _unused_) {
    for (unsigned n = 15; n <= 16; n++) { /* and the category */
        _cleanup_strbuf_ StrBuf b = STRBUF_INIT(1 << 16);
        _cleanup_free_ char *text = NULL, *turned = NULL;
        SelectorsVerdict verdict;

        (void)strbuf_add(&b, FIELDS_BEGIN);
        for (unsigned i = 0; i < n; i++)
            (void)strbuf_addf(&b, ",{\"Field\":\"f%u\",\"Equals\":[\"a\",\"b\"]}", i);
        (void)strbuf_add(&b, "]}]}");
        assert_int_equal(strbuf_take(&b, &text), 0);
        (void)strbuf_add(&b, FIELDS_BEGIN);
        for (unsigned i = n; i-- > 0;)
            (void)strbuf_addf(&b, ",{\"Field\":\"f%u\",\"Equals\":[\"b\",\"a\",\"%u\"]}", i, i % 2);
        (void)strbuf_add(&b, "]}]}");
        assert_int_equal(strbuf_take(&b, &turned), 0);
        assert_int_equal(selectors_compare(text, turned, &verdict), 0);
        assert_true(verdict.differs);
        assert_int_equal(verdict.loses, n > 15);
    }
}

/* 100 beginnings with 100 ends are 10000 kinds of values. */
static void too_many_values_are_not_understood(void **state _unused_) {
    for (unsigned n = 50; n <= 100; n += 50) {
        _cleanup_strbuf_ StrBuf b = STRBUF_INIT(1 << 16);
        _cleanup_free_ char *text = NULL, *everything = json_of(ADVANCED(FIELDS(MANAGEMENT)));
        SelectorsVerdict verdict;

        (void)strbuf_add(&b, FIELDS_BEGIN ",{\"Field\":\"eventName\",\"StartsWith\":[\"\"");
        for (unsigned i = 0; i < n; i++)
            (void)strbuf_addf(&b, ",\"a%u\"", i);
        (void)strbuf_add(&b, "],\"EndsWith\":[\"\"");
        for (unsigned i = 0; i < n; i++)
            (void)strbuf_addf(&b, ",\"z%u\"", i);
        (void)strbuf_add(&b, "]}]}]}");
        assert_int_equal(strbuf_take(&b, &text), 0);
        assert_int_equal(selectors_compare(everything, text, &verdict), 0);
        assert_int_equal(verdict.loses, n == 100); /* in truth it takes all */
    }
}

/* A set that cuts the world into pieces, each into pieces again. In truth nothing is lost (of 40 values
 * twelve fields cannot hold more than twelve); what cannot be told in time is a loss. */
static void too_intricate_is_a_loss(void **state _unused_) {
    StrBuf b = STRBUF_INIT(1 << 20);
    _cleanup_free_ char *text = NULL, *everything = json_of(ADVANCED(FIELDS(MANAGEMENT)));
    SelectorsVerdict verdict;

    (void)strbuf_add(&b, "{\"AdvancedEventSelectors\":[");
    for (unsigned i = 0; i < 40; i++) {
        (void)strbuf_addf(&b,
                          "%s{\"FieldSelectors\":[{\"Field\":\"eventCategory\",\"Equals\":[\"Management\"]}",
                          i == 0 ? "" : ",");
        for (unsigned k = 0; k < 12; k++)
            (void)strbuf_addf(&b, ",{\"Field\":\"f%u\",\"NotEquals\":[\"v%u\"]}", k, i);
        (void)strbuf_add(&b, "]}");
    }
    (void)strbuf_add(&b, "]}");
    assert_int_equal(strbuf_take(&b, &text), 0);
    assert_int_equal(selectors_compare(everything, text, &verdict), 0);
    assert_true(verdict.differs && verdict.loses);
    assert_int_equal(selectors_compare(text, text, &verdict), 0);
    assert_false(verdict.differs);
}

static void without_memory_nothing_is_said(void **state _unused_) {
    _cleanup_free_ char *a = json_of(WITH_S3), *b = json_of(WITH_DATA),
                        *odd = json_of(BASIC("{'New':[2,1]}")),
                        *five = json_of(BASIC(FIVE("{'IncludeManagementEvents':false,"
                                                   "'DataResources':[" DATA_OF("a") "]}")));
    unsigned n;

    for (n = 0;; n++) {
        SelectorsVerdict verdict = { 0 }, strange = { 0 };
        SelectorsManagement management = SELECTORS_NONE;
        bool covers = false;
        char *made = NULL, *with_data = NULL, *with_five = NULL;
        int r[7];

        alloc_fail_after(n);
        r[0] = selectors_compare(a, b, &verdict);
        r[1] = selectors_compare(odd, a, &strange);
        r[2] = selectors_management(a, &management);
        r[3] = selectors_cover_management(b, MANAGEMENT_WRITE, &covers);
        r[4] = selectors_add_management(b, &made);
        r[5] = selectors_add_management(a, &with_data);
        r[6] = selectors_add_management(five, &with_five);
        if (!alloc_fail_end()) {
            for (size_t i = 0; i < ARRAY_SIZE(r); i++)
                assert_int_equal(r[i], 0);
            assert_true(verdict.loses && strange.loses && covers && made && with_data && with_five);
            free(made);
            free(with_data);
            free(with_five);
            break;
        }
        for (size_t i = 0; i < ARRAY_SIZE(r); i++)
            assert_true(r[i] == 0 || r[i] == -ENOMEM);
        assert_true(r[0] == 0 || (!verdict.differs && !verdict.loses));
        assert_true((r[4] == 0 || !made) && (r[5] == 0 || !with_data) && (r[6] == 0 || !with_five));
        free(made);
        free(with_data);
        free(with_five);
    }
    assert_true(n > 20);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_aws_allows_are_judged),
        cmocka_unit_test(what_has_another_form_is_not_understood),
        cmocka_unit_test(too_much_is_not_understood),
        cmocka_unit_test(what_is_too_long_is_not_understood),
        cmocka_unit_test(too_many_fields_are_not_understood),
        cmocka_unit_test(too_many_values_are_not_understood),
        cmocka_unit_test(too_intricate_is_a_loss),
        cmocka_unit_test(without_memory_nothing_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
