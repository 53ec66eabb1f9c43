/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The heartbeat: an outside dead-man switch hears after passes that all is polled, and raises an alarm when
 * it hears nothing. Each signal has one try; the next is due soon after one that failed. */

#include "daemon/core/schedule.h"
#include "daemon/io/channel.h"

typedef struct Heartbeat Heartbeat;

/* It fails (refused, or for 60 s), or works again (text is "" then): once per change. */
typedef void (*HeartbeatChanged)(const ChannelTrouble *trouble, bool failed, void *userdata);

typedef struct HeartbeatOptions {
    ChannelContext context;
    const HeartbeatConfig *config; /* borrowed; with url or url_file */
    HeartbeatChanged changed;
    void *userdata;
} HeartbeatOptions;

/* Begins, and signals that in style "healthchecks". 0 or -ENOMEM. */
int heartbeat_new(const HeartbeatOptions *options, Heartbeat **ret);
/* Cancels what is under way. NULL is fine. */
void heartbeat_free(Heartbeat *heartbeat);

/* Is a signal due? Then the next pass that ends should be judged and given to heartbeat_pass. */
bool heartbeat_is_due(const Heartbeat *heartbeat);
/* A pass has ended. line: the status in one line, which goes into the body. */
void heartbeat_pass(Heartbeat *heartbeat, PassResult result, const char *line);
