"""When a campaign's targets are worth asking for again, after none was due."""

from __future__ import annotations

from datetime import datetime

from services.common.clock import Clock
from services.dialer.domain.campaigns import Progress

QUICK_SECONDS = 0.25
TICK_SECONDS = 1.0
SLOW_SECONDS = 5.0


class Rest:
    """Rests until the next target is due, or may be; a hint that targets came ends it at once.

    Two clocks: a retry is due by domain time; looking again because a hint may be lost, or because
    an attempt is about to be settled, is a matter of real time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._look_at = float("-inf")  # BOOTTIME
        self._due_at: datetime | None = None  # domain
        self._not_before = float(
            "-inf"
        )  # BOOTTIME; a due time that turned out early is not trusted

    def end(self) -> None:
        """Ask now."""
        self._look_at = float("-inf")
        self._due_at = None

    def briefly(self) -> None:
        """Asking failed: not at once again."""
        self._look_at = self._clock.boottime() + QUICK_SECONDS
        self._due_at = None

    def begin(self, progress: Progress, in_flight: int) -> None:
        """Nothing more was due."""
        boottime = self._clock.boottime()
        self._due_at = progress.next_due
        self._not_before = boottime + QUICK_SECONDS
        if progress.is_reopening or (progress.progressing > 0 and in_flight == 0):
            # Ended here and about to be settled there.
            self._look_at = boottime + QUICK_SECONDS
        elif progress.progressing > 0:
            self._look_at = boottime + TICK_SECONDS
        else:
            self._look_at = boottime + SLOW_SECONDS

    def settling(self) -> None:
        """An attempt ended: its target may be due again, or the last one done, in a moment."""
        self._look_at = min(self._look_at, self._clock.boottime() + QUICK_SECONDS)

    @property
    def is_on(self) -> bool:
        """Whether there is nothing to ask for yet."""
        boottime = self._clock.boottime()
        if boottime >= self._look_at:
            return False
        is_due = self._due_at is not None and self._due_at <= self._clock.now()
        return not is_due or boottime < self._not_before

    def seconds(self) -> tuple[float, float | None]:
        """How long it lasts: real seconds at most, and domain seconds to the next due target."""
        boottime = self._clock.boottime()
        real = max(0.0, self._look_at - boottime)
        if self._due_at is None:
            return real, None
        domain = (self._due_at - self._clock.now()).total_seconds()
        if domain > 0:
            return real, domain
        return min(real, max(0.0, self._not_before - boottime)), None
