/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the answer of a web service that got a message: the status in the first two bytes, then the
 * values of two headers and the body, each header ended by a line break. No part of the secret comes back in
 * the receipt, and no control character does. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/channel.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define NOW_USEC (1795428131ULL * USEC_PER_SEC)
#define SECRET   "hunter2-hunter2"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

/* The text up to the next line break becomes a value; what is behind it is the rest. */
static char *take_line(char **rest) {
    char *line = *rest, *end = strchr(line, '\n');

    *rest = end ? end + 1 : line + strlen(line);
    if (end)
        *end = '\0';
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    HttpHeader headers[2] = { { "X-Request-Id", NULL }, { "Retry-After", NULL } };
    HttpResponse response = { .result = HTTP_ANSWERED, .headers = headers, .n_headers = 2, .error = "" };
    Receipt receipt;
    char *text, *rest;

    if (size < 2)
        return 0;
    response.status = 100 + (data[0] * 256 + data[1]) % 500;
    text = malloc(size - 1); /* strndup: ASan's looks at the byte behind the last */
    check(text != NULL);
    memcpy(text, data + 2, size - 2);
    text[size - 2] = '\0';
    rest = text;
    headers[0].value = take_line(&rest);
    headers[1].value = take_line(&rest);
    response.body = rest;
    response.body_len = strlen(rest);

    channel_http_receipt(&response, SECRET, NOW_USEC, &receipt);
    check((unsigned)receipt.kind < _RECEIPT_MAX);
    check((receipt.kind == RECEIPT_DELIVERED) == (response.status / 100 == 2));
    check(strnlen(receipt.text, sizeof(receipt.text)) < sizeof(receipt.text) && receipt.text[0]);
    check(strstr(headers[0].value, SECRET) || !strstr(receipt.text, SECRET));
    check(receipt.retry_after_usec == 0 || receipt.kind == RECEIPT_RETRY);
    free(text);
    return 0;
}
