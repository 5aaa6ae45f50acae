"""CampaignService over gRPC: campaigns, leases and runs; the attempts are in campaigncalls/rpc.py."""

from __future__ import annotations

from typing import Any

from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.campaign.v1 import campaign_service_pb2_grpc as campaign_grpc

from services.campaign.campaigncalls.convert import dialer_id_of
from services.campaign.campaigncalls.rpc import CampaigncallMethods
from services.campaign.campaigncalls.service import CampaigncallService
from services.campaign.campaigns.convert import (
    campaign_to_proto,
    change_from_proto,
    draft_from_proto,
    held_from_proto,
    lease_to_proto,
    run_end_from_proto,
    stats_to_proto,
    transition_of,
)
from services.campaign.campaigns.service import CampaignService
from services.campaign.campaigns.service_leases import LeaseService
from services.campaign.campaigns.service_queues import QueueUseService
from services.campaign.campaigns.service_runs import RunService
from services.common.auth import Role, require_customer, require_role
from services.common.errors import invalid
from services.common.ids import parse_id
from services.common.paging import page_request

MAX_CAPACITY = 10_000


class CampaignServicer(CampaigncallMethods, campaign_grpc.CampaignServiceServicer):
    """Parses, calls the services, converts."""

    def __init__(
        self,
        *,
        campaigns: CampaignService,
        leases: LeaseService,
        runs: RunService,
        queue_uses: QueueUseService,
        campaigncalls: CampaigncallService,
    ) -> None:
        super().__init__(campaigncalls)
        self._campaigns = campaigns
        self._leases = leases
        self._runs = runs
        self._queue_uses = queue_uses

    async def CreateCampaign(
        self, request: campaign_pb.CreateCampaignRequest, context: Any
    ) -> campaign_pb.Campaign:
        """See the proto."""
        customer_id, draft = require_customer(), draft_from_proto(request)
        return campaign_to_proto(await self._campaigns.create_campaign(customer_id, draft))

    async def GetCampaign(
        self, request: campaign_pb.GetCampaignRequest, context: Any
    ) -> campaign_pb.Campaign:
        """See the proto."""
        customer_id, campaign_id = require_customer(), parse_id(request.id, "id")
        return campaign_to_proto(await self._campaigns.get_campaign(customer_id, campaign_id))

    async def ListCampaigns(
        self, request: campaign_pb.ListCampaignsRequest, context: Any
    ) -> campaign_pb.ListCampaignsResponse:
        """See the proto."""
        page = page_request(request.page_size, request.page_token)
        campaigns, token = await self._campaigns.list_campaigns(require_customer(), page)
        return campaign_pb.ListCampaignsResponse(
            campaigns=map(campaign_to_proto, campaigns), next_page_token=token
        )

    async def UpdateCampaign(
        self, request: campaign_pb.UpdateCampaignRequest, context: Any
    ) -> campaign_pb.Campaign:
        """See the proto."""
        customer_id, campaign_id = require_customer(), parse_id(request.id, "id")
        wanted = change_from_proto(request)
        transition = None
        if request.HasField("status"):
            transition = transition_of(request.status, request.stop_mode)
        return campaign_to_proto(
            await self._campaigns.update_campaign(customer_id, campaign_id, wanted, transition)
        )

    async def DeleteCampaign(
        self, request: campaign_pb.DeleteCampaignRequest, context: Any
    ) -> campaign_pb.Campaign:
        """See the proto."""
        customer_id, campaign_id = require_customer(), parse_id(request.id, "id")
        return campaign_to_proto(await self._campaigns.delete_campaign(customer_id, campaign_id))

    async def SetCampaignStatus(
        self, request: campaign_pb.SetCampaignStatusRequest, context: Any
    ) -> campaign_pb.Campaign:
        """See the proto."""
        customer_id, campaign_id = require_customer(), parse_id(request.id, "id")
        transition = transition_of(request.status, request.stop_mode)
        return campaign_to_proto(
            await self._campaigns.set_campaign_status(customer_id, campaign_id, transition)
        )

    async def GetCampaignStats(
        self, request: campaign_pb.GetCampaignStatsRequest, context: Any
    ) -> campaign_pb.CampaignStats:
        """See the proto."""
        customer_id, campaign_id = require_customer(), parse_id(request.id, "id")
        return stats_to_proto(await self._campaigns.get_campaign_stats(customer_id, campaign_id))

    async def AcquireLeases(
        self, request: campaign_pb.AcquireLeasesRequest, context: Any
    ) -> campaign_pb.AcquireLeasesResponse:
        """See the proto."""
        require_role(Role.DIALER)
        if not 0 <= request.capacity <= MAX_CAPACITY:
            raise invalid("capacity", request.capacity, f"0 to {MAX_CAPACITY}")
        leases = await self._leases.acquire_leases(
            dialer_id_of(request.dialer_id), request.capacity, held_from_proto(request.held)
        )
        return campaign_pb.AcquireLeasesResponse(leases=map(lease_to_proto, leases))

    async def ReleaseLeases(
        self, request: campaign_pb.ReleaseLeasesRequest, context: Any
    ) -> campaign_pb.ReleaseLeasesResponse:
        """See the proto."""
        require_role(Role.DIALER)
        await self._leases.release_leases(
            dialer_id_of(request.dialer_id), held_from_proto(request.held)
        )
        return campaign_pb.ReleaseLeasesResponse()

    async def FinishRun(
        self, request: campaign_pb.FinishRunRequest, context: Any
    ) -> campaign_pb.FinishRunResponse:
        """See the proto."""
        require_role(Role.DIALER)
        is_finished = await self._runs.finish_run(run_end_from_proto(request))
        return campaign_pb.FinishRunResponse(is_finished=is_finished)

    async def RetireQueue(
        self, request: campaign_pb.RetireQueueRequest, context: Any
    ) -> campaign_pb.RetireQueueResponse:
        """See the proto."""
        require_role(Role.QUEUE)
        await self._queue_uses.retire_queue(parse_id(request.queue_id, "queue_id"))
        return campaign_pb.RetireQueueResponse()

    async def RestoreQueue(
        self, request: campaign_pb.RestoreQueueRequest, context: Any
    ) -> campaign_pb.RestoreQueueResponse:
        """See the proto."""
        require_role(Role.QUEUE)
        await self._queue_uses.restore_queue(parse_id(request.queue_id, "queue_id"))
        return campaign_pb.RestoreQueueResponse()
