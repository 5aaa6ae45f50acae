"""Facts on their way to another process: in order, in batches, until they have arrived."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from services.common.clock import Clock
from services.common.errors import Aborted, Internal, ResourceExhausted, Unavailable
from services.common.log import get_logger

Item = TypeVar("Item")

TRANSIENT = (Unavailable, Aborted, ResourceExhausted)
"""Errors after which the same call may succeed."""

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0
MAX_FAULTS = 20
"""How often a single item may make the receiver fail before it is given up."""


class Delivery(Generic[Item]):
    """Items gathered for `delay` real seconds and sent in order, one batch of `batch` at a time.

    A batch that cannot be sent now is sent again until it can, for as long as the process lives. One
    that is refused is taken apart, so that a single bad item is lost (and logged), not its neighbours
    and not everything behind it; one that makes the receiver fail is tried MAX_FAULTS times first.
    """

    def __init__(
        self,
        name: str,
        send: Callable[[Sequence[Item]], Awaitable[None]],
        *,
        clock: Clock,
        batch: int = 1000,
        delay: float = 0.005,
        delivered: Callable[[float], None] | None = None,
    ) -> None:
        """`delivered` is told how long (real seconds) the oldest item of each batch was on its way."""
        self._name = name
        self._send = send
        self._clock = clock
        self._batch = batch
        self._delay = delay
        self._delivered = delivered
        self._items: deque[tuple[Item, float]] = deque()
        self._in_flight: list[Item] = []
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._log = get_logger()

    @property
    def backlog(self) -> int:
        """Items not delivered yet."""
        return len(self._items) + len(self._in_flight)

    def pending(self) -> list[Item]:
        """Items not delivered yet, oldest first."""
        return [*self._in_flight, *(item for item, _ in self._items)]

    def add(self, item: Item) -> None:
        """Deliver `item` after everything added before."""
        self._items.append((item, self._clock.boottime()))
        self._empty.clear()
        self._filled.set()

    async def flushed(self) -> None:
        """Return when everything added so far has been delivered."""
        await self._empty.wait()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            await self._filled.wait()
            if len(self._items) < self._batch:
                await self._clock.sleep_real(self._delay)
            count = min(self._batch, len(self._items))
            oldest = self._items[0][1]
            self._in_flight = [self._items.popleft()[0] for _ in range(count)]
            await self._deliver(self._in_flight)
            self._in_flight = []
            if self._delivered is not None:
                self._delivered(self._clock.boottime() - oldest)
            if not self._items:
                self._filled.clear()
                self._empty.set()

    async def _deliver(self, batch: Sequence[Item]) -> None:
        pause = FIRST_PAUSE_SECONDS
        faults = 0
        while True:
            try:
                await self._send(batch)
                return
            except TRANSIENT as exc:
                self._log.warning("delivery_delayed", what=self._name, error=str(exc))
            except Exception as exc:
                # Not only AppErrors: what cannot even be sent must not hold up the others either.
                faults += 1
                if len(batch) > 1:
                    break
                if not isinstance(exc, Internal) or faults >= MAX_FAULTS:
                    self._log.error("delivery_refused", what=self._name, exc_info=exc)
                    return
            await self._clock.sleep_real(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        middle = len(batch) // 2
        await self._deliver(batch[:middle])
        await self._deliver(batch[middle:])
