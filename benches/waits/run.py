"""Customers who are done at any moment, and tenants' backends that wait for them, against the real connect-service.

    run.py --programs FOLDER --out FILE --speed 1

At speed 1 the tenant has the guide's 120 requests a minute, and the customers take half an hour. Other speeds are the
same in less time: more requests a minute, shorter timers, quicker customers.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import datetime
import http.client
import json
import os
import pathlib
import random
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time

REQUESTS_PER_MINUTE = 120
CUSTOMERS_TAKE = 1800  # seconds
INTERVAL = 2  # seconds between two polls of one wait
OWN_CALLS_PER_MINUTE = 6
COUNTS = [1, 3, 10, 30, 100, 300, 1000]
MANY = 10_000
MANY_HELD = 1000
# More polls a second would measure the machine.
MOST_NAIVE_POLLS = 1500
WINDOW = 60  # seconds, in which the service counts, at any speed
UNLIMITED = 4_000_000_000


class Installation:
    """A database, and processes of connect-service over it."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.port = free_port()

    def environment(self, port, budget, hold):
        return {
            "PATH": os.environ["PATH"],
            "CONNECT_LISTEN": f"127.0.0.1:{port}",
            "CONNECT_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "CONNECT_BUDGETS_DEFAULT": str(round(budget)),
            "CONNECT_MAX_LONG_POLL": str(hold),
            "RUST_LOG": "warn",
        }

    def key(self, tenant):
        def run(*arguments):
            environment = self.environment(self.port, 1, 0)
            command = [self.program, *arguments]
            return subprocess.run(
                command, cwd=self.folder, env=environment, check=True, capture_output=True, text=True
            ).stdout.strip()

        return run("key", "create", "--tenant", run("tenant", "create", tenant), "--capabilities", "apps,connections")

    @contextlib.contextmanager
    def serving(self, port, budget, hold):
        """One process; gives the address of its API."""
        environment = self.environment(port, budget, hold)
        process = subprocess.Popen(
            [self.program, "serve"], cwd=self.folder, env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            process.stdout.readline()
            yield f"http://127.0.0.1:{port}/platform/v1"
        finally:
            process.kill()
            process.wait()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Backend:
    """One process of a tenant's backend, see main.rs."""

    def __init__(self, program, base_url, key):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.noticed = {}
        self.answers = collections.deque()
        self.answered = threading.Semaphore(0)
        threading.Thread(target=self.read, daemon=True).start()
        self.send({"base_url": base_url, "key": key})

    def read(self):
        for line in self.process.stdout:
            line = json.loads(line)
            if "done" in line:
                self.answers.append(line["done"])
                self.answered.release()
            elif "noticed" in line:
                self.noticed[line["noticed"]] = line["at"]
            else:
                print(line, file=sys.stderr)
        self.answered.release()

    def send(self, line):
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    def ask(self, what, **arguments):
        self.send({"do": what, **arguments})
        self.answered.acquire()
        return self.answers.popleft()

    def wait_for(self, links, interval, naive=False):
        connections = [(connection, email) for connection, email, _ in links]
        self.ask("wait", connections=connections, interval_ms=round(interval * 1000), naive=naive)


class Group:
    """Waits of one tenant that are measured together."""

    def __init__(self, way, backend, count):
        self.way, self.backend, self.count = way, backend, count
        self.links = backend.ask("link", count=count)
        self.done = {}

    def begin(self, address, start, seconds, speed, seed):
        dice = random.Random(seed)
        self.due = [(start + seconds * dice.random(), link) for link in self.links]
        self.start = start
        if self.way != "held":
            self.backend.ask("forget", base_url=address)
        self.backend.wait_for(self.links, INTERVAL / speed, self.way == "naive")
        self.backend.ask("call", every_ms=round(60_000 / OWN_CALLS_PER_MINUTE / speed))

    def is_over(self):
        return len(self.backend.noticed) == self.count

    def result(self, speed):
        report = self.backend.ask("report")
        noticed = self.backend.noticed
        own = [milliseconds for milliseconds, _ in report["own"]]
        best = best_delays([at - self.start for at in self.done.values()], speed)
        return {
            "way": self.way,
            "waits": self.count,
            "done": len(self.done),
            "noticed": len(noticed),
            "delays": [round(noticed[id] - at, 4) for id, at in self.done.items() if id in noticed],
            "best": [round(delay, 4) for delay in best],
            "polls": report["polls"],
            "refused": report["refused"],
            "own_calls": len(own),
            "own_refused": sum(status != 200 for _, status in report["own"]),
            "own_median_ms": round(percentile(own, 0.5), 2),
            "own_slowest_ms": round(max(own), 2),
        }


def best_delays(done_at, speed):
    """What the best possible order of polls gives, see docs/waiting.md: those who wait take turns, at the whole rate."""
    waiting = collections.deque(done_at)
    between = 60 / ((REQUESTS_PER_MINUTE - OWN_CALLS_PER_MINUTE) * speed)
    delays, now = [], 0
    while waiting:
        at = waiting.popleft()
        if at <= now:
            delays.append(now - at)
        else:
            waiting.append(at)
        now += between
    return delays


def percentile(values, part):
    return sorted(values)[int((len(values) - 1) * part)]


def play_customers(port, groups):
    """Each customer fills the form in at the due moment."""
    due = sorted(((at, link, group) for group in groups for at, link in group.due), key=lambda entry: entry[0])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    body = json.dumps({"auth_option_key": "api_key", "fields": {"api_key": "SG.bench"}})
    for at, (id, _, token), group in due:
        time.sleep(max(0, at - time.time()))
        group.done[id] = time.time()
        headers = {"content-type": "application/json", "x-request-token": token}
        connection.request("POST", f"/platform/v1/connections/{id}/submit", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text


def delays(programs, speed, ways):
    """From a customer's being done to its being noticed, by the number of waits and the way to wait, all at once."""
    budget, seconds = REQUESTS_PER_MINUTE * speed, CUSTOMERS_TAKE / speed
    with installation(programs) as service, contextlib.ExitStack() as backends:
        with service.serving(service.port, UNLIMITED, 60) as address:
            groups = []
            for way, counts in ways.items():
                for count in counts:
                    backend = backends.enter_context(backend_of(programs, address, service.key(f"{way} {count}")))
                    groups.append(Group(way, backend, count))
        with service.serving(service.port, budget, 60), service.serving(free_port(), budget, 0) as plain:
            # What the links cost is counted as own calls for a minute.
            start = time.time() + WINDOW
            for seed, group in enumerate(groups):
                group.begin(plain, start, seconds, speed, seed)
            threading.Thread(target=play_customers, args=(service.port, groups), daemon=True).start()
            # Some waits are never noticed where each has a timer of its own.
            while time.time() < start + 1.5 * seconds and not all(group.is_over() for group in groups):
                time.sleep(0.2)
            return [group.result(speed) for group in groups]


def four_processes(programs, speed):
    """Four processes with one key, which begin one after the other, and customers who are never done."""
    budget, seconds = REQUESTS_PER_MINUTE * speed, CUSTOMERS_TAKE / speed
    with installation(programs) as service, contextlib.ExitStack() as stack:
        key = service.key("four")
        with service.serving(service.port, UNLIMITED, 60) as address:
            backends = [stack.enter_context(backend_of(programs, address, key)) for _ in range(4)]
            links = [backend.ask("link", count=250) for backend in backends]
        with service.serving(service.port, budget, 0) as address:
            for backend, links_of_one in zip(backends, links):
                backend.ask("forget", base_url=address)
                backend.wait_for(links_of_one, INTERVAL / speed)
                time.sleep(WINDOW / 4)
            time.sleep(seconds / 2)
            halfway = [report(backend)["polls"] for backend in backends]
            time.sleep(seconds / 2)
            reports = [report(backend) for backend in backends]
    return {
        "requests": sum(report["polls"] for report in reports),
        "refused": sum(report["refused"] for report in reports),
        "shares": [report["polls"] - before for report, before in zip(reports, halfway)],
    }


def report(backend):
    return backend.ask("report")


def many_waits(programs):
    """Ten thousand waits in one process: memory, and work while nothing happens."""
    with installation(programs) as service, contextlib.ExitStack() as backends:
        key = service.key("many")
        with service.serving(service.port, UNLIMITED, 60) as address, service.serving(
            free_port(), UNLIMITED, 0
        ) as plain:
            backend = lambda address: backends.enter_context(backend_of(programs, address, key))
            links = backend(address).ask("link", count=MANY)
            held = backend(address)
            links_held = held.ask("link", count=MANY)
            # Each is polled once, so that all is there that a wait remembers.
            polled = backend(plain)
            memory = bytes_per_wait(polled, links, 3600, MANY)
        with service.serving(service.port, REQUESTS_PER_MINUTE, 60), service.serving(
            free_port(), REQUESTS_PER_MINUTE, 0
        ) as plain:
            results = {"scheduled": {"bytes_per_wait": memory}}
            scheduled = backend(plain)
            scheduled.wait_for(links, INTERVAL)
            results["scheduled"].update(work(scheduled))
            scheduled.process.kill()
            # A thousand answers held, and the other nine thousand asked for in turn.
            memory = bytes_per_wait(held, links_held, INTERVAL, MANY_HELD)
            results["held"] = {"bytes_per_wait": memory, **work(held)}
            return results


def bytes_per_wait(backend, links, interval, polls):
    """What a wait beyond the first takes, after so many polls."""
    first = None
    # A few at a time: polled all at once, they would take a connection each.
    for begin in range(0, len(links), 50):
        backend.wait_for(links[begin : begin + 50], interval)
        while (now := report(backend))["polls"] < min(begin + 50, polls):
            time.sleep(0.01)
        first = first or now
    return round((now["rss_kib"] - first["rss_kib"]) * 1024 / (len(links) - 50))


def work(backend):
    """What a process does while nothing happens."""
    time.sleep(5)
    before, begin = report(backend), time.monotonic()
    time.sleep(30)
    after, seconds = report(backend), time.monotonic() - begin
    return {
        "cpu_percent": round(100 * (after["cpu"] - before["cpu"]) / seconds, 2),
        "polls_a_second": round((after["polls"] - before["polls"]) / seconds, 2),
    }


@contextlib.contextmanager
def installation(programs):
    with tempfile.TemporaryDirectory() as folder:
        yield Installation(programs / "connect-service", folder)


@contextlib.contextmanager
def backend_of(programs, address, key):
    backend = Backend(programs / "bench-waits", address, key)
    try:
        yield backend
    finally:
        backend.process.kill()
        backend.process.wait()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--programs", type=pathlib.Path, required=True, help="where cargo put what it built")
    options.add_argument("--out", type=pathlib.Path, required=True)
    options.add_argument("--speed", type=float, required=True)
    options = options.parse_args()
    # A thousand held answers are a thousand connections.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    programs = options.programs.resolve()
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor() as beside:
        four = beside.submit(four_processes, programs, options.speed)
        rows = delays(programs, options.speed, {"scheduled": COUNTS, "held": COUNTS, "no waits": [0]})
        share = four.result()
    # Later, so that what they send disturbs nothing else.
    naive = [count for count in COUNTS if count * options.speed / INTERVAL <= MOST_NAIVE_POLLS]
    rows += delays(programs, options.speed, {"naive": naive})
    result = {
        "date": datetime.date.today().isoformat(),
        "speed": options.speed,
        "cores": os.cpu_count(),
        "rows": rows,
        "four_processes": share,
        "many": many_waits(programs),
    }
    print(f"waits: measured in {time.monotonic() - begun:.0f} s", flush=True)
    options.out.write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
