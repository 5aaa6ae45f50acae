"""Trunks: which has room for a call, and which is better left alone for a while."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from services.common.log import get_logger
from services.common.metrics import counter, gauge
from services.dialer.drivers.asterisk.configuration import Configuration, TrunkSettings
from services.dialer.pacing import TokenBucket
from services.dialer.telephony import Address

BURST_SECONDS = 0.2
FIRST_REST_SECONDS = 5.0
MOST_REST_SECONDS = 300.0

_live = gauge("asterisk_trunk_calls", "Calls on a trunk, of this dialer", ("trunk",))
_resting = gauge("asterisk_trunk_resting", "1 while a failing trunk is left alone", ("trunk",))
_failures = counter("asterisk_trunk_failures", "Calls that failed by the trunk's fault", ("trunk",))


class Breaker:
    """Rests a trunk that fails again and again; then lets one call at a time find out.

    Given the time, never asks for it. Each rest is twice as long as the one before, until a call gets
    through.
    """

    def __init__(self, rest_after: int) -> None:
        self._rest_after = rest_after
        self._failures = 0
        self._rests = 0
        self._until = 0.0
        self._is_probing = False

    @property
    def is_closed(self) -> bool:
        """Nothing is wrong."""
        return self._rests == 0

    def room(self, now: float) -> int | None:
        """Calls it lets through now; None: any number."""
        if self.is_closed:
            return None
        return 0 if now < self._until or self._is_probing else 1

    def placed(self) -> None:
        """A call was let through."""
        if not self.is_closed:
            self._is_probing = True

    def released(self) -> None:
        """A call is over that told nothing of the trunk."""
        self._is_probing = False

    def succeeded(self) -> bool:
        """A call got through; whether that ended a rest."""
        ended = not self.is_closed
        self._failures = self._rests = 0
        self._is_probing = False
        return ended

    def failed(self, now: float) -> float:
        """A call failed by the trunk's fault; the seconds of the rest that begins, 0 for none."""
        self._failures += 1
        was_probing, self._is_probing = self._is_probing, False
        if not self._rest_after or (self.is_closed and self._failures < self._rest_after):
            return 0.0
        if not self.is_closed and not was_probing and now < self._until:
            return 0.0  # placed before the rest began
        seconds = min(MOST_REST_SECONDS, FIRST_REST_SECONDS * 2.0 ** min(self._rests, 10))
        self._rests += 1
        # Spread, so that several dialers do not try together.
        self._until = now + seconds * random.uniform(0.9, 1.1)
        return seconds


class Trunk:
    """One trunk, with the calls of this dialer on it."""

    def __init__(self, pbx: str, settings: TrunkSettings, now: float) -> None:
        self.pbx = pbx
        self.settings = settings
        self.name = f"{pbx}.{settings.name}"
        self.live = 0
        self._dialers = 1
        self._breaker = Breaker(settings.rest_after)
        rate = settings.calls_per_second
        self._bucket = None if rate is None else TokenBucket(rate, BURST_SECONDS, now)
        _resting.labels(self.name).set(0)  # known from the start, not from the first fault

    def share(self, dialers: int, now: float) -> None:
        """The limits are those of all dialers together: each uses an equal share."""
        if dialers != self._dialers:
            self._dialers = max(1, dialers)
            if self._bucket is not None and self.settings.calls_per_second is not None:
                self._bucket.change_rate(self.settings.calls_per_second / self._dialers, now)

    def room(self, now: float) -> int | None:
        """Calls it could take now; None: any number."""
        limits = [self._breaker.room(now)]
        if self.settings.max_channels is not None:
            share = max(1, self.settings.max_channels // self._dialers)
            limits.append(max(0, share - self.live))
        if self._bucket is not None:
            limits.append(max(0, self._bucket.available(now)))
        known = [limit for limit in limits if limit is not None]
        return min(known) if known else None

    @property
    def load(self) -> float:
        """How full it is, to choose the least loaded."""
        return self.live / (self.settings.max_channels or 1000)

    def take(self) -> None:
        """A call is placed on it."""
        self.hold()
        self._breaker.placed()
        if self._bucket is not None:
            self._bucket.take(1)

    def hold(self) -> None:
        """A call that was placed before is on it."""
        self.live += 1
        _live.labels(self.name).set(self.live)

    def free(self) -> None:
        """A call on it is over."""
        self.live -= 1
        self._breaker.released()
        _live.labels(self.name).set(self.live)

    def answered(self) -> None:
        """A call has brought a word from the network: the trunk works."""
        if self._breaker.succeeded():
            _resting.labels(self.name).set(0)
            get_logger().info("trunk_works_again", trunk=self.name)

    def failed(self, detail: str, now: float) -> None:
        """A call failed by its fault."""
        _failures.labels(self.name).inc()
        if detail == "allocation_failed":
            get_logger().error(
                "trunk_misconfigured",
                trunk=self.name,
                dial=self.settings.dial,
                detail="the PBX has no such endpoint, or nothing is registered there",
            )
        seconds = self._breaker.failed(now)
        if seconds:
            _resting.labels(self.name).set(1)
            get_logger().warning("trunk_rests", trunk=self.name, detail=detail, seconds=seconds)

    @property
    def is_resting(self) -> bool:
        """It failed and has not been seen to work again."""
        return not self._breaker.is_closed


class Trunks:
    """All trunks. `is_ready` says whether a PBX can be reached."""

    def __init__(
        self, configuration: Configuration, now: float, is_ready: Callable[[str], bool]
    ) -> None:
        self._is_ready = is_ready
        self.all = [
            Trunk(pbx.name, trunk, now) for pbx in configuration.pbxs for trunk in pbx.trunks
        ]
        self.address_types = frozenset(
            kind for trunk in self.all for kind in trunk.settings.address_types
        )

    def choose(self, address: Address, now: float, pbx: str = "") -> Trunk | None:
        """The least loaded trunk with room for a call to this address (of one PBX, when named)."""
        fit = [
            trunk
            for trunk in self._for(address.type)
            if (not pbx or trunk.pbx == pbx) and trunk.room(now) != 0
        ]
        return min(fit, key=lambda trunk: trunk.load, default=None)

    def room(self, now: float) -> int | None:
        """Calls of any kind of address that could be placed now; None: any number."""
        known = [self._room(self._for(kind), now) for kind in self.address_types]
        return min((each for each in known if each is not None), default=None)

    def named(self, pbx: str, name: str) -> Trunk | None:
        """The trunk of a PBX with this name."""
        full = f"{pbx}.{name}"
        return next((trunk for trunk in self.all if trunk.name == full), None)

    def _for(self, kind: str) -> list[Trunk]:
        return [
            trunk
            for trunk in self.all
            if kind in trunk.settings.address_types and self._is_ready(trunk.pbx)
        ]

    @staticmethod
    def _room(trunks: Sequence[Trunk], now: float) -> int | None:
        rooms = [trunk.room(now) for trunk in trunks]
        return None if None in rooms else sum(room for room in rooms if room is not None)
