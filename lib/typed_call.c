/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/typed_call.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/util/macros.h"

static void free_state(const TypedCall *call) {
    if (call->state && call->operation->free_state)
        call->operation->free_state(call->state);
}

static void on_reply(const AwsReply *reply, void *userdata) {
    TypedCall *call = userdata;
    TypedCall ended;

    call->call = NULL;
    if (call->operation->more && call->operation->more(call, reply))
        return;
    /* Off the heap before the callback, which may free everything it knows of. */
    ended = *call;
    free(call);
    ended.operation->finish(&ended, reply);
    free_state(&ended);
}

int typed_call_send(TypedCall *call, const AwsRequest *request) {
    return aws_call(call->client, call->credentials, request, on_reply, call, &call->call);
}

int typed_call(AwsClient *client, CredentialsSource *credentials, const AwsRequest *request,
               const TypedCall *template, TypedCall **ret) {
    TypedCall *call;
    int r;

    call = malloc(sizeof(*call));
    if (!call) {
        free_state(template);
        return -ENOMEM;
    }
    *call = *template;
    call->client = client;
    call->credentials = credentials;
    r = typed_call_send(call, request);
    if (r < 0) {
        free_state(call);
        free(call);
        return r;
    }
    if (ret)
        *ret = call;
    return 0;
}

void typed_call_cancel(TypedCall *call) {
    if (!call)
        return;
    aws_call_cancel(call->call);
    free_state(call);
    free(call);
}

AwsError typed_call_error(const AwsReply *reply, int r, const char *service) {
    AwsError error = reply->error;

    if (error.class != AWS_OK || r >= 0)
        return error;
    if (r == -ENOMEM)
        aws_error_change(&error, AWS_INTERNAL, "", "out of memory");
    else
        aws_error_change(&error, AWS_BAD_ANSWER, "", "the answer is not what %s promises", service);
    return error;
}
