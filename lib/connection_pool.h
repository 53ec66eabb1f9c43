/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How many connections a host gets. Pure: the time is an argument, any clock that does not go back, in
 * microseconds.
 *
 * Connections follow demand. A host needs as many as it has requests under way at a time, which is their
 * rate times their duration (Little's law). A request takes an idle connection of its host. Where there is
 * none it waits a moment for one in use, because that is cheaper than a handshake; a new one is opened when
 * the host has fewer than it needs, or when the wait would cost more than the opening. */

#include <stdbool.h>
#include <stdint.h>

/* What is known of one scheme, host and port. All zero: nothing yet. */
typedef struct PoolHost {
    unsigned n_open;      /* connections: idle, in use, or being opened */
    unsigned n_running;   /* requests under way */
    unsigned n_waiting;   /* requests that wait for a connection */
    uint64_t took_usec;   /* how long one takes on a connection that stands, smoothed; 0: not known */
    uint64_t opened_usec; /* when a connection was last opened for the sake of those that wait */
    uint64_t window_usec; /* requests are counted in windows of a second: when this one began */
    unsigned n_in_window, n_in_last;
    unsigned n_given_up; /* since the last answer */
    uint64_t n_arrived;  /* requests in all */
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
    POOL_EVICT, /* open one in place of the idle connection that was not used for longest: of a host for
                 * which pool_can_give holds, or else of any */
    POOL_WAIT, /* for one of the host that is about to be free; decide again when one is, or after a while */
    POOL_FULL, /* all are in use: wait until any is free or closed */
} PoolDecision;

/* Who asks, beside what is in PoolHost. */
typedef struct PoolRequest {
    uint64_t now_usec;
    uint64_t waits_since_usec; /* the request, for a connection; now_usec: since now */
    unsigned n_overdue;        /* requests of the host that run for longer than pool_patience */
    unsigned n_hung;           /* ... and of these, for longer than pool_hung_usec; counted when full */
    bool spare_elsewhere;      /* pool_is_spare of any other host */
    bool given_elsewhere;      /* pool_can_give of any other host; asked when one hangs */
} PoolRequest;

/* A request has come. */
void pool_arrived(PoolHost *host, uint64_t now_usec);
/* One was answered after so long, the opening of its connection not counted. */
void pool_answered(PoolHost *host, uint64_t took_usec);

/* How many connections count: an exchange that has begun is about to have one. */
unsigned pool_count(const PoolHost *host);
/* How many the host needs at its present rate, at least one. */
unsigned pool_need(const PoolHost *host, uint64_t now_usec);
/* Whether it has an idle connection, and two more than it needs. */
bool pool_is_spare(const PoolHost *host, uint64_t now_usec);
/* Whether it has an idle connection, and the others are enough for its rate, with a small margin. n_overdue:
 * as in PoolRequest. */
bool pool_can_give(const PoolHost *host, unsigned n_overdue, uint64_t now_usec);
/* Whether it does without an idle connection: it has more than it needs at its present rate, and so many
 * requests did not use this one that to open it again would be one connection for them all. used_at:
 * n_arrived when it was used. wants_trim: it is time to look for one. */
bool pool_is_unneeded(const PoolHost *host, uint64_t used_at, uint64_t now_usec);
bool pool_wants_trim(PoolHost *host);
/* How long a request waits for a connection before another one is opened; one that runs for longer hangs,
 * and is not waited for. More than 0. */
uint64_t pool_patience(const PoolHost *host);
/* How long one runs that the host is to get another's connection for. */
uint64_t pool_hung_usec(const PoolHost *host);
/* How long a request may go without an answer where all connections are in use and others wait: then it is
 * given up, to be asked again as a suspect one, which has all its time. Those that are given up without any
 * answer in between double it, so that a host which has become slow comes to answer. */
uint64_t pool_give_up_usec(const PoolHost *host);
void pool_gave_up(PoolHost *host);

/* What to do with a request. *ret_wait_usec: with POOL_WAIT how long until it may be decided otherwise,
 * more than 0; else 0. */
PoolDecision pool_decide(const Pool *pool, const PoolHost *host, const PoolRequest *request,
                         uint64_t *ret_wait_usec);
