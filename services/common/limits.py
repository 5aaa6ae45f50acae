"""Figures that a service keeps and another process, mostly the gateway, has to know.

A range is (least, most), both included. `tests/unit/test_limits.py` shows that what the gateway
documents is what the services accept.
"""

from __future__ import annotations

from typing import Final

from services.common.errors import invalid

_DAY_MS: Final = 86_400_000

MAX_BATCH: Final = 1_000
"""Most items in one request that carries a list of them."""
SLOTS: Final = 5
"""Addresses a target may have, and maxima a plan has for them."""

SERVICE_LEVEL: Final = (1, 1_000)
"""Percent."""
MAX_CONVERSATION_MS: Final = 3_600_000
"""Longest conversation unless the deployment says otherwise, domain time."""
AGENT_WAIT_MS: Final = (0, 3_600_000)
"""How long a person waits for an agent before the attempt is abandoned; 0 sets no limit."""
DIAL_TIMEOUT_MS: Final = (0, 600_000)
TRY_INTERVAL_MS: Final = (0, 31 * _DAY_MS)
TRY_COUNT: Final = (0, 100)
"""Tries a plan allows on one slot."""
MAX_CALLS_PER_SECOND: Final = 10_000
MAX_CONCURRENT: Final = 100_000

QUEUE_LIMIT_MS: Final = (0, 31 * _DAY_MS)
"""How long a caller may wait, and how long be served; 0 sets no limit."""
WRAPUP_MS: Final = (0, _DAY_MS)
RING_MS: Final = (1_000, 600_000)
"""How long an agent's phone rings."""
MAX_TAGS: Final = 1_000
"""Tags of one agent or queue."""
MAX_ADDRESSES: Final = 20
"""Addresses of one agent."""
PASSWORD_LENGTH: Final = (8, 256)
"""In characters."""


def check_range(field: str, value: int, bounds: tuple[int, int], unit: str) -> None:
    """InvalidArgument when the value is not within the bounds, both included."""
    low, high = bounds
    if not low <= value <= high:
        raise invalid(field, value, f"{low}..{high} {unit}")
