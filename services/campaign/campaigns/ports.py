"""What the rules of campaigns, runs and leases need from outside."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

from services.campaign.campaigns.domain import Campaign, CampaignStats
from services.campaign.campaigns.domain_leases import HeldLease, LeaseDefinition, LeaseState
from services.campaign.flows.ports import Flows
from services.campaign.outplans.ports import Outplans
from services.common.paging import Page

CampaignFact = Literal[
    "created", "updated", "deleted", "status_run", "status_stopping", "status_stop"
]


@dataclass(frozen=True, slots=True)
class Outdial:
    """What a campaign needs to know of an outdial."""

    id: UUID
    customer_id: UUID
    campaign_id: UUID | None
    is_deleted: bool


class Outdials(Protocol):
    """The outdial service. Both methods act for the customer given."""

    async def get(self, customer_id: UUID, outdial_id: UUID) -> Outdial | None:
        """The outdial; None if there is none. PermissionDenied when it is another customer's."""

    async def bind(
        self,
        customer_id: UUID,
        outdial_id: UUID,
        campaign_id: UUID | None,
        expected: UUID | None = None,
    ) -> UUID | None:
        """Bind the outdial to the campaign, or release it (None), by compare-and-set.

        It succeeds, returning None, while the outdial is free, bound to `campaign_id` or bound to
        `expected`; otherwise nothing changes and the campaign that holds it is returned. NotFound
        when there is no such outdial.
        """


class Campaigns(Protocol):
    """The campaigns of all customers, within one transaction."""

    async def get(self, campaign_id: UUID) -> Campaign | None:
        """The campaign, also a deleted one; None if there never was one."""

    async def lock(self, campaign_id: UUID) -> Campaign | None:
        """Like get; nobody else MUST be able to change it or to open an attempt until the end."""

    async def insert(self, campaign: Campaign, digest: str) -> bool:
        """Add the campaign with the digest of its request; False, and no change, if the id is taken."""

    async def digest(self, campaign_id: UUID) -> str:
        """The digest of the request that created the campaign."""

    async def save(self, campaign: Campaign) -> None:
        """Write definition and run of a locked campaign, all but the counts of its attempts."""

    async def list(self, customer_id: UUID, page: Page) -> Sequence[Campaign]:
        """Up to page.size + 1 campaigns that are not deleted, newest first, before the cursor."""

    async def stats(self, campaign_id: UUID) -> CampaignStats | None:
        """The counters; the cost MUST NOT depend on the number of attempts."""


class BindingChecks(Protocol):
    """Bindings of outdials that may be left over, to be released unless the campaign uses them."""

    async def note(
        self, customer_id: UUID, outdial_id: UUID, campaign_id: UUID, seconds: float
    ) -> None:
        """Check this binding that many real seconds from now; replaces an earlier note of it."""

    async def is_noted(self, outdial_id: UUID, campaign_id: UUID) -> bool:
        """Whether a check of this binding is still to come."""

    async def forget(self, outdial_id: UUID, campaign_id: UUID) -> None:
        """The binding needs no check."""

    async def due(self, limit: int) -> Sequence[tuple[UUID, UUID, UUID]]:
        """Customer, outdial and campaign of checks that are due, each held off for 30 real seconds."""


class Leases(Protocol):
    """Which dialer runs which campaign. Expiry is by the database's clock; each method one statement."""

    async def renew(self, dialer_id: str, held: Sequence[HeldLease]) -> set[UUID]:
        """Extend those of the leases that the dialer still holds; their campaigns."""

    async def take(self, dialer_id: str, besides: set[UUID], limit: int) -> set[UUID]:
        """Take up to `limit` campaigns in run or stopping, other than `besides`, that nobody holds.

        Those waiting longest first; each under a fencing token larger than any before. What the
        dialer itself holds but did not list counts as held by nobody: it has forgotten it.
        """

    async def release(self, dialer_id: str, held: Sequence[HeldLease]) -> None:
        """Let others take those of the leases that the dialer still holds."""

    async def states(self, campaign_ids: set[UUID]) -> Sequence[LeaseState]:
        """How the leases stand."""

    async def definitions(self, campaign_ids: set[UUID]) -> Sequence[LeaseDefinition]:
        """What a dialer needs to know to run the campaigns."""


class QueueUses(Protocol):
    """Which queues campaigns may run with."""

    async def retire(self, queue_id: UUID) -> Sequence[UUID]:
        """Let no campaign start with the queue any more; none when some, these, run with it.

        No start MUST be able to pass between the look and the note.
        """

    async def restore(self, queue_id: UUID) -> None:
        """Let campaigns start with it again."""

    async def hold(self, queue_id: UUID) -> bool:
        """Whether a campaign may start with it; until the transaction ends it MUST NOT be retired."""


class CampaignEvents(Protocol):
    """The facts to publish with the transaction."""

    def campaign(self, fact: CampaignFact, campaign: Campaign) -> None:
        """Publish that this happened to the campaign."""


class Transaction(Protocol):
    """One database transaction: committed when its context ends without an exception."""

    @property
    def campaigns(self) -> Campaigns:
        """The campaigns."""

    @property
    def leases(self) -> Leases:
        """The leases."""

    @property
    def bindings(self) -> BindingChecks:
        """The bindings to check."""

    @property
    def queue_uses(self) -> QueueUses:
        """The queues that may be used."""

    @property
    def outplans(self) -> Outplans:
        """The outplans."""

    @property
    def flows(self) -> Flows:
        """The flows."""

    @property
    def events(self) -> CampaignEvents:
        """The facts."""


class Begin(Protocol):
    """Starts transactions."""

    def __call__(self) -> AbstractAsyncContextManager[Transaction]:
        """A new transaction."""
