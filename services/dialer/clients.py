"""The campaign, outdial, queue and flow services and the other dialers, over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from uuid import UUID

import grpc
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.campaign.v1 import campaign_service_pb2_grpc as campaign_grpc
from outbound.dialer.v1 import dialer_service_pb2 as dialer_pb
from outbound.dialer.v1 import dialer_service_pb2_grpc as dialer_grpc
from outbound.flow.v1 import flow_service_pb2 as flow_pb
from outbound.flow.v1 import flow_service_pb2_grpc as flow_grpc
from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb
from outbound.outdial.v1 import outdial_service_pb2_grpc as outdial_grpc
from outbound.queue.v1 import queue_service_pb2 as queue_pb
from outbound.queue.v1 import queue_service_pb2_grpc as queue_grpc

from services.common.auth import acting_for
from services.common.convert import actions_told
from services.common.errors import AppError, NotFound
from services.common.ids import optional_id, text
from services.common.log import get_logger
from services.dialer import convert, convert_campaign, convert_queue
from services.dialer.domain.calls import Activeflow, Call, DialerEntry, FlowDefinition
from services.dialer.domain.campaigns import (
    AttemptReport,
    Claim,
    ClaimedTarget,
    DialPlan,
    HeldLease,
    Lease,
    OpenAnswer,
    OpenAttempt,
    Progress,
    RunToken,
    TargetFacts,
)
from services.dialer.domain.queuecalls import (
    Capacity,
    CapacityAsk,
    Joined,
    Joining,
    QueueNews,
    QueueReport,
)

DESCRIBED_AT_ONCE = 200
"""Targets in one message: each may have 64 KiB of data."""
DESCRIBE_SECONDS = 2.0
"""Calls that have lost their dialer wait meanwhile."""


class CampaignsClient:
    """See ports.Campaigns."""

    def __init__(self, channel: grpc.aio.Channel, dialer_id: str) -> None:
        self._stub = campaign_grpc.CampaignServiceStub(channel)
        self._dialer_id = dialer_id

    async def acquire(self, capacity: int, held: Sequence[HeldLease]) -> list[Lease]:
        """See Campaigns."""
        answer = await self._stub.AcquireLeases(
            campaign_pb.AcquireLeasesRequest(
                dialer_id=self._dialer_id,
                capacity=capacity,
                held=[convert_campaign.held_to_proto(each) for each in held],
            ),
            timeout=2.0,
        )
        leases = []
        for each in answer.leases:
            try:
                leases.append(convert_campaign.lease_from_proto(each))
            except (AppError, ValueError) as exc:
                # One campaign that cannot be read must not keep all others from being dialed.
                get_logger().error("lease_unreadable", campaign=each.campaign_id, error=str(exc))
        return leases

    async def release(self, held: Sequence[HeldLease]) -> None:
        """See Campaigns."""
        await self._stub.ReleaseLeases(
            campaign_pb.ReleaseLeasesRequest(
                dialer_id=self._dialer_id,
                held=[convert_campaign.held_to_proto(each) for each in held],
            )
        )

    async def open(self, token: RunToken, targets: Sequence[ClaimedTarget]) -> OpenAnswer:
        """See Campaigns."""
        answer = await self._stub.OpenCampaigncalls(
            campaign_pb.OpenCampaigncallsRequest(
                dialer_id=self._dialer_id,
                campaign_id=text(token.campaign_id),
                run_number=token.run_number,
                fencing_token=token.fencing_token,
                attempts=[convert_campaign.opening_to_proto(each) for each in targets],
            )
        )
        return convert_campaign.open_answer_from_proto(answer)

    async def report(self, reports: Sequence[AttemptReport]) -> list[UUID]:
        """See Campaigns."""
        answer = await self._stub.ReportCampaigncalls(
            campaign_pb.ReportCampaigncallsRequest(
                dialer_id=self._dialer_id,
                reports=[convert_campaign.report_to_proto(each) for each in reports],
            )
        )
        return [UUID(each) for each in answer.unknown_ids]

    async def list_open(self, token: RunToken) -> list[OpenAttempt]:
        """See Campaigns."""
        answer = await self._stub.ListOpenCampaigncalls(
            campaign_pb.ListOpenCampaigncallsRequest(
                campaign_id=text(token.campaign_id), fencing_token=token.fencing_token
            )
        )
        return [convert_campaign.open_attempt_from_proto(each) for each in answer.campaigncalls]

    async def finish(self, token: RunToken, error: str = "") -> bool:
        """See Campaigns."""
        answer = await self._stub.FinishRun(
            campaign_pb.FinishRunRequest(
                dialer_id=self._dialer_id,
                campaign_id=text(token.campaign_id),
                run_number=token.run_number,
                fencing_token=token.fencing_token,
                detail=error,
                is_error=bool(error),
            )
        )
        return bool(answer.is_finished)


class TargetsClient:
    """See ports.Targets."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = outdial_grpc.OutdialServiceStub(channel)

    async def claim(
        self,
        claim_id: UUID,
        outdial_id: UUID,
        campaign_id: UUID,
        limit: int,
        plan: DialPlan,
        address_types: Collection[str],
    ) -> Claim:
        """See Targets."""
        answer = await self._stub.ClaimTargets(
            outdial_pb.ClaimTargetsRequest(
                claim_id=text(claim_id),
                outdial_id=text(outdial_id),
                campaign_id=text(campaign_id),
                limit=limit,
                plan=outdial_pb.ClaimPlan(
                    max_try_counts=plan.max_try_counts, address_types=sorted(address_types)
                ),
            )
        )
        return convert_campaign.claim_from_proto(answer)

    async def release(self, attempt_ids: Sequence[UUID]) -> None:
        """See Targets."""
        await self._stub.ReleaseClaims(
            outdial_pb.ReleaseClaimsRequest(attempt_ids=[text(each) for each in attempt_ids])
        )

    async def progress(self, customer_id: UUID, outdial_id: UUID) -> Progress:
        """See Targets."""
        with acting_for(customer_id):
            answer = await self._stub.GetOutdialProgress(
                outdial_pb.GetOutdialProgressRequest(outdial_id=text(outdial_id))
            )
        return convert_campaign.progress_from_proto(answer)

    async def describe(
        self, outdial_id: UUID, target_ids: Sequence[UUID]
    ) -> dict[UUID, TargetFacts]:
        """See Targets."""
        found: dict[UUID, TargetFacts] = {}
        for start in range(0, len(target_ids), DESCRIBED_AT_ONCE):
            part = target_ids[start : start + DESCRIBED_AT_ONCE]
            answer = await self._stub.DescribeTargets(
                outdial_pb.DescribeTargetsRequest(
                    outdial_id=text(outdial_id), target_ids=[text(each) for each in part]
                ),
                timeout=DESCRIBE_SECONDS,
            )
            found |= convert_campaign.facts_from_proto(outdial_id, answer)
        return found


class QueuesClient:
    """See ports.Queues."""

    def __init__(self, channel: grpc.aio.Channel, dialer_id: str) -> None:
        self._stub = queue_grpc.QueueServiceStub(channel)
        self._dialer_id = dialer_id

    async def capacity(self, asks: Sequence[CapacityAsk]) -> list[Capacity]:
        """See Queues."""
        answer = await self._stub.GetCapacity(
            queue_pb.GetCapacityRequest(asks=[convert_queue.ask_to_proto(ask) for ask in asks]),
            # Older than that it would not be believed.
            timeout=1.5,
        )
        return [convert_queue.capacity_from_proto(each) for each in answer.capacities]

    async def join(self, joinings: Sequence[Joining]) -> Joined:
        """See Queues."""
        answer = await self._stub.JoinQueue(
            queue_pb.JoinQueueRequest(
                dialer_id=self._dialer_id,
                joinings=[convert_queue.joining_to_proto(each) for each in joinings],
            )
        )
        return convert_queue.joined_from_proto(answer)

    async def assign(
        self, waiting: Sequence[UUID], connecting: Sequence[UUID], service: Sequence[UUID]
    ) -> QueueNews:
        """See Queues."""
        answer = await self._stub.AssignAgents(
            queue_pb.AssignAgentsRequest(
                dialer_id=self._dialer_id,
                waiting_ids=[text(each) for each in waiting],
                connecting_ids=[text(each) for each in connecting],
                service_ids=[text(each) for each in service],
            )
        )
        return convert_queue.news_from_proto(answer)

    async def report(self, reports: Sequence[QueueReport]) -> None:
        """See Queues."""
        await self._stub.ReportQueuecalls(
            queue_pb.ReportQueuecallsRequest(
                dialer_id=self._dialer_id,
                reports=[convert_queue.report_to_proto(each) for each in reports],
            )
        )


class FlowsClient:
    """See ports.Flows."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = flow_grpc.FlowServiceStub(channel)

    async def definition(self, customer_id: UUID, flow_id: UUID) -> FlowDefinition:
        """See Flows."""
        with acting_for(customer_id):
            flow = await self._stub.GetFlow(flow_pb.GetFlowRequest(id=text(flow_id)))
        if flow.HasField("tm_delete"):
            raise NotFound(f"flow {flow_id} is deleted", reason="FLOW_NOT_FOUND")
        return FlowDefinition(
            actions_told(flow.actions),
            optional_id(flow.on_complete_flow_id, "on_complete_flow_id"),
        )


class PeersClient:
    """See ports.Peers. `open_channel` gives the channel to another dialer's address."""

    def __init__(self, open_channel: Callable[[str], grpc.aio.Channel]) -> None:
        self._open_channel = open_channel

    async def hangup_call(self, peer: DialerEntry, customer_id: UUID, call_id: UUID) -> Call | None:
        """See Peers."""
        request = dialer_pb.HangupCallRequest(id=text(call_id), is_forwarded=True)
        try:
            with acting_for(customer_id):
                answer = await self._stub(peer).HangupCall(request)
        except NotFound:
            return None
        return convert.call_from_proto(answer)

    async def stop_activeflow(
        self, peer: DialerEntry, customer_id: UUID, activeflow_id: UUID
    ) -> Activeflow | None:
        """See Peers."""
        request = dialer_pb.StopActiveflowRequest(id=text(activeflow_id), is_forwarded=True)
        try:
            with acting_for(customer_id):
                answer = await self._stub(peer).StopActiveflow(request)
        except NotFound:
            return None
        return convert.activeflow_from_proto(answer)

    async def read_recording(
        self, peer: DialerEntry, customer_id: UUID, recording_id: UUID, offset: int, length: int
    ) -> AsyncIterator[bytes]:
        """See Peers."""
        request = dialer_pb.ReadRecordingRequest(
            id=text(recording_id), offset=offset, length=length, is_forwarded=True
        )
        with acting_for(customer_id):
            pieces = self._stub(peer).ReadRecording(request)
        async for piece in pieces:
            yield piece.chunk

    def _stub(self, peer: DialerEntry) -> dialer_grpc.DialerServiceStub:
        return dialer_grpc.DialerServiceStub(self._open_channel(peer.address))
