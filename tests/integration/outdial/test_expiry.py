"""Claims nothing was heard of: asked about until they are settled, by any replica."""

from __future__ import annotations

import asyncio

import pytest

from services.common.errors import Unavailable
from services.outdial.domain import Status
from tests.fixtures.postgres import DatabaseFactory
from tests.integration.outdial.world import (
    World,
    open_world,
    require_counters_match,
    settlement,
)


async def test_attempt_never_opened_is_given_back(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    await world.claim(outdial_id, 1)
    assert await world.services.dialing.resolve_expired() == 0
    await world.expire_claims()
    assert await world.services.dialing.resolve_expired() == 1
    after = await world.get(target)
    assert (after.status, after.try_counts[0]) == (Status.IDLE, 0)
    await require_counters_match(world, outdial_id)
    await world.expire_claims()
    assert await world.services.dialing.resolve_expired() == 0
    assert await world.sql("SELECT claim_id FROM claims") == []


async def test_open_attempt_is_asked_about_again_until_it_is_done(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    claim = await world.claim(outdial_id, 1)
    attempt_id = claim.targets[0].attempt_id
    world.campaigns.open_attempts.add(attempt_id)
    await world.expire_claims()
    assert await world.services.dialing.resolve_expired() == 1
    assert (await world.get(target)).status is Status.PROGRESSING
    # Not before a minute has passed.
    assert await world.services.dialing.resolve_expired() == 0
    await world.expire_claims()
    world.campaigns.done[attempt_id] = settlement(claim, is_success=True)
    assert await world.services.dialing.resolve_expired() == 1
    assert (await world.get(target)).result.value == "success"
    await require_counters_match(world, outdial_id)


async def test_settled_claims_are_forgotten_without_asking(world: World) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 60)
    for _ in range(60):
        claim = await world.claim(outdial_id, 1)
        await world.services.dialing.settle([settlement(claim)])
    await world.expire_claims()
    assert await world.services.dialing.resolve_expired() == 0
    assert world.campaigns.asked == []
    assert await world.sql("SELECT claim_id FROM claims") == []


async def test_unreachable_campaign_service_is_asked_again_later(world: World) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 2)
    await world.claim(outdial_id, 2)
    await world.expire_claims()
    world.campaigns.is_down = True
    with pytest.raises(Unavailable):
        await world.services.dialing.resolve_expired()
    world.campaigns.is_down = False
    await world.expire_claims()
    assert await world.services.dialing.resolve_expired() == 2
    await require_counters_match(world, outdial_id)


async def test_replicas_share_expired_claims_and_settle_each_once(
    database: DatabaseFactory,
) -> None:
    url = database("outdial")
    async with open_world(url) as one, open_world(url) as other:
        outdial_id = await one.outdial()
        await one.add(outdial_id, 100)
        for _ in range(50):
            await one.claim(outdial_id, 2)
        await one.expire_claims()
        counts = await asyncio.gather(
            one.services.dialing.resolve_expired(), other.services.dialing.resolve_expired()
        )
        assert sum(counts) == 100
        progress = await one.services.outdials.get_progress(one.customer_id, outdial_id)
        assert (progress.idle, progress.progressing) == (100, 0)
        await require_counters_match(one, outdial_id)
