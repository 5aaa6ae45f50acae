"""Dialing: targets are claimed, come back settled or unused, and are never forgotten.

An attempt belongs to exactly one claim. It is settled once, because a target remembers the attempt it
is progressing for, and every way back (event, release, expiry) compares with that.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from services.common.clock import Clock
from services.common.errors import Aborted, invalid
from services.common.ids import new_id
from services.common.limits import MAX_BATCH
from services.common.log import get_logger
from services.outdial import metrics
from services.outdial.domain import (
    Claimed,
    Outdial,
    Plan,
    Progress,
    Settlement,
    Target,
    delta,
    owned,
    released,
    reopened,
    require_bound,
    settled,
)
from services.outdial.ports import (
    AttemptState,
    Begin,
    Campaigns,
    Change,
    DialingState,
    Resolution,
    Transaction,
)

SETTLE_BATCH = 500
"""Attempts settled by one transaction."""
REOPEN_BATCH = 1000
"""Done targets looked at by one transaction of a reopening."""
EXPIRED_CLAIMS = 20
"""Expired claims looked at by one transaction."""


class _PlanChangedError(Exception):
    """Rolls back a settlement that was worked out by a plan that holds no longer."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claim took, what it closed because no slot is usable, and the progress after it."""

    targets: Sequence[Claimed]
    exhausted_count: int
    progress: Progress
    outdial: Outdial


@dataclass(frozen=True, slots=True)
class Description:
    """Targets of one outdial, as far as they exist."""

    outdial: Outdial
    targets: Sequence[Target]


@dataclass(frozen=True, slots=True)
class Timing:
    """Real time."""

    claim_expiry: timedelta = timedelta(seconds=30)
    """After this the campaign service is asked what became of a claim's attempts."""
    ask_again: timedelta = timedelta(seconds=60)
    """And again after this, until they are settled."""


class DialingService:
    """The use cases of the role dialer, of the campaign process's events, and of the upkeep."""

    def __init__(
        self, *, begin: Begin, campaigns: Campaigns, clock: Clock, timing: Timing | None = None
    ) -> None:
        self._begin = begin
        self._campaigns = campaigns
        self._clock = clock
        self._timing = timing or Timing()
        self.reopening_begun = asyncio.Event()
        """Set when a reopening was begun here; the upkeep need not wait for its next look."""

    async def claim(
        self, *, claim_id: UUID, outdial_id: UUID, campaign_id: UUID, limit: int, plan: Plan
    ) -> Claim:
        """Take up to `limit` (1..1,000) due targets for immediate dialing, oldest due time first.

        Repeated with the same id it returns what that claim took and is not settled yet. Raises
        NotFound, and FailedPrecondition unless the outdial is bound to the campaign and not deleted.
        """
        if not 1 <= limit <= MAX_BATCH:
            raise invalid("limit", limit, f"1..{MAX_BATCH}")
        started = time.perf_counter()
        outcome, claim = await self._claim(claim_id, outdial_id, campaign_id, limit, plan)
        metrics.claim_seconds.labels(outcome).observe(time.perf_counter() - started)
        if outcome == "taken":
            metrics.claimed_targets.inc(len(claim.targets))
            metrics.exhausted_targets.inc(claim.exhausted_count)
        return claim

    async def _claim(
        self, claim_id: UUID, outdial_id: UUID, campaign_id: UUID, limit: int, plan: Plan
    ) -> tuple[str, Claim]:
        """What happened, for the metrics, and the claim."""
        async with self._begin() as tx:
            state = _checked(await tx.dialing.state(outdial_id, claim_id), outdial_id, campaign_id)
            is_idle = state.plan == plan and not self._is_due(state.progress)
            # Most looks find nothing due: they take no lock and write nothing.
            if is_idle and not state.knows_claim:
                return "idle", Claim([], 0, state.progress, state.outdial)
            state = _checked(await tx.dialing.lock(outdial_id, claim_id), outdial_id, campaign_id)
            if state.knows_claim:
                taken = await tx.dialing.claimed(claim_id, outdial_id)
                return "repeated", Claim(taken, 0, state.progress, state.outdial)
            state = await self._with_plan(tx, state, plan)
            return "taken", await self._take(tx, state, claim_id, limit, plan)

    async def describe(self, outdial_id: UUID, target_ids: Sequence[UUID]) -> Description:
        """Those of the targets that are of this outdial, deleted ones too; NotFound without it."""
        if len(target_ids) > MAX_BATCH:
            raise invalid("target_ids", f"{len(target_ids)} ids", f"at most {MAX_BATCH}")
        async with self._begin() as tx:
            outdial = owned(await tx.outdials.get(outdial_id), outdial_id, None)
            found = await tx.targets.get_many(target_ids) if target_ids else []
        return Description(outdial, [each for each in found if each.outdial_id == outdial_id])

    async def release(self, attempt_ids: Sequence[UUID]) -> int:
        """Give back attempts known never to have been opened, with their tries; how many were.

        Those settled or released before are left alone.
        """
        if len(attempt_ids) > MAX_BATCH:
            raise invalid("attempt_ids", f"{len(attempt_ids)} ids", f"at most {MAX_BATCH}")
        if not attempt_ids:
            return 0
        return await self._release(dict.fromkeys(attempt_ids))

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        """Settle targets by what became of their attempts. Attempts settled before change nothing."""
        rest = iter(settlements)
        while batch := list(islice(rest, SETTLE_BATCH)):
            await self._settle_until_it_holds(batch)

    async def plan_changed(self, outdial_id: UUID, max_try_counts: tuple[int, ...]) -> None:
        """Note other maxima before the next claim brings them, so that a waiting run goes on.

        Nothing happens for an outdial that is not dialed yet or is no longer there.
        """
        async with self._begin() as tx:
            state = await tx.dialing.state(outdial_id)
            if state is None or state.plan is None:
                return
            if state.plan.max_try_counts == max_try_counts:
                return
            state = await tx.dialing.lock(outdial_id)
            if state is not None and state.plan is not None:
                await self._with_plan(tx, state, replace(state.plan, max_try_counts=max_try_counts))

    async def resolve_expired(self) -> int:
        """Find out what became of attempts nothing was heard of; how many were asked about.

        Any replica may do this at any time: a claim is looked at by one of them, and its attempts are
        resolved by comparing ids.
        """
        asked = 0
        while True:
            async with self._begin() as tx:
                seen = await tx.dialing.expired(EXPIRED_CLAIMS, self._timing.ask_again)
            if seen.attempts:
                get_logger().info("claims_expired", attempts=len(seen.attempts))
            ids = iter(seen.attempts)
            while batch := list(islice(ids, MAX_BATCH)):
                await self._resolved(await self._campaigns.resolve(batch), seen.attempts)
                asked += len(batch)
            if seen.claim_count < EXPIRED_CLAIMS:
                return asked

    async def reopen(self) -> int:
        """Do all reopening there is to do; how many targets were given back."""
        self.reopening_begun.clear()
        async with self._begin() as tx:
            waiting = await tx.dialing.reopening()
        count = 0
        for outdial_id in waiting:
            given_back = 0
            while (done := await self._reopen_batch(outdial_id)) is not None:
                given_back += done
            get_logger().info("reopened", outdial=str(outdial_id), targets=given_back)
            count += given_back
        return count

    # -- Claim -------------------------------------------------------------------------------------

    def _is_due(self, progress: Progress) -> bool:
        return progress.tm_next_due is not None and progress.tm_next_due <= self._clock.now()

    async def _with_plan(self, tx: Transaction, state: DialingState, plan: Plan) -> DialingState:
        """The state with this plan remembered; a more generous one starts a reopening."""
        if state.plan == plan:
            return state
        may_reopen = state.plan is not None and plan.adds_to(state.plan)
        reopen = may_reopen and state.progress.fail > 0
        await tx.dialing.remember_plan(state.outdial.id, plan, reopen=reopen)
        if reopen:
            # Too early if the transaction fails; a look in vain is all that follows from it.
            self.reopening_begun.set()
            return replace(state, plan=plan, progress=replace(state.progress, is_reopening=True))
        return replace(state, plan=plan)

    async def _take(
        self, tx: Transaction, state: DialingState, claim_id: UUID, limit: int, plan: Plan
    ) -> Claim:
        """Rounds of taking: one, unless targets without a usable slot stand in the way."""
        claimed: list[Claimed] = []
        exhausted: list[UUID] = []
        window = limit
        while self._is_due(state.progress):
            taken = await tx.dialing.take(
                state=state,
                claim_id=claim_id,
                attempt_ids=[new_id() for _ in range(limit - len(claimed))],
                plan=plan,
                now=self._clock.now(),
                window=window,
                exhaust_limit=MAX_BATCH - len(exhausted),
                expiry=self._timing.claim_expiry,
            )
            claimed += taken.claimed
            exhausted += taken.exhausted_ids
            state = replace(state, progress=taken.progress)
            is_enough = len(claimed) == limit or len(exhausted) == MAX_BATCH
            if is_enough or not taken.is_full:
                break
            window = limit - len(claimed) + MAX_BATCH - len(exhausted)
        if exhausted:
            tx.events.targets(Change.UPDATED, await tx.targets.get_many(exhausted))
        return Claim(claimed, len(exhausted), state.progress, state.outdial)

    # -- The ways back -----------------------------------------------------------------------------

    async def _settle_until_it_holds(self, batch: Sequence[Settlement]) -> None:
        """Only when a plan changes meanwhile (see domain.settled) are the counters locked all along."""
        if not await self._settle(batch, is_locking=False):
            await self._settle(batch, is_locking=True)

    async def _settle(self, batch: Sequence[Settlement], *, is_locking: bool) -> bool:
        wanted = {each.attempt_id: each for each in batch}
        try:
            async with self._begin() as tx:
                targets = await tx.targets.lock_attempts(
                    {each.attempt_id: each.target_id for each in batch}
                )
                if not targets:
                    return True
                outdial_ids = sorted({each.outdial_id for each in targets})
                plans = await tx.dialing.plans(outdial_ids, is_locking=is_locking)
                now = self._clock.now()
                changes = [
                    (each, settled(each, _found(wanted, each), plans[each.outdial_id], now))
                    for each in targets
                ]
                if await _save(tx, changes, now) != plans:
                    raise _PlanChangedError
                _tell(tx, changes)
        except _PlanChangedError:
            return False
        for _, after in changes:
            metrics.settled_targets.labels(after.result.value or after.status.value).inc()
        return True

    async def _release(self, attempts: Mapping[UUID, UUID | None]) -> int:
        async with self._begin() as tx:
            targets = await tx.targets.lock_attempts(attempts)
            now = self._clock.now()
            # A microsecond apart: claims read the due index in the order of these times.
            changes = [
                (each, released(each, now, now + timedelta(microseconds=index)))
                for index, each in enumerate(targets, 1 - len(targets))
            ]
            await _save(tx, changes, now)
        metrics.released_targets.inc(len(changes))
        return len(changes)

    async def _resolved(
        self, resolutions: Sequence[Resolution], attempts: Mapping[UUID, UUID]
    ) -> None:
        never_opened: dict[UUID, UUID | None] = {}
        done: list[Settlement] = []
        for each in resolutions:
            metrics.resolved_attempts.labels(each.state.value).inc()
            if each.state is AttemptState.NEVER_OPENED and each.attempt_id in attempts:
                never_opened[each.attempt_id] = attempts[each.attempt_id]
            elif each.settlement is not None:
                done.append(each.settlement)
        if never_opened:
            await self._release(never_opened)
        await self.settle(done)

    # -- Reopening ---------------------------------------------------------------------------------

    async def _reopen_batch(self, outdial_id: UUID) -> int | None:
        """One batch; None when the reopening is over, or another replica is at it."""
        try:
            async with self._begin() as tx:
                batch = await tx.dialing.reopening_batch(outdial_id, REOPEN_BATCH)
                if batch is None:
                    return None
                now = self._clock.now()
                wanted = [each.id for each in batch.targets if reopened(each, batch.plan, now, now)]
                changes: list[tuple[Target, Target]] = []
                for each in await tx.targets.lock(wanted) if wanted else ():
                    due = now - timedelta(microseconds=len(changes))
                    after = reopened(each, batch.plan, now, due)
                    if after is not None:
                        changes.append((each, after))
                await _save(tx, changes, now)
                if not await tx.dialing.reopening_done(batch):
                    raise Aborted("another replica has done this batch")
                _tell(tx, changes)
        except Aborted:
            return None
        metrics.reopened_targets.inc(len(changes))
        return len(changes)


def _checked(state: DialingState | None, outdial_id: UUID, campaign_id: UUID) -> DialingState:
    owned(None if state is None else state.outdial, outdial_id, None)
    assert state is not None
    require_bound(state.outdial, campaign_id)
    return state


def _found(settlements: Mapping[UUID, Settlement], target: Target) -> Settlement:
    assert target.attempt_id is not None
    return settlements[target.attempt_id]


async def _save(
    tx: Transaction, changes: Sequence[tuple[Target, Target]], now: datetime
) -> Mapping[UUID, Plan | None]:
    """Write the states, then the counters; the plans as they are now."""
    if not changes:
        return {}
    await tx.targets.save_outcomes(changes, now)
    by_outdial: defaultdict[UUID, list[tuple[Target, Target]]] = defaultdict(list)
    for change in changes:
        by_outdial[change[0].outdial_id].append(change)
    return await tx.dialing.apply({key: delta(found) for key, found in by_outdial.items()})


def _tell(tx: Transaction, changes: Sequence[tuple[Target, Target]]) -> None:
    """Events for the targets that are not deleted."""
    known = [(before, after) for before, after in changes if after.tm_delete is None]
    attempts = {b.id: b.attempt_id for b, _ in known if b.attempt_id is not None}
    if known:
        tx.events.targets(Change.UPDATED, [after for _, after in known], attempts)
