"""The outdial service's use cases on a real database, with a campaign service that is told its lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.common import db
from services.common.address import Address
from services.common.clock import ManualClock
from services.common.errors import Unavailable
from services.common.ids import new_id
from services.outdial.app import Services, wire
from services.outdial.domain import Outdial, Plan, Settlement, Target
from services.outdial.domain_imports import Import
from services.outdial.ports import (
    AttemptState,
    Begin,
    CampaignState,
    Change,
    Resolution,
)
from services.outdial.service import NewOutdial
from services.outdial.service_dialing import Claim, Timing
from services.outdial.service_targets import NewTarget
from services.outdial.storage import begin

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
VOICE = frozenset({"tel", "sip"})
INTERVAL = timedelta(minutes=10)


class RecordedEvents:
    """ports.Events that keeps what it is told. Told by transactions that roll back, too."""

    def __init__(self) -> None:
        self.outdials: list[tuple[Change, Outdial]] = []
        self.imports: list[Import] = []
        self.target_changes: list[tuple[Change, Target, UUID | None]] = []

    def outdial(self, change: Change, outdial: Outdial) -> None:
        self.outdials.append((change, outdial))

    def imported(self, outdial: Outdial, found: Import) -> None:
        self.imports.append(found)

    def targets(
        self,
        change: Change,
        targets: Sequence[Target],
        attempts: Mapping[UUID, UUID] | None = None,
    ) -> None:
        known = attempts or {}
        self.target_changes += [(change, each, known.get(each.id)) for each in targets]

    async def write(self, conn: AsyncConnection) -> None:
        pass


@dataclass
class ScriptedCampaigns:
    """ports.Campaigns by the book: attempts are never opened unless they are put in a set here."""

    campaigns: dict[UUID, CampaignState] = field(default_factory=dict)
    open_attempts: set[UUID] = field(default_factory=set)
    done: dict[UUID, Settlement] = field(default_factory=dict)
    asked: list[list[UUID]] = field(default_factory=list)
    is_down: bool = False

    async def state(self, customer_id: UUID, campaign_id: UUID) -> CampaignState | None:
        return self.campaigns.get(campaign_id)

    async def resolve(self, attempt_ids: Sequence[UUID]) -> Sequence[Resolution]:
        if self.is_down:
            raise Unavailable("campaign is not available")
        self.asked.append(list(attempt_ids))
        found = []
        for each in attempt_ids:
            if each in self.done:
                found.append(Resolution(each, AttemptState.DONE, self.done[each]))
            elif each in self.open_attempts:
                found.append(Resolution(each, AttemptState.OPEN))
            else:
                found.append(Resolution(each, AttemptState.NEVER_OPENED))
        return found


@dataclass
class World:
    """One database with the service on it."""

    engine: AsyncEngine
    clock: ManualClock
    campaigns: ScriptedCampaigns
    events: RecordedEvents
    services: Services
    begin: Begin
    customer_id: UUID = field(default_factory=new_id)
    campaign_id: UUID = field(default_factory=new_id)

    async def outdial(self, **members: Any) -> UUID:
        """A new outdial bound to the campaign."""
        wanted = NewOutdial(**{"campaign_id": self.campaign_id, **members})
        return (await self.services.outdials.create_outdial(self.customer_id, wanted)).id

    async def add(self, outdial_id: UUID, count: int, **members: Any) -> list[Target]:
        """New targets with distinct numbers."""
        added: list[Target] = []
        while len(added) < count:
            wanted = [
                NewTarget(**{"destinations": [tel(len(added) + index)], **members})
                for index in range(min(1000, count - len(added)))
            ]
            added += await self.services.targets.add_targets(self.customer_id, outdial_id, wanted)
        return added

    async def claim(
        self, outdial_id: UUID, limit: int, plan: Plan | None = None, claim_id: UUID | None = None
    ) -> Claim:
        """A claim of the campaign."""
        return await self.services.dialing.claim(
            claim_id=claim_id or new_id(),
            outdial_id=outdial_id,
            campaign_id=self.campaign_id,
            limit=limit,
            plan=plan or make_plan(),
        )

    async def get(self, target: Target) -> Target:
        """The target as it is now."""
        return await self.services.targets.get_target(
            self.customer_id, target.outdial_id, target.id
        )

    async def sql(self, statement: str, **values: Any) -> Sequence[Any]:
        """Rows of a statement of the test's own."""
        async with self.engine.begin() as conn:
            result = await conn.execute(text(statement), values)
            return result.all() if result.returns_rows else []

    async def expire_claims(self) -> None:
        """Let the expiry of all claims have come."""
        await self.sql("UPDATE claims SET check_at = clock_timestamp() - interval '1 second'")


@asynccontextmanager
async def open_world(url: str, *, timing: Timing | None = None) -> AsyncIterator[World]:
    """A world on the database of this url."""
    engine = db.create_engine(url, "outdial")
    clock = ManualClock(START)
    campaigns = ScriptedCampaigns()
    events = RecordedEvents()
    transactions: Begin = begin(engine, lambda: events)
    services = wire(
        begin=transactions,
        campaigns=campaigns,
        clock=clock,
        timing=timing,
    )
    world = World(engine, clock, campaigns, events, services, transactions)
    campaigns.campaigns[world.campaign_id] = CampaignState(is_deleted=False, is_stopped=True)
    try:
        yield world
    finally:
        await engine.dispose()


def make_plan(*maxima: int, types: frozenset[str] = VOICE) -> Plan:
    """A plan with these tries by slot; three on the first when none are given."""
    counts = maxima or (3,)
    return Plan((*counts, *[0] * (5 - len(counts))), types)


def tel(number: int) -> Address:
    """A telephone address of its own."""
    return Address("tel", f"+1555{number:07d}")


def settlement(claim: Claim, index: int = 0, **members: Any) -> Settlement:
    """The outcome of one of the claim's attempts: a failed one that may be tried again."""
    claimed = claim.targets[index]
    values: dict[str, Any] = {
        "attempt_id": claimed.attempt_id,
        "outdial_id": claim.progress.outdial_id,
        "target_id": claimed.target_id,
        "is_success": False,
        "is_refunded": False,
        "is_final": False,
        "tm_end": START,
        "try_interval": INTERVAL,
        "max_try_counts": make_plan().max_try_counts,
    }
    return Settlement(**(values | members))


async def wait_until(world: World, query: str, **values: Any) -> None:
    """Return when the query's first value is true; fails after ten seconds."""
    async with asyncio.timeout(10):
        # The database tells nobody when a connection begins to wait: looking again is the only way.
        while not (await world.sql(query, **values))[0][0]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def wait_for_blocked(world: World, count: int = 1) -> None:
    """Return when so many connections of this database wait for a lock."""
    await wait_until(
        world,
        "SELECT count(*) >= :count FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'",
        count=count,
    )


async def require_counters_match(world: World, outdial_id: UUID) -> None:
    """The counters say what counting the targets says, and no idle target is before the watermark."""
    (counted,) = await world.sql(
        "SELECT count(*), count(*) FILTER (WHERE status = 'idle'),"
        " count(*) FILTER (WHERE status = 'progressing'),"
        " count(*) FILTER (WHERE result = 'success'), count(*) FILTER (WHERE result = 'fail'),"
        " min(next_try_at) FROM targets WHERE outdial_id = :id AND tm_delete IS NULL",
        id=outdial_id,
    )
    found = await world.services.outdials.get_progress(world.customer_id, outdial_id)
    kept = (found.total, found.idle, found.progressing, found.success, found.fail)
    assert kept == tuple(counted[:5])
    if counted[5] is not None:
        assert found.tm_next_due is not None
        assert found.tm_next_due <= counted[5]
