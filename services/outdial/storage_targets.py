"""Targets in PostgreSQL, always in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db import statement
from services.common.limits import SLOTS
from services.common.paging import Page
from services.common.stored import array, optional_address_json
from services.outdial.domain import Result, Status, Target
from services.outdial.storage_rows import (
    TARGET_COLUMNS,
    of_target,
    target,
)

_TYPES = {
    "id": "uuid",
    "outdial_id": "uuid",
    "customer_id": "uuid",
    "attempt_id": "uuid",
    "next_try_at": "timestamptz",
    "tm_create": "timestamptz",
    "tm_update": "timestamptz",
    "tm_delete": "timestamptz",
    "revision": "bigint",
    "attempt_slot": "smallint",
    **{f"try_count_{slot}": "smallint" for slot in range(SLOTS)},
    "is_final": "boolean",
    "status": "text",
    "result": "text",
    **{f"destination_{slot}": "jsonb" for slot in range(SLOTS)},
    "name": "text",
    "detail": "text",
    "data": "text",
}
_OUTCOME_TYPES = {
    "id": "uuid",
    "next_try_at": "timestamptz",
    "is_success": "boolean",
    "is_final": "boolean",
    "is_refunded": "boolean",
}


def _rows(types: Mapping[str, str]) -> str:
    """Array parameters of these names and types, side by side as a table `u`."""
    arrays = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in types.items())
    return f"unnest({arrays}) AS u ({', '.join(types)})"


_ADD = f"""
INSERT INTO targets ({", ".join(_TYPES)}, create_digest)
SELECT {", ".join(f"u.{name}" for name in _TYPES)}, u.create_digest
FROM {_rows(_TYPES | {"create_digest": "bytea"})}
ON CONFLICT ON CONSTRAINT targets_pkey DO NOTHING
RETURNING id
"""
_DIGESTS = "SELECT id, create_digest FROM targets WHERE id = ANY(CAST(:ids AS uuid[]))"
_GET = f"SELECT {TARGET_COLUMNS} FROM targets WHERE id = ANY(CAST(:ids AS uuid[]))"
_LOCK = f"{_GET} ORDER BY id FOR UPDATE"
_LOCK_ATTEMPTS = f"""
SELECT {TARGET_COLUMNS} FROM targets
WHERE attempt_id = ANY(CAST(:attempts AS uuid[]))
ORDER BY id
FOR UPDATE
"""
# By primary key where the target is known: both indexes lead there, but this one is warm.
_LOCK_KNOWN_ATTEMPTS = f"""
SELECT {of_target("t")}
FROM unnest(CAST(:attempts AS uuid[]), CAST(:ids AS uuid[])) AS u (attempt_id, id)
JOIN targets t ON t.id = u.id AND t.attempt_id = u.attempt_id
ORDER BY t.id
FOR UPDATE OF t
"""
# Few and narrow parameters: this is half of what an attempt costs.
_SAVE_OUTCOMES = f"""
UPDATE targets t
SET status = CASE WHEN u.next_try_at IS NULL THEN 'done' ELSE 'idle' END,
    result = CASE WHEN u.next_try_at IS NOT NULL THEN '' WHEN u.is_success THEN 'success'
                  ELSE 'fail' END,
    next_try_at = u.next_try_at, is_final = u.is_final,
    {", ".join(f"try_count_{s} = t.try_count_{s} - (u.is_refunded AND t.attempt_slot = {s} AND t.try_count_{s} > 0)::int::smallint" for s in range(SLOTS))},
    attempt_id = NULL, attempt_slot = NULL, revision = t.revision + 1, tm_update = :tm_update
FROM {_rows(_OUTCOME_TYPES)}
WHERE t.id = u.id
"""
_SAVE = f"""
UPDATE targets t SET {", ".join(f"{name} = u.{name}" for name in _TYPES if name != "id")}
FROM {_rows(_TYPES)} WHERE t.id = u.id
"""
_LIST = f"""
SELECT {TARGET_COLUMNS} FROM targets
WHERE outdial_id = :outdial_id AND status = :status AND tm_delete IS NULL
  AND (tm_create, id) < (:tm, :before_id)
ORDER BY tm_create DESC, id DESC
LIMIT :limit
"""


Found = list[Target]


class PostgresTargets:
    """See ports.Targets."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(
        self, targets: Sequence[Target], digests: Mapping[UUID, bytes]
    ) -> Mapping[UUID, bytes | None]:
        """See ports.Targets."""
        values = _columns(targets)
        values["create_digest"] = [digests.get(each.id) for each in targets]
        added = {row[0] for row in await self._conn.execute(statement(_ADD), values)}
        taken = [each.id for each in targets if each.id not in added]
        if not taken:
            return {}
        rows = await self._conn.execute(statement(_DIGESTS), {"ids": array(taken)})
        return {row[0]: row[1] for row in rows}

    async def get_many(self, target_ids: Sequence[UUID]) -> Sequence[Target]:
        """See ports.Targets."""
        return await self._targets(_GET, {"ids": array(target_ids)})

    async def lock(self, target_ids: Sequence[UUID]) -> Sequence[Target]:
        """See ports.Targets."""
        return await self._targets(_LOCK, {"ids": array(target_ids)})

    async def lock_attempts(self, attempts: Mapping[UUID, UUID | None]) -> Sequence[Target]:
        """See ports.Targets."""
        if None in attempts.values():
            return await self._targets(_LOCK_ATTEMPTS, {"attempts": array(attempts)})
        values = {"attempts": array(attempts), "ids": array(attempts.values())}
        return await self._targets(_LOCK_KNOWN_ATTEMPTS, values)

    async def save(self, target: Target) -> None:
        """See ports.Targets."""
        await self._conn.execute(statement(_SAVE), _columns([target]))

    async def save_outcomes(
        self, changes: Sequence[tuple[Target, Target]], tm_update: datetime
    ) -> None:
        """See ports.Targets."""
        values: dict[str, Any] = {
            "id": array(after.id for _, after in changes),
            "next_try_at": array(after.tm_next_try for _, after in changes),
            "is_success": array(after.result is Result.SUCCESS for _, after in changes),
            "is_final": array(after.is_final for _, after in changes),
            "is_refunded": array(
                before.try_counts is not after.try_counts for before, after in changes
            ),
            "tm_update": tm_update,
        }
        await self._conn.execute(statement(_SAVE_OUTCOMES), values)

    async def list(self, outdial_id: UUID, page: Page, status: Status | None) -> Sequence[Target]:
        """See ports.Targets."""
        values = page.parameters() | {"outdial_id": outdial_id}
        found: list[Target] = []
        # One index serves every filter: without one, the newest of each status are merged here.
        for each in Status if status is None else (status,):
            found += await self._targets(_LIST, values | {"status": each.value})
        found.sort(key=lambda each: (each.tm_create, each.id), reverse=True)
        return found[: page.size + 1]

    async def _targets(self, sql: str, values: Mapping[str, Any]) -> Found:
        return [target(row) for row in await self._conn.execute(statement(sql), values)]


def _columns(targets: Sequence[Target]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        "id": [each.id for each in targets],
        "outdial_id": [each.outdial_id for each in targets],
        "customer_id": [each.customer_id for each in targets],
        "attempt_id": [each.attempt_id for each in targets],
        "next_try_at": [each.tm_next_try for each in targets],
        "tm_create": [each.tm_create for each in targets],
        "tm_update": [each.tm_update for each in targets],
        "tm_delete": [each.tm_delete for each in targets],
        "revision": [each.revision for each in targets],
        "attempt_slot": [each.attempt_slot for each in targets],
        "is_final": [each.is_final for each in targets],
        "status": [each.status.value for each in targets],
        "result": [each.result.value for each in targets],
        "name": [each.name for each in targets],
        "detail": [each.detail for each in targets],
        "data": [each.data for each in targets],
    }
    for slot in range(SLOTS):
        columns[f"try_count_{slot}"] = [each.try_counts[slot] for each in targets]
        columns[f"destination_{slot}"] = [
            optional_address_json(each.destinations[slot]) for each in targets
        ]
    return columns
