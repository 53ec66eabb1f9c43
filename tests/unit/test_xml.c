/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc,--wrap=free */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "lib/util/strbuf.h"
#include "lib/xml.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/between.h"
#include "tests/unit/free_poll.h"

static const char publish[] = "<?xml version=\"1.0\"?>\n"
                              "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\n"
                              "  <PublishResult>\n"
                              "    <MessageId> 94f20ce6-13c5-43a0-9a9e-ca52d816e90b\n</MessageId>\n"
                              "  </PublishResult>\n"
                              "  <ResponseMetadata>"
                              "<RequestId>f187a3c1-376f-11df-8963-01868b7c937a</RequestId>"
                              "</ResponseMetadata>\n"
                              "</PublishResponse>\n";

static void reads_fields(void **state _unused_) {
    XmlField fields[] = {
        { .path = "PublishResponse/PublishResult/MessageId" },
        { .path = "*/RequestId" },
        { .path = "*/ResponseMetadata/RequestId" },
        { .path = "*/PublishResponse" },
        { .path = "PublishResult/MessageId" }, /* not from the root */
        { .path = "*/d" },                     /* not a whole name */
        { .path = "PublishResponse/PublishResult" },
        { .path = "" },
    };
    static const char *const expected[] = {
        "94f20ce6-13c5-43a0-9a9e-ca52d816e90b",
        "f187a3c1-376f-11df-8963-01868b7c937a",
        "f187a3c1-376f-11df-8963-01868b7c937a",
        "",
        NULL,
        NULL,
        "",
        NULL,
    };

    assert_int_equal(xml_read(publish, strlen(publish), fields, ARRAY_SIZE(fields)), 0);
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (expected[i]) {
            assert_non_null(fields[i].text);
            assert_string_equal(fields[i].text, expected[i]);
        } else
            assert_null(fields[i].text);
    xml_fields_done(fields, ARRAY_SIZE(fields));
    assert_null(fields[0].text);
    xml_fields_done(fields, ARRAY_SIZE(fields));
}

/* What a document says at "*" + "/x", or NULL when it is refused. */
static void assert_x(const char *document, size_t len, const char *expected) {
    XmlField field = { .path = "*/x", .text = (char *)"left over" };
    int r;

    r = xml_read(document, len, &field, 1);
    assert_int_equal(r, expected ? 0 : -EBADMSG);
    if (expected) {
        assert_non_null(field.text);
        assert_string_equal(field.text, expected);
    } else
        assert_null(field.text);
    xml_fields_done(&field, 1);
}

static void reads_text_as_meant(void **state _unused_) {
    static const struct {
        const char *document, *text;
    } cases[] = {
        { "<x>a</x>", "a" },
        { "<r><x>a</x><x>b</x></r>", "a" },
        { "<r><y><x>a</x></y><x>b</x></r>", "a" },
        { "<r><x/><x>b</x></r>", "" },
        { "<x> \t\r\n a b \n</x>", "a b" },
        { "<x> \n </x>", "" },
        { "<x>&lt;&gt;&amp;&quot;&apos;&#65;&#xe9;</x>", "<>&\"'A\xc3\xa9" },
        { "<x><![CDATA[<y>&amp;]]></x>", "<y>&amp;" },
        { "<x>a<y>b</y>c</x>", "ac" }, /* own text only */
        { "<x>a<x>b</x>c</x>", "ac" },
        { "<x>a<!-- c -->b<?p q?>c</x>", "abc" },
        { "<n:r xmlns:n=\"u\"><n:x>a</n:x></n:r>", "a" },
        { "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><x>\xe9</x>", "\xc3\xa9" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_x(cases[i].document, strlen(cases[i].document), cases[i].text);
}

static void refuses(void **state _unused_) {
    static const char *const bad[] = {
        "",
        " ",
        "text",
        "{\"x\":1}",
        "<x>",
        "<x>a</y>",
        "<r><x>a</x>",
        "<x>a</x><x>b</x>",
        "<x>a</x>trailing",
        "<x>&nbsp;</x>",
        "<x>&#0;</x>",
        "<x>\xff</x>",
        "<!DOCTYPE x><x>a</x>",
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><x>a</x>",
        "<!DOCTYPE x [<!ENTITY e \"eeee\">]><x>&e;</x>",
        "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\"><!ENTITY c \"&b;&b;\">]><x>&c;</x>",
        "<html><body><p>Service Unavailable<br></body></html>",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_x(bad[i], strlen(bad[i]), NULL);
    assert_x("<x>a\0b</x>", 10, NULL);
    for (size_t len = 0; len < strlen("<r><x>a</x></r>"); len++)
        assert_x("<r><x>a</x></r>", len, NULL);
}

static void depth_has_a_ceiling(void **state _unused_) {
    for (unsigned depth = XML_DEPTH_MAX - 1; depth <= XML_DEPTH_MAX + 1; depth++) {
        _cleanup_strbuf_ StrBuf b = STRBUF_INIT(10000);

        for (unsigned i = 1; i < depth; i++)
            strbuf_add(&b, "<r>");
        strbuf_add(&b, "<x>a</x>");
        for (unsigned i = 1; i < depth; i++)
            strbuf_add(&b, "</r>");
        assert_x(strbuf_str(&b), b.len, depth <= XML_DEPTH_MAX ? "a" : NULL);
    }
}

static void text_has_a_ceiling(void **state _unused_) {
    for (unsigned over = 0; over < 2; over++) {
        _cleanup_strbuf_ StrBuf b = STRBUF_INIT(200000), text = STRBUF_INIT(200000);

        for (unsigned i = 0; i < XML_TEXT_MAX + over; i++)
            strbuf_add_char(&text, 'a');
        strbuf_addf(&b, "<r><y>%s%s</y><x>%s</x></r>", strbuf_str(&text), strbuf_str(&text),
                    strbuf_str(&text));
        assert_x(strbuf_str(&b), b.len, over ? NULL : strbuf_str(&text));
    }
}

static void names_have_a_ceiling(void **state _unused_) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(200000), name = STRBUF_INIT(200000);

    for (unsigned i = 0; i < 5000; i++)
        strbuf_add_char(&name, 'n');
    strbuf_addf(&b, "<r><x>a</x><%s/></r>", strbuf_str(&name));
    assert_x(strbuf_str(&b), b.len, NULL);
}

/* Both with text when the end of the document turns out to be bad, or good. Expat's own buffers do not
 * count. */
static void texts_are_wiped(void **state _unused_) {
    static const char *const documents[] = { "<r><x>hunter2</x><y>hunter2</y></r>",
                                             "<r><x>hunter2</x><y>hunter2</y></x>" };

    for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
        XmlField fields[] = { { .path = "r/x" }, { .path = "r/y" } };

        free_watch_start("hunter2");
        assert_int_equal(xml_read(documents[i], strlen(documents[i]), fields, 2), i == 0 ? 0 : -EBADMSG);
        xml_fields_done(fields, 2);
        assert_true(free_watch_clean());
    }
}

static void out_of_memory(void **state _unused_) {
    bool failed = true;

    for (unsigned n = 0; failed; n++) {
        XmlField fields[] = { { .path = "*/MessageId" }, { .path = "*/RequestId" } };
        int r;

        assert_between(n, 0, 20);
        alloc_fail_after(n);
        r = xml_read(publish, strlen(publish), fields, ARRAY_SIZE(fields));
        failed = alloc_fail_end();
        assert_int_equal(r, failed ? -ENOMEM : 0);
        assert_int_equal(fields[0].text != NULL, !failed);
        assert_int_equal(fields[1].text != NULL, !failed);
        xml_fields_done(fields, ARRAY_SIZE(fields));
    }
}

/* ---- walks ---- */

static int note_element(const char *path, const char *text, void *userdata) {
    return strbuf_addf(userdata, "%s=%s;", path, text);
}

static int stop_at_b(const char *path, const char *text _unused_, void *userdata _unused_) {
    return strcmp(path, "a/b") == 0 ? -E2BIG : 0;
}

static void walks(void **state _unused_) {
    static const struct {
        const char *text, *elements; /* NULL: -EBADMSG */
    } cases[] = {
        { "<a/>", "a=;" },
        { "<n:a xmlns:n='x'> <b>1</b>\n<b> 2&amp;&#51; </b>left out</n:a>", "a/b=1;a/b=2&3;a=;" },
        { "<a>x<b><c/></b>y<d>z</d></a>", "a/b/c=;a/b=;a/d=z;a=;" },
        { "<a>", NULL },
        { "", NULL },
        { "<!DOCTYPE a []><a/>", NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_strbuf_ StrBuf found = STRBUF_INIT(1000);
        int r = xml_walk(cases[i].text, strlen(cases[i].text), note_element, &found);

        assert_int_equal(r, cases[i].elements ? 0 : -EBADMSG);
        if (cases[i].elements)
            assert_string_equal(strbuf_str(&found), cases[i].elements);
    }
}

static void walks_end_early(void **state _unused_) {
    static const char text[] = "<a><b/><c/></a>";
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(200000);

    assert_int_equal(xml_walk(text, strlen(text), stop_at_b, NULL), -E2BIG);
    /* A text past its ceiling is a bad document, whatever the visitor's own errors are. */
    strbuf_add(&b, "<a>");
    for (unsigned i = 0; i <= XML_TEXT_MAX; i++)
        strbuf_add_char(&b, 'x');
    strbuf_add(&b, "</a>");
    assert_int_equal(xml_walk(strbuf_str(&b), b.len, stop_at_b, NULL), -EBADMSG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_fields),
        cmocka_unit_test(reads_text_as_meant),
        cmocka_unit_test(refuses),
        cmocka_unit_test(depth_has_a_ceiling),
        cmocka_unit_test(text_has_a_ceiling),
        cmocka_unit_test(names_have_a_ceiling),
        cmocka_unit_test(texts_are_wiped),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(walks),
        cmocka_unit_test(walks_end_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
