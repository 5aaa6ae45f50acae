"""What the queue service asks before it deletes a queue."""

from __future__ import annotations

from uuid import UUID

from services.campaign.campaigns.ports import Begin
from services.common.errors import FailedPrecondition

QUEUE_IN_USE = "QUEUE_IN_USE"


class QueueUseService:
    """The use cases."""

    def __init__(self, *, begin: Begin) -> None:
        self._begin = begin

    async def retire_queue(self, queue_id: UUID) -> None:
        """From now on no campaign starts with the queue; FailedPrecondition while one runs with it."""
        async with self._begin() as tx:
            busy = await tx.queue_uses.retire(queue_id)
        if busy:
            named = ", ".join(str(each) for each in busy)
            raise FailedPrecondition(
                f"queue {queue_id} is used by campaigns that run: {named}; stop them first",
                reason=QUEUE_IN_USE,
                queue_id=str(queue_id),
                campaign_id=str(busy[0]),
            )

    async def restore_queue(self, queue_id: UUID) -> None:
        """The queue was not deleted after all."""
        async with self._begin() as tx:
            await tx.queue_uses.restore(queue_id)
