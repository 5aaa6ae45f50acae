"""Exhausted targets come back when the plan gives them tries again, and the run waits for that."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

from services.common.address import Address
from services.outdial.domain import Plan, Status
from tests.fixtures.postgres import DatabaseFactory
from tests.integration.outdial.world import (
    World,
    make_plan,
    open_world,
    require_counters_match,
    settlement,
)


async def exhaust(world: World, outdial_id: UUID, plan: Plan, **members: bool) -> None:
    """Use up all tries of all targets."""
    while True:
        claim = await world.claim(outdial_id, 1000, plan)
        if not claim.targets:
            return
        now = world.clock.now()
        await world.services.dialing.settle(
            [
                settlement(
                    claim,
                    index,
                    tm_end=now,
                    try_interval=timedelta(0),
                    max_try_counts=plan.max_try_counts,
                    **members,
                )
                for index in range(len(claim.targets))
            ]
        )


async def test_claim_with_a_more_generous_plan_brings_exhausted_targets_back(
    world: World,
) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 2300)
    await exhaust(world, outdial_id, make_plan(1))
    claim = await world.claim(outdial_id, 10, make_plan(2))
    assert not claim.targets
    assert claim.progress.is_reopening
    assert world.services.dialing.reopening_begun.is_set()
    assert await world.services.dialing.reopen() == 2300
    again = await world.claim(outdial_id, 10, make_plan(2))
    assert [each.try_count for each in again.targets] == [2] * 10
    assert not again.progress.is_reopening
    await require_counters_match(world, outdial_id)


async def test_plan_event_reopens_before_any_claim(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    await exhaust(world, outdial_id, make_plan(1))
    await world.services.dialing.plan_changed(outdial_id, make_plan(3).max_try_counts)
    progress = await world.services.outdials.get_progress(world.customer_id, outdial_id)
    assert progress.is_reopening
    await world.services.dialing.reopen()
    assert (await world.get(target)).status is Status.IDLE


async def test_final_reached_and_deleted_targets_stay(world: World) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 2)
    await exhaust(world, outdial_id, make_plan(1), is_final=True)
    await world.add(outdial_id, 2)
    await exhaust(world, outdial_id, make_plan(1), is_success=True)
    (gone,) = await world.add(outdial_id, 1)
    await exhaust(world, outdial_id, make_plan(1))
    await world.services.targets.delete_target(world.customer_id, outdial_id, gone.id)
    await world.claim(outdial_id, 1, make_plan(5))
    assert await world.services.dialing.reopen() == 0
    await require_counters_match(world, outdial_id)


async def test_meaner_plan_reopens_nothing_and_exhausts_at_the_claim(world: World) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 3)
    claim = await world.claim(outdial_id, 3, make_plan(2))
    await world.services.dialing.settle(
        [settlement(claim, index, try_interval=timedelta(0)) for index in range(3)]
    )
    mean = await world.claim(outdial_id, 3, make_plan(1))
    assert (len(mean.targets), mean.exhausted_count) == (0, 3)
    assert not mean.progress.is_reopening


async def test_driver_for_another_type_reopens_too(world: World) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 1, destinations=[Address("email", "a@example.com")])
    assert (await world.claim(outdial_id, 1)).exhausted_count == 1
    both = make_plan(3, types=frozenset({"tel", "email"}))
    assert (await world.claim(outdial_id, 1, both)).progress.is_reopening
    await world.services.dialing.reopen()
    assert len((await world.claim(outdial_id, 1, both)).targets) == 1


async def test_replicas_reopen_each_target_once(database: DatabaseFactory) -> None:
    url = database("outdial")
    async with open_world(url) as one, open_world(url) as other:
        outdial_id = await one.outdial()
        await one.add(outdial_id, 3500)
        await exhaust(one, outdial_id, make_plan(1))
        await one.claim(outdial_id, 1, make_plan(2))
        counts = await asyncio.gather(
            one.services.dialing.reopen(), other.services.dialing.reopen()
        )
        # Whoever lost a batch to the other left the rest to it.
        assert sum(counts) == 3500
        progress = await one.services.outdials.get_progress(one.customer_id, outdial_id)
        assert (progress.idle, progress.is_reopening) == (3500, False)
        await require_counters_match(one, outdial_id)
