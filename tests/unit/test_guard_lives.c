/* SPDX-License-Identifier: Apache-2.0 */
/* The guard's promises as properties over random lives: a trail in a simulated account, attackers and
 * administrators who change it, an AWS that sometimes refuses, and a second opinion on what an episode is.
 * In virtual time; TEST_SEED repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "daemon/core/alert.h"
#include "tests/unit/guard_life.h"

#define LIVES      60
#define STEPS      2000
#define IDS_MAX    4096
#define LOSING     (FIELD_BIT(FIELD_BUCKET) | FIELD_BIT(FIELD_SELECTORS) | FIELD_BIT(FIELD_MULTI_REGION))
#define NEVER      UINT64_MAX
#define ALERTS_MAX 150 /* in an hour, whatever happens */

static uint64_t random_state;

static unsigned pick(unsigned n) {
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)((random_state >> 33) % n);
}

/* How things are at AWS. */
typedef struct World {
    bool exists, on;
    uint64_t start, stop, delivery;
    uint32_t differs; /* from the baseline, FIELD_BITs */
    char values[_FIELD_MAX][8];
    bool delivery_fails, bucket_gone;
} World;

/* When an episode begins and ends, judged by another reading of the contract. */
typedef struct Oracle {
    World last; /* as last seen; differs, bucket_gone: as last looked at */
    bool seen, open;
    uint64_t closed_usec;
    unsigned n_episodes;
} Oracle;

typedef struct Run {
    Life l;
    World world;
    Oracle oracle;
    uint64_t poll_due, settings_due, act_due, search_due, attack_due; /* mono */
    Action acting;
    uint32_t acting_fields;
    unsigned n_incidents; /* told */
    unsigned n_attempts;
    uint64_t hour;
    unsigned n_this_hour, most_in_an_hour;
    unsigned peace_sec; /* between attacks, at most */
    bool refusing;      /* AWS refuses our writes */
    char (*ids)[65];
    unsigned n_ids;
} Run;

/* ---- the second opinion ---- */

static bool is_trouble(const World *w) {
    return !w->exists || !w->on || w->differs != 0 || w->delivery_fails || w->bucket_gone;
}

static void judge(Oracle *o, bool event, uint64_t now) {
    bool trouble = is_trouble(&o->last);

    if (event || (trouble && !o->open)) {
        if (!o->open && (o->closed_usec == 0 || now - o->closed_usec > GUARD_REOPEN_USEC))
            o->n_episodes++;
        o->open = true;
    }
    if (o->open && !trouble) {
        o->open = false;
        o->closed_usec = now;
    }
}

static void oracle_polls(Oracle *o, const World *w, bool settings, uint64_t now) {
    bool interrupted, anew;
    World last = o->last;

    interrupted = o->seen && last.exists && last.on && w->exists && w->on && w->stop > last.stop;
    anew = o->seen && last.exists && w->exists && (w->start > last.start || w->start == 0) &&
           (w->stop < last.stop || w->delivery < last.delivery);
    o->last = *w;
    if (!w->exists) {
        /* what was known of it counts until it is there again */
        o->last.start = last.start;
        o->last.stop = last.stop;
        o->last.delivery = last.delivery;
        o->last.differs = 0;
        o->last.delivery_fails = o->last.bucket_gone = false;
    } else if (!settings)
        o->last.differs = last.exists ? last.differs : 0;
    o->seen |= w->exists;
    judge(o, interrupted || anew, now);
}

/* ---- messages ---- */

static void check_id(Run *r, const Event *t) {
    static const AlertGuard guard = { "host", "1" };
    static const Subject subject = { "trail", "arn:aws:cloudtrail:eu-central-1:111122223333:trail/trail",
                                     "111122223333", "eu-central-1" };
    Alert alert;

    assert_int_equal(alert_compose(&guard, &subject, t, &alert), 0);
    for (unsigned i = 0; i < r->n_ids; i++)
        if (strcmp(r->ids[i], alert.id) == 0)
            fail_msg("the id of \"%s\" is not its own", alert.subject);
    assert_true(r->n_ids < IDS_MAX);
    memcpy(r->ids[r->n_ids++], alert.id, sizeof(alert.id));
    alert_done(&alert);
}

static void take_plan(Run *r) {
    const Plan *plan = &r->l.plan;
    uint64_t hour = r->l.now.real_usec / HOUR;

    if (hour != r->hour)
        r->n_this_hour = 0;
    r->hour = hour;
    r->n_this_hour += plan->n_events;
    r->most_in_an_hour = MAX(r->most_in_an_hour, r->n_this_hour);
    for (unsigned i = 0; i < plan->n_events; i++) {
        r->n_incidents += plan->events[i].sequence == 1;
        check_id(r, &plan->events[i]);
    }
    if (plan->action != ACTION_NONE) {
        /* one at a time, and settings last */
        assert_int_equal(r->acting, plan->abandon ? ACTION_RESTORE : ACTION_NONE);
        assert_true(!plan->abandon || plan->action != ACTION_RESTORE);
        r->acting = plan->action;
        r->acting_fields = plan->fields;
        r->act_due = r->l.now.mono_usec + (1 + pick(8)) * SEC;
    }
    if (plan->attribute) {
        assert_true(r->search_due == NEVER);
        r->search_due = r->l.now.mono_usec + (1 + pick(3)) * SEC;
    }
}

/* ---- the world acts ---- */

static void change(World *w, Field f) {
    w->differs |= FIELD_BIT(f);
    (void)snprintf(w->values[f], sizeof(w->values[f]), "%u", pick(3));
}

static void start(World *w, uint64_t now) {
    if (w->on)
        return;
    w->on = true;
    w->start = now;
}

static void stop_trail(World *w, uint64_t now) {
    if (!w->on)
        return;
    w->on = false;
    w->stop = now;
}

static void delete (World *w) {
    *w = (World){ 0 };
}

static void create(World *w, uint64_t now, bool on, bool as_before) {
    *w = (World){ .exists = true, .on = on, .start = on ? now : 0 };
    if (!as_before)
        change(w, FIELD_BUCKET);
}

static void attack(Run *r) {
    World *w = &r->world;
    uint64_t now = r->l.now.real_usec;

    if (!w->exists) {
        if (pick(2))
            create(w, now, pick(2), pick(2));
        return;
    }
    switch (pick(13)) {
    case 0: stop_trail(w, now); break;
    case 1: start(w, now); break;
    case 2: /* between two looks */
        stop_trail(w, now);
        start(w, now + SEC);
        break;
    case 3: delete (w); break;
    case 4:
        delete (w);
        create(w, now, pick(3) != 0, pick(2));
        break;
    case 5: w->delivery_fails = !w->delivery_fails; break;
    case 6: w->bucket_gone = !w->bucket_gone; break;
    case 7: w->differs = 0; break; /* an administrator puts it back, or accepts it */
    case 8: r->refusing = !r->refusing; break;
    case 9: /* Pacu's "minimize" */
        for (Field f = FIELD_KMS_KEY; f <= FIELD_VALIDATION; f++)
            change(w, f);
        break;
    default: change(w, (Field)pick(FIELD_UNKNOWN)); /* which nobody can restore */
    }
}

/* ---- the engine, in short ---- */

static Observation observe(const World *w) {
    Observation seen = {
        .kind = w->exists ? OBSERVED_STATUS : OBSERVED_ABSENT,
        .is_logging = w->on,
        .start_usec = w->start,
        .stop_usec = w->stop,
        .delivery_usec = w->delivery,
    };

    (void)strcpy(seen.delivery_error, w->delivery_fails ? "AccessDenied" : "");
    (void)strcpy(seen.bucket_error, w->bucket_gone ? "NoSuchBucket" : "");
    return seen;
}

static void poll_world(Run *r) {
    static char was[] = "was";
    Life *l = &r->l;
    Observation seen = observe(&r->world);
    Drift drift = { .n = 0 };
    bool settings = l->now.mono_usec >= r->settings_due;

    r->poll_due = l->now.mono_usec + 10 * SEC;
    if (r->acting != ACTION_NONE)
        return;
    if (pick(10) == 0) {
        result(l, in_vain(POLL_UNREACHABLE, false));
        take_plan(r);
        return;
    }
    if (settings)
        r->settings_due = l->now.mono_usec + 60 * SEC;
    for (Field f = 0; f < _FIELD_MAX; f++)
        if (r->world.differs & FIELD_BIT(f))
            drift.changes[drift.n++] = (Change){ .field = f,
                                                 .loses_events = (LOSING & FIELD_BIT(f)) != 0,
                                                 .expected = was,
                                                 .actual = r->world.values[f] };
    oracle_polls(&r->oracle, &r->world, settings, l->now.real_usec);
    decide(l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = settings ? &drift : NULL });
    take_plan(r);
    assert_int_equal(l->state.incident.open, r->oracle.open);
}

/* Does what was asked, if AWS does. */
static bool carry_out(Run *r, Action action) {
    World *w = &r->world;
    uint64_t now = r->l.now.real_usec;

    if (r->refusing || (action != ACTION_RECREATE) != w->exists)
        return false;
    switch (action) {
    case ACTION_RESTART: start(w, now); break;
    case ACTION_RESTORE: w->differs &= ~r->acting_fields; break;
    default: create(w, now, true, true);
    }
    return true;
}

static void finish_action(Run *r) {
    Oracle *o = &r->oracle;
    Action action = r->acting;
    bool done = carry_out(r, action);
    Outcome outcome = { .action = action,
                        .result = done ? RESULT_CONFIRMED : RESULT_FAILED,
                        .fields_left = FIELDS_ALL };

    r->acting = ACTION_NONE;
    r->act_due = NEVER;
    if (!done && action == ACTION_RESTORE && r->world.exists && pick(2)) {
        /* some of it was refused */
        r->world.differs &= ~(r->acting_fields & pick(FIELDS_ALL + 1));
        o->last.differs &= r->world.differs;
        outcome.fields_left = r->world.differs;
        judge(o, false, r->l.now.real_usec);
    }
    if (done) {
        bool bucket_gone = o->last.bucket_gone;
        uint32_t differs = r->world.differs & o->last.differs;

        outcome.seen = observe(&r->world);
        outcome.seen.bucket_error[0] = '\0'; /* not read back */
        outcome.fields_left = r->world.differs;
        if (action == ACTION_RESTORE)
            o->last.differs = differs;
        else {
            o->last = r->world;
            o->last.differs = action == ACTION_RECREATE ? r->world.differs : 0;
            o->last.bucket_gone = bucket_gone;
        }
        if (action == ACTION_RESTART)
            o->last.differs = r->l.state.fields;
        judge(o, false, r->l.now.real_usec);
    }
    decide(&r->l, (TrailInput){ .kind = GUARD_ACTED, .outcome = &outcome });
    take_plan(r);
    assert_int_equal(r->l.state.incident.open, o->open);
}

static void finish_search(Run *r) {
    Attribution a = { .searched = pick(5) != 0, .n_attempts = pick(3) ? 0 : pick(ATTEMPTS_MAX + 1) };

    r->search_due = NEVER;
    a.found = a.searched && pick(3) == 0;
    a.actor.event_usec = r->l.now.real_usec - pick(600) * SEC;
    for (unsigned i = 0; i < a.n_attempts; i++) {
        a.attempts[i].event_usec = r->l.now.real_usec - (ATTEMPTS_MAX - i) * SEC;
        (void)snprintf(a.attempts[i].event_id, sizeof(a.attempts[i].event_id), "%u", r->n_attempts++);
    }
    decide(&r->l, (TrailInput){ .kind = GUARD_ATTRIBUTED, .attribution = &a });
    take_plan(r);
}

static uint64_t first_of(const uint64_t *times, size_t n) {
    uint64_t first = NEVER;

    for (size_t i = 0; i < n; i++)
        first = MIN(first, times[i]);
    return first;
}

static void step(Run *r) {
    Life *l = &r->l;
    uint64_t wake_due = l->plan.wake_mono_usec ? l->plan.wake_mono_usec : NEVER, next;
    uint64_t times[] = { r->poll_due, r->act_due, r->search_due, r->attack_due, wake_due };

    next = first_of(times, ARRAY_SIZE(times));
    pass_time(l, next > l->now.mono_usec ? next - l->now.mono_usec : 0);
    if (next == r->attack_due) {
        attack(r);
        r->attack_due = l->now.mono_usec + 1 + (pick(3) ? pick(60) : pick(r->peace_sec)) * SEC;
    } else if (next == r->act_due)
        finish_action(r);
    else if (next == r->search_due)
        finish_search(r);
    else if (next == r->poll_due)
        poll_world(r);
    else {
        wake(l);
        take_plan(r);
    }
    if (r->world.exists && r->world.on && !r->world.delivery_fails && pick(40) == 0)
        r->world.delivery = l->now.real_usec;
}

/* ---- lives ---- */

static Run new_run(Mode mode, bool writable, uint32_t restore) {
    Run r = { .l = life(mode, writable), .act_due = NEVER, .search_due = NEVER };

    r.l.policy.restore = restore;
    r.l.policy.max_restores_per_hour = 1 + pick(40);
    r.l.policy.attribution = pick(4) != 0;
    create(&r.world, STARTED, true, true);
    r.poll_due = r.settings_due = r.l.now.mono_usec;
    r.attack_due = r.poll_due + 30 * SEC;
    r.peace_sec = pick(3) ? 6000 : 1000;
    r.ids = calloc(IDS_MAX, sizeof(*r.ids));
    assert_non_null(r.ids);
    return r;
}

/* Peace: nobody attacks, AWS does as it is asked, and what the guard may not do somebody else does. */
static void calm_down(Run *r, bool heal) {
    World *w = &r->world;

    r->attack_due = NEVER;
    r->refusing = false;
    w->delivery_fails = w->bucket_gone = false;
    r->l.facts.maintenance = false;
    if (heal) {
        if (!w->exists)
            create(w, r->l.now.real_usec, true, true);
        start(w, r->l.now.real_usec);
        w->differs = 0;
    }
    for (uint64_t end = r->l.now.mono_usec + 3 * HOUR; r->l.now.mono_usec < end;)
        step(r);
}

static void check_end(const Run *r) {
    const TrailState *s = &r->l.state;

    assert_true(r->world.exists && r->world.on);
    assert_int_equal(r->world.differs, 0);
    assert_int_equal(s->findings, 0);
    assert_false(s->incident.open || s->acting || r->l.plan.hold);
    assert_int_equal(s->incident.pending_gaps.count, 0);
    assert_false(s->attributing.wanted);
    assert_int_equal(r->n_incidents, r->oracle.n_episodes);
    assert_true(r->most_in_an_hour <= ALERTS_MAX);
}

static void random_lives(void **unused) {
    const char *given = getenv("TEST_SEED");
    unsigned n_episodes = 0, n_events = 0, most = 0;

    (void)unused;
    random_state = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    print_message("TEST_SEED=%llu\n", (unsigned long long)random_state);
    for (unsigned n = 0; n < LIVES; n++) {
        bool all = n % 2 == 0;
        Mode mode = all ? MODE_RESTORE : (Mode)pick(_MODE_MAX);
        bool writable = all || pick(6) != 0;
        Run r = new_run(mode, writable, all ? RESTORE_ALL : pick(1U << _RESTORE_KIND_MAX));

        for (unsigned i = 0; i < STEPS; i++) {
            step(&r);
            if (pick(500) == 0) {
                r.l.facts.maintenance = !r.l.facts.maintenance;
                r.l.facts.stop_allowed = pick(2);
            }
        }
        calm_down(&r, !all);
        check_end(&r);
        n_episodes += r.n_incidents;
        n_events += r.l.n_events;
        most = MAX(most, r.most_in_an_hour);
        free(r.ids);
    }
    print_message("%u episodes, %u messages, at most %u in an hour\n", n_episodes, n_events, most);
    assert_true(n_episodes > LIVES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_lives),
    };

    return cmocka_run_group_tests_name("guard_lives", tests, NULL, NULL);
}
