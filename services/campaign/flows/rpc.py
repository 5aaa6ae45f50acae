"""FlowService over gRPC."""

from __future__ import annotations

from typing import Any

from outbound.flow.v1 import flow_service_pb2 as flow_pb
from outbound.flow.v1 import flow_service_pb2_grpc as flow_grpc

from services.campaign.flows.convert import change_from_proto, draft_from_proto, flow_to_proto
from services.campaign.flows.service import FlowService
from services.common.auth import Role, current_caller, require_customer
from services.common.ids import parse_id
from services.common.paging import page_request


class FlowServicer(flow_grpc.FlowServiceServicer):
    """Parses, calls the service, converts."""

    def __init__(self, service: FlowService) -> None:
        self._service = service

    async def CreateFlow(self, request: flow_pb.CreateFlowRequest, context: Any) -> flow_pb.Flow:
        """See the proto."""
        customer_id = require_customer()
        return flow_to_proto(
            await self._service.create_flow(customer_id, draft_from_proto(request))
        )

    async def GetFlow(self, request: flow_pb.GetFlowRequest, context: Any) -> flow_pb.Flow:
        """See the proto."""
        # The dialer runs flows of all customers.
        reads_all = current_caller().role is Role.DIALER and current_caller().customer_id is None
        customer_id = None if reads_all else require_customer()
        return flow_to_proto(await self._service.get_flow(customer_id, parse_id(request.id, "id")))

    async def ListFlows(
        self, request: flow_pb.ListFlowsRequest, context: Any
    ) -> flow_pb.ListFlowsResponse:
        """See the proto."""
        page = page_request(request.page_size, request.page_token)
        flows, token = await self._service.list_flows(require_customer(), page)
        return flow_pb.ListFlowsResponse(flows=map(flow_to_proto, flows), next_page_token=token)

    async def UpdateFlow(self, request: flow_pb.UpdateFlowRequest, context: Any) -> flow_pb.Flow:
        """See the proto."""
        customer_id, flow_id = require_customer(), parse_id(request.id, "id")
        return flow_to_proto(
            await self._service.update_flow(customer_id, flow_id, change_from_proto(request))
        )

    async def DeleteFlow(self, request: flow_pb.DeleteFlowRequest, context: Any) -> flow_pb.Flow:
        """See the proto."""
        flow_id = parse_id(request.id, "id")
        return flow_to_proto(await self._service.delete_flow(require_customer(), flow_id))
