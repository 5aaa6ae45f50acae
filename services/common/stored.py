"""How values meet the database that are no plain columns: addresses, actions, arrays for batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import orjson

from services.common.actions import Action
from services.common.address import Address

_MEMBERS = ("type", "target", "target_name", "name", "detail")


def address_json(address: Address) -> str:
    """The address as JSON of the members that are set."""
    return orjson.dumps(_set_members(address)).decode()


def optional_address_json(address: Address | None) -> str | None:
    """The same; NULL for none."""
    return None if address is None else address_json(address)


def addresses_json(addresses: Iterable[Address]) -> str:
    """Several addresses as a JSON list."""
    return orjson.dumps([_set_members(each) for each in addresses]).decode()


def address_of(stored: Any) -> Address:
    """The address in a JSON column, which is read as it is or as text."""
    return Address(**(orjson.loads(stored) if isinstance(stored, str) else stored))


def optional_address_of(stored: Any) -> Address | None:
    """The same; None for NULL."""
    return None if stored is None else address_of(stored)


def actions_json(actions: Iterable[Action]) -> str:
    """The actions as JSON, options in the order of their members."""
    return orjson.dumps([_action(each) for each in actions]).decode()


def actions_of(stored: Any) -> tuple[Action, ...]:
    """The actions in a JSON column."""
    return tuple(
        Action(
            type=each["type"],
            option=each["option"],
            id=UUID(each["id"]) if "id" in each else None,
            next_id=UUID(each["next_id"]) if "next_id" in each else None,
        )
        for each in stored
    )


def array(values: Iterable[object]) -> str:
    """An array parameter of ids, instants, numbers or flags, as text; None is NULL.

    Written out here because the driver turns lists into arrays element by element, looking at each for
    its type and for what to quote, which at thousands of attempts a second was the largest cost of the
    whole process. Not for texts: nothing is quoted here.
    """
    return "{" + ",".join(["NULL" if each is None else str(each) for each in values]) + "}"


def text_array(values: Iterable[str]) -> str:
    """An array parameter of texts."""
    quoted = [each.replace("\\", "\\\\").replace('"', '\\"') for each in values]
    return '{"' + '","'.join(quoted) + '"}' if quoted else "{}"


def _set_members(address: Address) -> dict[str, str]:
    return {name: value for name in _MEMBERS if (value := getattr(address, name))}


def _action(action: Action) -> dict[str, Any]:
    stored: dict[str, Any] = {"type": action.type, "option": action.option}
    if action.id is not None:
        stored["id"] = str(action.id)
    if action.next_id is not None:
        stored["next_id"] = str(action.next_id)
    return stored


def texts_json(texts: Mapping[str, str]) -> str:
    """An object of texts as JSON. Most have none, and there are thousands of them a second."""
    return orjson.dumps(dict(texts)).decode() if texts else "{}"
