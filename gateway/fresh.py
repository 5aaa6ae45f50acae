"""Values that are looked up again after a short time, once for all who wait for them."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from services.common.errors import Unavailable

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class FreshCache(Generic[Key, Value]):
    """Remembers what `load` gave for `seconds` (real), at most `capacity` values.

    Errors are not remembered. While the source is Unavailable a value of up to `stale_seconds` is
    still given.
    """

    def __init__(
        self,
        load: Callable[[Key], Awaitable[Value]],
        *,
        seconds: float,
        stale_seconds: float = 0.0,
        capacity: int = 10_000,
    ) -> None:
        self._load = load
        self._seconds = seconds
        self._stale_seconds = stale_seconds
        self._capacity = capacity
        self._known: OrderedDict[Key, tuple[Value, float]] = OrderedDict()
        self._loading: dict[Key, asyncio.Task[Value]] = {}

    async def get(self, key: Key) -> Value:
        """The value, at most `seconds` old. Raises what `load` raises."""
        known = self._known.get(key)
        if known is not None and time.monotonic() - known[1] < self._seconds:
            return known[0]
        try:
            return await self._reload(key)
        except Unavailable:
            if known is not None and time.monotonic() - known[1] < self._stale_seconds:
                return known[0]
            raise

    def forget(self, key: Key) -> None:
        """Look the value up again when it is next asked for."""
        self._known.pop(key, None)
        # A load under way may have read what was there before.
        self._loading.pop(key, None)

    async def _reload(self, key: Key) -> Value:
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = asyncio.create_task(self._fill(key))
            # Should everybody who waits be cancelled, its failure is nobody's news.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        # One impatient caller must not cancel the lookup of the others.
        return await asyncio.shield(task)

    async def _fill(self, key: Key) -> Value:
        own = asyncio.current_task()
        try:
            value = await self._load(key)
            if self._loading.get(key) is own:
                self._known[key] = (value, time.monotonic())
                self._known.move_to_end(key)
                if len(self._known) > self._capacity:
                    self._known.popitem(last=False)
            return value
        except Unavailable:
            raise
        except Exception:
            # The source has spoken: what it said before is no longer true.
            if self._loading.get(key) is own:
                self._known.pop(key, None)
            raise
        finally:
            if self._loading.get(key) is own:
                del self._loading[key]
