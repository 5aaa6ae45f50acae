"""What the flow rules need from outside."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol
from uuid import UUID

from services.campaign.flows.domain import Flow
from services.campaign.ports_definitions import Definitions

FlowFact = Literal["created", "updated", "deleted"]


Flows = Definitions[Flow]
"""The flows."""


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
