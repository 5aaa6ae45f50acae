"""One call as the simulated driver holds it: what was told about it, and what is still wanted of it.

This is what makes a broken link harmless. Told: nothing is told twice, and what was missed can be
told late. Wanted: commands stay here until the network has confirmed them, and are sent again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from uuid import UUID

from outbound.simnet.v1 import simnet_pb2 as simnet_pb

from services.dialer.drivers import simulated_convert as convert
from services.dialer.telephony import (
    Adopted,
    Answered,
    AnsweredBy,
    Bridged,
    CommandFailed,
    DigitPressed,
    Ended,
    Event,
    LiveCall,
    Missing,
    NotPlaced,
    NotPlacedReason,
    PlayFinished,
    Ringing,
    Unbridged,
)

NO_WISH = "-"


class Stage(Enum):
    """How far the call has come, as far as the consumer was told."""

    PLACING = "placing"  # the placement was sent, or is about to be
    ADOPTING = "adopting"  # asked for; nobody knows yet whether there is such a call
    RINGING = "ringing"
    ANSWERED = "answered"


class HeldCall:
    """What this driver knows and wants of one call.

    `apply` and `reconcile` return the events to tell; after `is_over` the call is to be dropped.
    """

    __slots__ = (
        "adopt_wish",
        "answered_by",
        "bridge_wish",
        "call_id",
        "digits_told",
        "end_wish",
        "is_over",
        "peer",
        "plays",
        "stage",
        "stop_wish",
        "text",
    )

    def __init__(self, call_id: UUID, stage: Stage) -> None:
        self.call_id = call_id
        self.text = str(call_id)
        self.stage = stage
        self.is_over = False
        self.answered_by = AnsweredBy.UNKNOWN
        self.adopt_wish = stage is Stage.ADOPTING  # somebody waits for the answer
        self.end_wish = ""  # cancel or hangup, until the call has ended
        self.plays: dict[str, simnet_pb.Command] = {}  # by play id, in order, until finished
        self.stop_wish = ""  # the play to be stopped
        self.bridge_wish = NO_WISH  # the call to be connected with; "" is: with none
        self.peer = ""  # the call it is connected with
        self.digits_told = 0

    def apply(self, event: simnet_pb.Event) -> list[Event]:
        """One event of the network, which may be one that was told already."""
        kind = event.WhichOneof("what")
        if kind == "ended":
            self.is_over = True
            return [*self._answer_before(event.ended), self._ended(event)]
        if kind == "ringing":
            return self._ring(convert.instant(event.tm))
        if kind == "answered":
            by = convert.answered_by(event.answered.by)
            return self._answer(convert.instant(event.tm), by)
        if kind == "play_finished":
            finished = event.play_finished
            tm = convert.instant(event.tm)
            return self._play_over(tm, finished.play_id, completed=finished.completed)
        if kind == "bridged":
            return self._connected(convert.instant(event.tm), event.bridged.other_call_id)
        if kind == "unbridged":
            return self._connected(convert.instant(event.tm), "")
        if kind == "digit_pressed":
            self.digits_told += 1
            digit = event.digit_pressed.digit
            return [DigitPressed(self.call_id, convert.instant(event.tm), digit)]
        if kind == "place_refused":
            self.is_over = True
            return [convert.refused(self.call_id, event.tm, event.place_refused)]
        if kind == "command_failed":
            return self._failed(event.command_failed)
        return []

    def reconcile(self, event: simnet_pb.Event) -> list[Event]:
        """Where the call stands (`adopted`), or that there is none (`unknown`), after an adoption or
        a reconnect: tells everything that was missed."""
        if event.HasField("unknown"):
            self.is_over = True
            if self.stage is Stage.PLACING:
                return [NotPlaced(self.call_id, NotPlacedReason.LOST)]
            return [Missing(self.call_id)]
        call = event.adopted
        if call.state == simnet_pb.CALL_STATE_ENDED:
            self.is_over = True
            before = [] if self.stage is Stage.ADOPTING else self._answer_before(call.ended)
            return [*before, convert.ended(self.call_id, call.tm_end, call.ended)]
        live = convert.live_call(call)
        if self.stage is Stage.ADOPTING:
            self._begin_with(live)
            events: list[Event] = []
        else:
            events = self._missed(live, call, convert.instant(event.tm))
        if self.adopt_wish:
            self.adopt_wish = False
            events.append(Adopted(self.call_id, live))
        return events

    def wishes(self, live: simnet_pb.Call) -> Iterator[simnet_pb.Command]:
        """The commands to send (again) to a call that stands like this."""
        if self.end_wish == "hangup":
            yield simnet_pb.Command(hangup=simnet_pb.Hangup(call_id=self.text))
            return
        if self.end_wish == "cancel" and self.stage is not Stage.ANSWERED:
            yield simnet_pb.Command(cancel=simnet_pb.Cancel(call_id=self.text))
            return
        for play_id, command in self.plays.items():
            if play_id != live.play_id:
                yield command
        if self.stop_wish and self.stop_wish == live.play_id:
            yield simnet_pb.Command(stop_play=simnet_pb.StopPlay(call_id=self.text))
        if self.bridge_wish not in (NO_WISH, live.bridged_with):
            yield self.bridge_command()

    def bridge_command(self) -> simnet_pb.Command:
        """Connect with the call that is wished for, or with none."""
        if not self.bridge_wish:
            return simnet_pb.Command(unbridge=simnet_pb.Unbridge(call_id=self.text))
        bridge = simnet_pb.Bridge(call_id=self.text, other_call_id=self.bridge_wish)
        return simnet_pb.Command(bridge=bridge)

    # ---------------------------------------------------------------------------------- inside

    def _begin_with(self, live: LiveCall) -> None:
        self.stage = Stage.ANSWERED if live.tm_answer is not None else Stage.RINGING
        self.answered_by = live.answered_by
        self.peer = str(live.bridged_with) if live.bridged_with is not None else ""
        self.digits_told = len(live.digits_pressed)
        if live.play_id:
            # Known to the network, so never sent; here so that its end is told.
            self.plays[live.play_id] = simnet_pb.Command()

    def _missed(self, live: LiveCall, call: simnet_pb.Call, tm: datetime) -> list[Event]:
        events: list[Event] = []
        if live.rang:
            events += self._ring(convert.instant(call.tm_place))
        elif self.stage is Stage.PLACING:
            self.stage = Stage.RINGING  # being connected; it has reached the network
        if live.tm_answer is not None:
            events += self._answer(live.tm_answer, live.answered_by)
        events += self._plays_missed(call, tm)
        events += [
            DigitPressed(self.call_id, tm, digit)
            for digit in live.digits_pressed[self.digits_told :]
        ]
        self.digits_told = len(live.digits_pressed)
        return events + self._connected(tm, call.bridged_with)

    def _plays_missed(self, call: simnet_pb.Call, tm: datetime) -> list[Event]:
        """Plays are carried out in order, so the network has dealt with all up to the latest it
        knows; later ones never arrived."""
        events: list[Event] = []
        order = list(self.plays)
        known = [order.index(one) for one in (call.play_id, call.finished_play_id) if one in order]
        for play_id in order[: max(known) + 1 if known else 0]:
            if play_id != call.play_id:
                completed = play_id == call.finished_play_id and call.finished_play_completed
                events += self._play_over(tm, play_id, completed=completed)
        return events

    def _ring(self, tm: datetime) -> list[Event]:
        if self.stage is not Stage.PLACING:
            return []
        self.stage = Stage.RINGING
        return [Ringing(self.call_id, tm)]

    def _answer(self, tm: datetime, by: AnsweredBy) -> list[Event]:
        if self.stage is Stage.ANSWERED:
            return []
        self.stage = Stage.ANSWERED
        self.answered_by = by
        return [Answered(self.call_id, tm, by)]

    def _answer_before(self, end: simnet_pb.Ended) -> list[Event]:
        """An answer the consumer has not heard of, told before the end."""
        if not end.HasField("tm_answer"):
            return []
        return self._answer(convert.instant(end.tm_answer), convert.answered_by(end.answered_by))

    def _ended(self, event: simnet_pb.Event) -> Ended:
        return convert.ended(self.call_id, event.tm, event.ended)

    def _play_over(self, tm: datetime, play_id: str, *, completed: bool) -> list[Event]:
        if self.stop_wish == play_id:
            self.stop_wish = ""
        if self.plays.pop(play_id, None) is None:
            return []
        return [PlayFinished(self.call_id, tm, play_id, completed)]

    def _connected(self, tm: datetime, other: str) -> list[Event]:
        """The call is connected with `other` now ("": with none)."""
        wished = self.bridge_wish == other
        if wished:
            self.bridge_wish = NO_WISH
        if other == self.peer:
            # A wish for what is already so deserves its answer all the same.
            return [Bridged(self.call_id, tm, UUID(other))] if wished and other else []
        events: list[Event] = []
        if self.peer:
            events.append(Unbridged(self.call_id, tm, UUID(self.peer)))
        if other:
            events.append(Bridged(self.call_id, tm, UUID(other)))
        self.peer = other
        return events

    def _failed(self, failure: simnet_pb.CommandFailed) -> list[Event]:
        reason = simnet_pb.CommandFailed.Reason.Name(failure.reason)
        detail = reason.removeprefix("REASON_").lower()
        if failure.command == "play":
            self.plays.pop(failure.reference, None)
        elif failure.command == "bridge" and self.bridge_wish == failure.reference:
            self.bridge_wish = NO_WISH
        elif failure.command in ("stop_play", "unbridge"):
            return []  # nothing was on that could be stopped
        return [CommandFailed(self.call_id, failure.command, failure.reference, detail)]
