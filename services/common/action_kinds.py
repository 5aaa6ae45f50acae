"""Kinds of option values of flow actions: what is accepted, and what an executor gets to see.

A value is read twice: when a definition is written, where a text that holds `${...}` stands for whatever
the variables will say, and when the action is executed, where they have been put in and everything must
be right. Pure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from services.common.address import CALLABLE_TYPES, Address, normalise
from services.common.errors import InvalidArgument
from services.common.ids import optional_id

MAX_NAME = 255
MAX_URI = 2048
NO_ALIASES: Mapping[str, str] = {}
KEYS = frozenset("0123456789ABCD*#")
"""Keys of a telephone."""
SYSTEM_PREFIX = "voipbin."
"""Variables so named (in any letter case) are the system's own."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+( ?; ?[\w.+-]+=[\w.+\"-]+)*", re.ASCII)
_FILE = re.compile(r"[\w ,.()+-]+(/[\w ,.()+-]+)*")


class WrongValue(ValueError):
    """A value that is not accepted. `place` leads to it from the option, for example `[1].target`."""

    def __init__(self, value: Any, accepted: str, place: str = "") -> None:
        super().__init__(f"is {shown(value)}; accepted: {accepted}")
        self.place = place

    def within(self, place: str) -> WrongValue:
        """The same, seen from a level above."""
        self.place = place + self.place
        return self


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: its name in an error, and how it is read.

    `read` takes the value and whether the variables have been put in; it raises WrongValue. Before
    they have been, what holds a reference is given back as it is.
    """

    about: str
    read: Callable[[Any, bool], Any]


def refers(value: Any) -> bool:
    """Whether variables will be put into this value."""
    return isinstance(value, str) and "${" in value


def shown(value: Any) -> str:
    """The value as an error shows it."""
    text = repr(value)
    return text if len(text) <= 80 else text[:80] + "…"


def _kind(about: str, read: Callable[[Any], Any]) -> Kind:
    """A kind whose `read` raises ValueError or TypeError, or gives None, for what it does not accept."""

    def checked(value: Any, is_final: bool) -> Any:
        if not is_final and refers(value):
            return value
        try:
            found = read(value)
        except (ValueError, TypeError, OverflowError):
            found = None
        if found is None:
            raise WrongValue(value, about)
        return found

    return Kind(about, checked)


# -------------------------------------------------------------------------------- plain values


def text(longest: int, shortest: int = 0) -> Kind:
    """A text of so many characters. A blank one counts as empty."""

    def read(value: Any) -> Any:
        is_fitting = isinstance(value, str) and len(value) <= longest and "\x00" not in value
        return value if is_fitting and (not shortest or len(value.strip()) >= shortest) else None

    return _kind(f"a text of {shortest} to {longest} characters", read)


def word(*words: str, aliases: Mapping[str, str] = NO_ALIASES, about: str = "") -> Kind:
    """One of the words; an alias is read as the word it stands for."""

    def read(value: Any) -> Any:
        found = aliases.get(value, value) if isinstance(value, str) else None
        return found if found in words else None

    return _kind(about or ", ".join(repr(each) for each in words), read)


def whole(lowest: int, highest: int, unit: str = "") -> Kind:
    """A whole number. JSON has one kind of number: 20 and 20.0 are the same to most writers."""
    about = f"a whole number from {lowest} to {highest}{' ' + unit if unit else ''}"

    def checked(value: Any, is_final: bool) -> Any:
        if not is_final and refers(value):
            return value
        number = _number(value, is_final)
        if number is None or not number.is_integer() or not lowest <= number <= highest:
            raise WrongValue(value, about)
        return int(number)

    return Kind(about, checked)


def _read_number(value: Any, is_final: bool) -> Any:
    if not is_final and refers(value):
        return value
    number = _number(value, is_final)
    if number is None:
        raise WrongValue(value, NUMBER.about)
    return number


def _number(value: Any, is_final: bool) -> float | None:
    """The number, also one that variables have written; None for anything else and for infinities."""
    if isinstance(value, bool) or not isinstance(value, int | float | (str if is_final else int)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


NUMBER = Kind("a number", _read_number)


def _read_flag(value: Any, is_final: bool) -> bool:
    if not isinstance(value, bool):
        raise WrongValue(value, FLAG.about)
    return value


FLAG = Kind("true or false", _read_flag)


def _written(value: Any) -> str | None:
    """A value of a variable as the text it becomes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return value if isinstance(value, str) and "\x00" not in value else None


VALUE = _kind("a text, a number, true or false", _written)


def _name(value: Any) -> str | None:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_NAME or "\x00" in value:
        return None
    return None if value.lower().startswith(SYSTEM_PREFIX) or "}" in value else value


NAME = _kind(
    f"a name of 1 to {MAX_NAME} characters without a }}, not beginning with {SYSTEM_PREFIX}", _name
)
"""Name of a variable that a flow may set."""


def keys(longest: int, shortest: int = 0) -> Kind:
    """Telephone keys."""

    def read(value: Any) -> Any:
        pressed = value.upper() if isinstance(value, str) else None
        is_fitting = pressed is not None and shortest <= len(pressed) <= longest
        return pressed if is_fitting and set(pressed or "") <= KEYS else None

    return _kind(f"{shortest} to {longest} of the keys 0-9 A-D * #", read)


def _language(value: Any) -> str | None:
    is_tag = isinstance(value, str) and (not value or _LANGUAGE.fullmatch(value) is not None)
    return value if is_tag and len(value) <= 35 else None


LANGUAGE = _kind("a language tag such as en-US, or empty", _language)


def _media_type(value: Any) -> str | None:
    is_type = isinstance(value, str) and (not value or _MEDIA_TYPE.fullmatch(value) is not None)
    return value if is_type and len(value) <= MAX_NAME else None


MEDIA_TYPE = _kind("a media type such as application/json, or empty", _media_type)


# ------------------------------------------------------------------------------ ids and places


def _read_id(value: Any, is_final: bool) -> Any:
    if not is_final and refers(value):
        return value
    try:
        return optional_id(value, "")
    except (InvalidArgument, TypeError):
        raise WrongValue(value, ID.about) from None


ID = Kind("a UUID; empty or the nil UUID for none", _read_id)
"""Read as UUID or None."""
SOME_ID = Kind("a UUID that is not nil", _read_id)
"""The same, where one is required."""
TARGET = Kind("the id of an action of the same list; empty or the nil UUID for none", _read_id)
"""An action to go on with."""


def _read_targets(value: Any, is_final: bool) -> Any:
    if not isinstance(value, dict):
        raise WrongValue(value, TARGETS.about)
    found = {}
    for key, each in value.items():
        try:
            found[key] = TARGET.read(each, is_final)
        except WrongValue as wrong:
            raise wrong.within(f".{key}") from None
    return found


TARGETS = Kind("an object of ids of actions of the same list", _read_targets)
"""Actions to go on with, by value."""


def _uri(value: Any) -> str | None:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_URI:
        return None
    if any(character <= " " or character == "\x7f" for character in value):
        return None
    parts = urlsplit(value)
    # Reading the port raises when it is none.
    is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    return value if is_whole else None


URI = _kind(f"an http or https URL of at most {MAX_URI} characters", _uri)


def _medium(value: Any) -> str | None:
    if isinstance(value, str) and ":" in value:
        return _uri(value)
    is_file = isinstance(value, str) and len(value) <= MAX_URI and _FILE.fullmatch(value)
    # A part of dots alone is no name.
    return value if is_file and all(part.strip(". ") for part in value.split("/")) else None


MEDIUM = _kind("an http or https URL, or the name of a file in the media folder", _medium)


def _read_address(value: Any, is_final: bool) -> Any:
    given = {"target": value} if isinstance(value, str) else value
    if not isinstance(given, dict):
        raise WrongValue(value, ADDRESS.about)
    members = {name: given.get(name) or "" for name in _ADDRESS_MEMBERS}
    for name, each in members.items():
        if not isinstance(each, str):
            raise WrongValue(each, "a text", f".{name}")
    if not is_final and any(map(refers, members.values())):
        return value
    try:
        return normalise(Address(**members), field="")
    except InvalidArgument as exc:
        place = exc.violations[0].field if exc.violations else ""
        raise WrongValue(
            members.get(place.removeprefix("."), value), _accepted(exc), place
        ) from None


_ADDRESS_MEMBERS = ("type", "target", "target_name", "name", "detail")
ADDRESS = Kind("an address: an object with type and target, or a target as text", _read_address)
"""Read as Address, None for an empty one."""


def _read_callable(value: Any, is_final: bool) -> Any:
    found = ADDRESS.read(value, is_final)
    # What variables have made of it is judged by whoever calls, who may call the others.
    if not is_final and isinstance(found, Address) and found.type not in CALLABLE_TYPES:
        raise WrongValue(found.type, ", ".join(sorted(CALLABLE_TYPES)), ".type")
    return found


CALLABLE = Kind("an address that can be called, or a target as text", _read_callable)
"""Read like ADDRESS."""


def _accepted(exc: InvalidArgument) -> str:
    if not exc.violations:
        return exc.message
    return exc.violations[0].description.removeprefix("accepted: ")


# ---------------------------------------------------------------------------------- containers


def list_of(each: Kind, longest: int, shortest: int = 0) -> Kind:
    """A list; a wrong element is named by its index."""
    about = f"a list of {shortest} to {longest}, each {each.about}"

    def read(value: Any, is_final: bool) -> Any:
        if not isinstance(value, list) or not shortest <= len(value) <= longest:
            raise WrongValue(value, about)
        found = []
        for index, element in enumerate(value):
            try:
                found.append(each.read(element, is_final))
            except WrongValue as wrong:
                raise wrong.within(f"[{index}]") from None
        return found

    return Kind(about, read)


def _read_variables(value: Any, is_final: bool) -> Any:
    if not isinstance(value, dict):
        raise WrongValue(value, VARIABLES.about)
    found = {}
    for name, each in value.items():
        try:
            found[NAME.read(name, is_final)] = VALUE.read(each, is_final)
        except WrongValue as wrong:
            raise wrong.within(f".{name}") from None
    return found


VARIABLES = Kind("an object of names and values of variables", _read_variables)


def nothing(reason: str) -> Kind:
    """An option that cannot be used yet: only what means "not given" is accepted."""

    def read(value: Any, is_final: bool) -> None:
        if value not in ("", str(UUID(int=0))):
            raise WrongValue(value, f"none: {reason}")

    return Kind(f"none: {reason}", read)


def missing(options: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    """Whether none of the options is given; null is how many clients write "not given"."""
    return all(options.get(name) is None for name in names)
