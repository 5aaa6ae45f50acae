"""What the network knows of a call, and what it tells about it. Values and records only."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple

from simnet.profile import Behaviour, Plan

NEVER = 1 << 62


class Kind(StrEnum):
    """Whose phone it is."""

    CUSTOMER = "customer"
    AGENT = "agent"


class Outcome(StrEnum):
    """How a call ended."""

    NORMAL = "normal"
    BUSY = "busy"
    NOANSWER = "noanswer"
    INVALID = "invalid"
    CONGESTION = "congestion"
    CANCELED = "canceled"
    FAILED = "failed"
    TIMEOUT = "timeout"
    NETWORK_RESTART = "network_restart"


class Side(StrEnum):
    """Who ended a call."""

    CALLER = "caller"
    CALLEE = "callee"
    NETWORK = "network"


class Taker(StrEnum):
    """Who took the phone."""

    NOBODY = ""
    HUMAN = "human"
    MACHINE = "machine"


class Refusal(StrEnum):
    """Why a call was not started."""

    DUPLICATE = "duplicate"
    LATE = "late"
    CONGESTION = "congestion"
    INVALID = "invalid"
    MALFORMED = "malformed"


class Failure(StrEnum):
    """Why a command changed nothing."""

    NOT_LIVE = "not_live"
    NOT_ANSWERED = "not_answered"
    NOT_OWNER = "not_owner"
    BRIDGED = "bridged"
    MALFORMED = "malformed"


class Due(IntEnum):
    """The timers of a call, as places in `Call.due`."""

    PHASE = 0  # ringing is over: answer, rejection, ring timeout
    LIMIT = 1  # maximum duration
    MOOD = 2  # the person has had enough
    PLAY = 3  # the message is over
    TALK = 4  # this side has said goodbye
    KEY = 5  # the person presses a key


class Order(NamedTuple):
    """A wish to start a call."""

    call_id: str
    kind: Kind
    address_type: str
    number: str
    ring_timeout_ms: int
    max_duration_ms: int
    place_before_ns: int  # CLOCK_BOOTTIME; 0: no limit
    variables: dict[str, str]


class Message(NamedTuple):
    """Something to be heard by a callee."""

    call_id: str
    play_id: str
    length_ms: int
    is_hold: bool


class Ringing(NamedTuple):
    """The phone rings."""


class Answered(NamedTuple):
    """Somebody or something answered."""

    by: Taker


class Refused(NamedTuple):
    """The call was not started."""

    reason: Refusal
    detail: str


class Ended(NamedTuple):
    """The call is over."""

    outcome: Outcome
    by: Side
    ring_ms: int
    talk_ms: int
    taker: Taker
    answered_us: int  # 0: never


class PlayFinished(NamedTuple):
    """A message is over."""

    play_id: str
    completed: bool


class Bridged(NamedTuple):
    """Connected with another call."""

    other: str


class Unbridged(NamedTuple):
    """No longer connected."""

    other: str


class DigitPressed(NamedTuple):
    """A key was pressed."""

    digit: str


class CommandFailed(NamedTuple):
    """A command changed nothing."""

    command: str
    reason: Failure
    reference: str


class Taken(NamedTuple):
    """Another dialer owns the call now."""

    dialer: str


What = (
    Ringing
    | Answered
    | Refused
    | Ended
    | PlayFinished
    | Bridged
    | Unbridged
    | DigitPressed
    | CommandFailed
    | Taken
)


class Event(NamedTuple):
    """One thing that happened, for the dialer that owns the call."""

    dialer: str
    call_id: str
    at_us: int  # domain time
    what: What


class EndedCall(NamedTuple):
    """What is remembered of a call that is over."""

    call_id: str
    kind: Kind
    number: str
    dialer: str
    rang: bool
    placed_us: int
    ended_us: int
    end: Ended


class LiveCall(NamedTuple):
    """Where a live call stood at one instant."""

    call_id: str
    kind: Kind
    address_type: str
    number: str
    dialer: str
    rang: bool
    placed_us: int
    answered_us: int  # 0: not yet
    taker: Taker
    play_id: str
    finished_play: str
    finished_completed: bool
    bridged_with: str
    digits_pressed: str


class Call:
    """A live call. Changed by the network alone."""

    __slots__ = (
        "address_type",
        "answered_us",
        "behaviour",
        "bridge_count",
        "call_id",
        "digest",
        "digits_pressed",
        "due",
        "finished_completed",
        "finished_play",
        "hold_since_us",
        "hold_used_us",
        "keys",
        "kind",
        "max_duration_us",
        "number",
        "owner",
        "peer",
        "placed_us",
        "plan",
        "play_count",
        "play_id",
        "rang",
        "taker",
        "timer",
    )

    def __init__(
        self,
        order: Order,
        owner: str,
        behaviour: Behaviour,
        digest: bytes,
        placed_us: int,
    ) -> None:
        self.call_id = order.call_id
        self.kind = order.kind
        self.address_type = order.address_type
        self.number = order.number
        self.owner = owner
        self.behaviour = behaviour
        self.digest = digest  # all of this call's luck
        self.plan = Plan.NOANSWER
        self.placed_us = placed_us
        self.max_duration_us = order.max_duration_ms * 1000
        self.rang = False
        self.answered_us = 0
        self.taker = Taker.NOBODY
        self.due = [NEVER] * len(Due)
        self.timer = 0  # the entry of the timer heap that counts
        self.play_id = ""
        self.play_count = 0
        self.finished_play = ""
        self.finished_completed = False
        self.hold_since_us = 0  # 0: no music is on
        self.hold_used_us = 0
        self.keys = ""  # still to be pressed
        self.digits_pressed = ""
        self.peer: Call | None = None
        self.bridge_count = 0

    def view(self) -> LiveCall:
        """Where the call stands now."""
        return LiveCall(
            self.call_id,
            self.kind,
            self.address_type,
            self.number,
            self.owner,
            self.rang,
            self.placed_us,
            self.answered_us,
            self.taker,
            self.play_id,
            self.finished_play,
            self.finished_completed,
            self.peer.call_id if self.peer is not None else "",
            self.digits_pressed,
        )

    def ended(self, at_us: int, end: Ended) -> EndedCall:
        """What is to be remembered of the call once it is over."""
        return EndedCall(
            self.call_id,
            self.kind,
            self.number,
            self.owner,
            self.rang,
            self.placed_us,
            at_us,
            end,
        )
