"""Tells why a campaign dials as it does: metrics at once, the event pacing.decided once a second."""

from __future__ import annotations

from dataclasses import replace

from services.common.clock import Clock
from services.common.metrics import counter
from services.dialer.attempts import Attempts
from services.dialer.conversations.journal import Journal
from services.dialer.dialing.held import Held
from services.dialer.domain.campaigns import PacingDecided
from services.dialer.pacing import Bound, Decision, Situation

TELL_SECONDS = 1.0

_decisions = counter("dialer_pacing_decisions", "Pacing decisions by what bounded them", ("bound",))


class PacingLog:
    """Of one campaign."""

    def __init__(self, journal: Journal, attempts: Attempts, clock: Clock) -> None:
        self._journal = journal
        self._attempts = attempts
        self._clock = clock
        self._wanted = 0
        self._started = 0
        self._told_bound: Bound | None = None
        self._told_at = float("-inf")

    def decided(self, held: Held, situation: Situation, decision: Decision, started: int) -> None:
        """Note a decision; tell it when attempts were started or the bound is another."""
        _decisions.labels(decision.bound.value).inc()
        self._wanted += decision.number
        self._started += started
        if not self._started and decision.bound is self._told_bound:
            return
        boottime = self._clock.boottime()
        if boottime - self._told_at < TELL_SECONDS:
            return
        self._told_at = boottime
        self._told_bound = decision.bound
        self._journal.fact(self._fact(held, situation, decision.bound))
        self._wanted = self._started = 0

    def _fact(self, held: Held, situation: Situation, bound: Bound) -> PacingDecided:
        campaign, plan = held.definition.campaign, held.definition.plan
        return PacingDecided(
            customer_id=campaign.customer_id,
            campaign_id=campaign.id,
            run_number=held.lease.run_number,
            queue_id=campaign.queue_id,
            available=situation.available if situation.has_queue else None,
            counts=replace(self._attempts.counts(campaign.id)),
            service_level=campaign.service_level,
            calls_per_second=plan.calls_per_second,
            max_concurrent=plan.max_concurrent,
            wanted=self._wanted,
            started=self._started,
            bound=bound.value,
            tm=self._clock.now(),
        )
