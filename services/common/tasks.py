"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

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
