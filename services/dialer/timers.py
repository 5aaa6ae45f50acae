"""Waking by domain time for thousands of calls with one task."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.common.clock import Clock
from services.common.log import get_logger


@dataclass(slots=True)
class Timer:
    """One call back to come; `cancel` may be called at any time."""

    callback: Callable[[], None] | None

    def cancel(self) -> None:
        """Do not call back."""
        self.callback = None


class Timers:
    """Calls back at domain times, in the order of the times."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._order = itertools.count()
        self._heap: list[tuple[datetime, int, Timer]] = []
        self._earlier = asyncio.Event()
        self._is_frozen = False

    def at(self, when: datetime, callback: Callable[[], None]) -> Timer:
        """Call `callback` at `when`, or soon if that has passed. It must not raise."""
        timer = Timer(callback)
        heapq.heappush(self._heap, (when, next(self._order), timer))
        if self._heap[0][2] is timer:
            self._earlier.set()
        return timer

    def freeze(self) -> None:
        """Call back no more: what was waited for is being handed over to another dialer."""
        self._is_frozen = True

    async def run(self) -> None:
        """Call back until cancelled."""
        while True:
            self._earlier.clear()
            self._fire()
            if not self._heap:
                await self._earlier.wait()
                continue
            await wait_for(self._earlier, self._clock, domain=self._seconds_to_first())

    def _fire(self) -> None:
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            callback = heapq.heappop(self._heap)[2].callback
            if callback is not None and not self._is_frozen:
                try:
                    callback()
                except Exception:
                    # One call's trouble is not that of all others.
                    get_logger().exception("timer_failed")

    def _seconds_to_first(self) -> float:
        return max(0.0, (self._heap[0][0] - self._clock.now()).total_seconds())


async def wait_for(
    event: asyncio.Event,
    clock: Clock,
    *,
    real: float | None = None,
    domain: float | None = None,
) -> bool:
    """Wait for the event, for real seconds or for domain seconds, whichever is over first.

    True when the event is set. Other tasks get their turn in any case: a loop around this that finds
    its event set again and again must not stop the process from hearing its signals.
    """
    if event.is_set():
        await asyncio.sleep(0)
        return True
    waits: list[asyncio.Task[object]] = [asyncio.ensure_future(event.wait())]
    if real is not None:
        waits.append(asyncio.ensure_future(clock.sleep_real(real)))
    if domain is not None:
        waits.append(asyncio.ensure_future(clock.sleep(domain)))
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return event.is_set()
