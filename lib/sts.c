/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/xml.h"

#define BODY "Action=GetCallerIdentity&Version=2011-06-15"
#define RESULT "GetCallerIdentityResponse/GetCallerIdentityResult/"

/* ---- reading ---- */

static bool account_is_valid(const char *s) {
    return strlen(s) == 12 && strspn(s, "0123456789") == 12;
}

static int fields_to_identity(const char *account, const char *arn, StsIdentity *ret) {
    StsIdentity identity;
    Arn parsed;

    if (!account || !arn || !account_is_valid(account) || arn_parse(arn, &parsed) < 0)
        return -EBADMSG;
    (void)text_copy(identity.account, sizeof(identity.account), account);
    if (!text_copy(identity.arn, sizeof(identity.arn), arn))
        return -EBADMSG;
    *ret = identity;
    return 0;
}

int sts_read_identity(const char *body, size_t len, StsIdentity *ret) {
    XmlField fields[] = {
        { .path = RESULT "Account" },
        { .path = RESULT "Arn" },
    };
    int r;

    r = xml_read(body, len, fields, ARRAY_SIZE(fields));
    if (r < 0)
        return -EBADMSG;
    r = fields_to_identity(fields[0].text, fields[1].text, ret);
    xml_fields_done(fields, ARRAY_SIZE(fields));
    return r;
}

/* ---- the call ---- */

struct StsCall {
    AwsCall *call;
    StsIdentityDone done;
    void *userdata;
};

static void on_reply(const AwsReply *reply, void *userdata) {
    StsCall *call = userdata;
    StsIdentityDone done = call->done;
    void *done_userdata = call->userdata;
    AwsError error = reply->error;
    StsIdentity identity;

    free(call);
    if (error.class == AWS_OK && sts_read_identity(reply->body, reply->body_len, &identity) < 0) {
        aws_error_set(&error, AWS_BAD_ANSWER, "", "the answer to GetCallerIdentity holds no identity");
        (void)text_copy(error.request_id, sizeof(error.request_id), reply->request_id);
    }
    done(&error, error.class == AWS_OK ? &identity : NULL, done_userdata);
}

int sts_get_caller_identity(AwsClient *client, CredentialsSource *credentials, const char *region,
                            StsIdentityDone done, void *userdata, StsCall **ret) {
    StsCall *call;
    int r;

    call = malloc(sizeof(*call));
    if (!call)
        return -ENOMEM;
    *call = (StsCall){ .done = done, .userdata = userdata };
    r = aws_call(client, credentials,
                 &(AwsRequest){
                         .service = AWS_STS,
                         .region = region,
                         .protocol = AWS_PROTOCOL_QUERY,
                         .body = BODY,
                         .body_len = strlen(BODY),
                 },
                 on_reply, call, &call->call);
    if (r < 0) {
        free(call);
        return r;
    }
    if (ret)
        *ret = call;
    return 0;
}

void sts_cancel(StsCall *call) {
    if (!call)
        return;
    aws_call_cancel(call->call);
    free(call);
}
