"""Definitions of campaigns: creating, changing, deleting, and the outdials bound to them."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from services.campaign.campaigns.domain import (
    Campaign,
    CampaignChange,
    CampaignType,
    EndHandle,
    Status,
)
from services.campaign.campaigns.storage import PostgresCampaigns
from services.common.actions import Action
from services.common.address import Address
from services.common.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from services.common.ids import new_id
from services.common.paging import Page, page_request
from tests.integration.campaign.support import CUSTOMER, RUN, Plant, draft

OTHER = new_id()


def outdial_of(plant: Plant, campaign: Any) -> UUID | None:
    """Who has the campaign's outdial."""
    return plant.outdials.holder(campaign.outdial_id)


async def test_a_campaign_is_created_with_the_documented_defaults(plant: Plant) -> None:
    created = await plant.services.campaigns.create_campaign(CUSTOMER, draft(name=""))
    assert (created.type, created.end_handle) == (CampaignType.CALL, EndHandle.STOP)
    assert (created.service_level, created.actions) == (100, ())
    assert (created.status, created.run.number) == (Status.STOP, 0)
    assert (created.tm_update, created.tm_delete) == (None, None)
    assert await plant.get(created.id) == created


async def test_the_same_create_again_returns_the_first(plant: Plant) -> None:
    wanted = draft(id=new_id(), digest="a", outdial_id=plant.outdials.add())
    answers = await asyncio.gather(
        *(plant.services.campaigns.create_campaign(CUSTOMER, wanted) for _ in range(5))
    )
    assert len({each.id for each in answers}) == 1
    assert outdial_of(plant, answers[0]) == answers[0].id
    assert (await plant.event_names(answers[0].id)) == ["campaign.created"]
    # Also after it has been changed.
    await plant.update(answers[0].id, name="changed")
    again = await plant.services.campaigns.create_campaign(CUSTOMER, wanted)
    assert again.name == "changed"


@pytest.mark.parametrize("customer", [CUSTOMER, OTHER])
async def test_a_taken_id_with_another_body_or_owner_is_refused(
    plant: Plant, customer: UUID
) -> None:
    campaign_id = new_id()
    await plant.services.campaigns.create_campaign(CUSTOMER, draft(id=campaign_id, digest="a"))
    digest = "b" if customer == CUSTOMER else "a"
    with pytest.raises(AlreadyExists):
        await plant.services.campaigns.create_campaign(
            customer, draft(id=campaign_id, digest=digest)
        )


@pytest.mark.parametrize(
    "reference", ["flow_id", "outplan_id", "outdial_id", "queue_id", "next_campaign_id"]
)
async def test_a_reference_that_does_not_exist_is_named(plant: Plant, reference: str) -> None:
    with pytest.raises(InvalidArgument, match=reference):
        await plant.campaign(**{reference: new_id()})
    campaign = await plant.campaign()
    with pytest.raises(InvalidArgument, match=reference):
        await plant.update(campaign.id, references={reference: new_id()})
    assert await plant.get(campaign.id) == campaign


async def test_a_queue_that_abandonment_actions_name_must_exist(plant: Plant) -> None:
    def joining(queue_id: UUID) -> tuple[Action, ...]:
        return (Action("queue_join", {"queue_id": str(queue_id)}),)

    place = r"abandonment_actions\[0\].option.queue_id"
    with pytest.raises(InvalidArgument, match=place):
        await plant.campaign(abandonment_actions=joining(new_id()))
    queue_id = plant.queues.add()
    campaign = await plant.campaign(abandonment_actions=joining(queue_id))
    with pytest.raises(InvalidArgument, match=place):
        await plant.update(campaign.id, abandonment_actions=joining(new_id()))
    plant.queues.ids.clear()
    with pytest.raises(FailedPrecondition, match=place):
        await plant.run(campaign.id)


@pytest.mark.parametrize("reference", ["outplan_id", "next_campaign_id"])
async def test_references_of_another_customer_are_refused(plant: Plant, reference: str) -> None:
    mine = await plant.campaign()
    given = mine.outplan_id if reference == "outplan_id" else mine.id
    with pytest.raises(InvalidArgument, match=reference):
        await plant.services.campaigns.create_campaign(OTHER, draft(**{reference: given}))


async def test_a_campaign_cannot_chain_to_itself(plant: Plant) -> None:
    campaign = await plant.campaign()
    with pytest.raises(InvalidArgument, match="next_campaign_id"):
        await plant.update(campaign.id, references={"next_campaign_id": campaign.id})


async def test_a_failed_create_gives_the_outdial_back(plant: Plant) -> None:
    outdial_id = plant.outdials.add()
    # The queue is asked for first, the outdial bound after; so fail at the insert.
    await plant.execute(
        "ALTER TABLE campaign.campaigns ADD CONSTRAINT campaigns_no CHECK (name <> 'no')"
    )
    with pytest.raises(Exception, match="campaigns_no"):
        await plant.campaign(outdial_id=outdial_id, name="no")
    assert plant.outdials.holder(outdial_id) is None
    assert await plant.scalar("SELECT count(*) FROM outbox WHERE subject LIKE '%campaign%'") == 0


async def test_a_binding_left_by_a_crash_is_released_later(plant: Plant) -> None:
    # A create that died between binding and insert.
    dead, outdial_id = new_id(), plant.outdials.add()
    async with plant.begin() as tx:
        await tx.bindings.note(CUSTOMER, outdial_id, dead, 0.0)
    await plant.outdials.bind(CUSTOMER, outdial_id, dead)
    assert await plant.services.references.settle_due() == 1
    assert plant.outdials.holder(outdial_id) is None
    assert await plant.scalar("SELECT count(*) FROM binding_checks") == 0


async def test_a_due_check_leaves_a_binding_in_use_alone(plant: Plant) -> None:
    campaign = await plant.campaign()
    assert campaign.outdial_id is not None
    async with plant.begin() as tx:
        await tx.bindings.note(CUSTOMER, campaign.outdial_id, campaign.id, 0.0)
    await plant.services.references.settle_due()
    assert outdial_of(plant, campaign) == campaign.id
    assert await plant.scalar("SELECT count(*) FROM binding_checks") == 0


@pytest.mark.parametrize("holder", ["unknown", "deleted"])
async def test_an_outdial_is_taken_over_from_a_campaign_that_is_gone(
    plant: Plant, holder: str
) -> None:
    gone = new_id()
    if holder == "deleted":
        gone = (await plant.campaign()).id
        await plant.services.campaigns.delete_campaign(CUSTOMER, gone)
    outdial_id = plant.outdials.add(campaign_id=gone)
    campaign = await plant.campaign(outdial_id=outdial_id)
    assert plant.outdials.holder(outdial_id) == campaign.id


async def test_of_simultaneous_creates_with_one_outdial_one_gets_it(plant: Plant) -> None:
    for _ in range(10):
        outdial_id = plant.outdials.add()
        answers = await asyncio.gather(
            *(plant.campaign(outdial_id=outdial_id) for _ in range(4)), return_exceptions=True
        )
        made = [each for each in answers if isinstance(each, Campaign)]
        refused = [each for each in answers if isinstance(each, FailedPrecondition)]
        assert (len(made), len(refused)) == (1, 3)
        assert plant.outdials.holder(outdial_id) == made[0].id


async def test_a_campaign_inserted_while_its_outdial_is_asked_for_keeps_it(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_id, outdial_id = new_id(), plant.outdials.add()
    may_insert, is_bound = asyncio.Event(), asyncio.Event()
    bind, get = plant.outdials.bind, PostgresCampaigns.get

    async def bind_and_wait(*arguments: Any, **options: Any) -> UUID | None:
        holder = await bind(*arguments, **options)
        if holder is None and not is_bound.is_set():
            is_bound.set()
            await may_insert.wait()
        return holder

    async def get_and_let_it_be_inserted(
        rows: PostgresCampaigns, campaign_id: UUID
    ) -> Campaign | None:
        found = await get(rows, campaign_id)
        if campaign_id == first_id and is_bound.is_set() and not may_insert.is_set():
            may_insert.set()
            await asyncio.wait({first})
        return found

    monkeypatch.setattr(plant.outdials, "bind", bind_and_wait)
    monkeypatch.setattr(PostgresCampaigns, "get", get_and_let_it_be_inserted)
    first = asyncio.create_task(plant.campaign(id=first_id, outdial_id=outdial_id))
    await is_bound.wait()
    with pytest.raises(FailedPrecondition, match=f"in use by campaign {first_id}"):
        await plant.campaign(outdial_id=outdial_id)
    assert (await first).outdial_id == outdial_id
    assert plant.outdials.holder(outdial_id) == first_id


async def test_an_outdial_in_use_is_refused_with_its_user(plant: Plant) -> None:
    user = await plant.campaign()
    with pytest.raises(FailedPrecondition) as caught:
        await plant.campaign(outdial_id=user.outdial_id)
    assert caught.value.reason == "OUTDIAL_IN_USE"
    assert caught.value.metadata["campaign_id"] == str(user.id)
    assert outdial_of(plant, user) == user.id


async def test_an_exchange_of_the_outdial_releases_the_old_one(plant: Plant) -> None:
    campaign = await plant.campaign()
    new = plant.outdials.add()
    changed = await plant.update(campaign.id, references={"outdial_id": new})
    assert changed.outdial_id == new
    assert plant.outdials.holder(new) == campaign.id
    assert outdial_of(plant, campaign) is None
    cleared = await plant.update(campaign.id, references={"outdial_id": None})
    assert cleared.outdial_id is None
    assert plant.outdials.holder(new) is None
    assert await plant.scalar("SELECT count(*) FROM binding_checks") == 0


async def test_a_refused_exchange_changes_nothing(plant: Plant) -> None:
    campaign, other = await plant.campaign(), await plant.campaign()
    with pytest.raises(FailedPrecondition):
        await plant.update(campaign.id, name="x", references={"outdial_id": other.outdial_id})
    assert await plant.get(campaign.id) == campaign
    assert outdial_of(plant, campaign) == campaign.id
    plant.outdials.is_down = True
    with pytest.raises(Unavailable):
        await plant.update(campaign.id, name="x", references={"outdial_id": new_id()})
    assert await plant.get(campaign.id) == campaign


async def test_an_update_sets_only_what_is_given(plant: Plant) -> None:
    campaign = await plant.campaign(
        name="a", detail="b", actions=(Action("answer"),), source=Address("tel", "+15550001")
    )
    changed = await plant.update(campaign.id, detail="c")
    assert (changed.name, changed.detail) == ("a", "c")
    assert (changed.actions, changed.source) == (campaign.actions, campaign.source)
    assert changed.revision == campaign.revision + 1
    cleared = await plant.update(campaign.id, actions=(), sets_source=True)
    assert (cleared.actions, cleared.source) == ((), None)
    assert (await plant.event_names(campaign.id)).count("campaign.updated") == 2


async def test_an_update_that_changes_nothing_is_no_event(plant: Plant) -> None:
    campaign = await plant.campaign(name="a")
    assert await plant.update(campaign.id, name="a") == campaign
    assert await plant.event_names(campaign.id) == ["campaign.created"]


async def test_members_and_status_change_together_or_not_at_all(plant: Plant) -> None:
    campaign = await plant.campaign(outplan_id=None)
    change = CampaignChange(name="new", references={"outplan_id": None})
    with pytest.raises(FailedPrecondition, match="has no outplan_id"):
        await plant.services.campaigns.update_campaign(CUSTOMER, campaign.id, change, RUN)
    assert await plant.get(campaign.id) == campaign

    change = CampaignChange(name="new", references={"outplan_id": (await plant.outplan()).id})
    started = await plant.services.campaigns.update_campaign(CUSTOMER, campaign.id, change, RUN)
    assert (started.name, started.status) == ("new", Status.RUN)
    assert await plant.event_names(campaign.id) == [
        "campaign.created",
        "campaign.updated",
        "campaign.status_run",
    ]


@pytest.mark.parametrize("member", ["outdial_id", "outplan_id", "queue_id", "type"])
async def test_what_a_run_stands_on_cannot_be_exchanged(plant: Plant, member: str) -> None:
    campaign = await plant.running()
    change: dict[str, Any] = {"type": CampaignType.EMAIL}
    if member == "outplan_id":
        change = {"references": {member: (await plant.outplan()).id}}
    elif member == "outdial_id":
        change = {"references": {member: plant.outdials.add()}}
    elif member == "queue_id":
        change = {"references": {member: plant.queues.add()}}
    with pytest.raises(FailedPrecondition, match=f"before changing its {member}"):
        await plant.update(campaign.id, **change)
    # The rest can be.
    assert (await plant.update(campaign.id, name="new")).name == "new"


async def test_concurrent_updates_all_happen(plant: Plant) -> None:
    campaign = await plant.campaign()
    changes: list[dict[str, Any]] = [{"name": "n"}, {"detail": "d"}, {"service_level": 7}]
    await asyncio.gather(*(plant.update(campaign.id, **each) for each in changes))
    changed = await plant.get(campaign.id)
    assert (changed.name, changed.detail, changed.service_level) == ("n", "d", 7)
    assert changed.revision == campaign.revision + 3


async def test_only_a_stopped_campaign_can_be_deleted(plant: Plant) -> None:
    campaign = await plant.running()
    with pytest.raises(FailedPrecondition, match="stop it before deleting"):
        await plant.services.campaigns.delete_campaign(CUSTOMER, campaign.id)
    await plant.stop(campaign.id)
    deleted = await plant.services.campaigns.delete_campaign(CUSTOMER, campaign.id)
    assert deleted.tm_delete is not None
    assert outdial_of(plant, campaign) is None
    # It can be read, not listed, changed or started; deleting it again changes nothing.
    assert await plant.get(campaign.id) == deleted
    assert (await plant.services.campaigns.list_campaigns(CUSTOMER, Page(10)))[0] == []
    with pytest.raises(FailedPrecondition, match="is deleted"):
        await plant.run(campaign.id)
    with pytest.raises(FailedPrecondition, match="is deleted"):
        await plant.update(campaign.id, name="x")
    again = await plant.services.campaigns.delete_campaign(CUSTOMER, campaign.id)
    assert again == deleted


async def test_a_binding_that_could_not_be_released_is_told_of(plant: Plant) -> None:
    campaign = await plant.campaign()
    plant.outdials.is_down = True
    with capture_logs() as logs:
        await plant.services.campaigns.delete_campaign(CUSTOMER, campaign.id)
    told = [each for each in logs if each["event"] == "binding_not_settled"]
    assert [(each["campaign"], each["outdial"]) for each in told] == [
        (str(campaign.id), str(campaign.outdial_id))
    ]


async def test_a_delete_while_outdial_is_down_releases_later(plant: Plant) -> None:
    campaign = await plant.campaign()
    plant.outdials.is_down = True
    await plant.services.campaigns.delete_campaign(CUSTOMER, campaign.id)
    assert outdial_of(plant, campaign) == campaign.id
    plant.outdials.is_down = False
    await plant.execute("UPDATE binding_checks SET due_at = now()")
    await plant.services.references.settle_due()
    assert outdial_of(plant, campaign) is None


async def test_other_customers_are_refused_and_unknown_ids_not_found(plant: Plant) -> None:
    campaign = await plant.campaign()
    service = plant.services.campaigns
    with pytest.raises(PermissionDenied):
        await service.get_campaign(OTHER, campaign.id)
    with pytest.raises(PermissionDenied):
        await service.set_campaign_status(OTHER, campaign.id, RUN)
    with pytest.raises(PermissionDenied):
        await service.delete_campaign(OTHER, campaign.id)
    with pytest.raises(PermissionDenied):
        await service.get_campaign_stats(OTHER, campaign.id)
    with pytest.raises(PermissionDenied):
        await plant.services.campaigncalls.list_campaigncalls(OTHER, campaign.id, Page(1))
    with pytest.raises(NotFound) as caught:
        await plant.get(new_id())
    assert caught.value.reason == "CAMPAIGN_NOT_FOUND"


async def test_lists_are_paged_newest_first_without_loss(plant: Plant) -> None:
    # All within the same microsecond: the clock stands still.
    campaigns = [await plant.campaign(outdial_id=None) for _ in range(7)]
    found: list[UUID] = []
    token = ""
    while True:
        page = page_request(3, token)
        rows, token = await plant.services.campaigns.list_campaigns(CUSTOMER, page)
        found += [each.id for each in rows]
        if not rows:
            break
    assert found == sorted((each.id for each in campaigns), reverse=True)
    assert token == ""


async def test_attempts_are_listed_by_customer_and_by_campaign(plant: Plant) -> None:
    first, second = await plant.running(), await plant.running()
    mine = await plant.open(await plant.opener(first.id), 5)
    await plant.open(await plant.opener(second.id), 2)
    service = plant.services.campaigncalls
    rows, token = await service.list_campaigncalls(CUSTOMER, first.id, Page(3))
    assert [each.id for each in rows] == list(reversed(mine))[:3]
    # Attempts opened together are a microsecond apart, so the token is the documented plain time.
    assert "~" not in token
    rows, _ = await service.list_campaigncalls(CUSTOMER, first.id, page_request(3, token))
    assert [each.id for each in rows] == list(reversed(mine))[3:]
    rows, _ = await service.list_campaigncalls(CUSTOMER, None, Page(10))
    assert len(rows) == 7
    assert (await service.list_campaigncalls(OTHER, None, Page(10)))[0] == []
