"""Flow actions: what one is, which are accepted in a definition, and their options when they run.

The words and their options are in `action_catalogue`, the kinds of values in `action_kinds`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from services.common.action_catalogue import ALIASES, CATALOGUE, LATER, Word
from services.common.action_kinds import TARGET, TARGETS, WrongValue, missing, refers, shown
from services.common.errors import FieldViolation, InvalidArgument, invalid
from services.common.nesting import DEEP, SHALLOW, is_deep
from services.common.texts import NO_NUL, holds_nul

MAX_ACTIONS = 100
"""Most actions one list may hold."""
INVALID_ACTION_TYPE = "INVALID_ACTION_TYPE"
INVALID_ANONYMOUS_VALUE = "INVALID_ANONYMOUS_VALUE"

START = UUID(int=1)
"""As a target: the first action of the flow."""
FINISH = UUID(int=2)
"""As a target: the end of the flow."""
NEXT = UUID(int=3)
"""As a target: the element that follows."""
RESERVED = frozenset({START, FINISH, NEXT})


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a flow. `id` and `next_id` are kept as sent; None means none was given."""

    type: str
    option: dict[str, Any] = field(default_factory=dict)
    id: UUID | None = None
    next_id: UUID | None = None


def validate_actions(actions: Sequence[Action], field: str = "actions") -> list[Action]:
    """The actions under their documented words; otherwise as sent.

    Raises InvalidArgument with every violation at once, each naming its place, for example
    `actions[3].option.duration`, the value and what is accepted. A text that holds `${...}` is taken
    on trust: what becomes of it is seen when the action runs. The reason is INVALID_ACTION_TYPE, or
    INVALID_ANONYMOUS_VALUE when that is all that is wrong. More than 100 actions are refused.
    """
    if len(actions) > MAX_ACTIONS:
        raise invalid(field, f"a list of {len(actions)}", f"at most {MAX_ACTIONS} actions")
    normalised = [replace(each, type=ALIASES.get(each.type, each.type)) for each in actions]
    _refuse_same_ids(normalised, field)
    ids = {each.id for each in normalised if each.id is not None} | RESERVED
    found = [
        violation
        for index, action in enumerate(normalised)
        for violation in _violations(action, f"{field}[{index}]", ids)
    ]
    if found:
        only_anonymous = all(each.field.endswith(".anonymous") for each in found)
        raise InvalidArgument(
            "; ".join(f"{each.field}: {each.description}" for each in found[:5]),
            reason=INVALID_ANONYMOUS_VALUE if only_anonymous else INVALID_ACTION_TYPE,
            violations=found,
        )
    return normalised


def read_option(word: str, option: Mapping[str, Any]) -> dict[str, Any]:
    """The options given, as an executor wants them; variables have been put in already.

    ids are UUIDs, addresses Addresses, numbers numbers also when a variable has written them. Raises
    ValueError that names the member, the value and what is accepted.
    """
    known = CATALOGUE[ALIASES.get(word, word)]
    read = {}
    for name, kind in known.options.items():
        if option.get(name) is None:
            continue
        try:
            read[name] = kind.read(option[name], True)
        except WrongValue as wrong:
            raise ValueError(f"{name}{wrong.place} {wrong}") from None
    for group in known.required:
        # An empty id reads as None.
        if missing(read, group):
            raise ValueError(f"{' or '.join(group)} is missing")
    return read


def queues_joined(actions: Sequence[Action], field: str = "actions") -> dict[str, UUID]:
    """The queues that these actions, which must be valid, name outright, by the place of the name."""
    return _named(actions, "queue_join", "queue_id", field)


def flows_fetched(actions: Sequence[Action], field: str = "actions") -> dict[str, UUID]:
    """The flows that these actions, which must be valid, name outright, by the place of the name."""
    return _named(actions, "fetch_flow", "flow_id", field)


def _named(actions: Sequence[Action], word: str, member: str, field: str) -> dict[str, UUID]:
    named = {
        f"{field}[{index}].option.{member}": each.option[member]
        for index, each in enumerate(actions)
        if each.type == word
    }
    return {place: UUID(given) for place, given in named.items() if not refers(given)}


def _violations(action: Action, place: str, ids: set[UUID]) -> list[FieldViolation]:
    if action.type in LATER:
        about = f"{action.type!r} cannot be used: {LATER[action.type]}"
        return [FieldViolation(f"{place}.type", about)]
    word = CATALOGUE.get(action.type)
    if word is None:
        about = f"{action.type!r} is no action; accepted: {', '.join(sorted(CATALOGUE))}"
        return [FieldViolation(f"{place}.type", about)]
    found = []
    # Members that no action knows are kept as well.
    if is_deep(action.option):
        about = f"is {DEEP}; accepted: {SHALLOW}"
        return [FieldViolation(f"{place}.option", about)]
    if action.next_id is not None and action.next_id not in ids:
        about = f"is '{action.next_id}'; accepted: {TARGET.about}"
        found.append(FieldViolation(f"{place}.next_id", about))
    found += _option_violations(action, word, f"{place}.option", ids)
    if not found and holds_nul(action.option):
        found.append(FieldViolation(f"{place}.option", f"holds a NUL; accepted: {NO_NUL}"))
    return found


def _option_violations(
    action: Action, word: Word, place: str, ids: set[UUID]
) -> list[FieldViolation]:
    found = []
    read: dict[str, Any] = {}
    for name, kind in word.options.items():
        value = action.option.get(name)
        # null is how many clients write "not given".
        if value is None:
            continue
        try:
            read[name] = kind.read(value, False)
            if kind is TARGET:
                _check_target(value, read[name], ids)
            elif kind is TARGETS:
                _check_targets(value, read[name], ids)
        except WrongValue as wrong:
            found.append(FieldViolation(f"{place}.{name}{wrong.place}", str(wrong)))
            read[name] = value
    for group in word.required:
        if missing(read, group):
            kinds = " or ".join(word.options[name].about.partition(";")[0] for name in group)
            value = action.option.get(group[0])
            state = "is missing" if value is None else f"is {shown(value)}"
            found.append(FieldViolation(f"{place}.{group[0]}", f"{state}; accepted: {kinds}"))
    return found


def _check_target(value: Any, read: Any, ids: set[UUID]) -> None:
    if isinstance(read, UUID) and read not in ids:
        raise WrongValue(value, TARGET.about)


def _check_targets(value: Any, read: Mapping[str, Any], ids: set[UUID]) -> None:
    for key, each in read.items():
        if isinstance(each, UUID) and each not in ids:
            raise WrongValue(value[key], TARGET.about, f".{key}")


def _refuse_same_ids(actions: Sequence[Action], field: str) -> None:
    seen: dict[UUID, int] = {}
    for index, action in enumerate(actions):
        if action.id is None:
            continue
        if action.id in RESERVED:
            raise invalid(f"{field}[{index}].id", str(action.id), "an id that is not reserved")
        if action.id in seen:
            accepted = f"an id of its own; {field}[{seen[action.id]}] has the same"
            raise invalid(f"{field}[{index}].id", str(action.id), accepted)
        seen[action.id] = index
