"""Events for tests, and a handler that remembers what it was given."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from services.common.bus import Received, ReceivedEvent
from services.common.envelope import NewEvent, encode
from services.common.ids import new_id

CUSTOMER = new_id()
RESOURCE = new_id()
TM = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_PATIENCE_SECONDS = 30.0


def event(
    revision: int = 1,
    resource_id: UUID = RESOURCE,
    word: str = "updated",
    customer_id: UUID = CUSTOMER,
    resource: str = "thing",
) -> NewEvent:
    """An event of a thing."""
    return NewEvent(
        customer_id, resource, word, resource_id, revision, b"data", "outbound.test.v1.Thing"
    )


def payload(*events: NewEvent) -> bytes:
    """The events, which must be of one subject, as a message."""
    (batch,) = encode(events, TM)
    return batch.payload


class Memory:
    """A handler that keeps what it is given; `failures` are raised first, one a call."""

    def __init__(self, failures: Iterable[Exception] = ()) -> None:
        self.calls: list[list[Received]] = []
        self.events: list[ReceivedEvent] = []
        self.failures = list(failures)
        self._changed = asyncio.Condition()

    async def __call__(self, batch: list[Received]) -> None:
        self.calls.append(batch)
        if self.failures:
            raise self.failures.pop(0)
        self.events += [event for received in batch for event in received.events]
        async with self._changed:
            self._changed.notify_all()

    @property
    def revisions(self) -> list[int]:
        """Revisions of the events handled, in the order they came."""
        return [event.revision for event in self.events]

    async def wait_for(self, revisions: Iterable[int]) -> None:
        """Return when events of all these revisions have been handled."""
        wanted = set(revisions)
        async with asyncio.timeout(_PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: wanted <= set(self.revisions))
