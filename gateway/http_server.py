"""uvicorn with limits it does not have: on the size and the time of a request's headers.

Signals, start and stop are the process's (app.py); uvicorn only serves.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from asyncio import TimerHandle
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.config import GatewaySettings
from gateway.errors import error_response
from services.common import context
from services.common.errors import InvalidArgument

_TOO_LARGE = "the request line and headers are too large"


class _LimitedProtocol(HttpToolsProtocol):
    """HTTP with a limit on what comes before a body, in bytes and in real seconds; and on how long
    comes what is left of one when the answer has been sent."""

    header_bytes: int
    header_seconds: float
    _unparsed = 0
    _head = 0
    _timer: TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._timer = self.loop.call_later(self.header_seconds, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        in_headers = self._in_headers()
        super().data_received(data)
        if self.transport.is_closing():
            return
        if not in_headers or not self._in_headers():
            self._unparsed = 0
            return
        self._unparsed += len(data)
        if self._unparsed > self.header_bytes:
            self.send_400_response(_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0
        if self._timer is None:
            self._timer = self.loop.call_later(self.header_seconds, self._give_up)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(len(name) + len(value))

    def on_headers_complete(self) -> None:
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._stop_timer()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        cycle: RequestResponseCycle = self.cycle
        if cycle.response_complete and cycle.more_body and self._timer is None:
            # Answered without its body, which nobody reads: drop by drop it would keep the
            # connection for ever, and without any credential.
            self._timer = self.loop.call_later(self.header_seconds, self._give_up)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, or too much of it, with the documented envelope."""
        self.transport.write(_refusal(_TOO_LARGE if self._head > self.header_bytes else msg))
        self.transport.close()

    def _count(self, length: int) -> None:
        # A head that arrives in one piece never stands unparsed.
        self._head += length
        if self._head > self.header_bytes:
            raise ValueError(_TOO_LARGE)  # the parser's caller answers 400

    def _in_headers(self) -> bool:
        """Whether no request is being read or answered: what arrives belongs to a head."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or (cycle.response_complete and not cycle.more_body)

    def _give_up(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def protocol(header_bytes: int, header_seconds: float) -> type[asyncio.Protocol]:
    """The HTTP protocol with these limits; uvicorn makes one of it for each connection."""
    limits = {"header_bytes": header_bytes, "header_seconds": header_seconds}
    return type("LimitedProtocol", (_LimitedProtocol,), limits)


def _refusal(message: str) -> bytes:
    request_id = context.accept_request_id(None)
    answer = error_response(InvalidArgument(message))
    answer.headers["X-Request-Id"] = request_id
    answer.headers["Connection"] = "close"
    lines = [b"%b: %b\r\n" % header for header in answer.raw_headers]
    return b"".join([b"HTTP/1.1 400 Bad Request\r\n", *lines, b"\r\n", bytes(answer.body)])


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the process."""
        yield


class HttpServer:
    """Serves an ASGI application until `stop`."""

    def __init__(self, app: ASGIApp, settings: GatewaySettings) -> None:
        self._socket = _listen(settings.http_listen)
        self._server = _Server(
            uvicorn.Config(
                app,
                http=protocol(settings.header_bytes, settings.header_seconds),
                ws="none",
                loop="none",
                lifespan="off",
                interface="asgi3",
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_keep_alive=max(1, int(settings.keep_alive_seconds)),
                timeout_graceful_shutdown=max(1, int(settings.drain_seconds)),
                proxy_headers=bool(settings.forwarded_allow_ips),
                forwarded_allow_ips=settings.forwarded_allow_ips or None,
                backlog=2048,
            )
        )

    @property
    def port(self) -> int:
        """Port the server listens on."""
        return int(self._socket.getsockname()[1])

    async def run(self) -> None:
        """Serve until `stop`; requests under way may finish within the drain time."""
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Begin the orderly end."""
        self._server.should_exit = True

    async def close(self) -> None:
        """Stop listening, also when `run` never came to it."""
        self._socket.close()


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family: Any = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, int(port)))
    listening.setblocking(False)
    return listening
