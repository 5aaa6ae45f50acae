"""Queues and their counters in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db import statement
from services.common.paging import Page
from services.queue.agents.domain import STATUS_OF, AgentState, AgentStatus
from services.queue.queues.domain import Members, Queue, RoutingMethod, Standing, Tally
from services.queue.queues.domain_matching import Routing

_COLUMNS = (
    "id, customer_id, name, detail, routing_method, tag_ids, wait_flow_id, wait_timeout,"
    " service_timeout, wrapup_time, ring_timeout, recording, revision, tm_create, tm_update, tm_delete"
)

_INSERT = f"""
WITH added AS (
    INSERT INTO queues ({_COLUMNS}, create_digest)
    VALUES (:id, :customer_id, :name, :detail, :routing_method, CAST(:tag_ids AS uuid[]),
        :wait_flow_id, :wait_timeout, :service_timeout, :wrapup_time, :ring_timeout, :recording,
        :revision,
        :tm_create, :tm_update, :tm_delete, :digest)
    ON CONFLICT (id) DO NOTHING
    RETURNING id
)
INSERT INTO queue_counters (queue_id) SELECT id FROM added
"""

_GET = f"SELECT {_COLUMNS} FROM queues WHERE id = :id"
_GET_MANY = f"SELECT {_COLUMNS} FROM queues WHERE id = ANY(CAST(:ids AS uuid[]))"
_DIGEST = "SELECT create_digest FROM queues WHERE id = :id"

_LIST = f"""
SELECT {_COLUMNS} FROM queues
WHERE customer_id = :customer_id AND tm_delete IS NULL AND (tm_create, id) < (:tm, :before_id)
ORDER BY tm_create DESC, id DESC LIMIT :limit
"""

_SAVE = """
UPDATE queues SET name = :name, detail = :detail, routing_method = :routing_method,
    tag_ids = CAST(:tag_ids AS uuid[]), wait_flow_id = :wait_flow_id,
    wait_timeout = :wait_timeout, service_timeout = :service_timeout,
    wrapup_time = :wrapup_time, ring_timeout = :ring_timeout,
    recording = :recording, revision = :revision,
    tm_update = :tm_update, tm_delete = :tm_delete
WHERE id = :id
"""

_MEMBERS = """
SELECT c.queue_id, c.incoming_count, c.serviced_count, c.abandoned_count, l.waiting, l.in_service
FROM queue_counters c
CROSS JOIN LATERAL (
    SELECT
        array_agg(id ORDER BY tm_create, id) FILTER (WHERE status <> 'service') AS waiting,
        array_agg(id ORDER BY tm_create, id) FILTER (WHERE status = 'service') AS in_service
    FROM queuecalls
    WHERE queue_id = c.queue_id AND status IN ('waiting', 'connecting', 'service')
) l
WHERE c.queue_id = ANY(CAST(:ids AS uuid[]))
"""

_STANDING = """
SELECT c.incoming_count, c.serviced_count, c.abandoned_count, c.waited_ms_total,
    l.waiting_count, l.service_count, l.tm_longest
FROM queue_counters c
CROSS JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE status <> 'service') AS waiting_count,
        count(*) FILTER (WHERE status = 'service') AS service_count,
        min(tm_create) FILTER (WHERE status <> 'service') AS tm_longest
    FROM queuecalls
    WHERE queue_id = c.queue_id AND status IN ('waiting', 'connecting', 'service')
) l
WHERE c.queue_id = :id
"""

_AGENTS = """
SELECT state, count(*) AS agent_count FROM agents
WHERE customer_id = :customer_id AND tm_delete IS NULL
  AND (CAST(:tag_ids AS uuid[]) = '{}' OR tag_ids && CAST(:tag_ids AS uuid[]))
GROUP BY state
"""

_COUNT = """
WITH locked AS (
    SELECT queue_id FROM queue_counters
    WHERE queue_id = ANY(CAST(:ids AS uuid[])) ORDER BY queue_id FOR UPDATE
)
UPDATE queue_counters c SET
    incoming_count = c.incoming_count + n.incoming,
    serviced_count = c.serviced_count + n.serviced,
    abandoned_count = c.abandoned_count + n.abandoned,
    waited_ms_total = c.waited_ms_total + n.waited_ms,
    last_agent_id = COALESCE(n.last_agent_id, c.last_agent_id)
FROM locked, unnest(CAST(:ids AS uuid[]), CAST(:incoming AS bigint[]),
    CAST(:serviced AS bigint[]), CAST(:abandoned AS bigint[]), CAST(:waited AS bigint[]),
    CAST(:last_agents AS uuid[]))
    AS n (queue_id, incoming, serviced, abandoned, waited_ms, last_agent_id)
WHERE c.queue_id = locked.queue_id AND n.queue_id = locked.queue_id
"""

_ROUTINGS = """
SELECT q.id, q.customer_id, q.routing_method, q.tag_ids, c.last_agent_id
FROM queues q JOIN queue_counters c ON c.queue_id = q.id
WHERE q.id = ANY(CAST(:ids AS uuid[]))
"""

_REMOVE_TAG = f"""
WITH tagged AS (
    SELECT id AS tagged_id FROM queues
    WHERE customer_id = :customer_id AND tm_delete IS NULL
      AND tag_ids @> ARRAY[CAST(:tag_id AS uuid)]
    ORDER BY id FOR UPDATE
)
UPDATE queues SET tag_ids = array_remove(tag_ids, CAST(:tag_id AS uuid)),
    revision = revision + 1, tm_update = :at
FROM tagged WHERE id = tagged_id
RETURNING {_COLUMNS}
"""


class PostgresQueues:
    """See ports.Queues."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def insert(self, queue: Queue, digest: str) -> bool:
        """See ports.Queues."""
        values = _values(queue) | {"digest": digest}
        return (await self._conn.execute(statement(_INSERT), values)).rowcount == 1

    async def digest(self, queue_id: UUID) -> str | None:
        """See ports.Queues."""
        found = await self._conn.execute(statement(_DIGEST), {"id": queue_id})
        digest: str | None = found.scalar_one_or_none()
        return digest

    async def get(self, queue_id: UUID) -> Queue | None:
        """See ports.Queues."""
        return await self._one(_GET, id=queue_id)

    async def get_many(self, queue_ids: Collection[UUID]) -> list[Queue]:
        """See ports.Queues."""
        rows = await self._conn.execute(statement(_GET_MANY), {"ids": list(queue_ids)})
        return [_queue_of(row) for row in rows]

    async def lock(self, queue_id: UUID) -> Queue | None:
        """See ports.Queues."""
        return await self._one(_GET + " FOR UPDATE", id=queue_id)

    async def list_page(self, customer_id: UUID, page: Page) -> list[Queue]:
        """See ports.Queues."""
        values = page.parameters() | {"customer_id": customer_id}
        rows = await self._conn.execute(statement(_LIST), values)
        return [_queue_of(row) for row in rows]

    async def save(self, queue: Queue) -> None:
        """See ports.Queues."""
        await self._conn.execute(statement(_SAVE), _values(queue))

    async def members(self, queue_ids: Collection[UUID]) -> dict[UUID, Members]:
        """See ports.Queues."""
        if not queue_ids:
            return {}
        rows = await self._conn.execute(statement(_MEMBERS), {"ids": list(queue_ids)})
        return {
            row.queue_id: Members(
                waiting=tuple(row.waiting or ()),
                in_service=tuple(row.in_service or ()),
                incoming_count=row.incoming_count,
                serviced_count=row.serviced_count,
                abandoned_count=row.abandoned_count,
            )
            for row in rows
        }

    async def standing(self, queue: Queue) -> Standing:
        """See ports.Queues."""
        row = (await self._conn.execute(statement(_STANDING), {"id": queue.id})).one()
        values = {"customer_id": queue.customer_id, "tag_ids": list(queue.tag_ids)}
        agents = await self._conn.execute(statement(_AGENTS), values)
        counts = dict.fromkeys(map(str, AgentStatus), 0)
        for each in agents:
            counts[STATUS_OF[AgentState(each.state)]] += each.agent_count
        return Standing(**row._mapping, agent_counts=counts)

    async def add_to_counters(self, tallies: Mapping[UUID, Tally]) -> None:
        """See ports.Queues."""
        if not tallies:
            return
        await self._conn.execute(
            statement(_COUNT),
            {
                "ids": list(tallies),
                "incoming": [each.incoming for each in tallies.values()],
                "serviced": [each.serviced for each in tallies.values()],
                "abandoned": [each.abandoned for each in tallies.values()],
                "waited": [each.waited_ms for each in tallies.values()],
                "last_agents": [each.last_agent_id for each in tallies.values()],
            },
        )

    async def routings(self, queue_ids: Collection[UUID]) -> dict[UUID, Routing]:
        """See ports.Queues."""
        rows = await self._conn.execute(statement(_ROUTINGS), {"ids": list(queue_ids)})
        return {
            row.id: Routing(
                customer_id=row.customer_id,
                method=RoutingMethod(row.routing_method),
                tag_ids=frozenset(row.tag_ids),
                last_agent_id=row.last_agent_id,
            )
            for row in rows
        }

    async def remove_tag(self, customer_id: UUID, tag_id: UUID, at: datetime) -> list[Queue]:
        """Take the tag from every queue; those that had it, as they are now."""
        rows = await self._conn.execute(
            statement(_REMOVE_TAG), {"customer_id": customer_id, "tag_id": tag_id, "at": at}
        )
        return [_queue_of(row) for row in rows]

    async def _one(self, sql: str, **values: object) -> Queue | None:
        row = (await self._conn.execute(statement(sql), values)).one_or_none()
        return None if row is None else _queue_of(row)


def _values(queue: Queue) -> dict[str, object]:
    return {name: getattr(queue, name) for name in Queue.__dataclass_fields__} | {
        "routing_method": str(queue.routing_method),
        "tag_ids": list(queue.tag_ids),
    }


def _queue_of(row: Any) -> Queue:
    return Queue(
        id=row.id,
        customer_id=row.customer_id,
        name=row.name,
        detail=row.detail,
        routing_method=RoutingMethod(row.routing_method),
        tag_ids=tuple(row.tag_ids),
        wait_flow_id=row.wait_flow_id,
        wait_timeout=row.wait_timeout,
        service_timeout=row.service_timeout,
        wrapup_time=row.wrapup_time,
        ring_timeout=row.ring_timeout,
        recording=row.recording,
        revision=row.revision,
        tm_create=row.tm_create,
        tm_update=row.tm_update,
        tm_delete=row.tm_delete,
    )
