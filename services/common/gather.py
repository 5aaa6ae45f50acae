"""Gathering items of many tasks into batches, so that the cost of a round trip is shared."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Gatherer(Generic[T]):
    """Flushes what is added in batches of at most `max_items`, at most `max_delay_seconds` late.

    One flush runs at a time, in the order of `add`; what is added meanwhile makes the next batch, so
    batches grow with the load. Real seconds.
    """

    def __init__(
        self,
        flush: Callable[[list[T]], Awaitable[None]],
        max_items: int,
        max_delay_seconds: float,
    ) -> None:
        if max_items < 1:
            raise ValueError(f"max_items is {max_items}; accepted: 1 or more")
        self._flush = flush
        self._max_items = max_items
        self._max_delay = max_delay_seconds
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._full = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._is_closing = False

    def __len__(self) -> int:
        return len(self._waiting)

    async def add(self, item: T) -> None:
        """Return when a flush that held the item has succeeded; raise what made it fail.

        A caller that is cancelled while waiting leaves the item in its batch.
        """
        future = self._enqueue(item)
        await asyncio.shield(future)

    async def add_all(self, items: list[T]) -> None:
        """Like add for several items; raises the first failure after all have been flushed."""
        futures = [self._enqueue(item) for item in items]
        results = await asyncio.gather(*map(asyncio.shield, futures), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def close(self) -> None:
        """Flush what is waiting, at once, and return when that is done."""
        self._is_closing = True
        self._full.set()
        if self._worker is not None:
            await asyncio.wait({self._worker})

    def _enqueue(self, item: T) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # A failure that nobody waits for any more is not worth a warning at exit.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._waiting.append((item, future))
        if len(self._waiting) >= self._max_items:
            self._full.set()
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return future

    async def _work(self) -> None:
        while self._waiting:
            await self._wait_for_more()
            batch = self._waiting[: self._max_items]
            del self._waiting[: self._max_items]
            if len(self._waiting) < self._max_items and not self._is_closing:
                self._full.clear()
            await self._send(batch)

    async def _wait_for_more(self) -> None:
        if self._full.is_set() or self._max_delay <= 0:
            return
        try:
            async with asyncio.timeout(self._max_delay):
                await self._full.wait()
        except TimeoutError:
            return

    async def _send(self, batch: list[tuple[T, asyncio.Future[None]]]) -> None:
        try:
            await self._flush([item for item, _ in batch])
        except asyncio.CancelledError:
            for _, future in batch:
                future.cancel()
            raise
        except Exception as exc:
            for _, future in batch:
                if not future.done():
                    future.set_exception(exc)
        else:
            for _, future in batch:
                if not future.done():
                    future.set_result(None)
