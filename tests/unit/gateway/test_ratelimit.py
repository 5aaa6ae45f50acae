from __future__ import annotations

from typing import Any

import pytest

from gateway.config import GatewaySettings
from gateway.ratelimit import ORIGINAL, Buckets, Limits, Rate, RateLimiter, limits_of
from services.common.errors import ResourceExhausted

NEEDED: dict[str, Any] = {
    "database_url": "postgresql://x",
    "key_file": "x",
    "login_secret": "s" * 32,
}


def test_a_burst_then_the_rate() -> None:
    buckets = Buckets(Rate(2.0, 3), "customer")
    for _ in range(3):
        buckets.take("a", 100.0)
    with pytest.raises(ResourceExhausted) as caught:
        buckets.take("a", 100.0)
    assert caught.value.retry_after == pytest.approx(0.5)
    assert caught.value.metadata == {"limited_by": "customer"}
    buckets.take("b", 100.0)
    buckets.take("a", 100.5)
    with pytest.raises(ResourceExhausted):
        buckets.take("a", 100.6)
    for _ in range(3):
        buckets.take("a", 1000.0)
    with pytest.raises(ResourceExhausted):
        buckets.take("a", 1000.0)


def test_refused_requests_do_not_put_the_next_one_off() -> None:
    buckets = Buckets(Rate(1.0, 1), "ip")
    buckets.take("a", 0.0)
    for tenth in range(1, 10):
        with pytest.raises(ResourceExhausted):
            buckets.take("a", tenth / 10)
    buckets.take("a", 1.0)


def test_no_rate_sets_no_limit() -> None:
    buckets = Buckets(None, "ip")
    for _ in range(10_000):
        buckets.take("a", 0.0)


def test_presets() -> None:
    default = limits_of(GatewaySettings(**NEEDED))
    assert default == Limits(Rate(1000, 2000), None, None)
    assert limits_of(GatewaySettings(**NEEDED, rate_preset="original")) == ORIGINAL
    assert limits_of(GatewaySettings(**NEEDED, rate_preset="off")) == Limits(None, None, None)
    by_address = limits_of(GatewaySettings(**NEEDED, rate_ip_per_second=5, rate_ip_burst=7))
    assert by_address.address == by_address.login_address == Rate(5, 7)


def test_logins_have_their_own_limit() -> None:
    limiter = RateLimiter(Limits(None, None, Rate(1, 1)))
    limiter.take_address("a", True)
    limiter.take_address("a", False)
    with pytest.raises(ResourceExhausted):
        limiter.take_address("a", True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"login_secret": "short"},
        {"bootstrap_access_key": "vb_short"},
        {"bootstrap_username": "admin"},
        {"bootstrap_password": "short"},
        {"rate_preset": "none"},
        {"time_format": "unix"},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        GatewaySettings(**{**NEEDED, **wrong})
