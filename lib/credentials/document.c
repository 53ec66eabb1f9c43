/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: AWS SDKs and Tools Reference Guide, "Process credential provider" and "Container credential
 * provider"; Amazon EC2 User Guide, "Retrieve security credentials from instance metadata". */
#include "lib/credentials/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/answer.h"
#include "lib/endpoint.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

static const struct {
    const char *provider;
    const char *token; /* the member with a session's token */
    bool versioned;
    bool must_end;
} kinds[_DOCUMENT_KIND_MAX] = {
    [DOCUMENT_PROCESS] = { .provider = "process", .token = "SessionToken", .versioned = true },
    [DOCUMENT_CONTAINER] = { .provider = "container", .token = "Token", .must_end = true },
    [DOCUMENT_INSTANCE] = { .provider = "imds", .token = "Token" },
};

static CredentialsStatus fail(char *message, size_t size, const char *why) {
    text_copy(message, size, why);
    return CREDENTIALS_FAILED;
}

/* False if a member is no text; "" for absent ones. */
static bool read_texts(const json_t *document, const char *const *names, const char **ret, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (answer_text(document, names[i], &ret[i]) < 0)
            return false;
    return true;
}

static bool version_is_known(const json_t *document) {
    const json_t *version = answer_member(document, "Version");

    return json_is_number(version) && json_number_value(version) == 1;
}

static CredentialsStatus read_object(DocumentKind kind, const json_t *document, Credentials **ret,
                                     char *message, size_t size) {
    enum { KEY, SECRET, TOKEN, EXPIRATION, CODE, N };
    const char *const names[N] = { "AccessKeyId", "SecretAccessKey", kinds[kind].token, "Expiration",
                                   "Code" };
    const char *texts[N];
    uint64_t expires = 0;
    char shown[96];
    int bad;

    if (kinds[kind].versioned && !version_is_known(document))
        return fail(message, size, "the answer's Version is not the number 1");
    if (!read_texts(document, names, texts, N))
        return fail(message, size, "the answer holds something else where a text should be");
    if (kind == DOCUMENT_INSTANCE && texts[CODE][0] && !text_equal(texts[CODE], "Success")) {
        snprintf(message, size, "the role's credentials are not available: %s",
                 text_escaped(shown, sizeof(shown), texts[CODE]));
        return CREDENTIALS_FAILED;
    }
    if (!texts[KEY][0] || !texts[SECRET][0])
        return fail(message, size, "the answer holds no keys");
    bad = credentials_unsendable(texts[KEY], texts[SECRET], texts[TOKEN]);
    if (bad >= 0) {
        snprintf(message, size, "the answer's %s " CREDENTIALS_UNSENDABLE, names[KEY + bad]);
        return CREDENTIALS_FAILED;
    }
    if (kinds[kind].must_end && !texts[EXPIRATION][0])
        return fail(message, size, "the answer has no Expiration");
    if (kinds[kind].versioned && !texts[EXPIRATION][0] &&
        json_is_string(answer_member(document, names[EXPIRATION])))
        return fail(message, size, "the answer's Expiration is empty");
    if (texts[EXPIRATION][0] && (timetext_parse_lenient(texts[EXPIRATION], &expires) < 0 || expires == 0))
        return fail(message, size,
                    "the answer's Expiration is not a time with a zone, such as "
                    "2030-01-02T03:04:05Z");
    *ret = credentials_new(texts[KEY], texts[SECRET], texts[TOKEN], expires, kinds[kind].provider);
    return *ret ? CREDENTIALS_OK : fail(message, size, "out of memory");
}

CredentialsStatus document_read(DocumentKind kind, const char *body, size_t len, Credentials **ret,
                                char *message, size_t size) {
    CredentialsStatus status;
    json_t *document;
    int r;

    if (len > DOCUMENT_MAX)
        return fail(message, size, "the answer is too long");
    r = answer_load(body, len, &document);
    if (r < 0)
        return fail(message, size, r == -ENOMEM ? "out of memory" : "the answer is not a JSON object");
    status = read_object(kind, document, ret, message, size);
    json_decref(document);
    return status;
}

static const char *text_of(const json_t *document, const char *name, const char *other_name) {
    const char *text = "";

    if (answer_text(document, name, &text) < 0 || !text[0])
        (void)answer_text(document, other_name, &text);
    return text ? text : "";
}

const char *document_reason(const char *body, size_t len, char *dst, size_t size) {
    const char *code, *message;
    json_t *document;

    dst[0] = '\0';
    if (len > DOCUMENT_MAX || answer_load(body, len, &document) < 0)
        return dst;
    code = text_of(document, "code", "Code");
    message = text_of(document, "message", "Message");
    snprintf(dst, size, "%s%s%s", code, code[0] && message[0] ? ": " : "", message);
    dst[strcspn(dst, "\r\n")] = '\0';
    json_decref(document);
    return dst;
}

/* ---- instance metadata ---- */

static size_t trimmed_length(const char *body, size_t len) {
    while (len > 0 && strchr(" \t\r\n", body[len - 1]))
        len--;
    return len;
}

bool imds_read_role(const char *body, size_t len, char ret[static IMDS_ROLE_MAX]) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+=,.@_-";
    const char *end = len > 0 ? memchr(body, '\n', len) : NULL;
    size_t n = trimmed_length(body, end ? (size_t)(end - body) : len);

    if (n == 0 || n >= IMDS_ROLE_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!memchr(allowed, body[i], sizeof(allowed) - 1))
            return false;
    /* "." and ".." would change the path. */
    if (body[0] == '.' && (n == 1 || (n == 2 && body[1] == '.')))
        return false;
    memcpy(ret, body, n);
    ret[n] = '\0';
    return true;
}

bool imds_read_token(const char *body, size_t len, char ret[static IMDS_TOKEN_MAX]) {
    size_t n = trimmed_length(body, len);

    if (n == 0 || n >= IMDS_TOKEN_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (body[i] <= 0x20 || body[i] >= 0x7f)
            return false;
    memcpy(ret, body, n);
    ret[n] = '\0';
    return true;
}

/* ---- the container's endpoint ---- */

static bool is_set(const char *s) {
    return s && *s;
}

/* A path, perhaps with a query: the part of a URL after the host. */
static bool is_relative_uri(const char *s) {
    if (*s != '/')
        return false;
    for (; *s; s++)
        if (*s <= ' ' || *s >= 0x7f || strchr("#\\\"<>", *s))
            return false;
    return true;
}

CredentialsStatus container_url(const ContainerOptions *options, char *ret, size_t ret_size, char *message,
                                size_t size) {
    bool relative = is_set(options->relative_uri);

    if (!relative && !is_set(options->full_uri)) {
        text_copy(message, size, "container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set");
        return CREDENTIALS_NONE;
    }
    if (relative && !is_relative_uri(options->relative_uri)) {
        text_copy(message, size, "container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not a path");
        return CREDENTIALS_FAILED;
    }
    if (!relative && !endpoint_container_is_allowed(options->full_uri)) {
        text_copy(message, size,
                  "container: AWS_CONTAINER_CREDENTIALS_FULL_URI may not be asked for keys; allowed: "
                  "https://, "
                  "and http:// to loopback, 169.254.170.2, 169.254.170.23 or [fd00:ec2::23]");
        return CREDENTIALS_FAILED;
    }
    if (snprintf(ret, ret_size, "%s%s", relative ? CONTAINER_ENDPOINT : "",
                 relative ? options->relative_uri : options->full_uri) >= (int)ret_size) {
        text_copy(message, size, "container: the URL is too long");
        return CREDENTIALS_FAILED;
    }
    return CREDENTIALS_OK;
}
