/* SPDX-License-Identifier: Apache-2.0 */
/* Applies the guard's plans. */
#include "daemon/apply_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/alert.h"
#include "daemon/core/baseline.h"
#include "daemon/core/contain.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/hold.h"
#include "daemon/core/settings.h"
#include "daemon/engine_debug.h"
#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "daemon/sinks.h"
#include "daemon/unaccepted.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/shared_text.h"
#include "lib/util/text.h"

/* ---- journal lines and messages ---- */

static void write_notes(Engine *engine, const Subject *subject, const Incident *incident, const Plan *plan) {
    uint64_t dedup_usec;
    const Subject *about = guard_lines_are_about(plan, subject, incident, &dedup_usec);
    char id[17] = "";

    if (about) {
        const Subject unnamed = alert_unnamed(about);

        (void)alert_incident_id(about == subject && incident->unnamed ? &unnamed : about, dedup_usec, id);
    }
    for (unsigned i = 0; i < plan->n_entries; i++)
        engine->sink->entry(subject, &plan->entries[i], id, engine_now(engine).real_usec);
}

int engine_report_channel(Engine *engine, const ChannelTrouble *trouble, ChannelChange change) {
    Subject subject = { .name = "", .arn = "", .account = trouble->account, .region = "" };
    Event event = channel_event(change, trouble, engine->config->mode);
    int r;

    engine_save_mark(engine, trouble->since_usec);
    r = engine_queue_message(engine, &subject, &event);
    if (r >= 0)
        engine_save_soon(engine, true);
    return r;
}

/* ---- actions ---- */

static void note_permission(Trail *trail, const Outcome *outcome) {
    Permission permission = states_permission(trail->permission);
    bool is_news = permission_take(&permission, outcome, engine_now(trail->engine).mono_usec);

    states_keep_permission(&trail->permission, &permission);
    if (is_news && !trail->engine->once)
        log_line(LOG_NOTICE,
                 "%s %s %s: AWS does not let account %s %s this organization trail: asked again "
                 "after a pause",
                 trail->name, trail->region, trail->account, trail->via->id,
                 action_to_string(outcome->action));
}

static void remediated(const Outcome *outcome, void *userdata) {
    Trail *trail = userdata;
    Observation seen = outcome->seen;

    trail->remediation = NULL;
    if (guard_outcome_shows_status(outcome))
        engine_remember_seen(trail, &seen);
    if (engine_is_foreign(trail))
        note_permission(trail, outcome);
    engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_ACTED, .outcome = outcome });
}

static void start_action(Trail *trail, const Plan *plan) {
    const Engine *engine = trail->engine;
    RemediationRequest request = {
        .aws = engine->aws.client,
        .credentials = trail->via->credentials,
        .region = trail->region,
        .name = trail->name,
        .arn = trail->arn,
        .foreign = engine_is_foreign(trail),
        .action = plan->action,
        .stop_usec = TRAIL_STATE(trail, stop_usec),
        .start_usec = TRAIL_STATE(trail, start_usec),
        .desired = trail->tracking.desired,
        .actual = trail->tracking.actual,
        .fields = plan->fields,
        .checks_bucket = engine->config->bucket_checks,
        .differs = engine_differs,
        .done = remediated,
        .userdata = trail,
    };
    int r;

    if (plan->abandon)
        remediate_cancel(TAKE_PTR(trail->remediation));
    engine_save_intent(trail);
    if (plan->action == ACTION_RESTORE)
        engine_save_found(trail);
    trail->tracking.poll_is_stale =
            recording_makes_stale(plan->action, engine_is_checked(trail), trail->tracking.poll_is_stale);
    trail->remediate_by_usec = engine_now(engine).mono_usec +
                               REMEDIATE_CALLS_MAX * aws_client_deadline_usec(engine->aws.client) +
                               REMEDIATE_READ_BACK_USEC;
    r = guard_lacks_baseline(plan->action, trail->tracking.recorded)
                ? -ENODATA
                : remediate_start(&request, &trail->remediation);
    if (r < 0) {
        Outcome outcome = { .action = plan->action, .result = RESULT_FAILED, .fields_left = FIELDS_ALL };

        (void)text_copy(outcome.error_text, sizeof(outcome.error_text),
                        r == -ENODATA ? "its baseline is not recorded, or cannot be read" : strerror(-r));
        engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_ACTED, .outcome = &outcome });
    }
}

/* ---- decisions ---- */

void engine_arm(Engine *engine, LoopTimer **timer, uint64_t wake_mono_usec, LoopFired fired,
                void *userdata) {
    uint64_t now_usec = engine_now(engine).mono_usec;

    if (wake_mono_usec != 0 && !engine->once) {
        (void)loop_rearm(engine->aws.loop, wake_mono_usec > now_usec ? wake_mono_usec - now_usec : 1, fired,
                         userdata, timer);
        return;
    }
    loop_cancel(engine->aws.loop, TAKE_PTR(*timer));
}

static void trail_woke(void *userdata) {
    Trail *trail = userdata;

    engine_debug_trail_woke(trail);
    engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_TIME });
}

/* Depends on the time of day only. */
static void set_maintenance(Trail *trail, Now now) {
    const MaintenanceConfig *window =
            config_maintenance_at(trail->engine->config, trail->name, trail->arn, now.real_usec);

    trail->facts.maintenance = window != NULL;
    trail->facts.stop_allowed = window && window->stop_allowed;
}

/* ---- identities that attack trails ---- */

/* On disk, and reported, before AWS is called: see daemon/holds.c. */
static void hold(Engine *engine, const Containment *contain) {
    _Static_assert(CONFIG_CHANNELS_MAX <= HOLD_TOPICS_MAX, "one policy keeps all topics");
    const char *topics[CONFIG_CHANNELS_MAX];
    int r = hold_add(&engine->contain, contain, topics, config_topics(engine->config, topics));

    if (r < 0)
        log_line(LOG_ERR, "%s: not contained: %s", contain->arn, strerror(-r));
    engine_due(engine, DUE_HOLDS);
}

/* The message about the caller also says what to do about it. */
static void contain(Trail *trail, const Subject *subject, Event *event, Containment *ret) {
    Engine *engine = trail->engine;
    char incident[17] = "";
    const TrailState state = states_trail(trail->state);
    const ContainConfig *config = &engine->config->contain;
    const ContainPolicy policy = {
        .mode = config->mode,
        .after = config->after,
        .max_per_day = config->max_per_day,
        .never = config->never.items,
        .n_never = config->never.n,
        .own = { trail->via->identity, engine->base->identity },
        .guards = engine->config->guards.items,
        .n_guards = engine->config->guards.n,
    };
    const ContainDeed deed =
            contain_deed(&state, event, subject->account, incident, engine_account_named(trail->via),
                         engine_account_policy(trail->via).mode);
    JournalEntry entry;

    (void)alert_incident_id(subject, event->incident_dedup_usec, incident);
    if (contain_take(&policy, &engine->contain, &deed, event->time_usec, ret) < 0)
        log_line(LOG_ERR, "%s: out of memory; whoever attacks it is not counted", trail->arn);
    if (ret->verdict == CONTAIN_ENFORCED)
        hold(engine, ret);
    else if (ret->verdict != CONTAIN_NOTHING) {
        contain_entry(ret, &event->actor, &entry);
        engine->sink->entry(subject, &entry, incident, event->time_usec);
    }
    if (ret->verdict == CONTAIN_PROPOSED)
        event->contain = ret;
}

/* The messages are queued again soon, in order. What they point to is added then. */
static void owe(Trail *trail, const Plan *plan) {
    unsigned n = trail->owed ? trail->owed->n : 0;
    OwedEvents *grown =
            realloc(trail->owed, sizeof(*grown) + (n + plan->n_events) * sizeof(grown->events[0]));

    if (!grown) {
        log_line(LOG_ERR, "%s: out of memory; what was found is reported only after a restart", trail->arn);
        return;
    }
    for (unsigned i = 0; i < plan->n_events; i++) {
        Event *event = &grown->events[n + i];

        *event = plan->events[i];
        event->changes = NULL;
        event->delivers = NULL;
        event->contain = NULL;
    }
    grown->n = n + plan->n_events;
    trail->owed = grown;
}

static int pay(Trail *trail, const Subject *subject, const TrailExtras *extras) {
    OwedEvents *owed = trail->owed;
    int r;

    if (!owed)
        return 0;
    for (unsigned i = 0; i < owed->n; i++)
        guard_complete_event(&owed->events[i], extras);
    r = engine_queue_events(trail->engine, subject, owed->events, owed->n);
    if (r >= 0)
        free(TAKE_PTR(trail->owed));
    return r;
}

static TrailExtras trail_extras(const Trail *trail) {
    const SettingsTracking *k = &trail->tracking;

    return (TrailExtras){
        .drift = drift_kept(k->drift),
        .changes = drift_kept(k->changes),
        .actual = k->actual,
        .whose = shared_text_or_empty(k->whose),
        .episode = k->episode,
    };
}

/* The containments must live as long as the plan, which points to them. Negative: some messages are owed. */
static int queue_trail_messages(Trail *trail, const Subject *subject, Plan *plan, const TrailExtras *extras,
                                Containment containments[static PLAN_EVENTS_MAX]) {
    int r;

    for (unsigned i = 0; i < plan->n_events; i++) {
        Event *event = &plan->events[i];

        guard_complete_event(event, extras);
        if (contain_is_asked(event))
            contain(trail, subject, event, &containments[i]);
    }
    r = pay(trail, subject, extras);
    if (r >= 0)
        r = engine_queue_messages(trail->engine, subject, plan);
    if (r < 0 && plan->n_events > 0)
        owe(trail, plan);
    return r;
}

/* A finding counts on disk only once its message is in the outbox: until then the state file keeps the
 * previous state. */
static void hold_state(Trail *trail, bool hold, const TrailState *before, const TrailState *next) {
    if (!hold) {
        free(TAKE_PTR(trail->held));
        return;
    }
    if (trail->held)
        return;
    trail->held = malloc(sizeof(*trail->held));
    if (trail->held)
        (void)guard_trail_marks(before, next, trail->held);
    else
        log_line(LOG_ERR, "%s: out of memory; a crash within seconds would leave what was found unreported",
                 trail->arn);
}

/* Without memory the state file gets the marks a little later. */
static void save_trail_marks(Trail *trail, const TrailState *before, const TrailState *next) {
    TrailState marked;
    uint64_t newest_usec = guard_trail_marks(trail->held ? trail->held : before, next, &marked);

    if (newest_usec == 0)
        return;
    if (trail->held)
        *trail->held = marked;
    else if (states_keep_trail(&trail->state, &marked) < 0)
        return;
    engine_save_mark(trail->engine, newest_usec);
}

/* ---- trails ---- */

/* Reads the announced drill from its file, if the input may be about one. */
static void find_drill(Trail *trail, const TrailState *state, const TrailInput *input) {
    Engine *engine = trail->engine;
    char reason[ERROR_TEXT_MAX] = "";
    int r;

    trail->facts.drill = NULL;
    trail->facts.drill_tagged = false;
    if (engine->once || !trail->arn[0] || !guard_may_be_drill(state, input))
        return;
    r = drill_file_read(engine->state_dir, &engine->drill, reason, sizeof(reason));
    if (r < 0 && r != -ENOENT && !engine->drill_refused)
        log_line(LOG_WARNING, "%s/" DRILL_FILE ": ignored: %s", engine->state_dir,
                 reason[0] ? reason : file_strerror(r));
    engine->drill_refused = r < 0 && r != -ENOENT;
    if (r >= 0 && text_equal(engine->drill.trail, trail->arn))
        trail->facts.drill = &engine->drill.drill;
    if (trail->facts.drill && trail->facts.drill->tag[0] && input->drift)
        trail->facts.drill_tagged =
                baseline_adds_tag(input->drift, trail->facts.drill->tag, trail->facts.drill->nonce);
}

static bool is_reported_known(const Trail *trail) {
    return trail->held ? trail->held->known : TRAIL_STATE(trail, known);
}

static void set_all_facts(Trail *trail, const TrailState *before, const TrailInput *input, Now now) {
    set_maintenance(trail, now);
    find_drill(trail, before, input);
    engine_set_facts(trail);
    if (guard_asks_destination(before))
        engine_judge_destination(trail);
    trail->facts.summed_up = schedule_unaccepted_is_summed_up(&trail->via->unaccepted, now.mono_usec);
}

void engine_decide_trail(Trail *trail, const TrailInput *input) {
    Engine *engine = trail->engine;
    const Policy policy = engine_account_policy(trail->via);
    Subject subject = engine_trail_subject(trail);
    TrailState before = states_trail(trail->state), s;
    Containment containments[PLAN_EVENTS_MAX];
    Now now = engine_now(engine);
    Plan plan;
    Decided decided = {
        .before = &before,
        .next = &s,
        .plan = &plan,
        .kind = input->kind,
        .once = engine->once,
        .left = trail->via->left,
        .was_held = trail->held,
        .was_known = is_reported_known(trail),
    };
    FollowUp follow;
    TrailExtras extras;
    int r;

    set_all_facts(trail, &before, input, now);
    if (input->kind == GUARD_ACTED)
        metrics_count_outcome(engine->metrics, input->outcome->action, input->outcome->result);
    guard_trail(&policy, &trail->facts, &before, input, now, &plan, &s);
    if (plan.n_events > 0)
        save_trail_marks(trail, &before, &s);
    if (states_keep_trail(&trail->state, &s) < 0) { /* the next poll finds the same */
        engine_arm(engine, &trail->wake, now.mono_usec + USEC_PER_SEC, trail_woke, trail);
        return;
    }
    if (plan.summed_up)
        engine_count_unaccepted(trail);
    /* before settings are restored: a message that waits for that reports them, too */
    engine_note_changes(trail, &s);
    engine_note_episode(trail, &s.incident, input->kind == GUARD_ACTED ? input->outcome : NULL, &plan);
    engine_debug_trail(trail, before.verdict, before.findings, input->kind, &policy);
    extras = trail_extras(trail);
    guard_complete_entries(&plan, &extras);
    write_notes(engine, &subject, &s.incident, &plan);
    r = queue_trail_messages(trail, &subject, &plan, &extras, containments);
    hold_state(trail, plan.hold || r < 0, &before, &s);
    decided.is_held = trail->held;
    decided.is_known = is_reported_known(trail);
    follow = guard_follow_up(&decided, now);
    engine_save_soon(engine, follow.is_saved_now);
    if (follow.is_news)
        engine_publish(engine);
    if (follow.reported_alone)
        schedule_unaccepted_reported(&trail->via->unaccepted, now.mono_usec);
    if (r < 0 && (follow.wake_mono_usec == 0 || follow.wake_mono_usec > now.mono_usec + USEC_PER_SEC))
        follow.wake_mono_usec = now.mono_usec + USEC_PER_SEC;
    engine_arm(engine, &trail->wake, follow.wake_mono_usec, trail_woke, trail);
    if (!engine->contest_timer && follow.contested)
        engine_due(engine, DUE_CONTESTED);
    if (follow.searches) {
        trail->search_is_due = true;
        engine_due(engine, DUE_SEARCHES);
    }
    if (follow.acts)
        start_action(trail, &plan);
}

void engine_resume_trail(Trail *trail) {
    Now now = engine_now(trail->engine);
    TrailState s = states_trail(trail->state);

    guard_resume(&s, now);
    (void)states_keep_trail(&trail->state, &s);
    if (s.pending.set || s.pending_restore.set)
        engine_arm(trail->engine, &trail->wake, now.mono_usec + GUARD_HOLD_USEC, trail_woke, trail);
}

static void target_woke(void *userdata) {
    Target *target = userdata;
    Subject subject = engine_target_subject(target);

    engine_debug_reach_woke(&subject);
    engine_decide_target(target, NULL);
}

/* A target or a whole account: a decision about whether it can be polled. */
typedef struct Deciding {
    Engine *engine;
    const Policy *policy;
    Subject subject;
    Sparse **state;
    LoopTimer **wake;
    LoopFired woke;
    void *userdata;
    CauseKind alone;              /* what it shared so far is now reported by itself; else OWN */
    const SharedIncident *shared; /* of its cause; NULL: none */
} Deciding;

/* Without memory the state file gets the mark a little later. */
static int save_target_marks(const Deciding *d, const TargetState *was, const TargetState *next) {
    TargetState marked;
    uint64_t newest_usec = guard_target_marks(was, next, &marked);
    int r = newest_usec != 0 ? states_keep_target(d->state, &marked) : 0;

    if (newest_usec != 0 && r >= 0)
        engine_save_mark(d->engine, newest_usec);
    return r;
}

/* A decision counts once its messages are queued and it can be kept. */
static int keep_target(const Deciding *d, const Plan *plan, const TargetState *was,
                       const TargetState *next) {
    int r = plan->n_events > 0 ? save_target_marks(d, was, next) : 0;

    if (r >= 0)
        r = engine_queue_messages(d->engine, &d->subject, plan);
    return r < 0 ? r : states_keep_target(d->state, next);
}

/* *ret_searches: a search for the caller is due. Negative: nothing was decided, because there was no memory;
 * the next poll finds the same. */
static int apply_target_plan(const Deciding *d, const PollResult *result, const Attribution *found,
                             bool *ret_searches) {
    Engine *engine = d->engine;
    const TargetState was = states_target(*d->state);
    TargetState s;
    bool is_news;
    Plan plan;
    int r;

    *ret_searches = false;
    if (d->alone != CAUSE_OWN)
        guard_target_alone(d->policy, &was, d->alone, engine_now(engine), &plan, &s);
    else if (found)
        guard_target_attributed(d->policy, &was, found, d->shared, engine_now(engine), &plan, &s);
    else
        guard_target(d->policy, &was, result, engine_now(engine), &plan, &s);
    r = keep_target(d, &plan, &was, &s);
    if (r < 0) {
        engine_arm(engine, d->wake, engine_now(engine).mono_usec + USEC_PER_SEC, d->woke, d->userdata);
        return r;
    }
    if (guard_cause_is_touched(&was, &s) && !engine->once)
        engine_due(engine, DUE_CAUSES);
    engine_debug_reach(&d->subject, &s, was.n_failed, was.unreachable);
    write_notes(engine, &d->subject, guard_target_incident(&s), &plan);
    is_news = guard_target_is_news(&was, &s, &plan);
    engine_save_soon(engine, is_news);
    if (is_news)
        engine_publish(engine);
    engine_arm(engine, d->wake, plan.wake_mono_usec, d->woke, d->userdata);
    *ret_searches = plan.attribute && !engine->once;
    return 0;
}

static int decide_target(Target *target, const PollResult *result, CauseKind alone) {
    Policy policy = engine_account_policy(target->account);
    bool searches;

    policy.attribution = false; /* no event history has the reason why a region does not answer */
    policy.unnamed = !engine_account_named(target->account)[0];
    return apply_target_plan(&(Deciding){ target->engine, &policy, engine_target_subject(target),
                                          &target->state, &target->wake, target_woke, target, alone, NULL },
                             result, NULL, &searches);
}

/* ---- common causes ---- */

/* True if enough others fail for the same reason. Those reported by themselves count, because the sessions
 * of accounts expire one after the other. */
static bool fails(const Sparse *kept, CauseKind kind, Place place) {
    const TargetState state = states_target(kept);

    return guard_cause_fails(kind, &state, place);
}

static bool others_fail(const Engine *engine, const Cause *cause, bool open, const Sparse *but) {
    size_t n = 1;

    for (size_t i = 0; i < engine->n_accounts && !guard_cause_is_shared(cause->kind, n, open); i++) {
        const Account *other = engine->accounts[i];

        for (size_t k = 0; k < other->n_targets; k++) {
            const Target *target = other->targets[k];

            n += target->state != but && engine_cause_covers(cause, other, target->region) &&
                 fails(target->state, cause->kind, engine_place(target));
        }
        n += other->state != but && engine_cause_covers(cause, other, "") &&
             fails(other->state, cause->kind, PLACE_ACCOUNT);
    }
    return guard_cause_is_shared(cause->kind, n, open);
}

static CauseKind shared_cause(const Account *account, const char *region, const Sparse *kept,
                              const TargetState *state, const PollResult *result, Place place) {
    const Engine *engine = account->engine;
    CauseKind kind =
            guard_cause_to_share(result, state, engine_account_policy(account).unreachable_after, place);
    const Cause *cause;
    Cause key;

    if (engine->once || kind == CAUSE_OWN)
        return CAUSE_OWN;
    key = engine_cause_key(kind, account, region);
    cause = engine_cause_of(engine, &key);
    return others_fail(engine, &key, cause && cause->incident.open, kept) ? kind : CAUSE_OWN;
}

void engine_decide_target(Target *target, const PollResult *result) {
    const TargetState state = states_target(target->state);
    PollResult shared;

    if (!result) {
        (void)decide_target(target, NULL, CAUSE_OWN);
        return;
    }
    if (guard_denial_is_news(&state, result))
        engine_want_guard_check(target->account);
    shared = *result;
    shared.cause = shared_cause(target->account, target->region, target->state, &state, result,
                                engine_place(target));
    shared.cover_is_shared =
            guard_cover_is_shared(target->engine->once, engine_account_named(target->account));
    (void)decide_target(target, &shared, CAUSE_OWN);
}

static void account_woke(void *userdata) {
    Account *account = userdata;
    Subject subject = engine_account_subject(account);

    engine_debug_reach_woke(&subject);
    (void)engine_decide_account(account, NULL);
}

/* A search that has ended is made again where its end counts for nothing: it finds the same. */
static void search_again(Account *account) {
    TargetState s = states_target(account->state);

    s.attributing.searching = false;
    (void)states_keep_target(&account->state, &s);
}

static int decide_account(Account *account, const PollResult *result, const Attribution *found,
                          CauseKind alone) {
    Engine *engine = account->engine;
    Policy policy = engine_account_policy(account);
    const AccountScope scope = engine_account_scope(account);
    const Management management = { engine->account_list.management[0], engine_management(engine) };
    bool organization = engine->config->organization.role_name;
    const Cause key = engine_cause_key(states_target(account->state).cause, account, "");
    Cause *cause = engine_cause_of(engine, &key);
    SharedIncident shared;
    bool searches;
    int r;

    if (cause)
        shared = (SharedIncident){ &cause->incident, guard_cause_subject(cause) };
    policy.unnamed = !engine_account_named(account)[0];
    policy.attribution =
            policy.attribution && scope_departure_is_searched(&scope, organization, &management);
    r = apply_target_plan(&(Deciding){ engine, &policy, engine_account_subject(account), &account->state,
                                       &account->wake, account_woke, account, alone,
                                       cause ? &shared : NULL },
                          result, found, &searches);
    if (r < 0 && found)
        search_again(account);
    if (searches) {
        account->search_is_due = true;
        engine_due(engine, DUE_SEARCHES);
    }
    return r;
}

void engine_forget_target(Engine *engine, const Subject *subject, TargetState *state, const char *why) {
    Policy policy = engine_policy(engine);
    TargetState next;
    Plan plan;

    guard_target_forgotten(&policy, state, why, engine_now(engine), &plan, &next);
    if (engine_queue_messages(engine, subject, &plan) < 0)
        return;
    log_line(LOG_NOTICE, "%s%s%s: no longer guarded: %s", subject->region, subject->region[0] ? " " : "",
             subject->account, why);
    *state = next;
    engine_save_soon(engine, true);
}

int engine_report_alone(Target *target, CauseKind was) {
    return decide_target(target, NULL, was);
}

int engine_report_account_alone(Account *account) {
    return decide_account(account, NULL, NULL, TARGET_STATE(account, cause));
}

int engine_decide_account(Account *account, const PollResult *result) {
    const TargetState state = states_target(account->state);
    PollResult shared;

    if (!result)
        return decide_account(account, NULL, NULL, CAUSE_OWN);
    shared = *result;
    shared.cause = shared_cause(account, "", account->state, &state, result, PLACE_ACCOUNT);
    return decide_account(account, &shared, NULL, CAUSE_OWN);
}

void engine_account_attributed(Account *account, const Attribution *found) {
    (void)decide_account(account, NULL, found, CAUSE_OWN);
}
