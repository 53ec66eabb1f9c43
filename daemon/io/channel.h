/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Sends one message through one channel, without the outbox: for deliver and test-alert. deliver.c has a row
 * for each type; channel_NAME.c implements it. */

#include "daemon/config/config.h"
#include "daemon/core/model_alert.h"
#include "lib/call.h"
#include "lib/http.h"
#include "lib/loop.h"
#include "lib/util/strbuf.h"

/* What channels need for sending. Everything is borrowed and outlives all sends. */
typedef struct ChannelContext {
    AwsClient *aws;
    CredentialsProvider *credentials;
    HttpClient *http;
    Loop *loop;
    const char *state_dir; /* NULL: nothing is saved (test-alert) */
    const char *(*account)(void *userdata); /* of the credentials, "" while unknown; NULL: failures open no
                                               incident (test-alert) */
    void *userdata;
} ChannelContext;

/* Trouble with a channel begins now: since when, and whose it is. Found once, for the incident's id comes
 * from both. */
void channel_trouble_begins(const ChannelContext *context, uint64_t *ret_since_usec,
                            char ret_account[static 16]);

typedef void (*ChannelSent)(const Receipt *receipt, void *userdata);

/* The beginning of each type's struct for a running send. */
typedef struct ChannelSend {
    ChannelSent sent;
    void *userdata;
    void (*cancel)(struct ChannelSend *send); /* ends and frees it */
} ChannelSend;

/* Ends it without calling sent. NULL is allowed. */
void channel_cancel(ChannelSend *send);

/* ---- for the types ---- */

/* Calls send->sent with the receipt, and frees send. */
void channel_finish(ChannelSend *send, const Receipt *receipt);
/* The same with a receipt of that kind and text, truncated to fit. */
void channel_finish_text(ChannelSend *send, ReceiptKind kind, const char *format, ...) _printf_(3, 4);

/* Reads a URL or key from a one-line file, at each use. Surrounding blanks, line breaks and a byte order
 * mark are ignored. A bare name means one of systemd's credentials ($CREDENTIALS_DIRECTORY), else a file in
 * /etc/trailguard. On failure the receipt has the reason with the name of the file, never its content. Free
 * ret with strbuf_done, which wipes it. */
int channel_read_secret(const char *file, StrBuf *ret, Receipt *receipt);

/* The URL: `url`, else the content of url_file, else `otherwise` (NULL: none). As channel_read_secret. */
int channel_read_url(const ChannelConfig *channel, const char *otherwise, StrBuf *ret, Receipt *receipt);

#define CHANNEL_CONNECT_USEC (5 * USEC_PER_SEC)
#define CHANNEL_HTTP_USEC    (20 * USEC_PER_SEC)
#define CHANNEL_COMMAND_USEC (30 * USEC_PER_SEC)

/* The receipt for a web service's answer. secret: never quoted; NULL: none. Pure. */
void channel_http_receipt(const HttpResponse *response, const char *secret, uint64_t now_real_usec,
                          Receipt *ret);

/* The default URL of a format's receiver; NULL: it must be configured. */
const char *channel_webhook_url(AlertFormat format);

int channel_sns_send(const ChannelContext *context, const ChannelConfig *channel, const Alert *alert,
                     ChannelSent sent, void *userdata, ChannelSend **ret);
int channel_webhook_send(const ChannelContext *context, const ChannelConfig *channel, const Alert *alert,
                         ChannelSent sent, void *userdata, ChannelSend **ret);
int channel_command_send(const ChannelContext *context, const ChannelConfig *channel, const Alert *alert,
                         ChannelSent sent, void *userdata, ChannelSend **ret);
int channel_alertmanager_send(const ChannelContext *context, const ChannelConfig *channel,
                              const Alert *alert, ChannelSent sent, void *userdata, ChannelSend **ret);
