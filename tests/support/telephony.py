"""What a telephony driver is tested with: a carrier to connect it to, and an ear for its events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol, TypeVar
from uuid import UUID

from services.common.clock import SystemClock
from services.common.ids import new_id
from services.dialer.telephony import Address, Event, Leg, LinkChanged, Placement, Telephony

WAIT_SECONDS = 20.0
E = TypeVar("E")


class SkippableClock(SystemClock):
    """Real time, with a CLOCK_BOOTTIME that a test can let jump."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def boottime(self) -> float:
        return super().boottime() + self.skipped


class Carrier(Protocol):
    """A network under test. Its people answer after at most 10 s of domain time, and have patience."""

    clock: SkippableClock
    remembers_ends: bool
    """Whether it can tell any dialer how a call ended that is over."""

    def address(self, behaviour: str) -> Address:
        """Somebody who behaves so: answer, machine, busy, noanswer, invalid; a new one each time."""
        ...

    def telephony(self, dialer: str) -> Telephony:
        """A driver of its own, not running yet."""
        ...

    async def cut(self) -> None:
        """Break the link of every driver; calls go on."""
        ...

    async def restore(self) -> None:
        """Let drivers connect again."""
        ...

    async def rang(self) -> list[str]:
        """The numbers whose phones rang, as the network itself says."""
        ...


class Ear:
    """A running driver and everything it has told."""

    def __init__(self, telephony: Telephony) -> None:
        self.telephony = telephony
        self.events: list[Event] = []
        self.failure: BaseException | None = None
        self._heard = asyncio.Event()

    def of(self, call_id: UUID) -> list[Event]:
        """The events of one call, in order."""
        return [event for event in self.events if getattr(event, "call_id", None) == call_id]

    def kinds(self, call_id: UUID) -> list[str]:
        """Their names."""
        return [type(event).__name__ for event in self.of(call_id)]

    async def hear(self, kind: type[E], call_id: UUID | None = None, count: int = 1) -> E:
        """The count-th event of a kind (of a call), as soon as it has been told."""

        def found() -> list[E]:
            events = self.events if call_id is None else self.of(call_id)
            return [event for event in events if isinstance(event, kind)]

        await self._until(lambda: len(found()) >= count, f"{count} {kind.__name__}")
        return found()[count - 1]

    async def link(self, *, connected: bool) -> None:
        """Return when the link is up, or down."""
        await self._until(lambda: self.telephony.connected is connected, f"connected={connected}")

    async def failed(self) -> BaseException | None:
        """What ended the stream of events, as soon as it has ended."""
        await self._until(lambda: self.failure is not None, "the end of the events")
        return self.failure

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while not condition():
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            raise AssertionError(f"{what} never came; heard {self.events}") from None

    async def listen(self) -> None:
        try:
            async for batch in self.telephony.events():
                self.events.extend(batch)
                self._heard.set()
        except Exception as error:
            self.failure = error
            self._heard.set()


@asynccontextmanager
async def driving(carrier: Carrier, dialer: str = "d1", *, wait: bool = True) -> AsyncIterator[Ear]:
    """A driver that runs and is listened to; leaving it is the death of the dialer."""
    ear = Ear(carrier.telephony(dialer))
    tasks = [asyncio.create_task(ear.telephony.run()), asyncio.create_task(ear.listen())]
    try:
        if wait:
            await ear.hear(LinkChanged)
        yield ear
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, Exception):
                await task


def placement(
    carrier: Carrier,
    behaviour: str = "answer",
    *,
    leg: Leg = Leg.CUSTOMER,
    ring_timeout_ms: int = 600_000,
    max_duration_ms: int = 3_600_000,
    within_seconds: float = 5.0,
    destination: Address | None = None,
) -> Placement:
    """A call to be started."""
    return Placement(
        call_id=new_id(),
        leg=leg,
        destination=destination or carrier.address(behaviour),
        source=Address("tel", "+15550000000", "Acme"),
        ring_timeout_ms=ring_timeout_ms,
        max_duration_ms=max_duration_ms,
        place_before=carrier.clock.boottime() + within_seconds,
    )
