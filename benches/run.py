"""Measures the project and what a user would pick instead; `report.py` makes the tables. See README.md.

    run.py [--quick] [--only LANGUAGE] [--out FOLDER]
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import random
import resource
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
SERVER_CORE, CLIENT_CORE = 0, 1

# What a peer is measured at, unless its peers.json says otherwise: work, and how many calls are in flight.
USUAL_WORK = {"token": [1, 64], "list": [1, 64], "construct": [1], "first": [1], "import": [1]}
# A process does this once, so that it is measured more often instead.
ONCE = {"first", "import"}


class Pace:
    """How long to measure."""

    def __init__(self, quick):
        self.rounds = 2 if quick else 5
        self.seconds = 0.15 if quick else 0.4
        self.schemes = ["https"] if quick else ["http", "https"]
        self.once = 3 if quick else 11


def languages():
    return sorted(file.parent.name for file in HERE.glob("*/peers.json"))


def pin(core):
    """Where there is a second core, client and server do not take turns on one."""
    if os.cpu_count() > 1:
        os.sched_setaffinity(0, [core])


@contextlib.contextmanager
def server(programs):
    """The bench server; it ends when its standard input does."""
    process = subprocess.Popen(
        [programs / "bench-server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: pin(SERVER_CORE),
    )
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(10)


class Client:
    """One peer of one language."""

    def __init__(self, language, name, entry, programs):
        self.language, self.name = language, name
        self.ours = entry.get("ours", False)
        self.command = entry["command"]
        self.work = entry.get("work", USUAL_WORK)
        self.programs = programs

    def run(self, addresses, scheme, work, in_flight, calls):
        """One process, one measurement."""
        environment = {
            **os.environ,
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "BENCH_BASE_URL": addresses[scheme] + "/platform/v1",
            "BENCH_CA": addresses["ca"],
            "BENCH_WORK": work,
            "BENCH_IN_FLIGHT": str(in_flight),
            "BENCH_CALLS": str(calls),
            "PC_TENANT_KEY": "pk_live_bench",
        }
        done = subprocess.run(
            self.command,
            cwd=HERE / self.language,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            preexec_fn=lambda: pin(CLIENT_CORE),
        )
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}, {work}, {in_flight} in flight, {scheme}: {done.stderr.strip()[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])


class Series:
    """The same measurement of one peer, repeated."""

    def __init__(self, client, scheme, work, in_flight, calls):
        self.client, self.scheme, self.work, self.in_flight = client, scheme, work, in_flight
        self.calls = calls
        self.results = []

    def measure(self, addresses):
        self.results.append(self.client.run(addresses, self.scheme, self.work, self.in_flight, self.calls))

    def calibrate(self, addresses, seconds):
        """As many calls as take this long; after a run that also warms the files' cache."""
        few = self.calls
        run = self.client.run(addresses, self.scheme, self.work, self.in_flight, few)
        self.calls = max(few, min(100_000, int(few * seconds / (run["wall_us"] / 1e6))))

    def row(self):
        def each(name, per_call):
            return [round(result[name] / (result["calls"] if per_call else 1), 2) for result in self.results]

        row = {
            "peer": self.client.name,
            "version": self.results[0]["version"],
            "ours": self.client.ours,
            "work": self.work,
            "in_flight": self.in_flight,
            "scheme": self.scheme,
            "calls": self.results[0]["calls"],
            "cpu_us": each("cpu_us", True),
            "wall_us": each("wall_us", True),
            "rss_kib": statistics.median(r["rss_kib"] - r["rss_start_kib"] for r in self.results),
        }
        if "peak_kib" in self.results[0]:
            row["peak_kib"] = statistics.median(r["peak_kib"] - r["rss_start_kib"] for r in self.results)
        return row


def series_of(client, pace):
    for work, all_in_flight in client.work.items():
        for in_flight in all_in_flight:
            if work in ("token", "list"):
                for scheme in pace.schemes:
                    yield Series(client, scheme, work, in_flight, 20 * in_flight)
            elif work == "wait":
                yield Series(client, "https", work, in_flight, in_flight)
            elif work == "construct":
                yield Series(client, "https", work, in_flight, 10)
            else:
                yield Series(client, "https", work, in_flight, 1)
    # Memory after a thousand calls, one after the other.
    memory = Series(client, "https", "token", 1, 1000)
    memory.work_name = "memory"
    yield memory


def measure(language, programs, pace):
    peers = json.loads((HERE / language / "peers.json").read_text())
    clients = [Client(language, name, entry, programs) for name, entry in peers.items()]
    with server(programs) as addresses:
        all_series = [series for client in clients for series in series_of(client, pace)]
        for series in all_series:
            if series.work in ("token", "list", "construct") and not hasattr(series, "work_name"):
                series.calibrate(addresses, pace.seconds)
        for number in range(max(pace.rounds, pace.once)):
            due = [
                series
                for series in all_series
                if number < (pace.once if series.work in ONCE else pace.rounds)
            ]
            random.shuffle(due)
            for series in due:
                series.measure(addresses)
    rows = []
    for series in all_series:
        row = series.row()
        row["work"] = getattr(series, "work_name", series.work)
        rows.append(row)
    return rows


def sizes(language):
    """What its packages weigh, where the language has a way to tell."""
    script = HERE / language / "sizes"
    if not script.exists():
        return None
    return json.loads(subprocess.run([script], capture_output=True, text=True, check=True).stdout)


def machine():
    model = next(
        (line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release()}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--quick", action="store_true")
    options.add_argument("--only", choices=languages(), metavar="LANGUAGE")
    options.add_argument("--programs", type=pathlib.Path, required=True, help="where cargo put what it built")
    options.add_argument("--out", type=pathlib.Path, required=True)
    options = options.parse_args()
    # A thousand waits are a thousand connections.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    options.out.mkdir(parents=True, exist_ok=True)
    for language in [options.only] if options.only else languages():
        begun, load = time.monotonic(), os.getloadavg()[0]
        rows = measure(language, options.programs.resolve(), Pace(options.quick))
        result = {
            "language": language,
            "date": datetime.date.today().isoformat(),
            "quick": options.quick,
            "machine": machine(),
            "load_before": round(load, 2),
            "seconds": round(time.monotonic() - begun),
            "sizes": sizes(language),
            "rows": rows,
        }
        (options.out / f"{language}.json").write_text(json.dumps(result, indent=1) + "\n")
        print(f"{language}: {len(rows)} measurements in {result['seconds']} s", file=sys.stderr)


if __name__ == "__main__":
    main()
