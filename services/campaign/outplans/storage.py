"""Outplans in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign.outplans.domain import Outplan
from services.campaign.storage_definitions import PostgresDefinitions, Table
from services.common.db import statement
from services.common.stored import optional_address_json, optional_address_of, texts_json

_OUTDIALS = """
SELECT DISTINCT outdial_id FROM campaigns
WHERE outplan_id = :id AND tm_delete IS NULL AND outdial_id IS NOT NULL ORDER BY outdial_id
"""


def outplan_of(row: RowMapping) -> Outplan:
    """The plan in a row of OUTPLANS."""
    return Outplan(
        **{
            **row,
            "source": optional_address_of(row["source"]),
            "max_try_counts": tuple(row["max_try_counts"]),
        }
    )


def _values(plan: Outplan) -> dict[str, Any]:
    values = {field.name: getattr(plan, field.name) for field in fields(plan)}
    return values | {
        "source": optional_address_json(plan.source),
        "max_try_counts": list(plan.max_try_counts),
        "headers": texts_json(plan.headers),
        "variables": texts_json(plan.variables),
    }


OUTPLANS = Table(
    name="outplans",
    columns={field.name: "" for field in fields(Outplan)}
    | {
        "source": "jsonb",
        "max_try_counts": "integer[]",
        "headers": "jsonb",
        "variables": "jsonb",
    },
    reference="outplan_id",
    thing_of=outplan_of,
    values_of=_values,
)


class PostgresOutplans(PostgresDefinitions[Outplan]):
    """See ports.Outplans."""

    def __init__(self, conn: AsyncConnection) -> None:
        super().__init__(conn, OUTPLANS)

    async def outdials(self, outplan_id: UUID) -> Sequence[UUID]:
        """See ports.Outplans."""
        return (await self._conn.execute(statement(_OUTDIALS), {"id": outplan_id})).scalars().all()
