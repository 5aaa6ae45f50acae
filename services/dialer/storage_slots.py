"""Who holds which slot, in the dialer's tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.common.db import statement, transaction
from services.dialer.domain.slots import LEASE_SECONDS, MOST_SLOTS, SlotHolder, SlotRenewal

# Two dialers that start together must not choose the same one; renewals do not wait for it.
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('outbound.dialer.slots'))"
_CHOOSE = """
SELECT slot FROM (
    SELECT slot, 0 AS rank FROM slots WHERE dialer_id = :dialer_id AND NOT is_extra
    UNION ALL
    SELECT number, 1 FROM generate_series(1, :most) AS number
    WHERE NOT EXISTS (
        SELECT 1 FROM slots WHERE slot = number AND leased_until > clock_timestamp()
    )
) AS candidates ORDER BY rank, slot LIMIT 1
"""
_LEASE = """
INSERT INTO slots (slot, dialer_id, instance, is_extra, leased_until)
VALUES (:slot, :dialer_id, :instance, :is_extra, clock_timestamp() + make_interval(secs => :seconds))
ON CONFLICT (slot) DO UPDATE SET
    dialer_id = excluded.dialer_id,
    instance = excluded.instance,
    is_extra = excluded.is_extra,
    leased_until = excluded.leased_until
"""
_TAKE = f"""
{_LEASE}
WHERE slots.leased_until <= clock_timestamp() OR slots.dialer_id = excluded.dialer_id
RETURNING slot
"""
_RENEW = """
UPDATE slots SET leased_until = clock_timestamp() + make_interval(secs => :seconds)
WHERE instance = :instance RETURNING slot
"""
_LIVING = """
SELECT count(DISTINCT dialer_id) AS dialers FROM slots WHERE leased_until > clock_timestamp()
"""
_RELEASE = """
UPDATE slots SET leased_until = clock_timestamp(), instance = CAST(:nobody AS uuid)
WHERE instance = :instance AND (CAST(:slot AS integer) IS NULL OR slot = :slot)
"""
_HOLDERS = """
SELECT slot, dialer_id, leased_until > clock_timestamp() AS is_living FROM slots ORDER BY slot
"""


class PostgresSlots:
    """See ports.Slots."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def acquire(self, dialer_id: str, instance: UUID) -> int | None:
        """See Slots."""
        asked = {"dialer_id": dialer_id, "most": MOST_SLOTS}
        async with transaction(self._engine) as conn:
            await conn.execute(statement(_ALONE))
            found = await _rows(conn, _CHOOSE, asked)
            if not found:
                return None
            slot = int(found[0]["slot"])
            await conn.execute(statement(_LEASE), _lease(slot, dialer_id, instance, extra=False))
        return slot

    async def take(self, slot: int, dialer_id: str, instance: UUID) -> bool:
        """See Slots."""
        async with transaction(self._engine) as conn:
            await conn.execute(statement(_ALONE))
            return bool(await _rows(conn, _TAKE, _lease(slot, dialer_id, instance, extra=True)))

    async def renew(self, instance: UUID) -> SlotRenewal:
        """See Slots."""
        async with transaction(self._engine) as conn:
            rows = await _rows(conn, _RENEW, {"instance": instance, "seconds": LEASE_SECONDS})
            living = await _rows(conn, _LIVING, {})
        return SlotRenewal(frozenset(int(row["slot"]) for row in rows), int(living[0]["dialers"]))

    async def release(self, instance: UUID, slot: int | None = None) -> None:
        """See Slots."""
        async with transaction(self._engine) as conn:
            await conn.execute(
                statement(_RELEASE), {"instance": instance, "slot": slot, "nobody": UUID(int=0)}
            )

    async def holders(self) -> list[SlotHolder]:
        """See Slots."""
        async with transaction(self._engine) as conn:
            rows = await _rows(conn, _HOLDERS, {})
        return [SlotHolder(row["slot"], row["dialer_id"], row["is_living"]) for row in rows]


def _lease(slot: int, dialer_id: str, instance: UUID, *, extra: bool) -> dict[str, Any]:
    return {
        "slot": slot,
        "dialer_id": dialer_id,
        "instance": instance,
        "is_extra": extra,
        "seconds": LEASE_SECONDS,
    }


async def _rows(
    conn: AsyncConnection, sql: str, parameters: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    result = await conn.execute(statement(sql), parameters)
    return [dict(row) for row in result.mappings()]
