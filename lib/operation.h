/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Operations of AWS's services. Each is a table row that says how to build the request and read the answer.
 * One function runs them all; it follows pages, and redirects to a bucket's region. A service's file has
 * rows and readers, but no calls. */

#include <jansson.h>

#include "lib/answer.h"
#include "lib/call.h"
#include "lib/util/strbuf.h"
#include "lib/xml.h"

#define OPERATION_REGION_MAX 32
#define OPERATION_PAGES_MAX  5000 /* of one list; pages may be empty */

/* The caller and its region. Everything is borrowed: client and credentials until the call has ended. */
typedef struct AwsCaller {
    AwsClient *client;
    CredentialsProvider *credentials; /* NULL: unsigned */
    const char *region;
} AwsCaller;

/* The input of all S3 operations. */
typedef struct AwsBucket {
    const char *name;
    const char *owner; /* expected account of the owner, else S3 denies; NULL: any */
} AwsBucket;

/* The input of a reader. */
typedef struct Answer {
    const char *operation; /* its name */
    const AwsReply *reply;
    const json_t *root; /* JSON protocols only: an object */
    const char *input;  /* the input if it is a text, else NULL */
    const char *region; /* the region that answered */
    char *next_token;   /* set by readers of pages; owned; NULL or "" after the last page */
    AnswerFault *fault; /* explains what is wrong when the reader returns -EBADMSG */
} Answer;

/* Stands for the caller's callback, done(error, value, userdata). `deliver` casts it back. */
typedef void (*OperationDone)(void);

typedef struct AwsOperation {
    AwsService service;
    AwsProtocol protocol;
    const char *name;   /* "GetTrailStatus"; also selects CloudTrail's quota (lib/rate_limiter.h) */
    const char *target; /* X-Amz-Target for JSON, the path for REST-JSON, the query for S3; NULL: none */
    const char *method; /* S3 only */
    /* The body: {member: input} for a text, or what build makes of the input and the token of the next page
     * (NULL: first page), which the caller frees. Without either, there is no input. 0, -EINVAL, -ENOMEM.
     * Pure. */
    const char *member;
    int (*build)(const void *input, const char *token, char **ret);
    /* The same for the Query protocol, whose forms begin with Action and Version: adds the input; and what
     * the token of the next page is called. */
    int (*fill)(const void *input, StrBuf *form);
    const char *version, *token_name;
    bool text_input; /* the input is a text that the reader or later pages need (as with member) */
    bool hurried; /* limited to half of a call's time, so that a call waiting for it can report the result */
    /* Selects the region from the input; NULL: the caller's region. */
    int (*region)(const void *input, char ret[static OPERATION_REGION_MAX]);
    /* Adds an answer to value, which is zeroed before the first page. NULL: nothing to read. Returns 0,
     * -EBADMSG, -E2BIG or -ENOMEM; on error value is cleared. Pure. */
    int (*read)(Answer *answer, void *value);
    unsigned pages_max;            /* 0: OPERATION_PAGES_MAX */
    void (*complete)(void *value); /* called after the last page; may be NULL */
    void (*clear)(void *value);    /* may be NULL */
    size_t value_size;
    bool by_pointer;  /* the value is a pointer, which is passed to the callback itself */
    const char *none; /* the error code that means "none": success with an empty value */
    /* Returns another region to try, once. May be NULL. */
    bool (*elsewhere)(const AwsReply *reply, const char *region, char ret[static OPERATION_REGION_MAX]);
    void (*refine)(const AwsReply *reply, AwsError *error); /* adapts the error; may be NULL */
    void (*deliver)(OperationDone done, const AwsError *error, const void *value, void *userdata);
} AwsOperation;

/* For a value that is one allocated string. */
#define OPERATION_TEXT_VALUE .value_size = sizeof(char *), .by_pointer = true, .clear = operation_clear_text
void operation_clear_text(void *value);

/* A running call. Freed when its callback is called. */
typedef struct OperationCall OperationCall;

/* Starts an operation. Callers use the typed functions from DECLARE_OPERATION. done is called exactly once,
 * never from inside this function. Returns 0, or -ENOMEM / -EINVAL and then done is not called. ret may be
 * NULL. */
int operation_start(const AwsCaller *caller, const AwsOperation *operation, const void *input,
                    OperationDone done, void *userdata, OperationCall **ret);
/* Cancels without a callback. NULL is fine. */
void operation_cancel(OperationCall *call);

/* Declares NAME(caller, input, done, userdata, ret), which starts NAME_operation. In the callback either
 * error is AWS_OK or value is NULL; both are valid only inside it. An unreadable answer is AWS_BAD_ANSWER,
 * with a message that names the missing or wrong member. */
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

/* The same for operations without a result: done(error, userdata). */
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

/* ---- building and reading, as used by the call ---- */

/* Builds the body of a request; the caller wipes or frees *ret. 0, -EINVAL, -ENOMEM. */
int operation_build(const AwsOperation *operation, const void *input, const char *token, char **ret);

/* Reads a body into value, which is unchanged on failure. */
int operation_read(const AwsOperation *operation, const char *body, size_t len, const char *input,
                   void *value);
/* Reads one page, or an answer that depends on the input. ret_token and fault are as in Answer. */
int operation_read_page(const AwsOperation *operation, const AwsReply *reply, const char *input, void *value,
                        char **ret_token, AnswerFault *fault);

/* Appends "name=value", both percent-encoded (a space is %20), to a form of the Query protocol, with "&"
 * unless the buffer is empty. A NULL value appends nothing. Returns the buffer's error. */
int form_add(StrBuf *b, const char *name, const char *value);

/* Goes through an answer of the Query protocol that is a list, as xml_walk does, and sets the answer's
 * next_token. */
int operation_walk(Answer *answer, XmlVisit visit, void *userdata);

/* Decodes percent-encoded text (RFC 3986) in place, as in IAM's policies. Returns false, with text half
 * decoded, for a % without two hexadecimal digits and for a zero byte. */
bool form_decode(char *text);
