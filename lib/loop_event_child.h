/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Child processes for loop_event: their pipes, their deadline and their end. */

#include "lib/loop.h"

typedef struct sd_event sd_event;

typedef struct ChildList {
    LoopChild *first;
} ChildList;

/* As spawn in loop.h; the child is in list until it was reaped. */
int child_spawn(ChildList *list, Loop *loop, sd_event *event, const LoopProgram *program, LoopExited exited,
                void *userdata, LoopChild **ret);

/* Kills it and calls nobody; it stays in its list until it was reaped. */
void child_abandon(LoopChild *child);

/* Kills and frees them all. */
void child_list_done(ChildList *list);
