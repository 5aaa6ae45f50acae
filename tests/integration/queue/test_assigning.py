"""Many callers, agents and dialers: who gets whom, and that nobody is given twice or lost."""

from __future__ import annotations

import asyncio
from uuid import UUID

from services.common.ids import new_id
from services.queue.agents.domain import AgentState, AgentStatus
from services.queue.queues.domain import RoutingMethod
from services.queue.queues.domain_queuecalls import EndReason, QueuecallStatus, ReportKind
from tests.integration.queue.world import World

DIALERS = [f"d{number}" for number in range(6)]


async def test_dialers_at_once_never_reserve_an_agent_twice_nor_lose_a_caller(world: World) -> None:
    queue = await world.queue()
    agents = set(await world.available(10))
    callers: dict[str, list[UUID]] = {dialer: [] for dialer in DIALERS}
    oldest_first: list[UUID] = []
    for _ in range(5):
        for dialer in DIALERS:
            caller = await world.join(queue, dialer=dialer)
            callers[dialer].append(caller)
            oldest_first.append(caller)
    served: list[UUID] = []
    while oldest_first:
        found = await asyncio.gather(
            *(world.pairs(*callers[dialer], dialer=dialer) for dialer in DIALERS)
        )
        # Whoever was reserved by another dialer's call is found by its own dialer's next one.
        again = await asyncio.gather(
            *(world.pairs(*callers[dialer], dialer=dialer) for dialer in DIALERS)
        )
        pairs = {caller: agent for each in again for caller, agent in each.items()}
        assert all(pairs[caller] == agent for each in found for caller, agent in each.items())
        assert set(pairs) == set(oldest_first[:10])
        assert set(pairs.values()) == agents if len(pairs) == 10 else len(pairs) == 0
        for caller, agent in pairs.items():
            await world.report(caller, ReportKind.CONNECTED, ReportKind.ENDED, agent_id=agent)
        served += pairs
        oldest_first = oldest_first[10:]
        for dialer in DIALERS:
            callers[dialer] = [each for each in callers[dialer] if each not in served]
    assert len(served) == len(set(served)) == 30


async def test_the_oldest_caller_comes_first_whoever_asks(world: World) -> None:
    queue = await world.queue()
    old = await world.join(queue, dialer="d1")
    young = await world.join(queue, dialer="d2")
    first, second = await world.available(2)
    await world.set_status(second, AgentStatus.AWAY)
    assert await world.pairs(young, dialer="d2") == {}
    assert await world.pairs(old, dialer="d1") == {old: first}
    await world.set_status(second, AgentStatus.AVAILABLE)
    assert await world.pairs(young, dialer="d2") == {young: second}


async def test_callers_of_a_silent_dialer_take_no_agents(world: World) -> None:
    queue = await world.queue()
    orphan = await world.join(queue, dialer="dead")
    await world.sql("UPDATE queuecalls SET renewed_at = now() - interval '11 seconds'")
    caller = await world.join(queue, dialer="d1")
    [agent] = await world.available()
    assert await world.pairs(caller) == {caller: agent}
    # The dialer that takes the orphan over asks for it, and it is the oldest again.
    await world.report(caller, ReportKind.ENDED, agent_id=agent)
    assert await world.pairs(orphan, dialer="d2") == {orphan: agent}


async def test_asking_again_gives_the_same_agent(world: World) -> None:
    queue = await world.queue()
    first, _ = await world.available(2)
    caller = await world.join(queue)
    for _ in range(3):
        assert await world.pairs(caller) == {caller: first}


async def test_agents_of_other_tags_customers_and_states_are_not_taken(world: World) -> None:
    sales, support = await world.tag("sales"), await world.tag("support")
    queue = await world.queue(tag_ids=(sales,))
    await world.agent(AgentStatus.AVAILABLE, tag_ids=(support,))
    await world.agent(AgentStatus.AVAILABLE, addresses=())  # has no phone
    await world.agent(AgentStatus.AWAY, tag_ids=(sales,))
    own, world.customer_id = world.customer_id, new_id()
    await world.agent(AgentStatus.AVAILABLE)
    world.customer_id = own
    caller = await world.join(queue)
    assert await world.pairs(caller) == {}
    right = await world.agent(AgentStatus.AVAILABLE, tag_ids=(support, sales))
    assert await world.pairs(caller) == {caller: right}


async def test_round_robin_goes_around(world: World) -> None:
    queue = await world.queue(routing_method=RoutingMethod.ROUND_ROBIN)
    agents = sorted(await world.available(3))
    chosen = []
    for _ in range(6):
        caller, agent = await world.serve(queue)
        await world.report(caller, ReportKind.ENDED, agent_id=agent)
        chosen.append(agent)
    assert chosen == agents * 2


async def test_longest_idle_is_the_default(world: World) -> None:
    queue = await world.queue()
    agents = await world.available(3)
    chosen = []
    for _ in range(6):
        caller, agent = await world.serve(queue)
        await world.clock.advance(1)
        await world.report(caller, ReportKind.ENDED, agent_id=agent)
        chosen.append(agent)
    assert chosen == agents * 2


async def test_a_lapsed_reservation_frees_the_agent_and_the_dialer_learns(world: World) -> None:
    queue = await world.queue()
    first, second = await world.available(2)
    caller = await world.join(queue)
    assert await world.pairs(caller) == {caller: first}
    await world.report(caller, ReportKind.RINGING, agent_id=first)
    await world.let_reservations_lapse()
    await world.sweep()
    assert (await world.get_agent(first)).state is AgentState.AVAILABLE
    assert (await world.call(caller)).status is QueuecallStatus.WAITING
    # Until its dialer knows, the first phone may still ring: no second one rings for this caller.
    other = await world.join(queue, dialer="d2")
    assert await world.pairs(other, dialer="d2") == {other: second}
    assert (await world.assign(connecting=[caller])).lost_ids == [caller]
    assert await world.pairs(caller) == {caller: first}


async def test_renewing_keeps_a_reservation(world: World) -> None:
    queue = await world.queue()
    await world.available()
    caller = await world.join(queue)
    await world.assign(caller)
    await world.sql("UPDATE agents SET reserved_until = now() + interval '1 second'")
    assert (await world.assign(connecting=[caller])).lost_ids == []
    [row] = await world.sql("SELECT reserved_until > now() + interval '9 seconds' FROM agents")
    assert row[0]


async def test_an_answer_after_the_lapse_is_believed_while_the_agent_is_free(world: World) -> None:
    queue = await world.queue()
    [agent] = await world.available()
    caller = await world.join(queue)
    await world.assign(caller)
    await world.let_reservations_lapse()
    await world.sweep()
    await world.report(caller, ReportKind.CONNECTED, agent_id=agent)
    assert (await world.call(caller)).status is QueuecallStatus.SERVICE
    assert (await world.get_agent(agent)).queuecall_id == caller


async def test_an_answer_after_the_lapse_counts_when_the_agent_has_another_caller(
    world: World,
) -> None:
    queue = await world.queue()
    [agent] = await world.available()
    caller = await world.join(queue)
    await world.assign(caller)
    await world.let_reservations_lapse()
    await world.sweep()
    other = await world.join(queue, dialer="d2")
    assert await world.pairs(other, dialer="d2") == {other: agent}
    await world.report(caller, ReportKind.CONNECTED, agent_id=agent)
    assert (await world.call(caller)).status is QueuecallStatus.SERVICE
    assert (await world.get_agent(agent)).queuecall_id == other
    await world.report(caller, ReportKind.ENDED, agent_id=agent)
    assert (await world.call(caller)).status is QueuecallStatus.DONE
    assert (await world.get_agent(agent)).queuecall_id == other


async def test_an_answer_after_the_wait_was_over_takes_the_abandonment_back(world: World) -> None:
    queue = await world.queue(wait_timeout=4_000)
    [agent] = await world.available()
    caller = await world.join(queue)
    await world.assign(caller)
    await world.let_reservations_lapse()
    await world.clock.advance(5)
    await world.sweep()
    await world.sweep()
    assert (await world.call(caller)).status is QueuecallStatus.ABANDONED
    await world.report(caller, ReportKind.CONNECTED, agent_id=agent)
    found = await world.sql("SELECT serviced_count, abandoned_count FROM queue_counters")
    assert found == [(1, 0)]


async def test_a_caller_found_alone_by_the_next_dialer_has_been_served(world: World) -> None:
    queue = await world.queue(wrapup_time=5_000)
    [agent] = await world.available()
    caller, _ = await world.serve(queue)
    began = (await world.call(caller)).tm_create
    # A repetition of the first joining is no news, however late it arrives.
    await world.join(queue, queuecall_id=caller, tm=began)
    assert (await world.call(caller)).status is QueuecallStatus.SERVICE
    await world.clock.advance(9)
    await world.join(queue, dialer="d2", queuecall_id=caller)
    ended = await world.call(caller)
    assert (ended.status, ended.tm_create) == (QueuecallStatus.DONE, began)
    assert (await world.get_agent(agent)).state is AgentState.WRAPUP
    assert (await world.assign(caller, dialer="d2")).ends == {caller: EndReason.ENDED}


async def test_a_caller_taken_over_while_its_agent_rings_is_given_the_same_agent(
    world: World,
) -> None:
    queue = await world.queue()
    first, _ = await world.available(2)
    caller = await world.join(queue)
    await world.assign(caller)
    await world.report(caller, ReportKind.RINGING, agent_id=first)
    await world.join(queue, dialer="d2", queuecall_id=caller)
    assert await world.pairs(caller, dialer="d2") == {caller: first}


async def test_callers_that_nobody_holds_are_given_up_and_their_agents_freed(world: World) -> None:
    queue = await world.queue()
    first, second = await world.available(2)
    talking, _ = await world.serve(queue)
    connecting = await world.join(queue)
    await world.assign(connecting)
    waiting, held = await world.join(queue, 2)
    await world.sql("UPDATE queuecalls SET renewed_at = now() - interval '61 seconds'")
    await world.assign(held)
    await world.sweep()
    states = [(await world.call(each)).status for each in (talking, connecting, waiting, held)]
    assert states == [
        QueuecallStatus.DONE,
        QueuecallStatus.ABANDONED,
        QueuecallStatus.ABANDONED,
        QueuecallStatus.WAITING,
    ]
    assert (await world.call(waiting)).end_reason == EndReason.DIALER_LOST
    assert (await world.get_agent(first)).state is AgentState.AVAILABLE
    assert (await world.get_agent(second)).state is AgentState.AVAILABLE


async def test_replicas_that_sweep_at_once_do_everything_once(world: World) -> None:
    queue = await world.queue(wrapup_time=1_000)
    agents = await world.available(20)
    for _ in agents:
        caller, agent = await world.serve(queue)
        await world.report(caller, ReportKind.ENDED, agent_id=agent)
    world.take_facts()
    await world.clock.advance(1)
    await asyncio.gather(*(world.sweep() for _ in range(4)))
    await world.sweep()
    assert world.take_facts() == ["agent.status_updated"] * 20


async def test_everything_at_once_leaves_nothing_behind(world: World) -> None:
    """Dialers, users, kicks and sweeps in each other's way: no deadlock, and all ends well."""
    queue = await world.queue(wrapup_time=100)
    agents = await world.available(8)
    kick = world.services.queues.queuecalls.kick_queuecall

    async def dial(dialer: str, calls: int) -> None:
        for number in range(calls):
            caller = await world.join(queue, dialer=dialer)
            while (found := await world.pairs(caller, dialer=dialer)) == {}:
                if (await world.assign(caller, dialer=dialer)).ends:
                    break
                await world.sweep()
            agent = found.get(caller)
            if number % 4 == 1:
                await kick(world.customer_id, caller, None)
            answer = ReportKind.UNREACHABLE if number % 5 == 2 else ReportKind.CONNECTED
            await world.report(caller, ReportKind.RINGING, answer, agent_id=agent)
            await world.clock.advance(0.2)
            await world.report(caller, ReportKind.ENDED, agent_id=agent)

    async def bother() -> None:
        for number in range(40):
            agent = agents[number % len(agents)]
            await world.set_status(agent, (AgentStatus.AWAY, AgentStatus.AVAILABLE)[number % 2])
            await world.capacity((queue, new_id()))
            await world.let_grants_lapse()

    async with asyncio.timeout(60):
        await asyncio.gather(bother(), *(dial(dialer, 10) for dialer in DIALERS[:4]))
    for agent in agents:
        await world.set_status(agent, AgentStatus.AVAILABLE)
    await world.clock.advance(1)
    await world.sweep()
    live = await world.sql("SELECT status, count(*) FROM queuecalls GROUP BY status")
    assert {row[0] for row in live} <= {"done", "abandoned"}
    assert sum(row[1] for row in live) == 40
    assert {(await world.get_agent(each)).state for each in agents} == {AgentState.AVAILABLE}
    view = await world.services.queues.queues.get_queue(world.customer_id, queue)
    members = view.members
    assert members.incoming_count == members.serviced_count + members.abandoned_count == 40
