"""Claims: every due target once, oldest first, the right slot, and never an exhausted one."""

from __future__ import annotations

import asyncio

import pytest

from services.common.address import Address
from services.common.errors import FailedPrecondition, InvalidArgument, NotFound
from services.common.ids import new_id
from services.outdial.domain import Result, Status
from services.outdial.service_targets import NewTarget
from tests.integration.outdial.world import INTERVAL, START, World, make_plan, settlement, tel


async def test_claim_takes_the_oldest_due_targets_and_counts_the_try(world: World) -> None:
    outdial_id = await world.outdial()
    first, second, third = await world.add(outdial_id, 3)
    claim = await world.claim(outdial_id, 2)
    assert [each.target_id for each in claim.targets] == [first.id, second.id]
    assert [each.try_count for each in claim.targets] == [1, 1]
    assert len({each.attempt_id for each in claim.targets}) == 2
    assert (claim.progress.idle, claim.progress.progressing) == (1, 2)
    assert claim.progress.tm_next_due == third.tm_next_try
    taken = await world.get(first)
    assert (taken.status, taken.try_counts[0], taken.tm_next_try) == (Status.PROGRESSING, 1, None)


async def test_claims_at_once_never_share_a_target(world: World) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 500)
    claims = await asyncio.gather(*(world.claim(outdial_id, 60) for _ in range(10)))
    taken = [each.target_id for claim in claims for each in claim.targets]
    assert len(taken) == 500
    assert len(set(taken)) == 500
    progress = await world.services.outdials.get_progress(world.customer_id, outdial_id)
    assert (progress.idle, progress.progressing, progress.tm_next_due) == (0, 500, None)


async def test_same_claim_id_returns_the_same_claim(world: World) -> None:
    outdial_id, claim_id = await world.outdial(), new_id()
    await world.add(outdial_id, 20)
    claims = await asyncio.gather(
        *(world.claim(outdial_id, 5, claim_id=claim_id) for _ in range(4))
    )
    assert [claim.targets for claim in claims] == [claims[0].targets] * 4
    assert claims[0].progress.progressing == 5
    other = await world.outdial()
    with pytest.raises(FailedPrecondition):
        await world.claim(other, 5, claim_id=claim_id)


async def test_repeated_claim_leaves_out_what_was_settled_meanwhile(world: World) -> None:
    outdial_id, claim_id = await world.outdial(), new_id()
    await world.add(outdial_id, 2)
    claim = await world.claim(outdial_id, 2, claim_id=claim_id)
    await world.services.dialing.settle([settlement(claim, 0)])
    again = await world.claim(outdial_id, 2, claim_id=claim_id)
    assert list(again.targets) == [claim.targets[1]]


async def test_slots_are_used_up_in_order_and_empty_ones_are_skipped(world: World) -> None:
    outdial_id = await world.outdial()
    destinations = [tel(1), Address(), Address("email", "a@example.com"), tel(4)]
    (target,) = await world.add(outdial_id, 1, destinations=destinations)
    plan = make_plan(2, 5, 5, 1)
    seen = []
    while True:
        claim = await world.claim(outdial_id, 1, plan)
        if not claim.targets:
            break
        seen.append((claim.targets[0].slot, claim.targets[0].try_count))
        end = world.clock.now()
        await world.services.dialing.settle(
            [settlement(claim, tm_end=end, max_try_counts=plan.max_try_counts)]
        )
        await world.clock.advance(INTERVAL.total_seconds())
    # The e-mail slot has tries left, but no driver can dial it: the claim closes the target.
    assert seen == [(0, 1), (0, 2), (3, 1)]
    assert claim.exhausted_count == 1
    after = await world.get(target)
    assert (after.status, after.result, after.try_counts) == (
        Status.DONE,
        Result.FAIL,
        (2, 0, 0, 1, 0),
    )


async def test_target_is_not_claimed_before_its_next_try(world: World) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 1)
    claim = await world.claim(outdial_id, 1)
    await world.services.dialing.settle([settlement(claim)])
    early = await world.claim(outdial_id, 1)
    assert not early.targets
    assert early.progress.tm_next_due == START + INTERVAL
    await world.clock.advance(INTERVAL.total_seconds())
    assert (await world.claim(outdial_id, 1)).targets[0].try_count == 2


async def test_exhausted_targets_in_front_do_not_hide_the_others(world: World) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 700, destinations=[Address("email", "a@example.com")])
    await world.add(outdial_id, 3)
    claim = await world.claim(outdial_id, 2)
    assert len(claim.targets) == 2
    assert claim.exhausted_count == 700
    assert (claim.progress.fail, claim.progress.idle) == (700, 1)
    assert len(world.events.target_changes) == 703 + 700


async def test_one_claim_closes_at_most_a_thousand_exhausted_targets(world: World) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 2500, destinations=[Address("email", "a@example.com")])
    await world.add(outdial_id, 1)
    counts, claim = [], None
    while claim is None or not claim.targets:
        claim = await world.claim(outdial_id, 10)
        counts.append(claim.exhausted_count)
    assert counts == [1000, 1000, 500]


async def test_only_the_bound_campaign_may_claim(world: World) -> None:
    outdial_id = await world.outdial(campaign_id=None)
    with pytest.raises(FailedPrecondition, match="is free"):
        await world.claim(outdial_id, 1)
    with pytest.raises(NotFound):
        await world.claim(new_id(), 1)
    bound = await world.outdial()
    await world.services.outdials.delete_outdial(world.customer_id, bound)
    with pytest.raises(FailedPrecondition, match="is deleted"):
        await world.claim(bound, 1)


async def test_deleted_targets_are_not_claimed(world: World) -> None:
    outdial_id = await world.outdial()
    gone, kept = await world.add(outdial_id, 2)
    await world.services.targets.delete_target(world.customer_id, outdial_id, gone.id)
    claim = await world.claim(outdial_id, 2)
    assert [each.target_id for each in claim.targets] == [kept.id]


async def test_data_reaches_the_dialer(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.services.targets.add_targets(
        world.customer_id,
        outdial_id,
        [NewTarget(name="Ann", detail="vip", data='{"plan": "gold"}', destinations=[tel(7)])],
    )
    claimed = (await world.claim(outdial_id, 1)).targets[0]
    assert (claimed.name, claimed.detail, claimed.data) == ("Ann", "vip", '{"plan": "gold"}')
    assert claimed.destination == target.destinations[0]


async def test_targets_are_described_to_a_dialer_that_takes_their_attempts_over(
    world: World,
) -> None:
    outdial_id = await world.outdial(name="spring", data="of 2026")
    other_id = await world.outdial()
    described, deleted = await world.add(outdial_id, 2, name="Kim", data='{"city": "Seoul"}')
    (foreign,) = await world.add(other_id, 1)
    await world.services.targets.delete_target(world.customer_id, outdial_id, deleted.id)
    ids = [described.id, deleted.id, foreign.id, new_id()]
    found = await world.services.dialing.describe(outdial_id, ids)
    assert {each.id for each in found.targets} == {described.id, deleted.id}
    assert {(each.name, each.data) for each in found.targets} == {("Kim", '{"city": "Seoul"}')}
    assert (found.outdial.name, found.outdial.data) == ("spring", "of 2026")
    assert (await world.services.dialing.describe(outdial_id, [])).targets == []
    with pytest.raises(NotFound):
        await world.services.dialing.describe(new_id(), [])
    with pytest.raises(InvalidArgument):
        await world.services.dialing.describe(outdial_id, ids * 251)


async def test_a_claim_tells_of_its_list(world: World) -> None:
    outdial_id = await world.outdial(name="spring", data="of 2026")
    await world.add(outdial_id, 1)
    claim_id = new_id()
    for _ in range(3):
        claim = await world.claim(outdial_id, 1, claim_id=claim_id)
        assert (claim.outdial.name, claim.outdial.data) == ("spring", "of 2026")
