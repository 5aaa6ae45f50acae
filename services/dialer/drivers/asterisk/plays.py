"""What one call hears: one thing at a time, told of once, never started twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.dialer.drivers.asterisk import requests
from services.dialer.drivers.asterisk.link import Answer, Then
from services.dialer.drivers.asterisk.requests import Request
from services.dialer.drivers.asterisk.wire import Timer, Wire
from services.dialer.telephony import CommandFailed, PlayFinished

PLAY_VARIABLE = "OUTBOUND_PLAY"
Send = Callable[[Request, Then | None], None]


class Kind(StrEnum):
    """How it is done."""

    MEDIA = "media"
    MUSIC = "music"
    DIGITS = "digits"
    ECHO = "echo"


@dataclass(slots=True)
class Play:
    """One play, from the command to its end."""

    play_id: str
    kind: Kind
    command: str  # name of the port's method, for CommandFailed
    media: Sequence[str] = ()  # as the PBX knows them; empty while they are being made
    is_repeated: bool = False
    length_ms: int = 0  # of digits and echo
    digits: tuple[str, int, int] = ("", 0, 0)
    is_sent: bool = False
    timer: Timer | None = field(default=None, repr=False)


class Plays:
    """The plays of one call."""

    def __init__(self, call_id: UUID, wire: Wire, send: Send, may_send: Callable[[], bool]) -> None:
        self._call_id = call_id
        self._text = str(call_id)
        self._wire = wire
        self._send = send
        self._may_send = may_send
        self._known: dict[str, bool | None] = {}  # None while on, then whether it was completed
        self.current: Play | None = None
        self.application = ""
        """Application the call is in: helping channels are brought there too."""

    # ------------------------------------------------------------------------------- commands

    def start(self, play: Play, preparing: Awaitable[Sequence[str]] | None = None) -> None:
        """End what is on and begin with this, as soon as its media are there.

        One that is on stays on; the end of one that is over is told again, for whoever asks again
        waits for it.
        """
        if play.play_id in self._known:
            if isinstance(preparing, Coroutine):
                preparing.close()
            completed = self._known[play.play_id]
            if completed is not None:
                self._tell_finished(play, completed=completed)
            return
        self._known[play.play_id] = None
        self.stop()
        self.current = play
        if preparing is None:
            self.go_on()
        else:
            self._wire.in_background(
                preparing,
                lambda media: self._prepared(play, media),
                lambda detail: self._failed(play, detail),
            )

    def stop(self) -> None:
        """End what is on; nothing happens when nothing is."""
        play, self.current = self.current, None
        if play is None:
            return
        if play.timer is not None:
            play.timer.cancel()
        if play.is_sent:
            self._silence(play)
        self._tell_finished(play, completed=False)

    def drop(self) -> None:
        """The call is over: forget it without a word to anybody."""
        play, self.current = self.current, None
        if play is not None and play.timer is not None:
            play.timer.cancel()
        if play is not None and play.kind is Kind.ECHO and play.is_sent:
            self._silence(play)

    def go_on(self) -> None:
        """Send what could not be sent before: no link, or the call was not to be spoken to."""
        play = self.current
        if play is None or play.is_sent or not self._may_send():
            return
        if play.kind is Kind.MEDIA and not play.media:
            return
        play.is_sent = True
        self._send(
            requests.set_variable(self._text, PLAY_VARIABLE, f"{play.kind}:{play.play_id}"), None
        )
        self._send(self._request(play), lambda answer: self._accepted(play, answer))
        if play.kind is Kind.DIGITS:
            play.timer = self._wire.later(play.length_ms / 1000, lambda: self._run_out(play))

    # --------------------------------------------------------------------------------- events

    def finished(self, playback: str, state: str, *, is_leaving: bool) -> None:
        """A playback is over, by itself or by a failure; with `is_leaving` because its call is."""
        play = self.current
        if play is None or playback != self.playback_id(play.play_id):
            return
        if state == "failed" and not is_leaving:
            self._failed(play, "the file could not be played")
        elif state == "failed":
            self.current = None
            self._tell_finished(play, completed=False)
        elif play.is_repeated:
            self._send(self._request(play), lambda answer: self._accepted(play, answer))
        else:
            self.current = None
            self._tell_finished(play, completed=True)

    def echo_channel_started(self) -> None:
        """The channel that says what it hears is there: connect the call with it."""
        play = self.current
        if play is None or play.kind is not Kind.ECHO:
            return
        name = self.echo_name
        self._send(requests.make_bridge(name), None)
        self._send(
            requests.add_to_bridge(name, [self._text, name]),
            lambda answer: self._accepted(play, answer),
        )
        play.timer = self._wire.later(play.length_ms / 1000, lambda: self._run_out(play))

    @property
    def echo_name(self) -> str:
        """Id of the helping channel and of its bridge."""
        return f"{self._text}.echo"

    def playback_id(self, play_id: str) -> str:
        """Id of a play's playback."""
        return f"{self._text}.{play_id}"

    # --------------------------------------------------------------------------- taking up again

    def adopt(self, noted: str, *, is_on: bool) -> tuple[str, str]:
        """Go on with what another dialer played, as the channel's variable says: the play that is
        on and the one that is over."""
        kind, _, play_id = noted.partition(":")
        if not play_id:
            return "", ""
        is_going_on = is_on and kind in (Kind.MEDIA, Kind.MUSIC)
        self._known[play_id] = None if is_going_on else True
        if is_going_on:
            self.current = Play(play_id, Kind(kind), "play", is_sent=True)
            return play_id, ""
        return "", play_id

    def reconcile(self, noted: str, *, is_on: bool) -> None:
        """The link was away: `noted` is the play that reached the PBX last."""
        kind, _, play_id = noted.partition(":")
        play = self.current
        if play_id and is_on and (play is None or play.play_id != play_id):
            self._silence(Play(play_id, Kind(kind), "play", is_sent=True))
        if play is None:
            return
        if play.play_id != play_id:
            play.is_sent = False  # it never arrived
        elif play.kind is Kind.MEDIA and not is_on and play.is_sent:
            if play.is_repeated:
                play.is_sent = False
            else:
                self.current = None
                self._tell_finished(play, completed=True)
                return
        self.go_on()

    # ---------------------------------------------------------------------------------- inside

    def _request(self, play: Play) -> Request:
        if play.kind is Kind.MUSIC:
            return requests.start_music(self._text)
        if play.kind is Kind.DIGITS:
            return requests.send_digits(self._text, *play.digits)
        if play.kind is Kind.ECHO:
            return requests.echo_channel(self.echo_name, self.application)
        return requests.play(self._text, self.playback_id(play.play_id), play.media)

    def _silence(self, play: Play) -> None:
        if play.kind is Kind.MEDIA:
            self._send(requests.stop_playback(self.playback_id(play.play_id)), None)
        elif play.kind is Kind.MUSIC:
            self._send(requests.stop_music(self._text), None)
        elif play.kind is Kind.ECHO:
            self._send(requests.remove_bridge(self.echo_name), None)
            self._send(requests.hang_up(self.echo_name), None)

    def _prepared(self, play: Play, media: Any) -> None:
        if self.current is play:
            play.media = media
            self.go_on()

    def _accepted(self, play: Play, answer: Answer) -> None:
        # 404: the call has just ended, which its own end tells.
        if answer.status >= 400 and answer.status != 404:
            self._failed(play, answer.detail)

    def _run_out(self, play: Play) -> None:
        if self.current is play:
            self.current = None
            self._silence(play)
            self._tell_finished(play, completed=True)

    def _failed(self, play: Play, detail: str) -> None:
        if self.current is play:
            self.current = None
            if play.timer is not None:
                play.timer.cancel()
            self._known[play.play_id] = False
            self._wire.tell(CommandFailed(self._call_id, play.command, play.play_id, detail))

    def _tell_finished(self, play: Play, *, completed: bool) -> None:
        self._known[play.play_id] = completed
        now = self._wire.clock.now()
        self._wire.tell(PlayFinished(self._call_id, now, play.play_id, completed))
