"""The other services in memory, with faults to be switched on."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.common.actions import Action
from services.common.address import Address
from services.common.clock import ManualClock
from services.common.errors import AppError, NotFound, Unavailable
from services.common.ids import new_id
from services.dialer.domain.calls import FlowDefinition
from services.dialer.domain.campaigns import (
    AttemptReport,
    CampaignInfo,
    Claim,
    ClaimedTarget,
    Definition,
    DialPlan,
    HeldLease,
    Lease,
    LeaseStatus,
    OpenAnswer,
    OpenAttempt,
    Opening,
    Progress,
    RunToken,
    StopMode,
    TargetFacts,
    Verdict,
)
from services.dialer.domain.queuecalls import (
    Assignment,
    Capacity,
    CapacityAsk,
    Joined,
    Joining,
    QueueFacts,
    QueueNews,
    QueueReport,
)
from services.dialer.domain.webhooks import HttpAnswer, HttpFailedError, HttpRequest

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LEASE_MS = 5_000
PLACE_WITHIN_MS = 5_000


class Faults:
    """Lets a method fail, before or after it had its effect, or wait until it is let go."""

    def __init__(self) -> None:
        self._before: dict[str, list[AppError]] = defaultdict(list)
        self._after: dict[str, list[AppError]] = defaultdict(list)
        self._gates: dict[str, asyncio.Event] = {}
        self.down: set[str] = set()
        self.calls: list[str] = []

    def fail(
        self, method: str, *, after_effect: bool = False, error: AppError | None = None
    ) -> None:
        """The next call of `method` fails; with `after_effect` only its answer is lost."""
        where = self._after if after_effect else self._before
        where[method].append(error or Unavailable(f"{method} failed"))

    def hold(self, method: str) -> asyncio.Event:
        """Calls of `method` wait until the event returned is set."""
        self._gates[method] = asyncio.Event()
        return self._gates[method]

    async def enter(self, method: str) -> None:
        self.calls.append(method)
        if method in self.down:
            raise Unavailable(f"{method} is down")
        if self._before[method]:
            raise self._before[method].pop(0)

    async def leave(self, method: str) -> None:
        if method in self._gates:
            await self._gates[method].wait()
        if self._after[method]:
            raise self._after[method].pop(0)


def address(number: str) -> Address:
    return Address(type="tel", target=number)


def action(type_: str, action_id: UUID | None = None, **option: Any) -> Action:
    return Action(type=type_, option=option, id=action_id)


def make_definition(**changes: Any) -> Definition:
    """A campaign without queue that talks; members of campaign and plan by name."""
    campaign = CampaignInfo(
        id=new_id(),
        customer_id=new_id(),
        name="spring",
        detail="",
        service_level=100,
        continues=False,
        outdial_id=new_id(),
        queue_id=None,
        flow_id=None,
        max_conversation_ms=3_600_000,
    )
    plan = DialPlan(
        outplan_id=new_id(),
        source=address("+15550000000"),
        dial_timeout_ms=30_000,
        try_interval_ms=60_000,
        max_try_counts=(3, 0, 0, 0, 0),
        calls_per_second=1000.0,
        max_concurrent=1000,
    )
    actions = changes.pop("actions", (action("talk", text="hello"),))
    of_plan = {name for name in DialPlan.__dataclass_fields__ if name in changes}
    return Definition(
        revision="1",
        campaign=replace(campaign, **{k: v for k, v in changes.items() if k not in of_plan}),
        plan=replace(plan, **{k: changes[k] for k in of_plan}),
        actions=tuple(actions),
    )


@dataclass
class FakeCampaigns:
    """ports.Campaigns with one campaign and no database."""

    definition: Definition
    clock: ManualClock
    status: LeaseStatus = LeaseStatus.RUN
    stop_mode: StopMode = StopMode.HANGUP
    run_number: int = 1
    fencing_token: int = 1
    is_leasable: bool = True
    is_new: bool = True
    faults: Faults = field(default_factory=Faults)
    verdict: Verdict = Verdict.OPENED
    opened: dict[UUID, ClaimedTarget] = field(default_factory=dict)
    open_tokens: list[RunToken] = field(default_factory=list)
    listed: list[OpenAttempt] = field(default_factory=list)
    reports: list[AttemptReport] = field(default_factory=list)
    released: list[HeldLease] = field(default_factory=list)
    finishes: list[RunToken] = field(default_factory=list)
    finish_errors: list[str] = field(default_factory=list)
    may_finish: bool = True

    async def acquire(self, capacity: int, held: Sequence[HeldLease]) -> list[Lease]:
        await self.faults.enter("acquire")
        if not self.is_leasable:
            return []
        known = any(each.definition_revision == self.definition.revision for each in held)
        is_new, self.is_new = self.is_new, False
        return [
            Lease(
                campaign_id=self.definition.campaign.id,
                run_number=self.run_number,
                fencing_token=self.fencing_token,
                status=self.status,
                stop_mode=self.stop_mode,
                expires_in_ms=LEASE_MS,
                definition_revision=self.definition.revision,
                definition=None if known else self.definition,
                is_new=is_new or not held,
            )
        ]

    async def release(self, held: Sequence[HeldLease]) -> None:
        await self.faults.enter("release")
        self.released += held

    async def open(self, token: RunToken, targets: Sequence[ClaimedTarget]) -> OpenAnswer:
        await self.faults.enter("open")
        self.open_tokens.append(token)
        verdict = self.verdict
        if self.status is not LeaseStatus.RUN:
            verdict = Verdict.REFUSED
        if verdict is Verdict.OPENED:
            self.opened.update({target.attempt_id: target for target in targets})
        await self.faults.leave("open")
        return OpenAnswer(
            tuple(Opening(target.attempt_id, verdict, new_id()) for target in targets),
            PLACE_WITHIN_MS,
        )

    async def report(self, reports: Sequence[AttemptReport]) -> list[UUID]:
        await self.faults.enter("report")
        self.reports += reports
        await self.faults.leave("report")
        return []

    async def list_open(self, token: RunToken) -> list[OpenAttempt]:
        await self.faults.enter("list_open")
        await self.faults.leave("list_open")
        ended = {each.attempt_id for each in self.reports if each.hangup_reason}
        return [each for each in self.listed if each.id not in ended]

    async def finish(self, token: RunToken, error: str = "") -> bool:
        await self.faults.enter("finish")
        self.finishes.append(token)
        self.finish_errors.append(error)
        if self.may_finish:
            self.is_leasable = False
        return self.may_finish

    def of(self, attempt_id: UUID) -> list[AttemptReport]:
        """What was reported of one attempt."""
        return [each for each in self.reports if each.attempt_id == attempt_id]


@dataclass
class FakeTargets:
    """ports.Targets: a list of numbers, each tried once."""

    faults: Faults = field(default_factory=Faults)
    idle: list[str] = field(default_factory=list)
    progressing: int = 0
    next_due: datetime | None = None
    is_reopening: bool = False
    claims: dict[UUID, Claim] = field(default_factory=dict)
    limits: list[int] = field(default_factory=list)
    released: list[UUID] = field(default_factory=list)
    described: list[list[UUID]] = field(default_factory=list)

    async def claim(
        self,
        claim_id: UUID,
        outdial_id: UUID,
        campaign_id: UUID,
        limit: int,
        plan: DialPlan,
        address_types: Collection[str],
    ) -> Claim:
        await self.faults.enter("claim")
        self.limits.append(limit)
        if claim_id not in self.claims:
            taken, self.idle = self.idle[:limit], self.idle[limit:]
            self.progressing += len(taken)
            self.claims[claim_id] = Claim(
                targets=tuple(
                    ClaimedTarget(
                        attempt_id=new_id(),
                        target_id=new_id(),
                        name="Kim",
                        detail="",
                        data='{"city": "Seoul", "age": 41}',
                        destination=address(number),
                        destination_index=0,
                        try_count=1,
                    )
                    for number in taken
                ),
                exhausted_count=0,
                progress=self._progress(),
            )
        await self.faults.leave("claim")
        return self.claims[claim_id]

    async def release(self, attempt_ids: Sequence[UUID]) -> None:
        await self.faults.enter("release")
        self.released += attempt_ids
        self.progressing -= len(attempt_ids)

    async def progress(self, customer_id: UUID, outdial_id: UUID) -> Progress:
        await self.faults.enter("progress")
        return self._progress()

    async def describe(
        self, outdial_id: UUID, target_ids: Sequence[UUID]
    ) -> dict[UUID, TargetFacts]:
        await self.faults.enter("describe")
        self.described.append(list(target_ids))
        return {
            each: TargetFacts(outdial_id, each, "Kim", "vip", '{"city": "Seoul"}', "spring list")
            for each in target_ids
        }

    def _progress(self) -> Progress:
        return Progress(
            len(self.idle) + (self.next_due is not None),
            self.progressing,
            self.is_reopening,
            self.next_due,
        )


@dataclass
class FakeQueues:
    """ports.Queues: so many available agents, handed out in order."""

    faults: Faults = field(default_factory=Faults)
    available: int = 0
    assignable: list[Assignment] = field(default_factory=list)
    news: list[QueueNews] = field(default_factory=list)
    wait_flow_id: UUID | None = None
    is_recorded: bool = False
    joined: list[Joining] = field(default_factory=list)
    refused: set[UUID] = field(default_factory=set)
    refuse_all: bool = False
    asked: list[Sequence[CapacityAsk]] = field(default_factory=list)
    waiting: list[Sequence[UUID]] = field(default_factory=list)
    reports: list[QueueReport] = field(default_factory=list)

    async def capacity(self, asks: Sequence[CapacityAsk]) -> list[Capacity]:
        await self.faults.enter("capacity")
        self.asked.append(asks)
        found = [Capacity(ask.queue_id, ask.campaign_id, self.available) for ask in asks]
        await self.faults.leave("capacity")
        return found

    async def join(self, joinings: Sequence[Joining]) -> Joined:
        await self.faults.enter("join")
        self.joined += joinings
        await self.faults.leave("join")
        ids = {each.queuecall_id for each in joinings}
        refused = frozenset(ids if self.refuse_all else self.refused)
        queues = {each.queue_id for each in joinings if each.queuecall_id not in refused}
        return Joined(
            refused,
            tuple(
                QueueFacts(
                    each, "sales", "all of us", 30_000, 0, self.wait_flow_id, self.is_recorded
                )
                for each in queues
            ),
        )

    async def assign(
        self, waiting: Sequence[UUID], connecting: Sequence[UUID], service: Sequence[UUID]
    ) -> QueueNews:
        await self.faults.enter("assign")
        self.waiting.append(waiting)
        if self.news:
            return self.news.pop(0)
        found = []
        for queuecall_id in waiting:
            if self.assignable:
                found.append(replace(self.assignable.pop(0), queuecall_id=queuecall_id))
                self.available = max(0, self.available - 1)
        return QueueNews(assignments=tuple(found))

    async def report(self, reports: Sequence[QueueReport]) -> None:
        await self.faults.enter("report")
        self.reports += reports

    def kinds(self) -> list[str]:
        return [report.kind.value for report in self.reports]


@dataclass
class FakeFlows:
    """ports.Flows: flows by id."""

    faults: Faults = field(default_factory=Faults)
    flows: dict[UUID, tuple[Action, ...]] = field(default_factory=dict)
    followers: dict[UUID, UUID] = field(default_factory=dict)
    asked: list[tuple[UUID, UUID]] = field(default_factory=list)

    async def definition(self, customer_id: UUID, flow_id: UUID) -> FlowDefinition:
        await self.faults.enter("definition")
        self.asked.append((customer_id, flow_id))
        if flow_id not in self.flows:
            raise NotFound(f"there is no flow {flow_id}", reason="FLOW_NOT_FOUND")
        return FlowDefinition(self.flows[flow_id], self.followers.get(flow_id))


@dataclass
class FakeWeb:
    """ports.HttpCalls: answers by address, in the order given; the last one again and again."""

    answers: dict[str, list[HttpAnswer | str]] = field(default_factory=dict)
    requests: list[HttpRequest] = field(default_factory=list)
    gate: asyncio.Event | None = None

    def answer(self, uri: str, *answers: HttpAnswer | str) -> None:
        """A text is a failure."""
        self.answers[uri] = list(answers)

    async def send(self, request: HttpRequest) -> HttpAnswer:
        self.requests.append(request)
        if self.gate is not None:
            await self.gate.wait()
        waiting = self.answers.get(request.uri, [HttpAnswer(200, b"")])
        found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(found, str):
            raise HttpFailedError(found)
        return found
