"""How a call ended, from what Asterisk says of it: the driver's one table of outcomes. Pure.

`tech_cause` is the SIP status of the answer, `cause` the Q.850 cause. What was answered is normal
whatever the cause; an end without a word from the network was our own timer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.dialer.telephony import HangupReason, HungUpBy

_TIMER_B_SHARE = 0.95
_DURATION_SLACK_MS = 500
"""Asterisk counts the longest duration from when it was told of it, shortly after the answer."""

_Meaning = tuple[HangupReason, str]
_BUSY: _Meaning = (HangupReason.BUSY, "")
_NO_ANSWER: _Meaning = (HangupReason.NOANSWER, "")
_REJECTED: _Meaning = (HangupReason.NOANSWER, "rejected")
_INVALID: _Meaning = (HangupReason.FAILED, "invalid")
_CONGESTION: _Meaning = (HangupReason.FAILED, "congestion")
_FAULT: _Meaning = (HangupReason.FAILED, "network_fault")
_REDIRECTED: _Meaning = (HangupReason.FAILED, "redirected")
_NO_RESPONSE: _Meaning = (HangupReason.FAILED, "no_response")

SIP_OUTCOMES: Mapping[int, _Meaning] = {
    486: _BUSY,
    600: _BUSY,
    480: _NO_ANSWER,
    408: _NO_ANSWER,
    403: _REJECTED,
    603: _REJECTED,
    607: _REJECTED,
    608: _REJECTED,
    404: _INVALID,
    604: _INVALID,
    410: _INVALID,
    484: _INVALID,
    503: _CONGESTION,
    513: _CONGESTION,
    500: _FAULT,
    502: _FAULT,
    504: _FAULT,
    300: _REDIRECTED,
    301: _REDIRECTED,
    302: _REDIRECTED,
    305: _REDIRECTED,
    380: _REDIRECTED,
}
CAUSE_OUTCOMES: Mapping[int, _Meaning] = {
    1: _INVALID,
    22: _INVALID,
    28: _INVALID,
    17: _BUSY,
    18: _NO_ANSWER,
    19: _NO_ANSWER,
    21: _REJECTED,
    23: _REDIRECTED,
    27: _FAULT,
    38: _FAULT,
    102: _FAULT,
    34: _CONGESTION,
    42: _CONGESTION,
}
TRUNK_FAULTS = frozenset({"congestion", "network_fault", "no_response", "allocation_failed"})
"""Details that tell of the trunk rather than of the person called."""


@dataclass(frozen=True, slots=True)
class EndFacts:
    """What was seen of a call until its channel was gone."""

    is_answered: bool
    cause: int
    tech_cause: int | None = None
    end_wish: str = ""  # cancel or hangup: we wanted it
    has_word: bool = False  # it rang, or the network said it was on its way
    was_cut: bool = False  # Asterisk itself ended it: our wish, or our own timer
    was_left: bool = False  # the other side hung up
    was_redirected: bool = False
    placed_ms: float = 0.0  # since it was dialed
    talked_ms: float = 0.0
    max_ms: int = 0
    timer_b_ms: int = 32_000


def outcome(facts: EndFacts) -> tuple[HangupReason, str, HungUpBy]:
    """Reason, detail and who ended it."""
    if facts.is_answered:
        return _answered(facts)
    if facts.end_wish:
        return HangupReason.CANCEL, "canceled", HungUpBy.LOCAL
    if facts.was_redirected:
        return *_REDIRECTED, HungUpBy.NETWORK
    if facts.was_cut:
        reason = HangupReason.NOANSWER if facts.has_word else HangupReason.DIALOUT
        return reason, "", HungUpBy.NETWORK
    reason, detail = _refused(facts)
    by = HungUpBy.REMOTE if detail == "rejected" else HungUpBy.NETWORK
    return reason, detail, by


def outcome_unseen(
    detail: str, *, is_answered: bool, is_wanted: bool
) -> tuple[HangupReason, str, HungUpBy]:
    """The same of a call whose end nobody saw; `detail` says why."""
    if is_answered:
        by = HungUpBy.LOCAL if is_wanted else HungUpBy.NETWORK
        return HangupReason.NORMAL, "" if is_wanted else detail, by
    if is_wanted:
        return HangupReason.CANCEL, "canceled", HungUpBy.LOCAL
    return HangupReason.FAILED, detail, HungUpBy.NETWORK


def _answered(facts: EndFacts) -> tuple[HangupReason, str, HungUpBy]:
    if facts.was_left:
        return HangupReason.NORMAL, "", HungUpBy.REMOTE
    if facts.end_wish:
        return HangupReason.NORMAL, "", HungUpBy.LOCAL
    if facts.max_ms and facts.talked_ms >= facts.max_ms - _DURATION_SLACK_MS:
        return HangupReason.TIMEOUT, "max_duration", HungUpBy.NETWORK
    return HangupReason.NORMAL, "", HungUpBy.NETWORK


def _refused(facts: EndFacts) -> _Meaning:
    tech = facts.tech_cause
    if tech == 408 and not facts.has_word and facts.placed_ms >= facts.timer_b_ms * _TIMER_B_SHARE:
        # Asterisk's own word: not even the trunk has answered.
        return _NO_RESPONSE
    if tech is not None:
        return SIP_OUTCOMES.get(tech, (HangupReason.FAILED, f"sip_{tech}"))
    return CAUSE_OUTCOMES.get(facts.cause, (HangupReason.FAILED, f"cause_{facts.cause}"))
