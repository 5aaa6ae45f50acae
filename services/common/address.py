"""Addresses: where a call or message comes from or goes to, in one normal form.

Pure: nothing here resolves or looks anything up. What is accepted follows the documented address
types; a telephone number is accepted by its shape, because the documented examples are not numbers
that any country has assigned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from services.common.errors import invalid
from services.common.texts import MAX_NAME, check_text

TYPES = frozenset(
    {
        "agent",
        "ai",
        "ai_team",
        "conference",
        "email",
        "extension",
        "line",
        "sip",
        "tel",
        "web_session",
        "webchat",
        "whatsapp",
    }
)
"""The documented types. The empty type means: not known, see `normalise`."""

CALLABLE_TYPES = frozenset({"extension", "sip", "tel"})
"""Types that a telephone network can call."""

MAX_TARGET = 255
"""Longest target, in characters."""
MAX_DETAIL = 4096
"""Longest detail, in characters."""

_E164 = re.compile(r"\+[0-9]{7,15}")
_SEPARATORS = re.compile(r"[\s().\-/\u00a0\u2010-\u2015\u2212]+")
_DIALABLE = re.compile(
    r"[+\d\s().\-/\u00a0\u2010-\u2015\u2212]*\d[+\d\s().\-/\u00a0\u2010-\u2015\u2212]*"
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_NUMBER = "a number in E.164 form such as +15551234567 (a + and 7 to 15 digits)"
_NATIONAL = "a number in E.164 form such as +15551234567, or one as it is dialed in region {region}"
_STRICT = "a number that its country's numbering plan allows, such as +16502530000"
_UNTYPED = "an E.164 number, an e-mail address or sip:user@host, or an address with its type"


@dataclass(frozen=True, slots=True)
class Address:
    """An address of any medium. Empty members are unset."""

    type: str = ""
    """One of TYPES, or empty when it is not known: such an address is never dialed."""
    target: str = ""
    """The address itself, for example an E.164 number."""
    target_name: str = ""
    """Display name that belongs to the target."""
    name: str = ""
    """Name that its owner gave the address."""
    detail: str = ""
    """Free text."""


def normalise(
    address: Address,
    default_region: str = "",
    strict: bool = False,
    field: str = "address",
) -> Address | None:
    """The address in normal form, or None when its target is empty: an absent address.

    A missing type is inferred: telephone number, `sip:user@host`, e-mail address; a UUID stays
    untyped, because it may name things of several types. Numbers without `+` are read as dialed in
    `default_region` (ISO 3166) when that is given. `strict` asks numbers to be valid by their
    country's numbering plan, not only to have the shape of a number.

    Raises InvalidArgument that names `field`, the value and what is accepted.
    """
    target = address.target.strip()
    if not target:
        return None
    _check_texts(address, field)
    kind = address.type.strip().lower() or _inferred(target, field)
    if kind == "tel" or kind == "whatsapp":
        found = number(target, default_region, strict)
        if found is None:
            raise invalid(f"{field}.target", target, _accepted_number(default_region, strict))
        target = found
    elif kind == "email":
        target = target.lower()
        if _EMAIL.fullmatch(target) is None:
            raise invalid(f"{field}.target", target, "an e-mail address such as a@example.com")
    elif kind == "sip":
        target = _sip(target)
    elif kind and kind not in TYPES:
        raise invalid(f"{field}.type", address.type, ", ".join(sorted(TYPES)))
    return replace(address, type=kind, target=target)


def number(text: str, default_region: str = "", strict: bool = False) -> str | None:
    """The telephone number in E.164 form (`+` and 7 to 15 digits), or None when it is none.

    Spaces, dots, dashes, slashes and brackets between the digits are dropped. A number with an
    extension is refused rather than dialed without it, or worse, with it.
    """
    if not strict and _E164.fullmatch(text) is not None and text.isascii():
        return text
    bare = text.strip().removeprefix("tel:")
    joined = _SEPARATORS.sub("", bare)
    if not strict and _E164.fullmatch(joined) is not None:
        # `+44 (0)20 ...`: the zero in brackets is dialed within the country only.
        if "(0)" not in bare:
            return joined
    elif not joined.startswith("+") and not default_region:
        return None
    return _parsed(bare, default_region, strict)


def is_region(code: str) -> bool:
    """Whether the code is an ISO 3166 region whose numbers can be read, such as US."""
    return code in phonenumbers.SUPPORTED_REGIONS


# Lists repeat numbers seldom, but operators' caller ids and small tests repeat them always.
@lru_cache(maxsize=1024)
def _parsed(text: str, region: str, strict: bool) -> str | None:
    try:
        found = phonenumbers.parse(text, region or None)
    except NumberParseException:
        return None
    if found.extension:
        return None
    if strict:
        if not phonenumbers.is_valid_number(found):
            return None
    elif phonenumbers.is_possible_number_with_reason(found) != ValidationResult.IS_POSSIBLE:
        return None
    shaped = phonenumbers.format_number(found, PhoneNumberFormat.E164)
    return shaped if _E164.fullmatch(shaped) is not None else None


def _accepted_number(region: str, strict: bool) -> str:
    if strict:
        return _STRICT
    return _NATIONAL.format(region=region) if region else _NUMBER


def _inferred(target: str, field: str) -> str:
    """The type of an address that was given without one; empty for an id of something."""
    if target.lower().startswith("sip:") and "@" in target:
        return "sip"
    if _EMAIL.fullmatch(target) is not None:
        return "email"
    if target.startswith("tel:") or _DIALABLE.fullmatch(target) is not None:
        return "tel"
    if _UUID.fullmatch(target.lower()) is not None:
        return ""
    raise invalid(f"{field}.target", target, _UNTYPED)


def _sip(target: str) -> str:
    """Lower case for the host only: the user part of a SIP address is case-sensitive."""
    end = min((place for mark in ";?" if (place := target.find(mark)) >= 0), default=len(target))
    user, at, host = target[:end].rpartition("@")
    return f"{user}{at}{host.lower()}{target[end:]}"


def _check_texts(address: Address, field: str) -> None:
    check_text(f"{field}.target", address.target, MAX_TARGET)
    check_text(f"{field}.target_name", address.target_name, MAX_NAME)
    check_text(f"{field}.name", address.name, MAX_NAME)
    check_text(f"{field}.detail", address.detail, MAX_DETAIL)
