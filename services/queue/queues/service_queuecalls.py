"""Use cases of queuecalls for their customer: read, delete, kick."""

from __future__ import annotations

from uuid import UUID

from services.common.clock import Clock
from services.common.errors import FailedPrecondition
from services.common.ownership import owned
from services.common.paging import Page, cut
from services.queue.queues.domain_queuecalls import (
    QUEUECALL_NOT_FOUND,
    EndReason,
    Queuecall,
    Step,
)
from services.queue.queues.ports import BeginQueues
from services.queue.queues.service_changes import Changes


class QueuecallService:
    """Queuecalls of the customer that each call names."""

    def __init__(self, *, begin: BeginQueues, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def get_queuecall(self, customer_id: UUID, queuecall_id: UUID) -> Queuecall:
        """The queuecall, also a deleted one."""
        async with self._begin() as tx:
            return _owned(customer_id, queuecall_id, await tx.queuecalls.get(queuecall_id))

    async def list_queuecalls(self, customer_id: UUID, page: Page) -> tuple[list[Queuecall], str]:
        """One page of those not deleted, and the next page's token."""
        async with self._begin() as tx:
            return cut(await tx.queuecalls.list_page(customer_id, page), page)

    async def delete_queuecall(self, customer_id: UUID, queuecall_id: UUID) -> Queuecall:
        """The queuecall, now deleted; FailedPrecondition until it has ended."""
        async with self._begin() as tx:
            locked = await tx.queuecalls.lock_many([queuecall_id])
            call = _owned(customer_id, queuecall_id, locked.get(queuecall_id))
            if call.tm_delete is not None:
                return call
            if call.is_live:
                raise FailedPrecondition(
                    f"queuecall {queuecall_id} is {call.status}; kick it first",
                    queuecall_id=str(queuecall_id),
                    status=str(call.status),
                )
            gone = call.deleted(self._clock.now())
            await tx.queuecalls.save([gone])
            tx.events.queuecall("deleted", gone)
        return gone

    async def kick_queuecall(
        self, customer_id: UUID, queuecall_id: UUID | None, call_id: UUID | None
    ) -> Queuecall:
        """The queuecall of one of the two ids, out of the queue; an ended one does not change.

        Its agent stays taken until the dialer has hung up and says so: the agent's phone is still
        ringing or connected.
        """
        async with self._begin() as tx:
            if queuecall_id is None and call_id is not None:
                queuecall_id = await tx.queuecalls.id_of_call(call_id)
            locked = {}
            if queuecall_id is not None:
                locked = await tx.queuecalls.lock_many([queuecall_id])
            wanted = queuecall_id or call_id
            assert wanted is not None
            call = _owned(customer_id, wanted, locked.get(wanted))
            if not call.is_live:
                return call
            changes = Changes(locked, [])
            kicked = call.ended(EndReason.KICKED, self._clock.now())
            changes.apply(Step(kicked))
            await tx.roster.hold([call.id])
            await changes.write(tx)
        return kicked


def _owned(customer_id: UUID, queuecall_id: UUID, queuecall: Queuecall | None) -> Queuecall:
    return owned(queuecall, "queuecall", queuecall_id, customer_id, reason=QUEUECALL_NOT_FOUND)
