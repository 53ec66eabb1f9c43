/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/channel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/endpoint.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define SECRET_MAX      4096
#define RETRY_AFTER_MAX UINT64_C(3600) /* seconds; a longer delay is cut to this */
#define QUOTE_MAX       120            /* bytes of an answer that may be shown */

void channel_cancel(ChannelSend *send) {
    if (send)
        send->cancel(send);
}

void channel_finish(ChannelSend *send, const Receipt *receipt) {
    send->sent(receipt, send->userdata);
    free(send);
}

void channel_finish_text(ChannelSend *send, ReceiptKind kind, const char *format, ...) {
    Receipt receipt = { .kind = kind };
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(receipt.text, sizeof(receipt.text), format, ap);
    va_end(ap);
    channel_finish(send, &receipt);
}

void channel_trouble_begins(const ChannelContext *context, uint64_t *ret_since_usec,
                            char ret_account[static 16]) {
    *ret_since_usec = loop_realtime_usec(context->loop);
    (void)text_copy(ret_account, 16, context->account ? context->account(context->userdata) : "");
}

/* ---- files ---- */

/* Resolves a bare name to systemd's credential if there is one, so that a verb run by root finds the same
 * file. */
static int open_secret(const char *file, char **ret, size_t *ret_len) {
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    _cleanup_free_ char *path = NULL;
    int r;

    if (strchr(file, '/'))
        return file_read(file, SECRET_MAX, ret, ret_len);
    if (directory && directory[0]) {
        path = file_join(directory, file);
        r = path ? file_read(path, SECRET_MAX, ret, ret_len) : -ENOMEM;
        if (r != -ENOENT)
            return r;
        free(path);
    }
    path = file_join(CONFIG_SECRETS_DIR, file);
    return path ? file_read(path, SECRET_MAX, ret, ret_len) : -ENOMEM;
}

static int _printf_(3, 4) refuse_channel(Receipt *receipt, int error, const char *format, ...) {
    va_list ap;

    *receipt = (Receipt){ .kind = RECEIPT_CHANNEL_REFUSED };
    va_start(ap, format);
    (void)vsnprintf(receipt->text, sizeof(receipt->text), format, ap);
    va_end(ap);
    return error;
}

static bool is_blank(char c) {
    return c && strchr(" \t\r\n", c);
}

/* Finds the single line of text in a file that an editor saved, perhaps with a byte order mark. Returns its
 * length, or 0: a file with control characters or a second line holds no key. */
static size_t find_line(const char *data, size_t len, const char **ret) {
    static const char mark[] = "\xef\xbb\xbf";
    const char *s = data, *end = data + len;

    if (len >= strlen(mark) && memcmp(s, mark, strlen(mark)) == 0)
        s += strlen(mark);
    while (s < end && is_blank(*s))
        s++;
    while (end > s && is_blank(end[-1]))
        end--;
    *ret = s;
    for (const char *c = s; c < end; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return 0;
    return (size_t)(end - s);
}

int channel_read_secret(const char *file, StrBuf *ret, Receipt *receipt) {
    const char *line;
    char *data = NULL;
    size_t len = 0, n;
    int r = open_secret(file, &data, &len);

    if (r == -E2BIG)
        return refuse_channel(receipt, r, "%s is larger than %d bytes", file, SECRET_MAX);
    if (r < 0)
        return refuse_channel(receipt, r, "%s cannot be read: %s", file,
                              r == -EINVAL ? "not a regular file" : file_strerror(r));
    n = find_line(data, len, &line);
    *ret = STRBUF_INIT(SECRET_MAX);
    ret->wipe = true;
    r = n == 0 ? -EINVAL : strbuf_add_mem(ret, line, n);
    file_free_secret(data, len);
    return r < 0 ? refuse_channel(receipt, r, "%s: allowed: one line of text", file) : 0;
}

int channel_read_url(const ChannelConfig *channel, const char *otherwise, StrBuf *ret, Receipt *receipt) {
    const char *url = channel->url ? channel->url : otherwise;
    int r;

    if (!channel->url_file) {
        *ret = STRBUF_INIT(SECRET_MAX);
        ret->wipe = true;
        r = url ? strbuf_add(ret, url) : -EINVAL;
        return r < 0 ? refuse_channel(receipt, r, "there is no URL") : 0;
    }
    r = channel_read_secret(channel->url_file, ret, receipt);
    if (r < 0 || endpoint_hook_is_valid(strbuf_str(ret)))
        return r;
    strbuf_done(ret);
    return refuse_channel(receipt, -EINVAL, "%s: allowed: %s", channel->url_file, ENDPOINT_HOOK_ALLOWED);
}

/* ---- answers ---- */

/* Classifies an HTTP status. A message is set aside only when the receiver says that the message is at
 * fault. */
static ReceiptKind kind_of_status(int status) {
    if (status >= 200 && status < 300)
        return RECEIPT_DELIVERED;
    if (status >= 500 || status == 408 || status == 425 || status == 429)
        return RECEIPT_RETRY;
    return status == 400 || status == 413 || status == 422 ? RECEIPT_MESSAGE_REFUSED
                                                           : RECEIPT_CHANNEL_REFUSED;
}

/* Parses seconds or a date (RFC 9110 section 10.2.3). */
static uint64_t retry_after_usec(const HttpResponse *response, uint64_t now_usec) {
    const char *text = http_header(response, "Retry-After");
    uint64_t at_usec, seconds;

    if (!text)
        return 0;
    if (text[strspn(text, "0123456789")] == '\0')
        seconds = strlen(text) > 6 ? RETRY_AFTER_MAX : strtoul(text, NULL, 10);
    else if (timetext_parse_http(text, &at_usec) < 0 || at_usec <= now_usec)
        seconds = 0;
    else
        seconds = (at_usec - now_usec) / USEC_PER_SEC + 1;
    return MIN(seconds, RETRY_AFTER_MAX) * USEC_PER_SEC;
}

/* Quotes the beginning of the answer, unless it repeats a secret. */
_Static_assert(QUOTE_MAX >= HTTP_CODING_MAX, "it can be said instead");

static void quote_answer(const HttpResponse *response, const char *secret, char ret[static QUOTE_MAX]) {
    if (http_coding_fault(response, ret)[0])
        return;
    if (response->body_len > 0 && !(secret && secret[0] && strstr(response->body, secret)))
        (void)text_escaped(ret, QUOTE_MAX, response->body);
}

/* True when the answer rejects the integration key: the channel's fault, although PagerDuty answers 400. */
static bool is_about_key(const HttpResponse *response) {
    return strcasestr(response->body, "routing key") || strcasestr(response->body, "routing_key");
}

void channel_http_receipt(const HttpResponse *response, const char *secret, uint64_t now_real_usec,
                          Receipt *ret) {
    const char *id = http_header(response, "X-Request-Id");
    char quote[QUOTE_MAX];

    *ret = (Receipt){ .kind = RECEIPT_RETRY };
    if (response->result != HTTP_ANSWERED) {
        (void)text_copy(ret->text, sizeof(ret->text), response->error);
        return;
    }
    ret->kind = kind_of_status(response->status);
    (void)text_copy(ret->request_id, sizeof(ret->request_id), id ? id : "");
    if (ret->kind == RECEIPT_DELIVERED) {
        (void)snprintf(ret->text, sizeof(ret->text), "HTTP %d%s%.64s", response->status,
                       id ? ", request " : "", id ? id : "");
        return;
    }
    if (ret->kind == RECEIPT_MESSAGE_REFUSED && is_about_key(response))
        ret->kind = RECEIPT_CHANNEL_REFUSED;
    if (ret->kind == RECEIPT_RETRY)
        ret->retry_after_usec = retry_after_usec(response, now_real_usec);
    quote_answer(response, secret, quote);
    (void)snprintf(ret->text, sizeof(ret->text), "HTTP %d%s%s", response->status, quote[0] ? ": " : "",
                   quote);
}
