"""What can be done with flows."""

from __future__ import annotations

from uuid import UUID

from services.campaign.domain_definitions import deleted, require_usable
from services.campaign.flows import domain
from services.campaign.flows.domain import Flow, FlowChange, FlowDraft
from services.campaign.flows.ports import Begin, Flows, Queues
from services.campaign.flows.service_named import check_flows, check_queues
from services.common.actions import validate_actions
from services.common.clock import Clock
from services.common.creation import same_or_taken
from services.common.ids import new_id
from services.common.paging import Page, cut


class FlowService:
    """The use cases. The queue service is asked before the transaction that changes the flow."""

    def __init__(self, *, begin: Begin, queues: Queues, clock: Clock) -> None:
        self._begin = begin
        self._queues = queues
        self._clock = clock

    async def create_flow(self, customer_id: UUID, draft: FlowDraft) -> Flow:
        """A new flow. The same request with the same id again returns what the first one made."""
        flow = domain.create(draft, draft.id or new_id(), customer_id, self._clock.now())
        if draft.id is not None:
            async with self._begin() as tx:
                if await tx.flows.get(draft.id) is not None:
                    # Before anything else is asked: a repetition asks for nothing new.
                    return await same_or_taken(tx.flows, flow, draft.digest, "flow")
        await check_queues(self._queues, customer_id, flow.actions)
        async with self._begin() as tx:
            if not await tx.flows.insert(flow, draft.digest):
                return await same_or_taken(tx.flows, flow, draft.digest, "flow")
            await _check_follower(tx.flows, flow)
            await check_flows(tx.flows, customer_id, flow.actions, own_id=flow.id)
            tx.events.flow("created", flow)
            return flow

    async def get_flow(self, customer_id: UUID | None, flow_id: UUID) -> Flow:
        """One flow, also a deleted one; a customer of None (the dialer) may read any."""
        async with self._begin() as tx:
            return domain.owned(await tx.flows.get(flow_id), flow_id, customer_id)

    async def list_flows(self, customer_id: UUID, page: Page) -> tuple[list[Flow], str]:
        """A page of the customer's flows and the token of the next."""
        async with self._begin() as tx:
            return cut(await tx.flows.list(customer_id, page), page)

    async def update_flow(self, customer_id: UUID, flow_id: UUID, wanted: FlowChange) -> Flow:
        """The flow with the members given set; it serves the attempts answered from then on."""
        if wanted.actions is not None:
            await check_queues(self._queues, customer_id, validate_actions(wanted.actions))
        async with self._begin() as tx:
            flow = domain.owned(await tx.flows.lock(flow_id), flow_id, customer_id)
            changed = domain.change(flow, wanted, self._clock.now())
            if changed is not flow:
                if changed.on_complete_flow_id != flow.on_complete_flow_id:
                    await _check_follower(tx.flows, changed)
                if changed.actions != flow.actions:
                    await check_flows(tx.flows, customer_id, changed.actions, own_id=flow.id)
                await tx.flows.save(changed)
                tx.events.flow("updated", changed)
            return changed

    async def delete_flow(self, customer_id: UUID, flow_id: UUID) -> Flow:
        """The flow, deleted; deleting it again changes nothing."""
        async with self._begin() as tx:
            # Starting a campaign shares this lock, so no campaign can start between check and delete.
            flow = domain.owned(await tx.flows.lock(flow_id), flow_id, customer_id)
            busy = await tx.flows.busy_campaigns(flow_id)
            gone = deleted(flow, "flow", busy, self._clock.now())
            if gone is not flow:
                await tx.flows.save(gone)
                tx.events.flow("deleted", gone)
            return gone


async def _check_follower(flows: Flows, flow: Flow) -> None:
    follower_id, customer_id = flow.on_complete_flow_id, flow.customer_id
    if follower_id is not None:
        follower = await flows.get(follower_id)
        require_usable(follower, customer_id, "on_complete_flow_id", follower_id, "a flow of yours")
