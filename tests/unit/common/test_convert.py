"""The messages that belong to no service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from outbound.common.v1 import action_pb2 as action_pb

from services.common.address import Address
from services.common.convert import (
    actions_from_proto,
    actions_told,
    address_from_proto,
    address_to_proto,
    optional_timestamp,
    timestamp_from_proto,
    timestamp_to_proto,
)
from services.common.errors import InvalidArgument


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_survive_to_the_microsecond(instant: datetime) -> None:
    message = timestamp_to_proto(instant)
    assert message is not None
    assert timestamp_from_proto(message) == instant
    assert message.ToDatetime(tzinfo=UTC) == instant


def test_absent_instants() -> None:
    assert timestamp_to_proto(None) is None
    assert optional_timestamp(Timestamp(seconds=5), is_set=False) is None
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=5)
    assert optional_timestamp(Timestamp(seconds=5), is_set=True) == expected


def test_instants_outside_of_the_calendar_are_refused() -> None:
    with pytest.raises(InvalidArgument):
        timestamp_from_proto(Timestamp(seconds=10**12))


def test_addresses() -> None:
    address = Address("tel", "+15551234567", "Ann", "home", "x")
    message = address_to_proto(address)
    assert message is not None
    assert address_from_proto(message) == address
    assert address_to_proto(None) is None


def test_the_options_of_a_list_are_bounded_together() -> None:
    option = orjson.dumps({"text": "é" * 20_000}).decode()
    with pytest.raises(InvalidArgument, match=r"actions is .*bytes.*at most 1048576 bytes"):
        actions_from_proto([action_pb.Action(type="talk", option_json=option)] * 40)
    assert len(actions_told([action_pb.Action(type="talk", option_json=option)] * 40)) == 40
