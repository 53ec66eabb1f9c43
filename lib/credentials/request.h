/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the providers share that answer request by request: each from the loop, never from inside get, once,
 * and with "cancelled" when the provider is destroyed first. */

#include <stddef.h>

#include "lib/credentials.h"
#include "lib/credentials/providers.h"
#include "lib/util/macros.h"

/* ---- document.c: what programs, containers and instances answer when they are asked for keys, and which
 * URL a container is asked at. Pure. ---- */

typedef enum DocumentKind {
    DOCUMENT_PROCESS,   /* of a credential_process: Version 1, SessionToken; no Expiration is no end */
    DOCUMENT_CONTAINER, /* of a container's endpoint: Token, Expiration */
    DOCUMENT_INSTANCE,  /* of instance metadata: the same, and a Code that must be Success if it is there */
    _DOCUMENT_KIND_MAX,
} DocumentKind;

#define DOCUMENT_MAX (64 * 1024) /* bytes */

/* OK: *ret is a new reference. FAILED: message (size bytes) says in one line what is wrong with the
 * document, and quotes nothing of it but Code. */
CredentialsStatus document_read(DocumentKind kind, const char *body, size_t len, Credentials **ret,
                                char *message, size_t size);

/* What the answer to a rejected request says of its reason, by `code` and `message` (or `Code` and
 * `Message`): "CODE: MESSAGE", either alone, or "" when it has neither. Raw, one line at most, cut to size.
 * Returns dst. */
const char *document_reason(const char *body, size_t len, char *dst, size_t size);

/* bytes of a role's name, with the NUL (IAM allows 64 characters) */
#define IMDS_ROLE_MAX 128
/* bytes of a session token, with the NUL (56 characters today) */
#define IMDS_TOKEN_MAX 512

/* The role's name from the listing's first line. Only the characters that IAM allows: it becomes part of a
 * path. */
bool imds_read_role(const char *body, size_t len, char ret[static IMDS_ROLE_MAX]);

/* The session token: printable ASCII without blanks, for it becomes a header. */
bool imds_read_token(const char *body, size_t len, char ret[static IMDS_TOKEN_MAX]);

#define CONTAINER_ENDPOINT "http://169.254.170.2"

/* The URL that is asked, or why there is none. Pure. OK; NONE; FAILED. message gets a line unless OK. */
CredentialsStatus container_url(const ContainerOptions *options, char *ret, size_t ret_size, char *message,
                                size_t size);

/* ---- request.c ---- */

/* bytes of any provider's message, with the NUL */
#define CREDENTIALS_MESSAGE_MAX 512

typedef struct CredentialsRequest CredentialsRequest;
typedef struct RequestProvider RequestProvider;
typedef void (*CredentialsStep)(CredentialsRequest *request);

typedef struct RequestProviderType {
    size_t request_size;   /* of the struct whose first member is the CredentialsRequest */
    CredentialsStep begin; /* from the loop: may end the request */
    CredentialsStep stop;  /* ends what the request waits for, its timer excepted; NULL: nothing */
    void (*free)(RequestProvider *provider); /* frees it and all that it added; no request is left */
} RequestProviderType;

/* The base that such a provider embeds as its first member. */
struct RequestProvider {
    CredentialsProvider provider;
    const RequestProviderType *type;
    Loop *loop;
    bool destroying;
    CredentialsRequest *first, *last; /* the oldest first */
};

/* What such a provider embeds as the first member of what it keeps of a request. */
struct CredentialsRequest {
    RequestProvider *owner;
    CredentialsRequest *prev, *next;
    LoopTimer *timer;
    CredentialsStep then; /* at the timer; NULL: it has none */
    CredentialsDone done;
    void *userdata;
};

/* size bytes, zero but for the RequestProvider at their head. NULL when out of memory. */
void *request_provider_new(const RequestProviderType *type, size_t size, Loop *loop);
/* The base of a provider of that type; NULL for any other. */
RequestProvider *request_provider_cast(CredentialsProvider *provider, const RequestProviderType *type);

/* Calls then from the loop, unless the request ends first. 0 or -errno. */
int credentials_request_wait(CredentialsRequest *request, uint64_t delay_usec, CredentialsStep then);

/* Answers: stops and frees the request, then calls done. The provider may be gone after any of these.
 * credentials is borrowed. */
void credentials_request_end(CredentialsRequest *request, CredentialsStatus status, Credentials *credentials,
                             const char *message);
/* The message is "ABOUT: text", cut with an ellipsis. */
void credentials_request_fail(CredentialsRequest *request, CredentialsStatus status, const char *about,
                              const char *format, ...) _printf_(4, 5);
/* With the keys of a document, or with what is wrong with it: `fault`, or what its reader says where that is
 * "". */
void credentials_request_read(CredentialsRequest *request, DocumentKind kind, const char *body, size_t len,
                              const char *about, const char *fault);

/* Copies of what a constructor is given: false when out of memory, true also for NULL. */
bool credentials_copy_text(const char *s, char **ret);
bool credentials_copy_list(const char *const *list, char ***ret);
/* Wipes and frees; NULL is fine. */
void credentials_free_text(char *s);
void credentials_free_list(char **list);
