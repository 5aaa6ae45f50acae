"""What a customer's NATS credential opens, and every way out of it that was thought of."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import nats.errors
import pytest
from nats.aio.msg import Msg

from services.common import natsauth
from services.common.bus import STREAM, Bus, subject
from services.common.natsauth import API, Operator
from services.common.natsguard import ConsumerGuard
from tests.integration.common.subscribers import (
    CREATE,
    EXPIRING,
    OPERATOR,
    OTHERS,
    OWN,
    OWN_FILTER,
    ROGUE,
    VICTIM,
    World,
    connect,
)
from tests.support.servers import own_nats
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    with own_nats(natsauth.server_config(OPERATOR)) as server:
        yield server.url()


@pytest.fixture
async def world(server_url: str, tmp_path: Path) -> AsyncIterator[World]:
    path = tmp_path / "services.creds"
    path.write_text(natsauth.service_credentials(OPERATOR, "services"))
    bus = await Bus.connect(server_url, str(path), "test")
    await bus.ensure_stream()
    await ConsumerGuard(bus).start()
    made = World(server_url, bus, tmp_path)
    for number in range(3):
        await made.publish(VICTIM, str(number))
        await made.publish(ROGUE, str(number))
    yield made
    for client in made.clients:
        await client.close()
    await bus.client.jetstream().delete_stream(STREAM)
    await bus.close()


async def test_nobody_is_anonymous(server_url: str) -> None:
    async def ignore(error: Exception) -> None:
        pass

    for options in ({}, {"user": "services", "password": "x"}, {"token": "x"}):
        with pytest.raises(nats.errors.Error):
            await connect(server_url, error_cb=ignore, **options)


async def test_another_operators_user_is_refused(world: World) -> None:
    stranger = natsauth.create_operator()
    for text in (
        natsauth.service_credentials(stranger, "services"),
        natsauth.customer_credentials(stranger, VICTIM, timedelta(hours=1)),
    ):
        with pytest.raises(nats.errors.Error):
            await world.connect(text, "_INBOX")


async def test_a_subscriber_reads_acknowledges_and_replays_its_own_events(world: World) -> None:
    rogue = await world.subscriber(ROGUE)
    messages = await rogue.fetch(ROGUE)
    expected = [f"{ROGUE}:{number}".encode() for number in range(3)]
    assert [each.data for each in messages] == expected
    for each in messages:
        await each.ack_sync()
    # Python's own error, which nats.errors.TimeoutError is too: a late answer raises the plain one.
    with pytest.raises(TimeoutError):
        await rogue.fetch(ROGUE)


async def test_a_new_customer_needs_no_restart(world: World) -> None:
    newcomer = uuid.uuid4()
    await world.publish(newcomer, "hello")
    subscriber = await world.subscriber(newcomer)
    assert [each.data for each in await subscriber.fetch(newcomer)] == [
        f"{newcomer}:hello".encode()
    ]


async def test_an_expired_credential_does_not_open(world: World) -> None:
    with pytest.raises(nats.errors.Error):
        await world.subscriber(ROGUE, timedelta(seconds=-1))


async def test_a_connection_ends_with_its_credential(world: World) -> None:
    closed = asyncio.Event()

    async def on_closed() -> None:
        closed.set()

    await world.subscriber(ROGUE, timedelta(seconds=2), closed_cb=on_closed)
    async with asyncio.timeout(10):
        await closed.wait()


@pytest.mark.parametrize(
    "config",
    [
        {"filter_subject": natsauth.customer_filter(VICTIM)},
        {"filter_subject": "outbound.v1.>"},
        {"filter_subject": "outbound.v1.*.thing.made"},
        {"filter_subject": ">"},
        {"filter_subject": ""},
        {},
        {"filter_subjects": [natsauth.customer_filter(VICTIM)]},
        {"filter_subjects": [OWN_FILTER, natsauth.customer_filter(VICTIM)]},
        {"filter_subject": OWN_FILTER, "filter_subjects": [natsauth.customer_filter(VICTIM)]},
        {"filter_subject": OWN_FILTER, "name": OTHERS, "durable_name": OTHERS},
        {"filter_subject": OWN_FILTER, "name": OWN, "durable_name": OTHERS},
        {"filter_subject": OWN_FILTER, "name": "mine", "durable_name": "mine"},
    ],
)
async def test_a_consumer_reads_only_its_customers_subjects(
    world: World, config: dict[str, Any]
) -> None:
    rogue = await world.subscriber(ROGUE)
    assert "error" in await rogue.create(**config)
    assert await world.bus.client.jetstream().consumers_info(STREAM) == []


async def test_an_existing_consumer_cannot_be_widened(world: World) -> None:
    rogue = await world.subscriber(ROGUE)
    assert "error" not in await rogue.create(filter_subject=OWN_FILTER)
    assert "error" in await rogue.create(filter_subject="outbound.v1.>")
    assert "error" in await rogue.create(filter_subjects=["outbound.v1.>"])
    (info,) = await world.bus.client.jetstream().consumers_info(STREAM)
    assert info.config.filter_subject == OWN_FILTER


@pytest.mark.parametrize("prefix", [API, "$JS.API"])
@pytest.mark.parametrize(
    "request_name",
    [
        f"CONSUMER.CREATE.{STREAM}",
        f"CONSUMER.CREATE.{STREAM}.{OWN}",
        f"CONSUMER.CREATE.{STREAM}.{OWN}.outbound.v1.>",
        f"CONSUMER.CREATE.{STREAM}.{OWN}.{natsauth.customer_filter(VICTIM)}",
        f"CONSUMER.CREATE.{STREAM}.{OTHERS}.{OWN_FILTER}",
        f"CONSUMER.DURABLE.CREATE.{STREAM}.{OWN}",
        f"CONSUMER.DELETE.{STREAM}.{OWN}",
        f"CONSUMER.DELETE.{STREAM}.{OTHERS}",
        f"CONSUMER.INFO.{STREAM}.{OTHERS}",
        f"CONSUMER.MSG.NEXT.{STREAM}.{OTHERS}",
        f"CONSUMER.NAMES.{STREAM}",
        f"CONSUMER.LIST.{STREAM}",
        f"CONSUMER.PAUSE.{STREAM}.{OWN}",
        f"CONSUMER.RESET.{STREAM}.{OWN}",
        f"STREAM.INFO.{STREAM}",
        f"STREAM.MSG.GET.{STREAM}",
        f"STREAM.MSG.DELETE.{STREAM}",
        f"STREAM.PURGE.{STREAM}",
        f"STREAM.DELETE.{STREAM}",
        f"STREAM.UPDATE.{STREAM}",
        f"STREAM.SNAPSHOT.{STREAM}",
        "STREAM.CREATE.MINE",
        "STREAM.NAMES",
        "STREAM.LIST",
        f"DIRECT.GET.{STREAM}",
        f"DIRECT.GET.{STREAM}.{subject(VICTIM, 'thing', 'made')}",
        "INFO",
    ],
)
async def test_every_other_request_is_refused(world: World, prefix: str, request_name: str) -> None:
    rogue = await world.subscriber(ROGUE)
    answer = await rogue.ask(f"{prefix}.{request_name}", {"seq": 1})
    assert "permissions violation for publish" in answer["refused"].lower()
    assert await world.messages() == 6


@pytest.mark.parametrize(
    "pattern",
    [
        ">",
        "outbound.v1.>",
        natsauth.customer_filter(VICTIM),
        OWN_FILTER,
        f"{natsauth.inbox_prefix(VICTIM)}.>",
        "_INBOX.>",
        "*.>",
        "$JS.>",
        "$JS.EVENT.>",
        "$SYS.>",
    ],
)
async def test_nothing_but_the_own_inbox_can_be_listened_to(world: World, pattern: str) -> None:
    rogue = await world.subscriber(ROGUE)
    heard: list[bytes] = []

    async def hear(message: Msg) -> None:
        heard.append(message.data)

    await rogue.client.subscribe(pattern, cb=hear)
    await rogue.client.flush()
    await eventually(lambda: bool(rogue.errors))
    assert "permissions violation for subscription" in rogue.errors[0].lower()
    await world.publish(VICTIM, "secret")
    await rogue.client.flush()
    assert heard == []


@pytest.mark.parametrize(
    "name",
    [
        subject(ROGUE, "thing", "made"),
        subject(VICTIM, "thing", "made"),
        f"{natsauth.inbox_prefix(VICTIM)}.x",
        f"{natsauth.inbox_prefix(ROGUE)}.x",
        "_INBOX.x",
        f"$JS.ACK.{STREAM}.{OTHERS}.1.1.1.1.1",
        f"$JS.ACK.{STREAM}.outdial-settle.1.1.1.1.1",
    ],
)
async def test_nothing_can_be_published(world: World, name: str) -> None:
    rogue = await world.subscriber(ROGUE)
    await rogue.attempt(name, b"+TERM")
    await eventually(lambda: bool(rogue.errors))
    assert "permissions violation for publish" in rogue.errors[0].lower()
    assert await world.messages() == 6


async def test_an_acknowledgement_of_another_customer_cannot_be_forged(world: World) -> None:
    victim, rogue = await world.subscriber(VICTIM), await world.subscriber(ROGUE)
    messages = await victim.fetch(VICTIM)
    reply = messages[0].reply
    await rogue.create(filter_subject=OWN_FILTER)
    await rogue.attempt(reply, b"")
    # Nor by having the server answer a request of the rogue there.
    await rogue.attempt(f"{API}.CONSUMER.MSG.NEXT.{STREAM}.{OWN}", EXPIRING, reply)
    await eventually(lambda: bool(rogue.errors))
    name = natsauth.consumer_names(VICTIM)[1]
    info = await world.bus.client.jetstream().consumer_info(STREAM, name)
    assert info.num_ack_pending == 3


@pytest.mark.parametrize(
    "reply",
    [
        f"$JS.API.STREAM.DELETE.{STREAM}",
        f"$JS.API.STREAM.PURGE.{STREAM}",
        f"{API}.STREAM.DELETE.{STREAM}",
        subject(VICTIM, "thing", "forged"),
        subject(ROGUE, "thing", "forged"),
        "_INBOX.services",
    ],
)
@pytest.mark.parametrize(
    ("request_name", "body"),
    [("CONSUMER.MSG.NEXT", EXPIRING), ("CONSUMER.MSG.NEXT", b"1"), ("CONSUMER.INFO", b"")],
)
async def test_a_reply_does_not_leave_the_subscribers_account(
    world: World, reply: str, request_name: str, body: bytes
) -> None:
    heard: list[bytes] = []

    async def hear(message: Msg) -> None:
        heard.append(message.data)

    await world.bus.client.subscribe("_INBOX.services", cb=hear)
    await world.bus.client.subscribe("outbound.v1.*.thing.forged", cb=hear)
    await world.bus.client.flush()
    rogue = await world.subscriber(ROGUE)
    await rogue.create(filter_subject=OWN_FILTER)
    await rogue.attempt(f"{API}.{request_name}.{STREAM}.{OWN}", body, reply)
    # An honest request behind it: when it has expired, so has the one before.
    inbox = rogue.client.new_inbox()
    answers = await rogue.client.subscribe(inbox)
    honest = f"{API}.CONSUMER.MSG.NEXT.{STREAM}.{OWN}"
    await rogue.attempt(honest, b'{"batch": 9, "expires": 100000000}', inbox)
    while (await answers.next_msg(timeout=10)).data:
        pass
    await world.bus.client.flush()
    assert heard == []
    assert await world.messages() == 6


async def test_within_the_streams_account_a_reply_would_delete_the_stream(world: World) -> None:
    """Why subscribers have an account of their own: permissions alone do not hold them."""
    allowed = {"pub": {"allow": [f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.c"]}, "sub": {"deny": [">"]}}
    text = natsauth._credentials(OPERATOR.account_seed, "reader", allowed, None)
    config = {"durable_name": "c", "ack_policy": "explicit", "filter_subjects": [OWN_FILTER]}
    await world.bus.create_consumer(config)
    reader = await world.connect(text, "_INBOX")
    before = await world.bus.stream_state()
    target = f"$JS.API.STREAM.DELETE.{STREAM}"
    await reader.attempt(f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.c", EXPIRING, target)
    async with asyncio.timeout(10):
        while (await world.bus.stream_state()).created == before.created:
            pass


@pytest.mark.parametrize(
    "deliver_subject",
    [
        f"$JS.API.STREAM.DELETE.{STREAM}",
        f"$JS.API.STREAM.PURGE.{STREAM}",
        f"$JS.ACK.{STREAM}.{natsauth.consumer_names(VICTIM)[1]}.1.1.1.1.1",
        f"{natsauth.inbox_prefix(VICTIM)}.x",
        subject(VICTIM, "thing", "forged"),
        "_INBOX.services",
        "anything.of.ours",
    ],
)
@pytest.mark.parametrize("headers_only", [True, False])
async def test_a_push_consumer_is_refused_and_reaches_nothing(
    world: World, deliver_subject: str, headers_only: bool
) -> None:
    victim, rogue = await world.subscriber(VICTIM), await world.subscriber(ROGUE)
    await victim.fetch(VICTIM)
    heard: list[bytes] = []

    async def hear(message: Msg) -> None:
        heard.append(message.data)

    await victim.client.subscribe(f"{natsauth.inbox_prefix(VICTIM)}.x", cb=hear)
    await victim.client.flush()
    for name in ("_INBOX.services", "anything.of.ours"):
        await world.bus.client.subscribe(name, cb=hear)
    await world.bus.client.flush()
    for member in ("deliver_subject", "Deliver_Subject"):
        answer = await rogue.create(
            filter_subject=OWN_FILTER,
            **{member: deliver_subject},
            ack_policy="none",
            headers_only=headers_only,
        )
        assert f"{member} is set" in answer["error"]["description"]
    # Several heartbeats and deliveries would have happened by the time this short life ends. A life
    # is cut to whole seconds: one of 1 s may be over before the connection is made.
    fleeting = await world.subscriber(ROGUE, timedelta(seconds=2))
    await eventually(lambda: fleeting.client.is_closed)
    await victim.client.flush()
    assert heard == []
    assert await world.messages() == 6
    name = natsauth.consumer_names(VICTIM)[1]
    info = await world.bus.client.jetstream().consumer_info(STREAM, name)
    assert info.num_ack_pending == 3


async def test_without_a_guard_no_consumer_is_made(server_url: str, tmp_path: Path) -> None:
    path = tmp_path / "services.creds"
    path.write_text(natsauth.service_credentials(OPERATOR, "services"))
    bus = await Bus.connect(server_url, str(path), "test")
    await bus.ensure_stream()
    world = World(server_url, bus, tmp_path)
    rogue = await world.subscriber(ROGUE)
    with pytest.raises(nats.errors.NoRespondersError):
        await rogue.client.request(CREATE, b"{}", timeout=10)
    await rogue.client.close()
    await bus.client.jetstream().delete_stream(STREAM)
    await bus.close()


def test_an_operator_survives_its_file() -> None:
    assert Operator.from_json(OPERATOR.to_json()) == OPERATOR
