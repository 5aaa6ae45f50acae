"""The outdial process, put together."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from datetime import timedelta

from outbound.outdial.v1 import outdial_service_pb2_grpc as outdial_grpc

from services.common import db
from services.common.auth import TokenIssuer, TokenVerifier
from services.common.backoff import every
from services.common.bus import Bus, Consumer
from services.common.clients import Channels, TlsFiles
from services.common.clock import Clock
from services.common.config import masked
from services.common.log import configure, get_logger
from services.common.outbox import Outbox, Relay
from services.common.server import Background, ServerParts, serve
from services.outdial.clients import CampaignClient
from services.outdial.config import OutdialSettings
from services.outdial.events import (
    OUTPLAN_DURABLE,
    OUTPLAN_FILTERS,
    SETTLE_DURABLE,
    SETTLE_FILTERS,
    OutboxEvents,
    OutplanHandler,
    SettleHandler,
)
from services.outdial.ports import Begin, Campaigns
from services.outdial.rpc import OutdialServicer
from services.outdial.service import OutdialService
from services.outdial.service_dialing import DialingService, Timing
from services.outdial.service_imports import ImportService
from services.outdial.service_targets import TargetService
from services.outdial.storage import begin, check

NAME = "outdial"
_CLEAN_SECONDS = 600.0


@dataclass(frozen=True)
class Services:
    """The use cases, wired."""

    outdials: OutdialService
    targets: TargetService
    dialing: DialingService
    imports: ImportService

    def servicer(self) -> OutdialServicer:
        """The RPCs on them."""
        return OutdialServicer(
            outdials=self.outdials,
            targets=self.targets,
            dialing=self.dialing,
            imports=self.imports,
        )


def wire(
    *,
    transactions: Begin,
    campaigns: Campaigns,
    clock: Clock,
    timing: Timing | None = None,
) -> Services:
    """The use cases, on this storage and beside this campaign service."""
    return Services(
        outdials=OutdialService(begin=transactions, campaigns=campaigns, clock=clock),
        targets=TargetService(begin=transactions, clock=clock),
        dialing=DialingService(begin=transactions, campaigns=campaigns, clock=clock, timing=timing),
        imports=ImportService(begin=transactions, clock=clock),
    )


async def build(settings: OutdialSettings, *, clock: Clock | None = None) -> ServerParts:
    """Everything the process consists of, connected but not serving yet."""
    clock = clock or settings.clock()
    engine = db.create_engine(
        settings.database_url,
        NAME,
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_overflow,
    )
    bus = await Bus.connect(settings.nats_url, settings.nats_credentials, NAME)
    relay = Relay(engine, bus, NAME)
    outbox = Outbox(clock, relay)
    tls = TlsFiles.of(settings)
    channels = Channels(TokenIssuer.load(settings, NAME), tls=tls)
    services = wire(
        transactions=begin(engine, lambda: OutboxEvents(outbox)),
        campaigns=CampaignClient(channels.channel(settings.campaign_address, "campaign")),
        clock=clock,
        timing=Timing(
            claim_expiry=timedelta(seconds=settings.claim_expiry_seconds),
            ask_again=timedelta(seconds=settings.claim_ask_again_seconds),
        ),
    )
    return ServerParts(
        name=NAME,
        listen=settings.grpc_listen,
        metrics_listen=settings.metrics_listen,
        verifier=TokenVerifier.load(settings, NAME),
        servicers=[(outdial_grpc.add_OutdialServiceServicer_to_server, services.servicer())],
        checks=[lambda: check(engine), lambda: _stream(bus, settings)],
        background=[("relay", relay.run), *_background(settings, bus, services, clock)],
        on_close=[channels.close, bus.close, engine.dispose],
        drain_seconds=settings.drain_seconds,
        tls=tls,
    )


async def _stream(bus: Bus, settings: OutdialSettings) -> None:
    """For health checks: NATS is there, with the stream."""
    await bus.check()
    await bus.ensure_stream(
        max_age_seconds=settings.events_max_age_seconds, replicas=settings.events_replicas
    )


def _background(
    settings: OutdialSettings, bus: Bus, services: Services, clock: Clock
) -> list[tuple[str, Background]]:
    dialing = services.dialing
    settle = Consumer(bus, SETTLE_DURABLE, SETTLE_FILTERS, SettleHandler(dialing))
    outplans = Consumer(bus, OUTPLAN_DURABLE, OUTPLAN_FILTERS, OutplanHandler(dialing))

    async def expire() -> None:
        await every("expiry", settings.upkeep_seconds, dialing.resolve_expired, clock=clock)

    async def reopen() -> None:
        wake = dialing.reopening_begun
        await every("reopening", settings.upkeep_seconds, dialing.reopen, clock=clock, wake=wake)

    async def clean() -> None:
        await every("imports", _CLEAN_SECONDS, services.imports.clean, clock=clock)

    return [
        ("settle", settle.run),
        ("outplans", outplans.run),
        ("expiry", expire),
        ("reopening", reopen),
        ("imports", clean),
    ]


async def run(settings: OutdialSettings, *, clock: Clock | None = None) -> None:
    """Serve until told to stop."""
    configure(NAME, settings.log_level)
    get_logger().info("settings", **masked(settings))
    parts = await build(settings, clock=clock)
    # What is loaded by now stays: looking through it again at every full collection, which imports
    # cause in plenty, would hold up claims for 60 ms each time (measured; 10 ms without).
    gc.collect()
    gc.freeze()
    await serve(parts)
