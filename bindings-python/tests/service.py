"""Runs a command against `connect-service dev`, whose provider consents at once.

    python service.py CONNECT-SERVICE COMMAND...

The command finds the tenant's key and the address in `PC_TENANT_KEY` and `PC_BASE_URL`.
"""

import os
import subprocess
import sys

# More than the command asks for.
BUDGETS = {f"CONNECT_BUDGETS_{name}": "100000" for name in ("TOKEN", "DEFAULT", "STATUS", "VERIFICATION")}


def main():
    binary, *command = sys.argv[1:]
    pipe = subprocess.PIPE
    dev = subprocess.Popen(
        [binary, "dev", "--auto", "--watch-stdin"],
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **BUDGETS},
        text=True,
    )
    # Leaving the block closes its standard input, and thereby ends it.
    with dev:
        exports = {}
        for line in dev.stdout:
            if line.startswith("# Ready"):
                break
            name, _, value = line.removeprefix("export ").strip().partition("=")
            exports[name] = value
        sys.exit(subprocess.run(command, env={**os.environ, **exports}).returncode)


if __name__ == "__main__":
    main()
