/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "daemon/io/report.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

void report_systemd_ready(void) {
    (void)sd_notify(0, "READY=1");
}

void report_systemd_reloading(uint64_t mono_usec) {
    struct timespec ts;

    /* systemd compares it with its own CLOCK_MONOTONIC (sd_notify(3)) */
    if (mono_usec == 0 && clock_gettime(CLOCK_MONOTONIC, &ts) == 0)
        mono_usec = (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)mono_usec);
}

void report_systemd_stopping(void) {
    (void)sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

void report_systemd_status(const char *line) {
    static char last[STATUS_LINE_MAX]; /* one service manager a process */

    if (strcmp(last, line) == 0)
        return;
    (void)text_copy(last, sizeof(last), line);
    (void)sd_notifyf(0, "STATUS=%s", line);
}

void report_systemd_watchdog(void) {
    (void)sd_notify(0, "WATCHDOG=1");
}

uint64_t report_systemd_watchdog_interval_usec(void) {
    uint64_t usec = 0;

    return sd_watchdog_enabled(0, &usec) > 0 ? usec / 2 : 0;
}
