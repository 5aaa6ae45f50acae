"""Callers in queues of whom nothing is known but what a dialer before has stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from services.common.clock import Clock
from services.dialer.conversations.reports import Reports
from services.dialer.domain.calls import Activeflow
from services.dialer.domain.queuecalls import Joining, QueueReport, QueueReportKind
from services.dialer.telephony import Telephony


class StoredStays:
    """Tells the queue that they are over, and first what it may not have been told: of the caller, or
    of an agent. So it counts them as the campaign does."""

    def __init__(
        self,
        telephony: Telephony,
        join: Callable[[Joining], None],
        clock: Clock,
        attempt_reports: Reports,
    ) -> None:
        """`join` tells the queue of a caller; `attempt_reports` tells the campaign of the end."""
        self._telephony = telephony
        self._join = join
        self._attempt_reports = attempt_reports
        self._clock = clock
        self._to_report: dict[UUID, Sequence[QueueReport]] = {}

    def ended(self, row: Activeflow) -> None:
        """The caller's call is over. Nothing happens when it was in no queue."""
        cursor, call_id = row.cursor, row.reference_id
        if cursor.queuecall_id is None or cursor.queue_id is None or call_id is None:
            return
        self._telephony.hangup(cursor.agent_legs)
        now, wait = self._clock.now(), cursor.agent_wait
        facts = [(QueueReportKind.ENDED, now)]
        if wait is not None and wait.tm_connect is not None:
            facts.insert(0, (QueueReportKind.CONNECTED, wait.tm_connect))
        queuecall_id, agent_id = cursor.queuecall_id, cursor.agent_id
        self._to_report[queuecall_id] = [
            QueueReport(queuecall_id, kind, agent_id, tm) for kind, tm in facts
        ]
        self._attempt_reports.hold(call_id)
        joined_at = now if wait is None else wait.since
        self._join(
            Joining(
                queuecall_id,
                cursor.queue_id,
                row.customer_id,
                row.campaign_id,
                call_id,
                joined_at,
            )
        )

    def joined(self, queuecall_id: UUID, call_id: UUID) -> Sequence[QueueReport]:
        """The queue knows the caller: what is to be reported now."""
        reports = self._to_report.pop(queuecall_id, ())
        if reports:
            self._attempt_reports.release(call_id)
        return reports
