/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS Organizations, API version 2016-11-28 (awsJson1_1): which accounts there are: a pure builder of
 * the request's body, a pure reader of the answer, and the call that joins them. The management account and
 * delegated administrators may ask.
 * Source: AWS Organizations API Reference. */

#include <stddef.h>

#include "lib/call.h"

typedef enum OrganizationsState {
    ORGANIZATIONS_ACTIVE,
    ORGANIZATIONS_PENDING_ACTIVATION,
    ORGANIZATIONS_SUSPENDED,
    ORGANIZATIONS_PENDING_CLOSURE,
    ORGANIZATIONS_CLOSED,
    ORGANIZATIONS_OTHER_STATE,      /* a word that this version does not know, or none */
    _ORGANIZATIONS_STATE_MAX,
} OrganizationsState;

typedef struct OrganizationsAccount {
    char id[16];                /* 12 digits */
    char name[64];              /* raw (escape before showing), cut to its size; "" when absent */
    OrganizationsState state;
} OrganizationsAccount;

typedef struct OrganizationsAccounts {
    OrganizationsAccount *items;
    size_t n;
    char management[16];        /* the management account, which the accounts' ARNs name; "" when none does */
} OrganizationsAccounts;

#define ORGANIZATIONS_ACCOUNTS_MAX 50000    /* in one organization */
#define ORGANIZATIONS_TOKEN_MAX 100000      /* bytes of a NextToken */
#define ORGANIZATIONS_PAGES_MAX 5000        /* a page holds 20 accounts, and may be empty */

/* Frees; *accounts is empty afterwards. */
void organizations_accounts_done(OrganizationsAccounts *accounts);

/* The body that asks for the first page (token NULL) or for a further one. The caller frees *ret. 0, -EINVAL
 * (token is not UTF-8) or -ENOMEM. Pure. */
int organizations_build_list(const char *token, char **ret);

/* Appends one page's accounts; *ret_token is NULL on the last page, else the caller frees it. An account's
 * state is taken from State, or from Status, which AWS is retiring, where there is no State. -EBADMSG when
 * the answer is not what the API promises (an account without an id of 12 digits makes all of it bad), -E2BIG
 * past a ceiling, -ENOMEM; accounts is as before then. Pure. */
int organizations_read_page(const char *body, size_t len, OrganizationsAccounts *accounts, char **ret_token);

/* error->class is AWS_OK or accounts is NULL; valid inside the call only. An answer that cannot be
 * read, or that never ends, is AWS_BAD_ANSWER. */
typedef void (*OrganizationsAccountsDone)(const AwsError *error, const OrganizationsAccounts *accounts,
                                          void *userdata);

/* A typed call under way; gone once its callback was called. */
typedef struct OrganizationsCall OrganizationsCall;

/* All pages, one after the other, within 15 minutes; accounts in order of their ids, each once. A page that
 * fails fails the whole: half a list would look like accounts that left. done is called exactly once, never from
 * inside; 0, or -ENOMEM / -EINVAL and then never. region: any of the partition. ret may be NULL. */
int organizations_list_accounts(AwsClient *client, CredentialsSource *credentials, const char *region,
                                OrganizationsAccountsDone done, void *userdata, OrganizationsCall **ret);
/* NULL is fine. */
void organizations_cancel(OrganizationsCall *call);
