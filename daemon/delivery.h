/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Alerts on their way out: channels, their checks, the heartbeat. */

#include "daemon/tables.h"

/* Sends what waits in the outbox from now on, checks the channels, begins the heartbeat; reports the end of
 * trouble with channels that are not configured any more. 0 or -errno; what was opened stays open after an
 * error. */
int engine_open_delivery(Engine *engine);
/* The checks of channels alone. In a check of ours they report nothing: the status has what was found. 0 or
 * -errno. */
int engine_watch_channels(Engine *engine);
