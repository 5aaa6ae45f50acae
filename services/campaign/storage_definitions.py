"""Flows and outplans in PostgreSQL: the same statements, made from the description of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy.engine import CursorResult, RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db import statement
from services.common.paging import Page

T = TypeVar("T")
_FIXED = ("id", "customer_id", "tm_create")
_STATEMENTS = {
    "get": "SELECT {listed} FROM {name} WHERE id = :id",
    "get_for_use": "SELECT {listed} FROM {name} WHERE id = :id FOR SHARE",
    "lock": "SELECT {listed} FROM {name} WHERE id = :id FOR UPDATE",
    "digest": "SELECT create_digest FROM {name} WHERE id = :id",
    "insert": """
INSERT INTO {name} ({listed}, create_digest) VALUES ({parameters}, :digest)
ON CONFLICT ON CONSTRAINT {name}_pkey DO NOTHING
""",
    "save": "UPDATE {name} SET {sets} WHERE id = :id",
    "list": """
SELECT {listed} FROM {name} WHERE customer_id = :customer_id AND tm_delete IS NULL
  AND (tm_create, id) < (:tm, :before_id)
ORDER BY tm_create DESC, id DESC LIMIT :limit
""",
    "busy": """
SELECT c.id FROM campaigns c JOIN campaign_states s USING (id)
WHERE c.{reference} = :id AND c.tm_delete IS NULL AND s.status <> 'stop' ORDER BY c.id
""",
}


@dataclass(frozen=True)
class Table(Generic[T]):
    """A table of definitions.

    `columns` are those of a definition, each with the type its parameter is cast to, or "". `reference`
    is the column of campaigns that refers to the table.
    """

    name: str
    columns: Mapping[str, str]
    reference: str
    thing_of: Callable[[RowMapping], T]
    values_of: Callable[[T], dict[str, Any]]

    @property
    def listed(self) -> str:
        """What is selected of it."""
        return ", ".join(self.columns)

    @cached_property
    def statements(self) -> Mapping[str, str]:
        """What is asked of it, by the method that asks."""
        given = {
            n: f"CAST(:{n} AS {kind})" if kind else f":{n}" for n, kind in self.columns.items()
        }
        words = {
            "name": self.name,
            "reference": self.reference,
            "listed": self.listed,
            "parameters": ", ".join(given.values()),
            "sets": ", ".join(f"{n} = {given[n]}" for n in given if n not in _FIXED),
        }
        return {name: sql.format(**words) for name, sql in _STATEMENTS.items()}


class PostgresDefinitions(Generic[T]):
    """See ports_definitions.Definitions."""

    def __init__(self, conn: AsyncConnection, table: Table[T]) -> None:
        self._conn = conn
        self._table = table

    async def get(self, wanted_id: UUID, /) -> T | None:
        """See ports_definitions.Definitions."""
        return await self._one("get", wanted_id)

    async def get_for_use(self, wanted_id: UUID, /) -> T | None:
        """See ports_definitions.Definitions."""
        return await self._one("get_for_use", wanted_id)

    async def lock(self, wanted_id: UUID, /) -> T | None:
        """See ports_definitions.Definitions."""
        return await self._one("lock", wanted_id)

    async def insert(self, thing: T, digest: str, /) -> bool:
        """See ports_definitions.Definitions."""
        values = self._table.values_of(thing) | {"digest": digest}
        return bool((await self._execute("insert", **values)).rowcount)

    async def digest(self, wanted_id: UUID, /) -> str | None:
        """See ports_definitions.Definitions."""
        digest: str | None = (await self._execute("digest", id=wanted_id)).scalar_one_or_none()
        return digest

    async def save(self, thing: T, /) -> None:
        """See ports_definitions.Definitions."""
        await self._execute("save", **self._table.values_of(thing))

    async def list(self, customer_id: UUID, page: Page) -> Sequence[T]:
        """See ports_definitions.Definitions."""
        rows = await self._execute("list", customer_id=customer_id, **page.parameters())
        return [self._table.thing_of(row) for row in rows.mappings()]

    async def busy_campaigns(self, wanted_id: UUID, /) -> Sequence[UUID]:
        """See ports_definitions.Definitions."""
        return (await self._execute("busy", id=wanted_id)).scalars().all()

    async def _one(self, name: str, wanted_id: UUID) -> T | None:
        row = (await self._execute(name, id=wanted_id)).mappings().one_or_none()
        return None if row is None else self._table.thing_of(row)

    async def _execute(self, what: str, /, **values: Any) -> CursorResult[Any]:
        return await self._conn.execute(statement(self._table.statements[what]), values)
