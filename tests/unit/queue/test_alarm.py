"""The sweeper wakes when something is due, neither before nor much later."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.common.clock import ManualClock
from services.queue.queues import service_sweeping
from services.queue.queues.service_sweeping import Alarm
from tests.unit.queue.factories import START


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    # The regular sweep would end the waiting that these tests look at.
    monkeypatch.setattr(service_sweeping, "SWEEP_SECONDS", 60.0)
    return ManualClock(START)


async def test_it_wakes_at_the_known_instant(clock: ManualClock) -> None:
    waiting = asyncio.create_task(Alarm(clock).wait(START + timedelta(seconds=5)))
    await clock.advance(4.999)
    assert not waiting.done()
    await clock.advance(0.001)
    await waiting


async def test_an_earlier_instant_noted_meanwhile_wakes_it(clock: ManualClock) -> None:
    alarm = Alarm(clock)
    waiting = asyncio.create_task(alarm.wait(START + timedelta(seconds=5)))
    await clock.advance(1)
    alarm.note([START + timedelta(seconds=3), START + timedelta(seconds=2)])
    await clock.advance(1)
    await waiting


async def test_an_instant_noted_during_a_sweep_is_not_lost(clock: ManualClock) -> None:
    alarm = Alarm(clock)
    alarm.note([START])
    await alarm.wait(None)
    alarm.note([START + timedelta(seconds=1)])
    waiting = asyncio.create_task(alarm.wait(START + timedelta(seconds=9)))
    await clock.advance(1)
    await waiting


async def test_without_anything_due_it_sweeps_regularly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_sweeping, "SWEEP_SECONDS", 0.01)
    await Alarm(ManualClock(START)).wait(None)
