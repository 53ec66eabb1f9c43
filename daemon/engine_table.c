/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's tables: which targets there are, and which trails are guarded. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* ---- targets ---- */

Target *engine_target(Engine *engine, const char *region, bool configured) {
    Target **grown, *target;

    for (size_t i = 0; i < engine->n_targets; i++)
        if (text_equal(engine->targets[i]->region, region)) {
            engine->targets[i]->configured |= configured;
            return engine->targets[i];
        }
    grown = realloc(engine->targets, (engine->n_targets + 1) * sizeof(*grown));
    if (!grown)
        return NULL;
    engine->targets = grown;
    target = calloc(1, sizeof(*target));
    if (!target)
        return NULL;
    target->engine = engine;
    target->configured = configured;
    (void)text_copy(target->region, sizeof(target->region), region);
    target->state.sight.event = target->state.cover.event = _EVENT_MAX;
    engine->targets[engine->n_targets++] = target;
    return target;
}

/* "all" is every region we know of the partition that the credentials belong to. */
int engine_add_configured_targets(Engine *engine) {
    const Partition *partition;

    for (size_t i = 0; i < engine->n_targets; i++)
        engine->targets[i]->configured = false;
    if (!engine->config->regions.all) {
        for (size_t i = 0; i < engine->config->regions.n; i++)
            if (!engine_target(engine, engine->config->regions.items[i], true))
                return -ENOMEM;
        return 0;
    }
    partition = engine->partition[0] ? endpoint_partition_by_id(engine->partition) : NULL;
    if (!partition)
        partition = endpoint_partition_of(engine->aws.region);
    for (const char *const *region = partition->regions; *region; region++)
        if (!engine_target(engine, *region, true))
            return -ENOMEM;
    return 0;
}

static void free_target(Target *target) {
    watch_cancel(target->watch);
    loop_cancel(target->engine->aws.loop, target->wake);
    free(target->looking_at);
    free(target);
}

Subject engine_target_subject(const Target *target) {
    return (Subject){
        .name = "", .arn = "", .account = target->engine->named_account, .region = target->region
    };
}

/* ---- trails ---- */

Subject engine_trail_subject(const Trail *trail) {
    return (Subject){
        .name = trail->name, .arn = trail->arn, .account = trail->account, .region = trail->region
    };
}

Trail *engine_trail_by_arn(Engine *engine, const char *arn) {
    for (size_t i = 0; i < engine->n_trails; i++)
        if (text_equal(engine->trails[i]->arn, arn))
            return engine->trails[i];
    return NULL;
}

static bool list_has(const StringList *list, const char *name, const char *arn) {
    for (size_t i = 0; i < list->n; i++)
        if (text_equal(list->items[i], name) || text_equal(list->items[i], arn))
            return true;
    return false;
}

bool engine_is_guarded(const Engine *engine, const char *name, const char *arn) {
    if (list_has(&engine->config->ignore, name, arn))
        return false;
    return engine->config->trails.all || list_has(&engine->config->trails, name, arn);
}

static void free_trail(Trail *trail) {
    act_cancel(trail->act);
    engine_free_keeping(trail);
    loop_cancel(trail->engine->aws.loop, trail->wake);
    free(trail->name);
    free(trail->arn);
    free(trail->account);
    free(trail->covers);
    free(trail);
}

/* Whether an organization trail is ours is known only once we know who we are; until AWS has said so (or
 * could not be asked) it is not written to. */
static void set_facts(Trail *trail) {
    const Engine *engine = trail->engine;

    trail->facts.writable =
            !trail->organization ||
            (engine->account[0] ? text_equal(engine->account, trail->account) : engine->identity_asked);
}

static Trail *add_trail(Engine *engine, const char *name, const char *arn, const char *account,
                        const char *region) {
    Trail **grown, *trail;

    grown = realloc(engine->trails, (engine->n_trails + 1) * sizeof(*grown));
    if (!grown)
        return NULL;
    engine->trails = grown;
    trail = calloc(1, sizeof(*trail));
    if (!trail)
        return NULL;
    trail->engine = engine;
    trail->name = strdup(name);
    trail->arn = strdup(arn);
    trail->account = strdup(account);
    (void)text_copy(trail->region, sizeof(trail->region), region);
    trail->state = trail->told = guard_trail_init();
    if (arn[0])
        trail->home = engine_target(engine, region, false);
    if (!trail->name || !trail->arn || !trail->account || (arn[0] && !trail->home)) {
        free_trail(trail);
        return NULL;
    }
    set_facts(trail);
    engine->trails[engine->n_trails++] = trail;
    return trail;
}

/* A trail by its ARN, guarded from now on. */
static Trail *add_trail_by_arn(Engine *engine, const char *text) {
    Arn arn;

    if (arn_parse(text, &arn) < 0 || !arn_is_trail(&arn))
        return NULL;
    return add_trail(engine, arn_name(&arn), text, arn.account, arn.region);
}

void engine_drop_trail(Engine *engine, Trail *trail) {
    for (size_t i = 0; i < engine->n_targets; i++) {
        Target *target = engine->targets[i];

        for (size_t k = 0; k < target->n_looking_at; k++)
            if (target->looking_at[k] == trail)
                target->looking_at[k] = NULL;
    }
    for (size_t i = 0; i < engine->n_trails; i++)
        if (engine->trails[i] == trail) {
            memmove(&engine->trails[i], &engine->trails[i + 1],
                    (engine->n_trails - i - 1) * sizeof(*engine->trails));
            engine->n_trails--;
            break;
        }
    free_trail(trail);
}

void engine_update_facts(Engine *engine) {
    for (size_t i = 0; i < engine->n_trails; i++) {
        Trail *trail = engine->trails[i];
        bool was = trail->facts.writable;

        set_facts(trail);
        if (was != trail->facts.writable && trail->state.known)
            engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_TIME });
    }
}

/* ---- what a list says ---- */

static bool trail_covers(const Trail *trail, const Target *target) {
    for (size_t i = 0; i < trail->n_covers; i++)
        if (trail->covers[i] == target)
            return true;
    return false;
}

static void set_covers(Trail *trail, Target *target) {
    Target **grown;

    if (trail_covers(trail, target))
        return;
    grown = realloc(trail->covers, (trail->n_covers + 1) * sizeof(*grown));
    if (!grown)
        return; /* only softens region.uncovered */
    trail->covers = grown;
    trail->covers[trail->n_covers++] = target;
}

static void note_ignored(Engine *engine, const char *arn) {
    char **grown;

    for (size_t i = 0; i < engine->n_ignored; i++)
        if (text_equal(engine->ignored[i], arn))
            return;
    grown = realloc(engine->ignored, (engine->n_ignored + 1) * sizeof(*grown));
    if (!grown)
        return;
    engine->ignored = grown;
    engine->ignored[engine->n_ignored] = strdup(arn);
    engine->n_ignored += engine->ignored[engine->n_ignored] != NULL;
}

/* A named trail that was waited for has been found: its stand-in has done its work. */
void engine_forget_trail(Trail *trail) {
    Observation found = { .kind = OBSERVED_STATUS, .is_logging = true };

    log_line(LOG_NOTICE, "%s: accepted as gone: no longer guarding it", trail->arn);
    engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_LOOKED, .seen = &found });
    engine_drop_trail(trail->engine, trail);
}

static void dismiss_stand_in(Engine *engine, const char *name) {
    for (size_t i = 0; i < engine->n_trails; i++) {
        Trail *trail = engine->trails[i];
        Observation found = { .kind = OBSERVED_STATUS, .is_logging = true };

        if (trail->arn[0] || !text_equal(trail->name, name))
            continue;
        engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_LOOKED, .seen = &found });
        engine_drop_trail(engine, trail);
        return;
    }
}

static Trail *take_new_trail(Engine *engine, const Target *target, const CloudTrailTrail *listed) {
    Trail *trail;

    /* our own target is here only for other trails' sake */
    if (!target->configured && !listed->multi_region && !listed->organization)
        return NULL;
    trail = add_trail_by_arn(engine, listed->arn);
    if (!trail)
        return NULL;
    if (!trail->home->configured)
        log_line(LOG_NOTICE, "%s covers %s but lives in %s, which is not configured: guarding it there",
                 trail->name, target->region, trail->region);
    return trail;
}

static void take_listed(Engine *engine, Target *target, const CloudTrailTrail *listed) {
    Trail *trail = engine_trail_by_arn(engine, listed->arn);
    bool is_new = !trail;

    if (!engine_is_guarded(engine, listed->name, listed->arn)) {
        note_ignored(engine, listed->arn);
        return;
    }
    if (!trail)
        trail = take_new_trail(engine, target, listed);
    if (!trail)
        return;
    trail->organization = listed->organization;
    trail->multi_region = listed->multi_region;
    trail->facts.validation = listed->validation;
    set_facts(trail);
    if (is_new)
        dismiss_stand_in(engine, listed->name);
    set_covers(trail, target);
}

void engine_take_list(Engine *engine, Target *target, const CloudTrailTrails *list) {
    for (size_t i = 0; i < list->n; i++)
        take_listed(engine, target, &list->items[i]);
    target->listed = true;

    /* a trail that covered only a region that is no longer configured is not guarded any more */
    for (size_t i = engine->n_trails; i-- > 0;) {
        Trail *trail = engine->trails[i];

        if (trail->home == target && !target->configured && !trail->multi_region && !trail->organization &&
            trail->n_covers > 0 && trail->state.known && !trail->act) {
            log_line(LOG_NOTICE, "%s: region %s is not configured any more: no longer guarding it",
                     trail->name, trail->region);
            engine_drop_trail(engine, trail);
        }
    }
}

/* Once every configured target has been listed, a name that no trail has is a trail that is missing. */
void engine_check_named(Engine *engine) {
    Observation absent = { .kind = OBSERVED_ABSENT };

    for (size_t i = 0; i < engine->n_targets; i++)
        if (engine->targets[i]->configured && !engine->targets[i]->listed &&
            !engine->targets[i]->state.not_enabled)
            return;
    for (size_t i = 0; i < engine->config->trails.n; i++) {
        const char *name = engine->config->trails.items[i];
        Trail *found = NULL;

        if (text_starts_with(name, "arn:"))
            continue;
        for (size_t k = 0; k < engine->n_trails && !found; k++)
            if (text_equal(engine->trails[k]->name, name))
                found = engine->trails[k];
        if (!found)
            found = add_trail(engine, name, "", engine->named_account, "");
        if (found && !found->arn[0])
            engine_decide_trail(found, &(TrailInput){ .kind = GUARD_LOOKED, .seen = &absent });
    }
}

/* ---- the state file ---- */

static int load_target(Engine *engine, const StateTarget *row) {
    Target *target = NULL;

    for (size_t i = 0; i < engine->n_targets; i++)
        if (text_equal(engine->targets[i]->region, row->region))
            target = engine->targets[i];
    if (target)
        target->state = row->state;
    /* an incident's messages belong together by the account too, and AWS may be slow to say which it is */
    if (!engine->named_account[0])
        (void)text_copy(engine->named_account, sizeof(engine->named_account), row->account);
    return 0;
}

static int load_trail(Engine *engine, const StateTrail *row) {
    Trail *trail;

    if (!engine_is_guarded(engine, row->name, row->arn) || (!row->arn[0] && engine->config->trails.all))
        return 0;
    trail = add_trail(engine, row->name, row->arn, row->account, row->region);
    if (!trail)
        return -ENOMEM;
    trail->organization = row->organization;
    trail->facts.validation = row->validation;
    trail->state = trail->told = row->state;
    set_facts(trail);
    return 0;
}

static int add_trails_named_by_arn(Engine *engine) {
    for (size_t i = 0; i < engine->config->trails.n; i++) {
        const char *arn = engine->config->trails.items[i];

        if (text_starts_with(arn, "arn:") && !engine_trail_by_arn(engine, arn) &&
            !add_trail_by_arn(engine, arn))
            return -ENOMEM;
    }
    return 0;
}

int engine_load_state(Engine *engine, char error[static ENGINE_ERROR_MAX]) {
    int r = 0;

    if (!engine->once)
        r = state_load(engine->state_dir, engine_now(engine).real_usec, &engine->parked, error,
                       ENGINE_ERROR_MAX);
    for (size_t i = 0; r >= 0 && i < engine->parked.n_trails; i++)
        r = load_trail(engine, &engine->parked.trails[i]);
    for (size_t i = 0; r >= 0 && i < engine->parked.n_targets; i++)
        r = load_target(engine, &engine->parked.targets[i]);
    if (r >= 0)
        r = add_trails_named_by_arn(engine);
    if (r == -ENOMEM)
        (void)snprintf(error, ENGINE_ERROR_MAX, "out of memory");
    return r;
}

static bool is_parked(const Engine *engine, const StateTrail *row) {
    for (size_t i = 0; i < engine->n_trails; i++)
        if (text_equal(engine->trails[i]->arn, row->arn) && text_equal(engine->trails[i]->name, row->name))
            return false;
    return !engine_is_guarded(engine, row->name, row->arn);
}

static int add_failed_channels(const Engine *engine, StateTable *table) {
    size_t n = engine->deliver ? deliver_n_channels(engine->deliver) : 0;

    table->channels = calloc(n + 1, sizeof(*table->channels));
    if (!table->channels)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        ChannelTrouble *trouble = &table->channels[table->n_channels];
        ChannelStatus status;

        deliver_channel_status(engine->deliver, i, &status);
        if (!status.failed)
            continue;
        trouble->channel = (char *)status.channel;
        trouble->since_usec = status.failed_since_usec;
        (void)text_copy(trouble->text, sizeof(trouble->text), status.text);
        table->n_channels++;
    }
    return 0;
}

/* Trails that this configuration does not guard stay in the file: a trail that was seen once is not
 * forgotten. */
void engine_save_state(Engine *engine) {
    StateTable table = { 0 };
    int r;

    table.trails = calloc(engine->n_trails + engine->parked.n_trails + 1, sizeof(*table.trails));
    table.targets = calloc(engine->n_targets + 1, sizeof(*table.targets));
    if (!table.trails || !table.targets || add_failed_channels(engine, &table) < 0)
        goto out;
    for (size_t i = 0; i < engine->n_trails; i++) {
        Trail *t = engine->trails[i];

        if (t->told.known || t->told.incident.opened_usec != 0)
            table.trails[table.n_trails++] = (StateTrail){
                .name = t->name,
                .arn = t->arn,
                .account = t->account,
                .region = t->region,
                .organization = t->organization,
                .validation = t->facts.validation,
                .state = t->told,
            };
    }
    for (size_t i = 0; i < engine->parked.n_trails; i++)
        if (is_parked(engine, &engine->parked.trails[i]))
            table.trails[table.n_trails++] = engine->parked.trails[i];
    for (size_t i = 0; i < engine->n_targets; i++)
        table.targets[table.n_targets++] = (StateTarget){
            .account = engine->named_account,
            .region = engine->targets[i]->region,
            .state = engine->targets[i]->state,
        };

    r = state_save(engine->state_dir, &table);
    if (r < 0 && !engine->save_failed)
        log_line(LOG_ERR,
                 "%s/state.json: cannot be written: %s; a restart would tell again what was told since",
                 engine->state_dir, strerror(-r));
    else if (r >= 0 && engine->save_failed)
        log_line(LOG_NOTICE, "%s/state.json: written again", engine->state_dir);
    engine->save_failed = r < 0;
out:
    free(table.trails);
    free(table.targets);
    free(table.channels);
}

void engine_free_tables(Engine *engine) {
    for (size_t i = 0; i < engine->n_trails; i++)
        free_trail(engine->trails[i]);
    for (size_t i = 0; i < engine->n_targets; i++)
        free_target(engine->targets[i]);
    for (size_t i = 0; i < engine->n_ignored; i++)
        free(engine->ignored[i]);
    free(engine->trails);
    free(engine->targets);
    free(engine->ignored);
    engine->trails = NULL;
    engine->targets = NULL;
    engine->ignored = NULL;
    engine->n_trails = engine->n_targets = engine->n_ignored = 0;
    state_table_done(&engine->parked);
}
