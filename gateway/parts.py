"""What handlers work with: one object made at start and handed to every call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.accounts import AccountService
from gateway.auth import Authenticator
from gateway.config import GatewaySettings
from gateway.credentials import LoginTokens
from gateway.progress import ProgressHub
from gateway.ratelimit import RateLimiter
from gateway.upstreams import Upstreams


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The gateway's inside."""

    settings: GatewaySettings
    upstreams: Upstreams
    accounts: AccountService
    authenticator: Authenticator
    tokens: LoginTokens
    limiter: RateLimiter
    progress: ProgressHub
    ready: Callable[[], Awaitable[None]]
    """Raises while the gateway cannot serve authenticated requests."""
