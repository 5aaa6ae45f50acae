"""OutplanService over gRPC."""

from __future__ import annotations

from typing import Any

from outbound.outplan.v1 import outplan_service_pb2 as outplan_pb
from outbound.outplan.v1 import outplan_service_pb2_grpc as outplan_grpc

from services.campaign.outplans.convert import (
    change_from_proto,
    draft_from_proto,
    outplan_to_proto,
)
from services.campaign.outplans.service import OutplanService
from services.common.auth import require_customer
from services.common.ids import parse_id
from services.common.paging import page_request


class OutplanServicer(outplan_grpc.OutplanServiceServicer):
    """Parses, calls the service, converts."""

    def __init__(self, service: OutplanService) -> None:
        self._service = service

    async def CreateOutplan(
        self, request: outplan_pb.CreateOutplanRequest, context: Any
    ) -> outplan_pb.Outplan:
        """See the proto."""
        customer_id = require_customer()
        return outplan_to_proto(
            await self._service.create_outplan(customer_id, draft_from_proto(request))
        )

    async def GetOutplan(
        self, request: outplan_pb.GetOutplanRequest, context: Any
    ) -> outplan_pb.Outplan:
        """See the proto."""
        outplan_id = parse_id(request.id, "id")
        return outplan_to_proto(await self._service.get_outplan(require_customer(), outplan_id))

    async def ListOutplans(
        self, request: outplan_pb.ListOutplansRequest, context: Any
    ) -> outplan_pb.ListOutplansResponse:
        """See the proto."""
        page = page_request(request.page_size, request.page_token)
        plans, token = await self._service.list_outplans(require_customer(), page)
        return outplan_pb.ListOutplansResponse(
            outplans=map(outplan_to_proto, plans), next_page_token=token
        )

    async def UpdateOutplan(
        self, request: outplan_pb.UpdateOutplanRequest, context: Any
    ) -> outplan_pb.Outplan:
        """See the proto."""
        customer_id, outplan_id = require_customer(), parse_id(request.id, "id")
        wanted = change_from_proto(request)
        return outplan_to_proto(await self._service.update_outplan(customer_id, outplan_id, wanted))

    async def DeleteOutplan(
        self, request: outplan_pb.DeleteOutplanRequest, context: Any
    ) -> outplan_pb.Outplan:
        """See the proto."""
        outplan_id = parse_id(request.id, "id")
        return outplan_to_proto(await self._service.delete_outplan(require_customer(), outplan_id))
