"""The queue process, put together: settings, resources, use cases, servicers, background work."""

from __future__ import annotations

import random
from dataclasses import dataclass

from outbound.agent.v1 import agent_service_pb2_grpc as agent_grpc
from outbound.queue.v1 import queue_service_pb2_grpc as queue_grpc

from services.common.auth import Role
from services.common.backoff import keep_running
from services.common.clock import Clock
from services.common.foundation import Foundation
from services.common.server import AddServicer, ServerParts
from services.queue.agents.passwords import ArgonPasswords
from services.queue.agents.ports import Passwords
from services.queue.agents.rpc import AgentServicer
from services.queue.agents.service import AgentService
from services.queue.agents.service_tags import TagService
from services.queue.clients import GrpcCampaigns, NoCampaigns
from services.queue.config import QueueSettings
from services.queue.events import OutboxEvents
from services.queue.queues.ports import Campaigns
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


def wire(
    *,
    begin: PostgresTransactions,
    clock: Clock,
    passwords: Passwords,
    campaigns: Campaigns,
    chance: random.Random | None = None,
) -> Services:
    """The use cases on these resources."""
    alarm = Alarm(clock)
    return Services(
        agents=AgentService(begin=begin, clock=clock, passwords=passwords),
        tags=TagService(begin=begin, clock=clock),
        queues=QueueServices(
            queues=QueueService(begin=begin, campaigns=campaigns, clock=clock),
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


async def build(settings: QueueSettings, *, clock: Clock | None = None) -> ServerParts:
    """Everything the process consists of, connected but not serving yet."""
    base = await Foundation.open(settings, NAME, clock=clock)
    passwords = ArgonPasswords()
    services = wire(
        begin=PostgresTransactions(base.engine, lambda: OutboxEvents(base.outbox)),
        clock=base.clock,
        passwords=passwords,
        campaigns=_campaigns(base, settings.campaign_address),
    )
    return base.parts(
        servicers=services.servicers(),
        checks=[lambda: check(base.engine)],
        background=[("sweeper", lambda: keep_running("sweeper", services.sweeper.run))],
        on_close=[passwords.close],
    )


def _campaigns(base: Foundation, address: str) -> Campaigns:
    return (
        GrpcCampaigns(base.channels.channel(address, Role.CAMPAIGN)) if address else NoCampaigns()
    )
