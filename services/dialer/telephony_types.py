"""What is said to and heard from a carrier: placements, calls and events, for every driver.

Read `services.dialer.telephony` first; it says what these mean together. Plain values only.

Ids: the caller chooses the id of every call (UUIDv7; the customer leg's id is its campaigncall's).
Time: `tm` and every `*_ms` are DOMAIN time; `place_before` is CLOCK_BOOTTIME, REAL time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

NO_VARIABLES: Mapping[str, str] = {}


class Leg(StrEnum):
    """Whose phone a call rings."""

    CUSTOMER = "customer"
    AGENT = "agent"


class HangupReason(StrEnum):
    """Why a call ended; the documented words of `campaigncall.hangup_reason`, for every medium.

    `normal` only ever means: it was answered, and somebody hung up.
    """

    NORMAL = "normal"
    FAILED = "failed"  # never reached a person; `detail` says why: invalid, congestion, ...
    BUSY = "busy"
    CANCEL = "cancel"  # ended by us before the answer
    TIMEOUT = "timeout"  # answered, then cut at its maximum duration
    NOANSWER = "noanswer"
    DIALOUT = "dialout"  # given up by our own dial timer without a word from the network
    AMD = "amd"  # ended because a machine had answered


class AnsweredBy(StrEnum):
    """Who took the phone."""

    UNKNOWN = "unknown"  # not known (yet); `Telephony.detect` may find out
    HUMAN = "human"
    MACHINE = "machine"


class HungUpBy(StrEnum):
    """Which side ended a call, in the documented words."""

    LOCAL = "local"  # we did
    REMOTE = "remote"  # the person did
    NETWORK = ""  # neither: busy, no answer, limits, faults


class CallState(StrEnum):
    """Where a live call stands."""

    DIALING = "dialing"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Address:
    """A destination or caller id: kind (`tel`, `sip`, `extension`, ...), target, display name."""

    type: str
    target: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """A call to be started."""

    call_id: UUID
    leg: Leg
    destination: Address
    source: Address | None  # shown to the callee
    ring_timeout_ms: int  # 1..600,000; enforced by the network
    max_duration_ms: int  # 1..86,400,000 from the answer; enforced by the network
    place_before: float | None = None  # CLOCK_BOOTTIME seconds; None: no limit
    variables: Mapping[str, str] = field(default_factory=lambda: NO_VARIABLES)
    headers: Mapping[str, str] = field(default_factory=lambda: NO_VARIABLES)
    """Further headers of the call's signalling, by name; a network without such ignores them."""
    is_anonymous: bool = False  # keep `source` from the callee
    beside: UUID | None = None  # a call it is to be connected with: it is put where it can be


@dataclass(frozen=True, slots=True)
class LiveCall:
    """Where a call stands, complete enough for another dialer to go on with it."""

    call_id: UUID
    leg: Leg
    state: CallState
    rang: bool
    answered_by: AnsweredBy = AnsweredBy.UNKNOWN
    tm_place: datetime | None = None  # None when the network does not tell
    tm_answer: datetime | None = None
    play_id: str = ""  # the play that is on
    finished_play_id: str = ""  # the latest play that is over
    bridged_with: UUID | None = None
    digits_pressed: str = ""  # all keys so far; "" when the network does not keep them
    owner: str = ""  # the dialer that holds it; "" when the network does not know


# ------------------------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class Ringing:
    """The callee's phone rings. Not every call rings before it is answered or ends."""

    call_id: UUID
    tm: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """The callee answered. At most once per call, and always before anything below it."""

    call_id: UUID
    tm: datetime
    by: AnsweredBy


@dataclass(frozen=True, slots=True)
class Detected:
    """The answer to `detect`: who took the phone (UNKNOWN when it could not be told)."""

    call_id: UUID
    tm: datetime
    by: AnsweredBy


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over. The last event of a call, exactly once."""

    call_id: UUID
    tm: datetime
    reason: HangupReason
    detail: str = ""  # finer cause: invalid, congestion, network_restart, ...
    hung_up_by: HungUpBy = HungUpBy.NETWORK
    tm_answer: datetime | None = None  # when it was answered, should `Answered` have been missed
    answered_by: AnsweredBy = AnsweredBy.UNKNOWN
    ring_ms: int = 0
    talk_ms: int = 0


class NotPlacedReason(StrEnum):
    """Why a placement never reached a phone."""

    LATE = "late"  # place_before had passed
    DISCONNECTED = "disconnected"  # no link to the network; nothing was sent
    LOST = "lost"  # sent over a link that broke; the network has said it never got it
    DUPLICATE = "duplicate"  # the network has seen this id before; `adopt` tells what became of it
    NO_ROOM = "no_room"  # every trunk for it is full, at its rate or at rest; nothing was sent


@dataclass(frozen=True, slots=True)
class NotPlaced:
    """The call was not started by this placement and never will be. No phone rang because of it."""

    call_id: UUID
    reason: NotPlacedReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PlayFinished:
    """A play, spoken text or sending of digits is over: run to its end, or stopped (not completed)."""

    call_id: UUID
    tm: datetime
    play_id: str
    completed: bool


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The person pressed a key: one of 0-9 A-D # *."""

    call_id: UUID
    tm: datetime
    digit: str


@dataclass(frozen=True, slots=True)
class Bridged:
    """The call is connected with another. Told for each of the two calls this driver holds."""

    call_id: UUID
    tm: datetime
    other_id: UUID


@dataclass(frozen=True, slots=True)
class Unbridged:
    """The call is no longer connected and still up. Not told for a call that ended."""

    call_id: UUID
    tm: datetime
    other_id: UUID


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording is over. `location` is its path within the deployment's folder of recordings; empty
    when it failed. One that ends with its call is told before `Ended`, unless fetching it takes seconds.
    """

    call_id: UUID
    tm: datetime
    recording_id: str
    location: str
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class CommandFailed:
    """A command was not possible and changed nothing."""

    call_id: UUID
    command: str  # name of the method: play, say, bridge, ...
    reference: str  # the play id, recording id or other call's id it carried
    detail: str


@dataclass(frozen=True, slots=True)
class Adopted:
    """The answer to `adopt` for a live call: it is this dialer's now."""

    call_id: UUID
    call: LiveCall


@dataclass(frozen=True, slots=True)
class Missing:
    """The network does not know the call: never placed, or ended longer ago than it remembers."""

    call_id: UUID


@dataclass(frozen=True, slots=True)
class Taken:
    """Another dialer adopted the call. No further event of it comes here; leave it alone."""

    call_id: UUID
    owner: str


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The link to the network came up or went down. Calls go on without it."""

    connected: bool


Event = (
    Ringing
    | Answered
    | Detected
    | Ended
    | NotPlaced
    | PlayFinished
    | DigitPressed
    | Bridged
    | Unbridged
    | Recorded
    | CommandFailed
    | Adopted
    | Missing
    | Taken
    | LinkChanged
)
