"""What the outplan rules need from outside."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol
from uuid import UUID

from services.campaign.outplans.domain import Outplan
from services.common.paging import Page

OutplanFact = Literal["created", "updated", "deleted"]


class Outplans(Protocol):
    """The outplans of all customers, within one transaction."""

    async def get(self, outplan_id: UUID) -> Outplan | None:
        """The plan, also a deleted one; None if there never was one."""

    async def get_for_use(self, outplan_id: UUID) -> Outplan | None:
        """Like get, and until the end of the transaction nobody MUST be able to change or delete it."""

    async def lock(self, outplan_id: UUID) -> Outplan | None:
        """Like get, and nobody else MUST be able to change or use it until the transaction ends."""

    async def insert(self, plan: Outplan, digest: str) -> bool:
        """Add the plan with the digest of its request; False, and no change, if the id is taken."""

    async def digest(self, outplan_id: UUID) -> str:
        """The digest of the request that created the plan."""

    async def save(self, plan: Outplan) -> None:
        """Write every member of a plan that exists."""

    async def list(self, customer_id: UUID, page: Page) -> Sequence[Outplan]:
        """Up to page.size + 1 plans that are not deleted, newest first, before the page's cursor."""

    async def busy_campaigns(self, outplan_id: UUID) -> Sequence[UUID]:
        """Campaigns in run or stopping that use the plan."""

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
