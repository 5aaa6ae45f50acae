"""How an attempt ended, in the documented words. Pure; the one table for every medium."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.dialer.attempts import Attempt
from services.dialer.telephony import AnsweredBy, Ended, HangupReason, NotPlacedReason


@dataclass(frozen=True, slots=True)
class Ending:
    """What is reported at the end. The result follows from it: normal after an answer is success."""

    reason: HangupReason
    detail: str = ""
    is_refunded: bool = False
    tm_answer: datetime | None = None
    is_machine: bool = False


LOST = Ending(HangupReason.FAILED, "lost")
"""Never answered, gone without a word. The phone may have rung: the try counts."""
CANCELED_UNPLACED = Ending(HangupReason.CANCEL, "canceled", is_refunded=True)
"""Opened, and the campaign was stopped before it was placed."""


def ending_of(attempt: Attempt, event: Ended) -> Ending:
    """What the network's last word on an attempt means."""
    tm_answer = attempt.tm_answer or event.tm_answer
    if tm_answer is None:
        return _unanswered(attempt, event)
    is_machine = attempt.is_machine or event.answered_by is AnsweredBy.MACHINE
    reason, detail = HangupReason.NORMAL, event.detail
    if is_machine and not attempt.takes_machines:
        reason = HangupReason.AMD
    elif event.reason is HangupReason.TIMEOUT:
        reason = HangupReason.TIMEOUT
    elif event.reason is not HangupReason.NORMAL:
        # The network lost it. The person was spoken to, which is what counts.
        detail = event.detail or "lost_after_answer"
    return Ending(reason, detail, tm_answer=tm_answer, is_machine=is_machine)


def not_placed(reason: NotPlacedReason) -> Ending:
    """Nothing was sent: the try is given back."""
    return Ending(HangupReason.FAILED, "not_placed", is_refunded=True)


def lost(attempt: Attempt) -> Ending:
    """The network does not know it any more, at its deadline, at the second look."""
    if attempt.tm_answer is None:
        return LOST
    return Ending(
        HangupReason.NORMAL,
        "lost_after_answer",
        tm_answer=attempt.tm_answer,
        is_machine=attempt.is_machine,
    )


def _unanswered(attempt: Attempt, event: Ended) -> Ending:
    if event.reason is HangupReason.CANCEL:
        detail = event.detail or "canceled"
        return Ending(HangupReason.CANCEL, detail, is_refunded=attempt.is_canceled_by_stop)
    if event.reason is HangupReason.NORMAL:
        # `normal` is success, and nobody answered: whatever the carrier meant, it was not that.
        return Ending(HangupReason.FAILED, event.detail)
    return Ending(event.reason, event.detail)
