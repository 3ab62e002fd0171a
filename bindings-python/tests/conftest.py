"""What the tests share."""

import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

os.environ["PC_TENANT_KEY"] = "pk_live_canary"

EMAIL = "alice@example.com"


class Server:
    """The server of `server.py`, in a process of its own."""

    def __init__(self, port=0):
        command = [sys.executable, Path(__file__).with_name("server.py"), str(port)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.port = int(self.url.rpartition(":")[2])

    def counters(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.sock = None
        connection.connect()
        connection.sock.sendall(b"GET /counters HTTP/1.1\r\n\r\n")
        return json.loads(connection.sock.makefile().read())

    def wait_for(self, condition):
        """Wait until the counters are as they should be; machines are busy, hence generous."""
        until = time.monotonic() + 20
        while not condition(counters := self.counters()):
            assert time.monotonic() < until, counters
            time.sleep(0.02)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


@pytest.fixture
def server(monkeypatch):
    server = Server()
    monkeypatch.setenv("PC_BASE_URL", server.url)
    yield server
    server.stop()


def run_python(code, *arguments, timeout=60, **options):
    """Run a program in a fresh interpreter; it must end well."""
    command = [sys.executable, "-X", "faulthandler", "-c", code, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=timeout, **options)
    assert ended.returncode == 0, f"{ended.returncode}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout
