from __future__ import annotations

import pytest

from simnet.calls import (
    Answered,
    Ended,
    Outcome,
    Refusal,
    Refused,
    Ringing,
    Side,
    Taken,
    Taker,
)
from tests.unit.simnet.world import World, at_ms, call_id, order, seen, steady_profile


def test_an_answered_call_rings_is_answered_and_left_when_nobody_speaks() -> None:
    world = World()
    world.place(order())
    events = world.pass_ms(60_000)
    assert [type(event.what) for event in events] == [Ringing, Answered, Ended]
    assert at_ms(events, Answered) == [5_000]
    (end,) = seen(events, Ended)
    assert (end.outcome, end.by, end.ring_ms, end.talk_ms) == (
        Outcome.NORMAL,
        Side.CALLEE,
        5_000,
        10_000,
    )


@pytest.mark.parametrize(
    ("plan", "outcome"),
    [
        ("busy", Outcome.BUSY),
        ("invalid", Outcome.INVALID),
        ("congestion", Outcome.CONGESTION),
        ("failed", Outcome.FAILED),
    ],
)
def test_a_rejected_call_ends_without_ringing(plan: str, outcome: Outcome) -> None:
    world = World(steady_profile({"outcomes": {plan: 1}}))
    world.place(order())
    events = world.pass_ms(60_000)
    assert [event.what for event in events] == [
        Ended(outcome, Side.NETWORK, 1_000, 0, Taker.NOBODY, 0)
    ]
    assert '"event":"place"' in world.journal.take()[0]


def test_ringing_ends_at_the_ring_timeout() -> None:
    world = World()
    world.place(order(ring_timeout_ms=4_999))
    events = world.pass_ms(60_000)
    assert at_ms(events, Ended) == [4_999]
    assert seen(events, Ended)[0].outcome is Outcome.NOANSWER


def test_a_call_ends_at_its_maximum_duration() -> None:
    world = World(steady_profile({"silence_ms": 3_600_000}))
    world.place(order(max_duration_ms=20_000))
    events = world.pass_ms(3_600_000)
    assert at_ms(events, Ended) == [25_000]
    assert seen(events, Ended)[0].outcome is Outcome.TIMEOUT


def test_a_machine_answers_later_and_records_until_its_tape_ends() -> None:
    world = World(steady_profile({"outcomes": {"machine": 1}}))
    world.place(order())
    events = world.pass_ms(120_000)
    assert seen(events, Answered) == [Answered(Taker.MACHINE)]
    assert at_ms(events, Answered) == [7_000]
    assert at_ms(events, Ended) == [37_000]


def test_cancel_ends_a_ringing_call() -> None:
    world = World()
    world.place(order())
    world.pass_ms(1_000)
    world.network.cancel(call_id(1), world.now_us)
    (end,) = seen(world.look(), Ended)
    assert (end.outcome, end.by, end.ring_ms) == (Outcome.CANCELED, Side.CALLER, 1_000)
    assert not world.pass_ms(60_000)


def test_an_answer_that_came_first_wins_over_the_cancel() -> None:
    world = World()
    call = world.answered()
    world.network.cancel(call, world.now_us)
    assert not world.look()
    world.network.hangup(call, world.now_us)
    assert seen(world.look(), Ended)[0].outcome is Outcome.NORMAL


def test_hangup_before_the_answer_is_a_cancel() -> None:
    world = World()
    world.place(order())
    world.network.hangup(call_id(1), world.now_us)
    assert seen(world.look(), Ended)[0].outcome is Outcome.CANCELED


def test_an_id_is_dialed_once_whatever_became_of_it() -> None:
    world = World(steady_profile({"outcomes": {"busy": 1}}))
    world.place(order(1), order(1))
    assert seen(world.look(), Refused) == [Refused(Refusal.DUPLICATE, call_id(1))]
    world.pass_ms(60_000)
    world.place(order(1), order(2, place_before_ns=5), boottime_ns=6)
    world.place(order(2))
    reasons = [refused.reason for refused in seen(world.look(), Refused)]
    assert reasons == [Refusal.DUPLICATE, Refusal.LATE, Refusal.DUPLICATE]


def test_a_place_is_late_only_after_its_limit() -> None:
    world = World()
    world.place(order(1, place_before_ns=1_000), boottime_ns=1_000)
    assert seen(world.look(), Ringing)
    world.place(order(2, place_before_ns=1_000), boottime_ns=1_001)
    assert seen(world.look(), Refused)[0].reason is Refusal.LATE


@pytest.mark.parametrize(
    ("address_type", "target"),
    [("tel", "5550001"), ("tel", "+1"), ("email", "a@b.c"), ("", "+15550001"), ("sip", "a b")],
)
def test_what_is_no_address_is_refused_as_invalid(address_type: str, target: str) -> None:
    world = World()
    world.place(order(address_type=address_type, to=target))
    assert seen(world.look(), Refused)[0].reason is Refusal.INVALID


def test_malformed_orders_are_refused_and_do_not_use_up_the_id() -> None:
    world = World()
    world.place(
        order()._replace(call_id="x"),
        order(ring_timeout_ms=600_001),
        order(max_duration_ms=-1),
    )
    reasons = [refused.reason for refused in seen(world.look(), Refused)]
    assert reasons == [Refusal.MALFORMED] * 3
    world.place(order())
    assert seen(world.look(), Ringing)


def test_calls_beyond_the_capacity_are_congestion() -> None:
    capacity = {"live_calls": 2, "places_per_second": 0}
    world = World(steady_profile(capacity=capacity))
    world.place(order(1), order(2), order(3))
    assert [refused.reason for refused in seen(world.look(), Refused)] == [Refusal.CONGESTION]


def test_places_beyond_the_rate_are_congestion_until_the_next_second() -> None:
    capacity = {"live_calls": 100, "places_per_second": 2}
    world = World(steady_profile(capacity=capacity))
    world.place(order(1), order(2), order(3), boottime_ns=10**9)
    assert len(seen(world.look(), Refused)) == 1
    world.place(order(4), boottime_ns=2 * 10**9)
    assert not seen(world.look(), Refused)


def test_a_stopping_network_ends_every_call() -> None:
    world = World()
    world.answered(1)
    world.place(order(2))
    world.look()
    world.network.stop(world.now_us)
    assert [end.outcome for end in seen(world.look(), Ended)] == [Outcome.NETWORK_RESTART] * 2
    assert not world.network.live


def test_an_adopted_call_belongs_to_the_new_dialer_and_the_old_one_is_told() -> None:
    world = World()
    call = world.answered()
    world.network.adopt("d2", call, world.now_us)
    (taken,) = world.look()
    assert (taken.dialer, taken.what) == ("d1", Taken("d2"))
    assert {event.dialer for event in world.pass_ms(60_000)} == {"d2"}


def test_an_ended_call_is_remembered_until_it_is_forgotten() -> None:
    world = World()
    call = world.answered()
    world.pass_ms(60_000)
    found = world.network.find(call)
    assert found is not None
    assert found.dialer == "d1"
    world.network.forget(call)
    assert world.network.find(call) is None
    assert world.network.was_seen(call)
