/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/task.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int task_init(Task *task, AwsClient *aws, size_t n_calls, TaskStep step, TaskStep end, void *userdata) {
    *task = (Task){
        .loop = aws_client_loop(aws),
        .calls = calloc(n_calls, sizeof(*task->calls)),
        .n_calls = n_calls,
        .step = step,
        .end = end,
        .userdata = userdata,
    };
    return task->calls ? 0 : -ENOMEM;
}

void task_done(Task *task) {
    for (size_t i = 0; task->calls && i < task->n_calls; i++)
        operation_cancel(task->calls[i]);
    for (size_t i = 0; i < task->n_texts; i++)
        free(task->texts[i]);
    if (task->timer)
        loop_cancel(task->loop, task->timer);
    free(task->calls);
    free(task->texts);
    *task = (Task){ 0 };
}

int task_keep(Task *task, const char **text) {
    char **grown = realloc(task->texts, (task->n_texts + 1) * sizeof(*grown));
    char *copy;

    if (!grown)
        return -ENOMEM;
    task->texts = grown;
    copy = strdup(*text ? *text : "");
    if (!copy)
        return -ENOMEM;
    *text = task->texts[task->n_texts++] = copy;
    return 0;
}

bool task_waits(const Task *task) {
    return task->n_pending > 0 || task->timer;
}

static void task_run(Task *task) {
    if (task_waits(task))
        return;
    task->step(task->userdata);
    if (!task_waits(task))
        task->end(task->userdata);
}

static void task_fired(void *userdata) {
    task_run(userdata);
}

int task_after(Task *task, uint64_t delay_usec) {
    assert(!task->timer);
    return loop_after(task->loop, delay_usec, task_fired, task, &task->timer);
}

int task_asked(Task *task, int r) {
    task->n_pending += r >= 0;
    return r;
}

void task_answered(Task *task, size_t slot) {
    assert(slot < task->n_calls && task->calls[slot]);
    task->calls[slot] = NULL;
}

void task_go_on(Task *task) {
    assert(task->n_pending > 0);
    task->n_pending--;
    task_run(task);
}
