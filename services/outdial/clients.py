"""The campaign service over gRPC."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import grpc
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.campaign.v1 import campaign_service_pb2_grpc as campaign_grpc

from services.common import auth
from services.common.errors import InvalidArgument, NotFound
from services.common.ids import parse_id, text
from services.common.log import get_logger
from services.outdial.convert import settlement_from_proto
from services.outdial.ports import AttemptState, CampaignState, Resolution

_STATES = {
    campaign_pb.AttemptResolution.STATE_NEVER_OPENED: AttemptState.NEVER_OPENED,
    campaign_pb.AttemptResolution.STATE_DONE: AttemptState.DONE,
}


class CampaignClient:
    """See ports.Campaigns."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = campaign_grpc.CampaignServiceStub(channel)

    async def state(self, customer_id: UUID, campaign_id: UUID) -> CampaignState | None:
        """See ports.Campaigns."""
        request = campaign_pb.GetCampaignRequest(id=text(campaign_id))
        with auth.acting_for(customer_id):
            try:
                campaign = await self._stub.GetCampaign(request)
            except NotFound:
                return None
        return CampaignState(
            is_deleted=campaign.HasField("tm_delete"),
            is_stopped=campaign.status == campaign_pb.Campaign.STATUS_STOP,
        )

    async def resolve(self, attempt_ids: Sequence[UUID]) -> Sequence[Resolution]:
        """See ports.Campaigns."""
        request = campaign_pb.ResolveAttemptsRequest(ids=[text(each) for each in attempt_ids])
        response = await self._stub.ResolveAttempts(request)
        readable = []
        for each in response.resolutions:
            try:
                readable.append(_resolution(each))
            except InvalidArgument as exc:
                # Left open: it is asked about again, and the others must not wait for it.
                get_logger().error("resolution_unreadable", campaigncall=each.id, error=str(exc))
        return readable


def _resolution(message: campaign_pb.AttemptResolution) -> Resolution:
    # Anything unknown counts as open: it is asked about again.
    state = _STATES.get(message.state, AttemptState.OPEN)
    settlement = None
    if state is AttemptState.DONE:
        settlement = settlement_from_proto(message.settlement)
    return Resolution(parse_id(message.id, "resolutions.id"), state, settlement)
