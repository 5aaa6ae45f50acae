"""Lengths of time as people take them: a fixed value, or a law to draw from by one uniform number.

Written in the profile as `5000`, `{"uniform": [4000, 20000]}`, `{"exponential": 45000}` or
`{"lognormal": {"mean": 180000, "cv": 0.8}}`; the laws take `min` and `max` beside them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

LONGEST_MS = 86_400_000
_STANDARD = NormalDist()
# Keeps logarithms and inverse distributions away from 0 and 1, where they are infinite.
_EDGE = 1e-9


@dataclass(frozen=True, slots=True)
class Distribution:
    """A law of non-negative lengths of time in milliseconds."""

    law: Callable[[float], float]
    low_ms: int = 0
    high_ms: int = LONGEST_MS

    def sample(self, uniform: float) -> int:
        """The length that `uniform` of all draws fall short of; 0 <= uniform < 1."""
        drawn = self.law(min(max(uniform, _EDGE), 1 - _EDGE))
        return int(min(max(drawn, self.low_ms), self.high_ms))


def fixed(length_ms: float) -> Distribution:
    """Always the same."""
    return Distribution(lambda _: length_ms)


def uniform(low_ms: float, high_ms: float, **limits: int) -> Distribution:
    """Anything between the two, equally likely."""
    return Distribution(lambda u: low_ms + (high_ms - low_ms) * u, **limits)


def exponential(mean_ms: float, **limits: int) -> Distribution:
    """Without memory: the patience of people on hold."""
    return Distribution(lambda u: -mean_ms * math.log(1 - u), **limits)


def lognormal(mean_ms: float, cv: float, **limits: int) -> Distribution:
    """Skewed to the right, as conversations are. `cv` is standard deviation / mean."""
    variance = math.log(1 + cv * cv)
    mu = math.log(mean_ms) - variance / 2
    sigma = math.sqrt(variance)
    return Distribution(lambda u: math.exp(mu + sigma * _STANDARD.inv_cdf(u)), **limits)
