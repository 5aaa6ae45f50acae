"""Leases of campaigns in PostgreSQL. All times are the database's own, real time."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign.campaigns.domain import Status, StopMode
from services.campaign.campaigns.domain_leases import (
    LEASE_SECONDS,
    HeldLease,
    LeaseDefinition,
    LeaseState,
)
from services.campaign.campaigns.storage import COLUMNS, JOINED, campaign_of
from services.campaign.outplans.storage import OUTPLANS, outplan_of
from services.common.db import statement
from services.common.stored import actions_of

# clock_timestamp(), not now(): waiting for a row's lock must not eat into the lease.
_EXPIRY = "clock_timestamp() + make_interval(secs => :seconds)"
_HELD = "unnest(CAST(:ids AS uuid[]), CAST(:tokens AS bigint[])) AS h (id, token)"
# Rows are locked in the order of their ids, as by everybody, before the update touches them.
_LOCKED = f"""
WITH locked AS MATERIALIZED (
  SELECT s.id FROM campaign_states s JOIN {_HELD} ON h.id = s.id
  WHERE s.lease_holder = :dialer AND s.fencing_token = h.token
  ORDER BY s.id FOR NO KEY UPDATE OF s
)
"""
_RENEW = f"""
{_LOCKED}
UPDATE campaign_states s SET lease_expires_at = {_EXPIRY}
FROM locked WHERE s.id = locked.id AND s.lease_holder = :dialer AND s.status <> 'stop'
RETURNING s.id
"""
_TAKE = f"""
WITH free AS MATERIALIZED (
  SELECT id FROM campaign_states
  WHERE status <> 'stop' AND id <> ALL (CAST(:besides AS uuid[]))
    AND (lease_holder IN ('', :dialer) OR lease_expires_at <= clock_timestamp())
  ORDER BY lease_expires_at NULLS FIRST, id LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE campaign_states s SET lease_holder = :dialer, fencing_token = s.fencing_token + 1,
  lease_expires_at = {_EXPIRY}
FROM free WHERE s.id = free.id
RETURNING s.id
"""
_RELEASE = f"""
{_LOCKED}
UPDATE campaign_states s SET lease_holder = '', lease_expires_at = NULL
FROM locked WHERE s.id = locked.id AND s.lease_holder = :dialer
"""
_STATES = """
SELECT s.id, s.run_number, s.fencing_token, s.status, s.stop_mode,
  extract(epoch FROM s.lease_expires_at - clock_timestamp()) * 1000 AS expires_in_ms,
  concat_ws('.', s.revision, p.revision, f.revision) AS definition_revision
FROM campaigns c JOIN campaign_states s ON s.id = c.id
LEFT JOIN outplans p ON p.id = c.outplan_id
LEFT JOIN flows f ON f.id = c.flow_id
WHERE c.id = ANY (CAST(:ids AS uuid[])) ORDER BY c.id
"""
_CAMPAIGNS = f"SELECT {COLUMNS} FROM {JOINED} WHERE c.id = ANY (CAST(:ids AS uuid[]))"
_PLANS = f"SELECT {OUTPLANS.listed} FROM outplans WHERE id = ANY (CAST(:ids AS uuid[]))"
_FLOWS = "SELECT id, actions, on_complete_flow_id FROM flows WHERE id = ANY (CAST(:ids AS uuid[]))"


class PostgresLeases:
    """See ports.Leases."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def renew(self, dialer_id: str, held: Sequence[HeldLease]) -> set[UUID]:
        """See ports.Leases."""
        values = _held(dialer_id, held) | {"seconds": LEASE_SECONDS}
        return set((await self._conn.execute(statement(_RENEW), values)).scalars())

    async def take(self, dialer_id: str, besides: set[UUID], limit: int) -> set[UUID]:
        """See ports.Leases."""
        values = {
            "dialer": dialer_id,
            "besides": list(besides),
            "limit": limit,
            "seconds": LEASE_SECONDS,
        }
        return set((await self._conn.execute(statement(_TAKE), values)).scalars())

    async def release(self, dialer_id: str, held: Sequence[HeldLease]) -> None:
        """See ports.Leases."""
        await self._conn.execute(statement(_RELEASE), _held(dialer_id, held))

    async def states(self, campaign_ids: set[UUID]) -> Sequence[LeaseState]:
        """See ports.Leases."""
        rows = await self._conn.execute(statement(_STATES), {"ids": list(campaign_ids)})
        return [
            LeaseState(
                campaign_id=row.id,
                run_number=row.run_number,
                fencing_token=row.fencing_token,
                status=Status(row.status),
                stop_mode=StopMode(row.stop_mode),
                expires_in_ms=int(row.expires_in_ms),
                definition_revision=row.definition_revision,
            )
            for row in rows
        ]

    async def definitions(self, campaign_ids: set[UUID]) -> Sequence[LeaseDefinition]:
        """See ports.Leases."""
        rows = await self._conn.execute(statement(_CAMPAIGNS), {"ids": list(campaign_ids)})
        campaigns = [campaign_of(row) for row in rows.mappings()]
        rows = await self._conn.execute(
            statement(_PLANS), {"ids": list({each.outplan_id for each in campaigns})}
        )
        plans = {row["id"]: outplan_of(row) for row in rows.mappings()}
        flow_ids = list({each.flow_id for each in campaigns if each.flow_id is not None})
        flows = {}
        if flow_ids:
            found = await self._conn.execute(statement(_FLOWS), {"ids": flow_ids})
            flows = {row.id: (actions_of(row.actions), row.on_complete_flow_id) for row in found}
        return [
            LeaseDefinition(each, plans[each.outplan_id], *flows.get(each.flow_id, ((), None)))
            for each in campaigns
            if each.outplan_id is not None
        ]


def _held(dialer_id: str, held: Sequence[HeldLease]) -> dict[str, object]:
    return {
        "dialer": dialer_id,
        "ids": [each.campaign_id for each in held],
        "tokens": [each.fencing_token for each in held],
    }
