"""What outplans publish."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from outbound.outplan.v1 import events_pb2 as events_pb

from services.campaign.outplans.convert import outplan_to_proto
from services.campaign.outplans.domain import Outplan
from services.campaign.outplans.ports import OutplanFact
from services.common.outbox import NewEvent


def outplan_event(fact: OutplanFact, plan: Outplan, outdial_ids: Sequence[UUID]) -> NewEvent:
    """The fact `outplan.<fact>`."""
    message = events_pb.OutplanEvent(
        outplan=outplan_to_proto(plan), outdial_ids=[str(each) for each in outdial_ids]
    )
    return NewEvent(
        customer_id=plan.customer_id,
        resource="outplan",
        event=fact,
        resource_id=plan.id,
        revision=plan.revision,
        data=message.SerializeToString(),
        data_type=message.DESCRIPTOR.full_name,
    )
