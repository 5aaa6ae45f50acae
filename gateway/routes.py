"""The route table's vocabulary: what a route declares, and the request a handler is given.

Routing, parsing, permissions, idempotency, presenting and the OpenAPI document all come from the same
`Route`, so that none of them can say something the others do not do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from starlette.requests import Request

from gateway import idempotency
from gateway.fields import Body, Field, FieldKind, words
from gateway.identity import STAFF, Identity, Permission
from gateway.members import Json, Schema, Shape
from gateway.timeforms import TimeForm, write_token
from services.common.errors import InvalidArgument, Unauthenticated, invalid
from services.common.ids import new_id

if TYPE_CHECKING:
    from gateway.parts import Parts


@dataclass(slots=True)
class Call:
    """One request on its way through its handler, parsed and checked as its route declares."""

    route: Route
    request: Request
    parts: Parts
    form: TimeForm
    ids: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any = None
    identity: Identity | None = None

    @property
    def caller(self) -> Identity:
        """Who sent it; Unauthenticated on a public route."""
        if self.identity is None:
            raise Unauthenticated("this needs an access key or a login token")
        return self.identity

    def new_id(self, part: str = "") -> str:
        """Id for something to create: the same for the same Idempotency-Key, else a fresh one.

        `part` tells several things made by one request apart.
        """
        key = idempotency.key_of(self.request)
        if key is None:
            return str(new_id())
        path = self.route.path.format(**self.ids)
        return str(idempotency.derived_id(self.caller.customer_id, path, key, part))

    def is_own(self, name: str = "id") -> bool:
        """Whether the path names the calling agent itself."""
        return self.caller.agent_id == UUID(self.ids[name])


Handler = Callable[[Call], Awaitable[Any]]
"""Takes a call; gives what the route's answer presents."""


class Answer:
    """What a successful request is answered with."""

    media_type = "application/json"
    other_media: tuple[str, ...] = ()
    """Further media types that a request may choose."""

    @property
    def schema(self) -> Schema:
        """Schema of the answer."""
        raise NotImplementedError

    def present(self, result: Any, call: Call) -> Json:
        """The JSON of a handler's result."""
        raise NotImplementedError

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes the schema refers to."""
        return ()


class One(Answer):
    """One object."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    @property
    def schema(self) -> Schema:
        """See Answer."""
        return self._shape.reference

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """See Answer."""
        return (self._shape,)

    def present(self, result: Any, call: Call) -> Json:
        """See Answer."""
        return self._shape.present(result, call.form)


class PageOf(Answer):
    """A page: `{"result": [...], "next_page_token": "..."}`."""

    def __init__(self, shape: Shape, attribute: str) -> None:
        self._shape = shape
        self._attribute = attribute

    @property
    def schema(self) -> Schema:
        """See Answer."""
        return {
            "type": "object",
            "required": ["result", "next_page_token"],
            "properties": {
                "result": {"type": "array", "items": self._shape.reference},
                "next_page_token": {
                    "type": "string",
                    "description": "page_token of the next page; empty only after an empty page.",
                },
            },
        }

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """See Answer."""
        return (self._shape,)

    def present(self, result: Any, call: Call) -> Json:
        """See Answer."""
        present, form = self._shape.present, call.form
        return {
            "result": [present(each, form) for each in getattr(result, self._attribute)],
            "next_page_token": write_token(result.next_page_token, form),
        }


class Plain(Answer):
    """JSON made by the handler itself, or a Response, described by a schema."""

    def __init__(
        self,
        schema: Schema,
        media_type: str = "application/json",
        shapes: tuple[Shape, ...] = (),
        *,
        other_media: tuple[str, ...] = (),
    ) -> None:
        self._schema = schema
        self._shapes = shapes
        self.media_type = media_type
        self.other_media = other_media

    @property
    def schema(self) -> Schema:
        """See Answer."""
        return self._schema

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """See Answer."""
        return self._shapes

    def present(self, result: Any, call: Call) -> Json:
        """See Answer."""
        return result


@dataclass(frozen=True, slots=True)
class Alternative:
    """Further bodies a route takes beside its object, told apart by JSON kind."""

    kind: FieldKind
    wanted: type


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table. Paths are without the version prefix; both forms are served."""

    method: str
    path: str
    summary: str
    tag: str
    handler: Handler
    answer: Answer
    permission: Permission = STAFF
    body: Body | None = None
    alternative: Alternative | None = None
    query: tuple[Field, ...] = ()
    about: str = ""
    is_public: bool = False
    is_rate_limited: bool = True
    is_login: bool = False
    """Counts against the limits for logins instead of the ordinary ones."""
    has_large_body: bool = False
    body_media: tuple[str, ...] = ()
    """Media types of a body that the handler streams itself; such a route has no deadline."""
    has_deadline: bool = True
    has_parts: bool = False
    """Answers a `Range` header with 206 or 416."""
    creates: bool = False
    aliases: tuple[str, ...] = ()
    """Further paths of the same operation."""

    @property
    def name(self) -> str:
        """Operation id: method and path as one identifier."""
        words = self.path.replace("{", "").replace("}", "").replace("-", "_").replace(":", "_")
        return f"{self.method.lower()}{words.replace('/', '_').replace('.', '_')}"


_PAGE_SIZE = FieldKind(
    {"type": "integer"},
    lambda value, path: _page_size(value, path),
)
PAGE = (
    Field("page_size", _PAGE_SIZE, "1..100; any other number means 100."),
    Field(
        "page_token",
        FieldKind({"type": "string", "maxLength": 200}, lambda value, path: value[:200]),
        "next_page_token of the page before; either time form.",
    ),
)
"""Parameters of every list."""

TIME_FORMAT = Field(
    "time_format",
    words({form.value: form for form in TimeForm}),
    "How times are written. The header `Accept-Profile: rfc3339` does the same.",
)
"""Parameter of every route."""


def _page_size(value: str, path: str) -> int:
    digits = value.strip().lstrip("+-")
    if not digits.isascii() or not digits.isdigit():
        raise parameter(path, value, "a whole number")
    negative = value.strip().startswith("-")
    # Outside 1..100 it means the default; cutting here keeps giants within 32 bits.
    return 0 if negative or len(digits) > 9 else int(digits)


def parameter(name: str, value: object, accepted: str) -> InvalidArgument:
    """The error for a query parameter that cannot be read."""
    return invalid(name, value, accepted, reason="INVALID_REQUEST_PARAMETER")
