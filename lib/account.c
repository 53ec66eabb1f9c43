/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/account.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/answer.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define PATH "getRegionOptStatus"

/* ---- building and reading ---- */

int account_build_region_status(const char *region, char **ret) {
    return answer_request(json_pack("{s:s}", "RegionName", region), ret);
}

static int read_status(const json_t *root, const char *region, char ret[static ACCOUNT_STATUS_MAX]) {
    const char *name = "", *status = "";
    int r;

    r = answer_text(root, "RegionName", &name);
    if (r >= 0)
        r = answer_text(root, "RegionOptStatus", &status);
    if (r < 0 || !*status || (*name && !text_equal(name, region)))
        return -EBADMSG;
    (void)text_copy(ret, ACCOUNT_STATUS_MAX, status);
    return 0;
}

int account_read_region_status(const char *body, size_t len, const char *region,
                               char ret[static ACCOUNT_STATUS_MAX]) {
    json_t *root;
    int r;

    r = answer_load(body, len, &root);
    if (r < 0)
        return r;
    r = read_status(root, region, ret);
    json_decref(root);
    return r;
}

/* ---- the call ---- */

static void finish(const TypedCall *call, const AwsReply *reply) {
    char status[ACCOUNT_STATUS_MAX];
    AwsError error;
    int r = 0;

    if (reply->error.class == AWS_OK)
        r = account_read_region_status(reply->body, reply->body_len, call->state, status);
    error = typed_call_error(reply, r, "Account Management");
    ((AccountRegionStatusDone)call->done)(&error, error.class == AWS_OK ? status : NULL, call->userdata);
}

int account_get_region_status(AwsClient *client, CredentialsSource *credentials, const char *region,
                              AccountRegionStatusDone done, void *userdata, AccountCall **ret) {
    static const TypedOperation operation = { .finish = finish, .free_state = free };
    TypedCall template = { .operation = &operation, .done = (TypedDone)done, .userdata = userdata };
    _cleanup_free_ char *body = NULL;
    int r;

    r = account_build_region_status(region, &body);
    if (r < 0)
        return r;
    template.state = strdup(region);
    if (!template.state)
        return -ENOMEM;
    return typed_call(client, credentials,
                      &(AwsRequest){
                              .service = AWS_ACCOUNT,
                              .region = region,
                              .protocol = AWS_PROTOCOL_REST_JSON,
                              .path = PATH,
                              .body = body,
                              .body_len = strlen(body),
                      },
                      &template, ret);
}

void account_cancel(AccountCall *call) {
    typed_call_cancel(call);
}
