/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/xml.h"

#include <errno.h>
#include <expat.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

#define PATH_MAX_BYTES 4096
#define SPACE " \t\r\n"

/* One field while its element is being read. */
typedef struct Capture {
    unsigned depth; /* of the element, the root being 1; 0 before and after */
    bool found;
    StrBuf text;
} Capture;

typedef struct Reader {
    XML_Parser parser;
    XmlField *fields;
    Capture *captures; /* one for each field */
    size_t n_fields;
    XmlVisit visit; /* NULL when fields are read */
    void *userdata;
    StrBuf leaf;                   /* text of the innermost element, when visiting */
    bool in_leaf;                  /* it has no element inside so far */
    StrBuf path;                   /* "a/b/c" of the open elements */
    size_t parents[XML_DEPTH_MAX]; /* length of the path without the element of that depth */
    unsigned depth;
    int error;
} Reader;

static void stop(Reader *reader, int error) {
    if (reader->error == 0)
        reader->error = error;
    (void) XML_StopParser(reader->parser, XML_FALSE);
}

/* A text past its ceiling is a bad document. */
static int sort_error(int r) {
    return r == -E2BIG ? -EBADMSG : r;
}

static bool path_matches(const char *path, const char *wanted) {
    if (!text_starts_with(wanted, "*/"))
        return text_equal(path, wanted);
    return text_ends_with(path, wanted + strlen("*")) || text_equal(path, wanted + strlen("*/"));
}

static int enter(Reader *reader, const char *name) {
    const char *colon = strrchr(name, ':');

    if (reader->depth == XML_DEPTH_MAX)
        return -EBADMSG;

    reader->parents[reader->depth++] = reader->path.len;
    if (reader->path.len > 0)
        (void) strbuf_add_char(&reader->path, '/');
    return sort_error(strbuf_add(&reader->path, colon ? colon + 1 : name));
}

static void XMLCALL on_start(void *userdata, const XML_Char *name, const XML_Char **attributes _unused_) {
    Reader *reader = userdata;
    int r;

    if (reader->error < 0) /* expat may finish what it is at before it stops */
        return;
    r = enter(reader, name);
    if (r < 0) {
        stop(reader, r);
        return;
    }

    reader->in_leaf = true;
    strbuf_truncate(&reader->leaf, 0);
    for (size_t i = 0; i < reader->n_fields; i++) {
        Capture *capture = &reader->captures[i];

        if (!capture->found && path_matches(strbuf_str(&reader->path), reader->fields[i].path)) {
            capture->found = true;
            capture->depth = reader->depth;
        }
    }
}

static void XMLCALL on_text(void *userdata, const XML_Char *text, int len) {
    Reader *reader = userdata;

    if (reader->visit && reader->in_leaf && reader->error == 0 &&
        strbuf_add_mem(&reader->leaf, text, (size_t)len) < 0)
        stop(reader, sort_error(strbuf_error(&reader->leaf)));
    for (size_t i = 0; reader->error == 0 && i < reader->n_fields; i++) {
        Capture *capture = &reader->captures[i];
        int r;

        if (capture->depth != reader->depth)
            continue;
        r = strbuf_add_mem(&capture->text, text, (size_t)len);
        if (r < 0)
            stop(reader, r);
    }
}

static void xml_trim(StrBuf *b) {
    size_t lead = strspn(strbuf_str(b), SPACE);

    while (b->len > lead && strchr(SPACE, b->data[b->len - 1]))
        strbuf_truncate(b, b->len - 1);
    if (lead > 0) {
        memmove(b->data, b->data + lead, b->len - lead);
        strbuf_truncate(b, b->len - lead);
    }
}

static void visit_element(Reader *reader) {
    int r;

    if (reader->in_leaf)
        xml_trim(&reader->leaf);
    r = reader->visit(strbuf_str(&reader->path), reader->in_leaf ? strbuf_str(&reader->leaf) : "",
                      reader->userdata);
    reader->in_leaf = false;
    if (r < 0)
        stop(reader, r);
}

static void XMLCALL on_end(void *userdata, const XML_Char *name _unused_) {
    Reader *reader = userdata;

    if (reader->error < 0)
        return;
    if (reader->visit)
        visit_element(reader);
    for (size_t i = 0; i < reader->n_fields; i++)
        if (reader->captures[i].depth == reader->depth)
            reader->captures[i].depth = 0;
    strbuf_truncate(&reader->path, reader->parents[--reader->depth]);
}

static void XMLCALL on_doctype(void *userdata, const XML_Char *name _unused_,
                               const XML_Char *system _unused_, const XML_Char *public _unused_,
                               int has_internal _unused_) {
    stop(userdata, -EBADMSG);
}

static int xml_parse(Reader *reader, const char *text, size_t len) {
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);

    if (XML_Parse(reader->parser, text, (int)len, XML_TRUE) == XML_STATUS_OK)
        return 0;
    if (reader->visit && reader->error < 0)
        return reader->error;
    if (reader->error == -ENOMEM || XML_GetErrorCode(reader->parser) == XML_ERROR_NO_MEMORY)
        return -ENOMEM;
    return -EBADMSG;
}

static int settle(Reader *reader) {
    for (size_t i = 0; i < reader->n_fields; i++) {
        int r;

        if (!reader->captures[i].found)
            continue;
        xml_trim(&reader->captures[i].text);
        r = strbuf_take(&reader->captures[i].text, &reader->fields[i].text);
        if (r < 0)
            return r;
    }
    return 0;
}

/* All that xml_read() holds while it runs. */
static int reader_init(Reader *reader, XmlField *fields, size_t n_fields) {
    *reader = (Reader){
        .fields = fields,
        .n_fields = n_fields,
        .path = STRBUF_INIT(PATH_MAX_BYTES),
        .leaf = STRBUF_INIT(XML_TEXT_MAX),
    };

    reader->parser = XML_ParserCreate(NULL);
    reader->captures = calloc(MAX(n_fields, (size_t)1), sizeof(Capture));
    if (!reader->parser || !reader->captures)
        return -ENOMEM;

    for (size_t i = 0; i < n_fields; i++) {
        reader->captures[i].text = STRBUF_INIT(XML_TEXT_MAX);
        reader->captures[i].text.wipe = true;
    }
    return 0;
}

static void reader_done(Reader *reader) {
    if (reader->parser)
        XML_ParserFree(reader->parser);
    for (size_t i = 0; reader->captures && i < reader->n_fields; i++)
        strbuf_done(&reader->captures[i].text);
    free(reader->captures);
    strbuf_done(&reader->leaf);
    strbuf_done(&reader->path);
}

int xml_read(const char *text, size_t len, XmlField *fields, size_t n_fields) {
    _cleanup_(reader_done) Reader reader;
    int r;

    for (size_t i = 0; i < n_fields; i++)
        fields[i].text = NULL;

    r = reader_init(&reader, fields, n_fields);
    if (r >= 0)
        r = len > INT_MAX ? -EBADMSG : xml_parse(&reader, text, len);
    if (r >= 0)
        r = settle(&reader);
    if (r < 0)
        xml_fields_done(fields, n_fields);
    return r;
}

int xml_walk(const char *text, size_t len, XmlVisit visit, void *userdata) {
    _cleanup_(reader_done) Reader reader;
    int r;

    r = reader_init(&reader, NULL, 0);
    reader.visit = visit;
    reader.userdata = userdata;
    if (r >= 0)
        r = len > INT_MAX ? -EBADMSG : xml_parse(&reader, text, len);
    return r;
}

void xml_fields_done(XmlField *fields, size_t n_fields) {
    for (size_t i = 0; i < n_fields; i++) {
        if (fields[i].text)
            hash_wipe(fields[i].text, strlen(fields[i].text));
        free(fields[i].text);
        fields[i].text = NULL;
    }
}
