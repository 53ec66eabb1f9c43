/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Shared by all stages that call AWS: steps, each of which makes calls; the next step follows when all of
 * them were answered; and one end, never from inside the start. Each call has the client's deadline, so a
 * task of n consecutive calls ends within n of them. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/call.h"
#include "lib/operation.h"

typedef void (*TaskStep)(void *userdata);

typedef struct Task {
    Loop *loop;
    LoopTimer *timer;      /* for the next step */
    OperationCall **calls; /* the handles of the calls; the owner assigns the slots */
    size_t n_calls;
    unsigned n_pending; /* calls without an answer */
    char **texts;       /* see task_keep() */
    size_t n_texts;
    TaskStep step, end;
    void *userdata;
} Task;

/* Initializes a task: nothing is called before task_after(). step is called whenever nothing is pending; if
 * it starts nothing, end is called, once, and frees the owner. 0 or -ENOMEM. */
int task_init(Task *task, AwsClient *aws, size_t n_calls, TaskStep step, TaskStep end, void *userdata);
/* Cancels the timer and all calls, and frees the task's own memory. */
void task_done(Task *task);

/* Makes *text a copy that lives as long as the task; NULL becomes "". 0 or -ENOMEM. */
int task_keep(Task *task, const char **text);

/* Schedules the next step after a delay. 0 or -errno. */
int task_after(Task *task, uint64_t delay_usec);

/* Counts a call that was started (r >= 0). Returns r. */
int task_asked(Task *task, int r);
/* Each callback begins with task_answered, which frees the slot for another call, and ends with task_go_on:
 * the owner may be freed afterwards. */
void task_answered(Task *task, size_t slot);
void task_go_on(Task *task);
/* True if a call or the timer is pending. */
bool task_waits(const Task *task);
