/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The stand-in for AWS that `make bench` measures against. server.c has the connections, server_aws.c what
 * AWS knows and answers. Both end the program when something fails that should not. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define REGIONS_MAX  40
#define REPLY_MAX    4096
#define USEC_PER_SEC 1000000ULL

typedef enum Operation {
    GET_TRAIL_STATUS,
    DESCRIBE_TRAILS,
    LIST_TRAILS,
    GET_EVENT_SELECTORS,
    GET_INSIGHT_SELECTORS,
    GET_EVENT_CONFIGURATION,
    LIST_TAGS,
    LOOKUP_EVENTS,
    START_LOGGING,
    GET_CALLER_IDENTITY,
    ASSUME_ROLE,
    PUBLISH,
    OTHER,
    _OPERATION_MAX,
} Operation;

typedef struct Target {
    uint64_t polled_usec; /* 0: not since the reset */
    uint64_t stop_usec;   /* when it stops, or did; 0: never */
    uint64_t noticed_usec, started_usec, published_usec;
    time_t stopped_sec, restarted_sec;
    bool stopped;
} Target;

typedef struct Reply {
    int status;
    const char *type;
    size_t len;
    char body[REPLY_MAX];
} Reply;

typedef struct Request {
    const char *head, *body;
    size_t head_len, body_len;
    Operation operation;
    long account; /* index, -1: unknown */
    int region;   /* index, -1: unknown */
} Request;

/* What there is, and how it behaves now. */
typedef struct World {
    char regions[REGIONS_MAX][32];
    unsigned n_regions;
    unsigned long n_accounts;
    Target *targets;
    unsigned delay_ms, throttle, hang; /* the last two in thousandths */
    bool close_after;
} World;

/* What has reached the server since the last reset. */
typedef struct Seen {
    uint64_t requests[_OPERATION_MAX], connections, full, resumed, failed, throttled, hung, bytes_in,
            bytes_out;
    unsigned n_open;
    char other[64]; /* the last operation that is not known */
} Seen;

extern World world;
extern Seen seen;

uint64_t now_usec(void);
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Fills in what head and body say: operation, account, region. Counts it. */
void read_request(Request *q);
/* The value of a header, to the end of its line; NULL when there is none. */
const char *header(const Request *q, const char *name, size_t *ret_len);
/* false: this request is never answered. reply: empty, with status and type of a good answer in JSON. */
bool answer(const Request *q, Reply *reply);
/* One line of stdin; its answer goes to stdout. */
void obey(char *line);
