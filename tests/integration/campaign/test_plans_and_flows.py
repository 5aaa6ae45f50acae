"""Outplans and flows beside the campaigns that use them."""

from __future__ import annotations

import asyncio

import pytest
from outbound.outplan.v1 import events_pb2 as outplan_events

from services.campaign.flows.domain import FlowChange, FlowDraft
from services.campaign.outplans.domain import OutplanChange
from services.common.action_catalogue import LATER
from services.common.actions import Action
from services.common.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from services.common.ids import new_id
from services.common.paging import Page
from tests.integration.campaign.support import CUSTOMER, Plant

OTHER = new_id()


async def test_an_outplan_is_kept_as_it_was_given(plant: Plant) -> None:
    plan = await plant.outplan(dial_timeout=0, try_interval=1, calls_per_second=2.5)
    found = await plant.services.outplans.get_outplan(CUSTOMER, plan.id)
    assert found == plan
    assert (found.dial_timeout, found.calls_per_second, found.max_concurrent) == (0, 2.5, None)
    assert await plant.event_names(plan.id) == ["outplan.created"]


async def test_an_outplans_headers_and_variables_are_kept_replaced_and_cleared(
    plant: Plant,
) -> None:
    headers, variables = {"X-Case": "${voipbin.outdialtarget.data.case}"}, {"tier": "gold"}
    plan = await plant.outplan(headers=headers, variables=variables)
    found = await plant.services.outplans.get_outplan(CUSTOMER, plan.id)
    assert (found.headers, found.variables) == (headers, variables)
    changed = await plant.change_outplan(plan.id, headers={"X-Other": "1"})
    assert (changed.headers, changed.variables) == ({"X-Other": "1"}, variables)
    assert (await plant.change_outplan(plan.id, headers={})).headers == {}
    with pytest.raises(InvalidArgument, match="headers"):
        await plant.change_outplan(plan.id, headers={"Via": "1"})


async def test_creating_an_outplan_is_idempotent_by_id(plant: Plant) -> None:
    plan_id = new_id()
    plan = await plant.outplan(id=plan_id, digest="a")
    assert await plant.outplan(id=plan_id, digest="a") == plan
    with pytest.raises(AlreadyExists):
        await plant.outplan(id=plan_id, digest="b")


async def test_an_outplan_update_tells_which_outdials_it_concerns(plant: Plant) -> None:
    plan = await plant.outplan()
    users = [await plant.campaign(outplan_id=plan.id) for _ in range(2)]
    gone = await plant.campaign(outplan_id=plan.id)
    await plant.services.campaigns.delete_campaign(CUSTOMER, gone.id)
    changed = await plant.change_outplan(plan.id, max_try_counts={1: 2}, calls_per_second=5.0)
    assert changed.max_try_counts == (3, 2, 0, 0, 0)
    events = [data for name, about, data in await plant.events() if name == "outplan.updated"]
    event = outplan_events.OutplanEvent.FromString(events[0].value)
    assert set(event.outdial_ids) == {str(each.outdial_id) for each in users}
    # Zero returns to the deployment's default.
    assert (await plant.change_outplan(plan.id, calls_per_second=0.0)).calls_per_second is None


async def test_an_outplan_in_use_cannot_be_deleted(plant: Plant) -> None:
    campaign = await plant.running()
    assert campaign.outplan_id is not None
    service = plant.services.outplans
    with pytest.raises(FailedPrecondition, match=f"used by campaign {campaign.id}"):
        await service.delete_outplan(CUSTOMER, campaign.outplan_id)
    await plant.stop(campaign.id)
    deleted = await service.delete_outplan(CUSTOMER, campaign.outplan_id)
    assert deleted.tm_delete is not None
    assert await service.delete_outplan(CUSTOMER, campaign.outplan_id) == deleted
    assert (await service.list_outplans(CUSTOMER, Page(10)))[0] == []
    with pytest.raises(FailedPrecondition, match="deleted"):
        await service.update_outplan(CUSTOMER, campaign.outplan_id, OutplanChange(name="x"))
    with pytest.raises(FailedPrecondition, match="outplan_id"):
        await plant.run(campaign.id)


async def test_a_start_and_the_deletion_of_its_plan_exclude_each_other(plant: Plant) -> None:
    for _ in range(8):
        campaign = await plant.campaign()
        assert campaign.outplan_id is not None
        outcomes = await asyncio.gather(
            plant.run(campaign.id),
            plant.services.outplans.delete_outplan(CUSTOMER, campaign.outplan_id),
            return_exceptions=True,
        )
        refused = [each for each in outcomes if isinstance(each, FailedPrecondition)]
        assert len(refused) == 1


async def test_plans_and_flows_of_others_are_refused(plant: Plant) -> None:
    plan, flow = await plant.outplan(), await plant.flow()
    with pytest.raises(PermissionDenied):
        await plant.services.outplans.get_outplan(OTHER, plan.id)
    with pytest.raises(PermissionDenied):
        await plant.services.flows.delete_flow(OTHER, flow.id)
    with pytest.raises(NotFound) as caught:
        await plant.services.outplans.get_outplan(CUSTOMER, new_id())
    assert caught.value.reason == "OUTPLAN_NOT_FOUND"
    with pytest.raises(NotFound) as caught:
        await plant.services.flows.get_flow(None, new_id())
    assert caught.value.reason == "FLOW_NOT_FOUND"


async def test_a_flow_keeps_its_actions_as_they_were_sent(plant: Plant) -> None:
    first, second = new_id(), new_id()
    actions = (
        Action("talk", {"text": "hi", "zeta": 1, "alpha": [1.5, None]}, id=first, next_id=second),
        Action("hangup", id=second),
    )
    flow = await plant.flow(*actions)
    found = await plant.services.flows.get_flow(CUSTOMER, flow.id)
    assert found.actions == actions
    assert list(found.actions[0].option) == ["text", "zeta", "alpha"]


async def test_creating_a_flow_is_idempotent_by_id(plant: Plant) -> None:
    wanted = FlowDraft(new_id(), "a", "flow", "", (Action("answer"),), None)
    flow = await plant.services.flows.create_flow(CUSTOMER, wanted)
    assert await plant.services.flows.create_flow(CUSTOMER, wanted) == flow
    assert await plant.event_names(flow.id) == ["flow.created"]
    with pytest.raises(AlreadyExists):
        await plant.services.flows.create_flow(OTHER, wanted)


async def test_a_flow_in_use_cannot_be_deleted(plant: Plant) -> None:
    flow = await plant.flow(Action("answer"))
    campaign = await plant.running(flow_id=flow.id)
    with pytest.raises(FailedPrecondition, match=f"used by campaign {campaign.id}"):
        await plant.services.flows.delete_flow(CUSTOMER, flow.id)
    await plant.stop(campaign.id)
    await plant.services.flows.delete_flow(CUSTOMER, flow.id)
    with pytest.raises(FailedPrecondition, match="flow_id"):
        await plant.run(campaign.id)


async def test_the_flow_that_follows_must_exist_and_be_another(plant: Plant) -> None:
    service = plant.services.flows
    first = await plant.flow()
    second = await service.update_flow(
        CUSTOMER,
        (await plant.flow()).id,
        FlowChange(sets_on_complete=True, on_complete_flow_id=first.id),
    )
    assert second.on_complete_flow_id == first.id
    for wrong in (new_id(), second.id):
        change = FlowChange(sets_on_complete=True, on_complete_flow_id=wrong)
        with pytest.raises(InvalidArgument, match="on_complete_flow_id"):
            await service.update_flow(CUSTOMER, second.id, change)


@pytest.mark.parametrize("word", sorted(LATER)[:3])
async def test_actions_that_cannot_run_are_refused_while_their_campaign_runs(
    plant: Plant, word: str
) -> None:
    flow = await plant.flow(Action("talk", {"text": "hello"}))
    campaign = await plant.running(flow_id=flow.id)
    with pytest.raises(InvalidArgument, match=f"'{word}' cannot be used"):
        await plant.update(campaign.id, actions=(Action(word),))
    with pytest.raises(InvalidArgument, match=f"'{word}' cannot be used"):
        await plant.change_flow(flow.id, Action(word))
    assert (await plant.get(campaign.id)).actions == campaign.actions
