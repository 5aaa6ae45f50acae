"""Agents in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db import statement, violated_constraint
from services.common.errors import AlreadyExists
from services.common.paging import Page
from services.common.stored import address_of, addresses_json
from services.queue.agents.domain import AGENT_ALREADY_EXISTS, Agent, AgentState
from services.queue.agents.ports import Credentials

RESERVATION_SECONDS = 10
"""REAL seconds a reservation lives unless its dialer renews it."""
REST_SECONDS = 2
"""REAL seconds an agent whose phone could not be reached is not chosen again."""

AGENT_COLUMNS = (
    "id, customer_id, username, name, detail, ring_method, permission, tag_ids, addresses, state,"
    " next_status, tm_state, idle_since, queuecall_id, wrapup_until, busy_ms_total,"
    " available_ms_total, wrapup_ms_total, revision, tm_create, tm_update, tm_delete"
)

_INSERT = f"""
INSERT INTO agents ({AGENT_COLUMNS}, password_hash, create_digest)
VALUES (:id, :customer_id, :username, :name, :detail, :ring_method, :permission,
    CAST(:tag_ids AS uuid[]), CAST(:addresses AS jsonb), :state, :next_status, :tm_state,
    :idle_since, :queuecall_id, :wrapup_until, :busy_ms_total, :available_ms_total,
    :wrapup_ms_total, :revision, :tm_create, :tm_update, :tm_delete, :password_hash,
    :digest)
ON CONFLICT DO NOTHING
"""

_GET = f"SELECT {AGENT_COLUMNS} FROM agents WHERE id = :id"
_DIGEST = "SELECT create_digest FROM agents WHERE id = :id"

_LIST = f"""
SELECT {AGENT_COLUMNS} FROM agents
WHERE customer_id = :customer_id AND tm_delete IS NULL AND (tm_create, id) < (:tm, :before_id)
  AND (cardinality(CAST(:tag_ids AS uuid[])) = 0 OR tag_ids && CAST(:tag_ids AS uuid[]))
  AND (cardinality(CAST(:states AS text[])) = 0 OR state = ANY(CAST(:states AS text[])))
ORDER BY tm_create DESC, id DESC LIMIT :limit
"""

# The rows are locked already, so their order here cannot make a deadlock.
_SAVE_STATES = f"""
UPDATE agents a SET
    state = n.state,
    next_status = n.next_status,
    tm_state = n.tm_state,
    idle_since = n.idle_since,
    queuecall_id = n.queuecall_id,
    wrapup_until = n.wrapup_until,
    busy_ms_total = n.busy_ms_total,
    available_ms_total = n.available_ms_total,
    wrapup_ms_total = n.wrapup_ms_total,
    revision = n.revision,
    tm_update = n.tm_update,
    reserved_until = CASE
        WHEN n.state IN ('reserved', 'ringing')
            THEN clock_timestamp() + interval '{RESERVATION_SECONDS} seconds'
        WHEN n.state = a.state AND n.queuecall_id = a.queuecall_id THEN a.reserved_until
    END,
    rest_until = CASE WHEN n.must_rest
        THEN clock_timestamp() + interval '{REST_SECONDS} seconds' ELSE a.rest_until END,
    granted_campaign_id = CASE WHEN n.state = 'available' THEN a.granted_campaign_id END,
    granted_until = CASE WHEN n.state = 'available' THEN a.granted_until END
FROM unnest(
    CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:next_statuses AS text[]),
    CAST(:tm_states AS timestamptz[]), CAST(:idle_sinces AS timestamptz[]),
    CAST(:queuecall_ids AS uuid[]), CAST(:wrapup_untils AS timestamptz[]),
    CAST(:busy AS bigint[]), CAST(:available AS bigint[]), CAST(:wrapup AS bigint[]),
    CAST(:revisions AS bigint[]), CAST(:tm_updates AS timestamptz[]), CAST(:rests AS boolean[])
) AS n (id, state, next_status, tm_state, idle_since, queuecall_id, wrapup_until,
    busy_ms_total, available_ms_total, wrapup_ms_total, revision, tm_update, must_rest)
WHERE a.id = n.id
"""

_SAVE_PROFILE = """
UPDATE agents SET name = :name, detail = :detail, ring_method = :ring_method,
    permission = :permission, tag_ids = CAST(:tag_ids AS uuid[]),
    addresses = CAST(:addresses AS jsonb), revision = :revision, tm_update = :tm_update,
    tm_delete = :tm_delete, password_hash = COALESCE(:password_hash, password_hash)
WHERE id = :id
"""

_DROP_ADDRESSES = "DELETE FROM agent_addresses WHERE agent_id = :id"

_ADD_ADDRESSES = """
INSERT INTO agent_addresses (customer_id, agent_id, type, target)
SELECT :customer_id, :id, type, target
FROM unnest(CAST(:types AS text[]), CAST(:targets AS text[])) AS n (type, target)
"""

_HOLD_ADMINS = (
    "SELECT pg_advisory_xact_lock(hashtextextended('queue.admins:' || CAST(:id AS text), 0))"
)

_COUNT_ADMINS = """
SELECT count(*) FROM agents
WHERE customer_id = :customer_id AND tm_delete IS NULL AND permission & 32 <> 0
"""

_CREDENTIALS = f"""
SELECT {AGENT_COLUMNS}, password_hash FROM agents
WHERE lower(username) = lower(:username) AND tm_delete IS NULL
"""

_REMOVE_TAG = f"""
WITH tagged AS (
    SELECT id AS tagged_id FROM agents
    WHERE customer_id = :customer_id AND tm_delete IS NULL
      AND tag_ids @> ARRAY[CAST(:tag_id AS uuid)]
    ORDER BY id FOR UPDATE
)
UPDATE agents SET tag_ids = array_remove(tag_ids, CAST(:tag_id AS uuid)),
    revision = revision + 1, tm_update = :at
FROM tagged WHERE id = tagged_id
RETURNING {AGENT_COLUMNS}
"""


class PostgresAgents:
    """See ports.Agents."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def insert(self, agent: Agent, password_hash: str, digest: str) -> bool:
        """See ports.Agents."""
        values = {name: getattr(agent, name) for name in Agent.__dataclass_fields__} | {
            "tag_ids": list(agent.tag_ids),
            "addresses": addresses_json(agent.addresses),
            "state": str(agent.state),
            "password_hash": password_hash,
            "digest": digest,
        }
        result = await self._conn.execute(statement(_INSERT), values)
        if result.rowcount == 0:
            return False
        await self._add_addresses(agent)
        return True

    async def digest(self, agent_id: UUID) -> str | None:
        """See ports.Agents."""
        found = await self._conn.execute(statement(_DIGEST), {"id": agent_id})
        digest: str | None = found.scalar_one_or_none()
        return digest

    async def get(self, agent_id: UUID) -> Agent | None:
        """See ports.Agents."""
        return await self._one(_GET, id=agent_id)

    async def lock(self, agent_id: UUID) -> Agent | None:
        """See ports.Agents."""
        return await self._one(_GET + " FOR UPDATE", id=agent_id)

    async def list_page(
        self,
        customer_id: UUID,
        page: Page,
        tag_ids: Sequence[UUID],
        states: Sequence[AgentState],
    ) -> list[Agent]:
        """See ports.Agents."""
        values = page.parameters() | {
            "customer_id": customer_id,
            "tag_ids": list(tag_ids),
            "states": [str(state) for state in states],
        }
        rows = await self._conn.execute(statement(_LIST), values)
        return [agent_of(row) for row in rows]

    async def save_states(
        self, agents: Collection[Agent], resting: Collection[UUID] = frozenset()
    ) -> None:
        """See ports.Agents."""
        if not agents:
            return
        await self._conn.execute(
            statement(_SAVE_STATES),
            {
                "ids": [each.id for each in agents],
                "states": [str(each.state) for each in agents],
                "next_statuses": [each.next_status for each in agents],
                "tm_states": [each.tm_state for each in agents],
                "idle_sinces": [each.idle_since for each in agents],
                "queuecall_ids": [each.queuecall_id for each in agents],
                "wrapup_untils": [each.wrapup_until for each in agents],
                "busy": [each.busy_ms_total for each in agents],
                "available": [each.available_ms_total for each in agents],
                "wrapup": [each.wrapup_ms_total for each in agents],
                "revisions": [each.revision for each in agents],
                "tm_updates": [each.tm_update for each in agents],
                "rests": [each.id in resting for each in agents],
            },
        )

    async def save_profile(self, agent: Agent, password_hash: str | None) -> None:
        """See ports.Agents."""
        await self._conn.execute(
            statement(_SAVE_PROFILE),
            {
                "id": agent.id,
                "name": agent.name,
                "detail": agent.detail,
                "ring_method": agent.ring_method,
                "permission": agent.permission,
                "tag_ids": list(agent.tag_ids),
                "addresses": addresses_json(agent.addresses),
                "revision": agent.revision,
                "tm_update": agent.tm_update,
                "tm_delete": agent.tm_delete,
                "password_hash": password_hash,
            },
        )
        await self._conn.execute(statement(_DROP_ADDRESSES), {"id": agent.id})
        if agent.tm_delete is None:
            await self._add_addresses(agent)

    async def hold_admins(self, customer_id: UUID) -> None:
        """See ports.Agents."""
        await self._conn.execute(statement(_HOLD_ADMINS), {"id": customer_id})

    async def count_admins(self, customer_id: UUID) -> int:
        """See ports.Agents."""
        result = await self._conn.execute(statement(_COUNT_ADMINS), {"customer_id": customer_id})
        return int(result.scalar_one())

    async def credentials(self, username: str) -> Credentials | None:
        """See ports.Agents."""
        result = await self._conn.execute(statement(_CREDENTIALS), {"username": username})
        row = result.one_or_none()
        return None if row is None else Credentials(agent_of(row), row.password_hash)

    async def remove_tag(self, customer_id: UUID, tag_id: UUID, at: datetime) -> list[Agent]:
        """See ports.Agents."""
        rows = await self._conn.execute(
            statement(_REMOVE_TAG), {"customer_id": customer_id, "tag_id": tag_id, "at": at}
        )
        return [agent_of(row) for row in rows]

    async def _one(self, sql: str, **values: object) -> Agent | None:
        row = (await self._conn.execute(statement(sql), values)).one_or_none()
        return None if row is None else agent_of(row)

    async def _add_addresses(self, agent: Agent) -> None:
        if not agent.addresses:
            return
        values = {
            "customer_id": agent.customer_id,
            "id": agent.id,
            "types": [each.type for each in agent.addresses],
            "targets": [each.target for each in agent.addresses],
        }
        try:
            await self._conn.execute(statement(_ADD_ADDRESSES), values)
        except IntegrityError as exc:
            if violated_constraint(exc) != "agent_addresses_pkey":
                raise
            raise AlreadyExists(
                "one of the addresses belongs to another agent of this customer",
                reason=AGENT_ALREADY_EXISTS,
            ) from exc


def agent_of(row: Any) -> Agent:
    """The agent in a row that has every column of the domain object."""
    return Agent(
        id=row.id,
        customer_id=row.customer_id,
        username=row.username,
        name=row.name,
        detail=row.detail,
        ring_method=row.ring_method,
        permission=row.permission,
        tag_ids=tuple(row.tag_ids),
        addresses=tuple(map(address_of, row.addresses)),
        state=AgentState(row.state),
        next_status=row.next_status,
        tm_state=row.tm_state,
        idle_since=row.idle_since,
        queuecall_id=row.queuecall_id,
        wrapup_until=row.wrapup_until,
        busy_ms_total=row.busy_ms_total,
        available_ms_total=row.available_ms_total,
        wrapup_ms_total=row.wrapup_ms_total,
        revision=row.revision,
        tm_create=row.tm_create,
        tm_update=row.tm_update,
        tm_delete=row.tm_delete,
    )
