"""The campaign process on a real database, with the other services played by fakes of its ports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from outbound.campaign.v1 import events_pb2 as campaign_events
from outbound.common.v1 import events_pb2
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaign import app
from services.campaign.campaigncalls.domain import Report, ReportKind
from services.campaign.campaigncalls.domain_opening import Attempt, Opened, Opener, Verdict
from services.campaign.campaigns.domain import (
    Campaign,
    CampaignChange,
    CampaignDraft,
    CampaignType,
    EndHandle,
    Status,
    StopMode,
    Transition,
)
from services.campaign.campaigns.domain_leases import HeldLease, Lease, RunLimits
from services.campaign.campaigns.ports import Outdial
from services.campaign.events import OutboxEvents
from services.campaign.flows.domain import Flow, FlowChange, FlowDraft
from services.campaign.outplans.domain import Outplan, OutplanChange, OutplanDraft
from services.campaign.storage import Transactions
from services.common.actions import Action
from services.common.address import Address
from services.common.bus import Bus
from services.common.clock import ManualClock
from services.common.db import create_engine
from services.common.errors import NotFound, PermissionDenied, Unavailable
from services.common.ids import new_id
from services.common.limits import MAX_CONVERSATION_MS
from services.common.outbox import Outbox, Relay

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CUSTOMER = new_id()
LIMITS = RunLimits(10.0, 300, MAX_CONVERSATION_MS)
RUN = Transition(Status.RUN)
STOP = Transition(Status.STOP)


@dataclass
class FakeOutdials:
    """ports.Outdials in memory. `is_down` makes every call fail as an outage does."""

    rows: dict[UUID, Outdial] = field(default_factory=dict)
    is_down: bool = False

    def add(self, customer_id: UUID = CUSTOMER, campaign_id: UUID | None = None) -> UUID:
        outdial = Outdial(new_id(), customer_id, campaign_id, is_deleted=False)
        self.rows[outdial.id] = outdial
        return outdial.id

    def holder(self, outdial_id: UUID) -> UUID | None:
        return self.rows[outdial_id].campaign_id

    async def get(self, customer_id: UUID, outdial_id: UUID) -> Outdial | None:
        self._check()
        return self.rows.get(outdial_id)

    async def bind(
        self,
        customer_id: UUID,
        outdial_id: UUID,
        campaign_id: UUID | None,
        expected: UUID | None = None,
    ) -> UUID | None:
        self._check()
        outdial = self.rows.get(outdial_id)
        if outdial is None:
            raise NotFound(f"there is no outdial {outdial_id}", reason="OUTDIAL_NOT_FOUND")
        if outdial.campaign_id not in (None, campaign_id, expected):
            return outdial.campaign_id
        self.rows[outdial_id] = Outdial(outdial_id, outdial.customer_id, campaign_id, False)
        return None

    def _check(self) -> None:
        if self.is_down:
            raise Unavailable("outdial is not available")


@dataclass
class FakeQueues:
    """flows.ports.Queues in memory."""

    ids: set[UUID] = field(default_factory=set)
    foreign: set[UUID] = field(default_factory=set)

    def add(self) -> UUID:
        queue_id = new_id()
        self.ids.add(queue_id)
        return queue_id

    async def exists(self, customer_id: UUID, queue_id: UUID) -> bool:
        if queue_id in self.foreign:
            raise PermissionDenied(f"queue {queue_id} belongs to another customer")
        return queue_id in self.ids


@dataclass
class Plant:
    """The services with what they stand on, and shortcuts for what most tests need."""

    services: app.Services
    outdials: FakeOutdials
    queues: FakeQueues
    clock: ManualClock
    engine: AsyncEngine
    begin: Transactions

    async def outplan(self, **members: Any) -> Outplan:
        values: dict[str, Any] = {
            "id": None,
            "digest": "",
            "name": "plan",
            "detail": "",
            "source": None,
            "dial_timeout": 30_000,
            "try_interval": 60_000,
            "max_try_counts": {0: 3},
            "calls_per_second": None,
            "max_concurrent": None,
        }
        draft = OutplanDraft(**(values | members))
        return await self.services.outplans.create_outplan(CUSTOMER, draft)

    async def change_outplan(self, outplan_id: UUID, **members: Any) -> Outplan:
        change = OutplanChange(**members)
        return await self.services.outplans.update_outplan(CUSTOMER, outplan_id, change)

    def wired(self, limits: RunLimits) -> app.Services:
        """The services as after a restart with other settings."""
        return app.wire(
            begin=self.begin,
            outdials=self.outdials,
            queues=self.queues,
            clock=self.clock,
            limits=limits,
        )

    async def flow(self, *actions: Action) -> Flow:
        wanted = FlowDraft(None, "", "flow", "", actions, None)
        return await self.services.flows.create_flow(CUSTOMER, wanted)

    async def change_flow(self, flow_id: UUID, *actions: Action) -> Flow:
        change = FlowChange(actions=actions)
        return await self.services.flows.update_flow(CUSTOMER, flow_id, change)

    async def campaign(self, **members: Any) -> Campaign:
        """A campaign that can be started, unless the members say otherwise."""
        if "outplan_id" not in members:
            members["outplan_id"] = (await self.outplan()).id
        if "outdial_id" not in members:
            members["outdial_id"] = self.outdials.add()
        return await self.services.campaigns.create_campaign(CUSTOMER, draft(**members))

    async def running(self, **members: Any) -> Campaign:
        campaign = await self.campaign(**members)
        return await self.run(campaign.id)

    async def run(self, campaign_id: UUID) -> Campaign:
        return await self.services.campaigns.set_campaign_status(CUSTOMER, campaign_id, RUN)

    async def stop(self, campaign_id: UUID, mode: StopMode = StopMode.NONE) -> Campaign:
        transition = Transition(Status.STOP, mode)
        return await self.services.campaigns.set_campaign_status(CUSTOMER, campaign_id, transition)

    async def get(self, campaign_id: UUID) -> Campaign:
        return await self.services.campaigns.get_campaign(CUSTOMER, campaign_id)

    async def update(self, campaign_id: UUID, **members: Any) -> Campaign:
        change = CampaignChange(**members)
        return await self.services.campaigns.update_campaign(CUSTOMER, campaign_id, change)

    async def lease(
        self, dialer_id: str = "dialer-1", capacity: int = 10, held: Sequence[HeldLease] = ()
    ) -> dict[UUID, Lease]:
        leases = await self.services.leases.acquire_leases(dialer_id, capacity, held)
        return {lease.state.campaign_id: lease for lease in leases}

    async def opener(self, campaign_id: UUID, dialer_id: str = "dialer-1") -> Opener:
        """A fresh lease of the campaign as an opener."""
        lease = (await self.lease(dialer_id))[campaign_id].state
        return Opener(dialer_id, campaign_id, lease.run_number, lease.fencing_token)

    async def open(self, opener: Opener, count: int = 1) -> list[UUID]:
        """Attempts opened, all of them."""
        asked = attempts(count)
        opened = await self.services.campaigncalls.open_campaigncalls(opener, asked)
        assert all(verdict is Verdict.OPENED for _, verdict, _ in opened.verdicts)
        return [each.id for each in asked]

    async def try_open(self, opener: Opener, asked: Sequence[Attempt]) -> Opened:
        return await self.services.campaigncalls.open_campaigncalls(opener, asked)

    async def report(self, *reports: Report) -> list[UUID]:
        return await self.services.campaigncalls.report_campaigncalls(reports)

    async def end(self, *ids: UUID, **members: Any) -> None:
        await self.report(*(self.ended(each, **members) for each in ids))

    def answered(self, call_id: UUID) -> Report:
        return Report(call_id, ReportKind.ANSWERED, self.clock.now())

    def connected(self, call_id: UUID) -> Report:
        return Report(call_id, ReportKind.CONNECTED, self.clock.now())

    def ended(self, call_id: UUID, reason: str = "normal", **members: Any) -> Report:
        return Report(call_id, ReportKind.ENDED, self.clock.now(), hangup_reason=reason, **members)

    async def events(self) -> list[tuple[str, UUID, Any]]:
        """`resource.event`, resource id and content of everything published, in order."""
        async with self.engine.connect() as conn:
            payloads = (
                await conn.execute(text("SELECT payload FROM outbox ORDER BY id"))
            ).scalars()
        found = []
        for payload in payloads:
            batch = events_pb2.EventBatch.FromString(payload)
            for event in batch.events:
                name = f"{batch.resource}.{batch.event}"
                found.append((name, UUID(event.resource_id), event.data))
        return found

    async def event_names(self, resource_id: UUID) -> list[str]:
        return [name for name, about, _ in await self.events() if about == resource_id]

    async def settlement(self, call_id: UUID) -> campaign_events.CampaigncallEvent:
        """The content of the one `done` event of an attempt."""
        found = [
            data
            for name, about, data in await self.events()
            if name == "campaigncall.done" and about == call_id
        ]
        assert len(found) == 1
        return campaign_events.CampaigncallEvent.FromString(found[0].value)

    async def scalar(self, sql: str, **values: Any) -> Any:
        async with self.engine.connect() as conn:
            return (await conn.execute(text(sql), values)).scalar()

    async def execute(self, sql: str, **values: Any) -> None:
        async with self.engine.begin() as conn:
            await conn.execute(text(sql), values)


def draft(**members: Any) -> CampaignDraft:
    values: dict[str, Any] = {
        "id": None,
        "digest": "",
        "type": CampaignType.CALL,
        "name": "campaign",
        "detail": "",
        "service_level": None,
        "end_handle": EndHandle.STOP,
        "actions": (),
        "flow_id": None,
        "outplan_id": None,
        "outdial_id": None,
        "queue_id": None,
        "next_campaign_id": None,
        "source": None,
    }
    return CampaignDraft(**(values | members))


def attempts(count: int = 1) -> list[Attempt]:
    return [
        Attempt(
            id=new_id(),
            outdial_target_id=new_id(),
            destination=Address(type="tel", target=f"+1555{number:07}"),
            destination_index=0,
            try_count=1,
        )
        for number in range(count)
    ]


def held(lease: Lease) -> HeldLease:
    state = lease.state
    return HeldLease(state.campaign_id, state.fencing_token, state.definition_revision)


@asynccontextmanager
async def make_plant(url: str) -> AsyncIterator[Plant]:
    engine = create_engine(url, app.NAME, pool_size=8, max_overflow=8)
    clock = ManualClock(START)
    # Nothing here publishes: the relay is only woken.
    outbox = Outbox(clock, Relay(engine, cast(Bus, None), app.NAME))
    begin = Transactions(engine, lambda: OutboxEvents(outbox))
    outdials, queues = FakeOutdials(), FakeQueues()
    services = app.wire(begin=begin, outdials=outdials, queues=queues, clock=clock, limits=LIMITS)
    try:
        yield Plant(services, outdials, queues, clock, engine, begin)
    finally:
        await engine.dispose()
