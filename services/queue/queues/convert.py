"""Queues, queuecalls and what dialers say, as protobuf messages, both ways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from outbound.queue.v1 import queue_service_pb2 as queue_pb

from services.common.convert import (
    addresses_to_proto,
    digest,
    optional_timestamp,
    timestamp_to_proto,
)
from services.common.errors import invalid
from services.common.ids import optional_id, parse_id, text
from services.common.limits import MAX_BATCH
from services.queue.queues.domain import (
    Members,
    NewQueue,
    Queue,
    QueueChange,
    Standing,
    check_routing_method,
)
from services.queue.queues.domain_queuecalls import (
    Assignment,
    EndReason,
    Joining,
    Queuecall,
    QueuecallStatus,
    Report,
    ReportKind,
)
from services.queue.queues.domain_sharing import Ask

_STATUS = {
    QueuecallStatus.INITIATING: queue_pb.Queuecall.STATUS_INITIATING,
    QueuecallStatus.WAITING: queue_pb.Queuecall.STATUS_WAITING,
    QueuecallStatus.CONNECTING: queue_pb.Queuecall.STATUS_CONNECTING,
    QueuecallStatus.SERVICE: queue_pb.Queuecall.STATUS_SERVICE,
    QueuecallStatus.DONE: queue_pb.Queuecall.STATUS_DONE,
    QueuecallStatus.ABANDONED: queue_pb.Queuecall.STATUS_ABANDONED,
}
_KIND = {
    queue_pb.QueuecallReport.KIND_RINGING: ReportKind.RINGING,
    queue_pb.QueuecallReport.KIND_CONNECTED: ReportKind.CONNECTED,
    queue_pb.QueuecallReport.KIND_NO_ANSWER: ReportKind.NO_ANSWER,
    queue_pb.QueuecallReport.KIND_UNREACHABLE: ReportKind.UNREACHABLE,
    queue_pb.QueuecallReport.KIND_ENDED: ReportKind.ENDED,
}
_REASON = {
    EndReason.KICKED: queue_pb.QueuecallEnd.REASON_KICKED,
    EndReason.WAIT_TIMEOUT: queue_pb.QueuecallEnd.REASON_WAIT_TIMEOUT,
    EndReason.SERVICE_TIMEOUT: queue_pb.QueuecallEnd.REASON_SERVICE_TIMEOUT,
}


def queue_to_proto(queue: Queue, members: Members) -> queue_pb.Queue:
    """The message."""
    return queue_pb.Queue(
        id=str(queue.id),
        customer_id=str(queue.customer_id),
        name=queue.name,
        detail=queue.detail,
        routing_method=str(queue.routing_method),
        tag_ids=[str(each) for each in queue.tag_ids],
        wait_flow_id=text(queue.wait_flow_id),
        wait_timeout=queue.wait_timeout,
        service_timeout=queue.service_timeout,
        wrapup_time=queue.wrapup_time,
        ring_timeout=queue.ring_timeout,
        recording=queue.recording,
        wait_queuecall_ids=[str(each) for each in members.waiting],
        service_queuecall_ids=[str(each) for each in members.in_service],
        total_incoming_count=members.incoming_count,
        total_serviced_count=members.serviced_count,
        total_abandoned_count=members.abandoned_count,
        revision=queue.revision,
        tm_create=timestamp_to_proto(queue.tm_create),
        tm_update=timestamp_to_proto(queue.tm_update),
        tm_delete=timestamp_to_proto(queue.tm_delete),
    )


def standing_to_proto(queue_id: UUID, standing: Standing, now: datetime) -> queue_pb.QueueStats:
    """The message."""
    return queue_pb.QueueStats(
        queue_id=str(queue_id),
        waiting_count=standing.waiting_count,
        service_count=standing.service_count,
        longest_waiting_ms=standing.longest_waiting_ms(now),
        average_waiting_ms=standing.average_waiting_ms,
        total_incoming_count=standing.incoming_count,
        total_serviced_count=standing.serviced_count,
        total_abandoned_count=standing.abandoned_count,
        agent_counts=standing.agent_counts,
    )


def new_queue_from_proto(request: queue_pb.CreateQueueRequest) -> NewQueue:
    """The body of a create request."""
    has = request.HasField
    return NewQueue(
        id=optional_id(request.id, "id"),
        digest=digest(request),
        name=request.name,
        detail=request.detail,
        routing_method=check_routing_method(request.routing_method),
        tag_ids=_ids(request.tag_ids, "tag_ids"),
        wait_flow_id=optional_id(request.wait_flow_id, "wait_flow_id"),
        wait_timeout=request.wait_timeout,
        service_timeout=request.service_timeout,
        wrapup_time=request.wrapup_time if has("wrapup_time") else None,
        ring_timeout=request.ring_timeout if has("ring_timeout") else None,
        recording=request.recording,
    )


def change_from_proto(request: queue_pb.UpdateQueueRequest) -> QueueChange:
    """What an update sets."""
    has = request.HasField
    method = check_routing_method(request.routing_method) if has("routing_method") else None
    flow_id = optional_id(request.wait_flow_id, "wait_flow_id")
    return QueueChange(
        name=request.name if has("name") else None,
        detail=request.detail if has("detail") else None,
        routing_method=method,
        tag_ids=_ids(request.tag_ids.ids, "tag_ids") if has("tag_ids") else None,
        wait_timeout=request.wait_timeout if has("wait_timeout") else None,
        service_timeout=request.service_timeout if has("service_timeout") else None,
        wrapup_time=request.wrapup_time if has("wrapup_time") else None,
        ring_timeout=request.ring_timeout if has("ring_timeout") else None,
        recording=request.recording if has("recording") else None,
        wait_flow_id=flow_id,
        clears_wait_flow=has("wait_flow_id") and flow_id is None,
    )


def queuecall_to_proto(call: Queuecall) -> queue_pb.Queuecall:
    """The message."""
    return queue_pb.Queuecall(
        id=str(call.id),
        customer_id=str(call.customer_id),
        queue_id=str(call.queue_id),
        reference_type="call",
        reference_id=str(call.reference_id),
        campaign_id=text(call.campaign_id),
        status=_STATUS[call.status],
        service_agent_id=text(call.service_agent_id),
        duration_waiting=call.duration_waiting,
        duration_service=call.duration_service,
        revision=call.revision,
        tm_create=timestamp_to_proto(call.tm_create),
        tm_service=timestamp_to_proto(call.tm_service),
        tm_update=timestamp_to_proto(call.tm_update),
        tm_end=timestamp_to_proto(call.tm_end),
        tm_delete=timestamp_to_proto(call.tm_delete),
    )


def asks_from_proto(request: queue_pb.GetCapacityRequest) -> list[Ask]:
    """The questions, in order."""
    check_batch("asks", request.asks)
    return [
        Ask(
            parse_id(each.queue_id, f"asks[{index}].queue_id"),
            parse_id(each.campaign_id, f"asks[{index}].campaign_id"),
        )
        for index, each in enumerate(request.asks)
    ]


def joined_queue_to_proto(queue: Queue) -> queue_pb.JoinedQueue:
    """What flows are told of a queue."""
    return queue_pb.JoinedQueue(
        id=str(queue.id),
        name=queue.name,
        detail=queue.detail,
        wait_timeout=queue.wait_timeout,
        service_timeout=queue.service_timeout,
        wait_flow_id=text(queue.wait_flow_id),
        recording=queue.recording,
    )


def joinings_from_proto(request: queue_pb.JoinQueueRequest, now: datetime) -> list[Joining]:
    """The joinings, in order; without a time they join now."""
    check_batch("joinings", request.joinings)
    return [
        Joining(
            queuecall_id=parse_id(each.queuecall_id, f"joinings[{index}].queuecall_id"),
            queue_id=parse_id(each.queue_id, f"joinings[{index}].queue_id"),
            customer_id=parse_id(each.customer_id, f"joinings[{index}].customer_id"),
            campaign_id=optional_id(each.campaign_id, f"joinings[{index}].campaign_id"),
            call_id=parse_id(each.call_id, f"joinings[{index}].call_id"),
            tm=optional_timestamp(each.tm, each.HasField("tm")) or now,
        )
        for index, each in enumerate(request.joinings)
    ]


def reports_from_proto(request: queue_pb.ReportQueuecallsRequest, now: datetime) -> list[Report]:
    """The reports, in order; those without a time happened now."""
    check_batch("reports", request.reports)
    return [
        Report(
            queuecall_id=parse_id(each.queuecall_id, f"reports[{index}].queuecall_id"),
            kind=_kind(each.kind, index),
            agent_id=optional_id(each.agent_id, f"reports[{index}].agent_id"),
            tm=optional_timestamp(each.tm, each.HasField("tm")) or now,
        )
        for index, each in enumerate(request.reports)
    ]


def ids_from_proto(ids: Iterable[str], field: str) -> list[UUID]:
    """The ids of one list of a dialer's request."""
    return list(_ids(ids, field))


def assignment_to_proto(assignment: Assignment) -> queue_pb.Assignment:
    """The message."""
    return queue_pb.Assignment(
        queuecall_id=str(assignment.queuecall_id),
        agent_id=str(assignment.agent_id),
        addresses=addresses_to_proto(assignment.addresses),
        ring_method=assignment.ring_method,
        ring_timeout_ms=assignment.ring_timeout_ms,
    )


def end_to_proto(queuecall_id: UUID, reason: EndReason | None) -> queue_pb.QueuecallEnd:
    """The message; every reason a dialer has no use for is UNKNOWN."""
    known = queue_pb.QueuecallEnd.REASON_UNKNOWN
    if reason is not None:
        known = _REASON.get(reason, known)
    return queue_pb.QueuecallEnd(queuecall_id=str(queuecall_id), reason=known)


def check_batch(field: str, items: Sequence[object]) -> None:
    """Refuse a request with too many items."""
    if len(items) > MAX_BATCH:
        raise invalid(field, f"{len(items)} long", f"at most {MAX_BATCH} items")


def _kind(kind: queue_pb.QueuecallReport.Kind, index: int) -> ReportKind:
    found = _KIND.get(kind)
    if found is None:
        raise invalid(f"reports[{index}].kind", kind, ", ".join(ReportKind))
    return found


def _ids(ids: Iterable[str], field: str) -> tuple[UUID, ...]:
    return tuple(parse_id(each, f"{field}[{index}]") for index, each in enumerate(ids))
