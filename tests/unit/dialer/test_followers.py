"""What starts when a flow has ended: once, whoever sees the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid5

from services.common.actions import Action
from services.common.ids import new_id
from services.dialer.domain.calls import Activeflow, ActiveflowFact, ReferenceType
from services.dialer.service import DialerService
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.fakes import action
from tests.unit.dialer.stage import Stage
from tests.unit.dialer.takeovers import after
from tests.unit.dialer.test_queueing import NUMBERS

FIRST, SECOND = new_id(), new_id()
SETS = action("variable_set", key="a", value="b")
TELLS = action("variable_set", key="told", value="${a} ${voipbin.call.id}")


def following(*actions: Action, then: UUID | None = None) -> Callable[[Stage], None]:
    def prepare(s: Stage) -> None:
        s.flow_definitions.flows[FIRST] = actions
        if then is not None:
            s.flow_definitions.followers[FIRST] = then

    return prepare


def on_call(stage: Stages, prepare: Callable[[Stage], None], **options: Any):  # type: ignore[no-untyped-def]
    values: dict[str, Any] = {"actions": (SETS, action("sleep", duration=60_000))}
    values |= {"on_complete_flow_id": FIRST, "prepare": prepare, **options}
    return stage(NUMBERS[:1], **values)


def followers(s: Stage) -> list[Activeflow]:
    return [
        each for each in s.records.flow_rows.values() if each.reference_activeflow_id is not None
    ]


async def test_the_end_of_a_calls_flow_starts_another_with_its_variables(stage: Stages) -> None:
    async with on_call(stage, following(TELLS)) as s:
        (call,) = s.calls
        await s.answer(call)
        assert not followers(s)
        await s.end(call)
        (flow,) = followers(s)
        (first,) = [each for each in s.records.flow_rows.values() if each.id != flow.id]
        assert first.on_complete_flow_id == FIRST
        assert (flow.flow_id, flow.reference_type) == (FIRST, ReferenceType.API)
        assert flow.reference_activeflow_id == first.id
        assert flow.id == uuid5(first.id, "on_complete")
        assert flow.is_ended
        assert flow.variables["told"] == f"b {call}"
        assert flow.variables["voipbin.activeflow.complete_count"] == "1"
        told = json.loads(flow.variables["voipbin.flow.reference_data"])
        assert (told["type"], told["id"]) == ("activeflow", str(first.id))
        assert (told["reference_type"], told["reference_id"]) == ("call", str(call))
        assert [event for event, _ in s.records.flow_events()].count("created") == 2


async def test_without_one_nothing_starts(stage: Stages) -> None:
    async with on_call(stage, following(TELLS), on_complete_flow_id=None) as s:
        await s.answer(s.calls[0])
        await s.end(s.calls[0])
        assert len(s.records.flow_rows) == 1


async def test_followers_follow_one_another_and_end_after_five(stage: Stages) -> None:
    async with on_call(stage, following(TELLS, then=SECOND)) as s:
        s.flow_definitions.flows[SECOND] = (TELLS,)
        s.flow_definitions.followers[SECOND] = FIRST
        await s.answer(s.calls[0])
        await s.end(s.calls[0])
        await s.settle(1.0)
        counts = {each.variables["voipbin.activeflow.complete_count"] for each in followers(s)}
        assert counts == {"1", "2", "3", "4"}


async def test_a_flow_that_is_gone_is_said_in_the_history(stage: Stages) -> None:
    async with on_call(stage, lambda s: None) as s:
        await s.answer(s.calls[0])
        await s.end(s.calls[0])
        (flow,) = followers(s)
        assert flow.is_ended
        assert f"no flow {FIRST}" in flow.history[0].detail


async def test_an_end_seen_by_the_next_dialer_starts_it_too_and_only_once(stage: Stages) -> None:
    async with on_call(stage, following(TELLS)) as first:
        (call,) = first.calls
        await first.answer(call)
    before = after(first, call)

    def over(s: Stage) -> None:
        before(s)
        following(TELLS)(s)
        del s.telephony.live[call]

    async with stage((), actions=(SETS,), on_complete_flow_id=FIRST, prepare=over) as s:
        await s.end(call)
        await s.settle()
        (flow,) = followers(s)
        assert flow.variables["told"] == f"b {call}"


async def test_the_end_and_what_it_starts_are_stored_together(stage: Stages) -> None:
    async with on_call(stage, following(TELLS)) as s:
        await s.answer(s.calls[0])
        saved: list[set[UUID]] = []
        save = s.records.save

        async def noting(batch: Any) -> None:
            saved.append({each.id for each in batch.activeflows})
            await save(batch)

        s.records.save = noting
        await s.end(s.calls[0])
        (flow,) = followers(s)
        both = {flow.id, flow.reference_activeflow_id}
        assert saved[0] >= both


async def test_what_was_started_and_not_executed_goes_on_elsewhere(stage: Stages) -> None:
    async with on_call(stage, following(TELLS)) as first:
        await first.answer(first.calls[0])
        first.flow_definitions.faults.down.add("definition")
        await first.end(first.calls[0])
        (begun,) = followers(first)
        assert not begun.is_ended
    async with stage((), prepare=following(TELLS)) as s:
        s.records.flow_rows = dict(first.records.flow_rows)
        await s.system.leftovers.look()
        await s.settle()
        (flow,) = followers(s)
        assert (flow.id, flow.is_ended) == (begun.id, True)
        assert flow.variables["told"].startswith("b ")


async def test_an_activeflow_without_a_call_is_followed_as_well(stage: Stages) -> None:
    async with stage((), prepare=following(SETS, then=SECOND)) as s:
        s.flow_definitions.flows[SECOND] = (action("variable_set", key="told", value="${a}"),)
        service = DialerService(
            live=s.system.live,
            records=s.records,
            registry=s.registry,
            peers=None,  # type: ignore[arg-type]
            flows=s.flow_definitions,
            clock=s.clock,
            dialer_id="dialer-1",
        )
        made = await service.create_activeflow(
            new_id(), activeflow_id=None, flow_id=FIRST, actions=(), variables={}
        )
        assert made.is_ended
        await s.settle()
        (flow,) = followers(s)
        assert (flow.reference_activeflow_id, flow.is_ended) == (made.id, True)
        assert flow.variables["told"] == "b"
        created = [
            fact.activeflow.id
            for fact in s.records.facts
            if isinstance(fact, ActiveflowFact) and fact.event == "created"
        ]
        assert created == [made.id, flow.id]
