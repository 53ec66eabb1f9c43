/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A small HTTP/1.1 server on the loopback interface, in threads of the test program, plain or with TLS. What
 * it answers is in the path; see local_server.c. Anything that goes wrong in it ends the program. */

#include <stdbool.h>

typedef struct LocalServer LocalServer;

/* A CA, and a certificate for 127.0.0.1 by it, made for this run. */
typedef struct LocalCa LocalCa;
LocalCa *local_ca_new(void);
void local_ca_free(LocalCa *ca);
/* Writes the CA's certificate to a PEM file. */
void local_ca_write(const LocalCa *ca, const char *path);

/* ca: NULL for plain HTTP, else borrowed. */
LocalServer *local_server_new(const LocalCa *ca);
/* Closes all connections and waits for the threads. NULL is fine. */
void local_server_free(LocalServer *server);

unsigned local_server_port(const LocalServer *server);

/* So far: connections accepted; TLS handshakes that resumed a session; requests read. */
unsigned local_server_n_connections(LocalServer *server);
unsigned local_server_n_resumed(LocalServer *server);
unsigned local_server_n_requests(LocalServer *server);
