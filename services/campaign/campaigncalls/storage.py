"""Campaigncalls, their tombstones and the counters of their campaigns in PostgreSQL, in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign.campaigncalls import domain
from services.campaign.campaigncalls.domain import (
    CallStatus,
    Campaigncall,
    Counts,
    Result,
    RetryPlan,
)
from services.campaign.campaigncalls.domain_opening import Grant, OpenCall, Opener, Present
from services.campaign.outplans.domain import DEFAULT_DIAL_TIMEOUT_MS
from services.common.db import statement
from services.common.paging import Page
from services.common.stored import (
    address_json,
    address_of,
    array,
    optional_address_json,
    optional_address_of,
    text_array,
    texts_json,
)

# Held shared while attempts are opened and alone while ids are tombstoned: of the two, the later one
# must see what the earlier one wrote, although neither row exists before.
_OPENING_LOCK = 0x6F70_656E  # "open"

_COLUMNS = (
    "id, customer_id, campaign_id, outplan_id, outdial_id, outdial_target_id, queue_id, flow_id,"
    " activeflow_id, source, destination, destination_index, try_count, run_number, dialer_id,"
    " tm_deadline, tm_create, status, result, hangup_reason, hangup_detail, is_refunded,"
    " is_abandoned, is_machine, answer_to_agent, revision, tm_update, tm_delete, tm_answer, tm_connect,"
    " tm_abandon, tm_end, variables, digits"
)
_PLACE_LEFT = "extract(epoch FROM place_before - clock_timestamp()) * 1000 AS place_within_ms"

_GRANT_LOCK = f"""
SELECT pg_advisory_xact_lock_shared({_OPENING_LOCK})
FROM campaign_states
WHERE id = :id AND status = 'run' AND run_number = :run_number
  AND fencing_token = :fencing_token AND lease_holder = :dialer
FOR NO KEY UPDATE
"""
# A statement of its own, after the locks, so that it sees all that had been committed under them.
_GRANT = f"""
SELECT c.customer_id, c.outplan_id, c.outdial_id, c.queue_id,
  CASE WHEN json_array_length(c.actions) = 0 THEN c.flow_id END AS flow_id,
  coalesce(c.source, p.source) AS source,
  coalesce(nullif(p.dial_timeout, 0), {DEFAULT_DIAL_TIMEOUT_MS}) AS dial_timeout_ms
FROM campaigns c JOIN outplans p ON p.id = c.outplan_id
WHERE c.id = :id AND c.outdial_id IS NOT NULL
"""
# The columns that one campaign's attempts have in common are single values.
_INSERT = """
INSERT INTO campaigncalls (id, customer_id, campaign_id, outplan_id, outdial_id, outdial_target_id,
  queue_id, flow_id, activeflow_id, source, destination, destination_index, try_count, run_number,
  fencing_token, dialer_id, place_before, tm_deadline, tm_create)
SELECT a.id, :customer_id, :campaign_id, :outplan_id, :outdial_id, a.target_id, :queue_id, :flow_id,
  a.activeflow_id, CAST(:source AS jsonb), a.destination, a.destination_index, a.try_count,
  :run_number, :fencing_token, :dialer_id,
  clock_timestamp() + make_interval(secs => :place_seconds), :tm_deadline, a.tm_create
FROM unnest(CAST(:ids AS uuid[]), CAST(:target_ids AS uuid[]), CAST(:activeflow_ids AS uuid[]),
  CAST(CAST(:destinations AS text[]) AS jsonb[]), CAST(:destination_indexes AS smallint[]),
  CAST(:try_counts AS integer[]), CAST(:tm_creates AS timestamptz[]))
  AS a (id, target_id, activeflow_id, destination, destination_index, try_count, tm_create)
WHERE NOT EXISTS (SELECT FROM tombstones t WHERE t.id = a.id)
ON CONFLICT ON CONSTRAINT campaigncalls_pkey DO NOTHING
RETURNING id
"""
_PRESENT = f"""
SELECT id, campaign_id, status, fencing_token, activeflow_id, {_PLACE_LEFT}
FROM campaigncalls WHERE id = ANY (CAST(:ids AS uuid[]))
"""
_TOMBSTONED = "SELECT id FROM tombstones WHERE id = ANY (CAST(:ids AS uuid[]))"
_FIND = f"SELECT {_COLUMNS} FROM campaigncalls WHERE id = ANY (CAST(:ids AS uuid[]))"
_LOCK = f"{_FIND} ORDER BY id FOR NO KEY UPDATE"
_LOCK_OVERDUE = f"""
SELECT {_COLUMNS} FROM campaigncalls WHERE status <> 'done' AND tm_deadline < :before
ORDER BY tm_deadline LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
"""
_SAVE = """
UPDATE campaigncalls c SET status = a.status, result = a.result, hangup_reason = a.hangup_reason,
  hangup_detail = a.hangup_detail, is_refunded = a.is_refunded, is_abandoned = a.is_abandoned,
  is_machine = a.is_machine, answer_to_agent = a.answer_to_agent, tm_abandon = a.tm_abandon,
  revision = a.revision, tm_deadline = a.tm_deadline, tm_update = a.tm_update,
  tm_delete = a.tm_delete, tm_answer = a.tm_answer, tm_connect = a.tm_connect, tm_end = a.tm_end,
  variables = a.variables, digits = a.digits
FROM unnest(CAST(:ids AS uuid[]), CAST(:statuses AS text[]), CAST(:results AS text[]),
  CAST(:hangup_reasons AS text[]), CAST(:hangup_details AS text[]), CAST(:refunded AS boolean[]),
  CAST(:abandoned AS boolean[]), CAST(:revisions AS integer[]), CAST(:deadlines AS timestamptz[]),
  CAST(:tm_updates AS timestamptz[]), CAST(:tm_deletes AS timestamptz[]),
  CAST(:tm_answers AS timestamptz[]), CAST(:tm_connects AS timestamptz[]),
  CAST(:tm_ends AS timestamptz[]), CAST(:machines AS boolean[]),
  CAST(:answers_to_agent AS bigint[]), CAST(:tm_abandons AS timestamptz[]), CAST(CAST(:variables AS text[]) AS jsonb[]),
  CAST(:digits AS text[]))
  AS a (id, status, result, hangup_reason, hangup_detail, is_refunded, is_abandoned, revision,
    tm_deadline, tm_update, tm_delete, tm_answer, tm_connect, tm_end, is_machine, answer_to_agent,
    tm_abandon, variables, digits)
WHERE c.id = a.id
"""
_LOCK_STATES = """
SELECT id FROM campaign_states WHERE id = ANY (CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE
"""
_SUMS = (
    "opened",
    "placed",
    "ended",
    "progressing",
    "success",
    "fail",
    "answered",
    "connected",
    "abandoned",
    "refunded",
    "persons",
    "talk_ms",
)
_NUMBERS = (*_SUMS, *domain.HANGUP_REASONS, "wait_ms", "longest_wait_ms")
_ARRAYS = ", ".join(f"CAST(:{name} AS bigint[])" for name in _NUMBERS)
_NAMES = ", ".join(_NUMBERS)
_REASON_SETS = ", ".join(
    f"{name}_count = s.{name}_count + a.{name}" for name in domain.HANGUP_REASONS
)
_ADD_COUNTS = f"""
UPDATE campaign_states s SET
  open_count = s.open_count + a.opened - a.ended,
  progressing_count = s.progressing_count + a.progressing,
  run_placed_count = s.run_placed_count + a.placed,
  attempt_count = s.attempt_count + a.opened,
  success_count = s.success_count + a.success,
  fail_count = s.fail_count + a.fail,
  answered_count = s.answered_count + a.answered,
  connected_count = s.connected_count + a.connected,
  abandoned_count = s.abandoned_count + a.abandoned,
  refunded_count = s.refunded_count + a.refunded,
  person_count = s.person_count + a.persons,
  talk_ms_total = s.talk_ms_total + a.talk_ms,
  agent_wait_ms_total = s.agent_wait_ms_total + a.wait_ms,
  agent_wait_ms_max = greatest(s.agent_wait_ms_max, a.longest_wait_ms),
  agent_wait_counts = CASE WHEN a.waits = '{{}}' THEN s.agent_wait_counts ELSE (
    SELECT array_agg(coalesce(b.kept, 0) + coalesce(b.added, 0) ORDER BY b.bucket)
    FROM unnest(s.agent_wait_counts, CAST(a.waits AS bigint[]))
      WITH ORDINALITY AS b (kept, added, bucket)) END,
  tm_run_start = CASE WHEN a.opened > 0 THEN coalesce(s.tm_run_start, :now) ELSE s.tm_run_start END,
  {_REASON_SETS}
FROM unnest(CAST(:ids AS uuid[]), {_ARRAYS}, CAST(:waits AS text[])) AS a (id, {_NAMES}, waits)
WHERE s.id = a.id
RETURNING s.id, s.status = 'stopping' AND s.open_count = 0 AS is_empty
"""
_PLANS = """
SELECT id, try_interval, max_try_counts FROM outplans WHERE id = ANY (CAST(:ids AS uuid[]))
"""
_LEASED = "SELECT 1 FROM campaign_states WHERE id = :id AND fencing_token = :fencing_token"
_OPEN = f"""
SELECT {_COLUMNS}, {_PLACE_LEFT} FROM campaigncalls
WHERE campaign_id = :id AND status <> 'done' ORDER BY tm_create, id
"""
_OPENING_ALONE = f"SELECT pg_advisory_xact_lock({_OPENING_LOCK})"
_TOMBSTONE = """
INSERT INTO tombstones (id)
SELECT a.id FROM unnest(CAST(:ids AS uuid[])) AS a (id)
WHERE NOT EXISTS (SELECT FROM campaigncalls c WHERE c.id = a.id)
ON CONFLICT ON CONSTRAINT tombstones_pkey DO NOTHING
"""
_LIST = f"""
SELECT {_COLUMNS} FROM campaigncalls
WHERE {{owner}} AND tm_delete IS NULL
  AND (tm_create, id) < (:tm, :before_id)
ORDER BY tm_create DESC, id DESC LIMIT :limit
"""
_LIST_OF_CUSTOMER = _LIST.format(owner="customer_id = :owner_id")
_LIST_OF_CAMPAIGN = _LIST.format(owner="campaign_id = :owner_id")
_PURGE = "DELETE FROM tombstones WHERE created_at < now() - make_interval(secs => :seconds)"


class PostgresCampaigncalls:
    """See ports.Campaigncalls."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def grant(self, opener: Opener) -> Grant | None:
        """See ports.Campaigncalls."""
        values = {
            "id": opener.campaign_id,
            "run_number": opener.run_number,
            "fencing_token": opener.fencing_token,
            "dialer": opener.dialer_id,
        }
        locked = await self._conn.execute(statement(_GRANT_LOCK), values)
        if not locked.all():
            return None
        found = await self._conn.execute(statement(_GRANT), {"id": opener.campaign_id})
        row = found.mappings().one_or_none()
        return (
            None if row is None else Grant(**{**row, "source": optional_address_of(row["source"])})
        )

    async def insert(
        self, calls: Sequence[Campaigncall], fencing_token: int, place_seconds: float
    ) -> set[UUID]:
        """See ports.Campaigncalls."""
        if not calls:
            return set()
        first = calls[0]
        values = {
            "customer_id": first.customer_id,
            "campaign_id": first.campaign_id,
            "outplan_id": first.outplan_id,
            "outdial_id": first.outdial_id,
            "queue_id": first.queue_id,
            "flow_id": first.flow_id,
            "source": optional_address_json(first.source),
            "run_number": first.run_number,
            "fencing_token": fencing_token,
            "dialer_id": first.dialer_id,
            "place_seconds": place_seconds,
            "tm_deadline": first.deadline,
            "ids": array(call.id for call in calls),
            "target_ids": array(call.outdial_target_id for call in calls),
            "activeflow_ids": array(call.activeflow_id for call in calls),
            "destinations": text_array(address_json(call.destination) for call in calls),
            "destination_indexes": array(call.destination_index for call in calls),
            "try_counts": array(call.try_count for call in calls),
            "tm_creates": array(call.tm_create for call in calls),
        }
        return set((await self._conn.execute(statement(_INSERT), values)).scalars())

    async def present(self, ids: Sequence[UUID]) -> Mapping[UUID, Present]:
        """See ports.Campaigncalls."""
        rows = await self._conn.execute(statement(_PRESENT), {"ids": array(ids)})
        return {
            row.id: Present(
                campaign_id=row.campaign_id,
                status=CallStatus(row.status),
                fencing_token=row.fencing_token,
                activeflow_id=row.activeflow_id,
                place_within_ms=int(row.place_within_ms),
            )
            for row in rows
        }

    async def tombstoned(self, ids: Sequence[UUID]) -> set[UUID]:
        """See ports.Campaigncalls."""
        rows = await self._conn.execute(statement(_TOMBSTONED), {"ids": array(ids)})
        return set(rows.scalars())

    async def lock(self, ids: Sequence[UUID]) -> Sequence[Campaigncall]:
        """See ports.Campaigncalls."""
        return await self._calls(_LOCK, {"ids": array(ids)})

    async def lock_overdue(self, before: datetime, limit: int) -> Sequence[Campaigncall]:
        """See ports.Campaigncalls."""
        return await self._calls(_LOCK_OVERDUE, {"before": before, "limit": limit})

    async def save(self, calls: Sequence[Campaigncall]) -> None:
        """See ports.Campaigncalls."""
        values = {
            "ids": array(call.id for call in calls),
            "statuses": text_array(call.status.value for call in calls),
            "results": text_array(call.result.value for call in calls),
            "hangup_reasons": text_array(call.hangup_reason for call in calls),
            "hangup_details": text_array(call.hangup_detail for call in calls),
            "refunded": array(call.is_refunded for call in calls),
            "abandoned": array(call.is_abandoned for call in calls),
            "revisions": array(call.revision for call in calls),
            "deadlines": array(call.deadline for call in calls),
            "tm_updates": array(call.tm_update for call in calls),
            "tm_deletes": array(call.tm_delete for call in calls),
            "tm_answers": array(call.tm_answer for call in calls),
            "tm_connects": array(call.tm_connect for call in calls),
            "tm_ends": array(call.tm_end for call in calls),
            "machines": array(call.is_machine for call in calls),
            "answers_to_agent": array(call.answer_to_agent for call in calls),
            "tm_abandons": array(call.tm_abandon for call in calls),
            "variables": text_array(texts_json(call.variables) for call in calls),
            "digits": text_array(call.digits for call in calls),
        }
        await self._conn.execute(statement(_SAVE), values)

    async def add_counts(self, counts: Mapping[UUID, Counts], now: datetime) -> set[UUID]:
        """See ports.Campaigncalls."""
        ids = sorted(counts)
        if len(ids) > 1:
            await self._conn.execute(statement(_LOCK_STATES), {"ids": array(ids)})
        values: dict[str, Any] = {"ids": array(ids), "now": now}
        for name in _SUMS:
            values[name] = array(getattr(counts[each], name) for each in ids)
        for name in domain.HANGUP_REASONS:
            values[name] = array(counts[each].hangup_reasons.get(name, 0) for each in ids)
        waits = [counts[each].waits for each in ids]
        values["wait_ms"] = array(each.total_ms for each in waits)
        values["longest_wait_ms"] = array(each.longest_ms for each in waits)
        values["waits"] = text_array(array(each.counts) for each in waits)
        rows = await self._conn.execute(statement(_ADD_COUNTS), values)
        return {row.id for row in rows if row.is_empty}

    async def retry_plans(self, outplan_ids: set[UUID]) -> Mapping[UUID, RetryPlan]:
        """See ports.Campaigncalls."""
        rows = await self._conn.execute(statement(_PLANS), {"ids": array(outplan_ids)})
        return {row.id: RetryPlan(row.try_interval, tuple(row.max_try_counts)) for row in rows}

    async def open(self, campaign_id: UUID, fencing_token: int) -> Sequence[OpenCall] | None:
        """See ports.Campaigncalls."""
        values = {"id": campaign_id, "fencing_token": fencing_token}
        if (await self._conn.execute(statement(_LEASED), values)).one_or_none() is None:
            return None
        rows = await self._conn.execute(statement(_OPEN), {"id": campaign_id})
        return [OpenCall(_call(row), int(row["place_within_ms"])) for row in rows.mappings()]

    async def tombstone_unknown(self, ids: Sequence[UUID]) -> None:
        """See ports.Campaigncalls."""
        await self._conn.execute(statement(_OPENING_ALONE))
        await self._conn.execute(statement(_TOMBSTONE), {"ids": array(ids)})

    async def find(self, ids: Sequence[UUID]) -> Sequence[Campaigncall]:
        """See ports.Campaigncalls."""
        return await self._calls(_FIND, {"ids": array(ids)})

    async def get(self, call_id: UUID) -> Campaigncall | None:
        """See ports.Campaigncalls."""
        return next(iter(await self.find([call_id])), None)

    async def list(
        self, customer_id: UUID, campaign_id: UUID | None, page: Page
    ) -> Sequence[Campaigncall]:
        """See ports.Campaigncalls."""
        sql = _LIST_OF_CUSTOMER if campaign_id is None else _LIST_OF_CAMPAIGN
        return await self._calls(sql, page.parameters() | {"owner_id": campaign_id or customer_id})

    async def purge_tombstones(self, older_than_seconds: float) -> int:
        """See ports.Campaigncalls."""
        done = await self._conn.execute(statement(_PURGE), {"seconds": older_than_seconds})
        return done.rowcount

    async def _calls(self, sql: str, values: dict[str, Any]) -> Sequence[Campaigncall]:
        rows = await self._conn.execute(statement(sql), values)
        return [_call(row) for row in rows.mappings()]


def _call(row: RowMapping) -> Campaigncall:
    return Campaigncall(
        id=row["id"],
        customer_id=row["customer_id"],
        campaign_id=row["campaign_id"],
        outplan_id=row["outplan_id"],
        outdial_id=row["outdial_id"],
        outdial_target_id=row["outdial_target_id"],
        queue_id=row["queue_id"],
        flow_id=row["flow_id"],
        activeflow_id=row["activeflow_id"],
        source=optional_address_of(row["source"]),
        destination=address_of(row["destination"]),
        destination_index=row["destination_index"],
        try_count=row["try_count"],
        run_number=row["run_number"],
        dialer_id=row["dialer_id"],
        deadline=row["tm_deadline"],
        tm_create=row["tm_create"],
        status=CallStatus(row["status"]),
        result=Result(row["result"]),
        hangup_reason=row["hangup_reason"],
        hangup_detail=row["hangup_detail"],
        is_refunded=row["is_refunded"],
        is_abandoned=row["is_abandoned"],
        is_machine=row["is_machine"],
        answer_to_agent=row["answer_to_agent"],
        revision=row["revision"],
        tm_update=row["tm_update"],
        tm_delete=row["tm_delete"],
        tm_answer=row["tm_answer"],
        tm_connect=row["tm_connect"],
        tm_abandon=row["tm_abandon"],
        tm_end=row["tm_end"],
        variables=row["variables"],
        digits=row["digits"],
    )
