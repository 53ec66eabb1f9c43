/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* TLS sessions, kept apart per scheme, host and port: libcurl before 8.12 remembers eight in one cache,
 * which is less than there are regions. Plain HTTP has an origin too: older versions leak the session
 * cache that a handle makes for itself when it was used without a share and is then given one. Part of
 * http_curl. */

#include <curl/curl.h>

typedef struct CurlOrigin CurlOrigin;

/* Lets a handle use the sessions of the origin that key names ("https://host:port"); *list starts as NULL.
 * NULL when out of memory. */
CurlOrigin *curl_origin_join(CurlOrigin **list, const char *key, CURL *easy);

/* Ends that; the handle must not be in a multi handle any more. NULL is fine. */
void curl_origin_leave(CurlOrigin **list, CurlOrigin *origin, CURL *easy);

/* Forgets all sessions: by those made under an old CA bundle a peer would be spared the look at its
 * certificate. Exchanges under way keep theirs to their end. With no exchange under way, this frees
 * everything. */
void curl_origins_retire(CurlOrigin **list);
