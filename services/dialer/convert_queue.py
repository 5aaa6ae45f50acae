"""Messages of the queue service. Pure."""

from __future__ import annotations

from uuid import UUID

from outbound.queue.v1 import queue_service_pb2 as queue_pb

from services.common.convert import address_from_proto, timestamp_to_proto
from services.common.ids import optional_id, text
from services.dialer.domain.queuecalls import (
    Assignment,
    Capacity,
    CapacityAsk,
    EndReason,
    Joined,
    Joining,
    QueuecallEnd,
    QueueFacts,
    QueueNews,
    QueueReport,
    QueueReportKind,
    RingMethod,
)

_END = {
    queue_pb.QueuecallEnd.REASON_KICKED: EndReason.KICKED,
    queue_pb.QueuecallEnd.REASON_WAIT_TIMEOUT: EndReason.WAIT_TIMEOUT,
    queue_pb.QueuecallEnd.REASON_SERVICE_TIMEOUT: EndReason.SERVICE_TIMEOUT,
}
_KIND = {
    QueueReportKind.RINGING: queue_pb.QueuecallReport.KIND_RINGING,
    QueueReportKind.CONNECTED: queue_pb.QueuecallReport.KIND_CONNECTED,
    QueueReportKind.NO_ANSWER: queue_pb.QueuecallReport.KIND_NO_ANSWER,
    QueueReportKind.UNREACHABLE: queue_pb.QueuecallReport.KIND_UNREACHABLE,
    QueueReportKind.ENDED: queue_pb.QueuecallReport.KIND_ENDED,
}


def ask_to_proto(ask: CapacityAsk) -> queue_pb.CapacityAsk:
    """A campaign's question."""
    return queue_pb.CapacityAsk(queue_id=text(ask.queue_id), campaign_id=text(ask.campaign_id))


def capacity_from_proto(message: queue_pb.Capacity) -> Capacity:
    """The answer for a campaign."""
    return Capacity(
        queue_id=UUID(message.queue_id),
        campaign_id=UUID(message.campaign_id),
        available=message.available_count,
    )


def joining_to_proto(joining: Joining) -> queue_pb.Joining:
    """A call that joins a queue."""
    return queue_pb.Joining(
        queuecall_id=text(joining.queuecall_id),
        queue_id=text(joining.queue_id),
        customer_id=text(joining.customer_id),
        campaign_id=text(joining.campaign_id),
        call_id=text(joining.call_id),
        tm=timestamp_to_proto(joining.tm),
    )


def joined_from_proto(message: queue_pb.JoinQueueResponse) -> Joined:
    """What joining came to."""
    return Joined(
        refused=frozenset(UUID(each) for each in message.refused_ids),
        queues=tuple(
            QueueFacts(
                queue_id=UUID(each.id),
                name=each.name,
                detail=each.detail,
                wait_timeout_ms=each.wait_timeout,
                service_timeout_ms=each.service_timeout,
                wait_flow_id=optional_id(each.wait_flow_id, "wait_flow_id"),
                is_recorded=each.recording,
            )
            for each in message.queues
        ),
    )


def news_from_proto(message: queue_pb.AssignAgentsResponse) -> QueueNews:
    """What the queue has for its callers."""
    return QueueNews(
        assignments=tuple(
            Assignment(
                queuecall_id=UUID(each.queuecall_id),
                agent_id=UUID(each.agent_id),
                addresses=tuple(address_from_proto(address) for address in each.addresses),
                ring_method=RingMethod.LINEAR
                if each.ring_method == RingMethod.LINEAR.value
                else RingMethod.RINGALL,
                ring_timeout_ms=each.ring_timeout_ms,
            )
            for each in message.assignments
        ),
        ends=tuple(
            QueuecallEnd(UUID(each.queuecall_id), _END.get(each.reason, EndReason.UNKNOWN))
            for each in message.ends
        ),
        lost=tuple(UUID(each) for each in message.lost_ids),
    )


def report_to_proto(report: QueueReport) -> queue_pb.QueuecallReport:
    """A fact about a queuecall."""
    return queue_pb.QueuecallReport(
        queuecall_id=text(report.queuecall_id),
        kind=_KIND[report.kind],
        agent_id=text(report.agent_id),
        tm=timestamp_to_proto(report.tm),
    )
