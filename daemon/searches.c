/* SPDX-License-Identifier: Apache-2.0 */
/* Searches for the caller, when the guard requests one. */
#include "daemon/searches.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "daemon/apply_plan.h"
#include "daemon/log.h"
#include "lib/util/macros.h"
#include "lib/util/shared_text.h"
#include "lib/util/text.h"

/* Logs each caller once, up to a limit. */
static void hint_at_guard(Engine *engine, const Actor *actor) {
    char shown[ACTOR_ARN_MAX];

    if (!actor->unnamed_guard || engine->n_hinted == GUARDS_HINTED_MAX)
        return;
    for (size_t i = 0; i < engine->n_hinted; i++)
        if (text_equal(engine->hinted[i], actor->arn))
            return;
    (void)text_copy(engine->hinted[engine->n_hinted++], sizeof(engine->hinted[0]), actor->arn);
    log_line(LOG_WARNING,
             "%s may be another TrailGuard that trailguard.conf does not name: if it is yours, add it to "
             "guards",
             text_escaped(shown, sizeof(shown), actor->arn));
}

static void hint_at_guards(Engine *engine, const Attribution *found) {
    if (found->found)
        hint_at_guard(engine, &found->actor);
    for (unsigned i = 0; i < found->n_attempts; i++)
        hint_at_guard(engine, &found->attempts[i]);
}

static void search_done(const Attribution *found, void *userdata) {
    Trail *trail = userdata;

    trail->tracking.search = NULL;
    hint_at_guards(trail->engine, found);
    engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_ATTRIBUTED, .attribution = found });
}

static void search_failed(Trail *trail, const char *why) {
    const Attribution failed = guard_search_failed(why);

    engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_ATTRIBUTED, .attribution = &failed });
}

static void put_search_off(Trail *trail, unsigned n_searched) {
    static const char why[] = "AWS has not said yet which account and identity TrailGuard has";

    if (n_searched == 0)
        log_line(LOG_NOTICE, "%s %s %s: who did it is searched for later: %s", trail->name, trail->region,
                 trail->account, why);
    search_failed(trail, why);
}

void engine_search_actor(Trail *trail) {
    const Engine *engine = trail->engine;
    const TrailState state = states_trail(trail->state);
    const Attributing *at = &state.attributing;
    const Settings *desired = trail->tracking.desired;
    uint64_t real_usec = engine_now(engine).real_usec;
    const Observation *errors = trail->tracking.errors;
    const AttributeKeys keys = { .aws = engine->aws.client, .credentials = trail->via->credentials };
    AttributeRequest request = {
        .region = trail->region,
        .trail_name = trail->name,
        .trail_arn = trail->arn,
        .foreign = engine_is_foreign(trail),
        .bucket = desired->values[FIELD_BUCKET],
        .bucket_region = shared_text_or_empty(trail->tracking.bucket_region),
        .prefix = desired->values[FIELD_PREFIX],
        .organization = text_equal(desired->values[FIELD_ORGANIZATION], "true"),
        .key = desired->values[FIELD_KMS_KEY],
        .key_store = shared_text_or_empty(trail->tracking.key_store),
        .log_group = desired->values[FIELD_LOG_GROUP],
        .log_role = desired->values[FIELD_LOG_ROLE],
        .topic = desired->values[FIELD_SNS_TOPIC],
        .own_arn = trail->via->identity,
        .former_arn = engine->identities.former,
        .former_until_usec = trail->via->role_arn ? 0 : engine->identities.former_until_usec,
        .guards = engine->config->guards.items,
        .n_guards = engine->config->guards.n,
        .findings = at->findings,
        .delivery_code = errors ? errors->delivery_error : NULL,
        .fields = at->fields,
        .from_usec = at->from_usec,
        .until_usec = guard_search_until(at, real_usec),
        .stop_usec = guard_sought_stop(&state),
        .seen_usec = at->noticed_usec != 0 ? at->noticed_usec : at->seen_usec,
        .reached_usec = at->reached_usec,
        .late_usec = guard_latest_event(real_usec),
    };
    int r;

    if (trail->tracking.search)
        return;
    if (!guard_search_may_begin(trail->via->identity, trail->via->identity_is_not_there)) {
        put_search_off(trail, at->n_tries);
        return;
    }
    r = attribute_start(&keys, &request, search_done, trail, &trail->tracking.search);
    if (r < 0)
        search_failed(trail, strerror(-r));
}

/* ---- accounts that left, or cannot be reached ---- */

static void departure_done(const Attribution *found, void *userdata) {
    Account *account = userdata;

    account->search = NULL;
    engine_account_attributed(account, found);
}

/* The role usually remains after an account has left: if someone made it leave from inside, its own history
 * shows the caller. */
void engine_search_departure(Account *account) {
    const Engine *engine = account->engine;
    const Account *management = engine_management(engine);
    const TargetState state = states_target(account->state);
    const Attributing *at = &state.attributing;
    const AttributeKeys keys = {
        .aws = engine->aws.client,
        .credentials = management ? management->credentials : NULL,
        .member_credentials = account->credentials,
    };
    AttributeRequest request = {
        .region = engine->aws.region,
        .member = account->id,
        .reads_member = account->left && account->credentials,
        .own_arn = management ? management->identity : NULL,
        .guards = engine->config->guards.items,
        .n_guards = engine->config->guards.n,
        .findings = at->findings,
        .from_usec = at->from_usec,
        .until_usec = guard_latest_event(engine_now(engine).real_usec),
        .reached_usec = at->reached_usec,
    };
    Attribution failed;
    int r;

    if (account->search)
        return;
    r = management ? attribute_start(&keys, &request, departure_done, account, &account->search) : -ENXIO;
    if (r >= 0)
        return;
    failed = guard_search_failed(management ? strerror(-r)
                                            : "the organization's accounts could not be listed, so the "
                                              "management account is not known");
    engine_account_attributed(account, &failed);
}
