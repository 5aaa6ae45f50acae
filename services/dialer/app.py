"""The dialer process, put together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import grpc
from outbound.dialer.v1 import dialer_service_pb2_grpc as dialer_grpc

from services.common.backoff import every
from services.common.bus import Bus
from services.common.clients import CHANNEL_OPTIONS
from services.common.clock import Clock
from services.common.errors import Unavailable
from services.common.foundation import Foundation
from services.common.process import Background
from services.common.server import ServerParts
from services.dialer.clients import (
    CampaignsClient,
    FlowsClient,
    PeersClient,
    QueuesClient,
    TargetsClient,
)
from services.dialer.config import DialerSettings
from services.dialer.domain.calls import DialerEntry
from services.dialer.drivers.simulated import SimulatedTelephony
from services.dialer.events import (
    AGENT_HINTS,
    CAMPAIGN_HINTS,
    TARGET_HINTS,
    Hints,
    to_event,
)
from services.dialer.ports import Registry
from services.dialer.rpc import DialerServicer
from services.dialer.service import DialerService
from services.dialer.storage import PostgresRecords, PostgresRegistry
from services.dialer.system import DialerSystem, Limits, Ports
from services.dialer.telephony import Telephony

NAME = "dialer"
BEAT_SECONDS = 2.0
LEASE_SILENCE_SECONDS = 15.0
"""A dialer that has not reached the campaign service for so long is not healthy (real)."""


async def build(
    settings: DialerSettings,
    *,
    clock: Clock | None = None,
    telephony: Telephony | None = None,
) -> ServerParts:
    """Everything the process consists of, connected but not serving yet."""
    base = await Foundation.open(settings, NAME, clock=clock)
    clock, channel = base.clock, base.channels.channel
    campaign = channel(settings.campaign_address, "campaign")
    registry = PostgresRegistry(base.engine)
    ports = Ports(
        campaigns=CampaignsClient(campaign, settings.dialer_id),
        targets=TargetsClient(channel(settings.outdial_address, "outdial")),
        queues=QueuesClient(channel(settings.queue_address, "queue"), settings.dialer_id),
        records=PostgresRecords(base.engine, base.outbox, clock, to_event),
        registry=registry,
        telephony=telephony or carrier(settings, clock),
        clock=clock,
    )
    system = DialerSystem(
        ports,
        Limits(
            dialer_id=settings.dialer_id,
            capacity=settings.dialer_capacity,
            max_duration_ms=settings.dialer_max_duration_ms,
        ),
    )
    service = DialerService(
        live=system.live,
        records=ports.records,
        registry=registry,
        peers=PeersClient(lambda address: channel(address, NAME)),
        flows=FlowsClient(campaign),
        clock=clock,
        dialer_id=settings.dialer_id,
    )
    await _listen(base.bus, system)
    return base.parts(
        servicers=[
            (dialer_grpc.add_DialerServiceServicer_to_server, DialerServicer(service)),
        ],
        checks=[
            partial(_check, ports.telephony, system),
            partial(_check_database, registry),
        ],
        background=[
            ("carrier", ports.telephony.run),
            ("registry", _beating(registry, settings, clock)),
            *system.background(),
        ],
        on_drain=[system.drain],
        on_close=[partial(registry.leave, settings.dialer_id)],
        fields={"dialer": settings.dialer_id},
    )


def carrier(settings: DialerSettings, clock: Clock) -> Telephony:
    """The driver that the settings name."""
    if not settings.simnet_address:
        raise SystemExit(
            "OUTBOUND_SIMNET_ADDRESS: required by OUTBOUND_CARRIER=simulated, host:port"
        )
    return SimulatedTelephony(
        open_channel=_plain_channel(settings.simnet_address),
        dialer=settings.dialer_id,
        clock=clock,
    )


def _plain_channel(address: str) -> Callable[[], grpc.aio.Channel]:
    # The simulated network is outside our trust: it knows no tokens and gets none.
    return lambda: grpc.aio.insecure_channel(address, options=list(CHANNEL_OPTIONS))


async def _listen(bus: Bus, system: DialerSystem) -> None:
    hints = Hints(
        campaigns_changed=system.campaigns_changed,
        targets_changed=system.targets_changed,
        agents_changed=system.agents_changed,
    )
    await bus.listen(CAMPAIGN_HINTS, hints.on_campaign)
    await bus.listen(TARGET_HINTS, hints.on_target)
    await bus.listen(AGENT_HINTS, hints.on_agent)


async def _check(telephony: Telephony, system: DialerSystem) -> None:
    """For health checks: the network and the campaign service are there."""
    if not telephony.connected:
        raise Unavailable("no link to the telephone network")
    if system.keeper.seconds_since_success > LEASE_SILENCE_SECONDS:
        raise Unavailable("the campaign service does not answer")


async def _check_database(registry: Registry) -> None:
    await registry.living()


def _beating(registry: Registry, settings: DialerSettings, clock: Clock) -> Background:
    entry = DialerEntry(settings.dialer_id, settings.dialer_advertise or settings.grpc_listen)

    async def beat() -> None:
        await every("registry", BEAT_SECONDS, lambda: registry.beat(entry), clock=clock)

    return beat
