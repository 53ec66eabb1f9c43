/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A Loop whose time stands still until a test moves it. Running out of memory ends the test program. */

#include <stdbool.h>

#include "lib/loop.h"

typedef struct FakeLoop FakeLoop;

/* Monotonic time starts at 1000 s, real time at 2026-11-24T03:10:00Z; random numbers are all 0 until set. */
FakeLoop *fake_loop_new(void);
/* Fails the program when a timer was left armed: somebody forgot to cancel it. NULL is fine. */
void fake_loop_free(FakeLoop *fake);

Loop *fake_loop_loop(FakeLoop *fake);

/* Fires what is due now, and what that makes due, without moving time. */
void fake_loop_run(FakeLoop *fake);

/* Moves time to the next timer and fires it and all others due then. False when none is armed. */
bool fake_loop_next(FakeLoop *fake);

/* Moves time on by span, firing on the way, each timer at its time. */
void fake_loop_advance(FakeLoop *fake, uint64_t span_usec);

/* Moves time on by span without firing, as a loop that is busy does: what came due meanwhile is fired late,
 * by the next of the above. */
void fake_loop_stall(FakeLoop *fake, uint64_t span_usec);

/* Steps the real-time clock alone, as an administrator or NTP would. */
void fake_loop_step_clock(FakeLoop *fake, int64_t by_usec);

/* What random() gives from now on. */
void fake_loop_set_random(FakeLoop *fake, uint64_t value);

/* How many of the next after() calls work before one fails with -ENOMEM, once; UINT_MAX (the default):
 * all. */
void fake_loop_fail_after(FakeLoop *fake, unsigned n);

/* Programs are not run: they wait until a test ends them, or for their deadline. What the oldest that runs
 * was started with; arguments and environment each joined by '\n'. Fails the program when none runs. */
const char *fake_loop_child_arguments(const FakeLoop *fake);
const char *fake_loop_child_environment(const FakeLoop *fake);
/* Ends it; output may be NULL. */
void fake_loop_end_child(FakeLoop *fake, LoopEnding ending, int code, const char *output,
                         const char *errors);
unsigned fake_loop_n_children(const FakeLoop *fake);
/* Makes the next spawn return an error, once. */
void fake_loop_fail_spawn(FakeLoop *fake, int error);

unsigned fake_loop_n_timers(const FakeLoop *fake);
