import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from services.common.clock import ManualClock, ScaledClock, SystemClock

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def test_scaled_time_runs_faster_from_the_epoch() -> None:
    epoch = datetime.now(UTC) - timedelta(seconds=10)
    clock = ScaledClock(epoch, START, 60)
    passed = (clock.now() - START).total_seconds()
    assert 600 <= passed < 660
    assert clock.now().tzinfo is UTC


def test_two_scaled_clocks_agree() -> None:
    epoch = datetime.now(UTC)
    one, other = (ScaledClock(epoch, START, 1000) for _ in range(2))
    assert abs((one.now() - other.now()).total_seconds()) < 10


def test_a_scale_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        ScaledClock(START, START, 0)


async def test_scaled_sleep_is_shorter_and_real_sleep_is_not() -> None:
    clock = ScaledClock(datetime.now(UTC), START, 1000)
    began = clock.boottime()
    await clock.sleep(20)
    assert 0.02 <= clock.boottime() - began < 1
    began = clock.boottime()
    await clock.sleep_real(0.02)
    assert clock.boottime() - began >= 0.02


def test_boottime_is_the_kernels() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= SystemClock().boottime() <= before + 1


async def test_manual_sleepers_wake_in_order_at_their_time() -> None:
    clock = ManualClock(START)
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, (clock.now() - START).total_seconds()))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sleeper("late", 30))
        tasks.create_task(sleeper("early", 10))
        await clock.advance(9)
        assert woken == []
        assert clock.sleepers == 2
        await clock.advance(100)
    assert woken == [("early", 10), ("late", 30)]


async def test_a_manual_loop_ticks_as_often_as_it_should() -> None:
    clock = ManualClock(START)
    ticks: list[datetime] = []

    async def loop() -> None:
        while True:
            await clock.sleep(5)
            ticks.append(clock.now())

    task = asyncio.create_task(loop())
    await clock.advance(60)
    task.cancel()
    assert ticks == [START + timedelta(seconds=5 * n) for n in range(1, 13)]


async def test_advancing_domain_time_leaves_real_time_alone() -> None:
    clock = ManualClock(START, boottime=100.0)
    await clock.advance(3600)
    assert clock.boottime() == 100.0
    sleeping = asyncio.create_task(clock.sleep_real(5))
    await clock.advance_real(4)
    assert not sleeping.done()
    await clock.advance_real(1)
    assert sleeping.done()
    assert clock.boottime() == 105.0


async def test_manual_real_time_runs_by_itself_and_can_be_hurried() -> None:
    clock = ManualClock(START)
    await clock.sleep_real(0.01)
    sleeping = asyncio.create_task(clock.sleep_real(3600))
    await clock.advance_real(3601)
    assert sleeping.done()


async def test_a_cancelled_sleeper_does_not_disturb() -> None:
    clock = ManualClock(START)
    task = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    task.cancel()
    await clock.advance(10)
    assert clock.now() == START + timedelta(seconds=10)
