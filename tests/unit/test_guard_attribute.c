/* SPDX-License-Identifier: Apache-2.0 */
/* When the guard has the event history searched, and what it tells of the answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/core/alert.h"
#include "tests/unit/between.h"
#include "tests/unit/guard_search.h"

static const uint64_t schedule[] = { 5 * SEC,   30 * SEC,  60 * SEC,  180 * SEC,
                                     360 * SEC, 600 * SEC, 900 * SEC, 1200 * SEC };

static void nobody_is_found_after_twenty_minutes(void **unused) {
    Life l = curious(MODE_OBSERVE);

    (void)unused;
    result(&l, logging(STARTED, 0));
    stop_trail(&l);
    assert_false(l.plan.attribute);
    for (unsigned i = 0; i < ARRAY_SIZE(schedule); i++) {
        (void)wait_for_search(&l);
        assert_true(l.now.real_usec == EPOCH + schedule[i]);
        found_nobody(&l);
        assert_int_equal(l.plan.n_events, i + 1 == ARRAY_SIZE(schedule));
    }
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_ATTRIBUTED);
    assert_true(l.plan.events[0].nobody);
    assert_false(l.plan.events[0].has_actor);
    assert_string_equal(l.plan.events[0].detail, "");
    assert_int_equal(l.plan.entries[0].line, LINE_NOBODY_FOUND);
    assert_int_equal(l.plan.wake_mono_usec, 0);
    wake(&l);
    assert_false(l.plan.attribute);
}

/* The cause of a stop is where AWS says that it was, that of all else not after it was seen: whatever is
 * called later hides nothing. */
static void the_cause_is_within_the_gap(void **unused) {
    Life l = curious(MODE_OBSERVE);
    const Attributing *at = &l.state.attributing;

    (void)unused;
    result(&l, logging(STARTED, 0));
    l.now.real_usec += 40 * SEC;
    result(&l, stopped(STARTED, EPOCH + 10 * SEC));
    assert_true(at->from_usec == EPOCH - 50 * SEC && at->until_usec == EPOCH + 70 * SEC);
    assert_true(guard_sought_stop(&l.state) == EPOCH + 10 * SEC);
    result(&l, stopped(STARTED, EPOCH + 20 * SEC)); /* has a search of its own */
    assert_true(guard_sought_stop(&l.state) == EPOCH + 10 * SEC);

    l = curious(MODE_OBSERVE);
    result(&l, logging(STARTED, 0));
    l.now.real_usec += 40 * SEC;
    result(&l, stopped(STARTED, 0));
    assert_true(at->until_usec == EPOCH + 340 * SEC); /* AWS gives no time */
    assert_true(guard_sought_stop(&l.state) == 0);

    l = curious(MODE_OBSERVE);
    result(&l, logging(STARTED, 0));
    l.now.real_usec += 40 * SEC;
    result(&l, absent());
    assert_true(at->until_usec == EPOCH + 340 * SEC);
    assert_true(guard_sought_stop(&l.state) == 0);
}

/* What a search could not read is read by the next, which begins where that one ended; and it is said how
 * much was read, and that there is more. */
static void a_search_goes_on_where_the_last_one_ended(void **unused) {
    (void)unused;
    for (unsigned more = 0; more < 2; more++) {
        Life l = curious(MODE_OBSERVE);
        const Attributing *at = &l.state.attributing;

        result(&l, logging(STARTED, 0));
        stop_trail(&l);
        for (unsigned i = 0; i < ARRAY_SIZE(schedule); i++) {
            uint64_t reached_usec = i == 0 || (more && i == 7) ? EPOCH - 20 * SEC : 0;

            (void)wait_for_search(&l);
            if (i == 3)
                search_failed(&l); /* begins from the newest again */
            else
                answer(&l, (Attribution){
                                   .searched = true, .n_records = 100, .reached_usec = reached_usec });
            assert_true(at->reached_usec == reached_usec);
        }
        assert_int_equal(l.plan.events[0].n_records, 700);
        assert_int_equal(l.plan.events[0].unread, more);
        assert_int_equal(l.plan.entries[0].count, 700);
        /* other trouble begins with the newest */
        result(&l, absent());
        assert_true(at->reached_usec == 0 && at->n_records == 0);
    }
}

/* A search that failed is not one that found nobody; what counts is the last. */
static void a_history_that_cannot_be_searched_is_said_so(void **unused) {
    (void)unused;
    for (unsigned last_fails = 0; last_fails < 2; last_fails++) {
        Life l = curious(MODE_OBSERVE);

        result(&l, logging(STARTED, 0));
        stop_trail(&l);
        for (unsigned i = 0; i < ARRAY_SIZE(schedule); i++) {
            (void)wait_for_search(&l);
            if ((i + 1 == ARRAY_SIZE(schedule)) == last_fails)
                search_failed(&l);
            else
                found_nobody(&l);
        }
        assert_true(l.plan.events[0].nobody);
        assert_string_equal(l.plan.events[0].detail, last_fails ? "AccessDenied" : "");
        assert_string_equal(l.plan.entries[0].detail, last_fails ? "AccessDenied" : "");
    }
}

/* Whoever uses the quota of LookupEvents up does not get away with that: such searches do not count, and who
 * it was is still found when the quota is there again. */
static void a_search_that_is_throttled_waits_and_does_not_count(void **unused) {
    static const uint64_t pauses[] = { 30 * SEC, 60 * SEC, 120 * SEC, 240 * SEC, 480 * SEC, 600 * SEC };
    Attribution throttled = { .throttled = true, .error_text = "ThrottlingException" };

    (void)unused;
    for (unsigned for_ever = 0; for_ever < 2; for_ever++) {
        Life l = curious(MODE_OBSERVE);
        const Attributing *at = &l.state.attributing;

        result(&l, logging(STARTED, 0));
        stop_trail(&l);
        (void)wait_for_search(&l);
        found_nobody(&l);
        (void)wait_for_search(&l);
        for (unsigned i = 0; i < 30 || (for_ever && l.now.real_usec < EPOCH + 24 * HOUR); i++) {
            answer(&l, throttled);
            assert_int_equal(at->n_tries, 1);
            assert_int_equal(l.plan.n_events, 0);
            assert_int_equal(l.plan.n_entries, i == 0);
            if (i == 0) {
                assert_int_equal(l.plan.entries[0].line, LINE_SEARCH_WAITS);
                assert_string_equal(l.plan.entries[0].detail, "ThrottlingException");
            }
            assert_true(wait_for_search(&l) == pauses[MIN(i, ARRAY_SIZE(pauses) - 1)]);
        }
        if (for_ever) {
            answer(&l, throttled);
            assert_true(l.plan.events[0].nobody);
            assert_string_equal(l.plan.events[0].detail, "ThrottlingException");
            assert_false(at->wanted);
        } else {
            found(&l, EPOCH);
            assert_true(l.plan.events[0].has_actor);
        }
    }
}

static void the_actor_is_told_at_once_also_of_what_is_over(void **unused) {
    Life l = curious(MODE_RESTART);
    const Event *t = &l.plan.events[0];

    (void)unused;
    result(&l, logging(STARTED, 0));
    stop_trail(&l);
    held(&l, EPOCH + SEC, EPOCH);
    assert_true(l.plan.events[0].resolves);
    (void)wait_for_search(&l);
    found_nobody(&l);
    (void)wait_for_search(&l);
    found(&l, EPOCH);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(t->kind, EVENT_TRAIL_ATTRIBUTED);
    assert_int_equal(t->severity, SEVERITY_CRITICAL);
    assert_int_equal(t->sequence, 2);
    assert_int_equal(t->about, FINDING_BIT(FINDING_STOPPED));
    assert_true(t->has_actor && t->dedup_usec == EPOCH);
    assert_true(t->resolves);
    assert_string_equal(t->actor.name, "bob");
    assert_int_equal(l.plan.entries[0].line, LINE_ATTRIBUTED);
    assert_string_equal(l.plan.entries[0].actor.name, "bob");
    assert_false(l.state.attributing.wanted);
    assert_false(l.state.incident.open);
    assert_true(l.state.incident.reported_usec == EPOCH); /* a follow-up moves no reminder */
}

/* ---- what nobody can be sure of ---- */

static Attribution doubtful(const char *name) {
    Attribution found = { .searched = true, .found = true, .incomplete = true, .actor = actor(EPOCH, name) };

    return found;
}

static Attribution one_of_two(void) {
    Attribution found = doubtful("bob");

    found.candidates[found.n_candidates++] = actor(EPOCH - SEC, "carl");
    found.candidates[found.n_candidates++] = found.actor;
    (void)strcpy(found.candidates[0].event_name, "PutBucketPolicy");
    (void)strcpy(found.candidates[1].event_name, "PutKeyPolicy");
    return found;
}

/* Records come late, and out of order: what they change is said in the same incident, and nothing twice. */
static void what_is_not_sure_is_searched_on(void **unused) {
    Life l = curious(MODE_OBSERVE);
    const Event *t = &l.plan.events[0];
    Attribution two = one_of_two();

    (void)unused;
    result(&l, logging(STARTED, 0));
    stop_trail(&l);
    for (unsigned i = 0; i < 2; i++) {
        (void)wait_for_search(&l);
        answer(&l, doubtful("bob"));
        assert_int_equal(l.plan.n_events, i == 0);
        assert_true(l.state.attributing.wanted);
    }
    for (unsigned i = 0; i < 2; i++) {
        (void)wait_for_search(&l);
        decide(&l, (TrailInput){ .kind = GUARD_ATTRIBUTED, .attribution = &two });
        assert_int_equal(l.plan.n_events, i == 0);
        if (i > 0)
            continue;
        assert_int_equal(t->sequence, 3);
        assert_false(t->has_actor || t->nobody);
        assert_ptr_equal(t->doubt, &two);
        assert_int_equal(l.plan.entries[0].line, LINE_CANDIDATES);
        assert_int_equal(l.plan.entries[0].count, 2);
        assert_string_equal(l.plan.entries[0].detail, "PutBucketPolicy by carl, PutKeyPolicy by bob");
    }
    (void)wait_for_search(&l);
    two.actor.event_usec++;
    two.more_candidates = true;
    decide(&l, (TrailInput){ .kind = GUARD_ATTRIBUTED, .attribution = &two });
    assert_true(t->doubt->more_candidates);
    assert_string_equal(l.plan.entries[0].detail, "PutBucketPolicy by carl, PutKeyPolicy by bob, and more");
    (void)wait_for_search(&l);
    found(&l, EPOCH + SEC);
    assert_true(t->has_actor && !t->doubt);
    assert_false(l.state.attributing.wanted);
}

static void who_was_reported_stays_so(void **unused) {
    (void)unused;
    for (unsigned gone = 0; gone < 2; gone++) {
        Life l = curious(MODE_OBSERVE);

        result(&l, logging(STARTED, 0));
        stop_trail(&l);
        for (unsigned i = 0; i < ARRAY_SIZE(schedule); i++) {
            (void)wait_for_search(&l);
            if (gone && i > 0)
                found_nobody(&l);
            else
                answer(&l, doubtful("bob"));
            assert_int_equal(l.plan.n_events, i == 0);
        }
        assert_false(l.state.attributing.wanted);
    }
}

/* What is searched on keeps no other search waiting. */
static void what_is_searched_on_gives_way(void **unused) {
    Life l = curious(MODE_OBSERVE);
    const Attributing *at = &l.state.attributing;

    (void)unused;
    result(&l, logging(STARTED, 0));
    stop_trail(&l);
    (void)wait_for_search(&l);
    answer(&l, doubtful("bob"));
    pass_time(&l, 10 * SEC);
    result(&l, absent());
    assert_true(at->findings & FINDING_BIT(FINDING_MISSING));
    assert_false(at->findings & FINDING_BIT(FINDING_STOPPED));
    assert_true(at->reported_usec == 0 && at->again_findings == 0);
    assert_true(wait_for_search(&l) <= 5 * SEC);
    answer(&l, doubtful("carl"));
    assert_string_equal(l.plan.events[0].actor.name, "carl");
}

static void nothing_waits_for_it(void **unused) {
    Life l = curious(MODE_RESTART);

    (void)unused;
    result(&l, logging(STARTED, 0));
    stop_trail(&l);
    assert_int_equal(l.plan.action, ACTION_RESTART);
    failed(&l);
    pass_time(&l, 5 * SEC);
    wake(&l);
    assert_true(l.plan.attribute);
    assert_int_equal(l.plan.action, ACTION_RESTART); /* while the search runs */
    held(&l, EPOCH + 5 * SEC, EPOCH);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
}

static void switched_off(void **unused) {
    Life l = curious(MODE_OBSERVE);

    (void)unused;
    l.policy.attribution = false;
    result(&l, logging(STARTED, 0));
    stop_trail(&l);
    assert_false(l.state.attributing.wanted);
    l.policy.attribution = true;
    result(&l, logging(EPOCH, EPOCH));
    result(&l, stopped(EPOCH, EPOCH + SEC));
    assert_true(l.state.attributing.wanted);
    l.policy.attribution = false; /* a reload */
    pass_time(&l, 5 * SEC);
    wake(&l);
    assert_false(l.state.attributing.wanted || l.plan.attribute);
}

/* ---- what is searched ---- */

#define LAG (75 * 60 * SEC)

static void what_may_be_a_deed_is_searched_for(void **unused) {
    static char evil[] = "evil";
    static const struct {
        Finding finding;
        bool searched;
        uint64_t lag_usec; /* deliveries fail long after what made them fail */
    } rows[] = {
        { FINDING_MISSING, true, 0 },
        { FINDING_STOPPED, true, 0 },
        { FINDING_INTERRUPTED, true, 0 },
        { FINDING_REPLACED, true, 0 },
        { FINDING_WEAKENED, true, 0 },
        { FINDING_CHANGED, true, 0 },
        { FINDING_UNMET, false, 0 },
        { FINDING_DELIVERY, true, LAG },
        { FINDING_DIGEST, true, LAG },
        { FINDING_LOG_GROUP, true, LAG },
        { FINDING_NOTIFICATION, true, LAG },
        { FINDING_STALE, false, 0 },
        { FINDING_BUCKET, true, 0 },
        { FINDING_LIFECYCLE, true, 0 },
        { FINDING_KEY, true, 0 },
        { FINDING_SELECTORS_UNREADABLE, false, 0 },
        { FINDING_INSIGHTS_UNREADABLE, false, 0 },
        { FINDING_TAGS_UNREADABLE, false, 0 },
        { FINDING_CONFIGURATION_UNREADABLE, false, 0 },
        { FINDING_BUCKET_UNREADABLE, false, 0 },
        { FINDING_LIFECYCLE_UNREADABLE, false, 0 },
        { FINDING_POLICY_UNREADABLE, false, 0 },
        { FINDING_KEY_UNREADABLE, false, 0 },
        { FINDING_LIST_UNREADABLE, false, 0 },
        { FINDING_UNREACHABLE, false, 0 },
        { FINDING_APPEARED, true, 86400 * SEC }, /* when it was created nobody says */
    };

    (void)unused;
    assert_int_equal(ARRAY_SIZE(rows), _FINDING_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Life l = curious(MODE_OBSERVE);
        Observation seen = logging(STARTED, STARTED - SEC);
        Drift drift = { .n = 0 };
        const Attributing *at = &l.state.attributing;

        l.policy.stale_after_usec = 6000 * SEC;
        l.policy.unreachable_after = 1;
        l.state.provisional = rows[i].finding == FINDING_APPEARED;
        if (!l.state.provisional)
            decide(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &drift });
        pass_time(&l, 60 * SEC);
        if (rows[i].finding >= FINDING_SELECTORS_UNREADABLE && rows[i].finding <= FINDING_KEY_UNREADABLE)
            (void)strcpy(seen.unreadable[rows[i].finding - FINDING_SELECTORS_UNREADABLE], "x");
        else
            switch (rows[i].finding) {
            case FINDING_APPEARED: l.facts.destination = DESTINATION_USED; break;
            case FINDING_MISSING: seen = absent(); break;
            case FINDING_STOPPED: seen = stopped(STARTED, STOP_NOW); break;
            case FINDING_INTERRUPTED: seen = logging(STOP_NOW + SEC, STOP_NOW); break;
            case FINDING_REPLACED: seen = logging(STOP_NOW, 0); break;
            case FINDING_WEAKENED:
            case FINDING_CHANGED:
                drift = (Drift){ .changes = { { FIELD_BUCKET, rows[i].finding == FINDING_WEAKENED, evil,
                                                evil, false } },
                                 .n = 1 };
                break;
            case FINDING_UNMET:
                l.facts.pins_mark = 7;
                drift = (Drift){ .changes = { { FIELD_BUCKET, true, evil, evil, true } }, .n = 1 };
                break;
            case FINDING_DELIVERY: (void)strcpy(seen.delivery_error, "x"); break;
            case FINDING_DIGEST: (void)strcpy(seen.digest_error, "x"); break;
            case FINDING_LOG_GROUP: (void)strcpy(seen.log_group_error, "x"); break;
            case FINDING_NOTIFICATION: (void)strcpy(seen.notification_error, "x"); break;
            case FINDING_STALE: l.now.real_usec = STARTED + 6001 * SEC; break;
            case FINDING_BUCKET: (void)strcpy(seen.bucket_error, "x"); break;
            case FINDING_LIFECYCLE: (void)strcpy(seen.lifecycle_error, "x"); break;
            case FINDING_KEY: (void)strcpy(seen.key_error, "x"); break;
            default: seen = in_vain(POLL_DENIED, true);
            }
        decide(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &drift });
        print_message("finding %u\n", rows[i].finding);
        assert_int_equal(at->wanted, rows[i].searched);
        if (!at->wanted)
            continue;
        assert_int_equal(at->findings, FINDING_BIT(rows[i].finding));
        assert_true(at->from_usec >= EPOCH - rows[i].lag_usec - 301 * SEC &&
                    at->from_usec <= EPOCH - rows[i].lag_usec);
        assert_true(at->dedup_usec == l.plan.events[0].dedup_usec);
    }
}

static void the_cause_may_be_older_than_the_first_poll(void **unused) {
    Life l = curious(MODE_OBSERVE);

    (void)unused;
    result(&l, stopped(STARTED, EPOCH - 9 * HOUR));
    assert_true(l.state.attributing.from_usec == EPOCH - 9 * HOUR - 60 * SEC);
    l = curious(MODE_OBSERVE);
    result(&l, absent());
    assert_true(l.state.attributing.from_usec < EPOCH - 23 * HOUR);
}

/* ---- attempts ---- */

static void attempts_are_told_once_each(void **unused) {
    Life l = curious(MODE_OBSERVE);
    Attribution a = { .searched = true, .n_attempts = 2 };
    Attribution later;

    (void)unused;
    result(&l, logging(STARTED, 0));
    stop_trail(&l);
    (void)wait_for_search(&l);
    a.attempts[0] = a.attempts[1] = actor(EPOCH - 20 * SEC, "eve");
    answer(&l, a); /* both in one second */
    assert_int_equal(l.plan.n_events, 2);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_ATTEMPTED);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_WARNING);
    assert_string_equal(l.plan.events[1].actor.name, "eve");
    assert_int_equal(l.plan.entries[0].line, LINE_ATTEMPTED);
    assert_true(l.state.attributing.attempts_usec == EPOCH - 20 * SEC);
    assert_int_equal(l.state.incident.severity, SEVERITY_CRITICAL);
    (void)wait_for_search(&l);
    answer(&l, a);
    assert_int_equal(l.plan.n_events, 0);
    (void)wait_for_search(&l);
    later = (Attribution){ .searched = true, .found = true, .actor = actor(EPOCH, "bob"), .n_attempts = 4 };
    later.attempts[0] = a.attempts[0]; /* reported */
    for (unsigned i = 0; i < 3; i++)
        later.attempts[1 + i] = actor(EPOCH + i * SEC, "eve");
    answer(&l, later);
    /* the third on its own, then the newest with a count, then the deed */
    assert_int_equal(l.plan.n_events, 3);
    assert_true(l.plan.events[0].actor.event_usec == EPOCH);
    assert_true(l.plan.events[1].actor.event_usec == EPOCH + 2 * SEC);
    assert_int_equal(l.plan.events[1].repeats.count, 1);
    assert_int_equal(l.plan.events[2].kind, EVENT_TRAIL_ATTRIBUTED);
    assert_int_equal(l.plan.n_entries, 4);
}

/* ---- trouble on trouble ---- */

static void an_answer_about_older_trouble_is_not_taken(void **unused) {
    Life l = curious(MODE_OBSERVE);

    (void)unused;
    result(&l, logging(STARTED, 0));
    stop_trail(&l);
    (void)wait_for_search(&l);
    result(&l, logging(EPOCH + SEC, EPOCH)); /* over; and long after, while the answer is awaited */
    pass_time(&l, HOUR);
    stop_trail(&l);
    assert_int_equal(l.plan.events[0].sequence, 1);
    found(&l, EPOCH);
    assert_int_equal(l.plan.n_events, 0);
    assert_true(l.state.attributing.wanted);
}

static void a_war_of_flips_is_searched_seldom_and_not_for_ever(void **unused) {
    Life l = curious(MODE_RESTART);
    unsigned n_searches = 0, n_attributed = 0;
    uint64_t end;

    (void)unused;
    result(&l, logging(STARTED, 0));
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t off = l.now.real_usec;

        pass_time(&l, SEC);
        result(&l, logging(l.now.real_usec, off));
        if (l.plan.attribute) {
            n_searches++;
            found(&l, off - 60 * SEC); /* the history is a minute late */
            n_attributed += l.plan.n_events;
        }
        pass_time(&l, 9 * SEC);
    }
    /* 10,000 s */
    assert_between(n_attributed, 20, 4 + 10000 / 300);
    assert_between(n_searches, n_attributed, 2 * n_attributed);
    assert_true(l.n_events <= n_attributed + 4 + 10000 / 300 + 1);
    end = l.now.real_usec;
    while (l.state.attributing.wanted) {
        if (l.plan.attribute)
            found_nobody(&l);
        else
            wait_for_wake(&l, HOUR);
        assert_true(l.now.real_usec < end + HOUR);
    }
}

static void a_clock_that_is_set_back_does_not_stop_the_search(void **unused) {
    Life l = curious(MODE_OBSERVE);

    (void)unused;
    result(&l, logging(STARTED, 0));
    stop_trail(&l);
    l.now.real_usec -= 24 * HOUR;
    wake(&l);
    assert_true(wait_for_search(&l) <= 305 * SEC);
}

/* ---- crashes ---- */

#define REPORTS_MAX 64

typedef struct Reports {
    char ids[REPORTS_MAX][65];
    char facts[REPORTS_MAX][64];
    unsigned n;
} Reports;

/* One id, one event of the history; one event that is reported for the same trouble, one id. */
static void note_reports(Reports *r, const Life *l) {
    static const AlertGuard by = { "host", "1" };
    static const Subject trail = { "t", "arn:aws:cloudtrail:eu-central-1:111122223333:trail/t",
                                   "111122223333", "eu-central-1" };

    for (unsigned i = 0; i < l->plan.n_events; i++) {
        const Event *t = &l->plan.events[i];
        Alert alert;

        if (t->kind != EVENT_TRAIL_ATTRIBUTED)
            continue;
        assert_true(r->n < REPORTS_MAX);
        assert_int_equal(alert_compose(&by, &trail, t, &alert), 0);
        (void)strcpy(r->ids[r->n], alert.id);
        (void)snprintf(r->facts[r->n], sizeof(r->facts[0]), "%.40s %d", t->actor.event_id, (int)t->nobody);
        alert_done(&alert);
        for (unsigned k = 0; k < r->n; k++)
            if (strcmp(r->ids[k], r->ids[r->n]) == 0)
                assert_string_equal(r->facts[k], r->facts[r->n]);
        r->n++;
    }
}

/* The daemon is killed after each of its steps in turn and goes on from what it knew `lost` steps ago. */
static void an_id_is_one_event_whatever_a_crash_forgets(void **unused) {
    (void)unused;
    for (unsigned crash = 0; crash < 12; crash++)
        for (unsigned lost = 1; lost < 4; lost++) {
            Life l = curious(MODE_OBSERVE);
            TrailState states[16];
            Reports reports = { .n = 0 };
            unsigned n_searches = 0;

            result(&l, logging(STARTED, 0));
            for (unsigned step = 0; step < 12; step++) {
                uint64_t at = l.now.real_usec;

                states[step] = l.state;
                if (l.plan.attribute || l.state.attributing.searching) {
                    Attribution one = { .searched = true, .found = true, .actor = actor(at, "bob") };

                    (void)snprintf(one.actor.event_id, sizeof(one.actor.event_id), "event-%u", n_searches++);
                    answer(&l, one);
                } else if (step % 3 == 0)
                    result(&l, stopped(STARTED, at));
                else if (step % 3 == 1)
                    result(&l, logging(at, l.state.stop_usec));
                note_reports(&reports, &l);
                pass_time(&l, 6 * SEC);
                if (step == crash) {
                    l.state = states[step >= lost ? step - lost : 0];
                    l.state.attributing.searching = false;
                    l.sequence = l.state.incident.sequence;
                }
                wake(&l);
                note_reports(&reports, &l);
            }
            assert_true(reports.n > 0);
        }
}

static void a_search_looks_no_further_than_events_can_be(void **state _unused_) {
    static const struct {
        uint64_t until_sec, search_sec; /* now is 1000 s */
    } rows[] = { { 0, 1060 }, { 1000, 1000 }, { 1060, 1060 }, { 1061, 1060 } };

    assert_int_equal(guard_latest_event(1000 * SEC), 1060 * SEC);
    assert_true(guard_search_may_begin("arn:aws:iam::111122223333:user/guard", false));
    assert_true(guard_search_may_begin("", true));
    assert_false(guard_search_may_begin("", false));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(
                guard_search_until(&(Attributing){ .until_usec = rows[i].until_sec * SEC }, 1000 * SEC),
                rows[i].search_sec * SEC);
}

static void a_search_that_cannot_begin_has_failed(void **state _unused_) {
    const Attribution failed = guard_search_failed("out of memory");

    assert_false(failed.searched || failed.found || failed.throttled);
    assert_string_equal(failed.error_text, "out of memory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_that_cannot_begin_has_failed),
        cmocka_unit_test(a_search_looks_no_further_than_events_can_be),
        cmocka_unit_test(nobody_is_found_after_twenty_minutes),
        cmocka_unit_test(the_cause_is_within_the_gap),
        cmocka_unit_test(a_search_goes_on_where_the_last_one_ended),
        cmocka_unit_test(a_history_that_cannot_be_searched_is_said_so),
        cmocka_unit_test(a_search_that_is_throttled_waits_and_does_not_count),
        cmocka_unit_test(the_actor_is_told_at_once_also_of_what_is_over),
        cmocka_unit_test(what_is_not_sure_is_searched_on),
        cmocka_unit_test(who_was_reported_stays_so),
        cmocka_unit_test(what_is_searched_on_gives_way),
        cmocka_unit_test(nothing_waits_for_it),
        cmocka_unit_test(switched_off),
        cmocka_unit_test(what_may_be_a_deed_is_searched_for),
        cmocka_unit_test(the_cause_may_be_older_than_the_first_poll),
        cmocka_unit_test(attempts_are_told_once_each),
        cmocka_unit_test(an_answer_about_older_trouble_is_not_taken),
        cmocka_unit_test(a_war_of_flips_is_searched_seldom_and_not_for_ever),
        cmocka_unit_test(an_id_is_one_event_whatever_a_crash_forgets),
        cmocka_unit_test(a_clock_that_is_set_back_does_not_stop_the_search),
    };

    return cmocka_run_group_tests_name("guard_attribute", tests, NULL, NULL);
}
