"""What has been seen of one call so far, and the facts of its end that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.common.clock import Clock
from services.dialer.drivers.asterisk.outcomes import EndFacts
from services.dialer.drivers.asterisk.snapshots import Snapshot
from services.dialer.telephony import AnsweredBy, Ended, HangupReason, HungUpBy

_OVERTIME_SLACK_MS = 100
_RING_SLACK_MS = 500


@dataclass(slots=True)
class History:
    """Moments are CLOCK_BOOTTIME seconds."""

    clock: Clock
    placed_at: float
    rang_at: float | None = None
    answered_at: float | None = None
    tm_answer: datetime | None = None
    answered_by: AnsweredBy = AnsweredBy.UNKNOWN
    is_dialed: bool = False  # the request that makes a phone ring was sent
    has_word: bool = False  # the network has said that the call is on its way
    was_cut: bool = False  # Asterisk itself ended it
    was_left: bool = False  # the other side hung up
    was_redirected: bool = False  # the network named another address; it is not followed

    def hangup_requested(self, *, is_soft: bool) -> None:
        """Its channel is about to end: by Asterisk itself, or by the other side."""
        if is_soft:
            self.was_cut = True
        elif not self.was_cut:
            self.was_left = True

    def take_over(self, snapshot: Snapshot) -> None:
        """Begin with what another dialer has left."""
        now, boottime = self.clock.now(), self.clock.boottime()
        self.is_dialed = True
        self.answered_by = snapshot.answered_by
        self.has_word = snapshot.is_ringing
        if snapshot.tm_place is not None:
            self.placed_at = boottime - max(0.0, (now - snapshot.tm_place).total_seconds())
        if snapshot.is_up:
            self.tm_answer = snapshot.tm_answer or now
            self.answered_at = boottime - max(0.0, (now - self.tm_answer).total_seconds())

    def is_overtime(self, max_ms: int) -> bool:
        """The longest duration is over: Asterisk ends it now."""
        return bool(max_ms) and self.talked_ms >= max_ms - _OVERTIME_SLACK_MS

    @property
    def talked_ms(self) -> float:
        """Since the answer."""
        return 0.0 if self.answered_at is None else self._since_ms(self.answered_at)

    def end_facts(
        self,
        cause: int,
        tech_cause: int | None,
        *,
        end_wish: str,
        ring_ms: int,
        max_ms: int,
        timer_b_ms: int,
    ) -> EndFacts:
        """What the outcome is judged by."""
        placed_ms = self._since_ms(self.placed_at)
        is_timed_out = not self.was_left and placed_ms >= ring_ms - _RING_SLACK_MS
        return EndFacts(
            is_answered=self.answered_at is not None,
            cause=cause,
            tech_cause=tech_cause,
            end_wish=end_wish,
            has_word=self.has_word,
            was_cut=self.was_cut or is_timed_out,
            was_left=self.was_left,
            was_redirected=self.was_redirected,
            placed_ms=placed_ms,
            talked_ms=self.talked_ms,
            max_ms=max_ms,
            timer_b_ms=timer_b_ms,
        )

    def ended(self, call_id: UUID, reason: HangupReason, detail: str, by: HungUpBy) -> Ended:
        """The event of its end."""
        ring_ms = 0.0
        if self.rang_at is not None:
            answered_at = self.answered_at or self.clock.boottime()
            ring_ms = (answered_at - self.rang_at) * 1000
        return Ended(
            call_id=call_id,
            tm=self.clock.now(),
            reason=reason,
            detail=detail,
            hung_up_by=by,
            tm_answer=self.tm_answer,
            answered_by=self.answered_by,
            ring_ms=int(ring_ms),
            talk_ms=int(self.talked_ms),
        )

    def _since_ms(self, moment: float) -> float:
        return (self.clock.boottime() - moment) * 1000
