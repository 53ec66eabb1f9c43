/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* When the organization's list of accounts counts as unreadable. Pure. */

#include "daemon/core/model.h"

/* Its trouble, as state.json keeps it. */
typedef struct AccountListTrouble {
    unsigned n_failed;          /* lists in a row */
    uint64_t since_usec;        /* real; when the first of them failed: the incident's mark; 0: none has */
    unsigned sequence;          /* of the last message about it; 0: it was not reported */
    uint64_t reported_usec;     /* real; when that was ... */
    unsigned n_reminders;       /* ... and so many reminders are among them */
    char error[ERROR_TEXT_MAX]; /* of the latest list; raw; "": it was read */
} AccountListTrouble;

/* A list failed: notes it. True: that is to be reported now. */
bool account_list_failed(AccountListTrouble *trouble, const char *error, unsigned unreachable_after,
                         uint64_t now_usec);
/* Is a reminder due? */
bool account_list_reminds(AccountListTrouble *trouble, uint64_t interval_usec, uint64_t now_usec);
/* The message of either is in the outbox. */
void account_list_reported(AccountListTrouble *trouble, uint64_t now_usec);
