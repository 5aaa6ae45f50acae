"""The outdial service's ports on PostgreSQL: what their docstrings promise, with two transactions open."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.common import db
from services.common.address import Address
from services.common.ids import new_id
from services.common.paging import Cursor, Page
from services.outdial.domain import (
    Delta,
    Outdial,
    Plan,
    Status,
    Target,
    delta,
    slot_with_tries,
)
from services.outdial.domain_imports import (
    Duplicates,
    Import,
    ImportState,
    Position,
    Reject,
    Row,
)
from services.outdial.ports import Begin, Taken
from services.outdial.storage import begin, check
from tests.fixtures.postgres import DatabaseFactory
from tests.integration.outdial.world import RecordedEvents

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CUSTOMER = new_id()
PLAN = Plan((3, 3, 3, 3, 3), frozenset({"tel", "sip"}))
START = Position(0, b"start", 1, None, 0, 0)


@pytest.fixture
async def engine(database: DatabaseFactory) -> AsyncIterator[AsyncEngine]:
    engine = db.create_engine(database("outdial"), "outdial")
    yield engine
    await engine.dispose()


@pytest.fixture
def open_transaction(engine: AsyncEngine) -> Begin:
    return begin(engine, lambda: RecordedEvents())


async def make_outdial(open_transaction: Begin) -> UUID:
    outdial = Outdial(new_id(), CUSTOMER, new_id(), "", "", "", 1, NOW)
    async with open_transaction() as tx:
        assert await tx.outdials.add(outdial, b"digest")
    return outdial.id


def make_target(outdial_id: UUID, **members: Any) -> Target:
    values: dict[str, Any] = {
        "id": new_id(),
        "outdial_id": outdial_id,
        "customer_id": CUSTOMER,
        "name": "",
        "detail": "",
        "data": "",
        "destinations": (Address("tel", "+15550000001"), None, None, None, None),
        "tm_create": NOW,
        "tm_update": NOW,
        "tm_next_try": NOW,
    }
    return Target(**(values | members))


async def add(open_transaction: Begin, targets: Sequence[Target]) -> None:
    async with open_transaction() as tx:
        assert await tx.targets.add(targets, {}) == {}
        await tx.dialing.apply({targets[0].outdial_id: delta((None, each) for each in targets)})


async def take(
    open_transaction: Begin, outdial_id: UUID, count: int, *, plan: Plan = PLAN, **members: Any
) -> Taken:
    values: dict[str, Any] = {
        "claim_id": new_id(),
        "now": NOW,
        "window": count,
        "exhaust_limit": 1000,
        "expiry": timedelta(seconds=30),
    }
    async with open_transaction() as tx:
        state = await tx.dialing.lock(outdial_id)
        assert state is not None
        attempts = [new_id() for _ in range(count)]
        return await tx.dialing.take(
            state=state, attempt_ids=attempts, plan=plan, **(values | members)
        )


async def test_check_passes_on_a_migrated_schema(engine: AsyncEngine) -> None:
    await check(engine)


async def test_claim_chooses_the_slot_the_rules_choose(open_transaction: Begin) -> None:
    outdial_id = await make_outdial(open_transaction)
    chance = random.Random(3)
    places = [
        None,
        Address("tel", "+15550000001", name="Ann"),
        Address("sip", "a@example.com"),
        Address("email", "a@example.com"),
        Address("", "some-id"),
    ]
    plan = Plan((2, 1, 3, 0, 2), frozenset({"tel", "sip"}))
    targets = [
        make_target(
            outdial_id,
            destinations=tuple(chance.choice(places) for _ in range(5)),
            try_counts=tuple(chance.randrange(4) for _ in range(5)),
        )
        for _ in range(400)
    ]
    await add(open_transaction, targets)
    taken = await take(open_transaction, outdial_id, 400, plan=plan)
    expected = {
        each.id: slot_with_tries(
            each.destinations, each.try_counts, plan.max_try_counts, plan.address_types
        )
        for each in targets
    }
    claimed = {each.target_id: each.slot for each in taken.claimed}
    assert claimed == {key: slot for key, slot in expected.items() if slot is not None}
    assert set(taken.exhausted_ids) == expected.keys() - claimed.keys()
    by_id = {each.id: each for each in targets}
    for each in taken.claimed:
        before = by_id[each.target_id]
        assert each.try_count == before.try_counts[each.slot] + 1
        assert each.destination == before.destinations[each.slot]


async def test_claim_orders_by_due_time_and_reports_the_next_one(open_transaction: Begin) -> None:
    outdial_id = await make_outdial(open_transaction)
    dues = [NOW - timedelta(seconds=each) for each in (5, 90, 30)] + [NOW + timedelta(seconds=9)]
    targets = [make_target(outdial_id, tm_next_try=due) for due in dues]
    await add(open_transaction, targets)
    first = await take(open_transaction, outdial_id, 2)
    assert [each.target_id for each in first.claimed] == [targets[1].id, targets[2].id]
    assert first.is_full
    assert first.progress.tm_next_due == dues[0]
    second = await take(open_transaction, outdial_id, 2)
    assert [each.target_id for each in second.claimed] == [targets[0].id]
    assert not second.is_full
    assert second.progress.tm_next_due == dues[3]


async def test_window_and_limits_bound_what_a_round_does(open_transaction: Begin) -> None:
    outdial_id = await make_outdial(open_transaction)
    mail = (Address("email", "a@example.com"), None, None, None, None)
    await add(open_transaction, [make_target(outdial_id, destinations=mail) for _ in range(5)])
    await add(open_transaction, [make_target(outdial_id) for _ in range(5)])
    taken = await take(open_transaction, outdial_id, 2, window=10, exhaust_limit=3)
    assert (len(taken.claimed), len(taken.exhausted_ids)) == (2, 3)
    assert (taken.progress.idle, taken.progress.progressing, taken.progress.fail) == (5, 2, 3)


async def test_locked_targets_are_skipped(open_transaction: Begin) -> None:
    outdial_id = await make_outdial(open_transaction)
    targets = [make_target(outdial_id) for _ in range(3)]
    await add(open_transaction, targets)
    async with open_transaction() as editing:
        await editing.targets.lock([targets[0].id])
        taken = await take(open_transaction, outdial_id, 3)
    assert {each.target_id for each in taken.claimed} == {each.id for each in targets[1:]}
    assert taken.progress.tm_next_due == NOW


async def test_expired_claims_are_shared_between_replicas(open_transaction: Begin) -> None:
    outdial_id = await make_outdial(open_transaction)
    await add(open_transaction, [make_target(outdial_id) for _ in range(4)])
    for _ in range(4):
        await take(open_transaction, outdial_id, 1, expiry=timedelta(seconds=-1))
    again = timedelta(minutes=1)
    async with open_transaction() as one, open_transaction() as other:
        first = await one.dialing.expired(3, again)
        second = await other.dialing.expired(3, again)
        assert (first.claim_count, second.claim_count) == (3, 1)
        assert first.attempts.keys().isdisjoint(second.attempts.keys())
    async with open_transaction() as tx:
        assert (await tx.dialing.expired(3, again)).claim_count == 0


async def test_lists_merge_the_statuses_in_order(open_transaction: Begin) -> None:
    outdial_id = await make_outdial(open_transaction)
    targets = [
        make_target(outdial_id, tm_create=NOW + timedelta(microseconds=number // 2))
        for number in range(20)
    ]
    await add(open_transaction, targets)
    await take(open_transaction, outdial_id, 7)
    expected = sorted(targets, key=lambda each: (each.tm_create, each.id), reverse=True)
    seen: list[Target] = []
    before: Cursor | None = None
    async with open_transaction() as tx:
        while page := (await tx.targets.list(outdial_id, Page(3, before), None))[:3]:
            seen += page
            before = Cursor(page[-1].tm_create, page[-1].id)
        assert [each.id for each in seen] == [each.id for each in expected]
        idle = await tx.targets.list(outdial_id, Page(100), Status.IDLE)
        assert len(idle) == 13


async def test_attempts_are_locked_only_while_they_progress(open_transaction: Begin) -> None:
    outdial_id = await make_outdial(open_transaction)
    await add(open_transaction, [make_target(outdial_id) for _ in range(2)])
    (one, other) = (await take(open_transaction, outdial_id, 2)).claimed
    async with open_transaction() as tx:
        found = await tx.targets.lock_attempts({one.attempt_id: None, new_id(): None})
        assert [each.id for each in found] == [one.target_id]
        # The wrong target for the attempt is no match.
        crossed = {one.attempt_id: other.target_id, other.attempt_id: other.target_id}
        found = await tx.targets.lock_attempts(crossed)
        assert [each.id for each in found] == [other.target_id]


async def test_counters_cannot_become_wrong_in_silence(open_transaction: Begin) -> None:
    outdial_id = await make_outdial(open_transaction)
    with pytest.raises(Exception, match="outdial_counters_not_negative"):
        async with open_transaction() as tx:
            await tx.dialing.apply({outdial_id: Delta(idle=-1)})


# -- Imports ---------------------------------------------------------------------------------------


def make_import(outdial_id: UUID) -> Import:
    return Import(
        id=new_id(),
        outdial_id=outdial_id,
        customer_id=CUSTOMER,
        state=ImportState.RECEIVING,
        position=START,
        accepted_count=0,
        duplicate_count=0,
        tm_create=NOW,
        tm_end=None,
        session=1,
        options={"format": "csv"},
    )


def make_row(line: int, number: int | None = None) -> Row:
    address = f"+1555{line if number is None else number:07d}"
    json = f'{{"type":"tel","target":"{address}"}}'
    return Row(line, f"tel:{address}", 0, [json, None, None, None, None], "", "", "")


async def test_only_the_latest_session_may_add(open_transaction: Begin) -> None:
    wanted = make_import(await make_outdial(open_transaction))
    part = Position(10, b"ten", 3, ("phone",), 2, 1)
    rejects = [Reject(3, "phone", "x", "no")]
    async with open_transaction() as tx:
        first = await tx.imports.begin(wanted)
        assert await tx.imports.add(wanted.id, first.session, part, [make_row(2)], rejects)
    async with open_transaction() as tx:
        second = await tx.imports.begin(wanted)
    assert (second.session, second.position) == (first.session + 1, part)
    async with open_transaction() as tx:
        assert not await tx.imports.add(wanted.id, first.session, part, [make_row(9)], [])
        assert await tx.imports.lock(wanted.id, first.session) is None
        assert await tx.imports.lock(wanted.id, second.session) is not None
        found = await tx.imports.get(wanted.id)
        assert found is not None
        assert found.rejects == rejects


async def test_rows_become_targets_in_one_transaction(open_transaction: Begin) -> None:
    outdial_id = await make_outdial(open_transaction)
    wanted = make_import(outdial_id)
    part = Position(10, b"ten", 5, ("phone",), 3, 0)
    rows = [make_row(2), make_row(3), make_row(4, number=2)]
    async with open_transaction() as tx:
        begun = await tx.imports.begin(wanted)
        assert await tx.imports.add(wanted.id, begun.session, part, rows, [])
    async with open_transaction() as tx:
        columns = ["phone", "", "", "", ""]
        assert await tx.imports.close_duplicates(begun, Duplicates.REJECT, columns) == 1
        assert await tx.imports.make_targets(begun, NOW) == 2
        async with open_transaction() as other:
            assert await other.targets.list(outdial_id, Page(100), None) == []
    async with open_transaction() as tx:
        made = await tx.targets.list(outdial_id, Page(100), None)
        assert [each.tm_next_try for each in made] == [
            NOW + timedelta(microseconds=3),
            NOW + timedelta(microseconds=2),
        ]
        assert await tx.imports.rejects(wanted.id, 0, 10) == [
            Reject(4, "phone", "+15550000002", "line 2 has this address")
        ]
