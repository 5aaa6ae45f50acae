"""Queues and flows that actions name: they must exist when the actions are written and when they start."""

from __future__ import annotations

import pytest

from services.campaign.campaigns.domain import Status
from services.common.actions import Action
from services.common.errors import FailedPrecondition, InvalidArgument
from services.common.ids import new_id
from tests.integration.campaign.support import Plant


async def test_a_queue_that_an_action_names_must_exist_at_every_door(plant: Plant) -> None:
    queue_id = plant.queues.add()
    join = Action("queue_join", {"queue_id": str(queue_id)})
    lost = (Action("answer"), Action("queue_join", {"queue_id": str(new_id())}))
    place = r"actions\[1\].option.queue_id"
    with pytest.raises(InvalidArgument, match=place):
        await plant.campaign(actions=lost)
    with pytest.raises(InvalidArgument, match=place):
        await plant.flow(*lost)
    flow = await plant.flow(join)
    own = await plant.campaign(actions=(join,))
    by_flow = await plant.campaign(flow_id=flow.id)
    with pytest.raises(InvalidArgument, match=place):
        await plant.update(own.id, actions=lost)
    with pytest.raises(InvalidArgument, match=place):
        await plant.change_flow(flow.id, *lost)
    plant.queues.ids.clear()
    for campaign in (own, by_flow):
        with pytest.raises(FailedPrecondition, match=r"actions\[0\].option.queue_id"):
            await plant.run(campaign.id)
    plant.queues.ids.add(queue_id)
    for campaign in (own, by_flow):
        assert (await plant.run(campaign.id)).status is Status.RUN


async def test_a_flow_that_an_action_fetches_must_exist_at_every_door(plant: Plant) -> None:
    fetched = await plant.flow()
    fetch = Action("fetch_flow", {"flow_id": str(fetched.id)})
    lost = (Action("answer"), Action("fetch_flow", {"flow_id": str(new_id())}))
    place = r"actions\[1\].option.flow_id"
    with pytest.raises(InvalidArgument, match=place):
        await plant.campaign(actions=lost)
    with pytest.raises(InvalidArgument, match="abandonment_" + place):
        await plant.campaign(abandonment_actions=lost)
    with pytest.raises(InvalidArgument, match=place):
        await plant.flow(*lost)
    flow = await plant.flow(fetch)
    own = await plant.campaign(actions=(fetch,))
    with pytest.raises(InvalidArgument, match=place):
        await plant.update(own.id, actions=lost)
    with pytest.raises(InvalidArgument, match=place):
        await plant.change_flow(flow.id, *lost)
    itself = Action("fetch_flow", {"flow_id": str(flow.id)})
    await plant.change_flow(flow.id, fetch, itself)
    assert (await plant.run(own.id)).status is Status.RUN


async def test_a_queue_of_another_customer_is_as_good_as_none(plant: Plant) -> None:
    foreign = plant.queues.add()
    plant.queues.foreign.add(foreign)
    with pytest.raises(InvalidArgument, match=r"actions\[0\].option.queue_id"):
        await plant.flow(Action("queue_join", {"queue_id": str(foreign)}))


async def test_a_queue_that_a_variable_names_is_not_looked_for(plant: Plant) -> None:
    action = Action("queue_join", {"queue_id": "${queue}"})
    campaign = await plant.running(actions=(action,))
    assert campaign.status is Status.RUN
