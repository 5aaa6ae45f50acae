"""Flows in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign.flows.domain import Flow
from services.common.db import statement
from services.common.paging import Page
from services.common.stored import actions_json, actions_of

_COLUMNS = (
    "id, customer_id, name, detail, actions, on_complete_flow_id, revision,"
    " tm_create, tm_update, tm_delete"
)
_GET = f"SELECT {_COLUMNS} FROM flows WHERE id = :id"
_INSERT = f"""
INSERT INTO flows ({_COLUMNS}, create_digest)
VALUES (:id, :customer_id, :name, :detail, CAST(:actions AS json), :on_complete_flow_id, :revision,
  :tm_create, :tm_update, :tm_delete, :digest)
ON CONFLICT ON CONSTRAINT flows_pkey DO NOTHING
"""
_SAVE = """
UPDATE flows SET name = :name, detail = :detail, actions = CAST(:actions AS json),
  on_complete_flow_id = :on_complete_flow_id, revision = :revision, tm_update = :tm_update,
  tm_delete = :tm_delete
WHERE id = :id
"""
_LIST = f"""
SELECT {_COLUMNS} FROM flows WHERE customer_id = :customer_id AND tm_delete IS NULL
  AND (tm_create, id) < (:tm, :before_id)
ORDER BY tm_create DESC, id DESC LIMIT :limit
"""
_BUSY = """
SELECT c.id FROM campaigns c JOIN campaign_states s USING (id)
WHERE c.flow_id = :id AND c.tm_delete IS NULL AND s.status <> 'stop' ORDER BY c.id
"""


class PostgresFlows:
    """See ports.Flows."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, flow_id: UUID) -> Flow | None:
        """See ports.Flows."""
        return await self._one(_GET, flow_id)

    async def get_for_use(self, flow_id: UUID) -> Flow | None:
        """See ports.Flows."""
        return await self._one(f"{_GET} FOR SHARE", flow_id)

    async def lock(self, flow_id: UUID) -> Flow | None:
        """See ports.Flows."""
        return await self._one(f"{_GET} FOR UPDATE", flow_id)

    async def insert(self, flow: Flow, digest: str) -> bool:
        """See ports.Flows."""
        values = _values(flow) | {
            "customer_id": flow.customer_id,
            "tm_create": flow.tm_create,
            "digest": digest,
        }
        return (await self._conn.execute(statement(_INSERT), values)).rowcount == 1

    async def digest(self, flow_id: UUID) -> str:
        """See ports.Flows."""
        sql = statement("SELECT create_digest FROM flows WHERE id = :id")
        return str((await self._conn.execute(sql, {"id": flow_id})).scalar_one())

    async def save(self, flow: Flow) -> None:
        """See ports.Flows."""
        await self._conn.execute(statement(_SAVE), _values(flow))

    async def list(self, customer_id: UUID, page: Page) -> Sequence[Flow]:
        """See ports.Flows."""
        values = page.parameters() | {"customer_id": customer_id}
        rows = await self._conn.execute(statement(_LIST), values)
        return [_flow(row) for row in rows.mappings()]

    async def busy_campaigns(self, flow_id: UUID) -> Sequence[UUID]:
        """See ports.Flows."""
        return (await self._conn.execute(statement(_BUSY), {"id": flow_id})).scalars().all()

    async def _one(self, sql: str, flow_id: UUID) -> Flow | None:
        rows = await self._conn.execute(statement(sql), {"id": flow_id})
        row = rows.mappings().one_or_none()
        return None if row is None else _flow(row)


def _flow(row: RowMapping) -> Flow:
    return Flow(**{**row, "actions": actions_of(row["actions"])})


def _values(flow: Flow) -> dict[str, Any]:
    return {
        "id": flow.id,
        "name": flow.name,
        "detail": flow.detail,
        "actions": actions_json(flow.actions),
        "on_complete_flow_id": flow.on_complete_flow_id,
        "revision": flow.revision,
        "tm_update": flow.tm_update,
        "tm_delete": flow.tm_delete,
    }
