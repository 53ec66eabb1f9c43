/* SPDX-License-Identifier: Apache-2.0 */
/* Searches for who did it, when the guard wants one. */
#include <errno.h>
#include <string.h>

#include "daemon/engine_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

static void search_done(const Attribution *found, void *userdata) {
    Trail *trail = userdata;

    trail->keeping.search = NULL;
    engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_ATTRIBUTED, .attribution = found });
}

void engine_search_actor(Trail *trail) {
    Engine *engine = trail->engine;
    const Attributing *at = &trail->state.attributing;
    const Settings *keep = &trail->keeping.keep;
    AttributeRequest request = {
        .aws = engine->aws.client,
        .credentials = trail->via->credentials,
        .region = trail->region,
        .trail_name = trail->name,
        .trail_arn = trail->arn,
        .foreign = engine_is_foreign(trail),
        .bucket = keep->values[FIELD_BUCKET],
        .bucket_region = trail->keeping.bucket_region,
        .key = keep->values[FIELD_KMS_KEY],
        .log_group = keep->values[FIELD_LOG_GROUP],
        .log_role = keep->values[FIELD_LOG_ROLE],
        .topic = keep->values[FIELD_SNS_TOPIC],
        .own_arn = trail->via->identity,
        .findings = at->findings,
        .fields = trail->state.incident.fields,
        .from_usec = at->from_usec,
        .until_usec = engine_now(engine).real_usec + 60 * USEC_PER_SEC,
    };
    Attribution failed = { .looked = false };
    int r;

    if (trail->keeping.search)
        return;
    r = attribute_start(&request, search_done, trail, &trail->keeping.search);
    if (r >= 0)
        return;
    (void)text_copy(failed.error_text, sizeof(failed.error_text), strerror(-r));
    engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_ATTRIBUTED, .attribution = &failed });
}
