"""What this process publishes: facts collected in a transaction, written with it, then counted."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from outbound.campaign.v1 import events_pb2 as campaign_events
from outbound.flow.v1 import events_pb2 as flow_events
from outbound.outplan.v1 import events_pb2 as outplan_events

from services.campaign.campaigncalls.convert import campaigncall_to_proto, settlement_to_proto
from services.campaign.campaigncalls.domain import Campaigncall, Settlement
from services.campaign.campaigncalls.ports import CampaigncallFact
from services.campaign.campaigns.convert import STOP_MODES, campaign_to_proto
from services.campaign.campaigns.domain import Campaign
from services.campaign.campaigns.ports import CampaignFact
from services.campaign.flows.convert import flow_to_proto
from services.campaign.flows.domain import Flow
from services.campaign.flows.ports import FlowFact
from services.campaign.outplans.convert import outplan_to_proto
from services.campaign.outplans.domain import Outplan
from services.campaign.outplans.ports import OutplanFact
from services.common.metrics import counter
from services.common.outbox import Outbox, Pending

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


class OutboxEvents(Pending):
    """See ports.Events; writes to the outbox."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__(outbox)
        self._results: list[str] = []

    def campaign(self, fact: CampaignFact, campaign: Campaign) -> None:
        """See campaigns.ports.CampaignEvents."""
        message = campaign_events.CampaignEvent(
            campaign=campaign_to_proto(campaign), stop_mode=STOP_MODES[campaign.run.stop_mode]
        )
        self.tell("campaign", fact, message, campaign)

    def campaigncall(self, fact: CampaigncallFact, call: Campaigncall) -> None:
        """See campaigncalls.ports.CampaigncallEvents."""
        message = campaign_events.CampaigncallEvent(campaigncall=campaigncall_to_proto(call))
        self.tell("campaigncall", fact, message, call)

    def done(self, settlement: Settlement) -> None:
        """See campaigncalls.ports.CampaigncallEvents."""
        message = campaign_events.CampaigncallEvent(
            campaigncall=campaigncall_to_proto(settlement.call),
            settlement=settlement_to_proto(settlement),
        )
        self.tell("campaigncall", "done", message, settlement.call)
        self._results.append(settlement.call.result.value)

    def outplan(self, fact: OutplanFact, plan: Outplan, outdial_ids: Sequence[UUID] = ()) -> None:
        """See outplans.ports.OutplanEvents."""
        message = outplan_events.OutplanEvent(
            outplan=outplan_to_proto(plan), outdial_ids=map(str, outdial_ids)
        )
        self.tell("outplan", fact, message, plan)

    def flow(self, fact: FlowFact, flow: Flow) -> None:
        """See flows.ports.FlowEvents."""
        self.tell("flow", fact, flow_events.FlowEvent(flow=flow_to_proto(flow)), flow)

    def count(self) -> None:
        """See ports.Events."""
        opened = 0
        for event in self.events:
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
