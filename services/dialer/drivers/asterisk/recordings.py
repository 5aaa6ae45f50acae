"""Recordings of one call: a channel listens to both sides and writes down what it hears.

The PBX keeps the file until it has been fetched, so a recording outlives a broken link and a dead
dialer. Its name says everything that is needed to take it up again: application, call, recording.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.dialer.drivers.asterisk import requests
from services.dialer.drivers.asterisk.link import Answer
from services.dialer.drivers.asterisk.plays import Send
from services.dialer.drivers.asterisk.wire import Timer, Wire
from services.dialer.telephony import CommandFailed, Recorded

FORMATS = frozenset({"", "wav"})
_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME = re.compile(r"(?P<application>[^.]+)\.(?P<call>[0-9a-f-]{36})\.(?P<id>[A-Za-z0-9_-]{1,64})")


def name_of(application: str, call_id: UUID, recording_id: str) -> str:
    """What the PBX calls a recording."""
    return f"{application}.{call_id}.{recording_id}"


def parse_name(name: str) -> tuple[str, UUID, str] | None:
    """Application, call and recording id of a name that `name_of` made."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    return found["application"], UUID(found["call"]), found["id"]


def snoop_of(call_id: UUID, recording_id: str) -> str:
    """Id of the channel that listens."""
    return f"{call_id}.rec.{recording_id}"


def parse_snoop(channel: str) -> tuple[UUID, str] | None:
    """Call and recording id of a listening channel."""
    call, found, recording_id = channel.partition(".rec.")
    if not found:
        return None
    try:
        return UUID(call), recording_id
    except ValueError:
        return None


@dataclass(slots=True)
class Recording:
    """One that is wanted or on."""

    recording_id: str
    application: str
    max_ms: int
    silence_seconds: int
    end_keys: str
    is_stopping: bool = False
    timer: Timer | None = None


class Recordings:
    """Those of one call."""

    def __init__(self, call_id: UUID, wire: Wire, send: Send, changed: Callable[[], None]) -> None:
        """`changed` is told when one is over."""
        self._call_id = call_id
        self._text = str(call_id)
        self._wire = wire
        self._send = send
        self._changed = changed
        self.on: dict[str, Recording] = {}

    def start(
        self,
        recording_id: str,
        application: str,
        beep: Sequence[str],
        *,
        audio_format: str,
        max_duration_ms: int,
        silence_ms: int,
        end_keys: str,
    ) -> None:
        """Begin one; `beep` are the media to be heard before it, if any."""
        if not _SAFE_ID.fullmatch(recording_id):
            self._fail(recording_id, f"recording id; accepted: {_SAFE_ID.pattern}")
            return
        if audio_format not in FORMATS:
            self._fail(recording_id, f"format {audio_format}; accepted: wav")
            return
        if recording_id in self.on:
            return
        self.on[recording_id] = Recording(
            recording_id,
            application,
            max_duration_ms,
            -(-silence_ms // 1000),
            end_keys,
        )
        if beep:
            beep_id = f"{self._text}.beep.{recording_id}"
            self._send(requests.play(self._text, beep_id, beep), None)
        snoop = snoop_of(self._call_id, recording_id)
        self._send(
            requests.snoop(self._text, snoop, application),
            lambda answer: self._begun(recording_id, answer),
        )

    def listening(self, recording_id: str) -> None:
        """The listening channel is there: have it write."""
        recording = self.on.get(recording_id)
        if recording is None:
            self._send(requests.hang_up(snoop_of(self._call_id, recording_id)), None)
            return
        self._send(
            requests.record(
                snoop_of(self._call_id, recording_id),
                name_of(recording.application, self._call_id, recording_id),
                # Asterisk counts whole seconds, and one too many: a bound should this driver die.
                max_seconds=-(-recording.max_ms // 1000) + 1 if recording.max_ms else 0,
                silence_seconds=recording.silence_seconds,
            ),
            lambda answer: self._begun(recording_id, answer),
        )
        if recording.max_ms:
            seconds = recording.max_ms / 1000
            recording.timer = self._wire.later(seconds, lambda: self.stop(recording_id))
        if recording.is_stopping:
            self.stop(recording_id)

    def stop(self, recording_id: str) -> None:
        """End one."""
        recording = self.on.get(recording_id)
        if recording is not None:
            recording.is_stopping = True
            name = name_of(recording.application, self._call_id, recording_id)
            self._send(requests.stop_recording(name), None)

    def digit(self, digit: str) -> None:
        """A key was pressed: it may end recordings."""
        for recording in list(self.on.values()):
            if digit in recording.end_keys:
                self.stop(recording.recording_id)

    def adopt(self, recording_id: str, application: str) -> None:
        """One that another dialer began is on."""
        self.on.setdefault(recording_id, Recording(recording_id, application, 0, 0, ""))

    def repeat(self) -> None:
        """The link was away: stop again what was to be stopped."""
        for recording in list(self.on.values()):
            if recording.is_stopping:
                self.stop(recording.recording_id)

    def finished(self, recording_id: str, location: str, duration_ms: int) -> None:
        """One is over and its file fetched; without a location when it failed."""
        recording = self.on.pop(recording_id, None)
        if recording is None:
            return
        if recording.timer is not None:
            recording.timer.cancel()
        now = self._wire.clock.now()
        self._wire.tell(Recorded(self._call_id, now, recording_id, location, duration_ms))
        self._send(requests.hang_up(snoop_of(self._call_id, recording_id)), None)
        self._changed()

    def _begun(self, recording_id: str, answer: Answer) -> None:
        if answer.status >= 400 and recording_id in self.on:
            del self.on[recording_id]
            self._fail(recording_id, answer.detail)
            self._changed()

    def _fail(self, recording_id: str, detail: str) -> None:
        self._wire.tell(CommandFailed(self._call_id, "start_recording", recording_id, detail))
