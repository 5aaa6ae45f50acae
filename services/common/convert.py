"""Shared pieces of every `convert.py`: the protobuf messages that belong to no service."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from outbound.common.v1 import action_pb2 as action_pb
from outbound.common.v1 import address_pb2 as address_pb

from services.common.actions import Action
from services.common.address import Address
from services.common.errors import invalid
from services.common.ids import optional_id, text

MAX_OPTION_CHARACTERS = 64 * 1024
"""Longest JSON of one action's options."""
MAX_OPTIONS_BYTES = 1024 * 1024
"""Most bytes that the options of one list of actions may have: every event of what runs them tells them."""
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


def addresses_to_proto(addresses: Iterable[Address]) -> list[address_pb.Address]:
    """Several addresses, none of them absent."""
    return [each for each in map(address_to_proto, addresses) if each is not None]


def action_to_proto(action: Action) -> action_pb.Action:
    """The action."""
    return action_pb.Action(
        id=text(action.id),
        next_id=text(action.next_id),
        type=action.type,
        option_json=orjson.dumps(action.option).decode() if action.option else "",
    )


def actions_from_proto(
    messages: Iterable[action_pb.Action], field: str = "actions"
) -> tuple[Action, ...]:
    """The actions of a request, unchecked but for form and size; InvalidArgument names a wrong one."""
    messages = list(messages)
    for index, each in enumerate(messages):
        if len(each.option_json) > MAX_OPTION_CHARACTERS:
            length = f"{len(each.option_json)} characters long"
            accepted = f"at most {MAX_OPTION_CHARACTERS} characters"
            raise invalid(f"{field}[{index}].option", length, accepted)
    size = sum(len(each.option_json.encode()) for each in messages)
    if size > MAX_OPTIONS_BYTES:
        raise invalid(
            field, f"{size} bytes", f"at most {MAX_OPTIONS_BYTES} bytes of options in all"
        )
    return actions_told(messages, field)


def actions_told(
    messages: Iterable[action_pb.Action], field: str = "actions"
) -> tuple[Action, ...]:
    """The actions that another service tells of, of whatever size it has taken them."""
    return tuple(_action(each, f"{field}[{index}]") for index, each in enumerate(messages))


def _action(message: action_pb.Action, place: str) -> Action:
    option: Any = {}
    if message.option_json:
        try:
            option = orjson.loads(message.option_json)
        except orjson.JSONDecodeError:
            option = None
        if not isinstance(option, dict):
            raise invalid(f"{place}.option", message.option_json, "a JSON object")
    return Action(
        type=message.type,
        option=option,
        id=optional_id(message.id, f"{place}.id"),
        next_id=optional_id(message.next_id, f"{place}.next_id"),
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
