"""What the dialer is told by its environment; see services.common.config for the variables of all."""

from __future__ import annotations

from pydantic import Field

from services.common.config import ServiceSettings


class DialerSettings(ServiceSettings):
    """`OUTBOUND_` and the field's name in capitals."""

    dialer_id: str = Field(default="dialer-1", min_length=1, max_length=64)
    """Name of this dialer's slot, unique among the dialers that run at a time and kept by a restart:
    calls of the slot's former process are taken up again by it."""
    dialer_advertise: str = ""
    """host:port at which other dialers reach this one; empty: where the gRPC server listens."""
    dialer_capacity: int = Field(default=500, ge=1, le=100_000)
    """Campaigns run at a time."""
    dialer_max_duration_ms: int = Field(default=3_600_000, ge=1_000, le=86_400_000)
    """Longest conversation, milliseconds of domain time; the network ends it then."""

    campaign_address: str
    """host:port of the campaign service; several ip:port are separated by commas."""
    outdial_address: str
    """The same of the outdial service."""
    queue_address: str
    """The same of the queue service."""

    carrier: str = Field(default="simulated", pattern="^simulated$")
    """Driver of the telephone network: simulated."""
    simnet_address: str = ""
    """host:port of the simulated network; needed by the carrier `simulated`."""

    def process_name(self, name: str) -> str:
        """See ServiceSettings; several dialers run beside each other."""
        return self.dialer_id
