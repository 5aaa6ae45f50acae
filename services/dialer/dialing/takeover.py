"""Brings this dialer's attempts of a campaign into line with what the campaign service lists.

Done when a lease is new, when the network link came back, and now and then. What is listed and not
held is adopted; what is held and not listed was closed by somebody else and is hung up. A channel
that is missing proves nothing: its deadline decides, after a second look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.common.clock import Clock
from services.common.errors import AppError
from services.common.log import get_logger
from services.dialer.attempts import Attempt, Attempts
from services.dialer.conversations.control import Control
from services.dialer.conversations.journal import Journal
from services.dialer.conversations.reports import Reports
from services.dialer.dialing.held import Held
from services.dialer.dialing.placer import Placer
from services.dialer.domain.calls import Activeflow, Call
from services.dialer.domain.campaigns import Definition, OpenAttempt, TargetFacts
from services.dialer.leftovers import close_leftovers
from services.dialer.outcome import not_placed
from services.dialer.ports import Campaigns, Records, Targets
from services.dialer.telephony import NotPlacedReason, Telephony


class Takeover:
    """Reconciles one campaign."""

    def __init__(
        self,
        held: Held,
        placer: Placer,
        *,
        campaigns: Campaigns,
        targets: Targets,
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
        self._targets = targets
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
                # Also of those stored as ended: the campaign service was not told what they came to.
                ids = [each.id for each in fresh]
                stored = await self._records.unfinished(campaign_id, ids)
            facts = await self._facts(fresh, stored)
        passing |= self._placer.opening | removed
        self._close_unlisted(campaign_id, before, {each.id for each in listed})
        fresh = [each for each in self._not_held(fresh) if each.id not in passing]
        never_placed = self._placer.never_placed
        self._adopt([each for each in fresh if each.id not in never_placed], stored, facts)
        for each in fresh:
            if each.id in never_placed:
                ending = not_placed(NotPlacedReason.DISCONNECTED)
                self._reports.closed(each.id, self._clock.now(), ending)
        # The others stay remembered: an opening may commit after its caller has given it up.
        never_placed.difference_update(each.id for each in fresh)
        known = {each.id for each in listed} | passing
        left = close_leftovers(self._journal, self._clock.now(), stored, self._attempts, known)
        for activeflow in left:
            self._control.left_behind(activeflow)

    def _not_held(self, listed: Sequence[OpenAttempt]) -> list[OpenAttempt]:
        return [each for each in listed if self._attempts.get(each.id) is None]

    def _close_unlisted(self, campaign_id: UUID, before: set[UUID], listed: set[UUID]) -> None:
        for attempt in self._attempts.of(campaign_id):
            if attempt.id in before and attempt.id not in listed:
                self._log.warning("attempt_closed_elsewhere", attempt=str(attempt.id))
                self._control.forget_closed(attempt)

    async def _facts(
        self, fresh: Sequence[OpenAttempt], stored: list[tuple[Call, Activeflow | None]]
    ) -> dict[UUID, TargetFacts]:
        """What flows are to be told of the people called, in as few calls as messages can hold.

        Executions that were stored know it already. A list that cannot be asked for now must not keep
        calls from being adopted: their flows then do without, unless it answers before they begin.
        """
        begun = {call.id for call, activeflow in stored if activeflow is not None}
        wanted = [each.target_id for each in fresh if each.id not in begun]
        unknown = [
            each.target.target_id
            for each in self._attempts.of(self._held.lease.campaign_id)
            if not each.target.is_known and not each.is_answered and each.target.target_id
        ]
        if not wanted and not unknown:
            return {}
        outdial_id = self._held.definition.campaign.outdial_id
        try:
            facts = await self._targets.describe(outdial_id, [*wanted, *unknown])
        except AppError as exc:
            self._log.warning("targets_unknown", outdial=str(outdial_id), error=str(exc))
            return {}
        for attempt in self._attempts.of(self._held.lease.campaign_id):
            if not attempt.target.is_known and attempt.target.target_id in facts:
                attempt.target = facts[attempt.target.target_id]
        return facts

    def _adopt(
        self,
        fresh: list[OpenAttempt],
        stored: list[tuple[Call, Activeflow | None]],
        facts: Mapping[UUID, TargetFacts],
    ) -> None:
        if not fresh:
            return
        rows = {call.id: (call, activeflow) for call, activeflow in stored}
        for each in fresh:
            target = facts.get(each.target_id) or TargetFacts(
                each.outdial_id, each.target_id, is_known=False
            )
            self._attempts.add(_attempt(each, self._held.definition, target))
            if each.id in rows:
                self._control.remember(*rows[each.id])
        self._telephony.adopt([each.id for each in fresh])
        self._log.info(
            "attempts_adopted", campaign=str(self._held.lease.campaign_id), count=len(fresh)
        )


def _attempt(listed: OpenAttempt, definition: Definition, target: TargetFacts) -> Attempt:
    return Attempt(
        id=listed.id,
        campaign=definition.campaign,
        actions=definition.actions,
        target=target,
        source=listed.source,
        destination=listed.destination,
        destination_index=listed.destination_index,
        try_count=listed.try_count,
        activeflow_id=listed.activeflow_id,
        tm_create=listed.tm_create,
        deadline=listed.tm_deadline,
        tm_answer=listed.tm_answer if listed.is_answered else None,
        tm_connect=listed.tm_connect,
        has_agent=listed.tm_connect is not None,
    )
