/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Can this process still connect over TLS? What OpenSSL could not make when it was to, for want of memory,
 * it may never make again: each handshake then fails here, whoever the peer is, and only a new process
 * helps. Pure. */

#include <stdbool.h>
#include <stdint.h>

/* The first two are about all hosts since the last step. Why nobody answers, silence does not say: it may be
 * the network, the peers, or this process. A handshake with ourselves, in memory, does. */
typedef enum TlsSign {
    TLS_SILENT,           /* no exchange over TLS was answered */
    TLS_ANSWERED,         /* one was */
    TLS_OURSELVES_GOOD,   /* a handshake with ourselves went well */
    TLS_OURSELVES_FAILED, /* ... or not */
    _TLS_SIGN_MAX,
} TlsSign;

typedef enum TlsStep {
    TLS_GO_ON,
    TLS_TRY_OURSELVES, /* shake hands with ourselves, and take a step with what came of it */
    TLS_END,           /* the process: it has lost what TLS needs */
} TlsStep;

/* All zeros at the start of a process, and kept over reloads. */
typedef struct TlsHealth {
    uint64_t worked_usec; /* mono; when TLS last worked; 0: not yet in this process, and no new one would
                           * help */
    unsigned n_failed;    /* handshakes with ourselves, in a row: one may have lacked memory just then */
} TlsHealth;

TlsStep tls_health_step(TlsHealth *health, TlsSign sign, uint64_t now_usec);
