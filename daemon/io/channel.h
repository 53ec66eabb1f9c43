/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One message through one channel, without the outbox: what deliver uses, and test-alert. A row per type in
 * deliver.c says how it is done; channel_NAME.c does it. */

#include "daemon/config/config.h"
#include "daemon/core/model_alert.h"
#include "lib/call.h"
#include "lib/http.h"
#include "lib/loop.h"
#include "lib/util/strbuf.h"

/* What channels send with. All is borrowed and outlives what is under way. */
typedef struct ChannelContext {
    AwsClient *aws;
    CredentialsProvider *credentials;
    HttpClient *http;
    Loop *loop;
    const char *state_dir; /* NULL: nothing is kept (test-alert) */
} ChannelContext;

typedef void (*ChannelSent)(const Receipt *receipt, void *userdata);

/* What every message under way begins with; each type has more behind it. */
typedef struct ChannelSend {
    ChannelSent sent;
    void *userdata;
    void (*cancel)(struct ChannelSend *send); /* ends and frees it */
} ChannelSend;

/* sent will not be called. NULL is fine. */
void channel_cancel(ChannelSend *send);

/* ---- for the types ---- */

/* Calls send->sent with the receipt, and frees send. */
void channel_finish(ChannelSend *send, const Receipt *receipt);
/* What becomes of send with a receipt of that kind and text, cut to fit. */
void channel_finish_text(ChannelSend *send, ReceiptKind kind, const char *format, ...) _printf_(3, 4);

/* The one line that a file holds, read at each use: a URL, a key. Blanks and line breaks around it, and a
 * byte order mark, do not count. A bare name is one of systemd's credentials ($CREDENTIALS_DIRECTORY), else
 * a file in /etc/trailguard. On failure the receipt has what is wrong, and it names the file and never the
 * content. The caller frees ret by strbuf_done, which wipes it. */
int channel_read_secret(const char *file, StrBuf *ret, Receipt *receipt);

/* The URL: `url`, else what url_file holds, else `otherwise` (NULL: none). As channel_read_secret. */
int channel_read_url(const ChannelConfig *channel, const char *otherwise, StrBuf *ret, Receipt *receipt);

#define CHANNEL_CONNECT_USEC (5 * USEC_PER_SEC)
#define CHANNEL_HTTP_USEC    (20 * USEC_PER_SEC)
#define CHANNEL_COMMAND_USEC (30 * USEC_PER_SEC)

/* The receipt for an answer of a web service. secret: not quoted; NULL: none. Pure. */
void channel_http_receipt(const HttpResponse *response, const char *secret, uint64_t now_real_usec,
                          Receipt *ret);

/* Where the receiver of a format is when the configuration does not say; NULL: it must. */
const char *channel_webhook_url(AlertFormat format);

int channel_sns_send(const ChannelContext *context, const ChannelConfig *channel, const Alert *alert,
                     ChannelSent sent, void *userdata, ChannelSend **ret);
int channel_webhook_send(const ChannelContext *context, const ChannelConfig *channel, const Alert *alert,
                         ChannelSent sent, void *userdata, ChannelSend **ret);
int channel_command_send(const ChannelContext *context, const ChannelConfig *channel, const Alert *alert,
                         ChannelSent sent, void *userdata, ChannelSend **ret);
int channel_alertmanager_send(const ChannelContext *context, const ChannelConfig *channel,
                              const Alert *alert, ChannelSent sent, void *userdata, ChannelSend **ret);
