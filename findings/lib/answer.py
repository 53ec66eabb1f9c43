#!/usr/bin/python3
"""A web server on a free loopback port that gives every request the same answer.

usage: answer.py DIRECTORY

Prints the port. Reads the answer from DIRECTORY/answer at each request, appends the request to DIRECTORY/requests.
"""
import http.server
import json
import sys
from pathlib import Path

directory = Path(sys.argv[1])


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("latin-1")
        headers = {name.lower(): value for name, value in self.headers.items()}
        with (directory / "requests").open("a") as requests:
            json.dump({"method": self.command, "path": self.path, "headers": headers, "body": body}, requests)
            requests.write("\n")
        answer = json.loads((directory / "answer").read_text())
        self.send_response_only(answer["status"])
        for name, value in answer["headers"]:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer["body"].encode())))
        self.end_headers()
        self.wfile.write(answer["body"].encode())

    do_GET = do_POST = do_PUT = handle_any

    def log_message(self, *_):
        """Says nothing on the terminal."""


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
print(server.server_port, flush=True)
server.serve_forever()
