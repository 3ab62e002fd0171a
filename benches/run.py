"""Measures the project and what a user would pick instead, and writes what it saw as JSON; see README.md."""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import random
import resource
import select
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "service"))

import measure as service  # noqa: E402

SERVER_CORE, CLIENT_CORE = 0, 1

# What a peer is measured at, unless its peers.json says otherwise: work, and how many calls are in flight.
USUAL_WORK = {"token": [1, 64], "list": [1, 64], "construct": [1], "first": [1], "import": [1]}

# Of one measurement.
MOST_CALLS = 50_000
LONGEST_SECONDS = 300


class Pace:
    """How long to measure, and how often."""

    def __init__(self, quick):
        # TLS is what counts; a quick run leaves the other out.
        self.rounds = {"https": 2} if quick else {"https": 9, "http": 3}
        # What a process does once is over sooner, and varies more.
        self.rounds_once = 2 if quick else 7
        self.seconds = 0.1 if quick else 0.2
        # Until code that compiles itself while it runs has been compiled.
        self.warm_up = 0.3 if quick else 1.5
        # Per caller, to find out how many calls take that long.
        self.first_calls = 10
        self.clients_made = 200
        self.waits = 200 if quick else 1000
        self.calls_before_memory = 1000
        self.rounds_memory = 1 if quick else 2


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


class Process:
    """A peer's process. It measures as often as it is asked to, and waits in between."""

    def __init__(self, client, addresses, scheme, work, in_flight):
        self.what = f"{client.name}: {work}, {in_flight} in flight, {scheme}"
        self.errors = tempfile.TemporaryFile("w+")
        environment = {
            **os.environ,
            "PATH": f"{client.programs}:{os.environ['PATH']}",
            "BENCH_BASE_URL": addresses[scheme] + "/platform/v1",
            "BENCH_CA": addresses["ca"],
            "BENCH_WORK": work,
            "BENCH_IN_FLIGHT": str(in_flight),
            "PC_TENANT_KEY": "pk_live_bench",
        }
        self.process = subprocess.Popen(
            client.command,
            cwd=client.folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            preexec_fn=pin_client,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def measure(self, calls):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(f"{calls}\n")
            self.process.stdin.flush()
        answered, _, _ = select.select([self.process.stdout], [], [], LONGEST_SECONDS)
        line = self.process.stdout.readline() if answered else ""
        if not line:
            self.process.kill()
            self.process.wait()
            self.errors.seek(0)
            raise RuntimeError(f"{self.what}: {self.errors.read().strip()[-2000:] or 'no answer'}")
        return json.loads(line)


class Series:
    """The same measurement of one peer, again and again; in one process where `lasting`, else in a new one each time."""

    def __init__(self, client, name, scheme, in_flight, calls, rounds, lasting=False):
        self.client, self.name, self.scheme, self.in_flight = client, name, scheme, in_flight
        # "memory" is a name of the report's: token calls, one after the other.
        self.work = "token" if name == "memory" else name
        self.calls, self.rounds, self.lasting = calls, rounds, lasting
        self.process, self.results = None, []

    def start(self, addresses):
        return Process(self.client, addresses, self.scheme, self.work, self.in_flight)

    def measure(self, addresses):
        if self.process:
            return self.process.measure(self.calls)
        with self.start(addresses) as process:
            return process.measure(self.calls)

    def warm_up(self, pace):
        """Calls for a while, and finds out how many calls take as long as a measurement shall."""
        begun = time.monotonic()
        while True:
            taken = self.process.measure(self.calls)["wall_us"] / 1e6
            self.calls = max(self.in_flight, min(MOST_CALLS, int(self.calls * pace.seconds / taken)))
            if time.monotonic() - begun > pace.warm_up:
                return

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
                yield Series(client, work, "https", in_flight, pace.clients_made, pace.rounds_once)
            elif work == "wait":
                yield Series(client, work, "https", min(in_flight, pace.waits), pace.waits, pace.rounds["https"])
            else:
                yield Series(client, work, "https", in_flight, 1, pace.rounds_once)
    yield Series(client, "memory", "https", 1, pace.calls_before_memory, pace.rounds_memory)


def measure(language, programs, pace):
    peers = json.loads((HERE / language / "peers.json").read_text())
    clients = [Client(language, name, entry, programs) for name, entry in peers.items()]
    all_series = [series for client in clients for series in series_of(client, pace)]
    with bench_server(programs) as addresses, contextlib.ExitStack() as processes:
        for series in all_series:
            if series.lasting:
                series.process = processes.enter_context(series.start(addresses))
                series.warm_up(pace)
        for number in range(max(series.rounds for series in all_series)):
            due = [series for series in all_series if number < series.rounds]
            random.shuffle(due)
            for series in due:
                series.results.append(series.measure(addresses))
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
