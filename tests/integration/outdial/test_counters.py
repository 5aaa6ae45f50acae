"""Counters and watermark stay true whatever happens in whatever order, and no target is lost."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from uuid import UUID

import pytest

from services.common.errors import FailedPrecondition
from services.common.ids import new_id
from services.outdial.domain import Status, Target
from services.outdial.service_dialing import Claim
from services.outdial.service_targets import TargetChanges
from tests.integration.outdial.world import (
    World,
    make_plan,
    require_counters_match,
    settlement,
    tel,
)

STEPS = 60
WORKERS = 4


class Chaos:
    """Takes random steps on one outdial, knowing only what it was told."""

    def __init__(self, world: World, outdial_id: UUID, seed: int) -> None:
        self.world = world
        self.outdial_id = outdial_id
        self.chance = random.Random(seed)
        self.targets: list[Target] = []
        self.claims: list[Claim] = []
        self.attempts: list[UUID] = []

    async def run(self) -> None:
        steps = [self.add, self.claim, self.claim, self.settle, self.settle, self.release]
        steps += [self.delete, self.reset, self.edit, self.expire, self.replan, self.pass_time]
        for _ in range(STEPS):
            await self.chance.choice(steps)()

    async def add(self) -> None:
        self.targets += await self.world.add(self.outdial_id, self.chance.randint(1, 8))

    async def claim(self) -> None:
        plan = make_plan(self.chance.choice([1, 2, 2]))
        claim = await self.world.claim(self.outdial_id, self.chance.randint(1, 6), plan)
        if claim.targets:
            self.claims.append(claim)
            self.attempts += [each.attempt_id for each in claim.targets]

    async def settle(self) -> None:
        if not self.claims:
            return
        claim = self.chance.choice(self.claims)
        picked = self.chance.sample(range(len(claim.targets)), len(claim.targets) // 2 + 1)
        kinds = [{}, {}, {"is_success": True}, {"is_refunded": True}, {"is_final": True}]
        await self.world.services.dialing.settle(
            [
                settlement(
                    claim,
                    index,
                    tm_end=self.world.clock.now(),
                    try_interval=timedelta(seconds=self.chance.choice([0, 5])),
                    **self.chance.choice(kinds),
                )
                for index in picked
            ]
        )

    async def release(self) -> None:
        if self.claims:
            claim = self.chance.choice(self.claims)
            attempts = [each.attempt_id for each in claim.targets]
            await self.world.services.dialing.release(attempts[:2])

    async def delete(self) -> None:
        if self.targets:
            await self._on_target("delete_target")

    async def reset(self) -> None:
        if self.targets:
            try:
                await self._on_target("reset_target")
            except FailedPrecondition:
                return  # Being dialed, or deleted.

    async def edit(self) -> None:
        if not self.targets:
            return
        target = self.chance.choice(self.targets)
        changes = TargetChanges(name=str(self.chance.random()), destinations={1: tel(99)})
        try:
            await self.world.services.targets.update_target(
                self.world.customer_id, self.outdial_id, target.id, changes
            )
        except FailedPrecondition:
            return  # Being dialed, or deleted.

    async def expire(self) -> None:
        await self.world.expire_claims()
        await self.world.services.dialing.resolve_expired()

    async def replan(self) -> None:
        counts = make_plan(self.chance.choice([1, 3])).max_try_counts
        await self.world.services.dialing.plan_changed(self.outdial_id, counts)
        await self.world.services.dialing.reopen()

    async def pass_time(self) -> None:
        await self.world.clock.advance(self.chance.choice([1, 3]))

    async def _on_target(self, method: str) -> None:
        target = self.chance.choice(self.targets)
        await getattr(self.world.services.targets, method)(
            self.world.customer_id, self.outdial_id, target.id
        )


@pytest.mark.parametrize("seed", range(3))
async def test_counters_equal_counts_after_anything(world: World, seed: int) -> None:
    outdial_id = await world.outdial()
    workers = [Chaos(world, outdial_id, seed * 100 + number) for number in range(WORKERS)]
    await asyncio.gather(*(worker.run() for worker in workers))
    await require_counters_match(world, outdial_id)
    attempts = [attempt for worker in workers for attempt in worker.attempts]
    assert len(attempts) == len(set(attempts))
    await require_everything_can_be_claimed(world, outdial_id)


async def require_everything_can_be_claimed(world: World, outdial_id: UUID) -> None:
    """No idle target is behind the watermark: with time and tries enough all of them are claimed."""
    await world.clock.advance(3600)
    plan = make_plan(100)
    await world.claim(outdial_id, 1, plan)
    await world.services.dialing.reopen()
    while (await world.claim(outdial_id, 1000, plan)).targets:
        pass
    idle = await world.sql(
        "SELECT id FROM targets WHERE outdial_id = :id AND status = :idle AND tm_delete IS NULL",
        id=outdial_id,
        idle=Status.IDLE.value,
    )
    assert idle == []
    await require_counters_match(world, outdial_id)


async def test_claimers_and_settlers_at_full_tilt_dial_each_target_as_often_as_planned(
    world: World,
) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 300)
    plan = make_plan(3)
    tries: list[tuple[UUID, int]] = []

    async def dial() -> None:
        while True:
            claim = await world.claim(outdial_id, 7, plan, new_id())
            if not claim.targets and not claim.progress.progressing:
                return
            tries.extend((each.target_id, each.try_count) for each in claim.targets)
            now = world.clock.now()
            await world.services.dialing.settle(
                [
                    settlement(claim, index, tm_end=now, try_interval=timedelta(0))
                    for index in range(len(claim.targets))
                ]
            )

    await asyncio.gather(*(dial() for _ in range(4)))
    assert len(tries) == 900
    assert len(set(tries)) == 900
    progress = await world.services.outdials.get_progress(world.customer_id, outdial_id)
    assert (progress.fail, progress.idle, progress.progressing) == (300, 0, 0)
    await require_counters_match(world, outdial_id)
