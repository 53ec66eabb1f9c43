/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/policy_principals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* An ARN and a little: an account in the place of ARN_ANY_ACCOUNT, a path of any kind. */
#define PRINCIPAL_MAX (ARN_MAX + 64)

static int add_text(PolicyPrincipals *principals, const char *text) {
    char **grown;

    for (size_t i = 0; i < principals->n; i++)
        if (text_equal(principals->items[i], text))
            return 0;
    grown = realloc(principals->items, (principals->n + 1) * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    principals->items = grown;
    grown[principals->n] = strdup(text);
    return grown[principals->n] ? (principals->n++, 0) : -ENOMEM;
}

static int add_role(PolicyPrincipals *principals, const Arn *parts, const char *account, bool exact) {
    bool session = text_starts_with(parts->resource, "assumed-role/");
    const char *name = strchr(parts->resource, '/') + 1;
    int n = session ? (int)strcspn(name, "/") : (int)strlen(name);
    bool has_path = !session && strchr(name, '/');
    char text[PRINCIPAL_MAX];
    int r;

    (void)snprintf(text, sizeof(text), "arn:%s:iam::%s:role/%.*s", parts->partition, account, n, name);
    r = add_text(principals, text);
    if (r < 0 || has_path || (exact && !session))
        return r;
    (void)snprintf(text, sizeof(text), "arn:%s:iam::%s:role/*/%.*s", parts->partition, account, n, name);
    return add_text(principals, text);
}

int policy_principals_add(PolicyPrincipals *principals, const PolicyPlace *place, const char *arn,
                          bool exact) {
    const char *account;
    char text[PRINCIPAL_MAX];
    Arn parts;

    if (arn_parse_any_account(arn, &parts) < 0)
        return add_text(principals, arn);
    account = parts.account;
    if (!text_equal(parts.partition, place->partition))
        return 0;
    if (place->account[0] && text_equal(account, ARN_ANY_ACCOUNT))
        account = place->account;
    if (place->account[0] && !text_equal(account, place->account))
        return 0;
    if (text_starts_with(parts.resource, "role/") || text_starts_with(parts.resource, "assumed-role/"))
        return add_role(principals, &parts, account, exact);
    if (!text_starts_with(parts.resource, "user/"))
        return add_text(principals, arn);
    (void)snprintf(text, sizeof(text), "arn:%s:iam::%s:%s", parts.partition, account, parts.resource);
    return add_text(principals, text);
}

int policy_principals_fold(PolicyPrincipals *principals) {
    PolicyPrincipals folded = { 0 };
    int r = 0;

    for (size_t i = 0; r == 0 && i < principals->n; i++) {
        char text[PRINCIPAL_MAX];
        Arn parts;

        if (arn_parse_any_account(principals->items[i], &parts) < 0) {
            r = add_text(&folded, principals->items[i]);
            continue;
        }
        (void)snprintf(text, sizeof(text), "arn:%s:iam::" ARN_ANY_ACCOUNT ":%s", parts.partition,
                       parts.resource);
        r = add_text(&folded, text);
    }
    if (r < 0) {
        policy_principals_done(&folded);
        return r;
    }
    policy_principals_done(principals);
    *principals = folded;
    return 0;
}

void policy_principals_done(PolicyPrincipals *principals) {
    for (size_t i = 0; i < principals->n; i++)
        free(principals->items[i]);
    free(principals->items);
    *principals = (PolicyPrincipals){ 0 };
}
