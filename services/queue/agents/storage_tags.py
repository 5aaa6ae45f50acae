"""Tags in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db import statement
from services.common.paging import Page
from services.queue.agents.domain import Tag

_COLUMNS = "id, customer_id, name, detail, tm_create, tm_update, tm_delete"

_INSERT = f"""
INSERT INTO tags ({_COLUMNS}, create_digest)
VALUES (:id, :customer_id, :name, :detail, :tm_create, :tm_update, :tm_delete, :digest)
ON CONFLICT (id) DO NOTHING
"""

_GET = f"SELECT {_COLUMNS} FROM tags WHERE id = :id"
_DIGEST = "SELECT create_digest FROM tags WHERE id = :id"

_LIST = f"""
SELECT {_COLUMNS} FROM tags
WHERE customer_id = :customer_id AND tm_delete IS NULL AND (tm_create, id) < (:tm, :before_id)
ORDER BY tm_create DESC, id DESC LIMIT :limit
"""

_SAVE = """
UPDATE tags SET name = :name, detail = :detail, tm_update = :tm_update, tm_delete = :tm_delete
WHERE id = :id
"""

_EXISTING = """
SELECT id FROM tags
WHERE id = ANY(CAST(:ids AS uuid[])) AND customer_id = :customer_id AND tm_delete IS NULL
ORDER BY id FOR SHARE
"""


class PostgresTags:
    """See ports.Tags."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def insert(self, tag: Tag, digest: str) -> bool:
        """See ports.Tags."""
        values = _values(tag) | {"digest": digest}
        return (await self._conn.execute(statement(_INSERT), values)).rowcount == 1

    async def digest(self, tag_id: UUID) -> str | None:
        """See ports.Tags."""
        found = await self._conn.execute(statement(_DIGEST), {"id": tag_id})
        digest: str | None = found.scalar_one_or_none()
        return digest

    async def get(self, tag_id: UUID) -> Tag | None:
        """See ports.Tags."""
        return await self._one(_GET, id=tag_id)

    async def lock(self, tag_id: UUID) -> Tag | None:
        """See ports.Tags."""
        return await self._one(_GET + " FOR UPDATE", id=tag_id)

    async def list_page(self, customer_id: UUID, page: Page) -> list[Tag]:
        """See ports.Tags."""
        values = page.parameters() | {"customer_id": customer_id}
        rows = await self._conn.execute(statement(_LIST), values)
        return [_tag_of(row) for row in rows]

    async def save(self, tag: Tag) -> None:
        """See ports.Tags."""
        await self._conn.execute(statement(_SAVE), _values(tag))

    async def existing(self, customer_id: UUID, tag_ids: Collection[UUID]) -> set[UUID]:
        """See ports.Tags."""
        rows = await self._conn.execute(
            statement(_EXISTING), {"ids": list(tag_ids), "customer_id": customer_id}
        )
        return {row.id for row in rows}

    async def _one(self, sql: str, **values: object) -> Tag | None:
        row = (await self._conn.execute(statement(sql), values)).one_or_none()
        return None if row is None else _tag_of(row)


def _values(tag: Tag) -> dict[str, object]:
    return {name: getattr(tag, name) for name in Tag.__dataclass_fields__}


def _tag_of(row: Any) -> Tag:
    return Tag(
        id=row.id,
        customer_id=row.customer_id,
        name=row.name,
        detail=row.detail,
        tm_create=row.tm_create,
        tm_update=row.tm_update,
        tm_delete=row.tm_delete,
    )
