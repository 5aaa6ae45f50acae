"""One caller and one agent, through everything that can happen between them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.common.errors import FailedPrecondition
from services.common.ids import new_id
from services.queue.agents.domain import AgentState, AgentStatus
from services.queue.queues.domain_queuecalls import EndReason, QueuecallStatus, ReportKind
from tests.integration.queue.world import World


async def test_a_caller_is_served_and_the_agent_wraps_up(world: World) -> None:
    queue = await world.queue(wrapup_time=30_000, ring_timeout=15_000)
    [agent] = await world.available()
    caller = await world.join(queue)
    assert (await world.call(caller)).status is QueuecallStatus.WAITING

    [assignment] = (await world.assign(caller)).assignments
    assert (assignment.queuecall_id, assignment.agent_id) == (caller, agent)
    assert assignment.ring_method == "ringall"
    assert assignment.ring_timeout_ms == 15_000
    assert [each.target for each in assignment.addresses] == ["+15550000001"]
    assert (await world.get_agent(agent)).state is AgentState.RESERVED
    assert (await world.get_agent(agent)).status is AgentStatus.RINGING

    await world.report(caller, ReportKind.RINGING, agent_id=agent)
    assert (await world.get_agent(agent)).state is AgentState.RINGING
    await world.clock.advance(5)
    await world.report(caller, ReportKind.CONNECTED, agent_id=agent)
    assert (await world.get_agent(agent)).state is AgentState.BUSY
    await world.clock.advance(60)
    await world.report(caller, ReportKind.ENDED, agent_id=agent)

    ended = await world.call(caller)
    assert ended.status is QueuecallStatus.DONE
    assert ended.duration_waiting == 5_001
    assert ended.duration_service == 60_000
    assert ended.service_agent_id == agent
    assert (await world.get_agent(agent)).state is AgentState.WRAPUP

    await world.clock.advance(29.9)
    await world.sweep()
    assert (await world.get_agent(agent)).state is AgentState.WRAPUP
    await world.clock.advance(0.1)
    await world.sweep()
    assert (await world.get_agent(agent)).state is AgentState.AVAILABLE
    view = await world.services.queues.queues.get_queue(world.customer_id, queue)
    assert view.members.incoming_count == view.members.serviced_count == 1
    assert view.members.abandoned_count == 0
    assert view.members.waiting == view.members.in_service == ()


async def test_events_tell_the_whole_story_once(world: World) -> None:
    queue = await world.queue(wrapup_time=1_000)
    [agent] = await world.available()
    world.take_facts()
    caller = await world.join(queue)
    assert world.take_facts() == ["queuecall.created", "queuecall.waiting"]
    await world.assign(caller)
    assert world.take_facts() == ["queuecall.connecting", "agent.status_updated"]
    await world.report(caller, ReportKind.RINGING, agent_id=agent)
    assert world.take_facts() == []  # reserved already shows as ringing
    await world.report(caller, ReportKind.CONNECTED, agent_id=agent)
    assert world.take_facts() == ["queuecall.serviced", "agent.status_updated"]
    await world.report(caller, ReportKind.ENDED, agent_id=agent)
    assert world.take_facts() == ["queuecall.done"]  # wrap-up shows as busy
    await world.clock.advance(1)
    await world.sweep()
    assert world.take_facts() == ["agent.status_updated"]


async def test_every_event_has_a_revision_of_its_own(world: World) -> None:
    queue = await world.queue()
    await world.available()
    caller, agent = await world.serve(queue)
    await world.report(caller, ReportKind.ENDED, agent_id=agent)
    for subject in (caller, agent):
        revisions = [fact.subject.revision for fact in world.facts if fact.subject.id == subject]
        assert revisions == sorted(set(revisions))


async def test_repeated_and_late_reports_change_nothing(world: World) -> None:
    queue = await world.queue()
    [agent] = await world.available()
    caller, _ = await world.serve(queue)
    world.take_facts()
    for kind in (ReportKind.RINGING, ReportKind.CONNECTED, ReportKind.NO_ANSWER):
        await world.report(caller, kind, agent_id=agent)
    assert (await world.call(caller)).status is QueuecallStatus.SERVICE
    await world.report(caller, ReportKind.ENDED, ReportKind.ENDED, agent_id=agent)
    for kind in ReportKind:
        await world.report(caller, kind, agent_id=agent)
    await world.report(new_id(), *ReportKind, agent_id=agent)
    assert world.take_facts() == ["queuecall.done", "agent.status_updated"]
    assert (await world.get_agent(agent)).state is AgentState.AVAILABLE


async def test_a_batch_is_followed_in_its_order(world: World) -> None:
    queue = await world.queue()
    [agent] = await world.available()
    caller = await world.join(queue)
    await world.assign(caller)
    await world.report(
        caller, ReportKind.RINGING, ReportKind.CONNECTED, ReportKind.ENDED, agent_id=agent
    )
    assert (await world.call(caller)).status is QueuecallStatus.DONE
    assert (await world.get_agent(agent)).state is AgentState.AVAILABLE


async def test_an_unanswered_agent_is_away_and_the_next_one_is_rung(world: World) -> None:
    queue = await world.queue()
    first, second = await world.available(2)
    early = await world.join(queue)
    assert await world.pairs(early) == {early: first}
    late = await world.join(queue)
    await world.report(early, ReportKind.RINGING, ReportKind.NO_ANSWER, agent_id=first)
    assert (await world.get_agent(first)).state is AgentState.AWAY
    assert (await world.call(early)).status is QueuecallStatus.WAITING
    # At its old place: ahead of the one who came later.
    assert await world.pairs(late, early) == {early: second}


async def test_an_unreachable_phone_keeps_its_agent_available_but_not_first(world: World) -> None:
    queue = await world.queue()
    first, second = await world.available(2)
    caller = await world.join(queue)
    assert await world.pairs(caller) == {caller: first}
    await world.report(caller, ReportKind.UNREACHABLE, agent_id=first)
    assert (await world.get_agent(first)).state is AgentState.AVAILABLE
    assert await world.pairs(caller) == {caller: second}


async def test_a_caller_who_leaves_while_the_agent_rings_costs_the_agent_nothing(
    world: World,
) -> None:
    queue = await world.queue(wrapup_time=30_000)
    first, _ = await world.available(2)
    caller = await world.join(queue)
    assert await world.pairs(caller) == {caller: first}
    await world.report(caller, ReportKind.RINGING, ReportKind.ENDED, agent_id=first)
    left = await world.call(caller)
    assert (left.status, left.service_agent_id) == (QueuecallStatus.ABANDONED, None)
    assert (await world.get_agent(first)).state is AgentState.AVAILABLE
    # Nothing to wrap up, and still the one who has been idle longest.
    following = await world.join(queue)
    assert await world.pairs(following) == {following: first}


async def test_a_caller_who_leaves_before_any_agent_is_counted_as_abandoned(world: World) -> None:
    queue = await world.queue()
    caller = await world.join(queue)
    await world.clock.advance(7)
    await world.report(caller, ReportKind.ENDED)
    left = await world.call(caller)
    assert (left.status, left.duration_waiting) == (QueuecallStatus.ABANDONED, 7_001)
    view = await world.services.queues.queues.get_queue(world.customer_id, queue)
    assert view.members.abandoned_count == 1


async def test_a_status_set_during_a_call_applies_after_its_wrapup(world: World) -> None:
    queue = await world.queue(wrapup_time=5_000)
    [agent] = await world.available()
    caller, _ = await world.serve(queue)
    world.take_facts()
    shown = await world.set_status(agent, AgentStatus.OFFLINE)
    assert (shown.state, shown.next_status) == (AgentState.BUSY, "offline")
    assert world.take_facts() == ["agent.updated"]
    await world.report(caller, ReportKind.ENDED, agent_id=agent)
    assert (await world.get_agent(agent)).state is AgentState.WRAPUP
    await world.clock.advance(5)
    await world.sweep()
    after = await world.get_agent(agent)
    assert (after.state, after.next_status) == (AgentState.OFFLINE, "")


async def test_available_ends_a_wrapup_at_once(world: World) -> None:
    queue = await world.queue(wrapup_time=60_000)
    [agent] = await world.available()
    caller, _ = await world.serve(queue)
    await world.report(caller, ReportKind.ENDED, agent_id=agent)
    await world.clock.advance(10)
    after = await world.set_status(agent, AgentStatus.AVAILABLE)
    assert (after.state, after.wrapup_ms_total) == (AgentState.AVAILABLE, 10_000)


async def test_occupancy_adds_up_to_the_time_that_passed(world: World) -> None:
    queue = await world.queue(wrapup_time=20_000)
    agent = await world.agent(AgentStatus.AVAILABLE)
    began = world.clock.now()
    for _ in range(3):
        await world.clock.advance(100)
        caller, _ = await world.serve(queue)
        await world.clock.advance(60)
        await world.report(caller, ReportKind.ENDED, agent_id=agent)
        # Found late, counted exactly: the wrap-up was over after 20 of these 50 seconds.
        await world.clock.advance(50)
        await world.sweep()
    await world.set_status(agent, AgentStatus.OFFLINE)
    after = await world.get_agent(agent)
    passed = (world.clock.now() - began) / timedelta(milliseconds=1)
    assert after.busy_ms_total == 180_000
    assert after.wrapup_ms_total == 60_000
    # Nothing rang for any time here, except for the millisecond each caller took to be assigned.
    assert after.busy_ms_total + after.wrapup_ms_total + after.available_ms_total == passed


async def test_busy_by_hand_is_no_conversation(world: World) -> None:
    agent = await world.agent(AgentStatus.BUSY)
    await world.clock.advance(60)
    await world.set_status(agent, AgentStatus.AVAILABLE)
    assert (await world.get_agent(agent)).busy_ms_total == 0


async def test_kicking_a_waiting_caller(world: World) -> None:
    queue = await world.queue()
    caller = await world.join(queue)
    kicked = await world.services.queues.queuecalls.kick_queuecall(world.customer_id, caller, None)
    assert kicked.status is QueuecallStatus.ABANDONED
    assert (await world.assign(caller)).ends == {caller: EndReason.KICKED}


async def test_kicking_a_conversation_by_call_id_keeps_the_agent_until_the_phone_is_free(
    world: World,
) -> None:
    queue = await world.queue(wrapup_time=10_000)
    [agent] = await world.available()
    caller, _ = await world.serve(queue)
    call = await world.call(caller)
    kick = world.services.queues.queuecalls.kick_queuecall
    assert (await kick(world.customer_id, None, call.reference_id)).status is QueuecallStatus.DONE
    assert (await world.get_agent(agent)).state is AgentState.BUSY
    assert (await world.assign(service=[caller])).ends == {caller: EndReason.KICKED}
    await world.report(caller, ReportKind.ENDED, agent_id=agent)
    assert (await world.get_agent(agent)).state is AgentState.WRAPUP
    before = await world.call(caller)
    assert await kick(world.customer_id, caller, None) == before


async def test_an_agent_whose_kicked_call_is_never_confirmed_is_freed(world: World) -> None:
    queue = await world.queue()
    [agent] = await world.available()
    caller, _ = await world.serve(queue)
    await world.services.queues.queuecalls.kick_queuecall(world.customer_id, caller, None)
    await world.set_status(agent, AgentStatus.AWAY)
    await world.set_status(agent, AgentStatus.AVAILABLE)
    await world.sweep()
    assert (await world.get_agent(agent)).state is AgentState.BUSY
    await world.let_reservations_lapse()
    await world.sweep()
    assert (await world.get_agent(agent)).state is AgentState.AVAILABLE


async def test_wait_timeout_abandons_only_those_who_wait(world: World) -> None:
    queue = await world.queue(wait_timeout=30_000)
    [agent] = await world.available()
    rung, waiting = await world.join(queue, 2)
    await world.assign(rung, waiting)
    await world.clock.advance(30)
    await world.sweep()
    assert (await world.call(rung)).status is QueuecallStatus.CONNECTING
    gone = await world.call(waiting)
    assert (gone.status, gone.duration_waiting) == (QueuecallStatus.ABANDONED, 30_000)
    assert (await world.assign(waiting)).ends == {waiting: EndReason.WAIT_TIMEOUT}
    # Its time is over when it has to wait once more.
    await world.report(rung, ReportKind.NO_ANSWER, agent_id=agent)
    await world.sweep()
    assert (await world.call(rung)).end_reason == EndReason.WAIT_TIMEOUT


async def test_service_timeout_ends_a_conversation(world: World) -> None:
    queue = await world.queue(service_timeout=60_000)
    [agent] = await world.available()
    caller, _ = await world.serve(queue)
    await world.clock.advance(61)
    await world.sweep()
    ended = await world.call(caller)
    assert (ended.status, ended.duration_service) == (QueuecallStatus.DONE, 60_000)
    assert (await world.assign(service=[caller])).ends == {caller: EndReason.SERVICE_TIMEOUT}
    assert (await world.get_agent(agent)).state is AgentState.BUSY
    await world.report(caller, ReportKind.ENDED, agent_id=agent)
    assert (await world.get_agent(agent)).state is AgentState.AVAILABLE


async def test_joining_is_idempotent_and_refuses_unknown_queues(world: World) -> None:
    queue = await world.queue()
    caller = await world.join(queue)
    known = await world.call(caller)
    again = await world.join(queue, queuecall_id=caller, call_id=known.reference_id)
    assert again == caller
    assert await world.call(caller) == known
    view = await world.services.queues.queues.get_queue(world.customer_id, queue)
    assert view.members.incoming_count == 1
    stranger = await world.join(new_id())
    foreign = await world.join(queue, customer_id=new_id())
    news = await world.assign(stranger, foreign)
    assert news.ends == {stranger: None, foreign: None}


async def test_a_queue_with_callers_cannot_be_deleted(world: World) -> None:
    queue = await world.queue()
    caller = await world.join(queue)
    delete = world.services.queues.queues.delete_queue
    with pytest.raises(FailedPrecondition):
        await delete(world.customer_id, queue)
    await world.report(caller, ReportKind.ENDED)
    assert (await delete(world.customer_id, queue)).queue.tm_delete is not None
    late = await world.join(queue)
    assert (await world.assign(late)).ends == {late: None}


async def test_the_sweeper_is_there_when_a_wrapup_ends(world: World) -> None:
    queue = await world.queue(wrapup_time=1_000)
    [agent] = await world.available()
    sweeping = asyncio.create_task(world.services.sweeper.run())
    caller, _ = await world.serve(queue)
    await world.report(caller, ReportKind.ENDED, agent_id=agent)
    async with asyncio.timeout(10):
        while (await world.get_agent(agent)).state is not AgentState.AVAILABLE:
            # Time stands still unless it is moved, so only the sweeper's own waking can do it.
            await world.clock.advance(0.5)
    sweeping.cancel()
    assert (await world.get_agent(agent)).wrapup_ms_total == 1_000
