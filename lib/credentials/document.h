/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What programs, containers and instances answer when they are asked for keys, and which URL a container is
 * asked at. Pure. */

#include <stddef.h>

#include "lib/credentials/providers.h"

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
