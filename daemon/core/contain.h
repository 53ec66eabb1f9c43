/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Whether an identity that attacks trails is to lose its rights, and the commands that take them. Pure. */

#include "daemon/core/model_guard.h"
#include "lib/util/strbuf.h"

#define CONTAIN_IDENTITIES_MAX 256U
#define CONTAIN_POLICY         "TrailGuardContain" /* what the names of policies begin with */

typedef struct ContainPolicy {
    ContainMode mode;
    unsigned after;       /* 1..CONTAIN_AFTER_MAX: so many tamperings within an hour */
    unsigned max_per_day; /* identities of one account */
    char *const *never;   /* patterns of names or ARNs; * and ? as in IAM */
    size_t n_never;
    const char *own[2];  /* ARNs of our callers, as STS names them; "" or NULL: not known */
    char *const *guards; /* principals, see arn_principal_is() */
    size_t n_guards;
} ContainPolicy;

/* What attribution has found. */
typedef struct ContainDeed {
    const Actor *actor;
    const char *account;  /* the trail's */
    const char *incident; /* its id */
    bool tampers;         /* it took something from a trail that is guarded, and nothing allowed it */
    bool contested;       /* it is one of the stops of a trail that is contested */
    bool writable;        /* these are keys of the account, and its mode lets us write */
} ContainDeed;

/* Is the message one that says who did it, so that it has also what to do about that? */
bool contain_is_asked(const Event *event);

/* The deed that such a message is about, of a trail of the account in this state. keys: the account whose
 * keys it is polled with, in that mode; "": not known. All is borrowed. */
ContainDeed contain_deed(const TrailState *state, const Event *event, const char *account,
                         const char *incident, const char *keys, Mode mode);

/* Takes a deed into account, and decides. Each verdict is given once for an identity and an incident, and
 * none about one that is held. 0, or -ENOMEM: then nothing was decided. */
int contain_take(const ContainPolicy *policy, ContainHistory *history, const ContainDeed *deed,
                 uint64_t now_usec, Containment *ret);
void contain_history_done(ContainHistory *history);
/* What the identity did until now counts no longer. */
void contain_forgive(ContainHistory *history, const char *arn, uint64_t now_usec);

/* The ARN for one line: of a path that would fill it, "..." stands there. Raw: escape before showing. */
const char *contain_short_arn(const char *arn, char dst[static ACTOR_TEXT_MAX]);

/* The journal's line about what is only proposed, or refused. */
void contain_entry(const Containment *contain, const Actor *actor, JournalEntry *ret);

/* "3 tamperings within an hour" */
int contain_reason(const Containment *contain, StrBuf *b);
/* The commands, one a line, that take the rights, or give them back. No name in them means anything to a
 * shell. */
int contain_commands(const Containment *contain, bool undo, StrBuf *b);
