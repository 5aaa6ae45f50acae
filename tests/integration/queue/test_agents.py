"""Agents, tags and queues as their customer manages them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from services.common.address import Address
from services.common.errors import (
    AlreadyExists,
    AppError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from services.common.ids import new_id
from services.common.paging import Page, page_request
from services.queue.agents.domain import (
    PERMISSION_ADMIN,
    PERMISSION_AGENT,
    Agent,
    AgentChange,
    AgentState,
    AgentStatus,
    NewAgent,
    NewTag,
)
from services.queue.queues.domain import NewQueue, QueueChange, RoutingMethod
from tests.integration.queue.world import World

ADMIN = PERMISSION_AGENT | PERMISSION_ADMIN


async def update(world: World, agent_id: UUID, **members: Any) -> Agent:
    return await world.services.agents.update_agent(
        world.customer_id, agent_id, AgentChange(**members)
    )


async def test_new_agents_are_offline(world: World) -> None:
    agent = await world.get_agent(await world.agent())
    assert (agent.state, agent.permission, agent.ring_method) == (
        AgentState.OFFLINE,
        PERMISSION_AGENT,
        "ringall",
    )


async def test_creating_twice_with_one_id_makes_one_agent(world: World) -> None:
    new = NewAgent(
        id=new_id(), digest="digest", username="kim@example.com", password="correct horse"
    )
    create = world.services.agents.create_agent
    first = await create(world.customer_id, new)
    assert await create(world.customer_id, new) == first
    assert world.take_facts() == ["agent.created"]
    with pytest.raises(AlreadyExists):
        await create(world.customer_id, replace(new, digest="other", name="Someone else"))
    with pytest.raises(AlreadyExists):
        await create(world.customer_id, replace(new, password="another horse"))
    # What the request was does not change with the agent.
    change = AgentChange(password="third horse of all")
    await world.services.agents.update_agent(world.customer_id, first.id, change)
    assert (await create(world.customer_id, new)).id == first.id
    assert world.take_facts() == ["agent.updated"]
    with pytest.raises(AlreadyExists):
        await create(new_id(), new)


async def test_usernames_are_unique_in_the_deployment_whatever_their_case(world: World) -> None:
    agent = await world.agent(username="kim@example.com")
    own, world.customer_id = world.customer_id, new_id()
    with pytest.raises(AlreadyExists) as caught:
        await world.agent(username="Kim@Example.com")
    assert caught.value.reason == "AGENT_ALREADY_EXISTS"
    await world.services.agents.delete_agent(own, agent)
    await world.agent(username="Kim@Example.com")


async def test_addresses_are_unique_within_a_customer(world: World) -> None:
    phone = Address("tel", "+15551230000")
    holder = await world.agent(addresses=(phone,))
    other = await world.agent(addresses=())
    with pytest.raises(AlreadyExists):
        await world.agent(addresses=(replace(phone, name="desk"),))
    with pytest.raises(AlreadyExists):
        await update(world, other, addresses=(phone,))
    await update(world, holder, addresses=())
    assert (await update(world, other, addresses=(phone,))).addresses == (phone,)
    world.customer_id = new_id()
    await world.agent(addresses=(phone,))


@pytest.mark.parametrize(
    "members",
    [
        {"username": "kim"},
        {"password": "short"},
        {"ring_method": "all"},
        {"permission": 1},
        {"permission": 65535},
        {"tag_ids": (new_id(),)},
        {"addresses": (Address("email", "kim@example.com"),)},
        {"addresses": (Address("tel", "+15551230000"), Address("tel", "+15551230000"))},
        {"name": "x" * 256},
        {"detail": "a\x00b"},
    ],
)
async def test_wrong_values_are_refused(world: World, members: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        await world.agent(**members)
    assert world.take_facts() == []


async def test_an_update_changes_only_what_is_given(world: World) -> None:
    before = await world.get_agent(await world.agent(name="Kim", detail="Desk 4"))
    world.take_facts()
    after = await update(world, before.id, name="Kim Lee", status=AgentStatus.AVAILABLE)
    assert (after.name, after.detail, after.addresses) == ("Kim Lee", "Desk 4", before.addresses)
    assert await world.get_agent(before.id) == after
    assert world.take_facts() == ["agent.updated", "agent.status_updated"]
    assert await update(world, before.id, name="Kim Lee", status=AgentStatus.AVAILABLE) == after
    assert world.take_facts() == []


async def test_the_last_admin_stays(world: World) -> None:
    admin = await world.agent(permission=ADMIN)
    with pytest.raises(FailedPrecondition):
        await update(world, admin, permission=PERMISSION_AGENT)
    with pytest.raises(FailedPrecondition):
        await world.services.agents.delete_agent(world.customer_id, admin)
    await world.agent(permission=ADMIN)
    assert not (await update(world, admin, permission=PERMISSION_AGENT)).is_admin


async def test_two_admins_cannot_demote_each_other_at_once(world: World) -> None:
    first, second = [await world.agent(permission=ADMIN) for _ in range(2)]

    async def refused(agent: UUID, is_deletion: bool) -> bool:
        try:
            if is_deletion:
                await world.services.agents.delete_agent(world.customer_id, agent)
            else:
                await update(world, agent, permission=0)
        except FailedPrecondition:
            return True
        return False

    outcomes = await asyncio.gather(refused(first, True), refused(second, False))
    assert sorted(outcomes) == [False, True]


async def test_an_agent_on_a_call_is_not_deleted(world: World) -> None:
    queue = await world.queue()
    [agent] = await world.available()
    await world.serve(queue)
    delete = world.services.agents.delete_agent
    with pytest.raises(FailedPrecondition):
        await delete(world.customer_id, agent)
    idle = await world.agent(AgentStatus.AVAILABLE)
    gone = await delete(world.customer_id, idle)
    assert (gone.state, gone.tm_delete is None) == (AgentState.OFFLINE, False)
    assert await world.get_agent(idle) == gone
    assert await delete(world.customer_id, idle) == gone
    with pytest.raises(FailedPrecondition):
        await update(world, idle, name="late")


async def test_login(world: World) -> None:
    agent = await world.agent(username="kim@example.com", password="correct horse")
    verify = world.services.agents.verify_password
    assert (await verify("KIM@example.com", "correct horse")).id == agent
    await update(world, agent, password="battery staple")
    for username, password in (
        ("kim@example.com", "correct horse"),
        ("nobody@example.com", "correct horse"),
        ("kim", "battery staple"),
    ):
        with pytest.raises(Unauthenticated):
            await verify(username, password)
    # An unknown name is checked against a password all the same.
    assert world.passwords.checked[-2:] == [None, None]
    assert (await verify("kim@example.com", "battery staple")).id == agent
    await world.services.agents.delete_agent(world.customer_id, agent)
    with pytest.raises(Unauthenticated):
        await verify("kim@example.com", "battery staple")


async def test_lists_are_filtered_and_paged(world: World) -> None:
    tag = await world.tag()
    plain = await world.available(3)
    tagged = await world.available(2, tag_ids=(tag,))
    away = await world.agent(AgentStatus.AWAY, tag_ids=(tag,))
    listed = world.services.agents.list_agents

    async def ids(page: Page, *filters: Any) -> list[UUID]:
        agents, _ = await listed(world.customer_id, page, *filters)
        return [each.id for each in agents]

    everybody = page_request(0, "")
    assert await ids(everybody) == [away, *reversed(tagged), *reversed(plain)]
    assert await ids(everybody, (tag,)) == [away, *reversed(tagged)]
    assert await ids(everybody, (tag,), AgentStatus.AVAILABLE) == [*reversed(tagged)]
    assert await ids(everybody, (), AgentStatus.RINGING) == []
    found, token = await listed(world.customer_id, page_request(4, ""))
    assert len(found) == 4
    rest, token = await listed(world.customer_id, page_request(4, token))
    assert [each.id for each in found + rest] == await ids(everybody)
    assert await listed(world.customer_id, page_request(4, token)) == ([], "")


async def test_deleting_a_tag_takes_it_from_agents_and_queues(world: World) -> None:
    kept, gone = await world.tag("kept"), await world.tag("gone")
    agent = await world.agent(tag_ids=(kept, gone))
    queue = await world.queue(tag_ids=(kept, gone))
    untouched = await world.queue(tag_ids=(kept,))
    world.take_facts()
    assert (await world.services.tags.delete_tag(world.customer_id, gone)).tm_delete is not None
    assert world.take_facts() == ["queue.updated", "agent.updated"]
    assert (await world.get_agent(agent)).tag_ids == (kept,)
    view = world.services.queues.queues.get_queue
    assert (await view(world.customer_id, queue)).queue.tag_ids == (kept,)
    assert (await view(world.customer_id, untouched)).queue.tag_ids == (kept,)
    with pytest.raises(InvalidArgument):
        await world.queue(tag_ids=(gone,))


async def test_a_queues_only_tag_is_not_deleted(world: World) -> None:
    only = await world.tag("only")
    queue = await world.queue(tag_ids=(only,))
    agent = await world.agent(tag_ids=(only,))
    with pytest.raises(FailedPrecondition, match=str(queue)):
        await world.services.tags.delete_tag(world.customer_id, only)
    view = world.services.queues.queues.get_queue
    assert (await view(world.customer_id, queue)).queue.tag_ids == (only,)
    assert (await world.get_agent(agent)).tag_ids == (only,)


async def test_tags_are_created_once_listed_and_changed(world: World) -> None:
    tags, tag_id = world.services.tags, new_id()
    new = NewTag(tag_id, "digest", "sales")
    tag = await tags.create_tag(world.customer_id, new)
    assert await tags.create_tag(world.customer_id, new) == tag
    with pytest.raises(AlreadyExists):
        await tags.create_tag(world.customer_id, replace(new, digest="other", name="support"))
    changed = await tags.update_tag(world.customer_id, tag_id, None, "who sell")
    assert (changed.name, changed.detail) == ("sales", "who sell")
    assert await tags.list_tags(world.customer_id, page_request(0, ""))
    assert [each.id for each in (await tags.list_tags(world.customer_id, Page(9)))[0]] == [tag_id]


async def test_queue_updates_merge(world: World) -> None:
    tag = await world.tag()
    flow = new_id()
    world.campaigns.flows.add((world.customer_id, flow))
    queue = await world.queue(name="sales", wait_timeout=5_000, wait_flow_id=flow, tag_ids=(tag,))
    change = world.services.queues.queues.update_queue
    world.take_facts()
    view = await change(world.customer_id, queue, QueueChange(detail="all day"))
    assert (view.queue.name, view.queue.wait_timeout, view.queue.tag_ids) == (
        "sales",
        5_000,
        (tag,),
    )
    assert view.queue.wait_flow_id is not None
    emptied = QueueChange(tag_ids=(), clears_wait_flow=True, wait_timeout=0)
    view = await change(world.customer_id, queue, emptied)
    assert (view.queue.tag_ids, view.queue.wait_flow_id, view.queue.wait_timeout) == ((), None, 0)
    assert world.take_facts() == ["queue.updated"] * 2
    assert await change(world.customer_id, queue, emptied) == view
    assert world.take_facts() == []


@pytest.mark.parametrize(
    "members",
    [
        {"wait_timeout": -1},
        {"service_timeout": 31 * 86_400_000 + 1},
        {"wrapup_time": 86_400_001},
        {"ring_timeout": 999},
        {"ring_timeout": 0},
        {"name": "x" * 256},
        {"tag_ids": (new_id(),)},
    ],
)
async def test_wrong_queues_are_refused(world: World, members: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        await world.queue(**members)
    queue = await world.queue()
    with pytest.raises(InvalidArgument):
        await world.services.queues.queues.update_queue(
            world.customer_id, queue, QueueChange(**members)
        )


async def test_a_queue_shows_who_is_in_it(world: World) -> None:
    queue = await world.queue(routing_method=RoutingMethod.RANDOM)
    await world.available(2)
    talking, _ = await world.serve(queue)
    connecting, waiting = await world.join(queue, 2)
    await world.assign(connecting)
    [view], _ = await world.services.queues.queues.list_queues(world.customer_id, Page(5))
    assert view.members.waiting == (connecting, waiting)
    assert view.members.in_service == (talking,)
    assert (view.members.incoming_count, view.members.serviced_count) == (3, 1)


async def test_queuecalls_are_listed_and_deleted_when_over(world: World) -> None:
    queue = await world.queue()
    ended, waiting = await world.join(queue, 2)
    calls = world.services.queues.queuecalls
    kicked = await calls.kick_queuecall(world.customer_id, ended, None)
    assert kicked.tm_end is not None
    with pytest.raises(FailedPrecondition):
        await calls.delete_queuecall(world.customer_id, waiting)
    world.take_facts()
    await calls.delete_queuecall(world.customer_id, ended)
    assert world.take_facts() == ["queuecall.deleted"]
    listed, _ = await calls.list_queuecalls(world.customer_id, Page(5))
    assert [each.id for each in listed] == [waiting]
    assert (await world.call(ended)).tm_delete is not None


async def test_other_customers_things_are_refused_and_unknown_ones_not_found(world: World) -> None:
    queue, agent, tag = await world.queue(), await world.agent(), await world.tag()
    caller = await world.join(queue)
    services, stranger = world.services, new_id()
    cases: list[tuple[bool, UUID, type[AppError]]] = [
        (True, stranger, PermissionDenied),
        (False, world.customer_id, NotFound),
    ]
    methods: list[tuple[Any, UUID]] = [
        (services.queues.queues.get_queue, queue),
        (services.queues.queues.delete_queue, queue),
        (services.agents.get_agent, agent),
        (services.agents.delete_agent, agent),
        (services.tags.get_tag, tag),
        (services.tags.delete_tag, tag),
        (services.queues.queuecalls.get_queuecall, caller),
        (services.queues.queuecalls.delete_queuecall, caller),
    ]
    for is_known, customer, error in cases:
        for method, own in methods:
            with pytest.raises(error):
                await method(customer, own if is_known else new_id())
    with pytest.raises(NotFound) as caught:
        await services.queues.queuecalls.kick_queuecall(world.customer_id, None, new_id())
    assert caught.value.reason == "QUEUECALL_NOT_FOUND"


async def test_creating_a_queue_twice_with_one_id_makes_one_queue(world: World) -> None:
    new = NewQueue(id=new_id(), digest="digest", name="sales")
    create = world.services.queues.queues.create_queue
    first = await create(world.customer_id, new)
    assert await create(world.customer_id, new) == first
    with pytest.raises(AlreadyExists):
        await create(world.customer_id, replace(new, digest="other", name="support"))


async def test_a_row_from_before_digests_were_kept_is_believed(world: World) -> None:
    new = NewQueue(id=new_id(), digest="digest", name="sales")
    create = world.services.queues.queues.create_queue
    first = await create(world.customer_id, new)
    await world.sql("UPDATE queues SET create_digest = ''")
    assert await create(world.customer_id, new) == first
