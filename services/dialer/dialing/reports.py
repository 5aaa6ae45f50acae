"""What the campaign service is told of attempts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

from services.common.clock import Clock
from services.common.log import get_logger
from services.common.metrics import histogram
from services.dialer.delivery import Delivery
from services.dialer.dialing.attempts import Attempt
from services.dialer.domain.campaigns import AttemptReport, ReportKind
from services.dialer.outcome import Ending
from services.dialer.ports import Campaigns

_delay = histogram(
    "dialer_report_seconds", "Time from a fact to its storage by the campaign service"
)


class Reports:
    """Gathers reports, in order, until they have arrived. `settled` hears of ends that are stored."""

    def __init__(
        self, campaigns: Campaigns, clock: Clock, settled: Callable[[Collection[UUID]], None]
    ) -> None:
        self._campaigns = campaigns
        self._settled = settled
        self.delivery: Delivery[AttemptReport] = Delivery(
            "campaigncall_report", self._send, clock=clock, delivered=_delay.observe
        )

    def answered(self, attempt: Attempt) -> None:
        """It was answered."""
        assert attempt.tm_answer is not None
        self.delivery.add(AttemptReport(attempt.id, ReportKind.ANSWERED, attempt.tm_answer))

    def connected(self, attempt: Attempt) -> None:
        """An agent was connected."""
        assert attempt.tm_connect is not None
        self.delivery.add(AttemptReport(attempt.id, ReportKind.CONNECTED, attempt.tm_connect))

    def ended(self, attempt: Attempt, tm: datetime, ending: Ending) -> None:
        """It is over."""
        is_abandoned = attempt.wanted_agent and attempt.tm_connect is None
        self.closed(attempt.id, tm, ending, is_abandoned=is_abandoned)

    def closed(
        self, attempt_id: UUID, tm: datetime, ending: Ending, *, is_abandoned: bool = False
    ) -> None:
        """It is over, though it was never held here."""
        self.delivery.add(
            AttemptReport(
                attempt_id,
                ReportKind.ENDED,
                tm,
                hangup_reason=ending.reason.value,
                hangup_detail=ending.detail,
                is_refunded=ending.is_refunded,
                is_abandoned=is_abandoned,
                tm_answer=ending.tm_answer,
            )
        )

    def ending_ids(self) -> set[UUID]:
        """Attempts whose end has been noted and not delivered yet."""
        return {
            report.attempt_id
            for report in self.delivery.pending()
            if report.kind is ReportKind.ENDED
        }

    async def _send(self, reports: Sequence[AttemptReport]) -> None:
        unknown = await self._campaigns.report(reports)
        if unknown:
            get_logger().error(
                "reported_unknown_attempts", count=len(unknown), first=str(unknown[0])
            )
        self._settled([each.attempt_id for each in reports if each.kind is ReportKind.ENDED])
