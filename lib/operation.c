/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/operation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sigv4.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* For one list. */
#define PAGES_DEADLINE_USEC (15 * 60 * USEC_PER_SEC)

struct OperationCall {
    const AwsOperation *operation;
    AwsClient *client;
    CredentialsProvider *credentials;
    char region[OPERATION_REGION_MAX];
    char *input;          /* if it is a text */
    char *bucket, *owner; /* of S3 */
    AwsCall *call;
    uint64_t deadline_usec; /* monotonic; for all pages */
    unsigned n_pages;
    char *token;  /* of the present page, or NULL */
    bool sent_on; /* region is the one that AWS named */
    OperationDone done;
    void *userdata;
    void *value;
};

static void operation_call_free(OperationCall *call) {
    if (call->operation->clear && call->value)
        call->operation->clear(call->value);
    free(call->value);
    free(call->token);
    free(call->input);
    free(call->bucket);
    free(call->owner);
    free(call);
}

void operation_cancel(OperationCall *call) {
    if (!call)
        return;
    aws_call_cancel(call->call);
    operation_call_free(call);
}

/* ---- asking ---- */

/* Above the greatest message to a topic, of which percent-encoding makes three bytes a byte at worst. */
#define FORM_MAX (1024 * 1024)

static int build_form(const AwsOperation *operation, const void *input, const char *token, char **ret) {
    /* the token of an identity may be in it */
    _cleanup_strbuf_ StrBuf form = { .max = FORM_MAX, .wipe = true };
    int r = 0;

    (void)form_add(&form, "Action", operation->name);
    (void)form_add(&form, "Version", operation->version);
    if (operation->fill)
        r = operation->fill(input, &form);
    else if (operation->member)
        (void)form_add(&form, operation->member, input);
    if (r < 0)
        return r;
    (void)form_add(&form, operation->token_name, token);
    r = strbuf_take(&form, ret);
    return r == -E2BIG ? -EINVAL : r;
}

int operation_build(const AwsOperation *operation, const void *input, const char *token, char **ret) {
    if (operation->build)
        return operation->build(input, token, ret);
    if (operation->protocol == AWS_PROTOCOL_QUERY)
        return build_form(operation, input, token, ret);
    return answer_request(operation->member ? json_pack("{s:s}", operation->member, input) : json_object(),
                          operation->member ? input : NULL, ret);
}

static void on_reply(const AwsReply *reply, void *userdata);

static int operation_submit(OperationCall *call, const void *input) {
    const AwsOperation *operation = call->operation;
    const AwsBucketRequest bucket = { operation->method, call->bucket, operation->target, call->owner };
    uint64_t now = loop_monotonic_usec(aws_client_loop(call->client));
    uint64_t span = aws_client_deadline_usec(call->client) / (operation->hurried ? 2 : 1);
    AwsRequest request = {
        .service = operation->service,
        .operation = operation->name,
        .region = call->region,
        .protocol = operation->protocol,
        .target = operation->protocol == AWS_PROTOCOL_JSON ? operation->target : NULL,
        .path = operation->protocol == AWS_PROTOCOL_REST_JSON ? operation->target : NULL,
        .bucket = call->bucket ? &bucket : NULL,
    };
    char *body = NULL;
    int r;

    if (now >= call->deadline_usec)
        return -ETIMEDOUT;
    request.deadline_usec = MIN(span, call->deadline_usec - now);
    if (!call->bucket) {
        r = operation_build(operation, input, call->token, &body);
        if (r < 0)
            return r;
        request.body = body;
        request.body_len = strlen(body);
    }
    r = aws_call(call->client, call->credentials, &request, on_reply, call, &call->call);
    hash_wipe(body, request.body_len);
    free(body);
    return r;
}

/* ---- reading ---- */

static int operation_read_json(const AwsOperation *operation, Answer *answer, void *value) {
    json_t *root = NULL;
    int r;

    r = answer_load(answer->reply->body, answer->reply->body_len, &root);
    if (r == -EBADMSG)
        (void)answer_fault(answer->fault, "it is no JSON object");
    if (r < 0)
        return r;
    answer->root = root;
    r = operation->read(answer, value);
    json_decref(root);
    return r;
}

static int read_answer(const AwsOperation *operation, Answer *answer, void *value) {
    bool is_json = operation->protocol == AWS_PROTOCOL_JSON || operation->protocol == AWS_PROTOCOL_REST_JSON;

    return is_json ? operation_read_json(operation, answer, value) : operation->read(answer, value);
}

int operation_read_page(const AwsOperation *operation, const AwsReply *reply, const char *input, void *value,
                        char **ret_token, AnswerFault *fault) {
    Answer answer = { .operation = operation->name, .reply = reply, .input = input, .fault = fault };
    int r;

    r = read_answer(operation, &answer, value);
    if (r < 0)
        free(TAKE_PTR(answer.next_token));
    *ret_token = answer.next_token;
    return r;
}

int operation_read(const AwsOperation *operation, const char *body, size_t len, const char *input,
                   void *value) {
    const AwsReply reply = { .body = body, .body_len = len };
    _cleanup_free_ char *token = NULL, *fresh = calloc(1, operation->value_size);
    AnswerFault fault = { 0 };
    int r;

    if (!fresh)
        return -ENOMEM;
    r = operation_read_page(operation, &reply, input, fresh, &token, &fault);
    if (r >= 0)
        memcpy(value, fresh, operation->value_size);
    else if (operation->clear)
        operation->clear(fresh);
    return r;
}

static void set_error(const AwsOperation *operation, int r, const AwsReply *reply, const AnswerFault *fault,
                      AwsError *error) {
    char coding[HTTP_CODING_MAX] = "";
    const char *what = r == -E2BIG      ? "it is longer than any can be"
                       : r == -ELOOP    ? "its list repeats itself"
                       : fault->text[0] ? fault->text
                                        : "it cannot be read";

    if (r == -EBADMSG && http_coding_fault(reply->response, coding)[0])
        what = coding; /* whatever the reader has made of the bytes */

    if (r == -ENOMEM)
        aws_error_change(error, AWS_INTERNAL, "", "out of memory");
    else if (r == -ETIMEDOUT)
        aws_error_change(error, AWS_TIMED_OUT, "", "the list that %s gives did not end in time",
                         operation->name);
    else
        aws_error_change(error, AWS_BAD_ANSWER, "", "the answer to %s is bad: %s", operation->name, what);
    error->too_long = r == -E2BIG;
}

/* 1: there is another page; 0: that was the last; or -errno. */
static int take_page(OperationCall *call, const AwsReply *reply, AnswerFault *fault) {
    unsigned max = call->operation->pages_max ? call->operation->pages_max : OPERATION_PAGES_MAX;
    Answer answer = { .operation = call->operation->name,
                      .reply = reply,
                      .input = call->input,
                      .region = call->region,
                      .fault = fault };
    _cleanup_free_ const char *before = TAKE_PTR(call->token);
    int r;

    r = read_answer(call->operation, &answer, call->value);
    call->token = answer.next_token;
    if (r < 0 || !call->token || !call->token[0])
        return MIN(r, 0);
    if (text_equal(call->token, before))
        return -ELOOP;
    return ++call->n_pages >= max ? -E2BIG : 1;
}

static void end(OperationCall *call, const AwsError *error) {
    const AwsOperation *operation = call->operation;
    const void *value = NULL;

    if (error->class == AWS_OK && operation->read) {
        if (operation->complete)
            operation->complete(call->value);
        value = call->value;
        if (operation->by_pointer)
            value = *(void **)call->value ? *(void **)call->value : "";
    }
    operation->deliver(call->done, error, value, call->userdata);
    operation_call_free(call);
}

/* True if another region is being asked. */
static bool ask_elsewhere(OperationCall *call, const AwsReply *reply, AwsError *error) {
    char region[OPERATION_REGION_MAX];

    if (!call->operation->elsewhere || !call->operation->elsewhere(reply, call->region, region))
        return false;
    if (call->sent_on) {
        error->class = AWS_WRONG_REGION;
        return false;
    }
    call->sent_on = true;
    (void)text_copy(call->region, sizeof(call->region), region);
    return operation_submit(call, NULL) >= 0;
}

/* True if another request is in progress. */
static bool take_reply(OperationCall *call, const AwsReply *reply, AwsError *error) {
    const AwsOperation *operation = call->operation;
    AnswerFault fault = { 0 };
    int r = 0;

    if (error->class != AWS_OK && operation->none && text_equal(error->code, operation->none)) {
        aws_error_change(error, AWS_OK, "", "%s", "");
        return false;
    }
    if (error->class != AWS_OK) {
        if (ask_elsewhere(call, reply, error))
            return true;
        if (operation->refine && error->class != AWS_WRONG_REGION)
            operation->refine(reply, error);
        return false;
    }
    if (operation->read)
        r = take_page(call, reply, &fault);
    if (r > 0) {
        r = operation_submit(call, call->input);
        if (r >= 0)
            return true;
    }
    if (r < 0)
        set_error(operation, r, reply, &fault, error);
    return false;
}

static void on_reply(const AwsReply *reply, void *userdata) {
    OperationCall *call = userdata;
    AwsError error = reply->error;

    call->call = NULL;
    if (!take_reply(call, reply, &error))
        end(call, &error);
}

void operation_clear_text(void *value) {
    free(*(char **)value);
}

/* ---- starting ---- */

static int keep_input(OperationCall *call, const AwsCaller *caller, const void *input) {
    const AwsOperation *operation = call->operation;
    const AwsBucket *bucket = input;
    int r = 0;

    if (operation->region)
        r = operation->region(input, call->region);
    else if (!text_copy(call->region, sizeof(call->region), caller->region))
        return -EINVAL;
    if (r >= 0 && operation->protocol == AWS_PROTOCOL_S3) {
        r = text_set(&call->bucket, bucket->name);
        return r < 0 ? r : text_set(&call->owner, bucket->owner);
    }
    return r >= 0 && (operation->text_input || operation->member) ? text_set(&call->input, input) : r;
}

int operation_start(const AwsCaller *caller, const AwsOperation *operation, const void *input,
                    OperationDone done, void *userdata, OperationCall **ret) {
    OperationCall *call;
    int r;

    call = calloc(1, sizeof(*call));
    if (!call)
        return -ENOMEM;
    call->operation = operation;
    call->client = caller->client;
    call->credentials = caller->credentials;
    call->done = done;
    call->userdata = userdata;
    call->deadline_usec = loop_monotonic_usec(aws_client_loop(call->client)) + PAGES_DEADLINE_USEC;
    call->value = calloc(1, operation->value_size + 1);
    r = call->value ? keep_input(call, caller, input) : -ENOMEM;
    if (r >= 0)
        r = operation_submit(call, input);
    if (r < 0) {
        operation_call_free(call);
        return r;
    }
    if (ret)
        *ret = call;
    return 0;
}

/* ---- the Query protocol ---- */

int form_add(StrBuf *b, const char *name, const char *value) {
    if (!value)
        return strbuf_error(b);

    if (b->len > 0)
        (void)strbuf_add_char(b, '&');
    (void)sigv4_encode(b, name, strlen(name));
    (void)strbuf_add_char(b, '=');
    return sigv4_encode(b, value, strlen(value));
}

#define RESULT_MAX 160
#define TOKEN_MAX  4096

/* A list, as it says of itself whether it goes on. */
typedef struct Walk {
    XmlVisit visit;
    void *userdata;
    AnswerFault *fault;
    char result[RESULT_MAX]; /* the path of the element that the rest is in */
    bool whole, goes_on;
    char token[TOKEN_MAX];
} Walk;

static int visit_element(const char *path, const char *text, void *userdata) {
    Walk *walk = userdata;
    const char *member = text_starts_with(path, walk->result) ? path + strlen(walk->result) : NULL;
    bool by_token = text_equal(member, "/NextToken"); /* SNS; IAM has both of the others */

    walk->whole |= member && !member[0];
    if (text_equal(member, "/IsTruncated"))
        walk->goes_on = text_equal(text, "true");
    walk->goes_on |= by_token && text[0];
    if ((by_token || text_equal(member, "/Marker")) && !text_copy(walk->token, sizeof(walk->token), text))
        return answer_fault(walk->fault, "%s is too long", member + 1);
    return walk->visit(path, text, walk->userdata);
}

int operation_walk(Answer *answer, XmlVisit visit, void *userdata) {
    Walk walk = { .visit = visit, .userdata = userdata, .fault = answer->fault };
    int r;

    (void)snprintf(walk.result, sizeof(walk.result), "%sResponse/%sResult", answer->operation,
                   answer->operation);
    r = xml_walk(answer->reply->body, answer->reply->body_len, visit_element, &walk);
    if (r < 0)
        return r;
    if (!walk.whole)
        return answer_fault(answer->fault, "%sResult is missing", answer->operation);
    if (!walk.goes_on)
        return 0;
    if (!walk.token[0])
        return answer_fault(answer->fault, "Marker is missing");
    return text_set(&answer->next_token, walk.token);
}

static int digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool form_decode(char *text) {
    char *to = text;

    for (const char *at = text; *at; at++) {
        int high, low;

        if (*at != '%') {
            *to++ = *at;
            continue;
        }
        high = digit(at[1]);
        low = high < 0 ? -1 : digit(at[2]);
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *to++ = (char)(high * 16 + low);
        at += 2;
    }
    *to = '\0';
    return true;
}
