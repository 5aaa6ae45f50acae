"""Customers, access keys, direct hashes and the bootstrap row in PostgreSQL.

Each method is one transaction. Times are given, except for the expiry of keys, which is real time and
compared with the database's clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.identity import AccessKey, Customer
from services.common.db import statement, transaction
from services.common.paging import Page, cut

_CUSTOMER = "id, name, detail, email, phone_number, address, tm_create, tm_update, tm_delete"
_KEY = (
    "id, customer_id, name, detail, token_prefix, token_hash, digest,"
    " tm_expire, tm_create, tm_update, tm_delete"
)
# One deployment at a time makes its first customer, whichever of its gateways starts first.
_BOOTSTRAP_LOCK = 0x6F75_7467


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How far the making of the first customer has come."""

    customer_id: UUID
    agent_id: UUID
    is_announced: bool
    is_agent_created: bool


class Accounts:
    """The gateway's own tables."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def check(self) -> None:
        """Raise Unavailable while the database does not answer."""
        async with transaction(self._engine) as conn:
            await conn.execute(statement("SELECT 1"))

    # Customers

    async def customer(self, customer_id: UUID) -> Customer | None:
        """One customer, also a deleted one."""
        row = await self._row(f"SELECT {_CUSTOMER} FROM customers WHERE id = :id", id=customer_id)
        return None if row is None else Customer(**row)

    async def add_customer(self, customer: Customer, key: AccessKey) -> None:
        """A customer together with its first access key."""
        async with transaction(self._engine) as conn:
            await _insert_customer(conn, customer)
            await _insert_key(conn, key)

    async def update_customer(
        self, customer_id: UUID, changes: Mapping[str, str], now: datetime
    ) -> Customer | None:
        """Set the columns given; `changes` has only the names of text columns."""
        row = await self._row(
            f"UPDATE customers SET name = COALESCE(:name, name),"
            f" detail = COALESCE(:detail, detail), email = COALESCE(:email, email),"
            f" phone_number = COALESCE(:phone_number, phone_number),"
            f" address = COALESCE(:address, address), tm_update = :now"
            f" WHERE id = :id RETURNING {_CUSTOMER}",
            id=customer_id,
            now=now,
            **_all(changes, "name", "detail", "email", "phone_number", "address"),
        )
        return None if row is None else Customer(**row)

    # Access keys

    async def add_key(self, key: AccessKey) -> AccessKey:
        """Insert the key; when its id exists already, the stored one is returned unchanged."""
        async with transaction(self._engine) as conn:
            await _insert_key(conn, key)
            found = await _one(conn, f"SELECT {_KEY} FROM access_keys WHERE id = :id", id=key.id)
        assert found is not None
        stored = AccessKey(**found)
        return replace(stored, token=key.token if stored.token_hash == key.token_hash else "")

    async def key(self, key_id: UUID) -> AccessKey | None:
        """One key, also a deleted one."""
        row = await self._row(f"SELECT {_KEY} FROM access_keys WHERE id = :id", id=key_id)
        return None if row is None else AccessKey(**row)

    async def usable_key(self, token_hash: str) -> AccessKey | None:
        """The key with this hash, if neither it nor its customer is deleted and it has not expired."""
        row = await self._row(
            f"SELECT {_KEY} FROM access_keys AS k WHERE token_hash = :hash"
            " AND tm_delete IS NULL AND tm_expire > now() AND EXISTS ("
            "  SELECT 1 FROM customers c WHERE c.id = k.customer_id AND c.tm_delete IS NULL)",
            hash=token_hash,
        )
        return None if row is None else AccessKey(**row)

    async def list_keys(self, customer_id: UUID, page: Page) -> tuple[list[AccessKey], str]:
        """A page of the customer's keys that are not deleted, and the next page's token."""
        async with transaction(self._engine) as conn:
            result = await conn.execute(
                statement(
                    f"SELECT {_KEY} FROM access_keys"
                    " WHERE customer_id = :customer AND tm_delete IS NULL"
                    " AND (tm_create, id) < (:tm, :before_id)"
                    " ORDER BY tm_create DESC, id DESC LIMIT :limit"
                ),
                page.parameters() | {"customer": customer_id},
            )
            rows = [AccessKey(**row) for row in result.mappings()]
        return cut(rows, page)

    async def update_key(
        self, key_id: UUID, changes: Mapping[str, str], now: datetime
    ) -> AccessKey | None:
        """Set name and detail as far as they are given."""
        row = await self._row(
            f"UPDATE access_keys SET name = COALESCE(:name, name),"
            f" detail = COALESCE(:detail, detail), tm_update = :now"
            f" WHERE id = :id RETURNING {_KEY}",
            id=key_id,
            now=now,
            **_all(changes, "name", "detail"),
        )
        return None if row is None else AccessKey(**row)

    async def delete_key(self, key_id: UUID, now: datetime) -> AccessKey | None:
        """Soft-delete; a deleted key stays as it is."""
        row = await self._row(
            f"UPDATE access_keys SET tm_update = CASE WHEN tm_delete IS NULL THEN :now"
            f" ELSE tm_update END, tm_delete = COALESCE(tm_delete, :now)"
            f" WHERE id = :id RETURNING {_KEY}",
            id=key_id,
            now=now,
        )
        return None if row is None else AccessKey(**row)

    # Direct hashes

    async def direct_hashes(self, resource_ids: Sequence[UUID]) -> dict[UUID, str]:
        """The hashes of those resources that have one."""
        async with transaction(self._engine) as conn:
            result = await conn.execute(
                statement(
                    "SELECT resource_id, direct_hash FROM direct_hashes"
                    " WHERE resource_id = ANY(CAST(:ids AS uuid[]))"
                ),
                {"ids": list(resource_ids)},
            )
            return {row.resource_id: row.direct_hash for row in result}

    async def set_direct_hash(
        self, resource: str, resource_id: UUID, customer_id: UUID, value: str, now: datetime
    ) -> None:
        """Give a resource a new hash; the old one is worth nothing from then on."""
        async with transaction(self._engine) as conn:
            await conn.execute(
                statement(
                    "INSERT INTO direct_hashes"
                    " (resource_id, customer_id, resource, direct_hash, tm_update)"
                    " VALUES (:id, :customer, :resource, :hash, :now)"
                    " ON CONFLICT (resource_id) DO UPDATE"
                    " SET direct_hash = excluded.direct_hash, tm_update = excluded.tm_update"
                ),
                {
                    "id": resource_id,
                    "customer": customer_id,
                    "resource": resource,
                    "hash": value,
                    "now": now,
                },
            )

    # Bootstrap

    async def begin_bootstrap(
        self, customer: Customer, key: AccessKey, agent_id: UUID
    ) -> Bootstrap | None:
        """Make the first customer if there is none; the bootstrap row, or None if others were first."""
        async with transaction(self._engine) as conn:
            await conn.execute(
                statement("SELECT pg_advisory_xact_lock(:key)"), {"key": _BOOTSTRAP_LOCK}
            )
            found = await _one(
                conn,
                "SELECT customer_id, agent_id, is_announced, is_agent_created FROM bootstrap",
            )
            if found is not None:
                return Bootstrap(**found)
            if await _one(conn, "SELECT 1 FROM customers LIMIT 1") is not None:
                return None
            await _insert_customer(conn, customer)
            await _insert_key(conn, key)
            await conn.execute(
                statement(
                    "INSERT INTO bootstrap (customer_id, agent_id) VALUES (:customer, :agent)"
                ),
                {"customer": customer.id, "agent": agent_id},
            )
            return Bootstrap(customer.id, agent_id, False, False)

    async def mark_bootstrap(self, *, announced: bool = False, agent_created: bool = False) -> None:
        """Record that a step of the bootstrap is done."""
        async with transaction(self._engine) as conn:
            await conn.execute(
                statement(
                    "UPDATE bootstrap SET is_announced = is_announced OR :announced,"
                    " is_agent_created = is_agent_created OR :created"
                ),
                {"announced": announced, "created": agent_created},
            )

    async def _row(self, sql: str, **parameters: Any) -> dict[str, Any] | None:
        async with transaction(self._engine) as conn:
            return await _one(conn, sql, **parameters)


async def _one(conn: AsyncConnection, sql: str, **parameters: Any) -> dict[str, Any] | None:
    row = (await conn.execute(statement(sql), parameters)).mappings().first()
    return None if row is None else dict(row)


async def _insert_customer(conn: AsyncConnection, customer: Customer) -> None:
    names = [field.name for field in fields(customer)]
    values = ", ".join(f":{name}" for name in names)
    await conn.execute(
        statement(f"INSERT INTO customers ({', '.join(names)}) VALUES ({values})"),
        {name: getattr(customer, name) for name in names},
    )


async def _insert_key(conn: AsyncConnection, key: AccessKey) -> None:
    names = [field.name for field in fields(key) if field.name != "token"]
    values = ", ".join(f":{name}" for name in names)
    await conn.execute(
        statement(
            f"INSERT INTO access_keys ({', '.join(names)}) VALUES ({values})"
            " ON CONFLICT (id) DO NOTHING"
        ),
        {name: getattr(key, name) for name in names},
    )


def _all(changes: Mapping[str, str], *names: str) -> dict[str, str | None]:
    return {name: changes.get(name) for name in names}
