/* SPDX-License-Identifier: Apache-2.0 */
/* Which trails are guarded, and through which account each is polled. */
#include "daemon/trails.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/apply_plan.h"
#include "daemon/baselines.h"
#include "daemon/core/guard.h"
#include "daemon/core/scope.h"
#include "daemon/core/settings.h"
#include "daemon/core/settings_kept.h"
#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "daemon/resume.h"
#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

void engine_update_facts(Account *account) {
    for (size_t i = 0; i < account->n_targets; i++)
        for (size_t k = 0; k < account->targets[i]->n_trails; k++) {
            Trail *trail = account->targets[i]->trails[k];
            bool was = trail->facts.writable;

            engine_set_facts(trail);
            if (was != trail->facts.writable && TRAIL_STATE(trail, known))
                engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_TIME });
        }
}

static Viewed viewed(const Trail *trail) {
    return (Viewed){ .organization = trail->organization,
                     .lives = trail->home,
                     .acted_on = trail->remediation };
}

static bool may_change_viewer(const Trail *trail, const Account *account) {
    const Viewed it = viewed(trail);

    return trail->via != account && viewed_may_move(&it);
}

static void change_viewer(Trail *trail, Account *account) {
    engine_stop_tracking(trail); /* it uses the other account's credentials */
    engine_detach_trail(trail);
    if (!engine_is_guarded(account, trail->name, trail->arn))
        engine_forget_trail(trail, scope_ended_text(ENDED_NOT_NAMED));
    else if (engine_attach_trail(trail, account) < 0)
        engine_drop_trail(trail->engine, trail);
}

void engine_adopt_trails(Account *account) {
    Engine *engine = account->engine;
    bool open = engine_account_is_open(account);

    for (size_t i = engine->n_trails; i-- > 0;) {
        Trail *trail = engine->trails[i];
        Viewer viewer = { .open = open, .owner = text_equal(trail->account, account->id) };

        if (may_change_viewer(trail, account) && viewer_adopts(&viewer))
            change_viewer(trail, account);
    }
}

int engine_begin_account(Account *account) {
    int r = engine_resume_account(account);

    engine_adopt_trails(account);
    account->begun = true;
    return r;
}

/* ---- organization trails, which several accounts can see ---- */

static Viewer viewer_of(const Account *account, const Trail *trail) {
    const Target *home = engine_target_at(account, trail->region);

    return (Viewer){
        .open = engine_account_is_open(account),
        .guards = engine_is_guarded(account, trail->name, trail->arn),
        .owner = text_equal(trail->account, account->id),
        .base = account == trail->engine->base,
        .n_home_failed = home ? TARGET_STATE(home, n_failed) : 0,
    };
}

static bool has_shown(const Target *target, const Trail *trail) {
    for (size_t i = 0; i < target->n_shown; i++)
        if (target->shown[i] == trail)
            return true;
    return false;
}

static void find_viewer(Trail *trail) {
    Engine *engine = trail->engine;
    const Viewed it = viewed(trail);
    const Viewer via = viewer_of(trail->via, trail);

    if (!viewer_is_lost(&it, &via, engine_intervals(engine).unreachable_after))
        return;
    for (size_t i = 0; i < engine->n_targets; i++) {
        Target *target = engine->targets[i];
        Account *account = target->account;
        Viewer other;

        if (account == trail->via || !has_shown(target, trail))
            continue;
        other = viewer_of(account, trail);
        other.n_failed = TARGET_STATE(target, n_failed);
        if (!viewer_can_take_over(&other))
            continue;
        log_line(LOG_NOTICE,
                 "%s %s %s: polled through account %s from now on: through %s it cannot be polled",
                 trail->name, trail->region, trail->account, engine_account_named(account),
                 engine_account_named(trail->via));
        change_viewer(trail, account);
        return;
    }
}

void engine_find_viewers(Account *account) {
    Engine *engine = account->engine;

    for (size_t i = engine->n_trails; i-- > 0;)
        if (engine->trails[i]->via == account)
            find_viewer(engine->trails[i]);
}

/* A list has shown the trail. Its owner polls it if possible; otherwise any account that can. */
static void take_viewer(Trail *trail, Target *target) {
    Account *account = target->account;
    Viewer other;

    if (!may_change_viewer(trail, account))
        return;
    other = viewer_of(account, trail);
    if (viewer_is_better(&other, engine_is_foreign(trail)))
        change_viewer(trail, account);
    else
        find_viewer(trail);
}

/* Drops the row that the target was loaded from, which would end the same incidents again. */
static void forget_target(Target *target, const char *why) {
    StateTable *unclaimed = &target->engine->unclaimed;
    Subject subject = engine_target_subject(target);
    TargetState state = states_target(target->state);

    if (!guard_target_owes_end(&state))
        return;
    engine_forget_target(target->engine, &subject, &state, why);
    (void)states_keep_target(&target->state, &state);
    for (size_t i = 0; i < unclaimed->n_targets; i++)
        if (text_equal(unclaimed->targets[i].account, subject.account) &&
            text_equal(unclaimed->targets[i].region, subject.region))
            unclaimed->targets[i].state = state;
}

void engine_unguard(Account *account, const char *why) {
    Engine *engine = account->engine;

    account->guarded = false;
    for (size_t i = 0; i < account->n_targets; i++)
        forget_target(account->targets[i], why);
    for (size_t i = engine->n_trails; i-- > 0;)
        if (engine->trails[i]->via == account)
            engine_forget_trail(engine->trails[i], why);
    engine_drop_targets(account);
}

/* ---- taking a list ---- */

static void set_covers(Trail *trail, Target *target) {
    /* without memory only region.uncovered is less exact */
    if (!has_shown(target, trail))
        trail->n_covers += ARRAY_APPEND(target->shown, target->n_shown, trail);
}

static void note_ignored(Engine *engine, const char *arn) {
    char *copy;

    for (size_t i = 0; i < engine->n_ignored; i++)
        if (text_equal(engine->ignored[i], arn))
            return;
    copy = strdup(arn);
    if (copy && !ARRAY_APPEND(engine->ignored, engine->n_ignored, copy))
        free(copy);
}

/* Named trails that were never found have no home region; there are few. */
static Trail *placeholder(const Account *account, const char *name) {
    const Engine *engine = account->engine;

    for (size_t i = 0; i < engine->n_trails; i++)
        if (!engine->trails[i]->arn[0] && engine->trails[i]->via == account &&
            text_equal(engine->trails[i]->name, name))
            return engine->trails[i];
    return NULL;
}

void engine_forget_trail(Trail *trail, const char *why) {
    bool provisional = TRAIL_STATE(trail, provisional); /* its state is cleared below */

    engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_FORGOTTEN, .why = why });
    engine_remove_intent(trail);
    if (provisional)
        engine_drop_unaccepted(trail);
    engine_drop_trail(trail->engine, trail);
}

/* The named trail has been found: removes its placeholder. */
static void dismiss_placeholder(Account *account, const char *name) {
    Trail *trail = config_account_trails(account->engine->config, account->config)->all
                           ? NULL
                           : placeholder(account, name);

    if (!trail)
        return;
    engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_LISTED });
    engine_drop_trail(account->engine, trail);
}

/* ---- how many trails are kept ---- */

static size_t count_kept(const Account *account) {
    size_t n = 0;

    for (size_t i = 0; i < account->n_targets; i++)
        n += account->targets[i]->n_trails;
    return n;
}

/* NULL: none can be dropped, or no memory. */
static Trail *trail_to_drop(const Account *account, size_t n) {
    const Engine *engine = account->engine;
    _cleanup_free_ KeptTrail *kept = calloc(n + 1, sizeof(*kept));
    _cleanup_free_ Trail **trails = calloc(n + 1, sizeof(*trails));
    size_t n_found = 0, found;

    for (size_t i = 0; kept && trails && i < engine->n_trails && n_found < n; i++) {
        Trail *trail = engine->trails[i];

        if (trail->via != account || !trail->home)
            continue;
        kept[n_found] = (KeptTrail){ TRAIL_STATE(trail, provisional), engine_is_missing(trail),
                                     TRAIL_STATE(trail, first_seen_usec) };
        trails[n_found++] = trail;
    }
    found = n_found > 0 ? scope_trail_to_drop(kept, n_found) : 0;
    return found < n_found ? trails[found] : NULL;
}

/* Logged once: an attacker who creates trails without end must not fill the journal. */
static void report_full(Account *account, const char *name, bool dropped) {
    JournalEntry entry = { .line = LINE_TRAILS_FULL };
    Subject subject = engine_account_subject(account);

    if (account->full_reported)
        return;
    account->full_reported = true;
    (void)snprintf(
            entry.detail, sizeof(entry.detail), "%u: %s %.128s", SCOPE_TRAILS_MAX,
            dropped ? "the oldest of those that are gone and that nobody had accepted is forgotten for"
                    : "without room for",
            name);
    account->engine->sink->entry(&subject, &entry, "", engine_now(account->engine).real_usec);
}

/* True if there is room for one more, or a trail could be dropped. */
static bool make_room(Account *account, const char *name) {
    size_t n = count_kept(account);
    Trail *dropped;

    if (n < SCOPE_TRAILS_MAX)
        return true;
    dropped = trail_to_drop(account, n);
    report_full(account, name, dropped);
    if (!dropped)
        return false;
    engine_forget_trail(dropped,
                        "nobody had accepted it, it is gone, and its account has had too many such");
    return true;
}

static void judge_newcomer(Trail *trail, const Target *target, const CloudTrailTrail *listed) {
    Newcomer in = {
        .trust = trail->engine->config->trust_new,
        .listed_before = TARGET_STATE(target, settled) ||
                         TARGET_STATE(target, listed_names) == engine_hash_names(target->account),
        .known = TRAIL_STATE(trail, known),
        .missing = engine_is_missing(trail),
        .named = engine_is_named(trail),
    };
    Settings actual;

    /* the first lists have thousands of trails: each would be compared with all */
    if (in.listed_before && in.named)
        in.namesake = engine_has_namesake(trail);
    /* state of an earlier run is loaded already; the baseline may be all that is left of it */
    if (!in.known && !trail->tracking.recorded)
        engine_resume_baseline(trail);
    in.recorded = trail->tracking.recorded;
    actual = *trail->tracking.actual;
    if (!newcomer_is_provisional(&in))
        return;
    SET_TRAIL_STATE(trail, provisional, true);
    /* for the message, which may be sent before all settings were read */
    actual.values[FIELD_BUCKET] = (char *)(listed->bucket ? listed->bucket : "");
    actual.values[FIELD_PREFIX] = (char *)(listed->prefix ? listed->prefix : "");
    actual.values[FIELD_LOG_GROUP] = (char *)(listed->log_group ? listed->log_group : "");
    actual.values[FIELD_KMS_KEY] = (char *)(listed->kms_key ? listed->kms_key : "");
    (void)settings_keep(&trail->tracking.actual, &actual);
}

static Listing listing_of(const Target *target, const CloudTrailTrail *listed) {
    return (Listing){ target->configured, listed->multi_region || listed->organization };
}

static Trail *take_new_trail(const Target *target, const CloudTrailTrail *listed) {
    const Listing listing = listing_of(target, listed);
    Trail *trail;

    if (!listing_covers(&listing))
        return NULL;
    if (!make_room(target->account, listed->name))
        return NULL;
    trail = engine_add_trail_by_arn(target->account, listed->arn);
    if (!trail)
        return NULL;
    engine_claim_row(trail);
    judge_newcomer(trail, target, listed);
    if (!trail->home->configured)
        log_line(LOG_NOTICE, "%s covers %s but lives in %s, which is not configured: guarding it there",
                 trail->name, target->region, trail->region);
    return trail;
}

/* The account whose configuration decides whether the trail is guarded: the one that would poll it. */
static Account *judge_of(const Trail *trail, Target *target, const char *arn_text) {
    Arn arn;

    if (trail)
        return trail->via;
    return arn_parse(arn_text, &arn) < 0 ? target->account : engine_best_via(target->account, arn.account);
}

static void note_uncovering(const Trail *trail, const Target *target, const CloudTrailTrail *listed) {
    const Listing listing = listing_of(target, listed);

    if (trail->home == target &&
        listing_uncovers(&listing, trail->n_covers > 0, trail->multi_region || trail->organization))
        log_line(LOG_NOTICE,
                 "%s %s %s: covers no configured region any more: it stays guarded; `ignore` in the "
                 "configuration "
                 "ends that",
                 trail->name, trail->region, trail->account);
}

static void take_listed(Engine *engine, Target *target, const CloudTrailTrail *listed) {
    Trail *trail = engine_trail_by_arn(engine, listed->arn);
    bool is_new = !trail;

    if (engine_arn_is_elsewhere(engine, listed->arn)) {
        target->shown_elsewhere = true;
        return;
    }
    if (!engine_is_guarded(judge_of(trail, target, listed->arn), listed->name, listed->arn)) {
        note_ignored(engine, listed->arn);
        return;
    }
    if (!trail)
        trail = take_new_trail(target, listed);
    if (!trail)
        return;
    note_uncovering(trail, target, listed);
    trail->organization = listed->organization;
    trail->multi_region = listed->multi_region;
    trail->facts.validation = listed->validation;
    engine_set_facts(trail);
    if (is_new)
        dismiss_placeholder(target->account, listed->name);
    set_covers(trail, target);
}

void engine_take_list(Engine *engine, Target *target, const CloudTrailTrails *list) {
    if (list->n > 0)
        target->shown_elsewhere = false;
    for (size_t i = 0; i < list->n; i++)
        take_listed(engine, target, &list->items[i]);
    target->listed = true;
    if (config_account_trails(engine->config, target->account->config)->all)
        SET_TARGET_STATE(target, settled, true);
    SET_TARGET_STATE(target, listed_names, engine_hash_names(target->account));
}

void engine_forget_unaccepted(Engine *engine) {
    static const char why[] = "it was deleted, and nobody had accepted it";

    for (size_t i = engine->n_trails; i-- > 0;) {
        Trail *trail = engine->trails[i];
        TrailState state;

        if (!TRAIL_STATE(trail, provisional)) /* the usual case, without unpacking more for each round */
            continue;
        state = states_trail(trail->state);
        if (!guard_is_done_with(&state))
            continue;
        log_line(LOG_NOTICE, "%s %s %s: no longer guarded: %s", trail->name, trail->region, trail->account,
                 why);
        engine_forget_trail(trail, why);
    }
}

void engine_take_viewers(Target *target, const CloudTrailTrails *list) {
    for (size_t i = 0; i < list->n; i++) {
        Trail *trail = engine_trail_by_arn(target->engine, list->items[i].arn);

        if (trail && has_shown(target, trail))
            take_viewer(trail, target);
    }
}

/* ---- named trails ---- */

/* True if a trail of that name lives in the account, or its lists show one. */
static bool has_trail_named(const Account *account, const char *name) {
    for (size_t i = 0; i < account->n_targets; i++) {
        const Target *target = account->targets[i];

        for (size_t k = 0; k < target->n_trails; k++)
            if (text_equal(target->trails[k]->name, name))
                return true;
        for (size_t k = 0; k < target->n_shown; k++)
            if (text_equal(target->shown[k]->name, name))
                return true;
    }
    return false;
}

/* True if it was accepted that a trail of that name may be gone, in any region. */
static bool may_be_gone(const Account *account, const char *name) {
    bool gone = false;

    for (size_t i = 0; !gone && i < account->n_targets; i++)
        gone = engine_may_be_gone(account->targets[i], name);
    return gone;
}

/* True if `ignore` has the name, or the ARN of a trail of that name: it exists, or nobody wants to know. */
static bool is_ignored_by_name(const Account *account, const char *name) {
    const Engine *engine = account->engine;
    Arn arn;

    if (engine_is_ignored(engine, name, name))
        return true;
    for (size_t i = 0; i < engine->n_ignored; i++)
        if (arn_parse(engine->ignored[i], &arn) >= 0 && text_equal(arn_name(&arn), name) &&
            text_equal(arn.account, engine_account_named(account)))
            return true;
    return false;
}

/* Once every configured target has been listed, a named trail that was not found is missing. */
void engine_check_named(Account *account) {
    const StringList *trails = config_account_trails(account->engine->config, account->config);
    const AccountScope scope = engine_account_scope(account);

    if (trails->all || !scope_proves_absence(&scope, true, false))
        return;
    for (size_t i = 0; i < account->n_targets; i++)
        if (engine_list_is_to_come(account->targets[i]))
            return;
    for (size_t i = 0; i < trails->n; i++) {
        const char *name = trails->items[i];
        Trail *found;

        if (text_starts_with(name, "arn:") || has_trail_named(account, name) ||
            is_ignored_by_name(account, name))
            continue;
        found = placeholder(account, name);
        if (!found && !may_be_gone(account, name))
            found = engine_add_trail(account, name, "", engine_account_named(account), "");
        if (found)
            engine_decide_trail(found, &(TrailInput){ .kind = GUARD_NOT_LISTED });
    }
}
