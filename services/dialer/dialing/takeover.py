"""Brings this dialer's attempts of a campaign into line with what the campaign service lists.

Done when a lease is new, when the network link came back, and now and then. What is listed and not
held is adopted; what is held and not listed was closed by somebody else and is hung up. A channel
that is missing proves nothing: its deadline decides, after a second look.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.common.clock import Clock
from services.common.log import get_logger
from services.dialer.conversations.control import Control
from services.dialer.conversations.journal import Journal
from services.dialer.dialing.attempts import Attempt, Attempts
from services.dialer.dialing.held import Held
from services.dialer.dialing.placer import Placer
from services.dialer.dialing.reports import Reports
from services.dialer.domain.calls import Activeflow, Call
from services.dialer.domain.campaigns import Definition, OpenAttempt, TargetFacts
from services.dialer.leftovers import close_leftovers
from services.dialer.outcome import not_placed
from services.dialer.ports import Campaigns, Records
from services.dialer.telephony import NotPlacedReason, Telephony


class Takeover:
    """Reconciles one campaign."""

    def __init__(
        self,
        held: Held,
        placer: Placer,
        *,
        campaigns: Campaigns,
        records: Records,
        telephony: Telephony,
        attempts: Attempts,
        reports: Reports,
        journal: Journal,
        control: Control,
        clock: Clock,
    ) -> None:
        self._held = held
        self._placer = placer
        self._campaigns = campaigns
        self._records = records
        self._telephony = telephony
        self._attempts = attempts
        self._reports = reports
        self._journal = journal
        self._control = control
        self._clock = clock
        self._log = get_logger()

    async def run(self) -> None:
        """Reconcile once. Raises an AppError when a service does not answer; nothing is lost then."""
        campaign_id = self._held.lease.campaign_id
        # Ends that are noted but not delivered, or that come while we ask, are not to be adopted.
        passing = self._reports.ending_ids() | self._placer.opening
        before = {attempt.id for attempt in self._attempts.of(campaign_id)}
        stored: list[tuple[Call, Activeflow | None]] = []
        with self._attempts.watching_removals() as removed:
            listed = await self._campaigns.list_open(self._held.token)
            fresh = self._not_held(listed)
            if fresh or self._held.needs_takeover:
                stored = await self._records.unfinished(campaign_id)
        passing |= self._placer.opening | removed
        self._close_unlisted(campaign_id, before, {each.id for each in listed})
        fresh = [each for each in self._not_held(fresh) if each.id not in passing]
        never_placed = self._placer.never_placed
        self._adopt([each for each in fresh if each.id not in never_placed], stored)
        for each in fresh:
            if each.id in never_placed:
                ending = not_placed(NotPlacedReason.DISCONNECTED)
                self._reports.closed(each.id, self._clock.now(), ending)
        # The others stay remembered: an opening may commit after its caller has given it up.
        never_placed.difference_update(each.id for each in fresh)
        known = {each.id for each in listed} | passing
        close_leftovers(self._journal, self._clock.now(), stored, self._attempts, known)

    def _not_held(self, listed: Sequence[OpenAttempt]) -> list[OpenAttempt]:
        return [each for each in listed if self._attempts.get(each.id) is None]

    def _close_unlisted(self, campaign_id: UUID, before: set[UUID], listed: set[UUID]) -> None:
        for attempt in self._attempts.of(campaign_id):
            if attempt.id in before and attempt.id not in listed:
                self._log.warning("attempt_closed_elsewhere", attempt=str(attempt.id))
                self._control.forget_closed(attempt)

    def _adopt(
        self, fresh: list[OpenAttempt], stored: list[tuple[Call, Activeflow | None]]
    ) -> None:
        if not fresh:
            return
        rows = {call.id: (call, activeflow) for call, activeflow in stored}
        for each in fresh:
            self._attempts.add(_attempt(each, self._held.definition))
            if each.id in rows:
                self._control.remember(*rows[each.id])
        self._telephony.adopt([each.id for each in fresh])
        self._log.info(
            "attempts_adopted", campaign=str(self._held.lease.campaign_id), count=len(fresh)
        )


def _attempt(listed: OpenAttempt, definition: Definition) -> Attempt:
    return Attempt(
        id=listed.id,
        campaign=definition.campaign,
        actions=definition.actions,
        target=TargetFacts(listed.outdial_id, listed.target_id),
        source=listed.source,
        destination=listed.destination,
        destination_index=listed.destination_index,
        try_count=listed.try_count,
        activeflow_id=listed.activeflow_id,
        tm_create=listed.tm_create,
        deadline=listed.tm_deadline,
        tm_answer=listed.tm_answer if listed.is_answered else None,
        tm_connect=listed.tm_connect,
        wanted_agent=listed.tm_connect is not None,
        has_agent=listed.tm_connect is not None,
    )
