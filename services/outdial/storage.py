"""Outdials in PostgreSQL, and the transaction that all use cases run in.

Lock order, kept by every transaction: an outdial's row, then targets in order of id, then the counters
in order of outdial id. A claim locks the counters first and skips every target that is locked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.common import db
from services.common.db import statement
from services.common.paging import Page
from services.outdial.domain import Outdial
from services.outdial.ports import Events, Transaction
from services.outdial.storage_claims import PostgresDialing
from services.outdial.storage_imports import PostgresImports
from services.outdial.storage_rows import OUTDIAL_COLUMNS, outdial
from services.outdial.storage_targets import PostgresTargets

_CHECK = "SELECT FROM outdial_counters LIMIT 1"
_ADD = f"""
INSERT INTO outdials ({OUTDIAL_COLUMNS}, create_digest)
VALUES (:id, :customer_id, :campaign_id, :name, :detail, :data, :revision,
        :tm_create, :tm_update, :tm_delete, :digest)
ON CONFLICT ON CONSTRAINT outdials_pkey DO NOTHING
"""
_ADD_COUNTERS = "INSERT INTO outdial_counters (outdial_id) VALUES (:id)"
_DIGEST = "SELECT create_digest FROM outdials WHERE id = :id"
_GET = f"SELECT {OUTDIAL_COLUMNS} FROM outdials WHERE id = :id"
_SAVE = """
UPDATE outdials
SET campaign_id = :campaign_id, name = :name, detail = :detail, data = :data, revision = :revision,
    tm_update = :tm_update, tm_delete = :tm_delete
WHERE id = :id
"""
_LIST = f"""
SELECT {OUTDIAL_COLUMNS} FROM outdials
WHERE customer_id = :customer_id AND tm_delete IS NULL AND (tm_create, id) < (:tm, :before_id)
ORDER BY tm_create DESC, id DESC
LIMIT :limit
"""


class PostgresOutdials:
    """See ports.Outdials."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, outdial: Outdial, digest: bytes) -> bool:
        """See ports.Outdials."""
        added = await self._conn.execute(statement(_ADD), _values(outdial) | {"digest": digest})
        if not added.rowcount:
            return False
        await self._conn.execute(statement(_ADD_COUNTERS), {"id": outdial.id})
        return True

    async def digest(self, outdial_id: UUID) -> bytes | None:
        """See ports.Outdials."""
        found = await self._conn.execute(statement(_DIGEST), {"id": outdial_id})
        row = found.one_or_none()
        return None if row is None else bytes(row[0])

    async def get(self, outdial_id: UUID) -> Outdial | None:
        """See ports.Outdials."""
        return await self._one(_GET, outdial_id)

    async def lock(self, outdial_id: UUID) -> Outdial | None:
        """See ports.Outdials."""
        return await self._one(f"{_GET} FOR UPDATE", outdial_id)

    async def save(self, outdial: Outdial) -> None:
        """See ports.Outdials."""
        values = _values(outdial)
        del values["customer_id"], values["tm_create"]
        await self._conn.execute(statement(_SAVE), values)

    async def list(self, customer_id: UUID, page: Page) -> Sequence[Outdial]:
        """See ports.Outdials."""
        values = page.parameters() | {"customer_id": customer_id}
        rows = await self._conn.execute(statement(_LIST), values)
        return [outdial(row) for row in rows]

    async def _one(self, sql: str, outdial_id: UUID) -> Outdial | None:
        row = (await self._conn.execute(statement(sql), {"id": outdial_id})).one_or_none()
        return None if row is None else outdial(row)


class PendingEvents(Events, Protocol):
    """Facts that are written when the transaction is otherwise complete."""

    async def write(self, conn: AsyncConnection) -> None:
        """Write them in the order in which they were told."""


class PostgresTransaction:
    """See ports.Transaction."""

    def __init__(self, conn: AsyncConnection, events: Events) -> None:
        self.outdials = PostgresOutdials(conn)
        self.targets = PostgresTargets(conn)
        self.dialing = PostgresDialing(conn)
        self.imports = PostgresImports(conn)
        self.events = events


async def check(engine: AsyncEngine) -> None:
    """For health checks: the database can be reached and its schema is there."""
    async with db.transaction(engine) as conn:
        await conn.execute(statement(_CHECK))


def begin(
    engine: AsyncEngine, new_events: Callable[[], PendingEvents]
) -> Callable[[], AbstractAsyncContextManager[Transaction]]:
    """The ports.Begin on this engine; each transaction has its own `new_events`."""

    @asynccontextmanager
    async def open_transaction() -> AsyncIterator[Transaction]:
        async with db.transaction(engine) as conn:
            events = new_events()
            yield PostgresTransaction(conn, events)
            await events.write(conn)

    return open_transaction


def _values(outdial: Outdial) -> dict[str, object]:
    return {
        "id": outdial.id,
        "customer_id": outdial.customer_id,
        "campaign_id": outdial.campaign_id,
        "name": outdial.name,
        "detail": outdial.detail,
        "data": outdial.data,
        "revision": outdial.revision,
        "tm_create": outdial.tm_create,
        "tm_update": outdial.tm_update,
        "tm_delete": outdial.tm_delete,
    }
