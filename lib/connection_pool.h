/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How many connections a host gets. Pure: the time is an argument, from any monotonic clock, in
 * microseconds.
 *
 * Connections follow demand. A host needs as many as it has requests running at a time: their rate times
 * their duration (Little's law). A request takes an idle connection of its host. If there is none, it waits
 * a moment for one in use, which is cheaper than a handshake. A new one is opened if the host has fewer than
 * it needs, or if waiting would take longer than opening one. */

#include <stdbool.h>
#include <stdint.h>

/* The state of one scheme, host and port. All zeros: new. */
typedef struct PoolHost {
    unsigned n_open;      /* connections: idle, in use, or being opened */
    unsigned n_running;   /* requests running */
    unsigned n_waiting;   /* requests that wait for a connection */
    uint64_t took_usec;   /* smoothed duration of a request on an open connection; 0: unknown */
    uint64_t opened_usec; /* when a connection was last opened for waiting requests */
    uint64_t window_usec; /* requests are counted in windows of a second: the beginning of this one */
    unsigned n_in_window, n_in_last;
    unsigned n_given_up; /* since the last answer */
    uint64_t n_arrived;  /* requests so far */
    uint64_t trimmed_at; /* n_arrived when pool_wants_trim was last true */
} PoolHost;

/* All hosts together. */
typedef struct Pool {
    unsigned max;    /* connections, 1 or more */
    unsigned n_open; /* the sum of pool_count over all hosts */
    unsigned n_running;
} Pool;

typedef enum PoolDecision {
    POOL_KEPT,  /* take an idle connection */
    POOL_OPEN,  /* open one */
    POOL_EVICT, /* open one in place of the least recently used idle connection of a host with pool_can_give,
                   or else of any host */
    POOL_WAIT, /* for a connection of the host that will be free soon; decide again then, or after a while */
    POOL_FULL, /* all are in use: wait until one is free or closed */
} PoolDecision;

/* The request, in addition to PoolHost. */
typedef struct PoolRequest {
    uint64_t now_usec;
    uint64_t waits_since_usec; /* since when it waits for a connection; now_usec: since now */
    unsigned n_overdue;        /* requests of the host running longer than pool_patience */
    unsigned n_hung;           /* ... those running longer than pool_hung_usec; only counted when full */
    bool spare_elsewhere;      /* pool_is_spare is true for another host */
    bool given_elsewhere;      /* pool_can_give is true for another host; only asked when a request hangs */
} PoolRequest;

/* A request arrived. */
void pool_arrived(PoolHost *host, uint64_t now_usec);
/* A request was answered after this time, without opening the connection. */
void pool_answered(PoolHost *host, uint64_t took_usec);

/* How many connections count: a request that has started is about to have one. */
unsigned pool_count(const PoolHost *host);
/* How many connections the host needs at its present rate, at least one. */
unsigned pool_need(const PoolHost *host, uint64_t now_usec);
/* True if it has an idle connection, and two more than it needs. */
bool pool_is_spare(const PoolHost *host, uint64_t now_usec);
/* True if it has an idle connection, and the others are enough for its rate with a small margin. n_overdue:
 * as in PoolRequest. */
bool pool_can_give(const PoolHost *host, unsigned n_overdue, uint64_t now_usec);
/* pool_is_unneeded: true if it can close an idle connection, because it has more than it needs at its
 * present rate, and so many requests did not use this one that reopening it would cost little per request.
 * used_at: n_arrived at its last use. pool_wants_trim: true if it is time to look for such a connection. */
bool pool_is_unneeded(const PoolHost *host, uint64_t used_at, uint64_t now_usec);
bool pool_wants_trim(PoolHost *host);
/* How long a request waits for a connection before another one is opened; a request running longer counts as
 * hanging and is not waited for. More than 0. */
uint64_t pool_patience(const PoolHost *host);
/* How long a request runs before its host gets a connection of another host. */
uint64_t pool_hung_usec(const PoolHost *host);
/* How long a request may stay without an answer while all connections are in use and others wait. Then it is
 * given up, and repeated as a suspect one with its full time. The limit doubles for each one given up
 * without an answer in between, so that a host that has become slow can still answer. */
uint64_t pool_give_up_usec(const PoolHost *host);
void pool_gave_up(PoolHost *host);

/* Decides about a request. *ret_wait_usec: for POOL_WAIT when to decide again, more than 0; else 0. */
PoolDecision pool_decide(const Pool *pool, const PoolHost *host, const PoolRequest *request,
                         uint64_t *ret_wait_usec);
