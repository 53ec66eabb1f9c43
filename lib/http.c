/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/http.h"

#include <stdio.h>
#include <strings.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

const char *http_header(const HttpResponse *response, const char *name) {
    for (size_t i = 0; i < response->n_headers; i++)
        if (strcasecmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    return NULL;
}

const char *http_coding_fault(const HttpResponse *response, char dst[static HTTP_CODING_MAX]) {
    const char *coding = http_header(response, "content-encoding");
    char shown[24];

    dst[0] = '\0';
    if (coding && coding[0] && strcasecmp(coding, "identity") != 0 && response->body_len > 0)
        (void)snprintf(dst, HTTP_CODING_MAX, "it comes with Content-Encoding %s, which was not requested",
                       text_escaped(shown, sizeof(shown), coding));
    return dst;
}

const char *http_result_to_string(HttpResult result) {
    static const char *const names[_HTTP_RESULT_MAX] = {
        [HTTP_ANSWERED] = "answered",
        [HTTP_RESOLVE_FAILED] = "name not found",
        [HTTP_CONNECT_FAILED] = "cannot connect",
        [HTTP_TLS_FAILED] = "TLS failed",
        [HTTP_TIMED_OUT] = "timed out",
        [HTTP_BROKEN] = "connection lost",
        [HTTP_TOO_BIG] = "answer too big",
        [HTTP_MALFORMED] = "not a valid HTTP exchange",
        [HTTP_INTERNAL] = "internal error",
    };

    if ((size_t)result >= ARRAY_SIZE(names))
        return "unknown result";
    return names[result];
}
