"""The watermark never passes a target: whoever is at it at the same time, in whatever order.

Each test holds one transaction open at the point where it hurts, and lets claims run beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from services.common.ids import new_id
from services.outdial.domain import Target, delta
from tests.integration.outdial.world import (
    World,
    require_counters_match,
    settlement,
    tel,
    wait_for_blocked,
)


class _UndoneError(Exception):
    pass


def make_targets(world: World, outdial_id: UUID, count: int) -> list[Target]:
    now = world.clock.now()
    return [
        Target(
            id=new_id(),
            outdial_id=outdial_id,
            customer_id=world.customer_id,
            name="",
            detail="",
            data="",
            destinations=(tel(index), None, None, None, None),
            tm_create=now,
            tm_update=now,
            tm_next_try=now,
        )
        for index in range(count)
    ]


def ids(targets: Sequence[Target]) -> set[UUID]:
    return {each.id for each in targets}


async def claim_ids(world: World, outdial_id: UUID) -> set[UUID]:
    return {each.target_id for each in (await world.claim(outdial_id, 1000)).targets}


async def test_targets_committed_after_the_watermark_moved_are_found(world: World) -> None:
    outdial_id = await world.outdial()
    early = make_targets(world, outdial_id, 5)
    async with world.begin() as adding:
        await adding.targets.add(early, {})
        await world.clock.advance(60)
        later = await world.add(outdial_id, 3)
        # The claim does not see the older targets, and moves the watermark past them.
        assert await claim_ids(world, outdial_id) == ids(later)
        progress = await world.services.outdials.get_progress(world.customer_id, outdial_id)
        assert progress.tm_next_due is None
        await adding.dialing.apply({outdial_id: delta((None, each) for each in early)})
    assert await claim_ids(world, outdial_id) == ids(early)
    await require_counters_match(world, outdial_id)


async def test_claim_that_waited_for_an_adding_transaction_sees_its_targets(world: World) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 2)
    # With its plan known, nothing makes the next claim wait before it takes targets.
    await world.claim(outdial_id, 1)
    early = make_targets(world, outdial_id, 5)
    async with world.begin() as adding:
        await adding.targets.add(early, {})
        await adding.dialing.apply({outdial_id: delta((None, each) for each in early)})
        waiting = asyncio.create_task(world.claim(outdial_id, 1000))
        await wait_for_blocked(world)
    # With the snapshot it began with it would take one target, and move the watermark past five.
    assert len((await waiting).targets) == 6
    await require_counters_match(world, outdial_id)


@pytest.mark.parametrize("is_undone", [True, False])
async def test_target_locked_by_an_edit_is_skipped_and_not_passed(
    world: World, is_undone: bool
) -> None:
    outdial_id = await world.outdial()
    edited, *others = await world.add(outdial_id, 4)
    try:
        async with world.begin() as editing:
            (locked,) = await editing.targets.lock([edited.id])
            await editing.targets.save(replace(locked, name="Ann", revision=2))
            assert await claim_ids(world, outdial_id) == ids(others)
            if is_undone:
                raise _UndoneError
    except _UndoneError:
        pass
    assert await claim_ids(world, outdial_id) == {edited.id}
    await require_counters_match(world, outdial_id)


async def test_target_settled_while_the_watermark_moves_is_found(world: World) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 1)
    claim = await world.claim(outdial_id, 1)
    await world.clock.advance(3600)
    await world.add(outdial_id, 2)
    # Hold the counters, so that the settlement has changed its target and waits with it.
    async with world.begin() as holding:
        await holding.dialing.lock(outdial_id)
        settling = asyncio.create_task(world.services.dialing.settle([settlement(claim)]))
        await wait_for_blocked(world)
        claiming = asyncio.create_task(world.claim(outdial_id, 1000))
        await wait_for_blocked(world, 2)
    await settling
    first = await claiming
    second = await world.claim(outdial_id, 1000)
    assert len(first.targets) + len(second.targets) == 3
    await require_counters_match(world, outdial_id)


async def test_watermark_lets_claims_pass_what_was_claimed_before(world: World) -> None:
    outdial_id = await world.outdial()
    targets = await world.add(outdial_id, 10)
    for count in (3, 3, 3):
        await world.claim(outdial_id, count)
    progress = await world.services.outdials.get_progress(world.customer_id, outdial_id)
    assert progress.tm_next_due == targets[9].tm_next_try
