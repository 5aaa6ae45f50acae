"""Tasks: ended for certain, not waited for too long, and kept from doing the same thing at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Hashable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from services.common.log import get_logger

Result = TypeVar("Result")

CANCEL_AGAIN_SECONDS = 1.0


async def cancel_all(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel the tasks, again and again until they have ended; what they raise is theirs.

    Once is not enough before Python 3.12: `asyncio.wait_for`, which the drivers of PostgreSQL and NATS
    use, drops a cancellation that arrives together with the result it waits for.
    """
    while waiting := [task for task in tasks if not task.done()]:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting, timeout=CANCEL_AGAIN_SECONDS)


async def within(seconds: float, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of the work, which runs in a task of its own; TimeoutError after so many real seconds.

    Unlike `asyncio.timeout` it does not wait until what it has cancelled has ended: a driver whose
    server hangs takes its time to give a connection up.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if task.done():
        return task.result()
    task.cancel()
    task.add_done_callback(_forget)
    raise TimeoutError


def _forget(task: asyncio.Task[Any]) -> None:
    """Whoever waited for it has been answered; what it raises is of interest in the log only."""
    if not task.cancelled() and (failure := task.exception()) is not None:
        get_logger().warning("late_failure", error=str(failure) or type(failure).__name__)


class KeyedLocks:
    """A lock for each key, for as long as somebody wants it."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[None]:
        """Hold the key's lock."""
        lock, wanted = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, wanted + 1)
        try:
            async with lock:
                yield
        finally:
            _, wanted = self._locks.pop(key)
            if wanted > 1:
                self._locks[key] = (lock, wanted - 1)
