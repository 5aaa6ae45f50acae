"""Recordings and webhooks in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.common.clock import Clock
from services.common.db import statement, transaction
from services.common.errors import FailedPrecondition, NotFound
from services.common.ids import NIL
from services.common.outbox import NewEvent, Outbox
from services.common.paging import Page
from services.dialer.domain.recordings import Recording, RecordingFact
from services.dialer.domain.webhooks import TakenWebhook, Webhook
from services.dialer.ports import Fact
from services.dialer.storage_rows import RECORDING_COLUMNS, WEBHOOK_COLUMNS, recording_of

_COLUMNS = ", ".join((*RECORDING_COLUMNS, "tm_delete"))
_RECORDING = f"SELECT {_COLUMNS} FROM recordings WHERE id = :id"
_LISTED = f"""
SELECT {_COLUMNS} FROM recordings
WHERE {{owner}} AND customer_id = :customer_id AND tm_delete IS NULL
  AND (tm_create, id) < (CAST(:tm AS timestamptz), CAST(:before AS uuid))
ORDER BY tm_create DESC, id DESC LIMIT :limit
"""
_OF_CUSTOMER = _LISTED.format(owner="true")
_OF_CALL = _LISTED.format(owner="call_id = :call_id")
_OF_CAMPAIGN = _LISTED.format(owner="campaign_id = :campaign_id")
_OF_BOTH = _LISTED.format(owner="call_id = :call_id AND campaign_id = :campaign_id")
_END_OF_TIME = ("infinity", "ffffffff-ffff-ffff-ffff-ffffffffffff")
_MARK = f"""
UPDATE recordings SET tm_delete = :now, tm_update = :now, revision = revision + 1
WHERE id = ANY(CAST(:ids AS uuid[])) AND tm_delete IS NULL AND status IN ('ended', 'failed')
RETURNING {_COLUMNS}
"""
_EXPIRED = """
SELECT id FROM recordings
WHERE tm_end < :before AND tm_delete IS NULL AND status IN ('ended', 'failed')
ORDER BY tm_end LIMIT :limit FOR UPDATE SKIP LOCKED
"""
_FILES_LEFT = f"""
SELECT {_COLUMNS} FROM recordings
WHERE tm_delete IS NOT NULL AND location <> ''
  AND (tm_delete, id) > (CAST(:tm AS timestamptz), CAST(:behind AS uuid))
ORDER BY tm_delete, id LIMIT :limit
"""
_FILE_GONE = """
UPDATE recordings SET location = ''
WHERE id = ANY(CAST(:ids AS uuid[])) AND tm_delete IS NOT NULL
"""

_WEBHOOKS = ", ".join(WEBHOOK_COLUMNS)
_TAKE = f"""
UPDATE webhooks
SET tries = tries + 1, due_at = clock_timestamp() + make_interval(secs => :seconds)
WHERE id IN (
    SELECT id FROM webhooks
    WHERE due_at <= clock_timestamp() AND customer_id <> ALL(CAST(:besides AS uuid[]))
    ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
RETURNING {_WEBHOOKS}, tries
"""
_DONE = "DELETE FROM webhooks WHERE id = ANY(CAST(:ids AS uuid[]))"
_POSTPONE = """
UPDATE webhooks SET due_at = clock_timestamp() + make_interval(secs => :seconds) WHERE id = :id
"""


class PostgresRecordings:
    """See ports.Recordings. `to_event` turns a fact into what the outbox takes."""

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

    async def recording(self, recording_id: UUID) -> Recording | None:
        """See Recordings."""
        async with transaction(self._engine) as conn:
            found = await _rows(conn, _RECORDING, {"id": recording_id})
        return recording_of(found[0]) if found else None

    async def recordings(
        self, customer_id: UUID, page: Page, *, call_id: UUID | None, campaign_id: UUID | None
    ) -> list[Recording]:
        """See Recordings."""
        tm, before = _END_OF_TIME if page.before is None else page.before.key
        values: dict[str, Any] = {
            "customer_id": customer_id,
            "tm": tm,
            "before": before,
            "limit": page.size + 1,
        }
        sql = _OF_CUSTOMER
        if call_id is not None:
            values["call_id"], sql = call_id, _OF_CALL
        if campaign_id is not None:
            values["campaign_id"] = campaign_id
            sql = _OF_CAMPAIGN if call_id is None else _OF_BOTH
        async with transaction(self._engine) as conn:
            return [recording_of(row) for row in await _rows(conn, sql, values)]

    async def delete_recording(self, recording_id: UUID) -> Recording:
        """See Recordings."""
        async with transaction(self._engine) as conn:
            deleted = await self._mark(conn, [recording_id])
        found = deleted[0] if deleted else await self.recording(recording_id)
        if found is None:
            raise NotFound(f"no recording {recording_id}", reason="RECORDING_NOT_FOUND")
        if found.tm_delete is None:
            raise FailedPrecondition(
                f"recording {recording_id} is {found.status}; it can be deleted when it is over",
                status=found.status.value,
            )
        return found

    async def expire(self, before: datetime, limit: int) -> int:
        """See Recordings."""
        async with transaction(self._engine) as conn:
            rows = await _rows(conn, _EXPIRED, {"before": before, "limit": limit})
            return len(await self._mark(conn, [row["id"] for row in rows])) if rows else 0

    async def files_to_delete(self, limit: int, behind: Recording | None) -> list[Recording]:
        """See Recordings."""
        values: dict[str, Any] = {"limit": limit, "tm": "-infinity", "behind": NIL}
        if behind is not None:
            values |= {"tm": behind.tm_delete, "behind": behind.id}
        async with transaction(self._engine) as conn:
            found = await _rows(conn, _FILES_LEFT, values)
        return [recording_of(row) for row in found]

    async def file_deleted(self, recording_ids: Sequence[UUID]) -> None:
        """See Recordings."""
        async with transaction(self._engine) as conn:
            await conn.execute(statement(_FILE_GONE), {"ids": list(recording_ids)})

    async def _mark(self, conn: AsyncConnection, ids: Sequence[UUID]) -> list[Recording]:
        rows = await _rows(conn, _MARK, {"ids": list(ids), "now": self._clock.now()})
        deleted = [recording_of(row) for row in rows]
        facts = [RecordingFact("deleted", each) for each in deleted]
        await self._outbox.append(conn, [self._to_event(fact) for fact in facts])
        return deleted


class PostgresWebhooks:
    """See ports.Webhooks."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def take(
        self, limit: int, for_seconds: float, besides: Collection[UUID]
    ) -> list[TakenWebhook]:
        """See Webhooks."""
        values = {"limit": limit, "seconds": for_seconds, "besides": list(besides)}
        async with transaction(self._engine) as conn:
            rows = await _rows(conn, _TAKE, values)
        return [
            TakenWebhook(Webhook(**{name: row[name] for name in WEBHOOK_COLUMNS}), row["tries"])
            for row in rows
        ]

    async def done(self, webhook_ids: Sequence[UUID]) -> None:
        """See Webhooks."""
        async with transaction(self._engine) as conn:
            await conn.execute(statement(_DONE), {"ids": list(webhook_ids)})

    async def postpone(self, webhook_id: UUID, seconds: float) -> None:
        """See Webhooks."""
        async with transaction(self._engine) as conn:
            await conn.execute(statement(_POSTPONE), {"id": webhook_id, "seconds": seconds})


async def _rows(
    conn: AsyncConnection, sql: str, values: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    result = await conn.execute(statement(sql), values)
    return [dict(row) for row in result.mappings()]
