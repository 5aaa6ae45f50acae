"""Campaigns dialed through the real services and the simulated network."""

from __future__ import annotations

from outbound.dialer.v1 import dialer_service_pb2 as dialer_pb

from services.common.auth import acting_for
from tests.integration.dialer.world import World


async def test_a_campaign_without_queue_dials_every_target_and_finishes(world: World) -> None:
    await world.start_dialer()
    campaign_id = await world.make_campaign([f"+1999000{n:04}" for n in range(25)])
    await world.start(campaign_id)

    stats = await world.finished(campaign_id)

    assert stats.attempt_count == 25
    assert stats.success_count == 25
    with acting_for(world.customer_id):
        calls = await world.dialer_stub("dialer-1").ListCalls(dialer_pb.ListCallsRequest())
        flows = await world.dialer_stub("dialer-1").ListActiveflows(
            dialer_pb.ListActiveflowsRequest()
        )
    assert {call.status for call in calls.calls} == {"hangup"}
    assert {flow.status for flow in flows.activeflows} == {"ended"}
    assert len(calls.calls) == len(flows.activeflows) == 25


async def test_answered_calls_are_connected_with_agents(world: World) -> None:
    await world.start_dialer()
    queue_id = await world.make_queue(["+19990900001", "+19990900002"])
    campaign_id = await world.make_campaign(
        [f"+1999000{n:04}" for n in range(10)], queue_id=queue_id
    )
    await world.start(campaign_id)

    stats = await world.finished(campaign_id)

    assert stats.attempt_count == 10
    assert stats.connected_count == 10
    assert stats.success_count == 10
    assert stats.abandoned_count == 0
    attempts = await world.attempts(campaign_id)
    assert all(each.HasField("tm_connect") for each in attempts)
