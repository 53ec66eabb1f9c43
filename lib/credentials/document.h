/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The JSON documents in which programs, containers and instances hand out keys. Pure. */

#include <stddef.h>

#include "lib/credentials.h"

typedef enum DocumentKind {
    DOCUMENT_PROCESS,   /* of a credential_process: Version 1, SessionToken; no Expiration is no end */
    DOCUMENT_CONTAINER, /* of a container's endpoint: Token, Expiration */
    DOCUMENT_INSTANCE,  /* of instance metadata: the same, and a Code that must be Success if it is there */
    _DOCUMENT_KIND_MAX,
} DocumentKind;

#define DOCUMENT_MAX (64 * 1024) /* bytes */

/* OK: *ret is a new reference. FAILED: message (size bytes) says in one line what is wrong with the document,
 * and quotes nothing of it but Code. */
CredentialsStatus document_read(DocumentKind kind, const char *body, size_t len, Credentials **ret,
                                char *message, size_t size);

/* What the answer to a rejected request says of its reason, by `code` and `message` (or `Code` and
 * `Message`): "CODE: MESSAGE", either alone, or "" when it has neither. Raw, one line at most, cut to size.
 * Returns dst. */
const char *document_reason(const char *body, size_t len, char *dst, size_t size);
