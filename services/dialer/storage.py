"""The dialer's tables: calls, activeflows, and who the dialers are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.common.clock import Clock
from services.common.db import statement, transaction
from services.common.errors import NotFound
from services.common.outbox import NewEvent, Outbox
from services.common.paging import Page
from services.dialer.domain.calls import Activeflow, ActiveflowFact, Call, DialerEntry
from services.dialer.ports import Batch, Fact
from services.dialer.storage_rows import (
    ACTIVEFLOW_COLUMNS,
    CALL_COLUMNS,
    RECORDING_COLUMNS,
    WEBHOOK_COLUMNS,
    activeflow_of,
    activeflow_row,
    call_of,
    call_row,
    columns,
    recording_row,
)

LIVING_SECONDS = 10


def _values(names: Mapping[str, str]) -> str:
    """A SELECT of rows given as one array per column."""
    arrays = ", ".join(
        f"CAST(:{name} AS {'text' if kind == 'jsonb' else kind}[])" for name, kind in names.items()
    )
    values = ", ".join(
        f"CAST(given.{name} AS jsonb)" if kind == "jsonb" else f"given.{name}"
        for name, kind in names.items()
    )
    return f"SELECT {values} FROM unnest({arrays}) AS given ({', '.join(names)})"


def _upsert(table: str, names: Mapping[str, str], ended: str) -> str:
    """Insert or bring forward: a row never goes back to an older revision, nor behind its end,
    however many changes a dialer has still to store that was frozen while another took over.
    """
    updates = ", ".join(f"{name} = excluded.{name}" for name in names if name != "id")
    return (
        f"INSERT INTO {table} ({', '.join(names)}) {_values(names)} "
        f"ON CONFLICT (id) DO UPDATE SET {updates} "
        f"WHERE {table}.revision < excluded.revision AND NOT ({ended})"
    )


_SAVE_CALLS = _upsert("calls", CALL_COLUMNS, "calls.status = 'hangup'")
_SAVE_ACTIVEFLOWS = _upsert("activeflows", ACTIVEFLOW_COLUMNS, "activeflows.is_ended")
_CREATE_ACTIVEFLOW = (
    f"INSERT INTO activeflows ({', '.join(ACTIVEFLOW_COLUMNS)}) {_values(ACTIVEFLOW_COLUMNS)} "
    "ON CONFLICT (id) DO NOTHING RETURNING id"
)
# One that failed for want of a file may have been told of it late.
_SAVE_RECORDINGS = _upsert(
    "recordings",
    RECORDING_COLUMNS,
    "recordings.status = 'ended' OR recordings.tm_delete IS NOT NULL",
)
_SAVE_WEBHOOKS = (
    f"INSERT INTO webhooks ({', '.join(WEBHOOK_COLUMNS)}) {_values(WEBHOOK_COLUMNS)} "
    "ON CONFLICT (id) DO NOTHING"
)
_CALL_LIST = ", ".join(CALL_COLUMNS)
_ACTIVEFLOW_LIST = ", ".join((*ACTIVEFLOW_COLUMNS, "tm_delete"))

_CALL = f"SELECT {_CALL_LIST} FROM calls WHERE id = :id"
_CALLS_FIRST = f"""
SELECT {_CALL_LIST} FROM calls WHERE customer_id = :customer_id
ORDER BY tm_create DESC, id DESC LIMIT :limit
"""
_CALLS_BEFORE = f"""
SELECT {_CALL_LIST} FROM calls
WHERE customer_id = :customer_id AND (tm_create, id) < (:tm, :before)
ORDER BY tm_create DESC, id DESC LIMIT :limit
"""
_UNFINISHED = f"""
SELECT {_CALL_LIST} FROM calls WHERE campaign_id = :campaign_id AND status <> 'hangup'
UNION
SELECT {_CALL_LIST} FROM calls WHERE id = ANY(CAST(:ids AS uuid[]))
"""
_UNHELD = """
SELECT id FROM calls WHERE status <> 'hangup' AND dialer_id <> ALL(CAST(:others AS text[]))
UNION
SELECT reference_id FROM activeflows
WHERE NOT is_ended AND reference_id IS NOT NULL AND dialer_id <> ALL(CAST(:others AS text[]))
"""
_CALLS_BY_ID = f"SELECT {_CALL_LIST} FROM calls WHERE id = ANY(CAST(:ids AS uuid[]))"
_ACTIVEFLOWS_OF_CALLS = f"""
SELECT {_ACTIVEFLOW_LIST} FROM activeflows
WHERE NOT is_ended AND reference_id = ANY(CAST(:ids AS uuid[]))
"""
_ACTIVEFLOW = f"SELECT {_ACTIVEFLOW_LIST} FROM activeflows WHERE id = :id"
_ACTIVEFLOWS_BY_ID = f"""
SELECT {_ACTIVEFLOW_LIST} FROM activeflows WHERE id = ANY(CAST(:ids AS uuid[]))
"""
_ACTIVEFLOWS_FIRST = f"""
SELECT {_ACTIVEFLOW_LIST} FROM activeflows
WHERE customer_id = :customer_id AND tm_delete IS NULL
ORDER BY tm_create DESC, id DESC LIMIT :limit
"""
_ACTIVEFLOWS_BEFORE = f"""
SELECT {_ACTIVEFLOW_LIST} FROM activeflows
WHERE customer_id = :customer_id AND tm_delete IS NULL AND (tm_create, id) < (:tm, :before)
ORDER BY tm_create DESC, id DESC LIMIT :limit
"""
_DELETE_ACTIVEFLOW = f"""
UPDATE activeflows SET tm_delete = :now, tm_update = :now, revision = revision + 1
WHERE id = :id AND tm_delete IS NULL RETURNING {_ACTIVEFLOW_LIST}
"""
_TAKE_WITHOUT_CALL = f"""
UPDATE activeflows SET dialer_id = :dialer, revision = revision + 1
WHERE id IN (
    SELECT id FROM activeflows
    WHERE NOT is_ended AND reference_id IS NULL
      AND dialer_id <> ALL(CAST(:others AS text[])) AND id <> ALL(CAST(:besides AS uuid[]))
    FOR UPDATE SKIP LOCKED
)
RETURNING {_ACTIVEFLOW_LIST}
"""
_BEAT = """
INSERT INTO dialers (id, address, beaten_at) VALUES (:id, :address, clock_timestamp())
ON CONFLICT (id) DO UPDATE SET address = excluded.address, beaten_at = excluded.beaten_at
"""
_LEAVE = "DELETE FROM dialers WHERE id = :id"
_LIVING = """
SELECT id, address FROM dialers
WHERE beaten_at > clock_timestamp() - make_interval(secs => :seconds) ORDER BY id
"""


class PostgresRecords:
    """See ports.Records. `to_event` turns a fact into what the outbox takes."""

    def __init__(
        self,
        engine: AsyncEngine,
        outbox: Outbox,
        clock: Clock,
        to_event: Callable[[Fact], NewEvent],
    ) -> None:
        self._engine = engine
        self._outbox = outbox
        self._clock = clock
        self._to_event = to_event

    async def save(self, batch: Batch) -> None:
        """See Records."""
        async with transaction(self._engine) as conn:
            await self._write(conn, batch)

    async def create(self, batch: Batch) -> bool:
        """See Records."""
        first, *following = batch.activeflows
        row = columns([activeflow_row(first)], ACTIVEFLOW_COLUMNS)
        async with transaction(self._engine) as conn:
            made = await conn.execute(statement(_CREATE_ACTIVEFLOW), row)
            if made.first() is None:
                return False
            await self._write(conn, replace(batch, activeflows=following))
        return True

    async def call(self, call_id: UUID) -> Call | None:
        """See Records."""
        rows = await self._select(_CALL, {"id": call_id})
        return call_of(rows[0]) if rows else None

    async def calls(self, customer_id: UUID, page: Page) -> list[Call]:
        """See Records."""
        rows = await self._page(_CALLS_FIRST, _CALLS_BEFORE, customer_id, page)
        return [call_of(row) for row in rows]

    async def activeflow(self, activeflow_id: UUID) -> Activeflow | None:
        """See Records."""
        rows = await self._select(_ACTIVEFLOW, {"id": activeflow_id})
        return activeflow_of(rows[0]) if rows else None

    async def activeflows(self, customer_id: UUID, page: Page) -> list[Activeflow]:
        """See Records."""
        rows = await self._page(_ACTIVEFLOWS_FIRST, _ACTIVEFLOWS_BEFORE, customer_id, page)
        return [activeflow_of(row) for row in rows]

    async def delete_activeflow(self, activeflow_id: UUID) -> Activeflow:
        """See Records."""
        parameters = {"id": activeflow_id, "now": self._clock.now()}
        async with transaction(self._engine) as conn:
            result = await conn.execute(statement(_DELETE_ACTIVEFLOW), parameters)
            row = result.mappings().first()
            if row is not None:
                deleted = activeflow_of(dict(row))
                fact = ActiveflowFact("deleted", deleted)
                await self._outbox.append(conn, [self._to_event(fact)])
                return deleted
        found = await self.activeflow(activeflow_id)
        if found is None:
            raise NotFound(f"no activeflow {activeflow_id}", reason="ACTIVEFLOW_NOT_FOUND")
        return found

    async def unfinished(
        self, campaign_id: UUID, call_ids: Collection[UUID] = ()
    ) -> list[tuple[Call, Activeflow | None]]:
        """See Records."""
        wanted = {"campaign_id": campaign_id, "ids": list(call_ids)}
        async with transaction(self._engine) as conn:
            result = await conn.execute(statement(_UNFINISHED), wanted)
            calls = [call_of(dict(row)) for row in result.mappings()]
            ids = [call.activeflow_id for call in calls if call.activeflow_id is not None]
            found = await conn.execute(statement(_ACTIVEFLOWS_BY_ID), {"ids": ids})
            flows = {row["id"]: activeflow_of(dict(row)) for row in found.mappings()}
        return [(call, flows.get(call.activeflow_id or call.id)) for call in calls]

    async def unheld(self, others: Collection[str]) -> list[UUID]:
        """See Records."""
        return [row["id"] for row in await self._select(_UNHELD, {"others": list(others)})]

    async def of_calls(self, call_ids: Collection[UUID]) -> tuple[list[Call], list[Activeflow]]:
        """See Records."""
        ids = {"ids": list(call_ids)}
        calls = await self._select(_CALLS_BY_ID, ids)
        activeflows = await self._select(_ACTIVEFLOWS_OF_CALLS, ids)
        return [call_of(row) for row in calls], [activeflow_of(row) for row in activeflows]

    async def take_without_call(
        self, dialer_id: str, others: Collection[str], besides: Collection[UUID]
    ) -> list[Activeflow]:
        """See Records."""
        values = {"dialer": dialer_id, "others": list(others), "besides": list(besides)}
        return [activeflow_of(row) for row in await self._select(_TAKE_WITHOUT_CALL, values)]

    async def _write(self, conn: AsyncConnection, batch: Batch) -> None:
        flows, recordings = batch.activeflows, batch.recordings
        # In the order of the ids, so that two dialers writing the same rows cannot deadlock.
        await _save(conn, _SAVE_CALLS, CALL_COLUMNS, map(call_row, batch.calls))
        await _save(conn, _SAVE_ACTIVEFLOWS, ACTIVEFLOW_COLUMNS, map(activeflow_row, flows))
        await _save(conn, _SAVE_RECORDINGS, RECORDING_COLUMNS, map(recording_row, recordings))
        await _save(conn, _SAVE_WEBHOOKS, WEBHOOK_COLUMNS, map(asdict, batch.webhooks))
        await self._outbox.append(conn, [self._to_event(fact) for fact in batch.facts])

    async def _select(self, sql: str, parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        async with transaction(self._engine) as conn:
            result = await conn.execute(statement(sql), parameters)
            return [dict(row) for row in result.mappings()]

    async def _page(
        self, first: str, before: str, customer_id: UUID, page: Page
    ) -> list[Mapping[str, Any]]:
        parameters: dict[str, Any] = {"customer_id": customer_id, "limit": page.size + 1}
        if page.before is None:
            return await self._select(first, parameters)
        tm, row_id = page.before.key
        return await self._select(before, {**parameters, "tm": tm, "before": row_id})


class PostgresRegistry:
    """See ports.Registry."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def beat(self, entry: DialerEntry) -> None:
        """See Registry."""
        await self._execute(_BEAT, {"id": entry.dialer_id, "address": entry.address})

    async def leave(self, dialer_id: str) -> None:
        """See Registry."""
        await self._execute(_LEAVE, {"id": dialer_id})

    async def living(self) -> list[DialerEntry]:
        """See Registry."""
        async with transaction(self._engine) as conn:
            result = await conn.execute(statement(_LIVING), {"seconds": LIVING_SECONDS})
            return [DialerEntry(row["id"], row["address"]) for row in result.mappings()]

    async def _execute(self, sql: str, parameters: Mapping[str, Any]) -> None:
        async with transaction(self._engine) as conn:
            await conn.execute(statement(sql), parameters)


async def _save(
    conn: AsyncConnection,
    sql: str,
    names: Mapping[str, str],
    rows: Iterable[Mapping[str, Any]],
) -> None:
    listed = sorted(rows, key=lambda row: str(row["id"]))
    if listed:
        await conn.execute(statement(sql), columns(listed, names))
