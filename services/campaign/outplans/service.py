"""What can be done with outplans."""

from __future__ import annotations

from uuid import UUID

from services.campaign.domain_definitions import deleted
from services.campaign.outplans import domain
from services.campaign.outplans.domain import Outplan, OutplanChange, OutplanDraft
from services.campaign.outplans.ports import Begin
from services.common.clock import Clock
from services.common.creation import same_or_taken
from services.common.ids import new_id
from services.common.paging import Page, cut


class OutplanService:
    """The use cases; each is one transaction for one customer."""

    def __init__(self, *, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def create_outplan(self, customer_id: UUID, draft: OutplanDraft) -> Outplan:
        """A new plan. The same request with the same id again returns what the first one made."""
        plan = domain.create(draft, draft.id or new_id(), customer_id, self._clock.now())
        async with self._begin() as tx:
            if not await tx.outplans.insert(plan, draft.digest):
                return await same_or_taken(tx.outplans, plan, draft.digest, "outplan")
            tx.events.outplan("created", plan)
            return plan

    async def get_outplan(self, customer_id: UUID, outplan_id: UUID) -> Outplan:
        """One plan, also a deleted one."""
        async with self._begin() as tx:
            return domain.owned(await tx.outplans.get(outplan_id), outplan_id, customer_id)

    async def list_outplans(self, customer_id: UUID, page: Page) -> tuple[list[Outplan], str]:
        """A page of the customer's plans and the token of the next."""
        async with self._begin() as tx:
            return cut(await tx.outplans.list(customer_id, page), page)

    async def update_outplan(
        self, customer_id: UUID, outplan_id: UUID, wanted: OutplanChange
    ) -> Outplan:
        """The plan with the members given set; dialers work by it from their next claim on."""
        async with self._begin() as tx:
            plan = domain.owned(await tx.outplans.lock(outplan_id), outplan_id, customer_id)
            changed = domain.change(plan, wanted, self._clock.now())
            if changed is not plan:
                await tx.outplans.save(changed)
                tx.events.outplan("updated", changed, await tx.outplans.outdials(outplan_id))
            return changed

    async def delete_outplan(self, customer_id: UUID, outplan_id: UUID) -> Outplan:
        """The plan, deleted; deleting it again changes nothing."""
        async with self._begin() as tx:
            # Starting a campaign shares this lock, so no campaign can start between check and delete.
            plan = domain.owned(await tx.outplans.lock(outplan_id), outplan_id, customer_id)
            busy = await tx.outplans.busy_campaigns(outplan_id)
            gone = deleted(plan, "outplan", busy, self._clock.now())
            if gone is not plan:
                await tx.outplans.save(gone)
                tx.events.outplan("deleted", gone)
            return gone
