/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The delivery of alerts: channels, their checks, the heartbeat. */

#include "daemon/tables.h"

/* Starts sending from the outbox, checking the channels, and the heartbeat; reports the end of trouble with
 * channels that are no longer configured. 0 or -errno; what was opened stays open after an error. */
int engine_open_delivery(Engine *engine);
/* Reports the end of trouble with channels in the state file that are no longer configured. What cannot be
 * queued is reported in a later round. */
void engine_end_channels(Engine *engine);
/* Only the checks of the channels. In `check` they report nothing, because the status shows the results. 0
 * or -errno. */
int engine_watch_channels(Engine *engine);
