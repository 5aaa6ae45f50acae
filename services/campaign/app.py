"""The campaign process, put together: settings, resources, services, servicers, background work."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from outbound.campaign.v1 import campaign_service_pb2_grpc as campaign_grpc
from outbound.flow.v1 import flow_service_pb2_grpc as flow_grpc
from outbound.outdial.v1 import outdial_service_pb2_grpc as outdial_grpc
from outbound.outplan.v1 import outplan_service_pb2_grpc as outplan_grpc
from outbound.queue.v1 import queue_service_pb2_grpc as queue_grpc

from services.campaign.campaigncalls.service import CampaigncallService
from services.campaign.campaigns.clients import GrpcOutdials, GrpcQueues
from services.campaign.campaigns.domain_leases import RunLimits
from services.campaign.campaigns.ports import Outdials
from services.campaign.campaigns.rpc import CampaignServicer
from services.campaign.campaigns.service import CampaignService
from services.campaign.campaigns.service_leases import LeaseService
from services.campaign.campaigns.service_queues import QueueUseService
from services.campaign.campaigns.service_references import References
from services.campaign.campaigns.service_runs import RunService
from services.campaign.config import CampaignSettings
from services.campaign.events import OutboxEvents
from services.campaign.flows.ports import Queues
from services.campaign.flows.rpc import FlowServicer
from services.campaign.flows.service import FlowService
from services.campaign.outplans.rpc import OutplanServicer
from services.campaign.outplans.service import OutplanService
from services.campaign.storage import Transactions, check
from services.common.auth import Role
from services.common.backoff import every
from services.common.clock import Clock
from services.common.foundation import Foundation
from services.common.log import get_logger
from services.common.server import AddServicer, ServerParts

NAME = "campaign"
SWEEP_EVERY_SECONDS = 1.0
SETTLE_EVERY_SECONDS = 5.0
PURGE_EVERY_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class Services:
    """The use cases of the process, on given resources."""

    campaigns: CampaignService
    references: References
    leases: LeaseService
    runs: RunService
    queue_uses: QueueUseService
    campaigncalls: CampaigncallService
    outplans: OutplanService
    flows: FlowService

    def servicers(self) -> list[tuple[AddServicer, object]]:
        """What to add to a gRPC server."""
        campaign = CampaignServicer(
            campaigns=self.campaigns,
            leases=self.leases,
            runs=self.runs,
            queue_uses=self.queue_uses,
            campaigncalls=self.campaigncalls,
        )
        return [
            (campaign_grpc.add_CampaignServiceServicer_to_server, campaign),
            (outplan_grpc.add_OutplanServiceServicer_to_server, OutplanServicer(self.outplans)),
            (flow_grpc.add_FlowServiceServicer_to_server, FlowServicer(self.flows)),
        ]


def wire(
    *,
    begin: Transactions,
    outdials: Outdials,
    queues: Queues,
    clock: Clock,
    limits: RunLimits,
) -> Services:
    """The use cases on these resources."""
    references = References(begin=begin, outdials=outdials, queues=queues)
    return Services(
        campaigns=CampaignService(begin=begin, references=references, clock=clock),
        references=references,
        leases=LeaseService(begin=begin, limits=limits),
        runs=RunService(begin=begin, references=references, clock=clock),
        queue_uses=QueueUseService(begin=begin),
        campaigncalls=CampaigncallService(
            begin=begin,
            clock=clock,
            max_conversation=timedelta(milliseconds=limits.max_conversation_ms),
        ),
        outplans=OutplanService(begin=begin, clock=clock),
        flows=FlowService(begin=begin, queues=queues, clock=clock),
    )


async def build(settings: CampaignSettings, *, clock: Clock | None = None) -> ServerParts:
    """Everything the process consists of, connected but not serving yet."""
    base = await Foundation.open(settings, NAME, clock=clock)
    outdial = base.channels.channel(settings.outdial_address, Role.OUTDIAL)
    queue = base.channels.channel(settings.queue_address, Role.QUEUE)
    services = wire(
        begin=Transactions(base.engine, lambda: OutboxEvents(base.outbox)),
        outdials=GrpcOutdials(outdial_grpc.OutdialServiceStub(outdial)),
        queues=GrpcQueues(queue_grpc.QueueServiceStub(queue)),
        clock=base.clock,
        limits=RunLimits(
            settings.default_calls_per_second,
            settings.default_max_concurrent,
            settings.max_conversation_ms,
        ),
    )
    return base.parts(
        servicers=services.servicers(),
        checks=[lambda: check(base.engine)],
        background=[
            ("sweeper", lambda: every("sweeper", SWEEP_EVERY_SECONDS, lambda: sweep(services))),
            (
                "bindings",
                lambda: every("bindings", SETTLE_EVERY_SECONDS, services.references.settle_due),
            ),
            ("purge", lambda: every("purge", PURGE_EVERY_SECONDS, services.campaigncalls.purge)),
        ],
    )


async def sweep(services: Services) -> None:
    """Close every attempt far past its deadline."""
    while closed := await services.campaigncalls.sweep():
        get_logger().warning("attempts_swept", count=closed)
        await asyncio.sleep(0)
