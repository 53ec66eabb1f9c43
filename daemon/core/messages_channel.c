/* SPDX-License-Identifier: Apache-2.0 */
/* The messages about channels and the guard itself. Each event of the table in events.c has its array here.
 */
#include "daemon/core/alert_private.h"
#include "lib/util/text.h"

/* Keys of channels begin with their type, so none is like this. */
WHEN(heartbeat, text_starts_with(event->detail, "heartbeat"));
WHEN(channel_forgotten, event->forgotten);

const AlertTemplate messages_channel_failed[] = {
    {
            .when = when_heartbeat,
            .subject = "{LABEL} {detail}",
            .headline = "The dead-man switch cannot be reached: {detail}",
            .loss = "No alert is lost. But if the guard ended now, nobody outside would notice.",
            .deed = "Retries after the next passes. Alerts go out as before.",
            .advice =
                    "1. Does the switch still exist, under this URL? Does a firewall or proxy let the guard "
                    "through?\n"
                    "2. If nobody changed it on purpose, someone may be preparing to silence the guard.",
    },
    {
            .subject = "{LABEL} channel failed: {channel}",
            .headline = "Alerts cannot be sent through this channel: {detail}",
            .deed = "Keeps the alerts, and retries at least every 5 minutes.",
            .advice = "1. Does the topic still exist, and does its policy let the guard publish? Is its KMS "
                      "key "
                      "enabled?\n"
                      "2. If nobody changed it on purpose, someone may be trying to silence the guard.\n"
                      "3. trailguard test-alert shows each channel's receipt.",
    },
};

const AlertTemplate messages_channel_recovered[] = {
    {
            .when = when_channel_forgotten,
            .subject = "RESOLVED channel no longer configured: {channel}",
            .headline = "A channel that failed is no longer configured: {detail}.",
            .deed = "Sends alerts through the other channels only.",
            .advice = "Nothing, if this was planned. If not, find out who changed the configuration.",
    },
    {
            .when = when_heartbeat,
            .subject = "RESOLVED heartbeat works again",
            .headline = "The heartbeat reaches its switch again.",
            .advice = "Nothing, if you know why it failed.",
    },
    {
            .subject = "RESOLVED channel works again: {channel}",
            .headline = "Alerts can be sent through this channel again: {detail}",
            .deed = "Sends the alerts that were waiting.",
            .advice = "Nothing, if you know why it failed.",
    },
};

const AlertTemplate messages_channel_unheard[] = {
    {
            .subject = "{LABEL} nobody receives alerts through {channel}",
            .headline = "Nobody gets the alerts that are sent through this channel: {detail}",
            .loss = "The topic takes each alert and drops it. Alerts sent since the last subscription ended "
                    "reached nobody there.",
            .deed = "Goes on sending there and through the other channels. Checks every 5 minutes.",
            .advice = "1. Subscribe people to the topic, and have them confirm: an address that did not "
                      "click the "
                      "link gets nothing.\n"
                      "2. If there was a subscription, find out who removed it: someone may be trying to "
                      "silence "
                      "the guard.\n"
                      "3. trailguard check shows what each channel's check finds.\n"
                      "4. Read what was missed: trailguard status shows what is open, and the journal has "
                      "every alert that was sent.",
    },
};

const AlertTemplate messages_channel_heard[] = {
    {
            .when = when_channel_forgotten,
            .subject = "RESOLVED channel no longer configured: {channel}",
            .headline = "A channel whose alerts reached nobody is no longer configured: {detail}.",
            .deed = "Sends alerts through the other channels only.",
            .advice = "Nothing, if this was planned. If not, find out who changed the configuration.",
    },
    {
            .subject = "RESOLVED alerts of channel reach someone again: {channel}",
            .headline = "Alerts of this channel reach someone again: {detail}",
            .advice = "Nothing, if you know why nobody was subscribed. Alerts sent before reached nobody: "
                      "trailguard "
                      "status "
                      "shows what is open.",
    },
};

const AlertTemplate messages_test[] = {
    {
            .subject = "TEST alert from {host}",
            .headline = "This is a test: alerts from TrailGuard on {host} reach you.",
            .advice = "Nothing.",
    },
};
