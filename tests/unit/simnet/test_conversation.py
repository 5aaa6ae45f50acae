from __future__ import annotations

from typing import Any

from simnet.calls import (
    Bridged,
    CommandFailed,
    DigitPressed,
    Ended,
    Failure,
    Kind,
    PlayFinished,
    Side,
    Unbridged,
)
from tests.unit.simnet.world import World, at_ms, call_id, order, seen, steady_profile


def pair(people: Any = None) -> tuple[World, str, str]:
    """An answered customer (1) and an answered agent (2)."""
    world = World(people or steady_profile())
    world.place(order(1), order(2, to="+15559990001", kind=Kind.AGENT))
    world.pass_ms(5_000)
    return world, call_id(1), call_id(2)


def test_a_message_is_heard_to_its_end_and_silence_follows() -> None:
    world = World()
    call = world.answered()
    world.play(call, "hello", 20_000)
    events = world.pass_ms(60_000)
    assert seen(events, PlayFinished) == [PlayFinished("hello", True)]
    assert at_ms(events, PlayFinished) == [25_000]
    assert at_ms(events, Ended) == [35_000]


def test_whoever_does_not_listen_hangs_up_during_the_message() -> None:
    world = World(steady_profile({"listen_to_end": 0.0}))
    call = world.answered()
    world.play(call, "hello", 20_000)
    events = world.pass_ms(60_000)
    assert seen(events, PlayFinished) == [PlayFinished("hello", False)]
    assert 5_000 <= at_ms(events, Ended)[0] < 25_000


def test_repeating_a_play_id_does_not_start_it_again() -> None:
    world = World()
    call = world.answered()
    world.play(call, "hello", 5_000)
    world.pass_ms(4_000)
    world.play(call, "hello", 5_000)
    assert at_ms(world.pass_ms(1_000), PlayFinished) == [10_000]
    world.play(call, "hello", 5_000)
    assert seen(world.look(), PlayFinished) == [PlayFinished("hello", True)]


def test_a_new_play_ends_the_one_before() -> None:
    world = World()
    call = world.answered()
    world.play(call, "one", 5_000)
    world.play(call, "two", 5_000)
    assert seen(world.look(), PlayFinished) == [PlayFinished("one", False)]


def test_patience_on_hold_is_one_for_the_whole_call() -> None:
    world = World()
    call = world.answered()
    world.play(call, "music", 0, hold=True)
    world.pass_ms(40_000)
    world.play(call, "soon", 5_000)
    world.pass_ms(5_000)
    world.play(call, "again", 0, hold=True)
    # 60 s of patience, 40 of them spent before the announcement.
    assert at_ms(world.pass_ms(60_000), Ended) == [70_000]


def test_keys_are_pressed_after_the_message() -> None:
    world = World(steady_profile({"digits": {"19": 1.0}}))
    call = world.answered()
    world.play(call, "menu", 2_000)
    events = world.pass_ms(60_000)
    assert [key.digit for key in seen(events, DigitPressed)] == ["1", "9"]
    assert at_ms(events, DigitPressed) == [7_500, 8_000]
    assert at_ms(events, Ended) == [18_000]


def test_a_bridged_customer_talks_and_hangs_up() -> None:
    world, customer, agent = pair()
    world.network.bridge("d1", customer, agent, world.now_us)
    events = world.look()
    assert [(event.call_id, event.what) for event in events] == [
        (customer, Bridged(agent)),
        (agent, Bridged(customer)),
    ]
    events = world.pass_ms(600_000)
    assert [(event.call_id, type(event.what)) for event in events] == [
        (agent, Unbridged),
        (customer, Ended),
        (agent, Ended),
    ]
    assert at_ms(events, Ended) == [125_000, 126_000]
    assert [end.by for end in seen(events, Ended)] == [Side.CALLEE, Side.CALLEE]


def test_the_agent_may_be_the_one_to_hang_up() -> None:
    world, customer, agent = pair(steady_profile({"hangs_up_first": 0.0}))
    world.network.bridge("d1", customer, agent, world.now_us)
    events = world.pass_ms(600_000)
    assert [event.call_id for event in events if isinstance(event.what, Ended)] == [agent, customer]


def test_an_agent_leaves_a_machine_soon() -> None:
    world, customer, agent = pair(steady_profile({"outcomes": {"machine": 1}}))
    world.pass_ms(2_000)
    world.network.bridge("d1", customer, agent, world.now_us)
    events = world.pass_ms(600_000)
    ends = [event.call_id for event in events if isinstance(event.what, Ended)]
    assert ends == [agent, customer]
    assert at_ms(events, Ended) == [11_000, 37_000]


def test_bridging_again_is_harmless() -> None:
    world, customer, agent = pair()
    world.network.bridge("d1", customer, agent, world.now_us)
    world.pass_ms(60_000)
    world.network.bridge("d1", customer, agent, world.now_us)
    assert len(seen(world.look(), Bridged)) == 2
    assert at_ms(world.pass_ms(600_000), Ended)[0] == 125_000


def test_after_unbridge_both_stay_up_for_a_while() -> None:
    world, customer, agent = pair()
    world.network.bridge("d1", customer, agent, world.now_us)
    world.look()
    world.network.unbridge("d1", agent, world.now_us)
    events = world.pass_ms(9_999)
    assert {(event.call_id, event.what) for event in events} == {
        (agent, Unbridged(customer)),
        (customer, Unbridged(agent)),
    }
    assert len(seen(world.pass_ms(1), Ended)) == 2


def test_a_bridge_stops_the_music() -> None:
    world, customer, agent = pair()
    world.play(customer, "music", 0, hold=True)
    world.network.bridge("d1", customer, agent, world.now_us)
    assert seen(world.look(), PlayFinished) == [PlayFinished("music", False)]
    assert not seen(world.pass_ms(119_999), Ended)


def test_impossible_commands_fail_and_change_nothing() -> None:
    world, customer, agent = pair()
    world.place(order(3, to="+15550000003"))
    world.look()
    network, now = world.network, world.now_us
    network.bridge("d1", customer, call_id(3), now)
    network.bridge("d1", customer, call_id(9), now)
    network.bridge("d1", customer, customer, now)
    network.bridge("d2", customer, agent, now)
    world.play(call_id(3), "x", 1)
    world.play(customer, "", 1)
    network.bridge("d1", customer, agent, now)
    world.play(customer, "x", 1)
    failures = [failure.reason for failure in seen(world.look(), CommandFailed)]
    assert failures == [
        Failure.NOT_ANSWERED,
        Failure.NOT_LIVE,
        Failure.MALFORMED,
        Failure.NOT_OWNER,
        Failure.NOT_ANSWERED,
        Failure.MALFORMED,
        Failure.BRIDGED,
    ]
    assert len(network.live) == 3
