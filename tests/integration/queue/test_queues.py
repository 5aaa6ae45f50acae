"""Queues as their owners keep them: what is refused, and how one stands."""

from __future__ import annotations

import pytest

from services.common.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from services.common.ids import new_id
from services.queue.agents.domain import AgentStatus
from services.queue.queues.domain import NewQueue, QueueChange, Standing
from services.queue.queues.domain_queuecalls import ReportKind
from tests.integration.queue.world import World


async def test_stats_tell_who_waits_for_how_long_and_who_serves(world: World) -> None:
    tag = await world.tag()
    queue = await world.queue(tag_ids=(tag,))
    agent = await world.agent(AgentStatus.AVAILABLE, tag_ids=(tag,))
    for status in (AgentStatus.AWAY, AgentStatus.BUSY, None):
        await world.agent(status, tag_ids=(tag,))
    await world.agent(AgentStatus.AVAILABLE)  # serves other queues

    async def stats() -> Standing:
        return await world.services.queues.queues.get_queue_stats(world.customer_id, queue)

    empty = await stats()
    assert (empty.waiting_count, empty.service_count, empty.average_waiting_ms) == (0, 0, 0)
    assert empty.longest_waiting_ms(world.clock.now()) == 0
    served = await world.join(queue)
    await world.clock.advance(2)
    await world.pairs(served)
    assert (await stats()).waiting_count == 1, "one is rung for and waits all the same"
    await world.report(served, ReportKind.RINGING, ReportKind.CONNECTED, agent_id=agent)
    gone, waits = await world.join(queue, 2)
    await world.clock.advance(6)
    await world.report(gone, ReportKind.ENDED)
    standing = await stats()
    assert (standing.waiting_count, standing.service_count) == (1, 1)
    assert standing.longest_waiting_ms(world.clock.now()) == 6_001
    # 2,001 ms of the one served and 6,002 of the one who left.
    assert standing.average_waiting_ms == round((2_001 + 6_002) / 2)
    assert (standing.incoming_count, standing.serviced_count) == (3, 1)
    assert standing.abandoned_count == 1
    assert standing.agent_counts == {
        "available": 0,
        "away": 1,
        "busy": 2,
        "offline": 1,
        "ringing": 0,
    }
    assert waits != gone
    with pytest.raises(PermissionDenied):
        await world.services.queues.queues.get_queue_stats(new_id(), queue)


async def test_a_wait_flow_must_be_one_of_the_customers(world: World) -> None:
    flow, foreign = new_id(), new_id()
    world.campaigns.flows = {(world.customer_id, flow), (new_id(), foreign)}
    queues = world.services.queues.queues
    for wrong in (new_id(), foreign):
        with pytest.raises(InvalidArgument, match=f"wait_flow_id is '{wrong}'.*a flow of yours"):
            await world.queue(wait_flow_id=wrong)
    queue = await world.queue(wait_flow_id=flow)
    with pytest.raises(InvalidArgument, match="wait_flow_id"):
        await queues.update_queue(world.customer_id, queue, QueueChange(wait_flow_id=foreign))
    view = await queues.get_queue(world.customer_id, queue)
    assert view.queue.wait_flow_id == flow


async def test_a_queue_that_campaigns_run_with_is_not_deleted(world: World) -> None:
    queue = await world.queue()
    queues = world.services.queues.queues
    world.campaigns.in_use.add(queue)
    with pytest.raises(FailedPrecondition) as caught:
        await queues.delete_queue(world.customer_id, queue)
    assert caught.value.reason == "QUEUE_IN_USE"
    assert (await queues.get_queue(world.customer_id, queue)).queue.tm_delete is None
    world.campaigns.in_use.clear()
    deleted = await queues.delete_queue(world.customer_id, queue)
    assert deleted.queue.tm_delete is not None
    assert world.campaigns.retired == {queue}
    # Repeating it asks nobody.
    world.campaigns.in_use.add(queue)
    assert await queues.delete_queue(world.customer_id, queue) == deleted


async def test_a_caller_who_joins_meanwhile_keeps_the_queue_and_its_campaigns(
    world: World,
) -> None:
    queue = await world.queue()
    world.campaigns.retires = lambda: world.join(queue)
    with pytest.raises(FailedPrecondition, match="callers waiting"):
        await world.services.queues.queues.delete_queue(world.customer_id, queue)
    assert not world.campaigns.retired


async def test_a_repeated_create_is_answered_although_the_wait_flow_is_gone(world: World) -> None:
    flow, queue_id = new_id(), new_id()
    world.campaigns.flows.add((world.customer_id, flow))
    new = NewQueue(id=queue_id, digest="d", wait_flow_id=flow)
    queues = world.services.queues.queues
    await queues.create_queue(world.customer_id, new)
    world.campaigns.flows.clear()
    again = await queues.create_queue(world.customer_id, new)
    assert again.queue.wait_flow_id == flow
