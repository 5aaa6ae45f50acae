"""The facts of all sub-packages together, as the process's transactions need them."""

from __future__ import annotations

from typing import Protocol

from services.campaign.campaigncalls.ports import CampaigncallEvents
from services.campaign.flows.ports import FlowEvents
from services.campaign.outplans.ports import OutplanEvents


class Events(CampaigncallEvents, OutplanEvents, FlowEvents, Protocol):
    """Collects the facts of one transaction."""

    def count(self) -> None:
        """Count the facts in the metrics; called when they have been committed."""
