/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/tls_health.h"

#include "lib/util/macros.h"

#define SILENCE_USEC (600 * USEC_PER_SEC)
#define FAILED_MAX   2U

TlsStep tls_health_step(TlsHealth *health, TlsSign sign, uint64_t now_usec) {
    if (sign == TLS_ANSWERED || sign == TLS_OURSELVES_GOOD) {
        *health = (TlsHealth){ .worked_usec = now_usec };
        return TLS_GO_ON;
    }
    if (sign == TLS_OURSELVES_FAILED)
        return ++health->n_failed >= FAILED_MAX ? TLS_END : TLS_GO_ON;
    return health->worked_usec != 0 && now_usec - health->worked_usec >= SILENCE_USEC ? TLS_TRY_OURSELVES
                                                                                     : TLS_GO_ON;
}
