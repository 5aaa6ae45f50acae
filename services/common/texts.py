"""Texts that people write: names and descriptions, with one rule for all of them."""

from __future__ import annotations

from typing import Any, Final

from services.common.errors import invalid
from services.common.nesting import DEEP, SHALLOW, is_deep_text

MAX_NAME: Final = 255
"""Longest name, in characters."""
MAX_TEXT: Final = 65_536
"""Longest description or free data, in characters."""


def check_text(field: str, value: str, longest: int) -> str:
    """The text; InvalidArgument when it is too long, or holds a NUL, which cannot be stored."""
    if len(value) > longest:
        raise invalid(field, f"{len(value)} characters long", f"at most {longest} characters")
    if "\x00" in value:
        raise invalid(field, value, "text without NUL characters")
    return value


def check_texts(**members: str | None) -> None:
    """check_text for those that are given: `name` is a name, every other one free text.

    `data` becomes flow variables when it is JSON of an object, which then must not be too deep.
    """
    for field, value in members.items():
        if value is not None:
            check_text(field, value, MAX_NAME if field == "name" else MAX_TEXT)
            if field == "data" and is_deep_text(value):
                raise invalid(field, DEEP, SHALLOW)


def holds_nul(value: Any) -> bool:
    """Whether a text of a JSON value, or a name of a member, holds a NUL."""
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any("\x00" in name or holds_nul(each) for name, each in value.items())
    return isinstance(value, list) and any(map(holds_nul, value))


def storable(words: str, longest: int = MAX_NAME) -> str:
    """What can be kept of words that must not be refused, because a fact comes with them."""
    return words[:longest].replace("\x00", "")
