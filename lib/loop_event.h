/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The Loop of real life, on sd-event. */

#include "lib/loop.h"

typedef struct sd_event sd_event;

/* A loop on `event` (a reference is taken). 0 or -errno. */
int loop_event_new(sd_event *event, Loop **ret);
/* Cancels all timers and frees. NULL is fine. */
void loop_event_free(Loop *loop);
