"""Publishing and consuming on a real NATS, also one that goes away."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.common.bus import STREAM, Bus, Consumer, Outgoing, Received, subject
from services.common.errors import AppError, Unavailable
from services.common.ids import new_id
from tests.integration.common.events import CUSTOMER, Memory, event, payload
from tests.support.servers import end, own_nats, restart
from tests.support.waiting import eventually

SUBJECT = subject(CUSTOMER, "thing", "updated")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Bus]:
    bus = await Bus.connect(url, "", "test")
    try:
        await bus.ensure_stream()
        yield bus
    finally:
        await bus.close()


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[Bus]:
    async with connected(nats_url) as bus:
        yield bus


@asynccontextmanager
async def consuming(bus: Bus, handler: Any, **options: Any) -> AsyncIterator[None]:
    filters = options.pop("filters", [("thing", "*")])
    durable = options.pop("durable", "test")
    task = asyncio.create_task(Consumer(bus, durable, filters, handler, **options).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
    assert task.cancelled()


async def publish(bus: Bus, *revisions: int) -> None:
    for revision in revisions:
        await bus.publish(SUBJECT, payload(event(revision)), f"{new_id()}")


async def test_the_stream_keeps_events_as_configured(bus: Bus) -> None:
    await bus.ensure_stream(max_age_seconds=3600)
    await bus.ensure_stream()
    config = (await bus.client.jetstream().stream_info(STREAM)).config
    assert (config.subjects, config.max_age) == (["outbound.v1.>"], 3600)
    assert (config.storage, config.duplicate_window) == ("file", 120)


async def test_a_message_is_stored_once_by_its_id(bus: Bus) -> None:
    first = await bus.publish(SUBJECT, b"", "id-1")
    assert await bus.publish(SUBJECT, b"", "id-1") == first
    assert await bus.publish(SUBJECT, b"", "id-2") == first + 1
    state = await bus.stream_state()
    assert (state.first, state.last) == (first, first + 1)
    assert await bus.message_id(first) == "id-1"
    assert await bus.message_id(first + 2) is None


async def test_a_window_is_stored_in_order(bus: Bus) -> None:
    messages = [Outgoing(SUBJECT, payload(event(n)), f"id-{n}") for n in range(300)]
    results = await bus.publish_window(messages)
    assert results == list(range(1, 301))


async def test_one_message_that_is_refused_does_not_take_the_others_along(bus: Bus) -> None:
    messages = [
        Outgoing(SUBJECT, b"", "a"),
        Outgoing("outbound.v2.nobody.listens", b"", "b"),
        Outgoing(SUBJECT, b"", "c"),
    ]
    first, refused, last = await bus.publish_window(messages)
    assert isinstance(refused, AppError)
    assert (first, last) == (1, 2)


async def test_events_reach_the_handler_in_order(bus: Bus) -> None:
    memory = Memory()
    await publish(bus, *range(1, 20))
    async with consuming(bus, memory):
        await memory.wait_for(range(1, 20))
        await publish(bus, 20, 21)
        await memory.wait_for([21])
    assert memory.revisions == list(range(1, 22))
    assert [each.sequence for call in memory.calls for each in call] == list(range(1, 22))
    assert memory.events[0].customer_id == CUSTOMER


async def test_batches_hold_what_has_gathered_up_to_the_limit(bus: Bus) -> None:
    memory = Memory()
    messages = [Outgoing(SUBJECT, payload(event(n)), f"id-{n}") for n in range(700)]
    await bus.publish_window(messages)
    async with consuming(bus, memory, batch=100):
        await memory.wait_for(range(700))
    assert memory.revisions == list(range(700))
    assert max(len(call) for call in memory.calls) <= 100
    assert len(memory.calls) < 100


async def test_only_events_of_the_filters_come(bus: Bus) -> None:
    memory = Memory()
    for word in ("created", "updated", "deleted"):
        for resource in ("thing", "other"):
            message = payload(event(word=word, resource=resource))
            await bus.publish(subject(CUSTOMER, resource, word), message, f"{new_id()}")
    filters = [("thing", "created"), ("other", "deleted")]
    async with consuming(bus, memory, filters=filters):
        await eventually(lambda: len(memory.events) == 2)
    got = [(each.resource, each.event) for each in memory.events]
    assert got == [("thing", "created"), ("other", "deleted")]


async def test_acknowledged_events_do_not_come_again(bus: Bus) -> None:
    first, second = Memory(), Memory()
    await publish(bus, 1)
    async with consuming(bus, first):
        await first.wait_for([1])
        await _acknowledged(bus, 1)
    await publish(bus, 2)
    async with consuming(bus, second):
        await second.wait_for([2])
    assert second.revisions == [2]


async def _acknowledged(bus: Bus, sequence: int) -> None:
    while True:
        info = await bus.client.jetstream().consumer_info(STREAM, "test")
        if info.ack_floor is not None and info.ack_floor.stream_seq >= sequence:
            return


async def test_events_come_again_after_an_outage_of_the_handler(bus: Bus) -> None:
    memory = Memory([Unavailable("down"), ConnectionRefusedError()])
    await publish(bus, 1, 2, 3)
    async with consuming(bus, memory):
        await memory.wait_for([1, 2, 3])
    assert memory.revisions == [1, 2, 3]


async def test_a_poisonous_event_holds_up_only_itself(bus: Bus) -> None:
    seen = Memory()

    async def handler(batch: list[Received]) -> None:
        if any(each.revision == 2 for received in batch for each in received.events):
            raise ValueError("cannot digest this")
        await seen(batch)

    await publish(bus, 1, 2, 3)
    async with consuming(bus, handler):
        await seen.wait_for([1, 3])
        await publish(bus, 4)
        await seen.wait_for([4])
    assert sorted(seen.revisions) == [1, 3, 4]


async def test_an_unreadable_message_is_put_aside_for_good(bus: Bus) -> None:
    memory = Memory()
    await bus.publish(SUBJECT, b"\xff garbage", "bad")
    await publish(bus, 2)
    async with consuming(bus, memory):
        await memory.wait_for([2])
        await _acknowledged(bus, 2)


async def test_replicas_share_the_work(bus: Bus, nats_url: str) -> None:
    one, other = Memory(), Memory()
    async with connected(nats_url) as second, consuming(bus, one), consuming(second, other):
        for n in range(400):
            await publish(bus, n)
        await eventually(lambda: len(one.events) + len(other.events) == 400)
    assert sorted(one.revisions + other.revisions) == list(range(400))


async def test_a_listener_hears_what_passes_by(bus: Bus) -> None:
    coroutine = Memory()
    heard: list[Received] = []

    async def hear(received: Received) -> None:
        await coroutine([received])

    await bus.listen([("thing", "updated")], heard.append)
    await bus.listen([("*", "*")], hear)
    await bus.client.flush()
    await bus.client.publish(SUBJECT, b"\xff garbage")
    await publish(bus, 1)
    await coroutine.wait_for([1])
    await eventually(lambda: len(heard) == 1)


async def test_everything_heals_after_a_restart_of_the_server() -> None:
    memory, heard = Memory(), Memory()

    async def hear(received: Received) -> None:
        await heard([received])

    with own_nats() as server:
        async with connected(server.url()) as bus, consuming(bus, memory):
            await bus.listen([("thing", "*")], hear)
            await publish(bus, 1)
            await memory.wait_for([1])
            await end(server, signal.SIGKILL)
            await bus.wait_lost()
            with pytest.raises(Unavailable):
                await publish(bus, 2)
            with pytest.raises(Unavailable):
                await bus.check()
            await asyncio.to_thread(server.start)
            async with asyncio.timeout(20):
                await bus.wait_connected()
            await bus.check()
            await publish(bus, 3)
            await memory.wait_for([3])
            await heard.wait_for([3])


async def test_a_bus_is_given_before_its_server_is_there() -> None:
    with own_nats() as server:
        url = server.url()
        await end(server)
        bus = await Bus.connect(url, "", "test", wait=0.05)
        try:
            assert not bus.is_connected
            memory = Memory()
            async with consuming(bus, memory):
                await asyncio.to_thread(server.start)
                async with asyncio.timeout(20):
                    await bus.wait_connected()
                await bus.ensure_stream()
                await publish(bus, 1)
                await memory.wait_for([1])
        finally:
            await bus.close()


async def test_a_deleted_consumer_is_made_again(bus: Bus) -> None:
    memory = Memory()
    async with consuming(bus, memory):
        await publish(bus, 1)
        await memory.wait_for([1])
        await bus.client.jetstream().delete_consumer(STREAM, "test")
        await publish(bus, 2)
        await memory.wait_for([2])


async def test_a_deleted_stream_is_made_again(bus: Bus) -> None:
    memory = Memory()
    async with consuming(bus, memory):
        await publish(bus, 1)
        await memory.wait_for([1])
        await bus.client.jetstream().delete_stream(STREAM)
        await bus.stream_state()
        await publish(bus, 2)
        await memory.wait_for([2])


async def test_publishing_during_a_restart_loses_nothing_that_was_acknowledged() -> None:
    with own_nats() as server:
        async with connected(server.url()) as bus:
            acknowledged: list[str] = []
            stop = asyncio.Event()

            async def publisher() -> None:
                n = 0
                while not stop.is_set():
                    n += 1
                    try:
                        await bus.publish(SUBJECT, payload(event(n)), f"id-{n}")
                        acknowledged.append(f"id-{n}")
                    except Unavailable:
                        await asyncio.sleep(0.01)

            task = asyncio.create_task(publisher())
            await eventually(lambda: len(acknowledged) > 100)
            await restart(server, signal.SIGTERM)
            count = len(acknowledged)
            await eventually(lambda: len(acknowledged) > count + 100)
            stop.set()
            await task
            state = await bus.stream_state()
            stored = {await bus.message_id(n) for n in range(state.first, state.last + 1)}
            assert set(acknowledged) <= stored
