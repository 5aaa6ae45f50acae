"""What the queue service needs from outside.

Implementations MUST make nothing visible to others before the transaction ends without an exception.
Lock order, so that nobody deadlocks: customers, then queues, then queuecalls, then agents, each kind by
id; whoever cannot keep to it takes only what is free (`try_lock`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.common.paging import Page
from services.queue.agents.domain import Agent
from services.queue.agents.ports import AgentEvents, Tags
from services.queue.queues.domain import Members, Queue, Standing, Tally
from services.queue.queues.domain_matching import Caller, Candidate, Routing
from services.queue.queues.domain_queuecalls import Assignment, Held, Joining, Queuecall
from services.queue.queues.domain_sharing import Ask, Asked, Demand, Group


class Queues(Protocol):
    """Queues of every customer, and their counters."""

    async def insert(self, queue: Queue, digest: str) -> bool:
        """Add it with the digest of its request and counters at zero; False when its id is taken."""

    async def digest(self, queue_id: UUID) -> str | None:
        """The digest it was added with; empty when that was not kept, None when there is no queue."""

    async def get(self, queue_id: UUID) -> Queue | None:
        """The queue, also a deleted one."""

    async def get_many(self, queue_ids: Collection[UUID]) -> list[Queue]:
        """Those that exist, in any order."""

    async def lock(self, queue_id: UUID) -> Queue | None:
        """Like get; nobody else changes it, and nobody joins it, until the transaction ends."""

    async def list_page(self, customer_id: UUID, page: Page) -> list[Queue]:
        """Up to `page.size + 1` that are not deleted, newest first."""

    async def save(self, queue: Queue) -> None:
        """Write it; it MUST be locked."""

    async def members(self, queue_ids: Collection[UUID]) -> dict[UUID, Members]:
        """Who is and was in each of the queues."""

    async def standing(self, queue: Queue) -> Standing:
        """How it stands: who is in it, who has been, and who serves it."""

    async def add_to_counters(self, tallies: Mapping[UUID, Tally]) -> None:
        """Add the figures. Call it last: everybody who counts for the same queue waits."""

    async def routings(self, queue_ids: Collection[UUID]) -> dict[UUID, Routing]:
        """How each of the queues chooses agents."""


class Queuecalls(Protocol):
    """Queuecalls of every customer."""

    async def join(self, dialer_id: str, joinings: Sequence[Joining]) -> list[Queuecall]:
        """Put calls into queues that are not deleted and belong to the call's customer.

        Returns the new ones, waiting; those whose id exists, or whose queue will not do, are left
        out.
        """

    async def get(self, queuecall_id: UUID) -> Queuecall | None:
        """The queuecall, also a deleted one."""

    async def id_of_call(self, call_id: UUID) -> UUID | None:
        """The latest queuecall of a call, a live one before an ended one."""

    async def list_page(self, customer_id: UUID, page: Page) -> list[Queuecall]:
        """Up to `page.size + 1` that are not deleted, newest first."""

    async def lock_many(self, queuecall_ids: Collection[UUID]) -> dict[UUID, Queuecall]:
        """Those that exist, locked in the order of their ids."""

    async def try_lock(self, queuecall_ids: Collection[UUID]) -> dict[UUID, Queuecall]:
        """Those that exist and that nobody else has locked, locked."""

    async def try_lock_overdue(self, now: datetime, limit: int) -> dict[UUID, Queuecall]:
        """Waiting ones past their wait_deadline and served ones past their service_deadline.

        Locked; those that somebody else has locked are left out.
        """

    async def try_lock_forgotten(self, limit: int) -> dict[UUID, Queuecall]:
        """Live ones that no dialer has renewed for long (REAL time), locked likewise."""

    async def next_deadline(self) -> datetime | None:
        """The earliest instant at which one is overdue, if any can be."""

    async def save(self, calls: Collection[Queuecall]) -> None:
        """Write them; they MUST be locked."""

    async def renew(self, dialer_id: str, queuecall_ids: Collection[UUID]) -> dict[UUID, Held]:
        """Note that the dialer holds them (REAL time); those that exist, as they are."""

    async def waiting(
        self, queue_ids: Collection[UUID], asked_for: Collection[UUID], now: datetime, limit: int
    ) -> list[Caller]:
        """Callers of the queues who may get an agent now, oldest first.

        Left out: those past their wait_deadline; those whose dialer has not been heard of lately;
        those who just lost an agent, unless their dialer asks for another (`asked_for`).
        """

    async def assignments(self, queuecall_ids: Collection[UUID]) -> list[Assignment]:
        """The reservations of those that are connecting."""

    async def has_live(self, queue_id: UUID) -> bool:
        """Whether anybody is in the queue."""


class Roster(Protocol):
    """Agents, as far as queues reserve them."""

    async def lock_involved(
        self, agent_ids: Collection[UUID], queuecall_ids: Collection[UUID]
    ) -> list[Agent]:
        """Agents of these ids and agents held by these queuecalls, locked in the order of ids."""

    async def try_lock(self, agent_ids: Collection[UUID]) -> dict[UUID, Agent]:
        """Those that exist and that nobody else has locked, locked."""

    async def try_lock_lapsed(self, agent_ids: Collection[UUID]) -> list[Agent]:
        """Those whose reservation is over (REAL time) and that nobody else has locked, locked."""

    async def try_lock_wrapped_up(self, now: datetime, limit: int) -> list[Agent]:
        """Those whose wrap-up is over and that nobody else has locked, locked."""

    async def next_wrapup(self) -> datetime | None:
        """The earliest end of a wrap-up, if there is one."""

    async def lapsed(self, limit: int) -> dict[UUID, UUID]:
        """Agents whose reservation is over (REAL time), and the queuecalls they are held by."""

    async def save_states(
        self, agents: Collection[Agent], resting: Collection[UUID] = frozenset()
    ) -> None:
        """See agents.ports.Agents."""

    async def hold(self, queuecall_ids: Collection[UUID]) -> None:
        """Keep the agents of these ended queuecalls for some REAL seconds.

        Their phones are still connected: the dialer reports the end when they no longer are.
        """

    async def renew(self, queuecall_ids: Collection[UUID]) -> None:
        """Make the reservations of these queuecalls live longer (REAL time)."""

    async def candidates(self, customer_ids: Collection[UUID]) -> list[Candidate]:
        """The customers' available agents that can be rung, with their live grants."""


class Capacities(Protocol):
    """Who asks for agents, and whom they are granted to."""

    async def hold(self, customer_ids: Collection[UUID]) -> None:
        """Let no other transaction that calls this for one of the customers pass until the end.

        Those that grant or assign agents call it first, so that they see all agents and skip none.
        """

    async def asked(self, queue_ids: Collection[UUID]) -> tuple[dict[UUID, Asked], int]:
        """The queues that are not deleted, and the present turn (see sharing.share)."""

    async def demands(self, asks: Mapping[Ask, UUID], now: datetime) -> list[Demand]:
        """Note who asks (with the queue's customer); everybody who wants agents of the customers.

        That is: these, those who asked within the last two REAL seconds, and, each limited to the
        number of its callers, those whose callers may get an agent `now` (see Queuecalls.waiting).
        """

    async def groups(self, customer_ids: Collection[UUID]) -> list[Group]:
        """The customers' agents."""

    async def grant(self, grants: Mapping[UUID, UUID | None]) -> set[UUID]:
        """Grant agents to campaigns for two REAL seconds, or take grants away.

        Returns those it was done for: agents that are no longer available are left out.
        """

    async def forget_old_asks(self) -> None:
        """Drop what no longer counts."""


class QueueEvents(AgentEvents, Protocol):
    """The facts a transaction publishes when it commits, in the order given."""

    def queue(self, event: str, queue: Queue, members: Members) -> None:
        """`created`, `updated` or `deleted`, with how many callers there have been."""

    def queuecall(self, event: str, call: Queuecall) -> None:
        """`created`, `waiting`, `connecting`, `serviced`, `done`, `abandoned` or `deleted`."""


class QueuesTransaction(Protocol):
    """One transaction."""

    @property
    def queues(self) -> Queues:
        """Queues."""

    @property
    def queuecalls(self) -> Queuecalls:
        """Queuecalls."""

    @property
    def roster(self) -> Roster:
        """Agents."""

    @property
    def capacities(self) -> Capacities:
        """Grants."""

    @property
    def tags(self) -> Tags:
        """Tags."""

    @property
    def events(self) -> QueueEvents:
        """Events."""


class Campaigns(Protocol):
    """The campaign service."""

    async def has_flow(self, customer_id: UUID, flow_id: UUID) -> bool:
        """Whether it is one of the customer's, for whom this asks, and not deleted."""

    async def retire(self, queue_id: UUID) -> None:
        """Let no campaign start with the queue any more; FailedPrecondition while one runs with it."""

    async def restore(self, queue_id: UUID) -> None:
        """Let campaigns start with it again: it was not deleted after all."""


class BeginQueues(Protocol):
    """Begins a transaction: `async with begin() as tx`."""

    def __call__(self) -> AbstractAsyncContextManager[QueuesTransaction]:
        """Committed at the end of the block, rolled back by an exception."""


class DueTimes(Protocol):
    """Who must know when something is due."""

    def note(self, instants: Iterable[datetime]) -> None:
        """Something is due at each of these domain instants."""
