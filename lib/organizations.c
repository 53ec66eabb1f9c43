/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/organizations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* What AWS allows at most. */
#define PAGE_SIZE 20

/* ---- readers ---- */

static const char *const state_words[_ORGANIZATIONS_STATE_MAX] = {
    [ORGANIZATIONS_ACTIVE] = "ACTIVE",       [ORGANIZATIONS_PENDING_ACTIVATION] = "PENDING_ACTIVATION",
    [ORGANIZATIONS_SUSPENDED] = "SUSPENDED", [ORGANIZATIONS_PENDING_CLOSURE] = "PENDING_CLOSURE",
    [ORGANIZATIONS_CLOSED] = "CLOSED",
};

static OrganizationsState state_of_word(const char *word) {
    for (size_t i = 0; i < ARRAY_SIZE(state_words); i++)
        if (text_equal(state_words[i], word))
            return (OrganizationsState)i;
    return ORGANIZATIONS_OTHER_STATE;
}

/* As it stands in the answer. */
typedef struct Row {
    OrganizationsAccount account;
    char state[32], status[32];
} Row;

static int read_account(const json_t *object, OrganizationsAccount *ret, AnswerFault *fault) {
    static const AnswerField fields[] = {
        ANSWER_FIELD("Id", ANSWER_CHARS, true, Row, account.id),
        ANSWER_FIELD("Name", ANSWER_CHARS, false, Row, account.name),
        ANSWER_FIELD("State", ANSWER_CHARS, false, Row, state),
        ANSWER_FIELD("Status", ANSWER_CHARS, false, Row, status),
    };
    Row row = { 0 };
    int r;

    r = answer_fields(object, fields, ARRAY_SIZE(fields), &row, fault);
    if (r < 0)
        return r;
    if (strlen(row.account.id) != 12 || strspn(row.account.id, "0123456789") != 12)
        return answer_fault(fault, "Id is no account's");
    *ret = row.account;
    ret->state = state_of_word(row.state[0] ? row.state : row.status);
    return 0;
}

/* "arn:aws:organizations::MANAGEMENT:account/ORGANIZATION/ID" */
static void take_management(const json_t *object, OrganizationsAccounts *accounts) {
    const char *text;
    Arn arn;

    if (!accounts->management[0] && answer_text(object, "Arn", &text) >= 0 && arn_parse(text, &arn) >= 0 &&
        strspn(arn.account, "0123456789") == 12)
        (void)text_copy(accounts->management, sizeof(accounts->management), arn.account);
}

static int read_accounts(const json_t *list, OrganizationsAccounts *accounts, AnswerFault *fault) {
    size_t n = json_array_size(list);
    OrganizationsAccount *items;

    items = reallocarray(accounts->items, accounts->n + n + 1, sizeof(*items));
    if (!items)
        return -ENOMEM;
    accounts->items = items;
    for (size_t i = 0; i < n; i++) {
        int r = read_account(json_array_get(list, i), &items[accounts->n + i], fault);

        if (r < 0)
            return answer_fault_in(fault, r, "Accounts[%zu].", i);
    }
    for (size_t i = 0; i < n; i++)
        take_management(json_array_get(list, i), accounts);
    accounts->n += n;
    return 0;
}

/* A page may be empty and have a token; an answer with neither is none. A page that is bad changes nothing.
 */
static int read_page(Answer *answer, void *value) {
    OrganizationsAccounts *accounts = value;
    const json_t *list;
    int r;

    r = answer_token(answer->root, &answer->next_token, answer->fault);
    if (r < 0)
        return r;
    if (answer->next_token && strlen(answer->next_token) > ORGANIZATIONS_TOKEN_MAX)
        return -E2BIG;
    r = answer_list(answer->root, "Accounts", !answer->next_token, ORGANIZATIONS_ACCOUNTS_MAX - accounts->n,
                    &list, answer->fault);
    if (r >= 0)
        r = read_accounts(list, accounts, answer->fault);
    if (r < 0 || answer->next_token || accounts->n > 0)
        return r;
    /* each organization has its management account: a list of nobody is none */
    return answer_fault(answer->fault, "Accounts is empty");
}

void organizations_accounts_done(OrganizationsAccounts *accounts) {
    free(accounts->items);
    *accounts = (OrganizationsAccounts){ 0 };
}

static int organizations_compare_ids(const void *a, const void *b) {
    return strcmp(((const OrganizationsAccount *)a)->id, ((const OrganizationsAccount *)b)->id);
}

/* The pages are no snapshot: an account that joins in between may shift another onto the next page. */
static void sort_and_unite(void *value) {
    OrganizationsAccounts *accounts = value;
    size_t n = 0;

    if (accounts->n == 0)
        return;
    qsort(accounts->items, accounts->n, sizeof(*accounts->items), organizations_compare_ids);
    for (size_t i = 1; i < accounts->n; i++)
        if (organizations_compare_ids(&accounts->items[n], &accounts->items[i]) != 0)
            accounts->items[++n] = accounts->items[i];
    accounts->n = n + 1;
}

static void clear_accounts(void *value) {
    organizations_accounts_done(value);
}

static int build_list(const void *input _unused_, const char *token, char **ret) {
    return answer_request(json_pack("{s:i, s:s*}", "MaxResults", PAGE_SIZE, "NextToken", token), token,
                          ret);
}

const AwsOperation organizations_list_accounts_operation = {
    .service = AWS_ORGANIZATIONS,
    .protocol = AWS_PROTOCOL_JSON,
    .name = "ListAccounts",
    .target = "AWSOrganizationsV20161128.ListAccounts",
    .build = build_list,
    .read = read_page,
    .complete = sort_and_unite,
    .clear = clear_accounts,
    .value_size = sizeof(OrganizationsAccounts),
    .deliver = organizations_list_accounts_deliver,
};

/* ---- AWS Account Management ---- */

static int account_read_status(Answer *answer, void *value) {
    static const AnswerField status = { "RegionOptStatus", ANSWER_CHARS, true, 0, ACCOUNT_STATUS_MAX };
    const char *region;

    if (answer_text(answer->root, "RegionName", &region) < 0 ||
        (*region && !text_equal(region, answer->input)))
        return answer_fault(answer->fault, "RegionName is another region's");
    return answer_fields(answer->root, &status, 1, value, answer->fault);
}

const AwsOperation account_get_region_status_operation = {
    .service = AWS_ACCOUNT,
    .protocol = AWS_PROTOCOL_REST_JSON,
    .name = "GetRegionOptStatus",
    .target = "getRegionOptStatus",
    .member = "RegionName",
    .read = account_read_status,
    .value_size = ACCOUNT_STATUS_MAX,
    .deliver = account_get_region_status_deliver,
};
