"""DialerService on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
from outbound.dialer.v1 import dialer_service_pb2 as dialer_pb
from outbound.dialer.v1 import dialer_service_pb2_grpc as dialer_grpc

from services.common.auth import require_customer
from services.common.convert import actions_from_proto, digest
from services.common.ids import optional_id, parse_id
from services.common.paging import page_request
from services.dialer.convert import (
    activeflow_to_proto,
    call_to_proto,
    recording_to_proto,
)
from services.dialer.service import DialerService
from services.dialer.service_recordings import RecordingService

Context = grpc.aio.ServicerContext[Any, Any]


class DialerServicer(dialer_grpc.DialerServiceServicer):
    """Parses, calls the use case, converts."""

    def __init__(self, service: DialerService, recordings: RecordingService) -> None:
        self._service = service
        self._recordings = recordings

    async def GetCall(self, request: dialer_pb.GetCallRequest, context: Context) -> dialer_pb.Call:
        """See the proto."""
        call_id = parse_id(request.id, "id")
        return call_to_proto(await self._service.get_call(require_customer(), call_id))

    async def ListCalls(
        self, request: dialer_pb.ListCallsRequest, context: Context
    ) -> dialer_pb.ListCallsResponse:
        """See the proto."""
        page = page_request(request.page_size, request.page_token)
        calls, token = await self._service.list_calls(require_customer(), page)
        return dialer_pb.ListCallsResponse(
            calls=[call_to_proto(call) for call in calls], next_page_token=token
        )

    async def HangupCall(
        self, request: dialer_pb.HangupCallRequest, context: Context
    ) -> dialer_pb.Call:
        """See the proto."""
        call = await self._service.hangup_call(
            require_customer(), parse_id(request.id, "id"), is_forwarded=request.is_forwarded
        )
        return call_to_proto(call)

    async def CreateActiveflow(
        self, request: dialer_pb.CreateActiveflowRequest, context: Context
    ) -> dialer_pb.Activeflow:
        """See the proto."""
        flow = await self._service.create_activeflow(
            require_customer(),
            activeflow_id=optional_id(request.id, "id"),
            flow_id=optional_id(request.flow_id, "flow_id"),
            actions=actions_from_proto(request.actions),
            variables=dict(request.variables),
            digest=digest(request),
        )
        return activeflow_to_proto(flow)

    async def GetActiveflow(
        self, request: dialer_pb.GetActiveflowRequest, context: Context
    ) -> dialer_pb.Activeflow:
        """See the proto."""
        flow_id = parse_id(request.id, "id")
        return activeflow_to_proto(await self._service.get_activeflow(require_customer(), flow_id))

    async def ListActiveflows(
        self, request: dialer_pb.ListActiveflowsRequest, context: Context
    ) -> dialer_pb.ListActiveflowsResponse:
        """See the proto."""
        page = page_request(request.page_size, request.page_token)
        flows, token = await self._service.list_activeflows(require_customer(), page)
        return dialer_pb.ListActiveflowsResponse(
            activeflows=[activeflow_to_proto(flow) for flow in flows], next_page_token=token
        )

    async def StopActiveflow(
        self, request: dialer_pb.StopActiveflowRequest, context: Context
    ) -> dialer_pb.Activeflow:
        """See the proto."""
        flow = await self._service.stop_activeflow(
            require_customer(), parse_id(request.id, "id"), is_forwarded=request.is_forwarded
        )
        return activeflow_to_proto(flow)

    async def DeleteActiveflow(
        self, request: dialer_pb.DeleteActiveflowRequest, context: Context
    ) -> dialer_pb.Activeflow:
        """See the proto."""
        flow_id = parse_id(request.id, "id")
        return activeflow_to_proto(
            await self._service.delete_activeflow(require_customer(), flow_id)
        )

    async def ListRecordings(
        self, request: dialer_pb.ListRecordingsRequest, context: Context
    ) -> dialer_pb.ListRecordingsResponse:
        """See the proto."""
        page = page_request(request.page_size, request.page_token)
        found, token = await self._recordings.list_recordings(
            require_customer(),
            page,
            call_id=optional_id(request.reference_id, "reference_id"),
            campaign_id=optional_id(request.campaign_id, "campaign_id"),
        )
        return dialer_pb.ListRecordingsResponse(
            recordings=[recording_to_proto(each) for each in found], next_page_token=token
        )

    async def GetRecording(
        self, request: dialer_pb.GetRecordingRequest, context: Context
    ) -> dialer_pb.Recording:
        """See the proto."""
        recording_id = parse_id(request.id, "id")
        return recording_to_proto(
            await self._recordings.get_recording(require_customer(), recording_id)
        )

    async def ReadRecording(
        self, request: dialer_pb.ReadRecordingRequest, context: Context
    ) -> AsyncIterator[dialer_pb.ReadRecordingResponse]:
        """See the proto."""
        pieces = self._recordings.read_recording(
            require_customer(),
            parse_id(request.id, "id"),
            offset=request.offset,
            length=request.length,
            is_forwarded=request.is_forwarded,
        )
        async for piece in pieces:
            yield dialer_pb.ReadRecordingResponse(chunk=piece)

    async def DeleteRecording(
        self, request: dialer_pb.DeleteRecordingRequest, context: Context
    ) -> dialer_pb.Recording:
        """See the proto."""
        recording_id = parse_id(request.id, "id")
        return recording_to_proto(
            await self._recordings.delete_recording(require_customer(), recording_id)
        )
