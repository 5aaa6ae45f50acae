"""The ASGI application: every request from its first header to its access log line.

In order: request id, route, limit by address, caller, permission, limit by customer, path ids, query,
body, handler, answer. Whatever goes wrong on the way leaves as the documented envelope.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, TypeVar

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway.errors import TooLarge, error_response, route_not_found, slow_body
from gateway.fields import missing, wrong_kind
from gateway.parts import Parts
from gateway.router import Router
from gateway.routes import TIME_FORMAT, Call, Route
from gateway.timeforms import TimeForm
from services.common import context, outages
from services.common.errors import (
    AppError,
    Internal,
    InvalidArgument,
    PermissionDenied,
    Unavailable,
)
from services.common.ids import parse_id
from services.common.log import get_logger
from services.common.metrics import counter, histogram
from services.common.tasks import within

Result = TypeVar("Result")

_JSON = "application/json; charset=utf-8"
_CORS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"X-Request-Id, Retry-After"),
)
_SAFETY = (
    # What somebody wrote into a name is never taken for a page.
    (b"x-content-type-options", b"nosniff"),
    # A key may stand in the query.
    (b"referrer-policy", b"no-referrer"),
)
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept-Profile, Idempotency-Key, "
    "Last-Event-ID, X-Request-Id",
    "Access-Control-Max-Age": "600",
}
_CLIENT_GONE = 499

_answered = counter("http_requests", "HTTP requests answered", ("route", "code"))
_seconds = histogram("http_request_seconds", "Time taken to answer", ("route",))


class Edge:
    """Answers HTTP for a table of routes."""

    def __init__(self, parts: Parts, routes: Iterable[Route]) -> None:
        self._parts = parts
        self._router = Router(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification. Only HTTP is spoken."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = Request(scope, receive)
        request_id = context.accept_request_id(request.headers.get("x-request-id"))
        structlog.contextvars.bind_contextvars(request_id=request_id)
        found = self._router.match(request.method, scope["path"])
        route = found[0] if found else None
        status = _CLIENT_GONE
        try:
            response = await self._response(request, found)
            status = response.status_code
            await response(scope, receive, _with_headers(send, request_id))
        except (ClientDisconnect, asyncio.CancelledError) as exc:
            status = _CLIENT_GONE
            if isinstance(exc, asyncio.CancelledError):
                raise
        finally:
            _log(route, request, status, time.perf_counter() - started)

    async def _response(
        self, request: Request, found: tuple[Route, Mapping[str, str]] | None
    ) -> Response:
        try:
            if request.method == "OPTIONS":
                return self._preflight(request)
            if found is None:
                raise route_not_found(request.method, request.scope["path"])
            answering = self._answer(request, *found)
            return await (self._in_time(answering) if found[0].has_deadline else answering)
        except ClientDisconnect:
            raise
        except Exception as exc:
            return _failure(exc)

    def _preflight(self, request: Request) -> Response:
        methods = self._router.methods(request.scope["path"])
        if not methods:
            raise route_not_found(request.method, request.scope["path"])
        head = ["HEAD"] if "GET" in methods else []
        return Response(
            status_code=204,
            headers={**_PREFLIGHT, "Allow": ", ".join([*methods, *head, "OPTIONS"])},
        )

    async def _in_time(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What the work comes to, in the time that a request may take."""
        seconds = self._parts.settings.request_seconds
        try:
            return await within(seconds, work)
        except TimeoutError:
            raise Unavailable(
                f"this could not be answered within {seconds:g} s; try again",
                reason="REQUEST_TIMEOUT",
            ) from None

    async def _answer(self, request: Request, route: Route, ids: Mapping[str, str]) -> Response:
        parts = self._parts
        address = request.client.host if request.client else ""
        parts.limiter.take_address(address, route.is_login)
        context.accept_deadline(parts.settings.request_seconds if route.has_deadline else None)
        identity = None
        if not route.is_public:
            identity = await self._in_time(parts.authenticator.authenticate(request))
            customer_id = request.state.customer_id = str(identity.customer_id)
            structlog.contextvars.bind_contextvars(customer_id=customer_id)
            if route.is_rate_limited:
                parts.limiter.take_customer(customer_id)
            if not identity.may(route.permission):
                raise PermissionDenied("this needs an administrator or a manager of the customer")
        query = _query(route, request)
        call = Call(
            route=route,
            request=request,
            parts=parts,
            form=query.pop(TIME_FORMAT.name, None) or self._form(request),
            ids={name: str(parse_id(value, name)) for name, value in ids.items()},
            query=query,
            identity=identity,
        )
        if route.body is not None:
            call.body = _parse(route, await self._body(request, route))
        result = await route.handler(call)
        if isinstance(result, Response):
            return result
        content = orjson.dumps(route.answer.present(result, call))
        return Response(content, headers={"content-type": _JSON, "cache-control": "no-store"})

    def _form(self, request: Request) -> TimeForm:
        profile = request.headers.get("accept-profile", "")
        return TimeForm.RFC3339 if "rfc3339" in profile else self._parts.settings.time_format

    async def _body(self, request: Request, route: Route) -> bytes:
        settings = self._parts.settings
        limit = settings.max_batch_body_bytes if route.has_large_body else settings.max_body_bytes
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and int(announced[:18]) > limit:
            raise _too_large(limit)
        received = bytearray()
        try:
            async with asyncio.timeout(settings.body_seconds):
                async for chunk in request.stream():
                    received += chunk
                    if len(received) > limit:
                        raise _too_large(limit)
        except TimeoutError:
            raise slow_body() from None
        return bytes(received)


def _parse(route: Route, received: bytes) -> Any:
    try:
        value = orjson.loads(received)
    except orjson.JSONDecodeError as exc:
        raise InvalidArgument(
            f"the body is not JSON: {exc}" if received else "the body is empty; accepted: JSON",
            reason="INVALID_JSON_BODY",
        ) from None
    if route.alternative is not None and isinstance(value, route.alternative.wanted):
        return route.alternative.kind.parse(value, "body")
    if route.body is None:
        raise wrong_kind("body", value, "nothing")
    return route.body.parse(value)


def _query(route: Route, request: Request) -> dict[str, Any]:
    given = request.query_params
    found: dict[str, Any] = {}
    for field in (*route.query, TIME_FORMAT):
        value = given.get(field.name)
        if value is None or value == "":
            if field.required:
                error = missing(field.name)
                error.reason = "MISSING_REQUEST_PARAMETER"
                raise error
            continue
        try:
            found[field.name] = field.kind.parse(value, field.name)
        except InvalidArgument as exc:
            exc.reason = "INVALID_REQUEST_PARAMETER"
            raise
    return found


def _failure(exc: Exception) -> Response:
    error = outages.meaning(exc)
    if error is None or isinstance(error, Internal):
        get_logger().error("internal_error", exc_info=exc)
        error = Internal("internal error")
    return error_response(error)


def _too_large(limit: int) -> AppError:
    return TooLarge(f"the body is larger than {limit} bytes", limit=str(limit))


def _with_headers(send: Send, request_id: str) -> Send:
    extra = [(b"x-request-id", request_id.encode()), *_CORS, *_SAFETY]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *extra]
        await send(message)

    return sending


def _log(route: Route | None, request: Request, status: int, elapsed: float) -> None:
    name = f"{route.method} {route.path}" if route else "none"
    _answered.labels(name, str(status)).inc()
    if route is not None and route.has_deadline:
        _seconds.labels(name).observe(elapsed)
    if customer_id := getattr(request.state, "customer_id", None):
        # Known in the task that has answered, which is not always this one.
        structlog.contextvars.bind_contextvars(customer_id=customer_id)
    # Neither the query (it may hold a credential) nor the path (it may hold anything) is logged.
    get_logger().info(
        "request", method=request.method, route=name, code=status, ms=round(elapsed * 1000, 2)
    )
