"""People whom a flow connects with its call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from services.dialer.domain.calls import Step
from services.dialer.telephony import (
    Answered,
    AnsweredBy,
    CallState,
    CommandFailed,
    Ended,
    HangupReason,
    NotPlaced,
    NotPlacedReason,
)
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.fakes import action
from tests.unit.dialer.stage import Stage
from tests.unit.dialer.takeovers import after, leg_of

BOSS, DEPUTY = "+15551110001", "+15551110002"
ACTIONS = (
    action("connect", destinations=[BOSS, DEPUTY], anonymous="yes", source="+15550009999"),
    action("talk", text="behind"),
)


@asynccontextmanager
async def ringing(stage: Stages, **options: Any) -> AsyncIterator[Stage]:
    async with stage(["+19990000001"], actions=options.pop("actions", ACTIONS), **options) as s:
        await s.answer(s.calls[0])
        yield s


def step(s: Stage, index: int = 0) -> Step:
    (flow,) = s.records.flow_rows.values()
    return flow.history[index]


async def no_answer(s: Stage, leg: UUID, reason: HangupReason = HangupReason.NOANSWER) -> None:
    s.telephony.tell(Ended(leg, s.clock.now(), reason))
    await s.settle()


async def test_everybody_is_rung_and_the_caller_hears_music(stage: Stages) -> None:
    async with ringing(stage) as s:
        assert [each.destination.target for each in s.telephony.agents] == [BOSS, DEPUTY]
        placed = s.telephony.agents[0]
        assert placed.is_anonymous
        assert placed.source is not None
        assert placed.source.target == "+15550009999"
        assert placed.ring_timeout_ms == 60_000
        assert s.telephony.of(s.calls[0]) == ["hold"]


async def test_the_first_who_answers_is_talked_to_and_the_flow_goes_on_behind(
    stage: Stages,
) -> None:
    async with ringing(stage) as s:
        (call,), (boss, deputy) = s.calls, s.legs
        await s.answer(deputy)
        assert s.telephony.of(boss) == ["hangup"]
        assert s.telephony.last("bridge", call) == (deputy,)
        await s.bridged(call, deputy)
        assert step(s).detail == f"connected with tel:{DEPUTY}"
        # The one who was too late.
        await s.answer(boss)
        assert s.telephony.of(boss) == ["hangup", "hangup"]
        await s.end(deputy)
        assert s.telephony.last("say", call) == ("step-2", "behind")
        assert step(s).outcome.value == "done"
        assert not s.records.told(call).count("hangup")


async def test_when_nobody_answers_the_flow_goes_on_at_once(stage: Stages) -> None:
    async with ringing(stage) as s:
        (call,), (boss, deputy) = s.calls, s.legs
        await no_answer(s, boss)
        assert s.telephony.of(call) == ["hold"]
        await no_answer(s, deputy, HangupReason.BUSY)
        assert s.telephony.of(call) == ["hold", "stop_play", "say"]
        assert (step(s).outcome.value, step(s).detail) == (
            "failed",
            "nobody answered: busy, noanswer",
        )


async def test_a_mailbox_is_nobody(stage: Stages) -> None:
    async with ringing(stage) as s:
        (call,), (boss, deputy) = s.calls, s.legs
        await no_answer(s, boss)
        s.telephony.tell(Answered(deputy, s.clock.now(), AnsweredBy.MACHINE))
        await s.settle()
        assert s.telephony.of(deputy) == ["hangup"]
        s.telephony.tell(
            Ended(deputy, s.clock.now(), HangupReason.NORMAL, answered_by=AnsweredBy.MACHINE)
        )
        await s.settle()
        assert step(s).detail == "nobody answered: machine, noanswer"
        assert s.telephony.of(call)[-1] == "say"


@pytest.mark.parametrize("reason", [NotPlacedReason.LATE, NotPlacedReason.DISCONNECTED])
async def test_a_phone_that_could_not_be_rung_is_one_that_did_not_answer(
    stage: Stages, reason: NotPlacedReason
) -> None:
    async with ringing(stage) as s:
        s.telephony.tell(*(NotPlaced(leg, reason) for leg in s.legs))
        await s.settle()
        assert step(s).detail == f"nobody answered: {reason.value}"


async def test_a_connection_that_fails_lets_the_flow_go_on(stage: Stages) -> None:
    async with ringing(stage) as s:
        (call,), (boss, _) = s.calls, s.legs
        await s.answer(boss)
        s.telephony.tell(CommandFailed(call, "bridge", str(boss), "no"))
        await s.settle()
        assert s.telephony.of(boss) == ["hangup"]
        assert step(s).detail == "the network could not connect them"
        assert s.telephony.of(call)[-1] == "say"


async def test_somebody_who_leaves_before_the_connection_stands_ends_it(stage: Stages) -> None:
    async with ringing(stage) as s:
        await s.answer(s.legs[0])
        await s.end(s.legs[0])
        assert step(s).detail == "the other side hung up before it was connected"


async def test_a_caller_who_hangs_up_ends_ringing_and_conversation(stage: Stages) -> None:
    async with ringing(stage) as s:
        (call,), (boss, deputy) = s.calls, s.legs
        await s.end(call)
        assert s.telephony.of(boss) == s.telephony.of(deputy) == ["hangup"]
    async with ringing(stage) as s:
        (call,), (boss, deputy) = s.calls, s.legs
        await s.answer(boss)
        await s.bridged(call, boss)
        await s.end(call)
        assert s.telephony.of(boss) == ["hangup"]


async def test_a_connection_does_not_count_as_an_agent(stage: Stages) -> None:
    async with ringing(stage) as s:
        (call,), (boss, _) = s.calls, s.legs
        await s.answer(boss)
        await s.bridged(call, boss)
        await s.end(boss)
        await s.played(call, "step-2")
        await s.end(call)
        assert [each.kind.value for each in s.campaigns.of(call)] == ["answered", "ended"]
        assert not s.endings()[0].is_abandoned


async def test_phones_that_ring_are_taken_over_and_not_rung_again(stage: Stages) -> None:
    async with ringing(stage) as first:
        call, (boss, deputy) = first.calls[0], first.legs
    still = leg_of(boss, CallState.DIALING), leg_of(deputy, CallState.DIALING)
    prepare = after(first, call, *still)
    async with stage(prepare=prepare, actions=ACTIONS) as s:
        assert not s.telephony.agents
        assert s.telephony.of(boss) == s.telephony.of(deputy) == ["adopt"]
        await s.answer(boss)
        assert s.telephony.last("bridge", call) == (boss,)
        assert s.telephony.of(deputy) == ["adopt", "hangup"]
        await s.bridged(call, boss)
        await s.end(boss)
        assert s.telephony.last("say", call) == ("step-2", "behind")


async def test_somebody_who_answered_meanwhile_is_connected(stage: Stages) -> None:
    async with ringing(stage) as first:
        call, (boss, _) = first.calls[0], first.legs
    # The other one is gone for good.
    prepare = after(first, call, leg_of(boss, CallState.ANSWERED, answered_by=AnsweredBy.HUMAN))
    async with stage(prepare=prepare, actions=ACTIONS) as s:
        assert s.telephony.last("bridge", call) == (boss,)


async def test_a_conversation_goes_on_at_the_next_dialer(stage: Stages) -> None:
    async with ringing(stage) as first:
        call, boss = first.calls[0], first.legs[0]
        await first.answer(boss)
        await first.bridged(call, boss)
    talking = leg_of(boss, CallState.ANSWERED, bridged_with=call)
    prepare = after(first, call, talking, bridged_with=boss)
    async with stage(prepare=prepare, actions=ACTIONS) as s:
        assert s.telephony.of(call) == ["adopt"]
        assert s.telephony.of(boss) == ["adopt"]
        await s.end(boss)
        assert s.telephony.last("say", call) == ("step-2", "behind")
        assert step(s).detail == f"connected with tel:{BOSS}"


async def test_phones_that_are_silent_by_now_let_the_flow_go_on(stage: Stages) -> None:
    async with ringing(stage) as first:
        call = first.calls[0]
    async with stage(prepare=after(first, call), actions=ACTIONS) as s:
        assert step(s).detail == "nobody answered: lost"
        assert s.telephony.last("say", call) == ("step-2", "behind")


async def test_ids_of_phones_are_those_of_the_step(stage: Stages) -> None:
    async with ringing(stage) as s:
        (call,), legs = s.calls, s.legs
        run = s.system.flows.of_call(call)
        assert run is not None
        assert legs == [run.step_id("leg-0"), run.step_id("leg-1")]
        # Placed by a dialer that died before it could store it: they ring already.
        s.telephony.live[legs[0]] = leg_of(legs[0], CallState.DIALING)
        s.telephony.tell(NotPlaced(legs[0], NotPlacedReason.DUPLICATE))
        await s.settle()
        assert s.telephony.of(legs[0]) == ["adopt"]
