"""What several resources share: a handler that is one RPC, and rows that only differ in names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gateway.fields import Body, Field
from gateway.members import Shape
from gateway.routes import PAGE, Answer, Call, Handler, One, PageOf, Route
from gateway.upstreams import Rpc
from services.common.paging import Page, page_request

Build = Callable[[Call], Any]
"""Makes the request message of a call."""

MERGE: Final = "A merge: members that are absent or null stay as they are."
"""What a change of a whole object says about itself."""


def rpc(service: str, method: str, build: Build) -> Handler:
    """A handler that asks one method of a service."""
    asked = Rpc(service, method)

    async def handle(call: Call) -> Any:
        return await call.parts.upstreams.call(asked, build(call), call.identity)

    return handle


def by_id(message: Callable[..., Any]) -> Build:
    """Builds a request that has only the path's id."""
    return lambda call: message(id=call.ids["id"])


def made_of(message: Callable[..., Any], *names: str) -> Build:
    """Builds a create request: a new id, and those members of the body that were given."""
    return lambda call: message(id=call.new_id(), **present_members(call, *names))


def merged(message: Callable[..., Any], *names: str, **wrapped: Callable[[Any], Any]) -> Build:
    """Builds an update request of the members given; `wrapped` says in which message a list goes."""

    def build(call: Call) -> Any:
        given = present_members(call, *names)
        lists = {name: wrap(call.body[name]) for name, wrap in wrapped.items() if name in call.body}
        return message(id=call.ids["id"], **given, **lists)

    return build


def page_of(message: Callable[..., Any], **more: str) -> Build:
    """Builds a list request; `more` maps further fields to query parameters."""

    def build(call: Call) -> Any:
        values = {field: call.query[name] for field, name in more.items() if name in call.query}
        return message(
            page_size=call.query.get("page_size", 0),
            page_token=call.query.get("page_token", ""),
            **values,
        )

    return build


def page(call: Call) -> Page:
    """The page a list is asked for, for what the gateway keeps itself."""
    return page_request(call.query.get("page_size", 0), call.query.get("page_token", ""))


def listing(
    tag: str,
    path: str,
    summary: str,
    handler: Handler,
    shape: Shape,
    attribute: str,
    *query: Field,
    **more: Any,
) -> Route:
    """The row of a list; `more` are further members of the Route, here and below."""
    answer: Answer = PageOf(shape, attribute)
    return Route("GET", path, summary, tag, handler, answer, query=(*PAGE, *query), **more)


def reading(
    tag: str, path: str, summary: str, handler: Handler, shape: Shape, **more: Any
) -> Route:
    """The row of reading one object."""
    return Route("GET", path, summary, tag, handler, One(shape), **more)


def creating(
    tag: str, path: str, summary: str, handler: Handler, shape: Shape, body: Body, **more: Any
) -> Route:
    """The row of making an object."""
    return Route("POST", path, summary, tag, handler, One(shape), body=body, creates=True, **more)


def changing(
    tag: str, path: str, summary: str, handler: Handler, shape: Shape, body: Body, **more: Any
) -> Route:
    """The row of changing an object, or a part of it; the answer is the changed object."""
    return Route("PUT", path, summary, tag, handler, One(shape), body=body, **more)


def doing(tag: str, path: str, summary: str, handler: Handler, shape: Shape, **more: Any) -> Route:
    """The row of doing something to an object; the answer is the object afterwards."""
    return Route("POST", path, summary, tag, handler, One(shape), **more)


def deleting(
    tag: str, path: str, summary: str, handler: Handler, shape: Shape, **more: Any
) -> Route:
    """The row of deleting; the answer is the deleted object."""
    return Route("DELETE", path, summary, tag, handler, One(shape), **more)


def present_members(call: Call, *names: str) -> dict[str, Any]:
    """Those members of the body that were given."""
    return {name: call.body[name] for name in names if name in call.body}
