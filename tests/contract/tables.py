"""Compares the contract and docs/errors.md with the codes, classes, methods, options and models of core/manifest.yaml.

    tables.py PATH_TO_XTASK [--write]

The manifest is the source. `--write` writes docs/errors.md instead of comparing it.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs" / "errors.md"


def main() -> int:
    tables = json.loads(subprocess.run([sys.argv[1], "tables"], check=True, stdout=subprocess.PIPE).stdout)
    contract = yaml.safe_load((ROOT / "openapi" / "platform.yaml").read_text())
    page = errors_page(tables, contract)
    if "--write" in sys.argv:
        DOCS.parent.mkdir(exist_ok=True)
        DOCS.write_text(page)
    problems = [
        *compare_codes(tables, contract),
        *compare_methods(tables, contract),
        *compare_models(tables, contract),
    ]
    if not DOCS.exists() or DOCS.read_text() != page:
        problems.append("docs/errors.md is out of date: run `make errors-page`")
    for problem in problems:
        print(problem)
    if not problems:
        counts = [len(contract_codes(contract)), len(tables["methods"]), len(tables["models"])]
        print("{} codes, {} methods and {} models agree".format(*counts))
    return 1 if problems else 0


def contract_codes(contract: dict) -> dict:
    rows = contract["components"]["schemas"]["ErrorCode"]["x-values"]
    return {row["value"]: row for row in rows}


def compare_codes(tables: dict, contract: dict):
    # A code without a status is the SDK's own and never on the wire.
    core = {row["code"]: (row["status"], row["base"]) for row in tables["codes"] if row["status"]}
    ours = {code: (row["status"], not row.get("extension")) for code, row in contract_codes(contract).items()}
    for code in sorted(core.keys() | ours.keys()):
        if core.get(code) != ours.get(code):
            yield f"code {code}: the manifest has (status, base) {core.get(code)}, the contract {ours.get(code)}"


def compare_methods(tables: dict, contract: dict):
    """Every option of a method is something that its operation takes, and the other way round."""
    operations = {}
    for path in contract["paths"].values():
        for method in path.values():
            if isinstance(method, dict) and "operationId" in method:
                operations[method["operationId"]] = method
    for method in tables["methods"]:
        name = method["name"]
        if name == "waitForConnection" or not method.get("sends", True):  # it repeats getConnection; nothing is sent
            continue
        # One method for all operations of the proxy: what it takes are the parts of any request.
        if name == "proxy" and "proxyGet" in operations:
            continue
        if method["feed"]:
            operations[name] = operations.get("listEvents", {"operationId": name})
        if name not in operations:
            yield f"method {name}: the contract has no such operation"
            continue
        # What a method takes as an argument of its own is no option.
        takes = set(operation_options(operations[name], contract)) - set(method["arguments"])
        # Of a token that an option takes, its digest is sent.
        takes = {option.removesuffix("_token_sha256") for option in takes}
        if method["feed"]:
            takes.add("wait_ms")  # the header Prefer
        offers = {snake(option["name"]) for option in method["options"]}
        if takes != offers:
            yield f"method {name}: the manifest offers {sorted(offers)}, the contract takes {sorted(takes)}"


def snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), name)


# Models that the contract calls otherwise.
RENAMED = {"Submission": "Submitted", "TenantKey": "Key", "KeyChanged": "KeyEventData"}


def compare_models(tables: dict, contract: dict):
    """What the contract says of a result is no unknown member in any SDK, and the other way round."""
    schemas = contract["components"]["schemas"]
    for model in tables["models"]:
        name = RENAMED.get(model["name"], model["name"])
        schema = schemas.get(name) or schemas.get(f"{name}Data")
        if schema is None:
            if model["fields"]:
                yield f"model {name}: the contract has no such schema"
            continue
        says, knows = set(schema.get("properties", {})), set(model["fields"])
        if says != knows:
            yield f"model {name}: the manifest has {sorted(knows)}, the contract {sorted(says)}"


def operation_options(operation: dict, contract: dict):
    for parameter in operation.get("parameters", []):
        if "$ref" in parameter:
            parameter = contract["components"]["parameters"][parameter["$ref"].rsplit("/", 1)[1]]
        # An older name of another one is not offered.
        if parameter["in"] == "query" and "x-alias-of" not in parameter:
            yield parameter["name"]
        # Elsewhere it is without effect.
        makes_one = operation["operationId"] in ("createRequestLink", "importConnection")
        if parameter["name"] == "Idempotency-Key" and makes_one:
            yield "idempotency_key"
    body = operation.get("requestBody")
    if body:
        schema = body["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        yield from contract["components"]["schemas"][schema]["properties"]


def errors_page(tables: dict, contract: dict) -> str:
    codes = contract_codes(contract)
    lines = [
        "# Errors",
        "",
        "<!-- Written by `make errors-page` from core/manifest.yaml and openapi/platform.yaml. Do not edit. -->",
        "",
        "Every failed call gives one of these. In Rust the cases are named without the `Error` at the end, in Swift likewise",
        "with a small first letter; `PabblyConnectError` is `Other` and `.other` there. Where a caller cancels, the language's",
        "own word for it comes instead; `CancelledError` is what calls end with in Node when their client is closed.",
        "`code` chooses the class. Without a known one the HTTP status does, with what the call was about, but only where",
        "the body has the contract's shape `{status, message, data}`: a bare 401 is a `NeedsReconnectionError` where a",
        "connection was named, else an `AuthenticationError`; a bare 404 is a `ConnectionDeletedError` only where a connection",
        "was named, a 409 a `ConnectionInUseError` only on deletion. What a proxy or firewall in between answers is the base",
        "class, and so is a 401 or 404 with an unknown code, since neither shows that a grant or a connection is gone.",
        "",
        "| Class | `code` | HTTP | What happened | What to do |",
        "|---|---|:-:|---|---|",
    ]
    order = {name: index for index, name in enumerate(tables["classes"])}
    for row in sorted(tables["codes"], key=lambda row: order[row["class"]]):
        action = codes[row["code"]]["action"] if row["status"] else row["action"]
        status = row["status"] or ""
        lines.append(f"| `{row['class']}` | `{row['code']}` | {status} | {row['meaning']} | {action} |")
    lines += [
        "",
        "Codes without an HTTP status are the SDK's own. Any other answer is the base class, `PabblyConnectError`, with",
        "the status and the code as they came.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
