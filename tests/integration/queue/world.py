"""The queue service's use cases on a real database, with a clock that tests move."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.common import db
from services.common.address import Address
from services.common.clock import ManualClock
from services.common.errors import FailedPrecondition
from services.common.ids import new_id
from services.queue.agents.domain import Agent, AgentChange, AgentStatus, NewAgent, NewTag
from services.queue.app import Services, wire
from services.queue.queues.domain import Members, NewQueue, Queue
from services.queue.queues.domain_queuecalls import (
    Joining,
    Queuecall,
    Report,
    ReportKind,
)
from services.queue.queues.domain_sharing import Ask
from services.queue.queues.service_assigning import News
from services.queue.queues.service_capacity import Capacity
from services.queue.storage import PostgresTransactions

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Fact:
    """One event, as `<resource>.<event>` and its subject."""

    name: str
    subject: Any


class RecordedEvents:
    """Events that are kept when their transaction is otherwise complete."""

    def __init__(self, facts: list[Fact]) -> None:
        self._facts = facts
        self._pending: list[Fact] = []

    def agent(self, event: str, agent: Agent) -> None:
        self._pending.append(Fact(f"agent.{event}", agent))

    def queue(self, event: str, queue: Queue, members: Members) -> None:
        self._pending.append(Fact(f"queue.{event}", queue))

    def queuecall(self, event: str, call: Queuecall) -> None:
        self._pending.append(Fact(f"queuecall.{event}", call))

    async def write(self, conn: AsyncConnection) -> None:
        self._facts += self._pending


class PlainPasswords:
    """Passwords without the work."""

    def __init__(self) -> None:
        self.checked: list[str | None] = []

    async def hash(self, password: str) -> str:
        return f"hash of {password}"

    async def matches(self, password: str, password_hash: str | None) -> bool:
        self.checked.append(password_hash)
        return password_hash == f"hash of {password}"


@dataclass
class FakeCampaigns:
    """queues.ports.Campaigns in memory: the flows of each customer."""

    flows: set[tuple[UUID, UUID]] = field(default_factory=set)
    in_use: set[UUID] = field(default_factory=set)
    retired: set[UUID] = field(default_factory=set)
    retires: Callable[[], Awaitable[Any]] | None = None
    """Called in between the check and the deletion of a queue."""

    async def has_flow(self, customer_id: UUID, flow_id: UUID) -> bool:
        return (customer_id, flow_id) in self.flows

    async def retire(self, queue_id: UUID) -> None:
        if queue_id in self.in_use:
            raise FailedPrecondition(
                f"queue {queue_id} is used by campaigns", reason="QUEUE_IN_USE"
            )
        self.retired.add(queue_id)
        if self.retires is not None:
            await self.retires()

    async def restore(self, queue_id: UUID) -> None:
        self.retired.discard(queue_id)


@dataclass
class World:
    """One database with the service on it."""

    engine: AsyncEngine
    clock: ManualClock
    passwords: PlainPasswords
    facts: list[Fact]
    campaigns: FakeCampaigns
    services: Services
    customer_id: UUID = field(default_factory=new_id)
    agents_made: int = 0

    async def queue(self, **members: Any) -> UUID:
        """A new queue."""
        view = await self.services.queues.queues.create_queue(self.customer_id, NewQueue(**members))
        return view.queue.id

    async def tag(self, name: str = "sales") -> UUID:
        """A new tag."""
        return (await self.services.tags.create_tag(self.customer_id, NewTag(name=name))).id

    async def agent(self, status: AgentStatus | None = None, **members: Any) -> UUID:
        """A new agent with a phone of its own, in this status (offline when None)."""
        self.agents_made += 1
        wanted = {
            "username": f"agent{self.agents_made}@example.com",
            "password": "correct horse",
            "addresses": (Address("tel", f"+1555{self.agents_made:07d}"),),
        } | members
        agent = await self.services.agents.create_agent(self.customer_id, NewAgent(**wanted))
        if status is not None:
            await self.set_status(agent.id, status)
        return agent.id

    async def available(self, count: int = 1, **members: Any) -> list[UUID]:
        """New agents, each available for a second longer than the next."""
        agents = []
        for _ in range(count):
            agents.append(await self.agent(AgentStatus.AVAILABLE, **members))
            await self.clock.advance(1)
        return agents

    async def set_status(self, agent_id: UUID, status: AgentStatus) -> Agent:
        """What a user does."""
        change = AgentChange(status=status)
        return await self.services.agents.update_agent(self.customer_id, agent_id, change)

    async def get_agent(self, agent_id: UUID) -> Agent:
        """The agent as it is now."""
        return await self.services.agents.get_agent(self.customer_id, agent_id)

    async def join(self, queue_id: UUID, count: int = 1, dialer: str = "d1", **members: Any) -> Any:
        """New callers, each a millisecond behind the one before; one id when `count` is 1."""
        ids = []
        for _ in range(count):
            joining = Joining(
                **{
                    "queuecall_id": new_id(),
                    "queue_id": queue_id,
                    "customer_id": self.customer_id,
                    "campaign_id": None,
                    "call_id": new_id(),
                    "tm": self.clock.now(),
                }
                | members
            )
            await self.services.queues.reporting.join_queue(dialer, [joining])
            await self.clock.advance(0.001)
            ids.append(joining.queuecall_id)
        return ids[0] if count == 1 else ids

    async def call(self, queuecall_id: UUID) -> Queuecall:
        """The queuecall as it is now."""
        return await self.services.queues.queuecalls.get_queuecall(self.customer_id, queuecall_id)

    async def assign(
        self,
        *waiting: UUID,
        connecting: Sequence[UUID] = (),
        service: Sequence[UUID] = (),
        dialer: str = "d1",
    ) -> News:
        """What a dialer asks all the time."""
        return await self.services.queues.assigning.assign_agents(
            dialer, waiting, connecting, service
        )

    async def pairs(self, *waiting: UUID, dialer: str = "d1") -> dict[UUID, UUID]:
        """Queuecall -> agent, as assigned."""
        news = await self.assign(*waiting, dialer=dialer)
        return {each.queuecall_id: each.agent_id for each in news.assignments}

    async def report(
        self, queuecall_id: UUID, *kinds: ReportKind, agent_id: UUID | None = None
    ) -> None:
        """What a dialer tells, now."""
        await self.services.queues.reporting.report_queuecalls(
            [Report(queuecall_id, kind, agent_id, self.clock.now()) for kind in kinds]
        )

    async def serve(self, queue_id: UUID, **members: Any) -> tuple[UUID, UUID]:
        """A new caller in conversation with an agent: queuecall and agent."""
        queuecall_id = await self.join(queue_id, **members)
        agent_id = (await self.pairs(queuecall_id))[queuecall_id]
        await self.report(queuecall_id, ReportKind.RINGING, ReportKind.CONNECTED, agent_id=agent_id)
        return queuecall_id, agent_id

    async def capacity(self, *asks: tuple[UUID, UUID]) -> list[Capacity]:
        """The answers for (queue, campaign) pairs."""
        return await self.services.queues.capacity.get_capacity([Ask(*each) for each in asks])

    async def sweep(self) -> None:
        """One round of the sweeper."""
        await self.services.sweeper.sweep()

    def take_facts(self, prefix: str = "") -> list[str]:
        """Names of the events since the last time."""
        names = [fact.name for fact in self.facts if fact.name.startswith(prefix)]
        self.facts.clear()
        return names

    async def sql(self, statement: str, **values: Any) -> Sequence[Any]:
        """Rows of a statement of the test's own."""
        async with self.engine.begin() as conn:
            result = await conn.execute(text(statement), values)
            return result.all() if result.returns_rows else []

    async def let_reservations_lapse(self) -> None:
        """Let ten real seconds have passed for every reservation."""
        await self.sql("UPDATE agents SET reserved_until = now() WHERE reserved_until IS NOT NULL")

    async def let_grants_lapse(self) -> None:
        """Let two real seconds have passed for every grant, and nobody have asked meanwhile."""
        await self.sql("UPDATE agents SET granted_until = now() WHERE granted_until IS NOT NULL")
        await self.sql("UPDATE capacity_asks SET asked_at = now() - interval '3 seconds'")


@asynccontextmanager
async def open_world(url: str) -> AsyncIterator[World]:
    """A world on the database of this url."""
    engine = db.create_engine(url, "queue")
    clock = ManualClock(START)
    passwords = PlainPasswords()
    facts: list[Fact] = []
    campaigns = FakeCampaigns()
    services = wire(
        begin=PostgresTransactions(engine, lambda: RecordedEvents(facts)),
        clock=clock,
        passwords=passwords,
        campaigns=campaigns,
        chance=random.Random(7),
    )
    try:
        yield World(engine, clock, passwords, facts, campaigns, services)
    finally:
        await engine.dispose()
