"""Which trunk a call takes, and when a failing one is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from services.dialer.drivers.asterisk.configuration import parse
from services.dialer.drivers.asterisk.trunks import (
    FIRST_REST_SECONDS,
    MOST_REST_SECONDS,
    Breaker,
    Trunks,
)
from services.dialer.telephony import Address

NUMBER = Address("tel", "+15550001")
LONGEST = 1.1  # rests are spread by a tenth


def trunks(*wanted: dict[str, Any], ready: bool = True) -> Trunks:
    made = [
        {"name": f"t{index}", "address_types": ["tel"], "dial": "PJSIP/{target}@t", **each}
        for index, each in enumerate(wanted)
    ]
    pbx = {"name": "p", "ari_url": "http://h/ari", "user": "u", "password": "p", "trunks": made}
    return Trunks(parse({"pbxs": [pbx]}, "x"), 0.0, lambda name: ready)


def test_the_least_loaded_trunk_is_taken() -> None:
    made = trunks({"max_channels": 10}, {"max_channels": 10})
    taken = []
    for _ in range(4):
        trunk = made.choose(NUMBER, 0.0)
        assert trunk is not None
        trunk.take()
        taken.append(trunk.name)
    assert sorted(taken) == ["p.t0", "p.t0", "p.t1", "p.t1"]


def test_a_full_trunk_takes_nothing_until_a_call_ends() -> None:
    made = trunks({"max_channels": 1})
    trunk = made.choose(NUMBER, 0.0)
    assert trunk is not None
    trunk.take()
    assert (made.room(0.0), made.choose(NUMBER, 0.0)) == (0, None)
    trunk.free()
    assert (made.room(0.0), made.choose(NUMBER, 0.0)) == (1, trunk)


def test_the_rate_of_a_trunk_is_kept() -> None:
    made = trunks({"calls_per_second": 10})
    started = 0
    for tick in range(1001):
        while (trunk := made.choose(NUMBER, tick * 0.01)) is not None:
            trunk.take()
            trunk.free()
            started += 1
    assert 100 <= started <= 103


def test_room_is_that_of_all_trunks_and_unknown_without_limits() -> None:
    assert trunks({"max_channels": 3}, {"max_channels": 4}).room(0.0) == 7
    assert trunks({"max_channels": 3}, {}).room(0.0) is None
    assert trunks({"max_channels": 3}, ready=False).room(0.0) == 0


def test_the_tightest_kind_of_address_sets_the_room() -> None:
    made = trunks({"max_channels": 3}, {"address_types": ["sip"], "dial": "PJSIP/uri/{uri}"})
    assert made.room(0.0) == 3
    assert made.address_types == {"tel", "sip"}


def test_limits_are_shared_by_the_dialers_that_run() -> None:
    made = trunks({"max_channels": 10, "calls_per_second": 100})
    made.all[0].share(2, 0.0)
    assert made.room(10.0) == 5


def test_a_trunk_rests_after_failures_in_a_row_only() -> None:
    made = trunks({"rest_after": 3})
    trunk = made.all[0]
    for _ in range(5):
        trunk.take()
        trunk.failed("congestion", 0.0)
        trunk.free()
        trunk.take()
        trunk.answered()
        trunk.free()
    assert not trunk.is_resting
    for _ in range(3):
        trunk.take()
        trunk.failed("congestion", 0.0)
        trunk.free()
    assert (trunk.is_resting, made.room(0.0)) == (True, 0)


def test_after_its_rest_one_call_at_a_time_finds_out() -> None:
    made = trunks({"rest_after": 1})
    trunk = made.all[0]
    trunk.take()
    trunk.failed("network_fault", 0.0)
    trunk.free()
    later = FIRST_REST_SECONDS * LONGEST
    assert made.room(later) == 1
    trunk.take()
    assert made.room(later) == 0
    trunk.answered()
    assert (made.room(later), trunk.is_resting) == (None, False)


def test_a_probe_that_tells_nothing_makes_way_for_the_next() -> None:
    made = trunks({"rest_after": 1})
    trunk = made.all[0]
    trunk.take()
    trunk.failed("congestion", 0.0)
    trunk.free()
    later = FIRST_REST_SECONDS * LONGEST
    trunk.take()
    trunk.free()
    assert made.room(later) == 1


def test_rests_grow_and_have_an_end() -> None:
    breaker, now, rests = Breaker(1), 0.0, []
    for _ in range(10):
        breaker.placed()
        rests.append(breaker.failed(now))
        now += MOST_REST_SECONDS * LONGEST
    assert rests[:3] == [FIRST_REST_SECONDS, FIRST_REST_SECONDS * 2, FIRST_REST_SECONDS * 4]
    assert rests[-1] == MOST_REST_SECONDS


def test_calls_placed_before_a_rest_do_not_lengthen_it() -> None:
    breaker = Breaker(2)
    assert [breaker.failed(0.0) > 0 for _ in range(5)] == [False, True, False, False, False]


@pytest.mark.parametrize("failures", [1, 100])
def test_a_trunk_may_never_rest(failures: int) -> None:
    made = trunks({"rest_after": 0})
    for _ in range(failures):
        made.all[0].failed("congestion", 0.0)
    assert made.room(0.0) is None
