"""Settling: once per attempt, whatever is repeated, late, reordered or deleted meanwhile."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest

from services.outdial.domain import Result, Status
from services.outdial.ports import Change
from tests.integration.outdial.world import (
    INTERVAL,
    START,
    World,
    make_plan,
    require_counters_match,
    settlement,
    wait_for_blocked,
)


async def test_success_finishes_the_target(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    claim = await world.claim(outdial_id, 1)
    await world.services.dialing.settle([settlement(claim, is_success=True)])
    after = await world.get(target)
    assert (after.status, after.result, after.tm_next_try) == (Status.DONE, Result.SUCCESS, None)
    change, told, attempt_id = world.events.target_changes[-1]
    assert (change, told, attempt_id) == (Change.UPDATED, after, claim.targets[0].attempt_id)
    await require_counters_match(world, outdial_id)


async def test_failed_try_waits_its_interval_from_the_end_of_the_attempt(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    claim = await world.claim(outdial_id, 1)
    end = START + timedelta(seconds=47)
    await world.clock.advance(100)
    await world.services.dialing.settle([settlement(claim, tm_end=end)])
    after = await world.get(target)
    assert (after.status, after.tm_next_try) == (Status.IDLE, end + INTERVAL)
    assert after.try_counts == (1, 0, 0, 0, 0)


async def test_last_failed_try_exhausts_the_target(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    claim = await world.claim(outdial_id, 1, make_plan(1))
    one = make_plan(1).max_try_counts
    await world.services.dialing.settle([settlement(claim, max_try_counts=one)])
    after = await world.get(target)
    assert (after.status, after.result, after.is_final) == (Status.DONE, Result.FAIL, False)


async def test_final_failure_ends_the_target_with_tries_left(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    claim = await world.claim(outdial_id, 1)
    await world.services.dialing.settle([settlement(claim, is_final=True)])
    after = await world.get(target)
    assert (after.status, after.result, after.is_final) == (Status.DONE, Result.FAIL, True)


async def test_refunded_try_is_given_back_and_waits_all_the_same(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    claim = await world.claim(outdial_id, 1, make_plan(1))
    one = make_plan(1).max_try_counts
    refund = settlement(claim, is_refunded=True, max_try_counts=one)
    await world.services.dialing.settle([refund])
    after = await world.get(target)
    assert (after.status, after.try_counts[0]) == (Status.IDLE, 0)
    assert after.tm_next_try == START + INTERVAL


async def test_repeated_and_late_settlements_change_nothing(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    first = settlement(await world.claim(outdial_id, 1), try_interval=timedelta(0))
    await world.services.dialing.settle([first, first])
    second = settlement(await world.claim(outdial_id, 1), is_success=True)
    # The second attempt is under way when the first one's outcome is told again.
    await world.services.dialing.settle([first])
    assert (await world.get(target)).status is Status.PROGRESSING
    await world.services.dialing.settle([second])
    await world.services.dialing.settle([first, second])
    after = await world.get(target)
    assert (after.status, after.result, after.try_counts[0]) == (Status.DONE, Result.SUCCESS, 2)
    await require_counters_match(world, outdial_id)


async def test_deleted_target_is_settled_in_silence(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    claim = await world.claim(outdial_id, 1)
    await world.services.targets.delete_target(world.customer_id, outdial_id, target.id)
    told = len(world.events.target_changes)
    await world.services.dialing.settle([settlement(claim)])
    assert (await world.get(target)).attempt_id is None
    assert len(world.events.target_changes) == told
    assert not (await world.claim(outdial_id, 1)).targets
    await require_counters_match(world, outdial_id)


async def test_overlapping_batches_in_any_order_settle_each_attempt_once(world: World) -> None:
    outdials = [await world.outdial() for _ in range(3)]
    settlements = []
    for outdial_id in outdials:
        await world.add(outdial_id, 40)
        claim = await world.claim(outdial_id, 40)
        settlements += [settlement(claim, index, is_success=index % 2 == 0) for index in range(40)]
    chance = random.Random(7)
    batches = [chance.sample(settlements, 90) for _ in range(6)] + [settlements]
    await asyncio.gather(*(world.services.dialing.settle(batch) for batch in batches))
    for outdial_id in outdials:
        await require_counters_match(world, outdial_id)
        found = await world.services.outdials.get_progress(world.customer_id, outdial_id)
        assert (found.success, found.idle) == (20, 20)
    # One event per attempt, beside the 120 that told of the new targets.
    assert len(world.events.target_changes) == 240


async def test_released_claims_are_idle_at_once_with_their_tries(world: World) -> None:
    outdial_id = await world.outdial()
    targets = await world.add(outdial_id, 3)
    claim = await world.claim(outdial_id, 3)
    attempts = [each.attempt_id for each in claim.targets]
    released = await asyncio.gather(
        world.services.dialing.release(attempts), world.services.dialing.release(attempts)
    )
    assert sum(released) == 3
    for target in targets:
        after = await world.get(target)
        assert (after.status, after.try_counts[0]) == (Status.IDLE, 0)
    again = await world.claim(outdial_id, 3)
    assert [each.try_count for each in again.targets] == [1, 1, 1]
    await require_counters_match(world, outdial_id)


@pytest.mark.parametrize("raised", [4, 2])
async def test_attempt_that_ends_after_the_plan_was_raised_is_not_exhausted(
    world: World, raised: int
) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    claim = await world.claim(outdial_id, 1, make_plan(1))
    await world.services.dialing.plan_changed(outdial_id, make_plan(raised).max_try_counts)
    one = make_plan(1).max_try_counts
    await world.services.dialing.settle([settlement(claim, max_try_counts=one)])
    assert (await world.get(target)).status is Status.IDLE


async def test_plan_raised_while_an_attempt_is_settled_is_not_overlooked(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    claim = await world.claim(outdial_id, 1, make_plan(1))
    one = make_plan(1).max_try_counts
    # Whoever changes the plan has the counters; the settlement has read the old one and waits.
    async with world.begin() as changing:
        await changing.dialing.lock(outdial_id)
        await changing.dialing.remember_plan(outdial_id, make_plan(2), reopen=False)
        settling = asyncio.create_task(
            world.services.dialing.settle([settlement(claim, max_try_counts=one)])
        )
        await wait_for_blocked(world)
    await settling
    assert (await world.get(target)).status is Status.IDLE
    assert len(world.events.target_changes) == 2
    await require_counters_match(world, outdial_id)
