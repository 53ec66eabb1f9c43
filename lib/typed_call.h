/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What every service's typed calls have in common: a call that ends in one callback with a value that was
 * read out of the answer. Services define their operations with it; their callers see only the typed
 * functions. */

#include "lib/call.h"

typedef struct TypedCall TypedCall;

/* Stands for the caller's typed callback, to which the operation's finish casts it back. */
typedef void (*TypedDone)(void);

typedef struct TypedOperation {
    /* Called with each reply, to say whether another request follows: it then sent that by typed_call_send()
     * and returns true. NULL when one reply is all there is. */
    bool (*more)(TypedCall *call, const AwsReply *reply);
    /* Called once, with the last reply: calls the caller's callback. */
    void (*finish)(const TypedCall *call, const AwsReply *reply);
    /* Frees what typed_call() was given as state; NULL when that is nothing. */
    void (*free_state)(void *state);
} TypedOperation;

struct TypedCall {
    const TypedOperation *operation;
    AwsClient *client;
    CredentialsSource *credentials;
    AwsCall *call;
    void *state;        /* of the operation, owned by the call */
    TypedDone done;
    void *userdata;
};

/* Starts a call. The template's operation, done, userdata and state are the caller's to fill in; state
 * becomes the call's, whatever happens. 0, or what aws_call() says, and then done is never called. *ret (may
 * be NULL) serves to cancel, and is gone once finish was called. */
int typed_call(AwsClient *client, CredentialsSource *credentials, const AwsRequest *request,
               const TypedCall *template, TypedCall **ret);

/* From `more` only: sends the next request of the same call. 0, or what aws_call() says. */
int typed_call_send(TypedCall *call, const AwsRequest *request);

/* Ends a call without calling done. NULL is fine. */
void typed_call_cancel(TypedCall *call);

/* The error that a callback is told: the reply's own; or, when that is AWS_OK and the reader gave r < 0, that
 * the answer is bad ("the answer is not what CloudTrail promises") or that memory ran out. */
AwsError typed_call_error(const AwsReply *reply, int r, const char *service);
