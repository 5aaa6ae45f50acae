"""The dialer process, put together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

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
from services.dialer.clients_http import HttpClient
from services.dialer.config import DialerSettings
from services.dialer.domain.calls import DialerEntry
from services.dialer.drivers.asterisk.configuration import ConfigurationError, load
from services.dialer.drivers.asterisk.driver import AsteriskTelephony
from services.dialer.drivers.asterisk.media_web import MediaWeb
from services.dialer.drivers.asterisk.sounds import Sounds
from services.dialer.drivers.asterisk.speech import EspeakEngine, SoundWorker
from services.dialer.drivers.simulated import SimulatedTelephony
from services.dialer.events import (
    AGENT_HINTS,
    CAMPAIGN_HINTS,
    QUEUECALL_HINTS,
    TARGET_HINTS,
    Hints,
    to_event,
)
from services.dialer.ports import Registry, Slots
from services.dialer.rpc import DialerServicer
from services.dialer.service import DialerService
from services.dialer.service_recordings import RecordingService
from services.dialer.storage import PostgresRecords, PostgresRegistry
from services.dialer.storage_files import FolderRecordingFiles
from services.dialer.storage_recordings import PostgresRecordings, PostgresWebhooks
from services.dialer.storage_slots import PostgresSlots
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
    http = HttpClient(allows_private=settings.http_private_addresses, seconds=settings.http_seconds)
    ports = _ports(base, settings, http, telephony)
    registry, clock = ports.registry, ports.clock
    peers = PeersClient(lambda address: base.channels.channel(address, NAME))
    system = DialerSystem(
        ports,
        Limits(
            dialer_id=settings.dialer_id,
            capacity=settings.dialer_capacity,
            recordings_keep_days=settings.recordings_keep_days,
        ),
    )
    service = DialerService(
        live=system.live,
        records=ports.records,
        registry=registry,
        peers=peers,
        flows=ports.flows,
        clock=clock,
        dialer_id=settings.dialer_id,
    )
    recordings = RecordingService(
        recordings=ports.recordings,
        files=ports.files,
        registry=registry,
        peers=peers,
        dialer_id=settings.dialer_id,
    )
    await _listen(base.bus, system)
    return base.parts(
        servicers=[
            (
                dialer_grpc.add_DialerServiceServicer_to_server,
                DialerServicer(service, recordings),
            ),
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
        on_close=[partial(registry.leave, settings.dialer_id), http.close],
        fields={"dialer": settings.dialer_id},
    )


def _ports(
    base: Foundation, settings: DialerSettings, http: HttpClient, telephony: Telephony | None
) -> Ports:
    """The world the dialer works in, on the process's connections."""
    clock, channel = base.clock, base.channels.channel
    campaign = channel(settings.campaign_address, "campaign")
    files = Path(settings.recordings_dir) if settings.recordings_dir else None
    return Ports(
        campaigns=CampaignsClient(campaign, settings.dialer_id),
        targets=TargetsClient(channel(settings.outdial_address, "outdial")),
        queues=QueuesClient(channel(settings.queue_address, "queue"), settings.dialer_id),
        flows=FlowsClient(campaign),
        records=PostgresRecords(base.engine, base.outbox, clock, to_event),
        registry=PostgresRegistry(base.engine),
        recordings=PostgresRecordings(base.engine, base.outbox, clock, to_event),
        webhooks=PostgresWebhooks(base.engine),
        http=http,
        files=FolderRecordingFiles(files),
        telephony=telephony or carrier(settings, clock, PostgresSlots(base.engine)),
        clock=clock,
    )


def carrier(settings: DialerSettings, clock: Clock, slots: Slots) -> Telephony:
    """The driver that the settings name."""
    if settings.carrier == "asterisk":
        return _asterisk(settings, clock, slots)
    if not settings.simnet_address:
        raise SystemExit(
            "OUTBOUND_SIMNET_ADDRESS: required by OUTBOUND_CARRIER=simulated, host:port"
        )
    return SimulatedTelephony(
        open_channel=_plain_channel(settings.simnet_address),
        dialer=settings.dialer_id,
        clock=clock,
    )


def _asterisk(settings: DialerSettings, clock: Clock, slots: Slots) -> Telephony:
    try:
        configuration = load(Path(settings.asterisk_file))
    except ConfigurationError as error:
        raise SystemExit(f"OUTBOUND_ASTERISK_FILE: {error}") from error
    worker = SoundWorker()
    sounds = Sounds(
        Path(settings.speech_cache_dir).absolute(),
        Path(settings.media_dir).absolute() if settings.media_dir else None,
        EspeakEngine(worker, settings.speech_voice),
        worker,
        clock,
        web=MediaWeb(allows_private=settings.http_private_addresses),
        most_bytes=settings.speech_cache_bytes,
    )
    recordings = Path(settings.recordings_dir).absolute() if settings.recordings_dir else None
    return AsteriskTelephony(
        configuration,
        slots=slots,
        dialer_id=settings.dialer_id,
        clock=clock,
        sounds=sounds,
        recordings_folder=recordings,
    )


def _plain_channel(address: str) -> Callable[[], grpc.aio.Channel]:
    # The simulated network is outside our trust: it knows no tokens and gets none.
    return lambda: grpc.aio.insecure_channel(address, options=list(CHANNEL_OPTIONS))


async def _listen(bus: Bus, system: DialerSystem) -> None:
    hints = Hints(
        campaigns_changed=system.campaigns_changed,
        targets_changed=system.targets_changed,
        agents_changed=system.agents_changed,
        queuecalls_ended=system.queuecalls_ended,
    )
    await bus.listen(CAMPAIGN_HINTS, hints.on_campaign)
    await bus.listen(TARGET_HINTS, hints.on_target)
    await bus.listen(AGENT_HINTS, hints.on_agent)
    await bus.listen(QUEUECALL_HINTS, hints.on_queuecall)


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
