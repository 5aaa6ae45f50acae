"""The methods of CampaignService about attempts, over gRPC."""

from __future__ import annotations

from typing import Any

from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb

from services.campaign.campaigncalls.convert import (
    attempts_from_proto,
    campaigncall_to_proto,
    ids_from_proto,
    open_call_to_proto,
    opened_to_proto,
    opener_from_proto,
    reports_from_proto,
    resolution_to_proto,
)
from services.campaign.campaigncalls.service import CampaigncallService
from services.common.auth import Role, require_customer, require_role
from services.common.ids import optional_id, parse_id
from services.common.paging import page_request


class CampaigncallMethods:
    """Parses, calls the service, converts. A base of the servicer of CampaignService."""

    def __init__(self, campaigncalls: CampaigncallService) -> None:
        self._campaigncalls = campaigncalls

    async def GetCampaigncall(
        self, request: campaign_pb.GetCampaigncallRequest, context: Any
    ) -> campaign_pb.Campaigncall:
        """See the proto."""
        customer_id, call_id = require_customer(), parse_id(request.id, "id")
        return campaigncall_to_proto(
            await self._campaigncalls.get_campaigncall(customer_id, call_id)
        )

    async def ListCampaigncalls(
        self, request: campaign_pb.ListCampaigncallsRequest, context: Any
    ) -> campaign_pb.ListCampaigncallsResponse:
        """See the proto."""
        customer_id = require_customer()
        campaign_id = optional_id(request.campaign_id, "campaign_id")
        page = page_request(request.page_size, request.page_token)
        calls, token = await self._campaigncalls.list_campaigncalls(customer_id, campaign_id, page)
        return campaign_pb.ListCampaigncallsResponse(
            campaigncalls=map(campaigncall_to_proto, calls), next_page_token=token
        )

    async def DeleteCampaigncall(
        self, request: campaign_pb.DeleteCampaigncallRequest, context: Any
    ) -> campaign_pb.Campaigncall:
        """See the proto."""
        customer_id, call_id = require_customer(), parse_id(request.id, "id")
        return campaigncall_to_proto(
            await self._campaigncalls.delete_campaigncall(customer_id, call_id)
        )

    async def OpenCampaigncalls(
        self, request: campaign_pb.OpenCampaigncallsRequest, context: Any
    ) -> campaign_pb.OpenCampaigncallsResponse:
        """See the proto."""
        require_role(Role.DIALER)
        opener, attempts = opener_from_proto(request), attempts_from_proto(request.attempts)
        return opened_to_proto(await self._campaigncalls.open_campaigncalls(opener, attempts))

    async def ReportCampaigncalls(
        self, request: campaign_pb.ReportCampaigncallsRequest, context: Any
    ) -> campaign_pb.ReportCampaigncallsResponse:
        """See the proto."""
        require_role(Role.DIALER)
        reports = reports_from_proto(request.reports)
        unknown = await self._campaigncalls.report_campaigncalls(reports)
        return campaign_pb.ReportCampaigncallsResponse(unknown_ids=map(str, unknown))

    async def ListOpenCampaigncalls(
        self, request: campaign_pb.ListOpenCampaigncallsRequest, context: Any
    ) -> campaign_pb.ListOpenCampaigncallsResponse:
        """See the proto."""
        require_role(Role.DIALER)
        found = await self._campaigncalls.list_open_campaigncalls(
            parse_id(request.campaign_id, "campaign_id"), request.fencing_token
        )
        return campaign_pb.ListOpenCampaigncallsResponse(
            campaigncalls=map(open_call_to_proto, found)
        )

    async def ResolveAttempts(
        self, request: campaign_pb.ResolveAttemptsRequest, context: Any
    ) -> campaign_pb.ResolveAttemptsResponse:
        """See the proto."""
        require_role(Role.OUTDIAL)
        resolutions = await self._campaigncalls.resolve_attempts(ids_from_proto(request.ids))
        return campaign_pb.ResolveAttemptsResponse(
            resolutions=map(resolution_to_proto, resolutions)
        )
