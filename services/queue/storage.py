"""One transaction over everything this process owns; SQL is in the storage of each resource."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.common.db import statement, transaction
from services.queue.agents.storage import PostgresAgents
from services.queue.agents.storage_tags import PostgresTags
from services.queue.queues.ports import QueueEvents
from services.queue.queues.storage import PostgresQueues
from services.queue.queues.storage_queuecalls import PostgresQueuecalls
from services.queue.queues.storage_roster import PostgresCapacities, PostgresRoster


class PendingEvents(QueueEvents, Protocol):
    """Events that are written when the transaction is otherwise complete."""

    async def write(self, conn: AsyncConnection) -> None:
        """Write them in the order in which they were given."""


class PostgresTransaction:
    """See agents.ports.AgentsTransaction and queues.ports.QueuesTransaction."""

    def __init__(self, conn: AsyncConnection, events: PendingEvents) -> None:
        self.agents = PostgresAgents(conn)
        self.tags = PostgresTags(conn)
        self.queues = PostgresQueues(conn)
        self.queuecalls = PostgresQueuecalls(conn)
        self.roster = PostgresRoster(conn)
        self.capacities = PostgresCapacities(conn)
        self.events = events

    async def untag_queues(self, customer_id: UUID, tag_id: UUID, at: datetime) -> list[UUID]:
        """See agents.ports.AgentsTransaction."""
        queues = await self.queues.remove_tag(customer_id, tag_id, at)
        members = await self.queues.members([queue.id for queue in queues])
        for queue in queues:
            self.events.queue("updated", queue, members[queue.id])
        return [queue.id for queue in queues if not queue.tag_ids]


class PostgresTransactions:
    """Begins transactions: `async with transactions() as tx`."""

    def __init__(self, engine: AsyncEngine, new_events: Callable[[], PendingEvents]) -> None:
        self._engine = engine
        self._new_events = new_events

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[PostgresTransaction]:
        """Committed at the end of the block, rolled back by an exception."""
        async with transaction(self._engine) as conn:
            events = self._new_events()
            yield PostgresTransaction(conn, events)
            await events.write(conn)


async def check(engine: AsyncEngine) -> None:
    """For health checks: the database is there, with this service's tables."""
    async with transaction(engine) as conn:
        await conn.execute(statement("SELECT 1 FROM queuecalls LIMIT 1"))
