"""What the rules of campaigncalls need from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from services.campaign.campaigncalls.domain import (
    Campaigncall,
    Counts,
    RetryPlan,
    Settlement,
)
from services.campaign.campaigncalls.domain_opening import Grant, OpenCall, Opener, Present
from services.campaign.campaigns.ports import CampaignEvents, Campaigns
from services.common.paging import Page

CampaigncallFact = Literal["created", "progressing", "connected", "abandoned", "deleted"]


class Campaigncalls(Protocol):
    """The attempts of all customers, within one transaction."""

    async def grant(self, opener: Opener) -> Grant | None:
        """The right to open, if the campaign is in run with this run, token and holder.

        Until the transaction ends the campaign MUST NOT be stopped, and no id be tombstoned.
        """

    async def insert(
        self, calls: Sequence[Campaigncall], fencing_token: int, place_seconds: float
    ) -> set[UUID]:
        """Add the attempts whose ids are neither known nor tombstoned; their ids.

        They are of one campaign and one batch: what they copy from the campaign, their dialer and
        their deadline MUST be the same. They may be placed for `place_seconds` of the database's time.
        """

    async def present(self, ids: Sequence[UUID]) -> Mapping[UUID, Present]:
        """Those of the ids that are attempts."""

    async def tombstoned(self, ids: Sequence[UUID]) -> set[UUID]:
        """Those of the ids that must never be opened."""

    async def lock(self, ids: Sequence[UUID]) -> Sequence[Campaigncall]:
        """Those of the attempts that exist; nobody else can change them until the end."""

    async def lock_overdue(self, before: datetime, limit: int) -> Sequence[Campaigncall]:
        """Attempts in flight whose deadline is before this domain time and that nobody else has locked."""

    async def save(self, calls: Sequence[Campaigncall]) -> None:
        """Write what changes of locked attempts."""

    async def add_counts(self, counts: Mapping[UUID, Counts], now: datetime) -> set[UUID]:
        """Add to the counters of the campaigns; those now stopping with nothing in flight.

        Their campaigns stay locked until the transaction ends.
        """

    async def retry_plans(self, outplan_ids: set[UUID]) -> Mapping[UUID, RetryPlan]:
        """What the plans say about further tries now."""

    async def open(self, campaign_id: UUID, fencing_token: int) -> Sequence[OpenCall] | None:
        """The campaign's attempts in flight, oldest first; None when the token is not its present one."""

    async def tombstone_unknown(self, ids: Sequence[UUID]) -> None:
        """See to it that none of the ids that is no attempt now ever becomes one."""

    async def find(self, ids: Sequence[UUID]) -> Sequence[Campaigncall]:
        """Those of the attempts that exist."""

    async def get(self, call_id: UUID) -> Campaigncall | None:
        """The attempt, also a deleted one; None if there never was one."""

    async def list(
        self, customer_id: UUID, campaign_id: UUID | None, page: Page
    ) -> Sequence[Campaigncall]:
        """Up to page.size + 1 attempts that are not deleted, newest first, before the cursor."""

    async def purge_tombstones(self, older_than_seconds: float) -> int:
        """Drop tombstones older than that, real time; how many there were."""


class CampaigncallEvents(CampaignEvents, Protocol):
    """The facts to publish with the transaction."""

    def campaigncall(self, fact: CampaigncallFact, call: Campaigncall) -> None:
        """Publish that this happened to the attempt."""

    def done(self, settlement: Settlement) -> None:
        """Publish that the attempt is done, with what its target is settled by."""


class Transaction(Protocol):
    """One database transaction: committed when its context ends without an exception."""

    @property
    def campaigncalls(self) -> Campaigncalls:
        """The attempts."""

    @property
    def campaigns(self) -> Campaigns:
        """The campaigns."""

    @property
    def events(self) -> CampaigncallEvents:
        """The facts."""


class Begin(Protocol):
    """Starts transactions."""

    def __call__(self) -> AbstractAsyncContextManager[Transaction]:
        """A new transaction."""
