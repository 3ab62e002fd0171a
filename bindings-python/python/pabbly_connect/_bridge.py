"""From the native module's background thread to asyncio's event loops. Imported when the first call is made."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary, finalize, ref

from ._logging import wanted
from ._native import Queue, generation
from .errors import InvalidArgumentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._native import Call

    Finished = tuple[int, Any, "BaseException | None"]


class _Bridge:
    """Hands finished calls to one event loop, which watches the queue's file descriptor."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.generation = generation()
        self.queue = Queue()
        self.pending: dict[int, asyncio.Future[Any]] = {}
        self.last_number = 0
        try:
            loop.add_reader(self.queue.fileno(), self.drain)
        except NotImplementedError:
            _watch_from_a_thread(loop, self)

    def drain(self) -> None:
        """Take what the file descriptor told of."""
        self.finish(self.queue.take())

    def finish(self, calls: list[Finished]) -> None:
        """Finish the futures of the calls that are done."""
        for number, answer, error in calls:
            future = self.pending.pop(number, None)
            if future is None or future.done():
                continue
            if error is None:
                future.set_result(answer)
            else:
                future.set_exception(error)


_bridges: WeakKeyDictionary[asyncio.AbstractEventLoop, _Bridge] = WeakKeyDictionary()


async def run(call: Call) -> Any:  # noqa: ANN401
    """Make a call. Cancelling the task stops the call, wherever it is."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        message = (
            "AsyncPabblyConnectPlatform needs a running asyncio event loop; under trio use PabblyConnectPlatform in a "
            "thread (trio.to_thread.run_sync)"
        )
        raise InvalidArgumentError(message, code="invalid_argument") from None
    bridge = _bridges.get(loop)
    if bridge is None or bridge.generation != generation():
        bridge = _bridges[loop] = _Bridge(loop)
    bridge.last_number = number = bridge.last_number + 1
    bridge.pending[number] = future = loop.create_future()
    try:
        call.start(bridge.queue, number, wanted())
        return await future
    finally:
        if bridge.pending.pop(number, None) is not None:
            call.cancel()


def _watch_from_a_thread(loop: asyncio.AbstractEventLoop, bridge: _Bridge) -> None:
    """Serve a loop that cannot watch file descriptors (Windows' Proactor): a thread waits and tells it."""
    import threading

    queue, loop_ref, bridge_ref = bridge.queue, ref(loop), ref(bridge)

    def watch() -> None:
        while True:
            calls = queue.take()
            loop, bridge = loop_ref(), bridge_ref()
            if loop is None or bridge is None or loop.is_closed():
                return
            loop.call_soon_threadsafe(bridge.finish, calls)
            del loop, bridge

    # When the bridge is gone the thread wakes up once more, and sees it.
    finalize(bridge, queue.wake).atexit = False
    threading.Thread(target=watch, name="pabbly-connect-asyncio", daemon=True).start()
