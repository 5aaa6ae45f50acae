"""QueueService on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grpc.aio import ServicerContext
from outbound.queue.v1 import queue_service_pb2 as queue_pb
from outbound.queue.v1 import queue_service_pb2_grpc as queue_grpc

from services.common.auth import Role, require_customer, require_role
from services.common.clock import Clock
from services.common.errors import InvalidArgument
from services.common.ids import optional_id, parse_id
from services.common.paging import page_request
from services.queue.queues import convert
from services.queue.queues.service import QueueService, QueueView
from services.queue.queues.service_assigning import AssigningService
from services.queue.queues.service_capacity import CapacityService
from services.queue.queues.service_queuecalls import QueuecallService
from services.queue.queues.service_reporting import Reporting

Context = ServicerContext[Any, Any]


@dataclass(frozen=True, kw_only=True)
class QueueServices:
    """The use cases behind the servicer."""

    queues: QueueService
    queuecalls: QueuecallService
    capacity: CapacityService
    assigning: AssigningService
    reporting: Reporting


class QueueServicer(queue_grpc.QueueServiceServicer):
    """Parses, calls the use case, converts."""

    def __init__(self, services: QueueServices, clock: Clock) -> None:
        self._services = services
        self._clock = clock

    async def CreateQueue(  # noqa: D102
        self, request: queue_pb.CreateQueueRequest, context: Context
    ) -> queue_pb.Queue:
        new = convert.new_queue_from_proto(request)
        return _queue(await self._services.queues.create_queue(require_customer(), new))

    async def GetQueue(  # noqa: D102
        self, request: queue_pb.GetQueueRequest, context: Context
    ) -> queue_pb.Queue:
        queue_id = parse_id(request.id, "id")
        return _queue(await self._services.queues.get_queue(require_customer(), queue_id))

    async def ListQueues(  # noqa: D102
        self, request: queue_pb.ListQueuesRequest, context: Context
    ) -> queue_pb.ListQueuesResponse:
        page = page_request(request.page_size, request.page_token)
        views, token = await self._services.queues.list_queues(require_customer(), page)
        return queue_pb.ListQueuesResponse(queues=map(_queue, views), next_page_token=token)

    async def UpdateQueue(  # noqa: D102
        self, request: queue_pb.UpdateQueueRequest, context: Context
    ) -> queue_pb.Queue:
        queue_id = parse_id(request.id, "id")
        change = convert.change_from_proto(request)
        return _queue(
            await self._services.queues.update_queue(require_customer(), queue_id, change)
        )

    async def DeleteQueue(  # noqa: D102
        self, request: queue_pb.DeleteQueueRequest, context: Context
    ) -> queue_pb.Queue:
        queue_id = parse_id(request.id, "id")
        return _queue(await self._services.queues.delete_queue(require_customer(), queue_id))

    async def GetQueueStats(  # noqa: D102
        self, request: queue_pb.GetQueueStatsRequest, context: Context
    ) -> queue_pb.QueueStats:
        queue_id = parse_id(request.id, "id")
        standing = await self._services.queues.get_queue_stats(require_customer(), queue_id)
        return convert.standing_to_proto(queue_id, standing, self._clock.now())

    async def GetQueuecall(  # noqa: D102
        self, request: queue_pb.GetQueuecallRequest, context: Context
    ) -> queue_pb.Queuecall:
        call = await self._services.queuecalls.get_queuecall(
            require_customer(), parse_id(request.id, "id")
        )
        return convert.queuecall_to_proto(call)

    async def ListQueuecalls(  # noqa: D102
        self, request: queue_pb.ListQueuecallsRequest, context: Context
    ) -> queue_pb.ListQueuecallsResponse:
        page = page_request(request.page_size, request.page_token)
        calls, token = await self._services.queuecalls.list_queuecalls(require_customer(), page)
        return queue_pb.ListQueuecallsResponse(
            queuecalls=map(convert.queuecall_to_proto, calls), next_page_token=token
        )

    async def DeleteQueuecall(  # noqa: D102
        self, request: queue_pb.DeleteQueuecallRequest, context: Context
    ) -> queue_pb.Queuecall:
        call = await self._services.queuecalls.delete_queuecall(
            require_customer(), parse_id(request.id, "id")
        )
        return convert.queuecall_to_proto(call)

    async def KickQueuecall(  # noqa: D102
        self, request: queue_pb.KickQueuecallRequest, context: Context
    ) -> queue_pb.Queuecall:
        queuecall_id = optional_id(request.id, "id")
        call_id = optional_id(request.reference_id, "reference_id")
        if queuecall_id is None and call_id is None:
            raise InvalidArgument("one of id and reference_id is required", reason="INVALID_ID")
        call = await self._services.queuecalls.kick_queuecall(
            require_customer(), queuecall_id, call_id
        )
        return convert.queuecall_to_proto(call)

    async def GetCapacity(  # noqa: D102
        self, request: queue_pb.GetCapacityRequest, context: Context
    ) -> queue_pb.GetCapacityResponse:
        require_role(Role.DIALER)
        capacities = await self._services.capacity.get_capacity(convert.asks_from_proto(request))
        return queue_pb.GetCapacityResponse(
            capacities=[
                queue_pb.Capacity(
                    queue_id=str(each.ask.queue_id),
                    campaign_id=str(each.ask.campaign_id),
                    available_count=each.available_count,
                    queue_available_count=each.queue_available_count,
                    staffed_count=each.staffed_count,
                )
                for each in capacities
            ]
        )

    async def JoinQueue(  # noqa: D102
        self, request: queue_pb.JoinQueueRequest, context: Context
    ) -> queue_pb.JoinQueueResponse:
        require_role(Role.DIALER)
        joinings = convert.joinings_from_proto(request, self._clock.now())
        joined = await self._services.reporting.join_queue(request.dialer_id, joinings)
        return queue_pb.JoinQueueResponse(
            refused_ids=map(str, joined.refused),
            queues=map(convert.joined_queue_to_proto, joined.queues),
        )

    async def AssignAgents(  # noqa: D102
        self, request: queue_pb.AssignAgentsRequest, context: Context
    ) -> queue_pb.AssignAgentsResponse:
        require_role(Role.DIALER)
        news = await self._services.assigning.assign_agents(
            request.dialer_id,
            convert.ids_from_proto(request.waiting_ids, "waiting_ids"),
            convert.ids_from_proto(request.connecting_ids, "connecting_ids"),
            convert.ids_from_proto(request.service_ids, "service_ids"),
        )
        return queue_pb.AssignAgentsResponse(
            assignments=map(convert.assignment_to_proto, news.assignments),
            ends=[convert.end_to_proto(*each) for each in news.ends.items()],
            lost_ids=map(str, news.lost_ids),
        )

    async def ReportQueuecalls(  # noqa: D102
        self, request: queue_pb.ReportQueuecallsRequest, context: Context
    ) -> queue_pb.ReportQueuecallsResponse:
        require_role(Role.DIALER)
        reports = convert.reports_from_proto(request, self._clock.now())
        await self._services.reporting.report_queuecalls(reports)
        return queue_pb.ReportQueuecallsResponse()


def _queue(view: QueueView) -> queue_pb.Queue:
    return convert.queue_to_proto(view.queue, view.members)
