"""Campaigncalls: one dial attempt each, from opened to done. Pure rules.

An attempt only moves forward, dialing -> progressing -> done; whatever is late or repeated changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.campaign.campaigncalls.domain_waits import Waits
from services.common import ownership
from services.common.address import Address
from services.common.errors import FailedPrecondition

CAMPAIGNCALL_NOT_FOUND = "CAMPAIGNCALL_NOT_FOUND"
PLACE_SECONDS = 5.0
"""Real seconds from opening within which an attempt may be placed."""
DEADLINE_MARGIN = timedelta(seconds=10)
"""Domain time between the last possible end of ringing and the deadline of an unanswered attempt."""
CONVERSATION_MARGIN = timedelta(seconds=30)
"""Domain time between the longest conversation's end and the deadline of an answered attempt."""
MAX_VARIABLES = 100
MAX_VARIABLE_BYTES = 32 * 1024
"""Names and values of the variables kept with one attempt; dialers keep within it."""
MAX_DIGITS = 100

HANGUP_REASONS = ("normal", "busy", "noanswer", "failed", "cancel", "timeout", "dialout", "amd")
"""The documented words."""
_SPELLINGS = {"no_answer": "noanswer", "canceled": "cancel", "cancelled": "cancel"}


class CallStatus(StrEnum):
    """Where an attempt stands."""

    DIALING = "dialing"
    PROGRESSING = "progressing"
    DONE = "done"


class Result(StrEnum):
    """What came of it; NONE until it is done."""

    NONE = ""
    SUCCESS = "success"
    FAIL = "fail"


class ReportKind(StrEnum):
    """What a report tells."""

    ANSWERED = "answered"
    CONNECTED = "connected"
    ABANDONED = "abandoned"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Campaigncall:
    """One dial attempt. `deadline` is domain time."""

    id: UUID
    customer_id: UUID
    campaign_id: UUID
    outplan_id: UUID
    outdial_id: UUID
    outdial_target_id: UUID
    queue_id: UUID | None
    flow_id: UUID | None
    activeflow_id: UUID
    source: Address | None
    destination: Address
    destination_index: int
    try_count: int
    run_number: int
    dialer_id: str
    deadline: datetime
    tm_create: datetime
    status: CallStatus = CallStatus.DIALING
    result: Result = Result.NONE
    hangup_reason: str = ""
    hangup_detail: str = ""
    is_refunded: bool = False
    is_abandoned: bool = False
    is_machine: bool = False
    answer_to_agent: int | None = None  # milliseconds
    revision: int = 1
    tm_update: datetime | None = None
    tm_delete: datetime | None = None
    tm_answer: datetime | None = None
    tm_connect: datetime | None = None
    tm_abandon: datetime | None = None
    tm_end: datetime | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    digits: str = ""

    @property
    def is_of_person(self) -> bool:
        """Whether a person answered, as far as anybody knows."""
        return self.tm_answer is not None and not self.is_machine


@dataclass(frozen=True, slots=True)
class Report:
    """One fact about one attempt, at `tm` in domain time.

    `answer_to_agent_ms` belongs to CONNECTED (None counts from the answer), `is_machine` to ANSWERED
    and ENDED, the rest to ENDED: `is_refunded` says that nothing was sent to the network, `tm_answer`
    is when it was answered, should that report have been lost; `variables` and `digits` are what its
    flow has found out.
    """

    id: UUID
    kind: ReportKind
    tm: datetime
    hangup_reason: str = ""
    hangup_detail: str = ""
    is_refunded: bool = False
    is_abandoned: bool = False
    tm_answer: datetime | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    digits: str = ""
    answer_to_agent_ms: int | None = None
    is_machine: bool = False


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """What of an outplan decides about further tries, as it is at the end of an attempt."""

    try_interval_ms: int
    max_try_counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Settlement:
    """What outdial settles the target of a done attempt by.

    `is_final`: the target is done whatever its tries left, because somebody was spoken to.
    """

    call: Campaigncall
    is_final: bool
    plan: RetryPlan


@dataclass(slots=True)
class Counts:
    """By how much a batch changes the counters of one campaign."""

    opened: int = 0
    placed: int = 0
    ended: int = 0
    progressing: int = 0
    success: int = 0
    fail: int = 0
    answered: int = 0
    connected: int = 0
    abandoned: int = 0
    refunded: int = 0
    persons: int = 0
    talk_ms: int = 0
    waits: Waits = field(default_factory=Waits)
    hangup_reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Advance:
    """An attempt before and after its reports, with which of the four steps they took it over."""

    before: Campaigncall
    call: Campaigncall
    answered: Campaigncall | None = None
    connected: Campaigncall | None = None
    abandoned: Campaigncall | None = None
    ended: Campaigncall | None = None

    @property
    def is_change(self) -> bool:
        """Did any report change anything."""
        return self.call is not self.before


def advance(
    call: Campaigncall, reports: Iterable[Report], now: datetime, max_conversation: timedelta
) -> Advance:
    """The attempt after these reports, in order. The network ends a conversation by itself after
    `max_conversation` of domain time."""
    before = call
    answered = connected = abandoned = ended = None
    for report in reports:
        if call.status is CallStatus.DONE:
            break
        answer = _answer_time(call, report)
        if answer is not None:
            deadline = answer + max_conversation + CONVERSATION_MARGIN
            call = answered = _touched(
                call,
                now,
                status=CallStatus.PROGRESSING,
                tm_answer=answer,
                is_machine=report.is_machine,
                deadline=deadline,
            )
        if report.kind is ReportKind.CONNECTED and call.tm_connect is None:
            call = connected = _connect(call, report, now)
        elif report.kind is ReportKind.ABANDONED and _is_abandonment(call, report):
            call = abandoned = _touched(call, now, is_abandoned=True, tm_abandon=report.tm)
        elif report.kind is ReportKind.ENDED:
            call = ended = _end(call, report, now)
    return Advance(before, call, answered, connected, abandoned, ended)


def count(change: Advance, counts: Counts) -> None:
    """Add what the change means for the campaign's counters."""
    before, call = change.before, change.call
    # By the difference: what was taken for a person may turn out to be a machine.
    counts.persons += call.is_of_person - before.is_of_person
    counts.abandoned += call.is_abandoned - before.is_abandoned
    if change.answered is not None:
        counts.answered += 1
        counts.progressing += 1
    if change.connected is not None:
        counts.connected += 1
        counts.waits.add(call.answer_to_agent or 0)
    if change.ended is None:
        return
    counts.ended += 1
    counts.progressing -= call.tm_answer is not None
    counts.success += call.result is Result.SUCCESS
    counts.fail += call.result is Result.FAIL
    counts.refunded += call.is_refunded
    counts.placed -= call.is_refunded
    counts.talk_ms += _talk_ms(call)
    reasons = counts.hangup_reasons
    reasons[call.hangup_reason] = reasons.get(call.hangup_reason, 0) + 1


def settlement(call: Campaigncall, plan: RetryPlan) -> Settlement:
    """How the target of a done attempt is to be settled."""
    # An answered call that ran into the duration limit is a fail by the documented table, but the
    # person has been spoken to and must not be called again.
    spoken_to = call.hangup_reason == "timeout" and call.tm_answer is not None
    return Settlement(call, call.result is Result.SUCCESS or spoken_to, plan)


def lost(call: Campaigncall, now: datetime) -> Report:
    """The report that ends an attempt nobody has heard of until its deadline.

    Unanswered it fails and the try counts: the phone may have rung. Answered it is a success: the
    person was spoken to.
    """
    if call.tm_answer is not None:
        return Report(
            call.id,
            ReportKind.ENDED,
            now,
            hangup_reason="normal",
            hangup_detail=LOST_AFTER_ANSWER,
        )
    return Report(call.id, ReportKind.ENDED, now, hangup_reason="failed", hangup_detail=LOST)


LOST = "lost"
LOST_AFTER_ANSWER = "lost_after_answer"


def dialing_deadline(opened: datetime, scale: float, dial_timeout_ms: int) -> datetime:
    """When an unanswered attempt is given up, in domain time.

    The time to place it is real, so it is `scale` times as long in domain time.
    """
    place = timedelta(seconds=PLACE_SECONDS * scale)
    return opened + place + timedelta(milliseconds=dial_timeout_ms) + DEADLINE_MARGIN


def delete(call: Campaigncall, now: datetime) -> Campaigncall:
    """The attempt, deleted; FailedPrecondition unless it is done."""
    if call.tm_delete is not None:
        return call
    if call.status is not CallStatus.DONE:
        raise FailedPrecondition(
            f"campaigncall {call.id} is {call.status}; it can be deleted when it is done",
            status=call.status,
        )
    return _touched(call, now, tm_delete=now)


def owned(call: Campaigncall | None, call_id: UUID, customer_id: UUID) -> Campaigncall:
    """See ownership.owned."""
    return ownership.owned(
        call, "campaigncall", call_id, customer_id, reason=CAMPAIGNCALL_NOT_FOUND
    )


def documented_reason(word: str) -> str:
    """The documented hangup reason for a word; `failed` for one that is not documented."""
    reason = _SPELLINGS.get(word, word)
    return reason if reason in HANGUP_REASONS else "failed"


def _answer_time(call: Campaigncall, report: Report) -> datetime | None:
    """When the report says an attempt not known to be answered was answered, else None."""
    if call.tm_answer is not None:
        return None
    if report.kind is ReportKind.ENDED:
        return report.tm_answer
    # Nobody joins an agent to a call that was not answered: that report was lost.
    return report.tm


def _connect(call: Campaigncall, report: Report, now: datetime) -> Campaigncall:
    waited = report.answer_to_agent_ms
    if waited is None:
        assert call.tm_answer is not None
        waited = round((report.tm - call.tm_answer) / timedelta(milliseconds=1))
    return _touched(call, now, tm_connect=report.tm, answer_to_agent=max(0, waited))


def _is_abandonment(call: Campaigncall, report: Report) -> bool:
    # Of the two facts the earlier one holds, whatever order they are told in.
    was_in_time = call.tm_connect is not None and call.tm_connect <= report.tm
    return not call.is_abandoned and not call.is_machine and not was_in_time


def _end(call: Campaigncall, report: Report, now: datetime) -> Campaigncall:
    reason = documented_reason(report.hangup_reason)
    was_answered = call.tm_answer is not None
    is_machine = was_answered and (call.is_machine or report.is_machine or reason == "amd")
    left = report.is_abandoned and was_answered and call.tm_connect is None
    is_abandoned = (call.is_abandoned or left) and not is_machine
    is_success = reason == "normal" and was_answered
    detail = report.hangup_detail
    if not detail and report.hangup_reason not in (reason, *_SPELLINGS):
        detail = report.hangup_reason
    return _touched(
        call,
        now,
        status=CallStatus.DONE,
        result=Result.SUCCESS if is_success else Result.FAIL,
        hangup_reason=reason,
        hangup_detail=detail,
        # A try is given back only if no phone can have rung.
        is_refunded=report.is_refunded and not was_answered,
        is_abandoned=is_abandoned,
        tm_abandon=(call.tm_abandon or report.tm) if is_abandoned else None,
        is_machine=is_machine,
        tm_end=report.tm,
        variables=report.variables,
        digits=report.digits,
    )


def _talk_ms(call: Campaigncall) -> int:
    if call.tm_answer is None or call.tm_end is None or call.hangup_detail == LOST_AFTER_ANSWER:
        return 0
    return max(0, round((call.tm_end - call.tm_answer) / timedelta(milliseconds=1)))


def _touched(call: Campaigncall, now: datetime, **members: Any) -> Campaigncall:
    return replace(call, revision=call.revision + 1, tm_update=now, **members)
