from __future__ import annotations

import random
from uuid import UUID

from simnet.calls import NEVER, Call, Due
from simnet.compact import CallCounts, IdSet, id_bytes
from simnet.timers import Timers
from tests.unit.simnet.world import order, steady_profile


def test_an_id_set_holds_exactly_what_was_added() -> None:
    generator = random.Random(1)
    # Neighbours in one part, made so that the bytes of two of them read like a third.
    tails = [generator.randbytes(2) * 8 for _ in range(50)] * 2
    keys = [*tails, *(generator.randbytes(16) for _ in range(5_000))]
    ids, model = IdSet(), set[bytes]()
    for key in keys:
        assert ids.add(key) == (key not in model)
        model.add(key)
    assert len(ids) == len(model)
    assert all(key in ids for key in model)
    assert not any(generator.randbytes(16) in ids for _ in range(1_000))


def test_id_bytes_are_those_of_the_uuid() -> None:
    text = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
    assert id_bytes(text) == UUID(text).bytes


def test_calls_are_counted_by_number() -> None:
    counts = CallCounts()
    numbers = [f"+1555{index:07d}" for index in range(3_000)]
    assert [counts.next(number) for number in numbers] == [1] * 3_000
    assert [counts.next(number) for number in numbers] == [2] * 3_000
    assert [counts.next("+1") for _ in range(300)][-1] == 255


def calls(count: int) -> list[Call]:
    behaviour = steady_profile().customer
    return [Call(order(index), "d1", behaviour, b"", 0) for index in range(count)]


def test_timers_come_up_in_order_whatever_was_changed_before() -> None:
    generator = random.Random(1)
    timers, all_calls = Timers(), calls(500)
    for _ in range(20):
        for call in all_calls:
            call.due[Due.MOOD] = generator.choice([generator.randrange(1_000), NEVER])
            timers.schedule(call)
    expected = sorted(call.due[Due.MOOD] for call in all_calls if call.due[Due.MOOD] != NEVER)
    assert timers.next_due() == expected[0]
    popped = []
    while (item := timers.pop(999)) is not None:
        popped.append(item[0])
    assert popped == expected
    assert timers.next_due() == NEVER


def test_timers_do_not_keep_what_no_longer_counts() -> None:
    timers, all_calls = Timers(), calls(10)
    for turn in range(10_000):
        for call in all_calls:
            call.due[Due.LIMIT] = 1_000_000 + turn
            timers.schedule(call)
    assert len(timers) < 3_000
    assert timers.pop(999_999) is None
