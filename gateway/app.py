"""The gateway, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

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
from services.common.clients import Channels, TlsFiles
from services.common.clock import Clock
from services.common.errors import Unavailable
from services.common.foundation import Foundation
from services.common.log import get_logger
from services.common.metrics import MetricsEndpoint
from services.common.natsguard import ConsumerGuard
from services.common.process import Life
from services.common.tasks import within

NAME = "gateway"
_READY_SECONDS = 0.2
_CHECK_SECONDS = 2.0
"""How long the database may take to answer before this process counts as not ready, real seconds."""


class Gateway:
    """A gateway whose parts exist; see process.Process."""

    def __init__(
        self, base: Foundation, parts: Parts, bootstrapper: Bootstrapper, stopping: asyncio.Event
    ) -> None:
        self.parts = parts
        self.bootstrapper = bootstrapper
        self.bus = base.bus
        self.http = HttpServer(Edge(parts, ROUTES), parts.settings)
        self._metrics = MetricsEndpoint()
        self._life = Life(
            name=NAME,
            on_start=[self._start_metrics],
            background=[
                ("http", self._serve_http),
                ("bootstrap", bootstrapper.run),
                ("ready", self._tell_when_ready),
            ],
            on_drain=[self._finish_requests],
            on_close=[self.http.close, self._metrics.close, *base.closing],
            stopping=stopping,
        )
        self._has_served = asyncio.Event()

    def stop(self) -> None:
        """See Process."""
        self._life.stopping.set()

    async def run(self) -> None:
        """See Process."""
        await self._life.run()

    async def _start_metrics(self) -> None:
        if listen := self.parts.settings.metrics_listen:
            await self._metrics.start(listen)

    async def _serve_http(self) -> None:
        await self.http.run()
        if self._life.stopping.is_set():
            self._has_served.set()
            await asyncio.Event().wait()

    async def _finish_requests(self) -> None:
        # Streams never end by themselves; they are told first so that requests can finish.
        self.parts.progress.close()
        self.http.stop()
        await self._has_served.wait()

    async def _tell_when_ready(self) -> None:
        # Asked now: the socket is closed when the gateway is stopped at the moment it becomes ready.
        port = self.http.port
        while True:
            try:
                await self.parts.ready()
                break
            except Unavailable:
                await asyncio.sleep(_READY_SECONDS)
        get_logger().info("serving", service=NAME, port=port, metrics_port=self._metrics.port)
        await asyncio.Event().wait()


async def build(settings: GatewaySettings, *, clock: Clock | None = None) -> Gateway:
    """Every part of the gateway, connected as far as the others are there."""
    base = await Foundation.open(settings, NAME, clock=clock, nats_wait=1.0)
    stopping = asyncio.Event()
    upstreams = Upstreams(base.channels, settings)
    accounts = Accounts(base.engine)
    secret = settings.login_secret.get_secret_value()
    tokens = LoginTokens(secret)
    authenticator = Authenticator(accounts, upstreams, tokens)
    bootstrapper = Bootstrapper(accounts, upstreams, base.clock, settings)
    progress = ProgressHub(upstreams, settings.streams_per_customer)
    await base.bus.listen(HINTS, progress.hear)
    await ConsumerGuard(base.bus).start()
    parts = Parts(
        settings=settings,
        upstreams=upstreams,
        accounts=AccountService(accounts, authenticator, base.clock, secret),
        authenticator=authenticator,
        tokens=tokens,
        limiter=RateLimiter(limits_of(settings)),
        progress=progress,
        ready=_readiness(accounts, bootstrapper, stopping),
    )
    return Gateway(base, parts, bootstrapper, stopping)


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


def _readiness(
    accounts: Accounts, bootstrapper: Bootstrapper, stopping: asyncio.Event
) -> Callable[[], Awaitable[None]]:
    async def ready() -> None:
        if stopping.is_set():
            raise Unavailable("this process is stopping", retry_after=1.0)
        try:
            await within(_CHECK_SECONDS, accounts.check())
        except TimeoutError:
            raise Unavailable("the database does not answer; try again", retry_after=1.0) from None
        await bootstrapper.check()

    return ready
