"""A process around its gRPC services: health, reflection, metrics; see process.py for its life."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from services.common.auth import TokenVerifier
from services.common.clients import MESSAGE_BYTES, TlsFiles
from services.common.log import get_logger
from services.common.metrics import MetricsEndpoint
from services.common.process import Background, Hook, Life
from services.common.rpc import ServerInterceptor

CHECK_SECONDS = 5.0
"""How often the checks run, real seconds; one that takes 90 % of it has failed."""
_EAGER_CHECK_SECONDS = 0.1

AddServicer = Callable[[Any, Any], None]

_OPTIONS: Sequence[tuple[str, Any]] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # A second process on the same port must fail at start, not share the load in secret.
    ("grpc.so_reuseport", 0),
    # Clients send keepalives every 20 s, also while idle.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


@dataclass(frozen=True, kw_only=True)
class ServerParts:
    """What a process consists of. Lists are worked off in order.

    `checks` raise while the process cannot do its work. `background` are named coroutine functions
    that run until cancelled. `on_drain` stops taking new work and hands leases back, while requests
    are still answered; `on_close` closes what the process holds.
    """

    name: str
    listen: str
    verifier: TokenVerifier
    servicers: Sequence[tuple[AddServicer, object]] = ()
    metrics_listen: str = ""
    checks: Sequence[Hook] = ()
    background: Sequence[tuple[str, Background]] = ()
    on_drain: Sequence[Hook] = ()
    on_close: Sequence[Hook] = ()
    drain_seconds: float = 10.0
    tls: TlsFiles | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    """Further fields for the `serving` log line."""


class Server:
    """A running process's inside. `serve` runs one; tests start and stop several in one loop."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts
        self._health = HealthServicer()
        self._grpc = grpc.aio.server(
            interceptors=[ServerInterceptor(parts.verifier)], options=list(_OPTIONS)
        )
        self._names: list[str] = []
        self._metrics = MetricsEndpoint()
        self._healthy: bool | None = None
        self._serving = asyncio.Event()
        self._life = Life(
            name=parts.name,
            on_start=[self._start_once],
            background=[("checks", self._check_for_ever), *parts.background],
            on_drain=[
                self._health.enter_graceful_shutdown,
                *parts.on_drain,
                lambda: self._grpc.stop(parts.drain_seconds),
            ],
            on_close=[lambda: self._grpc.stop(0), self._metrics.close, *parts.on_close],
        )
        self.port = 0
        """Port the gRPC server listens on, once started."""

    @property
    def metrics_port(self) -> int:
        """Port of the metrics endpoint; 0 when there is none."""
        return self._metrics.port

    @property
    def address(self) -> str:
        """Where clients reach the server, once started."""
        host = self._parts.listen.rpartition(":")[0]
        return f"{'127.0.0.1' if host in ('', '0.0.0.0', '[::]') else host}:{self.port}"

    def stop(self) -> None:
        """Begin the orderly end; `run` returns after it."""
        self._life.stopping.set()

    async def wait_serving(self) -> None:
        """Return when the checks have passed for the first time."""
        await self._serving.wait()

    async def start(self) -> None:
        """Listen, answering NOT_SERVING to health checks."""
        parts = self._parts
        for add, servicer in parts.servicers:
            add(servicer, _Recorder(self._grpc, self._names))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        reflection.enable_server_reflection(
            [*self._names, "grpc.health.v1.Health", reflection.SERVICE_NAME], self._grpc
        )
        await self._report(False)
        if parts.tls is None:
            self.port = self._grpc.add_insecure_port(parts.listen)
        else:
            self.port = self._grpc.add_secure_port(parts.listen, parts.tls.server_credentials())
        await self._grpc.start()
        if parts.metrics_listen:
            await self._metrics.start(parts.metrics_listen)

    async def run(self) -> None:
        """Serve until `stop`; raises what made a background task fail, after closing everything."""
        await self._life.run()

    async def _start_once(self) -> None:
        if not self.port:
            await self.start()

    async def _check_for_ever(self) -> None:
        while True:
            healthy = await self._passes()
            if healthy != self._healthy:
                await self._report(healthy)
            # Until the first success look often: others wait for it.
            await asyncio.sleep(CHECK_SECONDS if self._serving.is_set() else _EAGER_CHECK_SECONDS)

    async def _passes(self) -> bool:
        try:
            async with asyncio.timeout(CHECK_SECONDS * 0.9):
                for check in self._parts.checks:
                    await check()
        except Exception as exc:
            if self._healthy is not False or self._serving.is_set():
                get_logger().warning("check_failed", error=str(exc), kind=type(exc).__name__)
            return False
        return True

    async def _report(self, healthy: bool) -> None:
        self._healthy = healthy
        serving = health_pb2.HealthCheckResponse.SERVING
        not_serving = health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", *self._names):
            await self._health.set(name, serving if healthy else not_serving)
        if healthy and not self._serving.is_set():
            self._serving.set()
            get_logger().info(
                "serving",
                service=self._parts.name,
                address=self.address,
                port=self.port,
                metrics_port=self.metrics_port,
                **self._parts.fields,
            )


class _Recorder:
    """Stands for the server while servicers are added, to learn their full service names."""

    def __init__(self, server: grpc.aio.Server, names: list[str]) -> None:
        self._server = server
        self._names = names

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        self._server.add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(self, service: str, handlers: Any) -> None:
        self._names.append(service)
        self._server.add_registered_method_handlers(service, handlers)
