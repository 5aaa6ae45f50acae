"""Slots: the same promises from PostgreSQL and from memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import pytest
from sqlalchemy import text as sql

from services.common import db
from services.common.clock import boot_seconds
from services.common.ids import new_id
from services.dialer.domain.slots import LEASE_SECONDS
from services.dialer.ports import Slots
from services.dialer.storage_slots import PostgresSlots
from tests.fixtures.postgres import DatabaseFactory
from tests.unit.dialer.memory import MemorySlots


class Table(Protocol):
    """Slots whose leases can be made to run out."""

    slots: Slots

    async def wait_out(self, slot: int) -> None: ...


class MemoryTable:
    def __init__(self) -> None:
        self.memory = MemorySlots()
        self.slots: Slots = self.memory

    async def wait_out(self, slot: int) -> None:
        self.memory.leases[slot].until = boot_seconds() - 1


class PostgresTable:
    def __init__(self, url: str) -> None:
        self.engine = db.create_engine(url, "dialer")
        self.slots: Slots = PostgresSlots(self.engine)

    async def wait_out(self, slot: int) -> None:
        past = (
            "UPDATE slots SET leased_until = clock_timestamp() - interval '1 s' WHERE slot = :slot"
        )
        async with self.engine.begin() as conn:
            await conn.execute(sql(past), {"slot": slot})


@pytest.fixture(params=["memory", "postgres"])
async def table(request: pytest.FixtureRequest) -> AsyncIterator[Table]:
    if request.param == "memory":
        yield MemoryTable()
        return
    database: DatabaseFactory = request.getfixturevalue("database")
    made = PostgresTable(database("dialer"))
    yield made
    await made.engine.dispose()


async def test_a_dialer_gets_the_lowest_free_slot(table: Table) -> None:
    slots = table.slots
    assert await slots.acquire("d1", new_id()) == 1
    assert await slots.acquire("d2", new_id()) == 2
    await table.wait_out(1)
    assert await slots.acquire("d3", new_id()) == 1


async def test_dialers_that_start_together_get_different_slots(table: Table) -> None:
    got = await asyncio.gather(*(table.slots.acquire(f"d{n}", new_id()) for n in range(6)))
    assert sorted(slot or 0 for slot in got) == [1, 2, 3, 4, 5, 6]


async def test_a_restarted_dialer_takes_its_own_slot_from_its_former_process(table: Table) -> None:
    slots, before, after = table.slots, new_id(), new_id()
    await slots.acquire("d1", new_id())
    assert await slots.acquire("d2", before) == 2
    assert await slots.acquire("d2", after) == 2
    assert (await slots.renew(before)).held == frozenset()
    assert (await slots.renew(after)).held == {2}


async def test_a_living_slot_is_not_taken_and_a_dead_one_is(table: Table) -> None:
    slots, second = table.slots, new_id()
    await slots.acquire("d1", new_id())
    assert await slots.acquire("d2", second) == 2
    assert not await slots.take(1, "d2", second)
    await table.wait_out(1)
    assert await slots.take(1, "d2", second)
    assert (await slots.renew(second)).held == {1, 2}
    assert [holder.dialer_id for holder in await slots.holders()] == ["d2", "d2"]


async def test_a_lease_that_ran_out_is_renewed_as_long_as_nobody_took_it(table: Table) -> None:
    slots, first, second = table.slots, new_id(), new_id()
    await slots.acquire("d1", first)
    await table.wait_out(1)
    assert (await slots.renew(first)).held == {1}
    await table.wait_out(1)
    await slots.acquire("d2", second)
    assert (await slots.renew(first)).held == frozenset()


async def test_what_is_given_back_is_free_and_remembers_its_last_holder(table: Table) -> None:
    slots, first, second = table.slots, new_id(), new_id()
    await slots.acquire("d1", first)
    await slots.acquire("d2", second)
    await slots.release(first)
    (one, two) = await slots.holders()
    assert (one.dialer_id, one.is_living) == ("d1", False)
    assert (two.dialer_id, two.is_living) == ("d2", True)
    assert (await slots.renew(second)).dialers == 1
    assert await slots.take(1, "d2", second)
    await slots.release(second, 1)
    assert (await slots.renew(second)).held == {2}


def test_a_lease_outlives_some_lost_renewals() -> None:
    assert LEASE_SECONDS >= 5
