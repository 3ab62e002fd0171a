"""What a call through the proxy costs the platform, beside a token call and beside nginx's `proxy_pass`, in one run.

    run.py --service PROGRAM --out FILE [--quick]

The provider is nginx with TLS. All take the same calls from the same client, on kept connections, in shuffled rounds.
What counts is CPU time as Linux counts it: of all of connect-service, its database included, or of nginx's worker.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import random
import socket
import statistics
import string
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import run as benches  # noqa: E402

CUSTOMER = "alice@example.com"
UNLIMITED = "4000000000"
IN_FLIGHT = 8
LARGE = 64 * 1024
TIMEOUT = 60

APP = """
id = "bench"
name = "Bench"
description = ""
categories = []
[[auth]]
key = "key"
title = "Key"
type = "header"
constants = { header_name = "x-api-key" }
[[auth.fields]]
name = "api_key"
title = "Key"
format = "password"
[auth.api]
base_url = "https://127.0.0.1:${port}/v1"
headers = { X-Api-Key = "{api_key}" }
"""

PROVIDER = """
    server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate ${folder}/certificate.pem;
        ssl_certificate_key ${folder}/key.pem;
        access_log off;
        location = /v1/small {
            default_type application/json;
            return 200 '{"id":"17","first_name":"Alice","last_name":"Example","email":"alice@example.com"}';
        }
        location = /v1/large { root ${folder}; }
        location = /v1/upload { return 200 'done'; }
    }
"""

# It passes on what comes at once, as connect-service does, and checks the provider's certificate.
PROXY = """
    proxy_ssl_verify on;
    proxy_ssl_trusted_certificate ${folder}/certificate.pem;
    proxy_ssl_name 127.0.0.1;
    proxy_set_header X-Api-Key bench-secret;
    proxy_set_header Connection "";
    proxy_http_version 1.1;
    proxy_buffering off;
    proxy_request_buffering off;
    upstream kept { server 127.0.0.1:${provider}; keepalive 32; keepalive_requests 100000000; }
    upstream fresh { server 127.0.0.1:${provider}; }
    server {
        listen 127.0.0.1:${port};
        location /kept/ { proxy_pass https://kept/v1/; }
        location /fresh/ { proxy_pass https://fresh/v1/; }
    }
"""

CERTIFICATE = """
[req]
distinguished_name = name
prompt = no
x509_extensions = extensions
[name]
CN = 127.0.0.1
[extensions]
subjectAltName = IP:127.0.0.1
basicConstraints = critical, CA:FALSE
"""


class Server:
    """An address, and the process whose CPU time counts."""

    def __init__(self, port, pid):
        self.port, self.pid = port, pid


class Work:
    """One kind of call to one server."""

    def __init__(self, name, what, server, method, path, headers=None, body=b"", length=None):
        self.name, self.what, self.server, self.length = name, what, server, length
        lines = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{server.port}", f"content-length: {len(body)}"]
        lines += [f"{key}: {value}" for key, value in (headers or {}).items()]
        self.request = "\r\n".join([*lines, "", ""]).encode() + body
        self.cpu_us = []

    def measure(self, calls):
        with contextlib.ExitStack() as stack:
            callers = [stack.enter_context(Caller(self.server.port)) for _ in range(IN_FLIGHT)]
            # A handshake with the provider, and all that is kept from then on.
            self.call(callers, IN_FLIGHT)
            before = benches.service.cpu_seconds(self.server.pid)
            made = self.call(callers, calls)
            self.cpu_us.append((benches.service.cpu_seconds(self.server.pid) - before) / made * 1e6)

    def call(self, callers, calls):
        made = 0
        while made < calls:
            for caller in callers:
                caller.send(self.request)
            for caller in callers:
                length = caller.receive()
                if self.length is not None and length != self.length:
                    raise RuntimeError(f"{self.name}, {self.what}: {length} bytes came, not {self.length}")
            made += len(callers)
        return made

    def row(self):
        return {"server": self.name, "work": self.what, "cpu_us": [round(cpu) for cpu in self.cpu_us]}


class Caller:
    """One kept connection. Raw, since its own time is not what is measured."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, request):
        self.socket.sendall(request)

    def receive(self):
        """Reads one response; gives the length of its body."""
        head, seen = b"", b""
        while b"\r\n\r\n" not in seen:
            seen += self.more()
        head, _, body = seen.partition(b"\r\n\r\n")
        status, *lines = head.lower().split(b"\r\n")
        if status.split()[1] != b"200":
            raise RuntimeError(f"the server answered {seen[:1000]!r}")
        headers = dict(line.split(b": ", 1) for line in lines)
        length, received = int(headers[b"content-length"]), len(body)
        while received < length:
            received += len(self.more())
        return length

    def more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise RuntimeError("the server closed the connection")
        return data


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def until_listening(port, process):
    deadline = time.monotonic() + TIMEOUT
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args[0]} did not start")
        time.sleep(0.02)


@contextlib.contextmanager
def running(command, port, pin, **options):
    process = subprocess.Popen(command, preexec_fn=pin, **options)
    try:
        until_listening(port, process)
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def nginx(name, servers, folder, pin, **values):
    """nginx with these servers; the worker is what works."""
    port = free_port()
    servers = string.Template(servers).substitute(values, port=port, folder=folder)
    # Its own variables are not used, so every dollar sign is ours.
    conf = string.Template((HERE / "nginx.conf").read_text()).safe_substitute(name=name, folder=folder, servers=servers)
    (folder / f"{name}.conf").write_text(conf)
    command = ["nginx", "-p", folder, "-c", folder / f"{name}.conf"]
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    with running(command, port, pin, env=environment) as process:
        yield Server(port, benches.service.child(process.pid, "nginx"))


@contextlib.contextmanager
def connect_service(program, folder, provider):
    """connect-service with one customer's connection to the provider; gives it, and how it is called."""
    port = free_port()
    catalogue = folder / "catalogue"
    catalogue.mkdir()
    (catalogue / "bench.toml").write_text(APP.replace("${port}", str(provider.port)))
    environment = {
        "PATH": os.environ["PATH"],
        "CONNECT_LISTEN": f"127.0.0.1:{port}",
        "CONNECT_ALLOW_PRIVATE_NETWORKS": "true",
        "CONNECT_PROVIDER_CA_FILE": str(folder / "certificate.pem"),
        "CONNECT_CATALOGUE_DIR": str(catalogue),
        "CONNECT_BUDGETS_PROXY": UNLIMITED,
        "CONNECT_BUDGETS_TOKEN": UNLIMITED,
    }
    options = {"cwd": folder, "env": environment, "text": True}

    def manage(*arguments):
        return subprocess.run([program, *arguments], check=True, capture_output=True, **options).stdout.strip()

    tenant, capabilities = manage("tenant", "create", "Bench"), "connections,token,proxy"
    key = manage("key", "create", "--tenant", tenant, "--capabilities", capabilities)
    with open(folder / "service.log", "w") as log:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": log}
        with running([program, "serve"], port, benches.pin_server, **options, **quiet) as process:
            base = f"/platform/v1/connections/{connect(port, key)}"
            headers = {"authorization": f"Bearer {key}", "x-user-email": CUSTOMER}
            yield Server(port, process.pid), base, headers


def connect(port, key):
    """An active connection of the customer's; gives its id."""

    def post(path, body, **headers):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/platform/v1{path}",
            json.dumps(body).encode(),
            {"content-type": "application/json", **headers},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            return json.load(response)["data"]

    credential = {"Authorization": f"Bearer {key}", "X-User-Email": CUSTOMER}
    link = post("/connections/request-link", {"app_id": "bench", "name": "Bench"}, **credential)
    fields = {"auth_option_key": "key", "fields": {"api_key": "bench-secret"}}
    post(f"/connections/{link['connection_id']}/submit", fields, **{"X-Request-Token": link["request_token"]})
    return link["connection_id"]


def prepare(folder):
    (folder / "certificate.cnf").write_text(CERTIFICATE)
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    files = ["-config", "certificate.cnf", "-keyout", "key.pem", "-out", "certificate.pem"]
    subprocess.run([*command.split(), *files], cwd=folder, check=True, capture_output=True)
    (folder / "v1").mkdir()
    (folder / "v1" / "large").write_bytes(b"x" * LARGE)
    # nginx's worker may be another user.
    folder.chmod(0o755)


def works(service, base, headers, proxy):
    def calls(name, server, base, headers=None):
        return [
            Work(name, "small", server, "GET", f"{base}/small", headers),
            Work(name, "download", server, "GET", f"{base}/large", headers, length=LARGE),
            Work(name, "upload", server, "POST", f"{base}/upload", headers, b"x" * LARGE),
        ]

    return [
        *calls("proxy", service, f"{base}/proxy", headers),
        Work("token", "small", service, "POST", f"{base}/token", headers),
        *calls("nginx, fresh", proxy, "/fresh"),
        *calls("nginx, kept", proxy, "/kept"),
    ]


def measure(program, rounds, calls):
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        prepare(folder)
        provider = stack.enter_context(nginx("provider", PROVIDER, folder, benches.pin_client))
        proxy = stack.enter_context(nginx("proxy", PROXY, folder, benches.pin_server, provider=provider.port))
        service, base, headers = stack.enter_context(connect_service(program, folder, provider))
        all_works = works(service, base, headers, proxy)
        for _ in range(rounds):
            for work in random.sample(all_works, len(all_works)):
                work.measure(calls)
        return [work.row() for work in all_works]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--service", type=pathlib.Path, required=True, help="a release build of connect-service")
    options.add_argument("--out", type=pathlib.Path, required=True)
    options.add_argument("--quick", action="store_true", help="a look")
    options = options.parse_args()
    rounds, calls = (2, 50) if options.quick else (7, 1000)
    begun, load = time.monotonic(), os.getloadavg()[0]
    benches.pin_client()
    rows = measure(options.service.resolve(), rounds, calls)
    result = {
        "date": datetime.date.today().isoformat(),
        "machine": benches.machine(),
        "load_before": round(load, 1),
        "seconds": round(time.monotonic() - begun),
        "rounds": rounds,
        "calls": calls,
        "in_flight": IN_FLIGHT,
        "rows": rows,
    }
    options.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    for row in rows:
        print(f"{row['server']}, {row['work']}: {statistics.median(row['cpu_us'])} µs {row['cpu_us']}")


if __name__ == "__main__":
    main()
