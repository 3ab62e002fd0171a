"""Shows what `run.py` measured; `--write` also writes it into docs/waiting.md, with its plot.

    page.py RESULT [--write]
"""

import json
import math
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
WAYS = {
    "naive": ("a timer of 2 s for each wait", "#c0392b"),
    "scheduled": ("scheduled", "#2471a3"),
    "held": ("held answers", "#1e8449"),
}


def percentile(row, part, speed):
    """In seconds, as it would be at 120 requests a minute. What was never noticed took for ever."""
    delays = sorted(row["delays"]) + [math.inf] * (row["done"] - row["noticed"])
    # A held answer does not wait for the budget, so it takes as long at any speed.
    return delays[int((len(delays) - 1) * part)] * (1 if row["way"] == "held" else speed)


def best(row, part, speed):
    return sorted(row["best"])[int((len(row["best"]) - 1) * part)] * speed


def plot(rows, speed):
    figure, axes = pyplot.subplots(figsize=(9, 4.5))
    most = max(math.ceil(percentile(row, 0.99, speed)) for row in rows if 0 < row["noticed"] == row["done"])
    never = most * 4
    for way, (label, colour) in WAYS.items():
        of_way = sorted((row for row in rows if row["way"] == way), key=lambda row: row["waits"])
        waits = [row["waits"] for row in of_way]
        for part, style in [(0.5, "-"), (0.99, "--")]:
            delays = [min(percentile(row, part, speed), never) for row in of_way]
            name = f"{label}, {'median' if part == 0.5 else '99th percentile'}"
            axes.plot(waits, delays, style, color=colour, marker="o", markersize=3, label=name)
    # Fewer do not use the budget up: what bounds them is the interval.
    scheduled = sorted((row for row in rows if row["way"] == "scheduled" and row["waits"] >= 10), key=lambda row: row["waits"])
    waits = [row["waits"] for row in scheduled]
    axes.plot(waits, [best(row, 0.5, speed) for row in scheduled], ":", color="black", label="the best possible, median")
    axes.axhline(never, color="grey", linewidth=0.5)
    axes.text(waits[-1], never * 1.1, "never", color="grey", ha="right")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("customers who are waited for at once")
    axes.set_ylabel("seconds until it is noticed that one is done")
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    axes.grid(alpha=0.3)
    figure.tight_layout()
    pyplot.rcParams["svg.hashsalt"] = "waiting"
    figure.savefig(DOCS / "images" / "waiting.svg", metadata={"Date": None})


def seconds(value):
    if math.isinf(value):
        return "never"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"


def table(rows, speed):
    count = max(row["waits"] for row in rows)
    of = {row["way"]: row for row in rows if row["waits"] == max(r["waits"] for r in rows if r["way"] == row["way"])}
    quiet = next(row for row in rows if row["way"] == "no waits")
    yield f"| {count:,} waits | noticed | median | 99th percentile | requests | 429 | own calls refused | slowest own call |"
    yield "|---|:-:|:-:|:-:|:-:|:-:|:-:|:-:|"
    scheduled = of["scheduled"]
    yield f"| the best possible | all | {seconds(best(scheduled, 0.5, speed))} | {seconds(best(scheduled, 0.99, speed))} | | 0 | | |"
    for way, (label, _) in WAYS.items():
        row = of[way]
        name = label if row["waits"] == count else f"{label} ({row['waits']:,} waits)"
        noticed = "all" if row["noticed"] == row["done"] else f"{row['noticed']:,}"
        yield (
            f"| {name} | {noticed} | {seconds(percentile(row, 0.5, speed))} | {seconds(percentile(row, 0.99, speed))} "
            f"| {row['polls']:,} | {row['refused']:,} | {row['own_refused']} of {row['own_calls']} "
            f"| {row['own_slowest_ms']:.0f} ms |"
        )
    yield ""
    yield (
        f"Without any wait, the slowest of {quiet['own_calls']} own calls took {quiet['own_slowest_ms']:.0f} ms "
        f"on the same machine at the same time."
    )


def text(result):
    speed = result["speed"]
    yield from table(result["rows"], speed)
    four = result["four_processes"]
    yield ""
    shares = ", ".join(f"{share:,}" for share in four["shares"])
    yield (
        f"Four processes with one key and 250 waits each, begun one after the other: {four['refused']} of "
        f"{four['requests']:,} requests met a 429, and in the second half they sent {shares}."
    )
    if many := result["many"]:
        yield ""
        yield "| 10,000 waits in one process | memory per wait | CPU while nothing happens | requests a second |"
        yield "|---|:-:|:-:|:-:|"
        for way, row in many.items():
            yield (
                f"| {WAYS[way][0]} | {row['bytes_per_wait']:,} bytes | {row['cpu_percent']} % of a core "
                f"| {row['polls_a_second']} |"
            )
    yield ""
    pace = "at 120 requests a minute" if speed == 1 else f"{speed:g} times as fast, the times multiplied to compare"
    yield f"Measured on {result['date']}, {pace}, on a machine of {result['cores']} cores."


def main():
    result = json.loads(pathlib.Path(sys.argv[1]).read_text())
    lines = list(text(result))
    print("\n".join(lines))
    if "--write" in sys.argv:
        plot(result["rows"], result["speed"])
        page = DOCS / "waiting.md"
        before, _, rest = page.read_text().partition("<!-- measured -->\n")
        _, _, after = rest.partition("<!-- /measured -->\n")
        page.write_text("\n".join([before + "<!-- measured -->", *lines, "<!-- /measured -->\n"]) + after)


if __name__ == "__main__":
    main()
