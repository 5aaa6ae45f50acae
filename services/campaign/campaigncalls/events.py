"""What campaigncalls publish."""

from __future__ import annotations

from outbound.campaign.v1 import events_pb2 as events_pb

from services.campaign.campaigncalls.convert import campaigncall_to_proto, settlement_to_proto
from services.campaign.campaigncalls.domain import Campaigncall, Settlement
from services.campaign.campaigncalls.ports import CampaigncallFact
from services.common.outbox import NewEvent

_TYPE = events_pb.CampaigncallEvent.DESCRIPTOR.full_name


def campaigncall_event(fact: CampaigncallFact, call: Campaigncall) -> NewEvent:
    """The fact `campaigncall.<fact>`."""
    return _event(fact, call, events_pb.CampaigncallEvent(campaigncall=campaigncall_to_proto(call)))


def done_event(settlement: Settlement) -> NewEvent:
    """The fact `campaigncall.done`."""
    message = events_pb.CampaigncallEvent(
        campaigncall=campaigncall_to_proto(settlement.call),
        settlement=settlement_to_proto(settlement),
    )
    return _event("done", settlement.call, message)


def _event(word: str, call: Campaigncall, message: events_pb.CampaigncallEvent) -> NewEvent:
    return NewEvent(
        customer_id=call.customer_id,
        resource="campaigncall",
        event=word,
        resource_id=call.id,
        revision=call.revision,
        data=message.SerializeToString(),
        data_type=_TYPE,
    )
