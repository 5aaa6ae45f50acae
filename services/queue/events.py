"""What this process publishes: facts collected in a transaction and written with it."""

from __future__ import annotations

from dataclasses import replace

from outbound.agent.v1 import events_pb2 as agent_events
from outbound.queue.v1 import events_pb2 as queue_events

from services.common.outbox import Pending
from services.queue.agents.convert import agent_to_proto
from services.queue.agents.domain import Agent
from services.queue.queues.convert import queue_to_proto, queuecall_to_proto
from services.queue.queues.domain import Members, Queue
from services.queue.queues.domain_queuecalls import Queuecall


class OutboxEvents(Pending):
    """See queues.ports.QueueEvents; writes to the outbox."""

    def agent(self, event: str, agent: Agent) -> None:
        """See ports."""
        self.tell("agent", event, agent_events.AgentEvent(agent=agent_to_proto(agent)), agent)

    def queue(self, event: str, queue: Queue, members: Members) -> None:
        """See ports."""
        # Who is in it is told by the queuecalls' own events, which may be many.
        shown = queue_to_proto(queue, replace(members, waiting=(), in_service=()))
        self.tell("queue", event, queue_events.QueueEvent(queue=shown), queue)

    def queuecall(self, event: str, call: Queuecall) -> None:
        """See ports."""
        message = queue_events.QueuecallEvent(queuecall=queuecall_to_proto(call))
        self.tell("queuecall", event, message, call)
