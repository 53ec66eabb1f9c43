/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS Organizations, API version 2016-11-28 (awsJson1_1): which accounts there are. The management
 * account and delegated administrators may ask. And AWS Account Management: what an account is like. Source:
 * AWS Organizations API Reference. */

#include <stddef.h>

#include "lib/operation.h"

typedef enum OrganizationsState {
    ORGANIZATIONS_ACTIVE,
    ORGANIZATIONS_PENDING_ACTIVATION,
    ORGANIZATIONS_SUSPENDED,
    ORGANIZATIONS_PENDING_CLOSURE,
    ORGANIZATIONS_CLOSED,
    ORGANIZATIONS_OTHER_STATE, /* a word that this version does not know, or none */
    _ORGANIZATIONS_STATE_MAX,
} OrganizationsState;

typedef struct OrganizationsAccount {
    char id[16];   /* 12 digits */
    char name[64]; /* raw (escape before showing), cut to its size; "" when absent */
    OrganizationsState state;
} OrganizationsAccount;

typedef struct OrganizationsAccounts {
    OrganizationsAccount *items;
    size_t n;
    char management[16]; /* the management account, which the accounts' ARNs name; "" when none does */
} OrganizationsAccounts;

#define ORGANIZATIONS_ACCOUNTS_MAX 50000  /* in one organization */
#define ORGANIZATIONS_TOKEN_MAX    100000 /* bytes of a NextToken */

/* Frees; *accounts is empty afterwards. */
void organizations_accounts_done(OrganizationsAccounts *accounts);

/* All pages, one after the other, within 15 minutes; accounts in order of their ids, each once. A page that
 * fails fails the whole: half a list would look like accounts that left. An account without an id of 12
 * digits makes a page bad; its state is taken from State, or from Status, which AWS is retiring, where there
 * is no State. The region: any of the partition. No input. */
DECLARE_OPERATION(organizations_list_accounts, void, const OrganizationsAccounts);

/* ---- account ---- */

/* AWS Account Management, API version 2021-02-01 (restJson1): whether the account has enabled a region.
 * Source: AWS Account Management Reference Guide, GetRegionOptStatus. */

/* Of a word for a region's status. */
#define ACCOUNT_STATUS_MAX 32

/* The input is a region. The value is the word in the answer, raw: ENABLED, ENABLING, DISABLING, DISABLED,
 * ENABLED_BY_DEFAULT, or one that AWS adds. It must be there, and be about the region. */
DECLARE_OPERATION(account_get_region_status, char, const char);
