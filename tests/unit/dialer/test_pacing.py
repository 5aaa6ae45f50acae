"""How many attempts start: the service level's table, the other bounds, and the rate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.dialer.pacing import (
    BatchSize,
    Bound,
    Decision,
    ServiceLevelPacer,
    Situation,
    TokenBucket,
    decide,
)

OPEN = Situation(
    has_queue=False,
    available=None,
    dialing=0,
    waiting=0,
    in_flight=0,
    service_level=100,
    max_concurrent=1000,
    tokens=1000,
)


def decided(batch: int = 1000, **changes: object) -> Decision:
    situation = replace(OPEN, **changes)  # type: ignore[arg-type]
    return decide(ServiceLevelPacer(), situation, batch)


@pytest.mark.parametrize(
    ("available", "level", "dialing", "waiting", "expected"),
    [
        (0, 100, 0, 0, 0),
        (1, 100, 0, 0, 1),
        (20, 100, 0, 0, 20),
        (20, 100, 15, 0, 5),
        (20, 100, 15, 5, 0),
        (20, 100, 15, 9, 0),
        (20, 50, 0, 0, 40),  # half the calls count: twice as many
        (20, 200, 0, 0, 10),  # each counts double: half as many
        (20, 50, 39, 0, 1),
        (20, 200, 9, 0, 1),
        (3, 200, 0, 0, 2),  # 3 > 1 x 2, so a second one starts; 3 > 2 x 2 is false
        (1, 200, 0, 0, 1),  # 1 > 0: the first one always
        (1, 1000, 0, 0, 1),
        (1, 1, 0, 0, 100),
        (7, 30, 0, 0, 24),
        (500, 10, 0, 0, 1000),  # cut by the batch
    ],
)
def test_service_level_table(
    available: int, level: int, dialing: int, waiting: int, expected: int
) -> None:
    decision = decided(
        has_queue=True,
        available=available,
        service_level=level,
        dialing=dialing,
        waiting=waiting,
        in_flight=dialing + waiting,
        max_concurrent=100_000,
        tokens=100_000,
    )
    assert decision.number == expected


@pytest.mark.parametrize("available", range(12))
@pytest.mark.parametrize("level", [1, 33, 50, 99, 100, 101, 150, 200, 1000])
def test_it_is_the_documented_condition_applied_one_by_one(available: int, level: int) -> None:
    one_by_one = 0
    while available > one_by_one * level / 100:
        one_by_one += 1
    whole = ServiceLevelPacer().wanted(
        replace(OPEN, has_queue=True, available=available, service_level=level)
    )
    assert whole == one_by_one


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"tokens": 7}, Decision(7, Bound.CALLS_PER_SECOND)),
        ({"tokens": -2}, Decision(0, Bound.CALLS_PER_SECOND)),
        ({"max_concurrent": 30, "in_flight": 25}, Decision(5, Bound.MAX_CONCURRENT)),
        ({"max_concurrent": 30, "in_flight": 31}, Decision(0, Bound.MAX_CONCURRENT)),
        ({"has_queue": True, "available": 3}, Decision(3, Bound.AGENTS)),
        ({"has_queue": True, "available": None}, Decision(0, Bound.CAPACITY_UNKNOWN)),
        ({"has_queue": True, "available": 9, "tokens": 4}, Decision(4, Bound.CALLS_PER_SECOND)),
        ({"is_stopping": True}, Decision(0, Bound.STOPPING)),
        ({"is_carrier_up": False}, Decision(0, Bound.CARRIER)),
        ({"room": 5}, Decision(5, Bound.CARRIER)),
        ({"room": 0, "tokens": 0}, Decision(0, Bound.CARRIER)),
        ({"room": 100}, Decision(64, Bound.NONE)),
        ({}, Decision(64, Bound.NONE)),
    ],
)
def test_the_smallest_bound_wins_and_is_named(
    changes: dict[str, object], expected: Decision
) -> None:
    assert decided(64, **changes) == expected


def test_the_bucket_keeps_the_rate_over_any_stretch() -> None:
    bucket = TokenBucket(rate=10.0, burst_seconds=0.1, now=0.0)
    started = 0
    for tick in range(1001):
        now = tick * 0.01
        free = bucket.available(now)
        bucket.take(free)
        started += free
    assert started == 101  # ten seconds and the first token


def test_the_bucket_does_not_save_up_for_a_flood() -> None:
    bucket = TokenBucket(rate=10.0, burst_seconds=0.1, now=0.0)
    assert bucket.available(3600.0) == 1


def test_the_bucket_tells_when_the_next_token_comes() -> None:
    bucket = TokenBucket(rate=4.0, burst_seconds=0.1, now=0.0)
    bucket.take(1)
    assert bucket.seconds_until_next(0.0) == pytest.approx(0.25)
    assert bucket.available(0.24) == 0
    assert bucket.available(0.25) == 1


def test_a_run_begins_with_a_burst_of_attempts() -> None:
    bucket = TokenBucket(rate=1000.0, burst_seconds=0.1, now=0.0)
    assert bucket.available(0.0) == 100


def test_a_changed_rate_holds_from_now_on() -> None:
    bucket = TokenBucket(rate=1000.0, burst_seconds=0.1, now=0.0)
    bucket.available(10.0)
    bucket.change_rate(1.0, 10.0)
    assert bucket.available(10.0) == 1


def test_batches_grow_while_full_and_in_time_and_shrink_when_slow() -> None:
    size = BatchSize(smallest=64, largest=1000)
    size.took(64, 0.01)
    assert size.current == 128
    size.took(100, 0.01)
    assert size.current == 128  # was not full
    for _ in range(5):
        size.took(size.current, 0.01)
    assert size.current == 1000
    size.took(1000, 1.6)
    assert size.current == 500
    size.took(500, 1.0)
    assert size.current == 500  # in between: as it is
