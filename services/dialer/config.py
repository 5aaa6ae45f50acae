"""What the dialer is told by its environment; see services.common.config for the variables of all."""

from __future__ import annotations

from pydantic import Field, model_validator

from services.common.config import PREFIX, ServiceSettings


class DialerSettings(ServiceSettings):
    """`OUTBOUND_` and the field's name in capitals."""

    dialer_id: str = Field(default="dialer-1", min_length=1, max_length=64)
    """Name of this dialer's slot, unique among the dialers that run at a time and kept by a restart:
    calls of the slot's former process are taken up again by it."""
    dialer_advertise: str = ""
    """host:port at which other dialers reach this one; empty: where the gRPC server listens."""
    dialer_capacity: int = Field(default=500, ge=1, le=100_000)
    """Campaigns run at a time."""

    recordings_dir: str = ""
    """Folder to which recordings are brought, several dialers may share one; empty: none can be made."""
    recordings_keep_days: int = Field(default=90, ge=0, le=36_500)
    """Days of domain time after which a recording and its file are deleted; 0 keeps them for ever."""
    http_seconds: float = Field(default=10.0, ge=0.1, le=60)
    """How long a request of a flow (fetch, webhook_send) may take in all, real seconds."""
    http_private_addresses: bool = False
    """Whether flows may reach loopback and private addresses: only where no customer is a stranger."""

    campaign_address: str
    """host:port of the campaign service; several ip:port are separated by commas."""
    outdial_address: str
    """The same of the outdial service."""
    queue_address: str
    """The same of the queue service."""

    carrier: str = Field(default="simulated", pattern="^(simulated|asterisk)$")
    """Driver of the telephone network: simulated or asterisk."""
    simnet_address: str = ""
    """host:port of the simulated network; needed by the carrier `simulated`."""
    asterisk_file: str = ""
    """JSON file of the PBXs and their trunks; needed by the carrier `asterisk`."""
    media_dir: str = ""
    """Folder of the sounds that flows may play by name; empty: none."""
    speech_cache_dir: str = ""
    """Folder in which spoken texts and decoded sounds are kept, shared with the PBXs; needed by the
    carrier `asterisk`."""
    speech_cache_bytes: int = Field(default=1_073_741_824, ge=1_048_576)
    """Size of that folder, above which what was not used for longest is removed."""
    speech_voice: str = Field(default="en-us", pattern="^[A-Za-z0-9+_-]{1,64}$")
    """Voice of texts whose language is not given."""

    @model_validator(mode="after")
    def _carrier_is_complete(self) -> DialerSettings:
        if self.carrier != "asterisk":
            return self
        for name in ("asterisk_file", "speech_cache_dir"):
            if not getattr(self, name):
                raise ValueError(f"{PREFIX}{name.upper()}: required by {PREFIX}CARRIER=asterisk")
        if self.clock_scale != 1.0:
            raise ValueError(
                f"{PREFIX}CLOCK_SCALE: {PREFIX}CARRIER=asterisk needs 1, for real people have real time"
            )
        return self

    def process_name(self, name: str) -> str:
        """See ServiceSettings; several dialers run beside each other."""
        return self.dialer_id
