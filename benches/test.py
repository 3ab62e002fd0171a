"""The benches themselves, once and small: test.py FOLDER, which holds debug builds of their programs."""

import pathlib
import sys
import unittest

import report
import run

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = pathlib.Path(sys.argv.pop(1)).resolve()


class Once(run.Pace):
    """So few calls that a debug build makes them in a second."""

    def __init__(self):
        super().__init__(quick=True)
        self.rounds, self.rounds_once = {"https": 1}, 1
        self.seconds = 0.02
        self.warm_up = 0
        self.first_calls = self.clients_made = 2
        self.waits = self.calls_before_memory = 3


class Measuring(unittest.TestCase):
    def test_every_kind_of_work_is_measured_and_reported(self):
        rows = run.measure("rust", PROGRAMS, Once())
        kinds = {(row["peer"], row["work"], row["in_flight"]) for row in rows}
        for peer in ("core", "reqwest", "hyper"):
            for work in [("token", 1), ("token", 64), ("list", 1), ("list", 64), ("wait", 3), ("memory", 1)]:
                self.assertIn((peer, *work), kinds)
        for row in rows:
            self.assertGreater(min(row["cpu_us"]), 0, row)
            # A debug build is slow, but a call that takes a minute of CPU was not divided by its number.
            self.assertLess(max(row["cpu_us"]), 60e6, row)
        results = of({"rust": rows})
        self.assertIn("| **core** |", report.page(results))
        core = next(goal for goal in report.GOALS if goal.text.startswith("core / reqwest, 64"))
        self.assertGreater(core.value(results), 0)

    def test_a_peer_that_does_not_get_the_expected_answer_ends_the_run(self):
        client = run.Client("rust", "core", {"command": ["bench-rust", "core"]}, PROGRAMS)
        with run.bench_server(PROGRAMS) as addresses:
            elsewhere = {**addresses, "https": addresses["https"] + "/elsewhere"}
            with self.assertRaisesRegex(RuntimeError, "core: token, 1 in flight, https: .*404"):
                run.Series(client, "token", "https", 1, 1, 1).measure(elsewhere)

    def test_every_peer_that_goals_name_is_in_a_list_of_peers(self):
        rows = []
        for language in run.languages():
            rows_of = [
                row(name, work, in_flight)
                for name, entry in run.json.loads((HERE / language / "peers.json").read_text()).items()
                for work, counts in {**entry.get("work", run.USUAL_WORK), "memory": [1]}.items()
                for in_flight in counts
            ]
            rows.append((language, rows_of))
        results = of(dict(rows))
        # What is no peer's, and languages that have no peers.
        others = ["packed", "installed", "connect-service"]
        others += [title for language, title in report.TITLES.items() if language not in run.languages()]
        for goal in report.GOALS:
            if not any(other in goal.text for other in others):
                self.assertIsNotNone(goal.value(results), goal.text)


class Reporting(unittest.TestCase):
    def test_a_goal_is_met_where_the_figures_say_so(self):
        goal = report.Goal("a / b", report.ratio("rust", "a", "b", "token"), 0.6, 0.4)
        for ours, verdict in [(40, "met, stretch too"), (41, "met"), (60, "met"), (61, "**not met**")]:
            # The middle round counts, not a disturbed one.
            results = of({"rust": [row("a", cpu_us=[1, ours, 900]), row("b", cpu_us=[100, 100, 100])]})
            self.assertEqual(goal.verdict(goal.value(results)), verdict, ours)
        self.assertEqual(goal.verdict(goal.value(of({"rust": [row("a")]}))), "not measured")

    def test_throughput_is_met_from_below(self):
        goal = next(goal for goal in report.GOALS if "throughput over httpx, 1 in" in goal.text)
        for theirs, verdict in [(499, "**not met**"), (500, "met")]:
            rows = [row(report.ASYNCIO, wall_us=[100]), row("httpx, asyncio", wall_us=[theirs])]
            self.assertEqual(goal.verdict(goal.value(of({"python": rows}))), verdict)

    def test_a_peer_is_held_against_the_client_of_its_kind(self):
        rows = [
            row("async", cpu_us=[10], ours=True),
            row("sync", cpu_us=[20], ours=True),
            row("httpx", cpu_us=[100]),
            row("requests", cpu_us=[100], against="sync"),
        ]
        page = report.page(of({"python": rows}))
        self.assertIn("| httpx | 1.0 | 100 ±0% (0.10) |", page)
        self.assertIn("| requests | 1.0 | 100 ±0% (0.20) |", page)

    def test_the_page_is_what_the_figures_say(self):
        results, page = report.Results(HERE / "results"), HERE.parent / "docs" / "benchmarks.md"
        expected = report.page(results) if results.parts else None
        found = page.read_text() if page.exists() else None
        self.assertEqual(expected, found, "run benches/report.py")


def row(peer, work="token", in_flight=1, cpu_us=(1.0,), wall_us=(1.0,), ours=False, against=None):
    return {
        "peer": peer,
        "version": "1.0",
        "ours": ours,
        "against": against,
        "work": work,
        "in_flight": in_flight,
        "scheme": "https",
        "calls": 1,
        "cpu_us": list(cpu_us),
        "wall_us": list(wall_us),
        "rss_kib": 1024,
        "peak_kib": 2048,
    }


def of(languages):
    results = report.Results(HERE / "no-results")
    common = {"date": "2026-01-01", "machine": "none", "load_before": 0, "seconds": 0, "quick": False, "sizes": None}
    results.parts = {language: {**common, "rows": rows} for language, rows in languages.items()}
    return results


if __name__ == "__main__":
    unittest.main()
