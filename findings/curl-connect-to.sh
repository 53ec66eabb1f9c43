#!/bin/bash
# CURLOPT_CONNECT_TO makes one host of many for libcurl's limit: three names that are reached at one address
# wait for each other.
#
# Guess: CURLMOPT_MAX_HOST_CONNECTIONS counts by the host and port of the URL, as its manual page says,
#   however the name becomes an address.
# Seen: libcurl 7.88.1 does so with CURLOPT_RESOLVE. With CURLOPT_CONNECT_TO the host is the one that is
#   connected to: with a limit of 1 the requests to three names come one after the other, as those to one
#   name do. Each number is how many requests the server had open at once.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed libcurl4 7.88.1-
# answers a request when three of them are open, or when no other has come for two seconds
cat >"$tmp/server.py" <<'END'
import select
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
opened = []
while True:
    if len(opened) < 3 and select.select([listener], [], [], 2 if opened else None)[0]:
        opened.append(listener.accept()[0])
        continue
    for connection in opened:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n%d" % len(opened))
        connection.close()
    opened = []
END
cat >"$tmp/ask.c" <<'END'
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PORT LIMIT WAY NAME...: asks all at once, with so many connections for each host at most */
int main(int argc, char **argv)
{
    CURLM *multi = curl_multi_init();
    CURL *handles[8] = {0};
    struct curl_slist *to = NULL, *addresses = NULL;
    char text[80];
    int running = 1;
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, atol(argv[2]));
    for (int n = 4; n < argc; n++) {
        snprintf(text, sizeof text, "%s:%s:127.0.0.1:%s", argv[n], argv[1], argv[1]);
        to = curl_slist_append(to, text);
        snprintf(text, sizeof text, "%s:%s:127.0.0.1", argv[n], argv[1]);
        addresses = curl_slist_append(addresses, text);
    }
    for (int n = 4; n < argc; n++) {
        CURL *easy = handles[n - 4] = curl_easy_init();
        snprintf(text, sizeof text, "http://%s:%s/", argv[n], argv[1]);
        curl_easy_setopt(easy, CURLOPT_URL, text);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
        if (!strcmp(argv[3], "connect-to"))
            curl_easy_setopt(easy, CURLOPT_CONNECT_TO, to);
        else
            curl_easy_setopt(easy, CURLOPT_RESOLVE, addresses);
        curl_multi_add_handle(multi, easy);
    }
    while (curl_multi_perform(multi, &running) == CURLM_OK && running)
        curl_multi_poll(multi, NULL, 0, 1000, NULL);
    for (int n = 4; n < argc; n++) {
        curl_multi_remove_handle(multi, handles[n - 4]);
        curl_easy_cleanup(handles[n - 4]);
    }
    curl_multi_cleanup(multi);
    curl_slist_free_all(to);
    curl_slist_free_all(addresses);
    return 0;
}
END
cc -o "$tmp/ask" "$tmp/ask.c" -lcurl
/usr/bin/python3 "$tmp/server.py" >"$tmp/port" 2>"$tmp/log" &
servers+=($!)
wait_for test -s "$tmp/port"

# row TEXT LIMIT WAY NAME...: how many requests were open at once, for each of them
row() {
    local text=$1
    shift
    echo "$text: $("$tmp/ask" "$(<"$tmp/port")" "$@" | sed 's/./& /g; s/ $//')"
}

names=(trail0.test trail1.test trail2.test)
same "$(cat <<'END'
one name, limit 1, CURLOPT_RESOLVE: 1 1 1
three names, limit 1, CURLOPT_RESOLVE: 3 3 3
three names, limit 1, CURLOPT_CONNECT_TO: 1 1 1
three names, no limit, CURLOPT_CONNECT_TO: 3 3 3
END
)" "$(
    row 'one name, limit 1, CURLOPT_RESOLVE' 1 resolve trail0.test trail0.test trail0.test
    row 'three names, limit 1, CURLOPT_RESOLVE' 1 resolve "${names[@]}"
    row 'three names, limit 1, CURLOPT_CONNECT_TO' 1 connect-to "${names[@]}"
    row 'three names, no limit, CURLOPT_CONNECT_TO' 0 connect-to "${names[@]}"
)" || exit 1
