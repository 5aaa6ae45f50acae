"""What the agent service needs from outside: rows, events, and a way to hash passwords.

Implementations MUST give every method of one transaction the same snapshot of what that transaction
wrote, and MUST make nothing visible to others before it ends without an exception.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.common.paging import Page
from services.queue.agents.domain import Agent, AgentState, Tag


@dataclass(frozen=True, slots=True)
class Credentials:
    """An agent that may log in, and the hash of its password."""

    agent: Agent
    password_hash: str


class Agents(Protocol):
    """Agents of every customer. Ownership is the service's matter."""

    async def insert(self, agent: Agent, password_hash: str, digest: str) -> bool:
        """Add it with the digest of its request; False, nothing changed, for a taken id or username.

        Raises AlreadyExists when one of its addresses belongs to another agent of the customer.
        """

    async def digest(self, agent_id: UUID) -> str | None:
        """The digest it was added with; empty when that was not kept, None when there is no agent."""

    async def get(self, agent_id: UUID) -> Agent | None:
        """The agent, also a deleted one."""

    async def lock(self, agent_id: UUID) -> Agent | None:
        """Like get; nobody else changes it until the transaction ends."""

    async def list_page(
        self,
        customer_id: UUID,
        page: Page,
        tag_ids: Sequence[UUID],
        states: Sequence[AgentState],
    ) -> list[Agent]:
        """Up to `page.size + 1` that are not deleted, newest first; an empty filter filters nothing."""

    async def save_states(
        self, agents: Collection[Agent], resting: Collection[UUID] = frozenset()
    ) -> None:
        """Write what agents do. They MUST be locked.

        A reserved or ringing agent's reservation is renewed, a held one stays held (Roster.hold) until
        its state changes, an agent that is not available loses its grant, and those in `resting` are
        not chosen for some real seconds.
        """

    async def save_profile(self, agent: Agent, password_hash: str | None) -> None:
        """Write everything else, and the password unless None; the agent MUST be locked.

        Raises AlreadyExists when one of its addresses belongs to another agent of the customer.
        """

    async def hold_admins(self, customer_id: UUID) -> None:
        """Let no other transaction that calls this for the customer pass until this one ends."""

    async def count_admins(self, customer_id: UUID) -> int:
        """How many agents that are not deleted have the admin bit."""

    async def credentials(self, username: str) -> Credentials | None:
        """Of the agent with this username, if it is not deleted."""

    async def remove_tag(self, customer_id: UUID, tag_id: UUID, at: datetime) -> list[Agent]:
        """Take the tag from every agent; those that had it, as they are now."""


class Tags(Protocol):
    """Tags of every customer."""

    async def insert(self, tag: Tag, digest: str) -> bool:
        """Add it with the digest of its request; False when its id is taken."""

    async def digest(self, tag_id: UUID) -> str | None:
        """The digest it was added with; empty when that was not kept, None when there is no tag."""

    async def get(self, tag_id: UUID) -> Tag | None:
        """The tag, also a deleted one."""

    async def lock(self, tag_id: UUID) -> Tag | None:
        """Like get; nobody else changes it until the transaction ends."""

    async def list_page(self, customer_id: UUID, page: Page) -> list[Tag]:
        """Up to `page.size + 1` that are not deleted, newest first."""

    async def save(self, tag: Tag) -> None:
        """Write it; it MUST be locked."""

    async def existing(self, customer_id: UUID, tag_ids: Collection[UUID]) -> set[UUID]:
        """Those that the customer has; they are not deleted before the transaction ends."""


class AgentEvents(Protocol):
    """The facts a transaction publishes when it commits, in the order given."""

    def agent(self, event: str, agent: Agent) -> None:
        """`created`, `updated`, `deleted` or `status_updated`."""


class AgentsTransaction(Protocol):
    """One transaction."""

    @property
    def agents(self) -> Agents:
        """Agents."""

    @property
    def tags(self) -> Tags:
        """Tags."""

    @property
    def events(self) -> AgentEvents:
        """Events."""

    async def untag_queues(self, customer_id: UUID, tag_id: UUID, at: datetime) -> list[UUID]:
        """Take the tag from every queue, with the queues' events; those left without any tag."""


class BeginAgents(Protocol):
    """Begins a transaction: `async with begin() as tx`."""

    def __call__(self) -> AbstractAsyncContextManager[AgentsTransaction]:
        """Committed at the end of the block, rolled back by an exception."""


class Passwords(Protocol):
    """Hashes passwords. Slow on purpose, so it MUST NOT block the event loop."""

    async def hash(self, password: str) -> str:
        """A salted hash."""

    async def matches(self, password: str, password_hash: str | None) -> bool:
        """Whether the hash is this password's.

        Without a hash it is False and MUST take as long, so that nobody learns who has an account.
        """
