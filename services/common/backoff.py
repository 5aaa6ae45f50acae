"""Loops that outlive PostgreSQL, NATS and other services being away."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from services.common import outages
from services.common.clock import Clock, SystemClock
from services.common.log import get_logger

FIRST_SECONDS = 0.1
MOST_SECONDS = 5.0
_SETTLED_SECONDS = 10.0


class Backoff:
    """Growing pauses with jitter: 0.1 s doubling to 5 s, each shortened by up to a half at random."""

    def __init__(self, first: float = FIRST_SECONDS, most: float = MOST_SECONDS) -> None:
        self._first = first
        self._most = most
        self._failures = 0

    @property
    def failures(self) -> int:
        """How many failures in a row there have been."""
        return self._failures

    def failed(self) -> float:
        """Count a failure; the real seconds to wait before trying again."""
        pause = min(self._most, self._first * 2.0 ** min(self._failures, 30))
        self._failures += 1
        # Half of it at random, so that replicas do not come back as one crowd.
        return pause * random.uniform(0.5, 1.0)

    def succeeded(self) -> None:
        """Start over."""
        self._failures = 0


async def keep_running(name: str, body: Callable[[], Awaitable[None]]) -> None:
    """Run `body`, again and again while it fails only because something else is down.

    Returns when `body` returns. Any other exception is a bug and passes through.
    """
    backoff = Backoff()
    while True:
        started = time.monotonic()
        try:
            await body()
            return
        except Exception as exc:
            if not outages.is_passing(exc):
                raise
            if time.monotonic() - started > _SETTLED_SECONDS:
                backoff.succeeded()
            await _pause(name, backoff, exc)


async def every(
    name: str,
    seconds: float,
    step: Callable[[], Awaitable[object]],
    *,
    clock: Clock | None = None,
    wake: asyncio.Event | None = None,
) -> None:
    """Run `step` every so many real seconds, for ever, and at once whenever `wake` is set.

    The pause is counted from the end of a step. A step that fails because something else is down
    is tried again after a growing pause; any other exception passes through.
    """
    backoff = Backoff(most=max(MOST_SECONDS, seconds))
    pause = (clock or SystemClock()).sleep_real
    while True:
        if wake is not None:
            # Before the step, so that what happens during it is looked at again.
            wake.clear()
        try:
            await step()
            backoff.succeeded()
        except Exception as exc:
            if not outages.is_passing(exc):
                raise
            await _pause(name, backoff, exc)
            continue
        await _rest(pause(seconds), wake)


async def _rest(pause: Awaitable[None], wake: asyncio.Event | None) -> None:
    if wake is None:
        await pause
        return
    waiting = {asyncio.ensure_future(pause), asyncio.ensure_future(wake.wait())}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


async def _pause(name: str, backoff: Backoff, exc: Exception) -> None:
    pause = backoff.failed()
    # The first few, then every tenth: an outage of an hour should not fill the disk.
    if backoff.failures <= 3 or backoff.failures % 10 == 0:
        get_logger().warning(
            "retrying",
            task=name,
            error=str(exc)[:300],
            kind=type(exc).__name__,
            failures=backoff.failures,
            seconds=round(pause, 2),
        )
    await asyncio.sleep(pause)
