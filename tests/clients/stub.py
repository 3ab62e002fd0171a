"""Runs a command with a stub that answers each request with the error that it asks for.

    python stub.py CONTRACT COMMAND...

The command finds the stub in `STUB_URL`, and in `ERROR_CODES` every code of the contract with its status as JSON. The
header `x-error-code` names the error that is wanted.
"""

import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from ruamel.yaml import YAML

contract = YAML(typ="safe").load(Path(sys.argv[1]))
CODES = {row["value"]: row["status"] for row in contract["components"]["schemas"]["ErrorCode"]["x-values"]}


class Stub(http.server.BaseHTTPRequestHandler):
    """Answers with an error."""

    def do_GET(self):
        code = self.headers["x-error-code"]
        body = json.dumps({"status": "error", "message": f"about {code}", "data": {"code": code, "newer": 1}}).encode()
        self.rfile.read(int(self.headers.get("content-length", 0)))
        # A code of a newer service comes with a status that is known.
        self.send_response(CODES.get(code, 409))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


stub = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
threading.Thread(target=stub.serve_forever, daemon=True).start()
found = {"STUB_URL": f"http://127.0.0.1:{stub.server_port}", "ERROR_CODES": json.dumps({**CODES, "of_a_newer_service": 409})}
sys.exit(subprocess.run(sys.argv[2:], env={**os.environ, **found}).returncode)
