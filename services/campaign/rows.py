"""How values meet the database that are no plain columns: addresses, actions, arrays for batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.common.actions import Action
from services.common.address import Address

_MEMBERS = ("type", "target", "target_name", "name", "detail")


def address_text(address: Address | None) -> str | None:
    """The address as JSON of the members that are set."""
    if address is None:
        return None
    set_members = {name: value for name in _MEMBERS if (value := getattr(address, name))}
    return orjson.dumps(set_members).decode()


def address_of(stored: Any) -> Address | None:
    """The address that was stored."""
    return None if stored is None else Address(**stored)


def actions_text(actions: tuple[Action, ...]) -> str:
    """The actions as JSON, options in the order of their members."""
    return orjson.dumps([_action(each) for each in actions]).decode()


def actions_of(stored: Any) -> tuple[Action, ...]:
    """The actions that were stored."""
    return tuple(
        Action(
            type=each["type"],
            option=each["option"],
            id=UUID(each["id"]) if "id" in each else None,
            next_id=UUID(each["next_id"]) if "next_id" in each else None,
        )
        for each in stored
    )


def _action(action: Action) -> dict[str, Any]:
    stored: dict[str, Any] = {"type": action.type, "option": action.option}
    if action.id is not None:
        stored["id"] = str(action.id)
    if action.next_id is not None:
        stored["next_id"] = str(action.next_id)
    return stored


def texts_text(texts: Mapping[str, str]) -> str:
    """An object of texts as JSON. Most have none, and there are thousands of them a second."""
    return orjson.dumps(dict(texts)).decode() if texts else "{}"


def array(values: Iterable[object]) -> str:
    """A PostgreSQL array of ids, numbers or flags.

    Written out here because the driver turns lists into arrays element by element, which at
    thousands of attempts a second was the largest cost of the whole process.
    """
    return f"{{{','.join(map(str, values))}}}"


def text_array(values: Iterable[str]) -> str:
    """A PostgreSQL array of texts."""
    quoted = [each.replace("\\", "\\\\").replace('"', '\\"') for each in values]
    return '{"' + '","'.join(quoted) + '"}' if quoted else "{}"


def time_array(values: Iterable[datetime | None]) -> str:
    """A PostgreSQL array of instants, NULL for None."""
    return f"{{{','.join('NULL' if each is None else each.isoformat() for each in values)}}}"
