"""Read one customer's events: everything since a stream sequence, then new ones as they come.

    outbound token --customer $customer --nats --output customer.creds
    python docs/examples/subscriber.py --url nats://127.0.0.1:21000 --customer $customer \
        --credentials customer.creds --from-sequence 1

Prints one JSON object an event. Keep the `sequence` of the last one you have dealt with: started with
`--from-sequence` one above it, the subscriber goes on where it was. Needs nats-py, nkeys and protobuf.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import nats
from google.protobuf import json_format
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError, TimeoutError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext
from nats.js.errors import APIError

# Importing a module makes the messages of its events known, so that they can be unpacked by name.
from outbound.agent.v1 import events_pb2 as _agent  # noqa: F401
from outbound.campaign.v1 import events_pb2 as _campaign  # noqa: F401
from outbound.common.v1.events_pb2 import EventBatch
from outbound.dialer.v1 import events_pb2 as _dialer  # noqa: F401
from outbound.flow.v1 import events_pb2 as _flow  # noqa: F401
from outbound.outdial.v1 import events_pb2 as _outdial  # noqa: F401
from outbound.outplan.v1 import events_pb2 as _outplan  # noqa: F401
from outbound.queue.v1 import events_pb2 as _queue  # noqa: F401

STREAM = "OUTBOUND"
DOMAIN = "outbound"
# The server forgets a consumer that nobody has asked for this long, real seconds.
FORGET_SECONDS = 5.0


async def connect(url: str, credentials: str, customer: uuid.UUID) -> Client:
    """A connection that may read the customer's events and do nothing else."""
    return await nats.connect(
        url,
        user_credentials=credentials,
        # Replies may only go here; without it the server refuses the very first request.
        inbox_prefix=f"_INBOX_{customer.hex}".encode(),
        max_reconnect_attempts=-1,
    )


async def messages(
    connection: Client, customer: uuid.UUID, slot: int, first: int
) -> AsyncIterator[Msg]:
    """Messages from that stream sequence on, without end, across restarts of the server."""
    # In the subscribers' account, requests to JetStream go by the name of a domain.
    stream = connection.jetstream(domain=DOMAIN)
    position = first
    while True:
        try:
            subscription = await subscribe(stream, customer, slot, position)
            while True:
                try:
                    batch = await subscription.fetch(100, timeout=5)
                except TimeoutError:
                    continue  # Nothing new.
                for message in batch:
                    yield message
                    position = message.metadata.sequence.stream + 1
        except (APIError, NoRespondersError):
            # The consumer is gone, the server is starting, or a former run of this program still
            # holds the name: it is free again after FORGET_SECONDS.
            await asyncio.sleep(1)


async def subscribe(
    stream: JetStreamContext, customer: uuid.UUID, slot: int, first: int
) -> JetStreamContext.PullSubscription:
    """A consumer of the stream that begins at `first`."""
    # A customer has four names for consumers; two subscribers at once need two of them.
    name = f"c_{customer.hex}_{slot}"
    await stream.add_consumer(
        STREAM,
        ConsumerConfig(
            name=name,
            filter_subject=f"outbound.v1.{customer}.>",  # or narrower: ….campaigncall.done
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=first,
            ack_policy=AckPolicy.NONE,  # The position is kept here, not on the server.
            inactive_threshold=FORGET_SECONDS,
        ),
    )
    return await stream.pull_subscribe_bind(name, stream=STREAM)


def decode(message: Msg) -> Iterator[dict[str, Any]]:
    """The events of one message, oldest first."""
    batch = EventBatch.FromString(message.data)
    for event in batch.events:
        data = json_format.MessageToDict(event.data, preserving_proto_field_name=True)
        data.pop("@type")
        yield {
            "sequence": message.metadata.sequence.stream,
            "id": event.id,
            "resource": batch.resource,
            "event": batch.event,
            "resource_id": event.resource_id,
            "revision": event.revision,
            "tm_event": event.tm_event.ToJsonString(),
            "data": data,
        }


async def main() -> None:
    """Do what the module's text says."""
    parser = argparse.ArgumentParser(description="One customer's events as JSON lines.")
    parser.add_argument("--url", required=True, help="such as nats://127.0.0.1:4222")
    parser.add_argument("--credentials", required=True, help="file that `outbound token` made")
    parser.add_argument("--customer", required=True, type=uuid.UUID)
    parser.add_argument("--from-sequence", type=int, default=1, help="1 is the oldest kept")
    parser.add_argument("--consumer", type=int, choices=range(1, 5), default=1)
    parser.add_argument("--limit", type=int, default=0, help="end after this many events")
    arguments = parser.parse_args()
    connection = await connect(arguments.url, arguments.credentials, arguments.customer)
    count = 0
    seen: set[str] = set()
    try:
        async for message in messages(
            connection, arguments.customer, arguments.consumer, arguments.from_sequence
        ):
            for event in decode(message):
                # Delivery is at least once. A real subscriber remembers ids for some minutes.
                if event["id"] in seen:
                    continue
                seen.add(event["id"])
                print(json.dumps(event), flush=True)
                count += 1
                if count == arguments.limit:
                    return
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
