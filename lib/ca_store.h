/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A bundle of CA certificates, read once into a store that all TLS connections share. libcurl would parse
 * the file anew for each connection: 28 ms and 0.8 MB each with a distribution's bundle. */

#include <stddef.h>

typedef struct x509_store_st CaStore; /* OpenSSL's X509_STORE, reference-counted */

/* Reads a PEM file of certificates and CRLs; NULL: the first that exists of the places where distributions
 * keep theirs. 0; else -errno with one line in error (size bytes) that names the file: -ENOENT, -EACCES ...
 * as the file says, -EINVAL when it holds no certificate or a broken one, -EIO when OpenSSL can use none of
 * its keys, -E2BIG, -ENOMEM. */
int ca_store_read(const char *path, char *error, size_t size, CaStore **ret);

/* Has OpenSSL all that a handshake needs? What it could not make when it was to, once, it never makes. It
 * shakes hands with itself in memory, by TLS 1.3 and 1.2, whatever its configuration allows, in some 10 ms
 * the first time. 0 or -EIO. */
int ca_store_check_tls(void);

/* NULL is fine. Connections that use the store keep it alive. */
void ca_store_free(CaStore *store);
