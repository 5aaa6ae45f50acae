"""One call as the Asterisk driver holds it: what was told about it, and what is still wanted of it.

This is what makes a broken link harmless. Told: nothing is told twice, and what was missed can be told
late. Wanted: it stays here until it is so, and is asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import partial
from uuid import UUID

from services.dialer.drivers.asterisk import requests, snapshots
from services.dialer.drivers.asterisk.absence import Absence
from services.dialer.drivers.asterisk.history import History
from services.dialer.drivers.asterisk.link import (
    LATE,
    UNANSWERED,
    UNWRITTEN,
    Answer,
    Link,
    Then,
)
from services.dialer.drivers.asterisk.outcomes import TRUNK_FAULTS, outcome, outcome_unseen
from services.dialer.drivers.asterisk.plays import Plays
from services.dialer.drivers.asterisk.recordings import Recordings
from services.dialer.drivers.asterisk.requests import Request
from services.dialer.drivers.asterisk.snapshots import Snapshot
from services.dialer.drivers.asterisk.wire import Timer, Wire
from services.dialer.telephony import (
    Answered,
    CommandFailed,
    DigitPressed,
    Ended,
    HangupReason,
    HungUpBy,
    NotPlaced,
    NotPlacedReason,
    Placement,
    Ringing,
)

NO_WISH = object()
END_WAIT_SECONDS = 5.0
"""How long the end of a call is kept back for its recordings to be fetched."""
OVERDUE_SECONDS = 5.0
"""A call that should have ended this long ago by a limit of the network's is looked after."""


class Stage(Enum):
    """How far the call has come, as far as the consumer was told."""

    PLACING = "placing"  # it was sent, or is about to be, and nothing has come back
    RINGING = "ringing"
    ANSWERED = "answered"


class HeldCall:
    """See the module. `link` is the application's connection that the call belongs to."""

    def __init__(self, call_id: UUID, link: Link, wire: Wire, *, ring_ms: int, max_ms: int) -> None:
        self.call_id = call_id
        self.text = str(call_id)
        self.link = link
        self._wire = wire
        self.ring_ms = ring_ms
        self.max_ms = max_ms
        self.stage = Stage.PLACING
        self.is_over = False
        self.is_settling = False  # being brought in line after a reconnect
        self.history = History(wire.clock, wire.clock.boottime())
        self.end_wish = ""
        self._mute_wish: bool | None = None
        self._end_timer: Timer | None = None
        self._kept_back: Ended | None = None
        self.end: Ended | None = None
        """How it ended, once that has been told."""
        self.peer: UUID | None = None  # the call it is connected with
        self.bridge_id = ""
        self.bridge_wish: UUID | object | None = NO_WISH
        self.absence = Absence(
            call_id,
            wire,
            self.history,
            forward=link.send,
            is_linked=lambda: self._is_linked,
        )
        self.plays = Plays(call_id, wire, partial(self.send, is_play=True), lambda: self._may_send)
        self.plays.application = link.application
        self.recordings = Recordings(call_id, wire, self.send, self._recordings_changed)

    # ---------------------------------------------------------------------------------- placing

    def place(self, placement: Placement, endpoint: str, variables: Mapping[str, str]) -> None:
        """Let the phone ring."""
        ring_seconds = max(1, -(-self.ring_ms // 1000))
        request = requests.originate(self.text, endpoint, ring_seconds, variables)
        self.link.send(request, self._placed, place_before=placement.place_before)

    def _placed(self, answer: Answer) -> None:
        if self.is_over:
            return
        if answer.is_good or answer.status == UNANSWERED:
            # Its events tell how it goes on, or the look after the reconnect.
            self.history.is_dialed = True
            if self.end_wish:
                self._end_it()
        elif answer.status == LATE:
            self._not_placed(NotPlacedReason.LATE, f"{answer.body} too late")
        elif answer.status == UNWRITTEN:
            self._not_placed(NotPlacedReason.DISCONNECTED)
        elif answer.status == 409:
            self._not_placed(NotPlacedReason.DUPLICATE)
        elif answer.status >= 500:
            # Asterisk has no such endpoint, or nobody is registered there.
            self._refused("allocation_failed")
        else:
            self._refused(f"refused_{answer.status}")

    def entered(self, arguments: list[str]) -> None:
        """It is in its application now, where it can be spoken to."""
        word = arguments[0] if arguments else ""
        if word == snapshots.DETECTED and len(arguments) >= 3:
            self.absence.verdict(arguments[1], arguments[2])
        elif self.absence.is_in_detection:
            return  # told of late; it has been sent away again since
        else:
            # The answer itself may be told of a moment later.
            self._answer()
        self.absence.over()

    # ------------------------------------------------------------------------------ what happens

    def state_changed(self, state: str) -> None:
        """The channel's state, which may have been told of before."""
        if state in snapshots.RINGING_STATES:
            self._ring()
        elif state == snapshots.UP:
            self._answer()

    def progressed(self, status: str, forward: str) -> None:
        """The network says how dialing goes; `forward` is where it would rather have it."""
        if forward:
            self.history.was_redirected = True
        if status in ("RINGING", "PROGRESS", "PROCEEDING"):
            self._note_word()
        if status == "RINGING":
            self._ring()

    @property
    def is_leaving(self) -> bool:
        """Its end is under way."""
        seen = self.history
        is_wanted = self.end_wish == "hangup"
        return seen.was_cut or seen.was_left or is_wanted or seen.is_overtime(self.max_ms)

    @property
    def is_answered(self) -> bool:
        """The callee has taken the phone, and that was told."""
        return self.stage is Stage.ANSWERED

    def digit(self, digit: str) -> None:
        """A key was pressed."""
        self._wire.tell(DigitPressed(self.call_id, self._wire.clock.now(), digit))
        self.recordings.digit(digit)

    def destroyed(self, cause: int, tech_cause: int | None) -> None:
        """Its channel is gone."""
        facts = self.history.end_facts(
            cause,
            tech_cause,
            end_wish=self.end_wish,
            ring_ms=self.ring_ms,
            max_ms=self.max_ms,
            timer_b_ms=self.link.pbx.timer_b_ms,
        )
        reason, detail, by = outcome(facts)
        if detail in TRUNK_FAULTS:
            self._wire.trunk_failed(self.call_id, detail)
        elif facts.was_left:
            self._wire.trunk_answered(self.call_id)
        self._finish(reason, detail, by)

    def vanished(self, detail: str) -> None:
        """Its channel is gone, and its end was not seen: it is told as far as it is known."""
        self._finish(
            *outcome_unseen(detail, is_answered=self.is_answered, is_wanted=bool(self.end_wish))
        )

    # --------------------------------------------------------------------------------- commands

    def cancel(self) -> None:
        """End it unless it was answered."""
        if self.stage is not Stage.ANSWERED and not self.end_wish:
            self.end_wish = "cancel"
            self._end_it()

    def hang_up(self) -> None:
        """End it."""
        self.end_wish = "hangup"
        self._end_it()

    def mute(self, *, is_on: bool) -> None:
        """Keep what the callee says from everybody, or no longer."""
        self._mute_wish = is_on
        self.send(requests.mute(self.text, is_on=is_on))

    def drop(self) -> None:
        """It is this driver's no longer."""
        self._close()
        self._wire.over(self.call_id)

    def detect(self) -> None:
        """Find out who answered."""
        if self.stage is not Stage.ANSWERED:
            self._wire.tell(CommandFailed(self.call_id, "detect", "", "not_answered"))
        elif not self.absence.wants_verdict:
            self.plays.stop()
            self.absence.detect()

    def send(self, request: Request, then: Then | None = None, *, is_play: bool = False) -> None:
        """Have it carried out now, or when the call is in its application."""
        self.absence.send(request, then, is_play=is_play)

    # ----------------------------------------------------------------------------- taking up again

    def adopt(self, snapshot: Snapshot) -> None:
        """Begin where another dialer stood."""
        self.history.take_over(snapshot)
        if snapshot.is_ringing:
            self.stage = Stage.RINGING
        elif snapshot.is_up:
            self.stage = Stage.ANSWERED
            self.absence.adopt(snapshot)
            if snapshot.tm_answer is None:
                self._note_answer()

    def stands(self, snapshot: Snapshot) -> None:
        """Where it is a moment after `adopt`: it may have moved on before its events came here."""
        self.state_changed(snapshot.state)
        self.absence.stands(snapshot)

    def reconcile(self, snapshot: Snapshot, *, is_play_on: bool) -> None:
        """The link is back, and the call lives: tell what was missed, ask again for what is wanted."""
        self.is_settling = True
        try:
            self._reconcile(snapshot, is_play_on)
        finally:
            self.is_settling = False

    def _reconcile(self, snapshot: Snapshot, is_play_on: bool) -> None:
        self.history.is_dialed = True
        self.absence.seen(snapshot)
        self.state_changed(snapshot.state)
        self.absence.reconcile(snapshot)
        if self.end_wish:
            self._end_it()
            return
        if self._mute_wish is not None:
            self.send(requests.mute(self.text, is_on=self._mute_wish))
        self.plays.reconcile(snapshot.play, is_on=is_play_on)
        self.recordings.repeat()

    @property
    def overdue(self) -> bool:
        """A limit of the network's has passed, and no end has come."""
        seen, limit_ms = self.history, self.ring_ms
        since = seen.placed_at
        if seen.answered_at is not None:
            since, limit_ms = seen.answered_at, self.max_ms
        return self._wire.clock.boottime() - since > limit_ms / 1000 + OVERDUE_SECONDS

    # ---------------------------------------------------------------------------------- inside

    @property
    def _is_linked(self) -> bool:
        return self.link.is_ready or self.is_settling

    @property
    def _may_send(self) -> bool:
        return self._is_linked and self.stage is Stage.ANSWERED and not self.is_over

    def _end_it(self) -> None:
        """Ask for what `end_wish` says; before the call is on its way there is nothing to end."""
        if self.history.is_dialed or self.stage is not Stage.PLACING:
            if self.end_wish == "hangup":
                self.send(requests.hang_up(self.text))
            else:
                self.send(requests.cancel(self.text, self.max_ms))

    def _note_word(self) -> None:
        if not self.history.has_word:
            self.history.has_word = True
            self._wire.trunk_answered(self.call_id)

    def _ring(self) -> None:
        self._note_word()
        if self.stage is Stage.PLACING:
            self.stage = Stage.RINGING
            self.history.rang_at = self._wire.clock.boottime()
            self._wire.tell(Ringing(self.call_id, self._wire.clock.now()))

    def _answer(self) -> None:
        if self.stage is Stage.ANSWERED:
            return
        self._note_word()
        self.stage = Stage.ANSWERED
        tm = self.history.tm_answer = self._wire.clock.now()
        self.history.answered_at = self._wire.clock.boottime()
        if self.end_wish == "cancel":
            self.end_wish = ""  # it came too late
        self._note_answer()
        self._wire.tell(Answered(self.call_id, tm, self.history.answered_by))

    def _note_answer(self) -> None:
        """Let another dialer know."""
        assert self.history.tm_answer is not None
        answered = self.history.tm_answer.isoformat()
        self.send(requests.set_variable(self.text, "OUTBOUND_ANSWERED", answered))

    def _not_placed(self, reason: NotPlacedReason, detail: str = "") -> None:
        self._close()
        self._wire.tell(NotPlaced(self.call_id, reason, detail))
        self._wire.over(self.call_id)

    def _refused(self, detail: str) -> None:
        self._wire.trunk_failed(self.call_id, detail)
        self._finish(HangupReason.FAILED, detail, HungUpBy.NETWORK)

    def _finish(self, reason: HangupReason, detail: str, by: HungUpBy) -> None:
        self._close()
        self._kept_back = self.history.ended(self.call_id, reason, detail, by)
        if self.recordings.on:
            # Their files come before the last event of the call.
            self._end_timer = self._wire.later(END_WAIT_SECONDS, self._tell_end)
        else:
            self._tell_end()

    def _close(self) -> None:
        self.is_over = True
        self.plays.drop()

    def _recordings_changed(self) -> None:
        if self._kept_back is not None and not self.recordings.on:
            self._tell_end()

    def _tell_end(self) -> None:
        end, self._kept_back = self._kept_back, None
        if self._end_timer is not None:
            self._end_timer.cancel()
        if end is not None:
            self.end = end
            self._wire.tell(end)
            self._wire.over(self.call_id)
