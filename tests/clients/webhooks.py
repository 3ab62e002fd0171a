"""What the service sends to a webhook endpoint, as the package `standardwebhooks` of PyPI verifies it."""

import http.server
import json
import os
import threading
import urllib.request

from standardwebhooks import Webhook, WebhookVerificationError

received = []


class Endpoint(http.server.BaseHTTPRequestHandler):
    """Notes what it gets."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        received.append((body, dict(self.headers.items())))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def call(path, body=None):
    """A POST with the tenant's key; gives the answer's `data`."""
    headers = {"authorization": f"Bearer {os.environ['PC_TENANT_KEY']}", "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["PC_BASE_URL"] + path, data, headers, method="POST")
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)["data"]


def accepts(secret, body, headers):
    """Whether the package takes it."""
    try:
        return Webhook(secret).verify(body, headers) == json.loads(body)
    except WebhookVerificationError:
        return False


endpoint = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
threading.Thread(target=endpoint.serve_forever, daemon=True).start()
made = call("/webhooks", {"url": f"http://127.0.0.1:{endpoint.server_port}/hook"})
assert call(f"/webhooks/{made['id']}/test")["status"] == 204
new = call(f"/webhooks/{made['id']}/rotate-secret")["secret"]
assert call(f"/webhooks/{made['id']}/test")["status"] == 204

(first, headers), (second, both) = received
assert json.loads(first)["type"] == "webhook.test" and json.loads(first)["id"] == headers["webhook-id"], first
assert accepts(made["secret"], first, headers) and not accepts(new, first, headers)
assert accepts(made["secret"], second, both) and accepts(new, second, both)
assert not accepts(new, first, both) and not accepts(new, second + b" ", both)
print("webhooks: the package of PyPI verifies what is sent")
