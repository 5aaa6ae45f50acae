"""Claim, open, place: the three steps of a batch of attempts in one go, and what may go wrong.

Nothing is fetched ahead: the claim is the moment of dialing. Only an attempt whose opening was
confirmed, and that recently enough, is placed; a claim that was not opened is given back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.common.clock import Clock
from services.common.errors import AppError, Internal
from services.common.ids import new_id
from services.common.log import get_logger
from services.dialer.attempts import Attempt, Attempts
from services.dialer.conversations.reports import Reports
from services.dialer.delivery import TRANSIENT, Delivery
from services.dialer.dialing.extras import Extras
from services.dialer.dialing.held import Held
from services.dialer.domain.campaigns import (
    Claim,
    ClaimedTarget,
    Definition,
    LeaseStatus,
    OpenAnswer,
    TargetFacts,
    Verdict,
)
from services.dialer.outcome import CANCELED_UNPLACED
from services.dialer.ports import Campaigns, Targets
from services.dialer.telephony import Address as CarrierAddress
from services.dialer.telephony import Leg, Placement, Telephony

DEADLINE_SLACK_SECONDS = 10
"""An attempt is looked for this long (domain) after its last moment of ringing."""
CLAIM_LIFE_SECONDS = 20.0
"""A claim whose answer was lost is asked for again this long (real); outdial keeps it 30 s."""
OPEN_PATIENCE_SECONDS = 60.0
"""An opening whose answer was lost is repeated this long (real), then left to the deadline."""
MAX_RING_MS = 600_000


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of one batch."""

    claim: Claim
    started: int


@dataclass(slots=True)
class _PendingClaim:
    """A claim whose answer was lost: asked for again under its id before any other."""

    id: UUID
    limit: int
    since: float


class Placer:
    """Places batches for one campaign; one at a time."""

    def __init__(
        self,
        held: Held,
        *,
        campaigns: Campaigns,
        targets: Targets,
        telephony: Telephony,
        attempts: Attempts,
        reports: Reports,
        clock: Clock,
        releases: Delivery[UUID],
        placed: Callable[[int], None],
    ) -> None:
        self._held = held
        self._campaigns = campaigns
        self._targets = targets
        self._telephony = telephony
        self._attempts = attempts
        self._reports = reports
        self._clock = clock
        self._releases = releases
        self._placed = placed
        self._pending: _PendingClaim | None = None
        self.opening: set[UUID] = set()
        """Attempts on their way through Open: not in the table yet, and nobody else's."""
        self.never_placed: set[UUID] = set()
        """Attempts that may have been opened, and that this dialer knows it never placed."""
        self._log = get_logger()

    async def start(self, limit: int) -> Batch:
        """Start up to `limit` attempts. Raises an AppError when targets could not be claimed."""
        claim = await self._claim(limit)
        # A claim asked for again may be larger than what is wanted now.
        self._give_back([target.attempt_id for target in claim.targets[limit:]])
        started = 0
        if claim.targets:
            started = await self._open_and_place(claim.targets[:limit])
        return Batch(claim, started)

    async def _claim(self, limit: int) -> Claim:
        now = self._clock.boottime()
        pending = self._pending
        if pending is None or now - pending.since > CLAIM_LIFE_SECONDS:
            pending = self._pending = _PendingClaim(new_id(), limit, now)
        campaign = self._held.definition.campaign
        try:
            claim = await self._targets.claim(
                pending.id,
                campaign.outdial_id,
                campaign.id,
                pending.limit,
                self._held.definition.plan,
                self._telephony.address_types,
            )
        except TRANSIENT:
            # It may have happened: the same id gets the same targets next time.
            raise
        except AppError:
            self._pending = None
            raise
        self._pending = None
        return claim

    async def _open_and_place(self, targets: Sequence[ClaimedTarget]) -> int:
        ids = [target.attempt_id for target in targets]
        if not self._held.may_dial(self._clock.boottime()):
            self._give_back(ids)
            return 0
        definition = self._held.definition
        self.opening.update(ids)
        try:
            # From before the asking: the attempts may be opened that early, and their time to be
            # placed runs from then. A repetition does not lengthen it.
            asked_at = self._clock.boottime()
            answer = await self._open(targets, asked_at)
            if answer is None:
                return 0
            place_before = asked_at + answer.place_within_ms / 1000
            return self._place(targets, answer, definition, place_before)
        finally:
            self.opening.difference_update(ids)

    async def _open(self, targets: Sequence[ClaimedTarget], asked_at: float) -> OpenAnswer | None:
        token = self._held.token
        pause = 0.05
        while True:
            try:
                return await self._campaigns.open(token, targets)
            except (*TRANSIENT, Internal) as exc:
                self._log.warning("open_unanswered", error=str(exc), count=len(targets))
                late = self._clock.boottime() - asked_at > OPEN_PATIENCE_SECONDS
                if self._held.is_lost or late:
                    # Opened or not, none was placed. Whoever lists them next will know or wait.
                    self.never_placed.update(target.attempt_id for target in targets)
                    return None
                await self._clock.sleep_real(pause)
                pause = min(pause * 2, 1.0)
            except AppError as exc:
                self._log.error("open_refused", error=str(exc), count=len(targets))
                self._give_back([target.attempt_id for target in targets])
                return None

    def _place(
        self,
        targets: Sequence[ClaimedTarget],
        answer: OpenAnswer,
        definition: Definition,
        place_before: float,
    ) -> int:
        opened: list[tuple[ClaimedTarget, UUID]] = []
        refused: list[UUID] = []
        for target, opening in zip(targets, answer.openings, strict=True):
            if opening.verdict is Verdict.OPENED:
                opened.append((target, opening.activeflow_id or new_id()))
            elif opening.verdict is Verdict.REFUSED:
                refused.append(target.attempt_id)
        if refused:
            self._give_back(refused)
        if self._held.lease.status is not LeaseStatus.RUN:
            # Stopped between the opening and now; nothing has been sent.
            for target, _ in opened:
                self._reports.closed(target.attempt_id, self._clock.now(), CANCELED_UNPLACED)
            return 0
        now = self._clock.now()
        deadline = self._deadline(now, place_before, definition)
        placements = []
        for target, activeflow_id in opened:
            attempt = _attempt(target, activeflow_id, definition, now, deadline)
            self._attempts.add(attempt)
            placements.append(self._placement(attempt, definition, place_before))
        if placements:
            self._telephony.place(placements)
            self._placed(len(placements))
        return len(placements)

    def _deadline(self, now: datetime, place_before: float, definition: Definition) -> datetime:
        real_left = max(0.0, place_before - self._clock.boottime())
        return now + timedelta(
            seconds=real_left * self._clock.scale + DEADLINE_SLACK_SECONDS,
            milliseconds=_ring_ms(definition),
        )

    def _placement(
        self, attempt: Attempt, definition: Definition, place_before: float
    ) -> Placement:
        source, destination = attempt.source, attempt.destination
        extras = Extras(attempt)
        return Placement(
            call_id=attempt.id,
            leg=Leg.CUSTOMER,
            destination=CarrierAddress(
                destination.type, destination.target, destination.target_name
            ),
            source=None
            if source is None
            else CarrierAddress(source.type, source.target, source.target_name),
            ring_timeout_ms=_ring_ms(definition),
            max_duration_ms=definition.campaign.max_conversation_ms,
            place_before=place_before,
            variables={
                "campaign": str(attempt.campaign.id),
                "target": str(attempt.target.target_id),
                # Named so, they cannot be taken for the system's.
                **{f"var_{name}": value for name, value in extras.of(definition.plan.variables)},
            },
            headers=dict(extras.of(definition.plan.headers)),
        )

    def _give_back(self, ids: Sequence[UUID]) -> None:
        for attempt_id in ids:
            self._releases.add(attempt_id)


def _ring_ms(definition: Definition) -> int:
    return max(1, min(definition.plan.dial_timeout_ms, MAX_RING_MS))


def _attempt(
    target: ClaimedTarget,
    activeflow_id: UUID,
    definition: Definition,
    now: datetime,
    deadline: datetime,
) -> Attempt:
    return Attempt(
        id=target.attempt_id,
        campaign=definition.campaign,
        actions=definition.actions,
        target=TargetFacts(
            definition.campaign.outdial_id,
            target.target_id,
            target.name,
            target.detail,
            target.data,
            target.outdial_name,
            target.outdial_data,
        ),
        source=definition.plan.source,
        destination=target.destination,
        destination_index=target.destination_index,
        try_count=target.try_count,
        activeflow_id=activeflow_id,
        tm_create=now,
        deadline=deadline,
    )
