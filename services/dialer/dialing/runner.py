"""Runs one leased campaign: decides when to dial how many, stops it, and ends it.

Woken by events and by a short tick. Each turn is quick and never waits for a batch under way, so a
stop takes effect while a claim or an opening is still unanswered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.common.clock import Clock
from services.common.errors import AppError, FailedPrecondition, NotFound
from services.common.log import get_logger
from services.dialer.attempts import Attempts
from services.dialer.conversations.control import Control
from services.dialer.dialing.capacity import CapacityBook
from services.dialer.dialing.held import Held
from services.dialer.dialing.pacing_log import PacingLog
from services.dialer.dialing.placer import Batch, Placer
from services.dialer.dialing.rest import Rest
from services.dialer.dialing.takeover import Takeover
from services.dialer.domain.campaigns import OPEN_BATCH, LeaseStatus, Progress
from services.dialer.domain.queuecalls import CapacityAsk
from services.dialer.pacing import (
    BatchSize,
    Bound,
    Decision,
    Pacer,
    Situation,
    TokenBucket,
    decide,
)
from services.dialer.ports import Campaigns, Targets
from services.dialer.telephony import Telephony
from services.dialer.timers import wait_for

TICK_SECONDS = 1.0
BURST_SECONDS = 0.2
"""Tokens gather for this long (real), so that the rate is kept while a batch is under way."""
GATHER_SECONDS = 0.02
"""A campaign held up by its rate alone rests at least this long (real): better a few attempts at once
than a claim for each.
"""
ROOM_SECONDS = 0.1
"""How often a carrier without room is asked again (real): within the burst of its trunks' rates."""
RETRY_SECONDS = 0.25
RECONCILE_SECONDS = 30.0

_UNCLAIMABLE = frozenset({Bound.AGENTS, Bound.CAPACITY_UNKNOWN, Bound.CARRIER})
"""Bounds that may hold for long while nothing is in flight."""
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


class Runner:
    """One campaign under lease. `run` returns after `stop`; a bug passes through."""

    def __init__(
        self,
        held: Held,
        placer: Placer,
        takeover: Takeover,
        *,
        campaigns: Campaigns,
        targets: Targets,
        telephony: Telephony,
        attempts: Attempts,
        control: Control,
        capacity: CapacityBook,
        pacer: Pacer,
        pacing_log: PacingLog,
        clock: Clock,
        finished: Callable[[], None],
    ) -> None:
        self._held = held
        self._placer = placer
        self._takeover = takeover
        self._campaigns = campaigns
        self._targets = targets
        self._telephony = telephony
        self._attempts = attempts
        self._control = control
        self._capacity = capacity
        self._pacer = pacer
        self._pacing_log = pacing_log
        self._clock = clock
        self._finished = finished
        rate = held.definition.plan.calls_per_second
        self._bucket = TokenBucket(rate, BURST_SECONDS * clock.scale, self._domain_seconds())
        self._batch_size = BatchSize(largest=OPEN_BATCH)
        self._batch: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._is_stopped = False
        self._is_finished = False
        self._ended = asyncio.Event()
        self._rest = Rest(clock)
        self._look_at = float("-inf")  # BOOTTIME of the next look for the end without a claim
        self._reconcile_at = float("-inf")  # BOOTTIME
        self._log = get_logger()

    # ------------------------------------------------------------------------------ from outside

    @property
    def campaign_id(self) -> UUID:
        """The campaign run."""
        return self._held.lease.campaign_id

    @property
    def outdial_id(self) -> UUID:
        """The list it dials."""
        return self._held.definition.campaign.outdial_id

    @property
    def customer_id(self) -> UUID:
        """Its owner."""
        return self._held.definition.campaign.customer_id

    def capacity_ask(self) -> CapacityAsk | None:
        """The question for agents, if this campaign could dial for them now."""
        queue_id = self._held.definition.campaign.queue_id
        if queue_id is None or not self._held.may_dial(self._clock.boottime()):
            return None
        # A campaign with nothing due must not keep agents from those that have.
        return None if self._rest.is_on else CapacityAsk(queue_id, self.campaign_id)

    def wake(self) -> None:
        """Something that pacing depends on has changed."""
        self._woken.set()

    def targets_changed(self) -> None:
        """Targets came or may be due earlier than thought."""
        self._rest.end()
        if self._held.definition.campaign.queue_id is not None:
            self._capacity.ask_again()
        self.wake()

    def attempt_ended(self) -> None:
        """One of its attempts is over."""
        if not self._attempts.counts(self.campaign_id).in_flight:
            self._rest.settling()
        self.wake()

    def lease_changed(self) -> None:
        """Status, run or definition of the campaign changed."""
        plan = self._held.definition.plan
        self._bucket.change_rate(plan.calls_per_second, self._domain_seconds())
        self._is_finished = False
        if self._held.lease.status is LeaseStatus.RUN:
            self._control.go_on(list(self._attempts.of(self.campaign_id)))
        self.targets_changed()

    def reconcile(self) -> None:
        """Look again at what is open: the network link was lost for a while."""
        self._reconcile_at = float("-inf")
        self.wake()

    def stop(self) -> None:
        """Start nothing more; `run` returns when the batch under way is done."""
        self._is_stopped = True
        self.wake()

    async def stopped(self) -> None:
        """Return when `run` has."""
        await self._ended.wait()

    # ---------------------------------------------------------------------------------- the loop

    async def run(self) -> None:
        """Dial until stopped."""
        try:
            while not self._is_stopped:
                self._woken.clear()
                real, domain = await self._turn()
                await wait_for(self._woken, self._clock, real=real, domain=domain)
            if self._batch is not None:
                await self._batch
        finally:
            if self._batch is not None:
                self._batch.cancel()
            self._capacity.forget(self.campaign_id)
            self._ended.set()

    async def _turn(self) -> tuple[float, float | None]:
        """One look; how long to rest if nothing happens, in real and in domain seconds."""
        self._raise_batch_failure()
        boottime = self._clock.boottime()
        if self._is_finished or not self._held.is_usable(boottime):
            return TICK_SECONDS, None
        if self._held.lease.status is LeaseStatus.STOPPING:
            self._stop_attempts()
        if not await self._reconciled(boottime):
            return RETRY_SECONDS, None
        if self._held.lease.status is LeaseStatus.STOPPING:
            self._stop_attempts()
        if self._batch is not None:
            # One batch at a time; its end wakes.
            return TICK_SECONDS, None
        return await self._dial()

    async def _reconciled(self, boottime: float) -> bool:
        if not self._held.needs_takeover and boottime < self._reconcile_at:
            return True
        token = self._held.token
        try:
            await self._takeover.run()
        except AppError as exc:
            self._log.warning("takeover_delayed", campaign=str(self.campaign_id), error=str(exc))
            # Once taken over, dialing goes on while the list cannot be had.
            return not self._held.needs_takeover
        if token == self._held.token:
            self._held.needs_takeover = False
            self._reconcile_at = self._clock.boottime() + RECONCILE_SECONDS
        return True

    def _stop_attempts(self) -> None:
        mode = self._held.lease.stop_mode
        self._control.stop(list(self._attempts.of(self.campaign_id)), mode)

    # -------------------------------------------------------------------------------- how many

    async def _dial(self) -> tuple[float, float | None]:
        situation = self._situation()
        if self._rest.is_on and not situation.is_stopping:
            self._note(situation, Decision(0, Bound.NO_TARGET_DUE))
            return self._rest.seconds()
        decision = decide(self._pacer, situation, self._batch_size.current)
        if decision.number > 0:
            self._batch = asyncio.create_task(self._start(situation, decision))
            self._batch.add_done_callback(lambda _: self.wake())
            return TICK_SECONDS, None
        self._note(situation, decision)
        if decision.bound is Bound.CAPACITY_UNKNOWN:
            self._capacity.ask_again()
        if decision.bound is Bound.CALLS_PER_SECOND:
            until_next = self._bucket.seconds_until_next(self._domain_seconds())
            return TICK_SECONDS, max(until_next, GATHER_SECONDS * self._clock.scale)
        if decision.bound in _UNCLAIMABLE and not situation.in_flight:
            await self._look_for_the_end()
        if decision.bound is Bound.CARRIER and situation.is_carrier_up:
            # Nobody tells when a trunk's rate allows the next call.
            return ROOM_SECONDS, None
        return TICK_SECONDS, None

    def _situation(self) -> Situation:
        definition = self._held.definition
        counts = self._attempts.counts(self.campaign_id)
        return Situation(
            has_queue=definition.campaign.queue_id is not None,
            available=self._capacity.available(self.campaign_id),
            dialing=counts.dialing,
            waiting=counts.waiting,
            in_flight=counts.in_flight,
            service_level=definition.campaign.service_level,
            max_concurrent=definition.plan.max_concurrent,
            tokens=self._bucket.available(self._domain_seconds()),
            is_stopping=self._held.lease.status is LeaseStatus.STOPPING,
            is_carrier_up=self._telephony.connected,
            room=self._telephony.room,
        )

    async def _start(self, situation: Situation, decision: Decision) -> None:
        began = self._clock.boottime()
        try:
            batch = await self._placer.start(decision.number)
        except (FailedPrecondition, NotFound) as exc:
            # Deleted, or bound to another campaign: asking again would be for ever.
            self._log.error("list_gone", campaign=str(self.campaign_id), error=str(exc))
            self._rest.briefly()
            await self._finish(str(exc))
            return
        except AppError as exc:
            self._log.warning("claim_failed", campaign=str(self.campaign_id), error=str(exc))
            self._rest.briefly()
            return
        self._bucket.take(batch.started)
        self._batch_size.took(batch.started, self._clock.boottime() - began)
        bound = decision.bound
        if self._is_all_taken(batch, decision.number):
            bound = Bound.NO_TARGET_DUE
            in_flight = self._attempts.counts(self.campaign_id).in_flight
            self._rest.begin(batch.claim.progress, in_flight)
        self._note(situation, Decision(decision.number, bound), batch.started)
        if not batch.claim.targets:
            await self._end_if_exhausted(batch.claim.progress)

    @staticmethod
    def _is_all_taken(batch: Batch, asked: int) -> bool:
        # A claim that set done as many as it may has perhaps more of them before it.
        return len(batch.claim.targets) < asked and batch.claim.exhausted_count < OPEN_BATCH

    def _note(self, situation: Situation, decision: Decision, started: int = 0) -> None:
        self._pacing_log.decided(self._held, situation, decision, started)

    # ----------------------------------------------------------------------------------- the end

    async def _look_for_the_end(self) -> None:
        """No claim can be made now, so ask for the progress alone: a run ends without agents too."""
        boottime = self._clock.boottime()
        if self._held.definition.campaign.continues or boottime < self._look_at:
            return
        self._look_at = boottime + TICK_SECONDS
        try:
            progress = await self._targets.progress(self.customer_id, self.outdial_id)
        except AppError as exc:
            self._log.warning("progress_unknown", campaign=str(self.campaign_id), error=str(exc))
            return
        await self._end_if_exhausted(progress)

    async def _end_if_exhausted(self, progress: Progress) -> None:
        if progress.is_exhausted and not self._held.definition.campaign.continues:
            await self._finish()

    async def _finish(self, error: str = "") -> None:
        if self._attempts.counts(self.campaign_id).in_flight:
            return
        try:
            self._is_finished = await self._campaigns.finish(self._held.token, error)
        except AppError as exc:
            self._log.warning("finish_failed", campaign=str(self.campaign_id), error=str(exc))
            return
        if self._is_finished:
            self._log.info("run_finished", campaign=str(self.campaign_id))
            self._finished()
        else:
            self._rest.settling()

    # ------------------------------------------------------------------------------------ inside

    def _raise_batch_failure(self) -> None:
        if self._batch is not None and self._batch.done():
            batch, self._batch = self._batch, None
            batch.result()

    def _domain_seconds(self) -> float:
        return (self._clock.now() - _EPOCH) / timedelta(seconds=1)
