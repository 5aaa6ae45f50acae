"""Pieces of the four `convert.py` of this process: actions and caller ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from outbound.common.v1 import action_pb2 as action_pb
from outbound.common.v1 import address_pb2 as address_pb

from services.common.actions import Action
from services.common.address import Address, normalise
from services.common.convert import address_from_proto
from services.common.errors import invalid
from services.common.ids import optional_id, text

MAX_OPTION_BYTES = 64 * 1024


def source_from_proto(message: address_pb.Address) -> Address | None:
    """A caller id in normal form, None for an empty one."""
    return normalise(address_from_proto(message), field="source")


def actions_to_proto(actions: Iterable[Action]) -> list[action_pb.Action]:
    """The actions as messages."""
    return [
        action_pb.Action(
            id=text(each.id),
            next_id=text(each.next_id),
            type=each.type,
            option_json=orjson.dumps(each.option).decode() if each.option else "",
        )
        for each in actions
    ]


def actions_from_proto(
    messages: Iterable[action_pb.Action], field: str = "actions"
) -> tuple[Action, ...]:
    """The actions as sent, unchecked but for their form; InvalidArgument names a malformed one."""
    return tuple(_action(each, f"{field}[{index}]") for index, each in enumerate(messages))


def _action(message: action_pb.Action, place: str) -> Action:
    option: Any = {}
    if message.option_json:
        if len(message.option_json) > MAX_OPTION_BYTES:
            length = f"{len(message.option_json)} characters long"
            raise invalid(f"{place}.option", length, f"at most {MAX_OPTION_BYTES} characters")
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
