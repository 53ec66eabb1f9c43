/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which of several addresses answers first. libcurl tries one address of a family after the other and gives each
 * half of the time that is left, so that a dead one costs seconds. Part of http_curl. */

#include "lib/http_curl_resolve.h"

typedef struct CurlRace CurlRace;

/* address: of the first to accept a connection, or NULL when none did. May free the race. */
typedef void (*CurlRaceDone)(const char *address, void *userdata);

/* Connects to one after the other, the first of the list last, a new one as soon as one fails or after a short
 * while. done is never called from inside. 0 or -errno. */
int curl_race_new(sd_event *event, const CurlAddresses *addresses, unsigned port, CurlRaceDone done,
                  void *userdata, CurlRace **ret);
/* Ends it and closes its connections; NULL is fine. */
void curl_race_free(CurlRace *race);
