"""connect-service against a bare axum handler, and on PostgreSQL against what a team would write itself in Express: token
calls with a stored token that is valid, and what the service needs at rest."""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")
IN_FLIGHT = 64

SQLITE = "connect-service"
POSTGRES = "connect-service on PostgreSQL"
EXPRESS = "Express + pg on PostgreSQL"


@contextlib.contextmanager
def stage(command, pin, environment):
    """A server that tells its address and process, and ends when its standard input does."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, preexec_fn=pin) as process:
        # `with-postgres` prints a URL first.
        line = next((line for line in process.stdout if line.startswith("{")), None)
        if not line:
            raise RuntimeError(f"{command[0]} did not start")
        yield {**json.loads(line), "database_pid": child(process.pid, "postgres")}


def cpu_seconds(pid):
    """User and system time of all threads so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def children(pid):
    return [int(one) for task in pathlib.Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()]


def child(pid, name):
    """The child process with this name, if there is one."""
    names = {one: pathlib.Path(f"/proc/{one}/comm").read_text().strip() for one in children(pid)}
    return next((one for one, its_name in names.items() if its_name == name), None)


def database_seconds(pid):
    """User and system time of a PostgreSQL server: its processes and those that have ended."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ended = (int(fields[13]) + int(fields[14])) / TICK
    return cpu_seconds(pid) + ended + sum(cpu_seconds(one) for one in children(pid))


def rss_kib(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def load(programs, at, calls, pin):
    """The cheapest client there is makes the calls; what the server spent on them is what counts."""
    environment = {
        "BENCH_BASE_URL": at["base_url"],
        "BENCH_CA": os.devnull,
        "BENCH_WORK": "token",
        "BENCH_IN_FLIGHT": str(IN_FLIGHT),
        "BENCH_CONNECTION": at.get("connection", "conn_1"),
        "PC_TENANT_KEY": at.get("key", "pk_live_bench"),
    }
    database = at["database_pid"]
    spent = lambda: (cpu_seconds(at["pid"]), database_seconds(database) if database else 0)  # noqa: E731
    before = spent()
    done = subprocess.run(
        [programs / "bench-rust", "hyper"],
        env=environment,
        input=f"{calls}\n",
        check=True,
        capture_output=True,
        text=True,
        preexec_fn=pin,
    )
    # The warm-up, a tenth of the calls, is paid by the server too.
    cpu, database_cpu = ((after - begun) / (calls * 1.1) * 1e6 for begun, after in zip(before, spent()))
    rate = calls / (json.loads(done.stdout)["wall_us"] / 1e6)
    return {"cpu_us": cpu, "database_cpu_us": database_cpu, "calls_per_second": rate}


def token_calls(programs, stored_token, calls, rounds, pin_server, pin_client):
    environment = {**os.environ, "SERVICE_BIN": str(programs / "connect-service")}
    with_postgres = stored_token.parent / "with-postgres"
    commands = {
        "bare axum": [programs / "bare-axum"],
        SQLITE: [stored_token],
        POSTGRES: [with_postgres, stored_token],
        EXPRESS: [with_postgres, "node", HERE / "express" / "server.js"],
    }
    seen = {name: [] for name in commands}
    with contextlib.ExitStack() as stack:
        stages = {
            name: stack.enter_context(stage(command, pin_server, environment))
            for name, command in commands.items()
        }
        for _ in range(rounds):
            for name, at in stages.items():
                seen[name].append(load(programs, at, calls, pin_client))
        after = {name: rss_kib(at["pid"]) for name, at in stages.items()}
    return [
        {
            "server": name,
            "cpu_us": [round(one["cpu_us"], 2) for one in all_rounds],
            "database_cpu_us": [round(one["database_cpu_us"], 2) for one in all_rounds],
            "calls_per_second": [round(one["calls_per_second"]) for one in all_rounds],
            "rss_kib": after[name],
        }
        for name, all_rounds in seen.items()
    ]


def at_rest(binary, times, pin):
    """Starts with an empty database first, then with the one that is there."""
    starts, memory = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(times + 1):
            begun = time.perf_counter()
            with subprocess.Popen(
                [binary, "serve"],
                cwd=folder,
                env={"CONNECT_LISTEN": "127.0.0.1:0", "CONNECT_DRAIN": "0"},
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                preexec_fn=pin,
            ) as process:
                if not process.stdout.readline().startswith("listening"):
                    raise RuntimeError("connect-service did not start")
                starts.append((time.perf_counter() - begun) * 1000)
                time.sleep(0.3)
                memory.append(rss_kib(process.pid))
                process.terminate()
    return {
        "first_start_ms": round(starts[0], 1),
        "start_ms": [round(start, 1) for start in starts[1:]],
        "rss_kib": statistics.median(memory[1:]),
    }


def measure(programs, stored_token, quick, pin_server, pin_client):
    binary = programs / "connect-service"
    return {
        "calls": token_calls(
            programs, stored_token, 2_000 if quick else 20_000, 2 if quick else 5, pin_server, pin_client
        ),
        "at_rest": at_rest(binary, 2 if quick else 5, pin_server),
        "binary_bytes": binary.stat().st_size,
    }
