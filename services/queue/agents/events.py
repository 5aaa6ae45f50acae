"""What agents publish."""

from __future__ import annotations

from outbound.agent.v1 import events_pb2 as events_pb

from services.common.outbox import NewEvent
from services.queue.agents.convert import agent_to_proto
from services.queue.agents.domain import Agent


def agent_event(event: str, agent: Agent) -> NewEvent:
    """The fact `agent.<event>`."""
    message = events_pb.AgentEvent(agent=agent_to_proto(agent))
    return NewEvent(
        customer_id=agent.customer_id,
        resource="agent",
        event=event,
        resource_id=agent.id,
        revision=agent.revision,
        data=message.SerializeToString(),
        data_type=message.DESCRIPTOR.full_name,
    )
