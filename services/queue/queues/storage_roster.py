"""Agents in PostgreSQL, as far as queues reserve them, and whom they are granted to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db import statement
from services.common.ids import NIL
from services.queue.agents.domain import Agent
from services.queue.agents.storage import (
    AGENT_COLUMNS,
    RESERVATION_SECONDS,
    PostgresAgents,
    agent_of,
)
from services.queue.queues.domain_matching import Candidate
from services.queue.queues.domain_sharing import Ask, Asked, Demand, FreeAgent, Group
from services.queue.queues.storage_queuecalls import IS_READY, IS_WAITING

GRANT_SECONDS = 2
"""REAL seconds a grant lives, and for which a campaign that asked gets a share."""
TURN_SECONDS = 10
"""REAL seconds after which the agents that cannot be shared equally go to other campaigns."""

# Kept out of reach: agents nobody could ring, and for a moment those whose phone was unreachable.
_CAN_BE_RUNG = (
    "state = 'available' AND addresses <> '[]'"
    " AND (rest_until IS NULL OR rest_until <= clock_timestamp())"
)
_LIVE_GRANT = "CASE WHEN granted_until > clock_timestamp() THEN granted_campaign_id END"

_INVOLVED = f"""
SELECT {AGENT_COLUMNS} FROM agents
WHERE id = ANY(CAST(:ids AS uuid[])) OR queuecall_id = ANY(CAST(:queuecall_ids AS uuid[]))
ORDER BY id FOR UPDATE
"""

_TRY_LOCK = f"""
SELECT {AGENT_COLUMNS} FROM agents
WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE SKIP LOCKED
"""

_TRY_LOCK_LAPSED = f"""
SELECT {AGENT_COLUMNS} FROM agents
WHERE id = ANY(CAST(:ids AS uuid[])) AND reserved_until <= clock_timestamp()
ORDER BY id FOR UPDATE SKIP LOCKED
"""

_TRY_LOCK_WRAPPED_UP = f"""
SELECT {AGENT_COLUMNS} FROM agents
WHERE wrapup_until <= :now ORDER BY wrapup_until LIMIT :limit FOR UPDATE SKIP LOCKED
"""

_NEXT_WRAPUP = "SELECT min(wrapup_until) FROM agents WHERE wrapup_until IS NOT NULL"

_LAPSED = """
SELECT id, queuecall_id FROM agents
WHERE reserved_until <= now() AND queuecall_id IS NOT NULL LIMIT :limit
"""

_HOLD = f"""
WITH held AS (
    SELECT id FROM agents WHERE queuecall_id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE
)
UPDATE agents a
SET reserved_until = clock_timestamp() + interval '{RESERVATION_SECONDS} seconds'
FROM held WHERE a.id = held.id
"""

# Written again only when half of it is gone; those locked are changing hands anyway.
_RENEW = f"""
WITH fading AS (
    SELECT id FROM agents
    WHERE queuecall_id = ANY(CAST(:ids AS uuid[])) AND state IN ('reserved', 'ringing')
      AND reserved_until < clock_timestamp() + interval '{RESERVATION_SECONDS} seconds' / 2
    ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE agents a
SET reserved_until = clock_timestamp() + interval '{RESERVATION_SECONDS} seconds'
FROM fading WHERE a.id = fading.id
"""

_CANDIDATES = f"""
SELECT id, customer_id, tag_ids, idle_since, {_LIVE_GRANT} AS granted_to FROM agents
WHERE customer_id = ANY(CAST(:customer_ids AS uuid[])) AND tm_delete IS NULL AND {_CAN_BE_RUNG}
"""

# In the order of the keys, so that two that want several customers never wait for each other.
_HOLD_CUSTOMERS = """
SELECT pg_advisory_xact_lock(hashtextextended('queue.customer:' || id, 0))
FROM unnest(CAST(:ids AS text[])) AS c (id)
"""

_ASKED = f"""
SELECT id, customer_id, tag_ids,
    floor(extract(epoch FROM clock_timestamp()) / {TURN_SECONDS})::bigint AS turn
FROM queues WHERE id = ANY(CAST(:ids AS uuid[])) AND tm_delete IS NULL
"""

_DEMANDS = f"""
WITH given AS (
    SELECT * FROM unnest(CAST(:campaign_ids AS uuid[]), CAST(:queue_ids AS uuid[]),
        CAST(:customer_ids AS uuid[])) AS g (campaign_id, queue_id, customer_id)
), noted AS (
    INSERT INTO capacity_asks AS c (campaign_id, queue_id, customer_id, asked_at)
    SELECT campaign_id, queue_id, customer_id, clock_timestamp() FROM given
    ON CONFLICT (campaign_id, queue_id) DO UPDATE SET asked_at = excluded.asked_at
    WHERE c.asked_at < excluded.asked_at - interval '{GRANT_SECONDS} seconds' / 8
), wanted AS (
    SELECT campaign_id, queue_id, NULL::bigint AS most FROM given
    UNION
    SELECT campaign_id, queue_id, NULL FROM capacity_asks
    WHERE customer_id = ANY(CAST(:customer_ids AS uuid[]))
      AND asked_at > clock_timestamp() - interval '{GRANT_SECONDS} seconds'
    UNION ALL
    SELECT COALESCE(campaign_id, CAST(:nil AS uuid)), queue_id, count(*) FROM queuecalls
    WHERE queue_id IN (
            SELECT id FROM queues
            WHERE customer_id = ANY(CAST(:customer_ids AS uuid[])) AND tm_delete IS NULL
        )
      AND {IS_WAITING} AND {IS_READY}
    GROUP BY 1, 2
)
SELECT w.campaign_id, w.most, q.customer_id, q.tag_ids
FROM wanted w JOIN queues q ON q.id = w.queue_id AND q.tm_delete IS NULL
"""

_GROUPS = f"""
SELECT customer_id, tag_ids, count(*) AS staffed_count,
    array_agg(id ORDER BY id) FILTER (WHERE is_free) AS ids,
    array_agg(granted_to ORDER BY id) FILTER (WHERE is_free) AS granted_tos,
    array_agg(is_fading ORDER BY id) FILTER (WHERE is_free) AS fadings
FROM (
    SELECT id, customer_id, tag_ids, {_CAN_BE_RUNG} AS is_free, {_LIVE_GRANT} AS granted_to,
        COALESCE(granted_until < clock_timestamp() + interval '{GRANT_SECONDS} seconds' / 2, true)
            AS is_fading
    FROM agents
    WHERE customer_id = ANY(CAST(:customer_ids AS uuid[])) AND tm_delete IS NULL
      AND state <> 'offline'
) a
GROUP BY customer_id, tag_ids
"""

_GRANT = f"""
WITH free AS (
    SELECT id FROM agents WHERE id = ANY(CAST(:ids AS uuid[])) AND state = 'available'
    ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE agents a SET granted_campaign_id = n.campaign_id,
    granted_until = CASE WHEN n.campaign_id IS NOT NULL
        THEN clock_timestamp() + interval '{GRANT_SECONDS} seconds' END
FROM free, unnest(CAST(:ids AS uuid[]), CAST(:campaign_ids AS uuid[])) AS n (id, campaign_id)
WHERE a.id = free.id AND n.id = free.id
RETURNING a.id
"""

# Whoever asks at this moment has its row locked; waiting for it could make a deadlock.
_FORGET_ASKS = """
DELETE FROM capacity_asks WHERE (campaign_id, queue_id) IN (
    SELECT campaign_id, queue_id FROM capacity_asks
    WHERE asked_at < clock_timestamp() - interval '1 minute' FOR UPDATE SKIP LOCKED
)
"""


class PostgresRoster:
    """See ports.Roster."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._agents = PostgresAgents(conn)

    async def lock_involved(
        self, agent_ids: Collection[UUID], queuecall_ids: Collection[UUID]
    ) -> list[Agent]:
        """See ports.Roster."""
        if not agent_ids and not queuecall_ids:
            return []
        values = {"ids": list(agent_ids), "queuecall_ids": list(queuecall_ids)}
        rows = await self._conn.execute(statement(_INVOLVED), values)
        return [agent_of(row) for row in rows]

    async def try_lock(self, agent_ids: Collection[UUID]) -> dict[UUID, Agent]:
        """See ports.Roster."""
        rows = await self._conn.execute(statement(_TRY_LOCK), {"ids": list(agent_ids)})
        return {row.id: agent_of(row) for row in rows}

    async def try_lock_lapsed(self, agent_ids: Collection[UUID]) -> list[Agent]:
        """See ports.Roster."""
        if not agent_ids:
            return []
        rows = await self._conn.execute(statement(_TRY_LOCK_LAPSED), {"ids": list(agent_ids)})
        return [agent_of(row) for row in rows]

    async def try_lock_wrapped_up(self, now: datetime, limit: int) -> list[Agent]:
        """See ports.Roster."""
        rows = await self._conn.execute(
            statement(_TRY_LOCK_WRAPPED_UP), {"now": now, "limit": limit}
        )
        return [agent_of(row) for row in rows]

    async def next_wrapup(self) -> datetime | None:
        """See ports.Roster."""
        found: datetime | None = (await self._conn.execute(statement(_NEXT_WRAPUP))).scalar_one()
        return found

    async def lapsed(self, limit: int) -> dict[UUID, UUID]:
        """See ports.Roster."""
        rows = await self._conn.execute(statement(_LAPSED), {"limit": limit})
        return {row.id: row.queuecall_id for row in rows}

    async def save_states(
        self, agents: Collection[Agent], resting: Collection[UUID] = frozenset()
    ) -> None:
        """See ports.Roster."""
        await self._agents.save_states(agents, resting)

    async def hold(self, queuecall_ids: Collection[UUID]) -> None:
        """See ports.Roster."""
        if queuecall_ids:
            await self._conn.execute(statement(_HOLD), {"ids": list(queuecall_ids)})

    async def renew(self, queuecall_ids: Collection[UUID]) -> None:
        """See ports.Roster."""
        await self._conn.execute(statement(_RENEW), {"ids": list(queuecall_ids)})

    async def candidates(self, customer_ids: Collection[UUID]) -> list[Candidate]:
        """See ports.Roster."""
        rows = await self._conn.execute(
            statement(_CANDIDATES), {"customer_ids": list(customer_ids)}
        )
        # Read at once: row by row costs more than the query when hundreds are idle.
        return [
            Candidate(
                agent_id=row.id,
                customer_id=row.customer_id,
                tag_ids=frozenset(row.tag_ids),
                idle_since=row.idle_since,
                granted_to=row.granted_to,
            )
            for row in rows.all()
        ]


class PostgresCapacities:
    """See ports.Capacities."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def hold(self, customer_ids: Collection[UUID]) -> None:
        """See ports.Capacities."""
        ids = sorted(str(each) for each in customer_ids)
        await self._conn.execute(statement(_HOLD_CUSTOMERS), {"ids": ids})

    async def asked(self, queue_ids: Collection[UUID]) -> tuple[dict[UUID, Asked], int]:
        """See ports.Capacities."""
        rows = (await self._conn.execute(statement(_ASKED), {"ids": list(queue_ids)})).all()
        queues = {row.id: Asked(row.id, row.customer_id, frozenset(row.tag_ids)) for row in rows}
        return queues, rows[0].turn if rows else 0

    async def demands(self, asks: Mapping[Ask, UUID], now: datetime) -> list[Demand]:
        """See ports.Capacities."""
        rows = await self._conn.execute(
            statement(_DEMANDS),
            {
                "campaign_ids": [ask.campaign_id for ask in asks],
                "queue_ids": [ask.queue_id for ask in asks],
                "customer_ids": list(asks.values()),
                "nil": NIL,
                "now": now,
            },
        )
        return [
            Demand(row.campaign_id, row.customer_id, frozenset(row.tag_ids), row.most)
            for row in rows
        ]

    async def groups(self, customer_ids: Collection[UUID]) -> list[Group]:
        """See ports.Capacities."""
        rows = await self._conn.execute(statement(_GROUPS), {"customer_ids": list(customer_ids)})
        return [
            Group(
                customer_id=row.customer_id,
                tag_ids=frozenset(row.tag_ids),
                staffed_count=row.staffed_count,
                free=tuple(
                    FreeAgent(*each)
                    for each in zip(
                        row.ids or (), row.granted_tos or (), row.fadings or (), strict=True
                    )
                ),
            )
            for row in rows
        ]

    async def grant(self, grants: Mapping[UUID, UUID | None]) -> set[UUID]:
        """See ports.Capacities."""
        rows = await self._conn.execute(
            statement(_GRANT),
            {"ids": list(grants), "campaign_ids": list(grants.values())},
        )
        return {row.id for row in rows}

    async def forget_old_asks(self) -> None:
        """See ports.Capacities."""
        await self._conn.execute(statement(_FORGET_ASKS))
