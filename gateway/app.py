"""Puts the gateway together, and runs it until a signal."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.accounts import AccountService
from gateway.auth import Authenticator
from gateway.bootstrap import Bootstrapper
from gateway.config import GatewaySettings
from gateway.credentials import LoginTokens
from gateway.edge import Edge
from gateway.http_server import HttpServer
from gateway.parts import Parts
from gateway.progress import HINTS, ProgressHub
from gateway.ratelimit import RateLimiter, limits_of
from gateway.storage import Accounts
from gateway.table import ROUTES
from gateway.upstreams import Upstreams
from services.common import db
from services.common.auth import TokenIssuer
from services.common.bus import Bus
from services.common.clients import Channels, TlsFiles
from services.common.clock import Clock
from services.common.errors import Unavailable
from services.common.log import get_logger
from services.common.metrics import MetricsEndpoint

NAME = "gateway"
_READY_SECONDS = 0.2


@dataclass(slots=True)
class Gateway:
    """A gateway whose parts exist. `run` serves; tests use the same object in their own loop."""

    edge: Edge
    parts: Parts
    http: HttpServer
    bus: Bus
    bootstrapper: Bootstrapper
    metrics: MetricsEndpoint
    channels: Channels
    close_database: Callable[[], Awaitable[None]]
    stopping: asyncio.Event

    async def run(self, metrics_listen: str = "") -> None:
        """Serve until `stop`, then end in order: streams, requests, connections."""
        if metrics_listen:
            await self.metrics.start(metrics_listen)
        try:
            async with asyncio.TaskGroup() as tasks:
                background = [
                    tasks.create_task(self.bootstrapper.run(), name="bootstrap"),
                    tasks.create_task(self._tell_when_ready(), name="ready"),
                ]
                serving = tasks.create_task(self.http.run(), name="http")
                await self.stopping.wait()
                get_logger().info("draining", service=NAME)
                # Streams never end by themselves; they are told first so that requests can finish.
                self.parts.progress.close()
                self.http.stop()
                await serving
                for task in background:
                    task.cancel()
        finally:
            await self.close()

    def stop(self) -> None:
        """Begin the orderly end."""
        self.stopping.set()

    async def close(self) -> None:
        """Close what the gateway holds open."""
        await self.metrics.close()
        await self.bus.close()
        await self.channels.close()
        await self.close_database()
        get_logger().info("stopped", service=NAME)

    async def _tell_when_ready(self) -> None:
        while True:
            try:
                await self.parts.ready()
                break
            except Unavailable:
                await asyncio.sleep(_READY_SECONDS)
        get_logger().info(
            "serving", service=NAME, port=self.http.port, metrics_port=self.metrics.port
        )


async def build(settings: GatewaySettings, *, clock: Clock | None = None) -> Gateway:
    """Every part of the gateway, connected as far as the others are there."""
    clock = clock or settings.clock()
    stopping = asyncio.Event()
    engine = db.create_engine(
        settings.database_url,
        NAME,
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_overflow,
    )
    channels = Channels(TokenIssuer.load(settings, NAME), tls=TlsFiles.of(settings))
    upstreams = Upstreams(channels, settings)
    accounts = Accounts(engine)
    secret = settings.login_secret.get_secret_value()
    tokens = LoginTokens(secret)
    authenticator = Authenticator(accounts, upstreams, tokens)
    bootstrapper = Bootstrapper(accounts, upstreams, clock, settings)
    progress = ProgressHub(upstreams, settings.streams_per_customer)
    bus = await Bus.connect(settings.nats_url, settings.nats_credentials, NAME, wait=1.0)
    await bus.listen(HINTS, progress.hear)
    parts = Parts(
        settings=settings,
        upstreams=upstreams,
        accounts=AccountService(accounts, authenticator, clock, secret),
        authenticator=authenticator,
        tokens=tokens,
        limiter=RateLimiter(limits_of(settings)),
        progress=progress,
        ready=_readiness(accounts, bootstrapper, stopping),
    )
    edge = Edge(parts, ROUTES)
    http = HttpServer(edge, settings)
    return Gateway(
        edge, parts, http, bus, bootstrapper, MetricsEndpoint(), channels, engine.dispose, stopping
    )


@asynccontextmanager
async def open_administration(
    settings: GatewaySettings,
) -> AsyncIterator[tuple[Accounts, Upstreams]]:
    """The gateway's tables and the services, for work outside of a serving process."""
    engine = db.create_engine(settings.database_url, NAME)
    channels = Channels(TokenIssuer.load(settings, NAME), tls=TlsFiles.of(settings))
    try:
        yield Accounts(engine), Upstreams(channels, settings)
    finally:
        await channels.close()
        await engine.dispose()


async def run(settings: GatewaySettings, *, clock: Clock | None = None) -> None:
    """Serve until SIGTERM or SIGINT; a second signal skips the waiting."""
    gateway = await build(settings, clock=clock)
    loop = asyncio.get_running_loop()
    own = asyncio.current_task()

    def on_signal() -> None:
        if gateway.stopping.is_set() and own is not None:
            own.cancel()
        gateway.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    await gateway.run(settings.metrics_listen)


def _readiness(
    accounts: Accounts, bootstrapper: Bootstrapper, stopping: asyncio.Event
) -> Callable[[], Awaitable[None]]:
    async def ready() -> None:
        if stopping.is_set():
            raise Unavailable("this process is stopping", retry_after=1.0)
        await accounts.check()
        await bootstrapper.check()

    return ready
