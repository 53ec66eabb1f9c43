/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What both floors share: which targets are polled when, and the request. Only one C file includes it in
 * each program. The requests are as long as TrailGuard's, with a signature that is always the same. */

#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FLOOR_REGIONS_MAX   40
#define FLOOR_IN_FLIGHT_MAX 512
#define FLOOR_BEHIND_USEC   1000000 /* a machine that cannot keep up: polls that are later are left out */
#define FLOOR_USAGE                                                                                         \
    "--ca FILE --regions A,B,... [--accounts N] [--interval SEC] [--polls N] [--connect ADDRESS:PORT]"
#define FLOOR_SIGNATURE                                                                                     \
    "AWS4-HMAC-SHA256 Credential=ASIA111122223333/20261124/eu-central-1/cloudtrail/aws4_request, "          \
    "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "                        \
    "Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FLOOR_TARGET "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrailStatus"
/* Of an assumed role: with one account there is none. */
#define FLOOR_TOKEN_HEADER "X-Amz-Security-Token"
#define FLOOR_TOKEN_LEN    399

typedef struct Floor {
    const char *ca_file;
    char *regions[FLOOR_REGIONS_MAX];
    unsigned n_regions;
    unsigned long n_accounts, polls_max; /* polls_max 0: until killed */
    double interval_sec;
    char connect_address[64]; /* "": the name decides */
    unsigned connect_port;
    uint64_t begun_usec, n_begun, n_answered, n_failed, n_bytes;
    char token[FLOOR_TOKEN_LEN + 1];
} Floor;

static uint64_t floor_now_usec(void) {
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static uint64_t floor_n_targets(const Floor *f) {
    return f->n_accounts * f->n_regions;
}

/* Evenly over the interval, regions in turn. */
static uint64_t floor_due_usec(const Floor *f, uint64_t poll) {
    return f->begun_usec + (uint64_t)((double)poll * f->interval_sec * 1e6 / (double)floor_n_targets(f));
}

/* How many ms until the next poll is due, 0: now, -1: not before one has ended. */
static int floor_wait_ms(Floor *f) {
    uint64_t now = floor_now_usec(), due = floor_due_usec(f, f->n_begun);

    if ((f->polls_max && f->n_begun >= f->polls_max) ||
        f->n_begun - f->n_answered - f->n_failed >= FLOOR_IN_FLIGHT_MAX)
        return -1;
    if (now > due + FLOOR_BEHIND_USEC)
        f->begun_usec += now - due;
    return due <= now ? 0 : (int)((due - now + 999) / 1000);
}

static unsigned floor_region(const Floor *f, uint64_t poll) {
    return (unsigned)(poll % f->n_regions);
}

static int floor_body(const Floor *f, uint64_t poll, char *body, size_t size) {
    uint64_t account = poll % floor_n_targets(f) / f->n_regions;

    return snprintf(body, size, "{\"Name\":\"arn:aws:cloudtrail:%s:%llu:trail/main\"}",
                    f->regions[floor_region(f, poll)],
                    account == 0 ? 111122223333ULL : 200000000000ULL + account);
}

static bool floor_ended(const Floor *f) {
    return f->polls_max && f->n_answered + f->n_failed >= f->polls_max;
}

/* The exit status. */
static int floor_report(const Floor *f) {
    printf("{\"polls\":%llu,\"failed\":%llu,\"bytes\":%llu}\n", (unsigned long long)f->n_answered,
           (unsigned long long)f->n_failed, (unsigned long long)f->n_bytes);
    return f->n_failed == 0 ? 0 : 1;
}

static void floor_take_regions(Floor *f, char *list) {
    char *save = NULL;

    for (char *name = strtok_r(list, ",", &save); name && f->n_regions < FLOOR_REGIONS_MAX;
         name = strtok_r(NULL, ",", &save))
        f->regions[f->n_regions++] = name;
}

static bool floor_options(Floor *f, int argc, char **argv) {
    static const struct option options[] = {
        { "ca", required_argument, NULL, 'c' },
        { "regions", required_argument, NULL, 'r' },
        { "accounts", required_argument, NULL, 'a' },
        { "interval", required_argument, NULL, 'i' },
        { "polls", required_argument, NULL, 'n' },
        { "connect", required_argument, NULL, 'p' },
        { 0 },
    };
    int option;

    *f = (Floor){ .n_accounts = 1, .interval_sec = 1 };
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (option == 'c')
            f->ca_file = optarg;
        else if (option == 'r')
            floor_take_regions(f, optarg);
        else if (option == 'a')
            f->n_accounts = strtoul(optarg, NULL, 10);
        else if (option == 'i')
            f->interval_sec = strtod(optarg, NULL);
        else if (option == 'n')
            f->polls_max = strtoul(optarg, NULL, 10);
        else if (option == 'p')
            (void)sscanf(optarg, "%63[^:]:%u", f->connect_address, &f->connect_port);
        else
            return false;
    memset(f->token, 'T', FLOOR_TOKEN_LEN);
    (void)signal(SIGPIPE, SIG_IGN);
    f->begun_usec = floor_now_usec();
    return f->ca_file && f->n_regions > 0 && f->n_accounts > 0 && f->interval_sec > 0;
}
