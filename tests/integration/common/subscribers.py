"""Customers' subscribers on a NATS server with the events of two customers."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig

from services.common import natsauth
from services.common.bus import STREAM, Bus, subject
from services.common.natsauth import API
from tests.support.waiting import eventually

OPERATOR = natsauth.create_operator()
# Fixed, because they are parts of test names: every worker must collect the same ones.
VICTIM = uuid.UUID("0198a000-0000-7000-8000-00000000000a")
ROGUE = uuid.UUID("0198a000-0000-7000-8000-00000000000b")
OWN_FILTER = natsauth.customer_filter(ROGUE)
OWN, OTHERS = natsauth.consumer_names(ROGUE)[0], natsauth.consumer_names(VICTIM)[0]
CREATE = f"{API}.CONSUMER.CREATE.{STREAM}.{OWN}.{OWN_FILTER}"
# A request that is answered by an empty message when it expires.
EXPIRING = b'{"batch": 9, "expires": 50000000}'


async def connect(url: str, **options: Any) -> Client:
    client = Client()
    try:
        await client.connect(url, allow_reconnect=False, **options)
    except nats.errors.Error:
        # Refused, the library leaves its socket to the garbage collector, which warns.
        if client._transport is not None:
            client._transport.close()  # type: ignore[no-untyped-call]
        raise
    return client


@dataclass
class World:
    """A server with events of two customers, our own bus, and a folder for credentials."""

    url: str
    bus: Bus
    folder: Path
    clients: list[Client] = field(default_factory=list)

    async def publish(self, customer_id: uuid.UUID, text: str) -> None:
        message = f"{customer_id}:{text}".encode()
        await self.bus.publish(subject(customer_id, "thing", "made"), message, str(uuid.uuid4()))

    async def subscriber(
        self, customer_id: uuid.UUID, ttl: timedelta = timedelta(hours=1), **options: Any
    ) -> Subscriber:
        text = natsauth.customer_credentials(OPERATOR, customer_id, ttl)
        return await self.connect(text, natsauth.inbox_prefix(customer_id), **options)

    async def connect(self, credentials: str, inbox_prefix: str, **options: Any) -> Subscriber:
        path = self.folder / f"{uuid.uuid4()}.creds"
        path.write_text(credentials)
        errors: list[str] = []

        async def note(error: Exception) -> None:
            errors.append(str(error))

        client = await connect(
            self.url,
            user_credentials=str(path),
            inbox_prefix=inbox_prefix,
            error_cb=note,
            **options,
        )
        self.clients.append(client)
        return Subscriber(client, errors)

    async def messages(self) -> int:
        state = await self.bus.stream_state()
        return state.last - state.first + 1


@dataclass
class Subscriber:
    client: Client
    errors: list[str]

    async def ask(self, name: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer to a request; `{"refused": ...}` when the server did not let it through."""
        self.errors.clear()
        asking = asyncio.ensure_future(
            self.client.request(name, json.dumps(body).encode() if body else b"", timeout=10)
        )
        await eventually(lambda: asking.done() or bool(self.errors))
        if not asking.done():
            asking.cancel()
            return {"refused": self.errors[0]}
        answer: dict[str, Any] = json.loads(asking.result().data)
        return answer

    async def create(self, **config: Any) -> dict[str, Any]:
        """Make the rogue's first consumer with these settings."""
        wanted = {"name": OWN, "durable_name": OWN, "ack_policy": "explicit", **config}
        return await self.ask(CREATE, {"stream_name": STREAM, "config": wanted})

    async def attempt(self, name: str, body: bytes, reply: str = "") -> None:
        """Publish, and return when the server has dealt with it."""
        self.errors.clear()
        await self.client.publish(name, body, reply=reply)
        await self.client.flush()

    async def fetch(self, customer_id: uuid.UUID, **options: Any) -> list[Msg]:
        """Make a consumer the way any client library does, and read what there is."""
        name = natsauth.consumer_names(customer_id)[1]
        jetstream = self.client.jetstream(domain=natsauth.DOMAIN)
        config = ConsumerConfig(
            durable_name=name,
            name=name,
            filter_subject=natsauth.customer_filter(customer_id),
            **options,
        )
        await jetstream.add_consumer(STREAM, config)
        pulling = await jetstream.pull_subscribe_bind(name, STREAM)
        return await pulling.fetch(100, timeout=1)
