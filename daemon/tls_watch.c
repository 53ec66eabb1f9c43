/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tls_watch.h"

#include <stdlib.h>

#include "daemon/core/tls_health.h"
#include "lib/ca_store.h"
#include "lib/http_curl.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"

#define LOOK_USEC (60 * USEC_PER_SEC)

static TlsSign take_sign(Engine *engine) {
    HttpCurlStats stats;
    uint64_t before = engine->tls_answers;

    http_curl_stats(engine->aws.http, &stats);
    engine->tls_answers = stats.tls_answers;
    return stats.tls_answers != before ? TLS_ANSWERED : TLS_SILENT;
}

/* Without hashes no request is signed, and none is made. */
static TlsSign try_ourselves(void) {
    return hash_check() < 0 || ca_store_check_tls() < 0 ? TLS_OURSELVES_FAILED : TLS_OURSELVES_GOOD;
}

static void look(void *userdata) {
    Engine *engine = userdata;
    uint64_t now_usec = engine_now(engine).mono_usec;
    TlsStep step = tls_health_step(&engine->tls, take_sign(engine), now_usec);

    engine->tls_timer = NULL;
    (void)loop_after(engine->aws.loop, LOOK_USEC, look, engine, &engine->tls_timer);
    if (step == TLS_TRY_OURSELVES)
        step = tls_health_step(&engine->tls, try_ourselves(), now_usec);
    if (step != TLS_END)
        return;
    engine->ends_because = "TLS no longer works in this process: no host has answered for 10 minutes, and "
                           "OpenSSL fails without one too; exiting, so that a new process can start";
    (void)sd_event_exit(engine->event, EXIT_FAILURE);
}

void engine_watch_tls(Engine *engine) {
    engine->tls_answers = 0;
    (void)loop_after(engine->aws.loop, LOOK_USEC, look, engine, &engine->tls_timer);
}
