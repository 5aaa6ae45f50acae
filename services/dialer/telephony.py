"""The telephony port: what the dialer may ask of any carrier, and what it is told in return.

Every driver (simulated network, Asterisk, ...) implements `Telephony`. The guarantees below are
what `tests/contract/test_telephony.py` checks; a driver that cannot keep one of them is wrong, not
special. No network library, no generated code and no I/O belongs here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from services.dialer.telephony_types import (
    Address,
    Adopted,
    Answered,
    AnsweredBy,
    Bridged,
    CallState,
    CommandFailed,
    Detected,
    DigitPressed,
    Ended,
    Event,
    HangupReason,
    HungUpBy,
    Leg,
    LinkChanged,
    LiveCall,
    Missing,
    NotPlaced,
    NotPlacedReason,
    Placement,
    PlayFinished,
    Recorded,
    Ringing,
    Taken,
    Unbridged,
)

__all__ = [
    "Address",
    "Adopted",
    "Answered",
    "AnsweredBy",
    "Bridged",
    "CallState",
    "Capability",
    "CommandFailed",
    "Detected",
    "DigitPressed",
    "Ended",
    "Event",
    "HangupReason",
    "HungUpBy",
    "Leg",
    "LinkChanged",
    "LiveCall",
    "Missing",
    "NotPlaced",
    "NotPlacedReason",
    "Placement",
    "PlayFinished",
    "Recorded",
    "Replaced",
    "Ringing",
    "Taken",
    "Telephony",
    "TelephonyUnavailable",
    "Unbridged",
]


class Capability(StrEnum):
    """An operation some driver may be unable to do. Placing, cancelling, hanging up, listing and
    adopting are not here: every driver MUST do them."""

    ANSWER = "answer"  # answer an incoming call
    PLAY = "play"  # play a recording
    HOLD = "hold"  # play until stopped
    SAY = "say"  # speak a text
    SEND_DIGITS = "send_digits"
    RECEIVE_DIGITS = "receive_digits"  # `DigitPressed` events come
    ECHO = "echo"  # let the callee hear itself
    MUTE = "mute"
    RECORD = "record"
    BRIDGE = "bridge"
    DETECT = "detect"  # tell people from answering machines


BEEP = "tone:beep"
"""A medium every driver with PLAY knows: the short tone before a recording."""


class TelephonyUnavailable(Exception):
    """The network cannot be asked now. Nothing was changed; ask again later."""


class Replaced(Exception):
    """Another process attached under this dialer's name and has taken its place. Not recoverable:
    the process that sees it MUST stop driving calls."""


class Telephony(Protocol):
    """One carrier, as the dialer sees it.

    Commands are plain methods: they return at once, never wait for the network, never raise because
    of it, and are carried out in the order given, per call. What became of them comes as events.
    A driver MUST batch: a thousand placements in one call cost a few messages, not a thousand.
    Commands for a call that has ended, or that this driver does not hold, do nothing.

    Guarantees a driver MUST give:

    1. Every placement leads to exactly one of: `NotPlaced`; or, in this order, at most one
       `Ringing`, at most one `Answered`, exactly one `Ended` - unless the call is taken by another
       dialer (`Taken`), the network has forgotten it (`Missing`), or this process dies.
    2. An id is dialed at most once, however often and by whomever it is placed.
    3. No call is sent after its `place_before`.
    4. A call answered before a `cancel` arrived is `Answered`, and stays up.
    5. No event is lost by a break of the link: after reconnecting, the driver asks the network for
       every call it holds and tells what was missed (without repeating what was told), then carries
       out hangups, cancels, plays and bridges that the break may have swallowed.
    6. The network itself ends a call at its ring timeout and at its maximum duration, whether or
       not any dialer lives.
    7. Calls survive the death of the dialer; another one goes on with them after `adopt`.
    """

    @property
    def capabilities(self) -> frozenset[Capability]:
        """The optional operations this driver can do. Using another one gives `CommandFailed`."""
        ...

    @property
    def address_types(self) -> frozenset[str]:
        """Kinds of address this driver can call, for example {"tel", "sip"}."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the network can be reached now. False: placing gives `NotPlaced` at once."""
        ...

    @property
    def room(self) -> int | None:
        """Calls that could be placed now within the network's limits; None when it has none. One that
        is placed beyond it is `NotPlaced(NO_ROOM)`."""
        ...

    def place(self, placements: Sequence[Placement]) -> None:
        """Start calls.

        The driver MUST compare CLOCK_BOOTTIME with each `place_before` in the same event-loop step
        in which it hands the placement to the network, with no await between; one that is late is
        not sent and gives `NotPlaced(LATE)`. Without a link, `NotPlaced(DISCONNECTED)`: a placement
        is never kept for later. After the link broke on a placement under way, the driver MUST find
        out from the network: its call goes on, or `NotPlaced(LOST)`.
        """
        ...

    def cancel(self, call_ids: Collection[UUID]) -> None:
        """End calls that are not answered: `Ended(CANCEL)`. Nothing happens to an answered, ended or
        unknown call."""
        ...

    def hangup(self, call_ids: Collection[UUID]) -> None:
        """End calls in any state, whoever owns them. Kept until it could be delivered. Nothing
        happens to an ended or unknown call."""
        ...

    def answer(self, call_id: UUID) -> None:
        """Answer an incoming call (ANSWER)."""
        ...

    def play(
        self, call_id: UUID, play_id: str, media: Sequence[str], *, duration_hint_ms: int = 0
    ) -> None:
        """Play recordings one after the other (PLAY); `PlayFinished` follows. Ends an earlier play,
        as do `say`, `hold`, `echo` and `send_digits`. Play ids are unique within the call: repeating
        one that is on or over MUST NOT start it again.

        A medium is an http(s) URL, the name of a file in the deployment's media folder, or `BEEP`.
        """
        ...

    def say(
        self, call_id: UUID, play_id: str, text: str, *, language: str = "", voice: str = ""
    ) -> None:
        """Speak `text`, plain or an SSML document (SAY); `PlayFinished` follows. `language` is a tag
        such as en-US, `voice` a name the engine knows; empty takes the deployment's."""
        ...

    def hold(self, call_id: UUID, play_id: str, media: Sequence[str] = ()) -> None:
        """Music or recordings, repeated until stopped, bridged or hung up (HOLD); `PlayFinished`
        (not completed) follows then."""
        ...

    def stop_play(self, call_id: UUID) -> None:
        """End what is being played. Nothing happens when nothing is."""
        ...

    def send_digits(
        self, call_id: UUID, play_id: str, digits: str, *, duration_ms: int = 100, gap_ms: int = 100
    ) -> None:
        """Send keys 0-9 A-D # * to the callee (SEND_DIGITS); `PlayFinished` follows."""
        ...

    def echo(self, call_id: UUID, play_id: str, duration_ms: int) -> None:
        """Let the callee hear itself for so long (ECHO); `PlayFinished` follows."""
        ...

    def mute(self, call_id: UUID, *, is_on: bool) -> None:
        """Keep what the callee says from everybody, or no longer (MUTE)."""
        ...

    def start_recording(
        self,
        call_id: UUID,
        recording_id: str,
        *,
        audio_format: str,
        max_duration_ms: int = 0,
        silence_ms: int = 0,
        end_keys: str = "",
        has_beep: bool = False,
    ) -> None:
        """Record both sides of the call (RECORD); `Recorded` follows at its end.

        It ends when stopped, with the call, after `max_duration_ms`, after so much silence (0: no
        such limit), or at one of the keys.
        """
        ...

    def stop_recording(self, call_id: UUID, recording_id: str) -> None:
        """End a recording."""
        ...

    def detect(self, call_id: UUID) -> None:
        """Find out who answered (DETECT); exactly one `Detected` follows while the call lives."""
        ...

    def bridge(self, call_id: UUID, other_id: UUID) -> None:
        """Connect two answered calls (BRIDGE); `Bridged` follows for both. Plays on both end.
        Repeating it is harmless. When one of them ends, the other stays up (`Unbridged`)."""
        ...

    def unbridge(self, call_id: UUID) -> None:
        """Take a connection apart; both calls stay up."""
        ...

    def adopt(self, call_ids: Collection[UUID]) -> None:
        """Become the holder of calls, whoever held them. Exactly one answer per id: `Adopted` (it is
        live), `Ended` (it has ended, these are the facts) or `Missing`. Kept until it could be
        delivered. `Missing` alone does not prove that no phone rings yet: look again later."""
        ...

    def settled(self, call_ids: Collection[UUID]) -> None:
        """Tell that the ends of these calls are stored for good, so nobody will ask again."""
        ...

    async def live_calls(self, call_ids: Collection[UUID] | None = None) -> list[LiveCall]:
        """The calls that live now in the whole network (of those named, when named), of every
        dialer, in one instant. TelephonyUnavailable when the network cannot be asked."""
        ...

    def events(self) -> AsyncIterator[Sequence[Event]]:
        """Batches of events, in order per call; one consumer. A slow consumer delays nobody else
        and loses nothing. Raises Replaced when this dialer's name has been taken over."""
        ...

    async def run(self) -> None:
        """Keep the link up until cancelled. Run it as a background task; returns never."""
        ...
