"""What campaigns publish."""

from __future__ import annotations

from outbound.campaign.v1 import events_pb2 as events_pb

from services.campaign.campaigns.convert import STOP_MODES, campaign_to_proto
from services.campaign.campaigns.domain import Campaign
from services.campaign.campaigns.ports import CampaignFact
from services.common.outbox import NewEvent


def campaign_event(fact: CampaignFact, campaign: Campaign) -> NewEvent:
    """The fact `campaign.<fact>`."""
    message = events_pb.CampaignEvent(
        campaign=campaign_to_proto(campaign), stop_mode=STOP_MODES[campaign.run.stop_mode]
    )
    return NewEvent(
        customer_id=campaign.customer_id,
        resource="campaign",
        event=fact,
        resource_id=campaign.id,
        revision=campaign.revision,
        data=message.SerializeToString(),
        data_type=message.DESCRIPTOR.full_name,
    )
