"""What this process publishes: facts collected in a transaction, written with it, then counted."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.campaign.campaigncalls.domain import Campaigncall, Settlement
from services.campaign.campaigncalls.events import campaigncall_event, done_event
from services.campaign.campaigncalls.ports import CampaigncallFact
from services.campaign.campaigns.domain import Campaign
from services.campaign.campaigns.events import campaign_event
from services.campaign.campaigns.ports import CampaignFact
from services.campaign.flows.domain import Flow
from services.campaign.flows.events import flow_event
from services.campaign.flows.ports import FlowFact
from services.campaign.outplans.domain import Outplan
from services.campaign.outplans.events import outplan_event
from services.campaign.outplans.ports import OutplanFact
from services.common.metrics import counter
from services.common.outbox import NewEvent, Outbox

_CAMPAIGNS = {
    "created": counter("campaign_create_total", "Campaigns created"),
    "status_run": counter("campaign_status_run_total", "Campaigns that went to run"),
    "status_stop": counter("campaign_status_stop_total", "Campaigns that went to stop"),
}
_EXECUTED = counter("campaign_execute_total", "Batches of attempts opened")
_OPENED = counter(
    "campaigncall_create_total", "Attempts opened, by what they refer to", ("reference_type",)
)
_DONE = counter("campaigncall_done_total", "Attempts done, by result", ("result",))


class OutboxEvents:
    """See ports.Events; writes to the outbox."""

    def __init__(self, conn: AsyncConnection, outbox: Outbox) -> None:
        self._conn = conn
        self._outbox = outbox
        self._pending: list[NewEvent] = []
        self._results: list[str] = []

    def campaign(self, fact: CampaignFact, campaign: Campaign) -> None:
        """See campaigns.ports.CampaignEvents."""
        self._pending.append(campaign_event(fact, campaign))

    def campaigncall(self, fact: CampaigncallFact, call: Campaigncall) -> None:
        """See campaigncalls.ports.CampaigncallEvents."""
        self._pending.append(campaigncall_event(fact, call))

    def done(self, settlement: Settlement) -> None:
        """See campaigncalls.ports.CampaigncallEvents."""
        self._pending.append(done_event(settlement))
        self._results.append(settlement.call.result.value)

    def outplan(self, fact: OutplanFact, plan: Outplan, outdial_ids: Sequence[UUID] = ()) -> None:
        """See outplans.ports.OutplanEvents."""
        self._pending.append(outplan_event(fact, plan, outdial_ids))

    def flow(self, fact: FlowFact, flow: Flow) -> None:
        """See flows.ports.FlowEvents."""
        self._pending.append(flow_event(fact, flow))

    async def write(self) -> None:
        """See ports.Events."""
        await self._outbox.append(self._conn, self._pending)

    def count(self) -> None:
        """See ports.Events."""
        opened = 0
        for event in self._pending:
            if event.resource == "campaigncall":
                opened += event.event == "created"
            elif event.resource == "campaign" and event.event in _CAMPAIGNS:
                _CAMPAIGNS[event.event].inc()
        if opened:
            _EXECUTED.inc()
            # Nothing exists to refer to at the opening of a call.
            _OPENED.labels("none").inc(opened)
        for result in set(self._results):
            _DONE.labels(result).inc(self._results.count(result))
