"""Channels to the other services: signed, with a deadline on every call, raising AppErrors.

A channel wraps gRPC's own instead of using its client interceptors, which cost a task per call.
"""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc

from services.common import auth, context, status
from services.common.config import ServiceSettings

CALL_SECONDS = 5.0
"""Default timeout of a unary call, real seconds. Streams have none unless they are given one."""
MESSAGE_BYTES = 32 * 1024 * 1024
"""Largest message either way: a batch of 1,000 with room to spare."""

CHANNEL_OPTIONS: Sequence[tuple[str, Any]] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # Errors keep below gRPC's 8 KB of trailers; beyond it refuses at random.
    ("grpc.max_metadata_size", 32 * 1024),
    # Come back soon after a restart of the other side; the default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # Notice a peer that vanished without a word.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.lb_policy_name", "round_robin"),
)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """mTLS: this side's certificate and key, and who signs the other side's (all PEM paths)."""

    cert: str
    key: str
    ca: str

    @classmethod
    def of(cls, settings: ServiceSettings) -> TlsFiles | None:
        """What the settings say; None for plaintext (loopback and private networks only)."""
        if not settings.tls_cert_file:
            return None
        return cls(settings.tls_cert_file, settings.tls_key_file, settings.tls_ca_file)

    def client_credentials(self) -> grpc.ChannelCredentials:
        """For a channel."""
        return grpc.ssl_channel_credentials(*self._read())

    def server_credentials(self) -> grpc.ServerCredentials:
        """For a server that demands a certificate of its callers."""
        ca, key, cert = self._read()
        return grpc.ssl_server_credentials([(key, cert)], ca, require_client_auth=True)

    def _read(self) -> tuple[bytes, bytes, bytes]:
        return Path(self.ca).read_bytes(), Path(self.key).read_bytes(), Path(self.cert).read_bytes()


class Channels:
    """One channel per address and audience, made on first use inside the running loop."""

    def __init__(
        self,
        issuer: auth.TokenIssuer,
        default_timeout: float = CALL_SECONDS,
        tls: TlsFiles | None = None,
    ) -> None:
        self._issuer = issuer
        self._default_timeout = default_timeout
        self._tls = tls
        self._channels: dict[tuple[str, str], AppChannel] = {}

    def channel(self, address: str, audience: str) -> grpc.aio.Channel:
        """A channel to the service `audience`, whose calls raise AppErrors.

        `address` is `host:port`, or several `ip:port` separated by commas that are used in turn.
        Calls are made for the customer of the surrounding `auth.acting_for`.
        """
        key = (address, audience)
        channel = self._channels.get(key)
        if channel is None:
            plain = _open(target(address), self._tls)
            channel = AppChannel(plain, self._issuer, audience, self._default_timeout)
            self._channels[key] = channel
        return channel

    async def close(self) -> None:
        """Close every channel."""
        for channel in self._channels.values():
            await channel.close()
        self._channels.clear()


def target(address: str) -> str:
    """gRPC's form of an address or of a list of addresses."""
    parts = [part.strip() for part in address.split(",") if part.strip()]
    if not parts:
        raise ValueError("an address is empty; accepted: host:port")
    if len(parts) == 1:
        return parts[0]
    versions = {ipaddress.ip_address(part.rpartition(":")[0].strip("[]")).version for part in parts}
    if len(versions) != 1:
        raise ValueError(f"{address}: a list of addresses is all IPv4 or all IPv6")
    return f"ipv{versions.pop()}:{','.join(parts)}"


def _open(address: str, tls: TlsFiles | None) -> grpc.aio.Channel:
    if tls is None:
        return grpc.aio.insecure_channel(address, options=list(CHANNEL_OPTIONS))
    return grpc.aio.secure_channel(address, tls.client_credentials(), list(CHANNEL_OPTIONS))


class AppChannel(grpc.aio.Channel):
    """A channel for generated stubs that signs, limits and un-maps every call."""

    def __init__(
        self,
        plain: grpc.aio.Channel,
        issuer: auth.TokenIssuer,
        audience: str,
        default_timeout: float,
    ) -> None:
        self._plain = plain
        self._issuer = issuer
        self._audience = audience
        self._default_timeout = default_timeout

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        """See grpc.aio.Channel."""
        return self._awaited(self._plain.unary_unary(*args, **kwargs), self._default_timeout)

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        """See grpc.aio.Channel. The requests are given as an iterator."""
        return self._awaited(self._plain.stream_unary(*args, **kwargs), None)

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        """See grpc.aio.Channel."""
        return self._streamed(self._plain.unary_stream(*args, **kwargs))

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        """See grpc.aio.Channel."""
        return self._streamed(self._plain.stream_stream(*args, **kwargs))

    def _awaited(self, method: Callable[..., Any], default_timeout: float | None) -> Any:
        async def call(
            request: Any,
            *,
            timeout: float | None = None,  # noqa: ASYNC109 (the name generated stubs are called with)
            metadata: Iterable[tuple[str, str]] = (),
            wait_for_ready: bool | None = None,
        ) -> Any:
            limit = context.call_timeout(default_timeout if timeout is None else timeout)
            try:
                return await method(
                    request,
                    timeout=limit,
                    metadata=self._metadata(metadata),
                    wait_for_ready=wait_for_ready,
                )
            except grpc.aio.AioRpcError as exc:
                raise status.from_rpc_error(exc, self._audience) from exc

        return call

    def _streamed(self, method: Callable[..., Any]) -> Any:
        def call(
            request: Any = None,
            *,
            timeout: float | None = None,
            metadata: Iterable[tuple[str, str]] = (),
            wait_for_ready: bool | None = None,
        ) -> StreamCall:
            plain = method(
                request,
                timeout=context.call_timeout(timeout),
                metadata=self._metadata(metadata),
                wait_for_ready=wait_for_ready,
            )
            return StreamCall(plain, self._audience)

        return call

    def _metadata(self, extra: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        token = self._issuer.token(self._audience, auth.acting())
        return (
            ("authorization", f"Bearer {token}"),
            ("x-request-id", context.request_id() or context.new_request_id()),
            *extra,
        )

    async def close(self, grace: float | None = None) -> None:
        """See grpc.aio.Channel."""
        await self._plain.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """See grpc.aio.Channel."""
        return self._plain.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """See grpc.aio.Channel."""
        await self._plain.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """See grpc.aio.Channel."""
        await self._plain.channel_ready()

    async def __aenter__(self) -> AppChannel:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.close()


class StreamCall:
    """A streaming call whose failures are AppErrors: iterate it, or read and write."""

    def __init__(self, plain: Any, audience: str) -> None:
        self._plain = plain
        self._audience = audience

    async def __aiter__(self) -> AsyncIterator[Any]:
        responses: AsyncIterable[Any] = self._plain
        try:
            async for response in responses:
                yield response
        except grpc.aio.AioRpcError as exc:
            raise status.from_rpc_error(exc, self._audience) from exc

    async def read(self) -> Any:
        """The next response; grpc.aio.EOF at the end."""
        try:
            return await self._plain.read()
        except grpc.aio.AioRpcError as exc:
            raise status.from_rpc_error(exc, self._audience) from exc

    async def write(self, request: Any) -> None:
        """Send one request."""
        try:
            await self._plain.write(request)
        except grpc.aio.AioRpcError as exc:
            raise status.from_rpc_error(exc, self._audience) from exc

    async def done_writing(self) -> None:
        """Say that no further request follows."""
        await self._plain.done_writing()

    def cancel(self) -> bool:
        """Give up the call."""
        return bool(self._plain.cancel())

    async def wait_for_connection(self) -> None:
        """Return when the server has accepted the call."""
        try:
            await self._plain.wait_for_connection()
        except grpc.aio.AioRpcError as exc:
            raise status.from_rpc_error(exc, self._audience) from exc
