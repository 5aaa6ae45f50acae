"""The dialer's tables and their stand-ins in memory keep the same promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.common import db
from services.common.actions import Action
from services.common.address import Address
from services.common.bus import Bus
from services.common.clock import ManualClock, SystemClock
from services.common.errors import NotFound
from services.common.ids import new_id
from services.common.outbox import Outbox, Relay
from services.common.paging import Page, cut, page_request
from services.dialer.conversations.flow_run import restore
from services.dialer.conversations.journal import Journal
from services.dialer.domain.calls import (
    Activeflow,
    ActiveflowFact,
    Call,
    CallFact,
    CallStatus,
    DialerEntry,
    ReferenceType,
    Step,
    StepOutcome,
)
from services.dialer.domain.cursors import AgentWait, Cursor, Detection, Frame, Keys, OpenRecording
from services.dialer.events import to_event
from services.dialer.ports import Batch, Records
from services.dialer.storage import PostgresRecords, PostgresRegistry
from tests.fixtures.postgres import DatabaseFactory
from tests.unit.dialer.fakes import START
from tests.unit.dialer.memory import MemoryRecords

ME = new_id()


@pytest.fixture
async def engine(database: DatabaseFactory) -> AsyncIterator[AsyncEngine]:
    engine = db.create_engine(database("dialer"), "dialer")
    yield engine
    await engine.dispose()


@pytest.fixture
def postgres(engine: AsyncEngine, nats_bus: Bus) -> PostgresRecords:
    clock = ManualClock(START)
    relay = Relay(engine, nats_bus, "dialer")
    return PostgresRecords(engine, Outbox(clock, relay), clock, to_event)


@pytest.fixture
async def nats_bus() -> AsyncIterator[Bus]:
    """A bus without a server: events stay in the outbox."""
    bus = Bus("nats://127.0.0.1:1", "", "test")
    yield bus
    await bus.close()


@pytest.fixture(params=["memory", "postgres"])
def records(request: pytest.FixtureRequest, postgres: PostgresRecords) -> Records:
    return postgres if request.param == "postgres" else MemoryRecords()


def make_call(number: int = 0, **changes: object) -> Call:
    call = Call(
        id=new_id(),
        customer_id=ME,
        campaign_id=new_id(),
        activeflow_id=None,
        status=CallStatus.PROGRESSING,
        source=Address("tel", "+15550000000", "Acme", "line", "d"),
        destination=Address("tel", "+19990000001"),
        hangup_reason="",
        hangup_by="",
        queuecall_id=new_id(),
        agent_id=None,
        dialer_id="dialer-1",
        revision=1,
        tm_create=START + timedelta(seconds=number),
        tm_progressing=START,
        tm_hangup=None,
        tm_update=START,
    )
    return replace(call, **changes)  # type: ignore[arg-type]


def make_flow(number: int = 0, **changes: object) -> Activeflow:
    flow = Activeflow(
        id=new_id(),
        customer_id=ME,
        campaign_id=new_id(),
        flow_id=new_id(),
        reference_type=ReferenceType.CALL,
        reference_id=new_id(),
        is_ended=False,
        actions=(
            Action("talk", {"text": "hé ${x}", "deep": [{"a": None}, 1.5, True]}, id=new_id()),
            Action("stop", {}, next_id=new_id()),
        ),
        cursor=Cursor(
            position=1,
            executions=7,
            loops={"1": 2},
            wake_at=START + timedelta(microseconds=1),
            queuecall_id=new_id(),
            queue_id=new_id(),
            agent_id=new_id(),
            agent_legs=(new_id(), new_id()),
            frames=(Frame((Action("play", {"stream_urls": ["a"]}, id=new_id()),), 1, {"0": 3}),),
            keys=Keys(7, True, "12", "34"),
            recordings=(
                OpenRecording(new_id(), "wav", START, 3, is_stopping=True),
                OpenRecording(new_id(), "wav", START, 5),
            ),
            detection=Detection(True, 4),
            agent_wait=AgentWait(START, tm_abandon=START + timedelta(seconds=2)),
            records_service=True,
        ),
        history=(Step(new_id(), "talk", StepOutcome.FAILED, "why", START, 7),),
        variables={"a": "1", "voipbin.call.id": "x"},
        given_variables={"a": "0"},
        create_digest="digest",
        on_complete_flow_id=new_id(),
        reference_activeflow_id=new_id(),
        dialer_id="dialer-1",
        revision=1,
        tm_create=START + timedelta(seconds=number),
        tm_update=START,
    )
    return replace(flow, **changes)  # type: ignore[arg-type]


async def test_what_is_saved_comes_back_whole(records: Records) -> None:
    call, flow = make_call(), make_flow()
    await records.save(Batch([call], [flow]))
    assert await records.call(call.id) == call
    assert await records.activeflow(flow.id) == flow
    assert await records.call(new_id()) is None
    assert await records.activeflow(new_id()) is None


async def test_a_row_never_goes_back(records: Records) -> None:
    call, flow = make_call(revision=3), make_flow(revision=3)
    await records.save(Batch([call], [flow]))
    for revision in (1, 2, 3):
        await records.save(
            Batch(
                [replace(call, revision=revision, hangup_by="late")],
                [replace(flow, revision=revision, is_ended=True)],
            )
        )
    assert await records.call(call.id) == call
    assert await records.activeflow(flow.id) == flow
    newer = replace(call, revision=4, status=CallStatus.HANGUP, tm_hangup=START)
    await records.save(Batch([newer]))
    assert await records.call(call.id) == newer


async def test_lists_are_newest_first_one_customers_and_paged(records: Records) -> None:
    calls = [make_call(n) for n in range(5)]
    flows = [make_flow(n) for n in range(5)]
    others = make_call(9, customer_id=new_id()), make_flow(9, customer_id=new_id())
    await records.save(Batch([*calls, others[0]], [*flows, others[1]]))
    page = Page(3)
    first, token = cut(await records.calls(ME, page), page)
    assert first == calls[:1:-1]
    assert token
    found, _ = cut(await records.activeflows(ME, page), page)
    assert found == flows[:1:-1]


async def test_a_deleted_activeflow_is_in_no_list_and_still_to_be_had(records: Records) -> None:
    flow = make_flow(is_ended=True)
    await records.save(Batch([], [flow]))
    deleted = await records.delete_activeflow(flow.id)
    assert deleted.tm_delete is not None
    assert deleted.revision == 2
    assert await records.activeflows(ME, Page(10)) == []
    assert (await records.activeflow(flow.id)) == deleted
    assert await records.delete_activeflow(flow.id) == deleted
    with pytest.raises(NotFound):
        await records.delete_activeflow(new_id())


async def test_a_take_over_finds_what_is_not_ended(records: Records) -> None:
    campaign_id, flow = new_id(), make_flow()
    open_call = make_call(campaign_id=campaign_id, activeflow_id=flow.id)
    machine = make_call(campaign_id=campaign_id)
    ended = make_call(campaign_id=campaign_id, status=CallStatus.HANGUP)
    await records.save(Batch([open_call, machine, ended, make_call()], [flow]))
    found: dict[UUID, Activeflow | None] = {
        call.id: activeflow for call, activeflow in await records.unfinished(campaign_id)
    }
    assert found == {open_call.id: flow, machine.id: None}


async def test_a_sweep_finds_what_no_other_dialer_has_and_is_not_ended(records: Records) -> None:
    mine, theirs = make_flow(), make_flow()
    calls = [make_call(activeflow_id=mine.id), make_call(dialer_id="dialer-2")]
    ended = make_call(status=CallStatus.HANGUP)
    mine = replace(mine, reference_id=calls[0].id)
    left = make_flow()
    left = replace(left, reference_id=ended.id)
    theirs = replace(theirs, reference_id=calls[1].id, dialer_id="dialer-2")
    await records.save(Batch([*calls, ended], [mine, left, theirs]))
    assert set(await records.unheld(["dialer-2"])) >= {calls[0].id, ended.id}
    assert calls[1].id not in await records.unheld(["dialer-2"])
    found, flows = await records.of_calls([calls[0].id, ended.id])
    assert {call.id for call in found} == {calls[0].id, ended.id}
    assert {flow.id for flow in flows} == {mine.id, left.id}


async def test_an_end_is_final_whatever_a_frozen_dialer_still_has_to_store(
    records: Records,
) -> None:
    call, flow = make_call(), make_flow()
    await records.save(Batch([call], [flow]))
    over = replace(call, status=CallStatus.HANGUP, revision=2)
    ended = replace(flow, is_ended=True, revision=2)
    await records.save(Batch([over], [ended]))
    await records.save(Batch([replace(call, revision=7)], [replace(flow, revision=7)]))
    assert await records.call(call.id) == over
    assert await records.activeflow(flow.id) == ended


async def test_a_nul_character_cannot_break_a_batch(records: Records) -> None:
    flow = make_flow(variables={"a": "x\x00y", "b": "\\u0000"})
    await records.save(Batch([], [flow, make_flow()]))
    stored = await records.activeflow(flow.id)
    assert stored is not None
    assert stored.variables["b"] == "\\u0000"


async def test_pages_behind_the_first_lose_nothing(postgres: PostgresRecords) -> None:
    same = datetime(2026, 3, 2, tzinfo=UTC)
    calls = [make_call(tm_create=same) for _ in range(7)]
    await postgres.save(Batch(calls))
    seen: list[UUID] = []
    page = Page(3)
    while True:
        rows, token = cut(await postgres.calls(ME, page), page)
        seen += [row.id for row in rows]
        if not token:
            break
        page = page_request(3, token)
    assert sorted(seen) == sorted(call.id for call in calls)


async def test_rows_and_facts_are_one_transaction(
    postgres: PostgresRecords, engine: AsyncEngine
) -> None:
    call = make_call()
    await postgres.save(Batch([call], [], [CallFact("progressing", call)]))
    broken = replace(call, revision=2)
    object.__setattr__(broken, "status", _Nonsense())
    with pytest.raises(IntegrityError):
        await postgres.save(Batch([broken], [], [CallFact("hangup", call)]))
    async with engine.connect() as conn:
        subjects = (await conn.execute(sql("SELECT subject FROM outbox"))).scalars().all()
    assert subjects == [f"outbound.v1.{ME}.call.progressing"]


async def test_the_registry_knows_who_lives(engine: AsyncEngine) -> None:
    registry = PostgresRegistry(engine)
    first, second = DialerEntry("dialer-1", "h:1"), DialerEntry("dialer-2", "h:2")
    await registry.beat(first)
    await registry.beat(second)
    moved = DialerEntry("dialer-1", "h:3")
    await registry.beat(moved)
    assert await registry.living() == [moved, second]
    await registry.leave("dialer-2")
    async with engine.begin() as conn:
        await conn.execute(sql("UPDATE dialers SET beaten_at = beaten_at - interval '11 s'"))
    assert await registry.living() == []


class _Nonsense:
    value = "no such status"


async def test_numbers_beyond_64_bits_are_read_so_that_they_can_be_written_again(
    postgres: PostgresRecords,
) -> None:
    numbers = {"a": 1e20, "b": -1e300, "c": 2**63, "d": 1.5, "e": 1e-30, "f": 3}
    flow = make_flow(actions=(Action("condition_variable", numbers),))
    await postgres.save(Batch(activeflows=[flow], facts=[ActiveflowFact("created", flow)]))
    found = await postgres.activeflow(flow.id)
    assert found is not None
    assert found.actions == flow.actions
    later = replace(found, revision=found.revision + 1)
    await postgres.save(Batch(activeflows=[later], facts=[ActiveflowFact("updated", later)]))


async def test_an_execution_that_cannot_be_stored_is_settled_beside_the_others(
    postgres: PostgresRecords,
) -> None:
    refused: list[UUID] = []
    journal = Journal(postgres, SystemClock(), on_refused=refused.append)
    good, bad = make_flow(), make_flow(actions=(Action("talk", {"text": "x", "n": 10**20}),))
    for each in (good, bad):
        journal.flow(restore(each, "dialer-1"))
    running = asyncio.create_task(journal.run())
    async with asyncio.timeout(10):
        await journal.flushed()
    running.cancel()
    assert refused == [bad.id]
    found, failed = await postgres.activeflow(good.id), await postgres.activeflow(bad.id)
    assert found is not None
    assert not found.is_ended
    assert failed is not None
    assert failed.is_ended
    assert "cannot be stored" in failed.history[-1].detail


async def test_of_two_activeflows_with_one_id_the_first_is_created(records: Records) -> None:
    first = make_flow()
    assert await records.create(Batch(activeflows=[first]))
    assert not await records.create(Batch(activeflows=[replace(first, revision=9, variables={})]))
    assert await records.activeflow(first.id) == first
