"""Queuecalls in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db import statement
from services.common.paging import Page
from services.common.stored import address_of
from services.queue.queues.domain_matching import Caller
from services.queue.queues.domain_queuecalls import (
    Assignment,
    Held,
    Joining,
    Queuecall,
    QueuecallStatus,
)

RENEW_SECONDS = 2
"""REAL seconds after which a renewal is written again; asking more often costs no write."""
SILENT_SECONDS = 10
"""REAL seconds after which a caller whose dialer is silent is passed over."""
FORGOTTEN_SECONDS = 60
"""REAL seconds after which such a caller is given up."""

_COLUMNS = (
    "id, customer_id, queue_id, reference_id, campaign_id, dialer_id, status, end_reason,"
    " service_agent_id, lost_agent_id, service_timeout, wrapup_time, ring_timeout, wait_deadline,"
    " service_deadline, duration_waiting, duration_service, revision, tm_create, tm_service,"
    " tm_update, tm_end, tm_delete"
)
_LIVE = "status IN ('waiting', 'connecting', 'service')"

# FOR SHARE keeps the queue from being deleted until the caller is visible in it.
_JOIN = f"""
WITH given AS (
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:queue_ids AS uuid[]),
        CAST(:customer_ids AS uuid[]), CAST(:campaign_ids AS uuid[]), CAST(:call_ids AS uuid[]),
        CAST(:tms AS timestamptz[]))
        AS g (id, queue_id, customer_id, campaign_id, call_id, tm)
), open AS (
    SELECT * FROM queues
    WHERE id IN (SELECT queue_id FROM given) AND tm_delete IS NULL ORDER BY id FOR SHARE
), joined AS (
    INSERT INTO queuecalls (id, customer_id, queue_id, reference_id, campaign_id, dialer_id,
        status, end_reason, service_timeout, wrapup_time, ring_timeout, wait_deadline,
        duration_waiting, duration_service, renewed_at, revision, tm_create, tm_update)
    SELECT g.id, g.customer_id, g.queue_id, g.call_id, g.campaign_id, :dialer_id,
        'waiting', '', o.service_timeout, o.wrapup_time, o.ring_timeout,
        CASE WHEN o.wait_timeout > 0
            THEN g.tm + o.wait_timeout * interval '1 millisecond' END,
        0, 0, clock_timestamp(), 2, g.tm, g.tm
    FROM given g JOIN open o ON o.id = g.queue_id AND o.customer_id = g.customer_id
    ON CONFLICT (id) DO NOTHING
    RETURNING {_COLUMNS}
)
SELECT * FROM joined ORDER BY tm_create, id
"""

_GET = f"SELECT {_COLUMNS} FROM queuecalls WHERE id = :id"

_OF_CALL = f"""
SELECT id FROM queuecalls WHERE reference_id = :call_id
ORDER BY {_LIVE} DESC, tm_create DESC, id DESC LIMIT 1
"""

_LIST = f"""
SELECT {_COLUMNS} FROM queuecalls
WHERE customer_id = :customer_id AND tm_delete IS NULL AND (tm_create, id) < (:tm, :before_id)
ORDER BY tm_create DESC, id DESC LIMIT :limit
"""

_LOCK = f"""
SELECT {_COLUMNS} FROM queuecalls WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE
"""

_SAVE = """
UPDATE queuecalls q SET
    status = n.status,
    end_reason = n.end_reason,
    service_agent_id = n.service_agent_id,
    lost_agent_id = n.lost_agent_id,
    service_deadline = n.service_deadline,
    duration_waiting = n.duration_waiting,
    duration_service = n.duration_service,
    revision = n.revision,
    tm_service = n.tm_service,
    tm_update = n.tm_update,
    tm_end = n.tm_end,
    tm_delete = n.tm_delete
FROM unnest(
    CAST(:ids AS uuid[]), CAST(:statuses AS text[]), CAST(:end_reasons AS text[]),
    CAST(:agents AS uuid[]), CAST(:lost_agents AS uuid[]),
    CAST(:service_deadlines AS timestamptz[]), CAST(:waits AS bigint[]),
    CAST(:services AS bigint[]), CAST(:revisions AS bigint[]),
    CAST(:tm_services AS timestamptz[]), CAST(:tm_updates AS timestamptz[]),
    CAST(:tm_ends AS timestamptz[]), CAST(:tm_deletes AS timestamptz[])
) AS n (id, status, end_reason, service_agent_id, lost_agent_id, service_deadline,
    duration_waiting, duration_service, revision, tm_service, tm_update, tm_end, tm_delete)
WHERE q.id = n.id
"""

# One snapshot for callers and agents. Read one after the other, an agent given to a caller in between
# would be seen on neither side, and the caller would wait for nothing.
_RENEW = f"""
WITH stale AS (
    SELECT id FROM queuecalls
    WHERE id = ANY(CAST(:ids AS uuid[])) AND {_LIVE}
      AND (dialer_id <> :dialer_id
        OR renewed_at < clock_timestamp() - interval '{RENEW_SECONDS} seconds')
    ORDER BY id FOR UPDATE SKIP LOCKED
), renewed AS (
    UPDATE queuecalls q SET renewed_at = clock_timestamp(), dialer_id = :dialer_id
    FROM stale WHERE q.id = stale.id
), held AS (
    SELECT {_COLUMNS} FROM queuecalls WHERE id = ANY(CAST(:ids AS uuid[]))
), staffed AS (
    SELECT customer_id FROM (SELECT DISTINCT customer_id FROM held WHERE status = 'waiting') c
    WHERE EXISTS (
        SELECT FROM agents a
        WHERE a.customer_id = c.customer_id AND a.state = 'available' AND a.tm_delete IS NULL
    )
)
SELECT held.*, staffed.customer_id IS NOT NULL AS may_assign
FROM held LEFT JOIN staffed USING (customer_id)
"""

IS_WAITING = "status = 'waiting' AND (wait_deadline IS NULL OR wait_deadline > :now)"
"""A caller who may still get an agent."""
IS_READY = (
    "lost_agent_id IS NULL"
    f" AND renewed_at > clock_timestamp() - interval '{SILENT_SECONDS} seconds'"
)
"""A caller whose dialer has been heard of, and does not have to ask for another agent first."""

_WAITING = f"""
SELECT id, queue_id, campaign_id, tm_create FROM queuecalls
WHERE queue_id = ANY(CAST(:queue_ids AS uuid[])) AND {IS_WAITING}
  AND (id = ANY(CAST(:asked_for AS uuid[])) OR ({IS_READY}))
ORDER BY tm_create, id LIMIT :limit
"""

_ASSIGNMENTS = """
SELECT q.id, a.id AS agent_id, a.addresses, a.ring_method, q.ring_timeout
FROM queuecalls q JOIN agents a ON a.id = q.service_agent_id AND a.queuecall_id = q.id
WHERE q.id = ANY(CAST(:ids AS uuid[])) AND q.status = 'connecting'
"""

_IS_OVERDUE = (
    "((status = 'waiting' AND wait_deadline <= :now)"
    " OR (status = 'service' AND service_deadline <= :now))"
)

_OVERDUE = f"""
SELECT {_COLUMNS} FROM queuecalls
WHERE {_IS_OVERDUE} AND id IN (
    (SELECT id FROM queuecalls WHERE status = 'waiting' AND wait_deadline <= :now LIMIT :limit)
    UNION ALL
    (SELECT id FROM queuecalls WHERE status = 'service' AND service_deadline <= :now LIMIT :limit)
)
ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
"""

_FORGOTTEN = f"""
SELECT {_COLUMNS} FROM queuecalls
WHERE {_LIVE} AND renewed_at < clock_timestamp() - interval '{FORGOTTEN_SECONDS} seconds'
ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
"""

_NEXT_DEADLINE = """
SELECT least(
    (SELECT min(wait_deadline) FROM queuecalls
        WHERE status = 'waiting' AND wait_deadline IS NOT NULL),
    (SELECT min(service_deadline) FROM queuecalls
        WHERE status = 'service' AND service_deadline IS NOT NULL)
)
"""

_HAS_LIVE = f"SELECT EXISTS (SELECT FROM queuecalls WHERE queue_id = :queue_id AND {_LIVE})"


class PostgresQueuecalls:
    """See ports.Queuecalls."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def join(self, dialer_id: str, joinings: Sequence[Joining]) -> list[Queuecall]:
        """See ports.Queuecalls."""
        rows = await self._conn.execute(
            statement(_JOIN),
            {
                "dialer_id": dialer_id,
                "ids": [each.queuecall_id for each in joinings],
                "queue_ids": [each.queue_id for each in joinings],
                "customer_ids": [each.customer_id for each in joinings],
                "campaign_ids": [each.campaign_id for each in joinings],
                "call_ids": [each.call_id for each in joinings],
                "tms": [each.tm for each in joinings],
            },
        )
        return [_queuecall_of(row) for row in rows]

    async def get(self, queuecall_id: UUID) -> Queuecall | None:
        """See ports.Queuecalls."""
        row = (await self._conn.execute(statement(_GET), {"id": queuecall_id})).one_or_none()
        return None if row is None else _queuecall_of(row)

    async def id_of_call(self, call_id: UUID) -> UUID | None:
        """See ports.Queuecalls."""
        result = await self._conn.execute(statement(_OF_CALL), {"call_id": call_id})
        found: UUID | None = result.scalar_one_or_none()
        return found

    async def list_page(self, customer_id: UUID, page: Page) -> list[Queuecall]:
        """See ports.Queuecalls."""
        values = page.parameters() | {"customer_id": customer_id}
        rows = await self._conn.execute(statement(_LIST), values)
        return [_queuecall_of(row) for row in rows]

    async def lock_many(self, queuecall_ids: Collection[UUID]) -> dict[UUID, Queuecall]:
        """See ports.Queuecalls."""
        if not queuecall_ids:
            return {}
        return await self._some(_LOCK, ids=list(queuecall_ids))

    async def try_lock(self, queuecall_ids: Collection[UUID]) -> dict[UUID, Queuecall]:
        """See ports.Queuecalls."""
        if not queuecall_ids:
            return {}
        return await self._some(_LOCK + " SKIP LOCKED", ids=list(queuecall_ids))

    async def try_lock_overdue(self, now: datetime, limit: int) -> dict[UUID, Queuecall]:
        """See ports.Queuecalls."""
        return await self._some(_OVERDUE, now=now, limit=limit)

    async def try_lock_forgotten(self, limit: int) -> dict[UUID, Queuecall]:
        """See ports.Queuecalls."""
        return await self._some(_FORGOTTEN, limit=limit)

    async def next_deadline(self) -> datetime | None:
        """See ports.Queuecalls."""
        found: datetime | None = (await self._conn.execute(statement(_NEXT_DEADLINE))).scalar_one()
        return found

    async def save(self, calls: Collection[Queuecall]) -> None:
        """See ports.Queuecalls."""
        if not calls:
            return
        await self._conn.execute(
            statement(_SAVE),
            {
                "ids": [each.id for each in calls],
                "statuses": [str(each.status) for each in calls],
                "end_reasons": [each.end_reason for each in calls],
                "agents": [each.service_agent_id for each in calls],
                "lost_agents": [each.lost_agent_id for each in calls],
                "service_deadlines": [each.service_deadline for each in calls],
                "waits": [each.duration_waiting for each in calls],
                "services": [each.duration_service for each in calls],
                "revisions": [each.revision for each in calls],
                "tm_services": [each.tm_service for each in calls],
                "tm_updates": [each.tm_update for each in calls],
                "tm_ends": [each.tm_end for each in calls],
                "tm_deletes": [each.tm_delete for each in calls],
            },
        )

    async def renew(self, dialer_id: str, queuecall_ids: Collection[UUID]) -> dict[UUID, Held]:
        """See ports.Queuecalls."""
        rows = await self._conn.execute(
            statement(_RENEW), {"dialer_id": dialer_id, "ids": list(queuecall_ids)}
        )
        return {row.id: Held(_queuecall_of(row), row.may_assign) for row in rows}

    async def waiting(
        self, queue_ids: Collection[UUID], asked_for: Collection[UUID], now: datetime, limit: int
    ) -> list[Caller]:
        """See ports.Queuecalls."""
        rows = await self._conn.execute(
            statement(_WAITING),
            {
                "queue_ids": list(queue_ids),
                "asked_for": list(asked_for),
                "now": now,
                "limit": limit,
            },
        )
        return [Caller(row.id, row.queue_id, row.campaign_id, row.tm_create) for row in rows]

    async def assignments(self, queuecall_ids: Collection[UUID]) -> list[Assignment]:
        """See ports.Queuecalls."""
        if not queuecall_ids:
            return []
        rows = await self._conn.execute(statement(_ASSIGNMENTS), {"ids": list(queuecall_ids)})
        return [
            Assignment(
                queuecall_id=row.id,
                agent_id=row.agent_id,
                addresses=tuple(map(address_of, row.addresses)),
                ring_method=row.ring_method,
                ring_timeout_ms=row.ring_timeout,
            )
            for row in rows
        ]

    async def has_live(self, queue_id: UUID) -> bool:
        """See ports.Queuecalls."""
        result = await self._conn.execute(statement(_HAS_LIVE), {"queue_id": queue_id})
        return bool(result.scalar_one())

    async def _some(self, sql: str, **values: object) -> dict[UUID, Queuecall]:
        rows = await self._conn.execute(statement(sql), values)
        return {row.id: _queuecall_of(row) for row in rows}


def _queuecall_of(row: Any) -> Queuecall:
    return Queuecall(
        id=row.id,
        customer_id=row.customer_id,
        queue_id=row.queue_id,
        reference_id=row.reference_id,
        campaign_id=row.campaign_id,
        dialer_id=row.dialer_id,
        status=QueuecallStatus(row.status),
        end_reason=row.end_reason,
        service_agent_id=row.service_agent_id,
        lost_agent_id=row.lost_agent_id,
        service_timeout=row.service_timeout,
        wrapup_time=row.wrapup_time,
        ring_timeout=row.ring_timeout,
        wait_deadline=row.wait_deadline,
        service_deadline=row.service_deadline,
        duration_waiting=row.duration_waiting,
        duration_service=row.duration_service,
        revision=row.revision,
        tm_create=row.tm_create,
        tm_service=row.tm_service,
        tm_update=row.tm_update,
        tm_end=row.tm_end,
        tm_delete=row.tm_delete,
    )
