"""The PBXs and their trunks, from the JSON file that OUTBOUND_ASTERISK_FILE names.

Checked once, at the start: every error at once, each naming the member and what is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from services.dialer.telephony import Address

_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}(\([A-Za-z0-9_,-]{0,64}\))?")
# What may stand in a dial string: anything else could say more than whom to call.
_TARGETS: Mapping[str, re.Pattern[str]] = {
    "tel": re.compile(r"\+?[0-9*#]{1,32}"),
    "extension": re.compile(r"[0-9A-Za-z_*#+.-]{1,64}"),
    "sip": re.compile(r"(sips?:)?[0-9A-Za-z_.!~*'()%+-]{1,64}@[0-9A-Za-z.-]{1,253}(:[0-9]{1,5})?"),
}

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class ConfigurationError(Exception):
    """The file cannot be used; one line for each thing wrong."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CallerId(_Strict):
    """What callees see when the plan names no source."""

    number: Annotated[str, Field(pattern=r"^\+?[0-9A-Za-z*#._-]{1,64}$")]
    name: Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\"<>]*$")] = ""


class TrunkSettings(_Strict):
    """One way out of a PBX."""

    name: Name
    address_types: Annotated[tuple[str, ...], Field(min_length=1)]
    """Kinds of address it can call: tel, sip, extension."""
    dial: str
    """Dial string, such as `PJSIP/{target}@trunk`; {target} is the number, {uri} a whole sip: address."""
    calls_per_second: Annotated[float, Field(gt=0, le=10_000)] | None = None
    """None: no limit. Shared equally by the dialers that run."""
    max_channels: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Calls at a time; None: no limit. Shared equally by the dialers that run."""
    caller_id: CallerId | None = None
    headers: Mapping[str, str] = {}
    variables: Mapping[str, str] = {}
    rest_after: Annotated[int, Field(ge=0, le=1000)] = 5
    """Failures of the trunk itself in a row before it is left alone for a while; 0: never."""

    @field_validator("address_types")
    @classmethod
    def _known_types(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            if each not in _TARGETS:
                raise ValueError(f"{each!r} is unknown; accepted: {', '.join(_TARGETS)}")
        return value

    @field_validator("dial")
    @classmethod
    def _dial_string(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9]+/\S+", value) or not re.search(
            r"\{(target|uri)\}", value
        ):
            raise ValueError("accepted: TECHNOLOGY/RESOURCE with {target} or {uri} in it")
        return value

    @field_validator("headers")
    @classmethod
    def _header_names(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        _check_names(value, _HEADER_NAME)
        return value

    @field_validator("variables")
    @classmethod
    def _variable_names(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        _check_names(value, _VARIABLE_NAME)
        return value

    def dial_string(self, address: Address) -> str | None:
        """What the PBX is told to dial; None when this cannot be an address of its type."""
        pattern = _TARGETS.get(address.type)
        if pattern is None or not pattern.fullmatch(address.target):
            return None
        scheme = re.match(r"sips?:", address.target)
        target = address.target[scheme.end() :] if scheme else address.target
        uri = address.target if scheme else f"sip:{target}"
        return self.dial.replace("{target}", target).replace("{uri}", uri)


class FolderMapping(_Strict):
    """A folder shared with a PBX that sees it under another path."""

    here: str
    there: str


class PbxSettings(_Strict):
    """One Asterisk."""

    name: Name
    ari_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]
    """For example http://127.0.0.1:8088/ari"""
    user: Annotated[str, Field(min_length=1)]
    password: str = ""
    password_file: str = ""
    folders: tuple[FolderMapping, ...] = ()
    timer_b_ms: Annotated[int, Field(ge=1000, le=120_000)] = 32_000
    """After how long it gives a silent peer up; as its pjsip.conf says."""
    trunks: Annotated[tuple[TrunkSettings, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_password(self) -> PbxSettings:
        if bool(self.password) == bool(self.password_file):
            raise ValueError("password or password_file: exactly one of them is required")
        if self.password_file:
            try:
                Path(self.password_file).read_text()
            except OSError as error:
                raise ValueError(f"password_file: {error.strerror}") from error
        return self

    def secret(self) -> str:
        """The password itself."""
        if self.password_file:
            return Path(self.password_file).read_text().strip()
        return self.password

    def path_there(self, path: Path) -> str:
        """How this PBX calls a file of ours."""
        text = str(path)
        for mapping in self.folders:
            here = mapping.here.rstrip("/")
            if text == here or text.startswith(f"{here}/"):
                return mapping.there.rstrip("/") + text[len(here) :]
        return text


class Configuration(_Strict):
    """The whole file."""

    application: Name = "outbound"
    """Slots are known to the PBXs as this name and a number; deployments that share one need different
    names."""
    pbxs: Annotated[tuple[PbxSettings, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _unique_names(self) -> Configuration:
        names = [pbx.name for pbx in self.pbxs]
        names += [f"{pbx.name}.{trunk.name}" for pbx in self.pbxs for trunk in pbx.trunks]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"names given twice: {', '.join(twice)}")
        return self


def load(path: Path) -> Configuration:
    """The configuration in a file; ConfigurationError says everything that is wrong with it."""
    try:
        raw = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"{path}: not JSON: {error}") from error
    return parse(raw, str(path))


def parse(raw: Any, source: str) -> Configuration:
    """The same of what a file holds."""
    try:
        return Configuration.model_validate(raw)
    except ValidationError as error:
        # Without the values: one of them may be a password.
        found = error.errors(include_url=False, include_input=False, include_context=False)
        places = [each["loc"] for each in found]
        lines = [
            _line(source, each["loc"], each["msg"])
            for each in found
            # A list whose only member is wrong is not empty as well.
            if each["type"] != "too_short" or not _is_about_members(each["loc"], places)
        ]
        raise ConfigurationError("\n".join(lines)) from error


def _check_names(given: Mapping[str, str], pattern: re.Pattern[str]) -> None:
    for name, value in given.items():
        if not pattern.fullmatch(name):
            raise ValueError(f"name {name!r}; accepted: {pattern.pattern}")
        if re.search(r"[\x00-\x1f]", value):
            raise ValueError(f"{name}: the value has a control character")


def _is_about_members(
    place: tuple[int | str, ...], places: Sequence[tuple[int | str, ...]]
) -> bool:
    return any(len(other) > len(place) and other[: len(place)] == place for other in places)


def _line(source: str, place: tuple[int | str, ...], message: str) -> str:
    member = ""
    for part in place:
        member += f"[{part}]" if isinstance(part, int) else f".{part}"
    message = message.removeprefix("Value error, ")
    return f"{source}: {member.lstrip('.') or 'the file'}: {message}"
