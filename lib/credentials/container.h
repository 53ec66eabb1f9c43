/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The credentials endpoint that ECS tasks and EKS pods (Pod Identity) are given. */

#include <stddef.h>

#include "lib/credentials.h"

/* Values of the environment variables AWS_CONTAINER_... that somebody else read; each may be NULL or "". */
typedef struct ContainerOptions {
    const char *relative_uri;   /* ..._CREDENTIALS_RELATIVE_URI: a path at 169.254.170.2; wins */
    const char *full_uri;       /* ..._CREDENTIALS_FULL_URI */
    const char *token_file;     /* ..._AUTHORIZATION_TOKEN_FILE: read at each get; wins */
    const char *token;          /* ..._AUTHORIZATION_TOKEN */
} ContainerOptions;

/* NONE when neither URI is set. FAILED when the URI is not one that endpoint_container_is_allowed takes, when
 * the token cannot be read or holds a line break, and when the endpoint gives no keys: three attempts of 2 s,
 * 1 s apart. Never through a proxy. Texts are copied. 0 or -ENOMEM. */
int credentials_container_new(Loop *loop, HttpClient *http, const ContainerOptions *options,
                              CredentialsProvider **ret);

/* The URL that is asked, or why there is none. Pure. OK; NONE; FAILED. message gets a line unless OK. */
CredentialsStatus container_url(const ContainerOptions *options, char *ret, size_t ret_size, char *message,
                                size_t size);
