"""The server side of every RPC: who calls, how long there is, and errors that leak nothing.

One interceptor does it all: request id, verified caller, deadline, error mapping, access log and
metrics, for unary and streaming methods alike. Handlers only raise AppErrors.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, NoReturn, TypeAlias

import grpc
import structlog

from services.common import auth, context, outages, status
from services.common.errors import AppError, Internal, Unauthenticated
from services.common.log import get_logger
from services.common.metrics import counter, histogram

OPEN_SERVICES = ("/grpc.health.v1.Health/", "/grpc.reflection.")
"""The only methods that an unknown caller may use."""

_handled = counter("rpc_server_handled", "RPCs answered, by method and code", ("method", "code"))
_seconds = histogram("rpc_server_seconds", "Time taken to answer a unary RPC", ("method",))

# Quoted: generic for the type checker only.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
ServicerContext: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class ServerInterceptor(grpc.aio.ServerInterceptor):
    """Everything between the wire and a servicer's method."""

    def __init__(self, verifier: auth.TokenVerifier) -> None:
        self._verifier = verifier
        self._wrapped: dict[str, tuple[Handler, Handler]] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Wrap the method's handler; unknown methods stay gRPC's own UNIMPLEMENTED."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(OPEN_SERVICES):
            return handler
        known = self._wrapped.get(method)
        if known is None or known[0] is not handler:
            known = self._wrapped[method] = (handler, self._wrap(method, handler))
        return known[1]

    def _wrap(self, method: str, handler: Handler) -> Handler:
        codec = (handler.request_deserializer, handler.response_serializer)
        # A handler that yields stays a generator; one that writes to its context stays a coroutine.
        if handler.unary_unary is not None:
            one = self._unary(method, handler.unary_unary)
            return grpc.unary_unary_rpc_method_handler(one, *codec)
        if handler.stream_unary is not None:
            one = self._unary(method, _reading_to_the_end(handler.stream_unary))
            return grpc.stream_unary_rpc_method_handler(one, *codec)
        if handler.unary_stream is not None:
            many = self._stream(method, handler.unary_stream)
            return grpc.unary_stream_rpc_method_handler(many, *codec)
        many = self._stream(method, handler.stream_stream)
        return grpc.stream_stream_rpc_method_handler(many, *codec)

    def _unary(self, method: str, inner: Any) -> Any:
        async def answer(request: Any, servicer_context: ServicerContext) -> Any:
            call = _Call(method)
            try:
                call.begin(self._verifier, servicer_context)
                response = await inner(request, servicer_context)
            except BaseException as exc:
                await call.fail(exc, servicer_context)
            call.done("OK")
            return response

        return answer

    def _stream(self, method: str, inner: Any) -> Any:
        if not inspect.isasyncgenfunction(inner):
            return self._unary(method, inner)

        async def answer(request: Any, servicer_context: ServicerContext) -> AsyncIterator[Any]:
            call = _Call(method, streaming=True)
            try:
                call.begin(self._verifier, servicer_context)
                async with aclosing(inner(request, servicer_context)) as responses:
                    async for response in responses:
                        yield response
            except GeneratorExit:
                call.done("CANCELLED")
                raise
            except BaseException as exc:
                await call.fail(exc, servicer_context)
            call.done("OK")

        return answer


def _reading_to_the_end(inner: Any) -> Any:
    """Have what a caller still sends read before it is told of a failure.

    grpc.aio turns a status that meets a message under way into an internal error of its own.
    """

    async def answer(requests: AsyncIterator[Any], servicer_context: ServicerContext) -> Any:
        try:
            return await inner(requests, servicer_context)
        except Exception:
            async for _ in requests:
                pass
            raise

    return answer


class _Call:
    """One RPC on its way through the interceptor."""

    __slots__ = ("_caller", "_method", "_request_id", "_started", "_streaming")

    def __init__(self, method: str, streaming: bool = False) -> None:
        self._method = method
        self._streaming = streaming
        self._started = time.perf_counter()
        self._request_id = ""
        self._caller: auth.Caller | None = None

    def begin(self, verifier: auth.TokenVerifier, servicer_context: ServicerContext) -> None:
        """Accept request id, caller and deadline, or raise."""
        authorization = given_id = None
        for key, value in servicer_context.invocation_metadata() or ():
            if key == "authorization":
                authorization = value
            elif key == "x-request-id":
                given_id = value
        self._request_id = context.accept_request_id(_text(given_id))
        structlog.contextvars.bind_contextvars(request_id=self._request_id)
        scheme, _, token = (_text(authorization) or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("a token is required: metadata `authorization: Bearer <token>`")
        self._caller = verifier.verify(token.strip())
        auth.set_caller(self._caller)
        # Without a deadline gRPC says None, whatever its type stubs promise.
        remaining: float | None = servicer_context.time_remaining()
        context.accept_deadline(remaining)

    async def fail(self, exc: BaseException, servicer_context: ServicerContext) -> NoReturn:
        """Answer with what the exception means. Never returns."""
        if isinstance(exc, grpc.aio.AbortError):
            self.done("ABORTED_BY_HANDLER")
            raise exc
        if isinstance(exc, asyncio.CancelledError):
            self.done("CANCELLED")
            raise exc
        error = outages.meaning(exc) if isinstance(exc, Exception) else None
        if error is None or isinstance(error, Internal):
            get_logger().error("internal_error", method=self._method, exc_info=exc)
            # What went wrong inside is for the log only.
            error = Internal("internal error")
        code = status.code_of(error)
        self.done(code.name, error)
        await servicer_context.abort(
            code, status.message_of(error), status.trailers(error, self._request_id)
        )

    def done(self, code: str, error: AppError | None = None) -> None:
        """Count and log the answer."""
        elapsed = time.perf_counter() - self._started
        _handled.labels(self._method, code).inc()
        if not self._streaming:
            _seconds.labels(self._method).observe(elapsed)
        fields: dict[str, Any] = {}
        if self._caller is not None:
            fields["caller"] = self._caller.issuer
            if self._caller.customer_id is not None:
                fields["customer_id"] = str(self._caller.customer_id)
        if error is not None:
            fields["reason"] = error.reason
        get_logger().info(
            "rpc", method=self._method, code=code, ms=round(elapsed * 1000, 2), **fields
        )


def _text(value: str | bytes | None) -> str | None:
    return value.decode("latin-1") if isinstance(value, bytes) else value
