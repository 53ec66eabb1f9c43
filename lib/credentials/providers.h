/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The providers of credentials. Each constructor returns 0 or -ENOMEM; text arguments are copied, NULL means
 * "not set". */

#include "lib/credentials.h"

typedef struct AwsClient AwsClient;
typedef struct StsRole StsRole;

/* From the values of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, which the caller has
 * read. NONE when access_key_id is unset or empty; FAILED when only that is set. */
int credentials_env_new(Loop *loop, const char *access_key_id, const char *secret_access_key,
                        const char *session_token, CredentialsProvider **ret);

/* Stands for a provider that is configured in a way that cannot work: always FAILED, with message (one
 * line). */
int credentials_error_new(Loop *loop, const char *message, CredentialsProvider **ret);

/* EC2 instance metadata, version 2 only. endpoint: "http://169.254.169.254" unless overridden. timeout 2 s,
 * 3 attempts. NONE when nothing answers there (no EC2 host) or no instance profile is attached (404). */
int credentials_imds_new(Loop *loop, HttpClient *http, const char *endpoint, CredentialsProvider **ret);

/* Asks providers in order until one does not say NONE; takes ownership of the n providers (also on error).
 * When all say NONE the answer is NONE with a message that names what was tried. */
int credentials_chain_new(CredentialsProvider **providers, unsigned n, CredentialsProvider **ret);

/* Keeps what inner (owned, also on error) gave: one request in flight for all waiters, refresh ahead of
 * expiry (from max(5 min, a quarter of the lifetime) before it, spread by jitter) while the old ones are
 * still handed out, old ones kept until expiry when a refresh fails, failures retried after 1..60 s
 * back-off: inside that time waiters get the last failure at once. */
int credentials_cache_new(Loop *loop, CredentialsProvider *inner, CredentialsProvider **ret);

/* The credentials endpoint that ECS tasks and EKS pods (Pod Identity) are given. */

/* Values of the environment variables AWS_CONTAINER_..., which the caller has read; each may be NULL or
 * "". */
typedef struct ContainerOptions {
    const char *relative_uri; /* ..._CREDENTIALS_RELATIVE_URI: a path at 169.254.170.2; wins */
    const char *full_uri;     /* ..._CREDENTIALS_FULL_URI */
    const char *token_file;   /* ..._AUTHORIZATION_TOKEN_FILE: read at each get; wins */
    const char *token;        /* ..._AUTHORIZATION_TOKEN */
} ContainerOptions;

/* NONE when neither URI is set. FAILED when the URI is not one that endpoint_container_is_allowed takes,
 * when the token cannot be read or holds a line break, and when the endpoint gives no keys: three attempts
 * of 2 s, 1 s apart. Never through a proxy. Texts are copied. 0 or -ENOMEM. */
int credentials_container_new(Loop *loop, HttpClient *http, const ContainerOptions *options,
                              CredentialsProvider **ret);

/* credential_process: keys from a program's standard output. */

#define PROCESS_TIMEOUT_USEC (30ULL * 1000 * 1000)

/* command is split as by shell_split and run without a shell at each get, with environment ("NAME=value",
 * NULL-terminated) and nothing else; texts are copied. It has 30 s, then it and what it started is killed; a
 * status other than 0, more than 64 KiB of output or a document other than DOCUMENT_PROCESS is FAILED.
 * Messages name the program but not its arguments, and quote the beginning and the end of its standard
 * error, escaped, never its standard output. Never NONE. 0 or -ENOMEM. */
int credentials_process_new(Loop *loop, const char *command, const char *const *environment,
                            CredentialsProvider **ret);

/* A session of a role, opened by AssumeRoleWithWebIdentity with a token from a file (EKS, OIDC).
 *
 * token_file is read at each get, since whoever puts it there replaces it; white space around the token is
 * cut off. client is borrowed and must outlive the provider; texts are copied. DENIED when AWS says that the
 * token may not open the role; FAILED for all else. Never NONE. 0, -ENOMEM, or -EINVAL when sts_role_problem
 * finds something or the region is unknown. */
int credentials_web_identity_new(AwsClient *client, const char *region, const StsRole *role,
                                 const char *token_file, CredentialsProvider **ret);

/* A session of a role, opened by AssumeRole with another provider's credentials.
 *
 * base (usually a cache, so that many roles share what it holds) and client are borrowed and must outlive
 * the provider; role's texts and region are copied. Each get is one call to region's STS: wrap it by
 * credentials_cache_new, which keeps the session and has one call in flight for all who wait. When AWS calls
 * the base's set expired, a base that is a cache is told, and asked again once.
 *
 * DENIED when AWS says that base may not assume the role, which it also does when there is no such role, or
 * when role's external id or the trust policy does not fit; FAILED for all else. Messages name the role and
 * carry AWS's text and code. Never NONE.
 *
 * 0, -ENOMEM, or -EINVAL when sts_role_problem finds something or the region is unknown. */
int credentials_assume_role_new(AwsClient *client, CredentialsProvider *base, const char *region,
                                const StsRole *role, CredentialsProvider **ret);

/* A profile of AWS's shared files: its key, its program, its web identity, or the role at the end of its
 * chain. */

typedef struct ProfileOptions {
    const char *credentials_file;  /* path; NULL: none */
    const char *config_file;       /* path; NULL: none */
    const char *profile;           /* NULL: "default" */
    bool file_required;            /* a credentials file that is not there is an error */
    bool config_required;          /* so is a configuration file */
    bool file_named, config_named; /* one that is there and may not be read is an error; else it is as if it
                                    * were not there, as with AWS's tools */
    bool profile_required;    /* a profile that is not there is an error; one without credentials only when
                               * its file is required */
    const char *region;       /* whose STS roles are assumed by */
    const char *session_name; /* of roles whose profile gives none */
    const char *const *environment; /* for credential_process: "NAME=value", NULL-terminated */

    /* What credential_source may name; taken over, also on error; each may be NULL. */
    CredentialsProvider *from_environment, *from_instance, *from_container;
} ProfileOptions;

/* Both files are read at each get, so that changed ones are picked up. NONE when files, profile, or the
 * credentials in it are not there and not required. FAILED when a file cannot be read or parsed, for what
 * profile_plan refuses, for a role that STS would refuse by its shape, and when what it leads to gives NONE
 * or fails; DENIED as assume_role. client is borrowed and must outlive the provider; texts are copied. 0 or
 * -ENOMEM.
 */
int credentials_profile_new(AwsClient *client, const ProfileOptions *options, CredentialsProvider **ret);
