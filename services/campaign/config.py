"""Settings of the campaign process."""

from __future__ import annotations

from pydantic import Field

from services.common.config import ServiceSettings
from services.common.limits import MAX_CONVERSATION_MS


class CampaignSettings(ServiceSettings):
    """See ServiceSettings for what every process is told."""

    outdial_address: str
    """Where the outdial service listens, host:port."""
    queue_address: str
    """Where the queue service listens, host:port."""

    default_calls_per_second: float = Field(default=10.0, gt=0, le=10_000)
    """New attempts per second of domain time of a campaign without a queue whose plan sets none."""
    default_max_concurrent: int = Field(default=300, ge=1, le=100_000)
    """Attempts in flight of a campaign without a queue whose plan sets none: at the rate above,
    half a minute of ringing or talking each."""
    max_conversation_ms: int = Field(default=MAX_CONVERSATION_MS, ge=1_000, le=86_400_000)
    """Longest conversation, milliseconds of domain time. Dialers hear of it with their leases; the network
    ends it then, and half a minute later an attempt of which nothing is heard is closed."""
