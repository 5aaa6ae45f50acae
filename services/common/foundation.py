"""What every process stands on, and how each of them is started.

A process's `app.py` opens a Foundation, wires its use cases on it, and hands back its parts.
"""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from services.common.auth import TokenIssuer, TokenVerifier
from services.common.bus import Bus
from services.common.clients import Channels, TlsFiles
from services.common.clock import Clock
from services.common.config import ServiceSettings, load, masked
from services.common.db import create_engine
from services.common.jetstream import CONNECT_SECONDS
from services.common.log import configure, get_logger
from services.common.outbox import Outbox, Relay
from services.common.process import Background, Hook, Process, run, serve
from services.common.server import AddServicer, Server, ServerParts

Settings = TypeVar("Settings", bound=ServiceSettings)


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """The connections of one process, as its settings say. `name` is also its schema and its issuer."""

    name: str
    settings: ServiceSettings
    clock: Clock
    tls: TlsFiles | None
    engine: AsyncEngine
    bus: Bus
    relay: Relay
    outbox: Outbox
    channels: Channels

    @classmethod
    async def open(
        cls,
        settings: ServiceSettings,
        name: str,
        *,
        clock: Clock | None = None,
        nats_wait: float = CONNECT_SECONDS,
    ) -> Foundation:
        """Connected as far as the others are there; NATS is waited for that many real seconds."""
        clock, tls = clock or settings.clock(), TlsFiles.of(settings)
        engine = create_engine(
            settings.database_url,
            name,
            pool_size=settings.database_pool_size,
            max_overflow=settings.database_pool_overflow,
        )
        bus = await Bus.connect(
            settings.nats_url,
            settings.nats_credentials,
            settings.process_name(name),
            wait=nats_wait,
        )
        relay = Relay(engine, bus, name)
        return cls(
            name=name,
            settings=settings,
            clock=clock,
            tls=tls,
            engine=engine,
            bus=bus,
            relay=relay,
            outbox=Outbox(clock, relay),
            channels=Channels(TokenIssuer.load(settings, name), tls=tls),
        )

    def parts(
        self,
        *,
        servicers: Sequence[tuple[AddServicer, object]],
        checks: Sequence[Hook],
        background: Sequence[tuple[str, Background]] = (),
        on_drain: Sequence[Hook] = (),
        on_close: Sequence[Hook] = (),
        fields: dict[str, Any] | None = None,
    ) -> ServerParts:
        """The process, ready to be served: what is given, and what belongs to every one.

        `on_close` comes before the connections are closed.
        """
        settings = self.settings
        return ServerParts(
            name=self.name,
            listen=settings.grpc_listen,
            metrics_listen=settings.metrics_listen,
            verifier=TokenVerifier.load(settings, self.name),
            servicers=servicers,
            checks=[*checks, self.check_stream],
            background=[("relay", self.relay.run), *background],
            on_drain=on_drain,
            on_close=[*on_close, *self.closing],
            drain_seconds=settings.drain_seconds,
            tls=self.tls,
            fields=fields or {},
        )

    @property
    def closing(self) -> Sequence[Hook]:
        """Closes the connections, those first that use others."""
        return self.channels.close, self.bus.close, self.engine.dispose

    async def check_stream(self) -> None:
        """For health checks: NATS is there, with the stream."""
        await self.bus.check()
        await self.bus.ensure_stream(
            max_age_seconds=self.settings.events_max_age_seconds,
            replicas=self.settings.events_replicas,
        )


def main(
    settings_class: type[Settings],
    name: str,
    build: Callable[[Settings], Awaitable[ServerParts | Process]],
) -> NoReturn:
    """Run a process until a signal: read its settings, say what they are, build and serve it."""
    settings = load(settings_class)
    configure(settings.process_name(name), settings.log_level)
    get_logger().info("settings", **masked(settings))
    run(_serve(build, settings))


async def _serve(
    build: Callable[[Settings], Awaitable[ServerParts | Process]], settings: Settings
) -> None:
    made = await build(settings)
    # What is loaded by now stays: looking through it again at every full collection, which imports
    # cause in plenty, would hold up claims for 60 ms each time (measured; 10 ms without).
    gc.collect()
    gc.freeze()
    await serve(Server(made) if isinstance(made, ServerParts) else made)
