"""Runs a command against the real service, with an OAuth provider that says yes to everybody.

    python service.py CONNECT-SERVICE COMMAND...

The command finds the tenant's key and the address in `PC_TENANT_KEY` and `PC_BASE_URL`.
"""

import http.server
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from pathlib import Path

CONFIGURATION = """
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
database_url = "sqlite://{home}/connect.db"
key_file = "{home}/connect.key"
drain = 0
allow_private_networks = true

[budgets]
token = 100000
default = 100000
status = 100000
verification = 0 # its keys are no real ones

[apps.gmail]
client_id = "client"
client_secret = "secret"
authorization_url = "{provider}/authorize"
token_url = "{provider}/token"
scopes = ["mail"]
"""


class Provider(http.server.BaseHTTPRequestHandler):
    """Consents at once, and gives everybody the same token."""

    def do_GET(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        self.send_response(302)
        answer = urllib.parse.urlencode({"code": "code", "state": query["state"]})
        self.send_header("Location", f"{query['redirect_uri']}?{answer}")
        self.end_headers()

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        token = {
            "access_token": "ya29.canary",
            "refresh_token": "1//canary",
            "token_type": "Bearer",
            "expires_in": 3600,
        }
        body = json.dumps(token).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def main():
    binary, *command = sys.argv[1:]
    provider = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=provider.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        where = f"http://127.0.0.1:{provider.server_port}"
        configuration = Path(home, "connect.toml")
        configuration.write_text(CONFIGURATION.format(port=port, home=home, provider=where))
        service = [binary, "--config", str(configuration)]

        def administer(*arguments):
            return subprocess.run([*service, *arguments], check=True, capture_output=True, text=True).stdout.strip()

        tenant = administer("tenant", "create", "Example Ltd")
        key = administer("key", "create", "--tenant", tenant, "--capabilities", "apps,connections,token,delete,admin")
        running = subprocess.Popen([*service, "serve"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert running.stdout.readline().startswith("listening on ")
            base_url = f"http://127.0.0.1:{port}/platform/v1"
            environment = {**os.environ, "PC_TENANT_KEY": key, "PC_BASE_URL": base_url}
            sys.exit(subprocess.run(command, env=environment).returncode)
        finally:
            running.terminate()
            running.wait(30)


if __name__ == "__main__":
    main()
