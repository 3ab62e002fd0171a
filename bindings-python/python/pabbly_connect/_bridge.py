"""From the native module's background thread to asyncio's event loops. Imported when the first call is made."""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop
from weakref import WeakKeyDictionary, finalize, ref

from ._logging import wanted
from ._native import Queue, generation
from .errors import InvalidArgumentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._native import Call

    News = tuple[int, str, Any]


class _Bridge:
    """Hands finished calls to one event loop, which watches the queue's file descriptor."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.generation = generation()
        self.queue = Queue()
        self.pending: dict[int, asyncio.Future[Any]] = {}
        self.on_poll: dict[int, Callable[..., object]] = {}
        self.last_number = 0
        try:
            loop.add_reader(self.queue.fileno(), self.drain)
        except NotImplementedError:
            _watch_from_a_thread(loop, self)

    def drain(self) -> None:
        """Take what the file descriptor told of."""
        self.tell(self.queue.take())

    def tell(self, news: list[News]) -> None:
        """Finish the futures of the calls that are done, and tell of polls."""
        pending = self.pending
        for number, what, value in news:
            future = pending.get(number)
            if future is None or future.done():
                continue
            if what == "answer":
                future.set_result(value)
            elif what == "error":
                future.set_exception(value)
            else:
                self.tell_poll(number, value, future)

    def tell_poll(self, number: int, poll: tuple[str | None, str | None, float], future: asyncio.Future[Any]) -> None:
        """Call who listens. What it raises ends the wait, as it does where calls block."""
        try:
            self.on_poll[number](*poll)
        except BaseException as error:
            # It may have cancelled the task that waits.
            if not future.done():
                future.set_exception(_raised(error))
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise


def _raised(error: BaseException) -> BaseException:
    """Give what a coroutine ends with that raises this (PEP 479): a future takes no `StopIteration`."""
    if not isinstance(error, StopIteration):
        return error
    instead = RuntimeError("on_poll raised StopIteration")
    instead.__cause__ = error
    return instead


_bridges: WeakKeyDictionary[asyncio.AbstractEventLoop, _Bridge] = WeakKeyDictionary()
_latest: tuple[ref[asyncio.AbstractEventLoop], _Bridge] | None = None
"""The one that was used last, which most programs use next."""


def _bridge() -> tuple[asyncio.AbstractEventLoop, _Bridge]:
    """Give the running loop and its bridge."""
    global _latest
    try:
        loop = get_running_loop()
    except RuntimeError:
        message = (
            "AsyncPabblyConnectPlatform needs a running asyncio event loop; under trio use PabblyConnectPlatform in a "
            "thread (trio.to_thread.run_sync)"
        )
        raise InvalidArgumentError(message, code="invalid_argument") from None
    latest = _latest
    if latest is not None and latest[0]() is loop and latest[1].generation == generation():
        return loop, latest[1]
    bridge = _bridges.get(loop)
    if bridge is None or bridge.generation != generation():
        bridge = _bridges[loop] = _Bridge(loop)
    _latest = ref(loop), bridge
    return loop, bridge


async def run(
    call: Call,
    make: Callable[[Any], Any] | None = None,
    on_poll: Callable[..., object] | None = None,
) -> Any:  # noqa: ANN401
    """Make a call, and what it gives of the answer. Cancelling the task stops the call, wherever it is."""
    loop, bridge = _bridge()
    bridge.last_number = number = bridge.last_number + 1
    bridge.pending[number] = future = loop.create_future()
    if on_poll is not None:
        bridge.on_poll[number] = on_poll
    try:
        call.start(bridge.queue, number, wanted())
        answer = await future
    except BaseException:
        call.cancel()
        raise
    finally:
        del bridge.pending[number]
        if on_poll is not None:
            del bridge.on_poll[number]
    return answer if make is None else make(answer)


def _watch_from_a_thread(loop: asyncio.AbstractEventLoop, bridge: _Bridge) -> None:
    """Serve a loop that cannot watch file descriptors (Windows' Proactor): a thread waits and tells it."""
    import threading

    queue, loop_ref, bridge_ref = bridge.queue, ref(loop), ref(bridge)

    def watch() -> None:
        while True:
            news = queue.take()
            loop, bridge = loop_ref(), bridge_ref()
            if loop is None or bridge is None or loop.is_closed():
                return
            loop.call_soon_threadsafe(bridge.tell, news)
            del loop, bridge

    # When the bridge is gone the thread wakes up once more, and sees it.
    finalize(bridge, queue.wake).atexit = False
    threading.Thread(target=watch, name="pabbly-connect-asyncio", daemon=True).start()
