"""The queue process, put together: settings, resources, use cases, servicers, background work."""

from __future__ import annotations

import random
from dataclasses import dataclass

from outbound.agent.v1 import agent_service_pb2_grpc as agent_grpc
from outbound.queue.v1 import queue_service_pb2_grpc as queue_grpc

from services.common.auth import TokenVerifier
from services.common.backoff import keep_running
from services.common.bus import Bus
from services.common.clients import TlsFiles
from services.common.clock import Clock
from services.common.config import masked
from services.common.db import create_engine
from services.common.log import get_logger
from services.common.outbox import Outbox, Relay
from services.common.server import AddServicer, ServerParts, serve
from services.queue.agents.passwords import ArgonPasswords
from services.queue.agents.ports import Passwords
from services.queue.agents.rpc import AgentServicer
from services.queue.agents.service import AgentService
from services.queue.agents.service_tags import TagService
from services.queue.config import QueueSettings
from services.queue.events import OutboxEvents
from services.queue.queues.rpc import QueueServicer, QueueServices
from services.queue.queues.service import QueueService
from services.queue.queues.service_assigning import AssigningService
from services.queue.queues.service_capacity import CapacityService
from services.queue.queues.service_queuecalls import QueuecallService
from services.queue.queues.service_reporting import Reporting
from services.queue.queues.service_sweeping import Alarm, Sweeper
from services.queue.storage import PostgresTransactions, check

NAME = "queue"


@dataclass(frozen=True, kw_only=True)
class Services:
    """The use cases of the process, on given resources."""

    agents: AgentService
    tags: TagService
    queues: QueueServices
    sweeper: Sweeper
    clock: Clock

    def servicers(self) -> list[tuple[AddServicer, object]]:
        """What to add to a gRPC server."""
        agents = AgentServicer(self.agents, self.tags)
        queues = QueueServicer(self.queues, self.clock)
        return [
            (agent_grpc.add_AgentServiceServicer_to_server, agents),
            (queue_grpc.add_QueueServiceServicer_to_server, queues),
        ]


def build(
    *,
    begin: PostgresTransactions,
    clock: Clock,
    passwords: Passwords,
    chance: random.Random | None = None,
) -> Services:
    """The use cases on these resources."""
    alarm = Alarm(clock)
    return Services(
        agents=AgentService(begin=begin, clock=clock, passwords=passwords),
        tags=TagService(begin=begin, clock=clock),
        queues=QueueServices(
            queues=QueueService(begin=begin, clock=clock),
            queuecalls=QueuecallService(begin=begin, clock=clock),
            capacity=CapacityService(begin=begin, clock=clock),
            assigning=AssigningService(
                begin=begin, clock=clock, due=alarm, chance=chance or random.Random()
            ),
            reporting=Reporting(begin=begin, due=alarm),
        ),
        sweeper=Sweeper(begin=begin, clock=clock, alarm=alarm),
        clock=clock,
    )


async def parts(settings: QueueSettings, *, clock: Clock | None = None) -> ServerParts:
    """The process with everything connected, ready to be served."""
    clock = clock or settings.clock()
    engine = create_engine(
        settings.database_url,
        NAME,
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_overflow,
    )
    bus = await Bus.connect(settings.nats_url, settings.nats_credentials, NAME)
    relay = Relay(engine, bus, NAME)
    outbox = Outbox(clock, relay)
    passwords = ArgonPasswords()
    services = build(
        begin=PostgresTransactions(engine, lambda: OutboxEvents(outbox)),
        clock=clock,
        passwords=passwords,
    )
    return ServerParts(
        name=NAME,
        listen=settings.grpc_listen,
        metrics_listen=settings.metrics_listen,
        verifier=TokenVerifier.load(settings, NAME),
        servicers=services.servicers(),
        checks=[lambda: check(engine), lambda: _check_bus(bus, settings)],
        background=[
            ("relay", relay.run),
            ("sweeper", lambda: keep_running("sweeper", services.sweeper.run)),
        ],
        on_close=[passwords.close, bus.close, engine.dispose],
        drain_seconds=settings.drain_seconds,
        tls=TlsFiles.of(settings),
    )


async def run(settings: QueueSettings, *, clock: Clock | None = None) -> None:
    """Serve until told to stop."""
    get_logger().info("settings", **masked(settings))
    await serve(await parts(settings, clock=clock))


async def _check_bus(bus: Bus, settings: QueueSettings) -> None:
    await bus.check()
    await bus.ensure_stream(
        max_age_seconds=settings.events_max_age_seconds, replicas=settings.events_replicas
    )
