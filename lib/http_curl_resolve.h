/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Resolves names to addresses. getaddrinfo may hang indefinitely and cannot be cancelled, and libcurl waits
 * for its own resolver thread when a transfer is removed. So names are resolved here, in detached threads
 * that nothing waits for, and libcurl gets addresses. Part of http_curl. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct sd_event sd_event;

#define CURL_HOST_MAX      256
#define CURL_ADDRESSES_MAX 8

typedef struct CurlAddresses {
    unsigned n;
    char texts[CURL_ADDRESSES_MAX][INET6_ADDRSTRLEN];
} CurlAddresses;

typedef struct CurlResolver CurlResolver;

/* Called from the loop when a query for host has ended. error is NULL if there are addresses now, else the
 * resolver's error. May free the resolver. */
typedef void (*CurlResolved)(const char *host, const char *error, void *userdata);

/* life_usec: how long an answer is used. event is borrowed. 0 or -errno. */
int curl_resolver_new(sd_event *event, uint64_t life_usec, CurlResolved resolved, void *userdata,
                      CurlResolver **ret);
/* Never waits: hanging threads keep what they need. NULL is allowed. */
void curl_resolver_free(CurlResolver *resolver);

typedef enum CurlNameState {
    CURL_NAME_UNKNOWN, /* no addresses */
    CURL_NAME_OLD,     /* old addresses, for use while the resolver fails */
    CURL_NAME_FRESH,
} CurlNameState;

/* The addresses of host (lower case); *ret is filled in unless UNKNOWN. localhost and names below it are
 * always known. */
CurlNameState curl_resolver_find(const CurlResolver *resolver, const char *host, CurlAddresses *ret);

/* Starts a query for host, unless one is running. `resolved` will be called, never from inside, and possibly
 * after a very long time. 0 or -ENOMEM. */
int curl_resolver_ask(CurlResolver *resolver, const char *host);

/* Its addresses did not work: they are resolved again before the next use. */
void curl_resolver_expire(CurlResolver *resolver, const char *host);

/* Nothing waits for a hanging query any longer: the host counts as slow, and slow hosts get half of the
 * threads. */
void curl_resolver_give_up(CurlResolver *resolver, const char *host);

/* Puts one address of host first, as long as the answer is used. */
void curl_resolver_prefer(CurlResolver *resolver, const char *host, const char *address);

/* True if text is an address, without brackets, and not a name. */
bool curl_is_address(const char *text);

/* Finds out which of several addresses accepts first. libcurl tries the addresses of a family one after the
 * other, each with half of the remaining time, so that a dead one costs seconds. */

typedef struct CurlRace CurlRace;

/* address: the first that accepted a connection, or NULL. May free the race. */
typedef void (*CurlRaceDone)(const char *address, void *userdata);

/* Connects to one address after the other, the first of the list last: the next one starts after a failure
 * or a short while. done is never called from inside. 0 or -errno. */
int curl_race_new(sd_event *event, const CurlAddresses *addresses, unsigned port, CurlRaceDone done,
                  void *userdata, CurlRace **ret);
/* Ends it and closes its connections. NULL is allowed. */
void curl_race_free(CurlRace *race);
