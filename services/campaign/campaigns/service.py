"""What customers can do with campaigns: definitions, and starting and stopping them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.campaign.campaigns import domain, domain_runs
from services.campaign.campaigns.domain import (
    Campaign,
    CampaignChange,
    CampaignDraft,
    CampaignStats,
    Status,
    StopMode,
    Transition,
)
from services.campaign.campaigns.ports import Begin, CampaignEvents, Transaction
from services.campaign.campaigns.service_references import LEFTOVER_SECONDS, References
from services.common.actions import Action
from services.common.clock import Clock
from services.common.creation import same_or_taken
from services.common.errors import Aborted
from services.common.ids import new_id
from services.common.paging import Page, cut

ACTIONS = frozenset({"actions", "abandonment_actions"})
REFERENCES = ACTIONS | {"flow_id", "outplan_id", "outdial_id", "queue_id", "next_campaign_id"}
"""Members of a campaign that are, or hold, ids of something else."""
_RACES = 5


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A campaign as it was read, and as it would become."""

    read: Campaign
    changed: Campaign
    is_starting: bool

    @property
    def new_references(self) -> set[str]:
        """References that would change."""
        return _exchanged(self.read, self.changed)

    def holds_for(self, locked: Campaign, transition: Transition | None) -> bool:
        """True while what was checked is what would be changed, whatever else others have changed."""
        starts = transition is not None and transition.status is Status.RUN
        if starts and locked.status is not Status.RUN and not self.is_starting:
            return False
        return not _exchanged(self.read, locked)


class CampaignService:
    """The use cases; each acts for one customer.

    Other services are asked before the transaction that changes the campaign. All starts over when
    somebody has exchanged what they were asked about meanwhile.
    """

    def __init__(self, *, begin: Begin, references: References, clock: Clock) -> None:
        self._begin = begin
        self._references = references
        self._clock = clock

    async def create_campaign(self, customer_id: UUID, draft: CampaignDraft) -> Campaign:
        """A new campaign in status stop, its outdial bound to it before it can be seen.

        The same request with the same id again returns what the first one made.
        """
        campaign = domain.create(draft, draft.id or new_id(), customer_id, self._clock.now())
        async with self._begin() as tx:
            # Before anybody else is asked, who may be away or have forgotten what the first one used.
            if draft.id is not None and await tx.campaigns.get(campaign.id) is not None:
                return await same_or_taken(tx.campaigns, campaign, draft.digest, "campaign")
            await self._references.check_local(tx, campaign, REFERENCES)
            await _note_binding(tx, campaign)
        try:
            await self._references.check_actions(campaign)
            await self._references.check_remote(campaign, REFERENCES)
            async with self._begin() as tx:
                await self._references.check_local(tx, campaign, REFERENCES)
                if not await tx.campaigns.insert(campaign, draft.digest):
                    return await same_or_taken(tx.campaigns, campaign, draft.digest, "campaign")
                tx.events.campaign("created", campaign)
                if campaign.outdial_id is not None:
                    await tx.bindings.forget(campaign.outdial_id, campaign.id)
                return campaign
        except Exception:
            if campaign.outdial_id is not None:
                await self._references.try_settle(customer_id, campaign.outdial_id, campaign.id)
            raise

    async def get_campaign(self, customer_id: UUID, campaign_id: UUID) -> Campaign:
        """One campaign, also a deleted one."""
        async with self._begin() as tx:
            return domain.owned(await tx.campaigns.get(campaign_id), campaign_id, customer_id)

    async def list_campaigns(self, customer_id: UUID, page: Page) -> tuple[list[Campaign], str]:
        """A page of the customer's campaigns and the token of the next."""
        async with self._begin() as tx:
            return cut(await tx.campaigns.list(customer_id, page), page)

    async def get_campaign_stats(self, customer_id: UUID, campaign_id: UUID) -> CampaignStats:
        """The counters of one campaign."""
        async with self._begin() as tx:
            stats = await tx.campaigns.stats(campaign_id)
        found = None if stats is None else stats.campaign
        domain.owned(found, campaign_id, customer_id)
        assert stats is not None
        return stats

    async def update_campaign(
        self,
        customer_id: UUID,
        campaign_id: UUID,
        wanted: CampaignChange,
        transition: Transition | None = None,
    ) -> Campaign:
        """The campaign with the members set and then moved, both or neither."""
        for _ in range(_RACES):
            prepared = await self._prepare(customer_id, campaign_id, wanted, transition)
            changed = await self._change(prepared, wanted, transition)
            if changed is not None:
                return changed
        raise Aborted(f"campaign {campaign_id} is being changed by others; try again")

    async def set_campaign_status(
        self, customer_id: UUID, campaign_id: UUID, transition: Transition
    ) -> Campaign:
        """The campaign moved to run or towards stop; repeating it changes nothing."""
        if transition.status is Status.STOP:
            return await self._stop(customer_id, campaign_id, transition.mode)
        return await self.update_campaign(customer_id, campaign_id, CampaignChange(), transition)

    async def delete_campaign(self, customer_id: UUID, campaign_id: UUID) -> Campaign:
        """The campaign, deleted, and its outdial released; deleting it again changes nothing."""
        async with self._begin() as tx:
            found = await tx.campaigns.lock(campaign_id)
            campaign = domain.owned(found, campaign_id, customer_id)
            deleted = domain.delete(campaign, self._clock.now())
            if deleted is campaign:
                return deleted
            await tx.campaigns.save(deleted)
            tx.events.campaign("deleted", deleted)
            outdial_id = deleted.outdial_id
            if outdial_id is not None:
                await tx.bindings.note(customer_id, outdial_id, campaign_id, 0.0)
        if outdial_id is not None:
            await self._references.try_settle(customer_id, outdial_id, campaign_id)
        return deleted

    async def _stop(self, customer_id: UUID, campaign_id: UUID, mode: StopMode) -> Campaign:
        # One transaction under the lock that opening an attempt needs: once it has committed, no
        # attempt can be opened any more.
        async with self._begin() as tx:
            found = await tx.campaigns.lock(campaign_id)
            campaign = domain.owned(found, campaign_id, customer_id)
            stopped = domain_runs.stop(campaign, mode, self._clock.now())
            if stopped is not campaign:
                await tx.campaigns.save(stopped)
                publish_move(tx.events, campaign, stopped)
            return stopped

    async def _prepare(
        self,
        customer_id: UUID,
        campaign_id: UUID,
        wanted: CampaignChange,
        transition: Transition | None,
    ) -> _Prepared:
        """Check the change against everything but concurrent changes, binding a new outdial."""
        async with self._begin() as tx:
            found = await tx.campaigns.get(campaign_id)
            read = domain.owned(found, campaign_id, customer_id)
            changed = domain.change(read, wanted, self._clock.now())
            starts = transition is not None and transition.status is Status.RUN
            prepared = _Prepared(read, changed, starts and read.status is not Status.RUN)
            await self._references.check_local(tx, changed, prepared.new_references)
            actions: Sequence[Action] = ()
            if prepared.is_starting:
                actions = await self._references.startable_actions(tx, changed)
            if "outdial_id" in prepared.new_references:
                await _note_binding(tx, changed)
        try:
            if prepared.new_references & ACTIONS:
                await self._references.check_actions(changed)
            await self._references.check_remote(changed, prepared.new_references)
            if prepared.is_starting:
                await self._references.check_startable(changed, actions, prepared.new_references)
        except Exception:
            await self._unbind(prepared)
            raise
        return prepared

    async def _change(
        self, prepared: _Prepared, wanted: CampaignChange, transition: Transition | None
    ) -> Campaign | None:
        """Apply a prepared change; None when the campaign is not as it was read any more."""
        now = self._clock.now()
        try:
            async with self._begin() as tx:
                locked = await tx.campaigns.lock(prepared.read.id)
                if locked is None or not prepared.holds_for(locked, transition):
                    changed = None
                else:
                    changed = await self._apply(tx, locked, wanted, transition, now)
                    old, new = locked.outdial_id, changed.outdial_id
                    if old is not None and old != new:
                        await tx.bindings.note(locked.customer_id, old, locked.id, 0.0)
                    if new is not None and old != new:
                        await tx.bindings.forget(new, locked.id)
        except Exception:
            await self._unbind(prepared)
            raise
        if changed is None:
            await self._unbind(prepared)
        elif (old := prepared.read.outdial_id) is not None and old != changed.outdial_id:
            await self._references.try_settle(changed.customer_id, old, changed.id)
        return changed

    async def _apply(
        self,
        tx: Transaction,
        locked: Campaign,
        wanted: CampaignChange,
        transition: Transition | None,
        now: datetime,
    ) -> Campaign:
        changed = domain.change(locked, wanted, now)
        if changed is not locked:
            await self._references.check_local(tx, changed, _exchanged(locked, changed))
            tx.events.campaign("updated", changed)
        moved = changed
        if transition is not None and transition.status is Status.RUN:
            if changed.status is not Status.RUN:
                await self._references.startable_actions(tx, changed)
            moved = domain_runs.start(changed, now)
        elif transition is not None:
            moved = domain_runs.stop(changed, transition.mode, now)
        if moved is not changed:
            publish_move(tx.events, changed, moved)
        if moved is not locked:
            await tx.campaigns.save(moved)
        return moved

    async def _unbind(self, prepared: _Prepared) -> None:
        """Give back an outdial that was bound for a change that did not happen."""
        if "outdial_id" in prepared.new_references and prepared.changed.outdial_id is not None:
            await self._references.try_settle(
                prepared.read.customer_id, prepared.changed.outdial_id, prepared.read.id
            )


def publish_move(events: CampaignEvents, before: Campaign, after: Campaign) -> None:
    """The one event of a change of status; a change of the stop mode alone is an update."""
    if before.status is after.status:
        events.campaign("updated", after)
    elif after.status is Status.RUN:
        events.campaign("status_run", after)
    elif after.status is Status.STOPPING:
        events.campaign("status_stopping", after)
    else:
        events.campaign("status_stop", after)


def _exchanged(before: Campaign, after: Campaign) -> set[str]:
    return {name for name in REFERENCES if getattr(before, name) != getattr(after, name)}


async def _note_binding(tx: Transaction, campaign: Campaign) -> None:
    if campaign.outdial_id is not None:
        await tx.bindings.note(
            campaign.customer_id, campaign.outdial_id, campaign.id, LEFTOVER_SECONDS
        )
