"""Texts that people write: names and descriptions, with one rule for all of them."""

from __future__ import annotations

from typing import Any, Final

from services.common.errors import invalid
from services.common.nesting import DEEP, SHALLOW, is_deep_text

NO_NUL: Final = "text without NUL characters"
"""What is accepted where somebody has sent one; PostgreSQL cannot keep it."""
MAX_NAME: Final = 255
"""Longest name, in characters."""
MAX_TEXT: Final = 65_536
"""Longest description or free data, in characters."""


def check_text(field: str, value: str, longest: int) -> str:
    """The text; InvalidArgument when it is too long, or holds a NUL, which cannot be stored."""
    if len(value) > longest:
        raise invalid(field, f"{len(value)} characters long", f"at most {longest} characters")
    if "\x00" in value:
        raise invalid(field, value, NO_NUL)
    return value


def check_texts(**members: str | None) -> None:
    """check_text for those that are given: `name` is a name, every other one free text."""
    for field, value in members.items():
        if value is not None:
            check_text(field, value, MAX_NAME if field == "name" else MAX_TEXT)


def check_data(value: str | None) -> None:
    """check_text for free `data`, which becomes flow variables when it is JSON of an object: that must
    not be too deep.
    """
    if value is not None:
        check_text("data", value, MAX_TEXT)
        if is_deep_text(value):
            raise invalid("data", DEEP, SHALLOW)


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
