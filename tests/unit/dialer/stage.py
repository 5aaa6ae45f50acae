"""One dialer between fakes, and shorthand for what happens to its calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from services.common.clock import ManualClock
from services.common.ids import new_id
from services.dialer.domain.campaigns import AttemptReport, LeaseStatus
from services.dialer.domain.queuecalls import Assignment, RingMethod
from services.dialer.system import DialerSystem, Limits, Ports
from services.dialer.telephony import (
    Answered,
    AnsweredBy,
    Bridged,
    DigitPressed,
    Ended,
    HangupReason,
    HungUpBy,
    PlayFinished,
)
from tests.unit.dialer.fake_telephony import FakeTelephony
from tests.unit.dialer.fakes import (
    START,
    FakeCampaigns,
    FakeFlows,
    FakeQueues,
    FakeTargets,
    FakeWeb,
    address,
    make_definition,
)
from tests.unit.dialer.memory import MemoryFiles, MemoryRecords, MemoryRegistry

STEP_SECONDS = 0.05


class Stage:
    """A dialer that holds (or will hold) the lease of one campaign."""

    def __init__(self, numbers: Sequence[str] = (), agents: int = 0, **definition: Any) -> None:
        prepare: Callable[[Stage], None] | None = definition.pop("prepare", None)
        self.clock = ManualClock(START, boottime=1000.0)
        self.definition = make_definition(**definition)
        self.campaigns = FakeCampaigns(self.definition, self.clock)
        self.targets = FakeTargets(idle=list(numbers))
        self.queues = FakeQueues(available=agents)
        self.records = MemoryRecords()
        self.flow_definitions = FakeFlows()
        self.web = FakeWeb()
        self.files = MemoryFiles()
        self.registry = MemoryRegistry()
        self.telephony = FakeTelephony(self.clock)
        if prepare is not None:
            prepare(self)
        self.system = DialerSystem(
            Ports(
                campaigns=self.campaigns,
                targets=self.targets,
                queues=self.queues,
                flows=self.flow_definitions,
                records=self.records,
                registry=self.registry,
                recordings=self.records.recordings,
                webhooks=self.records.webhooks,
                http=self.web,
                files=self.files,
                telephony=self.telephony,
                clock=self.clock,
            ),
            Limits(dialer_id="dialer-1"),
        )

    async def settle(self, real_seconds: float = 0.3) -> None:
        """Let everything happen that real time of so many seconds lets happen."""
        for _ in range(max(1, round(real_seconds / STEP_SECONDS))):
            await self.clock.advance_real(STEP_SECONDS)

    async def stop_campaign(self) -> None:
        """The campaign goes to `stopping`, and the dialer hears of it."""
        self.campaigns.status = LeaseStatus.STOPPING
        self.system.campaigns_changed()
        await self.settle()

    # ----------------------------------------------------------------------------- the network

    @property
    def calls(self) -> list[UUID]:
        """Customers' calls placed so far."""
        return [each.call_id for each in self.telephony.customers]

    @property
    def legs(self) -> list[UUID]:
        """Agents' calls placed so far."""
        return [each.call_id for each in self.telephony.agents]

    async def answer(self, call_id: UUID, by: AnsweredBy = AnsweredBy.HUMAN) -> None:
        self.telephony.tell(Answered(call_id, self.clock.now(), by))
        await self.settle()

    async def end(
        self, call_id: UUID, reason: HangupReason = HangupReason.NORMAL, detail: str = ""
    ) -> None:
        self.telephony.tell(
            Ended(call_id, self.clock.now(), reason, detail, hung_up_by=HungUpBy.REMOTE)
        )
        await self.settle()

    async def played(self, call_id: UUID, play_id: str) -> None:
        self.telephony.tell(PlayFinished(call_id, self.clock.now(), play_id, True))
        await self.settle()

    async def pressed(self, call_id: UUID, *keys: str) -> None:
        self.telephony.tell(*(DigitPressed(call_id, self.clock.now(), key) for key in keys))
        await self.settle()

    async def bridged(self, call_id: UUID, leg: UUID) -> None:
        now = self.clock.now()
        self.telephony.tell(Bridged(call_id, now, leg), Bridged(leg, now, call_id))
        await self.settle()

    # ------------------------------------------------------------------------------- the facts

    def endings(self) -> list[AttemptReport]:
        """Ends reported so far."""
        return [each for each in self.campaigns.reports if each.hangup_reason]

    def offer_agent(
        self, *numbers: str, method: RingMethod = RingMethod.RINGALL, ring_ms: int = 20_000
    ) -> UUID:
        """An agent for the next caller who asks; its id."""
        agent_id = new_id()
        self.queues.assignable.append(
            Assignment(
                queuecall_id=new_id(),
                agent_id=agent_id,
                addresses=tuple(address(number) for number in numbers),
                ring_method=method,
                ring_timeout_ms=ring_ms,
            )
        )
        self.system.agents_changed()
        return agent_id
