"""Campaigns dialed through the real services and the simulated network."""

from __future__ import annotations

import time
from datetime import timedelta

from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.dialer.v1 import dialer_service_pb2 as dialer_pb

from services.common.auth import acting_for
from tests.integration.dialer.props import reasons, until
from tests.integration.dialer.world import World

ANSWERS = [f"+1999000{n:04}" for n in range(200)]
RINGS_ON = [f"+1999300{n:04}" for n in range(50)]
LONG_TALK = (("sleep", '{"duration": 60000}'),)


async def test_a_campaign_without_queue_dials_every_target_and_finishes(world: World) -> None:
    await world.start_dialer()
    campaign_id = await world.make_campaign(ANSWERS[:25])
    await world.start(campaign_id)

    stats = await world.finished(campaign_id)

    assert stats.attempt_count == 25
    assert stats.success_count == 25
    with acting_for(world.customer_id):
        dialer = world.dialer_stub("dialer-1")
        calls = await dialer.ListCalls(dialer_pb.ListCallsRequest())
        flows = await dialer.ListActiveflows(dialer_pb.ListActiveflowsRequest())
    assert {call.status for call in calls.calls} == {"hangup"}
    assert {flow.status for flow in flows.activeflows} == {"ended"}
    assert len(calls.calls) == len(flows.activeflows) == 25


async def test_answered_calls_are_connected_with_agents(world: World) -> None:
    await world.start_dialer()
    queue_id = await world.make_queue(["+19990900001", "+19990900002"])
    campaign_id = await world.make_campaign(ANSWERS[:10], queue_id=queue_id)
    await world.start(campaign_id)

    stats = await world.finished(campaign_id)

    assert stats.attempt_count == 10
    assert stats.connected_count == 10
    assert stats.success_count == 10
    assert stats.abandoned_count == 0
    attempts = await world.attempts(campaign_id)
    assert all(each.HasField("tm_connect") for each in attempts)


async def test_busy_is_tried_again_after_the_interval(world: World) -> None:
    await world.start_dialer()
    campaign_id = await world.make_campaign(["+19996000001"], max_tries=3, try_interval_ms=500)
    await world.start(campaign_id)

    stats = await world.finished(campaign_id)

    first, second = await world.attempts(campaign_id)
    assert (first.hangup_reason, second.hangup_reason) == ("busy", "normal")
    assert (first.try_count, second.try_count) == (1, 2)
    pause = second.tm_create.ToDatetime() - first.tm_end.ToDatetime()
    assert 0.5 <= pause.total_seconds() < 2.0
    assert stats.fail_count == 1


async def test_what_the_network_says_is_what_is_reported(world: World) -> None:
    await world.start_dialer()
    numbers = ["+19991000001", "+19992000001", "+19993000001", "+19990000001"]
    campaign_id = await world.make_campaign(numbers, dial_timeout_ms=500)
    await world.start(campaign_id)

    await world.finished(campaign_id)

    reasons = {
        each.destination.target: each.hangup_reason for each in await world.attempts(campaign_id)
    }
    assert [reasons[number] for number in numbers] == ["amd", "busy", "noanswer", "normal"]


async def test_stop_ends_everything_at_once_and_refunds_what_rang(world: World) -> None:
    await world.start_dialer()
    campaign_id = await world.make_campaign(
        [*ANSWERS[:5], *RINGS_ON[:5]], actions=LONG_TALK, dial_timeout_ms=60_000
    )
    await world.start(campaign_id)
    await until(lambda: _counts(world, campaign_id, progressing=5, dialing=5), "ten calls")
    await world.stop(campaign_id)

    stats = await world.stopped(campaign_id)

    assert stats.refunded_count == 5
    assert stats.success_count == 5
    assert reasons(stats) == {"normal": 5, "cancel": 5}


async def test_drain_lets_conversations_end_by_themselves(world: World) -> None:
    await world.start_dialer()
    campaign_id = await world.make_campaign(
        [*ANSWERS[:3], *RINGS_ON[:3]],
        actions=(("sleep", '{"duration": 2000}'),),
        dial_timeout_ms=60_000,
    )
    await world.start(campaign_id)
    await until(lambda: _counts(world, campaign_id, progressing=3, dialing=3), "six calls")
    await world.stop(campaign_id, campaign_pb.STOP_MODE_DRAIN)
    stats = await world.stopped(campaign_id)
    assert stats.success_count == 3
    assert stats.talk_ms_total >= 3 * 1900


async def test_continue_waits_for_new_targets(world: World) -> None:
    await world.start_dialer()
    campaign_id = await world.make_campaign(ANSWERS[:1], continues=True)
    campaign = await world.campaign(campaign_id)
    await world.start(campaign_id)
    await until(lambda: _counts(world, campaign_id, done=1), "the first attempt")
    began = time.monotonic()
    await world.add_targets(campaign.outdial_id, ANSWERS[1:3])
    await until(lambda: _counts(world, campaign_id, done=3), "the others")
    assert time.monotonic() - began < 3.0
    assert (await world.campaign(campaign_id)).status == campaign_pb.Campaign.STATUS_RUN


async def test_an_agent_who_does_not_answer_is_passed_over(world: World) -> None:
    await world.start_dialer()
    queue_id = await world.make_queue(["+19993900001", "+19990900002"], ring_timeout=1000)
    campaign_id = await world.make_campaign(ANSWERS[:3], queue_id=queue_id)
    await world.start(campaign_id)
    stats = await world.finished(campaign_id)
    assert stats.connected_count == 3


async def test_a_caller_without_an_agent_is_abandoned_after_the_wait(world: World) -> None:
    await world.start_dialer()
    # The only agent is counted, rings on and is then away: the caller waits in vain.
    queue_id = await world.make_queue(["+19993900001"], ring_timeout=1000, wait_timeout=2500)
    campaign_id = await world.make_campaign(ANSWERS[:1], queue_id=queue_id)
    await world.start(campaign_id)
    stats = await world.finished(campaign_id)
    assert stats.abandoned_count == 1
    assert stats.connected_count == 0


async def test_nobody_in_time_hears_the_abandonment_actions_and_counts(world: World) -> None:
    await world.start_dialer()
    queue_id = await world.make_queue(["+19993900001"], ring_timeout=20_000)
    campaign_id = await world.make_campaign(
        ANSWERS[:1],
        actions=(),
        queue_id=queue_id,
        agent_wait_limit=700,
        abandonment=(("variable_set", '{"key": "told", "value": "sorry"}'),),
    )
    await world.start(campaign_id)
    stats = await world.finished(campaign_id)
    assert (stats.answered_by_person_count, stats.abandoned_count) == (1, 1)
    assert stats.abandoned_rate == 1.0
    (attempt,) = await world.attempts(campaign_id)
    assert attempt.is_abandoned
    waited = attempt.tm_abandon.ToDatetime() - attempt.tm_answer.ToDatetime()
    assert waited == timedelta(milliseconds=700)
    assert dict(attempt.variables) == {"told": "sorry"}
    assert not attempt.HasField("answer_to_agent")


async def test_an_agent_after_the_limit_is_connected_and_counted(world: World) -> None:
    await world.start_dialer()
    queue_id = await world.make_queue(["+19990900001"])
    campaign_id = await world.make_campaign(
        ANSWERS[:1], actions=(), queue_id=queue_id, agent_wait_limit=1
    )
    await world.start(campaign_id)
    stats = await world.finished(campaign_id)
    assert (stats.connected_count, stats.abandoned_count) == (1, 1)
    (attempt,) = await world.attempts(campaign_id)
    assert attempt.answer_to_agent == stats.answer_to_agent_ms_max > 1
    assert stats.answer_to_agent_ms_average == stats.answer_to_agent_ms_max


async def _counts(world: World, campaign_id: str, **expected: int) -> bool:
    stats = await world.stats(campaign_id)
    return all(getattr(stats, f"{name}_count") == count for name, count in expected.items())
