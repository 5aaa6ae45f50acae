"""What the queue service's storage promises to its use cases, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from services.common import db
from services.common.address import Address
from services.common.ids import new_id
from services.queue.agents.domain import Agent, AgentState, Tag
from services.queue.queues.domain import Queue, RoutingMethod, Tally
from services.queue.queues.domain_queuecalls import (
    EndReason,
    Joining,
    Queuecall,
    QueuecallStatus,
)
from services.queue.storage import PostgresTransactions
from tests.fixtures.postgres import DatabaseFactory
from tests.integration.queue.world import RecordedEvents
from tests.unit.queue.factories import CUSTOMER, START, make_agent

LATER = START + timedelta(seconds=10)


@pytest.fixture
async def begin(database: DatabaseFactory) -> AsyncIterator[PostgresTransactions]:
    engine = db.create_engine(database("queue"), "queue")
    yield PostgresTransactions(engine, lambda: RecordedEvents([]))
    await engine.dispose()


def make_queue() -> Queue:
    return Queue(
        id=new_id(),
        customer_id=CUSTOMER,
        name="sales",
        detail="all day",
        routing_method=RoutingMethod.ROUND_ROBIN,
        tag_ids=(new_id(), new_id()),
        wait_flow_id=new_id(),
        wait_timeout=5_000,
        service_timeout=60_000,
        wrapup_time=1_000,
        ring_timeout=20_000,
        recording=True,
        revision=1,
        tm_create=START,
    )


def joining(queue: Queue) -> Joining:
    return Joining(new_id(), queue.id, CUSTOMER, new_id(), new_id(), START)


async def add_agent(begin: PostgresTransactions, agent: Agent) -> Agent:
    async with begin() as tx:
        assert await tx.agents.insert(agent, "hash", "digest")
    return agent


async def join(begin: PostgresTransactions) -> Queuecall:
    queue = make_queue()
    async with begin() as tx:
        await tx.queues.insert(queue, "digest")
        [call] = await tx.queuecalls.join("d1", [joining(queue)])
    return call


async def test_an_agent_comes_back_as_it_was_stored(begin: PostgresTransactions) -> None:
    agent = make_agent(
        AgentState.WRAPUP,
        tag_ids=(new_id(), new_id()),
        addresses=(Address("tel", "+15551230000", "Kim", "desk", "2nd floor"),),
        next_status="away",
        wrapup_until=LATER,
        busy_ms_total=1,
        available_ms_total=2,
        wrapup_ms_total=3,
        tm_update=LATER,
    )
    await add_agent(begin, agent)
    async with begin() as tx:
        assert await tx.agents.get(agent.id) == agent
        assert await tx.roster.lock_involved([agent.id, new_id()], []) == [agent]
        found = await tx.agents.credentials(agent.username.upper())
        assert found is not None
        assert (found.agent, found.password_hash) == (agent, "hash")
        assert await tx.agents.get(new_id()) is None


async def test_states_and_profiles_are_saved_apart(begin: PostgresTransactions) -> None:
    agent = await add_agent(begin, make_agent())
    busy = agent.talk(new_id(), LATER)
    async with begin() as tx:
        await tx.agents.save_states([busy])
        assert await tx.agents.get(agent.id) == busy
        named = replace(busy, name="Lee", permission=48, revision=9)
        await tx.agents.save_profile(named, None)
        assert await tx.agents.get(agent.id) == named
        found = await tx.agents.credentials(agent.username)
        assert found is not None
        assert found.password_hash == "hash"


async def test_a_failed_block_changes_nothing(begin: PostgresTransactions) -> None:
    agent = make_agent()

    async def fail() -> None:
        async with begin() as tx:
            await tx.agents.insert(agent, "hash", "digest")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with begin() as tx:
        assert await tx.agents.get(agent.id) is None


async def test_what_is_locked_is_left_out_by_those_who_only_try(
    begin: PostgresTransactions,
) -> None:
    agent, call = await add_agent(begin, make_agent()), await join(begin)
    async with begin() as first, begin() as second:
        assert await first.roster.try_lock([agent.id]) == {agent.id: agent}
        assert await first.queuecalls.try_lock([call.id]) == {call.id: call}
        assert await second.roster.try_lock([agent.id]) == {}
        assert await second.queuecalls.try_lock([call.id]) == {}
        assert await second.queuecalls.try_lock_overdue(LATER, 9) == {}
    async with begin() as tx:
        assert await tx.queuecalls.try_lock_overdue(LATER, 9) == {call.id: call}


async def test_lockers_in_any_order_do_not_deadlock(begin: PostgresTransactions) -> None:
    agents = [await add_agent(begin, make_agent(username=f"a{n}@b")) for n in range(5)]
    ids = [each.id for each in agents]

    async def lock(order: list[int]) -> int:
        async with begin() as tx:
            found = await tx.roster.lock_involved([ids[each] for each in order], [])
            return len(found)

    orders = [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]] * 3
    assert await asyncio.gather(*map(lock, orders)) == [5] * 9


async def test_the_database_refuses_a_second_caller_for_an_agent(
    begin: PostgresTransactions,
) -> None:
    agent, first, second = new_id(), await join(begin), await join(begin)
    async with begin() as tx:
        await tx.queuecalls.save([first.offered(agent, LATER)])
    with pytest.raises(IntegrityError, match="queuecalls_agent_key"):
        async with begin() as tx:
            await tx.queuecalls.save([second.offered(agent, LATER)])


async def test_the_database_refuses_a_second_agent_for_a_caller(
    begin: PostgresTransactions,
) -> None:
    agents = [await add_agent(begin, make_agent(username=f"a{n}@b")) for n in range(2)]
    caller = new_id()
    with pytest.raises(IntegrityError, match="agents_queuecall_key"):
        async with begin() as tx:
            await tx.agents.save_states([each.reserve(caller, LATER) for each in agents])


async def test_a_queue_comes_back_as_it_was_stored(begin: PostgresTransactions) -> None:
    queue = make_queue()
    async with begin() as tx:
        assert await tx.queues.insert(queue, "digest")
        assert not await tx.queues.insert(queue, "other")
        assert await tx.queues.get(queue.id) == queue
        assert await tx.queues.digest(queue.id) == "digest"
        assert await tx.queues.digest(new_id()) is None
        changed = replace(queue, name="support", tag_ids=(), wait_flow_id=None, tm_delete=LATER)
        await tx.queues.save(changed)
        assert await tx.queues.get(queue.id) == changed


async def test_counters_add_up_when_many_count_at_once(begin: PostgresTransactions) -> None:
    queues = [make_queue() for _ in range(3)]
    async with begin() as tx:
        for queue in queues:
            await tx.queues.insert(queue, "digest")

    async def count(order: list[int]) -> None:
        async with begin() as tx:
            tally = Tally(incoming=3, serviced=1, abandoned=2)
            await tx.queues.add_to_counters({queues[each].id: tally for each in order})

    await asyncio.gather(*(count(order) for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] * 4))
    async with begin() as tx:
        members = await tx.queues.members([each.id for each in queues])
    assert {
        (each.incoming_count, each.serviced_count, each.abandoned_count)
        for each in members.values()
    } == {(36, 12, 24)}


async def test_joining_takes_the_queues_durations(begin: PostgresTransactions) -> None:
    call = await join(begin)
    assert call.status is QueuecallStatus.WAITING
    assert (call.service_timeout, call.wrapup_time, call.ring_timeout) == (60_000, 1_000, 20_000)
    assert call.wait_deadline == START + timedelta(seconds=5)
    async with begin() as tx:
        assert await tx.queuecalls.get(call.id) == call
        assert await tx.queuecalls.next_deadline() == call.wait_deadline
        assert await tx.queuecalls.id_of_call(call.reference_id) == call.id


async def test_a_batch_joins_each_call_once_and_leaves_the_rest_out(
    begin: PostgresTransactions,
) -> None:
    queue, deleted = make_queue(), replace(make_queue(), tm_delete=LATER)
    good = joining(queue)
    foreign = replace(joining(queue), customer_id=new_id())
    async with begin() as tx:
        await tx.queues.insert(queue, "digest")
        await tx.queues.insert(deleted, "digest")
        given = [good, good, foreign, joining(deleted), joining(make_queue())]
        joined = await tx.queuecalls.join("d1", given)
        assert [each.id for each in joined] == [good.queuecall_id]
        assert await tx.queuecalls.join("d1", given) == []


async def test_a_queuecall_comes_back_as_it_was_saved(begin: PostgresTransactions) -> None:
    call = await join(begin)
    ended = call.served(new_id(), LATER).ended(EndReason.KICKED, LATER).deleted(LATER)
    async with begin() as tx:
        await tx.queuecalls.save([ended])
        assert await tx.queuecalls.get(call.id) == ended
        assert not await tx.queuecalls.has_live(call.queue_id)


async def test_a_queue_cannot_be_deleted_between_a_callers_joining_and_its_being_seen(
    begin: PostgresTransactions,
) -> None:
    queue = make_queue()
    async with begin() as tx:
        await tx.queues.insert(queue, "digest")
    is_joined = asyncio.Event()

    async def look() -> bool:
        async with begin() as tx:
            await is_joined.wait()
            await tx.queues.lock(queue.id)  # waits for the one that joins
            return await tx.queuecalls.has_live(queue.id)

    looking = asyncio.create_task(look())
    async with begin() as tx:
        await tx.queuecalls.join("d1", [joining(queue)])
        is_joined.set()
    assert await looking


async def test_a_tag_in_use_by_a_transaction_is_not_deleted_under_it(
    begin: PostgresTransactions,
) -> None:
    tag = Tag(new_id(), CUSTOMER, "sales", "", START)
    async with begin() as tx:
        assert await tx.tags.insert(tag, "digest")
        assert not await tx.tags.insert(tag, "digest")
    order: list[str] = []
    is_held = asyncio.Event()

    async def delete() -> None:
        async with begin() as tx:
            await is_held.wait()
            await tx.tags.lock(tag.id)
            order.append("deleted")
            await tx.tags.save(replace(tag, tm_delete=LATER))

    deleting = asyncio.create_task(delete())
    async with begin() as tx:
        assert await tx.tags.existing(CUSTOMER, [tag.id, new_id()]) == {tag.id}
        is_held.set()
        await tx.agents.insert(make_agent(tag_ids=(tag.id,)), "hash", "digest")
        order.append("used")
    await deleting
    async with begin() as tx:
        assert await tx.tags.existing(CUSTOMER, [tag.id]) == set()
    assert order == ["used", "deleted"]
