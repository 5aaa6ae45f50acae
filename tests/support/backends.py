"""Fake services behind a gateway: the generated servicers over shelves, on real gRPC servers.

They keep the contract of the protos as far as the gateway can see it, and record nothing else. What a
test wants to go wrong it puts into `Backends.fail`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from outbound.agent.v1 import agent_service_pb2 as agent_pb
from outbound.agent.v1 import agent_service_pb2_grpc as agent_grpc
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.campaign.v1 import campaign_service_pb2_grpc as campaign_grpc
from outbound.dialer.v1 import dialer_service_pb2 as dialer_pb
from outbound.dialer.v1 import dialer_service_pb2_grpc as dialer_grpc
from outbound.flow.v1 import flow_service_pb2 as flow_pb
from outbound.flow.v1 import flow_service_pb2_grpc as flow_grpc
from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb
from outbound.outdial.v1 import outdial_service_pb2_grpc as outdial_grpc
from outbound.outplan.v1 import outplan_service_pb2 as outplan_pb
from outbound.outplan.v1 import outplan_service_pb2_grpc as outplan_grpc
from outbound.queue.v1 import queue_service_pb2 as queue_pb
from outbound.queue.v1 import queue_service_pb2_grpc as queue_grpc

from services.common.auth import Role, TokenVerifier, current_caller, trusted_keys
from services.common.errors import (
    AlreadyExists,
    AppError,
    FailedPrecondition,
    NotFound,
    Unauthenticated,
    Unavailable,
    invalid,
)
from services.common.server import Server, ServerParts
from tests.support.shelf import Shelf

_C = campaign_pb.Campaign
_T = outdial_pb.Target


class Backends:
    """The fakes' state, shared by all of them."""

    def __init__(self) -> None:
        self.campaigns = Shelf(campaign_pb.Campaign, "CAMPAIGN")
        self.campaigncalls = Shelf(campaign_pb.Campaigncall, "CAMPAIGNCALL")
        self.outplans = Shelf(outplan_pb.Outplan, "OUTPLAN")
        self.flows = Shelf(flow_pb.Flow, "FLOW")
        self.outdials = Shelf(outdial_pb.Outdial, "OUTDIAL")
        self.targets = Shelf(outdial_pb.Target, "OUTDIAL_TARGET")
        self.queues = Shelf(queue_pb.Queue, "QUEUE")
        self.queuecalls = Shelf(queue_pb.Queuecall, "QUEUECALL")
        self.agents = Shelf(agent_pb.Agent, "AGENT")
        self.tags = Shelf(agent_pb.Tag, "TAG")
        self.calls = Shelf(dialer_pb.Call, "CALL")
        self.activeflows = Shelf(dialer_pb.Activeflow, "ACTIVEFLOW")
        self.imports: dict[str, outdial_pb.ImportResult] = {}
        self.headers: list[outdial_pb.ImportHeader] = []
        self.passwords: dict[str, tuple[str, str]] = {}
        self.stats: dict[str, campaign_pb.CampaignStats] = {}
        self.fail: dict[str, Callable[[], AppError]] = {}
        """Method name -> the error it raises."""
        self.asked: list[str] = []
        """Method names in the order in which they were called."""

    def enter(self, method: str) -> None:
        """Note a call, and fail as the test wishes."""
        self.asked.append(method)
        if method in self.fail:
            raise self.fail[method]()


def crud(shelf: str, word: str, plural: str, many: type[Any]) -> dict[str, Any]:
    """The five standard methods of a servicer for a shelf."""

    async def create(self: Any, request: Any, context: Any) -> Any:
        self.b.enter(f"Create{word}")
        return getattr(self.b, shelf).create(request)

    async def get(self: Any, request: Any, context: Any) -> Any:
        self.b.enter(f"Get{word}")
        return getattr(self.b, shelf).get(request.id)

    async def listed(self: Any, request: Any, context: Any) -> Any:
        self.b.enter(f"List{word}s")
        rows, token = getattr(self.b, shelf).list(request)
        return many(**{plural: rows, "next_page_token": token})

    async def updated(self: Any, request: Any, context: Any) -> Any:
        self.b.enter(f"Update{word}")
        return getattr(self.b, shelf).update(request)

    async def deleted(self: Any, request: Any, context: Any) -> Any:
        self.b.enter(f"Delete{word}")
        return getattr(self.b, shelf).delete(request.id)

    return {
        f"Create{word}": create,
        f"Get{word}": get,
        f"List{word}s": listed,
        f"Update{word}": updated,
        f"Delete{word}": deleted,
    }


class _Fake:
    def __init__(self, backends: Backends) -> None:
        self.b = backends


def _fake(*bases: type[Any], methods: dict[str, Any]) -> type[Any]:
    return type("Fake", bases, methods)


_CampaignBase = _fake(
    campaign_grpc.CampaignServiceServicer,
    methods=crud("campaigns", "Campaign", "campaigns", campaign_pb.ListCampaignsResponse),
)


class FakeCampaigns(_Fake, _CampaignBase):  # type: ignore[misc, valid-type]
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


_OutplanBase = _fake(
    outplan_grpc.OutplanServiceServicer,
    methods=crud("outplans", "Outplan", "outplans", outplan_pb.ListOutplansResponse),
)


class FakeOutplans(_Fake, _OutplanBase):  # type: ignore[misc, valid-type]
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


FakeFlows = _fake(
    _Fake,
    flow_grpc.FlowServiceServicer,
    methods=crud("flows", "Flow", "flows", flow_pb.ListFlowsResponse),
)

_QueueBase = _fake(
    queue_grpc.QueueServiceServicer,
    methods={
        **crud("queues", "Queue", "queues", queue_pb.ListQueuesResponse),
        **crud("queuecalls", "Queuecall", "queuecalls", queue_pb.ListQueuecallsResponse),
    },
)


class FakeQueues(_Fake, _QueueBase):  # type: ignore[misc, valid-type]
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

    async def KickQueuecall(self, request: Any, context: Any) -> Any:
        if request.id:
            return self.b.queuecalls.get(request.id)
        by_call = {row.reference_id: row.id for row in self.b.queuecalls.rows.values()}
        return self.b.queuecalls.get(by_call.get(request.reference_id, request.reference_id))


_AgentBase = _fake(
    agent_grpc.AgentServiceServicer,
    methods={
        **crud("agents", "Agent", "agents", agent_pb.ListAgentsResponse),
        **crud("tags", "Tag", "tags", agent_pb.ListTagsResponse),
    },
)


class FakeAgents(_Fake, _AgentBase):  # type: ignore[misc, valid-type]
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


_DialerBase = _fake(
    dialer_grpc.DialerServiceServicer,
    methods={
        **crud("calls", "Call", "calls", dialer_pb.ListCallsResponse),
        **crud("activeflows", "Activeflow", "activeflows", dialer_pb.ListActiveflowsResponse),
    },
)


class FakeDialer(_Fake, _DialerBase):  # type: ignore[misc, valid-type]
    """DialerService."""

    async def HangupCall(self, request: Any, context: Any) -> Any:
        self.b.enter("HangupCall")
        found = self.b.calls.get(request.id)
        found.status = "hangup"
        return found

    async def CreateActiveflow(self, request: Any, context: Any) -> Any:
        self.b.enter("CreateActiveflow")
        return self.b.activeflows.create(request, status="running", reference_type="api")

    async def StopActiveflow(self, request: Any, context: Any) -> Any:
        found = self.b.activeflows.get(request.id)
        found.status = "ended"
        return found


_OutdialBase = _fake(
    outdial_grpc.OutdialServiceServicer,
    methods=crud("outdials", "Outdial", "outdials", outdial_pb.ListOutdialsResponse),
)


class FakeOutdials(_Fake, _OutdialBase):  # type: ignore[misc, valid-type]
    """OutdialService; an import takes every line but those that say `bad`."""

    async def AddTargets(self, request: Any, context: Any) -> Any:
        self.b.enter("AddTargets")
        self.b.outdials.get(request.outdial_id)
        for index, each in enumerate(request.targets):
            if not any(address.target for address in each.destinations):
                raise invalid(f"targets[{index}]", "nothing", "at least one usable destination")
        return outdial_pb.AddTargetsResponse(
            targets=[self._add(request.outdial_id, each) for each in request.targets]
        )

    def _add(self, outdial_id: str, new: Any) -> Any:
        slots = {
            f"destination_{index}": address
            for index, address in enumerate(new.destinations)
            if address.target
        }
        made = self.b.targets.create(
            new, outdial_id=outdial_id, status=_T.STATUS_IDLE, try_counts=[0] * 5, **slots
        )
        made.tm_update.CopyFrom(made.tm_create)
        return made

    def _target(self, request: Any) -> Any:
        found = self.b.targets.get(request.id)
        if found.outdial_id != request.outdial_id:
            raise invalid("target_id", request.id, "the id of a target of this outdial")
        return found

    async def GetTarget(self, request: Any, context: Any) -> Any:
        return self._target(request)

    async def ListTargets(self, request: Any, context: Any) -> Any:
        self.b.outdials.get(request.outdial_id)
        rows, token = self.b.targets.list(
            request,
            lambda row: row.outdial_id == request.outdial_id and request.status in (0, row.status),
        )
        return outdial_pb.ListTargetsResponse(targets=rows, next_page_token=token)

    async def UpdateTarget(self, request: Any, context: Any) -> Any:
        found = self._target(request)
        for change in request.destinations:
            found.ClearField(f"destination_{change.index}")
            if change.destination.target:
                getattr(found, f"destination_{change.index}").CopyFrom(change.destination)
        request.ClearField("destinations")
        return self.b.targets.update(request)

    async def DeleteTarget(self, request: Any, context: Any) -> Any:
        return self.b.targets.delete(self._target(request).id)

    async def ResetTarget(self, request: Any, context: Any) -> Any:
        found = self._target(request)
        if found.status == _T.STATUS_PROGRESSING:
            raise FailedPrecondition(f"target {found.id} is being dialed")
        return found

    async def GetOutdialProgress(self, request: Any, context: Any) -> Any:
        self.b.enter("GetOutdialProgress")
        self.b.outdials.get(request.outdial_id)
        total = sum(row.outdial_id == request.outdial_id for row in self.b.targets.rows.values())
        return outdial_pb.OutdialProgress(
            outdial_id=request.outdial_id, total_count=total, idle_count=total
        )

    async def ImportTargets(self, requests: Any, context: Any) -> Any:
        header, body, complete = None, bytearray(), False
        async for request in requests:
            if request.HasField("header"):
                header = request.header
                self.b.enter("ImportTargets")
                self.b.outdials.get(header.outdial_id)
                self.b.headers.append(header)
            body += request.chunk
            complete = request.HasField("end")
        assert header is not None
        if not complete:
            raise Unavailable("the list broke off")
        result = self.b.imports.get(header.import_id)
        if result is None:
            result = outdial_pb.ImportResult(
                import_id=header.import_id,
                outdial_id=header.outdial_id,
                state=outdial_pb.ImportResult.STATE_DONE,
            )
            for number, line in enumerate(bytes(body).decode().splitlines(), 1):
                result.row_count += 1
                if "bad" in line:
                    result.rejects.add(line=number, field="phone", value=line, reason="is bad")
            result.rejected_count = len(result.rejects)
            result.accepted_count = result.row_count - result.rejected_count
            self.b.imports[header.import_id] = result
        return result

    async def GetImport(self, request: Any, context: Any) -> Any:
        self.b.outdials.get(request.outdial_id)
        if request.import_id not in self.b.imports:
            raise NotFound(f"no import {request.import_id}", reason="IMPORT_NOT_FOUND")
        return self.b.imports[request.import_id]

    async def ListImportRejects(self, request: Any, context: Any) -> AsyncIterator[Any]:
        found = await self.GetImport(request, context)
        for reject in found.rejects:
            yield outdial_pb.ListImportRejectsResponse(rejects=[reject])


_PROCESSES: dict[str, list[tuple[Any, type[Any]]]] = {
    "campaign": [
        (campaign_grpc.add_CampaignServiceServicer_to_server, FakeCampaigns),
        (outplan_grpc.add_OutplanServiceServicer_to_server, FakeOutplans),
        (flow_grpc.add_FlowServiceServicer_to_server, FakeFlows),
    ],
    "outdial": [(outdial_grpc.add_OutdialServiceServicer_to_server, FakeOutdials)],
    "queue": [
        (queue_grpc.add_QueueServiceServicer_to_server, FakeQueues),
        (agent_grpc.add_AgentServiceServicer_to_server, FakeAgents),
    ],
    "dialer": [(dialer_grpc.add_DialerServiceServicer_to_server, FakeDialer)],
}


class Processes:
    """The four processes, each of which can be stopped and started again on its port."""

    def __init__(self, backends: Backends, trusted: str) -> None:
        self._backends = backends
        self._trusted = trusted
        self._running: dict[str, tuple[Server, asyncio.Task[None]]] = {}
        self.addresses: dict[str, str] = {}

    async def start(self, name: str) -> None:
        """Start one process, on its former port when it had one."""
        server = Server(
            ServerParts(
                name=name,
                listen=self.addresses.get(name, "127.0.0.1:0"),
                verifier=TokenVerifier(name, trusted_keys(self._trusted)),
                servicers=[(add, kind(self._backends)) for add, kind in _PROCESSES[name]],
                drain_seconds=0,
            )
        )
        await server.start()
        self.addresses[name] = server.address
        self._running[name] = (server, asyncio.create_task(server.run()))

    async def stop(self, name: str) -> None:
        """Stop one process."""
        server, task = self._running.pop(name)
        server.stop()
        await task

    async def stop_all(self) -> None:
        """Stop every process."""
        for name in list(self._running):
            await self.stop(name)


@asynccontextmanager
async def running(backends: Backends, trusted: str) -> AsyncIterator[Processes]:
    """All four processes, for callers whose keys are in the document `trusted`."""
    processes = Processes(backends, trusted)
    try:
        for name in _PROCESSES:
            await processes.start(name)
        yield processes
    finally:
        await processes.stop_all()
