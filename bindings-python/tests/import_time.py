"""Fails where importing the package takes more than a sixth of the time that importing asyncio takes, in the same run.

python import_time.py PYTHON
"""

import subprocess
import sys

RUNS = 15


def import_time(module):
    command = [sys.argv[1], "-X", "importtime", "-c", f"import {module}"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()
    total = [line for line in lines if line.endswith(f"| {module}")]
    return int(total[0].split("|")[1])


# The best of some runs: the machine may be busy with other things.
own = min(import_time("pabbly_connect") for _ in range(RUNS))
other = min(import_time("asyncio") for _ in range(RUNS))
print(f"import pabbly_connect: {own / 1000:.1f} ms, import asyncio: {other / 1000:.1f} ms")
sys.exit(own * 6 > other)
