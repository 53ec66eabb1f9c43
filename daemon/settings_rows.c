/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of `accept`: trails with their recorded settings. */
#include "daemon/settings_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/baselines.h"
#include "daemon/core/scope.h"
#include "daemon/core/settings.h"
#include "lib/arn.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* The first call that failed. */
static const char *unreadable_of(const Trail *trail) {
    const Observation *seen = trail->tracking.errors;

    for (Unreadable u = 0; seen && u < _UNREADABLE_MAX; u++)
        if (seen->unreadable[u][0])
            return seen->unreadable[u];
    return "";
}

static ShownAs shown_as(const Trail *trail) {
    const AccountScope scope = engine_account_scope(trail->via);
    bool owned = text_equal(engine_account_named(trail->via), trail->account);
    const ShownTrail in = {
        .missing = engine_is_missing(trail),
        .owned = text_equal(trail->via->id, trail->account),
        .others_keys = scope_has_others_keys(&scope, owned, trail->organization),
        .read = settings_can_be_recorded(trail->tracking.actual),
    };

    return scope_shown_as(&in);
}

static EngineSettings row_of(const Trail *trail) {
    ShownAs as = shown_as(trail);

    return (EngineSettings){
        .subject = engine_trail_subject(trail),
        .recorded = trail->tracking.recorded ? trail->tracking.baseline : NULL,
        .actual = trail->tracking.actual,
        .unread = engine_not_known(trail, trail->tracking.actual),
        .gone = as == SHOWN_GONE,
        .error = as == SHOWN_NOT_ITS_ACCOUNT ? ENGINE_NOT_ITS_ACCOUNT : unreadable_of(trail),
    };
}

/* Adds recorded trails that are not in the table; the rows borrow from arns and parsed. */
static size_t add_unasked(Engine *engine, char **arns, size_t n_arns, size_t n_baselines,
                          EngineSettings *rows, Arn *parsed) {
    static const Settings unknown;
    size_t n = 0;

    for (size_t i = 0; i < n_arns; i++) {
        bool remembered = i >= n_baselines;
        Arn *arn = &parsed[n];
        const Account *owner;

        if (engine_trail_by_arn(engine, arns[i]) || arn_parse(arns[i], arn) < 0 ||
            engine_is_accepted_as_gone(engine, arns[i]))
            continue;
        owner = engine_account_by_id(engine, arn->account);
        rows[n] = (EngineSettings){
            .subject = { .name = arn_name(arn),
                         .arn = arns[i],
                         .account = arn->account,
                         .region = arn->region },
            .actual = &unknown,
            .unasked = true,
            .foreign = !owner || !owner->guarded,
            .remembered = remembered,
        };
        rows[n].error = rows[n].foreign ? ENGINE_NOT_ITS_ACCOUNT : "the configuration does not guard it";
        n++;
    }
    return n;
}

/* Adds trails that were guarded but have no baseline yet. Those that the configuration guards are in the
 * table. */
static int add_remembered(const Engine *engine, char ***arns, size_t *n) {
    const StateTable *recorded = &engine->recorded;
    char **grown = realloc(*arns, (*n + recorded->n_trails + 1) * sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    *arns = grown;
    for (size_t i = 0; i < recorded->n_trails; i++) {
        const StateTrail *row = &recorded->trails[i];
        bool listed = !row->arn[0] || !row->state.known;

        for (size_t k = 0; !listed && k < *n; k++)
            listed = text_equal(grown[k], row->arn);
        if (listed)
            continue;
        grown[*n] = strdup(row->arn);
        if (!grown[*n])
            return -ENOMEM;
        (*n)++;
    }
    return 0;
}

void settings_rows_unlisted(const Engine *engine, char dst[static ERROR_TEXT_MAX]) {
    dst[0] = '\0';
    for (size_t i = 0; i < engine->n_accounts; i++) {
        const Account *account = engine->accounts[i];

        if (account->guarded && TARGET_STATE(account, n_failed) > 0)
            (void)text_copy(dst, ERROR_TEXT_MAX, states_target(account->state).error_text);
    }
    for (size_t i = 0; !dst[0] && i < engine->n_targets; i++) {
        const Target *target = engine->targets[i];
        const TargetState s = states_target(target->state);

        if (engine_list_is_to_come(target))
            (void)snprintf(dst, ERROR_TEXT_MAX, "%s %s: %.300s", target->region,
                           engine_account_named(target->account),
                           s.n_failed > 0 ? s.error_text : s.list_error_text);
    }
    if (!dst[0])
        (void)text_copy(dst, ERROR_TEXT_MAX, engine->problem[0] ? engine->problem : engine->record_problem);
}

int settings_rows_recorded(SettingsRows *rows, const char *state_dir, char error[static ENGINE_ERROR_MAX]) {
    int r = baseline_file_list(state_dir, &rows->arns, &rows->n_arns);

    if (r < 0) /* recorded settings can be neither compared nor called gone */
        (void)snprintf(error, ENGINE_ERROR_MAX, "%s/baselines: cannot be read: %s", state_dir,
                       file_strerror(r));
    return r;
}

int settings_rows_fill(Engine *engine, SettingsRows *rows) {
    size_t n_baselines = rows->n_arns;
    int r = add_remembered(engine, &rows->arns, &rows->n_arns);

    rows->rows = calloc(engine->n_trails + rows->n_arns + 1, sizeof(*rows->rows));
    rows->parsed = calloc(rows->n_arns + 1, sizeof(*rows->parsed));
    if (r < 0 || !rows->rows || !rows->parsed)
        return -ENOMEM;
    for (size_t i = 0; i < engine->n_trails; i++)
        if (engine->trails[i]->arn[0])
            rows->rows[rows->n++] = row_of(engine->trails[i]);
    rows->n +=
            add_unasked(engine, rows->arns, rows->n_arns, n_baselines, rows->rows + rows->n, rows->parsed);
    return 0;
}

void settings_rows_done(SettingsRows *rows) {
    for (size_t i = 0; i < rows->n_arns; i++)
        free(rows->arns[i]);
    free(rows->arns);
    free(rows->rows);
    free(rows->parsed);
    *rows = (SettingsRows){ 0 };
}
