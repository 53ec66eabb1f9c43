/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/organizations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/answer.h"
#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define TARGET_PREFIX "AWSOrganizationsV20161128."
/* What AWS allows at most. */
#define PAGE_SIZE 20
#define LIST_DEADLINE_USEC (15 * 60 * USEC_PER_SEC)

/* ---- builders ---- */

int organizations_build_list(const char *token, char **ret) {
    return answer_request(json_pack("{s:i, s:s*}", "MaxResults", PAGE_SIZE, "NextToken", token), ret);
}

/* ---- readers ---- */

static const char *const state_words[_ORGANIZATIONS_STATE_MAX] = {
    [ORGANIZATIONS_ACTIVE] = "ACTIVE",
    [ORGANIZATIONS_PENDING_ACTIVATION] = "PENDING_ACTIVATION",
    [ORGANIZATIONS_SUSPENDED] = "SUSPENDED",
    [ORGANIZATIONS_PENDING_CLOSURE] = "PENDING_CLOSURE",
    [ORGANIZATIONS_CLOSED] = "CLOSED",
};

static OrganizationsState state_of_word(const char *word) {
    for (size_t i = 0; i < ARRAY_SIZE(state_words); i++)
        if (text_equal(state_words[i], word))
            return (OrganizationsState)i;
    return ORGANIZATIONS_OTHER_STATE;
}

static int read_account_id(const json_t *object, const char *name, char ret[static 16]) {
    const char *text;
    int r;

    r = answer_text(object, name, &text);
    if (r < 0)
        return r;
    if (strlen(text) != 12 || strspn(text, "0123456789") != 12)
        return -EBADMSG;
    (void)text_copy(ret, 16, text);
    return 0;
}

static int read_account(const json_t *object, OrganizationsAccount *ret) {
    const char *name, *state, *status;
    int r;

    if (!json_is_object(object))
        return -EBADMSG;
    r = read_account_id(object, "Id", ret->id);
    if (r >= 0)
        r = answer_text(object, "Name", &name);
    if (r >= 0)
        r = answer_text(object, "State", &state);
    if (r >= 0)
        r = answer_text(object, "Status", &status);
    if (r < 0)
        return r;
    (void)text_copy(ret->name, sizeof(ret->name), name);
    ret->state = state_of_word(state[0] ? state : status);
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

static int read_accounts(const json_t *list, OrganizationsAccounts *accounts) {
    size_t n = json_array_size(list);
    OrganizationsAccount *items;

    if (n > ORGANIZATIONS_ACCOUNTS_MAX - accounts->n)
        return -E2BIG;
    if (n == 0)
        return 0;
    items = reallocarray(accounts->items, accounts->n + n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    accounts->items = items;
    for (size_t i = 0; i < n; i++) {
        int r = read_account(json_array_get(list, i), &items[accounts->n + i]);

        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < n; i++)
        take_management(json_array_get(list, i), accounts);
    accounts->n += n;
    return 0;
}

static int read_token(const json_t *root, char **ret) {
    const char *text;
    char *token;
    int r;

    r = answer_text(root, "NextToken", &text);
    if (r < 0)
        return r;
    if (!text[0]) {
        *ret = NULL;
        return 0;
    }
    if (strlen(text) > ORGANIZATIONS_TOKEN_MAX)
        return -E2BIG;
    token = strdup(text);
    if (!token)
        return -ENOMEM;
    *ret = token;
    return 0;
}

int organizations_read_page(const char *body, size_t len, OrganizationsAccounts *accounts, char **ret_token) {
    const json_t *list;
    char *token = NULL;
    json_t *root;
    int r;

    r = answer_load(body, len, &root);
    if (r < 0)
        return r;
    list = answer_member(root, "Accounts");
    r = read_token(root, &token);
    /* A page may be empty and have a token; an answer with neither is none. */
    if (r >= 0 && ((list && !json_is_array(list)) || (!list && !token)))
        r = -EBADMSG;
    if (r >= 0)
        r = read_accounts(list, accounts);
    json_decref(root);
    if (r < 0) {
        free(token);
        return r;
    }
    *ret_token = token;
    return 0;
}

void organizations_accounts_done(OrganizationsAccounts *accounts) {
    free(accounts->items);
    *accounts = (OrganizationsAccounts){ 0 };
}

static int compare_ids(const void *a, const void *b) {
    return strcmp(((const OrganizationsAccount *)a)->id, ((const OrganizationsAccount *)b)->id);
}

/* The pages are no snapshot: an account that joins in between may shift another onto the next page. */
static void sort_and_unite(OrganizationsAccounts *accounts) {
    size_t n = 0;

    if (accounts->n == 0)
        return;
    qsort(accounts->items, accounts->n, sizeof(*accounts->items), compare_ids);
    for (size_t i = 1; i < accounts->n; i++)
        if (compare_ids(&accounts->items[n], &accounts->items[i]) != 0)
            accounts->items[++n] = accounts->items[i];
    accounts->n = n + 1;
}

/* ---- calls ---- */

struct OrganizationsCall {
    AwsClient *client;
    CredentialsSource *credentials;
    char region[32];
    AwsCall *call;
    uint64_t deadline_usec; /* monotonic; of the whole list */
    unsigned n_pages;
    char *token;            /* that the page under way was asked for by, or NULL */
    OrganizationsAccounts accounts;
    OrganizationsAccountsDone done;
    void *userdata;
};

static void call_free(OrganizationsCall *call) {
    organizations_accounts_done(&call->accounts);
    free(call->token);
    free(call);
}

void organizations_cancel(OrganizationsCall *call) {
    if (!call)
        return;
    aws_call_cancel(call->call);
    call_free(call);
}

static int call_new(AwsClient *client, CredentialsSource *credentials, const char *region, void *userdata,
                    OrganizationsCall **ret) {
    OrganizationsCall *call;

    call = calloc(1, sizeof(*call));
    if (!call)
        return -ENOMEM;
    call->client = client;
    call->credentials = credentials;
    call->userdata = userdata;
    if (!text_copy(call->region, sizeof(call->region), region)) {
        free(call);
        return -EINVAL;
    }
    *ret = call;
    return 0;
}

static int submit(OrganizationsCall *call, const char *target, const char *body, uint64_t deadline_usec,
                AwsDone done) {
    return aws_call(call->client, call->credentials,
                    &(AwsRequest){
                            .service = AWS_ORGANIZATIONS,
                            .region = call->region,
                            .protocol = AWS_PROTOCOL_JSON,
                            .target = target,
                            .body = body,
                            .body_len = strlen(body),
                            .deadline_usec = deadline_usec,
                    },
                    done, call, &call->call);
}

static void set_error(AwsError *e, int r) {
    if (r == -ENOMEM)
        aws_error_change(e, AWS_INTERNAL, "", "out of memory");
    else if (r == -E2BIG)
        aws_error_change(e, AWS_BAD_ANSWER, "", "the list of accounts is longer than %d accounts or %d pages",
                      ORGANIZATIONS_ACCOUNTS_MAX, ORGANIZATIONS_PAGES_MAX);
    else if (r == -ELOOP)
        aws_error_change(e, AWS_BAD_ANSWER, "", "the list of accounts repeats itself");
    else
        aws_error_change(e, AWS_BAD_ANSWER, "", "the answer is not what Organizations promises");
}

/* The call is gone before done is called. */
static void end_list(OrganizationsCall *call, const AwsError *error) {
    OrganizationsCall ended = *call;

    call->accounts = (OrganizationsAccounts){ 0 };
    call_free(call);
    sort_and_unite(&ended.accounts);
    ended.done(error, error->class == AWS_OK ? &ended.accounts : NULL, ended.userdata);
    organizations_accounts_done(&ended.accounts);
}

static void on_page(const AwsReply *reply, void *userdata);

/* The page that call->token names. */
static int ask_page(OrganizationsCall *call) {
    uint64_t now = loop_monotonic_usec(aws_client_loop(call->client)), span;
    _cleanup_free_ char *body = NULL;
    int r;

    if (now >= call->deadline_usec)
        return -ETIMEDOUT;
    span = MIN(call->deadline_usec - now, aws_client_deadline_usec(call->client));
    r = organizations_build_list(call->token, &body);
    if (r < 0)
        return r;
    return submit(call, TARGET_PREFIX "ListAccounts", body, span, on_page);
}

/* Takes a page in. 1: there is more; 0: that was the last; or -errno. */
static int add_page(OrganizationsCall *call, const AwsReply *reply) {
    char *token = NULL;
    bool repeated;
    int r;

    r = organizations_read_page(reply->body, reply->body_len, &call->accounts, &token);
    if (r < 0)
        return r;
    repeated = token && text_equal(token, call->token);
    free(call->token);
    call->token = token;
    if (repeated)
        return -ELOOP;
    if (!token)
        return 0;
    return ++call->n_pages >= ORGANIZATIONS_PAGES_MAX ? -E2BIG : 1;
}

static void on_page(const AwsReply *reply, void *userdata) {
    OrganizationsCall *call = userdata;
    AwsError error = reply->error;
    int r = 0;

    call->call = NULL;
    if (error.class == AWS_OK)
        r = add_page(call, reply);
    if (r > 0) {
        r = ask_page(call);
        if (r >= 0)
            return;
    }
    if (r == -ETIMEDOUT)
        aws_error_set(&error, AWS_TIMED_OUT, "", "the list of accounts did not end in time");
    else if (r < 0)
        set_error(&error, r);
    end_list(call, &error);
}

int organizations_list_accounts(AwsClient *client, CredentialsSource *credentials, const char *region,
                                OrganizationsAccountsDone done, void *userdata, OrganizationsCall **ret) {
    OrganizationsCall *call;
    int r;

    r = call_new(client, credentials, region, userdata, &call);
    if (r < 0)
        return r;
    call->done = done;
    call->deadline_usec = loop_monotonic_usec(aws_client_loop(client)) + LIST_DEADLINE_USEC;
    r = ask_page(call);
    if (r < 0) {
        call_free(call);
        return r;
    }
    if (ret)
        *ret = call;
    return 0;
}
