"""The catalogue of flow actions: the documented words, the options of each and what runs now.

Knows shapes only. What an action does is the business of whoever executes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from services.common.errors import FieldViolation, InvalidArgument, invalid

MAX_ACTIONS = 100
"""Most actions one list may hold."""
INVALID_ACTION_TYPE = "INVALID_ACTION_TYPE"
INVALID_ANONYMOUS_VALUE = "INVALID_ANONYMOUS_VALUE"
ANONYMOUS = ("", "yes", "no", "auto")
"""Accepted values of the option `anonymous`."""


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a flow. `id` and `next_id` are kept as sent; None means none was given."""

    type: str
    option: dict[str, Any] = field(default_factory=dict)
    id: UUID | None = None
    next_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of option value: how it is called in an error, and how it is recognised."""

    about: str
    accepts: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    # JSON has one kind of number: 20 and 20.0 are the same to most writers.
    return _is_number(value) and float(value).is_integer()


def _list_of(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(accepts(each) for each in value)


def _is_address(value: Any) -> bool:
    return isinstance(value, str | dict)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


TEXT = Kind("a text", _is_text)
WHOLE = Kind("a whole number", _is_whole)
NUMBER = Kind("a number", _is_number)
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
TEXTS = Kind("a list of texts", _list_of(_is_text))
NUMBERS = Kind("a list of whole numbers", _list_of(_is_whole))
TEXT_MAP = Kind(
    "an object whose values are texts",
    lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
)
ADDRESS = Kind("an address: an object or a text", _is_address)
ADDRESSES = Kind("a list of addresses", _list_of(_is_address))
OBJECTS = Kind("a list of objects", _list_of(lambda value: isinstance(value, dict)))

_AI = {"assistance_type": TEXT, "assistance_id": TEXT, "ai_id": TEXT}
_TRANSCRIBE = {"language": TEXT, "on_end_flow_id": TEXT, "provider": TEXT, "direction": TEXT}

CATALOGUE: Mapping[str, Mapping[str, Kind]] = {
    "ai_summary": {
        "on_end_flow_id": TEXT,
        "reference_type": TEXT,
        "reference_id": TEXT,
        "language": TEXT,
    },
    "ai_talk": {**_AI, "duration": WHOLE},
    "ai_task": _AI,
    "amd": {"machine_handle": TEXT, "async": FLAG},
    "answer": {},
    "beep": {},
    "block": {},
    "branch": {"variable": TEXT, "default_target_id": TEXT, "target_ids": TEXT_MAP},
    "call": {
        "source": ADDRESS,
        "destinations": ADDRESSES,
        "flow_id": TEXT,
        "actions": OBJECTS,
        "chained": FLAG,
        "early_execution": FLAG,
        "anonymous": TEXT,
    },
    "case_create": {"name": TEXT, "detail": TEXT, "note": TEXT, "sync": FLAG},
    "condition_call_digits": {"length": WHOLE, "key": TEXT, "false_target_id": TEXT},
    "condition_call_status": {"status": TEXT, "false_target_id": TEXT},
    "condition_datetime": {
        "condition": TEXT,
        "minute": WHOLE,
        "hour": WHOLE,
        "day": WHOLE,
        "month": WHOLE,
        "weekdays": NUMBERS,
        "false_target_id": TEXT,
    },
    "condition_variable": {
        "condition": TEXT,
        "variable": TEXT,
        "value_type": TEXT,
        "value_string": TEXT,
        "value_number": NUMBER,
        "value_length": WHOLE,
        "false_target_id": TEXT,
    },
    "confbridge_join": {"confbridge_id": TEXT},
    "conference_join": {"conference_id": TEXT},
    "connect": {
        "source": ADDRESS,
        "destinations": ADDRESSES,
        "early_media": FLAG,
        "relay_reason": FLAG,
        "anonymous": TEXT,
    },
    "conversation_send": {"conversation_id": TEXT, "text": TEXT, "sync": FLAG},
    "digits_receive": {"duration": WHOLE, "key": TEXT, "length": WHOLE},
    "digits_send": {"digits": TEXT, "duration": WHOLE, "interval": WHOLE},
    "echo": {"duration": WHOLE},
    "email_send": {
        "destinations": ADDRESSES,
        "subject": TEXT,
        "content": TEXT,
        "attachments": OBJECTS,
    },
    "external_media_start": {
        "external_host": TEXT,
        "encapsulation": TEXT,
        "transport": TEXT,
        "transport_data": TEXT,
        "connection_type": TEXT,
        "format": TEXT,
        "direction_listen": TEXT,
        "direction_speak": TEXT,
        "data": TEXT,
    },
    "external_media_stop": {},
    "fetch": {"event_url": TEXT, "event_method": TEXT},
    "fetch_flow": {"flow_id": TEXT},
    "goto": {"target_id": TEXT, "loop_count": WHOLE},
    "hangup": {"reason": TEXT, "reference_id": TEXT},
    "message_send": {"source": ADDRESS, "destinations": ADDRESSES, "text": TEXT},
    "mute": {},
    "play": {"stream_urls": TEXTS},
    "queue_join": {"queue_id": TEXT},
    "recording_start": {
        "format": TEXT,
        "end_of_silence": WHOLE,
        "end_of_key": TEXT,
        "duration": WHOLE,
        "beep_start": FLAG,
        "on_end_flow_id": TEXT,
    },
    "recording_stop": {},
    "sleep": {"duration": WHOLE},
    "stop": {},
    "stream_echo": {"duration": WHOLE},
    "talk": {
        "text": TEXT,
        "language": TEXT,
        "provider": TEXT,
        "voice_id": TEXT,
        "digits_handle": TEXT,
        "async": FLAG,
    },
    "transcribe_start": _TRANSCRIBE,
    "transcribe_stop": {},
    "transcribe_recording": _TRANSCRIBE,
    "variable_set": {"key": TEXT, "value": TEXT},
    "webhook_send": {"sync": FLAG, "uri": TEXT, "method": TEXT, "data_type": TEXT, "data": TEXT},
}
"""Every documented word with the kinds of its option members. Further members are kept, unread."""

ALIASES: Mapping[str, str] = {"set_variables": "variable_set", "set_variable": "variable_set"}
"""Words of the guide's prose, and the documented word each stands for."""

SUPPORTED = frozenset(
    {
        "answer",
        "talk",
        "play",
        "sleep",
        "queue_join",
        "hangup",
        "stop",
        "goto",
        "variable_set",
        "condition_variable",
        "branch",
    }
)
"""Words that can be executed. The others are accepted in a definition and refused at a start."""


def validate_actions(actions: Sequence[Action], field: str = "actions") -> list[Action]:
    """The actions under their documented words; otherwise as sent.

    Raises InvalidArgument with every violation at once, each naming its place, for example
    `actions[3].type`. The reason is INVALID_ACTION_TYPE, or INVALID_ANONYMOUS_VALUE when that is all
    that is wrong. More than 100 actions are refused.
    """
    if len(actions) > MAX_ACTIONS:
        raise invalid(field, f"a list of {len(actions)}", f"at most {MAX_ACTIONS} actions")
    normalised = [replace(each, type=ALIASES.get(each.type, each.type)) for each in actions]
    _refuse_same_ids(normalised, field)
    found = [
        violation
        for index, action in enumerate(normalised)
        for violation in _violations(action, f"{field}[{index}]")
    ]
    if found:
        only_anonymous = all(each.field.endswith(".anonymous") for each in found)
        raise InvalidArgument(
            "; ".join(f"{each.field}: {each.description}" for each in found[:5]),
            reason=INVALID_ANONYMOUS_VALUE if only_anonymous else INVALID_ACTION_TYPE,
            violations=found,
        )
    return normalised


def unsupported(actions: Sequence[Action]) -> list[tuple[int, str]]:
    """Index and word of each action that cannot be executed; a run must be refused for them."""
    return [(index, each.type) for index, each in enumerate(actions) if each.type not in SUPPORTED]


def _violations(action: Action, place: str) -> list[FieldViolation]:
    kinds = CATALOGUE.get(action.type)
    if kinds is None:
        about = f"{action.type!r} is no action; accepted: {', '.join(sorted(CATALOGUE))}"
        return [FieldViolation(f"{place}.type", about)]
    found = []
    for name, kind in kinds.items():
        value = action.option.get(name)
        # null is how many clients write "not given".
        if value is None:
            continue
        where = f"{place}.option.{name}"
        if not kind.accepts(value):
            found.append(FieldViolation(where, f"is {_shown(value)}; accepted: {kind.about}"))
        elif name == "anonymous" and value not in ANONYMOUS:
            accepted = ", ".join(repr(each) for each in ANONYMOUS)
            found.append(FieldViolation(where, f"is {value!r}; accepted: {accepted}"))
    return found


def _refuse_same_ids(actions: Sequence[Action], field: str) -> None:
    seen: dict[UUID, int] = {}
    for index, action in enumerate(actions):
        if action.id is None:
            continue
        if action.id in seen:
            accepted = f"an id of its own; {field}[{seen[action.id]}] has the same"
            raise invalid(f"{field}[{index}].id", str(action.id), accepted)
        seen[action.id] = index


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:80] + "…"
