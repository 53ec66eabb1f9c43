/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What all stages that ask AWS have in common: steps, each of which makes calls; the next step once all of
 * them were answered; and one end, never from inside the start. Each call has the client's deadline, so that
 * a task of n calls one after the other ends within n of them. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/call.h"
#include "lib/operation.h"

typedef void (*TaskStep)(void *userdata);

typedef struct Task {
    Loop *loop;
    LoopTimer *timer;      /* to the next step */
    OperationCall **calls; /* where each call's handle is; the slots are the owner's to share out */
    size_t n_calls;
    unsigned n_pending; /* calls without an answer */
    char **texts;       /* see task_keep() */
    size_t n_texts;
    TaskStep step, end;
    void *userdata;
} Task;

/* Makes ready: nothing is called before task_after(). step is called whenever nothing is awaited; when it
 * leaves nothing to wait for, end is called, once, which frees the owner. 0 or -ENOMEM. */
int task_init(Task *task, AwsClient *aws, size_t n_calls, TaskStep step, TaskStep end, void *userdata);
/* Cancels the timer and all calls, and frees what is the task's own. */
void task_done(Task *task);

/* Makes *text a copy that lives as long as the task; NULL becomes "". 0 or -ENOMEM. */
int task_keep(Task *task, const char **text);

/* The next step, so much later. 0 or -errno. */
int task_after(Task *task, uint64_t delay_usec);

/* Counts a call that was started (r >= 0). Returns r. */
int task_asked(Task *task, int r);
/* Each callback begins with the one, which frees the slot for a further call, and ends with the other: the
 * owner may be gone afterwards. */
void task_answered(Task *task, size_t slot);
void task_go_on(Task *task);
/* Is a call or the timer awaited? */
bool task_waits(const Task *task);
