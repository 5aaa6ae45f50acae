"""Events as the code sees them, and the EventBatch they travel in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from outbound.common.v1 import events_pb2

from services.common.ids import new_id_text

MAX_EVENTS = 500
"""Most events in one batch."""
MAX_BYTES = 512 * 1024
"""A batch is closed when its data reach this size; NATS takes 1 MiB unless told otherwise."""
_TYPE_PREFIX = "type.googleapis.com/"


class Subject(Protocol):
    """What events tell of."""

    @property
    def id(self) -> UUID:
        """Its id."""

    @property
    def customer_id(self) -> UUID:
        """Whose it is."""

    @property
    def revision(self) -> int:
        """How often it has changed."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact to be published.

    `resource` and `event` are the words of the subject, `revision` that of the resource after the
    change (0 when it has none), `data` a serialised protobuf message whose full name is `data_type`.
    """

    customer_id: UUID
    resource: str
    event: str
    resource_id: UUID
    revision: int
    data: bytes
    data_type: str

    @classmethod
    def of(cls, resource: str, event: str, message: Message, subject: Subject) -> NewEvent:
        """The fact `resource.event` about `subject`, told by this message."""
        return cls(
            customer_id=subject.customer_id,
            resource=resource,
            event=event,
            resource_id=subject.id,
            revision=subject.revision,
            data=message.SerializeToString(),
            data_type=message.DESCRIPTOR.full_name,
        )


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """A fact that was published. `tm` is domain time; see NewEvent for the rest."""

    id: UUID
    customer_id: UUID
    resource: str
    event: str
    resource_id: UUID
    revision: int
    tm: datetime
    data: bytes
    data_type: str
    left_out_bytes: int = 0
    """Not 0 when the fact was too large to be sent: how large. `data` is empty then."""


@dataclass(frozen=True, slots=True)
class Received:
    """One message: events of one subject, oldest first, and its sequence in the stream (0: unknown)."""

    events: list[ReceivedEvent]
    sequence: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What becomes one outbox row."""

    customer_id: UUID
    resource: str
    event: str
    payload: bytes


def encode(events: Sequence[NewEvent], tm: datetime) -> list[Batch]:
    """The events as batches, in an order in which no event overtakes an earlier one of its resource."""
    return [
        Batch(group[0].customer_id, group[0].resource, group[0].event, _payload(group, tm))
        for group in _grouped(events)
    ]


def decode(payload: bytes, sequence: int) -> Received:
    """The events of a message; ValueError when it is not a batch."""
    try:
        batch = events_pb2.EventBatch.FromString(payload)
    except Exception as exc:
        raise ValueError(f"not an EventBatch: {exc}") from exc
    customer_id, resource, word = UUID(batch.customer_id), batch.resource, batch.event
    events = []
    # Events of one transaction share their time: convert it once.
    instant, tm = (0, 0), datetime.fromtimestamp(0, UTC)
    for event in batch.events:
        stamp = event.tm_event
        if (stamp.seconds, stamp.nanos) != instant:
            instant, tm = (stamp.seconds, stamp.nanos), stamp.ToDatetime(tzinfo=UTC)
        data = event.data
        events.append(
            ReceivedEvent(
                UUID(event.id),
                customer_id,
                resource,
                word,
                UUID(event.resource_id),
                event.revision,
                tm,
                data.value,
                data.type_url.removeprefix(_TYPE_PREFIX),
                event.left_out_bytes,
            )
        )
    return Received(events, sequence)


def shortened(payload: bytes, most: int) -> tuple[bytes, int]:
    """The batch in at most so many bytes, and of how many of its events the facts had to be left out.

    The largest facts go first. What tells that something has happened, and to what, stays, also when
    that alone is too much.
    """
    size = len(payload)
    if size <= most:
        return payload, 0
    batch = events_pb2.EventBatch.FromString(payload)
    count = 0
    for event in sorted(batch.events, key=lambda each: len(each.data.value), reverse=True):
        if size <= most or not event.data.value:
            break
        size -= len(event.data.value)
        event.left_out_bytes = len(event.data.value)
        event.data.value = b""
        # The number that has come is shorter than the fact that has gone, but not always by much.
        size += 16
        count += 1
    return batch.SerializeToString(), count


def resources_in(payload: bytes) -> set[str]:
    """Ids of the resources that a batch tells of."""
    return {event.resource_id for event in events_pb2.EventBatch.FromString(payload).events}


def _grouped(events: Iterable[NewEvent]) -> list[list[NewEvent]]:
    groups: list[list[NewEvent]] = []
    sizes: list[int] = []
    open_groups: dict[tuple[UUID, str, str], int] = {}
    latest: dict[UUID, int] = {}
    for event in events:
        key = (event.customer_id, event.resource, event.event)
        index = open_groups.get(key)
        if (
            index is None
            or len(groups[index]) >= MAX_EVENTS
            or sizes[index] + len(event.data) > MAX_BYTES
            # An earlier event of the same resource is in a later group: joining would overtake it.
            or index < latest.get(event.resource_id, -1)
        ):
            index = open_groups[key] = len(groups)
            groups.append([])
            sizes.append(0)
        groups[index].append(event)
        sizes[index] += len(event.data)
        latest[event.resource_id] = index
    return groups


def _payload(group: Sequence[NewEvent], tm: datetime) -> bytes:
    first = group[0]
    batch = events_pb2.EventBatch(
        customer_id=str(first.customer_id), resource=first.resource, event=first.event
    )
    stamp = Timestamp()
    stamp.FromDatetime(tm)
    for event in group:
        batch.events.add(
            id=new_id_text(),
            resource_id=str(event.resource_id),
            revision=event.revision,
            tm_event=stamp,
            data=Any(type_url=_TYPE_PREFIX + event.data_type, value=event.data),
        )
    return batch.SerializeToString()
