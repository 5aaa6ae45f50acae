"""What the campaign service is told of attempts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from services.common.clock import Clock
from services.common.log import get_logger
from services.common.metrics import histogram
from services.dialer.attempts import Attempt
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.delivery import Delivery
from services.dialer.domain.calls import visible_variables
from services.dialer.domain.campaigns import AttemptReport, ReportKind
from services.dialer.domain.cursors import AgentWait
from services.dialer.domain.variables import DIGITS, size_of
from services.dialer.outcome import Ending
from services.dialer.ports import Campaigns

MAX_VARIABLE_BYTES = 8 * 1024 * 1024
"""Variables in one message to the campaign service."""

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
        self._held: dict[UUID, AttemptReport | None] = {}
        self.delivery: Delivery[AttemptReport] = Delivery(
            "campaigncall_report", self._send, clock=clock, delivered=_delay.observe
        )

    def answered(self, attempt: Attempt) -> None:
        """It was answered."""
        assert attempt.tm_answer is not None
        report = AttemptReport(
            attempt.id, ReportKind.ANSWERED, attempt.tm_answer, is_machine=attempt.is_machine
        )
        self.delivery.add(report)

    def waited(self, attempt_id: UUID, wait: AgentWait) -> None:
        """What came of waiting for an agent so far; may be told again."""
        if wait.tm_abandon is not None:
            self.delivery.add(AttemptReport(attempt_id, ReportKind.ABANDONED, wait.tm_abandon))
        if wait.tm_connect is not None:
            report = AttemptReport(
                attempt_id,
                ReportKind.CONNECTED,
                wait.tm_connect,
                answer_to_agent_ms=wait.waited_ms,
            )
            self.delivery.add(report)

    def ended(self, attempt: Attempt, tm: datetime, ending: Ending, run: FlowRun | None) -> None:
        """It is over, and so is its execution, if there was one."""
        wait = None if run is None else run.agent_wait
        is_abandoned = wait is not None and wait.tm_connect is None and not ending.is_machine
        self.closed(attempt.id, tm, ending, is_abandoned=is_abandoned, run=run)

    def closed(
        self,
        attempt_id: UUID,
        tm: datetime,
        ending: Ending,
        *,
        is_abandoned: bool = False,
        run: FlowRun | None = None,
    ) -> None:
        """It is over, though it was never held here, perhaps."""
        report = AttemptReport(
            attempt_id,
            ReportKind.ENDED,
            tm,
            hangup_reason=ending.reason.value,
            hangup_detail=ending.detail,
            is_refunded=ending.is_refunded,
            is_abandoned=is_abandoned,
            tm_answer=ending.tm_answer,
            is_machine=ending.is_machine,
            variables={} if run is None else visible_variables(run.variables),
            digits="" if run is None else digits_of(run),
        )
        if attempt_id in self._held:
            self._held[attempt_id] = report
        else:
            self.delivery.add(report)

    def hold(self, attempt_id: UUID) -> None:
        """Tell its end only when it is released: until then whoever takes over finds it open, and does
        what else its end asks for."""
        self._held.setdefault(attempt_id, None)

    def release(self, attempt_id: UUID) -> None:
        """Tell its end now, if it has come."""
        report = self._held.pop(attempt_id, None)
        if report is not None:
            self.delivery.add(report)

    def ending_ids(self) -> set[UUID]:
        """Attempts whose end has been noted and not delivered yet."""
        noted = [*self.delivery.pending(), *(each for each in self._held.values() if each)]
        return {report.attempt_id for report in noted if report.kind is ReportKind.ENDED}

    async def _send(self, reports: Sequence[AttemptReport]) -> None:
        for part in sendable_parts(reports):
            unknown = await self._campaigns.report(part)
            if unknown:
                get_logger().error(
                    "reported_unknown_attempts", count=len(unknown), first=str(unknown[0])
                )
            self._settled([each.attempt_id for each in part if each.kind is ReportKind.ENDED])


def digits_of(run: FlowRun) -> str:
    """The keys to be kept with the attempt: those asked for last, else those nobody has asked for."""
    if run.keys.last is not None:
        return run.keys.last
    return run.variables.get(DIGITS, "")


def sendable_parts(reports: Sequence[AttemptReport]) -> Iterator[Sequence[AttemptReport]]:
    """The reports in order, in parts that a message can hold whatever flows have set."""
    part: list[AttemptReport] = []
    size = 0
    for report in reports:
        weight = size_of(report.variables)
        if part and size + weight > MAX_VARIABLE_BYTES:
            yield part
            part, size = [], 0
        part.append(report)
        size += weight
    if part:
        yield part
