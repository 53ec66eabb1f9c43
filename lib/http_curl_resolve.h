/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Names to addresses. getaddrinfo may hang for as long as it likes and cannot be cancelled, and libcurl
 * waits for its own resolver thread whenever a transfer is taken out; so names are resolved here, in
 * detached threads that nobody ever waits for, and libcurl is given addresses. Part of http_curl. */

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

/* A query for host has ended, from the loop; error is NULL when there are addresses now, else what the
 * resolver says. May free the resolver. */
typedef void (*CurlResolved)(const char *host, const char *error, void *userdata);

/* life_usec: how long an answer is used without asking again. event is borrowed. 0 or -errno. */
int curl_resolver_new(sd_event *event, uint64_t life_usec, CurlResolved resolved, void *userdata,
                      CurlResolver **ret);
/* Never waits: threads that hang keep what they need. NULL is fine. */
void curl_resolver_free(CurlResolver *resolver);

typedef enum CurlNameState {
    CURL_NAME_UNKNOWN, /* no addresses */
    CURL_NAME_OLD,     /* addresses for when the resolver has none to give */
    CURL_NAME_FRESH,
} CurlNameState;

/* What is known about host (lower case); *ret is filled unless UNKNOWN. localhost and names below it are
 * always known. */
CurlNameState curl_resolver_find(const CurlResolver *resolver, const char *host, CurlAddresses *ret);

/* Asks for host, unless that is under way. `resolved` will be called, never from inside; it may take for
 * ever. 0 or -ENOMEM. */
int curl_resolver_ask(CurlResolver *resolver, const char *host);

/* Its addresses did not serve: they are asked for before they are used again. */
void curl_resolver_expire(CurlResolver *resolver, const char *host);

/* Nobody waits any longer for a query that hangs: the host is slow, and slow ones get half of the threads.
 */
void curl_resolver_give_up(CurlResolver *resolver, const char *host);

/* Puts one address of host first, for as long as the answer lives. */
void curl_resolver_prefer(CurlResolver *resolver, const char *host, const char *address);

/* Whether text is an address and no name; without brackets. */
bool curl_is_address(const char *text);

/* Which of several addresses answers first. libcurl tries one address of a family after the other and gives
 * each half of the time that is left, so that a dead one costs seconds. */

typedef struct CurlRace CurlRace;

/* address: of the first to accept a connection, or NULL when none did. May free the race. */
typedef void (*CurlRaceDone)(const char *address, void *userdata);

/* Connects to one after the other, the first of the list last, a new one as soon as one fails or after a
 * short while. done is never called from inside. 0 or -errno. */
int curl_race_new(sd_event *event, const CurlAddresses *addresses, unsigned port, CurlRaceDone done,
                  void *userdata, CurlRace **ret);
/* Ends it and closes its connections; NULL is fine. */
void curl_race_free(CurlRace *race);
