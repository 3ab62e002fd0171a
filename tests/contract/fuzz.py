"""Fuzzes a running connect-service against openapi/platform.yaml with schemathesis.

    fuzz.py PATH_TO_CONNECT_SERVICE [arguments for `schemathesis run`]

Starts the service on a free port over a temporary database, gives it a tenant, keys and a few connections, and runs
every check over every operation, see schemathesis.toml. Afterwards no secret may stand in the service's log.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONTRACT = HERE.parent.parent / "openapi" / "platform.yaml"
SECRET_FIELD = "canary-of-the-fuzz-run"

# Budgets so large that the fuzz run never meets them; they have tests of their own. The OAuth app has a client, so
# that links for it work; its addresses lead nowhere.
CONFIG = """
listen = "127.0.0.1:0"
database_url = "sqlite://{folder}/connect.db"
key_file = "{folder}/connect.key"
drain = 0

[budgets]
token = 100000000
default = 100000000
events = 100000000
status = 100000000
proxy = 100000000
# No provider is asked about credentials that are made up.
verification = 0

[apps.gmail]
client_id = "client"
client_secret = "client-secret"
token_url = "https://provider.invalid/token"
"""


def main() -> int:
    binary = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "connect.toml")
        config.write_text(CONFIG.format(folder=folder))
        command = [str(binary), "--config", str(config)]
        env = {name: value for name, value in os.environ.items() if not name.startswith("CONNECT_")}

        def cli(*arguments: str, **settings: str) -> str:
            own = {**env, **settings}
            done = subprocess.run([*command, *arguments], env=own, check=True, stdout=subprocess.PIPE, text=True)
            return done.stdout.strip()

        def new_key(name: str) -> str:
            tenant = cli("tenant", "create", "--email", "owner@example.com", name)
            return cli("key", "create", "--tenant", tenant, "--capabilities", "apps,connections,token,delete,admin,import,events,proxy")

        keys = [new_key("Tenant"), new_key("Stranger")]

        log_path = Path(folder, "service.log")
        with log_path.open("w") as log:
            service = subprocess.Popen([*command, "serve"], env=env, stdout=subprocess.PIPE, stderr=log, text=True)
            try:
                origin = service.stdout.readline().removeprefix("listening on ").strip()
                seeds, strangers = [seed(f"{origin}/platform/v1", key, cli) for key in keys]
                code = schemathesis(origin, seeds, strangers, folder)
                if service.poll() is not None:
                    print(f"the service ended by itself with code {service.returncode}")
                    code = 1
            finally:
                service.terminate()
                service.wait(timeout=30)
        return code or judge_log(log_path.read_text(), {SECRET_FIELD, *seeds["secrets"], *strangers["secrets"]})


def seed(base: str, key: str, cli) -> dict:
    """What generated data would never hit upon: an active connection, and an open link of a customer of its own."""

    def call(method: str, path: str, body: dict | None, **headers: str) -> dict:
        headers = {"content-type": "application/json", **headers}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(base + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)["data"]

    def link(email: str, app: dict) -> dict:
        headers = {"authorization": f"Bearer {key}", "x-user-email": email}
        body = {"app_id": app["id"], "name": f"Work {app['name']}", "expires_in": 86400}
        return call("POST", "/connections/request-link", body, **headers)

    apps = call("GET", "/apps?limit=100", None, authorization=f"Bearer {key}")["apps"]
    app = next(app for app in apps if app["auth_type"] == "api_key" and form_fields(app) == ["api_key"])
    option = app["auth_options"][0]

    active = link("alice@example.com", app)
    path = f"/connections/{active['connection_id']}/submit"
    body = {"auth_option_key": option["key"], "fields": {"api_key": SECRET_FIELD}}
    answer = call("POST", path, body, **{"x-request-token": active["request_token"]})
    assert answer["status"] == "active", answer

    # Nothing that is generated knows this customer, so nothing deletes the connection.
    pending = link("carol@example.com", app)
    secret = pending["request_link"].rsplit("/", 1)[1]
    # Nobody has this name, so that nothing is sent anywhere.
    webhook = call("POST", "/webhooks", {"url": "https://hooks.invalid/"}, authorization=f"Bearer {key}")
    key_id = call("GET", "/keys", None, authorization=f"Bearer {key}")["keys"][0]["id"]
    mcp_url_token = cli("key", "mcp-url", key_id, CONNECT_PUBLIC_URL=base).rsplit("/", 1)[1]
    return {
        "active": active["connection_id"],
        "pending": pending["connection_id"],
        "link": secret,
        "mcp": mcp_url_token,
        "key": key_id,
        "webhook": webhook["id"],
        "credentials": {"Authorization": f"Bearer {key}", "x-request-token": pending["request_token"]},
        "secrets": [key, secret, webhook["secret"], mcp_url_token, active["request_token"], pending["request_token"]],
    }


def form_fields(app: dict) -> list[str]:
    return list(app["auth_options"][0]["input_schema"]["properties"])


def schemathesis(origin: str, seeds: dict, strangers: dict, folder: str) -> int:
    # The files that the configuration names lie beside it.
    for name in ("schemathesis.toml", "hooks.py"):
        shutil.copy(HERE / name, folder)
    for name in ("active", "pending", "link", "mcp", "key", "webhook"):
        Path(folder, f"{name}.txt").write_text(f'"{seeds[name]}"\n')
    tenants = {"tenant": seeds, "stranger": strangers}
    auth = [{"name": name, "fixedHeaders": fixed_headers(of["credentials"])} for name, of in tenants.items()]
    Path(folder, "tenants.json").write_text(json.dumps({"auth": auth}))

    env = {
        **os.environ,
        "FUZZ_ORIGIN": origin,
        "FUZZ_REQUEST_TOKEN": seeds["credentials"]["x-request-token"],
        "FUZZ_STRANGERS_TOKEN": strangers["credentials"]["x-request-token"],
        "FUZZ_PENDING": seeds["pending"],
    }
    program = Path(sys.executable).with_name("schemathesis")
    command = [program, "run", "--origin", origin, *sys.argv[2:], CONTRACT]
    return subprocess.run(command, env=env, cwd=folder).returncode


def fixed_headers(headers: dict) -> list[dict]:
    return [{"name": name, "value": value} for name, value in headers.items()]


def judge_log(log: str, secrets: set[str]) -> int:
    found = [secret for secret in secrets if secret in log]
    panics = [line for line in log.splitlines() if "panicked" in line]
    if found:
        print(f"{len(found)} of {len(secrets)} secrets stand in the service's log")
    for line in panics:
        print(line)
    if not log:
        print("the service logged nothing, so the search for secrets proves nothing")
    return 1 if found or panics or not log else 0


if __name__ == "__main__":
    sys.exit(main())
