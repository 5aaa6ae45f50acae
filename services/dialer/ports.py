"""What the dialer needs of the world besides the telephone network (see telephony.py).

Every method that talks to another process MAY raise services.common.errors.Unavailable, and then MAY
have had its effect: those marked idempotent may be repeated as they are. Other AppErrors mean that
nothing was changed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.common.paging import Page
from services.dialer.domain.calls import (
    Activeflow,
    ActiveflowFact,
    Call,
    CallFact,
    DialerEntry,
    FlowDefinition,
)
from services.dialer.domain.campaigns import (
    AttemptReport,
    Claim,
    ClaimedTarget,
    DialPlan,
    HeldLease,
    Lease,
    OpenAnswer,
    OpenAttempt,
    PacingDecided,
    Progress,
    RunToken,
    TargetFacts,
)
from services.dialer.domain.queuecalls import (
    Capacity,
    CapacityAsk,
    Joined,
    Joining,
    QueueNews,
    QueueReport,
)
from services.dialer.domain.recordings import Recording, RecordingFact
from services.dialer.domain.slots import SlotHolder, SlotRenewal
from services.dialer.domain.webhooks import HttpAnswer, HttpRequest, TakenWebhook, Webhook

Fact = CallFact | ActiveflowFact | RecordingFact | PacingDecided


@dataclass(frozen=True, slots=True)
class Batch:
    """What is stored in one transaction."""

    calls: Sequence[Call] = ()
    activeflows: Sequence[Activeflow] = ()
    facts: Sequence[Fact] = ()
    recordings: Sequence[Recording] = ()
    webhooks: Sequence[Webhook] = ()

    def __len__(self) -> int:
        return sum(len(getattr(self, each.name)) for each in fields(self))


class Campaigns(Protocol):
    """The campaign service."""

    async def acquire(self, capacity: int, held: Sequence[HeldLease]) -> list[Lease]:
        """Renew, find and take over leases: all leases held after the call. Idempotent."""

    async def release(self, held: Sequence[HeldLease]) -> None:
        """Hand leases back. Idempotent."""

    async def open(self, token: RunToken, targets: Sequence[ClaimedTarget]) -> OpenAnswer:
        """Open attempts: the commit point. Idempotent for the same ids and token."""

    async def report(self, reports: Sequence[AttemptReport]) -> list[UUID]:
        """Tell facts in order, at most OPEN_BATCH; the ids nobody knows. Idempotent."""

    async def list_open(self, token: RunToken) -> list[OpenAttempt]:
        """Attempts of the campaign that are not done."""

    async def finish(self, token: RunToken, error: str = "") -> bool:
        """End a run whose targets are exhausted; False when the token was stale or calls are open.

        With `error` the run ends because it cannot go on, for the reason given.
        """


class Targets(Protocol):
    """The outdial service."""

    async def claim(
        self,
        claim_id: UUID,
        outdial_id: UUID,
        campaign_id: UUID,
        limit: int,
        plan: DialPlan,
        address_types: Collection[str],
    ) -> Claim:
        """Take due targets, 1..OPEN_BATCH. Idempotent by claim id."""

    async def release(self, attempt_ids: Sequence[UUID]) -> None:
        """Give claims back that were not opened. Idempotent."""

    async def progress(self, customer_id: UUID, outdial_id: UUID) -> Progress:
        """Counters in one snapshot."""

    async def describe(
        self, outdial_id: UUID, target_ids: Sequence[UUID]
    ) -> dict[UUID, TargetFacts]:
        """What is known of targets of one list, at most OPEN_BATCH; unknown ones are left out."""


class Queues(Protocol):
    """The queue service."""

    async def capacity(self, asks: Sequence[CapacityAsk]) -> list[Capacity]:
        """Grant available agents, in the order asked."""

    async def join(self, joinings: Sequence[Joining]) -> Joined:
        """Put calls into queues; which were refused, and the queues. Idempotent by queuecall id."""

    async def assign(
        self, waiting: Sequence[UUID], connecting: Sequence[UUID], service: Sequence[UUID]
    ) -> QueueNews:
        """Reserve agents for the waiting, renew reservations of the connecting, hear of ends.
        Idempotent: an agent reserved before is assigned again."""

    async def report(self, reports: Sequence[QueueReport]) -> None:
        """Tell facts in order. Idempotent."""


class Flows(Protocol):
    """The flow service."""

    async def definition(self, customer_id: UUID, flow_id: UUID) -> FlowDefinition:
        """A flow that is not deleted; NotFound FLOW_NOT_FOUND otherwise."""


class Records(Protocol):
    """The dialer's own tables."""

    async def save(self, batch: Batch) -> None:
        """Store rows and publish facts in one transaction. A row of an older or the same revision
        than the stored one MUST change nothing, nor one of something that is stored as over. A webhook
        that is stored already is left alone. Idempotent for rows; facts may be told twice."""

    async def create(self, batch: Batch) -> bool:
        """Like save for a new activeflow, the first of the batch, and what follows it; False, and nothing
        done, when its id is taken.
        """

    async def call(self, call_id: UUID) -> Call | None:
        """One call."""

    async def calls(self, customer_id: UUID, page: Page) -> list[Call]:
        """Up to page.size + 1 calls, newest first."""

    async def activeflow(self, activeflow_id: UUID) -> Activeflow | None:
        """One activeflow, also a deleted one."""

    async def activeflows(self, customer_id: UUID, page: Page) -> list[Activeflow]:
        """Up to page.size + 1 activeflows that are not deleted, newest first."""

    async def delete_activeflow(self, activeflow_id: UUID) -> Activeflow:
        """Soft-delete an ended one (with its fact); the row. Deleting twice changes nothing."""

    async def unfinished(
        self, campaign_id: UUID, call_ids: Collection[UUID] = ()
    ) -> list[tuple[Call, Activeflow | None]]:
        """Calls of a campaign stored as not ended, and these in any case, with their activeflows: what
        a take-over finds."""

    async def unheld(self, others: Collection[str]) -> list[UUID]:
        """Calls stored as not ended, or whose activeflow is, that none of these dialers wrote last."""

    async def of_calls(self, call_ids: Collection[UUID]) -> tuple[list[Call], list[Activeflow]]:
        """These calls and their activeflows, as far as they are stored."""

    async def take_without_call(
        self, dialer_id: str, others: Collection[str], besides: Collection[UUID]
    ) -> list[Activeflow]:
        """Take activeflows that run without a call and that none of the other dialers wrote last,
        `besides` excepted: no two callers get the same one, and each is this dialer's after it."""


class Webhooks(Protocol):
    """Webhooks that nobody waits for, until they have arrived. Times are real, by the database."""

    async def take(
        self, limit: int, for_seconds: float, besides: Collection[UUID]
    ) -> list[TakenWebhook]:
        """Take webhooks that are due, longest due first, but for those of some customers; nobody else
        gets them for so long."""

    async def done(self, webhook_ids: Sequence[UUID]) -> None:
        """They have arrived, or are given up."""

    async def postpone(self, webhook_id: UUID, seconds: float) -> None:
        """Try it again then."""


class Recordings(Protocol):
    """The recordings of every dialer."""

    async def recording(self, recording_id: UUID) -> Recording | None:
        """One recording, also a deleted one."""

    async def recordings(
        self, customer_id: UUID, page: Page, *, call_id: UUID | None, campaign_id: UUID | None
    ) -> list[Recording]:
        """Up to page.size + 1 recordings that are not deleted, newest first."""

    async def delete_recording(self, recording_id: UUID) -> Recording:
        """Mark one that is over as deleted (with its fact); the row. Twice changes nothing.
        FailedPrecondition while it is on."""

    async def expire(self, before: datetime, limit: int) -> int:
        """Mark recordings that ended before this domain time as deleted, with their facts; how many.
        Callers at the same time MUST NOT mark the same one."""

    async def files_to_delete(self, limit: int, behind: Recording | None) -> list[Recording]:
        """Deleted recordings whose files are not known to be gone, oldest deletion first, `behind`
        one of them."""

    async def file_deleted(self, recording_ids: Sequence[UUID]) -> None:
        """Their files are gone: the rows name none any more."""


class RecordingFiles(Protocol):
    """The folder in which this dialer finds recordings. A location that leads out of it is none."""

    async def size(self, location: str) -> int | None:
        """Bytes of the file; None when there is none."""

    def read(self, location: str, offset: int, length: int) -> AsyncIterator[bytes]:
        """So many bytes of it from there, in chunks; fewer when the file is shorter."""

    async def delete(self, location: str) -> bool:
        """Delete the file; False when there was none."""


class HttpCalls(Protocol):
    """The web, as flows may use it: http and https, no redirections, limited in time and size."""

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """Send it and give what comes back. HttpFailedError says why there is nothing."""


class Registry(Protocol):
    """Who the dialers are and where. Liveness is judged by the database's clock."""

    async def beat(self, entry: DialerEntry) -> None:
        """Say that this dialer lives and where."""

    async def leave(self, dialer_id: str) -> None:
        """Say that it lives no more."""

    async def living(self) -> list[DialerEntry]:
        """Dialers heard of within the last ten real seconds."""


class Slots(Protocol):
    """Slots of the PBXs. Leases run by the database's clock; `instance` is one process."""

    async def acquire(self, dialer_id: str, instance: UUID) -> int | None:
        """Lease the slot this dialer had, whoever holds it in its name, else the lowest free one.
        None when all are taken. Two dialers MUST never get the same."""

    async def take(self, slot: int, dialer_id: str, instance: UUID) -> bool:
        """Lease one more, to go on with the calls in it; False while somebody else's lease lives."""

    async def renew(self, instance: UUID) -> SlotRenewal:
        """Renew all of this process; what it still has. One that was taken from it is never renewed."""

    async def release(self, instance: UUID, slot: int | None = None) -> None:
        """Give one back, or all: free at once, and remembered as held last by this dialer."""

    async def holders(self) -> list[SlotHolder]:
        """Every slot that was ever leased."""


class Peers(Protocol):
    """Other dialers. Every call acts for the customer; the peer MUST NOT pass it on again."""

    async def hangup_call(self, peer: DialerEntry, customer_id: UUID, call_id: UUID) -> Call | None:
        """End a call the peer holds; None when it does not hold it."""

    async def stop_activeflow(
        self, peer: DialerEntry, customer_id: UUID, activeflow_id: UUID
    ) -> Activeflow | None:
        """End an activeflow the peer runs; None when it does not run it."""

    def read_recording(
        self, peer: DialerEntry, customer_id: UUID, recording_id: UUID, offset: int, length: int
    ) -> AsyncIterator[bytes]:
        """Part of a recording whose file the peer has; NotFound when it does not."""


@dataclass(frozen=True, slots=True)
class Executed:
    """An execution as it stands, and what is to be stored with it."""

    activeflow: Activeflow
    webhooks: Sequence[Webhook]
    follower: Activeflow | None = None  # starts because it has ended


class LiveSide(Protocol):
    """What this process itself holds."""

    def customer_of_call(self, call_id: UUID) -> UUID | None:
        """Owner of a call or ringing attempt held here; None when it is not."""

    def hangup_call(self, call_id: UUID) -> Call:
        """End it; how it stands now (terminating or canceling)."""

    def customer_of_activeflow(self, activeflow_id: UUID) -> UUID | None:
        """Owner of an activeflow run here; None when it is not."""

    def stop_activeflow(self, activeflow_id: UUID) -> Activeflow:
        """End it, and the call it runs on; how it stands now."""

    def execute(self, activeflow: Activeflow) -> Executed:
        """Execute an activeflow without a call up to what takes time, or to its end. What takes time
        begins only when `go_on` says that this has been stored."""

    def go_on(self, activeflow_id: UUID) -> None:
        """See execute."""

    def give_up(self, activeflow_id: UUID) -> None:
        """Forget an execution that could not be stored."""
