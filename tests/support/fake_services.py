"""Fake services: the generated servicers over shelves, as far as a gateway can see the difference."""

from __future__ import annotations

from typing import Any

from outbound.agent.v1 import agent_service_pb2 as agent_pb
from outbound.agent.v1 import agent_service_pb2_grpc as agent_grpc
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.campaign.v1 import campaign_service_pb2_grpc as campaign_grpc
from outbound.dialer.v1 import dialer_service_pb2 as dialer_pb
from outbound.dialer.v1 import dialer_service_pb2_grpc as dialer_grpc
from outbound.flow.v1 import flow_service_pb2 as flow_pb
from outbound.flow.v1 import flow_service_pb2_grpc as flow_grpc
from outbound.outplan.v1 import outplan_service_pb2 as outplan_pb
from outbound.outplan.v1 import outplan_service_pb2_grpc as outplan_grpc
from outbound.queue.v1 import queue_service_pb2 as queue_pb
from outbound.queue.v1 import queue_service_pb2_grpc as queue_grpc

from services.common.auth import Role, current_caller
from services.common.errors import (
    AlreadyExists,
    FailedPrecondition,
    NotFound,
    Unauthenticated,
    invalid,
)
from tests.support.backend_state import Fake, crud, fake

_C = campaign_pb.Campaign

_CampaignBase = fake(
    campaign_grpc.CampaignServiceServicer,
    methods=crud("campaigns", "Campaign", "campaigns", campaign_pb.ListCampaignsResponse),
)


class FakeCampaigns(Fake, _CampaignBase):  # type: ignore[misc, valid-type]
    """CampaignService: states without dialing."""

    async def CreateCampaign(self, request: Any, context: Any) -> Any:
        self.b.enter("CreateCampaign")
        for reference, shelf in (("outplan_id", self.b.outplans), ("outdial_id", self.b.outdials)):
            given = getattr(request, reference)
            if given and given not in shelf.rows:
                raise invalid(reference, given, "the id of an existing one")
        return self.b.campaigns.create(
            request,
            type=request.type or _C.TYPE_CALL,
            status=_C.STATUS_STOP,
            state=_C.STATE_STOP,
            service_level=request.service_level or 100,
            end_handle=request.end_handle or _C.END_HANDLE_STOP,
        )

    async def UpdateCampaign(self, request: Any, context: Any) -> Any:
        self.b.enter("UpdateCampaign")
        status = request.status
        request.ClearField("status")
        found = self.b.campaigns.update(request)
        return self._move(found, status) if status else found

    async def SetCampaignStatus(self, request: Any, context: Any) -> Any:
        self.b.enter("SetCampaignStatus")
        return self._move(self.b.campaigns.get(request.id), request.status)

    async def DeleteCampaign(self, request: Any, context: Any) -> Any:
        self.b.enter("DeleteCampaign")
        if self.b.campaigns.get(request.id).status != _C.STATUS_STOP:
            raise FailedPrecondition(f"campaign {request.id} is running; stop it first")
        return self.b.campaigns.delete(request.id)

    def _move(self, found: Any, status: int) -> Any:
        running = status == _C.STATUS_RUN
        found.status = _C.STATUS_RUN if running else _C.STATUS_STOP
        found.state = _C.STATE_RUNNING if running else _C.STATE_STOP
        found.stop_reason = 0 if running else _C.STOP_REASON_USER
        return self.b.campaigns.touch(found)

    async def GetCampaignStats(self, request: Any, context: Any) -> Any:
        self.b.enter("GetCampaignStats")
        found = self.b.campaigns.get(request.id)
        stats = campaign_pb.CampaignStats()
        stats.CopyFrom(self.b.stats.get(request.id, stats))
        stats.campaign_id, stats.status, stats.state = found.id, found.status, found.state
        return stats

    async def GetCampaigncall(self, request: Any, context: Any) -> Any:
        return self.b.campaigncalls.get(request.id)

    async def ListCampaigncalls(self, request: Any, context: Any) -> Any:
        rows, token = self.b.campaigncalls.list(
            request, lambda row: request.campaign_id in ("", row.campaign_id)
        )
        return campaign_pb.ListCampaigncallsResponse(campaigncalls=rows, next_page_token=token)

    async def DeleteCampaigncall(self, request: Any, context: Any) -> Any:
        if self.b.campaigncalls.get(request.id).status != campaign_pb.Campaigncall.STATUS_DONE:
            raise FailedPrecondition(f"campaigncall {request.id} is in flight")
        return self.b.campaigncalls.delete(request.id)


_OutplanBase = fake(
    outplan_grpc.OutplanServiceServicer,
    methods=crud("outplans", "Outplan", "outplans", outplan_pb.ListOutplansResponse),
)


class FakeOutplans(Fake, _OutplanBase):  # type: ignore[misc, valid-type]
    """OutplanService."""

    async def CreateOutplan(self, request: Any, context: Any) -> Any:
        self.b.enter("CreateOutplan")
        maxima = request.max_try_counts
        counts = [getattr(maxima, f"slot_{index}") for index in range(5)]
        if not maxima.ListFields():
            counts[0] = 1
        return self.b.outplans.create(request, max_try_counts=counts)

    async def UpdateOutplan(self, request: Any, context: Any) -> Any:
        self.b.enter("UpdateOutplan")
        found = self.b.outplans.get(request.id)
        for index in range(5):
            if request.max_try_counts.HasField(f"slot_{index}"):
                found.max_try_counts[index] = getattr(request.max_try_counts, f"slot_{index}")
        request.ClearField("max_try_counts")
        return self.b.outplans.update(request)


FakeFlows = fake(
    Fake,
    flow_grpc.FlowServiceServicer,
    methods=crud("flows", "Flow", "flows", flow_pb.ListFlowsResponse),
)

_QueueBase = fake(
    queue_grpc.QueueServiceServicer,
    methods={
        **crud("queues", "Queue", "queues", queue_pb.ListQueuesResponse),
        **crud("queuecalls", "Queuecall", "queuecalls", queue_pb.ListQueuecallsResponse),
    },
)


class FakeQueues(Fake, _QueueBase):  # type: ignore[misc, valid-type]
    """QueueService."""

    async def CreateQueue(self, request: Any, context: Any) -> Any:
        self.b.enter("CreateQueue")
        known = ("", "random", "longest_idle", "round_robin", "ringall")
        if request.routing_method not in known:
            raise invalid(
                "routing_method",
                request.routing_method,
                ", ".join(map(repr, known)),
                reason="INVALID_ROUTING_METHOD",
            )
        return self.b.queues.create(request)

    async def GetQueueStats(self, request: Any, context: Any) -> Any:
        self.b.queues.get(request.id)
        return queue_pb.QueueStats()

    async def KickQueuecall(self, request: Any, context: Any) -> Any:
        if request.id:
            return self.b.queuecalls.get(request.id)
        by_call = {row.reference_id: row.id for row in self.b.queuecalls.rows.values()}
        return self.b.queuecalls.get(by_call.get(request.reference_id, request.reference_id))


_AgentBase = fake(
    agent_grpc.AgentServiceServicer,
    methods={
        **crud("agents", "Agent", "agents", agent_pb.ListAgentsResponse),
        **crud("tags", "Tag", "tags", agent_pb.ListTagsResponse),
    },
)


class FakeAgents(Fake, _AgentBase):  # type: ignore[misc, valid-type]
    """AgentService with passwords in the clear."""

    async def CreateAgent(self, request: Any, context: Any) -> Any:
        self.b.enter("CreateAgent")
        known = self.b.passwords.get(request.username)
        if known is not None and known[1] != request.id:
            raise AlreadyExists(f"{request.username} is taken", reason="AGENT_ALREADY_EXISTS")
        permission = request.permission if request.HasField("permission") else 16
        made = self.b.agents.create(
            request, status="offline", state="offline", permission=permission
        )
        self.b.passwords[request.username] = (request.password, made.id)
        return made

    async def VerifyPassword(self, request: Any, context: Any) -> Any:
        self.b.enter("VerifyPassword")
        assert current_caller().role is Role.GATEWAY
        password, agent_id = self.b.passwords.get(request.username, ("", ""))
        if not agent_id or password != request.password:
            raise Unauthenticated("wrong", reason="INVALID_CREDENTIALS")
        return self.b.agents.rows[agent_id]


_DialerBase = fake(
    dialer_grpc.DialerServiceServicer,
    methods={
        **crud("calls", "Call", "calls", dialer_pb.ListCallsResponse),
        **crud("activeflows", "Activeflow", "activeflows", dialer_pb.ListActiveflowsResponse),
        **crud("recordings", "Recording", "recordings", dialer_pb.ListRecordingsResponse),
    },
)


class FakeDialer(Fake, _DialerBase):  # type: ignore[misc, valid-type]
    """DialerService."""

    async def HangupCall(self, request: Any, context: Any) -> Any:
        self.b.enter("HangupCall")
        found = self.b.calls.get(request.id)
        found.status = "hangup"
        return found

    async def CreateActiveflow(self, request: Any, context: Any) -> Any:
        self.b.enter("CreateActiveflow")
        return self.b.activeflows.create(request, status="running", reference_type="api")

    async def ListRecordings(self, request: Any, context: Any) -> Any:
        rows, token = self.b.recordings.list(
            request,
            lambda row: (
                request.reference_id in ("", row.reference_id)
                and request.campaign_id in ("", row.campaign_id)
            ),
        )
        return dialer_pb.ListRecordingsResponse(recordings=rows, next_page_token=token)

    async def ReadRecording(self, request: Any, context: Any) -> Any:
        self.b.enter("ReadRecording")
        self.b.recordings.get(request.id)
        if request.id not in self.b.files:
            raise NotFound(f"{request.id} has no file", reason="RECORDING_FILE_NOT_FOUND")
        end = request.offset + request.length if request.length else None
        part = self.b.files[request.id][request.offset : end]
        for start in range(0, len(part), 3):
            yield dialer_pb.ReadRecordingResponse(chunk=part[start : start + 3])

    async def StopActiveflow(self, request: Any, context: Any) -> Any:
        found = self.b.activeflows.get(request.id)
        found.status = "ended"
        return found
