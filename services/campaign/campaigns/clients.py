"""The outdial and queue services over gRPC."""

from __future__ import annotations

from uuid import UUID

from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb
from outbound.outdial.v1 import outdial_service_pb2_grpc as outdial_grpc
from outbound.queue.v1 import queue_service_pb2 as queue_pb
from outbound.queue.v1 import queue_service_pb2_grpc as queue_grpc

from services.campaign.campaigns.domain import OUTDIAL_IN_USE
from services.campaign.campaigns.ports import Outdial
from services.common.auth import acting_for
from services.common.errors import FailedPrecondition, NotFound
from services.common.ids import optional_id, parse_id, text


class GrpcOutdials:
    """See ports.Outdials."""

    def __init__(self, stub: outdial_grpc.OutdialServiceStub) -> None:
        self._stub = stub

    async def get(self, customer_id: UUID, outdial_id: UUID) -> Outdial | None:
        """See ports.Outdials."""
        with acting_for(customer_id):
            try:
                found = await self._stub.GetOutdial(
                    outdial_pb.GetOutdialRequest(id=str(outdial_id))
                )
            except NotFound:
                return None
        return Outdial(
            id=parse_id(found.id, "id"),
            customer_id=parse_id(found.customer_id, "customer_id"),
            campaign_id=optional_id(found.campaign_id, "campaign_id"),
            is_deleted=found.HasField("tm_delete"),
        )

    async def bind(
        self,
        customer_id: UUID,
        outdial_id: UUID,
        campaign_id: UUID | None,
        expected: UUID | None = None,
    ) -> UUID | None:
        """See ports.Outdials."""
        request = outdial_pb.BindOutdialRequest(
            outdial_id=str(outdial_id),
            campaign_id=text(campaign_id),
            expected_campaign_id=text(expected),
        )
        with acting_for(customer_id):
            try:
                await self._stub.BindOutdial(request)
            except FailedPrecondition as exc:
                holder = optional_id(exc.metadata.get("campaign_id", ""), "campaign_id")
                if exc.reason != OUTDIAL_IN_USE or holder is None:
                    raise
                return holder
        return None


class GrpcQueues:
    """See flows.ports.Queues."""

    def __init__(self, stub: queue_grpc.QueueServiceStub) -> None:
        self._stub = stub

    async def exists(self, customer_id: UUID, queue_id: UUID) -> bool:
        """See flows.ports.Queues."""
        with acting_for(customer_id):
            try:
                found = await self._stub.GetQueue(queue_pb.GetQueueRequest(id=str(queue_id)))
            except NotFound:
                return False
        return not found.HasField("tm_delete")
