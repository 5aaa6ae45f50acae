"""Campaigns and the checks of their outdials' bindings in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign.campaigncalls.domain import HANGUP_REASONS
from services.campaign.campaigncalls.domain_waits import Waits
from services.campaign.campaigns.domain import (
    Campaign,
    CampaignStats,
    CampaignType,
    EndHandle,
    Run,
    Status,
    StopMode,
    StopReason,
)
from services.common.db import statement
from services.common.paging import Page
from services.common.stored import (
    actions_json,
    actions_of,
    optional_address_json,
    optional_address_of,
)

_DEFINITION = (
    "id, customer_id, type, name, detail, service_level, end_handle, actions, flow_id, outplan_id,"
    " outdial_id, queue_id, next_campaign_id, source, agent_wait_limit, abandonment_actions,"
    " tm_create, tm_delete"
)
_RUN = (
    "status, run_number, stop_mode, stop_reason, stop_detail, revision, tm_update, tm_run_start,"
    " tm_run_end, idle_chain_ids, fencing_token, open_count, run_placed_count"
)
COLUMNS = ", ".join(f"c.{name.strip()}" for name in _DEFINITION.split(",")) + ", " + _RUN
JOINED = "campaigns c JOIN campaign_states s ON s.id = c.id"
_GET = f"SELECT {COLUMNS} FROM {JOINED} WHERE c.id = :id"
_LOCK = "SELECT id FROM campaign_states WHERE id = :id FOR NO KEY UPDATE"
_STATS = f"""
SELECT {COLUMNS}, attempt_count, progressing_count, success_count, fail_count, answered_count,
  connected_count, abandoned_count, refunded_count, person_count, talk_ms_total,
  agent_wait_counts, agent_wait_ms_total, agent_wait_ms_max,
  {", ".join(f"{reason}_count" for reason in HANGUP_REASONS)},
  CASE WHEN lease_expires_at > clock_timestamp() THEN lease_holder ELSE '' END AS lease_holder
FROM {JOINED} WHERE c.id = :id
"""
_INSERT = f"""
WITH definition AS (
  INSERT INTO campaigns ({_DEFINITION}, create_digest)
  VALUES (:id, :customer_id, :type, :name, :detail, :service_level, :end_handle,
    CAST(:actions AS json), :flow_id, :outplan_id, :outdial_id, :queue_id, :next_campaign_id,
    CAST(:source AS jsonb), :agent_wait_limit, CAST(:abandonment_actions AS json), :tm_create, :tm_delete, :digest)
  ON CONFLICT ON CONSTRAINT campaigns_pkey DO NOTHING RETURNING id
)
INSERT INTO campaign_states (id) SELECT id FROM definition
"""
_SAVE_DEFINITION = """
UPDATE campaigns SET type = :type, name = :name, detail = :detail, service_level = :service_level,
  end_handle = :end_handle, actions = CAST(:actions AS json), flow_id = :flow_id,
  outplan_id = :outplan_id, outdial_id = :outdial_id, queue_id = :queue_id,
  next_campaign_id = :next_campaign_id, source = CAST(:source AS jsonb),
  agent_wait_limit = :agent_wait_limit,
  abandonment_actions = CAST(:abandonment_actions AS json), tm_delete = :tm_delete
WHERE id = :id
"""
# A stopped campaign is nobody's: whoever held it learns so at its next renewal.
_SAVE_RUN = """
UPDATE campaign_states SET status = :status, run_number = :run_number, stop_mode = :stop_mode,
  stop_reason = :stop_reason, stop_detail = :stop_detail, revision = :revision,
  tm_update = :tm_update, tm_run_start = :tm_run_start, tm_run_end = :tm_run_end,
  idle_chain_ids = CAST(:idle_chain_ids AS uuid[]), run_placed_count = :run_placed_count,
  lease_holder = CASE WHEN CAST(:status AS text) = 'stop' THEN '' ELSE lease_holder END,
  lease_expires_at = CASE WHEN CAST(:status AS text) = 'stop' THEN NULL ELSE lease_expires_at END
WHERE id = :id
"""
_LIST = f"""
SELECT {COLUMNS} FROM {JOINED} WHERE c.customer_id = :customer_id AND c.tm_delete IS NULL
  AND (c.tm_create, c.id) < (:tm, :before_id)
ORDER BY c.tm_create DESC, c.id DESC LIMIT :limit
"""


class PostgresCampaigns:
    """See ports.Campaigns."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, campaign_id: UUID) -> Campaign | None:
        """See ports.Campaigns."""
        rows = await self._conn.execute(statement(_GET), {"id": campaign_id})
        row = rows.mappings().one_or_none()
        return None if row is None else campaign_of(row)

    async def lock(self, campaign_id: UUID) -> Campaign | None:
        """See ports.Campaigns."""
        # Two statements: the second sees what the holder of the lock had written to both rows.
        await self._conn.execute(statement(_LOCK), {"id": campaign_id})
        return await self.get(campaign_id)

    async def insert(self, campaign: Campaign, digest: str) -> bool:
        """See ports.Campaigns."""
        values = _definition(campaign) | {
            "customer_id": campaign.customer_id,
            "tm_create": campaign.tm_create,
            "digest": digest,
        }
        return (await self._conn.execute(statement(_INSERT), values)).rowcount == 1

    async def digest(self, campaign_id: UUID) -> str:
        """See ports.Campaigns."""
        sql = statement("SELECT create_digest FROM campaigns WHERE id = :id")
        return str((await self._conn.execute(sql, {"id": campaign_id})).scalar_one())

    async def save(self, campaign: Campaign) -> None:
        """See ports.Campaigns."""
        await self._conn.execute(statement(_SAVE_DEFINITION), _definition(campaign))
        await self._conn.execute(statement(_SAVE_RUN), _run(campaign))

    async def list(self, customer_id: UUID, page: Page) -> Sequence[Campaign]:
        """See ports.Campaigns."""
        values = page.parameters() | {"customer_id": customer_id}
        rows = await self._conn.execute(statement(_LIST), values)
        return [campaign_of(row) for row in rows.mappings()]

    async def stats(self, campaign_id: UUID) -> CampaignStats | None:
        """See ports.Campaigns."""
        rows = await self._conn.execute(statement(_STATS), {"id": campaign_id})
        row = rows.mappings().one_or_none()
        if row is None:
            return None
        return CampaignStats(
            campaign=campaign_of(row),
            attempt_count=row["attempt_count"],
            dialing_count=row["open_count"] - row["progressing_count"],
            progressing_count=row["progressing_count"],
            success_count=row["success_count"],
            fail_count=row["fail_count"],
            answered_count=row["answered_count"],
            connected_count=row["connected_count"],
            abandoned_count=row["abandoned_count"],
            refunded_count=row["refunded_count"],
            person_count=row["person_count"],
            waits=Waits(
                list(row["agent_wait_counts"]),
                row["agent_wait_ms_total"],
                row["agent_wait_ms_max"],
            ),
            hangup_reason_counts={name: row[f"{name}_count"] for name in HANGUP_REASONS},
            talk_ms=row["talk_ms_total"],
            lease_holder=row["lease_holder"],
        )


_NOTE = """
INSERT INTO binding_checks (outdial_id, campaign_id, customer_id, due_at)
VALUES (:outdial_id, :campaign_id, :customer_id, now() + make_interval(secs => :seconds))
ON CONFLICT ON CONSTRAINT binding_checks_pkey DO UPDATE SET due_at = excluded.due_at
"""
_IS_NOTED = """
SELECT 1 FROM binding_checks WHERE outdial_id = :outdial_id AND campaign_id = :campaign_id
"""
_DUE = """
UPDATE binding_checks SET due_at = now() + interval '30 seconds'
WHERE (outdial_id, campaign_id) IN (
  SELECT outdial_id, campaign_id FROM binding_checks WHERE due_at <= now()
  ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
RETURNING customer_id, outdial_id, campaign_id
"""
_FORGET = "DELETE FROM binding_checks WHERE outdial_id = :outdial_id AND campaign_id = :campaign_id"


class PostgresBindingChecks:
    """See ports.BindingChecks."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def note(
        self, customer_id: UUID, outdial_id: UUID, campaign_id: UUID, seconds: float
    ) -> None:
        """See ports.BindingChecks."""
        values = {
            "customer_id": customer_id,
            "outdial_id": outdial_id,
            "campaign_id": campaign_id,
            "seconds": seconds,
        }
        await self._conn.execute(statement(_NOTE), values)

    async def is_noted(self, outdial_id: UUID, campaign_id: UUID) -> bool:
        """See ports.BindingChecks."""
        result = await self._conn.execute(
            statement(_IS_NOTED), {"outdial_id": outdial_id, "campaign_id": campaign_id}
        )
        return result.first() is not None

    async def forget(self, outdial_id: UUID, campaign_id: UUID) -> None:
        """See ports.BindingChecks."""
        values = {"outdial_id": outdial_id, "campaign_id": campaign_id}
        await self._conn.execute(statement(_FORGET), values)

    async def due(self, limit: int) -> Sequence[tuple[UUID, UUID, UUID]]:
        """See ports.BindingChecks."""
        rows = await self._conn.execute(statement(_DUE), {"limit": limit})
        return [(row.customer_id, row.outdial_id, row.campaign_id) for row in rows]


def campaign_of(row: RowMapping) -> Campaign:
    """The campaign in a row of COLUMNS."""
    return Campaign(
        id=row["id"],
        customer_id=row["customer_id"],
        type=CampaignType(row["type"]),
        name=row["name"],
        detail=row["detail"],
        service_level=row["service_level"],
        end_handle=EndHandle(row["end_handle"]),
        actions=actions_of(row["actions"]),
        flow_id=row["flow_id"],
        outplan_id=row["outplan_id"],
        outdial_id=row["outdial_id"],
        queue_id=row["queue_id"],
        next_campaign_id=row["next_campaign_id"],
        source=optional_address_of(row["source"]),
        agent_wait_limit=row["agent_wait_limit"],
        abandonment_actions=actions_of(row["abandonment_actions"]),
        revision=row["revision"],
        tm_create=row["tm_create"],
        tm_update=row["tm_update"],
        tm_delete=row["tm_delete"],
        run=Run(
            status=Status(row["status"]),
            number=row["run_number"],
            stop_mode=StopMode(row["stop_mode"]),
            stop_reason=StopReason(row["stop_reason"]),
            stop_detail=row["stop_detail"],
            open_count=row["open_count"],
            placed_count=row["run_placed_count"],
            idle_chain=tuple(row["idle_chain_ids"]),
            fencing_token=row["fencing_token"],
            tm_start=row["tm_run_start"],
            tm_end=row["tm_run_end"],
        ),
    )


def _definition(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.id,
        "type": campaign.type.value,
        "name": campaign.name,
        "detail": campaign.detail,
        "service_level": campaign.service_level,
        "end_handle": campaign.end_handle.value,
        "actions": actions_json(campaign.actions),
        "flow_id": campaign.flow_id,
        "outplan_id": campaign.outplan_id,
        "outdial_id": campaign.outdial_id,
        "queue_id": campaign.queue_id,
        "next_campaign_id": campaign.next_campaign_id,
        "source": optional_address_json(campaign.source),
        "agent_wait_limit": campaign.agent_wait_limit,
        "abandonment_actions": actions_json(campaign.abandonment_actions),
        "tm_delete": campaign.tm_delete,
    }


def _run(campaign: Campaign) -> dict[str, Any]:
    run = campaign.run
    return {
        "id": campaign.id,
        "status": run.status.value,
        "run_number": run.number,
        "stop_mode": run.stop_mode.value,
        "stop_reason": run.stop_reason.value,
        "stop_detail": run.stop_detail,
        "revision": campaign.revision,
        "tm_update": campaign.tm_update,
        "tm_run_start": run.tm_start,
        "tm_run_end": run.tm_end,
        "idle_chain_ids": list(run.idle_chain),
        "run_placed_count": run.placed_count,
    }
