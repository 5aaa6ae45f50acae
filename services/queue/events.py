"""The events of one transaction, of every resource, in one statement."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.outbox import NewEvent, Outbox
from services.queue.agents.domain import Agent
from services.queue.agents.events import agent_event
from services.queue.queues.domain import Queue
from services.queue.queues.domain_queuecalls import Queuecall
from services.queue.queues.events import queue_event, queuecall_event


class OutboxEvents:
    """See queues.ports.QueueEvents; written to the outbox at the end of the transaction."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._events: list[NewEvent] = []

    def agent(self, event: str, agent: Agent) -> None:
        """See ports."""
        self._events.append(agent_event(event, agent))

    def queue(self, event: str, queue: Queue) -> None:
        """See ports."""
        self._events.append(queue_event(event, queue))

    def queuecall(self, event: str, call: Queuecall) -> None:
        """See ports."""
        self._events.append(queuecall_event(event, call))

    async def write(self, conn: AsyncConnection) -> None:
        """Write them in the order in which they were given."""
        await self._outbox.append(conn, self._events)
