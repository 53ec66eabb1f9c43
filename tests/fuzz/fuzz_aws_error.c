/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an error answer. The first byte picks the protocol and the status, the rest is the body and,
 * up to its first NUL, the error type header too. What comes out fits on one line of a terminal and never
 * quotes a request. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/aws_error.h"
#include "lib/util/macros.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *s, size_t size) {
    if (strnlen(s, size) == size)
        abort();
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            abort();
}

static void check_denied(const AwsError *e) {
    char action[AWS_ACTION_MAX], resource[AWS_RESOURCE_MAX];

    memset(action, 0xa5, sizeof(action));
    memset(resource, 0xa5, sizeof(resource));
    if (!aws_error_denied_action(e, action, resource))
        return;
    check_line(action, sizeof(action));
    check_line(resource, sizeof(resource));
    if (e->class != AWS_DENIED || !strchr(action, ':') || strpbrk(action, " \"") || strchr(resource, ' '))
        abort();
}

/* At every size; and the id that it ends with is the error's own. */
static void check_text(const AwsError *e, size_t size) {
    char text[1024], id[AWS_REQUEST_ID_MAX];

    (void)aws_error_text(e, "Operation", text, size);
    check_line(text, size);
    (void)aws_error_text(e, "Operation", text, sizeof(text));
    check_line(text, sizeof(text));
    (void)aws_error_text_id(text, id);
    if (e->request_id[0] && strcmp(id, e->request_id) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int statuses[] = { 200, 301, 400, 403, 404, 429, 500, 503 };
    unsigned pick = size > 0 ? data[0] : 0;
    char *body;
    AwsError e;

    if (size > 0)
        data++, size--;
    body = malloc(size + 1);
    if (!body)
        abort();
    if (size > 0)
        memcpy(body, data, size);
    body[size] = '\0';

    {
        const HttpHeader headers[] = {
            { "content-type", pick & 64 ? "text/html" : "text/plain" },
            { "x-amzn-ErrorType", body },
            { "x-amzn-RequestId", body },
        };
        const HttpResponse response = {
            .result = HTTP_ANSWERED,
            .status = statuses[pick & 7],
            .body = body,
            .body_len = size,
            .headers = headers,
            .n_headers = pick & 16 ? ARRAY_SIZE(headers) : 1,
            .error = "",
        };

        memset(&e, 0xa5, sizeof(e));
        aws_error_from_response(&response, pick & 8 ? AWS_PROTOCOL_QUERY : AWS_PROTOCOL_JSON, &e);
    }
    check_line(e.code, sizeof(e.code));
    check_line(e.message, sizeof(e.message));
    check_line(e.request_id, sizeof(e.request_id));
    check_text(&e, 1 + pick);
    if ((e.class == AWS_OK) != (statuses[pick & 7] == 200) || (unsigned)e.class >= _AWS_ERROR_CLASS_MAX)
        abort();
    if (e.class != AWS_OK && e.message[0] == '\0')
        abort();
    if (strcasestr(e.message, "x-amz-security-token") || strcasestr(e.message, "aws4-hmac-sha256"))
        abort();
    check_denied(&e);
    free(body);
    return 0;
}
