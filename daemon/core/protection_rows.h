/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What protects the guard from those it watches, and what does not, as lines for people. Pure. */

#include "daemon/core/protection.h"

#define PROTECTION_TEXT_MAX 1024

/* What is known of it. Borrowed. */
typedef struct ProtectionFacts {
    const char *principal;     /* ARN of the guard's user or role; "": unknown */
    const char *account;       /* its own; "": unknown */
    bool account_guarded;      /* trails of that account are guarded; see protection_guards() */
    const char *const *topics; /* ARNs of the alerts' topics ... */
    size_t n_topics;
    const char *exposed_topic; /* ... and one of them in a guarded account, likewise; NULL: none */
    const char *boundary;      /* its permissions boundary; NULL: unknown; "": none */
    bool guard_checks;         /* as configured */
    bool outside_channel;      /* a channel that needs no right in AWS */
    bool heartbeat;
} ProtectionFacts;

typedef enum ProtectionState {
    PROTECTION_OK,
    PROTECTION_UNKNOWN,
    PROTECTION_PROBLEM,
} ProtectionState;

/* In the order of the lines. */
typedef enum ProtectionAbout {
    PROTECTION_ACCOUNT,
    PROTECTION_TOPICS,
    PROTECTION_BOUNDARY,
    PROTECTION_SCP,
    PROTECTION_CHECKS,
    PROTECTION_CHANNELS,
    PROTECTION_HEARTBEAT,
    _PROTECTION_ABOUT_MAX,
} ProtectionAbout;

typedef struct ProtectionRow {
    ProtectionAbout about;
    ProtectionState state;
    char text[PROTECTION_TEXT_MAX];
    const char *advice; /* what to do; NULL: nothing; static */
} ProtectionRow;

/* "ok", "unknown", "problem". */
const char *protection_state_to_string(ProtectionState state);
/* "account", "topics", ... */
const char *protection_about_to_string(ProtectionAbout about);

/* Takes an account whose trails are guarded: its administrators can change what the guard has there. */
void protection_guards(ProtectionFacts *facts, const char *account);

/* The permissions boundary of the user or role as last read, see ProtectionFacts.boundary. */
const char *protection_boundary(const GuardRecord *records, size_t n, const char *principal);

/* Returns how many. */
size_t protection_rows(const ProtectionFacts *facts, ProtectionRow ret[static _PROTECTION_ABOUT_MAX]);
