"""What every telephony driver must do, on a real network.

A further carrier is one more entry of `CARRIERS`: it gives a driver, people with a known behaviour,
and a link that can be cut.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from services.common.ids import new_id
from services.dialer.telephony import (
    BEEP,
    Adopted,
    Answered,
    AnsweredBy,
    Bridged,
    CallState,
    Capability,
    CommandFailed,
    Detected,
    Ended,
    HangupReason,
    HungUpBy,
    Leg,
    LinkChanged,
    Missing,
    NotPlaced,
    NotPlacedReason,
    PlayFinished,
    Replaced,
    Ringing,
    Taken,
    TelephonyUnavailable,
    Unbridged,
)
from tests.support.asterisk_carrier import asterisk_carrier
from tests.support.simulated_carrier import simulated_carrier
from tests.support.telephony import Carrier, Ear, driving, placement


def on_asterisk(
    request: pytest.FixtureRequest, folder: Path
) -> AbstractAsyncContextManager[Carrier]:
    return asterisk_carrier(request.getfixturevalue("shared_pbx"))


CARRIERS: dict[
    str, Callable[[pytest.FixtureRequest, Path], AbstractAsyncContextManager[Carrier]]
] = {
    "simulated": lambda _, folder: simulated_carrier(folder),
    "asterisk": on_asterisk,
}


@pytest.fixture(params=list(CARRIERS))
async def carrier(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Carrier]:
    async with CARRIERS[request.param](request, tmp_path) as one:
        yield one


@pytest.fixture
async def ear(carrier: Carrier) -> AsyncIterator[Ear]:
    async with driving(carrier) as one:
        yield one


async def answered_pair(carrier: Carrier, ear: Ear) -> tuple[Answered, Answered]:
    customer, agent = placement(carrier), placement(carrier, leg=Leg.AGENT)
    ear.telephony.place([customer, agent])
    return (
        await ear.hear(Answered, customer.call_id),
        await ear.hear(Answered, agent.call_id),
    )


async def test_an_answered_call_rings_is_answered_and_ends_once(carrier: Carrier, ear: Ear) -> None:
    call = placement(carrier)
    ear.telephony.place([call])
    answered = await ear.hear(Answered, call.call_id)
    ear.telephony.hangup([call.call_id])
    ended = await ear.hear(Ended, call.call_id)
    assert ear.kinds(call.call_id) == ["Ringing", "Answered", "Ended"]
    assert (ended.reason, ended.hung_up_by) == (HangupReason.NORMAL, HungUpBy.LOCAL)
    assert ended.tm_answer == answered.tm
    ringing = await ear.hear(Ringing, call.call_id)
    assert ringing.tm <= answered.tm <= ended.tm


@pytest.mark.parametrize(
    ("behaviour", "reason", "detail"),
    [
        ("busy", HangupReason.BUSY, ""),
        ("noanswer", HangupReason.NOANSWER, ""),
        ("invalid", HangupReason.FAILED, "invalid"),
    ],
)
async def test_a_call_that_is_not_answered_says_why(
    carrier: Carrier, ear: Ear, behaviour: str, reason: HangupReason, detail: str
) -> None:
    call = placement(carrier, behaviour, ring_timeout_ms=6_000)
    ear.telephony.place([call])
    ended = await ear.hear(Ended, call.call_id)
    assert (ended.reason, ended.detail, ended.tm_answer) == (reason, detail, None)
    assert "Answered" not in ear.kinds(call.call_id)


async def test_the_network_enforces_the_maximum_duration(carrier: Carrier, ear: Ear) -> None:
    call = placement(carrier, max_duration_ms=3_000)
    ear.telephony.place([call])
    ended = await ear.hear(Ended, call.call_id)
    assert ended.reason is HangupReason.TIMEOUT
    assert ended.tm_answer is not None


async def test_cancel_ends_a_ringing_call(carrier: Carrier, ear: Ear) -> None:
    call = placement(carrier, "noanswer")
    ear.telephony.place([call])
    await ear.hear(Ringing, call.call_id)
    ear.telephony.cancel([call.call_id])
    ended = await ear.hear(Ended, call.call_id)
    assert (ended.reason, ended.hung_up_by) == (HangupReason.CANCEL, HungUpBy.LOCAL)


async def test_an_answered_call_survives_a_cancel(carrier: Carrier, ear: Ear) -> None:
    call = placement(carrier)
    ear.telephony.place([call])
    await ear.hear(Answered, call.call_id)
    ear.telephony.cancel([call.call_id])
    ear.telephony.say(call.call_id, "p1", "Still there?")
    assert (await ear.hear(PlayFinished, call.call_id)).completed
    assert [live.call_id for live in await ear.telephony.live_calls()] == [call.call_id]


async def test_a_late_placement_is_not_sent(carrier: Carrier, ear: Ear) -> None:
    late, early = placement(carrier), placement(carrier)
    carrier.clock.skipped = 5.001
    ear.telephony.place([late])
    assert (await ear.hear(NotPlaced, late.call_id)).reason is NotPlacedReason.LATE
    carrier.clock.skipped = 0.0
    ear.telephony.place([early])
    # The limit passes between the wish and its sending: no event loop step was in between yet.
    carrier.clock.skipped = 5.001
    assert (await ear.hear(NotPlaced, early.call_id)).reason is NotPlacedReason.LATE
    assert await carrier.rang() == []


async def test_an_id_is_dialed_once(carrier: Carrier, ear: Ear) -> None:
    call = placement(carrier, "noanswer")
    ear.telephony.place([call, call])
    assert (await ear.hear(NotPlaced, call.call_id)).reason is NotPlacedReason.DUPLICATE
    async with driving(carrier, "d2") as other:
        other.telephony.place([call])
        duplicate = await other.hear(NotPlaced, call.call_id)
        assert duplicate.reason is NotPlacedReason.DUPLICATE
    ear.telephony.cancel([call.call_id])
    await ear.hear(Ended, call.call_id)
    ear.telephony.place([call])
    assert (await ear.hear(NotPlaced, call.call_id, 2)).reason is NotPlacedReason.DUPLICATE
    assert await carrier.rang() == [call.destination.target]


async def test_a_thousand_placements_are_told_once_each(carrier: Carrier, ear: Ear) -> None:
    calls = [placement(carrier, "busy", within_seconds=30) for _ in range(1_000)]
    ear.telephony.place(calls)
    await ear.hear(Ended, count=1_000)
    assert {call.call_id for call in calls} == {
        event.call_id for event in ear.events if isinstance(event, Ended)
    }


async def test_a_text_is_spoken_to_its_end(carrier: Carrier, ear: Ear) -> None:
    call = placement(carrier)
    ear.telephony.place([call])
    await ear.hear(Answered, call.call_id)
    ear.telephony.say(call.call_id, "p1", "Good morning.")
    spoken = await ear.hear(PlayFinished, call.call_id)
    assert (spoken.play_id, spoken.completed) == ("p1", True)
    ear.telephony.say(call.call_id, "p1", "Good morning.")
    ear.telephony.play(call.call_id, "p2", [BEEP])
    assert (await ear.hear(PlayFinished, call.call_id, 3)).play_id == "p2"


async def test_what_is_played_can_be_stopped_and_replaced(carrier: Carrier, ear: Ear) -> None:
    call = placement(carrier)
    ear.telephony.place([call])
    await ear.hear(Answered, call.call_id)
    ear.telephony.hold(call.call_id, "h1")
    ear.telephony.say(call.call_id, "p1", "A very long text. " * 300)
    first = await ear.hear(PlayFinished, call.call_id)
    assert (first.play_id, first.completed) == ("h1", False)
    ear.telephony.stop_play(call.call_id)
    second = await ear.hear(PlayFinished, call.call_id, 2)
    assert (second.play_id, second.completed) == ("p1", False)
    ear.telephony.hangup([call.call_id])
    await ear.hear(Ended, call.call_id)


async def test_the_callee_hears_itself_for_as_long_as_asked(carrier: Carrier, ear: Ear) -> None:
    if Capability.ECHO not in ear.telephony.capabilities:
        return
    call = placement(carrier)
    ear.telephony.place([call])
    answered = await ear.hear(Answered, call.call_id)
    ear.telephony.echo(call.call_id, "e1", 2_000)
    over = await ear.hear(PlayFinished, call.call_id)
    assert (over.play_id, over.completed) == ("e1", True)
    assert (over.tm - answered.tm).total_seconds() >= 2.0


async def test_two_calls_are_bridged_and_one_survives_the_other(carrier: Carrier, ear: Ear) -> None:
    customer, agent = await answered_pair(carrier, ear)
    ear.telephony.hold(customer.call_id, "h1")
    ear.telephony.bridge(customer.call_id, agent.call_id)
    assert (await ear.hear(Bridged, customer.call_id)).other_id == agent.call_id
    assert (await ear.hear(Bridged, agent.call_id)).other_id == customer.call_id
    assert not (await ear.hear(PlayFinished, customer.call_id)).completed
    ear.telephony.hangup([agent.call_id])
    assert (await ear.hear(Unbridged, customer.call_id)).other_id == agent.call_id
    await ear.hear(Ended, agent.call_id)
    assert "Ended" not in ear.kinds(customer.call_id)
    assert "Unbridged" not in ear.kinds(agent.call_id)


async def test_unbridged_calls_can_be_bridged_again(carrier: Carrier, ear: Ear) -> None:
    customer, agent = await answered_pair(carrier, ear)
    ear.telephony.bridge(customer.call_id, agent.call_id)
    await ear.hear(Bridged, agent.call_id)
    ear.telephony.unbridge(customer.call_id)
    await ear.hear(Unbridged, agent.call_id)
    await ear.hear(Unbridged, customer.call_id)
    ear.telephony.bridge(agent.call_id, customer.call_id)
    await ear.hear(Bridged, customer.call_id, 2)


async def test_a_machine_is_told_from_a_person(carrier: Carrier, ear: Ear) -> None:
    if Capability.DETECT not in ear.telephony.capabilities:
        return
    for behaviour, by in (("machine", AnsweredBy.MACHINE), ("answer", AnsweredBy.HUMAN)):
        call = placement(carrier, behaviour)
        ear.telephony.place([call])
        await ear.hear(Answered, call.call_id)
        ear.telephony.detect(call.call_id)
        assert (await ear.hear(Detected, call.call_id)).by is by


async def test_what_the_driver_cannot_do_fails(carrier: Carrier, ear: Ear) -> None:
    if Capability.RECORD in ear.telephony.capabilities:
        return
    call = placement(carrier)
    ear.telephony.start_recording(call.call_id, "r1", audio_format="wav")
    failed = await ear.hear(CommandFailed, call.call_id)
    assert (failed.command, failed.reference) == ("start_recording", "r1")


async def test_live_calls_are_those_of_every_dialer(carrier: Carrier, ear: Ear) -> None:
    own, others, over = (placement(carrier, word) for word in ("answer", "noanswer", "busy"))
    ear.telephony.place([own, over])
    await ear.hear(Answered, own.call_id)
    await ear.hear(Ended, over.call_id)
    async with driving(carrier, "d2") as other:
        other.telephony.place([others])
        await other.hear(Ringing, others.call_id)
        found = {live.call_id: live for live in await ear.telephony.live_calls()}
        assert {one: live.state for one, live in found.items()} == {
            own.call_id: CallState.ANSWERED,
            others.call_id: CallState.DIALING,
        }
        assert found[own.call_id].leg is Leg.CUSTOMER
        named = await ear.telephony.live_calls([others.call_id, over.call_id])
        assert [live.call_id for live in named] == [others.call_id]


async def test_a_dead_dialers_call_goes_on_with_another(carrier: Carrier) -> None:
    async with driving(carrier, "d1") as first:
        customer, agent = await answered_pair(carrier, first)
        first.telephony.bridge(customer.call_id, agent.call_id)
        await first.hear(Bridged, agent.call_id)
    async with driving(carrier, "d2") as second:
        second.telephony.adopt([customer.call_id, agent.call_id])
        live = (await second.hear(Adopted, customer.call_id)).call
        assert (live.state, live.bridged_with) == (CallState.ANSWERED, agent.call_id)
        assert live.tm_answer == customer.tm
        second.telephony.hangup([agent.call_id])
        await second.hear(Ended, agent.call_id)
        await second.hear(Unbridged, customer.call_id)
        second.telephony.hangup([customer.call_id])
        await second.hear(Ended, customer.call_id)
        assert second.kinds(customer.call_id) == ["Adopted", "Unbridged", "Ended"]


async def test_adopting_tells_of_every_id(carrier: Carrier) -> None:
    async with driving(carrier, "d1") as first:
        over, live, unknown = placement(carrier, "busy"), placement(carrier), new_id()
        first.telephony.place([over, live])
        await first.hear(Ended, over.call_id)
        async with driving(carrier, "d2") as second:
            second.telephony.adopt([over.call_id, live.call_id, unknown])
            if carrier.remembers_ends:
                assert (await second.hear(Ended, over.call_id)).reason is HangupReason.BUSY
            else:
                # Nobody can tell: its deadline decides, after a second look.
                await second.hear(Missing, over.call_id)
            await second.hear(Adopted, live.call_id)
            await second.hear(Missing, unknown)
            assert (await first.hear(Taken, live.call_id)).call_id == live.call_id
            second.telephony.adopt([live.call_id])
            await second.hear(Adopted, live.call_id, 2)


async def test_without_a_link_nothing_is_placed(carrier: Carrier, ear: Ear) -> None:
    await carrier.cut()
    await ear.hear(LinkChanged, count=2)
    call = placement(carrier)
    ear.telephony.place([call])
    assert (await ear.hear(NotPlaced, call.call_id)).reason is NotPlacedReason.DISCONNECTED
    with pytest.raises(TelephonyUnavailable):
        await ear.telephony.live_calls()
    await carrier.restore()
    await ear.link(connected=True)
    assert await carrier.rang() == []


async def test_what_happened_while_the_link_was_down_is_told_after_it(
    carrier: Carrier, ear: Ear
) -> None:
    ringing, rejected, over = (placement(carrier, word) for word in ("answer", "busy", "answer"))
    ear.telephony.place([ringing, rejected, over])
    await ear.hear(Ringing, ringing.call_id)
    await ear.hear(Ringing, over.call_id)
    await carrier.cut()
    await ear.link(connected=False)
    ear.telephony.hangup([over.call_id])
    await carrier.restore()
    await ear.hear(Answered, ringing.call_id)
    await ear.hear(Ended, rejected.call_id)
    await ear.hear(Ended, over.call_id)
    assert ear.kinds(ringing.call_id) == ["Ringing", "Answered"]
    assert [kind for kind in ear.kinds(rejected.call_id) if kind != "Ringing"] == ["Ended"]


async def test_commands_given_without_a_link_are_carried_out_later(
    carrier: Carrier, ear: Ear
) -> None:
    customer, agent = await answered_pair(carrier, ear)
    stray = placement(carrier)
    async with driving(carrier, "d2") as other:
        other.telephony.place([stray])
        await other.hear(Answered, stray.call_id)
    await carrier.cut()
    await ear.link(connected=False)
    ear.telephony.say(customer.call_id, "p1", "One moment.")
    ear.telephony.adopt([stray.call_id])
    await carrier.restore()
    await ear.hear(PlayFinished, customer.call_id)
    await ear.hear(Adopted, stray.call_id)
    await carrier.cut()
    await ear.link(connected=False)
    ear.telephony.bridge(customer.call_id, agent.call_id)
    await carrier.restore()
    await ear.hear(Bridged, agent.call_id)
    await carrier.cut()
    await ear.link(connected=False)
    ear.telephony.unbridge(customer.call_id)
    await carrier.restore()
    await ear.hear(Unbridged, agent.call_id)


async def test_a_settled_call_is_still_not_dialed_again(carrier: Carrier, ear: Ear) -> None:
    call = placement(carrier, "busy")
    ear.telephony.place([call])
    await ear.hear(Ended, call.call_id)
    ear.telephony.settled([call.call_id])
    ear.telephony.place([call])
    assert (await ear.hear(NotPlaced, call.call_id)).reason is NotPlacedReason.DUPLICATE


async def test_a_second_process_of_a_name_replaces_the_first(carrier: Carrier, ear: Ear) -> None:
    async with driving(carrier, "d1") as second:
        assert isinstance(await ear.failed(), Replaced)
        call = placement(carrier, "busy")
        second.telephony.place([call])
        await second.hear(Ended, call.call_id)
