/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which hosts are reached without the proxy, and where the proxy is. libcurl's own reading of NO_PROXY differs from
 * version to version. Pure; part of http_curl. */

#include <stdbool.h>
#include <stddef.h>

/* Whether list, in the forms of NO_PROXY, names host (no brackets) at port: entries are separated by commas and
 * blanks, case does not matter. "*" is every host; "name", ".name" and "*.name" the name and all below it;
 * "address" and "address/bits" addresses; any of them with ":port" that port only, an IPv6 address then in
 * brackets. NULL is an empty list. */
bool curl_no_proxy_matches(const char *list, const char *host, unsigned port);

/* Host, in lower case and without brackets, and port of "[scheme://][user@]host:port[/...]"; port 0 when there is
 * none. False when host does not fit. */
bool curl_split_authority(const char *url, char *ret_host, size_t size, unsigned *ret_port);
