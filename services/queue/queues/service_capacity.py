"""GetCapacity: how many agents each campaign may dial for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.common.clock import Clock
from services.queue.queues.domain import is_served_by
from services.queue.queues.domain_sharing import Ask, Asked, Group, share
from services.queue.queues.ports import BeginQueues


@dataclass(frozen=True, slots=True)
class Capacity:
    """The answer to one ask, in agents."""

    ask: Ask
    available_count: int = 0  # granted to the campaign for the next two REAL seconds
    queue_available_count: int = 0  # of the queue in all
    staffed_count: int = 0  # of the queue, not offline


class CapacityService:
    """Grants each available agent to one asking campaign at a time."""

    def __init__(self, *, begin: BeginQueues, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def get_capacity(self, asks: Sequence[Ask]) -> list[Capacity]:
        """The answers in the order asked; zeros for a queue that does not exist or is deleted."""
        async with self._begin() as tx:
            queues, turn = await tx.capacities.asked({ask.queue_id for ask in asks})
            known = {ask: queues[ask.queue_id] for ask in asks if ask.queue_id in queues}
            customers = {queue.customer_id for queue in known.values()}
            if not known:
                return [Capacity(ask) for ask in asks]
            await tx.capacities.hold(customers)
            demands = await tx.capacities.demands(
                {ask: queue.customer_id for ask, queue in known.items()}, self._clock.now()
            )
            groups = await tx.capacities.groups(customers)
            grants = share(groups, demands, {ask.campaign_id for ask in known}, turn)
            granted = dict(grants.kept)
            if grants.writes:
                written = await tx.capacities.grant(grants.writes)
                granted |= {
                    agent_id: campaign_id
                    for agent_id, campaign_id in grants.writes.items()
                    if campaign_id is not None and agent_id in written
                }
        return [
            _answer(ask, known[ask], groups, granted) if ask in known else Capacity(ask)
            for ask in asks
        ]


def _answer(ask: Ask, queue: Asked, groups: Sequence[Group], granted: dict[UUID, UUID]) -> Capacity:
    able = [group for group in groups if is_served_by(queue, group)]
    free = [agent.id for group in able for agent in group.free]
    return Capacity(
        ask,
        available_count=sum(granted.get(agent_id) == ask.campaign_id for agent_id in free),
        queue_available_count=len(free),
        staffed_count=sum(group.staffed_count for group in able),
    )
