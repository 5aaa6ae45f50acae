import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import nats.errors
import psycopg
import pytest

from services.common import backoff
from services.common.backoff import Backoff
from services.common.clock import ManualClock
from services.common.errors import Aborted, InvalidArgument, Unavailable

OUTAGES = [
    Unavailable("down"),
    Aborted("raced"),
    psycopg.OperationalError("gone"),
    nats.errors.ConnectionClosedError(),
    nats.errors.TimeoutError(),
    ConnectionRefusedError(),
]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "_pause", _no_pause)


async def _no_pause(name: str, pauses: Backoff, exc: Exception) -> None:
    pauses.failed()
    await asyncio.sleep(0)


def failing(errors: list[Exception], log: list[str]) -> Callable[[], Awaitable[None]]:
    async def body() -> None:
        log.append("ran")
        if errors:
            raise errors.pop(0)

    return body


def test_pauses_grow_to_a_limit_and_start_over() -> None:
    pauses = Backoff(first=1, most=8)
    given = [pauses.failed() for _ in range(6)]
    for pause, full in zip(given, [1, 2, 4, 8, 8, 8], strict=True):
        assert full / 2 <= pause <= full
    pauses.succeeded()
    assert pauses.failed() <= 1


def test_a_year_of_failures_does_not_overflow() -> None:
    pauses = Backoff()
    for _ in range(5000):
        assert pauses.failed() <= backoff.MOST_SECONDS


@pytest.mark.parametrize("outage", OUTAGES, ids=lambda each: type(each).__name__)
async def test_a_body_is_run_again_after_an_outage(outage: Exception) -> None:
    log: list[str] = []
    await backoff.keep_running("x", failing([outage, outage], log))
    assert log == ["ran"] * 3


@pytest.mark.parametrize("bug", [ValueError("bug"), InvalidArgument("bug"), KeyError("x")])
async def test_a_bug_passes_through(bug: Exception) -> None:
    with pytest.raises(type(bug)):
        await backoff.keep_running("x", failing([bug], []))
    with pytest.raises(type(bug)):
        await backoff.every("x", 1, failing([bug], []))


async def test_every_runs_at_its_pace_and_after_outages() -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC), boottime=0)
    log: list[str] = []
    step = failing([Unavailable("down")], log)
    task = asyncio.create_task(backoff.every("x", 10, step, clock=clock))
    await clock.advance_real(0)
    assert len(log) == 2
    await clock.advance_real(9)
    assert len(log) == 2
    await clock.advance_real(1)
    assert len(log) == 3
    task.cancel()


async def test_every_runs_at_once_when_woken() -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC), boottime=0)
    log: list[str] = []
    wake = asyncio.Event()
    task = asyncio.create_task(backoff.every("x", 10, failing([], log), clock=clock, wake=wake))
    await clock.advance_real(0)
    wake.set()
    await clock.advance_real(0)
    assert len(log) == 2
    task.cancel()
