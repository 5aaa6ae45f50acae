"""What the flow rules need from outside."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol
from uuid import UUID

from services.campaign.flows.domain import Flow
from services.common.paging import Page

FlowFact = Literal["created", "updated", "deleted"]


class Flows(Protocol):
    """The flows of all customers, within one transaction."""

    async def get(self, flow_id: UUID) -> Flow | None:
        """The flow, also a deleted one; None if there never was one."""

    async def get_for_use(self, flow_id: UUID) -> Flow | None:
        """Like get, and until the end of the transaction nobody MUST be able to change or delete it."""

    async def lock(self, flow_id: UUID) -> Flow | None:
        """Like get, and nobody else MUST be able to change or use it until the transaction ends."""

    async def insert(self, flow: Flow, digest: str) -> bool:
        """Add the flow with the digest of its request; False, and no change, if the id is taken."""

    async def digest(self, flow_id: UUID) -> str:
        """The digest of the request that created the flow."""

    async def save(self, flow: Flow) -> None:
        """Write every member of a flow that exists."""

    async def list(self, customer_id: UUID, page: Page) -> Sequence[Flow]:
        """Up to page.size + 1 flows that are not deleted, newest first, before the page's cursor."""

    async def busy_campaigns(self, flow_id: UUID) -> Sequence[UUID]:
        """Campaigns in run or stopping that use the flow."""


class Queues(Protocol):
    """The queue service."""

    async def exists(self, customer_id: UUID, queue_id: UUID) -> bool:
        """True for a queue of the customer that is not deleted. PermissionDenied when it is another's."""


class FlowEvents(Protocol):
    """The facts to publish with the transaction."""

    def flow(self, fact: FlowFact, flow: Flow) -> None:
        """Publish that this happened to the flow."""


class Transaction(Protocol):
    """One database transaction: committed when its context ends without an exception."""

    @property
    def flows(self) -> Flows:
        """The flows."""

    @property
    def events(self) -> FlowEvents:
        """The facts."""


class Begin(Protocol):
    """Starts transactions."""

    def __call__(self) -> AbstractAsyncContextManager[Transaction]:
        """A new transaction."""
