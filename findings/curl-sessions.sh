#!/bin/bash
# A ninth host, and libcurl resumes no TLS session at all: a share keeps eight, and drops the one that is
# needed next.
#
# Guess: a share of CURL_LOCK_DATA_SSL_SESSION keeps a session for every host; if there is a limit, the
#   hosts within it are still resumed.
# Seen: with libcurl 7.88.1, the hosts asked in turn three times and each connection closed after its
#   answer, 16 of 24 connections to 8 hosts are resumed and 0 of 27 to 9. One easy handle without a share
#   keeps five. With an easy handle for each host and no share all of 17 are resumed, so that the share
#   takes away what it is there for. No option of libcurl 7.88.1 moves either limit.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed libcurl4 7.88.1-
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=trail.test -keyout "$tmp/key" -out "$tmp/certificate" 2>"$tmp/log" ||
    different 'openssl makes no certificate'
cat >"$tmp/server.py" <<'END'
import socket
import ssl
import sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1] + "/certificate", sys.argv[1] + "/key")
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    with context.wrap_socket(listener.accept()[0], server_side=True) as connection:
        connection.recv(4096)
        with open(sys.argv[1] + "/resumed", "a") as resumed:
            print(connection.version(), connection.session_reused, file=resumed)
        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        connection.unwrap().close()
END
cat >"$tmp/poll.c" <<'END'
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PORT HOSTS WAY: asks each host in turn, three times */
int main(int argc, char **argv)
{
    int hosts = argc == 4 ? atoi(argv[2]) : 0, failed = 0;
    CURLSH *share = curl_share_init();
    CURL *handles[32] = {0};
    char to[32], url[64];
    snprintf(to, sizeof to, "::127.0.0.1:%s", argv[1]);
    struct curl_slist *connect_to = curl_slist_append(NULL, to);
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    for (int n = 0; n < 3 * hosts; n++) {
        CURL **easy = &handles[strcmp(argv[3], "one") ? n % hosts : 0];
        if (!*easy)
            *easy = curl_easy_init();
        if (!strcmp(argv[3], "share"))
            curl_easy_setopt(*easy, CURLOPT_SHARE, share);
        snprintf(url, sizeof url, "https://trail%d.test/", n % hosts);
        curl_easy_setopt(*easy, CURLOPT_URL, url);
        curl_easy_setopt(*easy, CURLOPT_CONNECT_TO, connect_to);
        curl_easy_setopt(*easy, CURLOPT_PROXY, "");
        curl_easy_setopt(*easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(*easy, CURLOPT_SSL_VERIFYHOST, 0L);
        failed += curl_easy_perform(*easy) != CURLE_OK;
    }
    for (int n = 0; n < 32; n++)
        curl_easy_cleanup(handles[n]);
    curl_share_cleanup(share);
    curl_slist_free_all(connect_to);
    return failed != 0;
}
END
cc -o "$tmp/poll" "$tmp/poll.c" -lcurl
/usr/bin/python3 "$tmp/server.py" "$tmp" >"$tmp/port" 2>"$tmp/log" &
servers+=($!)
wait_for test -s "$tmp/port"

# row TEXT WAY HOSTS...: for each number of hosts the connections that were resumed, of all
row() {
    local text=$1 way=$2 hosts seen=''
    shift 2
    for hosts; do
        : >"$tmp/resumed"
        "$tmp/poll" "$(<"$tmp/port")" "$hosts" "$way" || seen+=' failed'
        seen+=" | $hosts hosts $(grep -c '^TLSv1.3 True$' "$tmp/resumed" || :) of $(wc -l <"$tmp/resumed")"
    done
    echo "$text$seen"
}

same "$(cat <<'END'
a handle each, one share | 8 hosts 16 of 24 | 9 hosts 0 of 27 | 17 hosts 0 of 51
a handle each, no share | 8 hosts 16 of 24 | 9 hosts 18 of 27 | 17 hosts 34 of 51
one handle, no share | 5 hosts 10 of 15 | 6 hosts 0 of 18 | 17 hosts 0 of 51
END
)" "$(
    row 'a handle each, one share' share 8 9 17
    row 'a handle each, no share' each 8 9 17
    row 'one handle, no share' one 5 6 17
)" || exit 1
