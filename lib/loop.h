/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What library code may ask of the event loop: one-shot timers, the two clocks, and randomness. Tests drive
 * a fake. */

#include <stdint.h>

typedef struct Loop Loop;
typedef struct LoopTimer LoopTimer;
typedef void (*LoopFired)(void *userdata);

typedef struct LoopOps {
    /* Calls fired once, delay_usec from now (0: at the next turn of the loop, never from inside after). The
     * timer is gone once it fired. 0 or -errno. */
    int (*after)(Loop *loop, uint64_t delay_usec, LoopFired fired, void *userdata, LoopTimer **ret);
    /* Ends a timer that has not fired; NULL is fine. */
    void (*cancel)(Loop *loop, LoopTimer *timer);
    uint64_t (*monotonic_usec)(Loop *loop); /* CLOCK_BOOTTIME: also counts suspend */
    uint64_t (*realtime_usec)(Loop *loop);
    /* Uniform in 0..UINT64_MAX. */
    uint64_t (*random)(Loop *loop);
} LoopOps;

struct Loop {
    const LoopOps *ops;
};

static inline int loop_after(Loop *loop, uint64_t delay_usec, LoopFired fired, void *userdata,
                             LoopTimer **ret) {
    return loop->ops->after(loop, delay_usec, fired, userdata, ret);
}
static inline void loop_cancel(Loop *loop, LoopTimer *timer) {
    loop->ops->cancel(loop, timer);
}
static inline uint64_t loop_monotonic_usec(Loop *loop) {
    return loop->ops->monotonic_usec(loop);
}
static inline uint64_t loop_realtime_usec(Loop *loop) {
    return loop->ops->realtime_usec(loop);
}
static inline uint64_t loop_random(Loop *loop) {
    return loop->ops->random(loop);
}
