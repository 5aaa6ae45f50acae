"""Facts arrive, in order, whatever the receiver does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from services.common.clock import ManualClock
from services.common.errors import AppError, Internal, InvalidArgument, Unavailable
from services.dialer.delivery import MAX_FAULTS, Delivery
from services.dialer.timers import Timers, wait_for
from tests.unit.dialer.fakes import START


class Receiver:
    """Takes numbers; refuses those it was told to refuse."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.errors: list[AppError] = []
        self.refuses: dict[int, AppError] = {}

    @property
    def received(self) -> list[int]:
        return [item for batch in self.batches for item in batch]

    async def take(self, items: Sequence[int]) -> None:
        if self.errors:
            raise self.errors.pop(0)
        for item in items:
            if item in self.refuses:
                raise self.refuses[item]
        self.batches.append(list(items))


@asynccontextmanager
async def delivering(receiver: Receiver, batch: int = 10) -> AsyncIterator[Delivery[int]]:
    clock = ManualClock(START, boottime=0.0)
    delivery: Delivery[int] = Delivery("numbers", receiver.take, clock=clock, batch=batch)
    task = asyncio.create_task(delivery.run())

    async def pass_time() -> None:
        while True:
            await clock.advance_real(0.5)

    passing = asyncio.create_task(pass_time())
    try:
        yield delivery
    finally:
        passing.cancel()
        task.cancel()
        await asyncio.gather(task, passing, return_exceptions=True)


async def test_items_are_gathered_and_keep_their_order() -> None:
    receiver = Receiver()
    async with delivering(receiver) as delivery:
        for item in range(25):
            delivery.add(item)
        await delivery.flushed()
    assert receiver.received == list(range(25))
    assert [len(batch) for batch in receiver.batches] == [10, 10, 5]


async def test_a_batch_is_sent_again_until_it_arrives() -> None:
    receiver = Receiver()
    receiver.errors = [Unavailable("down")] * 30
    async with delivering(receiver) as delivery:
        for item in range(3):
            delivery.add(item)
        assert delivery.backlog == 3
        await delivery.flushed()
        assert delivery.backlog == 0
    assert receiver.received == [0, 1, 2]


async def test_a_refused_item_is_lost_alone() -> None:
    receiver = Receiver()
    receiver.refuses = {4: InvalidArgument("not this one")}
    async with delivering(receiver) as delivery:
        for item in range(10):
            delivery.add(item)
        await delivery.flushed()
    assert receiver.received == [0, 1, 2, 3, 5, 6, 7, 8, 9]


async def test_an_item_that_breaks_the_receiver_is_given_up_in_the_end() -> None:
    receiver = Receiver()
    receiver.refuses = {1: Internal("bug")}
    async with delivering(receiver) as delivery:
        for item in range(3):
            delivery.add(item)
        await delivery.flushed()
    assert receiver.received == [0, 2]
    assert MAX_FAULTS > 1


async def test_timers_fire_in_the_order_of_their_times() -> None:
    clock = ManualClock(START)
    timers = Timers(clock)
    task = asyncio.create_task(timers.run())
    fired: list[str] = []
    timers.at(START + timedelta(seconds=20), lambda: fired.append("late"))
    timers.at(START + timedelta(seconds=10), lambda: fired.append("early"))
    timers.at(START + timedelta(seconds=15), lambda: fired.append("never")).cancel()
    timers.at(START - timedelta(seconds=1), lambda: fired.append("past"))
    await clock.advance(0)
    assert fired == ["past"]
    await clock.advance(12)
    assert fired == ["past", "early"]
    await clock.advance(100)
    assert fired == ["past", "early", "late"]
    task.cancel()


async def test_waiting_ends_by_event_real_or_domain_time() -> None:
    clock = ManualClock(START, boottime=0.0)
    event = asyncio.Event()
    by_domain = asyncio.create_task(wait_for(event, clock, real=100, domain=5))
    await clock.advance(5)
    assert await by_domain is False
    by_real = asyncio.create_task(wait_for(event, clock, real=5, domain=100))
    await clock.advance_real(5)
    assert await by_real is False
    by_event = asyncio.create_task(wait_for(event, clock, real=100))
    event.set()
    assert await by_event is True
    assert await wait_for(event, clock) is True
