"""Writes what `run.py` measured into PAGE, between its marks.

    page.py RESULT PAGE
"""

import json
import pathlib
import statistics
import sys

SERVERS = {
    "proxy": "a call through the proxy",
    "token": "a token call; the provider's call is your backend's own",
    "nginx, fresh": "nginx `proxy_pass`, a connection to the provider for each call",
    "nginx, kept": "nginx `proxy_pass`, connections to the provider kept",
}
WORKS = {"small": "JSON of 82 bytes", "download": "response of 64 KiB", "upload": "request of 64 KiB"}


def cell(rows):
    if not rows:
        return ""
    (row,) = rows
    return f"{statistics.median(row['cpu_us']):.0f} ({min(row['cpu_us'])}–{max(row['cpu_us'])})"


def text(result):
    yield f"| CPU time in µs: median (range) of {result['rounds']} rounds | {' | '.join(WORKS.values())} |"
    yield "|---|--:|--:|--:|"
    for server, title in SERVERS.items():
        rows = [row for row in result["rows"] if row["server"] == server]
        cells = [cell([row for row in rows if row["work"] == work]) for work in WORKS]
        yield f"| {title} | {' | '.join(cells)} |"
    yield ""
    yield (
        f"Measured on {result['date']} on {result['machine']}, with a load of {result['load_before']} before:\n"
        f"rounds of {result['calls']:,} calls, {result['in_flight']} in flight, in shuffled order.\n"
        f"Linux counts in steps of 10 ms, {10_000 / result['calls']:.0f} µs a call."
    )


def main():
    result, page = json.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2])
    before, _, rest = page.read_text().partition("<!-- measured -->\n")
    _, _, after = rest.partition("<!-- /measured -->\n")
    page.write_text("\n".join([before + "<!-- measured -->", *text(result), "<!-- /measured -->\n"]) + after)


if __name__ == "__main__":
    main()
