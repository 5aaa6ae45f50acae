"""Counters, claims and reopening in PostgreSQL: the part that dialing waits for.

Domain time (`now`, next tries) is passed in; claims expire in real time, by the database's clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db import statement
from services.common.errors import FailedPrecondition
from services.common.limits import SLOTS
from services.common.paging import END_OF_TIME
from services.common.stored import address_of, array
from services.outdial.domain import Claimed, Delta, Plan
from services.outdial.ports import DialingState, Expired, ReopeningBatch, Taken
from services.outdial.storage_rows import (
    OUTDIAL_COLUMNS,
    PROGRESS_COLUMNS,
    TARGET_COLUMNS,
    outdial,
    plan,
    progress,
    target,
)

_OUTDIAL_COUNT = len(OUTDIAL_COLUMNS.split(", "))
_PROGRESS_COUNT = len(PROGRESS_COLUMNS.split(", "))

_STATE = f"""
SELECT {", ".join(f"o.{name}" for name in OUTDIAL_COLUMNS.split(", "))},
       {", ".join(f"c.{name}" for name in PROGRESS_COLUMNS.split(", "))},
       c.max_try_counts, c.address_types,
       EXISTS (SELECT FROM claims WHERE claim_id = :claim_id)
FROM outdials o JOIN outdial_counters c ON c.outdial_id = o.id
WHERE o.id = :id
"""
_LOCK = "SELECT 1 FROM outdial_counters WHERE outdial_id = :id FOR UPDATE"
_LOCK_MANY = """
SELECT 1 FROM outdial_counters WHERE outdial_id = ANY(CAST(:outdial_id AS uuid[]))
ORDER BY outdial_id FOR UPDATE
"""
# The column total is read by releases before this one only, and goes with them.
_APPLY = """
UPDATE outdial_counters c
SET idle = c.idle + u.idle, progressing = c.progressing + u.progressing,
    success = c.success + u.success, fail = c.fail + u.fail,
    total = c.total + u.idle + u.progressing + u.success + u.fail,
    next_due = LEAST(c.next_due, u.due)
FROM unnest(
    CAST(:outdial_id AS uuid[]), CAST(:idle AS bigint[]), CAST(:progressing AS bigint[]),
    CAST(:success AS bigint[]), CAST(:fail AS bigint[]), CAST(:due AS timestamptz[])
) AS u (outdial_id, idle, progressing, success, fail, due)
WHERE c.outdial_id = u.outdial_id
RETURNING c.outdial_id, c.max_try_counts, c.address_types
"""
_PLANS = """
SELECT outdial_id, max_try_counts, address_types FROM outdial_counters
WHERE outdial_id = ANY(CAST(:ids AS uuid[]))
"""
_REMEMBER_PLAN = """
UPDATE outdial_counters SET max_try_counts = :max_try_counts, address_types = :address_types
WHERE outdial_id = :id
"""
_REOPEN = """
UPDATE outdial_counters
SET is_reopening = true, reopened_until_tm = NULL, reopened_until_id = NULL,
    reopening_number = reopening_number + 1
WHERE outdial_id = :id
"""


def _of_slot(column: str) -> str:
    """SQL for the column of the slot that is dialed."""
    cases = " ".join(f"WHEN {slot} THEN t.{column}_{slot}" for slot in range(SLOTS))
    return f"CASE t.attempt_slot {cases} END"


_CLAIMED_COLUMNS = f"""
    t.attempt_id, t.id, t.name, t.detail, t.data, CAST({_of_slot("destination")} AS text),
    t.attempt_slot, {_of_slot("try_count")}
"""
_CHOICE = " ".join(
    f"WHEN destination_{slot} ->> 'type' = ANY(CAST(:types AS text[]))"
    f" AND try_count_{slot} < :max_{slot} THEN {slot}"
    for slot in range(SLOTS)
)
# A row may be due and locked: by an edit, never by another claim, which waits for the counters. It is
# skipped, and stays in `rest`, which is a plain read: so the watermark never passes it, whatever
# becomes of the edit. What others make idle meanwhile is not seen here, but they lower the watermark
# when they get the counters after this transaction. See tests/integration/outdial/test_watermark.py.
_TAKE = f"""
WITH due AS MATERIALIZED (
    SELECT id, next_try_at, CASE {_CHOICE} END AS slot
    FROM targets
    WHERE outdial_id = :outdial_id AND status = 'idle' AND tm_delete IS NULL
      AND next_try_at >= :watermark AND next_try_at <= :now
    ORDER BY next_try_at
    LIMIT :window
    FOR UPDATE SKIP LOCKED
), ranked AS MATERIALIZED (
    SELECT id, slot, row_number() OVER (PARTITION BY slot IS NULL ORDER BY next_try_at) AS number
    FROM due
), taken AS MATERIALIZED (
    SELECT id, slot, (CAST(:attempt_ids AS uuid[]))[number] AS attempt_id, number
    FROM ranked WHERE slot IS NOT NULL AND number <= :limit
), spent AS MATERIALIZED (
    SELECT id FROM ranked WHERE slot IS NULL AND number <= :exhaust_limit
), rest AS MATERIALIZED (
    SELECT next_try_at FROM targets
    WHERE outdial_id = :outdial_id AND status = 'idle' AND tm_delete IS NULL
      AND next_try_at >= :watermark
      AND id NOT IN (SELECT id FROM taken UNION ALL SELECT id FROM spent)
    ORDER BY next_try_at
    LIMIT 1
), claimed AS (
    UPDATE targets t
    SET status = 'progressing', next_try_at = NULL, attempt_id = taken.attempt_id,
        attempt_slot = taken.slot, revision = revision + 1, tm_update = :now,
        {", ".join(f"try_count_{s} = try_count_{s} + (slot = {s})::int::smallint" for s in range(SLOTS))}
    FROM taken
    WHERE t.id = taken.id
    RETURNING taken.number, {_CLAIMED_COLUMNS}
), exhausted AS (
    UPDATE targets t
    SET status = 'done', result = 'fail', next_try_at = NULL, revision = revision + 1,
        tm_update = :now
    FROM spent
    WHERE t.id = spent.id
    RETURNING t.id
), kept AS (
    INSERT INTO claims AS c (claim_id, outdial_id, attempt_ids, target_ids, check_at)
    SELECT :claim_id, :outdial_id, array_agg(attempt_id ORDER BY number),
           array_agg(id ORDER BY number),
           clock_timestamp() + CAST(:expiry AS interval)
    FROM taken HAVING count(*) > 0
    ON CONFLICT ON CONSTRAINT claims_pkey DO UPDATE
    SET attempt_ids = c.attempt_ids || excluded.attempt_ids,
        target_ids = c.target_ids || excluded.target_ids
), counted AS (
    UPDATE outdial_counters c
    SET idle = c.idle - n.taken - n.spent, progressing = c.progressing + n.taken,
        fail = c.fail + n.spent, next_due = (SELECT next_try_at FROM rest)
    FROM (
        SELECT (SELECT count(*) FROM taken) AS taken, (SELECT count(*) FROM spent) AS spent
    ) n
    WHERE c.outdial_id = :outdial_id
    RETURNING {", ".join(f"c.{name}" for name in PROGRESS_COLUMNS.split(", "))}
)
SELECT counted.*, (SELECT count(*) FROM due), (SELECT array_agg(id) FROM exhausted), claimed.*
FROM counted LEFT JOIN claimed ON true
ORDER BY claimed.number
"""
_CLAIMED = f"""
SELECT c.outdial_id, {_CLAIMED_COLUMNS}
FROM claims c
CROSS JOIN LATERAL unnest(c.attempt_ids, c.target_ids) WITH ORDINALITY
    AS u (attempt_id, target_id, number)
LEFT JOIN targets t ON t.id = u.target_id AND t.attempt_id = u.attempt_id
WHERE c.claim_id = :claim_id
ORDER BY u.number
"""
_EXPIRED = """
SELECT claim_id FROM claims WHERE check_at <= clock_timestamp()
ORDER BY check_at
LIMIT :limit
FOR UPDATE SKIP LOCKED
"""
_UNSETTLED = """
SELECT c.claim_id, t.attempt_id, t.id
FROM claims c
CROSS JOIN LATERAL unnest(c.attempt_ids, c.target_ids) AS u (attempt_id, target_id)
JOIN targets t ON t.id = u.target_id AND t.attempt_id = u.attempt_id
WHERE c.claim_id = ANY(CAST(:claims AS uuid[]))
"""
_FORGET = "DELETE FROM claims WHERE claim_id = ANY(CAST(:claims AS uuid[]))"
_POSTPONE = """
UPDATE claims c
SET check_at = clock_timestamp() + CAST(:again AS interval),
    attempt_ids = left_over.attempt_ids, target_ids = left_over.target_ids
FROM (
    SELECT u.claim_id, array_agg(u.attempt_id) AS attempt_ids, array_agg(u.target_id) AS target_ids
    FROM unnest(
        CAST(:claims AS uuid[]), CAST(:attempts AS uuid[]), CAST(:targets AS uuid[])
    ) AS u (claim_id, attempt_id, target_id)
    GROUP BY u.claim_id
) left_over
WHERE c.claim_id = left_over.claim_id
"""
_REOPENING = "SELECT outdial_id FROM outdial_counters WHERE is_reopening ORDER BY outdial_id"
_REOPENING_STATE = """
SELECT reopening_number, max_try_counts, address_types, reopened_until_tm, reopened_until_id
FROM outdial_counters WHERE outdial_id = :id AND is_reopening
"""
_DONE_TARGETS = f"""
SELECT {TARGET_COLUMNS} FROM targets
WHERE outdial_id = :id AND status = 'done' AND tm_delete IS NULL
  AND (tm_create, id) < (:tm, :before)
ORDER BY tm_create DESC, id DESC
LIMIT :limit
"""
_REOPENED = """
UPDATE outdial_counters
SET reopened_until_tm = :tm, reopened_until_id = :until, is_reopening = :is_reopening
WHERE outdial_id = :id AND is_reopening AND reopening_number = :number
  AND reopened_until_id IS NOT DISTINCT FROM CAST(:start AS uuid)
"""


class PostgresDialing:
    """See ports.Dialing."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def state(self, outdial_id: UUID, claim_id: UUID | None = None) -> DialingState | None:
        """See ports.Dialing."""
        values = {"id": outdial_id, "claim_id": claim_id}
        row = (await self._conn.execute(statement(_STATE), values)).one_or_none()
        if row is None:
            return None
        end = _OUTDIAL_COUNT + _PROGRESS_COUNT
        return DialingState(
            outdial(row[:_OUTDIAL_COUNT]),
            progress(row[_OUTDIAL_COUNT:end]),
            plan(row[end], row[end + 1]),
            knows_claim=row[end + 2],
        )

    async def lock(self, outdial_id: UUID, claim_id: UUID | None = None) -> DialingState | None:
        """See ports.Dialing."""
        await self._conn.execute(statement(_LOCK), {"id": outdial_id})
        # A statement of its own: one that has waited for the lock would still see, beside the locked
        # row, what was committed before it began to wait.
        return await self.state(outdial_id, claim_id)

    async def plans(
        self, outdial_ids: Sequence[UUID], *, is_locking: bool
    ) -> Mapping[UUID, Plan | None]:
        """See ports.Dialing."""
        sql = f"{_PLANS} ORDER BY outdial_id FOR UPDATE" if is_locking else _PLANS
        rows = await self._conn.execute(statement(sql), {"ids": array(outdial_ids)})
        return {row[0]: plan(row[1], row[2]) for row in rows}

    async def apply(self, deltas: Mapping[UUID, Delta]) -> Mapping[UUID, Plan | None]:
        """See ports.Dialing."""
        if not deltas:
            return {}
        changes = list(deltas.values())
        values = {
            "outdial_id": array(deltas),
            "idle": array(each.idle for each in changes),
            "progressing": array(each.progressing for each in changes),
            "success": array(each.success for each in changes),
            "fail": array(each.fail for each in changes),
            "due": array(each.due for each in changes),
        }
        if len(deltas) > 1:
            # An UPDATE locks in whatever order it meets the rows.
            await self._conn.execute(statement(_LOCK_MANY), {"outdial_id": array(deltas)})
        rows = await self._conn.execute(statement(_APPLY), values)
        return {row[0]: plan(row[1], row[2]) for row in rows}

    async def remember_plan(self, outdial_id: UUID, plan: Plan, *, reopen: bool) -> None:
        """See ports.Dialing."""
        values = {
            "id": outdial_id,
            "max_try_counts": list(plan.max_try_counts),
            "address_types": sorted(plan.address_types),
        }
        await self._conn.execute(statement(_REMEMBER_PLAN), values)
        if reopen:
            await self._conn.execute(statement(_REOPEN), {"id": outdial_id})

    async def claimed(self, claim_id: UUID, outdial_id: UUID) -> Sequence[Claimed]:
        """See ports.Dialing."""
        rows = (await self._conn.execute(statement(_CLAIMED), {"claim_id": claim_id})).all()
        if any(row[0] != outdial_id for row in rows):
            raise FailedPrecondition(f"claim {claim_id} was made on another outdial")
        return [_claimed(row[1:]) for row in rows if row[1] is not None]

    async def take(
        self,
        *,
        state: DialingState,
        claim_id: UUID,
        attempt_ids: Sequence[UUID],
        plan: Plan,
        now: datetime,
        window: int,
        exhaust_limit: int,
        expiry: timedelta,
    ) -> Taken:
        """See ports.Dialing."""
        values: dict[str, Any] = {
            "claim_id": claim_id,
            "outdial_id": state.outdial.id,
            "attempt_ids": array(attempt_ids),
            "types": sorted(plan.address_types),
            "watermark": state.progress.tm_next_due,
            "now": now,
            "limit": len(attempt_ids),
            "window": window,
            "exhaust_limit": exhaust_limit,
            "expiry": expiry,
        }
        values |= {f"max_{slot}": count for slot, count in enumerate(plan.max_try_counts)}
        rows = (await self._conn.execute(statement(_TAKE), values)).all()
        end = _PROGRESS_COUNT
        return Taken(
            claimed=[_claimed(row[end + 3 :]) for row in rows if row[end + 2] is not None],
            exhausted_ids=rows[0][end + 1] or [],
            is_full=rows[0][end] == window,
            progress=progress(rows[0][:end]),
        )

    async def expired(self, limit: int, again: timedelta) -> Expired:
        """See ports.Dialing."""
        rows = await self._conn.execute(statement(_EXPIRED), {"limit": limit})
        claims = [row[0] for row in rows]
        if not claims:
            return Expired(0, {})
        unsettled = (
            await self._conn.execute(statement(_UNSETTLED), {"claims": array(claims)})
        ).all()
        open_claims = {row[0] for row in unsettled}
        settled = [each for each in claims if each not in open_claims]
        if settled:
            await self._conn.execute(statement(_FORGET), {"claims": array(settled)})
        if unsettled:
            columns = zip(*unsettled, strict=True)
            values: dict[str, Any] = {
                name: array(column)
                for name, column in zip(("claims", "attempts", "targets"), columns, strict=True)
            }
            await self._conn.execute(statement(_POSTPONE), values | {"again": again})
        return Expired(len(claims), {row[1]: row[2] for row in unsettled})

    async def reopening(self) -> Sequence[UUID]:
        """See ports.Dialing."""
        return [row[0] for row in await self._conn.execute(statement(_REOPENING))]

    async def reopening_batch(self, outdial_id: UUID, limit: int) -> ReopeningBatch | None:
        """See ports.Dialing."""
        found = await self._conn.execute(statement(_REOPENING_STATE), {"id": outdial_id})
        state = found.one_or_none()
        known = None if state is None else plan(state[1], state[2])
        if state is None or known is None:
            return None
        start = None if state[4] is None else (state[3], state[4])
        tm, before = start or END_OF_TIME
        values = {"id": outdial_id, "tm": tm, "before": before, "limit": limit}
        rows = await self._conn.execute(statement(_DONE_TARGETS), values)
        seen = [target(row) for row in rows]
        end = (seen[-1].tm_create, seen[-1].id) if len(seen) == limit else None
        return ReopeningBatch(outdial_id, state[0], known, start, end, seen)

    async def reopening_done(self, batch: ReopeningBatch) -> bool:
        """See ports.Dialing."""
        tm, until = batch.end or (None, None)
        values = {
            "id": batch.outdial_id,
            "number": batch.number,
            "start": batch.start[1] if batch.start else None,
            "tm": tm,
            "until": until,
            "is_reopening": batch.end is not None,
        }
        return bool((await self._conn.execute(statement(_REOPENED), values)).rowcount)


def _claimed(row: Sequence[Any]) -> Claimed:
    """From _CLAIMED_COLUMNS."""
    attempt_id, target_id, name, detail, data, destination, slot, try_count = row
    dialed = address_of(destination)
    return Claimed(attempt_id, target_id, name, detail, data, dialed, slot, try_count)
