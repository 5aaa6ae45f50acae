"""The process itself: its RPCs over a real socket, its roles, and its events on a real NATS."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from outbound.agent.v1 import agent_service_pb2 as agent_pb
from outbound.agent.v1 import agent_service_pb2_grpc as agent_grpc
from outbound.agent.v1 import events_pb2 as agent_events
from outbound.common.v1 import address_pb2 as address_pb
from outbound.queue.v1 import events_pb2 as queue_events
from outbound.queue.v1 import queue_service_pb2 as queue_pb
from outbound.queue.v1 import queue_service_pb2_grpc as queue_grpc

from services.common.auth import Role, TokenIssuer, acting_for, generate_key_pair
from services.common.bus import Bus, Received
from services.common.clients import Channels
from services.common.errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from services.common.ids import new_id
from services.common.server import Server
from services.queue import app
from services.queue.config import QueueSettings
from tests.fixtures.postgres import DatabaseFactory

CUSTOMER = new_id()
FACTS = [("agent", "*"), ("queue", "*"), ("queuecall", "*")]


@dataclass
class Process:
    """A running process, as the gateway and a dialer see it, and what it publishes."""

    agents: agent_grpc.AgentServiceStub
    queues: queue_grpc.QueueServiceStub
    dialing: queue_grpc.QueueServiceStub
    published: asyncio.Queue[Received]

    async def facts(self, count: int) -> list[str]:
        """The next so many events."""
        names: list[str] = []
        async with asyncio.timeout(10):
            while len(names) < count:
                message = await self.published.get()
                names += [f"{each.resource}.{each.event}" for each in message.events]
        return names


@asynccontextmanager
async def serving(
    folder: Path, database_url: str, nats_url: str
) -> AsyncIterator[tuple[Server, Callable[[Role], Channels]]]:
    keys = {role: generate_key_pair() for role in (Role.GATEWAY, Role.DIALER, Role.QUEUE)}
    (folder / "key.pem").write_text(keys[Role.QUEUE].private_pem)
    trusted = {
        str(role): {"role": str(role), "public_key": pair.public_key} for role, pair in keys.items()
    }
    (folder / "trusted.json").write_text(json.dumps(trusted))
    settings = QueueSettings(
        database_url=database_url,
        nats_url=nats_url,
        key_file=str(folder / "key.pem"),
        trusted_keys_file=str(folder / "trusted.json"),
    )
    server = Server(await app.build(settings))
    await server.start()
    running = asyncio.create_task(server.run())
    try:
        await server.wait_serving()
        yield server, lambda role: Channels(TokenIssuer(str(role), keys[role].private_pem))
    finally:
        server.stop()
        await running


@pytest.fixture
async def process(
    tmp_path: Path, database: DatabaseFactory, nats_url: str
) -> AsyncIterator[Process]:
    async with serving(tmp_path, database("queue"), nats_url) as (server, channels):
        gateway, dialer = channels(Role.GATEWAY), channels(Role.DIALER)
        bus = await Bus.connect(nats_url, "", "test")
        published: asyncio.Queue[Received] = asyncio.Queue()
        await bus.listen(FACTS, published.put_nowait)
        channel = gateway.channel(server.address, "queue")
        yield Process(
            agents=agent_grpc.AgentServiceStub(channel),
            queues=queue_grpc.QueueServiceStub(channel),
            dialing=queue_grpc.QueueServiceStub(dialer.channel(server.address, "queue")),
            published=published,
        )
        await bus.close()
        await gateway.close()
        await dialer.close()


async def staffed_queue(process: Process) -> tuple[queue_pb.Queue, agent_pb.Agent]:
    """A queue, and an available agent."""
    with acting_for(CUSTOMER):
        agent = await process.agents.CreateAgent(
            agent_pb.CreateAgentRequest(
                username="kim@example.com",
                password="correct horse",
                addresses=[address_pb.Address(target="+15551234567")],
            )
        )
        assert (agent.status, agent.permission) == ("offline", 16)
        assert agent.addresses[0].type == "tel"
        queue = await process.queues.CreateQueue(
            queue_pb.CreateQueueRequest(name="sales", routing_method="ringall", wrapup_time=80)
        )
        assert (queue.routing_method, queue.ring_timeout) == ("ringall", 20_000)
        request = agent_pb.UpdateAgentRequest(id=agent.id, status="available")
        await process.agents.UpdateAgent(request)
    return queue, agent


async def test_a_call_from_joining_to_wrapup_over_the_wire(process: Process) -> None:
    queue, agent = await staffed_queue(process)
    ask = queue_pb.CapacityAsk(queue_id=queue.id, campaign_id=str(new_id()))
    capacity = await process.dialing.GetCapacity(queue_pb.GetCapacityRequest(asks=[ask]))
    [answer] = capacity.capacities
    assert (answer.available_count, answer.queue_available_count, answer.staffed_count) == (1, 1, 1)

    caller = str(new_id())
    joining = queue_pb.Joining(
        queuecall_id=caller,
        queue_id=queue.id,
        customer_id=str(CUSTOMER),
        campaign_id=ask.campaign_id,
        call_id=str(new_id()),
    )
    joined = await process.dialing.JoinQueue(
        queue_pb.JoinQueueRequest(dialer_id="d1", joinings=[joining])
    )
    assert list(joined.refused_ids) == []
    (told,) = joined.queues
    assert (told.id, told.name) == (ask.queue_id, queue.name)
    news = await process.dialing.AssignAgents(
        queue_pb.AssignAgentsRequest(dialer_id="d1", waiting_ids=[caller])
    )
    [assignment] = news.assignments
    assert assignment.agent_id == agent.id
    kinds = queue_pb.QueuecallReport
    for kind in (kinds.KIND_RINGING, kinds.KIND_CONNECTED, kinds.KIND_ENDED):
        report = kinds(queuecall_id=caller, kind=kind, agent_id=agent.id)
        await process.dialing.ReportQueuecalls(
            queue_pb.ReportQueuecallsRequest(dialer_id="d1", reports=[report])
        )
    assert await process.facts(11) == [
        "agent.created",
        "queue.created",
        "agent.status_updated",
        "queuecall.created",
        "queuecall.waiting",
        "queuecall.connecting",
        "agent.status_updated",
        "queuecall.serviced",
        "agent.status_updated",
        "queuecall.done",
        # By itself, after the wrap-up.
        "agent.status_updated",
    ]
    with acting_for(CUSTOMER):
        done = await process.queues.GetQueuecall(queue_pb.GetQueuecallRequest(id=caller))
        assert done.status == queue_pb.Queuecall.STATUS_DONE
        after = await process.agents.GetAgent(agent_pb.GetAgentRequest(id=agent.id))
        assert (after.status, after.state) == ("available", "available")
        shown = await process.queues.GetQueue(queue_pb.GetQueueRequest(id=queue.id))
        assert (shown.total_incoming_count, shown.total_serviced_count) == (1, 1)


async def test_an_event_carries_the_agent(process: Process) -> None:
    with acting_for(CUSTOMER):
        agent = await process.agents.CreateAgent(
            agent_pb.CreateAgentRequest(username="kim@example.com", password="correct horse")
        )
    async with asyncio.timeout(10):
        [event] = (await process.published.get()).events
    assert event.customer_id == CUSTOMER
    assert agent_events.AgentEvent.FromString(event.data).agent == agent


async def test_an_event_of_a_queue_carries_its_counts_but_not_its_callers(process: Process) -> None:
    with acting_for(CUSTOMER):
        queue = await process.queues.CreateQueue(queue_pb.CreateQueueRequest(name="a"))
    joining = queue_pb.Joining(
        queuecall_id=str(new_id()),
        queue_id=queue.id,
        customer_id=str(CUSTOMER),
        call_id=str(new_id()),
    )
    request = queue_pb.JoinQueueRequest(dialer_id="d1", joinings=[joining])
    await process.dialing.JoinQueue(request)
    with acting_for(CUSTOMER):
        update = queue_pb.UpdateQueueRequest(id=queue.id, name="b")
        answer = await process.queues.UpdateQueue(update)
    async with asyncio.timeout(10):
        while True:
            [event] = (await process.published.get()).events
            if (event.resource, event.event) == ("queue", "updated"):
                break
    told = queue_events.QueueEvent.FromString(event.data).queue
    assert (told.total_incoming_count, list(told.wait_queuecall_ids)) == (1, [])
    assert list(answer.wait_queuecall_ids) == [joining.queuecall_id]


async def test_passwords_are_checked_for_the_gateway_only(process: Process) -> None:
    with acting_for(CUSTOMER):
        agent = await process.agents.CreateAgent(
            agent_pb.CreateAgentRequest(username="Kim@example.com", password="correct horse")
        )
    verify = process.agents.VerifyPassword
    right = agent_pb.VerifyPasswordRequest(username="kim@example.com", password="correct horse")
    assert (await verify(right)).id == agent.id
    for username, password in (
        ("kim@example.com", "wrong horse"),
        ("nobody@example.com", "correct horse"),
        ("", ""),
        ("\x00@example.com", "correct horse"),
    ):
        wrong = agent_pb.VerifyPasswordRequest(username=username, password=password)
        with pytest.raises(Unauthenticated) as caught:
            await verify(wrong)
        assert caught.value.reason == "INVALID_CREDENTIALS"


async def test_roles_are_kept_apart(process: Process) -> None:
    with pytest.raises(PermissionDenied):
        await process.queues.GetCapacity(queue_pb.GetCapacityRequest())
    with pytest.raises(PermissionDenied):
        await process.queues.JoinQueue(queue_pb.JoinQueueRequest())
    with pytest.raises(PermissionDenied):
        await process.queues.AssignAgents(queue_pb.AssignAgentsRequest())
    with pytest.raises(PermissionDenied):
        await process.queues.ReportQueuecalls(queue_pb.ReportQueuecallsRequest())
    with pytest.raises(Unauthenticated):
        await process.queues.ListQueues(queue_pb.ListQueuesRequest())


async def test_errors_name_what_is_wrong(process: Process) -> None:
    with acting_for(CUSTOMER):
        create = agent_pb.CreateAgentRequest(username="kim", password="correct horse")
        with pytest.raises(InvalidArgument) as format_error:
            await process.agents.CreateAgent(create)
        assert format_error.value.reason == "INVALID_USERNAME_FORMAT"
        with pytest.raises(InvalidArgument) as routing:
            await process.queues.CreateQueue(queue_pb.CreateQueueRequest(routing_method="x"))
        assert routing.value.reason == "INVALID_ROUTING_METHOD"
        with pytest.raises(NotFound) as missing:
            await process.queues.GetQueue(queue_pb.GetQueueRequest(id=str(new_id())))
        assert missing.value.reason == "QUEUE_NOT_FOUND"
        create.username = "kim@example.com"
        await process.agents.CreateAgent(create)
        with pytest.raises(AlreadyExists) as taken:
            await process.agents.CreateAgent(create)
        assert taken.value.reason == "AGENT_ALREADY_EXISTS"
        made = await process.queues.CreateQueue(queue_pb.CreateQueueRequest(name="mine"))
    with acting_for(new_id()), pytest.raises(PermissionDenied):
        await process.queues.GetQueue(queue_pb.GetQueueRequest(id=made.id))


async def test_a_repeated_create_is_told_from_another_one_also_after_a_change(
    process: Process,
) -> None:
    body: dict[str, Any] = {"id": str(new_id()), "name": "a"}
    kim = body | {"username": "kim@example.com", "password": "correct horse"}
    cases: list[tuple[Any, str, Any, dict[str, Any]]] = [
        (process.queues, "Queue", queue_pb, body),
        (process.agents, "Tag", agent_pb, body),
        (process.agents, "Agent", agent_pb, kim),
    ]
    with acting_for(CUSTOMER):
        for stub, word, pb, members in cases:
            create, request = getattr(stub, f"Create{word}"), getattr(pb, f"Create{word}Request")
            await create(request(**members))
            update = getattr(pb, f"Update{word}Request")(id=body["id"], name="b")
            changed = await getattr(stub, f"Update{word}")(update)
            assert await create(request(**members)) == changed
            with pytest.raises(AlreadyExists, match=body["id"]):
                await create(request(**members, detail="other"))
