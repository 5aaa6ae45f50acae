"""Carries out what the interpreter asks for: effects become commands of the network and errands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from services.dialer.attempts import Attempt
from services.dialer.conversations.connects import Connects
from services.dialer.conversations.effects import (
    Connect,
    Detect,
    Echo,
    Effect,
    Fetch,
    FetchFlow,
    Finish,
    JoinQueue,
    Listen,
    Mute,
    Play,
    Say,
    SendDigits,
    SendWebhook,
    Sleep,
    StartRecording,
    StopRecording,
)
from services.dialer.conversations.errands import Errands, Result
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.conversations.recordings import Recordings
from services.dialer.telephony import Telephony
from services.dialer.timers import Timer, Timers


class QueueStays(Protocol):
    """What a flow needs of the queue desk."""

    def join(self, attempt: Attempt, run: FlowRun, queue_id: UUID) -> None:
        """Put the caller into a queue."""

    def rejoin(self, attempt: Attempt, run: FlowRun, bridged_with: UUID | None) -> None:
        """Go on with a stay another dialer began."""


class Performer:
    """One for all executions. `desk` and `connects` are set while wiring: they need the flows too."""

    def __init__(
        self,
        telephony: Telephony,
        timers: Timers,
        errands: Errands,
        hang_up: Callable[[UUID], None],
    ) -> None:
        self._telephony = telephony
        self._timers = timers
        self._errands = errands
        self._hang_up = hang_up
        self.desk: QueueStays
        self.connects: Connects
        self.recordings: Recordings

    def on_call(
        self, attempt: Attempt, run: FlowRun, effect: Effect, over: Callable[[], None]
    ) -> Timer | None:
        """Carry it out on the attempt's call; the timer after which `over` is called, if any."""
        call_id = attempt.id
        match effect:
            case Say(play_id, text, language, voice):
                self._telephony.say(call_id, play_id, text, language=language, voice=voice)
            case Play(play_id, urls):
                self._telephony.play(call_id, play_id, urls)
            case SendDigits(play_id, digits, duration_ms, gap_ms):
                self._telephony.send_digits(
                    call_id, play_id, digits, duration_ms=duration_ms, gap_ms=gap_ms
                )
            case Echo(play_id, duration_ms):
                self._telephony.echo(call_id, play_id, duration_ms)
            case Sleep(until) | Listen(until):
                return self._timers.at(until, over)
            case Mute():
                self._telephony.mute(call_id, is_on=True)
            case Detect():
                self._telephony.detect(call_id)
            case JoinQueue(queue_id):
                self.desk.join(attempt, run, queue_id)
            case Connect():
                self.connects.begin(attempt, run, effect)
            case StartRecording(opened, wish):
                self.recordings.start(attempt, run, opened, wish)
            case StopRecording(recording_id):
                self.recordings.stop(call_id, recording_id)
            case Finish():
                self._hang_up(call_id)
            case _:
                raise AssertionError(f"{effect} is no business of a call")
        return None

    def errand(
        self, run: FlowRun, effect: Fetch | FetchFlow | SendWebhook, done: Callable[[Result], None]
    ) -> None:
        """Run an errand for an execution with or without a call."""
        self._errands.begin(run, effect, done)
