"""The campaign service over gRPC."""

from __future__ import annotations

from uuid import UUID

import grpc
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.campaign.v1 import campaign_service_pb2_grpc as campaign_grpc
from outbound.flow.v1 import flow_service_pb2 as flow_pb
from outbound.flow.v1 import flow_service_pb2_grpc as flow_grpc

from services.common.auth import acting_for
from services.common.errors import NotFound, PermissionDenied


class GrpcCampaigns:
    """See queues.ports.Campaigns."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._flows = flow_grpc.FlowServiceStub(channel)
        self._campaigns = campaign_grpc.CampaignServiceStub(channel)

    async def has_flow(self, customer_id: UUID, flow_id: UUID) -> bool:
        """See queues.ports.Campaigns."""
        with acting_for(customer_id):
            try:
                found = await self._flows.GetFlow(flow_pb.GetFlowRequest(id=str(flow_id)))
            except (NotFound, PermissionDenied):
                return False
        return not found.HasField("tm_delete")

    async def retire(self, queue_id: UUID) -> None:
        """See queues.ports.Campaigns."""
        request = campaign_pb.RetireQueueRequest(queue_id=str(queue_id))
        await self._campaigns.RetireQueue(request)

    async def restore(self, queue_id: UUID) -> None:
        """See queues.ports.Campaigns."""
        request = campaign_pb.RestoreQueueRequest(queue_id=str(queue_id))
        await self._campaigns.RestoreQueue(request)


class NoCampaigns:
    """See queues.ports.Campaigns; for a process that was not told where they are: all is believed."""

    async def has_flow(self, customer_id: UUID, flow_id: UUID) -> bool:
        """See queues.ports.Campaigns."""
        return True

    async def retire(self, queue_id: UUID) -> None:
        """See queues.ports.Campaigns."""

    async def restore(self, queue_id: UUID) -> None:
        """See queues.ports.Campaigns."""
