/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The heartbeat: an outside dead-man switch hears after passes that all is polled, and raises an alarm when
 * it hears nothing. Each signal has one try; the next is due soon after one that failed. */

#include "daemon/core/schedule.h"
#include "daemon/io/channel.h"

typedef struct Heartbeat Heartbeat;

/* It fails (refused, or for 60 s), or works again (text is "" then): once per change. */
typedef void (*HeartbeatChanged)(const ChannelTrouble *trouble, bool failed, void *userdata);

/* What it is called beside channels. */
#define HEARTBEAT_KEY "heartbeat"

typedef struct HeartbeatOptions {
    ChannelContext context;
    const HeartbeatConfig *config; /* borrowed; with url or url_file */
    uint64_t failed_since_usec;    /* real; it was reported as failed before the start; 0: it was not ... */
    bool pending;                  /* ... or a crash may have kept it from being */
    HeartbeatChanged changed;
    void *userdata;
} HeartbeatOptions;

/* Begins, and signals that in style "healthchecks". 0 or -ENOMEM. */
int heartbeat_new(const HeartbeatOptions *options, Heartbeat **ret);
/* Cancels what is under way. NULL is fine. */
void heartbeat_free(Heartbeat *heartbeat);

/* Since when it fails (real), as reported, or where a crash kept it from being; 0: it does not. NULL is
 * fine. */
uint64_t heartbeat_failed_since(const Heartbeat *heartbeat);
bool heartbeat_is_failed(const Heartbeat *heartbeat); /* as reported */

/* Is a signal due? Then the next pass that ends should be judged and given to heartbeat_pass. */
bool heartbeat_is_due(const Heartbeat *heartbeat);
/* A pass has ended. line: the status in one line, which goes into the body. */
void heartbeat_pass(Heartbeat *heartbeat, PassResult result, const char *line);
