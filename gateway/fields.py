"""Fields of request bodies and queries: one declaration parses, refuses and documents.

A value of the wrong JSON kind is refused with INVALID_JSON_BODY, a wrong value with INVALID_ARGUMENT;
either way the error names the field, the value and what is accepted. Members nobody declared are
dropped, and null is the same as absent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.members import Json, Schema
from services.common.errors import FieldViolation, InvalidArgument, invalid
from services.common.ids import optional_id
from services.common.texts import MAX_NAME, MAX_TEXT, NO_NUL

Parser = Callable[[Json, str], Any]
"""Takes the JSON value and the field's path; gives the parsed value or raises InvalidArgument."""

NAME_LENGTH: Final = MAX_NAME
TEXT_LENGTH: Final = MAX_TEXT


@dataclass(frozen=True, slots=True)
class FieldKind:
    """A kind of field: what its schema is and how a JSON value becomes a parsed one."""

    schema: Schema
    parse: Parser


def wrong_kind(path: str, value: Json, accepted: str) -> InvalidArgument:
    """The error for a member of the wrong JSON kind."""
    return invalid(path, _short(value), accepted, reason="INVALID_JSON_BODY")


def _short(value: Json) -> object:
    """What stands in an error for the value: containers are named, not printed."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return (
        {None: "null", True: "true", False: "false"}.get(value, value) if _is_word(value) else value
    )


def _is_word(value: Json) -> bool:
    return value is None or isinstance(value, bool)


def text(longest: int = TEXT_LENGTH, shortest: int = 0) -> FieldKind:
    """A text of `shortest`..`longest` characters without NUL, which databases cannot store."""
    accepted = f"text of {shortest} to {longest} characters"

    def parse(value: Json, path: str) -> str:
        if not isinstance(value, str):
            raise wrong_kind(path, value, accepted)
        if not shortest <= len(value) <= longest:
            raise InvalidArgument(
                f"{path} has {len(value)} characters; accepted: {shortest} to {longest}",
                violations=[FieldViolation(path, f"accepted: {accepted}")],
                field=path,
            )
        if "\x00" in value:
            raise invalid(path, value, NO_NUL)
        return value

    schema: Schema = {"type": "string", "maxLength": longest}
    if shortest:
        schema["minLength"] = shortest
    return FieldKind(schema, parse)


def integer(lowest: int, highest: int, unit: str = "") -> FieldKind:
    """A whole number within bounds, both included."""
    accepted = f"a whole number from {lowest} to {highest}{' ' + unit if unit else ''}"

    def parse(value: Json, path: str) -> int:
        # JSON has one kind of number: to a schema 20.0 is an integer, too.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_kind(path, value, accepted)
        if not lowest <= value <= highest:
            raise invalid(path, value, accepted)
        return value

    return FieldKind({"type": "integer", "minimum": lowest, "maximum": highest}, parse)


def _flag(value: Json, path: str) -> bool:
    if not isinstance(value, bool):
        raise wrong_kind(path, value, "true or false")
    return value


FLAG = FieldKind({"type": "boolean"}, _flag)
"""Yes or no."""


def number(lowest: float, highest: float, unit: str = "") -> FieldKind:
    """A number within bounds, both included."""
    accepted = f"a number from {lowest:g} to {highest:g}{' ' + unit if unit else ''}"

    def parse(value: Json, path: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_kind(path, value, accepted)
        if not lowest <= value <= highest:
            raise invalid(path, value, accepted)
        return float(value)

    return FieldKind({"type": "number", "minimum": lowest, "maximum": highest}, parse)


def words(values: Mapping[str, Any]) -> FieldKind:
    """One of the documented words or of their aliases; parsed to what the mapping says."""
    accepted = ", ".join(repr(word) for word in values)

    def parse(value: Json, path: str) -> Any:
        if not isinstance(value, str):
            raise wrong_kind(path, value, f"one of {accepted}")
        if value not in values:
            raise invalid(path, value, f"one of {accepted}")
        return values[value]

    return FieldKind({"type": "string", "enum": list(values)}, parse)


def _reference(value: Json, path: str) -> str:
    if not isinstance(value, str):
        raise wrong_kind(path, value, "a UUID as text; empty or the nil UUID for none")
    try:
        found = optional_id(value, path)
    except InvalidArgument:
        raise invalid(path, value, "a UUID; empty or the nil UUID for none") from None
    return "" if found is None else str(found)


REFERENCE = FieldKind(
    {
        "type": "string",
        "pattern": "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?$",
        "description": "A UUID; empty or the nil UUID means none.",
    },
    _reference,
)
"""A reference; parsed to the id's text, empty for none."""


def _identifier(value: Json, path: str) -> str:
    found = _reference(value, path)
    if not found:
        raise invalid(path, value, "a UUID that is not nil")
    return found


IDENTIFIER = FieldKind({"type": "string", "format": "uuid"}, _identifier)
"""An id that must name something; parsed to its text."""


def list_of(kind: FieldKind, longest: int) -> FieldKind:
    """A list of at most `longest` elements; the first wrong one is named by its index."""

    def parse(value: Json, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise wrong_kind(path, value, "a list")
        if len(value) > longest:
            raise invalid(path, f"a list of {len(value)}", f"at most {longest} elements")
        return [kind.parse(each, f"{path}[{index}]") for index, each in enumerate(value)]

    return FieldKind({"type": "array", "items": kind.schema, "maxItems": longest}, parse)


def text_map(longest: int, value_length: int) -> FieldKind:
    """An object whose values are texts, at most `longest` of them."""
    each = text(value_length)

    def parse(value: Json, path: str) -> dict[str, str]:
        if not isinstance(value, dict):
            raise wrong_kind(path, value, "an object of texts")
        if len(value) > longest:
            raise invalid(path, f"an object of {len(value)} members", f"at most {longest} members")
        for name in value:
            if "\x00" in name:
                raise invalid(path, f"a member {name!r}", NO_NUL)
        return {name: each.parse(text, f"{path}.{name}") for name, text in value.items()}

    schema: Schema = {
        "type": "object",
        "additionalProperties": each.schema,
        "maxProperties": longest,
    }
    return FieldKind(schema, parse)


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a body, or a parameter of a query."""

    name: str
    kind: FieldKind
    about: str = ""
    required: bool = False

    def needed(self) -> Field:
        """The same field, where it must not be absent."""
        return replace(self, required=True)

    @property
    def schema(self) -> Schema:
        """The field's schema with its description."""
        about = " ".join(part for part in (self.about, self.kind.schema.get("description")) if part)
        return {**self.kind.schema, "description": about} if about else self.kind.schema


class Body:
    """An object of fields: a whole body, or a part of one."""

    def __init__(self, name: str, *fields: Field) -> None:
        self.name = name
        self.fields = fields

    def parse(self, value: Json, path: str = "") -> dict[str, Any]:
        """The fields that are present and not null, parsed."""
        if not isinstance(value, dict):
            raise wrong_kind(path or "body", value, "a JSON object")
        prefix = f"{path}." if path else ""
        parsed: dict[str, Any] = {}
        for field in self.fields:
            given = value.get(field.name)
            if given is not None:
                parsed[field.name] = field.kind.parse(given, prefix + field.name)
        for field in self.fields:
            if field.required and field.name not in parsed:
                raise missing(prefix + field.name)
        return parsed

    def kind(self) -> FieldKind:
        """The object as the kind of a field or of a list's elements."""
        return FieldKind(self.schema, self.parse)

    @property
    def schema(self) -> Schema:
        """The object's schema. Unknown members are dropped, null means absent."""
        found: Schema = {
            "type": "object",
            "properties": {
                field.name: field.schema if field.required else nullable(field.schema)
                for field in self.fields
            },
        }
        if required := [field.name for field in self.fields if field.required]:
            found["required"] = required
        return found


def missing(path: str) -> InvalidArgument:
    """The error for a required member that is not there."""
    return InvalidArgument(
        f"{path} is missing",
        violations=[FieldViolation(path, "required")],
        field=path,
    )


def nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema:
        return {**schema, "type": [kind, "null"]}
    about = schema.get("description")
    found: Schema = {"anyOf": [schema, {"type": "null"}]}
    if about:
        found["description"] = about
    return found


def fields_named(names: Sequence[str], kind: FieldKind, about: str = "") -> list[Field]:
    """Several fields of one kind."""
    return [Field(name, kind, about) for name in names]
