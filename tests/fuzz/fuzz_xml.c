/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an XML answer: either refused with no field set, or fields within their ceiling. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    XmlField fields[] = {
        { .path = "PublishResponse/PublishResult/MessageId" },
        { .path = "GetCallerIdentityResponse/GetCallerIdentityResult/Arn" },
        { .path = "*/Error/Code" },
        { .path = "*/RequestId" },
        { .path = "*/x" },
        { .path = "x" },
    };
    int r;

    r = xml_read((const char *)data, size, fields, ARRAY_SIZE(fields));
    if (r != 0 && r != -EBADMSG)
        abort();
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        size_t n = fields[i].text ? strlen(fields[i].text) : 0;

        if (r < 0 ? fields[i].text != NULL : n > XML_TEXT_MAX)
            abort();
        if (n > 0 && (strchr(" \t\r\n", fields[i].text[0]) || strchr(" \t\r\n", fields[i].text[n - 1])))
            abort();
    }
    if (fields[5].text && !fields[4].text) /* a root <x> is an <x> at any depth */
        abort();
    xml_fields_done(fields, ARRAY_SIZE(fields));
    return 0;
}
