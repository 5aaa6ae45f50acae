"""What flows publish."""

from __future__ import annotations

from outbound.flow.v1 import events_pb2 as events_pb

from services.campaign.flows.convert import flow_to_proto
from services.campaign.flows.domain import Flow
from services.campaign.flows.ports import FlowFact
from services.common.outbox import NewEvent


def flow_event(fact: FlowFact, flow: Flow) -> NewEvent:
    """The fact `flow.<fact>`."""
    message = events_pb.FlowEvent(flow=flow_to_proto(flow))
    return NewEvent(
        customer_id=flow.customer_id,
        resource="flow",
        event=fact,
        resource_id=flow.id,
        revision=flow.revision,
        data=message.SerializeToString(),
        data_type=message.DESCRIPTOR.full_name,
    )
