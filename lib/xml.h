/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Fields out of the small XML answers of AWS's Query protocol and of S3, by expat. Pure. DTDs and entities
 * beyond XML's own five are refused. */

#include <stddef.h>

#define XML_DEPTH_MAX 32
#define XML_TEXT_MAX (64 * 1024)

typedef struct XmlField {
    const char *path;   /* in: "PublishResponse/PublishResult/MessageId" from the root, name space prefixes
                         * left out; or with "*" in front, as in "*" + "/Error/Code": at any depth, the root
                         * included */
    char *text;         /* out: first match's own text, trimmed, caller frees; NULL when absent */
} XmlField;

/* Fills the fields. 0, -EBADMSG when the text is not well-formed or passes a ceiling (no field is set then),
 * -ENOMEM. Whatever was in `text` before is overwritten, not freed. */
int xml_read(const char *text, size_t len, XmlField *fields, size_t n_fields);

/* Called at the end of each element, inner ones first, with its path from the root as in XmlField and its
 * own text, trimmed; "" for an element that holds others. Both are valid inside the call only. Less than 0
 * ends the walk with that error. */
typedef int (*XmlVisit)(const char *path, const char *text, void *userdata);

/* Goes through all elements, for documents that hold lists. 0, -EBADMSG as above, -ENOMEM, or what visit
 * returned. */
int xml_walk(const char *text, size_t len, XmlVisit visit, void *userdata);

/* Frees and wipes all texts. */
void xml_fields_done(XmlField *fields, size_t n_fields);
