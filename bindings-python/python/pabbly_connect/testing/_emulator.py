"""Starts and steers `connect-service dev`, the whole platform on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from json import loads
from typing import IO, Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

START_TIMEOUT = 30.0
"""Seconds; far longer than it takes, also on a busy machine."""
STOP_TIMEOUT = 10.0
"""Seconds, after which it is killed."""
MAX_STDERR = 16_384
"""How much of what it says about itself is told."""


class EmulatorError(Exception):
    """The emulator did not start, or did not carry a command out."""

    stderr: str
    """What the program said about it."""

    def __init__(self, message: str, stderr: str = "") -> None:
        """Make the error of what happened and what the program said."""
        super().__init__(f"{message}:\n{stderr.rstrip()}" if stderr else message)
        self.stderr = stderr


class Emulator:
    """A running `connect-service dev`, made by `start_emulator`. It ends with `stop`, else with this process."""

    base_url: str
    """Where the service is: a client's `base_url`."""
    tenant_key: str
    """The tenant's key: a client's `api_key`."""
    env: dict[str, str]
    """The environment variables by which programs find it."""

    def __init__(self, program: str, process: subprocess.Popen[str], env: dict[str, str]) -> None:
        """Take a process that is ready."""
        self._program = program
        self._process = process
        self.env = env
        self.base_url = env["PC_BASE_URL"]
        self.tenant_key = env["PC_TENANT_KEY"]

    def ctl(self, *args: str) -> Any:  # noqa: ANN401
        """Steer it as `connect-service dev ctl` does, and give the result, which is JSON: `ctl("expire", id)`.

        Raises `EmulatorError` where the command was refused.
        """
        command = [self._program, "dev", "ctl", *args]
        ended = subprocess.run(command, env={**os.environ, **self.env}, capture_output=True, encoding="utf-8")  # noqa: S603
        if ended.returncode != 0:
            # Without the arguments, among which a link's secret may be.
            raise EmulatorError(f"connect-service dev ctl {''.join(args[:1])} failed", ended.stderr)
        return loads(ended.stdout)

    def stop(self) -> None:
        """End it, and wait until it has ended. Everything that it stored is deleted."""
        # It ends when its standard input is closed.
        with self._process as process:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()

    def __enter__(self) -> Emulator:
        """Give the emulator itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self.stop()


def start_emulator(*, binary: str | os.PathLike[str] | None = None, args: Iterable[str] = ()) -> Emulator:
    """Start `connect-service dev` and wait until it is ready, which takes about a second.

    - `binary`: The program. Default: `PC_DEV_BIN` of the environment, else `connect-service` on the `PATH`.
    - `args`: Further options of `connect-service dev`, such as `--seed`.

    Raises `EmulatorError` where the program is not found or does not start.
    """
    program = os.fspath(binary) if binary else os.environ.get("PC_DEV_BIN") or "connect-service"
    # A file, which is never full: nobody reads what it says once it is ready.
    with tempfile.TemporaryFile() as stderr:
        process = _start([program, "dev", "--watch-stdin", *args], stderr)
        env = _exports(process)
        if env is not None:
            return Emulator(program, process, env)
        stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - MAX_STDERR))
        said = stderr.read().decode(errors="replace")
    if process.returncode == -signal.SIGKILL:
        raise EmulatorError(f"{program} is not ready after {START_TIMEOUT:.0f} s", said)
    raise EmulatorError(f"{program} ended with {process.returncode}", said)


def _start(command: list[str], stderr: IO[bytes]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=stderr, encoding="utf-8")  # noqa: S603
    except FileNotFoundError as error:
        how = "build it with `cargo build -p connect-service`, and set PC_DEV_BIN to its path"
        raise EmulatorError(f"there is no program {command[0]}: {how}") from error
    except OSError as error:
        raise EmulatorError(f"{command[0]} could not be started: {error}") from error


def _exports(process: subprocess.Popen[str]) -> dict[str, str] | None:
    """Give the variables that it prints until it is ready; None where it ended before."""
    env: dict[str, str] = {}
    timer = threading.Timer(START_TIMEOUT, process.kill)
    timer.start()
    try:
        for line in process.stdout or ():
            if line.startswith("# Ready"):
                return env
            if line.startswith("export "):
                name, _, value = line[len("export ") :].strip().partition("=")
                env[name] = value
        with process:
            return None
    finally:
        timer.cancel()
