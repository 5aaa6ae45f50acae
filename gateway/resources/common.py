"""What several resources share: a handler that is one RPC, and rows that only differ in names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.fields import Field
from gateway.members import Shape
from gateway.routes import PAGE, Answer, Call, Handler, One, PageOf, Route
from gateway.upstreams import Rpc

Build = Callable[[Call], Any]
"""Makes the request message of a call."""


def rpc(service: str, method: str, build: Build) -> Handler:
    """A handler that asks one method of a service."""
    asked = Rpc(service, method)

    async def handle(call: Call) -> Any:
        return await call.parts.upstreams.call(asked, build(call), call.identity)

    return handle


def by_id(message: Callable[..., Any]) -> Build:
    """Builds a request that has only the path's id."""
    return lambda call: message(id=call.ids["id"])


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


def listing(
    tag: str, path: str, about: str, handler: Handler, shape: Shape, attribute: str, *query: Field
) -> Route:
    """The row of a list."""
    answer: Answer = PageOf(shape, attribute)
    return Route("GET", path, about, tag, handler, answer, query=(*PAGE, *query))


def reading(tag: str, path: str, about: str, handler: Handler, shape: Shape) -> Route:
    """The row of reading one object."""
    return Route("GET", path, about, tag, handler, One(shape))


def deleting(tag: str, path: str, about: str, handler: Handler, shape: Shape) -> Route:
    """The row of deleting; the answer is the deleted object."""
    return Route("DELETE", path, about, tag, handler, One(shape))


def present_members(call: Call, *names: str) -> dict[str, Any]:
    """Those members of the body that were given."""
    return {name: call.body[name] for name in names if name in call.body}
