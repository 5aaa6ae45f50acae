"""What the outplan rules need from outside."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol
from uuid import UUID

from services.campaign.outplans.domain import Outplan
from services.campaign.ports_definitions import Definitions

OutplanFact = Literal["created", "updated", "deleted"]


class Outplans(Definitions[Outplan], Protocol):
    """The outplans."""

    async def outdials(self, outplan_id: UUID) -> Sequence[UUID]:
        """Outdials of the campaigns, not deleted, that use the plan."""


class OutplanEvents(Protocol):
    """The facts to publish with the transaction."""

    def outplan(self, fact: OutplanFact, plan: Outplan, outdial_ids: Sequence[UUID] = ()) -> None:
        """Publish that this happened to the plan."""


class Transaction(Protocol):
    """One database transaction: committed when its context ends without an exception."""

    @property
    def outplans(self) -> Outplans:
        """The plans."""

    @property
    def events(self) -> OutplanEvents:
        """The facts."""


class Begin(Protocol):
    """Starts transactions."""

    def __call__(self) -> AbstractAsyncContextManager[Transaction]:
        """A new transaction."""
