"""The dialer without its edges: everything that runs between the ports, wired.

Tests build it on fakes, `app` on gRPC, PostgreSQL and a driver. No rules here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.common.clock import Clock
from services.common.metrics import counter, gauge
from services.dialer.attempts import Attempt, Attempts
from services.dialer.conversations.connects import Connects
from services.dialer.conversations.control import Control
from services.dialer.conversations.desk import Desk
from services.dialer.conversations.errands import Errands
from services.dialer.conversations.flows import Flows
from services.dialer.conversations.journal import Journal
from services.dialer.conversations.performer import Performer
from services.dialer.conversations.recordings import Recordings
from services.dialer.conversations.reports import Reports
from services.dialer.delivery import Delivery
from services.dialer.dialing.capacity import CapacityBook
from services.dialer.dialing.held import Held
from services.dialer.dialing.leases import LeaseKeeper
from services.dialer.dialing.pacing_log import PacingLog
from services.dialer.dialing.placer import Placer
from services.dialer.dialing.runner import Runner
from services.dialer.dialing.takeover import Takeover
from services.dialer.dialing.watch import Watch
from services.dialer.domain.queuecalls import CapacityAsk
from services.dialer.leftovers import LeftoverSweep
from services.dialer.live import Live
from services.dialer.pacing import Pacer, ServiceLevelPacer
from services.dialer.ports import (
    Batch,
    Campaigns,
    HttpCalls,
    Queues,
    RecordingFiles,
    Records,
    Registry,
    Targets,
    Webhooks,
)
from services.dialer.ports import Flows as FlowDefinitions
from services.dialer.ports import Recordings as RecordingRows
from services.dialer.retention import RecordingSweep
from services.dialer.telephony import Telephony
from services.dialer.timers import Timers
from services.dialer.webhooks import WebhookSender

FLUSH_SECONDS = 5.0
"""How long a graceful end waits for reports and rows to be stored (real)."""
EVENTS_AT_A_TIME = 200
"""Events handled before other tasks get their turn: some ten milliseconds."""

_placed = counter("dialer_attempts_placed", "Attempts handed to the carrier")
_in_flight = gauge("dialer_attempts_in_flight", "Attempts held, from placing to end")
_leases = gauge("dialer_leases", "Campaigns run")
_backlog = gauge("dialer_backlog", "Facts not delivered yet", ("what",))

Background = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Ports:
    """The world the dialer works in."""

    campaigns: Campaigns
    targets: Targets
    queues: Queues
    flows: FlowDefinitions
    records: Records
    registry: Registry
    recordings: RecordingRows
    webhooks: Webhooks
    http: HttpCalls
    files: RecordingFiles
    telephony: Telephony
    clock: Clock


@dataclass(frozen=True)
class Limits:
    """What a deployment decides."""

    dialer_id: str
    capacity: int = 500
    recordings_keep_days: int = 90


class DialerSystem:
    """All live parts of one dialer."""

    def __init__(self, ports: Ports, limits: Limits, pacer: Pacer | None = None) -> None:
        self._ports = ports
        self._limits = limits
        self._pacer = pacer or ServiceLevelPacer()
        clock, telephony = ports.clock, ports.telephony
        self.attempts = Attempts()
        self.timers = Timers(clock)
        self.journal = Journal(ports.records, clock, self._stored, self._refused)
        self.reports = Reports(ports.campaigns, clock, telephony.settled)
        self.releases: Delivery[UUID] = Delivery(
            "release_claims", ports.targets.release, clock=clock
        )
        self.control = Control(
            telephony=telephony,
            attempts=self.attempts,
            reports=self.reports,
            journal=self.journal,
            clock=clock,
            dialer_id=limits.dialer_id,
            ended=self._attempt_ended,
            link_changed=self._link_changed,
        )
        self._wire_conversations()
        self.capacity = CapacityBook(ports.queues, clock, self._capacity_asks, self._wake)
        self.keeper = LeaseKeeper(ports.campaigns, clock, limits.capacity, self._new_runner)
        self._wire_upkeep()
        self.live = Live(self.attempts, self.control, self.flows, clock, limits.dialer_id)
        self._is_deaf = False

    def _wire_conversations(self) -> None:
        """What happens on answered calls; the parts need each other."""
        ports, limits = self._ports, self._limits
        clock, telephony = ports.clock, ports.telephony
        self.errands = Errands(ports.http, ports.flows, clock)
        self.webhooks = WebhookSender(ports.webhooks, ports.http, clock)
        performer = Performer(telephony, self.timers, self.errands, self.control.hang_up)
        self.flows = Flows(telephony, performer, self.journal, clock, limits.dialer_id)
        self.recordings = Recordings(
            telephony, self.journal, clock, limits.dialer_id, ports.files.size, self.flows.noted
        )
        self.connects = Connects(telephony, clock, self.flows.noted, self.flows.connect_over)
        self.desk = Desk(
            ports.queues,
            telephony,
            self.flows,
            clock,
            timers=self.timers,
            errands=self.errands,
            recordings=self.recordings,
            journaled=self.journal.stored,
            attempt_reports=self.reports,
            connected=self.control.connected,
            agent_changed=self._agent_changed,
            hang_up=self.control.hang_up,
        )
        performer.desk, performer.connects = self.desk, self.connects
        performer.recordings = self.control.recordings = self.recordings
        self.control.flows, self.control.desk = self.flows, self.desk
        self.control.connects = self.connects

    def _wire_upkeep(self) -> None:
        """What looks after attempts, rows and files that nothing is heard of."""
        ports, limits = self._ports, self._limits
        clock, telephony = ports.clock, ports.telephony
        self.watch = Watch(
            telephony=telephony,
            attempts=self.attempts,
            is_leg=self._is_leg,
            control=self.control,
            registry=ports.registry,
            clock=clock,
            dialer_id=limits.dialer_id,
            is_led=lambda campaign_id: self.keeper.runner(campaign_id) is not None,
        )
        self.leftovers = LeftoverSweep(
            telephony=telephony,
            records=ports.records,
            registry=ports.registry,
            attempts=self.attempts,
            journal=self.journal,
            flows=self.flows,
            clock=clock,
            dialer_id=limits.dialer_id,
        )
        self.retention = RecordingSweep(
            ports.recordings,
            ports.files,
            clock,
            keep_days=limits.recordings_keep_days,
            dialer_id=limits.dialer_id,
        )

    # ---------------------------------------------------------------------------------- hints

    def campaigns_changed(self) -> None:
        """A campaign or its definition changed: look at the leases now."""
        self.keeper.wake()

    def targets_changed(self, outdial_ids: Collection[UUID]) -> None:
        """Targets came to these lists."""
        for runner in self.keeper.runners:
            if runner.outdial_id in outdial_ids:
                runner.targets_changed()

    def agents_changed(self) -> None:
        """Agents came or went."""
        self.capacity.ask_again()
        self.desk.seeker.wake()

    def queuecalls_ended(self, queuecall_ids: Collection[UUID]) -> None:
        """Callers are out of their queues: perhaps kicked."""
        self.desk.seeker.look(queuecall_ids)

    # ------------------------------------------------------------------------------- life cycle

    def background(self) -> list[tuple[str, Background]]:
        """What runs until the process ends."""
        return [
            ("journal", self.journal.run),
            ("reports", self.reports.delivery.run),
            ("releases", self.releases.run),
            ("joins", self.desk.joins.run),
            ("queue_reports", self.desk.reports.run),
            ("timers", self.timers.run),
            ("errands", self.errands.run),
            ("webhooks", self.webhooks.run),
            ("recordings", self.recordings.run),
            ("retention", self.retention.run),
            ("events", self._listen),
            ("queue", self.desk.seeker.run),
            ("capacity", self.capacity.run),
            ("leases", self.keeper.run),
            ("deadlines", self.watch.run_deadlines),
            ("strays", self.watch.run_strays),
            ("leftovers", self.leftovers.run),
            ("gauges", self._measure),
        ]

    async def drain(self) -> None:
        """Hand everything over: dial no more, store what is known, give the leases back.

        Conversations stay alive in the network; the next holder adopts them. From the moment the
        last facts are stored this dialer is deaf, so that nothing is decided twice.
        """
        await self.keeper.drain()
        self._is_deaf = True
        self.timers.freeze()
        self.errands.freeze()
        self.desk.seeker.freeze()
        stores = (
            self.releases.flushed(),
            self.reports.delivery.flushed(),
            self.desk.joins.flushed(),
            self.desk.reports.flushed(),
            self.journal.flushed(),
        )
        waiting = [asyncio.ensure_future(each) for each in stores]
        _, late = await asyncio.wait(waiting, timeout=FLUSH_SECONDS)
        for each in late:
            each.cancel()
        await self.keeper.release()

    # ----------------------------------------------------------------------------------- wiring

    async def _listen(self) -> None:
        async for events in self._ports.telephony.events():
            for start in range(0, len(events), EVENTS_AT_A_TIME):
                if not self._is_deaf:
                    self.control.handle(events[start : start + EVENTS_AT_A_TIME])
                # A flood of events must not keep a lease from being renewed.
                await asyncio.sleep(0)

    async def _measure(self) -> None:
        while True:
            _in_flight.set(len(self.attempts))
            _leases.set(len(self.keeper.runners))
            _backlog.labels("reports").set(self.reports.delivery.backlog)
            _backlog.labels("queue_reports").set(self.desk.reports.backlog)
            _backlog.labels("journal").set(self.journal.backlog)
            _backlog.labels("errands").set(self.errands.backlog)
            await self._ports.clock.sleep_real(1.0)

    def _new_runner(self, held: Held) -> Runner:
        ports = self._ports
        placer = Placer(
            held,
            campaigns=ports.campaigns,
            targets=ports.targets,
            telephony=ports.telephony,
            attempts=self.attempts,
            reports=self.reports,
            clock=ports.clock,
            releases=self.releases,
            placed=_placed.inc,
        )
        takeover = Takeover(
            held,
            placer,
            campaigns=ports.campaigns,
            targets=ports.targets,
            records=ports.records,
            telephony=ports.telephony,
            attempts=self.attempts,
            reports=self.reports,
            journal=self.journal,
            control=self.control,
            clock=ports.clock,
        )
        return Runner(
            held,
            placer,
            takeover,
            campaigns=ports.campaigns,
            targets=ports.targets,
            telephony=ports.telephony,
            attempts=self.attempts,
            control=self.control,
            capacity=self.capacity,
            pacer=self._pacer,
            pacing_log=PacingLog(self.journal, self.attempts, ports.clock),
            clock=ports.clock,
            finished=self.keeper.wake,
        )

    def _stored(self, batch: Batch) -> None:
        if batch.webhooks:
            self.webhooks.wake()

    def _refused(self, activeflow_id: UUID) -> None:
        self.live.end_unstorable(activeflow_id)

    def _is_leg(self, call_id: UUID) -> bool:
        return self.desk.stays.of_leg(call_id) is not None or self.connects.is_leg(call_id)

    def _capacity_asks(self) -> Sequence[CapacityAsk]:
        asks = (runner.capacity_ask() for runner in self.keeper.runners)
        return [ask for ask in asks if ask is not None]

    def _attempt_ended(self, campaign_id: UUID) -> None:
        runner = self.keeper.runner(campaign_id)
        if runner is not None:
            runner.attempt_ended()

    def _agent_changed(self, attempt: Attempt) -> None:
        waited = self.attempts.counts(attempt.campaign.id).waiting
        self.attempts.changed(attempt)
        if attempt.has_agent and self.attempts.counts(attempt.campaign.id).waiting < waited:
            self.capacity.taken(attempt.campaign.id)

    def _wake(self, campaign_id: UUID) -> None:
        runner = self.keeper.runner(campaign_id)
        if runner is not None:
            runner.wake()

    def _link_changed(self, is_up: bool) -> None:
        for runner in self.keeper.runners:
            if is_up:
                runner.reconcile()
            else:
                runner.wake()
