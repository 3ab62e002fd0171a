"""Plays every scenario of the project against the SDK, and fails unless the whole index has run.

    python scenarios.py (sync | asyncio) SCRIPTED-SERVER [TEXT]

SCRIPTED-SERVER is the program of that name; with TEXT only scenarios run whose id holds it. The server compares; this
file makes the calls that it is told and reports how they ended and what was printed.
"""

import asyncio
import concurrent.futures
import copy
import http.client
import json
import logging
import multiprocessing
import os
import pickle
import pprint
import re
import signal
import subprocess
import sys
import threading
import time
import traceback

from pabbly_connect import (
    AsyncPabblyConnectPlatform,
    AsyncProxyResponse,
    PabblyConnectError,
    PabblyConnectPlatform,
    ProxyResponse,
    RequestLink,
    RotatedKey,
    Token,
)

LANGUAGE = "python"
UNPICKLABLE = (
    Token,
    RotatedKey,
    PabblyConnectPlatform,
    AsyncPabblyConnectPlatform,
    ProxyResponse,
    AsyncProxyResponse,
)
# Scenarios under way at once: they mostly wait.
AT_ONCE = 16

log_lines = []


class Log(logging.Handler):
    """Keeps what the SDK logs."""

    def emit(self, record):
        log_lines.append(f"{record.levelname} {record.getMessage()} {vars(record)}")


logging.getLogger("pabbly_connect").addHandler(Log())
logging.getLogger("pabbly_connect").setLevel(logging.DEBUG)


class Interrupted(BaseException):
    """What the handler of a signal raises, as Ctrl-C does."""


def ask(address, method, path, body=None):
    connection = http.client.HTTPConnection(address, timeout=120)
    connection.request(method, path, None if body is None else json.dumps(body))
    response = connection.getresponse()
    answer = json.loads(response.read())
    if response.status != 200:
        raise RuntimeError(f"{method} {path}: {answer}")
    return answer


# --- what a scenario says, in Python ---------------------------------------------------------------------------------


def keywords(options):
    """Give neutral names as Python's: snake_case, and seconds for milliseconds."""
    python = {}
    for name, value in options.items():
        if name.endswith("Ms"):
            name, value = name[:-2], value / 1000
        python[snake(name)] = value
    return python


def snake(name):
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)


ARGUMENTS = ("email", "id", "code", "usage_id", "request_token")


def make_call(client, step, polls):
    """Make the call of a step: what it returns is the answer, or is to be awaited."""
    arguments = keywords({**step["with"], **step["options"]})
    if arguments.pop("on_poll", None):
        arguments["on_poll"] = lambda poll: polls.append(
            {"status": poll.status, "phase": poll.phase, "nextInMs": int(poll.next_in * 1000)}
        )
    arguments.pop("apply", None)
    if "rejected" in arguments:
        arguments["rejected"] = Token.of(**arguments["rejected"])
    if "body_parts" in arguments:
        arguments["body"] = iter(arguments.pop("body_parts"))
    positional = [arguments.pop(name) for name in ARGUMENTS if name in arguments]
    return getattr(client, snake(step["call"]))(*positional, **arguments)


# --- reports ---------------------------------------------------------------------------------------------------------


class Report:
    """What happened, and every printed form of everything that the SDK handed out."""

    def __init__(self):
        self.outcomes = []
        self.prints = []
        self.refused = None
        self.first_line = len(log_lines)

    def print(self, of, value):
        def add(form, text):
            # Of an answer of megabytes both ends will do.
            text = text if len(text) < 200_000 else text[:100_000] + text[-100_000:]
            self.prints.append({"of": of, "form": form, "text": text})

        add("debug", f"{value!r} {value!s} {value} {pprint.pformat([value])} {ascii(value)} {[value]}")
        add("copy", f"{copy.copy(value)!r} {copy.deepcopy(value)!r}" if of not in ("client", "page") else "")
        add("vars", repr([getattr(value, "__dict__", None), [getattr(value, n, None) for n in ("__slots__", "args")]]))
        if isinstance(value, RequestLink):
            add("json", json.dumps(value.to_dict()))
            return
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            try:
                add("pickle", pickle.dumps(value, protocol).decode("latin-1"))
            except TypeError as refusal:
                if not isinstance(value, UNPICKLABLE):
                    raise
                add("pickle", str(refusal))

    def error(self, error):
        if isinstance(error, PabblyConnectError):
            self.print("error", error)
        lines = []
        for frame in traceback.TracebackException.from_exception(error, capture_locals=True).stack:
            if "pabbly_connect" in frame.filename:
                # The e-mail is the caller's own, and no secret.
                variables = {name: value for name, value in frame.locals.items() if name not in ("email", "self")}
                lines.append(f"{frame.line} {variables}")
        self.prints.append({"of": "error", "form": "traceback", "text": "".join(lines)})
        response, connection = getattr(error, "response", None), getattr(error, "connection", None)
        retry_after = getattr(error, "retry_after", None)
        return {
            "class": type(error).__name__,
            "code": getattr(error, "code", None),
            "status": getattr(error, "status", None),
            "retryAfter": None if retry_after is None else int(retry_after),
            "attempts": getattr(error, "attempts", None),
            "message": str(error),
            "response": response and response.to_dict(),
            "connection": connection and connection.to_dict(),
            "fields": getattr(error, "fields", None),
            "oldestCursor": getattr(error, "oldest_cursor", None),
        }

    def response(self, response, body):
        self.print("ProxyResponse", response)
        return {"status": response.status, "headers": response.headers, "body": body.decode()}

    def value(self, value, path=None):
        if value is None:
            return None
        self.print(type(value).__name__, value)
        if path is None:
            return value.to_dict()
        request = value.apply(path)
        self.prints.append(
            {"of": "request", "form": "debug", "text": f"{request!r} {request} {pprint.pformat(request)}"}
        )
        return request

    def to_dict(self):
        prints = self.prints + [{"of": "log", "form": "line", "text": line} for line in log_lines[self.first_line :]]
        return {"outcomes": self.outcomes, "prints": prints, **({"refused": self.refused} if self.refused else {})}


# --- sync ------------------------------------------------------------------------------------------------------------


def play_sync(address, task):
    report = Report()
    try:
        client = PabblyConnectPlatform(**keywords(task["client"]))
    except Exception as error:
        report.refused = report.error(error)
        return report.to_dict()
    report.print("client", client)
    with client:
        for number, step in enumerate(task["steps"]):
            if step["pause"]:
                settle(address, task["session"])
            report.outcomes.append(perform_sync(address, task["session"], number, step, client, report))
    return report.to_dict()


def perform_sync(address, session, number, step, client, report):
    if step["cancel"] == "at_moment":
        threading.Thread(target=interrupt_at, args=(address, session, number), daemon=True).start()
    if step["rekey"]:
        arguments = (address, session, number, client, step["rekey"])
        threading.Thread(target=rekey_at, args=arguments, daemon=True).start()
    others = []
    threads = [
        threading.Thread(target=lambda: others.append(call_sync(step, client, report)))
        for _ in range(1, step["callers"])
    ]
    for thread in threads:
        thread.start()
    outcome = call_sync(step, client, report)
    for thread in threads:
        thread.join()
    return {**outcome, "others": others}


def call_sync(step, client, report):
    start, outcome, items, polls = time.monotonic(), {}, [], []
    try:
        if step["cancel"] == "before_start":
            raise Interrupted
        answer = make_call(client, step, polls)
        if step["call"] == "proxy":
            with answer:
                outcome["value"] = report.response(answer, answer.read())
        elif step["iterate"]:
            for item in answer:
                items.append(report.value(item))
                if len(items) == step["take"]:
                    break
        else:
            outcome["value"] = report.value(answer, step["with"].get("apply"))
    except Interrupted:
        outcome["cancelled"] = True
    except Exception as error:
        outcome["error"] = report.error(error)
    return finished(outcome, start, step, items, polls)


def interrupt_at(address, session, number):
    """Do what Ctrl-C does, at the moment that the scenario says."""
    ask(address, "GET", f"/sessions/{session}/moment?step={number}")
    os.kill(os.getpid(), signal.SIGUSR1)


def rekey_at(address, session, number, client, key):
    """Exchange the key at the moment that the scenario says."""
    ask(address, "GET", f"/sessions/{session}/moment?step={number}")
    client.set_api_key(key)


def raise_interrupted(_number, _frame):
    raise Interrupted


def finished(outcome, start, step, items, polls):
    outcome["ms"] = int((time.monotonic() - start) * 1000)
    outcome["polls"] = polls
    if step["iterate"]:
        outcome["items"] = items
    return outcome


def scenario_sync(address, scenario):
    """Play one scenario; runs in the main thread of a process of the pool, where signals arrive."""
    signal.signal(signal.SIGUSR1, raise_interrupted)
    task = begin(address, scenario)
    with environment(task["env"]):
        report = play_sync(address, task)
    return verdict(address, task, report)


def run_sync(address, index):
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(AT_ONCE, mp_context=spawn) as pool:
        runs = {entry["id"]: pool.submit(scenario_sync, address, entry["id"]) for entry in index}
        return {scenario: run.result() for scenario, run in runs.items()}


# --- asyncio ---------------------------------------------------------------------------------------------------------


async def play_async(address, task):
    report = Report()
    try:
        client = AsyncPabblyConnectPlatform(**keywords(task["client"]))
    except Exception as error:
        report.refused = report.error(error)
        return report.to_dict()
    report.print("client", client)
    async with client:
        for number, step in enumerate(task["steps"]):
            if step["pause"] == "idle":
                await in_thread(settle, address, task["session"])
            elif step["pause"]:
                settle(address, task["session"])
            report.outcomes.append(await perform_async(address, task["session"], number, step, client, report))
    return report.to_dict()


async def perform_async(address, session, number, step, client, report):
    callers = [asyncio.ensure_future(call_async(step, client, report)) for _ in range(step["callers"])]
    canceller = None
    if step["cancel"] == "at_moment":
        # The first turn of the loop begins the call inside of it.
        await asyncio.sleep(0)
        canceller = asyncio.ensure_future(cancel_at(address, session, number, report.running))
    if step["rekey"]:
        canceller = in_thread(rekey_at, address, session, number, client, step["rekey"])
    outcome, *others = await asyncio.gather(*callers)
    if canceller:
        await canceller
    return {**outcome, "others": others}


async def call_async(step, client, report):
    start, outcome, items, polls = time.monotonic(), {}, [], []

    async def call():
        answer = make_call(client, step, polls)
        if step["call"] == "proxy":
            async with await answer as response:
                outcome["value"] = report.response(response, await response.read())
            return
        if not step["iterate"]:
            answer = await answer if step["call"] != "setApiKey" else answer
            outcome["value"] = report.value(answer, step["with"].get("apply"))
            return
        async for item in answer:
            items.append(report.value(item))
            if len(items) == step["take"]:
                break

    report.running = asyncio.ensure_future(call())
    if step["cancel"] == "before_start":
        report.running.cancel()
    try:
        await report.running
    except asyncio.CancelledError:
        outcome["cancelled"] = True
    except Exception as error:
        outcome["error"] = report.error(error)
    return finished(outcome, start, step, items, polls)


async def cancel_at(address, session, number, running):
    await in_thread(ask, address, "GET", f"/sessions/{session}/moment?step={number}")
    running.cancel()


async def scenario_async(address, scenario):
    task = await in_thread(begin, address, scenario)
    with environment(task["env"]):
        report = await play_async(address, task)
    return await in_thread(verdict, address, task, report)


async def run_async(address, index):
    asyncio.get_running_loop().set_default_executor(concurrent.futures.ThreadPoolExecutor(3 * AT_ONCE))
    places = asyncio.Semaphore(AT_ONCE)
    failures = {}

    async def run(scenario):
        async with places:
            failures[scenario] = await scenario_async(address, scenario)

    await asyncio.gather(*(run(entry["id"]) for entry in index if not entry["alone"]))
    # Those that change the environment follow, one at a time.
    for entry in index:
        if entry["alone"]:
            await run(entry["id"])
    return failures


def in_thread(function, *arguments):
    return asyncio.get_running_loop().run_in_executor(None, function, *arguments)


# --- both ------------------------------------------------------------------------------------------------------------


def begin(address, scenario):
    return ask(address, "POST", "/sessions", {"id": scenario, "language": LANGUAGE})


def settle(address, session):
    """Pause until the server has done what it does unasked after the responses so far."""
    ask(address, "GET", f"/sessions/{session}/settled")


def verdict(address, task, report):
    return ask(address, "POST", f"/sessions/{task['session']}/verdict", report)["failures"]


class environment:
    """Environment variables for a while."""

    def __init__(self, variables):
        self.variables = variables

    def __enter__(self):
        self.before = dict(os.environ)
        os.environ.update(self.variables)

    def __exit__(self, *_):
        for name in self.variables:
            os.environ.pop(name)
            if name in self.before:
                os.environ[name] = self.before[name]


def main():
    kind, program, text = [*sys.argv[1:], ""][:3]
    server = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    address = server.stdout.readline().strip().removeprefix("http://")
    everything = ask(address, "GET", f"/scenarios?language={LANGUAGE}")
    index = [entry for entry in everything if not entry["skip"] and text in entry["id"]]
    failures = run_sync(address, index) if kind == "sync" else asyncio.run(run_async(address, index))
    for scenario, lines in failures.items():
        if lines:
            print(f"FAILED {scenario}", *lines, sep="\n    ")
    end = ask(address, "POST", "/finish", {"language": LANGUAGE, "ran": list(failures)})
    print(f"{kind}: {end['text']}")
    whole = bool(text) or not end["failures"]
    if not whole:
        print("the run is not whole:", *end["failures"], sep="\n    ")
    server.stdin.close()
    sys.exit(0 if whole and not any(failures.values()) else 1)


if __name__ == "__main__":
    main()
