"""Use cases of queues: create, read, change, delete."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from services.common.clock import Clock
from services.common.creation import same_or_taken
from services.common.errors import FailedPrecondition, invalid
from services.common.ids import new_id
from services.common.ownership import owned
from services.common.paging import Page, cut
from services.queue.agents.domain import distinct_tags
from services.queue.agents.service_tags import require_tags
from services.queue.queues.domain import (
    DEFAULT_RING_MS,
    QUEUE_NOT_FOUND,
    Members,
    NewQueue,
    Queue,
    QueueChange,
    Standing,
)
from services.queue.queues.ports import BeginQueues, Campaigns, QueuesTransaction


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue and who is in it."""

    queue: Queue
    members: Members


class QueueService:
    """Queues of the customer that each call names."""

    def __init__(self, *, begin: BeginQueues, campaigns: Campaigns, clock: Clock) -> None:
        self._begin = begin
        self._campaigns = campaigns
        self._clock = clock

    async def create_queue(self, customer_id: UUID, new: NewQueue) -> QueueView:
        """A new queue. Repeating it with the same id and body gives the same queue.

        Raises InvalidArgument, also for tags and a wait flow that do not exist.
        """
        queue = Queue(
            id=new.id or new_id(),
            customer_id=customer_id,
            name=new.name,
            detail=new.detail,
            routing_method=new.routing_method,
            tag_ids=distinct_tags(new.tag_ids),
            wait_flow_id=new.wait_flow_id,
            wait_timeout=new.wait_timeout,
            service_timeout=new.service_timeout,
            wrapup_time=new.wrapup_time or 0,
            ring_timeout=DEFAULT_RING_MS if new.ring_timeout is None else new.ring_timeout,
            recording=new.recording,
            revision=1,
            tm_create=self._clock.now(),
        ).checked()
        if new.id is None or not await self._is_known(new.id):
            # A repetition asks for nothing new: the flow may be gone by now.
            await self._check_wait_flow(customer_id, queue.wait_flow_id)
        async with self._begin() as tx:
            if not await tx.queues.insert(queue, new.digest):
                return await _view(tx, await same_or_taken(tx.queues, queue, new.digest, "queue"))
            await require_tags(tx.tags, customer_id, queue.tag_ids)
            view = QueueView(queue, Members())
            tx.events.queue("created", view.queue, view.members)
            return view

    async def get_queue(self, customer_id: UUID, queue_id: UUID) -> QueueView:
        """The queue, also a deleted one."""
        async with self._begin() as tx:
            return await _view(tx, _owned(customer_id, queue_id, await tx.queues.get(queue_id)))

    async def list_queues(self, customer_id: UUID, page: Page) -> tuple[list[QueueView], str]:
        """One page of those not deleted, and the next page's token."""
        async with self._begin() as tx:
            queues, token = cut(await tx.queues.list_page(customer_id, page), page)
            members = await tx.queues.members([each.id for each in queues])
        return [QueueView(each, members[each.id]) for each in queues], token

    async def update_queue(
        self, customer_id: UUID, queue_id: UUID, change: QueueChange
    ) -> QueueView:
        """The queue with the members that are present changed.

        Callers who are in the queue keep the durations of the moment they joined.
        """
        if change.tag_ids is not None:
            change = replace(change, tag_ids=distinct_tags(change.tag_ids))
        await self._check_wait_flow(customer_id, change.wait_flow_id)
        async with self._begin() as tx:
            # Before the queue: the deletion of a tag locks in this order too.
            await require_tags(tx.tags, customer_id, change.tag_ids or ())
            queue = _owned(customer_id, queue_id, await tx.queues.lock(queue_id))
            if queue.tm_delete is not None:
                raise FailedPrecondition(f"queue {queue_id} is deleted", queue_id=str(queue_id))
            changed = change.applied(queue, self._clock.now())
            view = await _view(tx, changed)
            if changed is not queue:
                await tx.queues.save(changed)
                tx.events.queue("updated", changed, view.members)
            return view

    async def delete_queue(self, customer_id: UUID, queue_id: UUID) -> QueueView:
        """The queue, now deleted; FailedPrecondition while callers are in it or a campaign runs with it."""
        async with self._begin() as tx:
            queue = _owned(customer_id, queue_id, await tx.queues.get(queue_id))
            if queue.tm_delete is not None:
                return await _view(tx, queue)
            await _refuse_occupied(tx, queue_id)
        # Not within a transaction: another service is asked.
        await self._campaigns.retire(queue_id)
        try:
            return await self._delete(customer_id, queue_id)
        except FailedPrecondition:
            await self._campaigns.restore(queue_id)
            raise

    async def _delete(self, customer_id: UUID, queue_id: UUID) -> QueueView:
        async with self._begin() as tx:
            queue = _owned(customer_id, queue_id, await tx.queues.lock(queue_id))
            if queue.tm_delete is not None:
                return await _view(tx, queue)
            await _refuse_occupied(tx, queue_id)
            now = self._clock.now()
            queue = replace(queue, tm_update=now, tm_delete=now, revision=queue.revision + 1)
            await tx.queues.save(queue)
            view = await _view(tx, queue)
            tx.events.queue("deleted", queue, view.members)
            return view

    async def get_queue_stats(self, customer_id: UUID, queue_id: UUID) -> Standing:
        """How the queue stands."""
        async with self._begin() as tx:
            queue = _owned(customer_id, queue_id, await tx.queues.get(queue_id))
            return await tx.queues.standing(queue)

    async def _is_known(self, queue_id: UUID) -> bool:
        async with self._begin() as tx:
            return await tx.queues.get(queue_id) is not None

    async def _check_wait_flow(self, customer_id: UUID, flow_id: UUID | None) -> None:
        """InvalidArgument for none of the customer's. Not within a transaction: another is asked."""
        if flow_id is not None and not await self._campaigns.has_flow(customer_id, flow_id):
            raise invalid("wait_flow_id", str(flow_id), "a flow of yours")


async def _refuse_occupied(tx: QueuesTransaction, queue_id: UUID) -> None:
    if await tx.queuecalls.has_live(queue_id):
        raise FailedPrecondition(
            f"queue {queue_id} has callers waiting or in service; "
            "delete it when they are gone, or kick them",
            queue_id=str(queue_id),
        )


async def _view(tx: QueuesTransaction, queue: Queue) -> QueueView:
    return QueueView(queue, (await tx.queues.members([queue.id]))[queue.id])


def _owned(customer_id: UUID, queue_id: UUID, queue: Queue | None) -> Queue:
    return owned(queue, "queue", queue_id, customer_id, reason=QUEUE_NOT_FOUND)
