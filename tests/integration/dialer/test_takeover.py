"""Dialers that end, gracefully or not, and those that go on for them."""

from __future__ import annotations

import asyncio

import pytest
from outbound.common.v1 import action_pb2 as action_pb
from outbound.dialer.v1 import dialer_service_pb2 as dialer_pb

from services.common.auth import acting_for
from services.common.errors import AlreadyExists, NotFound, PermissionDenied
from services.common.ids import new_id
from tests.integration.dialer.props import reasons, until
from tests.integration.dialer.test_dialing import ANSWERS, LONG_TALK, RINGS_ON, _counts
from tests.integration.dialer.world import World


async def test_a_killed_dialers_calls_go_on_at_another(world: World) -> None:
    first = await world.start_dialer("dialer-1")
    campaign_id = await world.make_campaign(
        [*ANSWERS[:4], *RINGS_ON[:4]],
        actions=(("sleep", '{"duration": 9000}'), ("talk", '{"text": "bye"}')),
        dial_timeout_ms=9_000,
    )
    await world.start(campaign_id)
    await until(lambda: _counts(world, campaign_id, progressing=4, dialing=4), "eight calls")
    await first.kill()
    await world.start_dialer("dialer-2")

    stats = await world.finished(campaign_id)

    assert stats.attempt_count == 8, "nobody was dialed twice"
    assert reasons(stats) == {"normal": 4, "noanswer": 4}
    assert len(world.simnet.entries("ring")) == 8


async def test_a_conversation_with_an_agent_survives_its_dialer(world: World) -> None:
    first = await world.start_dialer("dialer-1")
    profile_number = "+19997000001"
    queue_id = await world.make_queue(["+19990900001"])
    campaign_id = await world.make_campaign([profile_number], queue_id=queue_id)
    await world.start(campaign_id)
    await until(lambda: _counts(world, campaign_id, connected=1), "the conversation")
    await first.kill()
    await world.start_dialer("dialer-2")
    stats = await world.finished(campaign_id)
    assert stats.attempt_count == 1
    assert stats.success_count == 1
    (attempt,) = await world.attempts(campaign_id)
    talked = attempt.tm_end.ToDatetime() - attempt.tm_connect.ToDatetime()
    assert talked.total_seconds() >= 7.5


async def test_a_graceful_end_hands_over_without_waiting_for_the_lease(world: World) -> None:
    first = await world.start_dialer("dialer-1")
    await world.start_dialer("dialer-2")
    campaign_id = await world.make_campaign(ANSWERS[:4], actions=LONG_TALK)
    await world.start(campaign_id)
    await until(lambda: _counts(world, campaign_id, progressing=4), "four calls")
    holder = (await world.stats(campaign_id)).lease_holder
    await world.dialers[holder].stop()

    async def is_held_by_the_other() -> bool:
        return (await world.stats(campaign_id)).lease_holder not in ("", holder)

    await until(is_held_by_the_other, "the other's lease", 3.0)
    await world.stop(campaign_id)
    stats = await world.stopped(campaign_id)
    assert reasons(stats) == {"normal": 4}
    assert first.server.port


async def test_any_dialer_hangs_up_any_call(world: World) -> None:
    await world.start_dialer("dialer-1")
    await world.start_dialer("dialer-2")
    campaign_id = await world.make_campaign(
        [ANSWERS[0], RINGS_ON[0]], actions=LONG_TALK, dial_timeout_ms=60_000
    )
    await world.start(campaign_id)
    await until(lambda: _counts(world, campaign_id, progressing=1, dialing=1), "two calls")
    holder = (await world.stats(campaign_id)).lease_holder
    (other,) = [name for name in world.dialers if name != holder]
    answered, ringing = sorted(
        await world.attempts(campaign_id), key=lambda each: each.destination.target
    )
    stub = world.dialer_stub(other)
    with acting_for(world.customer_id):
        call = await stub.HangupCall(dialer_pb.HangupCallRequest(id=answered.id))
        assert call.status == "terminating"
        call = await stub.HangupCall(dialer_pb.HangupCallRequest(id=ringing.id))
        assert call.status == "canceling"
        with pytest.raises(NotFound):
            await stub.HangupCall(dialer_pb.HangupCallRequest(id=str(new_id())))

    stats = await world.finished(campaign_id)
    assert reasons(stats) == {"normal": 1, "cancel": 1}
    with acting_for(world.customer_id):
        call = await stub.GetCall(dialer_pb.GetCallRequest(id=answered.id))
        assert (call.status, call.hangup_by) == ("hangup", "local")
        again = await stub.HangupCall(dialer_pb.HangupCallRequest(id=answered.id))
        assert again.status == "hangup"
        with pytest.raises(NotFound):
            await stub.GetCall(dialer_pb.GetCallRequest(id=ringing.id))
    with acting_for(new_id()), pytest.raises(PermissionDenied):
        await stub.GetCall(dialer_pb.GetCallRequest(id=answered.id))


async def test_stopping_an_activeflow_ends_its_call(world: World) -> None:
    await world.start_dialer("dialer-1")
    await world.start_dialer("dialer-2")
    campaign_id = await world.make_campaign(ANSWERS[:1], actions=LONG_TALK)
    await world.start(campaign_id)
    await until(lambda: _counts(world, campaign_id, progressing=1), "a call")
    holder = (await world.stats(campaign_id)).lease_holder
    (other,) = [name for name in world.dialers if name != holder]
    (attempt,) = await world.attempts(campaign_id)
    stub = world.dialer_stub(other)
    with acting_for(world.customer_id):

        async def running() -> bool:
            try:
                flow = await stub.GetActiveflow(
                    dialer_pb.GetActiveflowRequest(id=attempt.activeflow_id)
                )
            except NotFound:
                return False
            return bool(flow.current_action.type == "sleep")

        await until(running, "the stored activeflow")
        flow = await stub.StopActiveflow(dialer_pb.StopActiveflowRequest(id=attempt.activeflow_id))
        assert flow.status == "ended"
    stats = await world.finished(campaign_id)
    assert stats.success_count == 1


async def test_of_simultaneous_activeflows_with_one_id_one_runs(world: World) -> None:
    names = ("dialer-1", "dialer-2")
    for name in names:
        await world.start_dialer(name)
    stubs = [world.dialer_stub(name) for name in names]

    def request(run_id: str, number: int) -> dialer_pb.CreateActiveflowRequest:
        option = f'{{"key": "which", "value": "{number}"}}'
        actions = [action_pb.Action(type="variable_set", option_json=option)]
        if number % 2:
            # Some take time, others have ended when they are answered.
            actions.append(action_pb.Action(type="sleep", option_json='{"duration": 60000}'))
        return dialer_pb.CreateActiveflowRequest(id=run_id, actions=actions)

    with acting_for(world.customer_id):
        for _ in range(5):
            run_id = str(new_id())
            answers = await asyncio.gather(
                *(stubs[n % 2].CreateActiveflow(request(run_id, n // 2)) for n in range(12)),
                return_exceptions=True,
            )
            made = [each for each in answers if isinstance(each, dialer_pb.Activeflow)]
            assert sum(isinstance(each, AlreadyExists) for each in answers) == 12 - len(made)
            (which,) = {each.variables["which"] for each in made}
            assert len(made) == 2, "the same request at both dialers"
            winner = request(run_id, int(which))
            for stub in stubs:
                assert (await stub.CreateActiveflow(winner)).variables["which"] == which
            # The same flow with its actions spelled out is another request.
            winner.flow_id = str(new_id())
            with pytest.raises(AlreadyExists):
                await stubs[0].CreateActiveflow(winner)


async def test_an_activeflow_without_a_call_runs_at_once(world: World) -> None:
    await world.start_dialer("dialer-1")
    stub = world.dialer_stub("dialer-1")
    with acting_for(world.customer_id):
        flow = await stub.CreateActiveflow(
            dialer_pb.CreateActiveflowRequest(
                actions=[
                    action_pb.Action(type="talk", option_json='{"text": "hi"}'),
                    action_pb.Action(
                        type="variable_set", option_json='{"key": "a", "value": "${b}!"}'
                    ),
                ],
                variables={"b": "x", "voipbin.b": "dropped"},
            )
        )
        assert flow.status == "ended"
        assert dict(flow.variables) == {"a": "x!", "b": "x"}
        assert [step.outcome for step in flow.executed_actions] == ["skipped", "done"]
        deleted = await stub.DeleteActiveflow(dialer_pb.DeleteActiveflowRequest(id=flow.id))
        assert deleted.HasField("tm_delete")
        listed = await stub.ListActiveflows(dialer_pb.ListActiveflowsRequest())
        assert not listed.activeflows
