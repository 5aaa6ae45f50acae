"""Rows that a dead dialer left: every call and activeflow ends, and an end is final."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from services.common.ids import new_id
from services.dialer.conversations.flows import Flows
from services.dialer.domain.calls import Activeflow, Call, CallStatus, DialerEntry, ReferenceType
from services.dialer.domain.queuecalls import QueueReportKind
from services.dialer.leftovers import LOOK_SECONDS
from services.dialer.telephony import AnsweredBy, CallState, Ended, HangupReason
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.fakes import START, action
from tests.unit.dialer.stage import Stage
from tests.unit.dialer.test_takeover import NUMBERS, live, open_attempt

TALK = (action("talk", text="one"), action("talk", text="two"))


async def left_behind(stage: Stages) -> tuple[Call, Activeflow]:
    """The rows of a conversation whose dialer died."""
    async with stage(NUMBERS[:1], actions=TALK) as first:
        (call_id,) = first.calls
        await first.answer(call_id)
        (flow,) = first.records.flow_rows.values()
        return first.records.call_rows[call_id], flow


def store(s: Stage, call: Call | None, flow: Activeflow) -> None:
    s.records.flow_rows = {flow.id: flow}
    if call is not None:
        s.records.call_rows = {call.id: replace(call, campaign_id=s.definition.campaign.id)}


async def is_ended(s: Stage, flow_id: UUID) -> bool:
    row = await s.records.activeflow(flow_id)
    assert row is not None
    return row.is_ended


async def test_the_activeflow_of_an_adopted_call_that_is_over_ends(stage: Stages) -> None:
    call, flow = await left_behind(stage)

    def before(s: Stage) -> None:
        store(s, call, flow)
        s.campaigns.listed = [replace(open_attempt(s, is_answered=True), id=call.id)]
        s.telephony.over[call.id] = Ended(
            call.id, START, HangupReason.NORMAL, tm_answer=START, talk_ms=5000
        )

    async with stage(prepare=before) as s:
        assert [each.hangup_reason for each in s.endings()] == ["normal"]
        assert s.records.call_rows[call.id].is_over
        assert await is_ended(s, flow.id)


async def test_the_agent_of_an_adopted_call_that_is_over_is_freed_at_once(stage: Stages) -> None:
    call, flow = await left_behind(stage)
    queuecall, agent, leg = new_id(), new_id(), new_id()
    cursor = replace(
        flow.cursor, queuecall_id=queuecall, queue_id=new_id(), agent_id=agent, agent_legs=(leg,)
    )

    def before(s: Stage) -> None:
        store(s, call, replace(flow, cursor=cursor))
        s.campaigns.listed = [replace(open_attempt(s, is_answered=True), id=call.id)]
        s.telephony.over[call.id] = Ended(
            call.id, START, HangupReason.NORMAL, tm_answer=START, talk_ms=5000
        )

    async with stage(prepare=before) as s:
        assert "hangup" in s.telephony.of(leg)
        (report,) = s.queues.reports
        assert (report.queuecall_id, report.agent_id) == (queuecall, agent)
        assert report.kind is QueueReportKind.ENDED


async def test_the_activeflow_of_an_adopted_call_closed_elsewhere_ends(stage: Stages) -> None:
    call, flow = await left_behind(stage)

    def before(s: Stage) -> None:
        store(s, call, flow)
        s.campaigns.listed = [replace(open_attempt(s, is_answered=True), id=call.id)]

    async with stage(prepare=before) as s:
        s.campaigns.listed = []
        await s.settle(31.0)
        assert len(s.system.attempts) == 0
        assert await is_ended(s, flow.id)


async def test_rows_that_nobody_holds_end_after_a_minute(stage: Stages) -> None:
    call, flow = await left_behind(stage)
    async with stage() as s:
        s.campaigns.is_leasable = False
        store(s, call, flow)
        await s.settle(59.0)
        assert not await is_ended(s, flow.id)
        await s.settle(45.0)
        assert s.records.call_rows[call.id].is_over
        assert await is_ended(s, flow.id)


async def test_an_activeflow_whose_call_is_over_or_was_never_stored_ends(stage: Stages) -> None:
    call, flow = await left_behind(stage)
    for row in (replace(call, status=CallStatus.HANGUP), None):
        async with stage() as s:
            store(s, row, flow)
            await s.settle(105.0)
            assert await is_ended(s, flow.id)
            assert s.records.told(call.id) == []


async def test_rows_of_living_calls_and_of_living_dialers_are_left_alone(stage: Stages) -> None:
    call, flow = await left_behind(stage)
    async with stage() as s:
        s.campaigns.is_leasable = False
        await s.registry.beat(DialerEntry("dialer-9", "127.0.0.1:1"))
        theirs = replace(call, dialer_id="dialer-9"), replace(flow, dialer_id="dialer-9")
        store(s, *theirs)
        await s.settle(105.0)
        assert not await is_ended(s, flow.id)
        store(s, call, flow)
        s.telephony.live[call.id] = live(
            call.id, CallState.ANSWERED, answered_by=AnsweredBy.HUMAN, owner="dialer-9"
        )
        await s.settle(105.0)
        assert not await is_ended(s, flow.id)


async def test_an_execution_that_cannot_be_gone_on_with_ends_and_not_the_process(
    stage: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, flow = await left_behind(stage)
    lone = replace(flow, reference_type=ReferenceType.API, reference_id=None, dialer_id="dead")
    others = replace(lone, id=new_id())
    resume = Flows.resume_without_call

    def fails(self: Flows, row: Activeflow) -> None:
        if row.id == lone.id:
            raise RuntimeError("a bug")
        resume(self, row)

    monkeypatch.setattr(Flows, "resume_without_call", fails)

    def before(s: Stage) -> None:
        s.records.flow_rows = {lone.id: lone, others.id: others}

    async with stage(prepare=before) as s:
        await s.settle(LOOK_SECONDS + 1)
        assert await is_ended(s, lone.id)
        assert s.records.flow_rows[others.id].dialer_id == "dialer-1"
