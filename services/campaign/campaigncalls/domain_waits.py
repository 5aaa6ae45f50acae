"""How long people waited for an agent: a histogram that deltas are added to. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

STEPS = tuple(round(2_000 * 2 ** (step / 3)) for step in range(-16, 34))
"""Upper ends of the buckets, milliseconds: from 50 ms to 68 minutes, each a quarter longer
than the one before, and 2,000 one of them. One more bucket holds all above."""


@dataclass(slots=True)
class Waits:
    """Waits by bucket; `counts` may be shorter than the buckets, what is missing is 0."""

    counts: list[int] = field(default_factory=list)
    total_ms: int = 0
    longest_ms: int = 0

    def add(self, wait_ms: int) -> None:
        """Count one."""
        bucket = bisect_left(STEPS, wait_ms)
        self.counts += [0] * (bucket + 1 - len(self.counts))
        self.counts[bucket] += 1
        self.total_ms += wait_ms
        self.longest_ms = max(self.longest_ms, wait_ms)

    @property
    def average_ms(self) -> int:
        """Their mean; 0 when there are none."""
        count = sum(self.counts)
        return round(self.total_ms / count) if count else 0

    def percentile_ms(self, percent: int) -> int:
        """So many of a hundred were no longer; taken evenly within the bucket it falls into."""
        wanted = sum(self.counts) * percent / 100
        if not wanted:
            return 0
        through = list(accumulate(self.counts))
        bucket = next(index for index, count in enumerate(through) if count >= wanted)
        low, high = _ends(bucket, self.longest_ms)
        inside = wanted - (through[bucket] - self.counts[bucket])
        return round(min(self.longest_ms, low + (high - low) * inside / self.counts[bucket]))


def _ends(bucket: int, longest_ms: int) -> Sequence[int]:
    low = STEPS[bucket - 1] if bucket else 0
    high = STEPS[bucket] if bucket < len(STEPS) else longest_ms
    return low, min(high, max(low, longest_ms))
