"""What can be done with campaigncalls: opening, reporting, resolving, sweeping, and reading them.

Order of locks, by everybody: campaigncalls by id, then campaigns by id. Opening locks its campaign
first; it can, because the campaigncalls it writes do not exist before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.campaign.campaigncalls import domain
from services.campaign.campaigncalls.domain import (
    Advance,
    CallStatus,
    Campaigncall,
    Counts,
    Report,
    Settlement,
)
from services.campaign.campaigncalls.domain_opening import (
    Attempt,
    Grant,
    OpenCall,
    Opened,
    Opener,
    Resolution,
    Verdict,
)
from services.campaign.campaigncalls.ports import Begin, Transaction
from services.campaign.campaigns import domain as campaign_domain
from services.campaign.campaigns import domain_runs
from services.campaign.campaigns.service import publish_move
from services.common.clock import Clock
from services.common.errors import FailedPrecondition
from services.common.ids import new_id
from services.common.paging import Page, cut

LEASE_LOST = "LEASE_LOST"
SWEEP_SECONDS = 15.0
"""Real seconds that an attempt past its deadline is left to the dialer that holds its campaign.

Real, because what the dialer does meanwhile (look at the network a second time, report) takes real
time; the deadline itself is domain time, whose margins shrink to nothing when it runs fast. Whether
the holder is alive is not asked: a live one has closed the attempt by then, and should it have
failed to, a campaign must still come to its stop.
"""
SWEEP_BATCH = 500
TOMBSTONE_SECONDS = 24 * 3600.0
"""How long ids are kept from being opened: a day, where an Open is late by seconds."""


class CampaigncallService:
    """The use cases."""

    def __init__(self, *, begin: Begin, clock: Clock, max_conversation: timedelta) -> None:
        self._begin = begin
        self._clock = clock
        self._max_conversation = max_conversation

    async def open_campaigncalls(self, opener: Opener, attempts: Sequence[Attempt]) -> Opened:
        """Open the attempts, the commit point of dialing: only an opened one may be placed."""
        now = self._clock.now()
        async with self._begin() as tx:
            grant = await tx.campaigncalls.grant(opener)
            inserted: dict[UUID, Campaigncall] = {}
            if grant is not None:
                calls = self._opening(grant, opener, attempts, now)
                ids = await tx.campaigncalls.insert(
                    calls, opener.fencing_token, domain.PLACE_SECONDS
                )
                inserted = {call.id: call for call in calls if call.id in ids}
            if inserted:
                counts = Counts(opened=len(inserted), placed=len(inserted))
                await tx.campaigncalls.add_counts({opener.campaign_id: counts}, now)
                for call in inserted.values():
                    tx.events.campaigncall("created", call)
            return await _verdicts(tx, opener, attempts, grant is not None, inserted)

    async def report_campaigncalls(self, reports: Sequence[Report]) -> list[UUID]:
        """Move attempts forward by these facts; ids of those that are no attempts."""
        by_id: dict[UUID, list[Report]] = {}
        for report in reports:
            by_id.setdefault(report.id, []).append(report)
        now = self._clock.now()
        async with self._begin() as tx:
            calls = await tx.campaigncalls.lock(sorted(by_id))
            changes = [self._advanced(call, by_id[call.id], now) for call in calls]
            await _apply(tx, changes, now)
        known = {call.id for call in calls}
        return [call_id for call_id in by_id if call_id not in known]

    async def sweep(self) -> int:
        """Close attempts far past their deadlines, at most a batch; how many there were."""
        now = self._clock.now()
        cutoff = now - timedelta(seconds=SWEEP_SECONDS * self._clock.scale)
        async with self._begin() as tx:
            calls = await tx.campaigncalls.lock_overdue(cutoff, SWEEP_BATCH)
            changes = [self._advanced(call, [domain.lost(call, now)], now) for call in calls]
            await _apply(tx, changes, now)
        return len(calls)

    async def purge(self) -> int:
        """Forget ids that can no longer be opened anyway; how many there were."""
        async with self._begin() as tx:
            return await tx.campaigncalls.purge_tombstones(TOMBSTONE_SECONDS)

    async def resolve_attempts(self, ids: Sequence[UUID]) -> list[Resolution]:
        """What became of the attempts; from now on an unknown one can never be opened."""
        async with self._begin() as tx:
            found = {call.id: call for call in await tx.campaigncalls.find(ids)}
            unknown = [call_id for call_id in ids if call_id not in found]
            if unknown:
                await tx.campaigncalls.tombstone_unknown(unknown)
                # Some may have been opened between the first look and the tombstones.
                found |= {call.id: call for call in await tx.campaigncalls.find(unknown)}
            done = [call for call in found.values() if call.status is CallStatus.DONE]
            settlements = {each.call.id: each for each in await _settlements(tx, done)}
        return [Resolution(call_id, call_id in found, settlements.get(call_id)) for call_id in ids]

    async def list_open_campaigncalls(
        self, campaign_id: UUID, fencing_token: int
    ) -> Sequence[OpenCall]:
        """The attempts in flight; FailedPrecondition LEASE_LOST when the token is not the present one."""
        async with self._begin() as tx:
            found = await tx.campaigncalls.open(campaign_id, fencing_token)
        if found is None:
            raise FailedPrecondition(
                f"the lease of campaign {campaign_id} with token {fencing_token} was lost",
                reason=LEASE_LOST,
            )
        return found

    async def get_campaigncall(self, customer_id: UUID, call_id: UUID) -> Campaigncall:
        """One attempt, also a deleted one."""
        async with self._begin() as tx:
            return domain.owned(await tx.campaigncalls.get(call_id), call_id, customer_id)

    async def list_campaigncalls(
        self, customer_id: UUID, campaign_id: UUID | None, page: Page
    ) -> tuple[list[Campaigncall], str]:
        """A page of the customer's attempts, or of one campaign's, and the token of the next."""
        async with self._begin() as tx:
            if campaign_id is not None:
                campaign = await tx.campaigns.get(campaign_id)
                campaign_domain.owned(campaign, campaign_id, customer_id)
            return cut(await tx.campaigncalls.list(customer_id, campaign_id, page), page)

    async def delete_campaigncall(self, customer_id: UUID, call_id: UUID) -> Campaigncall:
        """The attempt, deleted; deleting it again changes nothing."""
        async with self._begin() as tx:
            found = next(iter(await tx.campaigncalls.lock([call_id])), None)
            call = domain.owned(found, call_id, customer_id)
            deleted = domain.delete(call, self._clock.now())
            if deleted is not call:
                await tx.campaigncalls.save([deleted])
                tx.events.campaigncall("deleted", deleted)
            return deleted

    def _advanced(self, call: Campaigncall, reports: Iterable[Report], now: datetime) -> Advance:
        return domain.advance(call, reports, now, self._max_conversation)

    def _opening(
        self, grant: Grant, opener: Opener, attempts: Iterable[Attempt], now: datetime
    ) -> list[Campaigncall]:
        deadline = domain.dialing_deadline(now, self._clock.scale, grant.dial_timeout_ms)
        return [
            Campaigncall(
                id=each.id,
                customer_id=grant.customer_id,
                campaign_id=opener.campaign_id,
                outplan_id=grant.outplan_id,
                outdial_id=grant.outdial_id,
                outdial_target_id=each.outdial_target_id,
                queue_id=grant.queue_id,
                flow_id=grant.flow_id,
                activeflow_id=new_id(),
                source=grant.source,
                destination=each.destination,
                destination_index=each.destination_index,
                try_count=each.try_count,
                run_number=opener.run_number,
                dialer_id=opener.dialer_id,
                deadline=deadline,
                # A microsecond apart, because page tokens are times of creation.
                tm_create=now + timedelta(microseconds=order),
            )
            for order, each in enumerate(attempts)
        ]


async def _verdicts(
    tx: Transaction,
    opener: Opener,
    attempts: Sequence[Attempt],
    is_granted: bool,
    inserted: dict[UUID, Campaigncall],
) -> Opened:
    """The verdicts, also on attempts that an earlier, repeated request had opened.

    Those are opened as before while they are dialing under the same token. When the campaign may not
    open any more they still are, with no time left to place them: the dialer then reports them as not
    placed, which settles them, whereas giving the claim back would leave them in flight.
    """
    others = [each.id for each in attempts if each.id not in inserted]
    present = await tx.campaigncalls.present(others) if others else {}
    unknown = [call_id for call_id in others if call_id not in present]
    dead = await tx.campaigncalls.tombstoned(unknown) if unknown else set()
    place_ms = round(domain.PLACE_SECONDS * 1000) if is_granted else 0
    verdicts: list[tuple[UUID, Verdict, UUID | None]] = []
    for attempt in attempts:
        call, before = inserted.get(attempt.id), present.get(attempt.id)
        if call is not None:
            verdicts.append((attempt.id, Verdict.OPENED, call.activeflow_id))
        elif before is not None:
            same = (before.campaign_id, before.fencing_token, before.status) == (
                opener.campaign_id,
                opener.fencing_token,
                CallStatus.DIALING,
            )
            if same:
                place_ms = max(0, min(place_ms, before.place_within_ms))
            verdict = Verdict.OPENED if same else Verdict.DEAD
            verdicts.append((attempt.id, verdict, before.activeflow_id if same else None))
        elif attempt.id in dead:
            verdicts.append((attempt.id, Verdict.DEAD, None))
        else:
            verdicts.append((attempt.id, Verdict.REFUSED, None))
    return Opened(verdicts, place_ms)


async def _apply(tx: Transaction, changes: Iterable[Advance], now: datetime) -> None:
    """Write what reports changed: attempts, counters, events, and the stop of an empty campaign."""
    changed = [each for each in changes if each.is_change]
    if not changed:
        return
    await tx.campaigncalls.save([each.call for each in changed])
    counts: dict[UUID, Counts] = {}
    for each in changed:
        domain.count(each, counts.setdefault(each.call.campaign_id, Counts()))
        if each.answered is not None:
            tx.events.campaigncall("progressing", each.answered)
        if each.connected is not None:
            tx.events.campaigncall("connected", each.connected)
        if each.abandoned is not None:
            tx.events.campaigncall("abandoned", each.abandoned)
    for settlement in await _settlements(tx, [each.ended for each in changed if each.ended]):
        tx.events.done(settlement)
    for campaign_id in sorted(await tx.campaigncalls.add_counts(counts, now)):
        campaign = await tx.campaigns.lock(campaign_id)
        if campaign is None:
            continue
        stopped = domain_runs.complete_stop(campaign, now)
        if stopped is not campaign:
            await tx.campaigns.save(stopped)
            publish_move(tx.events, campaign, stopped)


async def _settlements(tx: Transaction, calls: Sequence[Campaigncall]) -> list[Settlement]:
    """The plan is read now, not at the opening: a change of it applies to what is settled after."""
    if not calls:
        return []
    plans = await tx.campaigncalls.retry_plans({call.outplan_id for call in calls})
    return [domain.settlement(call, plans[call.outplan_id]) for call in calls]
