"""Fails where importing the package takes more than a sixth of the time that importing asyncio takes, in the same run.

python import_time.py PYTHON
"""

import subprocess
import sys


def import_time(module):
    command = [sys.argv[1], "-X", "importtime", "-c", f"import {module}"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()
    total = [line for line in lines if line.endswith(f"| {module}")]
    return int(total[0].split("|")[1])


# The best of some runs, in turn: the machine may be busy with other things.
rounds = [(import_time("pabbly_connect"), import_time("asyncio")) for _ in range(15)]
own, asyncio = (min(times) for times in zip(*rounds))
print(f"import pabbly_connect: {own / 1000:.1f} ms, import asyncio: {asyncio / 1000:.1f} ms")
sys.exit(own * 6 > asyncio)
