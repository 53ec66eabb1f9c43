/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Identities that the guard has denied changes of trails: the next step for each, and what is reported.
 * Pure. */

#include "daemon/core/model_guard.h"

#define HOLD_TOPICS_MAX 16U /* that one policy protects from changes */
#define HOLD_PUTS_MAX 5U /* within a day; if it is removed more often it is not put again */

/* The next call to AWS for an identity. */
typedef enum HoldAction {
    HOLD_NOTHING,
    HOLD_PUT,    /* read; put if there is none; read back */
    HOLD_CHECK,  /* read */
    HOLD_REMOVE, /* read; remove our own policy; read back */
} HoldAction;

/* The policy that AWS has under its name. */
typedef enum HoldSeen {
    HOLD_SEEN_NOTHING, /* unknown: it could not be read */
    HOLD_SEEN_ABSENT,
    HOLD_SEEN_OURS,
    HOLD_SEEN_OTHER, /* a policy with another text */
} HoldSeen;

typedef struct HoldOutcome {
    HoldAction action;
    HoldSeen seen;
    bool gone; /* AWS has no such user or role */
    char error[ERROR_TEXT_MAX];
} HoldOutcome;

/* What to report. */
typedef struct HoldNews {
    bool report;
    ContainStep step;
} HoldNews;

/* Adds an identity that contain_take() decided about, or resumes one that was given up. topics: those of the
 * alerts. 0, -EEXIST, -ENOSPC, -ENOMEM. */
int hold_add(ContainHistory *history, const Containment *contain, const char *const *topics,
             size_t n_topics);
void hold_drop(ContainHistory *history, ContainHold *hold);
ContainHold *hold_find(const ContainHistory *history, const char *arn);

bool hold_is_role(const ContainHold *hold);
/* Of the user or role, without its path. */
const char *hold_name(const ContainHold *hold);

/* The command that releases it. IAM's names have no character with a meaning for a shell; paths may have. */
#define HOLD_COMMAND_MAX (ACTOR_ARN_MAX + 64)
const char *hold_release_command(const ContainHold *hold, char dst[static HOLD_COMMAND_MAX]);
/* "contained", "not contained yet", "given up", "being released". */
const char *hold_state_word(const ContainHold *hold);

/* True if the message that precedes the policy is to be sent now. may_put: the configuration still allows
 * it. */
bool hold_is_to_be_announced(const ContainHold *hold, bool may_put);
HoldAction hold_action(const ContainHold *hold, bool may_put, uint64_t now_mono_usec);
/* Whether AWS's document is the one that was put: 1, 0, or -ENOMEM. */
int hold_is_ours(const ContainHold *hold, const char *document);
/* Takes the result of an attempt; topics as above, for the next policy. */
HoldNews hold_take(ContainHold *hold, const HoldOutcome *outcome, const char *const *topics, size_t n_topics,
                   Now now);

/* True if the hold ends with this step. */
bool hold_is_over(ContainStep step);
/* What the message about a step adds. */
const char *hold_detail(const ContainHold *hold, ContainStep step);

/* A person asked for its release: due now, whatever failed before. */
void hold_release(ContainHold *hold, const char *by);

/* The journal line and the message about a step. detail: why it failed, or who released it. */
void hold_entry(const ContainHold *hold, ContainStep step, const char *detail, JournalEntry *ret);
Event hold_event(const ContainHold *hold, ContainStep step, const char *detail, Mode mode);

/* The hold that a person means by an ARN, "user/NAME" or "role/NAME" in an account ("": any). NULL: none, or
 * *ret_several. */
ContainHold *hold_meant(const ContainHistory *history, const char *who, const char *account,
                        bool *ret_several);
