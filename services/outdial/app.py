"""The outdial process, put together: settings, resources, services, servicers, background work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from outbound.outdial.v1 import outdial_service_pb2_grpc as outdial_grpc

from services.common.auth import Role
from services.common.backoff import every
from services.common.bus import Consumer
from services.common.clock import Clock
from services.common.foundation import Foundation
from services.common.process import Background
from services.common.server import AddServicer, ServerParts
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
    """The use cases of the process, on given resources."""

    outdials: OutdialService
    targets: TargetService
    dialing: DialingService
    imports: ImportService

    def servicers(self) -> list[tuple[AddServicer, object]]:
        """What to add to a gRPC server."""
        servicer = OutdialServicer(
            outdials=self.outdials,
            targets=self.targets,
            dialing=self.dialing,
            imports=self.imports,
        )
        return [(outdial_grpc.add_OutdialServiceServicer_to_server, servicer)]


def wire(
    *,
    begin: Begin,
    campaigns: Campaigns,
    clock: Clock,
    timing: Timing | None = None,
) -> Services:
    """The use cases on these resources."""
    return Services(
        outdials=OutdialService(begin=begin, campaigns=campaigns, clock=clock),
        targets=TargetService(begin=begin, clock=clock),
        dialing=DialingService(begin=begin, campaigns=campaigns, clock=clock, timing=timing),
        imports=ImportService(begin=begin, clock=clock),
    )


async def build(settings: OutdialSettings, *, clock: Clock | None = None) -> ServerParts:
    """Everything the process consists of, connected but not serving yet."""
    base = await Foundation.open(settings, NAME, clock=clock)
    services = wire(
        begin=begin(base.engine, lambda: OutboxEvents(base.outbox)),
        campaigns=CampaignClient(base.channels.channel(settings.campaign_address, Role.CAMPAIGN)),
        clock=base.clock,
        timing=Timing(
            claim_expiry=timedelta(seconds=settings.claim_expiry_seconds),
            ask_again=timedelta(seconds=settings.claim_ask_again_seconds),
        ),
    )
    return base.parts(
        servicers=services.servicers(),
        checks=[lambda: check(base.engine)],
        background=_background(settings, base, services),
    )


def _background(
    settings: OutdialSettings, base: Foundation, services: Services
) -> list[tuple[str, Background]]:
    dialing, clock = services.dialing, base.clock
    settle = Consumer(base.bus, SETTLE_DURABLE, SETTLE_FILTERS, SettleHandler(dialing))
    outplans = Consumer(base.bus, OUTPLAN_DURABLE, OUTPLAN_FILTERS, OutplanHandler(dialing))

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
