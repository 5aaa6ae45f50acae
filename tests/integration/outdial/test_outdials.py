"""Outdials: made once, changed by merging, bound to one campaign, deleted when nobody is dialed."""

from __future__ import annotations

import asyncio

import pytest

from services.common.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from services.common.ids import new_id
from services.common.paging import page_request
from services.outdial.domain import OUTDIAL_IN_USE, OUTDIAL_NOT_FOUND, Outdial
from services.outdial.ports import CampaignState, Change
from services.outdial.service import NewOutdial, OutdialChanges
from tests.integration.outdial.world import World, settlement

RUNNING = CampaignState(is_deleted=False, is_stopped=False)
STOPPED = CampaignState(is_deleted=False, is_stopped=True)
DELETED = CampaignState(is_deleted=True, is_stopped=True)


async def create(world: World, **members: object) -> Outdial:
    return await world.services.outdials.create_outdial(
        world.customer_id,
        NewOutdial(**members),  # type: ignore[arg-type]
    )


async def update(world: World, outdial: Outdial, **members: object) -> Outdial:
    return await world.services.outdials.update_outdial(
        world.customer_id,
        outdial.id,
        OutdialChanges(**members),  # type: ignore[arg-type]
    )


async def test_everything_but_the_customer_may_be_left_out(world: World) -> None:
    outdial = await create(world)
    assert (outdial.name, outdial.detail, outdial.data, outdial.campaign_id) == ("", "", "", None)
    assert (outdial.revision, outdial.tm_update) == (1, None)
    assert world.events.outdials == [(Change.CREATED, outdial)]


async def test_create_with_a_known_id_is_repeated_only_with_the_same_body(world: World) -> None:
    outdial_id = new_id()
    made = await asyncio.gather(*(create(world, id=outdial_id, name="a") for _ in range(3)))
    assert made == [made[0]] * 3
    assert len(world.events.outdials) == 1
    changed = await update(world, made[0], name="b")
    # The body it was made with counts, not what became of it since.
    assert await create(world, id=outdial_id, name="a") == changed
    with pytest.raises(AlreadyExists):
        await create(world, id=outdial_id, name="b")
    world.customer_id = new_id()
    with pytest.raises(AlreadyExists):
        await create(world, id=outdial_id, name="a")


async def test_update_changes_only_what_is_given(world: World) -> None:
    outdial = await create(world, name="a", detail="b", data="c")
    changed = await update(world, outdial, name="")
    assert (changed.name, changed.detail, changed.data, changed.revision) == ("", "b", "c", 2)
    assert await update(world, outdial, name="") == changed
    assert [change for change, _ in world.events.outdials] == [Change.CREATED, Change.UPDATED]


@pytest.mark.parametrize(
    "members", [{"name": "x" * 256}, {"data": "ü" * 65_537}, {"detail": "a\x00b"}]
)
async def test_texts_that_cannot_be_stored_are_refused(
    world: World, members: dict[str, str]
) -> None:
    with pytest.raises(InvalidArgument):
        await create(world, **members)
    outdial = await create(world)
    with pytest.raises(InvalidArgument):
        await update(world, outdial, **members)


async def test_other_customers_outdial_is_denied_and_an_unknown_one_not_found(
    world: World,
) -> None:
    outdial = await create(world)
    with pytest.raises(PermissionDenied):
        await world.services.outdials.get_outdial(new_id(), outdial.id)
    with pytest.raises(NotFound) as caught:
        await world.services.outdials.get_outdial(world.customer_id, new_id())
    assert caught.value.reason == OUTDIAL_NOT_FOUND


async def test_list_pages_through_all_newest_first_without_the_deleted(world: World) -> None:
    made = [await create(world, name=str(number)) for number in range(7)]
    await world.services.outdials.delete_outdial(world.customer_id, made[3].id)
    seen: list[Outdial] = []
    token = ""
    while True:
        # All share their time of creation: the clock stands still.
        page, token = await world.services.outdials.list_outdials(
            world.customer_id, page_request(2, token)
        )
        if not page:
            break
        seen += page
    assert [each.id for each in seen] == [each.id for each in reversed(made) if each != made[3]]
    assert token == ""


async def test_delete_waits_for_the_targets_that_are_dialed(world: World) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 1)
    claim = await world.claim(outdial_id, 1)
    with pytest.raises(FailedPrecondition, match="1 targets"):
        await world.services.outdials.delete_outdial(world.customer_id, outdial_id)
    await world.services.dialing.settle([settlement(claim)])
    deleted = await world.services.outdials.delete_outdial(world.customer_id, outdial_id)
    assert deleted.tm_delete is not None
    again = await world.services.outdials.delete_outdial(world.customer_id, outdial_id)
    assert again == deleted
    assert await world.services.outdials.get_outdial(world.customer_id, outdial_id) == deleted
    with pytest.raises(FailedPrecondition, match="is deleted"):
        await world.add(outdial_id, 1)
    with pytest.raises(FailedPrecondition, match="is deleted"):
        await update(world, deleted, name="x")


async def test_claim_beside_a_delete_is_either_first_or_refused(world: World) -> None:
    for _ in range(5):
        outdial_id = await world.outdial()
        await world.add(outdial_id, 1)
        claim, deleted = await asyncio.gather(
            world.claim(outdial_id, 1),
            world.services.outdials.delete_outdial(world.customer_id, outdial_id),
            return_exceptions=True,
        )
        assert isinstance(claim, FailedPrecondition) != isinstance(deleted, FailedPrecondition)


# -- Binding ---------------------------------------------------------------------------------------


async def test_campaign_must_exist_to_be_bound(world: World) -> None:
    with pytest.raises(InvalidArgument, match="campaign_id"):
        await create(world, campaign_id=new_id())
    outdial = await create(world)
    world.campaigns.campaigns[world.campaign_id] = DELETED
    with pytest.raises(InvalidArgument, match="campaign_id"):
        await update(world, outdial, is_binding=True, campaign_id=world.campaign_id)


async def test_owner_may_exchange_and_release_a_stopped_campaign(world: World) -> None:
    outdial = await create(world, campaign_id=world.campaign_id)
    other = new_id()
    world.campaigns.campaigns[other] = STOPPED
    assert (await update(world, outdial, is_binding=True, campaign_id=other)).campaign_id == other
    assert (await update(world, outdial, is_binding=True)).campaign_id is None


async def test_owner_may_not_take_an_outdial_from_a_campaign_at_work(world: World) -> None:
    outdial = await create(world, campaign_id=world.campaign_id)
    world.campaigns.campaigns[world.campaign_id] = RUNNING
    with pytest.raises(FailedPrecondition, match="stop it first"):
        await update(world, outdial, is_binding=True)
    world.campaigns.campaigns[world.campaign_id] = STOPPED
    await world.add(outdial.id, 1)
    await world.claim(outdial.id, 1)
    with pytest.raises(FailedPrecondition, match="are being dialed"):
        await update(world, outdial, is_binding=True)


async def test_binding_is_a_compare_and_set(world: World) -> None:
    outdial = await create(world)
    one, other, gone = new_id(), new_id(), new_id()
    bind = world.services.outdials.bind_outdial
    bound = await bind(world.customer_id, outdial.id, one, None)
    assert (bound.campaign_id, bound.revision) == (one, 2)
    assert await bind(world.customer_id, outdial.id, one, None) == bound
    with pytest.raises(FailedPrecondition) as caught:
        await bind(world.customer_id, outdial.id, other, gone)
    assert caught.value.reason == OUTDIAL_IN_USE
    assert caught.value.metadata["campaign_id"] == str(one)
    assert (await bind(world.customer_id, outdial.id, other, one)).campaign_id == other
    # A late release by the former holder does not take it from the new one.
    with pytest.raises(FailedPrecondition):
        await bind(world.customer_id, outdial.id, None, one)
    assert (await bind(world.customer_id, outdial.id, None, other)).campaign_id is None
    with pytest.raises(PermissionDenied):
        await bind(new_id(), outdial.id, one, None)


async def test_two_campaigns_binding_at_once_give_one_holder(world: World) -> None:
    outdial = await create(world)
    campaigns = [new_id() for _ in range(4)]
    results = await asyncio.gather(
        *(
            world.services.outdials.bind_outdial(world.customer_id, outdial.id, each, None)
            for each in campaigns
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Outdial) for each in results) == 1


async def test_deleted_outdial_can_be_released_but_not_bound(world: World) -> None:
    outdial = await create(world, campaign_id=world.campaign_id)
    await world.services.outdials.delete_outdial(world.customer_id, outdial.id)
    bind = world.services.outdials.bind_outdial
    assert (await bind(None, outdial.id, None, world.campaign_id)).campaign_id is None
    with pytest.raises(FailedPrecondition, match="is deleted"):
        await bind(None, outdial.id, world.campaign_id, None)
