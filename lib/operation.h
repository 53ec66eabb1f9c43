/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Operations of AWS's services. Each is one row: how it is asked for, and how its answer is read. One
 * function starts them all; it follows pages, and buckets that are elsewhere. A service's file has rows and
 * readers, no calls. */

#include <jansson.h>

#include "lib/answer.h"
#include "lib/call.h"
#include "lib/util/strbuf.h"
#include "lib/xml.h"

#define OPERATION_REGION_MAX 32
#define OPERATION_PAGES_MAX  5000 /* of one list; a page may be empty */

/* Who calls, and where. Everything is borrowed: client and credentials until the call has ended. */
typedef struct AwsCaller {
    AwsClient *client;
    CredentialsProvider *credentials; /* NULL: unsigned */
    const char *region;
} AwsCaller;

/* The input of all operations of S3. */
typedef struct AwsBucket {
    const char *name;
    const char *owner; /* the account that must own it, else S3 denies; NULL: any */
} AwsBucket;

/* What a reader reads. */
typedef struct Answer {
    const char *operation; /* its name */
    const AwsReply *reply;
    const json_t *root; /* of the JSON protocols: an object */
    const char *input;  /* of an operation whose input is a text, else NULL */
    const char *region; /* where it was asked for */
    char *next_token;   /* set by a reader of pages: owned; NULL or "" after the last */
    AnswerFault *fault; /* what is wrong, when a reader gives -EBADMSG */
} Answer;

/* Stands for the caller's callback, done(error, value, userdata), to which `deliver` casts it back. */
typedef void (*OperationDone)(void);

typedef struct AwsOperation {
    AwsService service;
    AwsProtocol protocol;
    const char *name;   /* "GetTrailStatus"; CloudTrail's quota goes by it (lib/rate_limiter.h) */
    const char *target; /* the X-Amz-Target of JSON, the path of REST-JSON, the query of S3; NULL: none */
    const char *method; /* of S3 only */
    /* The body: {member: input}, where the input is one text; or what build makes of the input and the token
     * of the next page (NULL: the first), for the caller to free. Neither: no input. 0, -EINVAL, -ENOMEM.
     * Pure. */
    const char *member;
    int (*build)(const void *input, const char *token, char **ret);
    /* The same for the Query protocol, whose forms begin with Action and Version: adds the input; and what
     * the token of the next page is called. */
    int (*fill)(const void *input, StrBuf *form);
    const char *version, *token_name;
    bool text_input; /* the reader, or the builder of further pages, needs the input: one text (as with
                        member) */
    bool hurried; /* takes at most half of a call's time, so that a call that waits for it hears how it went
                   */
    /* The region to ask, by the input; NULL: the caller's. */
    int (*region)(const void *input, char ret[static OPERATION_REGION_MAX]);
    /* Reads an answer into value, which is zeroed before; pages add to it. NULL: there is nothing to read.
     * 0, -EBADMSG, -E2BIG, -ENOMEM; what value then has is cleared. Pure. */
    int (*read)(Answer *answer, void *value);
    unsigned pages_max;            /* 0: OPERATION_PAGES_MAX */
    void (*complete)(void *value); /* behind the last page; may be NULL */
    void (*clear)(void *value);    /* may be NULL */
    size_t value_size;
    bool by_pointer;  /* the value is a pointer, and that is what the callback gets */
    const char *none; /* the code by which AWS says that there is none: a good answer, with an empty value */
    /* Another region that may have the answer; asked once. May be NULL. */
    bool (*elsewhere)(const AwsReply *reply, const char *region, char ret[static OPERATION_REGION_MAX]);
    void (*refine)(const AwsReply *reply, AwsError *error); /* what the error means here; may be NULL */
    void (*deliver)(OperationDone done, const AwsError *error, const void *value, void *userdata);
} AwsOperation;

/* A value that is one text of its own. */
#define OPERATION_TEXT_VALUE .value_size = sizeof(char *), .by_pointer = true, .clear = operation_clear_text
void operation_clear_text(void *value);

/* A call under way; gone once its callback was called. */
typedef struct OperationCall OperationCall;

/* Starts an operation; callers use the typed functions that DECLARE_OPERATION makes. done is called exactly
 * once, never from inside. 0, or -ENOMEM / -EINVAL and then never. ret may be NULL. */
int operation_start(const AwsCaller *caller, const AwsOperation *operation, const void *input,
                    OperationDone done, void *userdata, OperationCall **ret);
/* Ends it without a callback. NULL is fine. */
void operation_cancel(OperationCall *call);

/* NAME(caller, input, done, userdata, ret) starts the operation whose row is NAME_operation. The callback's
 * error is AWS_OK, or its value is NULL; both are valid inside it only. An answer that cannot be read is
 * AWS_BAD_ANSWER, and the message names the member that is missing or wrong. */
#define DECLARE_OPERATION(name_, Input, Value)                                                              \
    extern const AwsOperation name_##_operation;                                                            \
    static inline int name_(const AwsCaller *caller, const Input *input,                                    \
                            void (*done)(const AwsError *error, Value *value, void *userdata),              \
                            void *userdata, OperationCall **ret) {                                          \
        return operation_start(caller, &name_##_operation, input, (OperationDone)done, userdata, ret);      \
    }                                                                                                       \
    static inline void name_##_deliver(OperationDone done, const AwsError *error, const void *value,        \
                                       void *userdata) {                                                    \
        ((void (*)(const AwsError *, Value *, void *))done)(error, (Value *)value, userdata);               \
    }                                                                                                       \
    struct _swallow_semicolon_

/* The same where the answer says only that AWS took it: done(error, userdata). */
#define DECLARE_WRITE(name_, Input)                                                                         \
    extern const AwsOperation name_##_operation;                                                            \
    static inline int name_(const AwsCaller *caller, const Input *input,                                    \
                            void (*done)(const AwsError *error, void *userdata), void *userdata,            \
                            OperationCall **ret) {                                                          \
        return operation_start(caller, &name_##_operation, input, (OperationDone)done, userdata, ret);      \
    }                                                                                                       \
    static inline void name_##_deliver(OperationDone done, const AwsError *error,                           \
                                       const void *value _unused_, void *userdata) {                        \
        ((void (*)(const AwsError *, void *))done)(error, userdata);                                        \
    }                                                                                                       \
    struct _swallow_semicolon_

/* ---- the pure halves, as the call uses them ---- */

/* The body of a request; the caller wipes or frees *ret. 0, -EINVAL, -ENOMEM. */
int operation_build(const AwsOperation *operation, const void *input, const char *token, char **ret);

/* Reads an answer's body into value, which is as it was before when that fails. */
int operation_read(const AwsOperation *operation, const char *body, size_t len, const char *input,
                   void *value);
/* One page, or an answer of which the input is a part; ret_token and fault as in Answer. */
int operation_read_page(const AwsOperation *operation, const AwsReply *reply, const char *input, void *value,
                        char **ret_token, AnswerFault *fault);

/* Appends "name=value" to a form of the Query protocol, with "&" before it unless the buffer is empty; both
 * percent-encoded (a space is %20). A NULL value appends nothing. Returns the buffer's error. */
int form_add(StrBuf *b, const char *name, const char *value);

/* Goes through an answer of the Query protocol that is a list, as xml_walk does, and sets the answer's
 * next_token. */
int operation_walk(Answer *answer, XmlVisit visit, void *userdata);

/* Decodes percent-encoded text (RFC 3986) in place, as IAM sends policies. False, with text half decoded,
 * where a % does not stand before two hexadecimal digits, or for a zero byte. */
bool form_decode(char *text);
