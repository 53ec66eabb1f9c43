/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Identities that the guard has denied changes of trails: what is done next about each, and what is
 * reported. Pure. */

#include "daemon/core/model_guard.h"

#define HOLD_TOPICS_MAX 16U /* that one policy is asked to keep from being changed */
#define HOLD_PUTS_MAX 5U /* within a day; what is removed more often is not put again */

/* What AWS is asked to do about one. */
typedef enum HoldAction {
    HOLD_NOTHING,
    HOLD_PUT,    /* read; put where there is none; read back */
    HOLD_CHECK,  /* read */
    HOLD_REMOVE, /* read; remove what is ours; read back */
} HoldAction;

/* What AWS has under the policy's name. */
typedef enum HoldSeen {
    HOLD_SEEN_NOTHING, /* not known: it could not be read */
    HOLD_SEEN_ABSENT,
    HOLD_SEEN_OURS,
    HOLD_SEEN_OTHER, /* a policy that says something else */
} HoldSeen;

typedef struct HoldOutcome {
    HoldAction action;
    HoldSeen seen;
    bool gone; /* AWS knows no such user or role */
    char error[ERROR_TEXT_MAX];
} HoldOutcome;

/* What is to be reported, and whether that was the end of it. */
typedef struct HoldNews {
    bool report;
    ContainStep step;
    bool over; /* it is held no longer */
} HoldNews;

/* Adds one that contain_take() has decided about, or takes one up that was given up. topics: that alerts go
 * to. 0, -EEXIST, -ENOSPC, -ENOMEM. */
int hold_add(ContainHistory *history, const Containment *contain, const char *const *topics,
             size_t n_topics);
void hold_drop(ContainHistory *history, size_t i);
ContainHold *hold_find(const ContainHistory *history, const char *arn);

bool hold_is_role(const ContainHold *hold);
/* Of the user or role, without its path. */
const char *hold_name(const ContainHold *hold);

/* The command that releases it. No name in IAM has a character that a shell would run; a path may have. */
#define HOLD_COMMAND_MAX (ACTOR_ARN_MAX + 64)
const char *hold_release_command(const ContainHold *hold, char dst[static HOLD_COMMAND_MAX]);
/* "contained", "not contained yet", "given up", "being released". */
const char *hold_state_word(const ContainHold *hold);

/* Is the message that comes before the policy to be sent now? may_put: the configuration still wants it. */
bool hold_is_to_be_announced(const ContainHold *hold, bool may_put);
HoldAction hold_action(const ContainHold *hold, bool may_put, uint64_t now_mono_usec);
/* Does a document that AWS has say what was put? 1, 0, or -ENOMEM. */
int hold_is_ours(const ContainHold *hold, const char *document);
/* What an attempt gave; topics as above, for the policy that is put next. */
HoldNews hold_take(ContainHold *hold, const HoldOutcome *outcome, const char *const *topics, size_t n_topics,
                   Now now);

/* It is asked for by somebody: due now, whatever failed before. */
void hold_release(ContainHold *hold, const char *by);

/* The journal's line about a step, and the message. detail: why it failed, or who released it. */
void hold_entry(const ContainHold *hold, ContainStep step, const char *detail, JournalEntry *ret);
Event hold_event(const ContainHold *hold, ContainStep step, const char *detail, Mode mode);

/* The one that is meant by an ARN, "user/NAME" or "role/NAME" in an account ("": any). NULL: none, or
 * *ret_several. */
ContainHold *hold_meant(const ContainHistory *history, const char *who, const char *account,
                        bool *ret_several);
