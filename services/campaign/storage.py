"""Transactions of this process: all repositories and the facts on one connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.campaign.campaigncalls.storage import PostgresCampaigncalls
from services.campaign.campaigns.storage import PostgresBindingChecks, PostgresCampaigns
from services.campaign.campaigns.storage_leases import PostgresLeases
from services.campaign.campaigns.storage_queues import PostgresQueueUses
from services.campaign.flows.storage import FLOWS
from services.campaign.outplans.storage import PostgresOutplans
from services.campaign.ports import Events
from services.campaign.storage_definitions import PostgresDefinitions
from services.common.db import statement, transaction


class PendingEvents(Events, Protocol):
    """Facts that are written when the transaction is otherwise complete."""

    async def write(self, conn: AsyncConnection) -> None:
        """Write them in the order in which they were told."""


class PostgresTransaction:
    """The Transaction of every sub-package's ports."""

    def __init__(self, conn: AsyncConnection, events: Events) -> None:
        self.campaigns = PostgresCampaigns(conn)
        self.leases = PostgresLeases(conn)
        self.bindings = PostgresBindingChecks(conn)
        self.queue_uses = PostgresQueueUses(conn)
        self.campaigncalls = PostgresCampaigncalls(conn)
        self.outplans = PostgresOutplans(conn)
        self.flows = PostgresDefinitions(conn, FLOWS)
        self.events = events


class Transactions:
    """Starts transactions; the Begin of every sub-package's ports."""

    def __init__(self, engine: AsyncEngine, new_events: Callable[[], PendingEvents]) -> None:
        self._engine = engine
        self._new_events = new_events

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[PostgresTransaction]:
        """A transaction, committed with its facts unless its context ends with an exception."""
        events = self._new_events()
        async with transaction(self._engine) as conn:
            yield PostgresTransaction(conn, events)
            await events.write(conn)
        events.count()


async def check(engine: AsyncEngine) -> None:
    """For health checks: the database is there, with the schema."""
    async with transaction(engine) as conn:
        await conn.execute(statement("SELECT 1 FROM campaign_states LIMIT 1"))
