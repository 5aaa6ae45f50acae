"""The end of a run, and the chained campaign that starts in its stead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.campaign.campaigns.domain import Campaign, EndHandle, Status, StopReason
from services.campaign.campaigns.domain_runs import RunEnd, finish, start
from services.campaign.campaigns.ports import Begin, Transaction
from services.campaign.campaigns.service import publish_move
from services.campaign.campaigns.service_references import References
from services.common.actions import Action
from services.common.clock import Clock
from services.common.errors import Aborted, FailedPrecondition, PermissionDenied

_RACES = 5
RING_DETAIL = "a whole round of chained campaigns placed no attempt"


@dataclass(frozen=True, slots=True)
class _Successor:
    """The chained campaign as it was read; `obstacle` says why it cannot start, or is empty."""

    campaign: Campaign
    obstacle: str


class RunService:
    """Ends runs."""

    def __init__(self, *, begin: Begin, references: References, clock: Clock) -> None:
        self._begin = begin
        self._references = references
        self._clock = clock

    async def finish_run(self, end: RunEnd) -> bool:
        """End the run if run number and token are right and nothing is in flight; was it ended?

        The chained campaign starts in the same transaction, so exactly once. With end_handle continue
        only an end with a detail or an error ends the run.
        """
        for _ in range(_RACES):
            async with self._begin() as tx:
                campaign = await tx.campaigns.get(end.campaign_id)
            if campaign is None or not _may_end(campaign, end):
                return False
            successor = None if end.is_error else await self._successor(campaign)
            done = await self._finish(campaign, end, successor)
            if done is not None:
                return done
        raise Aborted(f"campaign {end.campaign_id} is being changed by others; try again")

    async def _successor(self, campaign: Campaign) -> _Successor | None:
        """The chained campaign, checked for a start as far as other services are concerned."""
        if campaign.next_campaign_id is None:
            return None
        async with self._begin() as tx:
            found = await tx.campaigns.get(campaign.next_campaign_id)
            if found is None:
                return None
            obstacle = _obstacle(campaign, found)
            actions: Sequence[Action] = ()
            if not obstacle:
                try:
                    actions = await self._references.startable_actions(tx, found)
                except FailedPrecondition as exc:
                    obstacle = exc.message
        if not obstacle:
            try:
                await self._references.check_startable(found, actions)
            except (FailedPrecondition, PermissionDenied) as exc:
                obstacle = exc.message
        return _Successor(found, obstacle)

    async def _finish(
        self, read: Campaign, end: RunEnd, successor: _Successor | None
    ) -> bool | None:
        """End the run and start the successor; None when either is not as it was read any more."""
        next_id = None if successor is None else successor.campaign.id
        async with self._begin() as tx:
            # Two campaign locks are taken in the order of the ids, as by everybody.
            locked: dict[UUID, Campaign | None] = {}
            for campaign_id in sorted({read.id} | ({next_id} if next_id else set())):
                locked[campaign_id] = await tx.campaigns.lock(campaign_id)
            campaign = locked[read.id]
            if campaign is None or not _may_end(campaign, end):
                return False
            follower = locked.get(next_id) if next_id else None
            if campaign.next_campaign_id != read.next_campaign_id or (
                successor and (follower is None or follower.revision != successor.campaign.revision)
            ):
                return None
            await self._end(tx, campaign, end, follower, successor.obstacle if successor else "")
        return True

    async def _end(
        self,
        tx: Transaction,
        campaign: Campaign,
        end: RunEnd,
        follower: Campaign | None,
        obstacle: str,
    ) -> None:
        now = self._clock.now()
        idle = (*campaign.run.idle_chain, campaign.id) if not campaign.run.placed_count else ()
        reason = StopReason.ERROR if end.is_error else StopReason.FINISHED
        detail = end.detail
        if follower is not None and not obstacle and follower.id in idle:
            reason, obstacle = StopReason.CHAINED, RING_DETAIL
        elif follower is not None and not obstacle:
            # Its plan or flow may have been deleted since it was checked, which does not change it.
            try:
                await self._references.startable_actions(tx, follower)
            except FailedPrecondition as exc:
                obstacle = exc.message
        if obstacle and follower is not None:
            refused = f"campaign {follower.id} was not started: {obstacle}"
            detail = f"{detail}; {refused}" if detail else refused
        ended = finish(campaign, reason, detail, now)
        await tx.campaigns.save(ended)
        publish_move(tx.events, campaign, ended)
        if follower is not None and not obstacle:
            started = start(follower, now, idle_chain=idle)
            await tx.campaigns.save(started)
            publish_move(tx.events, follower, started)


def _may_end(campaign: Campaign, end: RunEnd) -> bool:
    run = campaign.run
    if run.status is not Status.RUN or run.open_count:
        return False
    if run.number != end.run_number or run.fencing_token != end.fencing_token:
        return False
    return campaign.end_handle is EndHandle.STOP or end.is_error or bool(end.detail)


def _obstacle(campaign: Campaign, follower: Campaign) -> str:
    if follower.customer_id != campaign.customer_id:
        return "it belongs to another customer"
    if follower.tm_delete is not None:
        return "it is deleted"
    if follower.status is not Status.STOP:
        return f"it is in {follower.status} already"
    return ""
