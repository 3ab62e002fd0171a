"""Writes `errors.py` from the core's table of errors, which is read from standard input.

cargo run -q -p pabbly-connect --example tables | python tools/generate_errors.py > python/pabbly_connect/errors.py
"""

import json
import sys

BASE = "PabblyConnectError"
# Python has words of its own for these, so `except TimeoutError` catches ours too.
BUILT_IN = {
    "InvalidArgumentError": "ValueError",
    "InvalidUserEmailError": "ValueError",
    "NetworkError": "ConnectionError",
    "TimeoutError": "builtins.TimeoutError",
    "WaitTimeoutError": "builtins.TimeoutError",
}
# A cancelled call ends with asyncio's own CancelledError, or with whatever a signal's handler raised.
LEFT_OUT = {"CancelledError"}

HEAD = '''"""The classes of errors, by what to do about them. Generated from the core's table: do not edit."""

from __future__ import annotations

import builtins

from ._error import PabblyConnectError

__all__ = [
{names}
]
'''

CLASS = '''

class {name}({bases}):
    """{doc}"""
'''


def document(rows: list[dict]) -> str:
    """Say which codes choose the class."""
    lines = [f"`{row['code']}`{http(row)}: {row['meaning']}" for row in rows]
    return lines[0] if len(lines) == 1 else "\n    ".join([lines[0], "", *lines[1:], ""])


def http(row: dict) -> str:
    """Say which status comes with a code."""
    return "" if row["status"] is None else f" (HTTP {row['status']})"


def main() -> None:
    """Write the module."""
    tables = json.load(sys.stdin)
    names = [name for name in tables["classes"] if name not in LEFT_OUT]
    parts = [HEAD.format(names="\n".join(f'    "{name}",' for name in sorted(names)))]
    for name in names:
        if name == BASE:
            continue
        bases = ", ".join([BASE, *([BUILT_IN[name]] if name in BUILT_IN else [])])
        rows = [row for row in tables["codes"] if row["class"] == name]
        parts.append(CLASS.format(name=name, bases=bases, doc=document(rows)))
    sys.stdout.write("".join(parts))


main()
