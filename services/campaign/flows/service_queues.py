"""The queues that actions name: do they exist."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from services.campaign.flows.ports import Queues
from services.common.actions import Action, queues_joined
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


async def _exists(queues: Queues, customer_id: UUID, queue_id: UUID) -> bool:
    try:
        return await queues.exists(customer_id, queue_id)
    except PermissionDenied:
        return False
