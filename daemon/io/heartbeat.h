/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The heartbeat: signals after passes to an outside dead-man switch that everything was polled; the
 * switch raises an alarm when the signals stop. Each signal has one attempt; after a failure the next
 * comes soon. */

#include "daemon/core/schedule.h"
#include "daemon/io/channel.h"

typedef struct Heartbeat Heartbeat;

/* It fails (refused, or for 60 s), or works again (then text is ""): once per change. Negative: it could not
 * be reported; it stays as it was until the next signal. */
typedef int (*HeartbeatChanged)(const ChannelTrouble *trouble, bool failed, void *userdata);

typedef struct HeartbeatOptions {
    ChannelContext context;
    const HeartbeatConfig *config; /* borrowed; has url or url_file */
    ChannelTrouble before; /* as reported before the start; since_usec 0: it worked. Read by heartbeat_new
                              only */
    HeartbeatChanged changed;
    void *userdata;
} HeartbeatOptions;

/* Starts it, and in style "healthchecks" signals the start. 0 or -ENOMEM. */
int heartbeat_new(const HeartbeatOptions *options, Heartbeat **ret);
/* Cancels a running signal. NULL is allowed. */
void heartbeat_free(Heartbeat *heartbeat);

/* True if it fails, as reported or prevented by a crash (pending). NULL is allowed. */
bool heartbeat_trouble(const Heartbeat *heartbeat, ChannelTrouble *ret);

/* True if a signal is due. Then the next pass that ends is judged and passed to heartbeat_pass. */
bool heartbeat_is_due(const Heartbeat *heartbeat);
/* A pass has ended. line: the status line, for the body. */
void heartbeat_pass(Heartbeat *heartbeat, PassResult result, const char *line);
