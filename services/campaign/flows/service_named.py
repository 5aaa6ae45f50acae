"""What actions name: do these queues and flows exist."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from services.campaign.domain_definitions import require_usable
from services.campaign.flows.ports import Flows, Queues
from services.common.actions import Action, flows_fetched, queues_joined
from services.common.errors import PermissionDenied, invalid


async def check_queues(
    queues: Queues, customer_id: UUID, actions: Sequence[Action], field: str = "actions"
) -> None:
    """InvalidArgument that names the first action whose queue is none of the customer's.

    Each queue is asked for once, all at the same time. The actions must be valid.
    """
    named = queues_joined(actions, field)
    wanted = sorted(set(named.values()))
    found = await asyncio.gather(*(_exists(queues, customer_id, each) for each in wanted))
    known = {queue_id for queue_id, exists in zip(wanted, found, strict=True) if exists}
    for place, queue_id in named.items():
        if queue_id not in known:
            raise invalid(place, str(queue_id), "a queue of yours")


async def check_flows(
    flows: Flows,
    customer_id: UUID,
    actions: Sequence[Action],
    field: str = "actions",
    *,
    own_id: UUID | None = None,
) -> None:
    """InvalidArgument that names the first action whose flow is none of the customer's.

    `own_id` is the flow the actions are of, which may fetch itself. The actions must be valid.
    """
    known = {own_id}
    for place, flow_id in flows_fetched(actions, field).items():
        if flow_id not in known:
            found = await flows.get(flow_id)
            require_usable(found, customer_id, place, flow_id, "a flow of yours")
            known.add(flow_id)


async def _exists(queues: Queues, customer_id: UUID, queue_id: UUID) -> bool:
    try:
        return await queues.exists(customer_id, queue_id)
    except PermissionDenied:
        return False
