"""Callers in queues whose dialer died."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from services.dialer.domain.campaigns import OpenAttempt
from services.dialer.telephony import (
    AnsweredBy,
    CallState,
    Leg,
    LiveCall,
)
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.fakes import START
from tests.unit.dialer.stage import Stage
from tests.unit.dialer.test_queueing import AGENT, queueing, talking, waiting
from tests.unit.dialer.test_takeover import open_attempt


def _taken_over(first: Stage, bridged_with: UUID | None, call: UUID):  # type: ignore[no-untyped-def]
    rows, flows = dict(first.records.call_rows), dict(first.records.flow_rows)

    def before(s: Stage) -> None:
        attempt: OpenAttempt = replace(open_attempt(s, is_answered=True), id=call)
        s.campaigns.listed = [attempt]
        s.telephony.live[call] = LiveCall(
            call,
            Leg.CUSTOMER,
            CallState.ANSWERED,
            rang=True,
            answered_by=AnsweredBy.HUMAN,
            tm_answer=START,
            bridged_with=bridged_with,
        )
        if bridged_with is not None:
            s.telephony.live[bridged_with] = LiveCall(
                bridged_with, Leg.AGENT, CallState.ANSWERED, rang=True, bridged_with=call
            )
        s.records.call_rows = {call: replace(rows[call], campaign_id=s.definition.campaign.id)}
        s.records.flow_rows = flows

    return before


async def test_a_waiting_caller_waits_on_at_the_next_dialer(stage: Stages) -> None:
    async with queueing(stage) as first:
        call = await waiting(first)
        joined = first.queues.joined[0]
    async with queueing(stage, numbers=0, prepare=_taken_over(first, None, call)) as s:
        assert [each.queuecall_id for each in s.queues.joined] == [joined.queuecall_id]
        s.offer_agent(AGENT)
        await s.settle()
        assert len(s.legs) == 1


async def test_an_agent_who_was_being_rung_is_rung_anew(stage: Stages) -> None:
    async with queueing(stage) as first:
        call = await waiting(first)
        first.offer_agent(AGENT)
        await first.settle()
        (old,) = first.legs
    async with queueing(stage, numbers=0, prepare=_taken_over(first, None, call)) as s:
        assert s.telephony.of(old) == ["hangup"]
        s.offer_agent(AGENT)
        await s.settle()
        assert len(s.legs) == 1


async def test_a_conversation_with_an_agent_goes_on(stage: Stages) -> None:
    async with queueing(stage) as first:
        call, leg = await talking(first)
    async with queueing(stage, numbers=0, prepare=_taken_over(first, leg, call)) as s:
        assert s.telephony.of(leg) == ["adopt"]
        assert s.telephony.of(call) == ["adopt"]
        assert not s.queues.joined
        await s.end(leg)
        assert s.telephony.of(call)[-1] == "hangup"
        assert s.queues.kinds()[-1] == "ended"
        await s.end(call)
        assert not s.endings()[0].is_abandoned


async def test_an_agents_leg_that_is_gone_ends_the_conversation(stage: Stages) -> None:
    async with queueing(stage) as first:
        call, leg = await talking(first)
    before = _taken_over(first, leg, call)

    def without_leg(s: Stage) -> None:
        before(s)
        del s.telephony.live[leg]

    async with queueing(stage, numbers=0, prepare=without_leg) as s:
        assert s.telephony.of(call) == ["adopt", "hangup"]
        assert s.queues.kinds()[-1] == "ended"
