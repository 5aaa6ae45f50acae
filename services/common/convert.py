"""Shared pieces of every `convert.py`: the protobuf messages that belong to no service."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from outbound.common.v1 import address_pb2 as address_pb

from services.common.address import Address
from services.common.errors import invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def digest(request: Message) -> str:
    """What tells a repeated request from another one: a hash of all its members."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()


def address_to_proto(address: Address | None) -> address_pb.Address | None:
    """The message, or None for an absent address, which a protobuf constructor takes as unset."""
    if address is None:
        return None
    return address_pb.Address(
        type=address.type,
        target=address.target,
        target_name=address.target_name,
        name=address.name,
        detail=address.detail,
    )


def address_from_proto(message: address_pb.Address) -> Address:
    """The address as sent, not normalised; all members empty when the message is unset."""
    return Address(
        type=message.type,
        target=message.target,
        target_name=message.target_name,
        name=message.name,
        detail=message.detail,
    )


def timestamp_to_proto(instant: datetime | None) -> Timestamp | None:
    """The instant to the microsecond, or None for None. `instant` must be aware."""
    if instant is None:
        return None
    # Exact: float arithmetic would lose microseconds, and page tokens are made of them.
    since = instant - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1_000)


def timestamp_from_proto(message: Timestamp) -> datetime:
    """The instant, aware, in UTC; digits beyond microseconds are cut.

    Raises InvalidArgument when it lies outside the years 1 to 9999.
    """
    try:
        return _EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1_000)
    except OverflowError:
        raise invalid("timestamp", message.seconds, "seconds within years 1 to 9999") from None


def optional_timestamp(message: Timestamp, is_set: bool) -> datetime | None:
    """The instant when the field is set (`HasField`), else None."""
    return timestamp_from_proto(message) if is_set else None
