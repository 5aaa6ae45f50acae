"""JoinQueue and ReportQueuecalls: what dialers tell about callers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.queue.queues.domain import Queue
from services.queue.queues.domain_queuecalls import (
    Joining,
    Queuecall,
    QueuecallStatus,
    Report,
    ReportKind,
    reported,
)
from services.queue.queues.ports import BeginQueues, DueTimes
from services.queue.queues.service_changes import Changes


@dataclass(frozen=True, slots=True)
class Joined:
    """Queuecalls that were refused, and the queues that the others are in."""

    refused: frozenset[UUID] = frozenset()
    queues: Sequence[Queue] = ()


class Reporting:
    """Takes callers into queues and follows them."""

    def __init__(self, *, begin: BeginQueues, due: DueTimes) -> None:
        self._begin = begin
        self._due = due

    async def join_queue(self, dialer_id: str, joinings: Sequence[Joining]) -> Joined:
        """Let calls wait. Those whose queue does not exist or is deleted are refused.

        Idempotent by queuecall id: a repeated joining changes nothing, also after the end. Only one
        later than the conversation's beginning says something new: a dialer that took the call over
        found the caller alone. The agent has left, so the queuecall is over.
        """
        if not joinings:
            return Joined()
        async with self._begin() as tx:
            joined = await tx.queuecalls.join(dialer_id, joinings)
            others = {each.queuecall_id: each for each in joinings}
            for call in joined:
                others.pop(call.id)
            existing = await tx.queuecalls.lock_many(others)
            left = [call for call in existing.values() if _is_alone(call, others[call.id])]
            agents = await tx.roster.lock_involved([], [call.id for call in left])
            changes = Changes(existing, agents)
            for call in joined:
                changes.joined(call)
            for call in left:
                fact = Report(call.id, ReportKind.ENDED, None, others[call.id].tm)
                changes.apply(reported(fact, call, changes.holder(call.id), None))
            await changes.write(tx)
            refused = frozenset(others.keys() - existing.keys())
            entered = {each.queue_id for each in joinings if each.queuecall_id not in refused}
            queues = await tx.queues.get_many(entered) if entered else []
        self._due.note(each.wait_deadline for each in joined if each.wait_deadline)
        self._due.note(changes.due())
        return Joined(refused, queues)

    async def report_queuecalls(self, reports: Sequence[Report]) -> None:
        """Follow the facts in the order given; those late, repeated or unknown change nothing."""
        if not reports:
            return
        async with self._begin() as tx:
            calls = await tx.queuecalls.lock_many({each.queuecall_id for each in reports})
            involved = {each.agent_id for each in reports if each.agent_id is not None}
            agents = await tx.roster.lock_involved(involved, calls.keys())
            changes = Changes(calls, agents)
            for report in reports:
                call = changes.call(report.queuecall_id)
                if call is not None:
                    named = changes.agent(report.agent_id)
                    if named is not None and named.customer_id != call.customer_id:
                        named = None
                    changes.apply(reported(report, call, changes.holder(call.id), named))
            await changes.write(tx)
        self._due.note(changes.due())


def _is_alone(call: Queuecall, joining: Joining) -> bool:
    return (
        call.status is QueuecallStatus.SERVICE
        and call.tm_service is not None
        and joining.tm > call.tm_service
    )
