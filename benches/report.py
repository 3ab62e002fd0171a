"""Makes docs/benchmarks.md and its pictures of what run.py saw.

    report.py RESULTS PAGE
"""

import json
import pathlib
import statistics
import sys
from dataclasses import dataclass

TITLES = {
    "rust": "Rust",
    "node": "Node",
    "python": "Python",
    "swift": "Swift",
    "service": "`connect-service`",
}
NODE, ASYNCIO, SYNC = "@pabbly/connect-platform", "pabbly-connect, asyncio", "pabbly-connect"
# As service/measure.py calls them.
SQLITE, POSTGRES, EXPRESS = "connect-service", "connect-service on PostgreSQL", "Express + pg on PostgreSQL"
NOT_MEASURED = "–"


class Results:
    """All parts that were measured."""

    def __init__(self, folder):
        self.parts = {
            part: json.loads((folder / f"{part}.json").read_text())
            for part in TITLES
            if (folder / f"{part}.json").exists()
        }

    def languages(self):
        return {part: result for part, result in self.parts.items() if "rows" in result}

    def row(self, language, peer, work, in_flight=1, scheme="https"):
        wanted = (peer, work, in_flight, scheme)
        for row in self.parts.get(language, {}).get("rows", []):
            if (row["peer"], row["work"], row["in_flight"], row["scheme"]) == wanted:
                return row
        return None


def median_of(row, name):
    return statistics.median(row[name])


def spread_of(row, name):
    """Half of what lies between the least and the most, as a part of the median."""
    return (max(row[name]) - min(row[name])) / 2 / median_of(row, name)


# --- goals ----------------------------------------------------------------------------------------------------------


@dataclass
class Goal:
    """`value` takes the results and gives a number, or None where a part of it was not measured."""

    text: str
    value: object
    goal: float
    stretch: float | None = None
    unit: str = ""
    at_least: bool = False

    def verdict(self, value):
        if value is None:
            return "not measured"

        def holds(limit):
            return value >= limit if self.at_least else value <= limit

        if self.stretch is not None and holds(self.stretch):
            return "met, stretch too"
        return "met" if holds(self.goal) else "**not met**"


def ratio(language, ours, peer, work, in_flight=1, of="cpu_us"):
    def value(results):
        a, b = (results.row(language, name, work, in_flight) for name in (ours, peer))
        return a and b and median_of(a, of) / median_of(b, of)

    return value


def throughput(peer, in_flight):
    return ratio("python", peer, ASYNCIO, "token", in_flight, of="wall_us")


def waits(language, ours, peer):
    def value(results):
        pairs = [(row["peer"], row) for row in results.parts.get(language, {}).get("rows", []) if row["work"] == "wait"]
        rows = dict(pairs)
        if ours not in rows or peer not in rows:
            return None
        return median_of(rows[ours], "cpu_us") / median_of(rows[peer], "cpu_us")

    return value


def milliseconds(language, peer, work):
    def value(results):
        row = results.row(language, peer, work)
        return row and median_of(row, "cpu_us") / 1000

    return value


def memory(language, peer):
    def value(results):
        row = results.row(language, peer, "memory")
        return row and row["rss_kib"] / 1024

    return value


def size(language, name, unit):
    def value(results):
        sizes = results.parts.get(language, {}).get("sizes")
        return sizes and sizes[name] / unit

    return value


def service_cost(server, other, *kinds):
    """A server's CPU per token call over another's; with `database_cpu_us` that of the database counts, too."""

    def value(results):
        calls = {one["server"]: one for one in results.parts.get("service", {}).get("calls", [])}
        if not {server, other} <= calls.keys():
            return None
        cost = lambda name: sum(median_of(calls[name], kind) for kind in ("cpu_us", *kinds))  # noqa: E731
        return cost(server) / cost(other)

    return value


GOALS = [
    Goal("core / raw hyper, 64 in flight", ratio("rust", "core", "hyper", "token", 64), 1.3, 1.0),
    Goal("core / reqwest, 1 in flight", ratio("rust", "core", "reqwest", "token", 1), 1.05, 0.9),
    Goal("core / reqwest, 64 in flight", ratio("rust", "core", "reqwest", "token", 64), 1.05, 0.9),
    Goal("Node / undici, 64 in flight", ratio("node", NODE, "undici", "token", 64), 0.60, 0.35),
    Goal("Node / undici, 1 in flight", ratio("node", NODE, "undici", "token", 1), 0.80, 0.45),
    Goal("Node / fetch, 64 in flight", ratio("node", NODE, "fetch", "token", 64), 0.10),
    Goal("Node / openai, 64 in flight", ratio("node", NODE, "openai", "token", 64), 0.08),
    Goal("Node, list of 50 / undici, 1 in flight", ratio("node", NODE, "undici", "list", 1), 0.80, 0.65),
    Goal("Node, list of 50 / undici, 64 in flight", ratio("node", NODE, "undici", "list", 64), 0.80, 0.65),
    Goal("Python asyncio / aiohttp, 64 in flight", ratio("python", ASYNCIO, "aiohttp", "token", 64), 0.25, 0.13),
    Goal("Python asyncio / aiohttp, 1 in flight", ratio("python", ASYNCIO, "aiohttp", "token", 1), 0.50, 0.30),
    Goal("Python asyncio / wreq, 64 in flight", ratio("python", ASYNCIO, "wreq", "token", 64), 0.55, 0.30),
    Goal("Python asyncio, throughput over httpx, 1 in flight", throughput("httpx, asyncio", 1), 5, unit="times", at_least=True),
    Goal("Python asyncio, throughput over httpx, 64 in flight", throughput("httpx, asyncio", 64), 30, unit="times", at_least=True),
    Goal("Python sync / urllib3, 1 in flight", ratio("python", SYNC, "urllib3", "token", 1), 0.25, 0.16),
    Goal("Python sync / pyreqwest, 1 in flight", ratio("python", SYNC, "pyreqwest", "token", 1), 0.60, 0.45),
    Goal("Python sync / pyreqwest, 64 threads", ratio("python", SYNC, "pyreqwest", "token", 64), 0.50, 0.35),
    Goal("Swift / URLSession, 1 in flight", ratio("swift", "PabblyConnect", "URLSession", "token", 1), 0.35),
    Goal("Swift / URLSession, 64 in flight", ratio("swift", "PabblyConnect", "URLSession", "token", 64), 0.12),
    Goal("a wait / polling with reqwest", waits("rust", "core", "reqwest"), 0.7),
    Goal("a wait in Node / polling with undici", waits("node", NODE, "undici"), 0.35),
    Goal("import, Node", milliseconds("node", NODE, "import"), 6, unit="ms CPU"),
    Goal("import, Python", milliseconds("python", SYNC, "import"), 10, unit="ms CPU"),
    Goal("resident over the bare interpreter after 1,000 calls, Node", memory("node", NODE), 8, unit="MiB"),
    Goal("resident over the bare interpreter after 1,000 calls, Python sync", memory("python", SYNC), 5, unit="MiB"),
    Goal("packed, npm tarball", size("node", "packed", 1e6), 1.7, unit="MB"),
    Goal("packed, wheel", size("python", "packed", 1e6), 1.8, unit="MB"),
    Goal("installed, Node", size("node", "installed", 1 << 20), 4, unit="MiB"),
    Goal("installed, Python", size("python", "installed", 1 << 20), 4, unit="MiB"),
    Goal("connect-service, token call / a bare axum handler", service_cost(SQLITE, "bare axum"), 3, 2),
    Goal("connect-service on PostgreSQL / a bare axum handler", service_cost(POSTGRES, "bare axum"), 3.5),
    Goal("connect-service and PostgreSQL / Express + pg and PostgreSQL", service_cost(POSTGRES, EXPRESS, "database_cpu_us"), 0.30),
]


def goals(results):
    lines = ["| | measured | goal | stretch | |", "|---|--:|--:|--:|---|"]
    for goal in GOALS:
        value = goal.value(results)
        measured = NOT_MEASURED if value is None else f"{value:.2f} {goal.unit}".strip()
        stretch = "" if goal.stretch is None else f"{goal.stretch:g}"
        limit = f"at least {goal.goal:g}" if goal.at_least else f"{goal.goal:g}"
        lines.append(f"| {goal.text} | {measured} | {limit} | {stretch} | {goal.verdict(value)} |")
    floor = ratio("rust", "reqwest", "hyper", "token", 64)(results)
    if floor:
        lines += ["", f"The core is built on reqwest, which by itself costs {floor:.2f} times what raw hyper does at 64."]
    return lines


# --- one language ---------------------------------------------------------------------------------------------------


def peers(result):
    """Every peer once, the project's own first: name, version, and the one of the project's that it is held against."""
    seen = {}
    for row in result["rows"]:
        seen.setdefault(row["peer"], row)
    first = next((row["peer"] for row in seen.values() if row["ours"]), None)
    ordered = sorted(seen.values(), key=lambda row: not row["ours"])
    return [(row["peer"], row["version"], row["peer"] if row["ours"] else row["against"] or first) for row in ordered]


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def cell(row, ours, name="cpu_us", scale=1):
    """Median, spread, and the project's cost as a part of the peer's."""
    if row is None:
        return NOT_MEASURED
    text = f"{number(median_of(row, name) / scale)} ±{spread_of(row, name):.0%}"
    if ours is None or ours is row:
        return text
    return f"{text} ({median_of(ours, name) / median_of(row, name):.2f})"


def table(results, language, columns):
    """A line for each peer; a column is a title and the measurement that it shows."""
    result = results.parts[language]
    shown = [(title, at, scale) for title, at, scale in columns if any(
        results.row(language, name, *at) for name, _, _ in peers(result))]
    if not shown:
        return []
    lines = [
        "| | version | " + " | ".join(title for title, _, _ in shown) + " |",
        "|---|---|" + "--:|" * len(shown),
    ]
    for name, version, against in peers(result):
        cells = [
            cell(results.row(language, name, *at), results.row(language, against, *at), scale=scale)
            for _, at, scale in shown
        ]
        lines.append(f"| {'**' + name + '**' if name == against else name} | {version} | {' | '.join(cells)} |")
    return lines


def calls_table(results, language, scheme):
    return table(results, language, [
        (f"{work}, {in_flight} in flight", (work, in_flight, scheme), 1)
        for work in ("token", "list")
        for in_flight in (1, 64)
    ])


def once_table(results, language):
    return table(results, language, [
        ("import, ms", ("import", 1), 1000),
        ("make a client, µs", ("construct", 1), 1),
        ("make one and call, ms", ("first", 1), 1000),
    ])


def waits_table(result):
    rows = [row for row in result["rows"] if row["work"] == "wait"]
    ours = next((row for row in rows if row["ours"]), None)
    if not rows:
        return []
    lines = ["| | CPU per wait, µs | memory per wait at the most, KiB |", "|---|--:|--:|"]
    for row in sorted(rows, key=lambda row: not row["ours"]):
        name = f"**{row['peer']}**" if row["ours"] else row["peer"]
        peak = f"{row['peak_kib'] / row['in_flight']:.1f}" if "peak_kib" in row else NOT_MEASURED
        lines.append(f"| {name} | {cell(row, ours)} | {peak} |")
    return lines


def memory_table(results, language):
    result = results.parts[language]
    installed = (result.get("sizes") or {}).get("peers", {})
    own = (result.get("sizes") or {}).get("installed")
    lines = ["| | resident after import, MiB | after 1,000 calls, MiB | installed, MiB |", "|---|--:|--:|--:|"]
    for name, _, against in peers(result):
        imported, called = results.row(language, name, "import"), results.row(language, name, "memory")
        weight = own if name == against else installed.get(name)
        cells = [row and row["rss_kib"] / 1024 for row in (imported, called)] + [weight and weight / (1 << 20)]
        texts = " | ".join(NOT_MEASURED if value is None else f"{value:.1f}" for value in cells)
        lines.append(f"| {'**' + name + '**' if name == against else name} | {texts} |")
    return lines


def when(result):
    quick = " A quick run: the figures are rough." if result["quick"] else ""
    return (
        f"Measured on {result['date']} in {result['seconds']} s, {result['machine']}, load {result['load_before']} "
        f"before it began.{quick}"
    )


def language_section(results, language):
    result = results.parts[language]
    lines = [f"## {TITLES[language]}", "", when(result), ""]
    for title, body in [
        ("CPU per call, µs, over TLS", calls_table(results, language, "https")),
        ("CPU per call, µs, over plain HTTP", calls_table(results, language, "http")),
        ("Once per process", once_table(results, language)),
        ("Many waits at once, six polls each", waits_table(result)),
        ("Memory over the bare interpreter, and size", memory_table(results, language)),
    ]:
        if body:
            lines += [f"### {title}", "", *body, ""]
    packed = (result.get("sizes") or {}).get("packed")
    if packed:
        lines += [f"Packed: {packed / 1e6:.2f} MB.", ""]
    return lines


def service_section(result):
    lines = [f"## {TITLES['service']}", "", when(result), ""]
    lines += [
        "Token calls, 64 in flight, plain HTTP, each server on one core. The stored token is valid: nothing is refreshed.",
        "",
        "| | calls a second | CPU per call, µs | of the database, µs | resident afterwards, MiB |",
        "|---|--:|--:|--:|--:|",
    ]
    for server in result["calls"]:
        rate = median_of(server, "calls_per_second")
        database = statistics.median(server.get("database_cpu_us", [0]))
        lines.append(
            f"| {server['server']} | {number(rate)} | {cell(server, None)} | {f'{database:.0f}' if database else ''} "
            f"| {server['rss_kib'] / 1024:.1f} |"
        )
    rest = result["at_rest"]
    return lines + [
        "",
        f"Binary: {result['binary_bytes'] / 1e6:.1f} MB. Started in {statistics.median(rest['start_ms']):.0f} ms "
        f"({rest['first_start_ms']:.0f} ms where it makes its database), at rest {rest['rss_kib'] / 1024:.1f} MiB.",
        "",
    ]


def page(results):
    lines = [
        "# Benchmarks",
        "",
        "Made by `make bench`; how it measures: [benches/README.md](../benches/README.md). Nothing here is written by",
        "hand.",
        "",
        "All clients talk to one local server on another core. The figure is the client process's own CPU time per",
        "call, the median of several rounds; ± is half of what lies between the least and the most. In brackets: the",
        "project's cost as a part of that peer's, so that less than 1 is cheaper. Production is TLS: its ratios count.",
        "",
        "![CPU per token call](images/bench-token.svg)",
        "",
        "## Goals",
        "",
        "As ratios of CPU per token call over TLS, unless it says otherwise.",
        "",
        *goals(results),
        "",
    ]
    for language in results.languages():
        lines += language_section(results, language)
    if "service" in results.parts:
        lines += service_section(results.parts["service"])
    return "\n".join(lines).rstrip() + "\n"


# --- pictures -------------------------------------------------------------------------------------------------------


def draw(results, file):
    import matplotlib

    matplotlib.use("svg")
    # The same picture for the same figures, with text as text.
    matplotlib.rcParams.update({"svg.hashsalt": "benches", "svg.fonttype": "none", "font.size": 8})
    import matplotlib.pyplot as plot

    languages = list(results.languages())
    lines = [len(peers(results.parts[language])) for language in languages]
    figure, axes = plot.subplots(
        len(languages),
        2,
        figsize=(8, 0.22 * sum(lines) + 0.7 * len(languages) + 0.3),
        height_ratios=lines,
        squeeze=False,
        layout="constrained",
    )
    for row_of_axes, language in zip(axes, languages):
        names = [(name, name == against) for name, _, against in peers(results.parts[language])]
        for axis, in_flight in zip(row_of_axes, (1, 64)):
            bars = [(name, ours, results.row(language, name, "token", in_flight)) for name, ours in names]
            bars = sorted((median_of(row, "cpu_us"), name, ours) for name, ours, row in bars if row)[::-1]
            drawn = axis.barh(
                [name for _, name, _ in bars],
                [value for value, _, _ in bars],
                color=["#0b7285" if ours else "#ced4da" for _, _, ours in bars],
            )
            axis.bar_label(drawn, [number(value) for value, _, _ in bars], padding=2)
            axis.margins(x=0.15, y=0.02)
            axis.spines[["top", "right"]].set_visible(False)
            axis.set_title(f"{TITLES[language]}, {in_flight} in flight", loc="left", fontweight="bold")
    figure.supxlabel("client CPU per token call over TLS, µs (less is better)")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None})


def main():
    folder, file = map(pathlib.Path, sys.argv[1:])
    results = Results(folder)
    draw(results, file.parent / "images" / "bench-token.svg")
    file.write_text(page(results))
    print(f"wrote {file}")


if __name__ == "__main__":
    main()
