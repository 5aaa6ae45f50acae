"""A lease as its holder keeps it: what it allows, and until when."""

from __future__ import annotations

from dataclasses import dataclass

from services.dialer.domain.campaigns import (
    Definition,
    HeldLease,
    Lease,
    LeaseStatus,
    RunToken,
)

SAFETY_SECONDS = 0.5
"""A lease is not used in the last part of its life: what is sent then may arrive too late."""


@dataclass(slots=True)
class Held:
    """Mutable on purpose: one object per campaign, that the keeper renews and the runner looks at."""

    lease: Lease
    definition: Definition
    valid_until: float  # BOOTTIME; counted from before the renewal was asked for
    is_lost: bool = False
    needs_takeover: bool = True

    @property
    def token(self) -> RunToken:
        """What Open, ListOpen and FinishRun have to quote."""
        lease = self.lease
        return RunToken(lease.campaign_id, lease.run_number, lease.fencing_token)

    def is_usable(self, boottime: float) -> bool:
        """Whether new attempts may be opened under it now."""
        return not self.is_lost and boottime < self.valid_until - SAFETY_SECONDS

    def may_dial(self, boottime: float) -> bool:
        """Usable, and the campaign is in `run`."""
        return self.lease.status is LeaseStatus.RUN and self.is_usable(boottime)

    def as_held(self) -> HeldLease:
        """As it is quoted at the next renewal."""
        return HeldLease(self.lease.campaign_id, self.lease.fencing_token, self.definition.revision)
