/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/hold.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/contain.h"
#include "daemon/core/guard.h"
#include "daemon/core/policy.h"
#include "lib/arn.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define DAY_USEC        (24 * 3600 * USEC_PER_SEC)
#define CHECK_USEC      (10 * USEC_PER_SEC) /* a removed policy is noticed within this time ... */
#define CHECK_CALM_USEC (60 * USEC_PER_SEC) /* ... once it has been in place for an hour */
#define CALM_AFTER_USEC (3600 * USEC_PER_SEC)
#define RETRY_USEC      (5 * USEC_PER_SEC)
#define RETRY_MAX_USEC  (300 * USEC_PER_SEC)

/* A user's path, too, may contain ":role/". */
bool hold_is_role(const ContainHold *hold) {
    Arn arn;

    return arn_parse(hold->arn, &arn) >= 0 && text_starts_with(arn.resource, "role/");
}

const char *hold_name(const ContainHold *hold) {
    const char *slash = strrchr(hold->arn, '/');

    return slash ? slash + 1 : hold->arn;
}

const char *hold_release_command(const ContainHold *hold, char dst[static HOLD_COMMAND_MAX]) {
    (void)snprintf(dst, HOLD_COMMAND_MAX, "sudo trailguard release --account %s %s/%s", hold->account,
                   hold_is_role(hold) ? "role" : "user", hold_name(hold));
    return dst;
}

const char *hold_state_word(const ContainHold *hold) {
    if (hold->released_by[0])
        return "being released";
    if (hold->given_up)
        return "given up";
    return hold->held ? "contained" : "not contained yet";
}

ContainHold *hold_find(const ContainHistory *history, const char *arn) {
    for (size_t i = 0; i < history->n_holds; i++)
        if (text_equal(history->holds[i].arn, arn))
            return &history->holds[i];
    return NULL;
}

/* ---- the policy ---- */

/* Gives it an unused name and the present text. */
static int make_policy(ContainHold *hold, const char *const *topics, size_t n_topics, uint64_t now_usec) {
    const char *mine[HOLD_TOPICS_MAX];
    char now[TIMETEXT_MAX];
    PolicyContain contain = { .topics = mine, .max = CONTAIN_DOCUMENT_MAX - 1 };
    json_auto_t *policy = NULL;
    _cleanup_free_ char *text = NULL;

    assert(n_topics <= ARRAY_SIZE(mine));
    for (size_t i = 0; i < n_topics; i++)
        if (strstr(topics[i], hold->account))
            mine[contain.n_topics++] = topics[i];
    if (hold_is_role(hold))
        contain.before = timetext_iso(now, now_usec);
    policy = policy_contain(&contain);
    text = policy ? json_text_dump(policy, JSON_COMPACT) : NULL;
    if (!text)
        return -ENOMEM;
    (void)text_copy(hold->document, sizeof(hold->document), text);
    hold->n_policies++;
    if (hold->n_policies == 1)
        (void)text_copy(hold->policy, sizeof(hold->policy), CONTAIN_POLICY);
    else
        (void)snprintf(hold->policy, sizeof(hold->policy), CONTAIN_POLICY "-%u", hold->n_policies);
    return 0;
}

int hold_is_ours(const ContainHold *hold, const char *document) {
    json_auto_t *ours = NULL, *theirs = NULL;
    int r;

    /* the usual case, without memory */
    if (strcmp(hold->document, document) == 0)
        return 1;
    r = json_text_parse(hold->document, strlen(hold->document), 0, NULL, &ours);
    if (r >= 0)
        r = json_text_parse(document, strlen(document), JSON_REJECT_DUPLICATES, NULL, &theirs);
    return r == -ENOMEM ? r : json_equal(ours, theirs);
}

/* ---- the table ---- */

/* An identity that was given up attacks again. */
static int take_up(ContainHold *hold, const char *const *topics, size_t n_topics, uint64_t now_usec) {
    if (!hold->given_up)
        return -EEXIST;
    hold->given_up = hold->announced = false;
    hold->n_puts = 0;
    hold->since_usec = now_usec;
    return make_policy(hold, topics, n_topics, now_usec);
}

int hold_add(ContainHistory *history, const Containment *contain, const char *const *topics,
             size_t n_topics) {
    _cleanup_strbuf_ StrBuf reason = STRBUF_INIT(256);
    ContainHold *grown, *hold;

    hold = hold_find(history, contain->arn);
    if (hold)
        return take_up(hold, topics, n_topics, contain->time_usec);
    if (history->n_holds >= CONTAIN_HOLDS_MAX)
        return -ENOSPC;
    grown = realloc(history->holds, (history->n_holds + 1) * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    history->holds = grown;
    hold = &grown[history->n_holds];
    *hold = (ContainHold){ .since_usec = contain->time_usec };
    (void)text_copy(hold->arn, sizeof(hold->arn), contain->arn);
    (void)text_copy(hold->account, sizeof(hold->account), contain->account);
    if (contain_reason(contain, &reason) < 0 || make_policy(hold, topics, n_topics, contain->time_usec) < 0)
        return -ENOMEM;
    (void)text_copy(hold->reason, sizeof(hold->reason), strbuf_str(&reason));
    history->n_holds++;
    return 0;
}

void hold_release(ContainHold *hold, const char *by) {
    (void)text_copy(hold->released_by, sizeof(hold->released_by), by);
    hold->due_mono_usec = 0;
    hold->n_failed = 0;
}

void hold_drop(ContainHistory *history, ContainHold *hold) {
    memmove(hold, hold + 1, (size_t)(history->holds + --history->n_holds - hold) * sizeof(*hold));
}

static bool is_meant(const ContainHold *hold, const char *who, const char *account) {
    bool role = text_starts_with(who, "role/"), user = text_starts_with(who, "user/");

    if (account && account[0] && !text_equal(account, hold->account))
        return false;
    if (text_equal(who, hold->arn))
        return true;
    return (role || user) && role == hold_is_role(hold) &&
           text_equal(who + strlen("role/"), hold_name(hold));
}

ContainHold *hold_meant(const ContainHistory *history, const char *who, const char *account,
                        bool *ret_several) {
    ContainHold *found = NULL;

    assert(history->n_holds == 0 || history->holds);
    *ret_several = false;
    for (size_t i = 0; i < history->n_holds; i++)
        if (is_meant(&history->holds[i], who, account)) {
            *ret_several = found != NULL;
            found = &history->holds[i];
        }
    return *ret_several ? NULL : found;
}

/* ---- the next step ---- */

bool hold_is_to_be_announced(const ContainHold *hold, bool may_put) {
    return may_put && !hold->announced && !hold->released_by[0];
}

HoldAction hold_action(const ContainHold *hold, bool may_put, uint64_t now_mono_usec) {
    bool released = hold->released_by[0], waits = now_mono_usec < hold->due_mono_usec;

    if (hold->under_way)
        return HOLD_NOTHING;
    if (released && (!waits || hold->n_failed == 0)) /* a person waits for it, so not only when a check is
                                                        due */
        return HOLD_REMOVE;
    if (waits)
        return HOLD_NOTHING;
    if (hold->given_up || !may_put)
        return HOLD_NOTHING;
    return hold->held ? HOLD_CHECK : hold->announced ? HOLD_PUT : HOLD_NOTHING;
}

static void wait_for_check(ContainHold *hold, Now now) {
    bool calm = now.real_usec > hold->since_usec + CALM_AFTER_USEC;

    hold->n_failed = 0;
    hold->error[0] = '\0';
    hold->due_mono_usec = now.mono_usec + (calm ? CHECK_CALM_USEC : CHECK_USEC);
}

/* Reported once per row of failures. */
static HoldNews fail(ContainHold *hold, ContainStep step, Now now) {
    unsigned doubled = MIN(hold->n_failed, 6U);

    hold->due_mono_usec = now.mono_usec + MIN(RETRY_USEC << doubled, RETRY_MAX_USEC);
    return (HoldNews){ .report = hold->n_failed++ == 0, .step = step };
}

/* Under another name: a policy that others have put there is theirs. */
static HoldNews put_again(ContainHold *hold, HoldNews news, const char *const *topics, size_t n_topics,
                          Now now) {
    if (make_policy(hold, topics, n_topics, now.real_usec) < 0)
        hold->due_mono_usec = now.mono_usec + RETRY_USEC;
    return news;
}

static HoldNews take_put(ContainHold *hold, const HoldOutcome *outcome, const char *const *topics,
                         size_t n_topics, Now now) {
    if (outcome->gone)
        return (HoldNews){ .report = true, .step = CONTAIN_STEP_GONE };
    if (outcome->seen == HOLD_SEEN_OTHER && hold->n_policies <= HOLD_PUTS_MAX)
        return put_again(hold, (HoldNews){ .report = false }, topics, n_topics, now);
    if (outcome->seen != HOLD_SEEN_OURS)
        return fail(hold, CONTAIN_STEP_FAILED, now);
    hold->held = true;
    if (now.real_usec > hold->puts_since_usec + DAY_USEC) {
        hold->puts_since_usec = now.real_usec;
        hold->n_puts = 0;
    }
    hold->n_puts++;
    wait_for_check(hold, now);
    return (HoldNews){ .report = true, .step = CONTAIN_STEP_HELD };
}

static HoldNews take_check(ContainHold *hold, const HoldOutcome *outcome, const char *const *topics,
                           size_t n_topics, Now now) {
    if (outcome->seen == HOLD_SEEN_OURS) {
        wait_for_check(hold, now);
        return (HoldNews){ .report = false };
    }
    if (outcome->seen == HOLD_SEEN_NOTHING) {
        HoldNews news = fail(hold, CONTAIN_STEP_FAILED, now);

        news.report = false; /* as far as is known, the policy is there */
        return news;
    }
    hold->held = false;
    if (hold->n_puts >= HOLD_PUTS_MAX && now.real_usec <= hold->puts_since_usec + DAY_USEC) {
        hold->given_up = true;
        return (HoldNews){ .report = true, .step = CONTAIN_STEP_GIVEN_UP };
    }
    return put_again(hold, (HoldNews){ .report = true, .step = CONTAIN_STEP_REMOVED }, topics, n_topics,
                     now);
}

static HoldNews take_removal(ContainHold *hold, const HoldOutcome *outcome, Now now) {
    bool theirs = hold->given_up && outcome->seen == HOLD_SEEN_OTHER;

    if (outcome->seen == HOLD_SEEN_ABSENT || theirs)
        return (HoldNews){ .report = true, .step = CONTAIN_STEP_RELEASED };
    return fail(hold, CONTAIN_STEP_STUCK, now);
}

bool hold_is_over(ContainStep step) {
    return step == CONTAIN_STEP_GONE || step == CONTAIN_STEP_RELEASED;
}

const char *hold_detail(const ContainHold *hold, ContainStep step) {
    return step == CONTAIN_STEP_RELEASED ? hold->released_by : hold->error;
}

HoldNews hold_take(ContainHold *hold, const HoldOutcome *outcome, const char *const *topics, size_t n_topics,
                   Now now) {
    hold->puts_since_usec = MIN(hold->puts_since_usec, now.real_usec); /* the clock was set back */
    (void)text_copy(hold->error, sizeof(hold->error), outcome->error);
    switch (outcome->action) {
    case HOLD_PUT: return take_put(hold, outcome, topics, n_topics, now);
    case HOLD_CHECK: return take_check(hold, outcome, topics, n_topics, now);
    case HOLD_REMOVE: return take_removal(hold, outcome, now);
    case HOLD_NOTHING: break;
    }
    return (HoldNews){ .report = false };
}

/* ---- messages ---- */

static const struct {
    EventKind kind;
    JournalLine line;
} steps[_CONTAIN_STEP_MAX] = {
    [CONTAIN_STEP_ABOUT] = { EVENT_IDENTITY_CONTAINED, LINE_CONTAIN_ABOUT },
    [CONTAIN_STEP_HELD] = { EVENT_IDENTITY_CONTAINED, LINE_CONTAIN_HELD },
    [CONTAIN_STEP_FAILED] = { EVENT_IDENTITY_CONTAINED, LINE_CONTAIN_FAILED },
    [CONTAIN_STEP_REMOVED] = { EVENT_IDENTITY_CONTAINED, LINE_CONTAIN_REMOVED },
    [CONTAIN_STEP_GIVEN_UP] = { EVENT_IDENTITY_CONTAINED, LINE_CONTAIN_GIVEN_UP },
    [CONTAIN_STEP_STUCK] = { EVENT_IDENTITY_CONTAINED, LINE_CONTAIN_STUCK },
    [CONTAIN_STEP_GONE] = { EVENT_IDENTITY_RELEASED, LINE_CONTAIN_GONE },
    [CONTAIN_STEP_RELEASED] = { EVENT_IDENTITY_RELEASED, LINE_CONTAIN_RELEASED },
};

void hold_entry(const ContainHold *hold, ContainStep step, const char *detail, JournalEntry *ret) {
    char text[2 * ERROR_TEXT_MAX], whose[ACTOR_TEXT_MAX];

    (void)snprintf(text, sizeof(text), "%s, because of %s%s%s", contain_short_arn(hold->arn, whose),
                   hold->reason, detail[0] ? "; " : "", detail);
    *ret = (JournalEntry){ .line = steps[step].line };
    (void)text_copy(ret->detail, sizeof(ret->detail), text);
}

Event hold_event(const ContainHold *hold, ContainStep step, const char *detail, Mode mode) {
    bool contained = steps[step].kind == EVENT_IDENTITY_CONTAINED;
    Event event = event_new(steps[step].kind, PHASE_OPENED, contained ? SEVERITY_CRITICAL : SEVERITY_WARNING,
                            hold->since_usec, mode, detail);

    event.hold = hold;
    event.step = step;
    return event;
}
