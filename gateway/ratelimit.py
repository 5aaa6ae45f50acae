"""Token buckets per customer and per address, kept by each gateway process for itself.

With several gateway processes behind a balancer a customer can reach the sum of their rates.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from gateway.config import GatewaySettings
from services.common.errors import ResourceExhausted

_CAPACITY: Final = 100_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` sustained, `burst` at once."""

    per_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The rates in force; None sets no limit."""

    customer: Rate | None
    address: Rate | None
    login_address: Rate | None


ORIGINAL: Final = Limits(
    customer=Rate(16.7, 33), address=Rate(200, 400), login_address=Rate(10, 20)
)
"""The figures of the documented service."""


def limits_of(settings: GatewaySettings) -> Limits:
    """The limits the settings ask for."""
    if settings.rate_preset == "original":
        return ORIGINAL
    if settings.rate_preset == "off":
        return Limits(None, None, None)
    address = None
    if settings.rate_ip_per_second > 0:
        address = Rate(settings.rate_ip_per_second, settings.rate_ip_burst)
    return Limits(
        Rate(settings.rate_customer_per_second, settings.rate_customer_burst), address, address
    )


class Buckets:
    """One bucket per key. A full bucket is the same as none, so only the busy ones are kept."""

    def __init__(self, rate: Rate | None, limited_by: str) -> None:
        self._rate = rate
        self._limited_by = limited_by
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now: float | None = None) -> None:
        """Take one token; ResourceExhausted with the wait in `retry_after` when there is none."""
        rate = self._rate
        if rate is None:
            return
        now = time.monotonic() if now is None else now
        level, at = self._levels.pop(key, (rate.burst, now))
        level = min(rate.burst, level + (now - at) * rate.per_second)
        taken = level >= 1
        self._levels[key] = (level - 1 if taken else level, now)
        if len(self._levels) > _CAPACITY:
            self._levels.popitem(last=False)
        if not taken:
            raise ResourceExhausted(
                f"more than {rate.per_second:g} requests a second; slow down",
                reason="RATE_LIMIT_EXCEEDED",
                retry_after=(1 - level) / rate.per_second,
                limited_by=self._limited_by,
            )


class RateLimiter:
    """The three kinds of buckets."""

    def __init__(self, limits: Limits) -> None:
        self._customers = Buckets(limits.customer, "customer")
        self._addresses = Buckets(limits.address, "ip")
        self._logins = Buckets(limits.login_address, "ip")

    def take_address(self, address: str, is_login: bool) -> None:
        """Count a request of an address, before anything is known of its sender."""
        (self._logins if is_login else self._addresses).take(address)

    def take_customer(self, customer: str) -> None:
        """Count a request of a customer."""
        self._customers.take(customer)
