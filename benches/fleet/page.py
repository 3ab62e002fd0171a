"""Shows what the program `fleet` measured and what follows from it, and writes both into PAGE, with its plot.

    page.py RESULT PAGE
"""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

PARTS = {"service": "#2471a3", "postgresql": "#1e8449", "nginx": "#b9770e"}
TIMES = 1000
# What the calculation assumes beside what was measured.
BUSY = 0.5  # the part of a core that is planned with
PROCESS_CORES = 8
DATABASE_CORES = 32
DATABASE_WAL = 100e6  # bytes a second that a standby takes and replays
DAYS = 30  # for which events are kept, longer than most of what grows


class Result:
    def __init__(self, path):
        self.json = json.loads(path.read_text())
        self.steady = self.json["steady"]

    def of(self, tenants):
        return sorted((row for row in self.steady if row["tenants"] == tenants), key=lambda row: row["processes"])

    def tenants(self):
        return sorted({row["tenants"] for row in self.steady})

    def base(self):
        """The largest number of processes with the most tenants: nothing is cheaper elsewhere by being small."""
        return self.of(self.tenants()[-1])[-1]


def plot(result, path):
    figure, (rates, times) = pyplot.subplots(1, 2, figsize=(9, 3.6))
    for tenants in result.tenants():
        rows = result.of(tenants)
        counts = [row["processes"] for row in rows]
        rates.plot(counts, [row["calls_per_second"] for row in rows], marker="o", label=f"{tenants:,} tenants")
    rates.set_xlabel("processes")
    rates.set_xticks(sorted({row["processes"] for row in result.steady}))
    rates.set_ylabel("calls a second, callers on the same cores")
    rates.set_ylim(bottom=0)
    rates.grid(alpha=0.3)
    rates.legend(fontsize=8)
    names = [f"{row['processes']} / {row['tenants']:,}" for row in result.steady]
    bottom = [0.0] * len(names)
    for part, colour in PARTS.items():
        used = [row["processor_time"][part] for row in result.steady]
        times.bar(names, used, bottom=bottom, color=colour, label=part)
        bottom = [low + high for low, high in zip(bottom, used)]
    times.set_xlabel("processes / tenants")
    times.tick_params(axis="x", labelsize=7)
    times.set_ylabel("µs of a core, each call")
    times.legend(fontsize=8)
    figure.tight_layout()
    pyplot.rcParams["svg.hashsalt"] = "scaling"
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def failed(row):
    return sum(row["failures"].values()) + row["deferred"]


def measured(result):
    yield "| Tenants | Processes | Calls a second | Median | 99 % | 99.9 % | Failed | Service | PostgreSQL | nginx |"
    yield "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for row in result.steady:
        latency, used = row["latency"]["all"], row["processor_time"]
        yield (
            f"| {row['tenants']:,} | {row['processes']} | {row['calls_per_second']:,.0f} | {latency['p50']:.1f} ms "
            f"| {latency['p99']:.0f} ms | {latency['p999']:.0f} ms | {failed(row)} | {used['service']:.0f} µs "
            f"| {used['postgresql']:.0f} µs | {used['nginx']:.0f} µs |"
        )
    yield ""
    base = result.base()
    yield f"By kind of call, with {base['tenants']:,} tenants and {base['processes']} processes:"
    yield ""
    yield "| Call | Calls | Median | 99 % | 99.9 % |"
    yield "|---|--:|--:|--:|--:|"
    for kind, latency in base["latency"].items():
        yield (
            f"| {kind} | {latency['calls']:,} | {latency['p50']:.1f} ms | {latency['p99']:.0f} ms "
            f"| {latency['p999']:.0f} ms |"
        )


def disturbed(result):
    yield "| Meanwhile | Seconds | Calls a second | 99 % | Slowest | Failed | Told to come again |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for row in result.json["disturbed"]:
        latency = row["latency"]["all"]
        yield (
            f"| {row['what']} | {row['seconds']:.0f} | {row['calls_per_second']:,.0f} | {latency['p99']:.0f} ms "
            f"| {latency['max'] / 1000:.1f} s | {sum(row['failures'].values())} | {row['deferred']} |"
        )
    known = result.json["acknowledged"]
    yield ""
    yield (
        f"Acknowledged meanwhile: {known['links']:,} links and the tokens of {known['tokens']:,} connections, "
        f"{known['rotated_tokens']:,} of them refreshed. Lost: {known['lost']}."
    )


def calculation(result):
    """Each step is a line with its number; what it is made of stands in brackets."""
    base = result.base()
    used = base["processor_time"]
    rate = base["calls_per_second"] * TIMES
    tenants = base["tenants"] * TIMES

    def cores(part):
        return rate * used[part] / 1e6 / BUSY

    processes = cores("service") / PROCESS_CORES
    databases_by_cores = cores("postgresql") / DATABASE_CORES
    wal = rate * base["wal_bytes"]
    databases_by_wal = wal / DATABASE_WAL
    databases = max(1, -(-max(databases_by_cores, databases_by_wal) // 1))
    each = processes / databases
    grown = rate * base["grown_bytes"] * 86_400 * DAYS
    few, many = result.of(result.tenants()[0])[-1], base
    more = sum(many["processor_time"][part] for part in PARTS) / sum(few["processor_time"][part] for part in PARTS)
    steps = [
        (
            "Load",
            f"{rate:,.0f} calls a second of {tenants:,} tenants "
            f"({TIMES:,} × {base['calls_per_second']:,.0f} a second of {base['tenants']:,})",
        ),
        (
            "More tenants",
            f"with {many['tenants']:,} tenants a call takes {(more - 1) * 100:+.0f} % processor time compared with "
            f"{few['tenants']:,}: rows are found by index, and what a process keeps of a tenant is its budget. The "
            "rest of this calculation is made of the larger number of tenants",
        ),
        (
            "Processes",
            f"{processes:,.0f} of {PROCESS_CORES} cores ({used['service']:.0f} µs a call, planned {BUSY:.0%} busy), "
            f"each with {base['resident_kib'] / 1024:.0f} MiB; they share nothing but the database",
        ),
        (
            "nginx",
            f"{cores('nginx'):,.0f} cores ({used['nginx']:.0f} µs a call with TLS, access log and limits)",
        ),
        (
            "One database would need",
            f"{cores('postgresql'):,.0f} cores ({used['postgresql']:.0f} µs a call) and write {wal / 1e6:,.0f} MB a "
            f"second ({base['wal_bytes']:.0f} bytes a call)",
        ),
        (
            "Partitions by tenant",
            f"{databases:,.0f} databases of {DATABASE_CORES} cores: {databases_by_cores:,.1f} for the cores, "
            f"{databases_by_wal:,.1f} for {DATABASE_WAL / 1e6:.0f} MB a second of write-ahead log each",
        ),
        (
            "Each partition",
            f"{rate / databases:,.0f} calls a second, {tenants / databases:,.0f} tenants, {each:,.1f} processes, "
            f"{16 * each:,.0f} connections to its PostgreSQL (16 a process)",
        ),
        (
            "Replicas",
            f"two standbys for each, {2 * databases:,.0f} in all, which replay {wal / databases / 1e6:,.0f} MB a "
            "second. They take over; no reads go to them, since a key that was revoked and a token that was refreshed "
            "must be seen at once",
        ),
        (
            "Disk",
            f"{grown / databases / 1e12:,.1f} TB a partition for {DAYS} days of links, events and audit "
            f"({base['grown_bytes']:.0f} bytes a call); clean-up keeps it there",
        ),
    ]
    yield "| Step | Number |"
    yield "|---|---|"
    for step, number in steps:
        yield f"| {step} | {number} |"


def text(result):
    yield from measured(result)
    yield ""
    yield "![Calls a second against the number of processes, and processor time of each part for a call](images/scaling.svg)"
    yield ""
    if result.json["disturbed"]:
        yield from disturbed(result)
        yield ""
    yield f"### The same load, {TIMES:,} times"
    yield ""
    yield from calculation(result)
    yield ""
    yield (
        f"Measured on {result.json['date']}: {result.json['in_flight']} calls at once, "
        f"{result.steady[0]['seconds']:.0f} s for each row, callers, provider, nginx, processes and PostgreSQL on the "
        f"same {result.json['cores']} cores."
    )


def main():
    result, page = Result(pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2])
    lines = list(text(result))
    print("\n".join(lines))
    plot(result, page.parent / "images" / "scaling.svg")
    before, _, rest = page.read_text().partition("<!-- measured -->\n")
    _, _, after = rest.partition("<!-- /measured -->\n")
    page.write_text("\n".join([before + "<!-- measured -->", *lines, "<!-- /measured -->\n"]) + after)


if __name__ == "__main__":
    main()
