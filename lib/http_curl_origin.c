/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/http_curl_origin.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct CurlOrigin {
    CurlOrigin *next;
    char *key;
    CURLSH *share;
    unsigned n_users;
    bool retired; /* not handed out any more */
};

static void origin_free(CurlOrigin **list, CurlOrigin *o) {
    CurlOrigin **p = list;

    while (*p != o)
        p = &(*p)->next;
    *p = o->next;
    curl_share_cleanup(o->share);
    free(o->key);
    free(o);
}

static CurlOrigin *origin_new(CurlOrigin **list, const char *key) {
    CurlOrigin *o;

    o = calloc(1, sizeof(*o));
    if (!o)
        return NULL;
    o->next = *list;
    *list = o;
    o->key = strdup(key);
    o->share = curl_share_init();
    if (!o->key || !o->share ||
        curl_share_setopt(o->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK) {
        origin_free(list, o);
        return NULL;
    }
    return o;
}

CurlOrigin *curl_origin_join(CurlOrigin **list, const char *key, CURL *easy) {
    CurlOrigin *o;

    for (o = *list; o; o = o->next)
        if (!o->retired && strcmp(o->key, key) == 0)
            break;
    if (!o)
        o = origin_new(list, key);
    if (!o || curl_easy_setopt(easy, CURLOPT_SHARE, o->share) != CURLE_OK)
        return NULL;
    o->n_users++;
    return o;
}

void curl_origin_leave(CurlOrigin **list, CurlOrigin *origin, CURL *easy) {
    if (!origin)
        return;
    (void)curl_easy_setopt(easy, CURLOPT_SHARE, NULL);
    if (--origin->n_users == 0 && origin->retired)
        origin_free(list, origin);
}

void curl_origins_retire(CurlOrigin **list) {
    CurlOrigin *next;

    for (CurlOrigin *o = *list; o; o = next) {
        next = o->next;
        o->retired = true;
        if (o->n_users == 0)
            origin_free(list, o);
    }
}
