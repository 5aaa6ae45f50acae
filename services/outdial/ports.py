"""What the use cases need of the outside: storage, events and the campaign service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from services.common.paging import Page
from services.outdial.domain import (
    Claimed,
    Delta,
    Outdial,
    Plan,
    Progress,
    Settlement,
    Status,
    Target,
)
from services.outdial.domain_imports import Import
from services.outdial.ports_imports import Imports


class Outdials(Protocol):
    """The outdials, deleted ones included. Adding one adds its counters at zero."""

    async def add(self, outdial: Outdial, digest: bytes) -> bool:
        """Insert it; False, and nothing changes, when the id is taken."""

    async def digest(self, outdial_id: UUID) -> bytes | None:
        """The digest it was added with; None when there is none of that id."""

    async def get(self, outdial_id: UUID) -> Outdial | None:
        """The outdial as committed."""

    async def lock(self, outdial_id: UUID) -> Outdial | None:
        """The outdial, unchanged by others until the transaction ends."""

    async def save(self, outdial: Outdial) -> None:
        """Replace a locked one."""

    async def list(self, customer_id: UUID, page: Page) -> Sequence[Outdial]:
        """Up to page.size + 1 that are not deleted, newest first."""


class Targets(Protocol):
    """The targets, deleted ones included."""

    async def add(
        self, targets: Sequence[Target], digests: Mapping[UUID, bytes]
    ) -> Mapping[UUID, bytes | None]:
        """Insert them; those whose id is taken are left out and returned with their digest."""

    async def get_many(self, target_ids: Sequence[UUID]) -> Sequence[Target]:
        """Those that exist, in any order."""

    async def lock(self, target_ids: Sequence[UUID]) -> Sequence[Target]:
        """Those that exist, locked in order of id so that two callers cannot deadlock."""

    async def lock_attempts(self, attempts: Mapping[UUID, UUID | None]) -> Sequence[Target]:
        """Lock, in order of id, the targets progressing for these attempts.

        `attempts` maps attempt id to target id; the target id may be None when it is not known.
        """

    async def save(self, target: Target) -> None:
        """Replace a locked one as a whole."""

    async def save_outcomes(
        self, changes: Sequence[tuple[Target, Target]], tm_update: datetime
    ) -> None:
        """Write what became of locked targets (before, after): none is progressing after it.

        Only the try on the slot of the attempt may have been given back. Texts and addresses stay.
        """

    async def list(self, outdial_id: UUID, page: Page, status: Status | None) -> Sequence[Target]:
        """Up to page.size + 1 that are not deleted, newest first."""


@dataclass(frozen=True, slots=True)
class DialingState:
    """An outdial with its counters and the plan of its latest claim (None before the first)."""

    outdial: Outdial
    progress: Progress
    plan: Plan | None
    knows_claim: bool
    """Whether the claim asked about has taken anything."""


@dataclass(frozen=True, slots=True)
class Expired:
    """A look at expired claims."""

    claim_count: int
    """Claims looked at; as many as were allowed means that there may be more."""
    attempts: Mapping[UUID, UUID]
    """Attempts nothing was heard of, with their targets."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What one round of claiming did."""

    claimed: Sequence[Claimed]
    exhausted_ids: Sequence[UUID]
    """Due targets without a usable slot, now done."""
    is_full: bool
    """As many due targets were found as were looked for: there may be more."""
    progress: Progress


class Dialing(Protocol):
    """Counters, claims and the reopening of one outdial."""

    async def state(self, outdial_id: UUID, claim_id: UUID | None = None) -> DialingState | None:
        """As committed, in one snapshot."""

    async def lock(self, outdial_id: UUID, claim_id: UUID | None = None) -> DialingState | None:
        """The same; its counters are changed by nobody else until the transaction ends."""

    async def plans(
        self, outdial_ids: Sequence[UUID], *, is_locking: bool
    ) -> Mapping[UUID, Plan | None]:
        """The plan of each outdial's latest claim; `is_locking` keeps it until the transaction ends."""

    async def apply(self, deltas: Mapping[UUID, Delta]) -> Mapping[UUID, Plan | None]:
        """Add to the counters and lower the watermark; the plans, which cannot change any more now.

        MUST be the transaction's last lock, except after `lock` of the same outdial.
        """

    async def remember_plan(self, outdial_id: UUID, plan: Plan, *, reopen: bool) -> None:
        """Keep the plan of a locked outdial; `reopen` starts the reopening (again) from its head."""

    async def claimed(self, claim_id: UUID, outdial_id: UUID) -> Sequence[Claimed]:
        """What the claim took and is still progressing; FailedPrecondition for another outdial's."""

    async def take(
        self,
        *,
        state: DialingState,
        claim_id: UUID,
        attempt_ids: Sequence[UUID],
        plan: Plan,
        now: datetime,
        window: int,
        exhaust_limit: int,
        expiry: timedelta,
    ) -> Taken:
        """Take up to len(attempt_ids) of the first `window` due targets of a locked outdial.

        Oldest due time first. Those without a usable slot become done instead, at most `exhaust_limit`.
        Counters and watermark are changed with them, and the claim is kept until `expiry` (real time).
        """

    async def expired(self, limit: int, again: timedelta) -> Expired:
        """Look at up to `limit` expired claims, skipping those another replica looks at.

        Those with attempts nothing was heard of expire again after `again`, the others are forgotten.
        """

    async def reopening(self) -> Sequence[UUID]:
        """Outdials whose exhausted targets are being reopened."""

    async def reopening_batch(self, outdial_id: UUID, limit: int) -> ReopeningBatch | None:
        """The next done targets of the reopening, not locked; None when none is under way."""

    async def reopening_done(self, batch: ReopeningBatch) -> bool:
        """Keep the progress; False when the batch is out of date and MUST be rolled back."""


@dataclass(frozen=True, slots=True)
class ReopeningBatch:
    """Done targets to look at, and where in the list that leaves off."""

    outdial_id: UUID
    number: int
    plan: Plan
    start: tuple[datetime, UUID] | None
    end: tuple[datetime, UUID] | None
    """None at the end of the list."""
    targets: Sequence[Target]


class Change(StrEnum):
    """Event words."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"


class Events(Protocol):
    """Facts, published if and when the transaction commits."""

    def outdial(self, change: Change, outdial: Outdial) -> None:
        """One outdial has changed."""

    def imported(self, outdial: Outdial, found: Import) -> None:
        """An import into the outdial has finished."""

    def targets(
        self, change: Change, targets: Sequence[Target], attempts: Mapping[UUID, UUID] = ...
    ) -> None:
        """Targets have changed; `attempts` maps target id to the attempt that was settled."""


class Transaction(Protocol):
    """One database transaction."""

    @property
    def outdials(self) -> Outdials:
        """The outdials."""

    @property
    def targets(self) -> Targets:
        """The targets."""

    @property
    def dialing(self) -> Dialing:
        """Counters and claims."""

    @property
    def imports(self) -> Imports:
        """The imports."""

    @property
    def events(self) -> Events:
        """What is told to the world."""


class Begin(Protocol):
    """Opens transactions: committed at the end of the block, rolled back by an exception."""

    def __call__(self) -> AbstractAsyncContextManager[Transaction]:
        """Unavailable or Aborted when the database is lost or another was faster."""


@dataclass(frozen=True, slots=True)
class CampaignState:
    """What outdial needs to know of a campaign."""

    is_deleted: bool
    is_stopped: bool


class AttemptState(StrEnum):
    """What the campaign service knows of an attempt."""

    NEVER_OPENED = "never_opened"
    OPEN = "open"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of one attempt; `settlement` is given when it is done."""

    attempt_id: UUID
    state: AttemptState
    settlement: Settlement | None = None


class Campaigns(Protocol):
    """The campaign service."""

    async def state(self, customer_id: UUID, campaign_id: UUID) -> CampaignState | None:
        """The customer's campaign; None when there is none. PermissionDenied for another's."""

    async def resolve(self, attempt_ids: Sequence[UUID]) -> Sequence[Resolution]:
        """What became of up to 1,000 attempts, but for those whose answer cannot be read.

        One never opened can never be opened after this.
        """
