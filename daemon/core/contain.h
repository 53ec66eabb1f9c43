/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Whether an identity that attacks trails should lose its rights, and the commands for that. Pure. */

#include "daemon/core/model_guard.h"
#include "lib/util/strbuf.h"

#define CONTAIN_IDENTITIES_MAX 256U
#define CONTAIN_POLICY         "TrailGuardContain" /* the prefix of the policies' names */

typedef struct ContainPolicy {
    ContainMode mode;
    unsigned after;       /* 1..CONTAIN_AFTER_MAX tamperings within an hour */
    unsigned max_per_day; /* identities of one account */
    char *const *never;   /* patterns of names or ARNs, with IAM's * and ? */
    size_t n_never;
    const char *own[2];  /* our own ARNs, from STS; "" or NULL: unknown */
    char *const *guards; /* principals, see arn_principal_is() */
    size_t n_guards;
} ContainPolicy;

/* A result of attribution. */
typedef struct ContainDeed {
    const Actor *actor;
    const char *account;  /* the trail's */
    const char *incident; /* its id */
    bool tampers;         /* it took something away from a guarded trail, without permission */
    bool contested;       /* it is one of the stops of a contested trail */
    bool writable;        /* the keys belong to the account, and its mode allows writes */
} ContainDeed;

/* True if the message names the caller, so that it also says what to do about it. */
bool contain_is_asked(const Event *event);

/* The deed that such a message is about. account: the trail's, in this state; keys: the account whose keys
 * poll it, in that mode; "": unknown. Everything is borrowed. */
ContainDeed contain_deed(const TrailState *state, const Event *event, const char *account,
                         const char *incident, const char *keys, Mode mode);

/* Records a deed and decides. Each verdict is given once per identity and incident, and none for an identity
 * that is held. 0, or -ENOMEM without a decision. */
int contain_take(const ContainPolicy *policy, ContainHistory *history, const ContainDeed *deed,
                 uint64_t now_usec, Containment *ret);
void contain_history_done(ContainHistory *history);
/* Earlier deeds of the identity no longer count. */
void contain_forgive(ContainHistory *history, const char *arn, uint64_t now_usec);

/* The ARN for one line, with a long path replaced by "...". Raw: escape before showing. */
const char *contain_short_arn(const char *arn, char dst[static ACTOR_TEXT_MAX]);

/* The journal line about a containment that is only proposed, or refused. */
void contain_entry(const Containment *contain, const Actor *actor, JournalEntry *ret);

/* "3 tamperings within an hour" */
int contain_reason(const Containment *contain, StrBuf *b);
/* The commands, one per line, that take the rights away or give them back. No name in them has a meaning for
 * a shell. */
int contain_commands(const Containment *contain, bool undo, StrBuf *b);
