"""Field kinds that become messages of the protos: addresses, actions, free data."""

from __future__ import annotations

from typing import Any

import orjson
from outbound.common.v1 import action_pb2 as action_pb
from outbound.common.v1 import address_pb2 as address_pb

from gateway.fields import (
    IDENTIFIER,
    NAME_LENGTH,
    REFERENCE,
    TEXT_LENGTH,
    Body,
    Field,
    FieldKind,
    list_of,
    text,
    wrong_kind,
)
from gateway.members import Json
from services.common.actions import MAX_ACTIONS
from services.common.address import MAX_DETAIL, MAX_TARGET
from services.common.errors import invalid
from services.common.limits import MAX_TAGS
from services.common.nesting import DEEP, SHALLOW, is_deep
from services.common.texts import NO_NUL, holds_nul

_ADDRESS = Body(
    "AddressInput",
    Field("type", text(32), "Address type; inferred from the target when empty."),
    Field("target", text(MAX_TARGET), "The address itself; empty means no address."),
    Field("target_name", text(NAME_LENGTH)),
    Field("name", text(NAME_LENGTH)),
    Field("detail", text(MAX_DETAIL)),
)


def _address(value: Json, path: str) -> address_pb.Address:
    if isinstance(value, str):
        return address_pb.Address(target=_ADDRESS_TEXT.parse(value, path))
    if not isinstance(value, dict):
        raise wrong_kind(path, value, "an address object, or its target as text")
    return address_pb.Address(**_ADDRESS.parse(value, path))


_ADDRESS_TEXT = text(MAX_TARGET)
ADDRESS = FieldKind(
    {
        "anyOf": [_ADDRESS_TEXT.schema, _ADDRESS.schema],
        "description": "An address, or just its target as text. An empty one is no address.",
    },
    _address,
)
"""Parsed to an Address message; whether the target is a usable one is the service's to say."""


def json_text(value: Json, path: str) -> str:
    """Compact JSON text of a value; refuses what a database cannot store, and absurd depths."""
    if is_deep(value):
        raise invalid(path, DEEP, SHALLOW)
    dumped = orjson.dumps(value).decode()
    if "\\u0000" in dumped and holds_nul(value):
        raise invalid(path, "a text with a NUL character", NO_NUL)
    return dumped


def _option(value: Json, path: str) -> str:
    if not isinstance(value, dict):
        raise wrong_kind(path, value, "an object of the action's options")
    return json_text(value, path)


_ACTION = Body(
    "ActionInput",
    Field("id", REFERENCE, "Id other actions of the list refer to."),
    Field("next_id", REFERENCE, "Action that follows; none means the next of the list."),
    Field("type", text(64, 1), "Documented action word.", required=True),
    Field("option", FieldKind({"type": "object"}, _option), "Options of the action type."),
)


def _action(value: Json, path: str) -> action_pb.Action:
    given: dict[str, Any] = _ACTION.parse(value, path)
    if "option" in given:
        given["option_json"] = given.pop("option")
    return action_pb.Action(**given)


ACTION_LIST = list_of(FieldKind(_ACTION.schema, _action), MAX_ACTIONS)
"""A list of Action messages; whether a word is a known one is the service's to say."""


def _data(value: Json, path: str) -> str:
    written = value if isinstance(value, str) else json_text(value, path)
    parsed: str = _DATA_TEXT.parse(written, path)
    return parsed


_DATA_TEXT = text(TEXT_LENGTH)
DATA = FieldKind(
    {"description": "Any JSON; a value that is not text is kept as compact JSON text."}, _data
)
"""Free data, parsed to text."""

IDENTIFIERS = list_of(IDENTIFIER, MAX_TAGS)
"""A list of ids, none of them empty."""
