"""Measures the project and what a user would pick instead, and writes what it saw as JSON; see README.md."""

import argparse
import collections
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
sys.path.insert(0, str(HERE / "service"))

import measure as service  # noqa: E402

SERVER_CORE, CLIENT_CORE = 0, 1

# What a peer is measured at, unless its peers.json says otherwise: work, and how many calls are in flight.
USUAL_WORK = {"token": [1, 64], "list": [1, 64], "construct": [1], "first": [1], "import": [1]}

# Of one measurement.
MOST_CALLS = 50_000


class Pace:
    """How long to measure, and how often."""

    def __init__(self, quick):
        # TLS is what counts; a quick run leaves the other out.
        self.rounds = {"https": 2} if quick else {"https": 5, "http": 3}
        # What a process does once is over sooner, and varies more.
        self.rounds_once = 3 if quick else 11
        self.seconds = 0.15 if quick else 0.4
        # Per caller, to find out how many calls take that long.
        self.first_calls = 10
        self.waits = 200 if quick else 1000
        self.calls_before_memory = 1000


def languages():
    return sorted(file.parent.name for file in HERE.glob("*/peers.json"))


def pin(core):
    """Client and server do not take turns on one core, where there is a second one."""
    if os.cpu_count() > 1:
        os.sched_setaffinity(0, [core])


def pin_server():
    pin(SERVER_CORE)


def pin_client():
    pin(CLIENT_CORE)


@contextlib.contextmanager
def bench_server(programs):
    with service.stage([programs / "bench-server"], pin_server, None) as addresses:
        yield addresses


class Client:
    """One peer of one language."""

    def __init__(self, language, name, entry, programs):
        self.folder = HERE / language
        self.name = name
        self.command = entry["command"]
        self.ours = entry.get("ours", False)
        self.against = entry.get("against")
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
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            preexec_fn=pin_client,
        )
        if done.returncode != 0:
            what = f"{self.name}: {work}, {in_flight} in flight, {scheme}"
            raise RuntimeError(f"{what}: {done.stderr.strip()[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])


class Series:
    """The same measurement of one peer, again and again."""

    def __init__(self, client, name, scheme, in_flight, calls, rounds, calibrated=False):
        self.client, self.name, self.scheme, self.in_flight = client, name, scheme, in_flight
        # "memory" is a name of the report's: token calls, one after the other.
        self.work = "token" if name == "memory" else name
        self.calls, self.rounds, self.calibrated = calls, rounds, calibrated
        self.results = []

    def run(self, addresses):
        return self.client.run(addresses, self.scheme, self.work, self.in_flight, self.calls)

    def calibrate(self, addresses, seconds):
        """As many calls as take that long. The first ones of a process cost more, so that one look is not enough."""
        taken = 0
        while taken < seconds / 2 and self.calls < MOST_CALLS:
            taken = self.run(addresses)["wall_us"] / 1e6
            self.calls = max(self.calls, min(MOST_CALLS, int(self.calls * seconds / taken)))

    def row(self):
        def per_call(name):
            return [round(result[name] / result["calls"], 2) for result in self.results]

        def over_bare(name):
            return statistics.median(result[name] - result["rss_start_kib"] for result in self.results)

        row = {
            "peer": self.client.name,
            "version": self.results[0]["version"],
            "ours": self.client.ours,
            "against": self.client.against,
            "work": self.name,
            "in_flight": self.in_flight,
            "scheme": self.scheme,
            "calls": self.results[0]["calls"],
            "cpu_us": per_call("cpu_us"),
            "wall_us": per_call("wall_us"),
            "rss_kib": over_bare("rss_kib"),
        }
        if "peak_kib" in self.results[0]:
            row["peak_kib"] = over_bare("peak_kib")
        return row


def series_of(client, pace):
    for work, all_in_flight in client.work.items():
        for in_flight in all_in_flight:
            if work in ("token", "list"):
                for scheme, rounds in pace.rounds.items():
                    yield Series(client, work, scheme, in_flight, pace.first_calls * in_flight, rounds, True)
            elif work == "construct":
                yield Series(client, work, "https", in_flight, 10, pace.rounds["https"], True)
            elif work == "wait":
                yield Series(client, work, "https", min(in_flight, pace.waits), pace.waits, pace.rounds["https"])
            else:
                yield Series(client, work, "https", in_flight, 1, pace.rounds_once)
    yield Series(client, "memory", "https", 1, pace.calls_before_memory, 2)


def alike(all_series):
    """As many calls for everybody as the quickest peer makes, up to ten times a peer's own: what compiles code while it
    runs costs more in its first thousands of calls."""
    quickest = collections.defaultdict(int)
    for series in all_series:
        job = (series.name, series.scheme, series.in_flight)
        quickest[job] = max(quickest[job], series.calls)
    for series in all_series:
        series.calls = min(quickest[series.name, series.scheme, series.in_flight], 10 * series.calls)


def measure(language, programs, pace):
    peers = json.loads((HERE / language / "peers.json").read_text())
    clients = [Client(language, name, entry, programs) for name, entry in peers.items()]
    all_series = [series for client in clients for series in series_of(client, pace)]
    with bench_server(programs) as addresses:
        for series in all_series:
            if series.calibrated:
                series.calibrate(addresses, pace.seconds)
        alike([series for series in all_series if series.calibrated])
        for number in range(max(series.rounds for series in all_series)):
            due = [series for series in all_series if number < series.rounds]
            random.shuffle(due)
            for series in due:
                series.results.append(series.run(addresses))
    return [series.row() for series in all_series]


def sizes(language):
    """What its packages weigh, where the language has a way to tell."""
    script = HERE / language / "sizes"
    if not script.exists():
        return None
    return json.loads(subprocess.run([script], stdout=subprocess.PIPE, text=True, check=True).stdout)


def machine():
    with open("/proc/cpuinfo") as lines:
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown CPU")
    return f"{os.cpu_count()} × {model}, Linux {platform.release()}"


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="less often, TLS alone")
    options.add_argument("--only", choices=[*languages(), "service"])
    options.add_argument("--programs", type=pathlib.Path, required=True, help="where the release builds are")
    options.add_argument("--stored-token", type=pathlib.Path, required=True, help="the stage for connect-service")
    options.add_argument("--out", type=pathlib.Path, required=True)
    options = options.parse_args()
    # A thousand waits are a thousand connections.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    programs = options.programs.resolve()
    options.out.mkdir(parents=True, exist_ok=True)
    for part in [options.only] if options.only else [*languages(), "service"]:
        begun, load = time.monotonic(), os.getloadavg()[0]
        if part == "service":
            seen = service.measure(programs, options.stored_token.resolve(), options.quick, pin_server, pin_client)
        else:
            seen = {"rows": measure(part, programs, Pace(options.quick)), "sizes": sizes(part)}
        seconds = round(time.monotonic() - begun)
        result = {
            "date": datetime.date.today().isoformat(),
            "machine": machine(),
            "load_before": round(load, 1),
            "seconds": seconds,
            "quick": options.quick,
            **seen,
        }
        (options.out / f"{part}.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        print(f"{part}: measured in {seconds} s", flush=True)


if __name__ == "__main__":
    main()
