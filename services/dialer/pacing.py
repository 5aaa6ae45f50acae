"""How many attempts to start now. Pure: numbers in, a number and what bounded it out.

Every mode is a `Pacer`; the service level is the default one. The rate limit and the limit on calls
in flight hold under every pacer and are applied here, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Bound(StrEnum):
    """What limited the number; the words of the event pacing.decided."""

    NONE = "none"  # nothing did: the batch was full
    AGENTS = "agents"
    CALLS_PER_SECOND = "calls_per_second"
    MAX_CONCURRENT = "max_concurrent"
    NO_TARGET_DUE = "no_target_due"
    CARRIER = "carrier"
    CAPACITY_UNKNOWN = "capacity_unknown"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Situation:
    """What a pacer may look at.

    `available` is None when it is not known (the queue service does not answer); it is ignored
    without a queue. `waiting` counts answered calls for which no agent is reserved yet.
    """

    has_queue: bool
    available: int | None
    dialing: int
    waiting: int
    in_flight: int  # all attempts not ended: dialing, waiting and talking
    service_level: int  # percent, 1..1000
    max_concurrent: int
    tokens: int  # attempts the rate allows now
    is_stopping: bool = False
    is_carrier_up: bool = True
    room: int | None = None  # calls the carrier has room for now; None: no limit


@dataclass(frozen=True, slots=True)
class Decision:
    """How many attempts to start now, and why not more."""

    number: int
    bound: Bound


class Pacer(Protocol):
    """One way of sharing agents among calls that are not answered yet."""

    def wanted(self, situation: Situation) -> int | None:
        """Attempts that the agents justify, 0 or more; None when agents are no bound."""


class ServiceLevelPacer:
    """Start one more while `available > (dialing + waiting) x service_level / 100`.

    So at 100 one attempt is under way per available agent, at 50 two, at 200 half a one. Agents that
    are reserved, ringing or busy are not available, and a call for which one of them is reserved is
    not waiting: nobody is counted twice.
    """

    def wanted(self, situation: Situation) -> int | None:
        """See Pacer."""
        if not situation.has_queue:
            return None
        if situation.available is None:
            return 0
        allowed = -(-situation.available * 100 // situation.service_level)
        return max(0, allowed - situation.dialing - situation.waiting)


def decide(pacer: Pacer, situation: Situation, batch: int) -> Decision:
    """The number of attempts to start now, at most `batch`, and the first bound that set it."""
    if situation.is_stopping:
        return Decision(0, Bound.STOPPING)
    if not situation.is_carrier_up:
        return Decision(0, Bound.CARRIER)
    if situation.has_queue and situation.available is None:
        return Decision(0, Bound.CAPACITY_UNKNOWN)
    limits = [
        (max(0, situation.max_concurrent - situation.in_flight), Bound.MAX_CONCURRENT),
        (max(0, situation.tokens), Bound.CALLS_PER_SECOND),
        (batch, Bound.NONE),
    ]
    if situation.room is not None:
        limits.insert(0, (max(0, situation.room), Bound.CARRIER))
    wanted = pacer.wanted(situation)
    if wanted is not None:
        limits.insert(0, (wanted, Bound.AGENTS))
    return Decision(*min(limits, key=lambda limit: limit[0]))


class TokenBucket:
    """At most `rate` attempts a second of domain time, with a burst that covers the event loop's grain.

    It is given the time and never asks for it. The bucket starts full: the first attempts of a run need
    not wait, and a burst is too small to make much of a restart.
    """

    def __init__(self, rate: float, burst_seconds: float, now: float) -> None:
        self._rate = rate
        self._burst_seconds = burst_seconds
        self._tokens = self._capacity
        self._at = now

    def change_rate(self, rate: float, now: float) -> None:
        """Go on with another rate."""
        self._refill(now)
        self._rate = rate
        self._tokens = min(self._tokens, self._capacity)

    def available(self, now: float) -> int:
        """Whole tokens there are at `now`, domain seconds."""
        self._refill(now)
        # A sum of small refills may end a hair below the whole number it stands for.
        return int(self._tokens + 1e-9)

    def take(self, number: int) -> None:
        """Use tokens up. Taking more than there are is paid back before the next one."""
        self._tokens -= number

    def seconds_until_next(self, now: float) -> float:
        """Domain seconds until a whole token is there; 0 when one is."""
        self._refill(now)
        return max(0.0, (1.0 - self._tokens) / self._rate)

    @property
    def _capacity(self) -> float:
        return max(1.0, self._rate * self._burst_seconds)

    def _refill(self, now: float) -> None:
        if now > self._at:
            self._tokens = min(self._capacity, self._tokens + (now - self._at) * self._rate)
        self._at = max(self._at, now)


class BatchSize:
    """Size of the next batch: doubled while batches come back full and in time, halved when slow.

    Small first batches put the first calls out at once; large ones share the cost of a commit among
    many. A batch must be placed within seconds of its opening, so a slow one is made smaller.
    """

    SLOW_SECONDS = 1.5

    def __init__(self, smallest: int = 64, largest: int = 1000) -> None:
        self._smallest = smallest
        self._largest = largest
        self.current = smallest

    def took(self, placed: int, seconds: float) -> None:
        """Learn from a batch of `placed` attempts that took `seconds` of real time."""
        if seconds > self.SLOW_SECONDS:
            self.current = max(self._smallest, self.current // 2)
        elif placed >= self.current and seconds < self.SLOW_SECONDS / 2:
            self.current = min(self._largest, self.current * 2)
