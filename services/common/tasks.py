"""Ending tasks for certain, and not waiting for those that do not end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
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
