"""The network's two clocks: domain time, which may be scaled or stepped, and the real ones.

Domain time is counted in whole microseconds since 1970 UTC, so that timers order exactly. No other
module of simnet asks the operating system for the time.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

MICROSECONDS = 1_000_000


def boottime_ns() -> int:
    """CLOCK_BOOTTIME of this host in nanoseconds: real, monotonic, the same for all processes."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def real_us() -> int:
    """Real microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def to_us(instant: datetime) -> int:
    """Microseconds since 1970 UTC of an aware datetime."""
    whole = int(instant.astimezone(UTC).replace(microsecond=0).timestamp())
    return whole * MICROSECONDS + instant.microsecond


class Clock(Protocol):
    """Domain time."""

    @property
    def is_stepped(self) -> bool:
        """Whether the time moves by `step` alone."""

    def now_us(self) -> int:
        """The domain time."""

    def real_delay(self, due_us: int) -> float | None:
        """Real seconds until the domain time reaches `due_us`; 0 when it has, None when it never
        does by itself."""


class ScaledClock:
    """Domain time that left `virtual_epoch` at the real instant `real_epoch` and runs `scale` times.

    Never runs backwards, whatever happens to the host's date.
    """

    is_stepped = False

    def __init__(self, real_epoch_us: int, virtual_epoch_us: int, scale: float) -> None:
        if scale <= 0:
            raise ValueError(f"clock scale is {scale}; accepted: more than 0")
        self._real_epoch_us = real_epoch_us
        self._virtual_epoch_us = virtual_epoch_us
        self._scale = scale
        self._latest_us = 0

    def now_us(self) -> int:
        """See Clock."""
        passed_us = real_us() - self._real_epoch_us
        # Multiplied only when it must be: a float has no room for microseconds since 1970.
        scaled_us = passed_us if self._scale == 1.0 else int(passed_us * self._scale)
        self._latest_us = max(self._latest_us, self._virtual_epoch_us + scaled_us)
        return self._latest_us

    def real_delay(self, due_us: int) -> float | None:
        """See Clock."""
        return max(0.0, (due_us - self.now_us()) / MICROSECONDS / self._scale)


class SteppedClock:
    """Domain time that stands still until it is stepped, for tests."""

    is_stepped = True

    def __init__(self, start_us: int) -> None:
        self._now_us = start_us

    def now_us(self) -> int:
        """See Clock."""
        return self._now_us

    def real_delay(self, due_us: int) -> float | None:
        """See Clock."""
        return 0.0 if due_us <= self._now_us else None

    def step(self, advance_us: int) -> int:
        """Move the time forward and return it."""
        self._now_us += advance_us
        return self._now_us
