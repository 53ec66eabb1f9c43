/* SPDX-License-Identifier: Apache-2.0 */
/* The delivery of alerts: channels, their checks, the heartbeat. */
#include "daemon/delivery.h"

#include <stdlib.h>

#include "daemon/apply_plan.h"
#include "daemon/core/channel_health.h"
#include "daemon/core/events.h"
#include "daemon/engine_private.h"
#include "daemon/guard_checks.h"
#include "daemon/log.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* Negative: the message is lost, and must be sent again. */
static int report_channel_change(Engine *engine, const ChannelTrouble *trouble, ChannelChange change) {
    char text[CHANNEL_NEWS_MAX];
    JournalLine line = channel_news(change, trouble, text);
    int r = engine_report_channel(engine, trouble, change);

    if (r < 0)
        return r;
    if (line < _LINE_MAX)
        report_line(line, "", trouble->text, text);
    else
        log_line(LOG_NOTICE, "%s", text);
    engine_publish(engine);
    return 0;
}

static int channel_changed(const ChannelTrouble *trouble, bool failed, void *userdata) {
    Engine *engine = userdata;
    int r = report_channel_change(engine, trouble, failed ? CHANNEL_FAILS : CHANNEL_WORKS);

    if (r >= 0 && failed)
        engine_want_guard_check(engine->base);
    return r;
}

static int heartbeat_changed(const ChannelTrouble *trouble, bool failed, void *userdata) {
    return report_channel_change(userdata, trouble, failed ? CHANNEL_FAILS : CHANNEL_WORKS);
}

static int heard_changed(const ChannelTrouble *trouble, bool unheard, void *userdata) {
    return report_channel_change(userdata, trouble, unheard ? CHANNEL_LOSES_ALL : CHANNEL_REACHES_SOMEONE);
}

static void channel_checked(size_t i, const ChannelHealth *health, void *userdata) {
    Engine *engine = userdata;

    if (health->verdict != CHANNEL_UNCHECKED)
        deliver_checked(engine->deliver, i, health->verdict == CHANNEL_BROKEN, health->text);
}

static void delivered(const Alert *alert, const char *channel, const Receipt *receipt, void *userdata) {
    LogField fields[] = { { "INCIDENT_ID", alert->incident },
                          { "AWS_ACCOUNT", alert->account },
                          { "AWS_REGION", alert->region },
                          { "AWS_REQUEST_ID", receipt->request_id } };

    log_event(EVENT_LINE(LINE_ALERT_DELIVERED), fields, ARRAY_SIZE(fields), "sent by %s: %s (%s)", channel,
              alert->subject, receipt->text);
    engine_publish(userdata);
}

static const char *base_account(void *userdata) {
    return engine_account_named(((const Engine *)userdata)->base);
}

static ChannelContext channel_context(Engine *engine) {
    return (ChannelContext){ .aws = engine->aws.client,
                             .credentials = engine->aws.credentials,
                             .http = engine->aws.http,
                             .loop = engine->aws.loop,
                             .state_dir = engine->state_dir,
                             .account = base_account,
                             .userdata = engine };
}

static void topic_seen(const char *topic_arn, GuardParts *parts, void *userdata) {
    engine_take_topic(userdata, topic_arn, parts);
}

int engine_watch_channels(Engine *engine) {
    uint64_t most = engine->config->guard_checks ? engine->config->guard_interval_sec * USEC_PER_SEC : 0;
    const ChannelWatchOptions options = {
        .context = channel_context(engine),
        .caller = engine->base->identity,
        .channels = engine->config->channels,
        .n_channels = engine->config->n_channels,
        .unheard = engine->unclaimed.unheard,
        .n_unheard = engine->unclaimed.n_unheard,
        .begin_usec = channel_health_first_usec(engine->once || engine->n_passes > 0, most),
        .once = engine->once,
        .subscriptions = engine->config->guard_checks,
        .interval_usec = most,
        .topic_seen = engine->once || !engine->config->guard_checks ? NULL : topic_seen,
        .checked = engine->once ? NULL : channel_checked,
        .changed = engine->once ? NULL : heard_changed,
        .userdata = engine,
    };

    return channel_watch_new(&options, &engine->channel_watch);
}

static bool is_configured(const Engine *engine, const char *channel) {
    if (text_equal(channel, HEARTBEAT_KEY))
        return engine->heartbeat != NULL;
    for (size_t i = 0; i < deliver_n_channels(engine->deliver); i++) {
        ChannelStatus status;

        deliver_channel_status(engine->deliver, i, &status);
        if (text_equal(status.channel, channel))
            return true;
    }
    return false;
}

/* For a trouble in the state file: nothing else would report its end. */
static bool is_ended(Engine *engine, ChannelTrouble *trouble, ChannelChange change) {
    if (is_configured(engine, trouble->channel))
        return true;
    trouble->text[0] = '\0';
    return report_channel_change(engine, trouble, change) >= 0;
}

/* Returns how many are left, which stay in the state file. */
static size_t end_channels(Engine *engine, ChannelTrouble *troubles, size_t n, ChannelChange change) {
    size_t n_left = 0;

    for (size_t i = 0; i < n; i++)
        if (is_ended(engine, &troubles[i], change))
            free(troubles[i].channel);
        else
            troubles[n_left++] = troubles[i];
    return n_left;
}

void engine_end_channels(Engine *engine) {
    StateTable *before = &engine->unclaimed;

    before->n_channels = end_channels(engine, before->channels, before->n_channels, CHANNEL_LEFT);
    before->n_unheard = end_channels(engine, before->unheard, before->n_unheard, CHANNEL_LEFT_UNHEARD);
}

static ChannelTrouble heartbeat_before(const Engine *engine) {
    for (size_t i = 0; i < engine->unclaimed.n_channels; i++)
        if (text_equal(engine->unclaimed.channels[i].channel, HEARTBEAT_KEY))
            return engine->unclaimed.channels[i];
    return (ChannelTrouble){ 0 };
}

static void count_delivery(const char *channel, ReceiptKind receipt, void *userdata) {
    metrics_count_receipt(((Engine *)userdata)->metrics, channel, receipt);
}

int engine_open_delivery(Engine *engine) {
    const Config *config = engine->config;
    DeliverOptions options = {
        .context = channel_context(engine),
        .outbox = engine->outbox,
        .channels = config->channels,
        .n_channels = config->n_channels,
        .failed = engine->unclaimed.channels,
        .n_failed = engine->unclaimed.n_channels,
        .channel_changed = channel_changed,
        .delivered = delivered,
        .tried = count_delivery,
        .userdata = engine,
    };
    const HeartbeatOptions heartbeat = {
        .context = options.context,
        .config = &config->heartbeat,
        .before = heartbeat_before(engine),
        .changed = heartbeat_changed,
        .userdata = engine,
    };
    int r = deliver_new(&options, &engine->deliver);

    if (r < 0)
        return r;
    deliver_kick(engine->deliver, true);
    r = engine_watch_channels(engine);
    if (r >= 0 && (config->heartbeat.url || config->heartbeat.url_file))
        r = heartbeat_new(&heartbeat, &engine->heartbeat);
    if (r >= 0)
        engine_end_channels(engine);
    return r;
}
