"""Settings of the outdial process."""

from __future__ import annotations

from pydantic import Field

from services.common.config import ServiceSettings


class OutdialSettings(ServiceSettings):
    """What the outdial process is told beside the common settings."""

    campaign_address: str
    """host:port of the campaign process."""
    claim_expiry_seconds: float = Field(default=30.0, ge=10.0, le=3600.0)
    """Real seconds after which the campaign process is asked what became of a claim's attempts.

    At least 10: an attempt may be placed up to 5 s after it was opened.
    """
    claim_ask_again_seconds: float = Field(default=60.0, gt=0, le=3600.0)
    """And again after so many real seconds, until they are settled."""
    upkeep_seconds: float = Field(default=3.0, gt=0, le=60.0)
    """How often expired claims and reopenings are looked for, real seconds."""
