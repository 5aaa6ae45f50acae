"""Targets as their owners handle them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.common.address import Address
from services.common.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from services.common.ids import new_id
from services.common.paging import page_request
from services.outdial.domain import TARGET_NOT_FOUND, Result, Status, Target
from services.outdial.ports import Change
from services.outdial.service_targets import NewTarget, TargetChanges
from tests.integration.outdial.world import (
    START,
    World,
    make_plan,
    require_counters_match,
    settlement,
    tel,
)


async def add(world: World, *wanted: NewTarget) -> list[Target]:
    outdial_id = await world.outdial()
    return await world.services.targets.add_targets(world.customer_id, outdial_id, wanted)


async def update(world: World, target: Target, **members: object) -> Target:
    return await world.services.targets.update_target(
        world.customer_id,
        target.outdial_id,
        target.id,
        TargetChanges(**members),  # type: ignore[arg-type]
    )


async def test_addresses_are_normalised_and_empty_ones_absent(world: World) -> None:
    sent = [Address(), Address(target=" +1 (555) 010-0000 "), Address("email", " A@Example.com")]
    (target,) = await add(world, NewTarget(name="Ann", destinations=sent))
    assert target.destinations == (
        None,
        Address("tel", "+15550100000"),
        Address("email", "a@example.com"),
        None,
        None,
    )
    assert await world.get(target) == target
    assert (target.status, target.tm_next_try, target.tm_update) == (Status.IDLE, START, START)


@pytest.mark.parametrize(
    ("destinations", "field"),
    [
        ([], "destination_0"),
        ([Address()], "destination_0"),
        ([tel(1), Address("tel", "12345")], "destination_1"),
        ([Address("pigeon", "1")], "destination_0"),
        ([tel(1)] * 6, "destinations"),
    ],
)
async def test_unusable_destinations_are_refused_by_name(
    world: World, destinations: list[Address], field: str
) -> None:
    with pytest.raises(InvalidArgument, match=field):
        await add(world, NewTarget(destinations=destinations))


async def test_bad_target_among_good_ones_adds_none(world: World) -> None:
    outdial_id = await world.outdial()
    wanted = [NewTarget(destinations=[tel(1)]), NewTarget()]
    with pytest.raises(InvalidArgument):
        await world.services.targets.add_targets(world.customer_id, outdial_id, wanted)
    progress = await world.services.outdials.get_progress(world.customer_id, outdial_id)
    assert progress.total == 0


async def test_targets_keep_their_order_and_have_distinct_times(world: World) -> None:
    outdial_id = await world.outdial()
    added = await world.add(outdial_id, 1000)
    assert added[-1].tm_create == START
    assert len({each.tm_create for each in added}) == 1000
    seen: list[Target] = []
    token = ""
    while True:
        page, token = await world.services.targets.list_targets(
            world.customer_id, outdial_id, page_request(0, token), None
        )
        if not page:
            break
        seen += page
    assert seen == list(reversed(added))


async def test_add_with_known_ids_is_repeated_only_with_the_same_body(world: World) -> None:
    outdial_id, first, second = await world.outdial(), new_id(), new_id()
    wanted = [
        NewTarget(id=first, destinations=[tel(1)]),
        NewTarget(id=second, destinations=[tel(2)]),
    ]
    service = world.services.targets
    made = await asyncio.gather(
        *(service.add_targets(world.customer_id, outdial_id, wanted) for _ in range(3))
    )
    assert made == [made[0]] * 3
    await require_counters_match(world, outdial_id)
    assert len(world.events.target_changes) == 2
    other = [NewTarget(destinations=[tel(3)]), NewTarget(id=first, destinations=[tel(4)])]
    with pytest.raises(AlreadyExists):
        await service.add_targets(world.customer_id, outdial_id, other)
    with pytest.raises(InvalidArgument, match="twice"):
        await service.add_targets(world.customer_id, outdial_id, [wanted[0], wanted[0]])
    await require_counters_match(world, outdial_id)


async def test_list_by_status(world: World) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 4)
    claim = await world.claim(outdial_id, 3)
    await world.services.dialing.settle([settlement(claim, is_success=True)])
    for status, count in ((Status.IDLE, 1), (Status.PROGRESSING, 2), (Status.DONE, 1), (None, 4)):
        found, _ = await world.services.targets.list_targets(
            world.customer_id, outdial_id, page_request(0, ""), status
        )
        assert len(found) == count


async def test_target_of_another_outdial_or_customer_or_none(world: World) -> None:
    (target,) = await add(world, NewTarget(destinations=[tel(1)]))
    elsewhere = await world.outdial()
    get = world.services.targets.get_target
    with pytest.raises(InvalidArgument):
        await get(world.customer_id, elsewhere, target.id)
    with pytest.raises(PermissionDenied):
        await get(new_id(), target.outdial_id, target.id)
    with pytest.raises(NotFound) as caught:
        await get(world.customer_id, target.outdial_id, new_id())
    assert caught.value.reason == TARGET_NOT_FOUND


async def test_update_merges_and_keeps_one_usable_destination(world: World) -> None:
    (target,) = await add(world, NewTarget(name="a", data="d", destinations=[tel(1), tel(2)]))
    changed = await update(world, target, name="b", destinations={0: Address()})
    assert (changed.name, changed.data, changed.destinations[:2]) == ("b", "d", (None, tel(2)))
    assert (changed.revision, changed.tm_create) == (2, target.tm_create)
    with pytest.raises(InvalidArgument, match="at least one"):
        await update(world, target, destinations={1: Address()})
    with pytest.raises(InvalidArgument, match="index"):
        await update(world, target, destinations={5: tel(1)})
    assert await update(world, target, name="b") == changed


async def test_destinations_of_a_target_being_dialed_stay(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    await world.claim(outdial_id, 1)
    with pytest.raises(FailedPrecondition):
        await update(world, target, destinations={0: tel(9)})
    assert (await update(world, target, name="b")).status is Status.PROGRESSING


async def test_reset_gives_all_tries_back_but_not_while_dialed(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    reset = world.services.targets.reset_target
    claim = await world.claim(outdial_id, 1)
    with pytest.raises(FailedPrecondition):
        await reset(world.customer_id, outdial_id, target.id)
    await world.services.dialing.settle([settlement(claim, is_final=True)])
    after = await reset(world.customer_id, outdial_id, target.id)
    assert (after.status, after.result, after.try_counts) == (Status.IDLE, Result.NONE, (0,) * 5)
    assert not after.is_final
    assert (await world.claim(outdial_id, 1)).targets[0].try_count == 1
    await require_counters_match(world, outdial_id)


async def test_deleted_target_can_be_read_but_not_changed(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    delete = world.services.targets.delete_target
    deleted = await delete(world.customer_id, outdial_id, target.id)
    assert await delete(world.customer_id, outdial_id, target.id) == deleted
    assert await world.get(target) == deleted
    assert world.events.target_changes[-1][0] is Change.DELETED
    with pytest.raises(FailedPrecondition):
        await update(world, target, name="x")
    with pytest.raises(FailedPrecondition):
        await world.services.targets.reset_target(world.customer_id, outdial_id, target.id)
    await require_counters_match(world, outdial_id)


async def test_destination_changed_between_tries_is_the_one_dialed(world: World) -> None:
    outdial_id = await world.outdial()
    (target,) = await world.add(outdial_id, 1)
    claim = await world.claim(outdial_id, 1, make_plan(2))
    await world.services.dialing.settle([settlement(claim, try_interval=timedelta(0))])
    await update(world, target, destinations={0: tel(42)})
    claimed = (await world.claim(outdial_id, 1, make_plan(2))).targets[0]
    assert (claimed.destination, claimed.try_count) == (tel(42), 2)


async def test_the_ids_of_one_request_stand_for_its_list(world: World) -> None:
    outdial_id, ids = await world.outdial(), [new_id() for _ in range(4)]
    service = world.services.targets

    async def send(count: int) -> list[Target]:
        wanted = [NewTarget(id=each, destinations=[tel(1)]) for each in ids[:count]]
        return await service.add_targets(world.customer_id, outdial_id, wanted, is_one_request=True)

    # All at once, as a client that lost its patience sends them: one list wins.
    answers = await asyncio.gather(*map(send, (3, 2, 4, 1, 3, 2)), return_exceptions=True)
    made = [each for each in answers if isinstance(each, list)]
    assert all(isinstance(each, list | AlreadyExists) for each in answers)
    (count,) = {len(each) for each in made}
    assert await send(count) == made[0]
    for other in {1, 2, 3, 4} - {count}:
        with pytest.raises(AlreadyExists):
            await send(other)
    page = page_request(100, "")
    listed, _ = await service.list_targets(world.customer_id, outdial_id, page, None)
    assert len(listed) == count
