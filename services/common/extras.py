"""What a customer gives a call on its way into the network: SIP headers and variables, by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from services.common.errors import invalid
from services.common.texts import check_text

MAX_EXTRAS: Final = 20
"""Headers, and likewise variables, of one plan."""
MAX_EXTRA_VALUE: Final = 255
"""Characters of a value, as it is written and as it is sent."""
_HEADER = re.compile(r"X-[A-Za-z0-9-]{1,60}")
_OWN_HEADERS = "x-outbound-"
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_headers(field: str, given: Mapping[str, str]) -> Mapping[str, str]:
    """The headers; InvalidArgument names the first bad one.

    Only those beginning with X-: the others are how calls find their way and who makes them, which is
    not a customer's to say.
    """
    words = "X- and letters, digits or hyphens, 60 at most, not X-Outbound-"
    return _check(
        field,
        given,
        words,
        lambda name: bool(_HEADER.fullmatch(name)) and not name.lower().startswith(_OWN_HEADERS),
    )


def check_variables(field: str, given: Mapping[str, str]) -> Mapping[str, str]:
    """The variables; InvalidArgument names the first bad one."""
    words = "a letter, then letters, digits or underscores, 60 in all"
    return _check(field, given, words, lambda name: bool(_VARIABLE.fullmatch(name)))


def sendable(value: str) -> str:
    """A value once it has been filled in: in one line, and no longer than a value may be."""
    return _CONTROL.sub(" ", value)[:MAX_EXTRA_VALUE]


def _check(
    field: str, given: Mapping[str, str], words: str, is_good: Callable[[str], bool]
) -> Mapping[str, str]:
    if len(given) > MAX_EXTRAS:
        raise invalid(field, f"{len(given)} members", f"at most {MAX_EXTRAS} members")
    seen: set[str] = set()
    for name, value in given.items():
        if not is_good(name):
            raise invalid(f"{field}.{name}"[:255], name, words)
        # The network knows no difference.
        if name.lower() in seen:
            raise invalid(f"{field}.{name}", name, "each name once, whatever its case")
        seen.add(name.lower())
        check_text(f"{field}.{name}", value, MAX_EXTRA_VALUE)
        if _CONTROL.search(value):
            raise invalid(f"{field}.{name}", value, "text in one line")
    return given
