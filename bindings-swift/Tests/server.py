"""Runs a command beside a service that says what it has seen.

    python server.py COMMAND...

The command finds its address in `TEST_SERVER`. A connection is pending until `POST /release`, then it is active; one
whose id begins with `hang` is never answered. Every token is the same. `GET /seen` gives how often each path was asked
for. Behind `/proxy` it plays the provider: `begin…` begins a response and does not end it, and like `hang…` stands in
`GET /ended` with the time when the caller was gone; `export` is large, and `GET /sent` tells how much of it was sent;
`import` is slow to read.
"""

import collections
import http.server
import json
import os
import subprocess
import sys
import threading
import time

LARGE, PART = 64 << 20, b"x" * (64 << 10)
TOKEN = {"auth_type": "o_auth", "access_token": "ya29.canary", "token_type": "Bearer", "expires_in": 3599}
FIELDS = {"auth_type": "api_key", "fields": {"api_key": "SG.canary"}, "hint": "extra.canary"}

seen = collections.Counter()
lock = threading.Lock()
released = threading.Event()
ended = threading.Event()
gone = {}
sent = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        path = self.path.split("?")[0]
        if "/proxy/" in path:
            return self.provide(path)
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if path == "/ended":
            with lock:
                return self.send(gone)
        if path == "/sent":
            return self.send(sent)
        if path == "/seen":
            with lock:
                return self.send(dict(seen))
        if path == "/release":
            released.set()
            return self.send({})
        with lock:
            seen[path] += 1
        last = path.rpartition("/")[2]
        if "/hang" in path:
            ended.wait()
        elif last == "token":
            self.send({"status": "success", "message": "ok", "data": FIELDS if "/key" in path else TOKEN})
        elif last == "connections":
            self.send({"status": "success", "message": "ok", "data": {"connections": []}})
        else:
            status = "active" if released.is_set() else "pending"
            self.send({"status": "success", "message": "ok", "data": {"id": last, "status": status}})

    do_GET = do_POST = answer

    def provide(self, path):
        global sent
        with lock:
            seen[path] += 1
        last = path.rpartition("/")[2]
        begin = b"HTTP/1.1 200 OK\r\nx-connect-source: provider\r\ncontent-length: %d\r\n\r\n"
        if last.startswith(("begin", "hang")):
            if last.startswith("begin"):
                self.connection.sendall(begin % 99 + b"begin")
            while self.connection.recv(4096):
                pass
            with lock:
                gone[last] = time.time()
        elif last == "export":
            self.connection.sendall(begin % LARGE)
            for _ in range(LARGE // len(PART)):
                self.connection.sendall(PART)
                sent += len(PART)
        elif last == "import":
            time.sleep(0.5)
            self.send(sum(map(len, self.parts())))
        else:
            body = b"".join(self.parts()).decode()
            self.send({"method": self.command, "path": self.path, "body": body})

    def parts(self):
        if self.headers.get("transfer-encoding") is None:
            yield self.rfile.read(int(self.headers.get("content-length", 0)))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def send(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("X-Connect-Source", "provider")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 2048

    def handle_error(self, *_):
        """Clients that cancel hang up."""


def main():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {**os.environ, "TEST_SERVER": f"http://127.0.0.1:{server.server_port}"}
    code = subprocess.run(sys.argv[1:], env=environment).returncode
    ended.set()
    sys.exit(code)


if __name__ == "__main__":
    main()
