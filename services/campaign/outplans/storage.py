"""Outplans in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign.outplans.domain import Outplan
from services.common.db import statement
from services.common.paging import Page
from services.common.stored import optional_address_json, optional_address_of

COLUMNS = (
    "id, customer_id, name, detail, source, dial_timeout, try_interval, max_try_counts,"
    " calls_per_second, max_concurrent, revision, tm_create, tm_update, tm_delete"
)
_GET = f"SELECT {COLUMNS} FROM outplans WHERE id = :id"
_INSERT = f"""
INSERT INTO outplans ({COLUMNS}, create_digest)
VALUES (:id, :customer_id, :name, :detail, CAST(:source AS jsonb), :dial_timeout, :try_interval,
  CAST(:max_try_counts AS integer[]), :calls_per_second, :max_concurrent, :revision, :tm_create,
  :tm_update, :tm_delete, :digest)
ON CONFLICT ON CONSTRAINT outplans_pkey DO NOTHING
"""
_SAVE = """
UPDATE outplans SET name = :name, detail = :detail, source = CAST(:source AS jsonb),
  dial_timeout = :dial_timeout, try_interval = :try_interval,
  max_try_counts = CAST(:max_try_counts AS integer[]), calls_per_second = :calls_per_second,
  max_concurrent = :max_concurrent, revision = :revision, tm_update = :tm_update,
  tm_delete = :tm_delete
WHERE id = :id
"""
_LIST = f"""
SELECT {COLUMNS} FROM outplans WHERE customer_id = :customer_id AND tm_delete IS NULL
  AND (tm_create, id) < (:tm, :before_id)
ORDER BY tm_create DESC, id DESC LIMIT :limit
"""
_BUSY = """
SELECT c.id FROM campaigns c JOIN campaign_states s USING (id)
WHERE c.outplan_id = :id AND c.tm_delete IS NULL AND s.status <> 'stop' ORDER BY c.id
"""
_OUTDIALS = """
SELECT DISTINCT outdial_id FROM campaigns
WHERE outplan_id = :id AND tm_delete IS NULL AND outdial_id IS NOT NULL ORDER BY outdial_id
"""


class PostgresOutplans:
    """See ports.Outplans."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, outplan_id: UUID) -> Outplan | None:
        """See ports.Outplans."""
        return await self._one(_GET, outplan_id)

    async def get_for_use(self, outplan_id: UUID) -> Outplan | None:
        """See ports.Outplans."""
        return await self._one(f"{_GET} FOR SHARE", outplan_id)

    async def lock(self, outplan_id: UUID) -> Outplan | None:
        """See ports.Outplans."""
        return await self._one(f"{_GET} FOR UPDATE", outplan_id)

    async def insert(self, plan: Outplan, digest: str) -> bool:
        """See ports.Outplans."""
        values = _values(plan) | {
            "customer_id": plan.customer_id,
            "tm_create": plan.tm_create,
            "digest": digest,
        }
        return (await self._conn.execute(statement(_INSERT), values)).rowcount == 1

    async def digest(self, outplan_id: UUID) -> str:
        """See ports.Outplans."""
        sql = statement("SELECT create_digest FROM outplans WHERE id = :id")
        return str((await self._conn.execute(sql, {"id": outplan_id})).scalar_one())

    async def save(self, plan: Outplan) -> None:
        """See ports.Outplans."""
        await self._conn.execute(statement(_SAVE), _values(plan))

    async def list(self, customer_id: UUID, page: Page) -> Sequence[Outplan]:
        """See ports.Outplans."""
        values = page.parameters() | {"customer_id": customer_id}
        rows = await self._conn.execute(statement(_LIST), values)
        return [outplan_of(row) for row in rows.mappings()]

    async def busy_campaigns(self, outplan_id: UUID) -> Sequence[UUID]:
        """See ports.Outplans."""
        return (await self._conn.execute(statement(_BUSY), {"id": outplan_id})).scalars().all()

    async def outdials(self, outplan_id: UUID) -> Sequence[UUID]:
        """See ports.Outplans."""
        return (await self._conn.execute(statement(_OUTDIALS), {"id": outplan_id})).scalars().all()

    async def _one(self, sql: str, outplan_id: UUID) -> Outplan | None:
        rows = await self._conn.execute(statement(sql), {"id": outplan_id})
        row = rows.mappings().one_or_none()
        return None if row is None else outplan_of(row)


def outplan_of(row: RowMapping) -> Outplan:
    """The plan in a row of COLUMNS."""
    return Outplan(
        **{
            **row,
            "source": optional_address_of(row["source"]),
            "max_try_counts": tuple(row["max_try_counts"]),
        }
    )


def _values(plan: Outplan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "name": plan.name,
        "detail": plan.detail,
        "source": optional_address_json(plan.source),
        "dial_timeout": plan.dial_timeout,
        "try_interval": plan.try_interval,
        "max_try_counts": list(plan.max_try_counts),
        "calls_per_second": plan.calls_per_second,
        "max_concurrent": plan.max_concurrent,
        "revision": plan.revision,
        "tm_update": plan.tm_update,
        "tm_delete": plan.tm_delete,
    }
