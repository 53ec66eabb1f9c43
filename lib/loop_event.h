/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The Loop of real life, on sd-event. */

#include <systemd/sd-event.h>

#include "lib/loop.h"

typedef struct sd_event sd_event;

/* A loop on `event` (a reference is taken). 0 or -errno. */
int loop_event_new(sd_event *event, Loop **ret);
/* Cancels all timers and frees. NULL is fine. */
void loop_event_free(Loop *loop);

/* ---- loop_child.c: the child processes of a loop: their pipes, their deadline and their end. For
 * loop_event.c alone. ---- */

typedef struct LoopChildList {
    LoopChild *first;
} LoopChildList;

/* As LoopOps.spawn. The child is in the list until it was reaped. */
int loop_child_spawn(LoopChildList *list, Loop *loop, sd_event *event, const LoopProgram *program,
                     LoopExited exited, void *userdata, LoopChild **ret);
/* Kills it and calls nobody; it stays in its list until it was reaped. */
void loop_child_abandon(LoopChild *child);
/* Kills all and waits a moment for their end. */
void loop_child_list_done(LoopChildList *list);
