"""Transactions on a real PostgreSQL, also one that is restarted under them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.common.db import (
    after_commit,
    create_engine,
    statement,
    transaction,
    violated_constraint,
)
from services.common.errors import Aborted, Unavailable
from tests.fixtures.postgres import DatabaseFactory
from tests.support.servers import end, own_postgres, restart

TABLE = "CREATE TABLE thing (id int CONSTRAINT thing_pkey PRIMARY KEY, value int)"


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(url, "probe", **options)
    try:
        yield engine
    finally:
        await engine.dispose()


@pytest.fixture
async def engine(database: DatabaseFactory) -> AsyncIterator[AsyncEngine]:
    async with opened(database("probe")) as engine:
        async with transaction(engine) as conn:
            await conn.execute(statement(TABLE))
            await conn.execute(statement("INSERT INTO thing VALUES (1, 0), (2, 0)"))
        yield engine


async def scalar(engine: AsyncEngine, sql: str) -> Any:
    async with transaction(engine) as conn:
        return (await conn.execute(statement(sql))).scalar()


async def test_a_transaction_commits_or_rolls_back(engine: AsyncEngine) -> None:
    async def fail() -> None:
        async with transaction(engine) as conn:
            await conn.execute(statement("DELETE FROM thing"))
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert await scalar(engine, "SELECT count(*) FROM thing") == 2


async def test_connections_see_one_schema_in_utc_under_a_name(engine: AsyncEngine) -> None:
    assert await scalar(engine, "SHOW search_path") == "probe"
    assert await scalar(engine, "SHOW timezone") == "UTC"
    assert await scalar(engine, "SHOW application_name") == "outbound-probe"


async def test_a_violation_tells_its_constraint(engine: AsyncEngine) -> None:
    with pytest.raises(IntegrityError) as caught:
        async with transaction(engine) as conn:
            await conn.execute(statement("INSERT INTO thing VALUES (:id, 7)"), {"id": 1})
    assert violated_constraint(caught.value) == "thing_pkey"
    assert violated_constraint(KeyError()) is None


async def test_errors_do_not_show_values(engine: AsyncEngine) -> None:
    with pytest.raises(IntegrityError) as caught:
        async with transaction(engine) as conn:
            await conn.execute(statement("INSERT INTO thing VALUES (1, :v)"), {"v": 987654})
    assert "987654" not in str(caught.value)


async def test_a_lost_race_is_aborted(engine: AsyncEngine) -> None:
    read = "SELECT value FROM thing WHERE id = 1"
    update = statement("UPDATE thing SET value = value + 1 WHERE id = 1")

    async def lose() -> None:
        async with transaction(engine) as one:
            await one.execute(statement("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
            await one.execute(statement(read))
            async with transaction(engine) as other:
                await other.execute(update)
            await one.execute(update)

    with pytest.raises(Aborted):
        await lose()


async def test_a_deadlock_is_aborted_for_one_of_the_two(engine: AsyncEngine) -> None:
    update = statement("UPDATE thing SET value = value + 1 WHERE id = :id")
    both_hold_one = asyncio.Barrier(2)

    async def cross(first: int, second: int) -> None:
        async with transaction(engine) as conn:
            await conn.execute(statement("SET LOCAL deadlock_timeout = '20ms'"))
            await conn.execute(update, {"id": first})
            await both_hold_one.wait()
            await conn.execute(update, {"id": second})

    results = await asyncio.gather(cross(1, 2), cross(2, 1), return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["Aborted", "NoneType"]


async def test_hooks_run_after_a_commit_only_and_once(engine: AsyncEngine) -> None:
    calls: list[str] = []

    async def fail() -> None:
        async with transaction(engine) as conn:
            after_commit(conn, "a", lambda: calls.append("rolled back"))
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with transaction(engine) as conn:
        after_commit(conn, "a", lambda: calls.append("first"))
        after_commit(conn, "a", lambda: calls.append("last"))
        assert calls == []
    assert calls == ["last"]
    async with transaction(engine) as conn:
        pass
    assert calls == ["last"]


async def test_a_failing_hook_does_not_undo_the_commit(engine: AsyncEngine) -> None:
    calls: list[str] = []

    def fail() -> None:
        raise RuntimeError("hook")

    async with transaction(engine) as conn:
        await conn.execute(statement("DELETE FROM thing WHERE id = 2"))
        after_commit(conn, "a", fail)
        after_commit(conn, "b", lambda: calls.append("b"))
    assert await scalar(engine, "SELECT count(*) FROM thing") == 1
    assert calls == ["b"]


async def test_no_connection_left_is_unavailable(
    database: DatabaseFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.common.db._CHECKOUT_SECONDS", 0.05)
    async with opened(database("probe"), pool_size=1, max_overflow=0) as engine:
        async with transaction(engine):
            with pytest.raises(Unavailable, match="busy"):
                await scalar(engine, "SELECT 1")
        assert await scalar(engine, "SELECT 1") == 1


async def test_a_killed_session_is_unavailable_within_and_healed_after(
    database: DatabaseFactory,
) -> None:
    url = database("probe")

    async def lose_it_within(engine: AsyncEngine, other: AsyncEngine) -> None:
        async with transaction(engine) as conn:
            pid = (await conn.execute(statement("SELECT pg_backend_pid()"))).scalar()
            await scalar(other, f"SELECT pg_terminate_backend({pid}, 5000)")
            await conn.execute(statement("SELECT 1"))

    async with opened(url, pool_size=1, max_overflow=0) as engine, opened(url) as other:
        with pytest.raises(Unavailable):
            await lose_it_within(engine, other)
        assert await scalar(engine, "SELECT 1") == 1
        # Killed while idle in the pool: nobody ever notices.
        pid = await scalar(engine, "SELECT pg_backend_pid()")
        await scalar(other, f"SELECT pg_terminate_backend({pid}, 5000)")
        assert await scalar(engine, "SELECT 1") == 1


async def test_a_restart_of_the_server_heals_by_itself() -> None:
    with own_postgres() as server:
        async with opened(server.url()) as engine:
            assert await scalar(engine, "SELECT 1") == 1
            await end(server)
            with pytest.raises(Unavailable):
                await scalar(engine, "SELECT 1")
            await asyncio.to_thread(server.start)
            results = await asyncio.gather(*(scalar(engine, "SELECT 1") for _ in range(8)))
            assert results == [1] * 8


async def test_a_restart_between_two_transactions_goes_unnoticed() -> None:
    with own_postgres() as server:
        async with opened(server.url()) as engine:
            await asyncio.gather(*(scalar(engine, "SELECT pg_sleep(0.01)") for _ in range(4)))
            await restart(server)
            # Stale connections are replaced at checkout: no error in between.
            assert await scalar(engine, "SELECT 1") == 1
