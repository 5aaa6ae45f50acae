"""Two kinds of time, and the only module that asks the operating system for either.

Domain time (retries, windows, ringing, talking, wrap-up, deadlines, every `tm_*`) may run faster than
real time, so that a week of dialing can be watched in minutes. Real time (leases, claim expiry,
reservations, `place_before`) never does: scaled time must not loosen safety.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


def wall_seconds() -> float:
    """Real seconds since 1970; for token lifetimes only."""
    return time.time()


def boot_seconds() -> float:
    """Real seconds since boot, counting suspended time; one series for all processes of a machine."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Clock(Protocol):
    """What the services are given instead of the operating system's clock."""

    @property
    def scale(self) -> float:
        """Domain seconds that pass in one real second; > 0."""

    def now(self) -> datetime:
        """The domain time, aware, in UTC."""

    def boottime(self) -> float:
        """Real seconds since boot (CLOCK_BOOTTIME): monotonic, unaffected by setting the date."""

    async def sleep(self, domain_seconds: float) -> None:
        """Return when that many domain seconds have passed; at once, after a yield, for 0 or less."""

    async def sleep_real(self, seconds: float) -> None:
        """Return when that many real seconds have passed; at once, after a yield, for 0 or less."""


class ScaledClock:
    """Domain time that left `virtual_epoch` at the real instant `real_epoch` and runs `scale` times.

    All processes given the same three values agree on the domain time.
    """

    def __init__(self, real_epoch: datetime, virtual_epoch: datetime, scale: float) -> None:
        if scale <= 0:
            raise ValueError(f"scale is {scale}; accepted: more than 0")
        self._real_epoch = real_epoch.astimezone(UTC)
        self._virtual_epoch = virtual_epoch.astimezone(UTC)
        self._scale = scale

    @property
    def scale(self) -> float:
        """See Clock."""
        return self._scale

    def now(self) -> datetime:
        """See Clock."""
        return self._virtual_epoch + (datetime.now(UTC) - self._real_epoch) * self._scale

    def boottime(self) -> float:
        """See Clock."""
        return boot_seconds()

    async def sleep(self, domain_seconds: float) -> None:
        """See Clock."""
        await asyncio.sleep(max(0.0, domain_seconds) / self._scale)

    async def sleep_real(self, seconds: float) -> None:
        """See Clock."""
        await asyncio.sleep(max(0.0, seconds))


class SystemClock:
    """Domain time is real time."""

    @property
    def scale(self) -> float:
        """See Clock."""
        return 1.0

    def now(self) -> datetime:
        """See Clock."""
        return datetime.now(UTC)

    def boottime(self) -> float:
        """See Clock."""
        return boot_seconds()

    async def sleep(self, domain_seconds: float) -> None:
        """See Clock."""
        await asyncio.sleep(max(0.0, domain_seconds))

    async def sleep_real(self, seconds: float) -> None:
        """See Clock."""
        await asyncio.sleep(max(0.0, seconds))


class ManualClock:
    """Domain time that moves only by `advance`, for tests of one function or of the whole system.

    Real time runs on by itself, because the database's clock cannot be held, and `advance_real` adds
    to it; given a `boottime` it stands still too and moves only by `advance_real`. The two are
    separate on purpose: a retry interval that passes in a test must not make every lease expire.
    """

    def __init__(self, start: datetime, *, boottime: float | None = None) -> None:
        self._now = start.astimezone(UTC)
        self._boottime = boottime
        self._skipped = 0.0
        self._order = itertools.count()
        self._domain: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._real: list[tuple[float, int, asyncio.Future[None]]] = []

    @property
    def scale(self) -> float:
        """See Clock."""
        return 1.0

    @property
    def sleepers(self) -> int:
        """How many tasks wait for the domain time to move."""
        return sum(not future.done() for _, _, future in self._domain)

    def now(self) -> datetime:
        """See Clock."""
        return self._now

    def boottime(self) -> float:
        """See Clock."""
        base = boot_seconds() if self._boottime is None else self._boottime
        return base + self._skipped

    async def sleep(self, domain_seconds: float) -> None:
        """See Clock."""
        if domain_seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self._now + timedelta(seconds=domain_seconds)
        heapq.heappush(self._domain, (due, next(self._order), future))
        await future

    async def sleep_real(self, seconds: float) -> None:
        """See Clock."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        heapq.heappush(self._real, (self.boottime() + seconds, next(self._order), future))
        timer = None if self._boottime is not None else loop.call_later(seconds, _wake, future)
        try:
            await future
        finally:
            if timer is not None:
                timer.cancel()

    async def advance(self, seconds: float) -> None:
        """Move the domain time forward, waking sleepers one due time after another.

        Between two due times every task that is ready runs, so a loop that sleeps again in between
        is woken as often as it would have been. Tasks waiting for a database or a socket need a
        condition to be waited for afterwards.
        """
        target = self._now + timedelta(seconds=seconds)
        await _settle()
        while self._domain and self._domain[0][0] <= target:
            self._now = max(self._now, self._domain[0][0])
            while self._domain and self._domain[0][0] <= self._now:
                _wake(heapq.heappop(self._domain)[2])
            await _settle()
        self._now = target
        await _settle()

    async def advance_real(self, seconds: float) -> None:
        """Move the real time forward by more than has really passed."""
        await _settle()
        self._skipped += seconds
        while self._real and self._real[0][0] <= self.boottime():
            _wake(heapq.heappop(self._real)[2])
        await _settle()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _settle() -> None:
    # A woken task may need several turns (locks, queues, gathers) until it waits for something else.
    for _ in range(25):
        await asyncio.sleep(0)
