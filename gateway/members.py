"""Members of responses: one declaration gives both the JSON and its schema.

A `Member` names a JSON member, its kind and where its value is found in the message (or in a record
of the gateway's own). Members are always written, in the order declared; an empty reference is the nil
UUID, an unset time is what the response's time form says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from gateway.timeforms import TimeForm, write_datetime, write_timestamp
from services.common.ids import NIL

Json = Any
"""Anything a JSON text can hold."""
Schema = dict[str, Any]
"""A JSON schema."""
Reader = Callable[[Any, TimeForm], Json]
"""Takes the value of a member out of a message, written in a time form."""

NIL_TEXT = str(NIL)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of member: its schema, how to make a reader for an attribute, and what is in it."""

    schema: Schema
    reader: Callable[[str], Reader]
    shapes: tuple[Shape, ...] = ()


def _plain(attribute: str) -> Reader:
    return lambda message, form: getattr(message, attribute)


def _id(attribute: str) -> Reader:
    def read(message: Any, form: TimeForm) -> Json:
        value = getattr(message, attribute)
        if isinstance(value, UUID):
            return str(value)
        return value or NIL_TEXT

    return read


def _time(attribute: str) -> Reader:
    def read(message: Any, form: TimeForm) -> Json:
        return write_timestamp(
            getattr(message, attribute) if message.HasField(attribute) else None, form
        )

    return read


def _own_time(attribute: str) -> Reader:
    def read(message: Any, form: TimeForm) -> Json:
        instant: datetime | None = getattr(message, attribute)
        return write_datetime(instant, form)

    return read


def _optional(attribute: str) -> Reader:
    return lambda message, form: (
        getattr(message, attribute) if message.HasField(attribute) else None
    )


def _list(attribute: str) -> Reader:
    return lambda message, form: list(getattr(message, attribute))


def _map(attribute: str) -> Reader:
    return lambda message, form: dict(getattr(message, attribute))


TEXT = Kind({"type": "string"}, _plain)
INTEGER = Kind({"type": "integer"}, _plain)
NUMBER = Kind({"type": "number"}, _plain)
BOOLEAN = Kind({"type": "boolean"}, _plain)
ID = Kind({"type": "string", "format": "uuid"}, _id)
IDS = Kind({"type": "array", "items": {"type": "string", "format": "uuid"}}, _list)
OPTIONAL_NUMBER = Kind({"type": ["number", "null"]}, _optional)
OPTIONAL_INTEGER = Kind({"type": ["integer", "null"]}, _optional)
COUNTS = Kind({"type": "object", "additionalProperties": {"type": "integer"}}, _map)
TEXTS = Kind({"type": "object", "additionalProperties": {"type": "string"}}, _map)
TIME = Kind({"$ref": "#/components/schemas/Time"}, _time)
OWN_TIME = Kind({"$ref": "#/components/schemas/Time"}, _own_time)

TIME_SCHEMA: Schema = {
    "type": ["string", "null"],
    "description": "An instant in UTC: `2022-04-28 02:16:39.712142`, unset is "
    "`9999-01-01 00:00:00.000000`; with `time_format=rfc3339` it is "
    "`2022-04-28T02:16:39.712142Z` and unset is null.",
}


def words(values: Mapping[int, str]) -> Kind:
    """An enum of the protos, written as its documented words."""

    def reader(attribute: str) -> Reader:
        return lambda message, form: values.get(getattr(message, attribute), "")

    return Kind({"type": "string", "enum": sorted({*values.values()})}, reader)


def enum_of(enum: EnumTypeWrapper, *, is_optional: bool = False) -> Kind:
    """An enum of the protos, written as the words its values are named by; also as none."""
    return words(enum_words(enum) | ({0: ""} if is_optional else {}))


def enum_words(enum: EnumTypeWrapper) -> dict[int, str]:
    """The words for an enum's values: STATUS_DONE is `done`; the unspecified one has none."""
    prefix = enum.Name(0).removesuffix("UNSPECIFIED")
    return {number: name.removeprefix(prefix).lower() for name, number in enum.items() if number}


def text_of(*values: str) -> Kind:
    """A text that is one of the documented words."""
    return Kind({"type": "string", "enum": sorted(values)}, _plain)


def constant(value: Json, schema: Schema) -> Kind:
    """A documented member whose value is always the same here."""
    return Kind(schema, lambda attribute: lambda message, form: value)


def computed(schema: Schema, read: Reader, *shapes: Shape) -> Kind:
    """A member worked out from the whole message; `shapes` are those that its schema refers to."""
    return Kind(schema, lambda attribute: read, shapes)


def slot(index: int, attribute: str) -> Kind:
    """One number of a repeated field; 0 when the field is shorter."""

    def read(message: Any, form: TimeForm) -> Json:
        values = getattr(message, attribute)
        return values[index] if index < len(values) else 0

    return computed({"type": "integer"}, read)


@dataclass(frozen=True, slots=True)
class Member:
    """One member: JSON name, kind, description, and the attribute if it has another name."""

    name: str
    kind: Kind
    about: str = ""
    attribute: str = ""

    @property
    def reader(self) -> Reader:
        """Takes the member's value out of a message."""
        return self.kind.reader(self.attribute or self.name)

    @property
    def schema(self) -> Schema:
        """The member's schema with its description."""
        if not self.about:
            return self.kind.schema
        return {**self.kind.schema, "description": self.about}


class Shape:
    """A named object of the API: writes messages as JSON and knows its own schema."""

    def __init__(self, name: str, about: str, members: Sequence[Member]) -> None:
        self.name = name
        self.about = about
        self.members = tuple(members)
        self._readers = [(member.name, member.reader) for member in members]

    def present(self, message: Any, form: TimeForm) -> dict[str, Json]:
        """The message as the documented object."""
        return {name: read(message, form) for name, read in self._readers}

    @property
    def parts(self) -> Iterator[Shape]:
        """The shape itself, and all that are within it."""
        yield self
        for member in self.members:
            for shape in member.kind.shapes:
                yield from shape.parts

    @property
    def reference(self) -> Schema:
        """Reference to the schema in the document."""
        return {"$ref": f"#/components/schemas/{self.name}"}

    @property
    def schema(self) -> Schema:
        """The schema itself; more members may follow in later versions."""
        return {
            "type": "object",
            "description": self.about,
            "required": [member.name for member in self.members],
            "properties": {member.name: member.schema for member in self.members},
        }

    def kind(self) -> Kind:
        """The shape as a member that is always there."""

        def reader(attribute: str) -> Reader:
            return lambda message, form: self.present(getattr(message, attribute), form)

        return Kind(self.reference, reader, (self,))

    def optional(self) -> Kind:
        """The shape as a member that is null when the field is not set."""

        def reader(attribute: str) -> Reader:
            return lambda message, form: (
                self.present(getattr(message, attribute), form)
                if message.HasField(attribute)
                else None
            )

        return Kind({"anyOf": [self.reference, {"type": "null"}]}, reader, (self,))

    def list(self) -> Kind:
        """The shape as the elements of a list member."""

        def reader(attribute: str) -> Reader:
            return lambda message, form: [
                self.present(each, form) for each in getattr(message, attribute)
            ]

        return Kind({"type": "array", "items": self.reference}, reader, (self,))


ADDRESS = Shape(
    "Address",
    "A place a call or message comes from or goes to. Unset members are empty.",
    [
        Member("type", TEXT, "tel, sip, email, agent, extension, ...; empty when unspecified."),
        Member("target", TEXT, "The address itself: an E.164 number for tel."),
        Member("target_name", TEXT, "Display name that belongs to the target."),
        Member("name", TEXT, "Name its owner gave it."),
        Member("detail", TEXT, "Free text."),
    ],
)


def _option(message: Any, form: TimeForm) -> Json:
    return orjson.loads(message.option_json) if message.option_json else {}


ACTION = Shape(
    "Action",
    "One step of a flow, with the ids its sender gave it (zeros when none).",
    [
        Member("id", ID),
        Member("next_id", ID, "Nil: the next element of the list."),
        Member("type", TEXT, "Documented action word, for example talk or queue_join."),
        Member("option", computed({"type": "object"}, _option), "Options of the action type."),
    ],
)
