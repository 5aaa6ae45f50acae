from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outbound.common.v1 import events_pb2

from services.common.envelope import MAX_EVENTS, NewEvent, decode, encode, resources_in
from services.common.ids import new_id
from services.common.relay import _independent

TM = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)
CUSTOMERS = [new_id() for _ in range(2)]
RESOURCES = [new_id() for _ in range(3)]


def make(
    resource_id: UUID = RESOURCES[0],
    event: str = "updated",
    revision: int = 1,
    customer_id: UUID = CUSTOMERS[0],
    data: bytes = b"data",
) -> NewEvent:
    return NewEvent(
        customer_id, "campaign", event, resource_id, revision, data, "outbound.test.v1.Thing"
    )


def test_what_was_sent_is_received() -> None:
    (batch,) = encode([make(revision=7)], TM)
    received = decode(batch.payload, 42)
    assert received.sequence == 42
    (event,) = received.events
    assert (event.customer_id, event.resource, event.event) == (CUSTOMERS[0], "campaign", "updated")
    assert (event.resource_id, event.revision, event.tm) == (RESOURCES[0], 7, TM)
    assert (event.data, event.data_type) == (b"data", "outbound.test.v1.Thing")
    assert event.id.version == 7


def test_a_fact_is_made_of_its_message_and_its_subject() -> None:
    subject = SimpleNamespace(id=RESOURCES[0], customer_id=CUSTOMERS[0], revision=7)
    message = events_pb2.EventBatch(resource="any message")
    assert NewEvent.of("campaign", "updated", message, subject) == NewEvent(
        customer_id=CUSTOMERS[0],
        resource="campaign",
        event="updated",
        resource_id=RESOURCES[0],
        revision=7,
        data=message.SerializeToString(),
        data_type="outbound.common.v1.EventBatch",
    )


def test_one_batch_a_subject() -> None:
    other = make(RESOURCES[1], "created", customer_id=CUSTOMERS[1])
    batches = encode([make(), other, make(RESOURCES[2])], TM)
    assert [(batch.customer_id, batch.event) for batch in batches] == [
        (CUSTOMERS[0], "updated"),
        (CUSTOMERS[1], "created"),
    ]
    assert resources_in(batches[0].payload) == {str(RESOURCES[0]), str(RESOURCES[2])}


def test_a_batch_holds_500_events() -> None:
    batches = encode([make(new_id()) for _ in range(MAX_EVENTS + 1)], TM)
    assert [len(decode(batch.payload, 0).events) for batch in batches] == [MAX_EVENTS, 1]


def test_a_batch_stays_below_what_nats_accepts() -> None:
    batches = encode([make(new_id(), data=b"x" * 200_000) for _ in range(10)], TM)
    assert max(len(batch.payload) for batch in batches) < 1_000_000
    assert sum(len(decode(batch.payload, 0).events) for batch in batches) == 10


def test_garbage_is_not_a_batch() -> None:
    with pytest.raises(ValueError, match=r"EventBatch|badly formed"):
        decode(b"\xff\xff garbage", 0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(RESOURCES), st.sampled_from(["a", "b", "c"]), st.sampled_from(CUSTOMERS)
        ),
        max_size=30,
    )
)
def test_no_event_overtakes_an_earlier_one_of_its_resource(
    drawn: Sequence[tuple[UUID, str, UUID]],
) -> None:
    events = [make(each[0], each[1], n, each[2]) for n, each in enumerate(drawn)]
    published = [event for batch in encode(events, TM) for event in decode(batch.payload, 0).events]
    assert len(published) == len(events)
    for resource_id in RESOURCES:
        revisions = [each.revision for each in published if each.resource_id == resource_id]
        assert revisions == sorted(revisions)


def test_a_window_never_holds_two_batches_of_a_resource() -> None:
    def row(number: int, resource_id: UUID) -> tuple[int, str, bytes]:
        return number, "subject", encode([make(resource_id)], TM)[0].payload

    rows = [row(1, RESOURCES[0]), row(2, RESOURCES[1]), row(3, RESOURCES[0]), row(4, RESOURCES[2])]
    assert [each[0] for each in _independent(rows)] == [1, 2]
    assert [each[0] for each in _independent(rows[1:])] == [2, 3, 4]
